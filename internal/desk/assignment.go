package desk

import (
	"cmp"
	"context"
	"errors"

	"github.com/supportd/supportd/internal/cases"
)

// Assignment says who gets a case. Empty fields leave what is.
type Assignment struct {
	Agent   string // an agent's id
	Team    string
	Release bool // nobody
	Next    bool // the agent whose turn it is among those who fit and have room
}

// Claim gives a case to the caller. One that another agent has is ErrConflict,
// unless that one no longer works here.
func (s *Service) Claim(ctx context.Context, who Caller, ref string) (Item, error) {
	return s.workOn(ctx, who, ref, "case.claim", func(t *task) error {
		free, err := t.isFree(ctx)
		if err != nil {
			return err
		}
		if !free {
			return ErrConflict.With("The agent %s has the case.", t.item.Assignee)
		}
		return t.assign(ctx, who.Agent.ID, t.item.Team)
	})
}

// Assign gives a case to an agent, a team or nobody. What agents do not take for
// themselves, or give back, needs the permission to Manage.
func (s *Service) Assign(ctx context.Context, who Caller, ref string, to Assignment) (Item, error) {
	if err := cmp.Or(who.need(Work), to.check()); err != nil {
		return Item{}, err
	}
	return s.workOn(ctx, who, ref, "case.assign", func(t *task) error {
		free, err := t.isFree(ctx)
		if err != nil {
			return err
		}
		if !free || !to.isOwn(who.Agent.ID) {
			if err := who.need(Manage); err != nil {
				return err
			}
		}
		return t.assignTo(ctx, to)
	})
}

func (to Assignment) check() error {
	ways := 0
	for _, way := range []bool{to.Agent != "", to.Release, to.Next} {
		if way {
			ways++
		}
	}
	if ways > 1 || ways == 0 && to.Team == "" {
		return ErrInvalid.With("A case goes to an agent, to the next one, to nobody, or to a team.")
	}
	return nil
}

// isOwn reports whether an agent takes a case or gives one back.
func (to Assignment) isOwn(agent string) bool {
	return to.Team == "" && (to.Agent == agent || to.Release)
}

// isFree reports whether the caller may take the case: nobody else has it who
// works here. Agents who leave keep their cases until somebody takes them over.
func (t *task) isFree(ctx context.Context) (bool, error) {
	if t.item.Assignee == "" || t.item.Assignee == t.who.Agent.ID {
		return true, nil
	}
	works, err := t.works(ctx, t.item.Assignee)
	return !works, err
}

// works reports whether an agent is there who works on cases; callers are.
func (t *task) works(ctx context.Context, id string) (bool, error) {
	if id == t.who.Agent.ID {
		return true, nil
	}
	a, err := readDocument[Agent](ctx, t.tx, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return a.works(), err
}

func (t *task) assignTo(ctx context.Context, to Assignment) error {
	team, err := t.teamOf(ctx, to)
	if err != nil {
		return err
	}
	agent := t.item.Assignee
	switch {
	case to.Next:
		return t.assignNext(ctx, team.ID)
	case to.Release:
		agent = ""
	case to.Agent != "":
		if err := t.checkAssignee(ctx, to.Agent); err != nil {
			return err
		}
		agent = to.Agent
	}
	if err := t.assign(ctx, agent, team.ID); err != nil || !team.Routing || !t.item.isNew() {
		return err
	}
	return enqueueRoute(ctx, t.tx, t.item.Account)
}

// teamOf returns the team that an assignment leaves a case with. One that was
// deleted while the case was resolved is none.
func (t *task) teamOf(ctx context.Context, to Assignment) (Team, error) {
	if to.Team == "" {
		team, err := readDocument[Team](ctx, t.tx, t.item.Team)
		return team, unlessMissing(err)
	}
	if err := t.takeTurns(ctx, t.tx); err != nil { // nobody deletes the team meanwhile
		return Team{}, err
	}
	team, err := readDocument[Team](ctx, t.tx, to.Team)
	return team, asInvalid(err)
}

// checkAssignee wants an agent who works on cases.
func (t *task) checkAssignee(ctx context.Context, id string) error {
	works, err := t.works(ctx, id)
	if works || err != nil {
		return err
	}
	if _, err := readDocument[Agent](ctx, t.tx, id); err != nil {
		return asInvalid(err)
	}
	return ErrConflict.With("The agent %s is not active, or an auditor.", id)
}

// assign gives the case to an agent, who takes it on, or to nobody.
func (t *task) assign(ctx context.Context, agent, team string) error {
	if t.item.Assignee == agent && t.item.Team == team {
		return nil
	}
	if agent != "" && t.item.Status == cases.Unassigned {
		if err := t.move(ctx, cases.Open); err != nil {
			return err
		}
	}
	detail := assigned{From: t.item.Assignee, To: agent, Team: team}
	t.item.Assignee, t.item.Team = agent, team
	return t.did(ctx, eventAssigned, detail)
}

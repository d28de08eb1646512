package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/supportd/supportd/internal/cases"
)

// Route gives the new cases of teams with routing to their agents, the most
// urgent first. New are those that nobody ever had: what an agent gave back
// waits for a person. Each case is given in a transaction of its own, which
// looks again, so that it does no harm when two calls run at once; one that fails
// stops no other one.
func (s *Service) Route(ctx context.Context) error {
	var r roster
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		r, err = readRoster(ctx, tx)
		return err
	})
	if err != nil || !r.routes() {
		return err
	}
	var failed []error
	q := ItemQuery{Unassigned: true, Status: cases.Unassigned}
	for r.hasRoom() && ctx.Err() == nil {
		var page Page
		err := s.Store.View(ctx, func(tx Tx) error {
			found, err := tx.Items(ctx, q, maxLimit+1)
			page = newPage(found, maxLimit)
			return err
		})
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		failed = append(failed, s.routeItems(ctx, r, page.Items)...)
		if page.Next == nil {
			break
		}
		q.After = *page.Next
	}
	return errors.Join(append(failed, ctx.Err())...)
}

// routeItems gives those of the items away for which somebody seems to have
// room.
func (s *Service) routeItems(ctx context.Context, r roster, items []Item) (failed []error) {
	for _, i := range items {
		if _, _, ok := r.choice(i); !ok {
			continue
		}
		given, err := s.routeItem(ctx, i.Key)
		if errors.Is(err, ErrNotFound) { // it was deleted meanwhile
			continue
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("routing of %s: %w", i.CaseID, err))
			continue
		}
		r.give(given.Assignee, s.now())
	}
	return failed
}

// routeItem gives one case away and returns it as it is then.
func (s *Service) routeItem(ctx context.Context, key Key) (Item, error) {
	return work(ctx, s, itself(), key, "case.route", func(t *task) (Item, error) {
		r, err := t.takeTurns(ctx)
		if err != nil {
			return Item{}, err
		}
		agent, team, ok := r.choice(t.item)
		if !ok || t.item.Assignee != "" || t.item.Status != cases.Unassigned {
			return t.item, nil
		}
		if err := t.giveTo(ctx, agent, team); err != nil {
			return Item{}, err
		}
		err = t.write(ctx)
		return t.item, err
	})
}

// itself is the desk as a caller: what it does is nobody's doing.
func itself() Caller {
	return Caller{Agent: Agent{ID: actorDesk, Name: actorDesk, Active: true}, Allowed: []Permission{Work}}
}

// assignNext gives the case to the agent whose turn it is: of the team, if there
// is one, else of all.
func (t *task) assignNext(ctx context.Context, team string) error {
	r, err := t.takeTurns(ctx)
	if err != nil {
		return err
	}
	agent, ok := r.next(t.item, team)
	if !ok {
		return ErrConflict.With("No agent who fits has room for the case.")
	}
	return t.giveTo(ctx, agent, team)
}

func (t *task) giveTo(ctx context.Context, agent, team string) error {
	if err := t.assign(ctx, agent, team); err != nil {
		return err
	}
	return putTurn(ctx, t.tx, agent, t.now())
}

// The documents of routing.
const (
	kindTurn Kind = "turn" // when an agent was last given a case, by the agent's id
	kindLock Kind = "lock" // written before capacities are read
)

// takeTurns returns the roster inside a transaction that gives a case away.
// Transactions on two accounts may run at once; writing the same row before
// they read makes them wait for each other, so that nobody gets more than the
// capacity.
func (t *task) takeTurns(ctx context.Context) (roster, error) {
	lock := Document{Kind: kindLock, ID: "routing", Version: 1, Content: []byte("{}"), ChangedAt: t.now()}
	if err := t.tx.PutDocument(ctx, lock); err != nil {
		return roster{}, err
	}
	return readRoster(ctx, t.tx)
}

// roster is who may be given cases.
type roster struct {
	teams  []Team               // with routing, by id
	agents []Agent              // who work and have a capacity, by id
	loads  map[string]int       // open cases by agent
	turns  map[string]time.Time // when each was last given a case
}

// turn is the content of the document.
type turn struct {
	At time.Time `json:"at"`
}

func readRoster(ctx context.Context, tx Tx) (r roster, err error) {
	if r.teams, err = readDocuments[Team](ctx, tx); err != nil {
		return roster{}, err
	}
	r.teams = routingTeams(r.teams)
	if r.agents, err = readDocuments[Agent](ctx, tx); err != nil {
		return roster{}, err
	}
	r.agents = slices.DeleteFunc(r.agents, func(a Agent) bool { return !a.works() || a.Capacity == 0 })
	if r.turns, err = readTurns(ctx, tx); err != nil {
		return roster{}, err
	}
	var ids []string
	for _, a := range r.agents {
		ids = append(ids, a.ID)
	}
	r.loads, err = tx.Loads(ctx, ids)
	return r, err
}

func readTurns(ctx context.Context, tx Tx) (map[string]time.Time, error) {
	documents, err := tx.Documents(ctx, kindTurn)
	if err != nil {
		return nil, err
	}
	turns := map[string]time.Time{}
	for _, d := range documents {
		var last turn
		if err := json.Unmarshal(d.Content, &last); err != nil {
			return nil, err
		}
		turns[d.ID] = last.At
	}
	return turns, nil
}

func putTurn(ctx context.Context, tx Tx, agent string, at time.Time) error {
	content, err := json.Marshal(turn{At: at})
	if err != nil {
		return err
	}
	return tx.PutDocument(ctx, Document{Kind: kindTurn, ID: agent, Version: 1, Content: content, ChangedAt: at})
}

func (r roster) routes() bool { return len(r.teams) > 0 }

func (r roster) hasRoom() bool { return slices.ContainsFunc(r.agents, r.agentHasRoom) }

func (r roster) agentHasRoom(a Agent) bool { return r.loads[a.ID] < a.Capacity }

// give notes in the roster that an agent was given a case.
func (r roster) give(agent string, at time.Time) {
	r.loads[agent]++
	r.turns[agent] = at
}

// choice returns who of which team gets a case: of the team that the case is
// with, or of the first one that it fits and that has somebody with room.
func (r roster) choice(i Item) (agent, team string, ok bool) {
	for _, t := range r.teams {
		if i.Team != t.ID && (i.Team != "" || !t.takes(i)) {
			continue
		}
		if agent, ok := r.next(i, t.ID); ok {
			return agent, t.ID, true
		}
	}
	return "", "", false
}

func routingTeams(all []Team) []Team {
	return slices.DeleteFunc(all, func(t Team) bool { return !t.Routing })
}

// takes reports whether cases like this one come to the team.
func (t Team) takes(i Item) bool {
	return knows(t.Services, i.Service) && knows(t.Languages, i.Language) && knows(t.Accounts, i.Account)
}

// next returns the agent whose turn it is: of those who know the service and the
// language, have room and do not have the case, the one who was given a case the
// longest ago.
func (r roster) next(i Item, team string) (string, bool) {
	var fit []Agent
	for _, a := range r.agents {
		other := a.ID != i.Assignee && (team == "" || slices.Contains(a.Teams, team))
		if other && r.agentHasRoom(a) && knows(a.Services, i.Service) && knows(a.Languages, i.Language) {
			fit = append(fit, a)
		}
	}
	if len(fit) == 0 {
		return "", false
	}
	return slices.MinFunc(fit, func(a, b Agent) int {
		return cmp.Or(r.turns[a.ID].Compare(r.turns[b.ID]), cmp.Compare(a.ID, b.ID))
	}).ID, true
}

// knows reports whether a code is in a list; an empty list has all.
func knows(codes []string, code string) bool {
	return len(codes) == 0 || slices.Contains(codes, code)
}

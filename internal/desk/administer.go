package desk

import (
	"cmp"
	"context"
	"slices"

	"github.com/supportd/supportd/internal/cases"
)

// Team is agents who share a queue.
type Team struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Services  []string `json:"services"`  // of cases that come to the team; none: any
	Languages []string `json:"languages"` // likewise
	Accounts  []string `json:"accounts"`  // likewise
	// Routing gives new cases to the team's agents, the one with the longest
	// wait first.
	Routing bool  `json:"routing"`
	Version int64 `json:"version"`
}

// Macro is an answer, and what follows it, that is used again and again. The
// texts may have variables such as {{case.displayId}}.
type Macro struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Body    string   `json:"body"`             // of a reply; empty: none
	Note    string   `json:"note,omitempty"`   // internal; empty: none
	Status  string   `json:"status,omitempty"` // as in [NewReply]
	AddTags []string `json:"addTags,omitempty"`
	Version int64    `json:"version"`
}

// Teams returns all teams.
func (s *Service) Teams(ctx context.Context, who Caller) ([]Team, error) {
	return viewDocuments[Team](ctx, s, who)
}

// PutTeam creates or replaces a team. One without an id gets one.
func (s *Service) PutTeam(ctx context.Context, who Caller, t Team) (Team, error) {
	if err := cmp.Or(who.need(Manage), s.name(ctx, &who, KindTeam, &t.ID)); err != nil {
		return Team{}, err
	}
	defer s.known.forget() // which teams route
	t.Services, t.Languages, t.Accounts = inOrder(t.Services), inOrder(t.Languages), inOrder(t.Accounts)
	return putDocument(ctx, s, who, Manage, t, func(tx Tx) error {
		return s.checkTeam(ctx, tx, t)
	})
}

func (s *Service) checkTeam(ctx context.Context, tx Tx, t Team) error {
	err := cmp.Or(checkID("team", t.ID), checkName("name of the team", t.Name), s.checkServices(t.Services), s.checkLanguages(t.Languages))
	if err != nil || len(t.Accounts) == 0 {
		return err
	}
	known, err := tx.AccountIDs(ctx)
	if err != nil {
		return err
	}
	for _, account := range t.Accounts {
		if !slices.Contains(known, account) {
			return ErrInvalid.With("There is no account %q.", account)
		}
	}
	return nil
}

// DeleteTeam removes a team that has no agents and no open cases.
func (s *Service) DeleteTeam(ctx context.Context, who Caller, id string) error {
	defer s.known.forget()
	return deleteDocument[Team](ctx, s, who, Manage, id, func(tx Tx) error {
		if err := s.takeTurns(ctx, tx); err != nil {
			return err
		}
		agents, err := readDocuments[Agent](ctx, tx)
		if err != nil {
			return err
		}
		for _, a := range agents {
			if slices.Contains(a.Teams, id) {
				return ErrConflict.With("The agent %s is in the team.", a.ID)
			}
		}
		open, err := tx.Items(ctx, ItemQuery{Teams: []string{id}}, 1)
		if err == nil && len(open) > 0 {
			err = ErrConflict.With("The team has open cases, such as %s.", open[0].CaseID)
		}
		return err
	})
}

// Macros returns all macros.
func (s *Service) Macros(ctx context.Context, who Caller) ([]Macro, error) {
	return viewDocuments[Macro](ctx, s, who)
}

// PutMacro creates or replaces a macro. One without an id gets one.
func (s *Service) PutMacro(ctx context.Context, who Caller, m Macro) (Macro, error) {
	if err := cmp.Or(who.need(Manage), s.name(ctx, &who, KindMacro, &m.ID)); err != nil {
		return Macro{}, err
	}
	tags, wrong := checkTags(m.AddTags)
	m.AddTags = inOrder(tags)
	return putDocument(ctx, s, who, Manage, m, func(Tx) error { return cmp.Or(wrong, m.check()) })
}

// DeleteMacro removes a macro.
func (s *Service) DeleteMacro(ctx context.Context, who Caller, id string) error {
	return deleteDocument[Macro](ctx, s, who, Manage, id, nothing)
}

// maxReply is how many characters a reply has at most, see [cases.NewReply].
const maxReply = 8000

func (m Macro) check() error {
	if m.Body == "" && m.Note == "" && m.Status == "" && len(m.AddTags) == 0 {
		return ErrInvalid.With("A macro does something: give it a body, a note, a status or tags.")
	}
	if m.Status != "" && m.Status != keepStatus {
		if _, err := eventTo(cases.Status(m.Status)); err != nil {
			return err
		}
	}
	if len(m.AddTags) > maxTags {
		return ErrInvalid.With("A case has at most %d tags.", maxTags)
	}
	return cmp.Or(
		checkID("macro", m.ID), checkName("name of the macro", m.Name),
		checkOptionalText("body", m.Body, maxReply), checkOptionalText("note", m.Note, maxNote),
	)
}

package desk

import (
	"cmp"
	"context"
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
	var failed []error
	q := ItemQuery{Assignees: []string{""}, Status: cases.Unassigned}
	for ctx.Err() == nil {
		r, page, err := s.lookToRoute(ctx, q)
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		run := routing{Service: s, roster: r}
		failed = append(failed, run.give(ctx, page.Items)...)
		if page.Next == nil {
			break
		}
		q.After = *page.Next
	}
	return errors.Join(append(failed, ctx.Err())...)
}

// lookToRoute returns who may be given cases and the next page of those, which
// is empty when nobody has room.
func (s *Service) lookToRoute(ctx context.Context, q ItemQuery) (r *roster, page Page, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		page = Page{}
		if r, err = readRoster(ctx, tx); err != nil || len(r.teams) == 0 || !r.hasRoom() {
			return err
		}
		found, err := tx.Items(ctx, q, maxLimit+1)
		page = newPage(found, maxLimit)
		return err
	})
	return r, page, err
}

// routing gives a page of cases away. The roster is kept from case to case: to
// read it takes much longer than to give a case.
type routing struct {
	*Service
	roster *roster
}

// give gives those of the items away for which somebody seems to have room.
func (r *routing) give(ctx context.Context, items []Item) (failed []error) {
	for _, i := range items {
		if ctx.Err() != nil {
			break
		}
		if r.roster.choice(i).seat == nil {
			continue
		}
		err := r.giveItem(ctx, i.Key)
		if err != nil && !errors.Is(err, ErrNotFound) { // it was deleted meanwhile
			failed = append(failed, fmt.Errorf("routing of %s: %w", i.CaseID, err))
		}
	}
	return failed
}

// giveItem gives one case away, and notes it in the roster.
func (r *routing) giveItem(ctx context.Context, key Key) error {
	var made choice
	at, err := work(ctx, r.Service, itself(), key, "case.route", func(t *task) (at time.Time, err error) {
		made = choice{}
		if !t.item.isNew() {
			return at, nil
		}
		if made, err = t.choose(ctx, r.roster); err != nil || made.seat == nil {
			return at, err
		}
		at = nextTurn(made.roster.seats, t.now())
		if err := t.giveTo(ctx, made.seat.agent.ID, made.team, at); err != nil {
			return at, err
		}
		return at, t.write(ctx)
	})
	if err != nil || made.roster == nil {
		return err
	}
	r.roster = made.roster
	if made.seat != nil {
		made.seat.load++
		made.seat.last = at
	}
	return nil
}

// choice is who of which team gets a case, by which roster; without a seat it is
// nobody.
type choice struct {
	roster  *roster
	seat    *seat
	team    string
	version int64 // of the team
}

// choose makes the choice of a roster, or of one that is read now if that one no
// longer stands.
func (t *task) choose(ctx context.Context, by *roster) (choice, error) {
	if err := t.takeTurns(ctx, t.tx); err != nil {
		return choice{}, err
	}
	made := by.choice(t.item)
	if made.seat == nil {
		return made, nil
	}
	stands, err := t.stands(ctx, made)
	if stands || err != nil {
		return made, err
	}
	if by, err = readRoster(ctx, t.tx); err != nil {
		return choice{}, err
	}
	return by.choice(t.item), nil
}

// stands reports whether a choice is still a good one: the agent has room, neither
// the agent nor the team was changed, and nobody else gave the agent a case, which
// makes it another one's turn.
func (t *task) stands(ctx context.Context, made choice) (bool, error) {
	team, err := readDocument[Team](ctx, t.tx, made.team)
	if err != nil {
		return false, unlessMissing(err)
	}
	agent, err := readDocument[Agent](ctx, t.tx, made.seat.agent.ID)
	if err != nil {
		return false, unlessMissing(err)
	}
	last, err := t.tx.Document(ctx, kindTurn, agent.ID)
	if unlessMissing(err) != nil {
		return false, err
	}
	if team.Version != made.version || agent.Version != made.seat.agent.Version || !last.ChangedAt.Equal(made.seat.last) {
		return false, nil
	}
	loads, err := t.tx.Loads(ctx, []string{agent.ID})
	return loads[agent.ID] < agent.Capacity, err
}

func unlessMissing(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// itself is the desk as a caller: what it does is nobody's doing.
func itself() Caller {
	return Caller{Agent: Agent{ID: actorDesk, Name: actorDesk, Active: true}, Allowed: []Permission{Work}}
}

// assignNext gives the case to the agent whose turn it is: of the team, if there
// is one, else of all.
func (t *task) assignNext(ctx context.Context, team string) error {
	if err := t.takeTurns(ctx, t.tx); err != nil {
		return err
	}
	seats, err := readSeats(ctx, t.tx)
	if err != nil {
		return err
	}
	at := nextTurn(seats, t.now())
	seats = slices.DeleteFunc(seats, func(s *seat) bool { return !s.isIn(team) || !s.fits(t.item) })
	slices.SortFunc(seats, byTurn)
	// Whoever has the first turn mostly has room.
	for _, some := range [][]*seat{seats[:min(1, len(seats))], seats[min(1, len(seats)):]} {
		if err := readLoads(ctx, t.tx, some); err != nil {
			return err
		}
		if i := slices.IndexFunc(some, (*seat).hasRoom); i >= 0 {
			return t.giveTo(ctx, some[i].agent.ID, team, at)
		}
	}
	return ErrConflict.With("No agent who fits has room for the case.")
}

// giveTo gives the case to an agent, whose turn that was.
func (t *task) giveTo(ctx context.Context, agent, team string, turn time.Time) error {
	if err := t.assign(ctx, agent, team); err != nil {
		return err
	}
	return putTurn(ctx, t.tx, agent, turn)
}

// nextTurn is a time after every turn that was: turns come one after the other
// even while a clock stands still or is set back.
func nextTurn(seats []*seat, now time.Time) time.Time {
	for _, s := range seats {
		if !s.last.Before(now) {
			now = s.last.Add(time.Microsecond)
		}
	}
	return now
}

// The documents of routing.
const (
	kindTurn Kind = "turn" // when an agent was last given a case, by the agent's id: its ChangedAt
	kindLock Kind = "lock" // written before capacities are read
)

// takeTurns begins what gives a case away. Transactions on two accounts may run
// at once; writing the same row before they read makes them wait for each other,
// so that nobody gets more than the capacity and no team goes that gets a case.
func (s *Service) takeTurns(ctx context.Context, tx Tx) error {
	return tx.PutDocument(ctx, Document{Kind: kindLock, ID: "routing", Version: 1, Content: []byte("{}"), ChangedAt: s.now()})
}

// roster is who may be given cases.
type roster struct {
	teams  []Team // with routing, by id
	seats  []*seat
	byTeam map[string][]*seat
}

// seat is an agent who works and has a capacity.
type seat struct {
	agent Agent
	load  int       // open cases
	last  time.Time // when the agent was given a case
}

func (s *seat) hasRoom() bool { return s.load < s.agent.Capacity }

// isIn reports whether the agent is in a team; everybody is in none.
func (s *seat) isIn(team string) bool { return team == "" || slices.Contains(s.agent.Teams, team) }

// fits reports whether the agent knows the service and the language of a case,
// and does not have it.
func (s *seat) fits(i Item) bool {
	return s.agent.ID != i.Assignee && knows(s.agent.Services, i.Service) && knows(s.agent.Languages, i.Language)
}

// byTurn puts those first who were given a case the longest ago.
func byTurn(a, b *seat) int {
	return cmp.Or(a.last.Compare(b.last), cmp.Compare(a.agent.ID, b.agent.ID))
}

// readRoster reads the seats only when there is a team to give cases to.
func readRoster(ctx context.Context, tx Tx) (*roster, error) {
	teams, err := readDocuments[Team](ctx, tx)
	if err != nil {
		return nil, err
	}
	r := &roster{teams: routingTeams(teams), byTeam: map[string][]*seat{}}
	if len(r.teams) == 0 {
		return r, nil
	}
	if r.seats, err = readSeats(ctx, tx); err != nil {
		return nil, err
	}
	for _, s := range r.seats {
		for _, team := range s.agent.Teams {
			r.byTeam[team] = append(r.byTeam[team], s)
		}
	}
	return r, readLoads(ctx, tx, r.seats)
}

// readSeats returns the seats by id, without their loads.
func readSeats(ctx context.Context, tx Tx) (seats []*seat, err error) {
	agents, err := readDocuments[Agent](ctx, tx)
	if err != nil {
		return nil, err
	}
	turns, err := tx.Documents(ctx, kindTurn)
	if err != nil {
		return nil, err
	}
	last := make(map[string]time.Time, len(turns))
	for _, d := range turns {
		last[d.ID] = d.ChangedAt
	}
	for _, a := range agents {
		if a.works() && a.Capacity > 0 {
			seats = append(seats, &seat{agent: a, last: last[a.ID]})
		}
	}
	return seats, nil
}

func readLoads(ctx context.Context, tx Tx, seats []*seat) error {
	ids := make([]string, 0, len(seats))
	for _, s := range seats {
		ids = append(ids, s.agent.ID)
	}
	loads, err := tx.Loads(ctx, ids)
	for _, s := range seats {
		s.load = loads[s.agent.ID]
	}
	return err
}

func putTurn(ctx context.Context, tx Tx, agent string, at time.Time) error {
	return tx.PutDocument(ctx, Document{Kind: kindTurn, ID: agent, Version: 1, Content: []byte("{}"), ChangedAt: at})
}

func (r *roster) hasRoom() bool { return slices.ContainsFunc(r.seats, (*seat).hasRoom) }

// choice returns who of which team gets a case: of the team that the case is
// with, or of the first one that it fits and that has somebody with room.
func (r *roster) choice(i Item) choice {
	for _, t := range r.teams {
		if i.Team != t.ID && (i.Team != "" || !t.takes(i)) {
			continue
		}
		if seat := r.next(i, t.ID); seat != nil {
			return choice{roster: r, seat: seat, team: t.ID, version: t.Version}
		}
	}
	return choice{roster: r}
}

// next returns the agent of a team whose turn it is, among those who fit and
// have room; nil when there is none.
func (r *roster) next(i Item, team string) (first *seat) {
	for _, s := range r.byTeam[team] {
		if s.hasRoom() && (first == nil || byTurn(s, first) < 0) && s.fits(i) {
			first = s
		}
	}
	return first
}

func routingTeams(all []Team) []Team {
	return slices.DeleteFunc(all, func(t Team) bool { return !t.Routing })
}

// takes reports whether cases like this one come to the team.
func (t Team) takes(i Item) bool {
	return knows(t.Services, i.Service) && knows(t.Languages, i.Language) && knows(t.Accounts, i.Account)
}

// knows reports whether a code is in a list; an empty list has all.
func knows(codes []string, code string) bool {
	return len(codes) == 0 || slices.Contains(codes, code)
}

package desk_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/jobs"
)

const ec2 = "amazon-elastic-compute-cloud-linux"

func (f *floor) mustRoute(t *testing.T) {
	t.Helper()
	if err := f.Route(t.Context()); err != nil {
		t.Fatalf("Route() = %v", err)
	}
}

func TestNewCasesGoToThoseWhoFitByTurns(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	f.team(t, desk.Team{ID: "compute", Services: []string{ec2}, Routing: true})
	f.team(t, desk.Team{ID: "manual"})
	in := []string{"compute"}
	ann := f.hire(t, desk.Agent{Name: "ann", Teams: in, Capacity: 2})
	bob := f.hire(t, desk.Agent{Name: "bob", Teams: in, Capacity: 10, Languages: []string{"en"}})
	f.hire(t, desk.Agent{Name: "elsewhere", Teams: []string{"manual"}, Capacity: 10})
	f.hire(t, desk.Agent{Name: "full", Teams: in})
	f.hire(t, desk.Agent{Name: "other", Teams: in, Capacity: 10, Services: []string{"general-info"}})
	open := func(in cases.NewCase) string {
		f.pass(time.Minute)
		return f.open(t, retail, in)
	}
	assignee := func(id string) string { return f.see(t, id).Assignee }
	general := open(cases.NewCase{})
	first := open(cases.NewCase{ServiceCode: ec2})
	f.mustRoute(t)
	second := open(cases.NewCase{ServiceCode: ec2})
	f.mustRoute(t)
	if assignee(first) == assignee(second) || assignee(first) == "" || assignee(second) == "" {
		t.Errorf("two cases went to %q and %q, want two agents", assignee(first), assignee(second))
	}
	japanese := open(cases.NewCase{ServiceCode: ec2, Language: "ja"})
	f.mustRoute(t)
	if got := assignee(japanese); got != ann.Agent.ID {
		t.Errorf("a Japanese case went to %q, want ann, who knows any language", got)
	}
	japanese2 := open(cases.NewCase{ServiceCode: ec2, Language: "ja"})
	english := open(cases.NewCase{ServiceCode: ec2})
	f.mustRoute(t)
	if got := assignee(english); got != bob.Agent.ID {
		t.Errorf("a case went to %q, want bob, since ann is full", got)
	}
	for _, id := range []string{general, japanese2} {
		if got := f.see(t, id); got.Assignee != "" || got.Status != cases.Unassigned {
			t.Errorf("case %+v is %q's, want nobody's: no agent of the team fits or has room", got.Case, got.Assignee)
		}
	}
	d := f.see(t, english)
	if d.Team != "compute" || d.Status != cases.Opened {
		t.Errorf("the routed case is with team %q and %s, want compute and opened", d.Team, d.Status)
	}
	if last := lastLine(t, f, english); last.Actor != "desk" || last.Event != "assigned" {
		t.Errorf("last line of the timeline = %+v, want that the desk assigned it", last)
	}
	must[desk.Item](t)(f.SetStatus(t.Context(), ann, japanese, "resolved", ""))
	f.mustRoute(t)
	if got := assignee(japanese2); got != ann.Agent.ID {
		t.Errorf("when ann had room again, the case went to %q", got)
	}
}

func TestCaseThatSomebodyGaveBackIsNotRouted(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	f.team(t, desk.Team{ID: "all", Routing: true})
	ann := f.hire(t, desk.Agent{Name: "ann", Teams: []string{"all"}, Capacity: 5})
	id := f.open(t, retail, cases.NewCase{})
	f.mustRoute(t)
	must[desk.Item](t)(f.Assign(t.Context(), ann, id, desk.Assignment{Release: true}))
	f.mustRoute(t)
	if got := f.see(t, id).Assignee; got != "" {
		t.Errorf("the case that ann gave back is %q's, want nobody's", got)
	}
}

func TestTurnsGoRoundWhileTheClockStandsStill(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	f.team(t, desk.Team{ID: "all", Routing: true})
	for _, name := range []string{"ann", "bob", "carl"} {
		f.hire(t, desk.Agent{Name: name, Teams: []string{"all"}, Capacity: 99})
	}
	given := map[string]int{}
	for range 3 {
		given[must[desk.Item](t)(f.Assign(t.Context(), desk.Operator(), f.open(t, retail, cases.NewCase{}), desk.Assignment{Next: true})).Assignee]++
	}
	for range 6 {
		id := f.open(t, retail, cases.NewCase{})
		f.mustRoute(t)
		given[f.see(t, id).Assignee]++
	}
	for agent, n := range given {
		if n != 3 {
			t.Errorf("%q got %d of 9 cases, want a third", agent, n)
		}
	}
}

func TestTeamTakesTheCasesOfItsAccountsAndLanguages(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	f.team(t, desk.Team{ID: "a", Accounts: []string{finance}, Languages: []string{"en"}, Routing: true})
	f.team(t, desk.Team{ID: "b", Languages: []string{"ja"}, Routing: true})
	f.hire(t, desk.Agent{Name: "ann", Teams: []string{"a", "b"}, Capacity: 9})
	for _, test := range []struct {
		account string
		in      cases.NewCase
		want    string
	}{
		{finance, cases.NewCase{}, "a"},
		{finance, cases.NewCase{Language: "ja"}, "b"},
		{retail, cases.NewCase{}, ""},
	} {
		id := f.open(t, test.account, test.in)
		f.mustRoute(t)
		if got := f.see(t, id).Team; got != test.want {
			t.Errorf("a case of %s in %q went to team %q, want %q", test.account, test.in.Language, got, test.want)
		}
	}
	id := f.open(t, retail, cases.NewCase{})
	must[desk.Item](t)(f.Assign(t.Context(), desk.Operator(), id, desk.Assignment{Team: "b"}))
	f.mustRoute(t)
	if got := f.see(t, id); got.Team != "b" || got.Assignee == "" {
		t.Errorf("a case that was given to team b is with %q and %q's, want b and an agent's", got.Team, got.Assignee)
	}
}

func TestCapacityHoldsWhenSeveralGiveCasesAwayAtOnce(t *testing.T) {
	t.Parallel()
	onBothEngines(t, giveAwayAtOnce)
}

func giveAwayAtOnce(t *testing.T, f *floor) {
	f.team(t, desk.Team{ID: "all", Routing: true})
	names := map[string]int{}
	for _, a := range []desk.Agent{{Name: "ann", Capacity: 3}, {Name: "bob", Capacity: 4}} {
		a.Teams = []string{"all"}
		names[f.hire(t, a).Agent.ID] = a.Capacity
	}
	var ids []string
	for n := range 16 {
		ids = append(ids, f.open(t, []string{retail, finance}[n%2], cases.NewCase{}))
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if err := f.Route(t.Context()); err != nil {
				t.Errorf("Route() = %v", err)
			}
		})
	}
	for _, id := range ids[12:] {
		all.Go(func() { _, _ = f.Assign(t.Context(), desk.Operator(), id, desk.Assignment{Next: true}) }) // refused when all are full
	}
	all.Wait()
	got := map[string]int{}
	for _, id := range ids {
		if a := f.see(t, id).Assignee; a != "" {
			got[a]++
		}
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("cases by agent (-capacity +got):\n%s", diff)
	}
}

func TestNextIsTheChoiceOfRouting(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	f.team(t, desk.Team{ID: "all"})
	lead := f.lead(t, "lead")
	a := f.hire(t, desk.Agent{Name: "ann", Teams: []string{"all"}, Capacity: 1})
	b := f.hire(t, desk.Agent{Name: "bob", Capacity: 1})
	id := f.open(t, retail, cases.NewCase{})
	i := must[desk.Item](t)(f.Assign(t.Context(), lead, id, desk.Assignment{Next: true, Team: "all"}))
	if i.Assignee != a.Agent.ID || i.Team != "all" {
		t.Errorf("Assign(next of the team) = %q's, %q, want ann's, all", i.Assignee, i.Team)
	}
	i = must[desk.Item](t)(f.Assign(t.Context(), lead, f.open(t, retail, cases.NewCase{}), desk.Assignment{Next: true}))
	if i.Assignee != b.Agent.ID {
		t.Errorf("Assign(next) = %q's, want bob's", i.Assignee)
	}
	_, err := f.Assign(t.Context(), lead, f.open(t, retail, cases.NewCase{}), desk.Assignment{Next: true})
	wantFault(t, "Assign(next) when all are full", err, desk.ErrConflict)
}

// unlucky is a store in which one account cannot be changed.
type unlucky struct {
	desk.Store
	account string
}

var errUnlucky = errors.New("no luck")

func (u unlucky) Update(ctx context.Context, scope string, f func(desk.Tx) error) error {
	if scope == u.account {
		return errUnlucky
	}
	return u.Store.Update(ctx, scope, f)
}

func TestCaseThatCannotBeRoutedStopsNoOtherOne(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	f.team(t, desk.Team{ID: "all", Routing: true})
	ann := f.hire(t, desk.Agent{Name: "ann", Teams: []string{"all"}, Capacity: 9})
	f.open(t, retail, cases.NewCase{})
	f.pass(time.Minute)
	id := f.open(t, finance, cases.NewCase{})
	f.Store = unlucky{f.Store, retail}
	if err := f.Route(t.Context()); !errors.Is(err, errUnlucky) {
		t.Errorf("Route() = %v, want the error of the one", err)
	}
	if got := f.see(t, id).Assignee; got != ann.Agent.ID {
		t.Errorf("the other case is %q's, want ann's", got)
	}
}

// meanwhile is a store in which something happens between the first look and the
// change that follows.
type meanwhile struct {
	desk.Store
	looked *bool
	happen func()
}

func (m meanwhile) View(ctx context.Context, f func(desk.Tx) error) error {
	*m.looked = true
	return m.Store.View(ctx, f)
}

func (m meanwhile) Update(ctx context.Context, scope string, f func(desk.Tx) error) error {
	if *m.looked {
		m.happen()
	}
	return m.Store.Update(ctx, scope, f)
}

func TestRoutingLooksAgainAtWhomItChose(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(*testing.T, *floor, desk.Agent){
		"who left": func(t *testing.T, f *floor, a desk.Agent) {
			a.Active = false
			must[desk.Agent](t)(f.UpdateAgent(t.Context(), desk.Operator(), a))
		},
		"who was given a case": func(t *testing.T, f *floor, _ desk.Agent) {
			must[desk.Item](t)(f.Assign(t.Context(), desk.Operator(), f.open(t, retail, cases.NewCase{}), desk.Assignment{Next: true}))
		},
		"who took a case": func(t *testing.T, f *floor, a desk.Agent) {
			who := desk.Caller{Agent: a, Allowed: a.Role.Permissions()}
			must[desk.Item](t)(f.Claim(t.Context(), who, f.open(t, retail, cases.NewCase{})))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := openFloor(t)
			f.team(t, desk.Team{ID: "all", Routing: true})
			in := []string{"all"}
			ann, bob := f.hire(t, desk.Agent{Name: "ann", Teams: in, Capacity: 1}), f.hire(t, desk.Agent{Name: "bob", Teams: in, Capacity: 1})
			id := f.open(t, retail, cases.NewCase{})
			first, other := ann.Agent, bob.Agent
			if other.ID < first.ID {
				first, other = other, first
			}
			f.pass(time.Minute)
			here := &floor{Service: &desk.Service{Store: f.Store, Cases: f.Cases, IAM: f.IAM, Now: f.clock.Now}, clock: f.clock}
			f.Store = meanwhile{f.Store, new(bool), sync.OnceFunc(func() { happen(t, here, first) })}
			f.mustRoute(t)
			if got := f.see(t, id).Assignee; got != other.ID {
				t.Errorf("the case is %q's, want that of the other one, %q", got, other.ID)
			}
		})
	}
}

func TestCaseThatComesWhileOthersAreRoutedIsRoutedAtOnceAsWell(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	must[desk.Team](t)(n.PutTeam(t.Context(), desk.Operator(), desk.Team{ID: "a", Name: "A", Routing: true}))
	in := desk.Agent{Name: "ann", Email: "ann@example.com", Role: desk.RoleAgent, Active: true, Teams: []string{"a"}, Capacity: 9}
	ann := must[desk.Agent](t)(n.CreateAgent(t.Context(), desk.Operator(), in))
	n.ask("low")
	var second string
	n.Store = meanwhile{n.Store, new(bool), sync.OnceFunc(func() { second = n.ask("low") })}
	n.work()
	if got := n.item(second).Assignee; got != ann.ID {
		t.Errorf("the case that came meanwhile is %q's, want ann's", got)
	}
}

func TestNewCaseOfATeamThatRoutesIsRoutedAtOnce(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	jobsOf := func() (kinds []string) {
		t.Helper()
		err := n.store.Jobs().View(t.Context(), func(tx jobs.Tx) error {
			all, err := tx.Jobs(t.Context(), jobs.Filter{Kind: desk.RouteJob}, 10)
			for _, j := range all {
				kinds = append(kinds, j.Account+" "+j.Kind)
			}
			return err
		})
		if err != nil {
			t.Fatalf("Jobs() = %v", err)
		}
		return kinds
	}
	n.ask("low") // by rules without a team, which are known from then on
	must[desk.Team](t)(n.PutTeam(t.Context(), desk.Operator(), desk.Team{ID: "b", Name: "B"}))
	must[desk.Item](t)(n.Assign(t.Context(), desk.Operator(), n.ask("low"), desk.Assignment{Team: "b"}))
	if got := jobsOf(); len(got) > 0 {
		t.Errorf("without a team that routes there are the jobs %v, want none", got)
	}
	team := must[desk.Team](t)(n.PutTeam(t.Context(), desk.Operator(), desk.Team{ID: "a", Name: "A", Services: []string{ec2}, Routing: true}))
	in := desk.Agent{Name: "ann", Email: "ann@example.com", Role: desk.RoleAgent, Active: true, Teams: []string{"a"}, Capacity: 9}
	ann := must[desk.Agent](t)(n.CreateAgent(t.Context(), desk.Operator(), in))
	one := []string{client + " " + desk.RouteJob}
	var routed []string
	for _, to := range []desk.Assignment{{Team: team.ID}, {Team: team.ID, Release: true}} {
		id := n.ask("low") // of a service that the team does not take
		if got := jobsOf(); len(got) > 0 {
			t.Errorf("after a case of no team there are the jobs %v, want none", got)
		}
		must[desk.Item](t)(n.Assign(t.Context(), desk.Operator(), id, to))
		if diff := cmp.Diff(one, jobsOf()); diff != "" {
			t.Errorf("jobs after Assign(%+v) (-want +got):\n%s", to, diff)
		}
		n.work()
		routed = append(routed, id)
	}
	team.Services = nil
	must[desk.Team](t)(n.PutTeam(t.Context(), desk.Operator(), team))
	routed = append(routed, n.ask("critical"), n.ask("low"))
	if diff := cmp.Diff(one, jobsOf()); diff != "" {
		t.Errorf("jobs after two cases (-want +got):\n%s", diff)
	}
	n.work()
	for _, id := range routed {
		if got := n.item(id).Assignee; got != ann.ID {
			t.Errorf("case %s is %q's once the job is done, want ann's", id, got)
		}
	}
}

package desk_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

func TestCaseOfATeamThatIsGoneGoesToAnybody(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.hire(t, desk.Agent{Name: "ann", Capacity: 1})
	f.team(t, desk.Team{ID: "billing"})
	id := f.open(t, retail, cases.NewCase{})
	must[desk.Item](t)(f.Assign(ctx, desk.Operator(), id, desk.Assignment{Team: "billing"}))
	must[desk.Item](t)(f.SetStatus(ctx, desk.Operator(), id, "resolved", ""))
	if err := f.DeleteTeam(ctx, desk.Operator(), "billing"); err != nil {
		t.Fatalf("DeleteTeam() = %v", err)
	}
	f.say(t, id, "It is back.")
	i := must[desk.Item](t)(f.Assign(ctx, desk.Operator(), id, desk.Assignment{Next: true}))
	if i.Assignee != ann.Agent.ID || i.Team != "" {
		t.Errorf("Assign(next) = %q's, of team %q, want ann's, of none", i.Assignee, i.Team)
	}
}

func TestCasesOfAnAgentWhoLeftAreTakenOver(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	f.team(t, desk.Team{ID: "all", Routing: true})
	ann := f.hire(t, desk.Agent{Name: "ann", Teams: []string{"all"}, Capacity: 99})
	bob, lead := f.agent(t, "bob"), f.lead(t, "lead")
	var ids []string
	for _, subject := range []string{"claimed", "taken", "replied", "given", "kept"} {
		id := f.open(t, retail, cases.NewCase{Subject: subject})
		must[desk.Item](t)(f.Claim(ctx, ann, id))
		ids = append(ids, id)
	}
	claimed, taken, replied, given := ids[0], ids[1], ids[2], ids[3]
	toBob := desk.Assignment{Agent: bob.Agent.ID}
	_, err := f.Claim(ctx, bob, claimed)
	wantFault(t, "Claim() of ann's case", err, desk.ErrConflict)
	_, err = f.Assign(ctx, bob, taken, toBob)
	wantFault(t, "Assign(bob) of ann's case by bob", err, desk.ErrDenied)

	free := desk.Query{View: desk.ViewUnassigned}
	if got := f.find(t, lead, free); len(got) > 0 {
		t.Errorf("Find(unassigned) = %v, want none: ann has them all", got)
	}
	ann.Agent.Active = false
	must[desk.Agent](t)(f.UpdateAgent(ctx, desk.Operator(), ann.Agent))
	isBobs := func(how string, i desk.Item) {
		t.Helper()
		if i.Assignee != bob.Agent.ID {
			t.Errorf("after %s the case is %q's, want bob's", how, i.Assignee)
		}
	}
	isBobs("Claim()", must[desk.Item](t)(f.Claim(ctx, bob, claimed)))
	isBobs("Assign() by bob", must[desk.Item](t)(f.Assign(ctx, bob, taken, toBob)))
	isBobs("Reply()", must[desk.Replied](t)(f.Reply(ctx, bob, replied, desk.NewReply{Body: "x"})).Item)
	isBobs("Assign() by a lead", must[desk.Item](t)(f.Assign(ctx, lead, given, toBob)))
	anns := desk.Query{View: desk.ViewUnassigned, Assignee: ann.Agent.ID}
	for _, q := range []desk.Query{free, anns, {Assignee: ann.Agent.ID}} {
		if got := f.find(t, lead, q); !cmp.Equal(got, []string{"kept"}) {
			t.Errorf("Find(%+v) = %v, want the one that nobody took over", q, got)
		}
	}
	id := f.open(t, retail, cases.NewCase{})
	f.mustRoute(t)
	if got := f.see(t, id).Assignee; got != "" {
		t.Errorf("a new case was routed to %q, want nobody", got)
	}
	_, err = f.Assign(ctx, lead, id, desk.Assignment{Next: true})
	wantFault(t, "Assign(next) when nobody is left", err, desk.ErrConflict)
}

func TestAuditorsAreGivenNoCases(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	f.team(t, desk.Team{ID: "all", Routing: true})
	eve := f.hire(t, desk.Agent{Name: "eve", Role: desk.RoleAuditor, Teams: []string{"all"}, Capacity: 9})
	id := f.open(t, retail, cases.NewCase{})
	f.mustRoute(t)
	if got := f.see(t, id).Assignee; got != "" {
		t.Errorf("a new case was routed to %q, want nobody", got)
	}
	for _, to := range []desk.Assignment{{Agent: eve.Agent.ID}, {Next: true}} {
		_, err := f.Assign(t.Context(), desk.Operator(), id, to)
		wantFault(t, "Assign(to an auditor)", err, desk.ErrConflict)
	}
}

func TestNextIsAnotherAgent(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ann, bob := f.hire(t, desk.Agent{Name: "ann", Capacity: 9}), f.hire(t, desk.Agent{Name: "bob", Capacity: 9})
	id := f.open(t, retail, cases.NewCase{})
	for _, who := range []desk.Caller{ann, bob} {
		must[desk.Item](t)(f.Assign(t.Context(), desk.Operator(), id, desk.Assignment{Agent: who.Agent.ID}))
		i := must[desk.Item](t)(f.Assign(t.Context(), desk.Operator(), id, desk.Assignment{Next: true}))
		if i.Assignee == who.Agent.ID {
			t.Errorf("Assign(next) of a case of %s leaves it there, want another agent", who.Agent.Name)
		}
	}
}

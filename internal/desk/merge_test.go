package desk_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

func TestMergeResolvesACaseAndUnmergeBringsItBack(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann, bob := f.agent(t, "ann"), f.agent(t, "bob")
	for _, status := range []cases.Status{
		cases.Unassigned, cases.Opened, cases.WorkInProgress, cases.PendingCustomerAction, cases.CustomerActionCompleted, cases.Reopened, cases.Resolved,
	} {
		f.pass(hour)
		id, into := f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})
		f.bring(t, ann, id, status)
		before := f.see(t, id)
		i := must[desk.Item](t)(f.Merge(ctx, bob, id, f.see(t, into).DisplayID))
		if i.Status != cases.Resolved || i.MergedInto != into {
			t.Errorf("Merge(%s case) = %s, merged into %q, want resolved, %s", status, i.Status, i.MergedInto, into)
		}
		key := func(id string) desk.Key { return desk.Key{Account: retail, CaseID: id} }
		if diff := cmp.Diff([]desk.Link{{Key: key(into), Relation: "merged-into"}}, f.see(t, id).Links); diff != "" {
			t.Errorf("links of the merged case (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]desk.Link{{Key: key(id), Relation: "merged-from"}}, f.see(t, into).Links); diff != "" {
			t.Errorf("links of the other case (-want +got):\n%s", diff)
		}
		i = must[desk.Item](t)(f.Unmerge(ctx, bob, id))
		if i.Status != status || i.MergedInto != "" || i.Assignee != before.Assignee {
			t.Errorf("Unmerge() = %s, merged into %q, %q's, want %s, none, %q's", i.Status, i.MergedInto, i.Assignee, status, before.Assignee)
		}
		after := f.see(t, id)
		if after.Case.Status != status || len(after.Links)+len(f.see(t, into).Links) != 0 {
			t.Errorf("after Unmerge() the case is %s with links %v", after.Case.Status, after.Links)
		}
	}
}

// bring brings a new case to a status.
func (f *floor) bring(t *testing.T, who desk.Caller, id string, status cases.Status) {
	t.Helper()
	if status == cases.Unassigned {
		return
	}
	must[desk.Item](t)(f.Claim(t.Context(), who, id))
	switch status {
	case cases.Opened:
	case cases.CustomerActionCompleted:
		f.bring(t, who, id, cases.PendingCustomerAction)
		f.say(t, id, "Done.")
	case cases.Reopened:
		f.bring(t, who, id, cases.Resolved)
		must[desk.Item](t)(f.SetStatus(t.Context(), who, id, "reopened", ""))
	default:
		must[desk.Item](t)(f.SetStatus(t.Context(), who, id, string(status), ""))
	}
}

func TestCaseThatWasMovedSinceItsMergeKeepsItsStatusWhenUnmerged(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	id, into := f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})
	must[desk.Item](t)(f.Merge(ctx, ann, id, into))
	must[desk.Item](t)(f.SetStatus(ctx, ann, id, "work-in-progress", ""))
	i := must[desk.Item](t)(f.Unmerge(ctx, ann, id))
	if i.Status != cases.WorkInProgress || i.MergedInto != "" {
		t.Errorf("Unmerge() of a reopened case = %s, merged into %q, want work-in-progress and none", i.Status, i.MergedInto)
	}
	must[desk.Item](t)(f.Merge(ctx, ann, id, into))
	must[desk.Item](t)(f.SetStatus(ctx, ann, id, "reopened", ""))
	must[desk.Item](t)(f.SetStatus(ctx, ann, id, "resolved", ""))
	if i := must[desk.Item](t)(f.Unmerge(ctx, ann, id)); i.Status != cases.Resolved {
		t.Errorf("Unmerge() of a case that was resolved again = %s, want resolved", i.Status)
	}
}

func TestCustomerWhoReopensAMergedCaseEndsTheMerge(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	id, into := f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})
	must[desk.Item](t)(f.Merge(ctx, ann, id, into))
	must[desk.Item](t)(f.ReplyFor(ctx, ann, id, "They say it is another problem.", nil))
	d := f.see(t, id)
	if d.Status != cases.Reopened || d.MergedInto != "" || len(d.Links)+len(f.see(t, into).Links) != 0 {
		t.Errorf("the case is %s, merged into %q, with links %v, want reopened and by itself", d.Status, d.MergedInto, d.Links)
	}
	_, err := f.Unmerge(ctx, ann, id)
	wantFault(t, "Unmerge() after that", err, desk.ErrConflict)
	if i := must[desk.Item](t)(f.Merge(ctx, ann, id, into)); i.MergedInto != into {
		t.Errorf("Merge() after that = merged into %q, want %s", i.MergedInto, into)
	}
}

func TestMergesThatLoseACaseAreRefused(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	a, b, c := f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})
	foreign := f.open(t, finance, cases.NewCase{})
	_, err := f.Merge(ctx, ann, a, a)
	wantFault(t, "Merge(into itself)", err, desk.ErrInvalid)
	_, err = f.Merge(ctx, ann, a, f.see(t, foreign).DisplayID)
	wantFault(t, "Merge(across accounts)", err, desk.ErrInvalid)
	_, err = f.Merge(ctx, ann, a, foreign)
	wantFault(t, "Merge(across accounts)", err, desk.ErrInvalid)
	_, err = f.Merge(ctx, ann, a, "12345")
	wantFault(t, "Merge(into nothing)", err, desk.ErrNotFound)
	_, err = f.Unmerge(ctx, ann, a)
	wantFault(t, "Unmerge(not merged)", err, desk.ErrConflict)
	must[desk.Item](t)(f.Merge(ctx, ann, a, b))
	must[desk.Item](t)(f.Merge(ctx, ann, b, c)) // a chain is no cycle
	_, err = f.Merge(ctx, ann, c, a)
	wantFault(t, "Merge(in a circle)", err, desk.ErrConflict)
	_, err = f.Merge(ctx, ann, a, c)
	wantFault(t, "Merge(twice)", err, desk.ErrConflict)
}

func TestUnmergeLeavesACaseWithWhomItWasGivenMeanwhile(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann, bob := f.agent(t, "ann"), f.agent(t, "bob")
	for status, want := range map[cases.Status]cases.Status{cases.Unassigned: cases.Opened, cases.WorkInProgress: cases.WorkInProgress} {
		id, into := f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})
		f.bring(t, ann, id, status)
		must[desk.Item](t)(f.Merge(ctx, ann, id, into))
		must[desk.Item](t)(f.Assign(ctx, desk.Operator(), id, desk.Assignment{Agent: bob.Agent.ID}))
		if i := must[desk.Item](t)(f.Unmerge(ctx, ann, id)); i.Assignee != bob.Agent.ID || i.Status != want {
			t.Errorf("Unmerge() of what was %s = %q's, %s, want bob's, %s", status, i.Assignee, i.Status, want)
		}
	}
}

func TestAuditLogTellsOfBothCases(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	a, b := f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})
	must[desk.Item](t)(f.Link(ctx, ann, a, b))
	must[desk.Item](t)(f.Link(ctx, ann, b, a)) // which changes nothing
	must[desk.Item](t)(f.Merge(ctx, ann, a, b))
	must[desk.Item](t)(f.Unmerge(ctx, ann, a))
	must[desk.Item](t)(f.Unlink(ctx, ann, b, a))
	want := []string{"case.unlink", "case.unmerge", "case.merge", "case.link"} // the newest first
	for _, id := range []string{a, b} {
		var got []string
		for _, e := range must[[]desk.Entry](t)(f.Entries(ctx, desk.Operator(), desk.EntryQuery{Subject: id}, 10)) {
			got = append(got, e.Action)
			if e.Agent != ann.Agent.ID || e.Account != retail || cmp.Equal(e.Before, e.After) {
				t.Errorf("%s of %s is by %s in account %q, from %s to %s, want ann's change", e.Action, id, e.Agent, e.Account, e.Before, e.After)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("actions on %s (-want +got):\n%s", id, diff)
		}
	}
}

func TestLinksStandOnBothSides(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	a, b := f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})
	foreign := f.open(t, finance, cases.NewCase{})
	must[desk.Item](t)(f.Link(ctx, ann, a, b))
	again := must[desk.Item](t)(f.Link(ctx, ann, b, a))
	for from, to := range map[string]string{a: b, b: a} {
		want := []desk.Link{{Key: desk.Key{Account: retail, CaseID: to}, Relation: "related"}}
		if diff := cmp.Diff(want, f.see(t, from).Links); diff != "" {
			t.Errorf("links (-want +got):\n%s", diff)
		}
	}
	if again.Records != 1 {
		t.Errorf("linking twice left %d records, want 1", again.Records)
	}
	_, err := f.Link(ctx, ann, a, foreign)
	wantFault(t, "Link(across accounts)", err, desk.ErrInvalid)
	_, err = f.Link(ctx, ann, a, a)
	wantFault(t, "Link(to itself)", err, desk.ErrInvalid)
	must[desk.Item](t)(f.Unlink(ctx, ann, b, a))
	if got := len(f.see(t, a).Links) + len(f.see(t, b).Links); got != 0 {
		t.Errorf("after Unlink() there are %d links, want none", got)
	}
	_, err = f.Unlink(ctx, ann, a, b)
	wantFault(t, "Unlink(not linked)", err, desk.ErrNotFound)
	must[desk.Item](t)(f.Link(ctx, ann, a, b))
	err = f.Store.Update(ctx, retail, func(tx desk.Tx) error { return tx.DeleteCase(ctx, retail, b) })
	if got := f.see(t, a).Links; len(got) != 0 || err != nil {
		t.Errorf("links to a case that was purged = %v, %v, want none", got, err)
	}
}

// A case that very many others were merged into is still seen: merges are not
// refused for their number.
func TestCaseWithVeryManyLinksIsSeen(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	id, other := f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})
	const many = 10_001
	err := f.Store.Update(ctx, retail, func(tx desk.Tx) error {
		for n := range int64(many) {
			r := desk.Record{Key: desk.Key{Account: retail, CaseID: id}, Number: n + 1, Event: "merged-from", OtherCase: fmt.Sprint("purged-", n)}
			if n == many/2 {
				r.OtherCase = other
			}
			if err := tx.InsertRecord(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Update() = %v", err)
	}
	want := []desk.Link{{Key: desk.Key{Account: retail, CaseID: other}, Relation: "merged-from"}}
	if diff := cmp.Diff(want, f.see(t, id).Links); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
}

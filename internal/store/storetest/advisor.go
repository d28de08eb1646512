package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/store"
)

func mustUpdateAdvisor(t testing.TB, s *store.Store, f func(ctx context.Context, tx advisor.Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := s.Advisor().Update(ctx, account, func(tx advisor.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatalf("Update() = %v, want nil", err)
	}
}

func mustViewAdvisor[T any](t testing.TB, s *store.Store, f func(ctx context.Context, tx advisor.Tx) (T, error)) (found T) {
	t.Helper()
	ctx := t.Context()
	err := s.Advisor().View(ctx, func(tx advisor.Tx) (err error) {
		found, err = f(ctx, tx)
		return err
	})
	if err != nil {
		t.Fatalf("View() = %v, want nil", err)
	}
	return found
}

func newSummary(checkID string, micros int) advisor.Summary {
	return advisor.Summary{
		Account: account, CheckID: checkID, Status: check.Warning, Cause: "cause", At: at(micros), Processed: 7, Flagged: 2, Ignored: 1,
		Suppressed: 3, Savings: 328.32000000000005, Listed: 5, Columns: []string{"Region", "Volume ID"},
	}
}

func newRow(i int) check.Row {
	return check.Row{
		Status: check.Error, ResourceID: fmt.Sprint("id-", i), Resource: "vol-\x00ü", Region: "eu-west-1", Suppressed: i%2 == 0,
		Metadata: []*string{new("eu-west-1"), nil, new("")}, Savings: new(0.0),
	}
}

func newRows(n int) []check.Row {
	rows := make([]check.Row, n)
	for i := range rows {
		rows[i] = newRow(i)
	}
	return rows
}

func newEvents(id string, micros int) advisor.EventBatch {
	return advisor.EventBatch{Account: account, ID: id, At: at(micros), Events: []advisor.Event{
		{
			ID: "1", CheckID: "c", CheckName: "Check", Status: "WARN", Resource: "arn:aws:s3:::b",
			Detail: map[string]*string{"Region": new("us-east-1"), "Name": nil},
		},
		{ID: "2", CheckID: "c", CheckName: "Check", Status: "OK", Resource: "ü\x00", Detail: map[string]*string{}},
	}}
}

func testAdvisorSource(t *testing.T, s *store.Store) {
	source := func(ctx context.Context, tx advisor.Tx) (advisor.SealedSource, error) { return tx.Source(ctx, account) }
	for i, sealed := range []string{"first", "second\x00\xff"} {
		want := advisor.SealedSource{Account: account, Sealed: []byte(sealed), SetAt: at(i)}
		mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error { return tx.PutSource(ctx, want) })
		if diff := cmp.Diff(want, mustViewAdvisor(t, s, source)); diff != "" {
			t.Errorf("Source (-put +got):\n%s", diff)
		}
	}
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error { return tx.DeleteSource(ctx, account) })
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
		if _, err := tx.Source(ctx, account); !errors.Is(err, advisor.ErrNoSource) {
			t.Errorf("Source(deleted) = %v, want %v", err, advisor.ErrNoSource)
		}
		return nil
	})
}

func testAdvisorRefreshes(t *testing.T, s *store.Store) {
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
		r, err := tx.Refresh(ctx, account, "a")
		if want := (advisor.Refresh{Account: account, CheckID: "a", State: advisor.None}); r != want {
			t.Errorf("Refresh(never) = %+v, want %+v", r, want)
		}
		return err
	})
	b := advisor.Refresh{Account: account, CheckID: "b", State: advisor.Enqueued, RequestedAt: at(1)}
	a := advisor.Refresh{Account: account, CheckID: "a", State: advisor.Success, RequestedAt: at(2)}
	later := b
	later.State, later.RequestedAt = advisor.Processing, at(3)
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
		return errors.Join(tx.PutRefresh(ctx, b), tx.PutRefresh(ctx, a), tx.PutRefresh(ctx, later))
	})
	all := func(ctx context.Context, tx advisor.Tx) ([]advisor.Refresh, error) { return tx.Refreshes(ctx, account) }
	if diff := cmp.Diff([]advisor.Refresh{a, later}, mustViewAdvisor(t, s, all)); diff != "" {
		t.Errorf("Refreshes (-want +got):\n%s", diff)
	}
	one := func(ctx context.Context, tx advisor.Tx) (advisor.Refresh, error) {
		return tx.Refresh(ctx, account, "b")
	}
	if diff := cmp.Diff(later, mustViewAdvisor(t, s, one)); diff != "" {
		t.Errorf("Refresh (-want +got):\n%s", diff)
	}
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error { return tx.DeleteRefreshes(ctx, account) })
	if got := mustViewAdvisor(t, s, all); len(got) != 0 {
		t.Errorf("Refreshes(deleted) = %v, want none", got)
	}
}

func testAdvisorResults(t *testing.T, s *store.Store) {
	first, second := newSummary("a", 0), newSummary("b", 1)
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
		return errors.Join(tx.PutSummary(ctx, newSummary("a", 5)), tx.PutSummary(ctx, first), tx.PutSummary(ctx, second),
			tx.PutRows(ctx, account, "a", packed(newRows(3))), tx.PutRows(ctx, account, "b", packed(newRows(1))))
	})
	one := func(ctx context.Context, tx advisor.Tx) ([]advisor.Summary, error) {
		return tx.Summaries(ctx, account, []string{"a", "none"})
	}
	if diff := cmp.Diff([]advisor.Summary{first}, mustViewAdvisor(t, s, one)); diff != "" {
		t.Errorf("Summaries (-want +got):\n%s", diff)
	}
	for _, n := range []int{2500, 1000, 1, 0} { // each time fewer portions than before
		mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
			return tx.PutRows(ctx, account, "a", packed(newRows(n)))
		})
		got := mustViewAdvisor(t, s, rowsOf("a"))
		if len(got) != n {
			t.Errorf("Rows: %d, want %d", len(got), n)
		}
		for i, row := range got {
			if diff := cmp.Diff(newRow(i), row); diff != "" {
				t.Fatalf("row %d of %d (-put +got):\n%s", i, n, diff)
			}
		}
	}
	if got := mustViewAdvisor(t, s, rowsOf("b")); len(got) != 1 {
		t.Errorf("Rows(another check): %d, want 1", len(got))
	}
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error { return tx.DeleteResults(ctx, account) })
	if got := mustViewAdvisor(t, s, rowsOf("b")); len(got) != 0 {
		t.Errorf("Rows(deleted): %d, want none", len(got))
	}
	if got := mustViewAdvisor(t, s, one); len(got) != 0 {
		t.Errorf("Summaries(deleted): %v, want none", got)
	}
}

func packed(rows []check.Row) advisor.PackedRows {
	packed, err := advisor.PackRows(rows)
	if err != nil {
		panic(err) // into memory
	}
	return packed
}

func rowsOf(checkID string) func(ctx context.Context, tx advisor.Tx) ([]check.Row, error) {
	return func(ctx context.Context, tx advisor.Tx) ([]check.Row, error) {
		packed, err := tx.Rows(ctx, account, checkID)
		if err != nil {
			return nil, err
		}
		return packed.Unpack()
	}
}

func testAdvisorHistory(t *testing.T, s *store.Store) {
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
		err := tx.AddHistory(ctx, newSummary("b", 0), 3)
		for _, i := range []int{1, 0, 2, 2, 3, 4} {
			err = errors.Join(err, tx.AddHistory(ctx, newSummary("a", i), 3))
		}
		return err
	})
	history := func(checkID string, most int) []advisor.Summary {
		return mustViewAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) ([]advisor.Summary, error) {
			return tx.History(ctx, account, checkID, most)
		})
	}
	want := []advisor.Summary{newSummary("a", 4), newSummary("a", 3), newSummary("a", 2)}
	if diff := cmp.Diff(want, history("a", 10)); diff != "" {
		t.Errorf("History (-want +got):\n%s", diff)
	}
	if got := history("a", 2); len(got) != 2 {
		t.Errorf("History(2) has %d, want 2", len(got))
	}
	if got := history("b", 10); len(got) != 1 {
		t.Errorf("History(another check) has %d, want 1", len(got))
	}
}

func testAdvisorExclusions(t *testing.T, s *store.Store) {
	a := advisor.Exclusion{Account: account, CheckID: "a", ResourceID: "1", At: at(0), By: "arn"}
	b := advisor.Exclusion{Account: account, CheckID: "a", ResourceID: "2", At: at(1), By: "arn"}
	again := b
	again.At = at(2)
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
		return errors.Join(tx.PutExclusion(ctx, b), tx.PutExclusion(ctx, a), tx.PutExclusion(ctx, again))
	})
	all := func(ctx context.Context, tx advisor.Tx) ([]advisor.Exclusion, error) {
		return tx.Exclusions(ctx, account)
	}
	if diff := cmp.Diff([]advisor.Exclusion{a, b}, mustViewAdvisor(t, s, all)); diff != "" {
		t.Errorf("Exclusions (-want +got):\n%s", diff)
	}
	for _, want := range []bool{true, false} {
		mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
			found, err := tx.DeleteExclusion(ctx, account, "a", "1")
			if found != want {
				t.Errorf("DeleteExclusion = %t, want %t", found, want)
			}
			return err
		})
	}
}

func testAdvisorEvents(t *testing.T, s *store.Store) {
	old, young, twin := newEvents("b", 0), newEvents("a", 1), newEvents("b", 1)
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
		return errors.Join(tx.AddEvents(ctx, twin), tx.AddEvents(ctx, young), tx.AddEvents(ctx, old))
	})
	first := func(most int) []advisor.EventBatch {
		return mustViewAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) ([]advisor.EventBatch, error) {
			return tx.Events(ctx, account, most)
		})
	}
	if diff := cmp.Diff([]advisor.EventBatch{old, young, twin}, first(10)); diff != "" {
		t.Errorf("Events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]advisor.EventBatch{old}, first(1)); diff != "" {
		t.Errorf("Events(1) (-want +got):\n%s", diff)
	}
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error { return tx.DeleteEvents(ctx, young) })
	if diff := cmp.Diff([]advisor.EventBatch{old, twin}, first(10)); diff != "" {
		t.Errorf("Events after one was deleted (-want +got):\n%s", diff)
	}
	for _, test := range []struct {
		before time.Time
		want   int
	}{{at(0), 0}, {at(2), 1}, {at(2), 1}, {at(2), 0}} {
		mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
			n, err := tx.DeleteEventsBefore(ctx, account, test.before, 1)
			if n != test.want {
				t.Errorf("DeleteEventsBefore(%v, 1) = %d, want %d", test.before, n, test.want)
			}
			return err
		})
	}
}

// testAdvisorIsolation does with Trusted Advisor what testIsolation does with
// cases.
func testAdvisorIsolation(t *testing.T, s *store.Store) {
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
		return errors.Join(
			tx.PutSource(ctx, advisor.SealedSource{Account: account, Sealed: []byte("s"), SetAt: at(0)}),
			tx.PutRefresh(ctx, advisor.Refresh{Account: account, CheckID: "a", State: advisor.Success, RequestedAt: at(0)}),
			tx.PutSummary(ctx, newSummary("a", 0)), tx.PutRows(ctx, account, "a", packed(newRows(1))), tx.AddHistory(ctx, newSummary("a", 0), 10),
			tx.PutExclusion(ctx, advisor.Exclusion{Account: account, CheckID: "a", ResourceID: "1", At: at(0)}),
			tx.AddEvents(ctx, newEvents("a", 0)),
		)
	})
	before := mustViewAdvisor(t, s, advisorEverything)
	if len(before) != 7 {
		t.Fatalf("everything has %d parts, want 7", len(before))
	}
	mustUpdateAdvisor(t, s, func(ctx context.Context, tx advisor.Tx) error {
		_, err := tx.Source(ctx, foreign)
		wantFault(t, "Source", err, advisor.ErrNoSource)
		wantNone(t, "Refreshes", listed(tx.Refreshes(ctx, foreign)))
		wantNone(t, "Summaries", listed(tx.Summaries(ctx, foreign, []string{"a"})))
		wantNone(t, "Rows", listed(tx.Rows(ctx, foreign, "a")))
		wantNone(t, "History", listed(tx.History(ctx, foreign, "a", 10)))
		wantNone(t, "Exclusions", listed(tx.Exclusions(ctx, foreign)))
		wantNone(t, "Events", listed(tx.Events(ctx, foreign, 10)))
		r, err := tx.Refresh(ctx, foreign, "a")
		if r.State != advisor.None || err != nil {
			t.Errorf("Refresh(foreign account) = %v, %v, want none, nil", r.State, err)
		}
		e, summary := newEvents("a", 0), newSummary("a", 1)
		e.Account, summary.Account = foreign, foreign
		found, err := tx.DeleteExclusion(ctx, foreign, "a", "1")
		deleted, err2 := tx.DeleteEventsBefore(ctx, foreign, at(10), 10)
		if found || deleted != 0 {
			t.Errorf("DeleteExclusion, DeleteEventsBefore(foreign account) = %t, %d, want nothing", found, deleted)
		}
		return errors.Join(err, err2, tx.DeleteSource(ctx, foreign), tx.DeleteRefreshes(ctx, foreign), tx.DeleteResults(ctx, foreign),
			tx.DeleteEvents(ctx, e), tx.PutSummary(ctx, summary), tx.PutRows(ctx, foreign, "a", nil), tx.AddHistory(ctx, summary, 0),
			tx.PutRefresh(ctx, advisor.Refresh{Account: foreign, CheckID: "a", State: advisor.Enqueued, RequestedAt: at(1)}))
	})
	if diff := cmp.Diff(before, mustViewAdvisor(t, s, advisorEverything)); diff != "" {
		t.Errorf("an account after a foreign one changed the same ids (-before +after):\n%s", diff)
	}
}

func advisorEverything(ctx context.Context, tx advisor.Tx) (all []any, err error) {
	source, err1 := tx.Source(ctx, account)
	refreshes, err2 := tx.Refreshes(ctx, account)
	summaries, err3 := tx.Summaries(ctx, account, []string{"a"})
	rows, err4 := rowsOf("a")(ctx, tx)
	history, err5 := tx.History(ctx, account, "a", 10)
	exclusions, err6 := tx.Exclusions(ctx, account)
	events, err7 := tx.Events(ctx, account, 10)
	return []any{source, refreshes, summaries, rows, history, exclusions, events}, errors.Join(err1, err2, err3, err4, err5, err6, err7)
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
)

// count adds one to the number of communications of each case.
func count(ctx context.Context, tx cases.Tx, ids ...string) error {
	for _, id := range ids {
		c, err := tx.Case(ctx, account, id)
		if err != nil {
			return err
		}
		c.Communications++
		if err := tx.UpdateCase(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// testViewSeesOneState changes two cases together between two reads of a view.
func testViewSeesOneState(t *testing.T, s *store.Store) {
	mustInsertCases(t, s, newCase("a"), newCase("b"))
	for range 20 {
		err := s.Cases().View(t.Context(), func(tx cases.Tx) error {
			a, err := tx.Case(t.Context(), account, "a")
			if err != nil {
				return err
			}
			mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error { return count(ctx, tx, "b", "a") })
			b, err := tx.Case(t.Context(), account, "b")
			if err != nil {
				return err
			}
			if a.Communications != b.Communications {
				t.Errorf("a View sees %d and %d communications of cases that always have as many", a.Communications, b.Communications)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("View() = %v, want nil", err)
		}
	}
	if got, want := mustCase(t, s, "b").Communications, newCase("b").Communications+20; got != want {
		t.Errorf("a View after 20 updates sees %d communications, want %d", got, want)
	}
}

func testFailedUpdate(t *testing.T, s *store.Store) {
	mustInsertCases(t, s, newCase("a"))
	refused := errors.New("refused")
	for range 3 {
		err := s.Cases().Update(t.Context(), account, func(tx cases.Tx) error {
			return errors.Join(tx.InsertCase(t.Context(), newCase("b")), count(t.Context(), tx, "a"), refused)
		})
		if !errors.Is(err, refused) {
			t.Errorf("Update() = %v, want the error of its function, %v", err, refused)
		}
	}
	wantUntouched(t, s)
	fault := s.Cases().View(t.Context(), func(tx cases.Tx) error { return cases.ErrCaseNotFound })
	if !errors.Is(fault, cases.ErrCaseNotFound) {
		t.Errorf("View() = %v, want the error of its function, %v", fault, cases.ErrCaseNotFound)
	}
}

// wantUntouched expects case a as it was inserted, no case b, and a store that
// works.
func wantUntouched(t *testing.T, s *store.Store) {
	t.Helper()
	if got, want := mustCase(t, s, "a").Communications, newCase("a").Communications; got != want {
		t.Errorf("case a has %d communications, want %d as before", got, want)
	}
	if hasCase(t, s, "b") {
		t.Errorf("case b is there, want it undone")
	}
	mustInsertCases(t, s, newCase("afterwards"))
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error { return tx.DeleteCase(ctx, account, "afterwards") })
}

// testPanics panics more often than a store has connections. Whether a store
// hands the panic on is its own affair.
func testPanics(t *testing.T, s *store.Store) {
	mustInsertCases(t, s, newCase("a"))
	for range 40 {
		err := survive(func() error {
			return s.Cases().Update(t.Context(), account, func(tx cases.Tx) error {
				_ = errors.Join(tx.InsertCase(t.Context(), newCase("b")), count(t.Context(), tx, "a")) // the panic is what counts
				panic("impossible")
			})
		})
		if err == nil {
			t.Errorf("Update(panic) = nil, want an error")
		}
		err = survive(func() error {
			return s.Cases().View(t.Context(), func(tx cases.Tx) error { panic("impossible") })
		})
		if err == nil {
			t.Errorf("View(panic) = nil, want an error")
		}
	}
	wantUntouched(t, s)
}

// survive returns a panic as an error.
func survive(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

func testCancelled(t *testing.T, s *store.Store) {
	mustInsertCases(t, s, newCase("a"))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Cases().Update(gone, account, func(tx cases.Tx) error {
		return errors.Join(tx.InsertCase(gone, newCase("b")), count(gone, tx, "a"))
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update(cancelled) = %v, want %v", err, context.Canceled)
	}
	for range 40 {
		err := s.Cases().View(gone, func(tx cases.Tx) error {
			_, err := tx.Case(gone, account, "a")
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("View(cancelled) = %v, want %v", err, context.Canceled)
		}
	}
	wantUntouched(t, s)
	testCancelledBesideOthers(t, s)
}

// testCancelledBesideOthers lets half of the callers go away while they write:
// each of their updates is there entirely or not at all, and the others' are.
func testCancelledBesideOthers(t *testing.T, s *store.Store) {
	outcomes := make([]error, 64)
	var wg sync.WaitGroup
	for i := range outcomes {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			outcomes[i] = s.Cases().Update(ctx, account, func(tx cases.Tx) error {
				if err := tx.InsertCase(ctx, newCase(fmt.Sprintf("first-%d", i))); err != nil {
					return err
				}
				if i%2 == 0 {
					cancel()
				}
				return tx.InsertCase(ctx, newCase(fmt.Sprintf("second-%d", i)))
			})
		})
	}
	wg.Wait()
	for i, err := range outcomes {
		if err != nil && i%2 == 1 {
			t.Errorf("Update() beside cancelled ones = %v, want nil", err)
		}
		for _, part := range []string{"first", "second"} {
			if got := hasCase(t, s, fmt.Sprintf("%s-%d", part, i)); got != (err == nil) {
				t.Errorf("Update() %d = %v, its %s case is there: %v", i, err, part, got)
			}
		}
	}
}

// testFailedUpdatesBesideOthers lets half of the callers fail at their last
// statement, some of them at their first: the others' updates are there.
func testFailedUpdatesBesideOthers(t *testing.T, s *store.Store) {
	mustInsertCases(t, s, newCase("a"))
	taken := cases.Communication{Account: account, CaseID: "a", Number: 1, CreatedAt: at(0)}
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error { return tx.InsertCommunication(ctx, taken) })
	outcomes := make([]error, 64)
	var wg sync.WaitGroup
	for i := range outcomes {
		wg.Go(func() {
			ctx := t.Context()
			outcomes[i] = s.Cases().Update(ctx, account, func(tx cases.Tx) error {
				if i%3 == 0 {
					if err := tx.InsertCase(ctx, newCase(fmt.Sprint(i))); err != nil {
						return err
					}
				}
				one := taken
				if i%2 == 0 {
					one.Number = int64(i + 2)
				}
				return tx.InsertCommunication(ctx, one)
			})
		})
	}
	wg.Wait()
	for i, err := range outcomes {
		if good := i%2 == 0; good != (err == nil) {
			t.Errorf("Update() %d = %v, want an error: %v", i, err, !good)
		}
		if i%3 == 0 && hasCase(t, s, fmt.Sprint(i)) != (i%2 == 0) {
			t.Errorf("Update() %d = %v, its case is there: %v", i, err, i%2 != 0)
		}
	}
	found := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Communication, error) {
		return tx.CommunicationsPage(ctx, account, "a", cases.TimeRange{}, 1000, 1000)
	})
	if len(found) != 33 {
		t.Errorf("%d communications are there, want the first and those of 32 updates", len(found))
	}
}

func testConcurrentUpdates(t *testing.T, s *store.Store) {
	mustInsertCases(t, s, newCase("a"))
	const goroutines, each = 64, 5
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				err := s.Cases().Update(t.Context(), account, func(tx cases.Tx) error { return count(t.Context(), tx, "a") })
				if err != nil {
					t.Errorf("Update() beside others = %v, want nil", err)
				}
			}
		})
	}
	wg.Wait()
	if got, want := mustCase(t, s, "a").Communications, newCase("a").Communications+goroutines*each; got != want {
		t.Errorf("%d updates counted to %d, want %d", goroutines*each, got, want)
	}
}

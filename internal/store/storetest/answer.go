package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
)

func testAnswers(t *testing.T, s *store.Store) {
	old, young := cases.RequestKey{1}, cases.RequestKey{2}
	insert := func(key cases.RequestKey, answer string, when time.Time) error {
		return s.Cases().Update(t.Context(), account, func(tx cases.Tx) error {
			return tx.InsertAnswer(t.Context(), account, key, []byte(answer), when)
		})
	}
	if err := insert(old, `"first"`, at(0)); err != nil {
		t.Fatalf("InsertAnswer() = %v", err)
	}
	if err := insert(young, `{}`, at(1)); err != nil {
		t.Fatalf("InsertAnswer() = %v", err)
	}
	if err := insert(old, `"second"`, at(2)); err == nil {
		t.Errorf("InsertAnswer(answered key) = nil, want an error: two requests would both believe to be first")
	}
	wantAnswer(t, s, old, `"first"`)
	wantAnswer(t, s, young, `{}`)
	wantAnswer(t, s, cases.RequestKey{3}, "")
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		n, err := tx.DeleteAnswers(ctx, account, at(1), 10)
		if n != 1 {
			t.Errorf("DeleteAnswers = %d, want 1", n)
		}
		return err
	})
	wantAnswer(t, s, old, "")
	wantAnswer(t, s, young, `{}`)
	if err := insert(old, `"again"`, at(3)); err != nil {
		t.Errorf("InsertAnswer(forgotten key) = %v, want nil", err)
	}
}

// wantAnswer expects no answer when want is empty.
func wantAnswer(t *testing.T, s *store.Store, key cases.RequestKey, want string) {
	t.Helper()
	got := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]byte, error) { return tx.Answer(ctx, account, key) })
	if string(got) != want || (got == nil) != (want == "") {
		t.Errorf("Answer(%x) = %q, want %q", key[:1], got, want)
	}
}

func testCounts(t *testing.T, s *store.Store) {
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		for i := range 5 {
			c, set := newCase(fmt.Sprint(i)), newSet(fmt.Sprint(i))
			c.CreatedAt, set.CreatedAt = at(i), at(i)
			if err := tx.InsertCase(ctx, c); err != nil {
				return err
			}
			if err := tx.InsertAttachmentSet(ctx, set); err != nil {
				return err
			}
		}
		return nil
	})
	for _, test := range []struct{ since, most, want int }{
		{-1, 10, 5}, {-1, 5, 5}, {-1, 3, 3}, {0, 10, 4}, {3, 10, 1}, {4, 10, 0}, {-1, 0, 0},
	} {
		mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
			n, err := tx.CountCasesSince(ctx, account, at(test.since), test.most)
			if n != test.want || err != nil {
				t.Errorf("CountCasesSince(%d, %d) = %d, %v, want %d, nil", test.since, test.most, n, err, test.want)
			}
			n, err = tx.CountSetsSince(ctx, account, at(test.since), test.most)
			if n != test.want || err != nil {
				t.Errorf("CountSetsSince(%d, %d) = %d, %v, want %d, nil", test.since, test.most, n, err, test.want)
			}
			return nil
		})
	}
}

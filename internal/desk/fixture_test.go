package desk_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/store"
)

// monday is when the clocks of tests begin.
func monday() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

// newFile returns the URL of an SQLite database of the test's own.
func newFile(t testing.TB) string { return "sqlite://" + filepath.Join(t.TempDir(), "desk.db") }

// openDesk returns a desk that watches the cases of a store, which is closed
// when the test ends.
func openDesk(t testing.TB, url string, now func() time.Time) (*desk.Service, *store.Store) {
	t.Helper()
	opened, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	known, err := catalog.Load()
	if err != nil {
		t.Fatalf("Load() = %v", err)
	}
	s := &desk.Service{
		Store: opened.Desk(), Now: now,
		Cases: &cases.Service{Store: opened.Cases(), Catalog: known, Now: now},
		IAM:   &iam.Service{Store: opened.IAM(), Now: now},
	}
	s.Cases.Watch = func(ctx context.Context, tx cases.Tx, change cases.Change) error {
		return s.Watch(ctx, store.DeskTx(tx), change)
	}
	return s, opened
}

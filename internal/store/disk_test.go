package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
)

// isSQLite reports whether err is the error of SQLite with this primary code.
func isSQLite(err error, code int) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	return ok && se.Code()&0xff == code
}

func TestAReadOnlyDatabaseRefusesUpdatesAndRecovers(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, newFile(t))
	mustInsert(t, s, "before")
	mustSet(t, s, "query_only = 1")
	for _, err := range []error{insert(t.Context(), s, "refused"), s.Check(t.Context())} {
		if !isSQLite(err, sqlite3.SQLITE_READONLY) {
			t.Errorf("Update(read-only database) = %v, want SQLITE_READONLY", err)
		}
	}
	wantCases(t, s, map[string]bool{"before": true, "refused": false})
	mustSet(t, s, "query_only = 0")
	mustInsert(t, s, "refused")
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check() = %v, want nil", err)
	}
}

// mustSet sets a pragma on the writer's connection.
func mustSet(t *testing.T, s *store.Store, pragma string) {
	t.Helper()
	if _, err := s.Writer().ExecContext(t.Context(), "PRAGMA "+pragma); err != nil {
		t.Fatalf("PRAGMA %s: %v", pragma, err)
	}
}

func wantCases(t *testing.T, s *store.Store, want map[string]bool) {
	t.Helper()
	for id, want := range want {
		if got := has(t, s, id); got != want {
			t.Errorf("case %s is there: %v, want %v", id, got, want)
		}
	}
}

// fillDisk lets the database grow by a few pages only, and frees it again.
func fillDisk(t *testing.T, s *store.Store) (free func()) {
	t.Helper()
	most := mustPragma(t, s, "max_page_count")
	var pages int
	if _, err := fmt.Sscan(mustPragma(t, s, "page_count"), &pages); err != nil {
		t.Fatal(err)
	}
	mustSet(t, s, fmt.Sprintf("max_page_count = %d", pages+4))
	return func() { mustSet(t, s, "max_page_count = "+most) }
}

// big inserts a case and then more than a full disk takes.
func big(t *testing.T, id string) func(cases.Tx) error {
	return func(tx cases.Tx) error {
		if err := tx.InsertCase(t.Context(), newCase(id)); err != nil {
			return err
		}
		return tx.InsertCommunication(t.Context(), cases.Communication{
			Account: account, CaseID: id, Number: 1, Body: strings.Repeat("x", 1<<20),
		})
	}
}

// SQLite may roll back more than the statement that hit the end of the disk:
// everything since BEGIN. No update of the batch may believe that it is there.
func TestAFullDiskFailsWhatItLoses(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, newFile(t))
	mustInsert(t, s, "acknowledged")
	free := fillDisk(t, s)
	ids := []string{"first", "second", "big", "third", "fourth"}
	updates := make([]func(cases.Tx) error, len(ids))
	for i, id := range ids {
		updates[i] = insertion(t.Context(), id)
	}
	updates[2] = big(t, "big")
	want := map[string]bool{"acknowledged": true}
	for i, err := range runTogether(t, s, updates...) {
		want[ids[i]] = err == nil
		if err != nil && !isSQLite(err, sqlite3.SQLITE_FULL) && !strings.Contains(err.Error(), "savepoint") {
			t.Errorf("Update(%s) on a full disk = %v, want SQLITE_FULL", ids[i], err)
		}
	}
	if want["big"] {
		t.Errorf("Update(big) on a full disk = nil, want an error")
	}
	wantCases(t, s, want)
	free()
	for id, there := range want {
		if !there {
			mustInsert(t, s, id)
		}
	}
}

// An update that takes no notice of the error must not be half there, neither
// alone nor among others.
func TestAFullDiskCannotBeIgnored(t *testing.T) {
	t.Parallel()
	for _, ids := range [][]string{{"big"}, {"first", "big", "last"}} {
		s := mustOpen(t, newFile(t))
		free := fillDisk(t, s)
		updates := make([]func(cases.Tx) error, len(ids))
		for i, id := range ids {
			updates[i] = insertion(t.Context(), id)
			if id == "big" {
				updates[i] = func(tx cases.Tx) error {
					_ = big(t, id)(tx) // what is under test
					return nil
				}
			}
		}
		outcomes := runTogether(t, s, updates...)
		free()
		for i, id := range ids {
			// The case is inserted before the disk is full: it may be there or not.
			if got := has(t, s, id); got != (outcomes[i] == nil) {
				t.Errorf("Update(%s) of %v = %v, its case is there: %v", id, ids, outcomes[i], got)
			}
		}
		mustInsert(t, s, "after")
	}
}

func TestManyUpdatesOnADiskThatFillsUp(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := mustOpen(t, file)
	free := fillDisk(t, s)
	var mu sync.Mutex
	want := map[string]bool{}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 40 {
				id := fmt.Sprintf("%d-%d", g, i)
				err := insert(t.Context(), s, id)
				mu.Lock()
				want[id] = err == nil
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	wantCases(t, s, want)
	free()
	mustInsert(t, s, "after")
	want["after"] = true
	mustClose(t, s)
	wantCases(t, mustOpen(t, file), want)
	failed := 0
	for _, there := range want {
		if !there {
			failed++
		}
	}
	if failed == 0 || failed == len(want)-1 {
		t.Errorf("%d of %d updates failed, want some: the test does not fill the disk midway", failed, len(want))
	}
}

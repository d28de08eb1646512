package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/storetest"
)

const account = "111122223333"

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Store { return mustOpen(t, newFile(t)) })
}

func newFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "test.db")
}

// mustOpen opens a store that is closed when the test ends.
func mustOpen(t *testing.T, file string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite://"+file)
	if err != nil {
		t.Fatalf("Open(%s) = %v", file, err)
	}
	t.Cleanup(func() { mustClose(t, s) })
	return s
}

func mustClose(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
}

// newCase is a case whose display id is its id: both are unique together.
func newCase(id string) cases.Case {
	return cases.Case{Account: account, ID: id, DisplayID: id, Status: cases.Unassigned, Language: "en", CreatedAt: time.UnixMicro(1)}
}

func mustInsert(t *testing.T, s *store.Store, id string) {
	t.Helper()
	if err := insert(t.Context(), s, id); err != nil {
		t.Fatalf("InsertCase(%s) = %v", id, err)
	}
}

func insert(ctx context.Context, s *store.Store, id string) error {
	return s.Cases().Update(ctx, account, func(tx cases.Tx) error { return tx.InsertCase(ctx, newCase(id)) })
}

// has reports whether the case is there.
func has(t *testing.T, s *store.Store, id string) bool {
	t.Helper()
	err := s.Cases().View(t.Context(), func(tx cases.Tx) error {
		_, err := tx.Case(t.Context(), account, id)
		return err
	})
	if err != nil && !errors.Is(err, cases.ErrCaseNotFound) {
		t.Fatalf("Case(%s) = %v", id, err)
	}
	return err == nil
}

func TestOpenRefusesOtherAddresses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "test.db", "sqlite://", "sqlite:test.db", "mysql://localhost"} {
		if s, err := store.Open(t.Context(), url); err == nil {
			t.Errorf("Open(%q) = nil error, want one", url)
			mustClose(t, s)
		}
	}
	file := filepath.Join(t.TempDir(), "missing", "test.db")
	if _, err := store.Open(t.Context(), "sqlite://"+file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open(file in a missing folder) = %v, want %v", err, fs.ErrNotExist)
	}
}

func TestFilesWithOddNamesWork(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"with space.db", "100%.db", "a?b=c&d#e.db", "ünï.db"} {
		file := filepath.Join(t.TempDir(), name)
		mustInsert(t, mustOpen(t, file), "a")
		if _, err := os.Stat(file); err != nil {
			t.Errorf("after Open(%q): %v", name, err)
		}
	}
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := mustOpen(t, file)
	mustInsert(t, s, "a")
	backup := file + ".backup"
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatalf("Backup() = %v", err)
	}
	for _, name := range []string{file, file + "-wal", file + "-shm", backup} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("mode of %s = %o, want 600", filepath.Base(name), got)
		}
	}
}

func TestBackupIsAWholeDatabaseAndReplacesNothing(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, newFile(t))
	mustInsert(t, s, "before")
	backup := newFile(t)
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatalf("Backup() = %v", err)
	}
	mustInsert(t, s, "after")
	if err := s.Backup(t.Context(), backup); err == nil {
		t.Errorf("Backup(existing file) = nil, want an error")
	}
	copied := mustOpen(t, backup)
	got := map[string]bool{"before": has(t, copied, "before"), "after": has(t, copied, "after")}
	if diff := cmp.Diff(map[string]bool{"before": true, "after": false}, got); diff != "" {
		t.Errorf("cases in the backup (-want +got):\n%s", diff)
	}
}

func TestABackupThatFailsLeavesNoFile(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	broken := errors.New("broken")
	w.intercept(func(text string) error {
		if strings.HasPrefix(text, "VACUUM") {
			return broken
		}
		return nil
	}, nil)
	file := newFile(t)
	if err := s.Backup(t.Context(), file); !errors.Is(err, broken) {
		t.Errorf("Backup() = %v, want %v", err, broken)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat(backup that failed) = %v, want %v", err, fs.ErrNotExist)
	}
}

func TestSettingsStay(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, newFile(t))
	if got, err := s.Setting(t.Context(), "proof"); got != nil || err != nil {
		t.Errorf("Setting(unset) = %q, %v, want nil, nil", got, err)
	}
	for i, value := range []string{"first", "second"} {
		kept, added, err := s.AddSetting(t.Context(), "proof", []byte(value))
		if string(kept) != "first" || added != (i == 0) || err != nil {
			t.Errorf("AddSetting(%q) = %q, %v, %v, want the first value kept", value, kept, added, err)
		}
		if got, err := s.Setting(t.Context(), "proof"); string(got) != "first" || err != nil {
			t.Errorf("Setting() = %q, %v, want the first value", got, err)
		}
	}
	for want := range uint64(3) {
		if got, err := s.CountSetting(t.Context(), "starts"); got != want || err != nil {
			t.Errorf("CountSetting() = %d, %v, want %d", got, err, want)
		}
	}
	if _, err := s.CountSetting(t.Context(), "proof"); err == nil {
		t.Error("CountSetting(no number) = nil, want an error")
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check() = %v, want nil", err)
	}
}

func TestCloseReleasesTheFile(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := mustOpen(t, file)
	mustInsert(t, s, "a")
	for range 2 {
		mustClose(t, s)
	}
	// The last connection to go takes the side files with it.
	if left, _ := filepath.Glob(file + "*"); len(left) != 1 {
		t.Errorf("files after Close() = %v, want the database only", left)
	}
	if err := insert(t.Context(), s, "b"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Update(closed store) = %v, want %v", err, store.ErrClosed)
	}
	view := s.Cases().View(t.Context(), func(cases.Tx) error { return nil })
	if !errors.Is(view, store.ErrClosed) {
		t.Errorf("View(closed store) = %v, want %v", view, store.ErrClosed)
	}
}

func TestCloseWaitsForViews(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, newFile(t))
	mustInsert(t, s, "a")
	inside, closed := make(chan struct{}), make(chan error, 1)
	go func() {
		<-inside
		closed <- s.Close()
	}()
	err := s.Cases().View(t.Context(), func(tx cases.Tx) error {
		close(inside)
		for insert(t.Context(), s, "a") == nil || !errors.Is(insert(t.Context(), s, "a"), store.ErrClosed) {
		}
		_, err := tx.Case(t.Context(), account, "a")
		return err
	})
	if err != nil {
		t.Errorf("View() while the store closes = %v, want nil", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
}

func TestCloseWhileUpdatesRunLosesNothing(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := mustOpen(t, file)
	var mu sync.Mutex
	done := map[string]bool{}
	var wg sync.WaitGroup
	started := make(chan struct{}, 16)
	for g := range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				id := string(rune('a'+g)) + "-" + time.Duration(i).String()
				err := insert(t.Context(), s, id)
				mu.Lock()
				done[id] = err == nil
				mu.Unlock()
				if err != nil {
					if !errors.Is(err, store.ErrClosed) {
						t.Errorf("Update() while the store closes = %v, want nil or %v", err, store.ErrClosed)
					}
					return
				}
				if i == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	for range cap(started) {
		<-started
	}
	mustClose(t, s)
	wg.Wait()
	again := mustOpen(t, file)
	for id, want := range done {
		if got := has(t, again, id); got != want {
			t.Errorf("case %s is there: %v; its Update succeeded: %v", id, got, want)
		}
	}
}

package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/store"
)

func TestWriterIsDurable(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, newFile(t))
	got := map[string]string{}
	for _, name := range []string{"synchronous", "journal_mode", "foreign_keys", "busy_timeout"} {
		got[name] = mustPragma(t, s, name)
	}
	want := map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "10000"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pragmas of the writer (-want +got):\n%s", diff)
	}
}

// mustPragma runs a pragma on the writer's connection and returns its answer.
func mustPragma(t *testing.T, s *store.Store, pragma string) (value string) {
	t.Helper()
	row := s.Writer().QueryRowContext(t.Context(), "PRAGMA "+pragma)
	if err := row.Scan(&value); err != nil {
		t.Fatalf("PRAGMA %s: %v", pragma, err)
	}
	return value
}

// hold makes an update wait inside the writer; release lets it go on.
func hold(t *testing.T, s *store.Store) (release func()) {
	t.Helper()
	inside, end := make(chan struct{}), make(chan struct{})
	wait, err := s.Enqueue(t.Context(), func(cases.Tx) error {
		close(inside)
		<-end
		return nil
	})
	if err != nil {
		t.Fatalf("Enqueue() = %v", err)
	}
	<-inside
	return func() {
		close(end)
		if err := wait(); err != nil {
			t.Errorf("Update() = %v, want nil", err)
		}
	}
}

// runTogether runs the updates in one batch and returns their outcomes.
func runTogether(t *testing.T, s *store.Store, updates ...func(cases.Tx) error) []error {
	t.Helper()
	release := hold(t, s)
	var waits []func() error
	for _, f := range updates {
		wait, err := s.Enqueue(t.Context(), f)
		if err != nil {
			t.Fatalf("Enqueue() = %v", err)
		}
		waits = append(waits, wait)
	}
	release()
	outcomes := make([]error, len(waits))
	for i, wait := range waits {
		outcomes[i] = wait()
	}
	return outcomes
}

func insertion(ctx context.Context, id string) func(cases.Tx) error {
	return func(tx cases.Tx) error { return tx.InsertCase(ctx, newCase(id)) }
}

func TestUpdatesThatWaitTogetherShareACommit(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	updates := make([]func(cases.Tx) error, store.MaxBatch)
	for i := range updates {
		updates[i] = insertion(t.Context(), fmt.Sprint(i))
	}
	w.take()
	for i, err := range runTogether(t, s, updates...) {
		if err != nil {
			t.Errorf("Update() %d = %v, want nil", i, err)
		}
	}
	commits := 0
	for _, text := range w.take() {
		if text == "COMMIT" {
			commits++
		}
	}
	if commits != 2 {
		t.Errorf("%d updates behind one took %d commits, want 2", len(updates), commits)
	}
}

func TestUpdateReturnsAfterItsCommit(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	committing, commit := make(chan struct{}), make(chan struct{})
	w.intercept(func(text string) error {
		if text == "COMMIT" {
			close(committing)
			<-commit
		}
		return nil
	}, nil)
	returned := make(chan error, 1)
	go func() { returned <- insert(t.Context(), s, "a") }()
	<-committing
	for range 1000 {
		runtime.Gosched()
	}
	select {
	case err := <-returned:
		t.Errorf("Update() = %v before its commit", err)
	default:
	}
	close(commit)
	if err := <-returned; err != nil {
		t.Errorf("Update() = %v, want nil", err)
	}
}

func TestACommitThatFailsFailsItsBatch(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	own, broken := errors.New("own"), errors.New("broken")
	release := hold(t, s)
	first, _ := s.Enqueue(t.Context(), insertion(t.Context(), "a"))
	second, _ := s.Enqueue(t.Context(), func(cases.Tx) error { return own })
	commits := 0
	w.intercept(func(text string) error {
		if text == "COMMIT" {
			if commits++; commits == 2 {
				return broken
			}
		}
		return nil
	}, nil)
	release()
	if err := first(); !errors.Is(err, broken) {
		t.Errorf("Update() = %v, want %v", err, broken)
	}
	// It may have been refused for what the first one wrote, which is not there.
	if err := second(); !errors.Is(err, broken) {
		t.Errorf("Update() that fails by itself = %v, want %v", err, broken)
	}
	if has(t, s, "a") {
		t.Errorf("the case of a commit that failed is there")
	}
	mustInsert(t, s, "a")
}

func TestUpdatesOfABatchFailAlone(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, newFile(t))
	mustInsert(t, s, "taken")
	cancelled, cancel := context.WithCancel(t.Context())
	release := hold(t, s)
	failing := map[string]func(cases.Tx) error{
		"fault": func(tx cases.Tx) error {
			return errors.Join(tx.InsertCase(t.Context(), newCase("fault")), cases.ErrCaseNotFound)
		},
		"panic": func(tx cases.Tx) error {
			_ = tx.InsertCase(t.Context(), newCase("panic")) // its outcome is the panic
			panic("impossible")
		},
		"constraint": func(tx cases.Tx) error {
			twice := newCase("taken")
			twice.DisplayID = "other"
			return errors.Join(tx.InsertCase(t.Context(), newCase("constraint")), tx.InsertCase(t.Context(), twice))
		},
	}
	waits := map[string]func() error{}
	for name, f := range failing {
		waits[name], _ = s.Enqueue(t.Context(), f)
		waits["after "+name], _ = s.Enqueue(t.Context(), insertion(t.Context(), "after "+name))
	}
	waits["cancelled"], _ = s.Enqueue(cancelled, insertion(t.Context(), "cancelled"))
	waits["last"], _ = s.Enqueue(t.Context(), insertion(t.Context(), "last"))
	cancel()
	release()
	for name, wait := range waits {
		_, fails := failing[name]
		fails = fails || name == "cancelled"
		err := wait()
		if (err != nil) != fails {
			t.Errorf("Update(%s) = %v, want an error: %v", name, err, fails)
		}
		if got := has(t, s, name); got == fails {
			t.Errorf("case of %s is there: %v, want %v", name, got, !fails)
		}
		if name == "cancelled" && !errors.Is(err, context.Canceled) {
			t.Errorf("Update(cancelled) = %v, want %v", err, context.Canceled)
		}
	}
}

func TestACallerWhoGoesAwayDoesNotInterruptTheBatch(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, newFile(t))
	ctx, cancel := context.WithCancel(t.Context())
	outcomes := runTogether(
		t, s,
		insertion(t.Context(), "before"),
		func(tx cases.Tx) error {
			cancel()
			return tx.InsertCase(ctx, newCase("gone"))
		},
		insertion(t.Context(), "after"),
	)
	for i, id := range []string{"before", "gone", "after"} {
		if outcomes[i] != nil || !has(t, s, id) {
			t.Errorf("Update(%s) = %v, its case is there: %v; want nil, true", id, outcomes[i], has(t, s, id))
		}
	}
}

// SQLite may answer an interrupted BEGIN with an error although it has begun.
func TestAViewThatIsInterruptedLeavesItsConnectionUsable(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	for range 2 * s.Readers() {
		ctx, cancel := context.WithCancel(t.Context())
		w.intercept(nil, func(run context.Context, text string) error {
			cancel()
			return run.Err()
		})
		err := s.Cases().View(ctx, func(tx cases.Tx) error {
			_, err := tx.Case(ctx, account, "a")
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("View(cancelled) = %v, want %v", err, context.Canceled)
		}
		w.intercept(nil, nil)
	}
	for range 2 * s.Readers() {
		if err := s.Cases().View(t.Context(), func(cases.Tx) error { return nil }); err != nil {
			t.Fatalf("View() after cancelled ones = %v, want nil", err)
		}
	}
}

// A page of cases takes the same few statements whatever its size.
func TestFindTakesAFixedNumberOfStatements(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	service := cases.Service{Store: s.Cases()}
	who := iam.Identity{Account: account}
	var ids []string
	for i := range 150 {
		c := newCase(fmt.Sprintf("%03d", i))
		c.CreatedAt, c.Communications = time.Now(), 1
		err := s.Cases().Update(t.Context(), account, func(tx cases.Tx) error {
			first := cases.Communication{Account: account, CaseID: c.ID, Number: 1, CreatedAt: c.CreatedAt}
			return errors.Join(tx.InsertCase(t.Context(), c), tx.InsertCommunication(t.Context(), first))
		})
		if err != nil {
			t.Fatalf("InsertCase(%s) = %v", c.ID, err)
		}
		ids = append(ids, c.ID)
	}
	for name, q := range map[string]cases.Query{
		"page of 100": {Limit: 100, Communications: true},
		"page of 10":  {Limit: 10, Communications: true},
		"100 ids":     {Limit: 100, IDs: ids[:100], Communications: true},
	} {
		w.take()
		page, err := service.Find(t.Context(), who, q)
		if err != nil || len(page.Cases) != q.Limit || len(page.Cases[0].Recent) != 1 {
			t.Fatalf("Find(%s) = %d cases, %v", name, len(page.Cases), err)
		}
		got := slices.DeleteFunc(w.take(), func(text string) bool { return !strings.HasPrefix(text, "SELECT") })
		if len(got) != 3 {
			t.Errorf("Find(%s) takes %d statements, want 3:\n%s", name, len(got), strings.Join(got, "\n"))
		}
	}
}

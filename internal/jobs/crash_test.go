package jobs_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// A process of this test that finds this variable does the jobs of the database
// that it names, and prints a line for each that it begins, until it is killed.
const databaseVariable = "JOBS_TEST_DATABASE"

func TestMain(m *testing.M) {
	if url := os.Getenv(databaseVariable); url != "" {
		if err := work(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func work(url string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	hasty(s.Jobs(), func(ctx context.Context, job jobs.Job) error {
		fmt.Println(job.ID)
		return once(ctx, s.Jobs(), job)
	}).Run(ctx)
	return nil
}

// hasty is a runner that does not wait long for the jobs of dead nodes.
func hasty(s jobs.Store, handler func(context.Context, jobs.Job) error) *jobs.Runner {
	return &jobs.Runner{
		Store: s, Workers: 4, Lease: time.Second, Poll: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Kinds: []jobs.Kind{{Name: kind, Handler: handler, MaxAttempts: 1000, Backoff: 10 * time.Millisecond, MaxBackoff: 50 * time.Millisecond}},
	}
}

func TestEffectsHappenOnceWhateverIsKilledOnSQLite(t *testing.T) {
	t.Parallel()
	testKills(t, "sqlite://"+filepath.Join(t.TempDir(), "test.db"))
}

func TestEffectsHappenOnceWhateverIsKilledOnPostgreSQL(t *testing.T) {
	t.Parallel()
	testKills(t, pgtest.Database(t))
}

// testKills has processes do jobs, kills each one after a few of them, and
// starts the next.
func testKills(t *testing.T, url string) {
	t.Helper()
	const count, processes, lives = 400, 2, 5
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	}()
	err = s.Jobs().Update(t.Context(), func(tx jobs.Tx) error {
		for i := range count {
			// Two of each key, of which one is added.
			j := jobs.Job{Account: account, ID: fmt.Sprint(i), Kind: kind, Key: fmt.Sprint(i)}
			again := j
			again.ID += " again"
			for _, j := range []jobs.Job{j, again} {
				if _, err := tx.Enqueue(t.Context(), j); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Update() = %v", err)
	}
	dead := make(chan error, processes)
	for range processes {
		go func() {
			for range lives {
				if err := liveAndDie(t, url, 1+rand.IntN(count/processes/lives)); err != nil {
					dead <- err
					return
				}
			}
			dead <- nil
		}()
	}
	for range processes {
		if err := <-dead; err != nil {
			t.Fatalf("process: %v", err)
		}
	}
	finishAll(t, s)
	wantOnce(t, s, count)
}

// liveAndDie runs a process that is killed when it has begun so many jobs: it
// dies at any point of those, and of others that it does at the same time.
func liveAndDie(t *testing.T, url string, begun int) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), databaseVariable+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(out)
	for range begun {
		if _, err := lines.ReadString('\n'); err == io.EOF {
			return fmt.Errorf("it ended by itself: %w", cmd.Wait())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		return err
	}
	_ = cmd.Wait() // it was killed
	return nil
}

// finishAll does what the dead have left.
func finishAll(t *testing.T, s *store.Store) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r := hasty(s.Jobs(), func(ctx context.Context, job jobs.Job) error { return once(ctx, s.Jobs(), job) })
	rescued := 0
	outcomes := make(chan jobs.Outcome)
	r.Observe = func(o jobs.Observation) {
		select {
		case outcomes <- o.Outcome:
		case <-ctx.Done():
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	for {
		left, err := r.List(t.Context(), jobs.Filter{Kind: kind}, 1)
		if err != nil {
			t.Errorf("List() = %v", err)
		}
		if len(left) == 0 || err != nil {
			break
		}
		if <-outcomes == jobs.Rescued {
			rescued++
		}
	}
	t.Logf("%d jobs were rescued at the end", rescued)
	stop()
	<-ended
}

func wantOnce(t *testing.T, s *store.Store, count int) {
	t.Helper()
	found, err := (&jobs.Runner{Store: s.Jobs()}).List(t.Context(), jobs.Filter{Kind: effect}, 10*count)
	if err != nil {
		t.Fatalf("List() = %v", err)
	}
	if len(found) != count {
		t.Errorf("%d jobs had %d effects, want as many", count, len(found))
	}
	for id, n := range effects(found) {
		if n != 1 {
			t.Errorf("job %s had its effect %d times, want once", id, n)
		}
	}
}

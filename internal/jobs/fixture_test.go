package jobs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/store"
)

const (
	account = "111122223333"
	kind    = "refresh"
	effect  = "effect" // of which there is one job for each time that one of kind had its effect
)

// world is a store with runners, in a bubble: time passes when all of them wait.
type world struct {
	*testing.T
	store *store.Store
	log   logged

	mu       sync.Mutex
	observed []jobs.Observation
}

// inWorld runs a test in a bubble, at the end of which nothing may be running.
func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Parallel()
	file := filepath.Join(t.TempDir(), "test.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), "sqlite://"+file)
		if err != nil {
			t.Fatalf("Open() = %v", err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Errorf("Close() = %v, want nil", err)
			}
		})
		test(&world{T: t, store: s})
	})
}

// runner is one of the handler, for jobs of kind.
func (w *world) runner(handler func(ctx context.Context, job jobs.Job) error) *jobs.Runner {
	return w.runnerOf(jobs.Kind{Name: kind, Handler: handler})
}

func (w *world) runnerOf(kinds ...jobs.Kind) *jobs.Runner {
	return &jobs.Runner{
		Store: w.store.Jobs(), Kinds: kinds, Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
		Observe: func(o jobs.Observation) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.observed = append(w.observed, o)
		},
	}
}

// start runs the runner until stop, or until the test ends.
func (w *world) start(r *jobs.Runner) (stop func()) {
	ctx, cancel := context.WithCancel(w.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-ended
	}
	w.Cleanup(stop)
	return stop
}

func (w *world) mustUpdate(f func(tx jobs.Tx) error) {
	w.Helper()
	if err := w.store.Jobs().Update(w.Context(), f); err != nil {
		w.Fatalf("Update() = %v, want nil", err)
	}
}

func (w *world) mustEnqueue(all ...jobs.Job) {
	w.Helper()
	w.mustUpdate(func(tx jobs.Tx) error {
		for _, j := range all {
			if j.Kind == "" {
				j.Kind = kind
			}
			if added, err := tx.Enqueue(w.Context(), j); !added || err != nil {
				return fmt.Errorf("Enqueue(%s) = %v, %w, want true, nil", j.ID, added, err)
			}
		}
		return nil
	})
}

// mustEnqueueMany enqueues jobs whose ids are numbers.
func (w *world) mustEnqueueMany(count int) {
	w.Helper()
	var all []jobs.Job
	for i := range count {
		all = append(all, jobs.Job{Account: account, ID: fmt.Sprint(i)})
	}
	w.mustEnqueue(all...)
}

func (w *world) mustList(f jobs.Filter) []jobs.Job {
	w.Helper()
	found, err := (&jobs.Runner{Store: w.store.Jobs()}).List(w.Context(), f, 10_000)
	if err != nil {
		w.Fatalf("List() = %v, want nil", err)
	}
	return found
}

// mustJob returns the only job of kind that there is.
func (w *world) mustJob() jobs.Job {
	w.Helper()
	found := w.mustList(jobs.Filter{Kind: kind})
	if len(found) != 1 {
		w.Fatalf("jobs of kind %s = %v, want one", kind, found)
	}
	return found[0]
}

func (w *world) wantNoJob() {
	w.Helper()
	if found := w.mustList(jobs.Filter{Kind: kind}); len(found) > 0 {
		w.Errorf("jobs of kind %s at the end = %v, want none", kind, found)
	}
}

// once is a handler whose effect is that there is a job of kind effect.
func (w *world) once(ctx context.Context, job jobs.Job) error { return once(ctx, w.store.Jobs(), job) }

func once(ctx context.Context, s jobs.Store, job jobs.Job) error {
	return s.Update(ctx, func(tx jobs.Tx) error {
		if _, err := tx.Enqueue(ctx, jobs.Job{Account: job.Account, Kind: effect, Payload: []byte(job.ID)}); err != nil {
			return err
		}
		return tx.Finish(ctx, job)
	})
}

// effects returns how often each job had its effect.
func effects(all []jobs.Job) map[string]int {
	times := map[string]int{}
	for _, j := range all {
		times[string(j.Payload)]++
	}
	return times
}

func (w *world) wantEffects(count int) {
	w.Helper()
	got := effects(w.mustList(jobs.Filter{Kind: effect}))
	for i := range count {
		if n := got[fmt.Sprint(i)]; n != 1 {
			w.Errorf("job %d had its effect %d times, want once", i, n)
		}
	}
}

// outcomes returns how often each outcome was observed.
func (w *world) outcomes() map[jobs.Outcome]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	times := map[jobs.Outcome]int{}
	for _, o := range w.observed {
		times[o.Outcome]++
	}
	return times
}

// logged keeps what is logged.
type logged struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

// records returns those of a message.
func (l *logged) records(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(l.all.Bytes()) {
		var record map[string]any
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}

// mustRecord returns the only log record of a job's attempt.
func (w *world) mustRecord() map[string]any {
	w.Helper()
	found := w.log.records(w.T, "job")
	if len(found) != 1 {
		w.Fatalf("log records of jobs = %v, want one", found)
	}
	return found[0]
}

// breakable is a store that can be out of reach.
type breakable struct {
	jobs.Store
	broken atomic.Bool
	calls  atomic.Int64 // while it was broken
	hangs  atomic.Bool  // until the caller's time is over
	mute   atomic.Int64 // how many commits go on without an answer
}

var errUnreachable = errors.New("connection refused")

func (b *breakable) fail() error {
	if !b.broken.Load() {
		return nil
	}
	b.calls.Add(1)
	return errUnreachable
}

func (b *breakable) View(ctx context.Context, f func(jobs.Tx) error) error {
	if err := b.fail(); err != nil {
		return err
	}
	return b.Store.View(ctx, f)
}

func (b *breakable) Update(ctx context.Context, f func(jobs.Tx) error) error {
	if b.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := b.fail(); err != nil {
		return err
	}
	err := b.Store.Update(ctx, f)
	if err == nil && b.mute.Add(-1) >= 0 {
		return errUnreachable
	}
	return err
}

func (b *breakable) Due(ctx context.Context, kinds []string, now, realNow time.Time) (bool, error) {
	if err := b.fail(); err != nil {
		return false, err
	}
	return b.Store.Due(ctx, kinds, now, realNow)
}

// deaf is a store that other processes enqueue into.
type deaf struct{ jobs.Store }

func (deaf) Enqueued() <-chan struct{} { return nil }

// clock is one that can be moved.
type clock struct{ by atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.by.Load())) }
func (c *clock) move(d time.Duration) { c.by.Add(int64(d)) }

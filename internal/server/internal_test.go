package server

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/supportd/supportd/internal/jobs"
)

func TestReadinessDoesNotWaitForAStuckCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		var runs atomic.Int32
		c := &sharedCheck{check: func(context.Context) error { runs.Add(1); <-free; return nil }}
		for range 3 {
			start := time.Now()
			err := c.outcome(t.Context())
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != checkTimeout {
				t.Errorf("outcome of a stuck check = %v after %v, want a deadline after %v", err, time.Since(start), checkTimeout)
			}
		}
		if runs.Load() != 1 {
			t.Errorf("three questions started %d checks, want one for all while it is stuck", runs.Load())
		}
		close(free)
		synctest.Wait()
		if err := c.outcome(t.Context()); err != nil || runs.Load() != 2 {
			t.Errorf("outcome afterwards = %v in run %d, want success in run 2", err, runs.Load())
		}
	})
}

func TestAnErrorOfLoadingIsNotKept(t *testing.T) {
	t.Parallel()
	var calls int
	passing := errors.New("the folder is being replaced")
	load := onceLoaded(func() (int, error) {
		if calls++; calls == 1 {
			return 0, passing
		}
		return calls, nil
	})
	if _, err := load(); !errors.Is(err, passing) {
		t.Errorf("first load = %v, want %v", err, passing)
	}
	for range 2 {
		if got, err := load(); got != 2 || err != nil {
			t.Errorf("load() = %d, %v, want what the second call loaded", got, err)
		}
	}
}

func TestAResetWaitsForTheJobThatRuns(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Config{Data: t.TempDir(), Test: &Test{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	reset := make(chan error, 1)
	guarded := s.guardJobs([]jobs.Kind{{Name: "long", Handler: func(ctx context.Context, _ jobs.Job) error {
		go func() { reset <- s.Test.Reset(ctx) }()
		select {
		case err := <-reset:
			return fmt.Errorf("the reset did not wait: it ended with %v", err)
		case <-time.After(100 * time.Millisecond): // many times what a reset takes
			return nil
		}
	}}})
	if err := guarded[0].Handler(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	if err := <-reset; err != nil {
		t.Errorf("Reset() after the job = %v, want nil", err)
	}
}

package server

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
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

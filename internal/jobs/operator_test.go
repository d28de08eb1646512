package jobs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/jobs"
)

// mustBury makes all jobs dead, whatever their kinds.
func (w *world) mustBury(kinds ...string) {
	w.Helper()
	w.mustUpdate(func(tx jobs.Tx) error {
		all, err := tx.Claim(w.Context(), kinds, time.Now(), jobs.Lease{Token: "bury", Until: time.Now()}, 10_000)
		for _, j := range all {
			j.Error = "refused"
			err = errors.Join(err, tx.Bury(w.Context(), j))
		}
		return err
	})
}

func (w *world) states(kind string) map[jobs.State]int {
	w.Helper()
	times := map[jobs.State]int{}
	for _, j := range w.mustList(jobs.Filter{Kind: kind}) {
		times[j.State]++
	}
	return times
}

func (w *world) wantStates(call, kind string, want map[jobs.State]int) {
	w.Helper()
	if diff := cmp.Diff(want, w.states(kind)); diff != "" {
		w.Errorf("states of jobs of kind %s after %s (-want +got):\n%s", kind, call, diff)
	}
}

func TestAnOperatorRetriesAndDiscardsDeadJobs(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.runner(w.once)
		w.mustEnqueueMany(3)
		w.mustBury(kind)
		if err := r.Retry(w.Context(), account, "0", "1", "none"); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("Retry(two jobs and none) = %v, want %v", err, jobs.ErrNotFound)
		}
		w.wantStates("a Retry that was refused", kind, map[jobs.State]int{jobs.Dead: 3})
		if err := r.Retry(w.Context(), account, "0", "1"); err != nil {
			t.Errorf("Retry(two jobs) = %v, want nil", err)
		}
		w.wantStates("Retry", kind, map[jobs.State]int{jobs.Dead: 1, jobs.Waiting: 2})
		if err := r.Discard(w.Context(), account, "0"); !errors.Is(err, jobs.ErrNotDead) {
			t.Errorf("Discard(job that waits) = %v, want %v", err, jobs.ErrNotDead)
		}
		if err := r.Discard(w.Context(), account, "2"); err != nil {
			t.Errorf("Discard() = %v, want nil", err)
		}
		w.wantStates("Discard", kind, map[jobs.State]int{jobs.Waiting: 2})
	})
}

func TestAnOperatorRetriesAndDiscardsAllOfAKind(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.runner(w.once)
		w.mustEnqueueMany(250)
		w.mustEnqueue(jobs.Job{Account: account, ID: "keyed", Key: "key"}, jobs.Job{Kind: "another"})
		w.mustBury(kind, "another")
		w.mustEnqueue(jobs.Job{Account: account, ID: "instead", Key: "key"})
		f := jobs.Filter{Kind: kind}
		if n, err := r.RetryAll(w.Context(), jobs.Filter{Kind: kind, Account: new("none")}); n != 0 || err != nil {
			t.Errorf("RetryAll(of another account) = %d, %v, want 0, nil", n, err)
		}
		if n, err := r.RetryAll(w.Context(), f); n != 250 || err != nil {
			t.Errorf("RetryAll() = %d, %v, want all but the one whose key is taken, 250", n, err)
		}
		w.wantStates("RetryAll", kind, map[jobs.State]int{jobs.Waiting: 251, jobs.Dead: 1})
		w.mustBury(kind)
		if n, err := r.DiscardAll(w.Context(), f); n != 252 || err != nil {
			t.Errorf("DiscardAll() = %d, %v, want 252, nil", n, err)
		}
		w.wantNoJob()
		w.wantStates("DiscardAll of another", "another", map[jobs.State]int{jobs.Dead: 1})
	})
}

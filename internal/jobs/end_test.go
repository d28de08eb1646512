package jobs_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/supportd/supportd/internal/jobs"
)

func TestTheEndWaitsForRunningJobsAndBeginsNone(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.runner(func(ctx context.Context, job jobs.Job) error {
			time.Sleep(5 * time.Second)
			return errors.Join(ctx.Err(), w.once(ctx, job))
		})
		r.Workers = 1
		stop := w.start(r)
		w.mustEnqueueMany(2)
		synctest.Wait()
		began := time.Now()
		stop()
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("the end took %v, want as long as the running job, 5s", took)
		}
		if job := w.mustJob(); job.State != jobs.Waiting || job.Attempt != 0 {
			t.Errorf("job that waits after the end = %v, want it untouched", job)
		}
		if got := w.outcomes(); got[jobs.Done] != 1 || len(got) != 1 {
			t.Errorf("outcomes = %v, want one done", got)
		}
	})
}

func TestAnIdleRunnerEndsAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		stop := w.start(w.runner(w.once))
		synctest.Wait()
		began := time.Now()
		stop()
		if took := time.Since(began); took != 0 {
			t.Errorf("the end of an idle runner took %v, want 0", took)
		}
	})
}

func TestAJobThatOutlastsTheGraceIsGivenBackUncounted(t *testing.T) {
	inWorld(t, func(w *world) {
		var cause error
		k := jobs.Kind{Name: kind, MaxAttempts: 1, Handler: func(ctx context.Context, _ jobs.Job) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		}}
		stop := w.start(w.runnerOf(k))
		w.mustEnqueueMany(1)
		synctest.Wait()
		before, began := w.mustJob(), time.Now()
		stop()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("the end took %v, want the grace period, 10s", took)
		}
		job := w.mustJob()
		if job.State != jobs.Waiting || job.Attempt != before.Attempt-1 || job.Error != "" || !job.RunAt.Equal(before.RunAt) {
			t.Errorf("job that was interrupted = %v, want it as before it was begun", job)
		}
		if cause == nil || errors.Is(cause, jobs.ErrLeaseLost) {
			t.Errorf("cause of the end of the handler = %v, want the end of the runner", cause)
		}
		if r := w.mustRecord(); r["level"] != "INFO" || r["outcome"] != "returned" {
			t.Errorf("log record = %v, want level INFO, outcome returned", r)
		}
		w.start(w.runner(w.once))
		time.Sleep(2 * time.Second)
		w.wantEffects(1)
	})
}

func TestAJobThatWillNeverSucceedIsDeadAlsoAtTheEnd(t *testing.T) {
	inWorld(t, func(w *world) {
		stop := w.start(w.runner(func(ctx context.Context, _ jobs.Job) error {
			<-ctx.Done()
			return jobs.Permanent(errors.New("never"))
		}))
		w.mustEnqueueMany(1)
		synctest.Wait()
		stop()
		if job := w.mustJob(); job.State != jobs.Dead {
			t.Errorf("job = %v, want it dead", job)
		}
	})
}

func TestAHandlerThatDoesNotReturnIsLeftBehind(t *testing.T) {
	inWorld(t, func(w *world) {
		release, late := make(chan struct{}), make(chan error, 1)
		stop := w.start(w.runner(func(ctx context.Context, job jobs.Job) error {
			<-release
			err := once(context.WithoutCancel(ctx), w.store.Jobs(), job)
			late <- err
			return err
		}))
		w.mustEnqueueMany(1)
		synctest.Wait()
		began := time.Now()
		stop()
		if took := time.Since(began); took != 15*time.Second {
			t.Errorf("the end took %v, want the grace period and five seconds", took)
		}
		if job := w.mustJob(); job.State != jobs.Waiting || job.Attempt != 0 {
			t.Errorf("job of a handler that does not return = %v, want it as before it was begun", job)
		}
		w.start(w.runner(w.once))
		time.Sleep(2 * time.Second)
		close(release)
		if err := <-late; !errors.Is(err, jobs.ErrLeaseLost) {
			t.Errorf("transaction of the handler that was left behind = %v, want %v", err, jobs.ErrLeaseLost)
		}
		synctest.Wait()
		w.wantNoJob()
		w.wantEffects(1)
	})
}

func TestAnUnreachableStoreIsWaitedForInFewWords(t *testing.T) {
	inWorld(t, func(w *world) {
		s := &breakable{Store: w.store.Jobs()}
		s.broken.Store(true)
		r := w.runner(w.once)
		r.Store = s
		w.start(r)
		time.Sleep(time.Hour)
		if n := s.calls.Load(); n < 1000 || n > 10_000 {
			t.Errorf("a store that is unreachable for an hour was asked %d times, want about once a second", n)
		}
		records := w.log.records(t, "the store of the jobs does not answer")
		if n := len(records); n < 5 || n > 30 {
			t.Errorf("an hour without the store is logged %d times, want a few times", n)
		}
		if r := records[0]; r["level"] != "ERROR" || r["error"] != errUnreachable.Error() {
			t.Errorf("log record of an unreachable store = %v", r)
		}
		s.broken.Store(false)
		w.mustEnqueueMany(1)
		time.Sleep(10 * time.Second)
		w.wantEffects(1)
		if n := len(w.log.records(t, "the store of the jobs answers again")); n != 1 {
			t.Errorf("the end of an outage is logged %d times, want once", n)
		}
	})
}

// The handler succeeds while the store is out of reach for less than a lease.
func TestAnOutcomeIsKeptUntilTheStoreTakesIt(t *testing.T) {
	inWorld(t, func(w *world) {
		s := &breakable{Store: w.store.Jobs()}
		r := w.runner(func(context.Context, jobs.Job) error {
			s.broken.Store(true)
			return nil
		})
		r.Store = s
		w.start(r)
		w.mustEnqueueMany(1)
		time.Sleep(20 * time.Second)
		if job := w.mustJob(); job.State != jobs.Running {
			t.Errorf("job whose success could not be written = %v, want it running", job)
		}
		s.broken.Store(false)
		time.Sleep(20 * time.Second)
		w.wantNoJob()
		if got := w.outcomes(); got[jobs.Done] != 1 || len(got) != 1 {
			t.Errorf("outcomes = %v, want one done", got)
		}
	})
}

// After an outage that is longer than the lease, the node rescues its own job.
func TestAnOutcomeThatCouldNotBeWrittenIsLost(t *testing.T) {
	inWorld(t, func(w *world) {
		s := &breakable{Store: w.store.Jobs()}
		r := w.runner(func(ctx context.Context, job jobs.Job) error {
			if job.Attempt == 1 {
				s.broken.Store(true)
				return nil
			}
			return w.once(ctx, job)
		})
		r.Store = s
		w.start(r)
		w.mustEnqueueMany(1)
		time.Sleep(time.Minute)
		if got := w.outcomes(); got[jobs.Lost] != 1 {
			t.Errorf("outcomes after a lease = %v, want one lost", got)
		}
		s.broken.Store(false)
		time.Sleep(time.Minute)
		w.wantNoJob()
		w.wantEffects(1)
	})
}

// The handler ends its job and then fails: what is over is over.
func TestAFailureAfterFinishChangesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start(w.runner(func(ctx context.Context, job jobs.Job) error {
			return errors.Join(w.once(ctx, job), errors.New("afterwards"))
		}))
		w.mustEnqueueMany(1)
		time.Sleep(time.Minute)
		w.wantNoJob()
		w.wantEffects(1)
		if r := w.mustRecord(); r["outcome"] != "done" || r["error"] != "afterwards" {
			t.Errorf("log record = %v, want outcome done and the error", r)
		}
	})
}

// Eight jobs of which nobody can be told wait together, not one after the other.
func TestTheEndIsBoundedAlsoWhenTheStoreHangs(t *testing.T) {
	inWorld(t, func(w *world) {
		release := make(chan struct{})
		b := &breakable{Store: w.store.Jobs()}
		r := w.runner(func(context.Context, jobs.Job) error { <-release; return nil })
		r.Store = b
		stop := w.start(r)
		w.mustEnqueueMany(8)
		synctest.Wait()
		b.hangs.Store(true)
		began := time.Now()
		stop()
		if took := time.Since(began); took > 30*time.Second {
			w.Errorf("the end took %v, want the grace period, five seconds and the bound of one transaction", took)
		}
		b.hangs.Store(false)
		close(release)
		synctest.Wait()
	})
}

func TestABurialWhoseAnswerWasLostIsToldAsOne(t *testing.T) {
	inWorld(t, func(w *world) {
		b := &breakable{Store: w.store.Jobs()}
		r := w.runnerOf(jobs.Kind{Name: kind, Handler: func(context.Context, jobs.Job) error {
			b.mute.Store(1)
			return jobs.Permanent(errors.New("never"))
		}})
		r.Store = b
		w.start(r)
		w.mustEnqueueMany(1)
		time.Sleep(10 * time.Second)
		if job := w.mustJob(); job.State != jobs.Dead {
			t.Errorf("job = %v, want it dead", job)
		}
		if got := w.outcomes(); got[jobs.Buried] != 1 || len(got) != 1 {
			t.Errorf("outcomes = %v, want one buried", got)
		}
	})
}

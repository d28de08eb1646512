package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/jobs"
)

func TestAnEnqueuedJobIsDoneAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		var got jobs.Job
		w.start(w.runner(func(_ context.Context, job jobs.Job) error {
			got = job
			return nil
		}))
		synctest.Wait()
		began := time.Now()
		w.mustEnqueue(jobs.Job{Account: account, ID: "a", Payload: []byte("{}")})
		synctest.Wait()
		got.Lease = ""
		if diff := cmp.Diff(jobs.Job{Account: account, ID: "a", Kind: kind, Payload: []byte("{}"), State: jobs.Running, Attempt: 1}, got); diff != "" {
			t.Errorf("job of the handler (-want +got):\n%s", diff)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the job of this process was done after %v, want at once", took)
		}
		w.wantNoJob()
		if r := w.mustRecord(); r["level"] != "INFO" || r["outcome"] != "done" || r["job_id"] != "a" || r["kind"] != kind {
			t.Errorf("log record of a job that succeeded = %v", r)
		}
	})
}

func TestJobsOfOtherProcessesAreFoundWithinTwoSeconds(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.runner(w.once)
		r.Store = deaf{r.Store}
		w.start(r)
		synctest.Wait()
		w.mustEnqueueMany(1)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.wantNoJob()
		w.wantEffects(1)
	})
}

func TestManyRunnersDoEachJobOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		const count = 60
		for range 4 {
			r := w.runner(w.once)
			r.Workers = 3
			w.start(r)
		}
		w.mustEnqueueMany(count)
		time.Sleep(5 * time.Second)
		w.wantNoJob()
		w.wantEffects(count)
		if got := w.outcomes(); got[jobs.Done] != count {
			t.Errorf("outcomes = %v, want %d done", got, count)
		}
	})
}

func TestWorkersAreBoundedAndNeverIdleWhileJobsWait(t *testing.T) {
	inWorld(t, func(w *world) {
		var running, most atomic.Int64
		r := w.runner(func(context.Context, jobs.Job) error {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(100 * time.Millisecond)
			running.Add(-1)
			return nil
		})
		r.Workers = 4
		w.mustEnqueueMany(40)
		w.start(r)
		time.Sleep(999 * time.Millisecond) // 1 ms less than 40 jobs of 100 ms take with 4 workers
		synctest.Wait()
		if got := w.outcomes()[jobs.Done]; got != 36 {
			t.Errorf("%d jobs are done, want 36: the workers do not wait for a poll", got)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		w.wantNoJob()
		if most.Load() != 4 {
			t.Errorf("up to %d jobs ran at once, want 4", most.Load())
		}
	})
}

func TestUrgentJobsComeFirst(t *testing.T) {
	inWorld(t, func(w *world) {
		var order []string
		r := w.runner(func(_ context.Context, job jobs.Job) error {
			order = append(order, job.ID)
			return nil
		})
		r.Workers = 1
		w.mustEnqueue(jobs.Job{ID: "idle", Priority: jobs.Idle}, jobs.Job{ID: "normal"}, jobs.Job{ID: "urgent", Priority: jobs.Urgent})
		w.start(r)
		synctest.Wait()
		if diff := cmp.Diff([]string{"urgent", "normal", "idle"}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

func TestALeaseIsRenewedWhileTheHandlerRuns(t *testing.T) {
	inWorld(t, func(w *world) {
		slow := func(ctx context.Context, job jobs.Job) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Minute):
				return w.once(ctx, job)
			}
		}
		w.start(w.runner(slow))
		w.start(w.runner(slow))
		w.mustEnqueueMany(1)
		time.Sleep(6 * time.Minute)
		w.wantNoJob()
		w.wantEffects(1)
		if diff := cmp.Diff(map[jobs.Outcome]int{jobs.Done: 1}, w.outcomes()); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
	})
}

// The first node loses the database, while its handler goes on whatever its
// context says. The second one does the job; then the first comes back.
func TestANodeThatLostItsLeaseHasNoEffect(t *testing.T) {
	inWorld(t, func(w *world) {
		cut := &breakable{Store: w.store.Jobs()}
		began, lost, back := make(chan struct{}), make(chan time.Time, 1), make(chan struct{})
		var late error
		first := w.runner(func(ctx context.Context, job jobs.Job) error {
			close(began)
			<-ctx.Done()
			lost <- time.Now()
			<-back
			late = once(context.WithoutCancel(ctx), cut, job)
			return late
		})
		first.Store = cut
		w.start(first)
		w.mustEnqueueMany(1)
		<-began
		start := time.Now()
		cut.broken.Store(true)
		w.start(w.runner(w.once))
		time.Sleep(time.Minute)
		if took := (<-lost).Sub(start); took > 30*time.Second {
			t.Errorf("the handler of the node that lost the database was stopped after %v, want within its lease of 30s", took)
		}
		w.wantNoJob()
		w.wantEffects(1)
		cut.broken.Store(false)
		close(back)
		synctest.Wait()
		if !errors.Is(late, jobs.ErrLeaseLost) {
			t.Errorf("transaction of the node that lost its lease = %v, want %v", late, jobs.ErrLeaseLost)
		}
		w.wantEffects(1)
		if got := w.outcomes(); got[jobs.Rescued] != 1 || got[jobs.Done] == 0 {
			t.Errorf("outcomes = %v, want one rescue", got)
		}
	})
}

// takeAway gives a job that runs to a runner that is not there.
func (w *world) takeAway() (other jobs.Job) {
	w.Helper()
	w.mustUpdate(func(tx jobs.Tx) error {
		if err := tx.Retry(w.Context(), w.mustJob()); err != nil {
			return err
		}
		claimed, err := tx.Claim(w.Context(), []string{kind}, time.Now(), jobs.Lease{Token: "other", Until: time.Now().Add(time.Hour)}, 1)
		if len(claimed) == 1 {
			other = claimed[0]
		}
		return err
	})
	return other
}

func TestAHandlerIsToldThatItsLeaseIsLost(t *testing.T) {
	inWorld(t, func(w *world) {
		var cause error
		w.start(w.runner(func(ctx context.Context, _ jobs.Job) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		}))
		w.mustEnqueueMany(1)
		synctest.Wait()
		other := w.takeAway()
		time.Sleep(11 * time.Second) // a third of the lease, and a little
		synctest.Wait()
		if !errors.Is(cause, jobs.ErrLeaseLost) {
			t.Errorf("cause of the end of a handler whose lease was lost = %v, want %v", cause, jobs.ErrLeaseLost)
		}
		if diff := cmp.Diff(other, w.mustJob()); diff != "" {
			t.Errorf("job of the other runner (-want +got):\n%s", diff)
		}
		if r := w.mustRecord(); r["level"] != "INFO" || r["outcome"] != "lost" {
			t.Errorf("log record of a lost job = %v, want level INFO, outcome lost", r)
		}
	})
}

// A handler that leaves Finish to the runner succeeds after its lease was lost:
// the other runner does it again.
func TestASuccessWithoutALeaseIsNone(t *testing.T) {
	inWorld(t, func(w *world) {
		proceed := make(chan struct{})
		w.start(w.runner(func(context.Context, jobs.Job) error {
			<-proceed
			return nil
		}))
		w.mustEnqueueMany(1)
		synctest.Wait()
		other := w.takeAway()
		close(proceed)
		synctest.Wait()
		if diff := cmp.Diff(other, w.mustJob()); diff != "" {
			t.Errorf("job of the other runner (-want +got):\n%s", diff)
		}
		if r := w.mustRecord(); r["level"] != "INFO" || r["outcome"] != "lost" {
			t.Errorf("log record of a lost job = %v, want level INFO, outcome lost", r)
		}
	})
}

// claimAsDeadNode claims the job, due or not, for half a minute.
func (w *world) claimAsDeadNode() {
	w.Helper()
	w.mustUpdate(func(tx jobs.Tx) error {
		claimed, err := tx.Claim(w.Context(), []string{kind}, time.Now().Add(24*time.Hour), jobs.Lease{Token: time.Now().String(), Until: time.Now().Add(30 * time.Second)}, 1)
		if len(claimed) != 1 {
			return fmt.Errorf("Claim() = %v, %w, want one job", claimed, err)
		}
		return err
	})
}

func TestJobsOfDeadNodesAreRescued(t *testing.T) {
	inWorld(t, func(w *world) {
		w.mustEnqueueMany(1)
		w.claimAsDeadNode()
		attempt, began := 0, time.Now()
		var took time.Duration
		w.start(w.runner(func(ctx context.Context, job jobs.Job) error {
			attempt, took = job.Attempt, time.Since(began)
			return w.once(ctx, job)
		}))
		time.Sleep(time.Minute)
		w.wantNoJob()
		w.wantEffects(1)
		if attempt != 2 || took < 30*time.Second || took > 40*time.Second {
			t.Errorf("the job of a dead node was begun in attempt %d after %v, want 2 after half a minute and the back-off", attempt, took)
		}
	})
}

func TestJobsWhoseNodesDieTooOftenAreDead(t *testing.T) {
	inWorld(t, func(w *world) {
		w.mustEnqueueMany(1)
		k := jobs.Kind{Name: kind, MaxAttempts: 3, Handler: func(context.Context, jobs.Job) error {
			t.Error("a job whose nodes died too often was begun")
			return nil
		}}
		for i := range 3 {
			if i > 0 {
				w.mustUpdate(func(tx jobs.Tx) error { return tx.Retry(w.Context(), w.mustJob()) })
			}
			w.claimAsDeadNode()
		}
		w.start(w.runnerOf(k))
		time.Sleep(40 * time.Second)
		job := w.mustJob()
		if job.State != jobs.Dead || job.Attempt != 3 || job.Error != "the node that ran it died or lost the database" {
			t.Errorf("job whose nodes died three times of three = %v, want it dead with the reason", job)
		}
	})
}

func TestFailedJobsAreTriedAgainLaterAndLater(t *testing.T) {
	inWorld(t, func(w *world) {
		var begun []time.Time
		w.start(w.runnerOf(jobs.Kind{
			Name: kind, MaxAttempts: 6, Backoff: time.Minute, MaxBackoff: 5 * time.Minute,
			Handler: func(_ context.Context, job jobs.Job) error {
				begun = append(begun, time.Now())
				if job.Attempt != len(begun) {
					t.Errorf("attempt = %d, want %d", job.Attempt, len(begun))
				}
				return fmt.Errorf("refused %d", job.Attempt)
			},
		}))
		w.mustEnqueueMany(1)
		time.Sleep(time.Hour)
		if len(begun) != 6 {
			t.Fatalf("a job that always fails was begun %d times, want 6", len(begun))
		}
		const poll = 2 * time.Second
		for i, most := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute} {
			if pause := begun[i+1].Sub(begun[i]); pause > most+poll {
				t.Errorf("pause after attempt %d = %v, want up to %v", i+1, pause, most)
			}
		}
		if job := w.mustJob(); job.State != jobs.Dead || job.Error != "refused 6" {
			t.Errorf("job after its last attempt = %v, want it dead with the last error", job)
		}
		records := w.log.records(t, "job")
		for i, r := range records {
			want := "WARN"
			if i == 5 {
				want = "ERROR"
			}
			if r["level"] != want || r["error"] != fmt.Sprint("refused ", i+1) {
				t.Errorf("log record %d = %v, want level %s and the error", i, r, want)
			}
		}
		if diff := cmp.Diff(map[jobs.Outcome]int{jobs.Failed: 5, jobs.Buried: 1}, w.outcomes()); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
	})
}

func TestAHandlerSaysNever(t *testing.T) {
	inWorld(t, func(w *world) {
		gone := errors.New("the account is gone")
		w.start(w.runner(func(context.Context, jobs.Job) error {
			return fmt.Errorf("refresh: %w", jobs.Permanent(gone))
		}))
		w.mustEnqueueMany(1)
		synctest.Wait()
		if job := w.mustJob(); job.State != jobs.Dead || job.Attempt != 1 || job.Error != "refresh: the account is gone" {
			t.Errorf("job that never succeeds = %v, want it dead after one attempt", job)
		}
	})
}

func TestAHandlerSaysWhen(t *testing.T) {
	inWorld(t, func(w *world) {
		var c clock
		c.move(24 * time.Hour)
		busy := errors.New("busy")
		r := w.runner(func(context.Context, jobs.Job) error {
			return fmt.Errorf("collect: %w", jobs.After(3*time.Hour, busy))
		})
		r.Now = c.now
		w.start(r)
		w.mustEnqueueMany(1)
		synctest.Wait()
		job, want := w.mustJob(), c.now().Add(3*time.Hour)
		if job.State != jobs.Waiting || !job.RunAt.Equal(want) || job.Error != "collect: busy" {
			t.Errorf("job = %v, want it to wait until %v", job, want)
		}
	})
}

func TestNoErrorIsNeitherNeverNorLater(t *testing.T) {
	t.Parallel()
	if err := errors.Join(jobs.Permanent(nil), jobs.After(time.Hour, nil)); err != nil {
		t.Errorf("Permanent(nil) and After(nil) = %v, want nil", err)
	}
	inner := errors.New("inner")
	for _, err := range []error{jobs.Permanent(inner), jobs.After(time.Hour, inner)} {
		if !errors.Is(err, inner) {
			t.Errorf("%T does not wrap its error", err)
		}
	}
}

func TestAPanicIsAFailureOfItsJobOnly(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start(w.runner(func(ctx context.Context, job jobs.Job) error {
			if job.ID == "bad" {
				panic("broken")
			}
			return w.once(ctx, job)
		}))
		w.mustEnqueue(jobs.Job{ID: "bad"})
		synctest.Wait()
		if job := w.mustJob(); job.State != jobs.Waiting || job.Error != "panic: broken" || job.RunAt.IsZero() {
			t.Errorf("job whose handler panicked = %v, want it to wait with the error", job)
		}
		if r := w.mustRecord(); !strings.Contains(fmt.Sprint(r["stack"]), "TestAPanicIsAFailure") {
			t.Errorf("log record of a panic = %v, want the stack", r)
		}
		w.mustEnqueueMany(1)
		synctest.Wait()
		w.wantEffects(1)
	})
}

func TestAnAttemptHasATimeout(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start(w.runnerOf(jobs.Kind{Name: kind, Timeout: time.Minute, Handler: func(ctx context.Context, _ jobs.Job) error {
			<-ctx.Done()
			return ctx.Err()
		}}))
		w.mustEnqueueMany(1)
		time.Sleep(time.Minute)
		synctest.Wait()
		if job := w.mustJob(); job.State != jobs.Waiting || job.Error != context.DeadlineExceeded.Error() {
			t.Errorf("job after a minute = %v, want it to wait with %v", job, context.DeadlineExceeded)
		}
	})
}

func TestUnknownKindsAreLeftToOthersButRescued(t *testing.T) {
	inWorld(t, func(w *world) {
		other := w.runnerOf(jobs.Kind{Name: "another", Handler: func(context.Context, jobs.Job) error {
			t.Error("a job of an unknown kind was begun")
			return nil
		}})
		w.start(other)
		w.mustEnqueueMany(1)
		time.Sleep(time.Minute)
		if job := w.mustJob(); job.State != jobs.Waiting || job.Attempt != 0 {
			t.Errorf("job of an unknown kind = %v, want it untouched", job)
		}
		for attempt := range 30 {
			w.claimAsDeadNode()
			time.Sleep(40 * time.Second)
			if job := w.mustJob(); job.State != jobs.Waiting || job.Attempt != attempt+1 {
				t.Fatalf("job of an unknown kind whose node died = %v, want it to wait", job)
			}
		}
	})
}

func TestJobsWaitForTheRulesClock(t *testing.T) {
	inWorld(t, func(w *world) {
		var c clock
		r := w.runner(w.once)
		r.Now = c.now
		w.start(r)
		w.mustEnqueue(jobs.Job{ID: "0", RunAt: c.now().Add(365 * 24 * time.Hour)})
		time.Sleep(time.Minute)
		w.mustJob()
		c.move(365 * 24 * time.Hour)
		time.Sleep(2 * time.Second)
		w.wantNoJob()
		w.wantEffects(1)
	})
}

// A clock that is moved neither ends leases nor keeps them.
func TestLeasesAreOfTheRealClock(t *testing.T) {
	inWorld(t, func(w *world) {
		var c clock
		slow := w.runner(func(ctx context.Context, job jobs.Job) error {
			time.Sleep(time.Minute)
			return w.once(ctx, job)
		})
		slow.Now = c.now
		other := w.runner(w.once)
		other.Now = c.now
		w.mustEnqueueMany(1)
		w.start(slow)
		synctest.Wait()
		w.start(other)
		c.move(24 * time.Hour)
		time.Sleep(2 * time.Minute)
		w.wantEffects(1)
		if got := w.outcomes(); got[jobs.Rescued] != 0 {
			t.Errorf("outcomes after the rules' clock was moved = %v, want no rescue", got)
		}
	})
}

// ticks is a kind that comes by itself, every ten minutes, and records its turns.
func (w *world) ticks() (k jobs.Kind, turns func() int) {
	var mu sync.Mutex
	n := 0
	return jobs.Kind{Name: "tick", Every: 10 * time.Minute, Handler: func(context.Context, jobs.Job) error {
		mu.Lock()
		defer mu.Unlock()
		n++
		return nil
	}}, func() int {
		mu.Lock()
		defer mu.Unlock()
		got := n
		n = 0
		return got
	}
}

func TestATurnIsTakenOnceByAllRunnersWhateverTheirClocks(t *testing.T) {
	inWorld(t, func(w *world) {
		k, turns := w.ticks()
		for _, by := range []time.Duration{0, 3 * time.Second, -5 * time.Second, 4 * time.Minute, -3 * time.Minute} {
			r := w.runnerOf(k)
			r.Poll = 10 * time.Second
			var c clock
			c.move(by)
			r.Now = c.now
			w.start(r)
		}
		time.Sleep(5 * time.Minute)
		turns() // the first one, and perhaps one because a clock is beyond the hour
		for hour := range 3 {
			time.Sleep(time.Hour)
			if got := turns(); got != 6 {
				t.Errorf("turns in hour %d = %d, want 6", hour, got)
			}
		}
	})
}

func TestANodeThatStartsWithASlowClockTakesNoTurnAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		k, turns := w.ticks()
		w.start(w.runnerOf(k))
		time.Sleep(11 * time.Minute)
		if got := turns(); got != 2 {
			t.Errorf("turns in eleven minutes = %d, want 2", got)
		}
		slow := w.runnerOf(k)
		var c clock
		c.move(-4 * time.Minute)
		slow.Now = c.now
		w.start(slow)
		time.Sleep(8 * time.Minute)
		if got := turns(); got != 0 {
			t.Errorf("turns after the start of a node with a slow clock = %d, want 0", got)
		}
	})
}

func TestANewScheduleBeginsAtOnceAndMissedTurnsAreOne(t *testing.T) {
	inWorld(t, func(w *world) {
		k, turns := w.ticks()
		stop := w.start(w.runnerOf(k))
		synctest.Wait()
		if got := turns(); got != 1 {
			t.Errorf("turns of a new schedule = %d, want 1", got)
		}
		time.Sleep(9 * time.Minute)
		if got := turns(); got != 0 {
			t.Errorf("turns before the next is due = %d, want 0", got)
		}
		stop()
		time.Sleep(24*time.Hour + 3*time.Minute) // in the middle of a turn
		w.start(w.runnerOf(k))
		time.Sleep(5 * time.Minute)
		if got := turns(); got != 1 {
			t.Errorf("turns after a day without a runner = %d, want 1", got)
		}
	})
}

func TestSchedulesFollowAClockThatIsMoved(t *testing.T) {
	inWorld(t, func(w *world) {
		var c clock
		k, turns := w.ticks()
		r := w.runnerOf(k)
		r.Now = c.now
		w.start(r)
		synctest.Wait()
		turns()
		for _, by := range []time.Duration{24 * time.Hour, -48 * time.Hour} {
			c.move(by)
			time.Sleep(2 * time.Second)
			if got := turns(); got != 1 {
				t.Errorf("turns after the clock was moved by %v = %d, want 1", by, got)
			}
		}
		time.Sleep(time.Hour)
		if got := turns(); got != 6 {
			t.Errorf("turns in the hour after the clock was moved back = %d, want 6", got)
		}
	})
}

// Turns come every few seconds; the log is for those that say something.
func TestATurnThatGoesWellIsQuiet(t *testing.T) {
	inWorld(t, func(w *world) {
		turns := 0
		w.start(w.runnerOf(jobs.Kind{Name: kind, Every: time.Hour, Backoff: time.Second, Handler: func(context.Context, jobs.Job) error {
			if turns++; turns == 2 {
				return errors.New("once")
			}
			return nil
		}}))
		time.Sleep(4*time.Hour + 30*time.Minute)
		var told []string
		for _, r := range w.log.records(w.T, "job") {
			told = append(told, fmt.Sprint(r["level"], " ", r["outcome"], " ", r["attempt"]))
		}
		if diff := cmp.Diff([]string{"WARN failed 1", "INFO done 2"}, told); diff != "" {
			t.Errorf("log of four turns, one of which failed once (-want +got):\n%s", diff)
		}
		if got := w.outcomes()[jobs.Done]; got < 4 {
			t.Errorf("%d turns were observed as done, want at least 4", got)
		}
	})
}

func TestATurnDoesNotPileUpBehindOneThatRuns(t *testing.T) {
	inWorld(t, func(w *world) {
		var begun atomic.Int64
		w.start(w.runnerOf(jobs.Kind{Name: kind, Every: time.Minute, Timeout: time.Hour, Handler: func(ctx context.Context, _ jobs.Job) error {
			begun.Add(1)
			<-ctx.Done()
			return ctx.Err()
		}}))
		time.Sleep(10 * time.Minute)
		if found := w.mustList(jobs.Filter{Kind: kind}); len(found) != 1 || begun.Load() != 1 {
			t.Errorf("jobs of a schedule that is slower than its turns = %v, begun %d times, want one", found, begun.Load())
		}
	})
}

func TestKindsAreCheckedAtTheStart(t *testing.T) {
	t.Parallel()
	handler := func(context.Context, jobs.Job) error { return nil }
	for name, kinds := range map[string][]jobs.Kind{
		"twice":   {{Name: "a", Handler: handler}, {Name: "a", Handler: handler}},
		"nothing": {{Name: "a"}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Run with a kind that has %s to do it does not panic", name)
				}
			}()
			(&jobs.Runner{Kinds: kinds}).Run(t.Context())
		}()
	}
}

package jobs

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"
)

// attempt is one attempt at a job by this runner.
type attempt struct {
	work *work
	job  Job
	kind Kind
	held context.Context // ends with the lease
	lose context.CancelCauseFunc
}

// begin starts an attempt at a job that is leased until then.
func (w *work) begin(job Job, until time.Time) {
	a := &attempt{work: w, job: job, kind: w.kinds[job.Kind]}
	a.held, a.lose = context.WithCancelCause(context.WithoutCancel(w.handlers))
	w.mu.Lock()
	w.running[a] = true
	w.mu.Unlock()
	w.ended.Go(func() {
		defer w.release(a)
		a.run(until)
	})
}

// release makes the worker of an attempt free.
func (w *work) release(a *attempt) {
	a.lose(nil)
	w.mu.Lock()
	delete(w.running, a)
	w.mu.Unlock()
	select {
	case w.freed <- struct{}{}:
	default: // the runner has been told, and has not looked yet
	}
}

func (a *attempt) run(until time.Time) {
	a.work.ended.Go(func() { a.keep(until) })
	ctx, stop := context.WithCancelCause(a.held)
	defer stop(nil)
	defer context.AfterFunc(a.work.handlers, func() { stop(errStopping) })()
	began := time.Now()
	err := a.call(ctx)
	took := time.Since(began)
	a.settle(err, took, context.Cause(ctx) == errStopping)
}

// keep renews the lease until the attempt ends or the lease is lost. The lease
// is also lost, for all that this runner can know, when its time is over.
func (a *attempt) keep(until time.Time) {
	over := time.AfterFunc(time.Until(until), func() { a.lose(ErrLeaseLost) })
	defer over.Stop()
	beat := time.NewTimer(a.work.Lease / 3)
	defer beat.Stop()
	for {
		select {
		case <-a.held.Done():
			return
		case <-beat.C:
		}
		until := time.Now().Add(a.work.Lease)
		err := a.work.update(a.held, func(ctx context.Context, tx Tx) error { return tx.Extend(ctx, a.job, until) })
		switch {
		case errors.Is(err, ErrLeaseLost):
			a.lose(ErrLeaseLost)
		case err != nil:
			beat.Reset(min(a.work.Poll, a.work.Lease/3))
		default:
			over.Reset(time.Until(until))
			beat.Reset(a.work.Lease / 3)
		}
	}
}

// call runs the handler. A panic is an error like another: other jobs have no
// part in it.
func (a *attempt) call(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, a.kind.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = panicError{p, debug.Stack()}
		}
	}()
	return a.kind.Handler(ctx, a.job)
}

// settle makes what follows from the result of the handler durable. It tries as
// long as it may, because else the job is begun again.
func (a *attempt) settle(result error, took time.Duration, stopping bool) {
	job, outcome := a.judge(result, stopping)
	over, err := a.record(job, outcome)
	for pause := a.work.Poll; err != nil && !errors.Is(err, ErrLeaseLost) && a.wait(pause); pause = min(2*pause, a.work.Lease/6) {
		over, err = a.record(job, outcome)
	}
	if over {
		outcome = Done
	}
	if err != nil {
		outcome = Lost
		result = errors.Join(result, err)
	}
	a.work.tell(Observation{job, outcome, took}, result)
}

// judge returns what follows from the result of the handler.
func (a *attempt) judge(result error, stopping bool) (Job, Outcome) {
	if result == nil {
		return a.job, Done
	}
	_, permanent := errors.AsType[permanentError](result)
	if stopping && !permanent {
		return a.unbegun(), Returned
	}
	job := a.job
	job.Error = result.Error()
	if permanent || job.Attempt >= a.kind.MaxAttempts {
		return job, Buried
	}
	delay := a.kind.backoff(job.Attempt)
	if after, ok := errors.AsType[afterError](result); ok {
		delay = after.delay
	}
	job.RunAt = a.work.Now().Add(delay)
	return job, Failed
}

// unbegun is the job as it was before.
func (a *attempt) unbegun() Job {
	job := a.job
	job.Attempt--
	return job
}

// record writes an outcome. It reports whether the job is over already, as it
// is after a handler that finished it.
func (a *attempt) record(job Job, outcome Outcome) (over bool, err error) {
	err = a.work.update(a.held, func(ctx context.Context, tx Tx) error {
		err := write(ctx, tx, job, outcome)
		over = false
		if !errors.Is(err, ErrLeaseLost) {
			return err
		}
		is, found := tx.Job(ctx, job.Account, job.ID)
		switch {
		case errors.Is(found, ErrNotFound):
			over = true
			return nil
		case outcome == Buried && is.State == Dead && is.Attempt == job.Attempt:
			return nil // written before, by a transaction whose answer was lost
		}
		return cmp.Or(found, err)
	})
	return over, err
}

func write(ctx context.Context, tx Tx, job Job, outcome Outcome) error {
	switch outcome {
	case Done:
		return tx.Finish(ctx, job)
	case Buried:
		return tx.Bury(ctx, job)
	default:
		return tx.Retry(ctx, job)
	}
}

// wait reports whether the attempt may go on after the pause.
func (a *attempt) wait(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-a.held.Done():
		return false
	case <-a.work.handlers.Done():
		return false
	case <-timer.C:
		return true
	}
}

// abandon gives the job of a handler that does not return to others.
func (a *attempt) abandon() {
	a.lose(ErrLeaseLost)
	_, err := a.record(a.unbegun(), Returned)
	a.work.tell(Observation{a.job, Lost, 0}, errors.Join(errors.New("the handler did not return when its context ended"), err))
}

// tell logs how an attempt ended.
func (w *work) tell(o Observation, err error) {
	attrs := []slog.Attr{
		slog.String("kind", o.Job.Kind), slog.String("account", o.Job.Account), slog.String("job_id", o.Job.ID),
		slog.Int("attempt", o.Job.Attempt), slog.String("outcome", string(o.Outcome)), slog.Duration("duration", o.Duration),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	if p, ok := errors.AsType[panicError](err); ok {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	w.Log.LogAttrs(w.handlers, w.level(o), "job", attrs...)
	if w.Observe != nil {
		w.Observe(o)
	}
}

// level is low for the turn of a schedule that went well, as most do every few
// seconds: an operator reads of it where it did not, and of the attempt after that.
func (w *work) level(o Observation) slog.Level {
	switch o.Outcome {
	case Failed, Rescued:
		return slog.LevelWarn
	case Buried:
		return slog.LevelError
	case Done:
		if w.kinds[o.Job.Kind].Every > 0 && o.Job.Attempt <= 1 {
			return slog.LevelDebug
		}
	}
	return slog.LevelInfo
}

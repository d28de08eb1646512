package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Runner does the jobs of its kinds, beside those of other nodes. It needs a
// Store and Kinds; zero values of the rest mean the defaults.
type Runner struct {
	Store Store
	Kinds []Kind

	Workers int               // how many jobs run at a time; 0: 8
	Now     func() time.Time  // the rules' clock; nil: time.Now
	Log     *slog.Logger      // nil: slog.Default()
	Observe func(Observation) // is told every outcome, by several goroutines; nil: nobody is

	Lease time.Duration // how long after its death a node's jobs are begun again; 0: 30 seconds
	Poll  time.Duration // how often to look for jobs of other processes and for those whose time has come; 0: 1 second
	Grace time.Duration // how long running jobs may go on at the end; 0: 10 seconds
}

// Kind is what a runner knows of one kind of jobs. Jobs of other kinds are left
// to nodes that know them, which during an upgrade only some do.
type Kind struct {
	Name string
	// Handler does a job. An error, or a panic, is followed by another attempt;
	// see also [After] and [Permanent].
	Handler func(ctx context.Context, job Job) error

	MaxAttempts int           // after so many the job is dead; 0: 20
	Timeout     time.Duration // for one attempt; 0: 10 minutes
	Backoff     time.Duration // at most so long until the second attempt, and twice as long until each further one; 0: 5 seconds
	MaxBackoff  time.Duration // but never longer than this; 0: 1 hour

	// Every is how often the installation has a job of this kind to do without
	// anybody enqueuing it, counted from the zero time; 0: never. Its jobs have
	// the kind as their key. A turn is taken once by all nodes together, as long
	// as their clocks differ by less than this; of several turns missed, one is
	// made up for.
	Every time.Duration
}

// Observation is how an attempt at a job ended.
type Observation struct {
	Job      Job
	Outcome  Outcome
	Duration time.Duration // of the handler; 0 when its node died
}

// Outcome is a way in which an attempt can end.
type Outcome string

// The outcomes.
const (
	Done     Outcome = "done"     // the job is over
	Failed   Outcome = "failed"   // there will be another attempt
	Buried   Outcome = "buried"   // there will be none
	Returned Outcome = "returned" // the runner ended first; the attempt does not count
	Lost     Outcome = "lost"     // it is another runner's by now, or will be
	Rescued  Outcome = "rescued"  // the node that ran it died; there will be another attempt
)

// errStopping is why the context of a handler ends with its runner.
var errStopping = errors.New("the runner is ending")

// errNodeDied is the error of an attempt that nobody is there to tell of.
var errNodeDied = errors.New("the node that ran it died or lost the database")

const (
	// farewell is how long a handler may take to return once its context ended
	// with the runner; after that its job is given to others all the same.
	farewell = 5 * time.Second
	// rescueBatch bounds one transaction.
	rescueBatch = 100
)

// Run does jobs until ctx ends. It then begins none, waits for the running ones
// for the grace period, cancels the rest and gives them back as if they had not
// been begun. An unreachable database is waited for.
func (r *Runner) Run(ctx context.Context) {
	w := newWork(ctx, *r)
	w.run(ctx)
	w.end()
}

// work is one run of a runner.
type work struct {
	Runner // with defaults
	kinds  map[string]Kind
	names  []string             // of the kinds
	turns  map[string]time.Time // of each schedule, the turn after the one last asked for
	outage outage

	handlers context.Context // ends when the grace period does
	stop     context.CancelCauseFunc
	freed    chan struct{} // has a value when a worker has become free

	mu      sync.Mutex
	running map[*attempt]bool
	ended   sync.WaitGroup // all attempts
}

func newWork(ctx context.Context, r Runner) *work {
	orDefault(&r.Workers, 8)
	orDefault(&r.Lease, 30*time.Second)
	orDefault(&r.Poll, time.Second)
	orDefault(&r.Grace, 10*time.Second)
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Log == nil {
		r.Log = slog.Default()
	}
	w := &work{
		Runner: r, kinds: map[string]Kind{}, turns: map[string]time.Time{}, outage: outage{log: r.Log},
		freed: make(chan struct{}, 1), running: map[*attempt]bool{},
	}
	w.handlers, w.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	for _, k := range r.Kinds {
		if _, exists := w.kinds[k.Name]; exists || k.Handler == nil {
			panic(fmt.Sprintf("jobs: kind %q needs one handler", k.Name))
		}
		w.kinds[k.Name] = k.withDefaults()
		w.names = append(w.names, k.Name)
	}
	return w
}

func (k Kind) withDefaults() Kind {
	orDefault(&k.MaxAttempts, 20)
	orDefault(&k.Timeout, 10*time.Minute)
	orDefault(&k.Backoff, 5*time.Second)
	orDefault(&k.MaxBackoff, time.Hour)
	return k
}

func orDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

func (w *work) run(ctx context.Context) {
	poll := time.NewTimer(0)
	defer poll.Stop()
	more := false // jobs may be due that no worker was free for
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.Store.Enqueued():
			more = w.claim(ctx)
		case <-w.freed:
			more = more && w.claim(ctx)
		case <-poll.C:
			w.takeTurns(ctx)
			if w.due(ctx) {
				w.rescue(ctx)
				more = w.claim(ctx)
			}
			poll.Reset(w.Poll*3/4 + mathrand.N(w.Poll/2)) // nodes that started together do not stay so
		}
	}
}

// claim begins as many jobs as there are free workers, and reports whether more
// may be due. A claim that has begun is not interrupted when ctx ends: nobody
// would know what it leased.
func (w *work) claim(ctx context.Context) (more bool) {
	free := w.free()
	if free == 0 || ctx.Err() != nil {
		return true
	}
	lease := Lease{Token: rand.Text(), Until: time.Now().Add(w.Lease)}
	var claimed []Job
	err := w.update(ctx, func(ctx context.Context, tx Tx) (err error) {
		claimed, err = tx.Claim(ctx, w.names, w.Now(), lease, free)
		return err
	})
	if err != nil {
		return false // told already; the next poll tries again
	}
	for _, job := range claimed {
		w.begin(job, lease.Until)
	}
	return len(claimed) == free
}

func (w *work) free() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Workers - len(w.running)
}

func (w *work) due(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, w.Lease/3)
	defer cancel()
	due, err := w.Store.Due(ctx, w.names, w.Now(), time.Now())
	if !errors.Is(err, context.Canceled) {
		w.outage.note(err)
	}
	return due && err == nil
}

// takeTurns enqueues the jobs of the schedules whose time has come. Each turn
// is asked for once by each node.
func (w *work) takeTurns(ctx context.Context) {
	for _, k := range w.kinds {
		if k.Every == 0 || ctx.Err() != nil {
			continue
		}
		now := w.Now()
		next := now.Truncate(k.Every).Add(k.Every)
		if w.turns[k.Name].Equal(next) {
			continue
		}
		err := w.update(ctx, func(ctx context.Context, tx Tx) error {
			due, err := tx.Turn(ctx, k.Name, now, next, next.Add(k.Every))
			if err != nil || !due {
				return err
			}
			_, err = tx.Enqueue(ctx, Job{Kind: k.Name, Key: k.Name})
			return err
		})
		if err == nil {
			w.turns[k.Name] = next
		}
	}
}

// rescue makes the jobs of dead nodes wait again, of whatever kind they are.
func (w *work) rescue(ctx context.Context) {
	for ctx.Err() == nil {
		var rescued []Observation
		err := w.update(ctx, func(ctx context.Context, tx Tx) (err error) {
			rescued, err = w.rescueSome(ctx, tx)
			return err
		})
		if err != nil {
			return
		}
		for _, o := range rescued {
			w.tell(o, errNodeDied)
		}
		if len(rescued) < rescueBatch {
			return
		}
	}
}

func (w *work) rescueSome(ctx context.Context, tx Tx) (rescued []Observation, err error) {
	expired, err := tx.Expired(ctx, time.Now(), rescueBatch)
	for _, job := range expired {
		o := Observation{Job: job, Outcome: Rescued}
		kind, known := w.kinds[job.Kind]
		if !known { // here, so that nothing says how often to try
			kind = Kind{MaxAttempts: math.MaxInt}.withDefaults()
		}
		if job.Attempt >= kind.MaxAttempts {
			o.Outcome = Buried
		}
		o.Job.Error = errNodeDied.Error()
		o.Job.RunAt = w.Now().Add(kind.backoff(job.Attempt))
		if err := write(ctx, tx, o.Job, o.Outcome); err != nil {
			return nil, err
		}
		rescued = append(rescued, o)
	}
	return rescued, err
}

// update runs f in a transaction. It goes on when ctx ends, but not for so long
// that a lease could not be renewed in another.
func (w *work) update(ctx context.Context, f func(context.Context, Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Lease/3)
	defer cancel()
	err := w.Store.Update(ctx, func(tx Tx) error { return f(ctx, tx) })
	if errors.Is(err, ErrLeaseLost) {
		w.outage.note(nil) // an answer like another
		return err
	}
	w.outage.note(err)
	return err
}

// end waits for the attempts. One whose handler stays on although its context
// has ended is left behind.
func (w *work) end() {
	ended := make(chan struct{})
	go func() {
		w.ended.Wait()
		close(ended)
	}()
	defer w.stop(errStopping)
	if within(w.Grace, ended) {
		return
	}
	w.stop(errStopping)
	if within(farewell, ended) {
		return
	}
	w.mu.Lock()
	left := slices.Collect(maps.Keys(w.running))
	w.mu.Unlock()
	var told sync.WaitGroup
	for _, a := range left {
		told.Go(a.abandon)
	}
	told.Wait()
}

// within reports whether done is closed within d.
func within(d time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// Package jobs is work for later: a [Job] is enqueued in the transaction that
// calls for it, and a [Runner] on any node does it, again and again until it
// succeeds or has failed too often.
//
// A job is begun at least once and its effect happens once: the handler ends
// the job with [Queue.Finish] in the transaction that has the effect. That
// transaction fails when the job is no longer this runner's, because its lease
// ended and another one has begun it, and it then leaves nothing:
//
//	func (s *Service) close(ctx context.Context, job jobs.Job) error {
//		return s.Store.Update(ctx, job.Account, func(tx Tx) error {
//			if err := tx.CloseCase(ctx, job.Account, string(job.Payload)); err != nil {
//				return err
//			}
//			return tx.Finish(ctx, job)
//		})
//	}
//
// An effect outside of the database, such as an e-mail, may happen again; what
// receives it has to know it by something that stays the same, such as the
// job's id. A handler whose work may be repeated as a whole does not call
// Finish: the runner does so when it returns nil.
//
// A handler returns soon after its context ends, which happens when the runner
// is told to stop, when the time for one attempt is over, and when the lease is
// lost. The lease is also gone once the job is finished.
//
// The package knows no SQL and nothing of what jobs are about.
package jobs

import (
	"context"
	"errors"
	"time"
)

// Job is a piece of work for later.
type Job struct {
	Account  string // whose work it is; empty for that of the installation
	ID       string // unique in the account; Enqueue makes one when it is empty
	Kind     string // which handler does it
	Key      string // of the jobs of one account and kind with one key, one is unfinished; empty: any number
	Priority Priority
	Payload  []byte    // what the handler needs to know, as JSON; the next release reads that of this one
	RunAt    time.Time // not before, by the rules' clock; the zero time is at once, and before others of the priority

	State   State
	Attempt int    // how often it was begun
	Lease   string // of the runner that has it, while it is running
	Error   string // how the last attempt ended, empty before that
}

// Priority orders jobs that are due at the same time.
type Priority int

// The priorities. Jobs of a higher one never wait for those of a lower one,
// except for a free worker.
const (
	Normal Priority = iota
	Urgent          // somebody waits for it
	Idle            // when there is nothing else to do
)

// State is where a job is in its life. A job that succeeded is gone.
type State string

// The states of a job.
const (
	Waiting State = "waiting" // for its time, or for a worker
	Running State = "running" // leased by a runner
	Dead    State = "dead"    // failed too often; waits for an operator
)

// MaxError is how many bytes of an error a job keeps.
const MaxError = 2000

// Errors of jobs.
var (
	ErrLeaseLost = errors.New("the job is no longer this runner's")
	ErrNotFound  = errors.New("no such job")
	ErrNotDead   = errors.New("the job is not dead")
	ErrKeyTaken  = errors.New("another job of the same account, kind and key is unfinished and does this one's work: discard this one")
)

// Queue is the part of a transaction that other rooms use.
type Queue interface {
	// Enqueue adds a job that is run when the transaction is durable. It
	// reports false, and adds nothing, when a job of the same account, kind and
	// key is waiting or running.
	Enqueue(ctx context.Context, job Job) (added bool, err error)
	// Finish ends a job that a handler was given, for good when the transaction
	// is durable. ErrLeaseLost says that it is another runner's by now, and
	// that the effect has to be left to that one: the transaction must fail.
	Finish(ctx context.Context, job Job) error
	// Hold fails with ErrLeaseLost, as Finish does, and ends nothing: it is for
	// a part of an effect that takes several transactions.
	Hold(ctx context.Context, job Job) error
}

// Tx is the state of all jobs inside one transaction.
type Tx interface {
	Queue
	// Claim leases up to most waiting jobs of the kinds that are due at now, and
	// returns them by priority and then by time. Several runners that claim at
	// once get different jobs and do not wait for each other.
	Claim(ctx context.Context, kinds []string, now time.Time, lease Lease, most int) ([]Job, error)
	// Extend renews the lease of a running job. ErrLeaseLost.
	Extend(ctx context.Context, job Job, until time.Time) error
	// Retry gives a running job back, for another attempt at its RunAt, with
	// its Attempt and the first MaxError bytes of its Error. ErrLeaseLost.
	Retry(ctx context.Context, job Job) error
	// Bury declares a running job dead, with as much of its Error. ErrLeaseLost.
	Bury(ctx context.Context, job Job) error
	// Expired returns up to most running jobs whose leases ended before now:
	// their runners died. It is for an Update that changes these jobs: of
	// several at once, each gets others.
	Expired(ctx context.Context, now time.Time, most int) ([]Job, error)

	// Turn moves a schedule whose next turn is due at now to next, and reports
	// whether it was due: of several nodes that ask, one gets true. A schedule
	// that is new is due, and so is one whose next turn is after latest: the
	// clock that put it there was moved back since.
	Turn(ctx context.Context, schedule string, now, next, latest time.Time) (due bool, err error)

	Job(ctx context.Context, account, id string) (Job, error) // ErrNotFound
	// Jobs returns up to most jobs, in the order of account and id.
	Jobs(ctx context.Context, f Filter, most int) ([]Job, error)
	// Revive makes a dead job wait again, at once and as if it was new.
	// ErrNotFound, ErrNotDead, and ErrKeyTaken when another job has taken its
	// place meanwhile.
	Revive(ctx context.Context, account, id string) error
	// Discard removes a dead job. ErrNotFound, ErrNotDead.
	Discard(ctx context.Context, account, id string) error
}

// Lease is the claim of a runner on a job until a time of the real clock:
// leases are for nodes that died, and those do not wait for a clock that can be
// moved. Every Claim has a token of its own.
type Lease struct {
	Token string
	Until time.Time
}

// Filter selects jobs.
type Filter struct {
	Account *string // nil: any; empty: the installation's
	Kind    string  // empty: any
	State   State   // empty: any
	After   Cursor  // zero: from the beginning
}

// Cursor is a place in the list of jobs: after this one.
type Cursor struct {
	Account, ID string
}

// Store keeps jobs.
type Store interface {
	// View runs f on one consistent state; f writes nothing.
	View(ctx context.Context, f func(Tx) error) error
	// Update runs f in a transaction that is durable when Update returns nil.
	// f may run more than once and has no effects but those on its Tx.
	Update(ctx context.Context, f func(Tx) error) error
	// Due reports whether a Claim or an Expired would find something now, at
	// little cost: the question is asked every second.
	Due(ctx context.Context, kinds []string, now, realNow time.Time) (bool, error)
	// Enqueued has a value when this process has enqueued a job since it was
	// last received from.
	Enqueued() <-chan struct{}
}

package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
)

// The kinds of the desk's jobs.
const (
	ClocksJob  = "desk.clocks"  // Wake
	RouteJob   = "desk.route"   // Route
	RecountJob = "desk.recount" // of all open cases after a change of what clocks go by
)

// Kinds returns the jobs of the desk. Those of the first two may also be
// enqueued by whoever cannot wait.
func (s *Service) Kinds() []jobs.Kind {
	const often = 15 * time.Second
	return []jobs.Kind{
		{Name: ClocksJob, Every: often, Handler: func(ctx context.Context, _ jobs.Job) error { return s.Wake(ctx) }},
		{Name: RouteJob, Every: often, Handler: s.routeJob},
		{Name: RecountJob, Handler: s.recountItems},
	}
}

// routeJob ends the job of an account's new cases before it looks at the queue:
// of a case that comes while it runs, none finds this one running and takes it
// for its own.
func (s *Service) routeJob(ctx context.Context, job jobs.Job) error {
	if job.Account != "" {
		err := s.Store.Update(ctx, job.Account, func(tx Tx) error { return tx.Finish(ctx, job) })
		if err != nil {
			return err
		}
	}
	return s.Route(ctx)
}

// enqueueRoute has a case that waits for routing routed at once. The job is the
// account's: cases of two accounts do not wait for each other.
func enqueueRoute(ctx context.Context, tx Tx, account string) error {
	_, err := tx.Enqueue(ctx, jobs.Job{Account: account, Kind: RouteJob, Key: "new", Priority: jobs.Urgent})
	return err
}

// wakeBatch bounds how many items Wake holds at a time.
const wakeBatch = 100

// Wake looks at the clocks that are due: it tells of warnings and breaches. An
// item that fails stops no other one.
func (s *Service) Wake(ctx context.Context) error {
	var failed []error
	seen := map[Key]bool{}
	for ctx.Err() == nil {
		keys, err := s.keysToWake(ctx, wakeBatch+len(failed))
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		keys = slices.DeleteFunc(keys, func(k Key) bool { return seen[k] })
		if len(keys) == 0 {
			break
		}
		for _, k := range keys {
			seen[k] = true
			if err := s.look(ctx, k); err != nil {
				failed = append(failed, fmt.Errorf("clocks of %s: %w", k.CaseID, err))
			}
		}
	}
	return errors.Join(append(failed, ctx.Err())...)
}

func (s *Service) keysToWake(ctx context.Context, limit int) (keys []Key, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		keys, err = tx.ItemsToWake(ctx, s.now(), limit)
		return err
	})
	return keys, err
}

// NextWake returns when Wake has something to do next, zero when never.
func (s *Service) NextWake(ctx context.Context) (next time.Time, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		next, err = tx.NextWake(ctx)
		return err
	})
	return next, err
}

// errPlanWanted says that an item cannot be looked at without knowing the plan
// of its account, which is not to be asked for inside of the transaction.
var errPlanWanted = errors.New("the plan is not known")

// look tells what the clocks of an item have to tell, and sets when it is to be
// looked at again. It may be repeated.
func (s *Service) look(ctx context.Context, key Key) error {
	err := s.lookIn(ctx, key, "")
	if !errors.Is(err, errPlanWanted) {
		return err
	}
	plan, err := s.planOf(ctx, key.Account)
	if err != nil {
		return err
	}
	return s.lookIn(ctx, key, plan)
}

func (s *Service) lookIn(ctx context.Context, key Key, plan string) error {
	return s.Store.Update(ctx, key.Account, func(tx Tx) error {
		r, err := s.rules(ctx, tx)
		if err != nil {
			return err
		}
		i, err := tx.Item(ctx, key.Account, key.CaseID)
		if errors.Is(err, ErrNotFound) { // it was purged
			return nil
		}
		if err != nil {
			return err
		}
		changed, err := s.complete(ctx, tx, r, &i, plan)
		if err != nil {
			return err
		}
		now, due, wake := s.now(), i.Due, i.Wake
		told, err := s.tell(ctx, tx, r, &i, now)
		if err != nil {
			return err
		}
		i.count(r.clocks(i.History, now))
		if !changed && !told && i.Due.Equal(due) && i.Wake.Equal(wake) {
			return nil
		}
		// The version stays: nobody did anything that an agent should know of
		// before answering.
		return tx.UpdateItem(ctx, i)
	})
}

// complete gives an item the history that it lacks, and reports whether it did.
func (s *Service) complete(ctx context.Context, tx Tx, r *rules, i *Item, plan string) (bool, error) {
	if len(i.History.Moments) > 0 {
		return false, nil
	}
	if plan == "" {
		return false, errPlanWanted
	}
	c, err := tx.Case(ctx, i.Account, i.CaseID)
	if err != nil {
		return false, err
	}
	return true, s.rebuild(ctx, tx, r, i, c, plan)
}

// planOf returns the plan of an account; one that is unknown has been promised
// nothing.
func (s *Service) planOf(ctx context.Context, account string) (string, error) {
	a, err := s.IAM.Account(ctx, account)
	if errors.Is(err, iam.ErrAccountNotFound) || err == nil && a.Plan == "" {
		return "basic", nil
	}
	return a.Plan, err
}

// recountFrom is the payload of a RecountJob: where it goes on among the open
// items. One without it is the beginning.
type recountFrom struct {
	After Position `json:"after"`
}

// The bounds of a RecountJob: it looks at so many items, and so often.
const recountBatch, recountAttempts = 500, 5

// recountAgain is after what time another process no longer goes by the rules
// of before: what it has counted since is counted again.
const recountAgain = 2 * rulesKept

// recountItems looks at a batch of open items and enqueues the job of the next
// one, so that it goes on where it was when its node dies. An item whose place
// in the order changes is met at one of the two or was looked at already.
func (s *Service) recountItems(ctx context.Context, job jobs.Job) error {
	if len(job.Payload) == 0 {
		return s.beginRecount(ctx, job)
	}
	var from recountFrom
	if err := json.Unmarshal(job.Payload, &from); err != nil {
		return jobs.Permanent(fmt.Errorf("payload: %w", err))
	}
	s.known.forget()
	var items []Item
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		items, err = tx.Items(ctx, ItemQuery{After: from.After}, recountBatch)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.lookAtAll(ctx, items); err != nil {
		if job.Attempt < recountAttempts {
			return err
		}
		s.log().ErrorContext(ctx, "recount", "error", err.Error()) // the others shall not wait for these
	}
	if len(items) < recountBatch {
		return nil
	}
	last := items[len(items)-1]
	return s.Store.Update(ctx, Scope, func(tx Tx) error {
		if err := enqueueRecount(ctx, tx, Position{Due: last.Due, Key: last.Key}, job.RunAt); err != nil {
			return err
		}
		return tx.Finish(ctx, job)
	})
}

func (s *Service) lookAtAll(ctx context.Context, items []Item) error {
	var failed []error
	for _, i := range items {
		if err := s.look(ctx, i.Key); err != nil {
			failed = append(failed, fmt.Errorf("clocks of %s: %w", i.CaseID, err))
		}
	}
	return errors.Join(failed...)
}

// beginRecount ends the job that a change of the rules has enqueued before it
// reads them. It does so in the scope of such changes: one that comes later adds
// another job, and none finds this one running and takes it for its own.
func (s *Service) beginRecount(ctx context.Context, job jobs.Job) error {
	return s.Store.Update(ctx, Scope, func(tx Tx) error {
		now := s.now()
		for _, at := range []time.Time{now, now.Add(recountAgain)} {
			if err := enqueueRecount(ctx, tx, Position{}, at); err != nil {
				return err
			}
		}
		return tx.Finish(ctx, job)
	})
}

func enqueueRecount(ctx context.Context, tx Tx, after Position, at time.Time) error {
	payload, err := json.Marshal(recountFrom{After: after})
	if err != nil {
		return err
	}
	_, err = tx.Enqueue(ctx, jobs.Job{Kind: RecountJob, Priority: jobs.Idle, Payload: payload, RunAt: at})
	return err
}

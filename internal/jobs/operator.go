package jobs

import (
	"context"
	"errors"
)

// List returns up to most jobs, in the order of account and id.
func (r *Runner) List(ctx context.Context, f Filter, most int) (found []Job, err error) {
	err = r.Store.View(ctx, func(tx Tx) error {
		found, err = tx.Jobs(ctx, f, most)
		return err
	})
	return found, err
}

// Retry makes dead jobs of an account wait again, all of them or, with an
// error, none. See [Tx.Revive].
func (r *Runner) Retry(ctx context.Context, account string, ids ...string) error {
	return r.each(ctx, account, ids, Tx.Revive)
}

// Discard removes dead jobs of an account, all of them or, with an error, none.
func (r *Runner) Discard(ctx context.Context, account string, ids ...string) error {
	return r.each(ctx, account, ids, Tx.Discard)
}

type change func(tx Tx, ctx context.Context, account, id string) error

func (r *Runner) each(ctx context.Context, account string, ids []string, do change) error {
	return r.Store.Update(ctx, func(tx Tx) error {
		for _, id := range ids {
			if err := do(tx, ctx, account, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// RetryAll makes all dead jobs that the filter selects wait again, except those
// whose place another job has taken, and returns how many there were.
func (r *Runner) RetryAll(ctx context.Context, f Filter) (int, error) {
	return r.all(ctx, f, Tx.Revive)
}

// DiscardAll removes all dead jobs that the filter selects and returns how many
// it was.
func (r *Runner) DiscardAll(ctx context.Context, f Filter) (int, error) {
	return r.all(ctx, f, Tx.Discard)
}

// all changes a bounded number of jobs in one transaction.
func (r *Runner) all(ctx context.Context, f Filter, do change) (total int, err error) {
	const batch = 100
	f.State = Dead
	for {
		var found, changed int
		var last Cursor
		err := r.Store.Update(ctx, func(tx Tx) error {
			some, err := tx.Jobs(ctx, f, batch)
			found, changed = len(some), 0
			for _, job := range some {
				last = Cursor{job.Account, job.ID}
				err := do(tx, ctx, job.Account, job.ID)
				switch {
				case err == nil:
					changed++
				case errors.Is(err, ErrKeyTaken), errors.Is(err, ErrNotDead), errors.Is(err, ErrNotFound):
				default:
					return err
				}
			}
			return err
		})
		if err != nil {
			return total, err
		}
		total += changed
		if found < batch {
			return total, nil
		}
		f.After = last
	}
}

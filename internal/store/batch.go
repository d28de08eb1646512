package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
)

// update is a transaction of a caller that waits to be committed, alone or with
// others.
type update struct {
	ctx  context.Context
	f    func(*tx) error
	err  error
	done chan struct{}

	// stage tells whether the caller may still go away: it may not once the
	// update has begun, as then nobody knows how it ends.
	stage atomic.Int32
}

// The stages of an update.
const (
	stageWaiting = iota
	stageBegun
	stageLeft
)

// begin reports whether the update is to be run, now or again.
func (u *update) begin() bool {
	return u.stage.CompareAndSwap(stageWaiting, stageBegun) || u.stage.Load() == stageBegun
}

// leave withdraws an update that has not begun.
func (u *update) leave() bool { return u.stage.CompareAndSwap(stageWaiting, stageLeft) }

// maxBatch bounds how many transactions one commit takes.
const maxBatch = 256

func newUpdate(ctx context.Context, f func(*tx) error) *update {
	return &update{ctx: ctx, f: f, done: make(chan struct{})}
}

// finish tells each caller of the batch the outcome.
func finish(batch []*update, err error) {
	for _, u := range batch {
		if err != nil {
			// Also for an update that failed by itself: it may have been refused
			// for what another one of the batch had written.
			u.err = err
		}
		close(u.done)
	}
}

// runAll runs each update of the batch in a savepoint of the transaction that
// they share: one that fails is undone alone. It returns an error when the
// transaction is lost.
func runAll(t *tx, batch []*update) error {
	if len(batch) == 1 { // nothing to undo it from but the transaction itself
		if !batch[0].begin() {
			return nil
		}
		if err := batch[0].ctx.Err(); err != nil {
			return err
		}
		return protect(batch[0].f, t)
	}
	for _, u := range batch {
		if !u.begin() {
			continue
		}
		if u.err = u.ctx.Err(); u.err != nil {
			continue
		}
		if err := runOne(t, u); err != nil {
			return err
		}
	}
	return nil
}

// errUndo says that a batch has to be rolled back and run again by runAll.
var errUndo = errors.New("an update of the batch has to be undone")

// runTogether does what runAll does without savepoints, which are as many
// statements as most updates have themselves: hardly any fails once it has
// written something. When one does it returns errUndo.
func runTogether(t *tx, batch []*update) error {
	for _, u := range batch {
		if !u.begin() {
			continue
		}
		if u.err = u.ctx.Err(); u.err != nil {
			continue
		}
		before := t.written
		u.err = protect(u.f, t)
		if u.err != nil && (t.written != before || t.conn.failed()) {
			return errUndo
		}
	}
	return nil
}

// runOne runs one update and puts its outcome into u.err. It returns an error
// when it could not undo a failed one: on a full disk, for instance, SQLite
// rolls back everything since BEGIN, and what followed would be committed on
// its own.
func runOne(t *tx, u *update) error {
	if err := t.conn.savepoint(t.batch); err != nil {
		return err
	}
	if u.err = protect(u.f, t); u.err == nil {
		u.err = t.conn.release(t.batch)
	}
	if u.err == nil {
		return nil
	}
	if err := t.conn.undo(t.batch, u.err); err != nil {
		// The update's own error is told, not wrapped: it goes to every
		// caller of the batch, and may name what belongs to this one.
		return fmt.Errorf("%w, after %v", err, u.err)
	}
	return nil
}

// protect turns a panic into an error: the other updates of the batch have no
// part in it.
func protect(f func(*tx) error, t *tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v\n%s", p, debug.Stack())
		}
	}()
	return f(t)
}

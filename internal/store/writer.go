package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// writer runs all writing transactions on one connection. While one commit
// waits for the disk others queue up, and the next commit takes them all: the
// cost of durability is shared.
type writer struct {
	conn  *conn
	queue chan *update
	ended chan struct{}

	mu      sync.RWMutex // held for reading while sending, for writing to close
	stopped bool
}

type update struct {
	ctx  context.Context
	f    func(*tx) error
	err  error
	done chan struct{}
}

// maxBatch bounds how many transactions one commit takes.
const maxBatch = 256

var errClosed = errors.New("the database is closed")

func startWriter(c *conn) *writer {
	w := &writer{conn: c, queue: make(chan *update, maxBatch), ended: make(chan struct{})}
	go w.run()
	return w
}

func (w *writer) update(ctx context.Context, f func(*tx) error) error {
	u := &update{ctx: ctx, f: f, done: make(chan struct{})}
	if err := w.enqueue(u); err != nil {
		return err
	}
	// No way out on cancellation: the outcome is not known before the commit.
	<-u.done
	return u.err
}

func (w *writer) enqueue(u *update) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.stopped {
		return errClosed
	}
	select {
	case w.queue <- u:
		return nil
	case <-u.ctx.Done():
		return u.ctx.Err()
	}
}

func (w *writer) stop() {
	w.mu.Lock()
	if !w.stopped {
		w.stopped = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.ended
}

func (w *writer) run() {
	defer close(w.ended)
	for first := range w.queue {
		w.commit(w.gather(first))
	}
}

// gather takes what is waiting, without waiting for more: while one half of the
// callers is being committed the other half queues up, and waiting for all of
// them was measured to gain nothing.
func (w *writer) gather(first *update) []*update {
	batch := []*update{first}
	for len(batch) < maxBatch {
		select {
		case u, ok := <-w.queue:
			if !ok {
				return batch
			}
			batch = append(batch, u)
		default:
			return batch
		}
	}
	return batch
}

// commit runs each update of the batch in a savepoint of one transaction. An
// update that fails is undone alone; when the transaction itself fails, all of
// them do.
func (w *writer) commit(batch []*update) {
	err := w.transact(batch)
	for _, u := range batch {
		if err != nil {
			// Also for an update that failed by itself: it may have been refused
			// for what another one of the batch had written.
			u.err = err
		}
		close(u.done)
	}
}

func (w *writer) transact(batch []*update) error {
	ctx := context.Background()
	t := &tx{conn: w.conn, shared: true}
	err := t.exec(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		err = w.runAll(t, batch)
	}
	if err == nil {
		err = t.exec(ctx, "COMMIT")
	}
	if err != nil {
		// SQLite may have rolled back by itself; then this finds nothing to do.
		_ = t.exec(ctx, "ROLLBACK")
	}
	return err
}

// runAll returns an error when the transaction that the batch shares is lost.
func (w *writer) runAll(t *tx, batch []*update) error {
	if len(batch) == 1 { // nothing to undo it from but the transaction itself
		if err := batch[0].ctx.Err(); err != nil {
			return err
		}
		return protect(batch[0].f, t)
	}
	for _, u := range batch {
		if u.err = u.ctx.Err(); u.err != nil {
			continue
		}
		if err := runOne(t, u); err != nil {
			return err
		}
	}
	return nil
}

// runOne runs one update and puts its outcome into u.err. It returns an error
// when it could not undo a failed one: on a full disk, for instance, SQLite
// rolls back everything since BEGIN, and what followed would be committed on
// its own.
func runOne(t *tx, u *update) error {
	ctx := context.Background()
	if err := t.exec(ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	if u.err = protect(u.f, t); u.err != nil {
		if err := t.exec(ctx, "ROLLBACK TO one"); err != nil {
			// The update's own error is told, not wrapped: it goes to every
			// caller of the batch, and may name what belongs to this one.
			return fmt.Errorf("%w, after %v", err, u.err)
		}
	}
	return t.exec(ctx, "RELEASE one")
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

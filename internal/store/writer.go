package store

import (
	"context"
	"errors"
	"sync"
)

// writer runs all writing transactions of SQLite on one connection. While one
// commit waits for the disk others queue up, and the next commit takes them
// all: the cost of durability is shared.
type writer struct {
	conn  *sqliteConn
	queue chan *update
	ended chan struct{}

	mu      sync.RWMutex // held for reading while sending, for writing to close
	stopped bool
}

var errClosed = errors.New("the database is closed")

func startWriter(c *sqliteConn) *writer {
	w := &writer{conn: c, queue: make(chan *update, maxBatch), ended: make(chan struct{})}
	go w.run()
	return w
}

func (w *writer) update(ctx context.Context, f func(*tx) error) error {
	u := newUpdate(ctx, f)
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
		batch := w.gather(first)
		finish(batch, w.transact(batch))
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

func (w *writer) transact(batch []*update) error {
	ctx := context.Background()
	t := &tx{conn: w.conn, dialect: sqliteDialect, batch: ctx}
	err := t.exec(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		err = runAll(t, batch)
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

package store

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// postgresConn is a connection; pgx keeps its prepared statements. What is
// queued goes with the next statement in one round trip: on a fast network a
// short transaction is little else than round trips.
type postgresConn struct {
	conn   *pgx.Conn
	queued *pgx.Batch
	// marked says that what is queued begins with a savepoint.
	marked bool
}

func newPostgresConn(c *pgx.Conn) *postgresConn {
	return &postgresConn{conn: c, queued: &pgx.Batch{}}
}

func (c *postgresConn) queue(_ context.Context, text string, args []any) error {
	c.queued.Queue(text, args...)
	return nil
}

func (c *postgresConn) exec(ctx context.Context, text string, args []any) (int64, error) {
	tag, err := c.run(ctx, text, args)
	return tag.RowsAffected(), err
}

func (c *postgresConn) run(ctx context.Context, text string, args []any) (pgconn.CommandTag, error) {
	if c.queued.Len() == 0 {
		return c.conn.Exec(ctx, text, args...)
	}
	results, err := c.send(ctx, text, args)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := results.Exec()
	return tag, cmp.Or(err, results.Close())
}

// query passes over texts with a NUL character: no text of PostgreSQL has one,
// so they equal nothing, as NULL does, but asking for them is an error there.
func (c *postgresConn) query(ctx context.Context, text string, args []any) (rows, error) {
	for i, arg := range args {
		if s, ok := arg.(string); ok && strings.ContainsRune(s, 0) {
			args[i] = nil
		}
	}
	if c.queued.Len() == 0 {
		return c.conn.Query(ctx, text, args...)
	}
	results, err := c.send(ctx, text, args)
	if err != nil {
		return nil, err
	}
	found, err := results.Query()
	if err != nil {
		return nil, cmp.Or(err, results.Close())
	}
	return &queuedRows{Rows: found, results: results}, nil
}

// send sends what is queued and a last statement, whose result is the next one
// in what it returns. PostgreSQL does none of them after one that fails.
func (c *postgresConn) send(ctx context.Context, text string, args []any) (pgx.BatchResults, error) {
	c.queued.Queue(text, args...)
	n := c.queued.Len()
	results := c.conn.SendBatch(ctx, c.queued)
	c.dropQueued()
	for range n - 1 {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // with the same error
			return nil, err
		}
	}
	return results, nil
}

func (c *postgresConn) dropQueued() {
	c.queued, c.marked = &pgx.Batch{}, false
}

func (c *postgresConn) script(ctx context.Context, text string) error {
	if c.queued.Len() > 0 {
		return errors.New("a script would overtake what is queued")
	}
	return c.conn.PgConn().Exec(ctx, text).Close()
}

func (c *postgresConn) failed() bool { return c.conn.PgConn().TxStatus() == 'E' || c.conn.IsClosed() }

// savepoint begins when nothing is queued: what comes before it is sent.
func (c *postgresConn) savepoint(ctx context.Context) error {
	c.marked = true
	return c.queue(ctx, "SAVEPOINT one", nil)
}

func (c *postgresConn) release(ctx context.Context) error {
	_, err := c.exec(ctx, "RELEASE one", nil)
	return err
}

func (c *postgresConn) undo(ctx context.Context, cause error) error {
	if isConflict(cause) || isLockTimeout(cause) {
		return cause // which the whole transaction gets over by another attempt
	}
	unsent := c.marked
	c.dropQueued()
	if unsent {
		return nil
	}
	if _, err := c.exec(ctx, "ROLLBACK TO one", nil); err != nil {
		return err
	}
	return c.release(ctx)
}

// commit reports whether a commit that failed certainly left nothing, and is
// worth another attempt: how it ended when its answer was lost, nobody knows.
func (c *postgresConn) commit(ctx context.Context) (again bool, err error) {
	tag, err := c.run(ctx, "COMMIT", nil)
	if err == nil && tag.String() != "COMMIT" {
		err = errors.New("the transaction had failed before its commit")
	}
	return isConflict(err) || pgconn.SafeToRetry(err), err
}

// rollback ends the transaction as far as that is possible.
func (c *postgresConn) rollback() {
	c.dropQueued()
	if c.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	_, _ = c.exec(ctx, "ROLLBACK", nil) // otherwise the pool drops the connection
}

// queuedRows are rows that came with the results of earlier statements.
type queuedRows struct {
	pgx.Rows
	results pgx.BatchResults
	closed  error
}

// Close ends the reading, and with it that of all results.
func (r *queuedRows) Close() {
	r.Rows.Close()
	r.closed = cmp.Or(r.closed, r.results.Close())
}

// Err returns what went wrong, also after Close.
func (r *queuedRows) Err() error { return cmp.Or(r.Rows.Err(), r.closed) }

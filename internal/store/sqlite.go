package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteEngine is the embedded engine. WAL lets readers go on while the writer
// commits; synchronous=FULL makes a commit durable before it returns.
type sqliteEngine struct {
	db      *sql.DB
	conns   []*sqliteConn // all of them; each is a reader or the writer's
	readers chan *sqliteConn
	writer  *writer
	closing chan struct{}
	closed  func() error // closes once
}

// busyTimeout is how long, in milliseconds, a writer waits for another process,
// such as an administration command beside the server.
const busyTimeout = "10000"

// How a commit waits for the disk: until it is durable, or not at all.
const (
	durably    = "FULL"
	carelessly = "OFF"
)

func openSQLite(ctx context.Context, file, synchronous string) (*sqliteEngine, error) {
	if err := createPrivate(file, 0); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dataSource(file, synchronous))
	if err != nil {
		return nil, err
	}
	return connectSQLite(ctx, db)
}

func dataSource(file, synchronous string) string {
	query := url.Values{"_pragma": {
		"busy_timeout(" + busyTimeout + ")", "journal_mode(WAL)", "synchronous(" + synchronous + ")", "foreign_keys(ON)",
		"cache_size(-8192)", "journal_size_limit(67108864)",
		// Savepoints keep the pages they may have to bring back in memory, not
		// in a file; a checkpoint every 16 MB moves a page that changes often
		// fewer times than one every 4 MB.
		"temp_store(MEMORY)", "wal_autocheckpoint(4000)",
	}}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + query.Encode()
}

func connectSQLite(ctx context.Context, db *sql.DB) (*sqliteEngine, error) {
	e := &sqliteEngine{db: db, closing: make(chan struct{})}
	e.closed = sync.OnceValue(e.shutDown)
	if err := e.connect(ctx); err != nil {
		return nil, errors.Join(err, e.release())
	}
	return e, nil
}

// createPrivate makes the file readable for its owner only before SQLite, which
// gives its side files the same mode, writes into it.
func createPrivate(file string, flags int) error {
	f, err := os.OpenFile(filepath.Clean(file), os.O_RDWR|os.O_CREATE|flags, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func (e *sqliteEngine) connect(ctx context.Context) error {
	w, err := e.firstConn(ctx)
	if err != nil {
		return err
	}
	if err := migrateSQLite(ctx, w); err != nil {
		return err
	}
	n := max(4, runtime.GOMAXPROCS(0))
	e.readers = make(chan *sqliteConn, n)
	for range n {
		r, err := e.newConn(ctx)
		if err != nil {
			return err
		}
		e.readers <- r
	}
	e.writer = startWriter(w)
	return nil
}

// firstConn waits for others that open the same new file: the change to WAL
// needs the file alone for a moment, and there SQLite does not wait by itself.
func (e *sqliteEngine) firstConn(ctx context.Context) (*sqliteConn, error) {
	const attempts, pause = 200, 50 * time.Millisecond
	for range attempts {
		c, err := e.newConn(ctx)
		if !isBusy(err) {
			return c, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
	return e.newConn(ctx)
}

func (e *sqliteEngine) newConn(ctx context.Context) (*sqliteConn, error) {
	c, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	one := &sqliteConn{Conn: c, prepared: map[string]*sql.Stmt{}}
	e.conns = append(e.conns, one)
	return one, nil
}

// migrateSQLite upgrades the schema while it holds the lock of the writer.
func migrateSQLite(ctx context.Context, c *sqliteConn) error {
	t := &tx{conn: c, dialect: sqliteDialect}
	if err := t.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := migrate(ctx, t); err != nil {
		return errors.Join(err, t.exec(context.WithoutCancel(ctx), "ROLLBACK"))
	}
	return t.exec(ctx, "COMMIT")
}

func (e *sqliteEngine) read(ctx context.Context, f func(*tx) error) error {
	c, err := e.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { e.readers <- c }()
	return f(&tx{conn: c, dialect: sqliteDialect})
}

func (e *sqliteEngine) view(ctx context.Context, f func(*tx) error) (err error) {
	c, err := e.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { e.readers <- c }()
	t := &tx{conn: c, dialect: sqliteDialect}
	// A BEGIN that is interrupted may have begun, and the transaction must end
	// also when the caller is gone or f panics: the connection serves others.
	unbroken := context.WithoutCancel(ctx)
	if err := t.exec(unbroken, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		if end := t.exec(unbroken, "ROLLBACK"); err == nil {
			err = end
		}
	}()
	return f(t)
}

func (e *sqliteEngine) reader(ctx context.Context) (*sqliteConn, error) {
	select {
	case c := <-e.readers:
		return c, nil
	case <-e.closing:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// update needs no scope: the writer runs one transaction at a time.
func (e *sqliteEngine) update(ctx context.Context, _ string, f func(*tx) error) error {
	return e.writer.update(ctx, f)
}

func (e *sqliteEngine) backup(ctx context.Context, file string) error {
	c, err := e.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { e.readers <- c }()
	// VACUUM INTO fills an empty file and leaves its mode as it is.
	if err := createPrivate(file, os.O_EXCL); err != nil {
		return err
	}
	// VACUUM INTO reads one consistent state and leaves no WAL beside its copy.
	if _, err := c.ExecContext(ctx, "VACUUM INTO $1", file); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

func (e *sqliteEngine) close() error { return e.closed() }

// shutDown waits until the writer and each reader is free.
func (e *sqliteEngine) shutDown() error {
	close(e.closing)
	e.writer.stop()
	for range cap(e.readers) {
		<-e.readers
	}
	return e.release()
}

// release gives the connections back, without which closing the database would
// leave them open.
func (e *sqliteEngine) release() error {
	var err error
	for _, c := range e.conns {
		err = errors.Join(err, c.Close())
	}
	return errors.Join(err, e.db.Close())
}

// sqliteConn is a connection with its prepared statements.
type sqliteConn struct {
	*sql.Conn
	prepared map[string]*sql.Stmt
}

func (c *sqliteConn) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if s, ok := c.prepared[text]; ok {
		return s, nil
	}
	s, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	c.prepared[text] = s
	return s, nil
}

func (c *sqliteConn) exec(ctx context.Context, text string, args []any) (int64, error) {
	s, err := c.statement(ctx, text)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *sqliteConn) query(ctx context.Context, text string, args []any) (rows, error) {
	s, err := c.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	found, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	return sqliteRows{found}, nil
}

func (c *sqliteConn) queue(ctx context.Context, text string, args []any) error {
	_, err := c.exec(ctx, text, args)
	return err
}

// failed is of no interest: SQLite undoes a statement that fails by itself.
func (c *sqliteConn) failed() bool { return false }

func (c *sqliteConn) savepoint(ctx context.Context) error { return c.queue(ctx, "SAVEPOINT one", nil) }

func (c *sqliteConn) release(ctx context.Context) error { return c.queue(ctx, "RELEASE one", nil) }

func (c *sqliteConn) undo(ctx context.Context, _ error) error {
	if err := c.queue(ctx, "ROLLBACK TO one", nil); err != nil {
		return err
	}
	return c.release(ctx)
}

func (c *sqliteConn) script(ctx context.Context, text string) error {
	_, err := c.ExecContext(ctx, text)
	return err
}

// Close also closes the statements: database/sql leaves those of a connection
// to its user, and SQLite keeps a file open as long as one is left.
func (c *sqliteConn) Close() error {
	var err error
	for _, s := range c.prepared {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, c.Conn.Close())
}

type sqliteRows struct{ *sql.Rows }

// Close ends the reading; what went wrong before is in Err.
func (r sqliteRows) Close() { _ = r.Rows.Close() }

func isSQLiteUniqueViolation(err error) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	code := se.Code()
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

func isBusy(err error) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	return ok && se.Code()&0xff == sqlite3.SQLITE_BUSY
}

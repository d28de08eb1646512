package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteEngine is the embedded engine. WAL lets readers go on while the writer
// commits; synchronous=FULL makes a commit durable before it returns.
type sqliteEngine struct {
	db      *sql.DB
	readers chan *conn
	writer  *writer
}

// busyTimeout is how long, in milliseconds, a writer waits for another process,
// such as an administration command beside the server.
const busyTimeout = "10000"

func openSQLite(ctx context.Context, file string) (*sqliteEngine, error) {
	if err := createPrivate(file); err != nil {
		return nil, err
	}
	query := url.Values{"_pragma": {
		"busy_timeout(" + busyTimeout + ")", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)",
		"cache_size(-8192)", "journal_size_limit(67108864)",
	}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	e := &sqliteEngine{db: db}
	if err := e.connect(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return e, nil
}

// createPrivate makes the file readable for its owner only before SQLite, which
// gives its side files the same mode, writes into it.
func createPrivate(file string) error {
	f, err := os.OpenFile(filepath.Clean(file), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func (e *sqliteEngine) connect(ctx context.Context) error {
	w, err := e.newConn(ctx)
	if err != nil {
		return err
	}
	if err := migrateLocked(ctx, w); err != nil {
		return err
	}
	n := max(4, runtime.GOMAXPROCS(0))
	e.readers = make(chan *conn, n)
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

func (e *sqliteEngine) newConn(ctx context.Context) (*conn, error) {
	c, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, prepared: map[string]*sql.Stmt{}}, nil
}

func migrateLocked(ctx context.Context, c *conn) error {
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := migrate(ctx, c); err != nil {
		_, rollback := c.ExecContext(ctx, "ROLLBACK")
		return errors.Join(err, rollback)
	}
	_, err := c.ExecContext(ctx, "COMMIT")
	return err
}

func (e *sqliteEngine) view(ctx context.Context, f func(*tx) error) error {
	c, err := e.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { e.readers <- c }()
	t := &tx{conn: c}
	if err := t.exec(ctx, "BEGIN"); err != nil {
		return err
	}
	err = f(t)
	// The transaction must end also when the caller is gone.
	if end := t.exec(context.WithoutCancel(ctx), "ROLLBACK"); err == nil {
		return end
	}
	return err
}

func (e *sqliteEngine) reader(ctx context.Context) (*conn, error) {
	select {
	case c := <-e.readers:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *sqliteEngine) update(ctx context.Context, f func(*tx) error) error {
	return e.writer.update(ctx, f)
}

func (e *sqliteEngine) backup(ctx context.Context, file string) error {
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s exists already", file)
	}
	c, err := e.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { e.readers <- c }()
	// VACUUM INTO reads one consistent state and leaves no WAL beside its copy.
	_, err = c.ExecContext(ctx, "VACUUM INTO $1", file)
	return err
}

func (e *sqliteEngine) close() error {
	e.writer.stop()
	return e.db.Close()
}

// isUniqueViolation reports whether a statement failed because a unique index
// has the value already.
func isUniqueViolation(err error) bool {
	se, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	code := se.Code()
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

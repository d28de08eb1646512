package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"time"

	"github.com/supportd/supportd/internal/cases"
)

// MaxBatch is how many transactions one commit takes at most.
const MaxBatch = maxBatch

// ErrClosed is the answer of a closed store.
var ErrClosed = errClosed

// PostgresSearch is the statement of a search in PostgreSQL.
var PostgresSearch = postgresFinder().find

// Exec runs a statement in an update of its own.
func (s *Store) Exec(ctx context.Context, text string) error {
	return s.engine.update(ctx, "", func(t *tx) error { return t.exec(ctx, text) })
}

// OpenWith opens the database in file as Open does, with wrap around each
// connection of the driver.
func OpenWith(ctx context.Context, file string, wrap func(driver.Conn) driver.Conn) (*Store, error) {
	if err := createPrivate(file, 0); err != nil {
		return nil, err
	}
	e, err := connectSQLite(ctx, sql.OpenDB(connector{dataSource(file, durably), wrap}))
	if err != nil {
		return nil, err
	}
	return newStore(e), nil
}

type connector struct {
	source string
	wrap   func(driver.Conn) driver.Conn
}

func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.source)
	if err != nil {
		return nil, err
	}
	return c.wrap(conn), nil
}

func (c connector) Driver() driver.Driver {
	db, err := sql.Open("sqlite", c.source)
	if err != nil {
		panic(err)
	}
	return db.Driver()
}

// Writer returns the connection that writes. It is used while no update runs.
func (s *Store) Writer() *sql.Conn { return s.sqlite().writer.conn.Conn }

// Readers returns how many connections read.
func (s *Store) Readers() int { return cap(s.sqlite().readers) }

// Enqueue puts an update into the writer's queue, and wait returns its outcome.
func (s *Store) Enqueue(ctx context.Context, f func(cases.Tx) error) (wait func() error, err error) {
	u := newUpdate(ctx, func(t *tx) error { return f(casesTx{t}) })
	if err := s.sqlite().writer.enqueue(u); err != nil {
		return nil, err
	}
	return func() error { <-u.done; return u.err }, nil
}

// Waiting returns how many updates wait in the lane of an account.
func (s *Store) Waiting(account string) int {
	l := &s.engine.(*postgresEngine).lanes
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting[account])
}

// SetUpdateTimeout bounds the updates of PostgreSQL. It is used before any runs.
func (s *Store) SetUpdateTimeout(d time.Duration) { s.engine.(*postgresEngine).updateTimeout = d }

func (s *Store) sqlite() *sqliteEngine { return s.engine.(*sqliteEngine) }

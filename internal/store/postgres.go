package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresEngine is the shared engine: any number of processes on one
// PostgreSQL. The updates of one scope run one after the other, on all nodes,
// because each begins by locking the scope's row in update_locks; within a node
// they share commits, as in SQLite, and one connection.
//
// So a rule may read and then write as if it was alone, and two updates of
// accounts never wait for each other's rows.
type postgresEngine struct {
	pool          *pgxpool.Pool
	lanes         lanes
	updateTimeout time.Duration // which tests shorten
	// turns bounds the connections on which scopes work or wait for their locks:
	// some are left for those who read, and for jobs.
	turns chan struct{}
}

// What a connection URL may set otherwise, by the names of libpq and pgxpool.
const (
	defaultMaxConns       = 16
	defaultConnectTimeout = 5 * time.Second
)

// defaultRuntimeParams end what a lost node or a slow statement would hold up.
// A transaction of ours never waits for anything but the database.
func defaultRuntimeParams() map[string]string {
	return map[string]string{
		"application_name":                    "supportd",
		"statement_timeout":                   "30s",
		"lock_timeout":                        "1s",
		"idle_in_transaction_session_timeout": "10s",
	}
}

const (
	// defaultUpdateTimeout bounds a transaction with all attempts at it.
	defaultUpdateTimeout = 15 * time.Second
	// patience is how long a transaction that certainly left nothing is tried
	// again: as long as a PostgreSQL takes to come back from a crash.
	patience = 5 * time.Second
	// rollbackTimeout bounds the farewell to a connection that may be gone.
	rollbackTimeout = 5 * time.Second
)

func openPostgres(ctx context.Context, url string) (*postgresEngine, error) {
	config, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	e := &postgresEngine{pool: pool, updateTimeout: defaultUpdateTimeout, turns: make(chan struct{}, max(1, config.MaxConns*3/4))}
	if err := e.prepare(ctx); err != nil {
		pool.Close()
		return nil, openError{err}
	}
	return e, nil
}

// openError tells in one line what pgx tells in several, one for each address.
type openError struct{ error }

func (e openError) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }
func (e openError) Unwrap() error { return e.error }

func postgresConfig(text string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		return nil, err
	}
	if !setsMaxConns(text) {
		config.MaxConns = defaultMaxConns
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = defaultConnectTimeout
	}
	for name, value := range defaultRuntimeParams() {
		if _, set := config.ConnConfig.RuntimeParams[name]; !set {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	// A server that vanished without a word is noticed within half a minute.
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	config.ConnConfig.DialFunc = dialer.DialContext
	return config, nil
}

func setsMaxConns(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Query().Has("pool_max_conns")
}

// prepare checks that the database can hold every text, and upgrades its schema.
func (e *postgresEngine) prepare(ctx context.Context) error {
	var encoding string
	if err := e.pool.QueryRow(ctx, `SHOW server_encoding`).Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("its encoding is %s, want UTF8", encoding)
	}
	return e.migrate(ctx)
}

// migrationLock is a number of our own for advisory locks.
const migrationLock = 7267870677827073540

// migrate upgrades the schema while it holds a lock that keeps other nodes, which
// may start at the same time, waiting.
func (e *postgresEngine) migrate(ctx context.Context) error {
	// Each statement has to see what the node before it has committed.
	return pgx.BeginTxFunc(ctx, e.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(p pgx.Tx) error {
		t := &tx{conn: newPostgresConn(p.Conn()), dialect: postgresDialect}
		// An index on a large table takes its time.
		for _, limit := range []string{"statement_timeout", "lock_timeout"} {
			if err := t.exec(ctx, "SET LOCAL "+limit+" = 0"); err != nil {
				return err
			}
		}
		if err := t.exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
			return err
		}
		return migrate(ctx, t)
	})
}

func (e *postgresEngine) read(ctx context.Context, f func(*tx) error) error {
	return retry(ctx, func() (again bool, err error) {
		err = e.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
			return f(&tx{conn: newPostgresConn(c.Conn()), dialect: postgresDialect})
		})
		return ctx.Err() == nil && passing(err), err
	})
}

func (e *postgresEngine) view(ctx context.Context, f func(*tx) error) error {
	p, err := e.begin(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer e.rollback(p)
	return f(&tx{conn: newPostgresConn(p.Conn()), dialect: postgresDialect})
}

// begin gets over connections that broke while they were idle.
func (e *postgresEngine) begin(ctx context.Context, o pgx.TxOptions) (p pgx.Tx, err error) {
	err = retry(ctx, func() (again bool, err error) {
		p, err = e.pool.BeginTx(ctx, o)
		return ctx.Err() == nil && passing(err), err
	})
	return p, err
}

// rollback ends a transaction also when the caller is gone. Where that fails
// the pool drops the connection.
func (e *postgresEngine) rollback(p pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	_ = p.Rollback(ctx)
}

func (e *postgresEngine) update(ctx context.Context, scope string, f func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	u := newUpdate(ctx, f)
	if scope == "" {
		batch := []*update{u}
		finish(batch, e.commit(ctx, scope, batch))
		return u.err
	}
	opened, err := e.lanes.enter(scope, u)
	if err != nil {
		return err
	}
	if opened {
		go e.run(scope)
	}
	select {
	case <-u.done:
		return u.err
	case <-ctx.Done():
	}
	if u.leave() {
		return ctx.Err()
	}
	<-u.done // it has begun: the outcome is not known before
	return u.err
}

// run commits what is waiting in a lane until it is empty.
func (e *postgresEngine) run(scope string) {
	for {
		batch := e.lanes.take(scope)
		if batch == nil {
			return
		}
		finish(batch, e.commit(context.Background(), scope, batch))
	}
}

// commit makes a batch durable. It tries again what certainly left nothing; how
// a commit ended whose answer was lost, nobody knows.
func (e *postgresEngine) commit(ctx context.Context, scope string, batch []*update) error {
	ctx, cancel := context.WithTimeout(ctx, e.updateTimeout)
	defer cancel()
	for {
		err := retry(ctx, func() (again bool, err error) {
			return e.transact(ctx, scope, batch)
		})
		// Others have had a turn while the scope was held by another node.
		if !isLockTimeout(err) || ctx.Err() != nil {
			return err
		}
	}
}

// isLockTimeout reports whether a statement gave up waiting for a lock.
func isLockTimeout(err error) bool {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pe.Code == "55P03"
}

func (e *postgresEngine) transact(ctx context.Context, scope string, batch []*update) (again bool, err error) {
	if scope != "" {
		select {
		case e.turns <- struct{}{}:
			defer func() { <-e.turns }()
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	if len(batch) > 1 {
		again, err = e.attempt(ctx, scope, batch, runTogether)
		if !again && (errors.Is(err, errUndo) || isRefusal(err)) {
			return e.attempt(ctx, scope, batch, runAll)
		}
		return again, err
	}
	return e.attempt(ctx, scope, batch, runAll)
}

// attempt is one transaction. It has left nothing when it asks for another
// attempt, when PostgreSQL refused something, and when the error is errUndo.
func (e *postgresEngine) attempt(ctx context.Context, scope string, batch []*update, run func(*tx, []*update) error) (again bool, err error) {
	c, err := e.pool.Acquire(ctx)
	if err != nil {
		return passing(err), err
	}
	defer c.Release() // which drops a connection that is still in a transaction
	p := newPostgresConn(c.Conn())
	t := &tx{conn: p, dialect: postgresDialect, batch: ctx}
	err = t.queue(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED")
	if err == nil {
		err = t.lock(scope)
	}
	if err == nil {
		err = run(t, batch)
	}
	if err != nil {
		p.rollback()
		return passing(err), err
	}
	return p.commit(ctx)
}

// isRefusal reports whether PostgreSQL refused a statement, after which a
// transaction cannot be committed; a connection that ends says FATAL.
func isRefusal(err error) bool {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pe.SeverityUnlocalized == "ERROR"
}

// lock waits until no other transaction works on the scope. A row, not an
// advisory lock: databases that only speak PostgreSQL's protocol have those.
func (t *tx) lock(scope string) error {
	if scope == "" {
		return nil
	}
	const bound = 3 // the row is never deleted
	for range bound {
		var found string
		err := t.row(t.batch, `SELECT name FROM update_locks WHERE name = $1 FOR UPDATE`, scope).Scan(&found)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		inserted, err := t.affected(t.batch, `INSERT INTO update_locks (name) VALUES ($1) ON CONFLICT (name) DO NOTHING`, scope)
		if err != nil || inserted == 1 {
			return err
		}
	}
	return fmt.Errorf("the lock of %s comes and goes", scope)
}

func (e *postgresEngine) backup(context.Context, string) error {
	return fmt.Errorf("backup of PostgreSQL: %w", errors.ErrUnsupported)
}

func (e *postgresEngine) close() error {
	e.lanes.close()
	e.pool.Close()
	return nil
}

// retry runs f until it does not ask for another time, patience ends or ctx does.
func retry(ctx context.Context, f func() (again bool, err error)) error {
	began := time.Now()
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		again, err := f()
		if !again || time.Since(began) > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}

// passing reports whether an error says nothing about the transaction: another
// attempt may succeed. The transaction must have left nothing.
func passing(err error) bool {
	if err == nil {
		return false
	}
	if isConflict(err) || isLockTimeout(err) || pgconn.SafeToRetry(err) {
		return true
	}
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pe.Code {
		case "57P01", // admin_shutdown, also pg_terminate_backend
			"57P02", // crash_shutdown
			"57P03": // cannot_connect_now, while it starts
			return true
		}
		return strings.HasPrefix(pe.Code, "08") // connection exceptions
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false // a net.Error too, but it is the caller's time that is over
	}
	_, broken := errors.AsType[net.Error](err)
	return broken || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// isConflict reports whether PostgreSQL rolled the transaction back because of
// others ("Transaction Isolation", "Deadlocks").
func isConflict(err error) bool {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pe.Code == "40001" || pe.Code == "40P01")
}

func isPostgresUniqueViolation(err error) bool {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pe.Code == "23505"
}

// Package store keeps the state of all rooms in SQL. It implements the Store
// interfaces that the rooms declare and holds all SQL of the project; rules
// live in the rooms.
//
// There are two engines, for which every statement has the same text. SQLite is
// the embedded one, with one writer that commits the transactions of concurrent
// callers together, and readers beside it. PostgreSQL is the shared one, for any
// number of processes.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
)

//go:embed migrations
var migrations embed.FS

// Store is an open database. It is safe for concurrent use, and other processes
// may use the same database beside it.
type Store struct {
	engine   engine
	enqueued chan struct{}
}

// engine runs transactions on one kind of database.
type engine interface {
	// read runs f, which reads with a single statement, without a transaction.
	// f may run again after a failure.
	read(ctx context.Context, f func(*tx) error) error
	// view runs f once, on one consistent state.
	view(ctx context.Context, f func(*tx) error) error
	// update runs f, perhaps more than once, in a transaction that is durable
	// when it returns nil. The updates of one scope, which is an account's id or
	// a name of the store's own, run as if one after the other; those of the
	// empty scope beside all others.
	update(ctx context.Context, scope string, f func(*tx) error) error
	backup(ctx context.Context, file string) error
	close() error
}

// Open opens the database that url names, creating or upgrading its schema where
// needed: sqlite://FILE, or postgres://… with the parameters of libpq and
// pool_max_conns.
func Open(ctx context.Context, url string) (*Store, error) {
	return open(ctx, url, durably)
}

// OpenScratch opens a database as [Open] does, for data that nobody misses after
// a crash of the machine: an embedded one does not wait for the disk. What is
// committed survives the end of the process all the same.
func OpenScratch(ctx context.Context, url string) (*Store, error) {
	return open(ctx, url, carelessly)
}

func open(ctx context.Context, url, synchronous string) (*Store, error) {
	e, err := openEngine(ctx, url, synchronous)
	if err != nil {
		return nil, err
	}
	return newStore(e), nil
}

func newStore(e engine) *Store { return &Store{engine: e, enqueued: make(chan struct{}, 1)} }

func openEngine(ctx context.Context, url, synchronous string) (engine, error) {
	if file, ok := strings.CutPrefix(url, sqliteScheme); ok && file != "" {
		e, err := openSQLite(ctx, file, synchronous)
		if err != nil {
			return nil, fmt.Errorf("database %s: %w", file, err)
		}
		return e, nil
	}
	if IsShared(url) {
		e, err := openPostgres(ctx, url)
		if err != nil {
			return nil, fmt.Errorf("database: %w", err) // which names it without its password
		}
		return e, nil
	}
	return nil, errors.New("database: want sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME") // it may have a password in it
}

const sqliteScheme = "sqlite://"

// IsShared reports whether url names a database that several nodes can share.
func IsShared(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// Exists reports whether the file of an embedded database is there. Of a shared
// one only Open can tell.
func Exists(url string) bool {
	file, embedded := strings.CutPrefix(url, sqliteScheme)
	_, err := os.Stat(file)
	return !embedded || err == nil
}

// Close waits for running transactions and closes the database.
func (s *Store) Close() error { return s.engine.close() }

// Cases returns the store as the cases room sees it.
func (s *Store) Cases() cases.Store {
	return part[cases.Tx]{s, func(t *tx) cases.Tx { return casesTx{t} }}
}

// IAM returns the store as the iam room sees it.
func (s *Store) IAM() iam.Store {
	return iamStore{part[iam.Tx]{s, func(t *tx) iam.Tx { return &iamTx{tx: t} }}}
}

// Backup writes a copy of the database as it is at one moment into a new file,
// while others go on using it.
func (s *Store) Backup(ctx context.Context, file string) error {
	return s.engine.backup(ctx, file)
}

// checkPatience gets over connections that broke, but not over an outage, of
// which whoever asks wants to hear.
const checkPatience = 2 * time.Second

// Check reports whether the database takes writes now.
func (s *Store) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	return s.engine.update(ctx, "", func(t *tx) error {
		return t.exec(ctx, `INSERT INTO settings (name, value) VALUES ('check', $1)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, []byte{1})
	})
}

// Setting returns a fact about the database, nil when it is not set.
func (s *Store) Setting(ctx context.Context, name string) (value []byte, err error) {
	err = s.engine.read(ctx, func(t *tx) error {
		err := t.row(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return value, err
}

// AddSetting sets a fact about the database unless it is set, and returns the
// value that it has then.
func (s *Store) AddSetting(ctx context.Context, name string, value []byte) (kept []byte, added bool, err error) {
	if kept, err = s.Setting(ctx, name); kept != nil || err != nil {
		return kept, false, err
	}
	err = s.engine.update(ctx, "", func(t *tx) error {
		n, err := t.affected(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, value)
		if err != nil {
			return err
		}
		added = n == 1
		return t.row(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&kept)
	})
	return kept, added, err
}

// CountSetting counts a setting up by one, and returns how often it was counted
// before.
func (s *Store) CountSetting(ctx context.Context, name string) (before uint64, err error) {
	err = s.engine.update(ctx, "", func(t *tx) error {
		// It changes nothing, and has others who count wait.
		err := t.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = settings.value`, name, []byte("0"))
		if err != nil {
			return err
		}
		var value []byte
		if err := t.row(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value); err != nil {
			return err
		}
		if before, err = strconv.ParseUint(string(value), 10, 64); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
		return t.exec(ctx, `UPDATE settings SET value = $2 WHERE name = $1`, name, strconv.AppendUint(nil, before+1, 10))
	})
	return before, err
}

// update runs f in the scope, and afterwards wakes those who wait for jobs.
func (s *Store) update(ctx context.Context, scope string, f func(*tx) error) error {
	var enqueued bool
	err := s.engine.update(ctx, scope, func(t *tx) error {
		err := f(t)
		enqueued = t.enqueued
		return err
	})
	if err == nil && enqueued {
		select {
		case s.enqueued <- struct{}{}:
		default: // somebody has been told, and has not looked yet
		}
	}
	return err
}

// part shows the store to a room as that room's own Store interface.
type part[T any] struct {
	store *Store
	room  func(*tx) T
}

// View runs f on one consistent state.
func (p part[T]) View(ctx context.Context, f func(T) error) error {
	return p.store.engine.view(ctx, func(t *tx) error { return f(p.room(t)) })
}

// Update runs f in a transaction that is durable when it returns nil. The
// updates of a scope, such as an account, run as if one after the other.
func (p part[T]) Update(ctx context.Context, scope string, f func(T) error) error {
	return p.store.update(ctx, scope, func(t *tx) error { return f(p.room(t)) })
}

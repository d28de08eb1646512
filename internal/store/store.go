// Package store keeps the state of all rooms in SQL. It implements the Store
// interfaces that the rooms declare and holds all SQL of the project; rules
// live in the rooms.
//
// The embedded engine is SQLite: one writer that commits the transactions of
// concurrent callers together, and readers beside it.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
)

//go:embed migrations
var migrations embed.FS

// Store is an open database. It is safe for concurrent use, and other processes
// may use the same database beside it.
type Store struct {
	engine engine
}

// engine runs transactions on one kind of database.
type engine interface {
	// read runs f, which reads with a single statement, without a transaction.
	read(ctx context.Context, f func(*tx) error) error
	view(ctx context.Context, f func(*tx) error) error
	update(ctx context.Context, f func(*tx) error) error
	backup(ctx context.Context, file string) error
	close() error
}

// Open opens the database that url names, creating it or upgrading its schema
// where needed. The only kind so far is sqlite://FILE.
func Open(ctx context.Context, url string) (*Store, error) {
	file, ok := strings.CutPrefix(url, "sqlite://")
	if !ok || file == "" {
		return nil, fmt.Errorf("database %q: want sqlite://FILE", url)
	}
	e, err := openSQLite(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", file, err)
	}
	return &Store{engine: e}, nil
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

// Check reports whether the database takes writes now.
func (s *Store) Check(ctx context.Context) error {
	return s.engine.update(ctx, func(t *tx) error {
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
	err = s.engine.update(ctx, func(t *tx) error {
		n, err := t.affected(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, value)
		if err != nil {
			return err
		}
		added = n == 1
		return t.row(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&kept)
	})
	return kept, added, err
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

// Update runs f in a transaction that is durable when it returns nil.
func (p part[T]) Update(ctx context.Context, f func(T) error) error {
	return p.store.engine.update(ctx, func(t *tx) error { return f(p.room(t)) })
}

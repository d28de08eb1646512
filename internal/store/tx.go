package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"
)

// tx is a transaction on one connection. The rooms' Tx types wrap it.
type tx struct {
	conn *conn
	// shared is set where other callers' transactions are committed with this
	// one: SQLite answers an interrupted write by rolling back all of them, so
	// a caller that goes away may not interrupt.
	shared bool
}

func (t *tx) context(ctx context.Context) context.Context {
	if t.shared {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// conn is a connection with its prepared statements: our texts are few, and
// preparing costs more than running.
type conn struct {
	*sql.Conn
	prepared map[string]*sql.Stmt
}

func (c *conn) statement(ctx context.Context, text string) (*sql.Stmt, error) {
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

// Close also closes the statements: database/sql leaves those of a connection
// to its user, and SQLite keeps a file open as long as one is left.
func (c *conn) Close() error {
	var err error
	for _, s := range c.prepared {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, c.Conn.Close())
}

func (t *tx) exec(ctx context.Context, text string, args ...any) error {
	_, err := t.affected(ctx, text, args...)
	return err
}

// affected runs a statement and returns how many rows it changed.
func (t *tx) affected(ctx context.Context, text string, args ...any) (int64, error) {
	s, err := t.conn.statement(t.context(ctx), text)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(t.context(ctx), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// scanner is what a single row and a row of many have in common.
type scanner interface {
	Scan(dest ...any) error
}

func (t *tx) row(ctx context.Context, text string, args ...any) scanner {
	s, err := t.conn.statement(t.context(ctx), text)
	if err != nil {
		return failedRow{err}
	}
	return s.QueryRowContext(t.context(ctx), args...)
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

// all returns what scan makes of each row.
func all[T any](ctx context.Context, t *tx, scan func(scanner) (T, error), text string, args ...any) ([]T, error) {
	s, err := t.conn.statement(t.context(ctx), text)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(t.context(ctx), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, rows.Err()
}

func scanText(r scanner) (text string, err error) {
	return text, r.Scan(&text)
}

// micros and fromMicros turn times into what the store keeps: UTC microseconds,
// with 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// inList returns a list of placeholders starting with $first, and its
// arguments. The list is padded with the last value to one of few lengths, so
// that few texts are prepared; the list of no values holds none.
func inList(first int, values []string) (string, []any) {
	if len(values) == 0 {
		return "NULL", nil
	}
	length := 1
	for length < len(values) {
		length *= 10
	}
	var text strings.Builder
	args := make([]any, length)
	for i := range length {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteByte('$')
		text.WriteString(strconv.Itoa(first + i))
		args[i] = values[min(i, len(values)-1)]
	}
	return text.String(), args
}

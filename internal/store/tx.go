package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"
)

// tx is a transaction on one connection. The rooms' Tx types wrap it.
type tx struct {
	conn    conn
	dialect *dialect

	// batch is set where other callers' transactions are committed with this
	// one. Statements then end with the batch, not with the caller: an
	// interrupted one loses the transaction of all.
	batch context.Context

	// enqueued says that the transaction has enqueued a job.
	enqueued bool

	// written counts the statements that may have changed something.
	written int
}

// conn runs statements on one connection of an engine. It prepares them on
// first use: our texts are few, and preparing costs more than running.
type conn interface {
	exec(ctx context.Context, text string, args []any) (changed int64, err error)
	query(ctx context.Context, text string, args []any) (rows, error)
	// queue runs a statement whose outcome nobody looks at: it may be sent with
	// the next one, which then may have its error.
	queue(ctx context.Context, text string, args []any) error
	// failed reports whether a statement has failed, and with it the transaction
	// as far as it is not undone.
	failed() bool
	// script runs several statements, which take no arguments.
	script(ctx context.Context, text string) error

	// savepoint begins a part of the transaction that can be undone, and release
	// ends it. undo takes back what failed with cause since the savepoint, and
	// ends it; an error says that the transaction is lost.
	savepoint(ctx context.Context) error
	release(ctx context.Context) error
	undo(ctx context.Context, cause error) error
}

// rows are the answer to a query. They must be read to the end or closed.
type rows interface {
	scanner
	Next() bool
	Err() error
	Close()
}

// scanner is what a single row and a row of many have in common.
type scanner interface {
	Scan(dest ...any) error
}

func (t *tx) context(ctx context.Context) context.Context {
	if t.batch != nil {
		return t.batch
	}
	return ctx
}

func (t *tx) exec(ctx context.Context, text string, args ...any) error {
	_, err := t.affected(ctx, text, args...)
	return err
}

// queue runs a statement that can hardly fail, or not alone: its error may come
// with a later statement or with the end of the transaction.
func (t *tx) queue(ctx context.Context, text string, args ...any) error {
	t.written++
	return t.conn.queue(t.context(ctx), text, args)
}

// affected runs a statement and returns how many rows it changed.
func (t *tx) affected(ctx context.Context, text string, args ...any) (int64, error) {
	t.written++
	return t.conn.exec(t.context(ctx), text, args)
}

// row returns the first row, whose Scan answers sql.ErrNoRows when there is
// none.
func (t *tx) row(ctx context.Context, text string, args ...any) scanner {
	found, err := t.query(ctx, text, args)
	return firstRow{found, err}
}

func (t *tx) query(ctx context.Context, text string, args []any) (rows, error) {
	if !strings.HasPrefix(text, "SELECT ") { // one with RETURNING
		t.written++
	}
	return t.conn.query(t.context(ctx), text, args)
}

type firstRow struct {
	rows rows
	err  error
}

func (r firstRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// all returns what scan makes of each row.
func all[T any](ctx context.Context, t *tx, scan func(scanner) (T, error), text string, args ...any) ([]T, error) {
	rows, err := t.query(ctx, text, args)
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
	err = r.Scan(&text)
	return text, err
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

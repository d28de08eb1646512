package store_test

import (
	"context"
	"database/sql/driver"
	"sync"
	"testing"

	"github.com/supportd/supportd/internal/store"
)

// watch sees every statement that a store runs on its connections, and may hold
// it, replace it by an error or do something after it.
type watch struct {
	mu         sync.Mutex
	statements []string
	before     func(text string) error
	after      func(ctx context.Context, text string) error
}

// mustOpenWatched opens a store that is closed when the test ends.
func mustOpenWatched(t *testing.T, file string) (*store.Store, *watch) {
	t.Helper()
	w := &watch{}
	s, err := store.OpenWith(t.Context(), file, func(c driver.Conn) driver.Conn {
		return watchedConn{c, w}
	})
	if err != nil {
		t.Fatalf("OpenWith() = %v", err)
	}
	t.Cleanup(func() { mustClose(t, s) })
	return s, w
}

// intercept sets what happens around statements from now on; nil is nothing.
func (w *watch) intercept(before func(text string) error, after func(ctx context.Context, text string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before, w.after = before, after
}

// take returns the statements since the last call.
func (w *watch) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.statements
	w.statements = nil
	return taken
}

func (w *watch) begin(text string) (end func(context.Context, error) error, err error) {
	w.mu.Lock()
	w.statements = append(w.statements, text)
	before, after := w.before, w.after
	w.mu.Unlock()
	if before != nil {
		if err := before(text); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, err error) error {
		if after != nil && err == nil {
			return after(ctx, text)
		}
		return err
	}, nil
}

type watchedConn struct {
	driver.Conn
	*watch
}

func (c watchedConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	s, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return watchedStmt{s, text, c.watch}, nil
}

func (c watchedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	end, err := c.begin(text)
	if err != nil {
		return nil, err
	}
	result, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
	return result, end(ctx, err)
}

type watchedStmt struct {
	driver.Stmt
	text string
	*watch
}

func (s watchedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	end, err := s.begin(s.text)
	if err != nil {
		return nil, err
	}
	result, err := s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	return result, end(ctx, err)
}

func (s watchedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	end, err := s.begin(s.text)
	if err != nil {
		return nil, err
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	return rows, end(ctx, err)
}

//go:build unix

package pgtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/supportd/supportd/internal/store/pgtest"
)

// connectError returns why there is no connection.
func connectError(t *testing.T, url string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err == nil {
		_ = conn.Close(t.Context()) // it should not be there
	}
	return err
}

func TestProxyPassesQueries(t *testing.T) {
	t.Parallel()
	p := pgtest.NewProxy(t, pgtest.Database(t))
	got := pgtest.Query[string](t, p.URL(), `SELECT repeat('x', $1)`, 1<<20)
	if len(got) != 1 || len(got[0]) != 1<<20 {
		t.Errorf("Query() through the proxy returns %d rows, want one of 1 MiB", len(got))
	}
}

func TestProxyHangsAndResumes(t *testing.T) {
	t.Parallel()
	p := pgtest.NewProxy(t, pgtest.Database(t))
	conn := mustConnect(t, p.URL())
	p.Hang()
	answer := make(chan error, 1)
	go func() { answer <- conn.Ping(t.Context()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := pgx.Connect(ctx, p.URL()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Connect() while the proxy hangs = %v, want %v", err, context.DeadlineExceeded)
	}
	select {
	case err := <-answer:
		t.Errorf("Ping() while the proxy hangs = %v, want no answer", err)
	default:
	}
	p.Resume()
	if err := <-answer; err != nil {
		t.Errorf("Ping() when the proxy resumes = %v, want nil", err)
	}
	mustConnect(t, p.URL())
}

func TestProxyCutsConnections(t *testing.T) {
	t.Parallel()
	p := pgtest.NewProxy(t, pgtest.Database(t))
	a, b := mustConnect(t, p.URL()), mustConnect(t, p.URL())
	p.Hang()
	if got := p.Cut(); got != 2 {
		t.Errorf("Cut() = %d, want 2", got)
	}
	if a.Ping(t.Context()) == nil || b.Ping(t.Context()) == nil {
		t.Error("Ping() = nil after Cut, want an error")
	}
	p.Resume()
	mustConnect(t, p.URL())
}

func TestProxyOutlivesTheServer(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{})
	p := pgtest.NewProxy(t, c.CreateDatabase(t))
	conn := mustConnect(t, p.URL())
	c.Stop(t, pgtest.Immediate)
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("Ping() without a server = nil, want an error")
	}
	if err := connectError(t, p.URL()); err == nil {
		t.Error("Connect() without a server = nil, want an error")
	}
	c.StartAgain(t)
	mustConnect(t, p.URL())
}

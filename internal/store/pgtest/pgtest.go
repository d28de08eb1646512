//go:build unix

// Package pgtest runs throw-away PostgreSQL servers for tests, from the
// binaries of the machine. Most tests want [Database], an empty database in a
// server that the tests of a process share. A test that stops, restarts or
// loses its server starts one of its own with [Start], and one about slow or
// broken networks puts a [Proxy] in front of either.
//
// Servers and their directories end with the test or with the process, however
// the process ends. The package knows nothing of the project's schema.
//
// The binaries are those in SUPPORTD_POSTGRES_BIN, else the newest in
// /usr/lib/postgresql/*/bin, else those of the PATH. Where there are none a test
// is skipped, or fails when SUPPORTD_POSTGRES is "required". The server must be
// 14 or newer. It does not run as root; a test that does needs a user named
// postgres.
package pgtest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long anything may take on a loaded machine.
const patience = time.Minute

// These belong to the process as a whole: a test has no place to keep them for
// the next one, and nothing tells a package that the tests are over.
var (
	shared    = sync.OnceValues(func() (*Cluster, error) { return newCluster(Options{}) })
	databases atomic.Int64
)

// Database returns the URL of a new, empty database in a server that all tests
// of the process share. The server is as fast as one without durability can
// be, and takes 300 connections. Texts sort as in English where the server can do
// so, not by their bytes. The database is dropped when the test ends,
// along with its connections.
func Database(t testing.TB) (url string) {
	t.Helper()
	needServer(t)
	c, err := shared()
	if err != nil {
		t.Fatalf("shared PostgreSQL server: %v", err)
	}
	name := c.createDatabase(t)
	t.Cleanup(func() { Exec(t, c.adminURL(), "DROP DATABASE "+name+" WITH (FORCE)") })
	return c.URL(name)
}

// Exec executes a statement, or several if there are no arguments, in the
// database at the URL.
func Exec(t testing.TB, url, sql string, args ...any) {
	t.Helper()
	err := connected(url, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql, args...)
		return err
	})
	if err != nil {
		t.Fatalf("Exec(%q, %q) = %v, want nil", url, sql, err)
	}
}

// Query returns the rows of a query with one column.
func Query[T any](t testing.TB, url, sql string, args ...any) []T {
	t.Helper()
	var found []T
	err := connected(url, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowTo[T])
		return err
	})
	if err != nil {
		t.Fatalf("Query(%q, %q) = %v, want nil", url, sql, err)
	}
	return found
}

// CutConnections makes the server end all connections of clients to the
// database at the URL, as an administrator does, and returns how many there
// were. They are gone when it returns.
func CutConnections(t testing.TB, url string) int {
	t.Helper()
	return len(Query[bool](t, url, `SELECT pg_terminate_backend(pid, $1) FROM pg_stat_activity
		WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND datname = current_database()`, patience.Milliseconds()))
}

// connected calls f with a connection of its own. The context of a test does
// not do: it has ended when the test cleans up.
func connected(url string, f func(ctx context.Context, conn *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return f(ctx, conn)
}

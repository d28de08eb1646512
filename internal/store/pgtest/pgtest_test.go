//go:build unix

package pgtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/supportd/supportd/internal/store/pgtest"
)

func mustConnect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("Connect(%q) = %v, want nil", url, err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

func TestDatabasesAreIndependent(t *testing.T) {
	t.Parallel()
	a, b := pgtest.Database(t), pgtest.Database(t)
	pgtest.Exec(t, a, `CREATE TABLE things (name TEXT)`)
	pgtest.Exec(t, b, `CREATE TABLE things (name TEXT)`)
	pgtest.Exec(t, a, `INSERT INTO things (name) VALUES ($1)`, "a")
	if got := pgtest.Query[string](t, a, `SELECT name FROM things`); len(got) != 1 || got[0] != "a" {
		t.Errorf("things of the first database = %q, want a", got)
	}
	if got := pgtest.Query[string](t, b, `SELECT name FROM things`); len(got) != 0 {
		t.Errorf("things of the second database = %q, want none", got)
	}
}

func TestDatabaseIsDroppedWithItsConnections(t *testing.T) {
	t.Parallel()
	const exists = `SELECT count(*) FROM pg_database WHERE datname = $1`
	var conn *pgx.Conn
	var name string
	other := pgtest.Database(t)
	t.Run("uses a database", func(t *testing.T) {
		conn = mustConnect(t, pgtest.Database(t))
		name = conn.Config().Database
		if got := pgtest.Query[int64](t, other, exists, name); got[0] != 1 {
			t.Errorf("databases named %s = %d, want 1", name, got[0])
		}
	})
	if got := pgtest.Query[int64](t, other, exists, name); got[0] != 0 {
		t.Errorf("databases named %s = %d, want 0", name, got[0])
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("Ping() = nil, want the connection cut")
	}
}

func TestManyTestsWantDatabasesAtOnce(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			pgtest.Exec(t, pgtest.Database(t), `CREATE TABLE things (name TEXT)`)
		})
	}
	all.Wait()
}

func TestTextsDoNotSortByTheirBytes(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	if pgtest.Query[int32](t, url, `SELECT current_setting('server_version_num')::int`)[0] < 150000 {
		t.Skip("NOT TESTED: the server has the locales of the machine only")
	}
	got := pgtest.Query[string](t, url, `SELECT name FROM (VALUES ('b'), ('C'), ('a')) AS v (name) ORDER BY name`)
	if s := strings.Join(got, ""); s != "abC" {
		t.Errorf("sorted = %q, want abC", s)
	}
}

func TestCutConnectionsCutsOneDatabase(t *testing.T) {
	t.Parallel()
	cut, other := pgtest.Database(t), pgtest.Database(t)
	a, b, kept := mustConnect(t, cut), mustConnect(t, cut), mustConnect(t, other)
	if got := pgtest.CutConnections(t, cut); got != 2 {
		t.Errorf("CutConnections() = %d, want 2", got)
	}
	if a.Ping(t.Context()) == nil || b.Ping(t.Context()) == nil {
		t.Error("Ping() = nil after CutConnections, want an error")
	}
	if err := kept.Ping(t.Context()); err != nil {
		t.Errorf("Ping() of another database = %v, want nil", err)
	}
}

func TestToolsOfTheServerRun(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	pgtest.Exec(t, url, `CREATE TABLE things (name TEXT)`)
	out, err := exec.CommandContext(t.Context(), pgtest.Bin(t, "pg_dump"), "--schema-only", url).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "CREATE TABLE public.things") {
		t.Errorf("pg_dump = %v, want the table in\n%s", err, out)
	}
}

func TestBinariesComeFromTheEnvironmentFirst(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("SUPPORTD_POSTGRES_BIN", dir)
	if got, err := pgtest.Binaries(); err == nil {
		t.Errorf("binaries() with an empty directory = %q, want an error", got)
	}
	for _, name := range []string{"initdb", "postgres"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := pgtest.Binaries(); got != dir || err != nil {
		t.Errorf("binaries() = %q, %v, want %q", got, err, dir)
	}
}

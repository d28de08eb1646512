package store_test

import (
	"database/sql"
	"database/sql/driver"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/supportd/supportd/internal/store"
)

// mustQuery returns the first column of a query on a file, beside any store.
func mustQuery(t *testing.T, file, query string) (found []string) {
	t.Helper()
	db := mustRaw(t, file)
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		found = append(found, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

func mustExec(t *testing.T, file, text string) {
	t.Helper()
	if _, err := mustRaw(t, file).ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func mustRaw(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // only a test's view of the file
	return db
}

const (
	schema  = `SELECT COALESCE(sql, name) FROM sqlite_schema ORDER BY name`
	applied = `SELECT number FROM schema_migrations ORDER BY number`
)

// migrationFiles returns how many migrations there are for SQLite.
func migrationFiles(t *testing.T) (n int) {
	t.Helper()
	files, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".postgres.sql") {
			n++
		}
	}
	return n
}

func TestMigrationsRunOnce(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := mustOpen(t, file)
	mustInsert(t, s, "a")
	mustClose(t, s)
	before := mustQuery(t, file, schema)
	if got, want := len(mustQuery(t, file, applied)), migrationFiles(t); got != want {
		t.Errorf("a new database has %d migrations, want %d", got, want)
	}
	again := mustOpen(t, file)
	if !has(t, again, "a") {
		t.Errorf("the case is gone after opening again")
	}
	if diff := cmp.Diff(before, mustQuery(t, file, schema)); diff != "" {
		t.Errorf("opening again changes the schema (-before +after):\n%s", diff)
	}
}

func TestStoresThatOpenANewFileAtOnceAgree(t *testing.T) {
	t.Parallel()
	for range 10 {
		file := newFile(t)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				s, err := store.Open(t.Context(), "sqlite://"+file)
				if err != nil {
					t.Errorf("Open(new file, beside others) = %v, want nil", err)
					return
				}
				t.Cleanup(func() { mustClose(t, s) })
				if err := s.Check(t.Context()); err != nil {
					t.Errorf("Check() = %v, want nil", err)
				}
			})
		}
		wg.Wait()
		if got, want := len(mustQuery(t, file, applied)), migrationFiles(t); got != want {
			t.Errorf("%d migrations are applied, want %d", got, want)
		}
	}
}

// Two that find out together what is missing would both add it.
func TestMigrationsHoldTheLockWhileTheyLook(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	mustClose(t, mustOpen(t, file))
	looked := false
	w := &watch{before: func(text string) error {
		if strings.Contains(text, "FROM schema_migrations") {
			looked = true
			if _, err := mustRaw(t, file).ExecContext(t.Context(), "BEGIN IMMEDIATE"); !isSQLite(err, sqlite3.SQLITE_BUSY) {
				t.Errorf("BEGIN IMMEDIATE beside a migration = %v, want SQLITE_BUSY", err)
			}
		}
		return nil
	}}
	s, err := store.OpenWith(t.Context(), file, func(c driver.Conn) driver.Conn { return watchedConn{c, w} })
	if err != nil {
		t.Fatalf("OpenWith() = %v", err)
	}
	mustClose(t, s)
	if !looked {
		t.Errorf("Open() does not look for migrations, so the test sees nothing")
	}
}

func TestADatabaseOfALaterVersionIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	mustClose(t, mustOpen(t, file))
	mustExec(t, file, `INSERT INTO schema_migrations (number) VALUES (9999); CREATE TABLE later (id BIGINT); ALTER TABLE cases ADD COLUMN later TEXT`)
	before := mustQuery(t, file, schema)
	s := mustOpen(t, file)
	mustInsert(t, s, "a")
	if !has(t, s, "a") {
		t.Errorf("the case is not there in a database of a later version")
	}
	if diff := cmp.Diff(before, mustQuery(t, file, schema)); diff != "" {
		t.Errorf("Open(database of a later version) changes the schema (-before +after):\n%s", diff)
	}
}

func TestAMigrationThatFailsLeavesTheDatabaseAsItWas(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	mustExec(t, file, `CREATE TABLE communications (id BIGINT)`) // in the way of the second migration
	for range 2 {
		_, err := store.Open(t.Context(), "sqlite://"+file)
		if err == nil || !strings.Contains(err.Error(), "migrations/0002_cases.sql") {
			t.Fatalf("Open() = %v, want an error that names the migration", err)
		}
		if diff := cmp.Diff([]string{"CREATE TABLE communications (id BIGINT)"}, mustQuery(t, file, schema)); diff != "" {
			t.Errorf("schema after a migration that failed (-want +got):\n%s", diff)
		}
	}
	mustExec(t, file, `DROP TABLE communications`)
	mustInsert(t, mustOpen(t, file), "a")
}

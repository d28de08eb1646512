package store_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
	"github.com/supportd/supportd/internal/store/storetest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *store.Store { return mustOpenURL(t, pgtest.Database(t)) })
}

// mustOpenURL opens a store that is closed when the test ends.
func mustOpenURL(t *testing.T, url string) *store.Store {
	t.Helper()
	s := mustOpenedURL(t, url)
	t.Cleanup(func() { mustClose(t, s) })
	return s
}

func mustOpenedURL(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("Open(%s) = %v", url, err)
	}
	return s
}

func TestAPostgresOfALaterVersionIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	mustClose(t, mustOpenedURL(t, url))
	pgtest.Exec(t, url, `INSERT INTO schema_migrations (number) VALUES (9999); CREATE TABLE later (id BIGINT); ALTER TABLE cases ADD COLUMN later TEXT`)
	before := dumpPostgresSchema(t, url)
	s := mustOpenURL(t, url)
	mustInsert(t, s, "a")
	if !has(t, s, "a") {
		t.Errorf("the case is not there")
	}
	if diff := cmp.Diff(before, dumpPostgresSchema(t, url)); diff != "" {
		t.Errorf("opening changes the schema of a later version (-before +after):\n%s", diff)
	}
}

func TestADatabaseThatCannotHoldEveryTextIsRefused(t *testing.T) {
	t.Parallel()
	cluster := pgtest.Start(t, pgtest.Options{})
	pgtest.Exec(t, cluster.URL("postgres"), `CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
	s, err := store.Open(t.Context(), cluster.URL("latin"))
	if err == nil {
		mustClose(t, s)
	}
	if err == nil || !strings.Contains(err.Error(), "its encoding is LATIN1, want UTF8") {
		t.Errorf("Open(LATIN1) = %v, want a refusal of the encoding", err)
	}
}

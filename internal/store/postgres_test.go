package store_test

import (
	"slices"
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

// A database that spreads accounts over machines finds nothing that ties them
// together.
func TestEveryTableIsKeyedByAccount(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	mustOpenURL(t, url)
	ofTheInstallation := map[string]bool{
		"iam_version": true, "schedules": true, "schema_migrations": true, "settings": true,
		"update_locks":   true, // whose names are accounts
		"desk_documents": true, "desk_audit": true,
	}
	indexes := pgtest.Query[string](t, url, `SELECT c.relname || ' ' || i.relname || ' ' || a.attname
		FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indrelid JOIN pg_class AS i ON i.oid = x.indexrelid
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
		WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1`)
	for _, index := range indexes {
		words := strings.Fields(index)
		table, name, first := words[0], words[1], words[2]
		switch {
		case ofTheInstallation[table], first == "account", table == "accounts" && first == "id":
		case name == "jobs_waiting", name == "jobs_running": // any node takes any account's jobs
		case strings.HasPrefix(name, "desk_items_"), name == "desk_tags_tag", name == "cases_display_id": // agents look across accounts
		default:
			t.Errorf("index %s of table %s begins with %s, want the account", name, table, first)
		}
	}
	if len(indexes) < 20 {
		t.Errorf("the query finds %d indexes, so the test sees nothing", len(indexes))
	}
	ties := pgtest.Query[string](t, url, `SELECT 'foreign key ' || conname FROM pg_constraint WHERE contype = 'f'
		UNION ALL SELECT 'sequence ' || relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
		UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal`)
	if !slices.Equal(ties, []string{"trigger desk_audit_changed"}) { // which looks at nothing else
		t.Errorf("the schema has %v, want the trigger of the audit log only", ties)
	}
}

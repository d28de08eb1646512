package store_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// stays are the tables that do not move, with the reason.
func stays() map[string]string {
	return map[string]string{
		"schema_migrations": "each database has migrations of its own",
		"update_locks":      "its rows are only there to be locked",
		"sqlite_stat1":      "a migration fills it",
		"sqlite_stat4":      "a part of the other",
		"desk_search":       "triggers fill it from desk_texts",
		"desk_search_queue": "likewise",
	}
}

// A table or column that nobody added to Tables would stay behind.
func TestEveryTableOfBothEnginesMoves(t *testing.T) {
	t.Parallel()
	file, url := newFile(t), pgtest.Database(t)
	mustOpen(t, file)
	mustOpenURL(t, url)
	want := map[string][]string{}
	for _, table := range store.Tables() {
		for i, c := range table.Columns {
			key := 0
			if i < table.Key {
				key = i + 1
			}
			want[table.Name] = append(want[table.Name], fmt.Sprintf("%s %s %d", c.Name, c.Type, key))
		}
	}
	for name, columns := range map[string][]string{
		// Texts have a key of their own besides, which triggers make.
		"SQLite": mustQuery(t, file, `SELECT m.name || ' ' || c.name || ' ' || c.type || ' ' ||
				CASE m.name WHEN 'desk_texts' THEN COALESCE((SELECT seqno + 1 FROM pragma_index_info('sqlite_autoindex_desk_texts_1') k WHERE k.name = c.name), 0) ELSE c.pk END
			FROM sqlite_schema m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND NOT (m.name = 'desk_texts' AND c.name = 'id') AND m.name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
			ORDER BY m.name, c.cid`),
		"PostgreSQL": pgtest.Query[string](t, url, `SELECT c.table_name || ' ' || c.column_name || ' ' || upper(c.data_type) || ' ' ||
			COALESCE((SELECT k.ordinal_position FROM information_schema.key_column_usage k
				WHERE k.table_name = c.table_name AND k.column_name = c.column_name AND k.constraint_name LIKE '%_pkey'), 0)
			FROM information_schema.columns c WHERE c.table_schema = 'public' ORDER BY c.table_name, c.ordinal_position`),
	} {
		found := map[string][]string{}
		for _, column := range columns {
			table, rest, _ := strings.Cut(column, " ")
			if stays()[table] == "" {
				found[table] = append(found[table], rest)
			}
		}
		if diff := diff.Diff(want, found); diff != "" {
			t.Errorf("tables of %s (-Tables +database):\n%s", name, diff)
		}
	}
}

// engines calls f with a new store of each engine.
func engines(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Run("SQLite", func(t *testing.T) { t.Parallel(); f(t, mustOpen(t, newFile(t))) })
	t.Run("PostgreSQL", func(t *testing.T) { t.Parallel(); f(t, mustOpenURL(t, pgtest.Database(t))) })
}

// randomRow is a row with every kind of value, which no unique index refuses.
func randomRow(r *rand.Rand, t store.Table) store.Row {
	row := make(store.Row, len(t.Columns))
	for i, c := range t.Columns {
		unique := i < t.Key || slices.Contains([]string{"display_id", "position", "unique_key", "set_id"}, c.Name)
		switch c.Type {
		case store.Text:
			row[i] = randomText(r, unique)
		case store.Integer:
			row[i] = r.Int64() * (1 - 2*r.Int64N(2))
		case store.Boolean:
			row[i] = r.IntN(2) == 0
		case store.Bytes:
			row[i] = randomBytes(r, unique)
		}
		if slices.Contains([]string{"payload", "token_hash", "detail", "was", "became"}, c.Name) { // the columns that may be NULL
			row[i] = []any{nil, []byte{}, row[i]}[r.IntN(3)]
		}
	}
	return row
}

func randomText(r *rand.Rand, unique bool) string {
	pieces := []string{"", "a", "B", "Z", "é", "ß", "日本", "🙂", "\u2028", "\"\\/<&>", "\x01\n\r\t\x7f", " ", "-", "\ufffd", "\U0010ffff"}
	text := ""
	for range r.IntN(6) {
		text += pieces[r.IntN(len(pieces))]
	}
	if unique {
		text += fmt.Sprintf("%x", r.Uint64())
	}
	return text
}

func randomBytes(r *rand.Rand, unique bool) []byte {
	n := []int{0, 1, 31, 500}[r.IntN(4)]
	if unique {
		n += 8
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// mustImport imports random rows into every table of an empty store, and
// returns them in the order of each table's key.
func mustImport(t *testing.T, s *store.Store, seed uint64, rows int) map[string][]store.Row {
	t.Helper()
	r, imported := rand.New(rand.NewPCG(seed, 0)), map[string][]store.Row{}
	mark := []byte{0}
	if err := s.BeginImport(t.Context(), mark); err != nil {
		t.Fatalf("BeginImport() = %v, want nil", err)
	}
	for _, table := range store.Tables() {
		for range rows {
			imported[table.Name] = append(imported[table.Name], randomRow(r, table))
		}
		next := append(slices.Clone(mark), 1)
		if err := s.Import(t.Context(), table, imported[table.Name], mark, next); err != nil {
			t.Fatalf("Import(%s) = %v, want nil", table.Name, err)
		}
		mark = next
	}
	if got, err := s.ImportMark(t.Context()); err != nil || string(got) != string(mark) {
		t.Errorf("ImportMark() = %v, %v, want %v", got, err, mark)
	}
	for name := range imported {
		slices.SortFunc(imported[name], func(a, b store.Row) int { return compareRows(a, b) })
	}
	return imported
}

// compareRows compares as both engines should: texts and bytes by their bytes.
func compareRows(a, b store.Row) int {
	for i := range a {
		order := 0
		switch v := a[i].(type) {
		case string:
			order = strings.Compare(v, b[i].(string))
		case []byte:
			order = strings.Compare(string(v), string(b[i].([]byte)))
		case int64:
			order = cmp.Compare(v, b[i].(int64))
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

func mustSnapshot(t *testing.T, s *store.Store) map[string][]store.Row {
	t.Helper()
	found := map[string][]store.Row{}
	err := s.Snapshot(t.Context(), func(view store.Snapshot) error {
		for _, table := range append(store.Tables(), store.AttachmentBytes()) {
			for row, err := range view.Rows(t.Context(), table) {
				if err != nil {
					return err
				}
				found[table.Name] = append(found[table.Name], row)
			}
			n, err := view.Count(t.Context(), table)
			if err != nil {
				return err
			}
			if int(n) != len(found[table.Name]) {
				t.Errorf("Count(%s) = %d, want %d", table.Name, n, len(found[table.Name]))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Snapshot() = %v, want nil", err)
	}
	return found
}

// checkRows shows the first row of each table that differs: there are many.
func checkRows(t *testing.T, got, want map[string][]store.Row) {
	t.Helper()
	for name := range want {
		for i, row := range want[name] {
			if i >= len(got[name]) || !reflect.DeepEqual(got[name][i], row) {
				t.Errorf("%s has %d rows, want %d; row %d is not %.500v", name, len(got[name]), len(want[name]), i, row)
				break
			}
		}
	}
	for name := range got {
		if len(got[name]) > len(want[name]) {
			t.Errorf("%s has %d rows, want %d", name, len(got[name]), len(want[name]))
		}
	}
}

func TestImportedRowsAreReadAsTheyWere(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, s *store.Store) {
		want := mustImport(t, s, 1, 113) // in PostgreSQL statements of 50 rows and of 1
		got := mustSnapshot(t, s)
		delete(got, store.AttachmentBytes().Name)
		checkRows(t, got, want)
	})
}

func TestSnapshotReadsPageAfterPage(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, s *store.Store) {
		const rows = 1000 // two whole pages
		r, mark := rand.New(rand.NewPCG(2, 0)), []byte("mark")
		if err := s.BeginImport(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
		want := map[string][]store.Row{}
		for _, table := range store.Tables() {
			if table.Name != "case_moves" && table.Name != "answers" && table.Name != "attachments" && table.Name != "settings" {
				continue
			}
			for range rows {
				row := randomRow(r, table)
				row[0] = []any{"111122223333", row[0]}[r.IntN(2)]
				if table.Name == "settings" {
					row[0] = randomText(r, true)
				}
				want[table.Name] = append(want[table.Name], row)
				if table.Name == "attachments" && r.IntN(3) == 0 { // the same content in one set
					again := slices.Clone(row)
					again[1], again[3] = randomText(r, true), r.Int64()
					want[table.Name] = append(want[table.Name], again)
				}
			}
			if err := s.Import(t.Context(), table, want[table.Name], mark, mark); err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(want[table.Name], compareRows)
		}
		for _, a := range want["attachments"] {
			want["attachment bytes"] = append(want["attachment bytes"], store.Row{a[0], a[2], a[6], a[5]})
		}
		slices.SortFunc(want["attachment bytes"], compareRows)
		want["attachment bytes"] = slices.CompactFunc(want["attachment bytes"], func(a, b store.Row) bool { return compareRows(a, b) == 0 })
		checkRows(t, mustSnapshot(t, s), want)
	})
}

func TestImportMovesRowsAndMarkTogether(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, s *store.Store) {
		accounts := store.Tables()[2]
		row := func(id string) store.Row { return store.Row{id, "", "", "", "", int64(1)} }
		one, two := []byte("one"), []byte("two")
		if err := s.Import(t.Context(), accounts, nil, one, two); !errors.Is(err, store.ErrImportedElsewhere) {
			t.Errorf("Import(before it began) = %v, want %v", err, store.ErrImportedElsewhere)
		}
		if err := s.BeginImport(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if err := s.BeginImport(t.Context(), one); !errors.Is(err, store.ErrImportedElsewhere) {
			t.Errorf("BeginImport(again) = %v, want %v", err, store.ErrImportedElsewhere)
		}
		if err := s.Import(t.Context(), accounts, []store.Row{row("a"), row("b"), row("a")}, one, two); err == nil {
			t.Errorf("Import(one row twice) = nil, want an error")
		}
		if err := s.Import(t.Context(), accounts, []store.Row{row("c")}, two, one); !errors.Is(err, store.ErrImportedElsewhere) {
			t.Errorf("Import(another mark) = %v, want %v", err, store.ErrImportedElsewhere)
		}
		if got := mustSnapshot(t, s); len(got) != 0 {
			t.Errorf("imports that failed left %v", got)
		}
		if err := s.Import(t.Context(), accounts, []store.Row{row("a")}, one, two); err != nil {
			t.Errorf("Import() = %v, want nil", err)
		}
		if err := s.FinishImport(t.Context(), one); !errors.Is(err, store.ErrImportedElsewhere) {
			t.Errorf("FinishImport(another mark) = %v, want %v", err, store.ErrImportedElsewhere)
		}
		if err := s.FinishImport(t.Context(), two); err != nil {
			t.Errorf("FinishImport() = %v, want nil", err)
		}
		if mark, err := s.ImportMark(t.Context()); mark != nil || err != nil {
			t.Errorf("ImportMark() afterwards = %q, %v, want nil", mark, err)
		}
		if err := s.BeginImport(t.Context(), one); !errors.Is(err, store.ErrNotEmpty) {
			t.Errorf("BeginImport(a database with an account) = %v, want %v", err, store.ErrNotEmpty)
		}
	})
}

func TestRunningJobsWaitAfterAnImport(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, s *store.Store) {
		tables, mark := store.Tables(), []byte("mark")
		jobs := tables[slices.IndexFunc(tables, func(t store.Table) bool { return t.Name == "jobs" })]
		row := func(id, state, lease string, until int64) store.Row {
			return store.Row{"", id, "kind", "key" + id, int64(1), nil, int64(7), state, int64(3), lease, until, "error"}
		}
		if err := s.BeginImport(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
		rows := []store.Row{row("1", "running", "node", 99), row("2", "waiting", "", 0), row("3", "dead", "", 0)}
		if err := s.Import(t.Context(), jobs, rows, mark, mark); err != nil {
			t.Fatal(err)
		}
		if err := s.FinishImport(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
		rows[0] = row("1", "waiting", "", 0)
		if diff := diff.Diff(rows, mustSnapshot(t, s)["jobs"]); diff != "" {
			t.Errorf("jobs (-want +got):\n%s", diff)
		}
	})
}

func TestARowInAnyTableKeepsAnImportAway(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 0))
	for _, table := range store.Tables()[2:] {
		s := mustOpen(t, newFile(t))
		if err := s.BeginImport(t.Context(), []byte("1")); err != nil {
			t.Fatal(err)
		}
		if err := s.Import(t.Context(), table, []store.Row{randomRow(r, table)}, []byte("1"), []byte("1")); err != nil {
			t.Fatal(err)
		}
		if err := s.CheckEmpty(t.Context()); !errors.Is(err, store.ErrNotEmpty) {
			t.Errorf("CheckEmpty(with a row of %s) = %v, want %v", table.Name, err, store.ErrNotEmpty)
		}
	}
}

func TestADatabaseOfALaterReleaseDoesNotMove(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := mustOpen(t, file)
	mustExec(t, file, `INSERT INTO schema_migrations (number) VALUES (9999)`)
	if err := s.Snapshot(t.Context(), func(store.Snapshot) error { return nil }); !errors.Is(err, store.ErrLaterSchema) {
		t.Errorf("Snapshot() = %v, want %v", err, store.ErrLaterSchema)
	}
	if err := s.BeginImport(t.Context(), []byte("1")); !errors.Is(err, store.ErrLaterSchema) {
		t.Errorf("BeginImport() = %v, want %v", err, store.ErrLaterSchema)
	}
}

func TestALongSnapshotIsNotCutOff(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	mustImport(t, mustOpenURL(t, url), 4, 2)
	s := mustOpenURL(t, url+sign(url)+"idle_in_transaction_session_timeout=50ms&statement_timeout=1s")
	err := s.Snapshot(t.Context(), func(view store.Snapshot) error {
		idle(t, url)
		for _, err := range view.Rows(t.Context(), store.Tables()[2]) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Errorf("Snapshot(idle for longer than others may be) = %v, want nil", err)
	}
}

func sign(url string) string {
	if strings.Contains(url, "?") {
		return "&"
	}
	return "?"
}

// idle waits by the clock of the server.
func idle(t *testing.T, url string) {
	t.Helper()
	pgtest.Exec(t, url, `SELECT pg_sleep(0.3)`)
}

// Each page costs the same, wherever it is in the table.
func TestSnapshotsReadAlongThePrimaryKey(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s, w := mustOpenWatched(t, file)
	mustImport(t, s, 5, 501)
	w.take()
	mustSnapshot(t, s)
	pages := 0
	for _, text := range w.take() {
		if !strings.Contains(text, "ORDER BY") || !strings.Contains(text, ") > (") {
			continue
		}
		pages++
		plan := explain(t, s, text)
		if !strings.Contains(plan, "SEARCH") || strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE FOR ORDER BY") {
			t.Errorf("plan of %s:\n%s\nwant a search along an index", text, plan)
		}
	}
	if want := len(store.Tables()) + 1; pages != want {
		t.Errorf("%d second pages were read, want %d", pages, want)
	}
}

func explain(t *testing.T, s *store.Store, text string) string {
	t.Helper()
	var args []any
	for range strings.Count(text, "$") {
		args = append(args, "x")
	}
	rows, err := s.Writer().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatalf("EXPLAIN %s: %v", text, err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, detail)
	}
	return strings.Join(plan, "\n")
}

func BenchmarkSnapshot(b *testing.B) {
	s, err := store.Open(b.Context(), "sqlite://"+b.TempDir()+"/bench.db")
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	r, mark, tables := rand.New(rand.NewPCG(6, 0)), []byte("mark"), store.Tables()
	cases := tables[slices.IndexFunc(tables, func(t store.Table) bool { return t.Name == "cases" })]
	if err := s.BeginImport(b.Context(), mark); err != nil {
		b.Fatal(err)
	}
	const n = 20_000
	var rows []store.Row
	for range n {
		rows = append(rows, randomRow(r, cases))
	}
	start := time.Now()
	if err := s.Import(b.Context(), cases, rows, mark, mark); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(n/time.Since(start).Seconds(), "imported-rows/s")
	b.ReportAllocs()
	read := 0
	for b.Loop() {
		err := s.Snapshot(context.Background(), func(view store.Snapshot) error {
			for _, err := range view.Rows(b.Context(), cases) {
				if err != nil {
					return err
				}
				read++
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "rows/s")
}

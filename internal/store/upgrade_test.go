package store_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// The folder testdata/schemas has a database of every released version, named
// for its last migration. A release adds its own with this flag; none is ever
// changed.
var addSchema = flag.Bool("add-schema", false, "write the present schema, with a row in most tables, into testdata/schemas")

func TestUpgradeFromEveryRelease(t *testing.T) {
	t.Parallel()
	if *addSchema {
		addSchemas(t)
	}
	for _, engine := range []struct {
		name string
		load func(t *testing.T, text string) (url string)
		dump func(t *testing.T, url string) string
	}{
		{"sqlite", loadSQLite, dumpSQLiteSchema},
		{"postgres", loadPostgres, dumpPostgresSchema},
	} {
		files, err := filepath.Glob("testdata/schemas/*." + engine.name + ".sql")
		if err != nil || len(files) == 0 {
			t.Fatalf("there are no schemas of %s: %v", engine.name, err)
		}
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				text := mustRead(t, file)
				url := engine.load(t, text)
				s := mustOpenURL(t, url)
				wantFilled(t, s, strings.Contains(text, "jobs_waiting"))
				wantDesk(t, s, strings.Contains(text, "desk_items"))
				fresh := engine.load(t, "")
				mustOpenURL(t, fresh)
				if diff := cmp.Diff(engine.dump(t, fresh), engine.dump(t, url)); diff != "" {
					t.Errorf("schema after the upgrade (-of a new database +upgraded):\n%s", diff)
				}
			})
		}
	}
}

// fill puts something into most tables.
func fill(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	at := time.UnixMicro(1_790_000_000_000_000)
	err := s.IAM().Update(ctx, func(tx iam.Tx) error {
		who := iam.Principal{Account: account, Kind: iam.User, Name: "alice", ID: "AIDA", CreatedAt: at}
		return errors.Join(
			tx.InsertAccount(ctx, iam.Account{ID: account, Name: "Retail", Email: "o@example.com", Plan: "business", State: iam.AccountActive, CreatedAt: at}),
			tx.InsertPrincipal(ctx, who),
			tx.InsertKey(ctx, iam.Key{Account: account, ID: "AKIA", Kind: iam.User, Name: "alice", SealedSecret: []byte{0, 1, 255}, Active: true, CreatedAt: at}),
			tx.PutPolicy(ctx, iam.PolicyDocument{Account: account, Name: "P", Document: "{}", ChangedAt: at}),
			tx.AttachPolicy(ctx, who, "P"),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Cases().Update(ctx, account, func(tx cases.Tx) error {
		c := newCase("a")
		c.Subject, c.Communications, c.Moves = "It's “broken”\nünïcode", 1, 1
		_, err := tx.Enqueue(ctx, jobs.Job{Account: account, ID: "job", Kind: "kind", Key: "key", Payload: []byte("{}")})
		return errors.Join(err,
			tx.InsertCase(ctx, c),
			tx.InsertMove(ctx, cases.Move{Account: account, CaseID: "a", Number: 1, Event: cases.CustomerReply, From: cases.Unassigned, To: cases.Reopened, At: at}),
			tx.InsertCommunication(ctx, cases.Communication{Account: account, CaseID: "a", Number: 1, Body: "first", CreatedAt: at}),
			tx.InsertAttachmentSet(ctx, cases.AttachmentSet{Account: account, ID: "set", CreatedAt: at, ExpiresAt: at, Files: 1}),
			tx.InsertAttachment(ctx, cases.Attachment{Account: account, ID: "attachment", SetID: "set", Position: 1, FileName: "a.txt", Size: 1, SHA256: "00", CaseID: "a", Communication: 1}),
			tx.InsertAnswer(ctx, account, cases.RequestKey{1}, []byte(`{"a":1}`), at),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Desk().Update(ctx, account, func(tx desk.Tx) error {
		key := desk.Key{Account: account, CaseID: "a"}
		return errors.Join(
			tx.PutDocument(ctx, desk.Document{Kind: desk.KindTeam, ID: "team", Version: 1, Content: []byte("{}"), ChangedAt: at}),
			tx.InsertItem(ctx, desk.Item{Key: key, Status: cases.Unassigned, Tags: []string{"tag"}, Wake: at, Version: 7, CreatedAt: at, ChangedAt: at}),
			tx.InsertRecord(ctx, desk.Record{Key: key, Number: 1, At: at, Event: "note"}),
			tx.InsertText(ctx, desk.Text{Key: key, Number: 1, Terms: []string{"first"}, At: at}),
			tx.InsertEntry(ctx, desk.Entry{At: at, ID: "entry", Action: "case.note", Account: account, Subject: "a"}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.AddSetting(ctx, "setting", []byte("kept")); err != nil {
		t.Fatal(err)
	}
}

// wantFilled expects what fill left, perhaps before there were jobs, read by the
// present release, and a store that takes more.
func wantFilled(t *testing.T, s *store.Store, withJob bool) {
	t.Helper()
	ctx := t.Context()
	err := s.IAM().View(ctx, func(tx iam.Tx) error {
		key, err := tx.Key(ctx, account, "AKIA")
		if string(key.SealedSecret) != "\x00\x01\xff" {
			t.Errorf("sealed secret = %x, want 0001ff", key.SealedSecret)
		}
		who, err2 := tx.Principal(ctx, account, iam.User, "alice")
		if diff := cmp.Diff([]string{"P"}, who.Policies); diff != "" {
			t.Errorf("policies of alice (-want +got):\n%s", diff)
		}
		_, err3 := tx.Account(ctx, account)
		return errors.Join(err, err2, err3)
	})
	if err != nil {
		t.Errorf("identities: %v", err)
	}
	err = s.Cases().View(ctx, func(tx cases.Tx) error {
		c, err := tx.Case(ctx, account, "a")
		if want := "It's “broken”\nünïcode"; c.Subject != want {
			t.Errorf("subject = %q, want %q", c.Subject, want)
		}
		recent, err2 := tx.RecentCommunications(ctx, account, []string{"a"}, 5)
		files, err3 := tx.RecentAttachments(ctx, account, []string{"a"}, 5)
		moves, err4 := tx.Moves(ctx, account, "a", 0, 100)
		answer, err5 := tx.Answer(ctx, account, cases.RequestKey{1})
		if len(recent) != 1 || len(files) != 1 || len(moves) != 1 || string(answer) != `{"a":1}` {
			t.Errorf("the case has communications %v, attachments %v, moves %v, answer %s, want one each", recent, files, moves, answer)
		}
		return errors.Join(err, err2, err3, err4, err5)
	})
	if err != nil {
		t.Errorf("cases: %v", err)
	}
	err = s.Jobs().View(ctx, func(tx jobs.Tx) error {
		_, err := tx.Job(ctx, account, "job")
		return err
	})
	if withJob && err != nil || !withJob && !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("jobs: %v", err)
	}
	if value, err := s.Setting(ctx, "setting"); string(value) != "kept" || err != nil {
		t.Errorf("Setting() = %q, %v, want kept", value, err)
	}
	mustInsert(t, s, "b")
}

// wantDesk expects what fill left at the desk; or, of a release that had none,
// the case in its queues, to be looked at at once.
func wantDesk(t *testing.T, s *store.Store, filled bool) {
	t.Helper()
	ctx := t.Context()
	err := s.Desk().View(ctx, func(tx desk.Tx) error {
		i, err := tx.Item(ctx, account, "a")
		c, err2 := tx.Case(ctx, account, "a")
		if filled {
			hits, err3 := tx.Search(ctx, []string{"first"}, 10)
			entries, err4 := tx.Entries(ctx, desk.EntryQuery{}, 10)
			if i.Version != 7 || len(hits) != 1 || len(entries) != 1 {
				t.Errorf("version of the item, hits, entries = %d, %v, %v, want 7 and one each", i.Version, hits, entries)
			}
			return errors.Join(err, err2, err3, err4)
		}
		want := desk.Item{
			Key: desk.Key{Account: account, CaseID: "a"}, Status: c.Status, Severity: c.SeverityCode, Service: c.ServiceCode, Language: c.Language,
			Wake: time.UnixMicro(1).UTC(), Version: 1, CreatedAt: c.CreatedAt, ChangedAt: c.CreatedAt, Subject: c.Subject, DisplayID: c.DisplayID,
		}
		if diff := cmp.Diff(want, i); diff != "" {
			t.Errorf("item of a case that was there before (-want +got):\n%s", diff)
		}
		found, err3 := tx.Items(ctx, desk.ItemQuery{}, 10)
		if len(found) != 1 {
			t.Errorf("Items() = %v, want the one", found)
		}
		return errors.Join(err, err2, err3)
	})
	if err != nil {
		t.Errorf("desk: %v", err)
	}
}

func mustRead(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func loadSQLite(t *testing.T, text string) string {
	file := newFile(t)
	mustExec(t, file, text)
	return "sqlite://" + file
}

func loadPostgres(t *testing.T, text string) string {
	url := pgtest.Database(t)
	pgtest.Exec(t, url, text)
	return url
}

func dumpSQLiteSchema(t *testing.T, url string) string {
	file := strings.TrimPrefix(url, "sqlite://")
	statistics := mustQuery(t, file, `SELECT tbl || ' ' || COALESCE(idx, '') || ' ' || stat FROM sqlite_stat1 ORDER BY 1`)
	return strings.Join(append(mustQuery(t, file, schema), statistics...), "\n")
}

func dumpPostgresSchema(t *testing.T, url string) string {
	return pgDump(t, url, "--schema-only")
}

// pgDump returns what pg_dump writes, without comments and commands of psql.
func pgDump(t *testing.T, url string, options ...string) string {
	t.Helper()
	options = append(options, "--no-owner", "--no-privileges", "--inserts", url)
	out, err := exec.CommandContext(t.Context(), pgtest.Bin(t, "pg_dump"), options...).Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	var text strings.Builder
	for line := range strings.Lines(string(out)) {
		if line != "\n" && !strings.HasPrefix(line, "--") && !strings.HasPrefix(line, `\`) {
			text.WriteString(line)
		}
	}
	return text.String()
}

// dumpSQLite returns statements that make the database again: its tables, their
// rows, and the triggers last, which would make rows of their own. A virtual
// table brings the tables that it keeps its rows in.
func dumpSQLite(t *testing.T, file string) string {
	t.Helper()
	const (
		objects = `SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND type`
		tables  = `SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_schema' AND type`
	)
	shadows := mustQuery(t, file, tables+` = 'shadow' ORDER BY name`)
	statements := mustQuery(t, file, objects+` <> 'trigger' AND name NOT IN (`+tables+` = 'shadow') ORDER BY type DESC, name`)
	statements = append(statements, "ANALYZE schema_migrations", "DELETE FROM sqlite_stat1")
	for _, table := range shadows {
		statements = append(statements, "DELETE FROM "+table)
	}
	for _, table := range mustQuery(t, file, tables+` <> 'virtual' ORDER BY name`) {
		columns := mustQuery(t, file, fmt.Sprintf(`SELECT 'quote("' || name || '")' FROM pragma_table_info('%s')`, table))
		rows := fmt.Sprintf(`SELECT 'INSERT INTO %[1]s VALUES (' || %[2]s || ')' FROM %[1]s ORDER BY 1`, table, strings.Join(columns, ` || ',' || `))
		statements = append(statements, mustQuery(t, file, rows)...)
	}
	statements = append(statements, mustQuery(t, file, objects+` = 'trigger' ORDER BY name`)...)
	return strings.Join(statements, ";\n") + ";\n"
}

func addSchemas(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll("testdata/schemas", 0o755); err != nil {
		t.Fatal(err)
	}
	file, url := newFile(t), pgtest.Database(t)
	for _, place := range []string{"sqlite://" + file, url} {
		s, err := store.Open(context.WithoutCancel(t.Context()), place)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s)
		mustClose(t, s)
	}
	number := lastMigration(t)
	for name, text := range map[string]string{"sqlite": dumpSQLite(t, file), "postgres": pgDump(t, url)} {
		if err := os.WriteFile(fmt.Sprintf("testdata/schemas/%s.%s.sql", number, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// lastMigration returns the number of the newest migration of any engine.
func lastMigration(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	number, _, _ := strings.Cut(filepath.Base(files[len(files)-1]), "_")
	return number
}

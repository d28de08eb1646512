package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Type is the type of a column, in the words of the migrations.
type Type string

// The types of columns, with what a Row holds for them.
const (
	Text    Type = "TEXT"    // string
	Integer Type = "BIGINT"  // int64
	Boolean Type = "BOOLEAN" // bool
	Bytes   Type = "BYTEA"   // []byte
)

// Column is a column of a table.
type Column struct {
	Name string
	Type Type
}

// Table is a table whose rows move with an installation from one database to
// another. Its primary key is its first columns.
type Table struct {
	Name    string
	Columns []Column
	Key     int // how many columns the primary key has

	from     string // where the rows are, if not in a table of this name
	distinct bool   // rows that are equal are one
	except   string // the primary key of a row that stays where it is
}

// Row is the values of a row in the order of the table's columns; nil is NULL.
type Row []any

// Tables returns every table that moves. What does not: schema_migrations, which
// each database has of its own; update_locks, whose rows are only there to be
// locked; and sqlite_stat1 and other tables of an engine.
func Tables() []Table {
	settings := table("settings", 1, "name TEXT, value BYTEA")
	settings.except = importMark
	return []Table{
		settings,
		table("iam_version", 1, "id BIGINT, version BIGINT"),
		table("accounts", 1, "id TEXT, name TEXT, email TEXT, plan TEXT, state TEXT, created_at BIGINT"),
		table("principals", 3, "account TEXT, kind TEXT, name TEXT, id TEXT, created_at BIGINT"),
		table("access_keys", 2, "account TEXT, id TEXT, kind TEXT, name TEXT, sealed_secret BYTEA, active BOOLEAN, "+
			"created_at BIGINT, session_name TEXT, token_hash BYTEA, expires_at BIGINT"),
		table("policies", 2, "account TEXT, name TEXT, document TEXT, changed_at BIGINT"),
		table("policy_attachments", 4, "account TEXT, kind TEXT, name TEXT, policy TEXT"),
		table("cases", 2, "account TEXT, id TEXT, display_id TEXT, subject TEXT, status TEXT, service_code TEXT, "+
			"category_code TEXT, severity_code TEXT, issue_type TEXT, language TEXT, submitted_by TEXT, cc_addresses TEXT, "+
			"created_at BIGINT, resolved_at BIGINT, communications BIGINT, moves BIGINT"),
		table("case_moves", 3, "account TEXT, case_id TEXT, number BIGINT, event TEXT, from_status TEXT, to_status TEXT, "+
			"actor TEXT, created_at BIGINT"),
		table("communications", 3, "account TEXT, case_id TEXT, number BIGINT, body TEXT, submitted_by TEXT, created_at BIGINT"),
		table("attachment_sets", 2, "account TEXT, id TEXT, created_at BIGINT, expires_at BIGINT, used_at BIGINT, files BIGINT"),
		table("attachments", 2, "account TEXT, id TEXT, set_id TEXT, position BIGINT, file_name TEXT, size BIGINT, "+
			"sha256 TEXT, case_id TEXT, communication BIGINT"),
		table("answers", 2, "account TEXT, key BYTEA, answer BYTEA, created_at BIGINT"),
		table("jobs", 2, "account TEXT, id TEXT, kind TEXT, unique_key TEXT, priority BIGINT, payload BYTEA, run_at BIGINT, "+
			"state TEXT, attempt BIGINT, lease TEXT, leased_until BIGINT, error TEXT"),
		table("schedules", 1, "name TEXT, next_at BIGINT"),
		table("advisor_sources", 1, "account TEXT, sealed BYTEA, set_at BIGINT"),
		table("advisor_refreshes", 2, "account TEXT, check_id TEXT, state TEXT, requested_at BIGINT"),
		table("advisor_results", 2, "account TEXT, check_id TEXT, summary BYTEA"),
		table("advisor_rows", 3, "account TEXT, check_id TEXT, number BIGINT, content BYTEA"),
		table("advisor_history", 3, "account TEXT, check_id TEXT, computed_at BIGINT, summary BYTEA"),
		table("advisor_exclusions", 3, "account TEXT, check_id TEXT, resource_id TEXT, excluded_at BIGINT, excluded_by TEXT"),
		table("advisor_events", 3, "account TEXT, created_at BIGINT, id TEXT, events BYTEA"),
		table("desk_documents", 2, "kind TEXT, id TEXT, version BIGINT, content BYTEA, changed_at BIGINT"),
		table("desk_items", 2, "account TEXT, case_id TEXT, status TEXT, severity TEXT, service TEXT, language TEXT, assignee TEXT, "+
			"team TEXT, tags TEXT, due_at BIGINT, wake_at BIGINT, history TEXT, fired TEXT, merged_into TEXT, version BIGINT, "+
			"records BIGINT, created_at BIGINT, changed_at BIGINT"),
		table("desk_tags", 3, "account TEXT, case_id TEXT, tag TEXT, due_at BIGINT, is_open BOOLEAN"),
		table("desk_records", 3, "account TEXT, case_id TEXT, number BIGINT, created_at BIGINT, agent TEXT, event TEXT, detail BYTEA, "+
			"communication BIGINT, other_case TEXT"),
		table("desk_texts", 3, "account TEXT, case_id TEXT, number BIGINT, terms TEXT, created_at BIGINT"),
		table("desk_presences", 3, "account TEXT, case_id TEXT, agent TEXT, replying BOOLEAN, expires_at BIGINT"),
		table("desk_audit", 2, "created_at BIGINT, id TEXT, agent TEXT, token_id TEXT, request_id TEXT, action TEXT, account TEXT, "+
			"subject TEXT, was BYTEA, became BYTEA"),
	}
}

// AttachmentBytes returns what Snapshot.Rows reads of attachments to find their
// bytes, each once: account, set, SHA-256 and size. It is no table. Reading it
// relies on the index attachments_set.
func AttachmentBytes() Table {
	t := table("attachment bytes", 4, "account TEXT, set_id TEXT, sha256 TEXT, size BIGINT")
	t.from, t.distinct = "attachments", true
	return t
}

// table reads columns that are written as in a migration.
func table(name string, key int, columns string) Table {
	t := Table{Name: name, Key: key, from: name}
	for column := range strings.SplitSeq(columns, ", ") {
		name, kind, _ := strings.Cut(column, " ")
		t.Columns = append(t.Columns, Column{name, Type(kind)})
	}
	return t
}

func (t Table) columns(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = t.Columns[i].Name
	}
	return strings.Join(names, ", ")
}

// Schema returns the number of the last migration that is for both engines: two
// databases of the same number have the same tables, but for those of an engine.
func Schema() (number int, err error) {
	return lastMigration(func(file string) bool { return strings.Count(file, ".") == 1 })
}

func lastMigration(counts func(file string) bool) (last int, err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	for _, file := range files {
		if !counts(file) {
			continue
		}
		text, _, _ := strings.Cut(strings.TrimPrefix(file, "migrations/"), "_")
		number, err := strconv.Atoi(text)
		if err != nil {
			return 0, err
		}
		last = max(last, number)
	}
	return last, err
}

// ErrLaterSchema says that a later release has upgraded the database: it may
// have tables that this one does not know.
var ErrLaterSchema = errors.New("a later release has upgraded the database: use that one")

func checkSchema(ctx context.Context, t *tx) error {
	known, err := lastMigration(func(string) bool { return true })
	if err != nil {
		return err
	}
	var found int
	if err := t.row(ctx, `SELECT COALESCE(MAX(number), 0) FROM schema_migrations`).Scan(&found); err != nil {
		return err
	}
	if found > known {
		return ErrLaterSchema
	}
	return nil
}

// Snapshot reads whole tables of a database as it is at one moment.
type Snapshot struct{ tx *tx }

// Snapshot runs f on one consistent state. It may take hours: unlike other
// transactions it has no time limit for its statements.
func (s *Store) Snapshot(ctx context.Context, f func(Snapshot) error) error {
	return s.engine.view(ctx, func(t *tx) error {
		if t.dialect.unhurried != "" {
			if err := t.conn.script(ctx, t.dialect.unhurried); err != nil {
				return err
			}
		}
		if err := checkSchema(ctx, t); err != nil {
			return err
		}
		return f(Snapshot{t})
	})
}

// Count returns how many rows Rows yields.
func (s Snapshot) Count(ctx context.Context, t Table) (n int64, err error) {
	where, args := t.where(nil)
	err = s.tx.row(ctx, `SELECT COUNT(*) FROM (`+t.selection()+where+`) AS found`, args...).Scan(&n)
	return n, err
}

// pageSize is how many rows one statement of a Snapshot reads.
const pageSize = 500

// Rows yields all rows of a table by its primary key. An error ends them.
func (s Snapshot) Rows(ctx context.Context, t Table) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for after, more := Row(nil), true; more; {
			page, err := s.page(ctx, t, after)
			if err != nil {
				yield(nil, fmt.Errorf("table %s: %w", t.Name, err))
				return
			}
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
			}
			if more = len(page) == pageSize; more {
				after = page[len(page)-1][:t.Key]
			}
		}
	}
}

// page reads a part of the index of the primary key.
func (s Snapshot) page(ctx context.Context, t Table, after Row) ([]Row, error) {
	where, args := t.where(after)
	text := fmt.Sprintf(`%s%s ORDER BY %s LIMIT %d`, t.selection(), where, t.columns(t.Key), pageSize)
	return all(ctx, s.tx, t.scan, text, args...)
}

func (t Table) selection() string {
	distinct := ""
	if t.distinct {
		distinct = "DISTINCT "
	}
	return `SELECT ` + distinct + t.columns(len(t.Columns)) + ` FROM ` + t.from
}

func (t Table) where(after Row) (text string, args []any) {
	if after != nil {
		text, args = fmt.Sprintf(` WHERE (%s) > (%s)`, t.columns(t.Key), placeholders(1, t.Key)), after
	}
	if t.except == "" {
		return text, args
	}
	if text == "" {
		text = ` WHERE `
	} else {
		text += ` AND `
	}
	args = append(args[:len(args):len(args)], t.except)
	return text + fmt.Sprintf(`%s <> $%d`, t.Columns[0].Name, len(args)), args
}

func placeholders(first, n int) string {
	var text strings.Builder
	for i := range n {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteByte('$')
		text.WriteString(strconv.Itoa(first + i))
	}
	return text.String()
}

func (t Table) scan(r scanner) (Row, error) {
	row, dest := make(Row, len(t.Columns)), make([]any, len(t.Columns))
	for i := range row {
		dest[i] = &row[i]
	}
	if err := r.Scan(dest...); err != nil {
		return nil, err
	}
	for i, c := range t.Columns {
		row[i] = c.Type.plain(row[i])
		if row[i] != nil && !c.Type.has(row[i]) {
			return nil, fmt.Errorf("column %s of the row %q holds %q, which is no %s (a text is UTF-8)", c.Name, row[:t.Key], row[i], c.Type)
		}
	}
	return row, nil
}

// plain returns a value as all engines have it: SQLite keeps a BOOLEAN as a
// number and answers a slice that is nil for no bytes, which is not NULL.
func (t Type) plain(value any) any {
	switch v := value.(type) {
	case int64:
		if t == Boolean && (v == 0 || v == 1) {
			return v == 1
		}
	case []byte:
		if v == nil {
			return []byte{}
		}
	}
	return value
}

func (t Type) has(value any) bool {
	switch v := value.(type) {
	case string:
		return t == Text && utf8.ValidString(v)
	case int64:
		return t == Integer
	case bool:
		return t == Boolean
	case []byte:
		return t == Bytes
	}
	return false
}

// importMark is the name of the setting that says how far an import is. While
// it is there the database is not whole.
const importMark = "import"

// ErrNotEmpty says that a database holds something already.
var ErrNotEmpty = errors.New("the database is not empty")

// ErrImportedElsewhere says that another process works on the same import.
var ErrImportedElsewhere = errors.New("another process imports into this database, or has done so")

// ImportMark returns how far the unfinished import into this database is, nil
// when there is none.
func (s *Store) ImportMark(ctx context.Context) ([]byte, error) { return s.Setting(ctx, importMark) }

// CheckEmpty returns ErrNotEmpty unless the database holds nothing but what
// opening it has put there: settings and the version of the identities.
func (s *Store) CheckEmpty(ctx context.Context) error {
	return s.engine.view(ctx, func(t *tx) error { return checkEmpty(ctx, t) })
}

func checkEmpty(ctx context.Context, t *tx) error {
	if err := checkSchema(ctx, t); err != nil {
		return err
	}
	for _, table := range Tables() {
		if table.Name == "settings" || table.Name == "iam_version" {
			continue
		}
		var found bool
		if err := t.row(ctx, `SELECT EXISTS (SELECT 1 FROM `+table.Name+`)`).Scan(&found); err != nil {
			return err
		}
		if found {
			return fmt.Errorf("%w: it has %s", ErrNotEmpty, strings.ReplaceAll(table.Name, "_", " "))
		}
	}
	return nil
}

// BeginImport takes away what CheckEmpty allows, and sets the mark of an import.
func (s *Store) BeginImport(ctx context.Context, mark []byte) error {
	return s.engine.update(ctx, "", func(t *tx) error {
		if err := checkEmpty(ctx, t); err != nil {
			return err
		}
		for _, text := range []string{`DELETE FROM iam_version`, `DELETE FROM settings WHERE name <> 'import'`} {
			if err := t.exec(ctx, text); err != nil {
				return err
			}
		}
		n, err := t.affected(ctx, `INSERT INTO settings (name, value) VALUES ('import', $1) ON CONFLICT (name) DO NOTHING`, mark)
		if err == nil && n == 0 {
			return ErrImportedElsewhere
		}
		return err
	})
}

// Import adds rows to a table and moves the mark, which is now from, to its next
// place, both or neither.
func (s *Store) Import(ctx context.Context, into Table, rows []Row, from, to []byte) error {
	return s.engine.update(ctx, "", func(t *tx) error {
		n, err := t.affected(ctx, `UPDATE settings SET value = $2 WHERE name = 'import' AND value = $1`, from, to)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrImportedElsewhere
		}
		return t.insert(ctx, into, rows)
	})
}

// insert adds many rows with each statement where they go over a network: there
// it is the number of statements that takes time.
func (t *tx) insert(ctx context.Context, into Table, rows []Row) error {
	for len(rows) > 0 {
		n := 1 // one of two lengths, so that few texts are prepared
		if len(rows) >= t.dialect.rowsAtOnce {
			n = t.dialect.rowsAtOnce
		}
		var args []any
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		if err := t.exec(ctx, into.insertion(n), args...); err != nil {
			return fmt.Errorf("table %s: %w", into.Name, err)
		}
		rows = rows[n:]
	}
	return nil
}

func (t Table) insertion(rows int) string {
	var text strings.Builder
	fmt.Fprintf(&text, `INSERT INTO %s (%s) VALUES `, t.Name, t.columns(len(t.Columns)))
	for i := range rows {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString("(" + placeholders(1+i*len(t.Columns), len(t.Columns)) + ")")
	}
	return text.String()
}

// FinishImport takes away the mark: the database is whole. Jobs that were
// running when they were exported wait again, for their runners stayed behind.
func (s *Store) FinishImport(ctx context.Context, mark []byte) error {
	return s.engine.update(ctx, "", func(t *tx) error {
		n, err := t.affected(ctx, `DELETE FROM settings WHERE name = 'import' AND value = $1`, mark)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrImportedElsewhere
		}
		return t.exec(ctx, `UPDATE jobs SET state = 'waiting', lease = '', leased_until = 0 WHERE state = 'running'`)
	})
}

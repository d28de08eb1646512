package store

import (
	"context"
	"regexp"
	"strings"
)

// dialect is what truly differs between the engines; every statement of the
// rooms has one text.
type dialect struct {
	name string // of the engine, in the names of its own migrations

	// skipLocked ends a SELECT that passes over rows which other transactions
	// are working on. SQLite has one writer, who never meets another.
	skipLocked string

	// uniqueViolation reports whether a statement failed because a unique index
	// has the value already.
	uniqueViolation func(error) bool

	// unhurried begins a transaction that may take long. One that is idle is
	// waiting for a disk.
	unhurried string

	// rowsAtOnce is how many rows one statement of an import adds. The driver of
	// SQLite looks each argument up among all of them.
	rowsAtOnce int

	// keysAtOnce is how many keys one statement looks up, for the same reason.
	keysAtOnce int

	// finder is how texts are found by their words.
	finder finder

	// reset removes all rows, past the triggers that keep some of them.
	reset func(ctx context.Context, t *tx) error

	// ddl adapts the text of a migration.
	ddl func(text string) string
}

// The dialects never change.
var sqliteDialect = &dialect{
	name:            "sqlite",
	uniqueViolation: isSQLiteUniqueViolation,
	rowsAtOnce:      1,
	keysAtOnce:      10,
	finder:          sqliteFinder(),
	reset:           resetSQLite,
	ddl:             func(text string) string { return text },
}

var postgresDialect = &dialect{
	name:            "postgres",
	skipLocked:      " FOR UPDATE SKIP LOCKED",
	rowsAtOnce:      50,
	keysAtOnce:      100,
	finder:          postgresFinder(),
	reset:           resetPostgres,
	unhurried:       "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '15min'",
	uniqueViolation: isPostgresUniqueViolation,
	ddl:             collateByBytes,
}

var textColumn = regexp.MustCompile(`(?m)^(    \w+ +TEXT)\b`)

// collateByBytes makes text columns compare by bytes, as they do in SQLite,
// whatever the locale of the database: pages would have another order, and an
// update of the system's locales can break the indexes of others.
func collateByBytes(text string) string {
	return textColumn.ReplaceAllString(text, `$1 COLLATE "C"`)
}

// runs reports whether a migration is for this engine: NNNN_name.sql is for
// all, NNNN_name.postgres.sql for one.
func (d *dialect) runs(file string) bool {
	parts := strings.Split(strings.TrimSuffix(file, ".sql"), ".")
	return len(parts) == 1 || parts[1] == d.name
}

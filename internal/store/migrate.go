package store

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// migrate brings the schema to this version. The caller holds the lock that
// keeps other processes from doing the same. A database of a later version is
// left as it is: the previous release keeps working on the next one's schema.
func migrate(ctx context.Context, t *tx) error {
	if err := t.exec(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT NOT NULL PRIMARY KEY)`); err != nil {
		return err
	}
	var done int
	if err := t.row(ctx, `SELECT COALESCE(MAX(number), 0) FROM schema_migrations`).Scan(&done); err != nil {
		return err
	}
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted by name
	if err != nil {
		return err
	}
	for _, file := range files {
		if !t.dialect.runs(file) {
			continue
		}
		if err := applyMigration(ctx, t, file, done); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

func applyMigration(ctx context.Context, t *tx, file string, done int) error {
	number, err := strconv.Atoi(strings.SplitN(strings.TrimPrefix(file, "migrations/"), "_", 2)[0])
	if err != nil || number <= done {
		return err
	}
	text, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	if err := t.conn.script(ctx, t.dialect.ddl(string(text))); err != nil {
		return err
	}
	return t.exec(ctx, `INSERT INTO schema_migrations (number) VALUES ($1)`, number)
}

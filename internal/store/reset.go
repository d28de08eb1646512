package store

import (
	"context"
	"errors"
)

// Reset removes everything but the settings, as one change, also entries of the
// audit log. It is for servers in test mode only.
func (s *Store) Reset(ctx context.Context) error {
	return s.engine.update(ctx, "", func(t *tx) error { return t.dialect.reset(ctx, t) })
}

// empty removes the rows of all tables that move but the settings. The version
// of the identities counts on, so that nobody goes on with those in memory.
func (t *tx) empty(ctx context.Context) error {
	for _, table := range Tables() {
		switch table.Name {
		case "settings", "iam_version":
			continue
		}
		if err := t.queue(ctx, `DELETE FROM `+table.Name); err != nil {
			return err
		}
	}
	return t.exec(ctx, `UPDATE iam_version SET version = version + 1`)
}

// resetSQLite takes the triggers away for as long as the transaction runs, which
// nobody else sees. Without them a table is emptied at once, not row by row.
func resetSQLite(ctx context.Context, t *tx) error {
	type trigger struct{ name, definition string }
	scan := func(r scanner) (found trigger, err error) { return found, r.Scan(&found.name, &found.definition) }
	triggers, err := all(ctx, t, scan, `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`)
	if err != nil {
		return err
	}
	for _, found := range triggers {
		err = errors.Join(err, t.exec(ctx, `DROP TRIGGER `+found.name))
	}
	err = errors.Join(err, t.empty(ctx),
		t.exec(ctx, `DELETE FROM desk_search_queue`),
		t.exec(ctx, `INSERT INTO desk_search (desk_search) VALUES ('delete-all')`))
	for _, found := range triggers {
		err = errors.Join(err, t.exec(ctx, found.definition))
	}
	return err
}

// resetPostgres waits for the updates that run, which all hold a row of
// update_locks, and keeps others waiting.
func resetPostgres(ctx context.Context, t *tx) error {
	return errors.Join(
		t.exec(ctx, `LOCK TABLE update_locks IN EXCLUSIVE MODE`),
		t.exec(ctx, `ALTER TABLE desk_audit DISABLE TRIGGER desk_audit_changed`),
		t.empty(ctx),
		t.exec(ctx, `ALTER TABLE desk_audit ENABLE TRIGGER desk_audit_changed`),
	)
}

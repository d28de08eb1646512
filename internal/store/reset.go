package store

import "context"

// Reset removes everything but the settings, as one change, also entries of the
// audit log. It is for servers in test mode only.
func (s *Store) Reset(ctx context.Context) error {
	return s.engine.update(ctx, "", func(t *tx) error { return t.dialect.reset(ctx, t) })
}

// empty removes the rows of all tables that move but the settings, and runs the
// other statements. The version of the identities counts on, so that nobody goes
// on with those in memory.
func (t *tx) empty(ctx context.Context, others ...string) error {
	for _, table := range Tables() {
		switch table.Name {
		case "settings", "iam_version":
			continue
		}
		if err := t.queue(ctx, `DELETE FROM `+table.Name); err != nil {
			return err
		}
	}
	for _, text := range others {
		if err := t.queue(ctx, text); err != nil {
			return err
		}
	}
	return t.exec(ctx, `UPDATE iam_version SET version = version + 1`)
}

// resetSQLite takes the triggers away for as long as the transaction runs, which
// nobody else sees. Without them a table is emptied at once, not row by row.
func resetSQLite(ctx context.Context, t *tx) error {
	names, err := all(ctx, t, scanText, `SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name`)
	if err != nil {
		return err
	}
	definitions, err := all(ctx, t, scanText, `SELECT sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name`)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := t.exec(ctx, `DROP TRIGGER `+name); err != nil {
			return err
		}
	}
	if err := t.empty(ctx, `DELETE FROM desk_search_queue`, `INSERT INTO desk_search (desk_search) VALUES ('delete-all')`); err != nil {
		return err
	}
	for _, definition := range definitions {
		if err := t.exec(ctx, definition); err != nil {
			return err
		}
	}
	return nil
}

// resetPostgres waits for the updates that run, which all hold a row of
// update_locks, and keeps others waiting.
func resetPostgres(ctx context.Context, t *tx) error {
	for _, text := range []string{
		`LOCK TABLE update_locks IN EXCLUSIVE MODE`,
		`ALTER TABLE desk_audit DISABLE TRIGGER desk_audit_changed`,
	} {
		if err := t.exec(ctx, text); err != nil {
			return err
		}
	}
	return t.empty(ctx, `ALTER TABLE desk_audit ENABLE TRIGGER desk_audit_changed`)
}

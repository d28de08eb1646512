package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

// Desk returns the store as the desk sees it.
func (s *Store) Desk() desk.Store {
	return part[desk.Tx]{s, func(t *tx) desk.Tx { return deskTx{casesTx{t}} }}
}

// DeskTx returns the desk's view of a transaction that the cases room got from
// a Store, see cases.Service.Watch. What wraps one has a method Unwrap.
func DeskTx(tx cases.Tx) desk.Tx {
	switch t := tx.(type) {
	case casesTx:
		return deskTx{t}
	case deskTx:
		return t
	case interface{ Unwrap() cases.Tx }:
		return DeskTx(t.Unwrap())
	}
	panic(fmt.Sprintf("%T is no transaction of a store", tx))
}

// deskTx implements desk.Tx.
type deskTx struct{ casesTx }

func scanDocument(r scanner) (d desk.Document, err error) {
	var changedAt int64
	err = r.Scan(&d.Kind, &d.ID, &d.Version, &d.Content, &changedAt)
	d.ChangedAt = fromMicros(changedAt)
	return d, err
}

func (t deskTx) Document(ctx context.Context, kind desk.Kind, id string) (desk.Document, error) {
	d, err := scanDocument(t.row(ctx, `SELECT kind, id, version, content, changed_at FROM desk_documents
		WHERE kind = $1 AND id = $2`, kind, id))
	if errors.Is(err, sql.ErrNoRows) {
		return d, desk.ErrNotFound
	}
	return d, err
}

func (t deskTx) Documents(ctx context.Context, kind desk.Kind) ([]desk.Document, error) {
	return all(ctx, t.tx, scanDocument, `SELECT kind, id, version, content, changed_at FROM desk_documents
		WHERE kind = $1 ORDER BY id`, kind)
}

func (t deskTx) PutDocument(ctx context.Context, d desk.Document) error {
	return t.queue(ctx, `INSERT INTO desk_documents (kind, id, version, content, changed_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, content = excluded.content, changed_at = excluded.changed_at`,
		d.Kind, d.ID, d.Version, d.Content, micros(d.ChangedAt))
}

func (t deskTx) DeleteDocument(ctx context.Context, kind desk.Kind, id string) error {
	return t.queue(ctx, `DELETE FROM desk_documents WHERE kind = $1 AND id = $2`, kind, id)
}

const recordColumns = `account, case_id, number, created_at, agent, event, detail, communication, other_case`

func (t deskTx) InsertRecord(ctx context.Context, r desk.Record) error {
	return t.queue(ctx, `INSERT INTO desk_records (`+recordColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		r.Account, r.CaseID, r.Number, micros(r.At), r.Agent, r.Event, r.Detail, r.Communication, r.OtherCase)
}

func scanRecord(r scanner) (found desk.Record, err error) {
	var at int64
	err = r.Scan(&found.Account, &found.CaseID, &found.Number, &at, &found.Agent, &found.Event, &found.Detail,
		&found.Communication, &found.OtherCase)
	found.At = fromMicros(at)
	return found, err
}

func (t deskTx) Records(ctx context.Context, account, caseID string, after int64, limit int) ([]desk.Record, error) {
	return all(ctx, t.tx, scanRecord, `SELECT `+recordColumns+` FROM desk_records
		WHERE account = $1 AND case_id = $2 AND number > $3 AND event <> $4 ORDER BY number LIMIT $5`,
		account, caseID, after, desk.EventReplied, limit)
}

// CommunicationRecords reads index desk_records_communication.
func (t deskTx) CommunicationRecords(ctx context.Context, account, caseID string, first, last int64) ([]desk.Record, error) {
	return all(ctx, t.tx, scanRecord, `SELECT `+recordColumns+` FROM desk_records
		WHERE account = $1 AND case_id = $2 AND communication > 0 AND communication BETWEEN $3 AND $4 ORDER BY communication`,
		account, caseID, first, last)
}

// CaseRecords reads index desk_records_other_case.
func (t deskTx) CaseRecords(ctx context.Context, account, caseID string) ([]desk.Record, error) {
	return all(ctx, t.tx, scanRecord, `SELECT `+recordColumns+` FROM desk_records
		WHERE account = $1 AND case_id = $2 AND other_case <> '' ORDER BY number`, account, caseID)
}

func (t deskTx) PutPresence(ctx context.Context, p desk.Presence) error {
	return t.queue(ctx, `INSERT INTO desk_presences (account, case_id, agent, replying, expires_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account, case_id, agent) DO UPDATE SET replying = excluded.replying, expires_at = excluded.expires_at`,
		p.Account, p.CaseID, p.Agent, p.Replying, micros(p.ExpiresAt))
}

func (t deskTx) DeletePresence(ctx context.Context, account, caseID, agent string) error {
	return t.queue(ctx, `DELETE FROM desk_presences WHERE account = $1 AND case_id = $2 AND agent = $3`, account, caseID, agent)
}

func scanPresence(r scanner) (p desk.Presence, err error) {
	var expiresAt int64
	err = r.Scan(&p.Account, &p.CaseID, &p.Agent, &p.Replying, &expiresAt)
	p.ExpiresAt = fromMicros(expiresAt)
	return p, err
}

func (t deskTx) Presences(ctx context.Context, account, caseID string, now time.Time) ([]desk.Presence, error) {
	return all(ctx, t.tx, scanPresence, `SELECT account, case_id, agent, replying, expires_at FROM desk_presences
		WHERE account = $1 AND case_id = $2 AND expires_at > $3 ORDER BY agent`, account, caseID, micros(now))
}

// DeletePresencesBefore reads the whole table: it is short.
func (t deskTx) DeletePresencesBefore(ctx context.Context, before time.Time) error {
	return t.queue(ctx, `DELETE FROM desk_presences WHERE expires_at < $1`, micros(before))
}

func (t deskTx) InsertEntry(ctx context.Context, e desk.Entry) error {
	return t.queue(ctx, `INSERT INTO desk_audit (created_at, id, agent, token_id, request_id, action, account, subject, was, became)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		micros(e.At), e.ID, e.Agent, e.TokenID, e.RequestID, e.Action, e.Account, e.Subject, e.Before, e.After)
}

func scanEntry(r scanner) (e desk.Entry, err error) {
	var at int64
	err = r.Scan(&at, &e.ID, &e.Agent, &e.TokenID, &e.RequestID, &e.Action, &e.Account, &e.Subject, &e.Before, &e.After)
	e.At = fromMicros(at)
	return e, err
}

// Entries reads the end of one of the indexes desk_audit_agent,
// desk_audit_action, desk_audit_account and desk_audit_subject, or of the
// primary key.
func (t deskTx) Entries(ctx context.Context, q desk.EntryQuery, limit int) ([]desk.Entry, error) {
	var c conditions
	c.addText("agent = ?", q.Agent)
	c.addText("action = ?", q.Action)
	c.addText("account = ?", q.Account)
	c.addText("subject = ?", q.Subject)
	if q.Before != (desk.EntryPosition{}) {
		c.add("(created_at, id) < (?, ?)", micros(q.Before.At), q.Before.ID)
	}
	c.add("created_at >= ?", micros(q.From))
	c.add("created_at < ?", microsOrMax(q.To))
	return all(ctx, t.tx, scanEntry, `SELECT created_at, id, agent, token_id, request_id, action, account, subject, was, became
		FROM desk_audit WHERE `+c.text()+` ORDER BY created_at DESC, id DESC LIMIT `+c.arg(limit), c.args...)
}

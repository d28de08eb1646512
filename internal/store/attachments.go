package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/supportd/supportd/internal/cases"
)

const attachmentColumns = `account, id, set_id, position, file_name, size, sha256, case_id, communication`

func scanAttachment(r scanner) (a cases.Attachment, err error) {
	err = r.Scan(&a.Account, &a.ID, &a.SetID, &a.Position, &a.FileName, &a.Size, &a.SHA256, &a.CaseID, &a.Communication)
	return a, err
}

func (t casesTx) AttachmentsBetween(ctx context.Context, account, caseID string, first, last int64) ([]cases.Attachment, error) {
	return all(ctx, t.tx, scanAttachment, `SELECT `+attachmentColumns+` FROM attachments
		WHERE account = $1 AND case_id = $2 AND communication BETWEEN $3 AND $4
		ORDER BY communication, position`, account, caseID, first, last)
}

func (t casesTx) AttachmentSet(ctx context.Context, account, id string) (cases.AttachmentSet, error) {
	set := cases.AttachmentSet{Account: account, ID: id}
	var createdAt, expiresAt, usedAt int64
	err := t.row(ctx, `SELECT created_at, expires_at, used_at, files FROM attachment_sets WHERE account = $1 AND id = $2`,
		account, id).Scan(&createdAt, &expiresAt, &usedAt, &set.Files)
	if errors.Is(err, sql.ErrNoRows) {
		return cases.AttachmentSet{}, cases.ErrSetNotFound
	}
	set.CreatedAt, set.ExpiresAt, set.UsedAt = fromMicros(createdAt), fromMicros(expiresAt), fromMicros(usedAt)
	return set, err
}

func (t casesTx) InsertAttachmentSet(ctx context.Context, s cases.AttachmentSet) error {
	return t.queue(ctx, `INSERT INTO attachment_sets (account, id, created_at, expires_at, used_at, files) VALUES ($1, $2, $3, $4, $5, $6)`,
		s.Account, s.ID, micros(s.CreatedAt), micros(s.ExpiresAt), micros(s.UsedAt), s.Files)
}

func (t casesTx) UpdateAttachmentSet(ctx context.Context, s cases.AttachmentSet) error {
	return t.queue(ctx, `UPDATE attachment_sets SET used_at = $3, files = $4 WHERE account = $1 AND id = $2`,
		s.Account, s.ID, micros(s.UsedAt), s.Files)
}

// CountSetsSince reads index attachment_sets_created.
func (t casesTx) CountSetsSince(ctx context.Context, account string, since time.Time, most int) (n int, err error) {
	err = t.row(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM attachment_sets WHERE account = $1 AND created_at > $2 LIMIT $3) AS recent`,
		account, micros(since), most).Scan(&n)
	return n, err
}

func (t casesTx) Attachment(ctx context.Context, account, id string) (cases.Attachment, error) {
	a, err := scanAttachment(t.row(ctx, `SELECT `+attachmentColumns+` FROM attachments WHERE account = $1 AND id = $2`, account, id))
	if errors.Is(err, sql.ErrNoRows) {
		return a, cases.ErrAttachmentNotFound
	}
	return a, err
}

func (t casesTx) InsertAttachment(ctx context.Context, a cases.Attachment) error {
	return t.queue(ctx, `INSERT INTO attachments (`+attachmentColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.Account, a.ID, a.SetID, a.Position, a.FileName, a.Size, a.SHA256, a.CaseID, a.Communication)
}

func (t casesTx) TakeAttachments(ctx context.Context, account, setID, caseID string, communication int64) error {
	return t.queue(ctx, `UPDATE attachments SET case_id = $3, communication = $4 WHERE account = $1 AND set_id = $2`,
		account, setID, caseID, communication)
}

func (t casesTx) AccountIDs(ctx context.Context) ([]string, error) {
	return all(ctx, t.tx, scanText, `SELECT id FROM accounts ORDER BY id`)
}

// CasesBefore reads index cases_created from its beginning.
func (t casesTx) CasesBefore(ctx context.Context, account string, before time.Time, limit int) ([]string, error) {
	return all(ctx, t.tx, scanText, `SELECT id FROM cases WHERE account = $1 AND created_at <= $2 ORDER BY created_at, id LIMIT $3`,
		account, micros(before), limit)
}

func (t casesTx) AttachmentsOfCase(ctx context.Context, account, caseID string) ([]cases.Attachment, error) {
	return all(ctx, t.tx, scanAttachment, `SELECT `+attachmentColumns+` FROM attachments WHERE account = $1 AND case_id = $2
		ORDER BY communication, position`, account, caseID)
}

// SetsExpiredBefore reads index attachment_sets_expires.
func (t casesTx) SetsExpiredBefore(ctx context.Context, account string, before time.Time, limit int) ([]string, error) {
	return all(ctx, t.tx, scanText, `SELECT id FROM attachment_sets WHERE account = $1 AND expires_at < $2 ORDER BY expires_at LIMIT $3`,
		account, micros(before), limit)
}

func (t casesTx) DeleteAttachmentSet(ctx context.Context, account, id string) ([]cases.Attachment, error) {
	if err := t.exec(ctx, `DELETE FROM attachment_sets WHERE account = $1 AND id = $2`, account, id); err != nil {
		return nil, err
	}
	return all(ctx, t.tx, scanAttachment, `DELETE FROM attachments WHERE account = $1 AND set_id = $2 AND case_id = ''
		RETURNING `+attachmentColumns, account, id)
}

func (t casesTx) HasAttachment(ctx context.Context, account, setID, sha256 string) (found bool, err error) {
	err = t.row(ctx, `SELECT EXISTS (SELECT 1 FROM attachments WHERE account = $1 AND set_id = $2 AND sha256 = $3)`,
		account, setID, sha256).Scan(&found)
	return found, err
}

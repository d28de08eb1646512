package store

import (
	"context"

	"github.com/supportd/supportd/internal/cases"
)

func (t casesTx) InsertCommunication(ctx context.Context, c cases.Communication) error {
	return t.queue(ctx, `INSERT INTO communications (account, case_id, number, body, submitted_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		c.Account, c.CaseID, c.Number, c.Body, c.SubmittedBy, micros(c.CreatedAt))
}

func scanCommunication(r scanner) (c cases.Communication, err error) {
	var createdAt int64
	err = r.Scan(&c.Account, &c.CaseID, &c.Number, &c.Body, &c.SubmittedBy, &createdAt)
	c.CreatedAt = fromMicros(createdAt)
	return c, err
}

// RecentCommunications reads the end of each case's range of the primary key:
// a case with ten thousand communications costs as much as one with five. CROSS
// JOIN keeps SQLite from beginning with the communications.
func (t casesTx) RecentCommunications(ctx context.Context, account string, caseIDs []string, most int) ([]cases.Communication, error) {
	list, args := inList(3, caseIDs)
	return all(ctx, t.tx, scanCommunication, `SELECT m.account, m.case_id, m.number, m.body, m.submitted_by, m.created_at
		FROM cases AS c CROSS JOIN communications AS m
		WHERE c.account = $1 AND c.id IN (`+list+`)
			AND m.account = c.account AND m.case_id = c.id AND m.number > c.communications - $2
		ORDER BY c.id, m.number DESC`, append([]any{account, most}, args...)...)
}

// RecentAttachments reads index attachments_case in the same way.
func (t casesTx) RecentAttachments(ctx context.Context, account string, caseIDs []string, most int) ([]cases.Attachment, error) {
	list, args := inList(3, caseIDs)
	return all(ctx, t.tx, scanAttachment, `SELECT a.account, a.id, a.set_id, a.position, a.file_name, a.size, a.sha256, a.case_id, a.communication
		FROM cases AS c CROSS JOIN attachments AS a
		WHERE c.account = $1 AND c.id IN (`+list+`)
			AND a.account = c.account AND a.case_id = c.id AND a.communication > c.communications - $2
		ORDER BY c.id, a.communication, a.position`, append([]any{account, most}, args...)...)
}

func (t casesTx) CommunicationsPage(ctx context.Context, account, caseID string, q cases.TimeRange, olderThan int64, limit int) ([]cases.Communication, error) {
	return all(ctx, t.tx, scanCommunication, `SELECT account, case_id, number, body, submitted_by, created_at
		FROM communications WHERE account = $1 AND case_id = $2 AND number < $3 AND created_at >= $4 AND created_at < $5
		ORDER BY number DESC LIMIT $6`,
		account, caseID, olderThan, micros(q.After), microsOrMax(q.Before), limit)
}

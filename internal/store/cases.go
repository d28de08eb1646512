package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/cases"
)

// casesTx implements cases.Tx.
type casesTx struct{ *tx }

func (t casesTx) Answer(ctx context.Context, account string, key cases.RequestKey) (answer []byte, err error) {
	err = t.row(ctx, `SELECT answer FROM answers WHERE account = $1 AND key = $2`, account, key[:]).Scan(&answer)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return answer, err
}

func (t casesTx) InsertAnswer(ctx context.Context, account string, key cases.RequestKey, answer []byte, at time.Time) error {
	return t.queue(ctx, `INSERT INTO answers (account, key, answer, created_at) VALUES ($1, $2, $3, $4)`,
		account, key[:], answer, micros(at))
}

// DeleteAnswers reads index answers_created.
func (t casesTx) DeleteAnswers(ctx context.Context, account string, before time.Time, limit int) (int, error) {
	n, err := t.affected(ctx, `DELETE FROM answers WHERE account = $1 AND key IN
		(SELECT key FROM answers WHERE account = $1 AND created_at < $2 LIMIT $3)`, account, micros(before), limit)
	return int(n), err
}

const caseColumns = `account, id, display_id, subject, status, service_code, category_code, severity_code,
	issue_type, language, submitted_by, cc_addresses, created_at, resolved_at, communications, moves`

func scanCase(r scanner) (c cases.Case, err error) {
	var addresses string
	var createdAt, resolvedAt int64
	err = r.Scan(&c.Account, &c.ID, &c.DisplayID, &c.Subject, &c.Status, &c.ServiceCode, &c.CategoryCode, &c.SeverityCode,
		&c.IssueType, &c.Language, &c.SubmittedBy, &addresses, &createdAt, &resolvedAt, &c.Communications, &c.Moves)
	c.CreatedAt, c.ResolvedAt = fromMicros(createdAt), fromMicros(resolvedAt)
	if addresses != "" {
		c.CCEmailAddresses = strings.Split(addresses, "\n")
	}
	return c, err
}

func (t casesTx) Case(ctx context.Context, account, id string) (cases.Case, error) {
	c, err := scanCase(t.row(ctx, `SELECT `+caseColumns+` FROM cases WHERE account = $1 AND id = $2`, account, id))
	if errors.Is(err, sql.ErrNoRows) {
		return c, cases.ErrCaseNotFound
	}
	return c, err
}

func (t casesTx) InsertCase(ctx context.Context, c cases.Case) error {
	n, err := t.affected(ctx, `INSERT INTO cases (`+caseColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (account, display_id) DO NOTHING`,
		c.Account, c.ID, c.DisplayID, c.Subject, c.Status, c.ServiceCode, c.CategoryCode, c.SeverityCode,
		c.IssueType, c.Language, c.SubmittedBy, strings.Join(c.CCEmailAddresses, "\n"),
		micros(c.CreatedAt), micros(c.ResolvedAt), c.Communications, c.Moves)
	if err == nil && n == 0 {
		return cases.ErrDisplayIDTaken
	}
	return err
}

func (t casesTx) UpdateCase(ctx context.Context, c cases.Case) error {
	return t.queue(ctx, `UPDATE cases SET status = $3, severity_code = $4, cc_addresses = $5, resolved_at = $6, communications = $7, moves = $8
		WHERE account = $1 AND id = $2`,
		c.Account, c.ID, c.Status, c.SeverityCode, strings.Join(c.CCEmailAddresses, "\n"), micros(c.ResolvedAt), c.Communications, c.Moves)
}

func (t casesTx) DeleteCase(ctx context.Context, account, id string) error {
	for _, text := range []string{
		`DELETE FROM desk_presences WHERE account = $1 AND case_id = $2`,
		`DELETE FROM desk_records WHERE account = $1 AND case_id = $2`,
		`DELETE FROM desk_texts WHERE account = $1 AND case_id = $2`,
		`DELETE FROM desk_tags WHERE account = $1 AND case_id = $2`,
		`DELETE FROM desk_items WHERE account = $1 AND case_id = $2`,
		`DELETE FROM attachments WHERE account = $1 AND case_id = $2`,
		`DELETE FROM communications WHERE account = $1 AND case_id = $2`,
		`DELETE FROM case_moves WHERE account = $1 AND case_id = $2`,
		`DELETE FROM cases WHERE account = $1 AND id = $2`,
	} {
		if err := t.exec(ctx, text, account, id); err != nil {
			return err
		}
	}
	return nil
}

// CountCasesSince reads index cases_created and at most most entries of it. No
// other update of the account counts meanwhile.
func (t casesTx) CountCasesSince(ctx context.Context, account string, since time.Time, most int) (n int, err error) {
	err = t.row(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM cases WHERE account = $1 AND created_at > $2 LIMIT $3) AS recent`,
		account, micros(since), most).Scan(&n)
	return n, err
}

func (t casesTx) InsertMove(ctx context.Context, m cases.Move) error {
	return t.queue(ctx, `INSERT INTO case_moves (account, case_id, number, event, from_status, to_status, actor, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		m.Account, m.CaseID, m.Number, m.Event, m.From, m.To, m.Actor, micros(m.At))
}

func (t casesTx) Moves(ctx context.Context, account, caseID string, after int64, limit int) ([]cases.Move, error) {
	return all(ctx, t.tx, scanMove, `SELECT account, case_id, number, event, from_status, to_status, actor, created_at
		FROM case_moves WHERE account = $1 AND case_id = $2 AND number > $3 ORDER BY number LIMIT $4`, account, caseID, after, limit)
}

func scanMove(r scanner) (m cases.Move, err error) {
	var at int64
	err = r.Scan(&m.Account, &m.CaseID, &m.Number, &m.Event, &m.From, &m.To, &m.Actor, &at)
	m.At = fromMicros(at)
	return m, err
}

// CasesByID reads the primary key.
func (t casesTx) CasesByID(ctx context.Context, account string, ids []string) ([]cases.Case, error) {
	list, args := inList(2, ids)
	return all(ctx, t.tx, scanCase, `SELECT `+caseColumns+` FROM cases WHERE account = $1 AND id IN (`+list+`)
		ORDER BY created_at, id`, append([]any{account}, args...)...)
}

// CasesPage reads one of the indexes cases_created, cases_open, cases_language
// and cases_open_language from the cursor on, or cases_display_id.
func (t casesTx) CasesPage(ctx context.Context, account string, q cases.PageQuery, limit int) ([]cases.Case, error) {
	text := `SELECT ` + caseColumns + ` FROM cases WHERE account = $1 AND (created_at, id) > ($2, $3) AND created_at < $4`
	from, id := micros(q.From.CreatedAt), q.From.ID
	if after := micros(q.After); after > from {
		from, id = after, ""
	}
	args := []any{account, from, id, microsOrMax(q.Before), limit}
	if !q.IncludeResolved {
		text += ` AND status <> 'resolved'`
	}
	for _, filter := range []struct{ column, value string }{{"language", q.Language}, {"display_id", q.DisplayID}} {
		if filter.value != "" {
			args = append(args, filter.value)
			text += fmt.Sprintf(" AND %s = $%d", filter.column, len(args))
		}
	}
	return all(ctx, t.tx, scanCase, text+` ORDER BY created_at, id LIMIT $5`, args...)
}

// microsOrMax returns the end of a range; the zero time means no end.
func microsOrMax(t time.Time) int64 {
	if t.IsZero() {
		return 1<<63 - 1
	}
	return t.UnixMicro()
}

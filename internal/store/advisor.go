package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/check"
)

// Advisor returns the store as the advisor room sees it.
func (s *Store) Advisor() advisor.Store {
	return part[advisor.Tx]{s, func(t *tx) advisor.Tx { return advisorTx{t} }}
}

// advisorTx implements advisor.Tx. Every statement reads a primary key.
type advisorTx struct{ *tx }

func (t advisorTx) Source(ctx context.Context, account string) (advisor.SealedSource, error) {
	s := advisor.SealedSource{Account: account}
	var setAt int64
	err := t.row(ctx, `SELECT sealed, set_at FROM advisor_sources WHERE account = $1`, account).Scan(&s.Sealed, &setAt)
	s.SetAt = fromMicros(setAt)
	if errors.Is(err, sql.ErrNoRows) {
		return s, advisor.ErrNoSource
	}
	return s, err
}

func (t advisorTx) PutSource(ctx context.Context, s advisor.SealedSource) error {
	return t.queue(ctx, `INSERT INTO advisor_sources (account, sealed, set_at) VALUES ($1, $2, $3)
		ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed, set_at = excluded.set_at`,
		s.Account, s.Sealed, micros(s.SetAt))
}

func (t advisorTx) DeleteSource(ctx context.Context, account string) error {
	return t.queue(ctx, `DELETE FROM advisor_sources WHERE account = $1`, account)
}

func scanRefresh(r scanner) (found advisor.Refresh, err error) {
	var requestedAt int64
	err = r.Scan(&found.Account, &found.CheckID, &found.State, &requestedAt)
	found.RequestedAt = fromMicros(requestedAt)
	return found, err
}

func (t advisorTx) Refresh(ctx context.Context, account, checkID string) (advisor.Refresh, error) {
	r, err := scanRefresh(t.row(ctx, `SELECT account, check_id, state, requested_at FROM advisor_refreshes
		WHERE account = $1 AND check_id = $2`, account, checkID))
	if errors.Is(err, sql.ErrNoRows) {
		return advisor.Refresh{Account: account, CheckID: checkID, State: advisor.None}, nil
	}
	return r, err
}

func (t advisorTx) Refreshes(ctx context.Context, account string) ([]advisor.Refresh, error) {
	return all(ctx, t.tx, scanRefresh, `SELECT account, check_id, state, requested_at FROM advisor_refreshes
		WHERE account = $1 ORDER BY check_id`, account)
}

func (t advisorTx) PutRefresh(ctx context.Context, r advisor.Refresh) error {
	return t.queue(ctx, `INSERT INTO advisor_refreshes (account, check_id, state, requested_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, check_id) DO UPDATE SET state = excluded.state, requested_at = excluded.requested_at`,
		r.Account, r.CheckID, r.State, micros(r.RequestedAt))
}

func (t advisorTx) DeleteRefreshes(ctx context.Context, account string) error {
	return t.queue(ctx, `DELETE FROM advisor_refreshes WHERE account = $1`, account)
}

// storedSummary is the form in which a summary is kept. A later release may add
// members.
type storedSummary struct {
	Status     check.Status `json:"status"`
	Cause      string       `json:"cause,omitempty"`
	At         int64        `json:"at"`
	Processed  int          `json:"processed,omitempty"`
	Flagged    int          `json:"flagged,omitempty"`
	Ignored    int          `json:"ignored,omitempty"`
	Suppressed int          `json:"suppressed,omitempty"`
	Savings    float64      `json:"savings,omitempty"`
	Listed     int          `json:"listed,omitempty"`
	Columns    []string     `json:"columns,omitempty"`
}

func summaryText(s advisor.Summary) ([]byte, error) {
	return json.Marshal(storedSummary{
		s.Status, s.Cause, micros(s.At), s.Processed, s.Flagged, s.Ignored, s.Suppressed, s.Savings, s.Listed, s.Columns,
	})
}

func scanSummary(r scanner) (advisor.Summary, error) {
	var account, checkID string
	var text []byte
	if err := r.Scan(&account, &checkID, &text); err != nil {
		return advisor.Summary{}, err
	}
	var s storedSummary
	if err := json.Unmarshal(text, &s); err != nil {
		return advisor.Summary{}, fmt.Errorf("summary of check %s of account %s: %w", checkID, account, err)
	}
	return advisor.Summary{
		Account: account, CheckID: checkID, Status: s.Status, Cause: s.Cause, At: fromMicros(s.At),
		Processed: s.Processed, Flagged: s.Flagged, Ignored: s.Ignored, Suppressed: s.Suppressed,
		Savings: s.Savings, Listed: s.Listed, Columns: s.Columns,
	}, nil
}

func (t advisorTx) Summaries(ctx context.Context, account string, checkIDs []string) ([]advisor.Summary, error) {
	list, args := inList(2, checkIDs)
	return all(ctx, t.tx, scanSummary, `SELECT account, check_id, summary FROM advisor_results
		WHERE account = $1 AND check_id IN (`+list+`)`, append([]any{account}, args...)...)
}

func (t advisorTx) PutSummary(ctx context.Context, s advisor.Summary) error {
	text, err := summaryText(s)
	if err != nil {
		return err
	}
	return t.queue(ctx, `INSERT INTO advisor_results (account, check_id, summary) VALUES ($1, $2, $3)
		ON CONFLICT (account, check_id) DO UPDATE SET summary = excluded.summary`, s.Account, s.CheckID, text)
}

func (t advisorTx) Rows(ctx context.Context, account, checkID string) (advisor.PackedRows, error) {
	return all(ctx, t.tx, scanBytes, `SELECT content FROM advisor_rows
		WHERE account = $1 AND check_id = $2 ORDER BY number`, account, checkID)
}

func scanBytes(r scanner) (b []byte, err error) {
	err = r.Scan(&b)
	return b, err
}

func (t advisorTx) PutRows(ctx context.Context, account, checkID string, rows advisor.PackedRows) error {
	err := t.queue(ctx, `DELETE FROM advisor_rows WHERE account = $1 AND check_id = $2`, account, checkID)
	for number, content := range rows {
		err = errors.Join(err, t.queue(ctx, `INSERT INTO advisor_rows (account, check_id, number, content) VALUES ($1, $2, $3, $4)`,
			account, checkID, number, content))
	}
	return err
}

func (t advisorTx) DeleteResults(ctx context.Context, account string) error {
	return errors.Join(
		t.queue(ctx, `DELETE FROM advisor_results WHERE account = $1`, account),
		t.queue(ctx, `DELETE FROM advisor_rows WHERE account = $1`, account),
	)
}

func (t advisorTx) AddHistory(ctx context.Context, s advisor.Summary, most int) error {
	text, err := summaryText(s)
	if err != nil {
		return err
	}
	return errors.Join(
		t.queue(ctx, `INSERT INTO advisor_history (account, check_id, computed_at, summary) VALUES ($1, $2, $3, $4)
			ON CONFLICT (account, check_id, computed_at) DO UPDATE SET summary = excluded.summary`,
			s.Account, s.CheckID, micros(s.At), text),
		t.queue(ctx, `DELETE FROM advisor_history WHERE account = $1 AND check_id = $2 AND computed_at <=
			(SELECT computed_at FROM advisor_history WHERE account = $1 AND check_id = $2
				ORDER BY computed_at DESC LIMIT 1 OFFSET $3)`, s.Account, s.CheckID, most),
	)
}

func (t advisorTx) History(ctx context.Context, account, checkID string, most int) ([]advisor.Summary, error) {
	return all(ctx, t.tx, scanSummary, `SELECT account, check_id, summary FROM advisor_history
		WHERE account = $1 AND check_id = $2 ORDER BY computed_at DESC LIMIT $3`, account, checkID, most)
}

func scanExclusion(r scanner) (e advisor.Exclusion, err error) {
	var at int64
	err = r.Scan(&e.Account, &e.CheckID, &e.ResourceID, &at, &e.By)
	e.At = fromMicros(at)
	return e, err
}

func (t advisorTx) Exclusions(ctx context.Context, account string) ([]advisor.Exclusion, error) {
	return all(ctx, t.tx, scanExclusion, `SELECT account, check_id, resource_id, excluded_at, excluded_by FROM advisor_exclusions
		WHERE account = $1 ORDER BY check_id, resource_id`, account)
}

func (t advisorTx) PutExclusion(ctx context.Context, e advisor.Exclusion) error {
	return t.queue(ctx, `INSERT INTO advisor_exclusions (account, check_id, resource_id, excluded_at, excluded_by)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account, check_id, resource_id) DO NOTHING`,
		e.Account, e.CheckID, e.ResourceID, micros(e.At), e.By)
}

func (t advisorTx) DeleteExclusion(ctx context.Context, account, checkID, resourceID string) (bool, error) {
	n, err := t.affected(ctx, `DELETE FROM advisor_exclusions WHERE account = $1 AND check_id = $2 AND resource_id = $3`,
		account, checkID, resourceID)
	return n > 0, err
}

func (t advisorTx) AddEvents(ctx context.Context, b advisor.EventBatch) error {
	text, err := json.Marshal(b.Events)
	if err != nil {
		return err
	}
	return t.queue(ctx, `INSERT INTO advisor_events (account, created_at, id, events) VALUES ($1, $2, $3, $4)`,
		b.Account, micros(b.At), b.ID, text)
}

func scanEvents(r scanner) (b advisor.EventBatch, err error) {
	var at int64
	var text []byte
	if err := r.Scan(&b.Account, &at, &b.ID, &text); err != nil {
		return b, err
	}
	b.At = fromMicros(at)
	err = json.Unmarshal(text, &b.Events)
	return b, err
}

func (t advisorTx) Events(ctx context.Context, account string, most int) ([]advisor.EventBatch, error) {
	return all(ctx, t.tx, scanEvents, `SELECT account, created_at, id, events FROM advisor_events
		WHERE account = $1 ORDER BY created_at, id LIMIT $2`, account, most)
}

func (t advisorTx) DeleteEvents(ctx context.Context, b advisor.EventBatch) error {
	return t.queue(ctx, `DELETE FROM advisor_events WHERE account = $1 AND created_at = $2 AND id = $3`, b.Account, micros(b.At), b.ID)
}

func (t advisorTx) DeleteEventsBefore(ctx context.Context, account string, before time.Time, limit int) (int, error) {
	n, err := t.affected(ctx, `DELETE FROM advisor_events WHERE account = $1 AND (created_at, id) IN
		(SELECT created_at, id FROM advisor_events WHERE account = $1 AND created_at < $2 ORDER BY created_at, id LIMIT $3)`,
		account, micros(before), limit)
	return int(n), err
}

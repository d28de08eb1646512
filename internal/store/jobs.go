package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/jobs"
)

// Jobs returns the store as the jobs room sees it.
func (s *Store) Jobs() jobs.Store {
	return jobsStore{part[jobs.Tx]{s, func(t *tx) jobs.Tx { return jobsTx{t} }}}
}

// jobsStore implements jobs.Store.
type jobsStore struct{ part[jobs.Tx] }

// Update has no scope: jobs of all accounts are claimed together, and each
// statement that changes one says in which state it must be.
func (s jobsStore) Update(ctx context.Context, f func(jobs.Tx) error) error {
	return s.part.Update(ctx, "", f)
}

func (s jobsStore) Enqueued() <-chan struct{} { return s.store.enqueued }

// Due reads the beginnings of the indexes jobs_waiting and jobs_running.
func (s jobsStore) Due(ctx context.Context, kinds []string, now, realNow time.Time) (due bool, err error) {
	list, args := inList(3, kinds)
	var text strings.Builder
	text.WriteString(`SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND leased_until < $2)`)
	for _, p := range byUrgency() {
		fmt.Fprintf(&text, `
		OR EXISTS (SELECT 1 FROM jobs WHERE state = 'waiting' AND priority = %d AND run_at <= $1 AND kind IN (%s))`, p, list)
	}
	err = s.store.engine.read(ctx, func(t *tx) error {
		return t.row(ctx, text.String(), append([]any{micros(now), micros(realNow)}, args...)...).Scan(&due)
	})
	return due, err
}

func byUrgency() []jobs.Priority { return []jobs.Priority{jobs.Urgent, jobs.Normal, jobs.Idle} }

// Enqueue and Finish belong to the transactions of all rooms, see jobs.Queue.
// Enqueue relies on the unique index jobs_key.
func (t *tx) Enqueue(ctx context.Context, j jobs.Job) (added bool, err error) {
	if j.ID == "" {
		j.ID = rand.Text()
	}
	n, err := t.affected(ctx, `INSERT INTO jobs (`+jobColumns+`, leased_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, '', '', 0)
		ON CONFLICT (account, kind, unique_key) WHERE unique_key <> '' AND state <> 'dead' DO NOTHING`,
		j.Account, j.ID, j.Kind, j.Key, j.Priority, j.Payload, micros(j.RunAt))
	if err != nil || n == 0 {
		return false, err
	}
	t.enqueued = true
	return true, nil
}

func (t *tx) Finish(ctx context.Context, j jobs.Job) error {
	return t.leased(ctx, `DELETE FROM jobs WHERE account = $1 AND id = $2 AND state = 'running' AND lease = $3`,
		j.Account, j.ID, j.Lease)
}

// Hold locks the job's row, so that nobody begins it again before the
// transaction ends.
func (t *tx) Hold(ctx context.Context, j jobs.Job) error {
	return t.leased(ctx, `UPDATE jobs SET lease = lease WHERE account = $1 AND id = $2 AND state = 'running' AND lease = $3`,
		j.Account, j.ID, j.Lease)
}

// leased runs a statement that changes one job while it is leased.
func (t *tx) leased(ctx context.Context, text string, args ...any) error {
	n, err := t.affected(ctx, text, args...)
	if err == nil && n == 0 {
		return jobs.ErrLeaseLost
	}
	return err
}

// jobsTx implements jobs.Tx.
type jobsTx struct{ *tx }

const jobColumns = `account, id, kind, unique_key, priority, payload, run_at, state, attempt, lease, error`

func scanJob(r scanner) (j jobs.Job, err error) {
	var runAt int64
	err = r.Scan(&j.Account, &j.ID, &j.Kind, &j.Key, &j.Priority, &j.Payload, &runAt, &j.State, &j.Attempt, &j.Lease, &j.Error)
	j.RunAt = fromMicros(runAt)
	return j, err
}

func (t jobsTx) Claim(ctx context.Context, kinds []string, now time.Time, lease jobs.Lease, most int) (claimed []jobs.Job, err error) {
	for _, p := range byUrgency() {
		if len(claimed) >= most {
			break
		}
		some, err := t.claim(ctx, p, kinds, now, lease, most-len(claimed))
		if err != nil {
			return nil, err
		}
		claimed = append(claimed, some...)
	}
	return claimed, nil
}

// claim walks the index jobs_waiting, and passes over entries of unknown kinds
// without looking at their rows. What to lease is chosen in a table expression,
// which PostgreSQL evaluates once: of a subquery it might lock more rows than
// the limit.
func (t jobsTx) claim(ctx context.Context, p jobs.Priority, kinds []string, now time.Time, lease jobs.Lease, most int) ([]jobs.Job, error) {
	list, args := inList(6, kinds)
	claimed, err := all(ctx, t.tx, scanJob, `WITH due AS (SELECT account, id FROM jobs
			WHERE state = 'waiting' AND priority = $1 AND run_at <= $2 AND kind IN (`+list+`)
			ORDER BY run_at LIMIT $3`+t.dialect.skipLocked+`)
		UPDATE jobs SET state = 'running', attempt = attempt + 1, lease = $4, leased_until = $5
		WHERE (account, id) IN (SELECT account, id FROM due) RETURNING `+jobColumns,
		append([]any{p, micros(now), most, lease.Token, micros(lease.Until)}, args...)...)
	// RETURNING has no order.
	slices.SortFunc(claimed, func(a, b jobs.Job) int {
		return cmp.Or(a.RunAt.Compare(b.RunAt), cmp.Compare(a.Account, b.Account), cmp.Compare(a.ID, b.ID))
	})
	return claimed, err
}

func (t jobsTx) Extend(ctx context.Context, j jobs.Job, until time.Time) error {
	return t.leased(ctx, `UPDATE jobs SET leased_until = $4 WHERE account = $1 AND id = $2 AND state = 'running' AND lease = $3`,
		j.Account, j.ID, j.Lease, micros(until))
}

func (t jobsTx) Retry(ctx context.Context, j jobs.Job) error {
	return t.leased(ctx, `UPDATE jobs SET state = 'waiting', run_at = $4, attempt = $5, error = $6, lease = '', leased_until = 0
		WHERE account = $1 AND id = $2 AND state = 'running' AND lease = $3`,
		j.Account, j.ID, j.Lease, micros(j.RunAt), j.Attempt, errorText(j.Error))
}

func (t jobsTx) Bury(ctx context.Context, j jobs.Job) error {
	return t.leased(ctx, `UPDATE jobs SET state = 'dead', error = $4, lease = '', leased_until = 0
		WHERE account = $1 AND id = $2 AND state = 'running' AND lease = $3`,
		j.Account, j.ID, j.Lease, errorText(j.Error))
}

// errorText returns what every engine can hold of a text that may be anything:
// PostgreSQL takes neither NUL nor what is not UTF-8.
func errorText(text string) string {
	text = strings.ReplaceAll(text[:min(len(text), jobs.MaxError)], "\x00", "")
	return strings.ToValidUTF8(text, "") // also the half of a rune at the end
}

// Expired reads index jobs_running.
func (t jobsTx) Expired(ctx context.Context, now time.Time, most int) ([]jobs.Job, error) {
	return all(ctx, t.tx, scanJob, `SELECT `+jobColumns+` FROM jobs WHERE state = 'running' AND leased_until < $1
		ORDER BY leased_until LIMIT $2`+t.dialect.skipLocked, micros(now), most)
}

func (t jobsTx) Turn(ctx context.Context, schedule string, now, next, latest time.Time) (due bool, err error) {
	n, err := t.affected(ctx, `INSERT INTO schedules (name, next_at) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at
		WHERE schedules.next_at <= $3 OR schedules.next_at > $4`,
		schedule, micros(next), micros(now), micros(latest))
	return n == 1, err
}

func (t jobsTx) Job(ctx context.Context, account, id string) (jobs.Job, error) {
	j, err := scanJob(t.row(ctx, `SELECT `+jobColumns+` FROM jobs WHERE account = $1 AND id = $2`, account, id))
	if errors.Is(err, sql.ErrNoRows) {
		return j, fmt.Errorf("%s: %w", id, jobs.ErrNotFound)
	}
	return j, err
}

// Jobs reads the primary key from the cursor on, or index jobs_dead.
func (t jobsTx) Jobs(ctx context.Context, f jobs.Filter, most int) ([]jobs.Job, error) {
	text := `SELECT ` + jobColumns + ` FROM jobs WHERE (account, id) > ($1, $2)`
	args := []any{f.After.Account, f.After.ID, most}
	if f.Account != nil {
		args = append(args, *f.Account)
		text += fmt.Sprintf(" AND account = $%d", len(args))
		if f.After.Account == *f.Account {
			text += " AND id > $2" // which SQLite does not see by itself
		}
	}
	if f.Kind != "" {
		args = append(args, f.Kind)
		text += fmt.Sprintf(" AND kind = $%d", len(args))
	}
	switch f.State {
	case "":
	case jobs.Dead:
		text += ` AND state = 'dead'` // as the index has it
	default:
		args = append(args, f.State)
		text += fmt.Sprintf(" AND state = $%d", len(args))
	}
	return all(ctx, t.tx, scanJob, text+` ORDER BY account, id LIMIT $3`, args...)
}

// Revive looks for the key's other job first: a statement that fails costs a
// PostgreSQL transaction everything else it did.
func (t jobsTx) Revive(ctx context.Context, account, id string) error {
	j, err := t.dead(ctx, account, id)
	if err != nil {
		return err
	}
	if err := t.conn.savepoint(t.context(ctx)); err != nil {
		return err
	}
	n, err := t.affected(ctx, `UPDATE jobs SET state = 'waiting', run_at = 0, attempt = 0, error = ''
		WHERE account = $1 AND id = $2 AND state = 'dead' AND NOT EXISTS (SELECT 1 FROM jobs AS other
			WHERE other.account = $1 AND other.kind = $3 AND other.unique_key = $4
			AND other.unique_key <> '' AND other.state <> 'dead')`, account, id, j.Kind, j.Key)
	if t.dialect.uniqueViolation(err) {
		if err := t.conn.undo(t.context(ctx), err); err != nil {
			return err
		}
		return fmt.Errorf("%s: %w", id, jobs.ErrKeyTaken)
	}
	if err == nil {
		err = t.conn.release(t.context(ctx))
	}
	if err == nil && n == 0 {
		return fmt.Errorf("%s: %w", id, jobs.ErrKeyTaken)
	}
	if err == nil {
		t.enqueued = true
	}
	return err
}

func (t jobsTx) Discard(ctx context.Context, account, id string) error {
	if _, err := t.dead(ctx, account, id); err != nil {
		return err
	}
	return t.exec(ctx, `DELETE FROM jobs WHERE account = $1 AND id = $2 AND state = 'dead'`, account, id)
}

// dead returns a job that is dead.
func (t jobsTx) dead(ctx context.Context, account, id string) (jobs.Job, error) {
	j, err := t.Job(ctx, account, id)
	if err == nil && j.State != jobs.Dead {
		err = fmt.Errorf("%s: %w, it is %s", id, jobs.ErrNotDead, j.State)
	}
	return j, err
}

package advisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/iam"
)

// EventBatch are events of one check that came at once, so that a result with
// many is kept with few statements.
type EventBatch struct {
	Account string
	ID      string // unique in the account
	At      time.Time
	Events  []Event
}

// batchSize is how many events are together at most.
const batchSize = 100

// Event says that what a check says of a resource has changed. It has all that
// AWS's "Trusted Advisor Check Item Refresh Notification" has.
type Event struct {
	ID        string             `json:"id"` // a UUID
	CheckID   string             `json:"checkId"`
	CheckName string             `json:"checkName"`
	Status    string             `json:"status"`   // WARN, ERROR or OK
	Resource  string             `json:"resource"` // the inventory's id: an ARN where the service has one
	Detail    map[string]*string `json:"detail"`   // the resource's metadata by column
}

// eventsKept is how long events are kept that nobody has taken.
const eventsKept = 90 * 24 * time.Hour

// purgeBatch bounds one transaction, so that customers never wait long behind
// the housekeeping.
const purgeBatch = 500

// changes returns the events between two results of a check: for every resource
// that is flagged otherwise than before, and for those that are no longer.
// Excluded ones have none.
func changes(c *check.Check, before, after Result) []Event {
	was := map[string]check.Row{}
	for _, row := range before.Rows {
		if !row.Suppressed && row.Status != check.OK {
			was[row.ResourceID] = row
		}
	}
	var events []Event
	add := func(row check.Row, columns []string) {
		events = append(events, Event{
			ID: uuid.NewString(), CheckID: c.ID, CheckName: c.Name,
			Status: eventStatus(row.Status), Resource: row.Resource, Detail: detail(columns, row),
		})
	}
	for _, row := range after.Rows {
		old, flagged := was[row.ResourceID]
		delete(was, row.ResourceID)
		if row.Suppressed || row.Status == old.Status || !flagged && row.Status == check.OK {
			continue
		}
		add(row, after.Columns)
	}
	for _, row := range before.Rows {
		if _, gone := was[row.ResourceID]; gone {
			add(turnedOK(row), before.Columns)
		}
	}
	return events
}

func eventStatus(s check.Status) string {
	switch s {
	case check.Error:
		return "ERROR"
	case check.Warning:
		return "WARN"
	}
	return "OK"
}

func detail(columns []string, row check.Row) map[string]*string {
	d := make(map[string]*string, len(columns))
	for i, column := range columns {
		if i < len(row.Metadata) {
			d[column] = row.Metadata[i]
		}
	}
	return d
}

// turnedOK is a flagged row that a check no longer lists: what was said about
// it stands, but for its colour.
func turnedOK(row check.Row) check.Row {
	color := row.Status.Color()
	metadata := make([]*string, len(row.Metadata))
	for i, cell := range row.Metadata {
		metadata[i] = cell
		if cell != nil && *cell == color {
			metadata[i] = new(check.OK.Color())
		}
	}
	row.Status, row.Metadata = check.OK, metadata
	return row
}

// batches puts events into batches.
func batches(account string, at time.Time, events []Event) (all []EventBatch) {
	for some := range slices.Chunk(events, batchSize) {
		all = append(all, EventBatch{Account: account, ID: uuid.NewString(), At: at, Events: some})
	}
	return all
}

// Events returns up to most batches of events of an account, the oldest first.
func (s *Service) Events(ctx context.Context, account string, most int) (found []EventBatch, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err = tx.Events(ctx, account, most)
		return err
	})
	return found, err
}

// DropEvents removes batches of an account that were delivered.
func (s *Service) DropEvents(ctx context.Context, account string, delivered []EventBatch) error {
	return s.Store.Update(ctx, account, func(tx Tx) error {
		for _, b := range delivered {
			b.Account = account
			if err := tx.DeleteEvents(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
}

// Purge removes events that nobody took for 90 days. It may be repeated and may
// be stopped at any point.
func (s *Service) Purge(ctx context.Context) error {
	accounts, err := s.IAM.Accounts(ctx)
	if err != nil {
		return err
	}
	before := s.now().Add(-eventsKept)
	return eachAccount(ctx, accounts, func(a iam.Account) error {
		for removed := purgeBatch; removed == purgeBatch; {
			err := s.Store.Update(ctx, a.ID, func(tx Tx) (err error) {
				removed, err = tx.DeleteEventsBefore(ctx, a.ID, before, purgeBatch)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// eachAccount calls f for every account until the context ends. What fails for
// one stops none of the others.
func eachAccount(ctx context.Context, accounts []iam.Account, f func(iam.Account) error) error {
	var errs []error
	for _, a := range accounts {
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		if err := f(a); err != nil {
			errs = append(errs, fmt.Errorf("account %s: %w", a.ID, err))
		}
	}
	return errors.Join(errs...)
}

package advisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/iam"
)

// Summary is what came out of a check, without the resources. A check that was
// not computed has the status not_available and a cause, and nothing else.
type Summary struct {
	Account string
	CheckID string
	Status  check.Status
	Cause   string    // why it is not available
	At      time.Time // when it was computed, or found not to be available; zero: never tried

	Processed  int
	Flagged    int
	Ignored    int
	Suppressed int
	Savings    float64  // USD a month
	Listed     int      // rows
	Columns    []string // as they were when it was computed
}

// Result is a summary with its resources.
type Result struct {
	Summary
	Rows []check.Row // by region and resource
}

// historyKept is how many summaries of a check are kept.
const historyKept = 400

// recount makes the summary that of the rows, some of which are excluded now.
func (s *Summary) recount(rows []check.Row) {
	s.Listed = len(rows)
	if len(rows) == 0 {
		return
	}
	s.Status, s.Flagged, s.Suppressed, s.Savings = check.OK, 0, 0, 0
	for _, row := range rows {
		switch {
		case row.Suppressed:
			s.Suppressed++
			continue
		case row.Status == check.OK:
			continue
		case row.Status == check.Error || s.Status != check.Error:
			s.Status = row.Status
		}
		s.Flagged++
		if row.Savings != nil {
			s.Savings += *row.Savings
		}
	}
}

// Result returns the last result of a check. ErrUnknownCheck.
func (s *Service) Result(ctx context.Context, who iam.Identity, checkID string) (result Result, err error) {
	checks, err := s.checks(checkID)
	if err != nil {
		return Result{}, err
	}
	var packed PackedRows
	err = s.Store.View(ctx, func(tx Tx) error {
		summaries, err := s.summarize(ctx, tx, who.Account, checks)
		if err != nil {
			return err
		}
		result, packed = Result{Summary: summaries[0]}, nil
		if result.Status != check.NotAvailable {
			packed, err = tx.Rows(ctx, who.Account, checkID)
		}
		return err
	})
	if err != nil {
		return Result{}, err
	}
	result.Rows, err = unpack(packed, who.Account, checkID)
	return result, err
}

func unpack(packed PackedRows, account, checkID string) ([]check.Row, error) {
	rows, err := packed.Unpack()
	if err != nil {
		return nil, fmt.Errorf("rows of check %s of account %s: %w", checkID, account, err)
	}
	return rows, nil
}

// Summaries returns the summaries of the last results of checks, in the order
// asked for. ErrUnknownCheck.
func (s *Service) Summaries(ctx context.Context, who iam.Identity, checkIDs []string) (found []Summary, err error) {
	checks, err := s.checks(checkIDs...)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err = s.summarize(ctx, tx, who.Account, checks)
		return err
	})
	return found, err
}

func (s *Service) summarize(ctx context.Context, tx Tx, account string, checks []*check.Check) ([]Summary, error) {
	ids := make([]string, len(checks))
	for i, c := range checks {
		ids[i] = c.ID
	}
	kept, err := tx.Summaries(ctx, account, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]Summary, len(kept))
	for _, summary := range kept {
		byID[summary.CheckID] = summary
	}
	never, err := neverComputed(ctx, tx, account)
	if err != nil {
		return nil, err
	}
	found := make([]Summary, len(checks))
	for i, c := range checks {
		summary, ok := byID[c.ID]
		switch {
		case c.Unavailable != "" && !(s.Test && ok):
			summary = Summary{Status: check.NotAvailable, Cause: c.Unavailable}
		case !ok:
			summary = Summary{Status: check.NotAvailable, Cause: never}
		}
		summary.Account, summary.CheckID = account, c.ID
		found[i] = summary
	}
	return found, nil
}

// neverComputed says why a check without a result has none.
func neverComputed(ctx context.Context, tx Tx, account string) (string, error) {
	_, err := tx.Source(ctx, account)
	if errors.Is(err, ErrNoSource) {
		return ErrNoSource.Text, nil
	}
	return "it was not refreshed yet", err
}

// History returns the last most summaries of a check, newest first.
// ErrUnknownCheck.
func (s *Service) History(ctx context.Context, account, checkID string, most int) (found []Summary, err error) {
	if _, err := s.checks(checkID); err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err = tx.History(ctx, account, checkID, most)
		return err
	})
	return found, err
}

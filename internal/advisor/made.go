package advisor

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/fault"
)

// MadeResult is a result that somebody made up, for a test.
type MadeResult struct {
	Account string
	CheckID string
	Status  check.Status // empty: that of the worst row
	Rows    []MadeRow
}

// MadeRow is a resource of a MadeResult.
type MadeRow struct {
	ResourceID string       // empty: made of region and metadata
	Status     check.Status // empty: ok
	Region     string
	Metadata   map[string]string // by the name of the column
	Suppressed bool
	Savings    float64
}

// ErrMadeResult means that there can be no such result, and says why.
var ErrMadeResult = fault.New(fault.Invalid, "made_result", "there can be no such result")

// PutResult keeps a result as if a refresh had computed it: with history, events
// and exclusions. ErrUnknownCheck, iam.ErrAccountNotFound, ErrMadeResult.
func (s *Service) PutResult(ctx context.Context, made MadeResult) error {
	if _, err := s.IAM.Account(ctx, made.Account); err != nil {
		return err
	}
	c, rows, err := s.made(made)
	if err != nil {
		return err
	}
	for {
		err := s.putResult(ctx, c, made, rows)
		if !errors.Is(err, errExclusionsChanged) {
			return err
		}
	}
}

// CheckResult returns why PutResult would refuse a result of an account that
// there is.
func (s *Service) CheckResult(made MadeResult) error {
	_, _, err := s.made(made)
	return err
}

// made checks a result and returns its rows.
func (s *Service) made(made MadeResult) (*check.Check, []check.Row, error) {
	checks, err := s.checks(made.CheckID)
	if err != nil {
		return nil, nil, ErrUnknownCheck.With("There is no check %q.", made.CheckID)
	}
	c := checks[0]
	if c.Unavailable != "" && !s.Test {
		return nil, nil, ErrMadeResult.With("Check %s (%s) has no results: %s", c.ID, c.Name, c.Unavailable)
	}
	switch made.Status {
	case "", check.OK, check.Warning, check.Error:
	case check.NotAvailable:
		if len(made.Rows) > 0 {
			return nil, nil, ErrMadeResult.With("A check that is %s has no resources.", check.NotAvailable)
		}
	default:
		return nil, nil, ErrMadeResult.With("A check is not %q: it is ok, warning, error or not_available.", made.Status)
	}
	rows := make([]check.Row, len(made.Rows))
	for i, one := range made.Rows {
		if rows[i], err = madeRow(c, made.Account, one); err != nil {
			return nil, nil, err
		}
	}
	slices.SortStableFunc(rows, func(a, b check.Row) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.ResourceID, b.ResourceID))
	})
	for i := range rows[min(len(rows), 1):] {
		if rows[i].ResourceID == rows[i+1].ResourceID {
			return nil, nil, ErrMadeResult.With("Two resources have the id %s: give them ids of their own, or other metadata.", rows[i].ResourceID)
		}
	}
	return c, rows, nil
}

// maxMadeSavings is as much as nobody pays, and so little that the sum of all
// resources is a number.
const maxMadeSavings = 1e12

func madeRow(c *check.Check, account string, made MadeRow) (check.Row, error) {
	row := check.Row{
		Status: cmp.Or(made.Status, check.OK), Region: made.Region, Suppressed: made.Suppressed,
		Metadata: make([]*string, len(c.Columns)),
	}
	switch row.Status {
	case check.OK, check.Warning, check.Error:
	default:
		return row, ErrMadeResult.With("A resource is not %q: it is ok, warning or error.", made.Status)
	}
	for name, value := range made.Metadata {
		i := slices.Index(c.Columns, name)
		if i < 0 {
			return row, ErrMadeResult.With("Check %s (%s) has no column %q; it has %q.", c.ID, c.Name, name, c.Columns)
		}
		row.Metadata[i] = &value
	}
	if !(0 <= made.Savings && made.Savings <= maxMadeSavings) { // not a number is refused, too
		return row, ErrMadeResult.With("A resource has savings of 0 to %.0f USD a month; it cannot save %v.", float64(maxMadeSavings), made.Savings)
	}
	if made.Savings > 0 {
		row.Savings = &made.Savings
	}
	row.ResourceID = made.ResourceID
	if row.ResourceID == "" {
		row.ResourceID = madeResourceID(c, account, row)
	}
	row.Resource = row.ResourceID
	return row, nil
}

// madeResourceID has the form of those that checks compute, and is the same for
// the same resource.
func madeResourceID(c *check.Check, account string, row check.Row) string {
	text := strconv.AppendQuote([]byte("made "+account+" "+c.ID), row.Region)
	for i, cell := range row.Metadata {
		if cell != nil && c.Columns[i] != "Status" { // a resource stays itself when its state changes
			text = strconv.AppendQuote(append(text, c.Columns[i]...), *cell)
		}
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// putResult keeps the result as [Service.finishGroup] does.
func (s *Service) putResult(ctx context.Context, c *check.Check, made MadeResult, rows []check.Row) error {
	now := s.now()
	if err := s.excludeMade(ctx, made, rows, now); err != nil {
		return err
	}
	w := work{account: made.Account}
	result := check.Result{CheckID: c.ID, Status: made.Status, Processed: len(rows), Rows: rows}
	if made.Status == check.NotAvailable {
		result.Cause = "a test made it so"
	}
	p, err := s.prepare(ctx, w, group{checks: []*check.Check{c}, results: []check.Result{result}}, now)
	if err != nil {
		return err
	}
	if made.Status == "" && len(rows) == 0 {
		p.results[0].Status = check.OK
	}
	if made.Status != "" {
		p.results[0].Status = made.Status
	}
	return s.Store.Update(ctx, made.Account, func(tx Tx) error {
		if err := p.keep(ctx, tx, made.Account); err != nil {
			return err
		}
		return tx.PutRefresh(ctx, Refresh{Account: made.Account, CheckID: c.ID, State: Success, RequestedAt: now})
	})
}

// excludeMade excludes the resources that are said to be suppressed. Those that
// were excluded before stay so, as in a refresh.
func (s *Service) excludeMade(ctx context.Context, made MadeResult, rows []check.Row, now time.Time) error {
	if !slices.ContainsFunc(rows, func(row check.Row) bool { return row.Suppressed }) {
		return nil
	}
	return s.Store.Update(ctx, made.Account, func(tx Tx) error {
		for _, row := range rows {
			if !row.Suppressed {
				continue
			}
			e := Exclusion{Account: made.Account, CheckID: made.CheckID, ResourceID: row.ResourceID, At: now, By: "test"}
			if err := tx.PutExclusion(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// renewMade refreshes the results of an account without a source, so that programs
// that ask for a refresh and wait for its end can be tested. All of them are made up:
// those that were computed went with the source. They come out as they were, at
// another time.
func (s *Service) renewMade(ctx context.Context, account string) error {
	now := s.now()
	return s.Store.Update(ctx, account, func(tx Tx) error {
		if _, err := tx.Source(ctx, account); !errors.Is(err, ErrNoSource) {
			return err // one that was set just now is asked
		}
		refreshes, err := tx.Refreshes(ctx, account)
		if err != nil {
			return err
		}
		for _, r := range refreshes {
			if !r.pending() {
				continue
			}
			if err := renew(ctx, tx, r, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// renew ends a refresh with the result that there is, if there is one.
func renew(ctx context.Context, tx Tx, r Refresh, now time.Time) error {
	kept, err := tx.Summaries(ctx, r.Account, []string{r.CheckID})
	if err != nil || len(kept) == 0 {
		return err
	}
	kept[0].At, r.State = now, Success
	return errors.Join(tx.PutSummary(ctx, kept[0]), tx.AddHistory(ctx, kept[0], historyKept), tx.PutRefresh(ctx, r))
}

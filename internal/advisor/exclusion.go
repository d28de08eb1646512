package advisor

import (
	"context"
	"slices"
	"time"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

// Exclusion keeps a resource from having a part in what a check says.
type Exclusion struct {
	Account    string
	CheckID    string
	ResourceID string // of the API
	At         time.Time
	By         string // the ARN of who excluded it
}

// Faults of exclusions.
var (
	ErrResourceNotFound = fault.New(fault.NotFound, "resource_not_found", "the check lists no such resource")
	ErrNotExcluded      = fault.New(fault.NotFound, "not_excluded", "the resource is not excluded from the check")
)

// Suppress excludes a resource that the check lists, from now on. ErrUnknownCheck,
// ErrResourceNotFound.
func (s *Service) Suppress(ctx context.Context, who iam.Identity, checkID, resourceID string) error {
	if _, err := s.checks(checkID); err != nil {
		return err
	}
	e := Exclusion{Account: who.Account, CheckID: checkID, ResourceID: resourceID, At: s.now(), By: who.ARN()}
	return s.Store.Update(ctx, who.Account, func(tx Tx) error {
		found, err := setSuppressed(ctx, tx, e, true)
		if err != nil {
			return err
		}
		if !found {
			return ErrResourceNotFound
		}
		return tx.PutExclusion(ctx, e)
	})
}

// Unsuppress ends an exclusion. ErrUnknownCheck, ErrNotExcluded.
func (s *Service) Unsuppress(ctx context.Context, who iam.Identity, checkID, resourceID string) error {
	if _, err := s.checks(checkID); err != nil {
		return err
	}
	e := Exclusion{Account: who.Account, CheckID: checkID, ResourceID: resourceID}
	return s.Store.Update(ctx, who.Account, func(tx Tx) error {
		found, err := tx.DeleteExclusion(ctx, e.Account, e.CheckID, e.ResourceID)
		if err != nil {
			return err
		}
		if !found {
			return ErrNotExcluded
		}
		_, err = setSuppressed(ctx, tx, e, false) // the resource may be gone by now
		return err
	})
}

// setSuppressed brings the last result up to date, so that whoever reads it
// need not look at exclusions. It reports whether the resource is listed.
func setSuppressed(ctx context.Context, tx Tx, e Exclusion, suppressed bool) (found bool, err error) {
	packed, err := tx.Rows(ctx, e.Account, e.CheckID)
	if err != nil {
		return false, err
	}
	rows, err := unpack(packed, e.Account, e.CheckID)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(rows, func(row check.Row) bool { return row.ResourceID == e.ResourceID })
	if i < 0 {
		return false, nil
	}
	if rows[i].Suppressed == suppressed {
		return true, nil
	}
	rows[i].Suppressed = suppressed
	if packed, err = PackRows(rows); err != nil {
		return false, err
	}
	if err := tx.PutRows(ctx, e.Account, e.CheckID, packed); err != nil {
		return false, err
	}
	summaries, err := tx.Summaries(ctx, e.Account, []string{e.CheckID})
	if err != nil || len(summaries) == 0 || summaries[0].Status == check.NotAvailable {
		return true, err
	}
	summaries[0].recount(rows)
	return true, tx.PutSummary(ctx, summaries[0])
}

// Exclusions returns what is excluded, by check and resource.
func (s *Service) Exclusions(ctx context.Context, who iam.Identity) (found []Exclusion, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err = tx.Exclusions(ctx, who.Account)
		return err
	})
	return found, err
}

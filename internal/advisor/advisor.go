// Package advisor is Trusted Advisor: which checks there are, where an
// account's resources come from, when checks are refreshed, what came out and
// what is excluded from them.
//
// A refresh is a durable job. Checks themselves are data, see package check;
// reading accounts is left to a [Collector], and nothing here speaks SQL or a
// protocol.
package advisor

import (
	"context"
	"log/slog"
	"time"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/clock"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/seal"
)

// Service knows checks and their results. Store, IAM, Pack, Collector and Box
// must be set.
type Service struct {
	Store     Store
	IAM       *iam.Service
	Pack      func() (*check.Pack, error) // the checks; loading them takes a while, so it is called when they are needed
	Collector Collector
	Box       *seal.Box                 // seals sources, with the secrets in them
	Prices    func() map[string]float64 // USD by the keys of package price; nil: none
	Spool     string                    // the folder of inventories while they are collected; empty: that of the system
	Now       func() time.Time          // nil means time.Now
	Log       *slog.Logger              // nil: slog.Default()
	Test      bool                      // checks that cannot be computed may have results of PutResult, and those without a source are refreshed
}

// Store keeps sources, refreshes, results, exclusions and events.
type Store interface {
	// View runs f on one consistent state; f writes nothing.
	View(ctx context.Context, f func(Tx) error) error
	// Update runs f in a transaction on one account, as if no other update of
	// the account ran at the same time. It is durable when Update returns nil. f
	// may run more than once and has no effects but those on its Tx.
	Update(ctx context.Context, account string, f func(Tx) error) error
}

// Tx is what is kept inside one transaction. Everything is narrowed to the
// account given first.
type Tx interface {
	jobs.Queue

	Source(ctx context.Context, account string) (SealedSource, error) // ErrNoSource
	PutSource(ctx context.Context, s SealedSource) error
	DeleteSource(ctx context.Context, account string) error

	// Refresh returns the last refresh of a check, one of status None when there
	// is none.
	Refresh(ctx context.Context, account, checkID string) (Refresh, error)
	Refreshes(ctx context.Context, account string) ([]Refresh, error) // by check
	PutRefresh(ctx context.Context, r Refresh) error
	DeleteRefreshes(ctx context.Context, account string) error

	// Summaries returns the summaries of those of the checks that have one.
	Summaries(ctx context.Context, account string, checkIDs []string) ([]Summary, error)
	// Rows returns the rows of the last result that was computed, in order.
	Rows(ctx context.Context, account, checkID string) (PackedRows, error)
	// PutSummary replaces the summary of a check and leaves its rows.
	PutSummary(ctx context.Context, s Summary) error
	PutRows(ctx context.Context, account, checkID string, rows PackedRows) error
	DeleteResults(ctx context.Context, account string) error // summaries and rows

	// AddHistory adds a summary to the history of its check, of which the last
	// most are kept.
	AddHistory(ctx context.Context, s Summary, most int) error
	History(ctx context.Context, account, checkID string, most int) ([]Summary, error) // newest first

	Exclusions(ctx context.Context, account string) ([]Exclusion, error) // by check and resource
	PutExclusion(ctx context.Context, e Exclusion) error
	// DeleteExclusion reports whether there was one.
	DeleteExclusion(ctx context.Context, account, checkID, resourceID string) (bool, error)

	AddEvents(ctx context.Context, b EventBatch) error
	Events(ctx context.Context, account string, most int) ([]EventBatch, error) // oldest first
	DeleteEvents(ctx context.Context, b EventBatch) error
	// DeleteEventsBefore removes up to limit batches and returns how many.
	DeleteEventsBefore(ctx context.Context, account string, before time.Time, limit int) (int, error)
}

// Faults of checks. The texts are AWS's.
var (
	ErrUnknownCheck  = fault.New(fault.Invalid, "unknown_check", "[UNKNOWN_CHECK_ID_ERROR] Unknown ID")
	ErrUnrefreshable = fault.New(fault.Invalid, "unrefreshable_check", "[UNREFRESHABLE_CHECK_ID_ERROR] The check is not refreshable.")
	ErrLanguage      = fault.New(fault.Invalid, "unsupported_language", "unsupported language")
)

func (s *Service) now() time.Time { return clock.Now(s.Now) }

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.Default()
	}
	return s.Log
}

// Checks returns all checks in the order of category and name.
func (s *Service) Checks() ([]*check.Check, error) {
	pack, err := s.Pack()
	if err != nil {
		return nil, err
	}
	return pack.Checks(), nil
}

// checks returns the checks with the ids, in their order. ErrUnknownCheck.
func (s *Service) checks(ids ...string) ([]*check.Check, error) {
	pack, err := s.Pack()
	if err != nil {
		return nil, err
	}
	found := make([]*check.Check, len(ids))
	for i, id := range ids {
		c, ok := pack.Check(id)
		if !ok {
			return nil, ErrUnknownCheck
		}
		found[i] = c
	}
	return found, nil
}

// included returns the checks that are computed for accounts of a plan: those
// without the API have some of them, which the console shows.
func (s *Service) included(plan iam.Plan) ([]*check.Check, error) {
	all, err := s.Checks()
	if err != nil {
		return nil, err
	}
	var found []*check.Check
	for _, c := range all {
		if c.Unavailable == "" && (plan.API || c.Core) {
			found = append(found, c)
		}
	}
	return found, nil
}

// Languages returns the codes of the languages in which the API names checks
// (API reference, DescribeTrustedAdvisorChecks).
func Languages() []string {
	return []string{"zh", "zh_TW", "en", "fr", "de", "id", "it", "ja", "ko", "pt_BR", "es"}
}

// CheckLanguage returns ErrLanguage unless the code is one of Languages.
func CheckLanguage(code string) error {
	for _, known := range Languages() {
		if code == known {
			return nil
		}
	}
	return ErrLanguage.With("Language %q is not supported; supported languages are %v.", code, Languages())
}

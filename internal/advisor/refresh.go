package advisor

import (
	"context"
	"errors"
	"time"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
)

// RefreshState is where the refresh of a check is in its life.
type RefreshState string

// The states of a refresh, in the words of the API.
const (
	None       RefreshState = "none"
	Enqueued   RefreshState = "enqueued"
	Processing RefreshState = "processing"
	Success    RefreshState = "success"
	Abandoned  RefreshState = "abandoned"
)

// Refresh is the last refresh of a check.
type Refresh struct {
	Account     string
	CheckID     string
	State       RefreshState
	RequestedAt time.Time
}

// pending reports whether there is work left.
func (r Refresh) pending() bool { return r.State == Enqueued || r.State == Processing }

// RefreshStatus is a refresh as a caller sees it.
type RefreshStatus struct {
	CheckID string
	State   RefreshState
	Left    time.Duration // until the next one is accepted
}

func (r Refresh) status(c *check.Check, now time.Time) RefreshStatus {
	return RefreshStatus{CheckID: c.ID, State: r.State, Left: r.left(c, now)}
}

// left is what is left of the cool-down. One that gave nothing may be repeated
// at once. A clock that was moved back makes no cool-down longer.
func (r Refresh) left(c *check.Check, now time.Time) time.Duration {
	if r.State == None || r.State == Abandoned {
		return 0
	}
	return min(max(r.RequestedAt.Add(c.Interval).Sub(now), 0), c.Interval)
}

// RefreshJob is the kind of the jobs that [Service.DoRefresh] does. An account has
// at most one.
const RefreshJob = "advisor.refresh"

// Refresh asks for a check to be computed anew. Within the cool-down of the last
// time nothing happens, and the status says so. ErrUnknownCheck; ErrUnrefreshable
// for checks that refresh by themselves.
func (s *Service) Refresh(ctx context.Context, who iam.Identity, checkID string) (RefreshStatus, error) {
	checks, err := s.refreshable(checkID)
	if err != nil {
		return RefreshStatus{}, err
	}
	c, now := checks[0], s.now()
	var r Refresh
	err = s.Store.Update(ctx, who.Account, func(tx Tx) error {
		if r, err = tx.Refresh(ctx, who.Account, checkID); err != nil {
			return err
		}
		if r.State != Enqueued && r.left(c, now) > 0 {
			return nil
		}
		if r.State == Enqueued { // it will be collected anyway
			return enqueueJob(ctx, tx, who.Account)
		}
		r = Refresh{Account: who.Account, CheckID: checkID, State: Enqueued, RequestedAt: now}
		return enqueue(ctx, tx, who.Account, checks, now)
	})
	return r.status(c, s.now()), err
}

// RefreshStatuses returns the statuses of checks, in the order asked for.
// ErrUnknownCheck; ErrUnrefreshable for checks that refresh by themselves, of
// which the API says that "you can't return their refresh statuses".
func (s *Service) RefreshStatuses(ctx context.Context, who iam.Identity, checkIDs []string) ([]RefreshStatus, error) {
	checks, err := s.refreshable(checkIDs...)
	if err != nil {
		return nil, err
	}
	byID := map[string]Refresh{}
	err = s.Store.View(ctx, func(tx Tx) error {
		all, err := tx.Refreshes(ctx, who.Account)
		for _, r := range all {
			byID[r.CheckID] = r
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	statuses, now := make([]RefreshStatus, len(checks)), s.now()
	for i, c := range checks {
		r, ok := byID[c.ID]
		if !ok {
			r.State = None
		}
		statuses[i] = r.status(c, now)
	}
	return statuses, nil
}

func (s *Service) refreshable(ids ...string) ([]*check.Check, error) {
	checks, err := s.checks(ids...)
	if err != nil {
		return nil, err
	}
	for _, c := range checks {
		if c.Automatic {
			return nil, ErrUnrefreshable.With("[UNREFRESHABLE_CHECK_ID_ERROR] Check %s is not refreshable.", c.ID)
		}
	}
	return checks, nil
}

// RefreshAll has all checks of the account's plan refreshed, those that refresh
// by themselves too, and whatever is left of a cool-down. It is for the operator.
// ErrNoSource.
func (s *Service) RefreshAll(ctx context.Context, account string) error {
	plan, err := s.owner(ctx, account)
	if err != nil {
		return err
	}
	all, err := s.included(plan)
	if err != nil {
		return err
	}
	now := s.now()
	return s.Store.Update(ctx, account, func(tx Tx) error {
		if _, err := tx.Source(ctx, account); err != nil {
			return err
		}
		return enqueue(ctx, tx, account, all, now)
	})
}

// Refreshes returns the last refresh of every check that had one.
func (s *Service) Refreshes(ctx context.Context, account string) (found []Refresh, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err = tx.Refreshes(ctx, account)
		return err
	})
	return found, err
}

// enqueue has checks refreshed.
func enqueue(ctx context.Context, tx Tx, account string, checks []*check.Check, now time.Time) error {
	for _, c := range checks {
		r := Refresh{Account: account, CheckID: c.ID, State: Enqueued, RequestedAt: now}
		if err := tx.PutRefresh(ctx, r); err != nil {
			return err
		}
	}
	if len(checks) == 0 {
		return nil
	}
	return enqueueJob(ctx, tx, account)
}

// enqueueJob adds the account's job unless there is one. One that is running
// looks again at its end.
func enqueueJob(ctx context.Context, tx Tx, account string) error {
	_, err := tx.Enqueue(ctx, jobs.Job{Account: account, Kind: RefreshJob, Key: RefreshJob})
	return err
}

// How often checks are refreshed without being asked: AWS does so weekly, and
// daily for the plans of enterprises.
const (
	weekly = 7 * 24 * time.Hour
	daily  = 24 * time.Hour
)

// RefreshDue has the checks refreshed whose last refresh is long ago, of every
// account with a source. It may be repeated.
func (s *Service) RefreshDue(ctx context.Context) error {
	accounts, err := s.IAM.Accounts(ctx)
	if err != nil {
		return err
	}
	return eachAccount(ctx, accounts, func(a iam.Account) error {
		if a.State == iam.AccountClosed {
			return nil
		}
		return s.refreshDue(ctx, a)
	})
}

func (s *Service) refreshDue(ctx context.Context, a iam.Account) error {
	sourced, err := s.hasSource(ctx, a.ID)
	if err != nil || !sourced {
		return err
	}
	plan, err := iam.PlanByID(a.Plan)
	if err != nil {
		return err
	}
	all, err := s.included(plan)
	if err != nil {
		return err
	}
	now := s.now()
	return s.Store.Update(ctx, a.ID, func(tx Tx) error {
		if _, err := tx.Source(ctx, a.ID); err != nil {
			return ignore(err, ErrNoSource)
		}
		refreshes, err := tx.Refreshes(ctx, a.ID)
		if err != nil {
			return err
		}
		if err := enqueue(ctx, tx, a.ID, due(all, refreshes, plan, now), now); err != nil {
			return err
		}
		return enqueueLeft(ctx, tx, a.ID) // whose job an operator may have discarded
	})
}

func (s *Service) hasSource(ctx context.Context, account string) (found bool, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		_, err := tx.Source(ctx, account)
		found = err == nil
		return ignore(err, ErrNoSource)
	})
	return found, err
}

// due returns the checks that were last refreshed too long ago. What was
// abandoned is tried again after a day.
func due(all []*check.Check, refreshes []Refresh, plan iam.Plan, now time.Time) (found []*check.Check) {
	last := map[string]Refresh{}
	for _, r := range refreshes {
		last[r.CheckID] = r
	}
	for _, c := range all {
		r, ok := last[c.ID]
		every := weekly
		if plan.HasSeverity("critical") || r.State == Abandoned { // the plans for enterprises have it
			every = daily
		}
		if !ok || !r.pending() && !now.Before(r.RequestedAt.Add(every)) {
			found = append(found, c)
		}
	}
	return found
}

func ignore(err, ignored error) error {
	if errors.Is(err, ignored) {
		return nil
	}
	return err
}

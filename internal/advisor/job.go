package advisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/jobs"
)

// What a refresh may take, see [Service.Kinds].
const (
	refreshAttempts = 3
	refreshTimeout  = 15 * time.Minute
	refreshBackoff  = 30 * time.Second
	lastWords       = time.Minute // to say that an attempt was the last one, after its time is over
)

// ScheduleJob is the kind of the job that [Service.RefreshDue] does.
const ScheduleJob = "advisor.schedule"

// Kinds returns the kinds of jobs of this room.
//
// How often a refresh is attempted is counted by its handler, not by the
// runner: one that buries a job of a node that died tells nobody, and the checks
// would be processing for ever.
func (s *Service) Kinds() []jobs.Kind {
	return []jobs.Kind{
		{Name: RefreshJob, Handler: s.DoRefresh, Timeout: refreshTimeout, Backoff: refreshBackoff, MaxAttempts: 1 << 30},
		{Name: ScheduleJob, Every: time.Hour, Handler: func(ctx context.Context, _ jobs.Job) error { return s.RefreshDue(ctx) }},
	}
}

var errInterrupted = errors.New("its refresh was interrupted again and again")

// DoRefresh is the handler of jobs of the kind RefreshJob: it computes all
// checks of the account that wait for it, from one inventory.
func (s *Service) DoRefresh(ctx context.Context, job jobs.Job) error {
	if job.Attempt > refreshAttempts {
		return s.abandon(ctx, job, errInterrupted)
	}
	w, err := s.begin(ctx, job)
	if errors.Is(err, ErrNoSource) {
		return s.abandon(ctx, job, err)
	}
	if err != nil {
		return err
	}
	results, err := s.compute(ctx, w)
	if err == nil {
		return s.finish(ctx, job, w, results)
	}
	if errors.Is(ctx.Err(), context.Canceled) || job.Attempt < refreshAttempts {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	return s.abandon(ctx, job, err)
}

// work is what one attempt at a refresh does.
type work struct {
	account  string
	source   SealedSource
	checks   []*check.Check
	taken    map[string]Refresh // by check
	excluded map[[2]string]bool // check and resource
}

// begin takes all refreshes that wait, and those that an earlier attempt took.
func (s *Service) begin(ctx context.Context, job jobs.Job) (w work, err error) {
	pack, err := s.Pack()
	if err != nil {
		return work{}, err
	}
	err = s.Store.Update(ctx, job.Account, func(tx Tx) error {
		w = work{account: job.Account, taken: map[string]Refresh{}}
		if w.source, err = tx.Source(ctx, job.Account); err != nil {
			return err
		}
		refreshes, err := tx.Refreshes(ctx, job.Account)
		if err != nil {
			return err
		}
		for _, r := range refreshes {
			if !r.pending() {
				continue
			}
			if c, known := pack.Check(r.CheckID); known {
				w.checks = append(w.checks, c)
			}
			r.State = Processing
			w.taken[r.CheckID] = r
			if err := tx.PutRefresh(ctx, r); err != nil {
				return err
			}
		}
		w.excluded, err = excluded(ctx, tx, job.Account)
		return err
	})
	return w, err
}

func excluded(ctx context.Context, tx Tx, account string) (map[[2]string]bool, error) {
	all, err := tx.Exclusions(ctx, account)
	found := make(map[[2]string]bool, len(all))
	for _, e := range all {
		found[[2]string{e.CheckID, e.ResourceID}] = true
	}
	return found, err
}

// compute collects what the checks need, once for all, and evaluates them.
func (s *Service) compute(ctx context.Context, w work) ([]check.Result, error) {
	if len(w.checks) == 0 {
		return nil, nil
	}
	source, err := s.unseal(w.source)
	if err != nil {
		return nil, err
	}
	evaluation := check.Evaluation{
		Checks:     w.checks,
		Suppressed: func(checkID, resourceID string) bool { return w.excluded[[2]string{checkID, resourceID}] },
	}
	if s.Prices != nil {
		evaluation.Prices = s.Prices()
	}
	if source.File != "" {
		return evaluate(ctx, evaluation, source.File)
	}
	file, err := s.newSpoolFile()
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name()) // what stays is swept
	err = s.Collector.Collect(ctx, source, w.account, s.now(), needs(w.checks), file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return evaluate(ctx, evaluation, file.Name())
}

func evaluate(ctx context.Context, e check.Evaluation, file string) ([]check.Result, error) {
	inv, err := inventory.OpenFile(file)
	if err != nil {
		return nil, err
	}
	return e.Run(ctx, inv)
}

// needs are those of all checks together.
func needs(checks []*check.Check) inventory.Needs {
	all := inventory.Needs{}
	for _, c := range checks {
		if some, err := c.Needs(); err == nil { // else its result will say so
			all.AddAll(some)
		}
	}
	return all
}

// finish makes the results durable, with all that follows from them. It leaves
// them if the account has another source by now.
func (s *Service) finish(ctx context.Context, job jobs.Job, w work, results []check.Result) error {
	now := s.now()
	err := s.Store.Update(ctx, w.account, func(tx Tx) error {
		if err := tx.Finish(ctx, job); err != nil {
			return err
		}
		current, err := tx.Source(ctx, w.account)
		if err != nil && !errors.Is(err, ErrNoSource) {
			return err
		}
		if err == nil && bytes.Equal(current.Sealed, w.source.Sealed) {
			if err := keepAll(ctx, tx, w, results, now); err != nil {
				return err
			}
			if err := settle(ctx, tx, w, Success); err != nil {
				return err
			}
		}
		return enqueueLeft(ctx, tx, w.account)
	})
	if err == nil {
		s.tell(ctx, w.account, results)
	}
	return err
}

// keepAll keeps results. What is excluded is looked up again: it may have
// changed since the work began.
func keepAll(ctx context.Context, tx Tx, w work, results []check.Result, now time.Time) error {
	excluded, err := excluded(ctx, tx, w.account)
	if err != nil {
		return err
	}
	for i, r := range results {
		c := w.checks[i]
		rows := slices.Clone(r.Rows)
		for i := range rows {
			rows[i].Suppressed = excluded[[2]string{c.ID, rows[i].ResourceID}]
		}
		result := Result{Rows: rows, Summary: Summary{
			Account: w.account, CheckID: c.ID, Status: r.Status, Cause: r.Cause, At: now, Columns: c.Columns,
			Processed: r.Processed, Flagged: r.Flagged, Ignored: r.Ignored, Suppressed: r.Suppressed, Savings: r.Savings,
		}}
		if err := keep(ctx, tx, c, result); err != nil {
			return err
		}
	}
	return nil
}

// keep keeps a result. One that is not available leaves the rows of the last one
// that was computed: the next one is compared with them.
func keep(ctx context.Context, tx Tx, c *check.Check, r Result) error {
	if r.Status == check.NotAvailable {
		return unavailable(ctx, tx, r.Account, c.ID, r.Cause, r.At)
	}
	r.recount(r.Rows)
	before, err := lastComputed(ctx, tx, r.Account, c.ID)
	if err != nil {
		return err
	}
	return errors.Join(
		addEvents(ctx, tx, r.Account, r.At, changes(c, before, r)),
		tx.PutSummary(ctx, r.Summary),
		tx.PutRows(ctx, r.Account, c.ID, r.Rows),
		tx.AddHistory(ctx, r.Summary, historyKept),
	)
}

func lastComputed(ctx context.Context, tx Tx, account, checkID string) (r Result, err error) {
	kept, err := tx.Summaries(ctx, account, []string{checkID})
	if err != nil || len(kept) == 0 {
		return r, err
	}
	r.Summary = kept[0]
	r.Rows, err = tx.Rows(ctx, account, checkID)
	return r, err
}

// unavailable keeps the columns of the rows that stay.
func unavailable(ctx context.Context, tx Tx, account, checkID, cause string, now time.Time) error {
	s := Summary{Account: account, CheckID: checkID, Status: check.NotAvailable, Cause: cause, At: now}
	kept, err := tx.Summaries(ctx, account, []string{checkID})
	if err != nil {
		return err
	}
	if len(kept) > 0 {
		s.Columns = kept[0].Columns
	}
	return errors.Join(tx.PutSummary(ctx, s), tx.AddHistory(ctx, s, historyKept))
}

// settle ends the refreshes that were taken, but for those that were asked for
// again since.
func settle(ctx context.Context, tx Tx, w work, state RefreshState) error {
	refreshes, err := tx.Refreshes(ctx, w.account)
	if err != nil {
		return err
	}
	for _, r := range refreshes {
		if taken, ok := w.taken[r.CheckID]; !ok || r != taken {
			continue
		}
		r.State = state
		if err := tx.PutRefresh(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// enqueueLeft has the refreshes done that were asked for while the job ran.
func enqueueLeft(ctx context.Context, tx Tx, account string) error {
	refreshes, err := tx.Refreshes(ctx, account)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(refreshes, Refresh.pending) {
		return enqueueJob(ctx, tx, account)
	}
	return nil
}

// abandon gives up all that waits: the checks are not available, and may be
// refreshed again.
func (s *Service) abandon(ctx context.Context, job jobs.Job, cause error) error {
	now := s.now()
	abandoned := 0
	err := s.Store.Update(ctx, job.Account, func(tx Tx) error {
		if err := tx.Finish(ctx, job); err != nil {
			return err
		}
		refreshes, err := tx.Refreshes(ctx, job.Account)
		abandoned = 0
		for _, r := range refreshes {
			if !r.pending() {
				continue
			}
			abandoned++
			r.State = Abandoned
			err = errors.Join(err, tx.PutRefresh(ctx, r))
			if !errors.Is(cause, ErrNoSource) {
				err = errors.Join(err, unavailable(ctx, tx, job.Account, r.CheckID, cause.Error(), now))
			}
		}
		return err
	})
	if err == nil {
		s.log().LogAttrs(ctx, slog.LevelWarn, "advisor refresh abandoned", slog.String("account", job.Account),
			slog.Int("checks", abandoned), slog.String("cause", cause.Error()))
	}
	return err
}

// tell logs why checks were not computed, one record for each cause.
func (s *Service) tell(ctx context.Context, account string, results []check.Result) {
	var causes []string
	ids := map[string][]string{}
	for _, r := range results {
		if r.Status != check.NotAvailable {
			continue
		}
		if ids[r.Cause] == nil {
			causes = append(causes, r.Cause)
		}
		ids[r.Cause] = append(ids[r.Cause], r.CheckID)
	}
	for _, cause := range causes {
		s.log().LogAttrs(ctx, slog.LevelWarn, "advisor checks not available", slog.String("account", account),
			slog.String("check_ids", fmt.Sprint(ids[cause])), slog.String("cause", cause))
	}
}

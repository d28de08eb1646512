package advisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
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
		return s.withoutSource(ctx, job)
	}
	var results []check.Result
	if err == nil {
		results, err = s.compute(ctx, w)
	}
	if err == nil {
		err = s.finish(ctx, job, w, results)
	}
	if err == nil || errors.Is(err, jobs.ErrLeaseLost) || errors.Is(ctx.Err(), context.Canceled) || job.Attempt < refreshAttempts {
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
		return evaluate(ctx, evaluation, source.File, w.account)
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
	return evaluate(ctx, evaluation, file.Name(), w.account)
}

func evaluate(ctx context.Context, e check.Evaluation, file, account string) ([]check.Result, error) {
	inv, err := openFile(file, account)
	if err != nil {
		return nil, err
	}
	return e.Run(ctx, inv)
}

// openFile opens an inventory of the account. ErrOtherAccount.
func openFile(name, account string) (*inventory.File, error) {
	inv, err := inventory.OpenFile(name)
	if err != nil {
		return nil, err
	}
	if owner := inv.Header().Account; owner != account {
		return nil, ErrOtherAccount.With("%s is an inventory of account %s, not of %s", name, owner, account)
	}
	return inv, nil
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

// Checks whose results are kept together, so that nobody who writes waits
// behind all of them: those of so many checks, with so many rows but for a check
// that has more alone.
const (
	checksInGroup = 20
	rowsInGroup   = 1000
)

// groupSize is how many of the results are kept together.
func groupSize(results []check.Result) int {
	n, rows := 0, 0
	for n < min(len(results), checksInGroup) {
		rows += len(results[n].Rows)
		if n > 0 && rows > rowsInGroup {
			break
		}
		n++
	}
	return n
}

// finish makes the results durable, in groups. What follows from the result of
// a check is one transaction with the end of its refresh, so an attempt that ends
// between two groups leaves to the next one the checks of which nothing is kept.
func (s *Service) finish(ctx context.Context, job jobs.Job, w work, results []check.Result) error {
	now := s.now()
	for begin, last := 0, false; !last; {
		end := begin + groupSize(results[begin:])
		last = end == len(results)
		if err := s.finishGroup(ctx, job, w, group{w.checks[begin:end], results[begin:end], last}, now); err != nil {
			return err
		}
		begin = end
	}
	s.tell(ctx, w.account, results)
	return nil
}

type group struct {
	checks  []*check.Check
	results []check.Result
	last    bool
}

var errExclusionsChanged = errors.New("the exclusions have changed")

// finishGroup prepares outside of the transaction all that is written in it.
// What was read for that can only have changed with the source, with whose job it
// is or with the exclusions. Results of a source that is not the account's any
// more are left.
func (s *Service) finishGroup(ctx context.Context, job jobs.Job, w work, g group, now time.Time) error {
	for {
		p, err := s.prepare(ctx, w, g, now)
		if err != nil {
			return err
		}
		err = s.Store.Update(ctx, w.account, func(tx Tx) error {
			end := tx.Hold
			if g.last {
				end = tx.Finish
			}
			if err := end(ctx, job); err != nil {
				return err
			}
			current, err := tx.Source(ctx, w.account)
			if err != nil && !errors.Is(err, ErrNoSource) {
				return err
			}
			if err == nil && bytes.Equal(current.Sealed, w.source.Sealed) {
				if err := p.keep(ctx, tx, w.account); err != nil {
					return err
				}
				if err := settle(ctx, tx, w, g); err != nil {
					return err
				}
			}
			if !g.last {
				return nil
			}
			return enqueueLeft(ctx, tx, w.account)
		})
		if !errors.Is(err, errExclusionsChanged) {
			return err
		}
	}
}

// prepared is what is kept of a group.
type prepared struct {
	excluded map[[2]string]bool
	results  []preparedResult
}

type preparedResult struct {
	Summary
	rows   PackedRows
	events []EventBatch
}

// prepare compares the results with the last ones. What is excluded is looked up
// again: it may have changed since the work began.
func (s *Service) prepare(ctx context.Context, w work, g group, now time.Time) (p prepared, err error) {
	before := make([]Result, len(g.results))
	packed := make([]PackedRows, len(g.results))
	err = s.Store.View(ctx, func(tx Tx) error {
		if p.excluded, err = excluded(ctx, tx, w.account); err != nil {
			return err
		}
		for i, c := range g.checks {
			before[i] = Result{}
			kept, err := tx.Summaries(ctx, w.account, []string{c.ID})
			if err != nil {
				return err
			}
			if len(kept) == 0 {
				continue
			}
			before[i].Summary = kept[0]
			if g.results[i].Status == check.NotAvailable {
				continue
			}
			if packed[i], err = tx.Rows(ctx, w.account, c.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	for i, c := range g.checks {
		if before[i].Rows, err = unpack(packed[i], w.account, c.ID); err != nil {
			return p, err
		}
		r, err := w.prepare(c, before[i], g.results[i], p.excluded, now)
		if err != nil {
			return p, err
		}
		p.results = append(p.results, r)
	}
	return p, nil
}

// prepare prepares a result. One that is not available leaves the rows of the
// last one that was computed: the next one is compared with them.
func (w work) prepare(c *check.Check, before Result, r check.Result, excluded map[[2]string]bool, now time.Time) (p preparedResult, err error) {
	if r.Status == check.NotAvailable {
		return preparedResult{Summary: unavailable(before.Summary, w.account, c.ID, r.Cause, now)}, nil
	}
	rows := slices.Clone(r.Rows)
	for i := range rows {
		rows[i].Suppressed = excluded[[2]string{c.ID, rows[i].ResourceID}]
	}
	result := Result{Rows: rows, Summary: Summary{
		Account: w.account, CheckID: c.ID, Status: r.Status, Cause: r.Cause, At: now, Columns: c.Columns,
		Processed: r.Processed, Flagged: r.Flagged, Ignored: r.Ignored, Suppressed: r.Suppressed, Savings: r.Savings,
	}}
	result.recount(rows)
	p = preparedResult{Summary: result.Summary, events: batches(w.account, now, changes(c, before, result))}
	p.rows, err = PackRows(rows)
	return p, err
}

func (p prepared) keep(ctx context.Context, tx Tx, account string) error {
	current, err := excluded(ctx, tx, account)
	if err != nil {
		return err
	}
	if !maps.Equal(current, p.excluded) {
		return errExclusionsChanged
	}
	for _, r := range p.results {
		if r.Status != check.NotAvailable {
			err = errors.Join(err, tx.PutRows(ctx, account, r.CheckID, r.rows))
		}
		for _, b := range r.events {
			err = errors.Join(err, tx.AddEvents(ctx, b))
		}
		err = errors.Join(err, tx.PutSummary(ctx, r.Summary), tx.AddHistory(ctx, r.Summary, historyKept))
		if err != nil {
			return err
		}
	}
	return nil
}

// unavailable keeps the columns of the rows that stay.
func unavailable(before Summary, account, checkID, cause string, now time.Time) Summary {
	return Summary{Account: account, CheckID: checkID, Status: check.NotAvailable, Cause: cause, At: now, Columns: before.Columns}
}

// settle ends the refreshes of a group that were taken, but for those that were
// asked for again since. The last group has those of checks that are no more.
func settle(ctx context.Context, tx Tx, w work, g group) error {
	refreshes, err := tx.Refreshes(ctx, w.account)
	if err != nil {
		return err
	}
	for _, r := range refreshes {
		if taken, ok := w.taken[r.CheckID]; !ok || r != taken {
			continue
		}
		if !g.last && !slices.ContainsFunc(g.checks, func(c *check.Check) bool { return c.ID == r.CheckID }) {
			continue
		}
		r.State = Success
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

// withoutSource ends a refresh that has nothing to compute from.
func (s *Service) withoutSource(ctx context.Context, job jobs.Job) error {
	if s.Test {
		if err := s.renewMade(ctx, job.Account); err != nil {
			return err
		}
	}
	return s.abandon(ctx, job, ErrNoSource)
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
				err = errors.Join(err, keepUnavailable(ctx, tx, job.Account, r.CheckID, cause.Error(), now))
			}
		}
		return err
	})
	if err == nil && abandoned > 0 {
		s.log().LogAttrs(ctx, slog.LevelWarn, "advisor refresh abandoned", slog.String("account", job.Account),
			slog.Int("checks", abandoned), slog.String("cause", cause.Error()))
	}
	return err
}

func keepUnavailable(ctx context.Context, tx Tx, account, checkID, cause string, now time.Time) error {
	kept, err := tx.Summaries(ctx, account, []string{checkID})
	if err != nil {
		return err
	}
	s := unavailable(slices.Concat(kept, []Summary{{}})[0], account, checkID, cause, now)
	return errors.Join(tx.PutSummary(ctx, s), tx.AddHistory(ctx, s, historyKept))
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

package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// advisorPlans are of all statements that read, in each of which the primary
// key is searched.
func advisorPlans(t *testing.T) []planned[advisor.Tx] {
	ctx, now := t.Context(), time.Unix(1e9, 0)
	key := func(table, columns string) string {
		return table + " sqlite_autoindex_" + table + "_1 (" + columns + ")"
	}
	const ofCheck = "account=? AND check_id=?"
	plans := []planned[advisor.Tx]{
		{name: "Source", run: func(tx advisor.Tx) error { _, err := tx.Source(ctx, account); return ignoreNoSource(err) }, want: key("advisor_sources", "account=?")},
		{name: "Refresh", run: func(tx advisor.Tx) error { _, err := tx.Refresh(ctx, account, "a"); return err }, want: key("advisor_refreshes", ofCheck)},
		{name: "Refreshes", run: func(tx advisor.Tx) error { _, err := tx.Refreshes(ctx, account); return err }, want: key("advisor_refreshes", "account=?")},
		{name: "Rows", run: func(tx advisor.Tx) error { _, err := tx.Rows(ctx, account, "a"); return err }, want: key("advisor_rows", ofCheck)},
		{name: "PutRows", run: func(tx advisor.Tx) error { return tx.PutRows(ctx, account, "a", nil) }, want: key("advisor_rows", ofCheck)},
		{name: "History", run: func(tx advisor.Tx) error { _, err := tx.History(ctx, account, "a", 5); return err }, want: key("advisor_history", ofCheck)},
		{name: "Exclusions", run: func(tx advisor.Tx) error { _, err := tx.Exclusions(ctx, account); return err }, want: key("advisor_exclusions", "account=?")},
		{name: "Events", run: func(tx advisor.Tx) error { _, err := tx.Events(ctx, account, 5); return err }, want: key("advisor_events", "account=?")},
		{
			name: "DeleteExclusion", run: func(tx advisor.Tx) error { _, err := tx.DeleteExclusion(ctx, account, "a", "b"); return err },
			want: key("advisor_exclusions", ofCheck+" AND resource_id=?"),
		},
		{
			name: "DeleteEventsBefore", run: func(tx advisor.Tx) error { _, err := tx.DeleteEventsBefore(ctx, account, now, 5); return err },
			want: key("advisor_events", "account=? AND created_at=? AND id=?") + "\nLIST SUBQUERY 2\n" + key("advisor_events", "account=? AND created_at<?"),
		},
	}
	for _, n := range []int{1, 10, 100, 1000} {
		plans = append(plans, planned[advisor.Tx]{name: fmt.Sprintf("Summaries of %d", n), run: func(tx advisor.Tx) error {
			_, err := tx.Summaries(ctx, account, make([]string, n))
			return err
		}, want: key("advisor_results", ofCheck)})
	}
	return plans
}

func ignoreNoSource(err error) error {
	if err == advisor.ErrNoSource {
		return nil
	}
	return err
}

func TestAdvisorStatementsSearchTheirIndex(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	checkPlans(t, s, w, s.Advisor().View, advisorPlans(t))
}

func TestPostgresSearchesTheSameAdvisorIndexes(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	mustOpenURL(t, url)
	pgtest.Exec(t, url, busyAdvisor)
	s, w := mustOpenWatched(t, newFile(t))
	checkPostgresPlans(t, url, w, s.Advisor().View, advisorPlans(t))
}

// busyAdvisor is a hundred accounts with two hundred checks each.
const busyAdvisor = `
INSERT INTO advisor_sources (account, sealed, set_at) SELECT (100000000000 + n::bigint)::text, '', 0 FROM generate_series(1, 1000) AS n;
INSERT INTO advisor_refreshes (account, check_id, state, requested_at)
SELECT (100000000000 + n::bigint % 100)::text, 'check-' || n, 'success', n FROM generate_series(1, 20000) AS n;
INSERT INTO advisor_results (account, check_id, summary) SELECT account, check_id, '{}' FROM advisor_refreshes;
INSERT INTO advisor_rows (account, check_id, number, content) SELECT account, check_id, number, '' FROM advisor_refreshes, generate_series(1, 2) AS number;
INSERT INTO advisor_history (account, check_id, computed_at, summary) SELECT account, check_id, at, '{}' FROM advisor_refreshes, generate_series(1, 10) AS at;
INSERT INTO advisor_exclusions (account, check_id, resource_id, excluded_at, excluded_by) SELECT account, check_id, 'r', 0, '' FROM advisor_refreshes;
INSERT INTO advisor_events (account, created_at, id, events) SELECT account, requested_at, check_id, '{}' FROM advisor_refreshes;
ANALYZE;`

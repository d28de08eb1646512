package testmode_test

import (
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/testmode"
)

// anyCheck returns a check that is computed or one that is not, with a column.
func (w *world) anyCheck(computed bool) *check.Check {
	w.Helper()
	all, err := w.server.Advisor.Checks()
	if err != nil {
		w.Fatal(err)
	}
	for _, c := range all {
		if (c.Unavailable == "") == computed && len(c.Columns) > 2 && !c.Automatic {
			return c
		}
	}
	w.Skip("there is no such check")
	return nil
}

func TestAResultThatIsSetIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	for _, computed := range []bool{true, false} {
		c := w.anyCheck(computed)
		in := testmode.Result{Account: first, CheckID: c.ID, Resources: []testmode.Resource{
			{Status: "warning", Region: "us-east-1", Metadata: map[string]string{c.Columns[1]: "one"}, Savings: 12.5},
			{Status: "error", Region: "eu-west-1", Metadata: map[string]string{c.Columns[1]: "two"}},
			{Status: "error", ID: "own-id", Region: "us-west-2", Suppressed: true},
			{Region: "us-west-2", Metadata: map[string]string{c.Columns[0]: "fine"}},
		}}
		if err := w.SetResult(t.Context(), in); err != nil {
			t.Fatalf("SetResult(%s) = %v, want nil", c.ID, err)
		}
		out, err := w.client(1).DescribeTrustedAdvisorCheckResult(t.Context(), &support.DescribeTrustedAdvisorCheckResultInput{CheckId: &c.ID})
		if err != nil {
			t.Fatal(err)
		}
		r := out.Result
		var rows []string
		for _, f := range r.FlaggedResources {
			rows = append(rows, strings.Join([]string{*f.Region, *f.Status, aws.ToString(f.Metadata[1]), map[bool]string{true: "suppressed"}[f.IsSuppressed]}, " "))
		}
		want := []string{"eu-west-1 error two ", "us-east-1 warning one ", "us-west-2 error  suppressed", "us-west-2 ok  "}
		if rows[2] > rows[3] { // the id of the last one may come first
			rows[2], rows[3] = rows[3], rows[2]
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("rows of %s (-want +got):\n%s", c.ID, diff)
		}
		s := r.ResourcesSummary
		if *r.Status != "error" || s.ResourcesFlagged != 2 || s.ResourcesProcessed != 4 || s.ResourcesSuppressed != 1 || r.CategorySpecificSummary.CostOptimizing.EstimatedMonthlySavings != 12.5 {
			t.Errorf("result of %s is %s %+v, want error, 2 of 4 flagged, 1 suppressed, 12.50", c.ID, *r.Status, *s)
		}
		summaries, err := w.client(1).DescribeTrustedAdvisorCheckSummaries(t.Context(), &support.DescribeTrustedAdvisorCheckSummariesInput{CheckIds: []*string{&c.ID}})
		if err != nil || !summaries.Summaries[0].HasFlaggedResources || *summaries.Summaries[0].Status != "error" {
			t.Errorf("summary of %s = %+v, %v, want error", c.ID, summaries, err)
		}
		statuses, err := w.client(1).DescribeTrustedAdvisorCheckRefreshStatuses(t.Context(), &support.DescribeTrustedAdvisorCheckRefreshStatusesInput{CheckIds: []*string{&c.ID}})
		if err != nil || *statuses.Statuses[0].Status != "success" {
			t.Errorf("refresh status of %s = %+v, %v, want success", c.ID, statuses, err)
		}
		history, err := w.server.Advisor.History(t.Context(), first, c.ID, 10)
		if err != nil || len(history) != 1 {
			t.Errorf("History(%s) = %+v, %v, want one", c.ID, history, err)
		}
		events, err := w.server.Advisor.Events(t.Context(), first, 10)
		if err != nil || len(events) != 1 || len(events[0].Events) != 2 {
			t.Errorf("Events() after %s = %+v, %v, want those of two resources", c.ID, events, err)
		}
		if err := w.server.Advisor.DropEvents(t.Context(), first, events); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStatusesOfResults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	c := w.anyCheck(true)
	for _, test := range []struct {
		in   testmode.Result
		want string
	}{
		{testmode.Result{}, "ok"},
		{testmode.Result{Status: "warning"}, "warning"},
		{testmode.Result{Status: "not_available"}, "not_available"},
		{testmode.Result{Resources: []testmode.Resource{{Status: "warning"}}}, "warning"},
		{testmode.Result{Status: "ok", Resources: []testmode.Resource{{Status: "error"}}}, "ok"},
	} {
		test.in.Account, test.in.CheckID = first, c.ID
		if err := w.SetResult(t.Context(), test.in); err != nil {
			t.Fatalf("SetResult(%+v) = %v, want nil", test.in, err)
		}
		out, err := w.client(1).DescribeTrustedAdvisorCheckResult(t.Context(), &support.DescribeTrustedAdvisorCheckResultInput{CheckId: &c.ID})
		if err != nil || *out.Result.Status != test.want {
			t.Errorf("status of %+v = %v, %v, want %s", test.in, out.Result, err, test.want)
		}
	}
}

func TestResultsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	c := w.anyCheck(true)
	row := func(r testmode.Resource) []testmode.Resource { return []testmode.Resource{r} }
	for want, in := range map[string]testmode.Result{
		"no account":            {Account: "999999999999", CheckID: c.ID},
		`no check "typo"`:       {Account: first, CheckID: "typo"},
		`has no column "Typo"`:  {Account: first, CheckID: c.ID, Resources: row(testmode.Resource{Metadata: map[string]string{"Typo": "x"}})},
		`not "red"`:             {Account: first, CheckID: c.ID, Status: "red"},
		`resource is not "red"`: {Account: first, CheckID: c.ID, Resources: row(testmode.Resource{Status: "red"})},
		"not_available has no":  {Account: first, CheckID: c.ID, Status: "not_available", Resources: row(testmode.Resource{})},
		"cannot save -1":        {Account: first, CheckID: c.ID, Resources: row(testmode.Resource{Savings: -1})},
		"savings of 0 to 1000000000000 USD a month; it cannot save 1e+308": {Account: first, CheckID: c.ID, Resources: []testmode.Resource{{Savings: 1e308}, {Region: "us-east-1", Savings: 1e308}}},
		"cannot save +Inf":           {Account: first, CheckID: c.ID, Resources: row(testmode.Resource{Savings: math.Inf(1)})},
		"cannot save NaN":            {Account: first, CheckID: c.ID, Resources: row(testmode.Resource{Savings: math.NaN()})},
		"Two resources have the id ": {Account: first, CheckID: c.ID, Resources: []testmode.Resource{{}, {}}},
	} {
		if err := w.SetResult(t.Context(), in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("SetResult(%+v) = %v, want %s", in, err, want)
		}
	}
}

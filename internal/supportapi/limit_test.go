package supportapi

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
)

const throttled = "400 ThrottlingException: Throttle limit exceeded."

// admitted calls an operation n times and returns how many times it was let in.
func (f *fixture) admitted(t *testing.T, key iam.NewKey, operation string, n int, refusal string) int {
	t.Helper()
	in := f.valid(operation).text(t)
	admitted := 0
	for range n {
		got := f.call(t, key, operation, in)
		switch {
		case got.Status == http.StatusOK:
			admitted++
		case got.refusal() != refusal:
			t.Errorf("%s = %s, want 200 or %s", operation, got.refusal(), refusal)
		}
	}
	return admitted
}

func TestRequestsPerSecondCountByAccountAndOperation(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{api: Limits{RequestsPerSecond: 5}})
	steps := []struct {
		name      string
		wait      time.Duration
		key       iam.NewKey
		operation string
		want      int // of ten calls
	}{
		{"at first", 0, f.first, "DescribeServices", 5},
		{"another operation", 0, f.first, "DescribeCases", 5},
		{"another account", 0, f.second, "DescribeServices", 5},
		{"at the same time", 0, f.first, "DescribeServices", 0},
		{"just before the next", 199 * time.Millisecond, f.first, "DescribeServices", 0},
		{"at the next", time.Millisecond, f.first, "DescribeServices", 1},
		{"after most of a second", 800 * time.Millisecond, f.first, "DescribeServices", 4},
		{"after an hour", time.Hour, f.first, "DescribeServices", 5},
	}
	for _, step := range steps {
		f.clock.Advance(step.wait)
		if got := f.admitted(t, step.key, step.operation, 10, throttled); got != step.want {
			t.Errorf("%s: %d of 10 calls of %s were let in, want %d", step.name, got, step.operation, step.want)
		}
	}
}

// All principals of an account share its limit.
func TestUsersShareTheLimitOfTheirAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{api: Limits{RequestsPerSecond: 5}})
	alice := f.mustUser(t, firstAccount, "alice", "AWSSupportAccess")
	if got := f.admitted(t, alice, "DescribeCases", 3, throttled); got != 3 {
		t.Errorf("%d of 3 calls of alice were let in, want all", got)
	}
	if got := f.admitted(t, f.first, "DescribeCases", 3, throttled); got != 2 {
		t.Errorf("%d of 3 calls of the root were let in after alice's 3, want 2", got)
	}
}

func TestEveryOperationIsThrottled(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{api: Limits{RequestsPerSecond: 1, AdvisorRequestsPerSecond: 1}})
	for name := range f.api.operations {
		if got := f.admitted(t, f.first, name, 2, throttled); got != 1 {
			t.Errorf("%d of 2 calls of %s were let in, want 1", got, name)
		}
	}
}

func TestDescribeAttachmentLimit(t *testing.T) {
	t.Parallel()
	const refusal = "400 DescribeAttachmentLimitExceeded: Account has exceeded the limit of 20 DescribeAttachment calls in 10 minutes."
	f := newFixture(t, limits{api: Limits{DescribeAttachmentsPer10m: 20}})
	if got := f.admitted(t, f.first, "DescribeAttachment", 25, refusal); got != 20 {
		t.Errorf("%d of 25 calls were let in, want 20", got)
	}
	if got := f.call(t, f.second, "DescribeAttachment", `{"attachmentId":"none"}`); got.Name != "AttachmentIdNotFound" {
		t.Errorf("DescribeAttachment of another account = %s, want AttachmentIdNotFound: it has a limit of its own", got.refusal())
	}
	if got := f.admitted(t, f.first, "DescribeCases", 25, refusal); got != 25 {
		t.Errorf("%d of 25 calls of DescribeCases were let in, want all", got)
	}
	f.clock.Advance(30*time.Second - time.Millisecond)
	if got := f.admitted(t, f.first, "DescribeAttachment", 3, refusal); got != 0 {
		t.Errorf("before half a minute %d of 3 calls were let in, want none", got)
	}
	f.clock.Advance(time.Millisecond)
	if got := f.admitted(t, f.first, "DescribeAttachment", 3, refusal); got != 1 {
		t.Errorf("after half a minute %d of 3 calls were let in, want 1", got)
	}
	f.clock.Advance(10 * time.Minute)
	if got := f.admitted(t, f.first, "DescribeAttachment", 25, refusal); got != 20 {
		t.Errorf("after ten minutes %d of 25 calls were let in, want 20", got)
	}
}

func TestZeroMeansNoLimit(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	for _, operation := range []string{"DescribeAttachment", "CreateCase", "AddAttachmentsToSet"} {
		if got := f.admitted(t, f.first, operation, 60, throttled); got != 60 {
			t.Errorf("%d of 60 calls of %s were let in, want all", got, operation)
		}
	}
}

// AWS's numbers, and that they reach the operations.
func TestAWSLimits(t *testing.T) {
	t.Parallel()
	if got, want := AWSLimits(), (Limits{RequestsPerSecond: 5, AdvisorRequestsPerSecond: 100, DescribeAttachmentsPer10m: 100}); got != want {
		t.Errorf("AWSLimits() = %+v, want %+v", got, want)
	}
	f := newFixture(t, limits{api: AWSLimits(), cases: cases.AWSLimits()})
	if got := f.admitted(t, f.first, "DescribeSeverityLevels", 6, throttled); got != 5 {
		t.Errorf("%d of 6 calls were let in, want 5", got)
	}
	if got := f.admitted(t, f.first, "DescribeTrustedAdvisorCheckSummaries", 101, throttled); got != 100 {
		t.Errorf("%d of 101 calls of Trusted Advisor were let in, want 100", got)
	}
}

func TestTheEleventhCaseInAnHourIsRefused(t *testing.T) {
	t.Parallel()
	const refusal = "400 CaseCreationLimitExceeded: Account has exceeded the limit of 10 cases per hour."
	f := newFixture(t, limits{cases: cases.AWSLimits()})
	f.clock.Advance(2 * time.Hour) // the fixture's own case no longer counts
	if got := f.admitted(t, f.first, "CreateCase", 10, refusal); got != 10 {
		t.Errorf("%d of 10 cases were created, want all", got)
	}
	f.refused(t, f.dump(t), f.first, "CreateCase", f.valid("CreateCase").text(t), "CaseCreationLimitExceeded", "Account has exceeded the limit of 10 cases per hour.")
	if got := f.admitted(t, f.second, "CreateCase", 1, refusal); got != 1 {
		t.Errorf("%d of 1 case of another account was created, want it", got)
	}
	f.clock.Advance(time.Hour - time.Microsecond)
	if got := f.admitted(t, f.first, "CreateCase", 1, refusal); got != 0 {
		t.Errorf("just before the hour is over %d cases were created, want none", got)
	}
	f.clock.Advance(time.Microsecond)
	if got := f.admitted(t, f.first, "CreateCase", 11, refusal); got != 10 {
		t.Errorf("after an hour %d of 11 cases were created, want 10", got)
	}
}

func TestAttachmentSetLimit(t *testing.T) {
	t.Parallel()
	const most = 4
	refusal := fmt.Sprintf("400 AttachmentLimitExceeded: Account has exceeded the limit of %d attachment sets in 10 minutes.", most)
	f := newFixture(t, limits{cases: cases.Limits{AttachmentSetsPer10m: most}})
	f.clock.Advance(10 * time.Minute) // the fixture's own set no longer counts
	if got := f.admitted(t, f.first, "AddAttachmentsToSet", most+2, refusal); got != most {
		t.Errorf("%d of %d sets were made, want %d", got, most+2, most)
	}
	if got := f.admitted(t, f.second, "AddAttachmentsToSet", 1, refusal); got != 1 {
		t.Errorf("%d of 1 set of another account was made, want it", got)
	}
	f.clock.Advance(10 * time.Minute)
	if got := f.admitted(t, f.first, "AddAttachmentsToSet", 1, refusal); got != 1 {
		t.Errorf("after ten minutes %d of 1 set was made, want it", got)
	}
}

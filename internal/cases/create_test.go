package cases_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/iam"
)

func TestACaseOfSubjectAndBodyGetsDefaults(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	id := o.mustCreate(t, question())
	want := cases.Listed{
		Case: cases.Case{
			Account: account, ID: id, Subject: "Help", Status: cases.Unassigned,
			ServiceCode: "general-info", CategoryCode: "using-aws", SeverityCode: "low", IssueType: "technical", Language: "en",
			SubmittedBy: "ops@example.com", CreatedAt: o.now(), Communications: 1,
		},
		Recent: []cases.Communication{{
			Account: account, CaseID: id, Number: 1, Body: "It is broken.",
			SubmittedBy: "alice (IAM) <ops@example.com>", CreatedAt: o.now(),
		}},
	}
	got := o.mustFindOne(t, id)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(cases.Case{}, "DisplayID")); diff != "" {
		t.Errorf("new case (-want +got):\n%s", diff)
	}
	if !regexp.MustCompile(`^case-111122223333-muen-2026-[0-9a-f]{16}$`).MatchString(id) {
		t.Errorf("Create() = %q, want the form of a case id", id)
	}
	if !regexp.MustCompile(`^[1-9][0-9]{14}$`).MatchString(got.DisplayID) {
		t.Errorf("display id = %q, want 15 digits", got.DisplayID)
	}
}

func TestACaseKeepsWhatTheCustomerChose(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	in := cases.NewCase{
		Subject: "ヘルプ", Body: "two\nlines\tand a tab", ServiceCode: "amazon-elastic-compute-cloud-linux", CategoryCode: "ssh-issue",
		SeverityCode: "critical", IssueType: "customer-service", Language: "ja",
		CCEmailAddresses: []string{"b@example.com", "a@example.com", "b@example.com"},
	}
	got := o.mustFindOne(t, o.mustCreate(t, in))
	kept := cases.NewCase{
		Subject: got.Subject, Body: got.Recent[0].Body, ServiceCode: got.ServiceCode, CategoryCode: got.CategoryCode,
		SeverityCode: got.SeverityCode, IssueType: got.IssueType, Language: got.Language, CCEmailAddresses: got.CCEmailAddresses,
	}
	in.CCEmailAddresses = []string{"b@example.com", "a@example.com"}
	if diff := cmp.Diff(in, kept); diff != "" {
		t.Errorf("case (-given +kept):\n%s", diff)
	}
}

func TestAServiceAloneGetsItsGeneralCategory(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	for service, want := range map[string]string{"general-info": "using-aws", "amazon-elastic-compute-cloud-linux": "general-guidance"} {
		in := question()
		in.ServiceCode = service
		if got := o.mustFindOne(t, o.mustCreate(t, in)).CategoryCode; got != want {
			t.Errorf("category of a case about %s = %q, want %q", service, got, want)
		}
	}
	for _, s := range o.Catalog.Services() {
		in := question()
		in.ServiceCode = s.Code
		if _, err := o.Create(t.Context(), alice(), unrepeated(), in); err != nil {
			t.Errorf("Create(service %s alone) = %v, want nil", s.Code, err)
		}
	}
}

func TestUnknownChoicesAreRefused(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	for name, test := range map[string]struct {
		change func(*cases.NewCase)
		want   error
	}{
		"service":           {func(in *cases.NewCase) { in.ServiceCode = "no-such" }, catalog.ErrUnknownService},
		"category":          {func(in *cases.NewCase) { in.CategoryCode = "no-such" }, catalog.ErrUnknownCategory},
		"issue type":        {func(in *cases.NewCase) { in.IssueType = "no-such" }, catalog.ErrUnknownIssueType},
		"language":          {func(in *cases.NewCase) { in.Language = "de" }, catalog.ErrUnknownLanguage},
		"language of later": {func(in *cases.NewCase) { in.Language = "fr" }, catalog.ErrUnknownLanguage},
		"severity":          {func(in *cases.NewCase) { in.SeverityCode = "no-such" }, cases.ErrUnknownSeverity},
		"attachment set":    {func(in *cases.NewCase) { in.AttachmentSetID = "no-such" }, cases.ErrSetNotFound},
	} {
		in := question()
		test.change(&in)
		_, err := o.Create(t.Context(), alice(), unrepeated(), in)
		wantError(t, fmt.Sprintf("Create(unknown %s)", name), err, test.want)
	}
	if page, err := o.Find(t.Context(), alice(), cases.Query{Limit: 10}); err != nil || len(page.Cases) != 0 {
		t.Errorf("Find() after refused cases = %d cases, %v, want none, nil", len(page.Cases), err)
	}
}

func TestSeveritiesFollowThePlan(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	for _, p := range iam.Plans() {
		for _, severity := range o.Catalog.Severities() {
			who, in := alice(), question()
			who.Plan, in.SeverityCode = p, severity.Code
			_, err := o.Create(t.Context(), who, unrepeated(), in)
			if allowed := strings.Contains(strings.Join(p.Severities, " "), severity.Code); (err == nil) != allowed {
				t.Errorf("Create(severity %s) on plan %s = %v, want it allowed: %v", severity.Code, p.ID, err, allowed)
			}
			if err != nil {
				wantError(t, "Create()", err, cases.ErrUnknownSeverity)
			}
		}
	}
}

func TestTheCreationLimitIsExact(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	o.Limits = cases.AWSLimits()
	const parallel = 50
	outcomes := make([]error, parallel)
	var wg sync.WaitGroup
	for i := range outcomes {
		wg.Go(func() { _, outcomes[i] = o.Create(t.Context(), alice(), unrepeated(), question()) })
	}
	wg.Wait()
	created := 0
	for _, err := range outcomes {
		if err == nil {
			created++
			continue
		}
		wantError(t, "Create(beyond the limit)", err, cases.ErrCaseCreationLimit)
	}
	if created != 10 {
		t.Errorf("%d of %d parallel creates succeed, want 10", created, parallel)
	}
	if _, err := o.Create(t.Context(), stranger(), unrepeated(), question()); err != nil {
		t.Errorf("Create() of another account = %v, want nil", err)
	}
	o.pass(time.Hour - time.Microsecond)
	_, err := o.Create(t.Context(), alice(), unrepeated(), question())
	wantError(t, "Create() a moment before the hour is over", err, cases.ErrCaseCreationLimit)
	o.pass(time.Microsecond)
	for range 10 {
		o.mustCreate(t, question())
	}
	_, err = o.Create(t.Context(), alice(), unrepeated(), question())
	wantError(t, "Create(eleventh of the next hour)", err, cases.ErrCaseCreationLimit)
}

func TestWithoutLimitsAnyNumberOfCasesIsCreated(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	for range 30 {
		o.mustCreate(t, question())
	}
}

package supportapi_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/supportd/supportd/supporttest"
)

// started is the time of the server's clock in these tests, give or take what
// they last.
func started() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

func newClient(t *testing.T, opts ...supporttest.Option) (*supporttest.Server, *support.Client) {
	t.Helper()
	srv := supporttest.NewServer(t, opts...)
	return srv, support.NewFromConfig(srv.Config())
}

// ignoreUnexported drops the SDK's own fields from comparisons.
func ignoreUnexported() cmp.Option {
	return cmpopts.IgnoreUnexported(
		types.AttachmentDetails{}, types.CaseDetails{}, types.Communication{}, types.RecentCaseCommunications{},
		types.Category{}, types.Service{}, types.SeverityLevel{}, types.SupportedLanguage{},
		types.CommunicationTypeOptions{}, types.SupportedHour{}, types.DateInterval{},
	)
}

func TestCaseFromCreationToResolution(t *testing.T) {
	t.Parallel()
	srv, client := newClient(t, supporttest.WithTime(started()))
	ctx := t.Context()

	set, err := client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{
		Attachments: []types.Attachment{{FileName: aws.String("log.txt"), Data: []byte("first line")}},
	})
	must(t, err)
	mustMatch(t, "AttachmentSetId", aws.ToString(set.AttachmentSetId), `^as-[0-9a-f]{17}-mu-[A-Za-z0-9_-]+$`)
	mustMatch(t, "ExpiryTime", aws.ToString(set.ExpiryTime), `^2026-03-02T10:0\d:\d\d\.\d{3}\+0000$`)
	more, err := client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{
		AttachmentSetId: set.AttachmentSetId,
		Attachments:     []types.Attachment{{FileName: aws.String("picture.png"), Data: []byte{0, 1, 254, 255}}},
	})
	must(t, err)
	if got, want := [2]string{*more.AttachmentSetId, *more.ExpiryTime}, [2]string{*set.AttachmentSetId, *set.ExpiryTime}; got != want {
		t.Errorf("AddAttachmentsToSet to the set = %v, want the set as it was: %v", got, want)
	}

	created, err := client.CreateCase(ctx, &support.CreateCaseInput{
		Subject: aws.String("Bucket is slow"), CommunicationBody: aws.String("Since monday.\nSee the log."),
		ServiceCode: aws.String("general-info"), CategoryCode: aws.String("using-aws"), SeverityCode: aws.String("urgent"),
		IssueType: aws.String("technical"), Language: aws.String("ja"),
		CcEmailAddresses: []string{"ops@example.com"}, AttachmentSetId: set.AttachmentSetId,
	})
	must(t, err)
	id := aws.ToString(created.CaseId)
	mustMatch(t, "CaseId", id, `^case-123456789012-muen-2026-[0-9a-f]{16}$`)

	srv.Advance(time.Hour)
	added, err := client.AddCommunicationToCase(ctx, &support.AddCommunicationToCaseInput{
		CaseId: created.CaseId, CommunicationBody: aws.String("It is faster now."), CcEmailAddresses: []string{"boss@example.com", "ops@example.com"},
	})
	must(t, err)
	if !added.Result {
		t.Error("AddCommunicationToCase = false, want true")
	}

	found, err := client.DescribeCases(ctx, &support.DescribeCasesInput{CaseIdList: []string{id}})
	must(t, err)
	if len(found.Cases) != 1 || found.NextToken != nil {
		t.Fatalf("DescribeCases(%s) = %d cases, token %v, want one case and no token", id, len(found.Cases), found.NextToken)
	}
	got := found.Cases[0]
	mustMatch(t, "DisplayId", aws.ToString(got.DisplayId), `^[1-9]\d{14}$`)
	mustMatch(t, "TimeCreated", aws.ToString(got.TimeCreated), `^2026-03-02T09:0\d:\d\d\.\d{3}Z$`)
	communications := got.RecentCommunications.Communications
	if len(communications) != 2 || len(communications[1].AttachmentSet) != 2 {
		t.Fatalf("recent communications = %+v, want two and two attachments at the first", communications)
	}
	attachments := communications[1].AttachmentSet
	want := types.CaseDetails{
		CaseId: created.CaseId, DisplayId: got.DisplayId, TimeCreated: got.TimeCreated,
		Subject: aws.String("Bucket is slow"), Status: aws.String("unassigned"), SubmittedBy: aws.String("first@example.com"),
		ServiceCode: aws.String("general-info"), CategoryCode: aws.String("using-aws"), SeverityCode: aws.String("urgent"), Language: aws.String("ja"),
		CcEmailAddresses: []string{"ops@example.com", "boss@example.com"},
		RecentCommunications: &types.RecentCaseCommunications{Communications: []types.Communication{
			{
				CaseId: created.CaseId, Body: aws.String("It is faster now."), SubmittedBy: aws.String("first@example.com"),
				TimeCreated: communications[0].TimeCreated, AttachmentSet: []types.AttachmentDetails{},
			},
			{
				CaseId: created.CaseId, Body: aws.String("Since monday.\nSee the log."), SubmittedBy: aws.String("first@example.com"),
				TimeCreated: aws.String((*got.TimeCreated)[:len("2026-03-02T09:00:00")] + ".000Z"),
				AttachmentSet: []types.AttachmentDetails{
					{AttachmentId: attachments[0].AttachmentId, FileName: aws.String("log.txt")},
					{AttachmentId: attachments[1].AttachmentId, FileName: aws.String("picture.png")},
				},
			},
		}},
	}
	if diff := cmp.Diff(want, got, ignoreUnexported()); diff != "" {
		t.Errorf("DescribeCases (-want +got):\n%s", diff)
	}
	mustMatch(t, "TimeCreated of the reply", aws.ToString(communications[0].TimeCreated), `^2026-03-02T10:0\d:\d\d\.000Z$`)

	listed, err := client.DescribeCommunications(ctx, &support.DescribeCommunicationsInput{CaseId: created.CaseId})
	must(t, err)
	if diff := cmp.Diff(want.RecentCommunications.Communications, listed.Communications, ignoreUnexported()); diff != "" {
		t.Errorf("DescribeCommunications (-recent +listed):\n%s", diff)
	}

	file, err := client.DescribeAttachment(ctx, &support.DescribeAttachmentInput{AttachmentId: attachments[1].AttachmentId})
	must(t, err)
	if got := aws.ToString(file.Attachment.FileName); got != "picture.png" || !cmp.Equal(file.Attachment.Data, []byte{0, 1, 254, 255}) {
		t.Errorf("DescribeAttachment = %q, %v, want picture.png as it was sent", got, file.Attachment.Data)
	}

	resolved, err := client.ResolveCase(ctx, &support.ResolveCaseInput{CaseId: created.CaseId})
	must(t, err)
	if got := [2]string{*resolved.InitialCaseStatus, *resolved.FinalCaseStatus}; got != [2]string{"unassigned", "resolved"} {
		t.Errorf("ResolveCase = %v, want unassigned, resolved", got)
	}
	open, err := client.DescribeCases(ctx, &support.DescribeCasesInput{})
	must(t, err)
	all, err := client.DescribeCases(ctx, &support.DescribeCasesInput{IncludeResolvedCases: true, IncludeCommunications: aws.Bool(false)})
	must(t, err)
	if len(open.Cases) != 0 || len(all.Cases) != 1 || all.Cases[0].RecentCommunications != nil {
		t.Errorf("after ResolveCase %d open cases and %+v, want none, and the resolved one without communications", len(open.Cases), all.Cases)
	}
}

// What the account left out is answered as it was filled in.
func TestCaseWithSubjectAndBodyOnly(t *testing.T) {
	t.Parallel()
	_, client := newClient(t)
	id := mustCreate(t, client, "Only a subject")
	found, err := client.DescribeCases(t.Context(), &support.DescribeCasesInput{CaseIdList: []string{id}})
	must(t, err)
	c := found.Cases[0]
	got := []string{*c.ServiceCode, *c.CategoryCode, *c.SeverityCode, *c.Language, *c.Status}
	if want := []string{"general-info", "using-aws", "low", "en", "unassigned"}; !cmp.Equal(got, want) {
		t.Errorf("DescribeCases = %v, want %v", got, want)
	}
	if c.CcEmailAddresses == nil || len(c.CcEmailAddresses) != 0 {
		t.Errorf("CcEmailAddresses = %#v, want present and empty", c.CcEmailAddresses)
	}
}

func TestFiltersOfCases(t *testing.T) {
	t.Parallel()
	srv, client := newClient(t, supporttest.WithTime(started()))
	first := mustCreate(t, client, "first")
	srv.Advance(24 * time.Hour)
	second, err := client.CreateCase(t.Context(), &support.CreateCaseInput{
		Subject: aws.String("second"), CommunicationBody: aws.String("b"), Language: aws.String("ko"),
	})
	must(t, err)
	described, err := client.DescribeCases(t.Context(), &support.DescribeCasesInput{CaseIdList: []string{first}})
	must(t, err)
	for _, tt := range []struct {
		name string
		in   support.DescribeCasesInput
		want []string
	}{
		{"nothing", support.DescribeCasesInput{}, []string{first, *second.CaseId}},
		{"after a day", support.DescribeCasesInput{AfterTime: aws.String("2026-03-03")}, []string{*second.CaseId}},
		{"before a minute", support.DescribeCasesInput{BeforeTime: aws.String("2026-03-02T20:00")}, []string{first}},
		{"between", support.DescribeCasesInput{AfterTime: aws.String("2026-03-02T08:00:00Z"), BeforeTime: aws.String("2026-03-04T00:00:00.000+09:00")}, []string{first, *second.CaseId}},
		{"nothing in between", support.DescribeCasesInput{AfterTime: aws.String("2026-03-05"), BeforeTime: aws.String("2026-03-04")}, nil},
		{"language", support.DescribeCasesInput{Language: aws.String("ko")}, []string{*second.CaseId}},
		{"display id", support.DescribeCasesInput{DisplayId: described.Cases[0].DisplayId}, []string{first}},
		{"unknown display id", support.DescribeCasesInput{DisplayId: aws.String("1")}, nil},
		{"ids and language", support.DescribeCasesInput{CaseIdList: []string{first, *second.CaseId}, Language: aws.String("en")}, []string{first}},
	} {
		out, err := client.DescribeCases(t.Context(), &tt.in)
		must(t, err)
		var got []string
		for _, c := range out.Cases {
			got = append(got, *c.CaseId)
		}
		if !cmp.Equal(got, tt.want) || out.Cases == nil {
			t.Errorf("DescribeCases with %s = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	srv, client := newClient(t, supporttest.WithTime(started()))
	ctx := t.Context()

	services, err := client.DescribeServices(ctx, &support.DescribeServicesInput{})
	must(t, err)
	if n := len(services.Services); n < 300 {
		t.Errorf("DescribeServices = %d services, want some hundred", n)
	}
	one, err := client.DescribeServices(ctx, &support.DescribeServicesInput{
		ServiceCodeList: []string{"general-info", "no-such-service", "general-info"}, Language: aws.String("en"),
	})
	must(t, err)
	if len(one.Services) != 1 || *one.Services[0].Code != "general-info" || len(one.Services[0].Categories) == 0 {
		t.Errorf("DescribeServices(general-info, no-such-service, general-info) = %+v, want general-info once", one.Services)
	}

	languages, err := client.DescribeSupportedLanguages(ctx, &support.DescribeSupportedLanguagesInput{
		ServiceCode: aws.String("general-info"), CategoryCode: aws.String("using-aws"), IssueType: aws.String("technical"),
	})
	must(t, err)
	wantLanguages := []types.SupportedLanguage{
		{Code: aws.String("en"), Display: aws.String("ENGLISH"), Language: aws.String("ENGLISH")},
		{Code: aws.String("ja"), Display: aws.String("JAPANESE"), Language: aws.String("JAPANESE")},
		{Code: aws.String("zh"), Display: aws.String("CHINESE"), Language: aws.String("CHINESE")},
		{Code: aws.String("ko"), Display: aws.String("KOREAN"), Language: aws.String("KOREAN")},
	}
	if diff := cmp.Diff(wantLanguages, languages.SupportedLanguages, ignoreUnexported()); diff != "" {
		t.Errorf("DescribeSupportedLanguages (-want +got):\n%s", diff)
	}

	options, err := client.DescribeCreateCaseOptions(ctx, &support.DescribeCreateCaseOptionsInput{
		ServiceCode: aws.String("general-info"), CategoryCode: aws.String("using-aws"),
		IssueType: aws.String("customer-service"), Language: aws.String("ja"),
	})
	must(t, err)
	if got := aws.ToString(options.LanguageAvailability); got != "available" || len(options.CommunicationTypes) != 3 {
		t.Fatalf("DescribeCreateCaseOptions = %q, %d types, want available, 3", got, len(options.CommunicationTypes))
	}
	chat := options.CommunicationTypes[1]
	want := []types.SupportedHour{{StartTime: aws.String("00:00:00.000"), EndTime: aws.String("09:00:00.000")}}
	if diff := cmp.Diff(want, chat.SupportedHours, ignoreUnexported()); diff != "" || *chat.Type != "chat" {
		t.Errorf("DescribeCreateCaseOptions: hours of %s (-want +got):\n%s", *chat.Type, diff)
	}
	if len(chat.DatesWithoutSupport) == 0 {
		t.Fatal("DescribeCreateCaseOptions: chat has no dates without support, want the weekends")
	}
	for _, dates := range chat.DatesWithoutSupport {
		mustMatch(t, "StartDateTime", *dates.StartDateTime, `^2026-0\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$`)
		mustMatch(t, "EndDateTime", *dates.EndDateTime, `^2026-0\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$`)
	}

	for i, want := range [][]string{
		{"low Low", "normal Normal", "high High", "urgent Urgent", "critical Critical"},
		{"low Low", "normal Normal", "high High", "urgent Urgent"},
	} {
		account := srv.Accounts()[i]
		levels, err := support.NewFromConfig(srv.ConfigFor(account)).DescribeSeverityLevels(ctx, &support.DescribeSeverityLevelsInput{Language: aws.String("en")})
		must(t, err)
		var got []string
		for _, l := range levels.SeverityLevels {
			got = append(got, *l.Code+" "+*l.Name)
		}
		if !cmp.Equal(got, want) {
			t.Errorf("DescribeSeverityLevels on plan %s = %v, want %v", account.Plan, got, want)
		}
	}
}

func TestReplyReopensForFourteenDays(t *testing.T) {
	t.Parallel()
	srv, client := newClient(t)
	id := mustCreate(t, client, "reopened")
	resolve := func() {
		_, err := client.ResolveCase(t.Context(), &support.ResolveCaseInput{CaseId: &id})
		must(t, err)
	}
	reply := func() error {
		_, err := client.AddCommunicationToCase(t.Context(), &support.AddCommunicationToCaseInput{CaseId: &id, CommunicationBody: aws.String("Again")})
		return err
	}
	resolve()
	srv.Advance(14*24*time.Hour - time.Minute)
	must(t, reply())
	found, err := client.DescribeCases(t.Context(), &support.DescribeCasesInput{})
	must(t, err)
	if len(found.Cases) != 1 || *found.Cases[0].Status != "reopened" {
		t.Fatalf("DescribeCases after a reply = %+v, want the case reopened", found.Cases)
	}
	resolve()
	srv.Advance(14*24*time.Hour + time.Minute)
	mustFail(t, reply(), "ValidationException",
		"The case was resolved more than 14 days ago and can no longer be reopened. Create a new case that refers to "+id+".")
}

func mustCreate(t *testing.T, client *support.Client, subject string) string {
	t.Helper()
	out, err := client.CreateCase(t.Context(), &support.CreateCaseInput{Subject: aws.String(subject), CommunicationBody: aws.String("Body of " + subject)})
	must(t, err)
	return aws.ToString(out.CaseId)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustMatch(t *testing.T, what, got, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(got) {
		t.Errorf("%s = %q, want it to match %s", what, got, pattern)
	}
}

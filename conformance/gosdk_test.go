package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/supporttest"
)

func TestGoSDKLifeOfACase(t *testing.T) {
	t.Parallel()
	server := supporttest.NewServer(t)
	client := support.NewFromConfig(server.Config())
	ctx := t.Context()
	made := must(client.CreateCase(ctx, &support.CreateCaseInput{
		Subject: aws.String("Boot hängt"), CommunicationBody: aws.String("Seit gestern."),
		ServiceCode: aws.String("amazon-polly"), CategoryCode: aws.String("apis"), SeverityCode: aws.String("urgent"),
		IssueType: aws.String("technical"), Language: aws.String("ja"), CcEmailAddresses: []string{"ops@example.com"},
	}))(t)
	id := made.CaseId
	found := must(client.DescribeCases(ctx, &support.DescribeCasesInput{CaseIdList: []string{*id}}))(t)
	if len(found.Cases) != 1 {
		t.Fatalf("DescribeCases(%s) = %d cases, want one", *id, len(found.Cases))
	}
	c := found.Cases[0]
	got := []string{
		*c.Subject, *c.ServiceCode, *c.CategoryCode, *c.SeverityCode, *c.Language, *c.Status, *c.SubmittedBy, c.CcEmailAddresses[0],
		*c.RecentCommunications.Communications[0].Body,
	}
	want := []string{
		"Boot hängt", "amazon-polly", "apis", "urgent", "ja", "unassigned", "first@example.com", "ops@example.com", "Seit gestern.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("DescribeCases(%s) (-want +got):\n%s", *id, diff)
	}

	added := must(client.AddCommunicationToCase(ctx, &support.AddCommunicationToCaseInput{CaseId: id, CommunicationBody: aws.String("Noch da?")}))(t)
	if !added.Result {
		t.Errorf("AddCommunicationToCase(%s).Result = false, want true", *id)
	}
	sent := must(client.DescribeCommunications(ctx, &support.DescribeCommunicationsInput{CaseId: id}))(t)
	if got := bodies(sent.Communications); !slices.Equal(got, []string{"Noch da?", "Seit gestern."}) {
		t.Errorf("DescribeCommunications(%s) = %q, want the newest first", *id, got)
	}
	done := must(client.ResolveCase(ctx, &support.ResolveCaseInput{CaseId: id}))(t)
	if *done.InitialCaseStatus != "unassigned" || *done.FinalCaseStatus != "resolved" {
		t.Errorf("ResolveCase(%s) = %s, %s, want unassigned, resolved", *id, *done.InitialCaseStatus, *done.FinalCaseStatus)
	}
	open := must(client.DescribeCases(ctx, &support.DescribeCasesInput{}))(t)
	if len(open.Cases) != 0 {
		t.Errorf("DescribeCases() = %d cases, want none that is resolved", len(open.Cases))
	}
	server.Advance(15 * 24 * time.Hour)
	_, err := client.AddCommunicationToCase(ctx, &support.AddCommunicationToCaseInput{CaseId: id, CommunicationBody: aws.String("Wieder da")})
	if code := errorCode(err); code != "ValidationException" {
		t.Errorf("AddCommunicationToCase(%s) after 15 days = %v, want a ValidationException", *id, err)
	}
}

func TestGoSDKAttachments(t *testing.T) {
	t.Parallel()
	client := support.NewFromConfig(supporttest.NewServer(t).Config())
	ctx := t.Context()
	content := bytes.Repeat([]byte{0, 1, 254, 255}, 100_000)
	set := must(client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{
		Attachments: []types.Attachment{{FileName: aws.String("bytes.bin"), Data: content}},
	}))(t)
	if _, err := time.Parse("2006-01-02T15:04:05.000-0700", *set.ExpiryTime); err != nil {
		t.Errorf("AddAttachmentsToSet().ExpiryTime: %v", err)
	}
	made := must(client.CreateCase(ctx, &support.CreateCaseInput{
		Subject: aws.String("S"), CommunicationBody: aws.String("B"), AttachmentSetId: set.AttachmentSetId,
	}))(t)
	sent := must(client.DescribeCommunications(ctx, &support.DescribeCommunicationsInput{CaseId: made.CaseId}))(t)
	file := sent.Communications[0].AttachmentSet[0]
	got := must(client.DescribeAttachment(ctx, &support.DescribeAttachmentInput{AttachmentId: file.AttachmentId}))(t)
	if *got.Attachment.FileName != "bytes.bin" || !bytes.Equal(got.Attachment.Data, content) {
		t.Errorf("DescribeAttachment() = %s with %d bytes, want bytes.bin with the %d that were sent", *got.Attachment.FileName, len(got.Attachment.Data), len(content))
	}
}

func TestGoSDKCatalogue(t *testing.T) {
	t.Parallel()
	server := supporttest.NewServer(t)
	client := support.NewFromConfig(server.Config())
	ctx := t.Context()
	var got []string
	services := must(client.DescribeServices(ctx, &support.DescribeServicesInput{ServiceCodeList: []string{"amazon-polly", "no-such-service"}}))(t)
	for _, s := range services.Services {
		got = append(got, *s.Code, *s.Name, *s.Categories[0].Code)
	}
	second := support.NewFromConfig(server.ConfigFor(server.Accounts()[1]))
	for _, c := range []*support.Client{client, second} {
		levels := must(c.DescribeSeverityLevels(ctx, &support.DescribeSeverityLevelsInput{Language: aws.String("en")}))(t)
		for _, level := range levels.SeverityLevels {
			got = append(got, *level.Code)
		}
	}
	languages := must(client.DescribeSupportedLanguages(ctx, &support.DescribeSupportedLanguagesInput{
		ServiceCode: aws.String("amazon-polly"), CategoryCode: aws.String("apis"), IssueType: aws.String("technical"),
	}))(t)
	for _, l := range languages.SupportedLanguages {
		got = append(got, *l.Code)
	}
	options := must(client.DescribeCreateCaseOptions(ctx, &support.DescribeCreateCaseOptionsInput{
		ServiceCode: aws.String("amazon-polly"), CategoryCode: aws.String("apis"), IssueType: aws.String("technical"), Language: aws.String("en"),
	}))(t)
	got = append(got, *options.LanguageAvailability)
	for _, o := range options.CommunicationTypes {
		got = append(got, *o.Type, *o.SupportedHours[0].StartTime, *o.SupportedHours[0].EndTime)
	}
	want := strings.Fields(`amazon-polly Polly other
		low normal high urgent critical
		low normal high urgent
		en ja zh ko
		available web 00:00:00.000 23:59:59.999 chat 00:00:00.000 23:59:59.999 call 00:00:00.000 23:59:59.999`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("catalogue operations (-want +got):\n%s", diff)
	}
}

func TestGoSDKPaginators(t *testing.T) {
	t.Parallel()
	client := support.NewFromConfig(supporttest.NewServer(t).Config())
	ctx := t.Context()
	var id *string
	var subjects, replies []string
	for i := range 25 {
		subjects = append(subjects, fmt.Sprintf("Case %d", i))
		made := must(client.CreateCase(ctx, &support.CreateCaseInput{Subject: &subjects[i], CommunicationBody: aws.String("B")}))(t)
		id = made.CaseId
	}
	for i := range 24 {
		reply := fmt.Sprintf("Reply %d", i)
		replies = append([]string{reply}, replies...)
		must(client.AddCommunicationToCase(ctx, &support.AddCommunicationToCaseInput{CaseId: id, CommunicationBody: &reply}))(t)
	}
	replies = append(replies, "B")

	var got []string
	cases := support.NewDescribeCasesPaginator(client, &support.DescribeCasesInput{MaxResults: aws.Int32(10)})
	for cases.HasMorePages() {
		for _, c := range must(cases.NextPage(ctx))(t).Cases {
			got = append(got, *c.Subject)
		}
	}
	if diff := cmp.Diff(subjects, got); diff != "" {
		t.Errorf("DescribeCases in pages of ten (-want +got):\n%s", diff)
	}
	got = nil
	communications := support.NewDescribeCommunicationsPaginator(client, &support.DescribeCommunicationsInput{CaseId: id, MaxResults: aws.Int32(10)})
	for communications.HasMorePages() {
		got = append(got, bodies(must(communications.NextPage(ctx))(t).Communications)...)
	}
	if diff := cmp.Diff(replies, got); diff != "" {
		t.Errorf("DescribeCommunications in pages of ten (-want +got):\n%s", diff)
	}
}

func TestGoSDKTypedErrors(t *testing.T) {
	t.Parallel()
	server := supporttest.NewServer(t)
	client := support.NewFromConfig(server.Config())
	ctx := t.Context()
	file := []types.Attachment{{FileName: aws.String("a"), Data: []byte("a")}}
	set := must(client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{Attachments: file}))(t)
	server.Advance(time.Hour)

	_, err := client.ResolveCase(ctx, &support.ResolveCaseInput{CaseId: aws.String("case-0")})
	wantError[*types.CaseIdNotFound](t, "ResolveCase", err, `The requested case ID "case-0" could not be found.`)
	_, err = client.DescribeAttachment(ctx, &support.DescribeAttachmentInput{AttachmentId: aws.String("attachment-0")})
	wantError[*types.AttachmentIdNotFound](t, "DescribeAttachment", err, "could not be found")
	_, err = client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{AttachmentSetId: aws.String("as-0"), Attachments: file})
	wantError[*types.AttachmentSetIdNotFound](t, "AddAttachmentsToSet", err, "could not be found")
	_, err = client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{Attachments: slices.Repeat(file, 4)})
	wantError[*types.AttachmentSetSizeLimitExceeded](t, "AddAttachmentsToSet", err, "at most 3 attachments")
	_, err = client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{AttachmentSetId: set.AttachmentSetId, Attachments: file})
	wantError[*types.AttachmentSetExpired](t, "AddAttachmentsToSet", err, "has expired")

	_, err = client.DescribeCases(ctx, &support.DescribeCasesInput{MaxResults: aws.Int32(9)})
	var untyped smithy.APIError
	if !errors.As(err, &untyped) || untyped.ErrorCode() != "ValidationException" || untyped.ErrorFault() == smithy.FaultServer {
		t.Errorf("DescribeCases(MaxResults: 9) = %v, want a ValidationException of the client", err)
	}
}

func TestGoSDKTypedErrorsOfLimits(t *testing.T) {
	t.Parallel()
	server := supporttest.NewServer(t, supporttest.WithAWSLimits())
	// An SDK repeats what was throttled; here its first answer is of interest.
	client := support.NewFromConfig(server.Config(), func(o *support.Options) { o.Retryer = aws.NopRetryer{} })
	ctx := t.Context()
	createCase := func() error {
		_, err := client.CreateCase(ctx, &support.CreateCaseInput{Subject: aws.String("S"), CommunicationBody: aws.String("B")})
		return err
	}
	addSet := func() error {
		_, err := client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{
			Attachments: []types.Attachment{{FileName: aws.String("a"), Data: []byte("a")}},
		})
		return err
	}
	wantError[*types.CaseCreationLimitExceeded](t, "CreateCase", nth(server, 11, createCase), "Account has exceeded the limit of 10 cases per hour.")
	wantError[*types.AttachmentLimitExceeded](t, "AddAttachmentsToSet", nth(server, 51, addSet), "limit of 50 attachment sets")

	describe := func(ctx context.Context) (err error) {
		for range 200 {
			if _, err = client.DescribeSeverityLevels(ctx, &support.DescribeSeverityLevelsInput{}); err != nil {
				return err
			}
		}
		return nil
	}
	if err := describe(ctx); errorCode(err) != "ThrottlingException" {
		t.Errorf("DescribeSeverityLevels, 200 times at once = %v, want a ThrottlingException", err)
	}
}

// nth returns what the last of n calls returned, one a second and all before it
// in order.
func nth(server *supporttest.Server, n int, call func() error) error {
	for range n - 1 {
		server.Advance(time.Second)
		if err := call(); err != nil {
			return fmt.Errorf("an earlier call: %w", errors.New(err.Error()))
		}
	}
	server.Advance(time.Second)
	return call()
}

// must returns a function that takes the answer out of a call that must
// succeed: must(call())(t).
func must[Out any](out Out, err error) func(t *testing.T) Out {
	return func(t *testing.T) Out {
		t.Helper()
		if err != nil {
			t.Fatalf("%T: %v", out, err)
		}
		return out
	}
}

func wantError[E error](t *testing.T, call string, err error, text string) {
	t.Helper()
	told, ok := errors.AsType[E](err)
	if !ok {
		t.Errorf("%s = %v, want %T", call, err, told)
		return
	}
	if !strings.Contains(told.Error(), text) {
		t.Errorf("%s = %v, want %q in it", call, told, text)
	}
}

func errorCode(err error) string {
	told, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ""
	}
	return told.ErrorCode()
}

func bodies(all []types.Communication) []string {
	var texts []string
	for _, c := range all {
		texts = append(texts, *c.Body)
	}
	return texts
}

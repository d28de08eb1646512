package supportapi_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"
	"github.com/aws/smithy-go"

	"github.com/supportd/supportd/supporttest"
)

// newImpatientClient returns a client that repeats nothing.
func newImpatientClient(t *testing.T, opts ...supporttest.Option) (*supporttest.Server, *support.Client) {
	t.Helper()
	srv := supporttest.NewServer(t, opts...)
	config := srv.Config()
	config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return srv, support.NewFromConfig(config)
}

// mustFail compares the name and the message of an API error.
func mustFail(t *testing.T, err error, name, message string) {
	t.Helper()
	apiErr, ok := errors.AsType[smithy.APIError](err)
	if !ok || apiErr.ErrorCode() != name || apiErr.ErrorMessage() != message {
		t.Errorf("error = %v, want %s: %s", err, name, message)
	}
}

// mustBe fails the test unless err is the SDK's type for an error.
func mustBe[E interface {
	error
	ErrorMessage() string
}](t *testing.T, call string, err error, message string) {
	t.Helper()
	typed, ok := errors.AsType[E](err)
	if !ok || typed.ErrorMessage() != message {
		var want E
		t.Errorf("%s = %T %v, want %T: %s", call, err, err, want, message)
	}
}

func TestTypedErrorsOfThingsThatAreNotThere(t *testing.T) {
	t.Parallel()
	_, client := newImpatientClient(t)
	ctx := t.Context()
	none := aws.String("none")
	const noCase = `The requested case ID "none" could not be found.`
	const noSet = `The attachment set "none" could not be found.`

	_, err := client.AddCommunicationToCase(ctx, &support.AddCommunicationToCaseInput{CaseId: none, CommunicationBody: none})
	mustBe[*types.CaseIdNotFound](t, "AddCommunicationToCase", err, noCase)
	_, err = client.DescribeCases(ctx, &support.DescribeCasesInput{CaseIdList: []string{"none"}})
	mustBe[*types.CaseIdNotFound](t, "DescribeCases", err, noCase)
	_, err = client.DescribeCommunications(ctx, &support.DescribeCommunicationsInput{CaseId: none})
	mustBe[*types.CaseIdNotFound](t, "DescribeCommunications", err, noCase)
	_, err = client.ResolveCase(ctx, &support.ResolveCaseInput{CaseId: none})
	mustBe[*types.CaseIdNotFound](t, "ResolveCase", err, noCase)
	_, err = client.DescribeAttachment(ctx, &support.DescribeAttachmentInput{AttachmentId: none})
	mustBe[*types.AttachmentIdNotFound](t, "DescribeAttachment", err, `The attachment "none" could not be found.`)

	file := []types.Attachment{{FileName: aws.String("a"), Data: []byte("a")}}
	_, err = client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{AttachmentSetId: none, Attachments: file})
	mustBe[*types.AttachmentSetIdNotFound](t, "AddAttachmentsToSet", err, noSet)
	_, err = client.CreateCase(ctx, &support.CreateCaseInput{Subject: none, CommunicationBody: none, AttachmentSetId: none})
	mustBe[*types.AttachmentSetIdNotFound](t, "CreateCase", err, noSet)
	id := mustCreate(t, client, "a case")
	_, err = client.AddCommunicationToCase(ctx, &support.AddCommunicationToCaseInput{CaseId: &id, CommunicationBody: none, AttachmentSetId: none})
	mustBe[*types.AttachmentSetIdNotFound](t, "AddCommunicationToCase", err, noSet)
}

func mustSet(t *testing.T, client *support.Client) *string {
	t.Helper()
	set, err := client.AddAttachmentsToSet(t.Context(), &support.AddAttachmentsToSetInput{
		Attachments: []types.Attachment{{FileName: aws.String("a.txt"), Data: []byte("a")}},
	})
	must(t, err)
	return set.AttachmentSetId
}

func TestTypedErrorsOfAttachmentSets(t *testing.T) {
	t.Parallel()
	srv, client := newImpatientClient(t)
	ctx := t.Context()
	id := mustCreate(t, client, "a case")
	old, used := mustSet(t, client), mustSet(t, client)
	create := func(set *string) error {
		_, err := client.CreateCase(ctx, &support.CreateCaseInput{Subject: aws.String("s"), CommunicationBody: aws.String("b"), AttachmentSetId: set})
		return err
	}
	reply := func(set *string) error {
		_, err := client.AddCommunicationToCase(ctx, &support.AddCommunicationToCaseInput{CaseId: &id, CommunicationBody: aws.String("b"), AttachmentSetId: set})
		return err
	}
	must(t, create(used))
	usedUp := `The attachment set "` + *used + `" could not be found.`
	mustBe[*types.AttachmentSetIdNotFound](t, "CreateCase with a used set", create(used), usedUp)
	mustBe[*types.AttachmentSetIdNotFound](t, "AddCommunicationToCase with a used set", reply(used), usedUp)

	files := make([]types.Attachment, 3)
	for i := range files {
		files[i] = types.Attachment{FileName: aws.String("a"), Data: []byte("a")}
	}
	_, err := client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{AttachmentSetId: old, Attachments: files})
	mustBe[*types.AttachmentSetSizeLimitExceeded](t, "AddAttachmentsToSet with a fourth file", err, "An attachment set holds at most 3 attachments; this one has 1.")

	srv.Advance(time.Hour)
	expired := `The attachment set "` + *old + `" has expired.`
	mustBe[*types.AttachmentSetExpired](t, "CreateCase after an hour", create(old), expired)
	mustBe[*types.AttachmentSetExpired](t, "AddCommunicationToCase after an hour", reply(old), expired)
	_, err = client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{AttachmentSetId: old, Attachments: files[:1]})
	mustBe[*types.AttachmentSetExpired](t, "AddAttachmentsToSet after an hour", err, expired)
}

func TestTypedErrorsOfLimits(t *testing.T) {
	t.Parallel()
	srv, client := newImpatientClient(t, supporttest.WithAWSLimits())
	ctx := t.Context()
	set := mustSet(t, client)

	// until repeats a call, as fast as the limit of calls allows, until it fails.
	until := func(most int, call func() error) error {
		for range most {
			srv.Advance(time.Second / 5)
			if err := call(); err != nil {
				return err
			}
		}
		return nil
	}
	id, err := client.CreateCase(ctx, &support.CreateCaseInput{Subject: aws.String("s"), CommunicationBody: aws.String("b"), AttachmentSetId: set})
	must(t, err)
	err = until(10, func() error {
		_, err := client.CreateCase(ctx, &support.CreateCaseInput{Subject: aws.String("s"), CommunicationBody: aws.String("b")})
		return err
	})
	mustBe[*types.CaseCreationLimitExceeded](t, "the eleventh CreateCase", err, "Account has exceeded the limit of 10 cases per hour.")

	found, err := client.DescribeCommunications(ctx, &support.DescribeCommunicationsInput{CaseId: id.CaseId})
	must(t, err)
	attachment := found.Communications[0].AttachmentSet[0].AttachmentId
	err = until(120, func() error {
		_, err := client.DescribeAttachment(ctx, &support.DescribeAttachmentInput{AttachmentId: attachment})
		return err
	})
	mustBe[*types.DescribeAttachmentLimitExceeded](t, "DescribeAttachment", err, "Account has exceeded the limit of 100 DescribeAttachment calls in 10 minutes.")

	err = until(60, func() error {
		_, err := client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{
			Attachments: []types.Attachment{{FileName: aws.String("a"), Data: []byte("a")}},
		})
		return err
	})
	mustBe[*types.AttachmentLimitExceeded](t, "AddAttachmentsToSet", err, "Account has exceeded the limit of 50 attachment sets in 10 minutes.")
}

// Only two operations declare ThrottlingException; of the others the SDK makes
// an error that has its code.
func TestThrottlingException(t *testing.T) {
	t.Parallel()
	_, client := newImpatientClient(t, supporttest.WithAWSLimits())
	general, using, technical, en := aws.String("general-info"), aws.String("using-aws"), aws.String("technical"), aws.String("en")
	sixth := func(call func() error) error {
		for {
			if err := call(); err != nil {
				return err
			}
		}
	}
	err := sixth(func() error {
		_, err := client.DescribeCreateCaseOptions(t.Context(), &support.DescribeCreateCaseOptionsInput{ServiceCode: general, CategoryCode: using, IssueType: technical, Language: en})
		return err
	})
	mustBe[*types.ThrottlingException](t, "DescribeCreateCaseOptions", err, "Throttle limit exceeded.")
	err = sixth(func() error {
		_, err := client.DescribeSupportedLanguages(t.Context(), &support.DescribeSupportedLanguagesInput{ServiceCode: general, CategoryCode: using, IssueType: technical})
		return err
	})
	mustBe[*types.ThrottlingException](t, "DescribeSupportedLanguages", err, "Throttle limit exceeded.")
	err = sixth(func() error {
		_, err := client.DescribeCases(t.Context(), &support.DescribeCasesInput{})
		return err
	})
	mustFail(t, err, "ThrottlingException", "Throttle limit exceeded.")
}

// Bytes that are gone are an error of the server's own, and the caller hears
// nothing of where they were.
func TestInternalErrorsTellNothing(t *testing.T) {
	t.Parallel()
	srv, client := newImpatientClient(t)
	set := mustSet(t, client)
	id, err := client.CreateCase(t.Context(), &support.CreateCaseInput{Subject: aws.String("s"), CommunicationBody: aws.String("b"), AttachmentSetId: set})
	must(t, err)
	found, err := client.DescribeCommunications(t.Context(), &support.DescribeCommunicationsInput{CaseId: id.CaseId})
	must(t, err)
	for _, file := range attachmentFiles(t, srv) {
		must(t, os.Remove(file))
	}
	_, err = client.DescribeAttachment(t.Context(), &support.DescribeAttachmentInput{AttachmentId: found.Communications[0].AttachmentSet[0].AttachmentId})
	mustBe[*types.InternalServerError](t, "DescribeAttachment", err, "An internal error occurred.")
}

// attachmentFiles returns the files in which the server keeps attachments.
func attachmentFiles(t *testing.T, srv *supporttest.Server) []string {
	t.Helper()
	var files []string
	must(t, filepath.WalkDir(filepath.Join(srv.DataDir(), "attachments"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && entry.Name() != "installation" { // the mark of the folder's owner
			files = append(files, path)
		}
		return err
	}))
	return files
}

// Errors that no operation declares have their code all the same.
func TestUndeclaredErrorsHaveTheirCodes(t *testing.T) {
	t.Parallel()
	srv, client := newImpatientClient(t)
	ctx := t.Context()
	_, err := client.CreateCase(ctx, &support.CreateCaseInput{Subject: aws.String(""), CommunicationBody: aws.String("b")})
	mustFail(t, err, "ValidationException", "1 validation error detected: Value '' at 'subject' failed to satisfy constraint: Member must have length greater than or equal to 1")
	_, err = client.DescribeCases(ctx, &support.DescribeCasesInput{NextToken: aws.String("x")})
	mustFail(t, err, "InvalidParameterValueException", "The nextToken is not valid for this request.")
	_, err = client.RefreshTrustedAdvisorCheck(ctx, &support.RefreshTrustedAdvisorCheckInput{CheckId: aws.String("none")})
	mustFail(t, err, "InvalidParameterValueException", "[UNKNOWN_CHECK_ID_ERROR] Unknown ID")

	account := srv.Accounts()[0]
	account.SecretAccessKey = "wrong"
	_, err = support.NewFromConfig(srv.ConfigFor(account)).DescribeCases(ctx, &support.DescribeCasesInput{})
	mustFail(t, err, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	account.AccessKeyID = "AKIAIOSFODNN7EXAMPLE"
	_, err = support.NewFromConfig(srv.ConfigFor(account)).DescribeCases(ctx, &support.DescribeCasesInput{})
	mustFail(t, err, "UnrecognizedClientException", "The security token included in the request is invalid.")
}

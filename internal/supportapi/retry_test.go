package supportapi_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"

	"github.com/supportd/supportd/supporttest"
)

var errLost = errors.New("connection reset by peer")

// lossy is a connection that loses the first answer to an operation after the
// server gave it.
type lossy struct {
	operation string
	sent      []string // invocation ids of its requests
	lost      bool
}

// RoundTrip sends the request and drops its answer, the first time.
func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+l.operation) {
		return response, err
	}
	l.sent = append(l.sent, r.Header.Get("Amz-Sdk-Invocation-Id"))
	if l.lost {
		return response, nil
	}
	l.lost = true
	_, err = io.Copy(io.Discard, response.Body) // all of it came, and is lost
	return nil, errors.Join(errLost, err, response.Body.Close())
}

// newLossyClient returns a client with the SDK's own retry, without its pauses,
// that loses the first answer to an operation.
func newLossyClient(t *testing.T, operation string) (*supporttest.Server, *support.Client, *lossy) {
	t.Helper()
	srv := supporttest.NewServer(t)
	connection := &lossy{operation: operation}
	config := srv.Config()
	config.HTTPClient = &http.Client{Transport: connection}
	config.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	t.Cleanup(func() {
		if len(connection.sent) < 2 || connection.sent[0] == "" || connection.sent[0] != connection.sent[1] {
			t.Errorf("%s was sent with invocations %q, want the first one twice", operation, connection.sent)
		}
	})
	return srv, support.NewFromConfig(config), connection
}

func TestLostAnswerToCreateCaseMakesOneCase(t *testing.T) {
	t.Parallel()
	_, client, _ := newLossyClient(t, "CreateCase")
	set := mustSet(t, client)
	created, err := client.CreateCase(t.Context(), &support.CreateCaseInput{
		Subject: aws.String("once"), CommunicationBody: aws.String("b"), AttachmentSetId: set,
	})
	must(t, err)
	found, err := client.DescribeCases(t.Context(), &support.DescribeCasesInput{})
	must(t, err)
	if len(found.Cases) != 1 || *found.Cases[0].CaseId != *created.CaseId {
		t.Fatalf("DescribeCases = %d cases, want only %s", len(found.Cases), *created.CaseId)
	}
	if got := found.Cases[0].RecentCommunications.Communications; len(got) != 1 || len(got[0].AttachmentSet) != 1 {
		t.Errorf("communications = %+v, want one with one attachment", got)
	}
	// The same words on purpose are another case.
	again, err := client.CreateCase(t.Context(), &support.CreateCaseInput{Subject: aws.String("once"), CommunicationBody: aws.String("b")})
	must(t, err)
	if *again.CaseId == *created.CaseId {
		t.Errorf("CreateCase of a second call = %s, want a case of its own", *again.CaseId)
	}
}

func TestLostAnswerToAddCommunicationToCaseMakesOneCommunication(t *testing.T) {
	t.Parallel()
	_, client, _ := newLossyClient(t, "AddCommunicationToCase")
	id := mustCreate(t, client, "a case")
	set := mustSet(t, client)
	out, err := client.AddCommunicationToCase(t.Context(), &support.AddCommunicationToCaseInput{
		CaseId: &id, CommunicationBody: aws.String("once"), AttachmentSetId: set,
	})
	must(t, err)
	found, err := client.DescribeCommunications(t.Context(), &support.DescribeCommunicationsInput{CaseId: &id})
	must(t, err)
	if len(found.Communications) != 2 || len(found.Communications[0].AttachmentSet) != 1 || !out.Result {
		t.Errorf("result %t, communications %+v, want true, and two, the newest with one attachment", out.Result, found.Communications)
	}
}

func TestLostAnswerToAddAttachmentsToSetMakesOneSet(t *testing.T) {
	t.Parallel()
	srv, client, _ := newLossyClient(t, "AddAttachmentsToSet")
	set := mustSet(t, client)
	if got := attachmentFiles(t, srv); len(got) != 1 {
		t.Errorf("the server keeps %d files, want one", len(got))
	}
	_, err := client.CreateCase(t.Context(), &support.CreateCaseInput{Subject: aws.String("s"), CommunicationBody: aws.String("b"), AttachmentSetId: set})
	must(t, err)
}

func TestLostAnswerToAFileForASetAddsItOnce(t *testing.T) {
	t.Parallel()
	_, client, connection := newLossyClient(t, "AddAttachmentsToSet")
	connection.lost = true // the first call is to arrive
	set := mustSet(t, client)
	connection.lost, connection.sent = false, nil
	_, err := client.AddAttachmentsToSet(t.Context(), &support.AddAttachmentsToSetInput{
		AttachmentSetId: set, Attachments: []types.Attachment{{FileName: aws.String("b.txt"), Data: []byte("b")}},
	})
	must(t, err)
	created, err := client.CreateCase(t.Context(), &support.CreateCaseInput{Subject: aws.String("s"), CommunicationBody: aws.String("b"), AttachmentSetId: set})
	must(t, err)
	found, err := client.DescribeCommunications(t.Context(), &support.DescribeCommunicationsInput{CaseId: created.CaseId})
	must(t, err)
	if got := found.Communications[0].AttachmentSet; len(got) != 2 {
		t.Errorf("attachments = %+v, want a.txt and b.txt", got)
	}
}

// The answer to the repeated call is the first one: the case was unassigned when
// it was resolved, although it no longer is.
func TestLostAnswerToResolveCaseIsGivenAgain(t *testing.T) {
	t.Parallel()
	_, client, _ := newLossyClient(t, "ResolveCase")
	id := mustCreate(t, client, "a case")
	out, err := client.ResolveCase(t.Context(), &support.ResolveCaseInput{CaseId: &id})
	must(t, err)
	if got := [2]string{*out.InitialCaseStatus, *out.FinalCaseStatus}; got != [2]string{"unassigned", "resolved"} {
		t.Errorf("ResolveCase = %v, want unassigned, resolved", got)
	}
	again, err := client.ResolveCase(t.Context(), &support.ResolveCaseInput{CaseId: &id})
	must(t, err)
	if got := [2]string{*again.InitialCaseStatus, *again.FinalCaseStatus}; got != [2]string{"resolved", "resolved"} {
		t.Errorf("ResolveCase of a second call = %v, want resolved, resolved", got)
	}
}

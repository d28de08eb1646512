package supporttest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"

	"github.com/supportd/supportd/supporttest"
)

// A case is opened, answered and resolved as with the real service.
func Example() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	ctx := context.Background()

	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())

	opened, err := client.CreateCase(ctx, &support.CreateCaseInput{
		Subject:           aws.String("Printer on fire"),
		CommunicationBody: aws.String("It says lp0."),
	})
	if err != nil {
		t.Fatalf("CreateCase: %v", err)
	}
	if _, err := client.AddCommunicationToCase(ctx, &support.AddCommunicationToCaseInput{
		CaseId:            opened.CaseId,
		CommunicationBody: aws.String("The fire is out."),
	}); err != nil {
		t.Fatalf("AddCommunicationToCase: %v", err)
	}
	resolved, err := client.ResolveCase(ctx, &support.ResolveCaseInput{CaseId: opened.CaseId})
	if err != nil {
		t.Fatalf("ResolveCase: %v", err)
	}
	fmt.Println(*resolved.InitialCaseStatus, "->", *resolved.FinalCaseStatus)
	// Output: unassigned -> resolved
}

// These two lines are all that a test needs.
func ExampleNewServer() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()

	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())

	levels, err := client.DescribeSeverityLevels(context.Background(), &support.DescribeSeverityLevelsInput{})
	if err != nil {
		t.Fatalf("DescribeSeverityLevels: %v", err)
	}
	for _, level := range levels.SeverityLevels {
		fmt.Println(*level.Code)
	}
	// Output:
	// low
	// normal
	// high
	// urgent
	// critical
}

// An attachment set lives for one hour.
func ExampleServer_Advance() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	ctx := context.Background()
	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())
	set, err := client.AddAttachmentsToSet(ctx, &support.AddAttachmentsToSetInput{
		Attachments: []types.Attachment{{FileName: aws.String("log.txt"), Data: []byte("lp0 on fire")}},
	})
	if err != nil {
		t.Fatalf("AddAttachmentsToSet: %v", err)
	}

	srv.Advance(time.Hour)

	_, err = client.CreateCase(ctx, &support.CreateCaseInput{
		Subject:           aws.String("Printer on fire"),
		CommunicationBody: aws.String("The log is attached."),
		AttachmentSetId:   set.AttachmentSetId,
	})
	_, expired := errors.AsType[*types.AttachmentSetExpired](err)
	fmt.Println("set expired:", expired)
	// Output: set expired: true
}

// openCase opens a case as the code under test would.
func openCase(t *exampleT, client *support.Client, subject string) (caseID string) {
	opened, err := client.CreateCase(context.Background(), &support.CreateCaseInput{
		Subject: &subject, CommunicationBody: aws.String("It says lp0."),
	})
	if err != nil {
		t.Fatalf("CreateCase: %v", err)
	}
	return *opened.CaseId
}

// showCase prints the status of a case and its last communication.
func showCase(t *exampleT, client *support.Client, caseID string) {
	found, err := client.DescribeCases(context.Background(), &support.DescribeCasesInput{CaseIdList: []string{caseID}, IncludeResolvedCases: true})
	if err != nil {
		t.Fatalf("DescribeCases: %v", err)
	}
	c := found.Cases[0]
	last := c.RecentCommunications.Communications[0]
	fmt.Printf("%s; %s: %s\n", *c.Status, *last.SubmittedBy, *last.Body)
}

// A test answers as the agent does.
func ExampleServer_Reply() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())
	caseID := openCase(t, client, "Printer on fire")

	srv.Reply(caseID, "Have you tried to turn it off?", supporttest.File{Name: "manual.txt", Data: []byte("Turn it off.")})

	showCase(t, client, caseID)
	// Output: pending-customer-action; Amazon Web Services: Have you tried to turn it off?
}

// An agent takes a case on, and resolves it without a word.
func ExampleServer_SetStatus() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())
	caseID := openCase(t, client, "Printer on fire")

	srv.SetStatus(caseID, "work-in-progress")
	showCase(t, client, caseID)
	srv.Resolve(caseID)
	showCase(t, client, caseID)
	// Output:
	// work-in-progress; first@example.com: It says lp0.
	// resolved; first@example.com: It says lp0.
}

// The answer to CreateCase is lost after the case was made. The client of the AWS
// SDK repeats the call, and the case is there once.
func ExampleServer_Fail() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())

	srv.Fail(supporttest.Fault{Kind: supporttest.LostAnswer, Operation: "CreateCase", Count: 1})
	openCase(t, client, "Printer on fire")

	found, err := client.DescribeCases(context.Background(), &support.DescribeCasesInput{})
	if err != nil {
		t.Fatalf("DescribeCases: %v", err)
	}
	fmt.Println("calls:", len(srv.Requests(supporttest.RequestQuery{Operation: "CreateCase"})))
	fmt.Println("cases:", len(found.Cases))
	// Output:
	// calls: 2
	// cases: 1
}

// The code under test asks again when it is throttled: how often was it?
func ExampleServer_Faults() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())
	srv.Fail(supporttest.Fault{Kind: supporttest.Throttling, Operation: "CreateCase", Count: 2})
	srv.Fail(supporttest.Fault{Kind: supporttest.Unavailable, Operation: "ResolveCase"})

	openCase(t, client, "Printer on fire")

	for _, f := range srv.Faults() {
		fmt.Println(f.ID, f.Kind, f.Happened)
	}
	// Output:
	// fault-1 throttling 2
	// fault-2 unavailable 0
}

func ExampleServer_ClearFaults() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config(), func(o *support.Options) { o.RetryMaxAttempts = 1 })
	ask := func() error {
		_, err := client.DescribeCases(context.Background(), &support.DescribeCasesInput{})
		return err
	}

	srv.Fail(supporttest.Fault{Kind: supporttest.Throttling})
	fmt.Println("fails:", ask() != nil)
	srv.ClearFaults()
	fmt.Println("fails:", ask() != nil)
	// Output:
	// fails: true
	// fails: false
}

// What has the code under test asked for?
func ExampleServer_Requests() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())
	openCase(t, client, "Printer on fire")

	for _, r := range srv.Requests(supporttest.RequestQuery{Operation: "CreateCase"}) {
		var input struct{ Subject string }
		if err := json.Unmarshal(r.Input, &input); err != nil {
			t.Fatalf("input: %v", err)
		}
		fmt.Println(r.Operation, r.Status, input.Subject)
	}
	// Output: CreateCase 200 Printer on fire
}

// Code that calls in the background is waited for.
func ExampleServer_WaitRequests() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())
	go openCase(t, client, "Printer on fire")

	found := srv.WaitRequests(supporttest.RequestQuery{Operation: "CreateCase"}, 1)

	fmt.Println(found[0].Operation)
	// Output: CreateCase
}

func ExampleServer_SetResult() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())
	const check = "H7IgTzjTYb"

	srv.SetResult(supporttest.Result{CheckID: check, Resources: []supporttest.Resource{
		{Status: "warning", Region: "us-east-1", Metadata: map[string]string{"Volume ID": "vol-1", "Status": "Yellow"}},
	}})

	found, err := client.DescribeTrustedAdvisorCheckResult(context.Background(), &support.DescribeTrustedAdvisorCheckResultInput{CheckId: aws.String(check)})
	if err != nil {
		t.Fatalf("DescribeTrustedAdvisorCheckResult: %v", err)
	}
	fmt.Println(*found.Result.Status, *found.Result.FlaggedResources[0].Region)
	// Output: warning us-east-1
}

// One server serves many tests, one after the other.
func ExampleServer_Reset() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t, supporttest.WithSeed(7), supporttest.WithTime(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)))
	client := support.NewFromConfig(srv.Config())
	before := openCase(t, client, "Printer on fire")

	srv.Reset()

	after := openCase(t, client, "Printer on fire again")
	fmt.Println("the same ids:", before == after)
	// Output: the same ids: true
}

// A clock that stands still shows the time that it was given.
func ExampleServer_Freeze() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t)

	srv.Freeze()
	srv.SetTime(time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC))
	srv.Advance(90 * time.Minute)
	fmt.Println(srv.Now().Format(time.RFC1123))

	srv.Unfreeze()
	fmt.Println("later:", srv.Now().After(time.Date(2026, 12, 24, 19, 30, 0, 0, time.UTC)))
	// Output:
	// Thu, 24 Dec 2026 19:30:00 UTC
	// later: true
}

// Programs for agents have an API of their own.
func ExampleServer_DeskToken() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t)

	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, srv.DeskURL()+"/me", nil)
	if err != nil {
		t.Fatalf("request: %v", err)
	}
	r.Header.Set("Authorization", "Bearer "+srv.DeskToken())
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("GET /me: %v", err)
	}
	defer answer.Body.Close()
	var me struct{ Agent struct{ Role string } }
	if err := json.NewDecoder(answer.Body).Decode(&me); err != nil {
		t.Fatalf("GET /me: %v", err)
	}
	fmt.Println(answer.StatusCode, me.Agent.Role)
	// Output: 200 administrator
}

// With both options the times of cases are known.
func ExampleWithTime() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t, supporttest.WithFrozenClock(), supporttest.WithTime(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)))
	client := support.NewFromConfig(srv.Config())
	openCase(t, client, "Printer on fire")

	found, err := client.DescribeCases(context.Background(), &support.DescribeCasesInput{})
	if err != nil {
		t.Fatalf("DescribeCases: %v", err)
	}
	fmt.Println(*found.Cases[0].TimeCreated)
	// Output: 2026-03-01T09:00:00.000Z
}

// Ids of a seed are known, too: answers can be compared as a whole.
func ExampleWithSeed() {
	open := func() string {
		t := newExampleT() // in a test, the *testing.T that it was given
		defer t.end()
		srv := supporttest.NewServer(t, supporttest.WithSeed(7), supporttest.WithTime(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)))
		return openCase(t, support.NewFromConfig(srv.Config()), "Printer on fire")
	}
	once, again := open(), open()
	fmt.Println("the same ids:", once == again)
	// Output: the same ids: true
}

// Limits are off unless a test wants those of AWS.
func ExampleWithAWSLimits() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t, supporttest.WithAWSLimits(), supporttest.WithFrozenClock())
	client := support.NewFromConfig(srv.Config())

	for range 10 {
		openCase(t, client, "Printer on fire")
		srv.Advance(time.Second) // there is a limit of calls a second, too
	}
	_, err := client.CreateCase(context.Background(), &support.CreateCaseInput{
		Subject: aws.String("One more"), CommunicationBody: aws.String("It says lp0."),
	})
	_, limited := errors.AsType[*types.CaseCreationLimitExceeded](err)
	fmt.Println("the eleventh case of an hour is refused:", limited)
	// Output: the eleventh case of an hour is refused: true
}

// A test reads the server's log when something is not as it should be.
func ExampleWithLog() {
	t := newExampleT()      // in a test, the *testing.T that it was given
	var log strings.Builder // in a test, t.Output()
	srv := supporttest.NewServer(t, supporttest.WithLog(slog.New(slog.NewTextHandler(&log, nil))))
	openCase(t, support.NewFromConfig(srv.Config()), "Printer on fire")
	t.end() // nobody writes any more
	fmt.Println(strings.Contains(log.String(), "operation=CreateCase"))
	// Output: true
}

// Users of a seed may do what their policies say.
func ExampleServer_ConfigWith() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	srv := supporttest.NewServer(t)
	seeded := srv.Seed(`
accounts:
  - {id: "444455556666", name: Guests, users: [{name: bob}]}
`)
	bob := support.NewFromConfig(srv.ConfigWith(seeded.Users[0].AccessKeyID, seeded.Users[0].SecretAccessKey))
	root := support.NewFromConfig(srv.ConfigWith("444455556666", "test"))

	for _, client := range []*support.Client{bob, root} {
		_, err := client.DescribeCases(context.Background(), &support.DescribeCasesInput{})
		fmt.Println("allowed:", err == nil)
	}
	// Output:
	// allowed: false
	// allowed: true
}

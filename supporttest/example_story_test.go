package supporttest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"

	"github.com/supportd/supportd/supporttest"
)

// A case is there with its whole story, as if it had happened.
func ExampleServer_Seed() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()

	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())

	seeded := srv.Seed(`
cases:
  - ref: printer
    subject: Printer on fire
    body: It says lp0.
    createdAt: -3d
    communications:
      - {by: agent, after: 2h, body: Where is it?, status: pending-customer-action}
`)
	found, err := client.DescribeCases(context.Background(), &support.DescribeCasesInput{CaseIdList: []string{seeded.Cases["printer"]}})
	if err != nil {
		t.Fatalf("DescribeCases: %v", err)
	}
	fmt.Println(*found.Cases[0].Subject, "is", *found.Cases[0].Status)
	// Output: Printer on fire is pending-customer-action
}

// A script plays the agent while the clock moves.
func ExampleServer_Autopilot() {
	t := newExampleT() // in a test, the *testing.T that it was given
	defer t.end()
	ctx := context.Background()

	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())

	srv.Autopilot(`
rules:
  - match: {subject: printer}
    steps:
      - {after: 30m, reply: "Where is it?", status: pending-customer-action}
      - {on: customer-reply, after: 10m, reply: "It is out now.", resolve: true}
`)
	opened, err := client.CreateCase(ctx, &support.CreateCaseInput{
		Subject: aws.String("Printer on fire"), CommunicationBody: aws.String("It says lp0."),
	})
	if err != nil {
		t.Fatalf("CreateCase: %v", err)
	}
	srv.Advance(time.Hour)
	if _, err := client.AddCommunicationToCase(ctx, &support.AddCommunicationToCaseInput{
		CaseId: opened.CaseId, CommunicationBody: aws.String("On the second floor."),
	}); err != nil {
		t.Fatalf("AddCommunicationToCase: %v", err)
	}
	srv.Advance(time.Hour)

	said, err := client.DescribeCommunications(ctx, &support.DescribeCommunicationsInput{CaseId: opened.CaseId})
	if err != nil {
		t.Fatalf("DescribeCommunications: %v", err)
	}
	for _, c := range said.Communications { // the newest comes first
		fmt.Println(*c.Body)
	}
	// Output:
	// It is out now.
	// On the second floor.
	// Where is it?
	// It says lp0.
}

package supporttest_test

import (
	"context"
	"errors"
	"fmt"
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

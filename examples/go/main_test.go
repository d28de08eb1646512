package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"

	"github.com/supportd/supportd/supporttest"
)

func TestLongestWaitComesFirst(t *testing.T) {
	t.Parallel()
	srv := supporttest.NewServer(t)
	srv.Seed(`
cases:
  - subject: Answered yesterday
    body: Hello?
    communications: [{by: agent, after: 1h, body: Which one?, status: pending-customer-action}]
    createdAt: -25h
  - subject: Answered last week
    body: Hello?
    communications: [{by: agent, after: 1h, body: Which one?, status: pending-customer-action}]
    createdAt: -7d
  - {subject: Not answered yet, body: Hello?}
  - subject: Over
    body: Hello?
    communications: [{by: agent, body: This one., status: resolved}]
`)
	if got, want := subjects(t, srv, 0), "Answered last week, Answered yesterday"; got != want {
		t.Errorf("who waits: %s, want %s", got, want)
	}
	if got, want := subjects(t, srv, 48*time.Hour), "Answered last week"; got != want {
		t.Errorf("who waits for two days: %s, want %s", got, want)
	}
}

func TestWaitBeginsWithTheQuestionAndEndsWithTheAnswer(t *testing.T) {
	t.Parallel()
	srv := supporttest.NewServer(t)
	srv.Autopilot("rules: [{steps: [{after: 1h, reply: Why?, status: pending-customer-action}]}]")
	client := support.NewFromConfig(srv.Config())
	opened, err := client.CreateCase(t.Context(), &support.CreateCaseInput{
		Subject: aws.String("Printer"), CommunicationBody: aws.String("It burns."),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := subjects(t, srv, 0); got != "" {
		t.Errorf("%s waits before there is a question", got)
	}

	srv.Advance(24 * time.Hour)
	if got := subjects(t, srv, 22*time.Hour); got != "Printer" {
		t.Errorf("a day later %q waits, want the Printer", got)
	}

	if _, err := client.AddCommunicationToCase(t.Context(), &support.AddCommunicationToCaseInput{
		CaseId: opened.CaseId, CommunicationBody: aws.String("Because."),
	}); err != nil {
		t.Fatal(err)
	}
	if got := subjects(t, srv, 0); got != "" {
		t.Errorf("%s waits after the answer", got)
	}
}

func TestAllPagesAreRead(t *testing.T) {
	t.Parallel()
	srv := supporttest.NewServer(t)
	var seed strings.Builder
	seed.WriteString("cases:\n")
	for i := range 120 {
		fmt.Fprintf(&seed, "  - {subject: S%d, body: B, communications: [{by: agent, body: Why?, status: pending-customer-action}]}\n", i)
	}
	srv.Seed(seed.String())
	if got := strings.Count(subjects(t, srv, 0), "S"); got != 120 {
		t.Errorf("%d cases wait, want 120", got)
	}
}

// subjects returns the subjects of what the program lists.
func subjects(t *testing.T, srv *supporttest.Server, patience time.Duration) string {
	t.Helper()
	var out strings.Builder
	if err := list(t.Context(), &out, support.NewFromConfig(srv.Config()), srv.Now().Add(-patience)); err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(out.String()) {
		all = append(all, strings.TrimSpace(strings.SplitN(line, "  ", 3)[2]))
	}
	return strings.Join(all, ", ")
}

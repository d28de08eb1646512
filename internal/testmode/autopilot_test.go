package testmode_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/server"
)

func TestDefaultScriptActsOutACase(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustPlay(t, s, "default")
	id := mustCreate(t, s, cases.NewCase{Subject: "Queries hang", Body: "All of them.", ServiceCode: "amazon-athena", CategoryCode: "other"})

	mustAdvance(t, s, time.Hour)
	wantStatus(t, s, id, cases.PendingCustomerAction)
	mustAdvance(t, s, 24*time.Hour) // nothing happens until the customer answers
	mustSay(t, s, id, "The request id is 42.")
	wantStatus(t, s, id, cases.CustomerActionCompleted)
	mustAdvance(t, s, time.Hour)

	wantStatuses(t, s, id, []string{
		"5m0s opened", "15m0s work-in-progress", "30m0s pending-customer-action",
		"25h0m0s customer-action-completed", "25h5m0s work-in-progress", "25h45m0s resolved",
	})
	last := mustDetail(t, s, id).Communications[3]
	if last.SubmittedBy != "Amazon Web Services" || len(last.Attachments) != 1 || !strings.Contains(last.Body, `"Queries hang"`) {
		t.Errorf("the solution is %+v, want one of Amazon Web Services with an attachment", last)
	}

	mustSay(t, s, id, "It hangs again.")
	wantStatus(t, s, id, cases.Reopened)
	mustAdvance(t, s, 15*time.Minute)
	wantStatus(t, s, id, cases.Resolved)
}

func TestUrgentCasesAreAnsweredSooner(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustPlay(t, s, "default")
	low := mustCreate(t, s, cases.NewCase{Subject: "A question", Body: "Why?"})
	critical := mustCreate(t, s, cases.NewCase{Subject: "All is down", Body: "Help!", SeverityCode: "critical"})
	mustAdvance(t, s, 5*time.Minute)
	wantStatus(t, s, critical, cases.PendingCustomerAction)
	wantStatus(t, s, low, cases.Opened)
}

func TestCaseThatShallBeIgnoredIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustPlay(t, s, "default")
	id := mustCreate(t, s, cases.NewCase{Subject: "TEST CASE-Please ignore", Body: "A test."})
	mustAdvance(t, s, 100*24*time.Hour)
	wantStatus(t, s, id, cases.Unassigned)
}

// Each step counts from the one before, also when both are passed in one go.
func TestStepsHappenAtTheirOwnTimes(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustPlay(t, s, `
rules:
  - steps:
      - {after: 1h, reply: "One in {{case.displayId}}.", status: keep}
      - {after: 30m, reply: "You said: {{customer.text}}"}
      - {after: 1d, resolve: true, note: never to be seen, severity: high}
`)
	id := mustCreate(t, s, cases.NewCase{Subject: "Printer", Body: "{{case.id}}"})
	mustAdvance(t, s, 10*24*time.Hour)

	found := mustDetail(t, s, id)
	wantSaid(t, s, id, []string{
		"0s owner@example.com: {{case.id}}",
		"1h0m0s Amazon Web Services: One in " + found.Case.DisplayID + ".",
		"1h30m0s Amazon Web Services: You said: {{case.id}}",
	})
	wantStatuses(t, s, id, []string{"1h0m0s opened", "1h30m0s pending-customer-action", "25h30m0s resolved"})
	if found.Case.SeverityCode != "high" {
		t.Errorf("the severity is %q, want high", found.Case.SeverityCode)
	}
	agent, err := s.Desk.Agent(t.Context(), desk.Operator(), found.Assignee)
	if err != nil || agent.Name != "Autopilot" {
		t.Errorf("the case has %+v, %v; want the agent Autopilot", agent, err)
	}
}

func TestRepeatedStepAnswersEachReplyUntilItsCount(t *testing.T) {
	t.Parallel()
	s, id := mustScene(t, `
rules:
  - steps:
      - {on: customer-reply, after: 1m, repeat: 2, reply: "You said {{customer.text}}."}
      - {on: customer-reply, reply: "That is enough.", resolve: true}
`)
	for _, text := range []string{"a", "b", "c", "d"} {
		mustAdvance(t, s, time.Hour)
		mustSay(t, s, id, text)
	}
	mustAdvance(t, s, time.Hour)
	wantSaid(t, s, id, []string{
		"0s owner@example.com: It burns.",
		"1h0m0s owner@example.com: a", "1h1m0s Amazon Web Services: You said a.",
		"2h0m0s owner@example.com: b", "2h1m0s Amazon Web Services: You said b.",
		"3h0m0s owner@example.com: c", "3h0m0s Amazon Web Services: That is enough.",
		"4h0m0s owner@example.com: d",
	})
}

// What was said before the autopilot asks is no answer.
func TestOnlyAReplyAfterTheQuestionIsAnAnswer(t *testing.T) {
	t.Parallel()
	s, id := mustScene(t, "rules: [{steps: [{after: 1h, reply: Why?}, {on: customer-reply, resolve: true}]}]")
	mustSay(t, s, id, "Still.")
	mustAdvance(t, s, 2*time.Hour)
	wantStatus(t, s, id, cases.PendingCustomerAction)
	mustSay(t, s, id, "Because.")
	mustAdvance(t, s, 0)
	wantStatus(t, s, id, cases.Resolved)
}

func TestAutopilotStopsWhereSomebodyElseIsDone(t *testing.T) {
	t.Parallel()
	s, id := mustScene(t, "rules: [{steps: [{after: 1h, reply: Hello}, {after: 1h, reply: Still here?}]}]")
	mustResolve(t, s, id)
	mustAdvance(t, s, 24*time.Hour)
	wantStatus(t, s, id, cases.Resolved)
	if got := said(t, s, id); len(got) != 1 {
		t.Errorf("said: %v, want nothing after the resolution", got)
	}
}

// A customer who resolves a case and reopens it is helped like the others.
func TestDefaultScriptHelpsThoseWhoReopen(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]struct{ resolved, reopened time.Duration }{
		"before the first step":   {1 * time.Second, 2 * time.Second},
		"instead of the first":    {1 * time.Second, 24 * time.Hour},
		"after the first step":    {6 * time.Minute, 7 * time.Minute},
		"instead of the next one": {6 * time.Minute, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustServer(t)
			mustPlay(t, s, "default")
			ids := []string{
				mustCreate(t, s, cases.NewCase{Subject: "A question", Body: "Why?"}),
				mustCreate(t, s, cases.NewCase{Subject: "All is down", Body: "Help!", SeverityCode: "critical"}),
				mustCreate(t, s, cases.NewCase{Subject: "More", Body: "Please.", ServiceCode: "service-limit-increase", CategoryCode: "ec2-instances"}),
				mustCreate(t, s, cases.NewCase{Subject: "Too much", Body: "Why?", ServiceCode: "billing", CategoryCode: "charge-inquiry"}),
			}
			mustAdvance(t, s, at.resolved)
			for _, id := range ids {
				mustResolve(t, s, id)
			}
			mustAdvance(t, s, at.reopened-at.resolved)
			for _, id := range ids {
				wantStatus(t, s, id, cases.Resolved)
				mustSay(t, s, id, "Not yet.")
			}
			mustAdvance(t, s, 2*time.Hour)
			for _, id := range ids {
				if got := said(t, s, id); !strings.Contains(got[len(got)-1], "Amazon Web Services") {
					t.Errorf("said %v, want an answer after the case was reopened", got)
				}
			}
		})
	}
}

// Who answers while the case is open already leaves it so.
func TestStepThatOpensLeavesAReopenedCaseOpen(t *testing.T) {
	t.Parallel()
	s, id := mustScene(t, "rules: [{steps: [{after: 1h, reply: Hello., status: opened}, {after: 1h, resolve: true}]}]")
	mustResolve(t, s, id)
	mustSay(t, s, id, "Not yet.")
	mustAdvance(t, s, time.Hour)
	wantStatus(t, s, id, cases.Reopened)
	mustAdvance(t, s, time.Hour)
	wantStatus(t, s, id, cases.Resolved)
}

func mustResolve(t *testing.T, s *server.Server, id string) {
	t.Helper()
	if _, err := s.Cases.Resolve(t.Context(), customer(t), cases.RequestKey{}, id); err != nil {
		t.Fatalf("Resolve: %v", err)
	}
}

func TestStepThatFailsEndsItsCaseOnly(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustPlay(t, s, `
rules:
  - match: {subject: bad}
    steps: [{after: 1m, status: work-in-progress}, {after: 1m, status: opened}, {after: 1m, resolve: true}]
  - steps: [{after: 5m, resolve: true}]
`)
	bad := mustCreate(t, s, cases.NewCase{Subject: "bad", Body: "It burns."})
	good := mustCreate(t, s, cases.NewCase{Subject: "good", Body: "It burns."})
	mustAdvance(t, s, time.Hour)
	wantStatus(t, s, bad, cases.WorkInProgress) // which cannot become opened
	wantStatus(t, s, good, cases.Resolved)
}

func TestAnotherScriptEndsWhatWasToBeDone(t *testing.T) {
	t.Parallel()
	s, id := mustScene(t, "rules: [{steps: [{after: 1h, resolve: true}]}]")
	mustPlay(t, s, "")
	if got := s.Test.Autopilot(); got != nil {
		t.Errorf("Autopilot() = %q after its end, want nil", got)
	}
	mustAdvance(t, s, 2*time.Hour)
	wantStatus(t, s, id, cases.Unassigned)
}

func TestScriptThatIsWrongLeavesTheOneBefore(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustPlay(t, s, "rules: []")
	if err := s.Test.SetAutopilot([]byte("rules: [{}")); err == nil {
		t.Error("a script that is no YAML is taken")
	}
	if got := string(s.Test.Autopilot()); got != "rules: []" {
		t.Errorf("Autopilot() = %q, want the one before", got)
	}
}

func TestResetEndsWhatWasToBeDone(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "script.yaml")
	mustWrite(t, script, "rules: [{steps: [{after: 1h, resolve: true}]}]")
	s := mustOpen(t, server.Test{Time: start, Frozen: true, AutopilotFile: script})
	mustCreate(t, s, cases.NewCase{Subject: "Printer", Body: "It burns."})
	if err := s.Test.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustAdvance(t, s, 2*time.Hour)
	if agents, err := s.Desk.Agents(t.Context(), desk.Operator()); err != nil || len(agents) != 1 {
		t.Errorf("agents after a reset: %+v, %v; want the first one only, no Autopilot", agents, err)
	}
	// The script of the start is played for the cases after the reset.
	id := mustCreate(t, s, cases.NewCase{Subject: "Printer", Body: "It burns."})
	mustAdvance(t, s, time.Hour)
	wantStatus(t, s, id, cases.Resolved)
}

// A transaction that fails after the autopilot heard of it leaves nothing to do.
func TestCaseWhoseTransactionFailedIsNotPlayed(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustPlay(t, s, "rules: [{steps: [{resolve: true}]}]")
	heard := s.Cases.Watch
	lost := errors.New("lost")
	s.Cases.Watch = func(ctx context.Context, tx cases.Tx, change cases.Change) error {
		if err := heard(ctx, tx, change); err != nil {
			return err
		}
		return lost
	}
	if _, err := s.Cases.Create(t.Context(), customer(t), cases.RequestKey{}, cases.NewCase{Subject: "S", Body: "B"}); !errors.Is(err, lost) {
		t.Fatalf("Create = %v, want the error of the watch", err)
	}
	s.Cases.Watch = heard
	mustAdvance(t, s, time.Hour)
	if agents, err := s.Desk.Agents(t.Context(), desk.Operator()); err != nil || len(agents) != 1 {
		t.Errorf("agents: %+v, %v; want no Autopilot, since there is nothing to do", agents, err)
	}
}

// A clock that runs reaches the steps by itself.
func TestStepsHappenWhileTheClockRuns(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, server.Test{Time: start})
	mustPlay(t, s, "rules: [{steps: [{after: 30ms, status: opened}, {on: customer-reply, after: 10ms, resolve: true}]}]")
	moved := watchStatuses(s)
	run(t, s)

	id := mustCreate(t, s, cases.NewCase{Subject: "Printer", Body: "It burns."})
	wantMove(t, moved, cases.Opened)
	mustSay(t, s, id, "Still.")
	wantMove(t, moved, cases.Resolved)
}

// So does one that is moved, or let go.
func TestStepsHappenWhenTheClockIsMoved(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustPlay(t, s, "rules: [{steps: [{after: 1h, status: opened}, {after: 20ms, resolve: true}]}]")
	moved := watchStatuses(s)
	run(t, s)
	mustCreate(t, s, cases.NewCase{Subject: "Printer", Body: "It burns."})
	if err := s.Test.SetTime(start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	wantMove(t, moved, cases.Opened)
	s.Test.Unfreeze()
	wantMove(t, moved, cases.Resolved)
}

// A seed has the clock elsewhere for a while. Who looks at it then looks again.
func TestStepsHappenAfterASeed(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, server.Test{Time: start})
	mustPlay(t, s, "rules: [{steps: [{resolve: true}]}]")
	moved := watchStatuses(s)
	mustCreate(t, s, cases.NewCase{Subject: "Printer", Body: "It burns."})
	begin := sync.OnceFunc(func() {
		run(t, s)
		<-time.After(20 * time.Millisecond) // until it waits
	})
	onChange(s, func(cases.Change) { begin() })
	mustSeed(t, s, "cases: [{subject: S, body: B, createdAt: -1h}]")
	wantMove(t, moved, cases.Resolved)
}

// What has begun when somebody gives an advance up is finished, and the rest is
// left for the next one.
func TestAnAdvanceThatIsGivenUpLosesNoStep(t *testing.T) {
	t.Parallel()
	s, id := mustScene(t, "rules: [{steps: [{after: 1m, severity: high, status: opened}, {after: 1m, resolve: true}]}]")
	ctx, giveUp := context.WithCancel(t.Context())
	onChange(s, func(cases.Change) { giveUp() })
	if err := s.Test.Advance(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("Advance(given up) = %v, want %v", err, context.Canceled)
	}
	wantStatus(t, s, id, cases.Opened)
	mustAdvance(t, s, time.Hour)
	wantStatus(t, s, id, cases.Resolved)
}

// Customers write while others move the clock.
func TestManyCustomersAtOnce(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustPlay(t, s, "rules: [{steps: [{after: 1m, reply: Why?}, {on: customer-reply, after: 1m, resolve: true}]}]")
	run(t, s)
	var group sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		group.Go(func() {
			ids[i] = mustCreate(t, s, cases.NewCase{Subject: fmt.Sprint("Printer ", i), Body: "It burns."})
			mustAdvance(t, s, time.Minute)
			mustSay(t, s, ids[i], "Because.")
		})
	}
	group.Wait()
	mustAdvance(t, s, time.Hour)
	for _, id := range ids {
		if status := mustDetail(t, s, id).Case.Status; status != cases.Resolved {
			t.Errorf("the case is %s, want resolved: %v", status, said(t, s, id))
		}
	}
}

// run plays the autopilot in the background, as a server does.
func run(t *testing.T, s *server.Server) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Test.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
}

// watchStatuses returns the statuses that agents move cases to.
func watchStatuses(s *server.Server) <-chan cases.Status {
	moved := make(chan cases.Status, 100)
	onChange(s, func(change cases.Change) {
		if strings.HasPrefix(change.Actor, "agent:") && change.From != change.Case.Status {
			moved <- change.Case.Status
		}
	})
	return moved
}

func wantMove(t *testing.T, moved <-chan cases.Status, want cases.Status) {
	t.Helper()
	select {
	case got := <-moved:
		if got != want {
			t.Fatalf("the case became %s, want %s", got, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("the case did not become %s", want)
	}
}

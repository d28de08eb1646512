package testmode_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
)

// start is when the stories of these tests begin.
var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// mustServer opens a server in test mode, whose clock stands still.
func mustServer(t *testing.T) *server.Server {
	t.Helper()
	return mustOpen(t, server.Test{Time: start, Frozen: true})
}

func mustOpen(t *testing.T, test server.Test) *server.Server {
	t.Helper()
	s, err := server.Open(t.Context(), server.Config{Data: filepath.Join(t.TempDir(), "data"), Test: &test})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if _, err := s.FirstRun(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.BeginTest(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// customer returns the root of the first account.
func customer(t *testing.T) iam.Identity {
	t.Helper()
	plan, err := iam.PlanByID("enterprise")
	if err != nil {
		t.Fatal(err)
	}
	return iam.Identity{Account: server.FirstAccountID, Email: "owner@example.com", Plan: plan, Kind: iam.Root}
}

func mustCreate(t *testing.T, s *server.Server, in cases.NewCase) (id string) {
	t.Helper()
	id, err := s.Cases.Create(t.Context(), customer(t), cases.RequestKey{}, in)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	return id
}

func mustSay(t *testing.T, s *server.Server, id, body string) {
	t.Helper()
	err := s.Cases.Communicate(t.Context(), customer(t), cases.RequestKey{}, cases.NewCommunication{CaseID: id, Body: body})
	if err != nil {
		t.Fatalf("Communicate: %v", err)
	}
}

func mustAdvance(t *testing.T, s *server.Server, d time.Duration) {
	t.Helper()
	if err := s.Test.Advance(t.Context(), d); err != nil {
		t.Fatalf("Advance(%v): %v", d, err)
	}
}

func mustPlay(t *testing.T, s *server.Server, script string) {
	t.Helper()
	if err := s.Test.SetAutopilot([]byte(script)); err != nil {
		t.Fatalf("SetAutopilot: %v", err)
	}
}

// mustScene opens a case for which a script is played.
func mustScene(t *testing.T, script string) (s *server.Server, id string) {
	t.Helper()
	s = mustServer(t)
	mustPlay(t, s, script)
	return s, mustCreate(t, s, cases.NewCase{Subject: "Printer", Body: "It burns."})
}

// onChange has f hear of every change of a case, in its transaction.
func onChange(s *server.Server, f func(cases.Change)) {
	heard := s.Cases.Watch
	s.Cases.Watch = func(ctx context.Context, tx cases.Tx, change cases.Change) error {
		f(change)
		return heard(ctx, tx, change)
	}
}

func mustDetail(t *testing.T, s *server.Server, id string) desk.Detail {
	t.Helper()
	found, err := s.Desk.Case(context.WithoutCancel(t.Context()), desk.Operator(), id)
	if err != nil {
		t.Fatalf("case %s: %v", id, err)
	}
	return found
}

// wantStatus checks the status of a case.
func wantStatus(t *testing.T, s *server.Server, id string, want cases.Status) {
	t.Helper()
	if got := mustDetail(t, s, id).Case.Status; got != want {
		t.Errorf("at %s the case is %s, want %s", s.Test.Now().UTC().Format(time.TimeOnly), got, want)
	}
}

func wantSaid(t *testing.T, s *server.Server, id string, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, said(t, s, id)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func wantStatuses(t *testing.T, s *server.Server, id string, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, statuses(t, s, id)); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

// said returns what was said in a case, oldest first, each with its time since
// the start and with whose it is.
func said(t *testing.T, s *server.Server, id string) []string {
	t.Helper()
	var all []string
	for _, c := range mustDetail(t, s, id).Communications {
		all = append(all, c.CreatedAt.Sub(start).String()+" "+c.SubmittedBy+": "+c.Body)
	}
	return all
}

// statuses returns the moves of a case's status with their times.
func statuses(t *testing.T, s *server.Server, id string) []string {
	t.Helper()
	var all []string
	err := s.Cases.Store.View(t.Context(), func(tx cases.Tx) error {
		moves, err := tx.Moves(t.Context(), server.FirstAccountID, id, 0, 100)
		for _, m := range moves {
			all = append(all, m.At.Sub(start).String()+" "+string(m.To))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

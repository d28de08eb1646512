package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// customer is the root of the first account.
func customer(t *testing.T) iam.Identity {
	t.Helper()
	plan, err := iam.PlanByID("enterprise")
	if err != nil {
		t.Fatal(err)
	}
	return iam.Identity{Account: server.FirstAccountID, Email: "owner@example.com", Plan: plan, Kind: iam.Root}
}

// occupied is a desk at which people have worked.
type occupied struct {
	token  string
	caseID string
}

func mustOccupy(t *testing.T, s *server.Server) (o occupied) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.FirstRun(ctx)
	must(err)
	_, err = s.Desk.PutTeam(ctx, desk.Operator(), desk.Team{ID: "printers", Name: "Printers", Routing: true})
	must(err)
	jo, err := s.Desk.CreateAgent(ctx, desk.Operator(), desk.Agent{Name: "Jo", Email: "jo@example.com", Role: desk.RoleAdministrator, Active: true, Teams: []string{"printers"}, Capacity: 3})
	must(err)
	_, o.token, err = s.Desk.CreateToken(ctx, desk.Operator(), jo.ID, desk.NewToken{Name: "laptop"})
	must(err)
	_, err = s.Desk.PutMacro(ctx, desk.Operator(), desk.Macro{ID: "thanks", Name: "Thanks", Body: "Thank you."})
	must(err)
	who := desk.Caller{Agent: jo, Allowed: jo.Role.Permissions()}
	o.caseID, err = s.Cases.Create(ctx, customer(t), cases.RequestKey{}, cases.NewCase{Subject: "Printer on fire", Body: "It says lp0 ガス.", SeverityCode: "urgent"})
	must(err)
	must(s.Desk.Route(ctx))
	_, err = s.Desk.Note(ctx, who, o.caseID, "Never to be seen: zebra.")
	must(err)
	_, err = s.Desk.Reply(ctx, who, o.caseID, desk.NewReply{Body: "Read the manual.", Files: []cases.File{{Name: "manual.txt", Data: []byte("Turn it off.")}}})
	must(err)
	_, err = s.Desk.Tag(ctx, who, o.caseID, []string{"Fire"}, nil)
	must(err)
	must(s.Cases.Communicate(ctx, customer(t), cases.RequestKey{}, cases.NewCommunication{CaseID: o.caseID, Body: "It is out."}))
	for i := range 70 { // more than what waits before the index of a search
		_, err = s.Cases.Create(ctx, customer(t), cases.RequestKey{}, cases.NewCase{Subject: fmt.Sprint("Ream ", i), Body: "Paper is out."})
		must(err)
	}
	return o
}

// seen is what agents see, by what they ask for.
func (o occupied) seen(t *testing.T, s *server.Server) map[string]string {
	t.Helper()
	ctx, all := t.Context(), map[string]string{}
	keep := func(name string, v any, err error) {
		t.Helper()
		text, encoded := json.MarshalIndent(v, "", " ")
		if err != nil || encoded != nil {
			t.Fatalf("%s: %v, %v", name, err, encoded)
		}
		all[name] = string(text)
	}
	who, err := s.Desk.Authenticate(ctx, o.token)
	keep("the caller", who.Agent, err)
	detail, err := s.Desk.Case(ctx, who, o.caseID)
	keep("the case", detail, err)
	timeline, err := s.Desk.Timeline(ctx, who, o.caseID)
	keep("the timeline", timeline, err)
	entries, err := s.Desk.Entries(ctx, who, desk.EntryQuery{}, 1000)
	keep("the audit log", entries, err)
	views, err := s.Desk.Views(ctx, who)
	keep("the views", views, err)
	agents, err := s.Desk.Agents(ctx, who)
	keep("the agents", agents, err)
	teams, err := s.Desk.Teams(ctx, who)
	keep("the teams", teams, err)
	macros, err := s.Desk.Macros(ctx, who)
	keep("the macros", macros, err)
	for words, want := range map[string]int{"printer fire": 1, "LP0 ガス": 1, "manual": 1, "paper out": 70, "zebra": 0} {
		page, err := s.Desk.Find(ctx, who, desk.Query{Text: words, Limit: 200})
		keep("a search for "+words, page, err)
		if len(page.Items) != want {
			t.Errorf("a search for %q finds %d cases, want %d", words, len(page.Items), want)
		}
	}
	for _, said := range detail.Communications {
		for _, a := range said.Attachments {
			file, err := s.Desk.File(ctx, who, o.caseID, a.ID)
			keep("the file "+a.FileName, file, err)
		}
	}
	return all
}

// Agents find everything again after a move to another engine and back, and in a
// backup that was restored.
func TestTheDeskMovesWithTheHouse(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	old := newHouse(t)
	old.Now = func() time.Time { return now }
	s := old.mustOpen(t)
	o := mustOccupy(t, s)
	want := o.seen(t, s)
	for name, done := range map[string]string{"the case": "manual.txt", "the timeline": "zebra", "the audit log": "case.note"} {
		if !strings.Contains(want[name], done) {
			t.Fatalf("%s has no %s: %s", name, done, want[name])
		}
	}
	check := func(where string, h house) {
		t.Helper()
		opened := h.mustOpen(t)
		if diff := cmp.Diff(want, o.seen(t, opened)); diff != "" {
			t.Errorf("what agents see %s (-want +got):\n%s", where, diff)
		}
		// It goes on there: a text is found, and the log cannot be changed.
		if _, err := opened.Desk.Reply(t.Context(), desk.Operator(), o.caseID, desk.NewReply{Body: "Giraffe."}); err != nil {
			t.Errorf("Reply() %s = %v, want nil", where, err)
		}
		if page, err := opened.Desk.Find(t.Context(), desk.Operator(), desk.Query{Text: "giraffe"}); err != nil || len(page.Items) != 1 {
			t.Errorf("a search for a new text %s finds %d, %v, want 1", where, len(page.Items), err)
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}
	backup := filepath.Join(t.TempDir(), "backup.tar")
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	restored := house{server.Config{Data: filepath.Join(t.TempDir(), "data"), Now: old.Now}}
	if err := server.Restore(t.Context(), backup, restored.Data); err != nil {
		t.Fatal(err)
	}
	check("in a backup that was restored", restored)

	shared := old.next(t)
	shared.Now = old.Now
	shared.share(t)
	shared.mustImport(t, old.mustExport(t))
	back := old.next(t)
	back.Now = old.Now
	back.mustImport(t, shared.mustExport(t))
	check("on PostgreSQL", shared)
	check("back on SQLite", back)
}

// A test server may stand on PostgreSQL, too.
func TestAResetOnPostgreSQL(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{
		Database: pgtest.Database(t), Blobs: "file://" + t.TempDir(),
		Test: &server.Test{Seed: 7, Time: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Frozen: true},
	})
	if err := s.BeginTest(t.Context()); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i := range 3 {
		set := s.mustAttach(t, "a.txt", []byte("a"))
		ids = append(ids, s.mustCreateCase(t, "on PostgreSQL", `"attachmentSetId":"`+set+`"`))
		if _, err := s.Desk.Reply(t.Context(), desk.Operator(), ids[i], desk.NewReply{Body: "words of an agent"}); err != nil {
			t.Fatal(err)
		}
		if err := s.Test.Advance(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		var writers sync.WaitGroup
		for range 4 {
			writers.Go(func() {
				for range 3 {
					if got, err := s.call(t.Context(), "CreateCase", `{"subject":"beside","communicationBody":"the reset"}`); err != nil || got.status != http.StatusOK {
						t.Errorf("CreateCase beside a reset = %v, %v, want 200", got, err)
					}
				}
			})
		}
		if err := s.Test.Reset(t.Context()); err != nil {
			t.Errorf("Reset() beside writers = %v, want nil", err)
		}
		writers.Wait()
		if err := s.Test.Reset(t.Context()); err != nil {
			t.Fatalf("Reset() = %v, want nil", err)
		}
		if left := s.mustCases(t); len(left) > 0 {
			t.Errorf("after a reset there are %d cases, want none", len(left))
		}
		if entries, err := s.Desk.Entries(t.Context(), desk.Operator(), desk.EntryQuery{}, 0); err != nil || len(entries) > 0 {
			t.Errorf("after a reset the audit log has %d entries, %v, want none", len(entries), err)
		}
		if page, err := s.Desk.Find(t.Context(), desk.Operator(), desk.Query{Text: "words"}); err != nil || len(page.Items) > 0 {
			t.Errorf("after a reset a search finds %d, %v, want nothing", len(page.Items), err)
		}
	}
	if ids[0] != ids[1] || ids[1] != ids[2] {
		t.Errorf("the first case after each reset is %v, want the same id", ids)
	}
}

func TestMetricsCountTheCasesOfTheDesk(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := mustOpen(t, server.Config{Now: func() time.Time { return now }})
	mustCreate := func(subject, severity string) string {
		id, err := s.Cases.Create(t.Context(), customer(t), cases.RequestKey{}, cases.NewCase{Subject: subject, Body: "words", SeverityCode: severity})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	mustCreate("down", "critical")
	mustCreate("slow", "low")
	asked := mustCreate("odd", "low")
	if _, err := s.Desk.Reply(t.Context(), desk.Operator(), asked, desk.NewReply{Body: "Why?"}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(20 * time.Minute)
	text := s.mustMetrics(t)
	for _, want := range []string{
		`supportd_desk_cases{view="breaching"} 1`, `supportd_desk_cases{view="open"} 3`,
		`supportd_desk_cases{view="unassigned"} 2`, `supportd_desk_cases{view="waiting"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("GET /metrics has no %s:\n%s", want, text[strings.Index(text, "# HELP supportd_desk"):])
		}
	}
}

// mustAgent adds an agent with a token.
func (s *service) mustAgent(t *testing.T, name string, a desk.Agent) (desk.Caller, string) {
	t.Helper()
	a.Name, a.Email, a.Role, a.Active = name, name+"@example.com", desk.RoleAgent, true
	a, err := s.Desk.CreateAgent(t.Context(), desk.Operator(), a)
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := s.Desk.CreateToken(t.Context(), desk.Operator(), a.ID, desk.NewToken{Name: "laptop"})
	if err != nil {
		t.Fatal(err)
	}
	return desk.Caller{Agent: a, Allowed: a.Role.Permissions()}, token
}

// Agents work on any node: what one has changed the other knows, and what both
// are asked at once happens once.
func TestNodesShareTheDesk(t *testing.T) {
	t.Parallel()
	a, b := twoNodes(t)
	b.key = a.key
	jo, joToken := a.mustAgent(t, "jo", desk.Agent{})
	kim, _ := b.mustAgent(t, "kim", desk.Agent{})
	for range 5 {
		id := a.mustCreateCase(t, "wanted by both")
		var outcomes [2]error
		var both sync.WaitGroup
		both.Go(func() { _, outcomes[0] = a.Desk.Claim(t.Context(), jo, id) })
		both.Go(func() { _, outcomes[1] = b.Desk.Claim(t.Context(), kim, id) })
		both.Wait()
		found, err := b.Desk.Case(t.Context(), kim, id)
		winner := map[string]int{jo.Agent.ID: 0, kim.Agent.ID: 1}[found.Assignee]
		if err != nil || outcomes[winner] != nil || !errors.Is(outcomes[1-winner], desk.ErrConflict) {
			t.Errorf("two claims on two nodes ended with %v, and the case is %q's (%v), want one to win", outcomes, found.Assignee, err)
		}
	}
	id := a.mustCreateCase(t, "answered")
	var both sync.WaitGroup
	for _, node := range []*service{a, b, a, b} {
		both.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, node.url()+"/desk/v1/cases/"+id+"/reply", strings.NewReader(`{"body":"once"}`))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Authorization", "Bearer "+joToken)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "the-same")
			if got, err := do(http.DefaultClient, r); err != nil || got.status >= 300 {
				t.Errorf("reply = %v, %v, want success", got, err)
			}
		})
	}
	both.Wait()
	if said := b.mustCases(t)["answered"].RecentCommunications.Communications; len(said) != 2 || said[0].Body != "once" {
		t.Errorf("after a reply that came four times the customer sees %+v, want it once", said)
	}
}

// No team goes that has just been given a case.
func TestNodesKeepTheTeamsOfOpenCases(t *testing.T) {
	t.Parallel()
	a, b := twoNodes(t)
	b.key = a.key
	for i := range 8 {
		team, err := a.Desk.PutTeam(t.Context(), desk.Operator(), desk.Team{ID: fmt.Sprintf("team-%d", i), Name: "Team"})
		if err != nil {
			t.Fatal(err)
		}
		id := a.mustCreateCase(t, team.ID)
		var both sync.WaitGroup
		var assigned, deleted error
		both.Go(func() { _, assigned = a.Desk.Assign(t.Context(), desk.Operator(), id, desk.Assignment{Team: team.ID}) })
		both.Go(func() { deleted = b.Desk.DeleteTeam(t.Context(), desk.Operator(), team.ID) })
		both.Wait()
		if (assigned == nil) == (deleted == nil) {
			t.Errorf("Assign(team) = %v beside DeleteTeam() = %v, want one of them to fail", assigned, deleted)
		}
	}
}

// However many nodes give cases away, nobody has more than the capacity.
func TestNodesKeepCapacities(t *testing.T) {
	t.Parallel()
	a, b := twoNodes(t)
	b.key = a.key
	if _, err := a.Desk.PutTeam(t.Context(), desk.Operator(), desk.Team{ID: "all", Name: "All", Routing: true}); err != nil {
		t.Fatal(err)
	}
	jo, _ := a.mustAgent(t, "jo", desk.Agent{Teams: []string{"all"}, Capacity: 4})
	kim, _ := b.mustAgent(t, "kim", desk.Agent{Teams: []string{"all"}, Capacity: 3})
	var both sync.WaitGroup
	for _, node := range []*service{a, b} {
		both.Go(func() {
			for i := range 6 {
				if got, err := node.call(t.Context(), "CreateCase", fmt.Sprintf(`{"subject":"%s %d","communicationBody":"words"}`, node.addr, i)); err != nil || got.status != http.StatusOK {
					t.Errorf("CreateCase = %v, %v, want 200", got, err)
				}
				if err := node.Desk.Route(t.Context()); err != nil {
					t.Errorf("Route() beside another node = %v, want nil", err)
				}
			}
		})
	}
	both.Wait()
	for agent, want := range map[string]int{jo.Agent.ID: 4, kim.Agent.ID: 3} {
		page, err := b.Desk.Find(t.Context(), desk.Operator(), desk.Query{Assignee: agent})
		if err != nil || len(page.Items) != want {
			t.Errorf("%s has %d cases, %v, want %d, the capacity", agent, len(page.Items), err, want)
		}
	}
}

// The jobs of two nodes look at the same clocks.
func TestClocksFireOnceOnTwoNodes(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	a, b := twoNodesAt(t, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	b.key = a.key
	var ids []string
	for i := range 6 {
		ids = append(ids, []*service{a, b}[i%2].mustCreateCase(t, fmt.Sprint("down ", i), `"severityCode":"critical"`))
	}
	events := func(id string) (all []string) {
		lines, err := a.Desk.Timeline(t.Context(), desk.Operator(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if line.Actor == "desk" {
				all = append(all, line.Event)
			}
		}
		return all
	}
	for n, move := range []time.Duration{12 * time.Minute, 4 * time.Minute} {
		ahead.Add(int64(move))
		var wakes sync.WaitGroup
		for _, node := range []*service{a, b, a, b} { // besides the jobs, which may do it as well
			wakes.Go(func() {
				if err := node.Desk.Wake(t.Context()); err != nil {
					t.Errorf("Wake() beside another node = %v, want nil", err)
				}
			})
		}
		wakes.Wait()
		for _, id := range ids {
			if got := events(id); len(got) != n+1 {
				t.Errorf("after %v the desk noted %v, want a warning and then a breach", move, got)
			}
		}
	}
}

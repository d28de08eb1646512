package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
)

// deskServer is a running server with an agent, and an account whose customer
// opens cases.
type deskServer struct {
	*server.Server
	url   string
	agent desk.Agent
	token string
	plan  iam.Plan
}

const deskAccount = "111122223333"

func newDeskServer(t *testing.T, change ...func(*server.Config)) *deskServer {
	t.Helper()
	config := server.Config{Data: t.TempDir()}
	for _, apply := range change {
		apply(&config)
	}
	opened, err := server.Open(t.Context(), config)
	mustNot(t, err)
	t.Cleanup(func() { mustNot(t, opened.Close()) })
	listener := httptest.NewServer(opened.Handler())
	t.Cleanup(listener.Close)
	s := &deskServer{Server: opened, url: listener.URL}
	_, err = s.IAM.CreateAccount(t.Context(), iam.Account{ID: deskAccount, Name: "Retail", Email: "retail@example.com", Plan: "enterprise"})
	mustNot(t, err)
	s.plan, err = iam.PlanByID("enterprise")
	mustNot(t, err)
	s.agent, err = s.Desk.CreateAgent(t.Context(), desk.Operator(), desk.Agent{Name: "Jo", Email: "jo@example.com", Role: desk.RoleLead, Active: true, Capacity: 10})
	mustNot(t, err)
	_, s.token, err = s.Desk.CreateToken(t.Context(), desk.Operator(), s.agent.ID, desk.NewToken{Name: "test"})
	mustNot(t, err)
	return s
}

func mustNot(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *deskServer) env() []string {
	return []string{"SUPPORTD_DESK_URL=" + s.url, "SUPPORTD_DESK_TOKEN=" + s.token}
}

func (s *deskServer) mustCase(t *testing.T, subject, body string) cases.Case {
	t.Helper()
	who := iam.Identity{Account: deskAccount, Email: "retail@example.com", Plan: s.plan}
	id, err := s.Cases.Create(t.Context(), who, cases.RequestKey{}, cases.NewCase{Subject: subject, Body: body})
	mustNot(t, err)
	found, err := s.Desk.Case(t.Context(), desk.Operator(), id)
	mustNot(t, err)
	return found.Case
}

// mustDesk runs a command of the desk that must succeed.
func (s *deskServer) mustDesk(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	got := command(t, s.env(), stdin, append([]string{"desk"}, args...)...)
	if got.err != nil || got.stderr != "" {
		t.Fatalf("supportd desk %v = %v, stderr %q, want success", args, got.err, got.stderr)
	}
	return got.stdout
}

func TestACaseFromTheCommandLine(t *testing.T) {
	t.Parallel()
	s := newDeskServer(t)
	c := s.mustCase(t, "The printer burns", "It is on fire.\tReally.\x1b[2J")
	file := filepath.Join(t.TempDir(), "how.txt")
	mustNot(t, os.WriteFile(file, []byte("Pour."), 0o600))
	for _, step := range []struct {
		stdin string
		args  []string
		want  []string // in what people see
	}{
		{args: []string{"views"}, want: []string{"VIEW", "unassigned  1"}},
		{args: []string{"queue", "--view", "unassigned"}, want: []string{"CASE", c.DisplayID + "  unassigned", "The printer burns"}},
		{args: []string{"claim", c.ID}, want: []string{c.DisplayID + "  opened", "in ", "Jo"}},
		{args: []string{"queue", "--severity", "critical"}, want: []string{"There are no such cases."}},
		{stdin: "Asked the vendor.\n", args: []string{"note", c.DisplayID}, want: []string{c.DisplayID}},
		{stdin: "Use water.\n", args: []string{"reply", c.ID, "--attach", file, "--status", "work-in-progress"}, want: []string{c.DisplayID + "  work-in-progress"}},
		{args: []string{"show", c.ID}, want: []string{
			c.DisplayID + " (" + c.ID + ")", "#1 ", "  It is on fire.    Really.\uFFFD[2J", "#2 ", "Amazon Web Services (Jo)", "first-response: met, ", "  Use water.", "[how.txt ",
		}},
		{args: []string{"queue", "--assignee", "jo@example.com"}, want: []string{c.DisplayID}},
		{args: []string{"assign", c.ID, "--release"}, want: []string{c.DisplayID}},
		{args: []string{"assign", c.ID, "--agent", "jo@example.com"}, want: []string{"Jo"}},
		{args: []string{"status", c.ID, "pending-customer-action"}, want: []string{"pending-customer-action"}},
		{args: []string{"resolve", c.ID, "--reason", "It rained."}, want: []string{c.DisplayID + "  resolved"}},
		{args: []string{"timeline", c.ID}, want: []string{
			"AT", "#1 It is on fire. Really.", "unassigned → opened", "to Jo\n", "to nobody, before Jo\n", "note           Asked the vendor.", "#2 [how.txt] Use water.", "→ resolved: It rained.",
		}},
		{args: []string{"queue"}, want: []string{"There are no such cases."}},
	} {
		got := s.mustDesk(t, step.stdin, step.args...)
		for _, want := range step.want {
			if !strings.Contains(got, want) {
				t.Errorf("supportd desk %v printed\n%s\nwant %q in it", step.args, got, want)
			}
		}
	}
}

func TestWhatElseIsDoneToACaseFromTheCommandLine(t *testing.T) {
	t.Parallel()
	s := newDeskServer(t)
	one, other := s.mustCase(t, "One", "1"), s.mustCase(t, "Other", "2")
	_, err := s.Desk.PutMacro(t.Context(), desk.Operator(), desk.Macro{ID: "hello", Name: "Hello", Body: "See {{ticket}}.", AddTags: []string{"greeted"}})
	mustNot(t, err)
	for _, step := range []struct {
		args []string
		want string // in what show prints of the case afterwards
	}{
		{[]string{"tag", one.ID, "--add", "printer", "--add", "fire"}, "fire, printer"},
		{[]string{"tag", one.ID, "--remove", "fire"}, "printer\n"},
		{[]string{"severity", one.ID, "urgent", "--reason", "It burns."}, "urgent"},
		{[]string{"macro", one.ID, "hello", "--variable", "ticket=A=1,2"}, "See A=1,2."},
		{[]string{"link", one.DisplayID, other.DisplayID}, "related " + other.ID},
		{[]string{"merge", one.ID, other.ID}, "merged-into " + other.ID},
		{[]string{"unmerge", one.ID}, "pending-customer-action"},
	} {
		if got := s.mustDesk(t, "", step.args...); !strings.Contains(got, one.DisplayID) {
			t.Errorf("supportd desk %v printed\n%s\nwant the case %s", step.args, got, one.DisplayID)
		}
		if got := s.mustDesk(t, "", "show", one.ID); !strings.Contains(got, step.want) {
			t.Errorf("after supportd desk %v the case is\n%s\nwant %q in it", step.args, got, step.want)
		}
	}
	s.mustDesk(t, "", "unlink", one.ID, other.ID)
	if got := s.mustDesk(t, "", "show", one.ID); strings.Contains(got, other.ID) {
		t.Errorf("after unlink the case is\n%s\nwant no link", got)
	}
	for _, args := range [][]string{{"tag", one.ID}, {"severity", one.ID, "low"}, {"merge", one.ID}, {"macro", one.ID, "hello", "--variable", "ticket"}} {
		if got := command(t, s.env(), "", append([]string{"desk"}, args...)...); got.err == nil {
			t.Errorf("supportd desk %v = %q, want an error", args, got.stdout)
		}
	}
}

func TestFilesOfCommunicationsAreSaved(t *testing.T) {
	t.Parallel()
	s := newDeskServer(t)
	c := s.mustCase(t, "One", "1")
	folder := t.TempDir()
	sent, saved := filepath.Join(folder, "sent"), filepath.Join(folder, "saved")
	mustNot(t, os.WriteFile(sent, []byte("\x00\xffbytes"), 0o600))
	s.mustDesk(t, "", "reply", c.ID, "--body", "Here.", "--attach", sent)
	var detail struct {
		Communications []struct {
			Attachments []struct{ AttachmentID string }
		}
	}
	mustNot(t, json.Unmarshal([]byte(s.mustDesk(t, "", "show", c.ID, "--json")), &detail))
	id := detail.Communications[1].Attachments[0].AttachmentID
	if got, want := s.mustDesk(t, "", "attachment", c.DisplayID, id, "--out", saved), saved+" has 7 bytes\n"; got != want {
		t.Errorf("attachment printed %q, want %q", got, want)
	}
	if got, err := os.ReadFile(saved); err != nil || string(got) != "\x00\xffbytes" {
		t.Errorf("the saved file has %q, %v, want what was sent", got, err)
	}
	args := []string{"desk", "attachment", c.ID, "attachment-odd", "--out", filepath.Join(folder, "odd")}
	checkRefusal(t, command(t, s.env(), "", args...), 1, "attachment", args...)
	if _, err := os.Stat(filepath.Join(folder, "odd")); !os.IsNotExist(err) {
		t.Errorf("a refused attachment left a file: %v", err)
	}
}

func TestDeskCommandsPrintOneDocumentForPrograms(t *testing.T) {
	t.Parallel()
	s := newDeskServer(t)
	first, second := s.mustCase(t, "One", "1"), s.mustCase(t, "Two", "2")
	for _, args := range [][]string{
		{"views"},
		{"queue"},
		{"show", first.ID},
		{"timeline", first.ID},
		{"claim", first.ID},
		{"assign", first.ID, "--agent", s.agent.ID},
		{"note", first.ID, "--body", "Note"},
		{"reply", first.ID, "--body", "Reply"},
		{"status", second.ID, "opened"},
		{"resolve", second.ID},
	} {
		var document map[string]any
		if got := s.mustDesk(t, "", append(args, "--json")...); json.Unmarshal([]byte(got), &document) != nil || len(document) == 0 {
			t.Errorf("supportd desk %v --json printed %s, want one object", args, got)
		}
	}
}

func TestAQueueGoesOnAfterItsFirstPage(t *testing.T) {
	t.Parallel()
	s := newDeskServer(t)
	s.mustCase(t, "One", "1")
	s.mustCase(t, "Two", "2")
	first := command(t, s.env(), "", "desk", "queue", "--limit", "1")
	_, next, more := strings.Cut(strings.TrimSpace(first.stderr), "--next ")
	if first.err != nil || !more {
		t.Fatalf("the first page ended with %v and %q, want a token", first.err, first.stderr)
	}
	second := s.mustDesk(t, "", "queue", "--limit", "1", "--next", next)
	if strings.Count(first.stdout+second, "One") != 1 || strings.Count(first.stdout+second, "Two") != 1 {
		t.Errorf("two pages are\n%s\n%s\nwant each case once", first.stdout, second)
	}
}

func TestDeskRefusalsAreOneLine(t *testing.T) {
	t.Parallel()
	s := newDeskServer(t)
	c := s.mustCase(t, "One", "1")
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://example.com", http.StatusFound)
	}))
	t.Cleanup(elsewhere.Close)
	for _, test := range []struct {
		env  []string
		args []string
		code int
		want string
	}{
		{nil, []string{"queue"}, 2, "give --url or set SUPPORTD_DESK_URL, such as"},
		{s.env()[:1], []string{"queue"}, 2, "give --token or set SUPPORTD_DESK_TOKEN; beside the server, supportd agent token create makes one"},
		{s.env(), []string{"queue", "--url", "localhost:1"}, 2, "want http://HOST:PORT"},
		{s.env(), []string{"queue", "--token", "sdt_wrong"}, 1, "see --token"},
		{s.env(), []string{"queue", "--view", "odd"}, 1, "The parameter view must be one of"},
		{s.env(), []string{"queue", "--url", elsewhere.URL}, 1, "answers 302 Found, not as a desk"},
		{s.env(), []string{"show"}, 2, "needs CASE"},
		{s.env(), []string{"show", "case-" + deskAccount + "-muen-2026-0000000000000000"}, 1, "case"},
		{s.env(), []string{"show", "../me"}, 1, "no"},
		{s.env(), []string{"status", c.ID}, 2, "needs CASE and STATUS"},
		{s.env(), []string{"status", c.ID, "closed"}, 1, "The member status must be one of"},
		{s.env(), []string{"queue", "--url", "http://127.0.0.1:1"}, 1, "no answer from http://127.0.0.1:1: dial"},
		{s.env(), []string{"assign", c.ID, "--agent", "nobody@example.com"}, 1, `There is no agent "nobody@example.com"`},
		{s.env(), []string{"assign", c.ID}, 2, "give --agent, --team, --next or --release"},
		{s.env(), []string{"reply", c.ID}, 2, "there is no text"},
		{s.env(), []string{"reply", c.ID, "--body", "a", "--attach", "/nowhere"}, 1, "/nowhere"},
		{s.env(), []string{"note", c.ID, "--body", strings.Repeat("a", 30_000)}, 1, "it may have"},
	} {
		args := append([]string{"desk"}, test.args...)
		checkRefusal(t, command(t, test.env, "", args...), test.code, test.want, args...)
	}
}

func TestTheSupportEndpointIsTheDeskUnlessAnotherIsNamed(t *testing.T) {
	t.Parallel()
	s := newDeskServer(t)
	env := []string{"AWS_ENDPOINT_URL_SUPPORT=" + s.url, "SUPPORTD_DESK_TOKEN=" + s.token}
	mustRun(t, env, "desk", "views")
	mustRun(t, append(env, "SUPPORTD_DESK_URL=http://127.0.0.1:1"), "desk", "views", "--url", s.url+"/")
}

// TestAReplyWhoseAnswerIsLostIsSentOnce cuts the connection after the server has
// done its work: the repeated request must not reply again.
func TestAReplyWhoseAnswerIsLostIsSentOnce(t *testing.T) {
	t.Parallel()
	s := newDeskServer(t)
	c := s.mustCase(t, "One", "1")
	var calls atomic.Int32
	lossy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) > 1 {
			s.Handler().ServeHTTP(w, r)
			return
		}
		s.Handler().ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(lossy.Close)
	s.mustDesk(t, "", "reply", c.ID, "--body", "Hello.", "--url", lossy.URL, "--json")
	found, err := s.Desk.Case(t.Context(), desk.Operator(), c.ID)
	mustNot(t, err)
	if calls.Load() != 2 || found.Case.Communications != 2 {
		t.Errorf("%d calls made %d communications, want 2 and 2", calls.Load(), found.Case.Communications)
	}
}

func TestAServerThatIsNotThereIsTriedTwice(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	mustNot(t, err)
	var tries atomic.Int32
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			tries.Add(1)
			_ = connection.Close()
		}
	}()
	got := command(t, []string{"SUPPORTD_DESK_TOKEN=sdt_x"}, "", "desk", "claim", "1", "--url", "http://"+listener.Addr().String())
	mustNot(t, listener.Close())
	<-ended
	if got.err == nil || tries.Load() != 2 {
		t.Errorf("a server that hangs up was tried %d times, error %v, want two and an error", tries.Load(), got.err)
	}
}

func TestDeskClientReadsAllPages(t *testing.T) {
	t.Parallel()
	pages := map[string]string{"": `{"items":[1,2],"next":"b&c"}`, "b&c": `{"items":[3]}`}
	desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, pages[r.URL.Query().Get("next")])
	}))
	t.Cleanup(desk.Close)
	c, err := newDeskClient(desk.URL, "sdt_a_b")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.all(t.Context(), "/cases/1/timeline"); err != nil || fmt.Sprintf("%s", got) != "[1 2 3]" {
		t.Errorf("all() = %s, %v, want what is on both pages", got, err)
	}
}

func TestDeskClientCallsAgainWhenItCameTooEarly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pause       string
		early, want int32
		ok          bool
	}{
		{pause: "0", early: 3, want: 4, ok: true},
		{pause: "0", early: 1000, want: mostCalls},
		{pause: "60", early: 1, want: 1},
		{pause: "", early: 1, want: 1},
	} {
		var calls atomic.Int32
		keys := make(chan string, mostCalls)
		desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			keys <- r.Header.Get("Idempotency-Key")
			if calls.Add(1) <= test.early {
				w.Header().Set("Retry-After", test.pause)
				w.WriteHeader(http.StatusTooManyRequests)
				fmt.Fprint(w, `{"code":"throttled","detail":"Too often."}`)
				return
			}
			fmt.Fprint(w, `{}`)
		}))
		t.Cleanup(desk.Close)
		c, err := newDeskClient(desk.URL, "sdt_a_b")
		mustNot(t, err)
		_, err = c.answer(t.Context(), http.MethodPost, "/cases/1/note", []byte("{}"))
		if (err == nil) != test.ok || calls.Load() != test.want {
			t.Errorf("%d times too early with Retry-After %q: %d calls and %v, want %d", test.early, test.pause, calls.Load(), err, test.want)
		}
		first := <-keys
		for range calls.Load() - 1 {
			if key := <-keys; key != first {
				t.Errorf("a call that is made again has the key %q, want %q as before", key, first)
			}
		}
	}
}

package deskapi

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/accesslog"
	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/clock/clocktest"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/seal"
	"github.com/supportd/supportd/internal/store"
)

const account = "123456789012"

// fixture is the API on a real desk and store, with an account and one agent of
// each role.
type fixture struct {
	handler http.Handler
	api     *API
	desk    *desk.Service
	cases   *cases.Service
	clock   *clocktest.Clock
	spec    *description

	agents map[desk.Role]desk.Agent
	tokens map[desk.Role]string

	mu     sync.Mutex
	record accesslog.Record // of the last request

	names int // that were given
}

func newFixture(t testing.TB, change ...func(*Config)) *fixture {
	t.Helper()
	f := &fixture{
		clock:  clocktest.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)),
		agents: map[desk.Role]desk.Agent{}, tokens: map[desk.Role]string{},
	}
	opened, err := store.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "supportd.db"))
	mustNot(t, err)
	t.Cleanup(func() { mustNot(t, opened.Close()) })
	blobs, err := blob.OpenDir(filepath.Join(t.TempDir(), "attachments"))
	mustNot(t, err)
	t.Cleanup(func() { mustNot(t, blobs.Close()) })
	master := seal.NewMasterKey()
	secrets, err := seal.NewBox(master, "access keys")
	mustNot(t, err)
	tokens, err := seal.NewBox(master, "desk page tokens")
	mustNot(t, err)
	known, err := catalog.Load()
	mustNot(t, err)
	accounts := &iam.Service{Store: opened.IAM(), Box: secrets, Now: f.clock.Now}
	f.cases = &cases.Service{Store: opened.Cases(), Blobs: blobs, Catalog: known, Now: f.clock.Now}
	f.desk = &desk.Service{Store: opened.Desk(), Cases: f.cases, IAM: accounts, Now: f.clock.Now}
	f.cases.Watch = func(ctx context.Context, tx cases.Tx, change cases.Change) error {
		return f.desk.Watch(ctx, store.DeskTx(tx), change)
	}
	c := Config{Desk: f.desk, Tokens: tokens, Now: f.clock.Now, Version: "test"}
	for _, apply := range change {
		apply(&c)
	}
	f.api, err = New(c)
	mustNot(t, err)
	f.spec = mustParse(t, f.api.openAPI)
	f.handler = accesslog.Handler(f.api, slog.New(slog.DiscardHandler), func(r *accesslog.Record) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.record = *r
	})
	_, err = accounts.CreateAccount(t.Context(), iam.Account{ID: account, Name: "Retail", Email: "retail@example.com", Plan: "enterprise"})
	mustNot(t, err)
	for _, role := range roles() {
		f.agents[role], f.tokens[role] = f.mustHire(t, role, string(role)+"@example.com")
	}
	return f
}

func roles() []desk.Role {
	return []desk.Role{desk.RoleAgent, desk.RoleLead, desk.RoleAdministrator, desk.RoleAuditor}
}

// mustHire adds an agent and returns a token that lets the agent in.
func (f *fixture) mustHire(t testing.TB, role desk.Role, email string, permissions ...desk.Permission) (desk.Agent, string) {
	t.Helper()
	a, err := f.desk.CreateAgent(t.Context(), desk.Operator(), desk.Agent{Name: email, Email: email, Role: role, Active: true, Capacity: 100})
	mustNot(t, err)
	_, token, err := f.desk.CreateToken(t.Context(), desk.Operator(), a.ID, desk.NewToken{Name: "first", Permissions: permissions})
	mustNot(t, err)
	return a, token
}

func customer(t testing.TB) iam.Identity {
	t.Helper()
	plan, err := iam.PlanByID("enterprise")
	mustNot(t, err)
	return iam.Identity{Account: account, Email: "retail@example.com", Plan: plan}
}

// mustCase opens a case as a customer, with a file, and returns its id.
func (f *fixture) mustCase(t testing.TB, subject string) string {
	t.Helper()
	who, ctx := customer(t), t.Context()
	set, err := f.cases.AddAttachments(ctx, who, cases.RequestKey{}, "", []cases.File{{Name: "Grüße \"1\".txt", Data: []byte("hello")}})
	mustNot(t, err)
	id, err := f.cases.Create(ctx, who, cases.RequestKey{}, cases.NewCase{Subject: subject, Body: "It does not work.", AttachmentSetID: set.ID})
	mustNot(t, err)
	return id
}

// mustDetail returns a case as the lead sees it.
func (f *fixture) mustDetail(t testing.TB, id string) map[string]any {
	t.Helper()
	return f.must(t, http.StatusOK, request{role: desk.RoleLead, method: "GET", path: "/desk/v1/cases/" + id}).object(t)
}

// request is a call of the API by the agent of a role.
type request struct {
	role   desk.Role // empty: without a token
	token  string    // instead of that of the role
	method string
	path   string
	body   any // what is not text becomes JSON; nil: none
	header http.Header
}

func (r request) with(name, value string) request {
	r.header = r.header.Clone()
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Add(name, value)
	return r
}

// answered is what came back.
type answered struct {
	status int
	header http.Header
	body   string
}

// object returns the body of an answer that is a JSON object.
func (a answered) object(t testing.TB) map[string]any {
	t.Helper()
	var o map[string]any
	mustNot(t, json.Unmarshal([]byte(a.body), &o))
	return o
}

// items returns what an answer lists.
func (a answered) items(t testing.TB) (all []map[string]any) {
	t.Helper()
	for _, item := range a.object(t)["items"].([]any) {
		all = append(all, item.(map[string]any))
	}
	return all
}

func (a answered) code(t testing.TB) any {
	t.Helper()
	return a.object(t)["code"]
}

// do calls the API, and holds every answer against the description.
func (f *fixture) do(t testing.TB, r request) answered {
	t.Helper()
	hr := httptest.NewRequestWithContext(t.Context(), r.method, r.path, r.reader(t))
	if r.body != nil {
		hr.Header.Set("Content-Type", "application/json")
	}
	token := r.token
	if token == "" && r.role != "" {
		token = f.tokens[r.role]
	}
	if token != "" {
		hr.Header.Set("Authorization", "Bearer "+token)
	}
	for name, values := range r.header {
		hr.Header[name] = values
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, hr)
	got := answered{status: w.Code, header: w.Header(), body: w.Body.String()}
	if r.method == http.MethodHead { // of which net/http sends the header alone
		got.body = ""
	}
	f.check(t, r, got)
	return got
}

func (r request) reader(t testing.TB) io.Reader {
	t.Helper()
	switch body := r.body.(type) {
	case nil:
		return nil
	case string:
		return strings.NewReader(body)
	}
	text, err := json.Marshal(r.body)
	mustNot(t, err)
	return strings.NewReader(string(text))
}

// check holds an answer against what all answers have, and against the schema
// that the description has for it.
func (f *fixture) check(t testing.TB, r request, got answered) {
	t.Helper()
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if have := got.header.Get(name); have != want {
			t.Errorf("%s %s has the header %s %q, want %q", r.method, r.path, name, have, want)
		}
	}
	if got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%s %s lets other origins in", r.method, r.path)
	}
	for _, wrong := range f.spec.checkAnswer(r.method, r.path, got) {
		t.Errorf("%s %s = %d %.300s: %s", r.method, r.path, got.status, got.body, wrong)
	}
}

// must calls the API and wants a status.
func (f *fixture) must(t testing.TB, status int, r request) answered {
	t.Helper()
	got := f.do(t, r)
	if got.status != status {
		t.Fatalf("%s %s by %s = %d %s (%v), want %d", r.method, r.path, r.role, got.status, got.body, f.lastRecord().Err, status)
	}
	return got
}

// refused calls the API and wants a problem with a code.
func (f *fixture) refused(t testing.TB, status int, code string, r request) answered {
	t.Helper()
	got := f.must(t, status, r)
	if got.code(t) != code {
		t.Errorf("%s %s = %s, want the code %s", r.method, r.path, got.body, code)
	}
	return got
}

func (f *fixture) lastRecord() accesslog.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.record
}

func mustNot(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

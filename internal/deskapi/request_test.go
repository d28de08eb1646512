package deskapi

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/accesslog"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/fault"
)

func TestUnknownPathsAndMethodsAreProblems(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, test := range []struct {
		method, path string
		status       int
		code, allow  string
	}{
		{"GET", "/desk/v1", 404, "no_route", ""},
		{"GET", "/desk/v1/", 404, "no_route", ""},
		{"GET", "/desk/v2/cases", 404, "no_route", ""},
		{"GET", "/desk/v1/cases/", 404, "no_route", ""},
		{"GET", "/desk/v1//cases", 404, "no_route", ""},
		{"GET", "/desk/v1/teams/../cases", 404, "no_route", ""},
		{"GET", "/desk/v1/cases/a/b/c", 404, "no_route", ""},
		{"DELETE", "/desk/v1/cases", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"OPTIONS", "/desk/v1/cases", 405, "method_not_allowed", "GET, HEAD, POST"},
		{"POST", "/desk/v1/me", 405, "method_not_allowed", "GET, HEAD"},
		{"GET", "/desk/v1/cases/a/claim", 405, "method_not_allowed", "POST"},
		{"PATCH", "/desk/v1/teams/a", 405, "method_not_allowed", "GET, HEAD, PUT, DELETE"},
	} {
		got := f.refused(t, test.status, test.code, request{method: test.method, path: test.path})
		if allow := got.header.Get("Allow"); allow != test.allow {
			t.Errorf("%s %s allows %q, want %q", test.method, test.path, allow, test.allow)
		}
	}
}

func TestStrangersAreAskedForAToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, test := range []struct {
		authorization, code, challenge string
	}{
		{"", "no_token", `Bearer realm="supportd desk"`},
		{"Bearer", "no_token", `Bearer realm="supportd desk"`},
		{"Basic c2R0Xzp4", "no_token", `Bearer realm="supportd desk"`},
		{"Bearer sdt_\xff_x", "no_token", `Bearer realm="supportd desk"`},
		{"Bearer sdt_unknown", "unknown_token", `Bearer realm="supportd desk", error="invalid_token"`},
	} {
		r := request{method: "GET", path: "/desk/v1/me"}
		if test.authorization != "" {
			r = r.with("Authorization", test.authorization)
		}
		got := f.refused(t, http.StatusUnauthorized, test.code, r)
		if challenge := got.header.Get("WWW-Authenticate"); challenge != test.challenge {
			t.Errorf("Authorization %q is answered with the challenge %q, want %q", test.authorization, challenge, test.challenge)
		}
	}
	known := request{method: "GET", path: "/desk/v1/me"}.with("Authorization", "bearer "+f.tokens[desk.RoleAgent])
	f.must(t, http.StatusOK, known)
	f.refused(t, http.StatusUnauthorized, "no_token", known.with("Authorization", "Bearer "+f.tokens[desk.RoleLead]))
}

func TestBodiesThatDoNotFitAreExplained(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path := "/desk/v1/cases/" + f.mustCase(t, "Hello") + "/reply"
	for _, test := range []struct {
		body   string
		detail string
	}{
		{`{"body":`, "The body is not JSON"},
		{`[]`, "The body must be a JSON object."},
		{``, "The member body is missing."},
		{`{}`, "The member body is missing."},
		{`{"body":null}`, "The member body is missing."},
		{`{"body":""}`, "The member body is empty."},
		{`{"body":1}`, "body must be a string, not this number."},
		{`{"body":"a","body":"b"}`, "body comes more than once."},
		{`{"body":"a","colour":"red"}`, "There is no member colour here."},
		{`{"body":"a","Case":"another"}`, "There is no member Case here."},
		{`{"body":"a","status":"closed"}`, `The member status must be one of keep, opened, work-in-progress, pending-customer-action, reopened, resolved, not "closed".`},
		{`{"body":"a","attachments":{}}`, "attachments must be a list, not an object."},
		{`{"body":"a","attachments":[{"fileName":"a"}]}`, "The member attachments[0].data is missing."},
		{`{"body":"a","attachments":[{"fileName":"a","data":"%"}]}`, "attachments[0].data must be base64, not this string."},
		{`{"body":"a","attachments":[{"fileName":"a","data":"YQ==","size":1}]}`, "There is no member attachments[0].size here."},
		{"{\"body\":\"\xff\"}", "The body is not JSON"},
	} {
		got := f.refused(t, http.StatusBadRequest, "invalid_body", request{role: desk.RoleAgent, method: "POST", path: path, body: test.body})
		if detail := got.object(t)["detail"].(string); !strings.HasPrefix(detail, test.detail) {
			t.Errorf("body %s is refused with %q, want %q", test.body, detail, test.detail)
		}
	}
	f.refused(t, http.StatusUnsupportedMediaType, "media_type",
		request{role: desk.RoleAgent, method: "POST", path: path, body: `{"body":"a"}`}.with("Content-Type", "text/plain"))
	if n := f.mustDetail(t, strings.Split(path, "/")[4])["communicationCount"]; n != 1.0 {
		t.Errorf("the case has %v communications after refused replies, want 1", n)
	}
}

func TestParametersThatDoNotFitAreExplained(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for query, detail := range map[string]string{
		"/cases?colour=red":        `There is no parameter "colour" here.`,
		"/cases?view=odd":          `The parameter view must be one of unassigned, mine, team, waiting, breaching, open, all, not "odd".`,
		"/cases?limit=many":        `The parameter limit is no number: "many".`,
		"/cases?limit=-1":          `The parameter limit is no number: "-1".`,
		"/cases?tag=a&tag=b":       `The parameter tag comes more than once.`,
		"/cases?tag=%zz":           `The query cannot be read: invalid URL escape "%zz".`,
		"/audit?from=yesterday":    `The parameter from is no time such as 2026-01-31T12:00:00Z: "yesterday".`,
		"/audit?limit=201":         `The parameter limit is at most 200.`,
		"/me?verbose=true":         `There is no parameter "verbose" here.`,
		"/cases?text=%ff":          `The parameter text is not in UTF-8.`,
		"/cases/%ed%a0%80":         `The parameter case is not in UTF-8.`,
		"/cases?limit=201":         `The parameter limit is at most 200.`,
		"/cases?view=mine&limit=0": "",
	} {
		got := f.do(t, request{role: desk.RoleAdministrator, method: "GET", path: "/desk/v1" + query})
		want := http.StatusBadRequest
		if detail == "" {
			want = http.StatusOK
		}
		if have, _ := got.object(t)["detail"].(string); got.status != want || have != detail {
			t.Errorf("GET %s = %d %q, want %d %q", query, got.status, have, want, detail)
		}
	}
}

func TestLargeBodiesAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path := "/desk/v1/cases/" + f.mustCase(t, "Hello")
	note := func(n int) request {
		return request{role: desk.RoleAgent, method: "POST", path: path + "/notes", body: `{"body":"` + strings.Repeat("a", n) + `"}`}
	}
	f.refused(t, http.StatusRequestEntityTooLarge, "body_too_large", note(maxBody))
	f.refused(t, http.StatusBadRequest, "invalid", note(maxBody-100)) // read, and too long for a note

	reply := func(files, size int) request {
		file := `{"fileName":"a.bin","data":"` + base64.StdEncoding.EncodeToString(make([]byte, size)) + `"}`
		all := strings.TrimSuffix(strings.Repeat(file+",", files), ",")
		return request{role: desk.RoleAgent, method: "POST", path: path + "/reply", body: `{"body":"Here.","attachments":[` + all + `]}`}
	}
	f.must(t, http.StatusOK, reply(3, cases.MaxFileSize))
	f.refused(t, http.StatusRequestEntityTooLarge, "attachment_set_size_limit", reply(1, cases.MaxFileSize+1))
	f.refused(t, http.StatusRequestEntityTooLarge, "body_too_large", reply(4, cases.MaxFileSize))
}

func TestBodiesWithoutALengthAreLimitedAsWell(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/desk/v1/cases/x/notes", strings.NewReader(strings.Repeat(" ", maxBody+1)))
	r.ContentLength = -1
	r.Header.Set("Authorization", "Bearer "+f.tokens[desk.RoleAgent])
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of unknown length = %d %s, want 413", w.Code, w.Body)
	}
}

func TestFaultsHaveTheirStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault  *fault.Error
		status int
	}{
		{desk.ErrNotFound, 404},
		{desk.ErrInvalid, 400},
		{desk.ErrConflict, 409},
		{desk.ErrDenied, 403},
		{desk.ErrUnknownToken, 401},
		{desk.ErrChanged, 412},
		{desk.ErrKeyReused, 422},
		{cases.ErrCaseNotFound, 404},
		{cases.ErrStatusNotAllowed, 409},
		{cases.ErrReopenWindowOver, 409},
		{cases.ErrUnknownSeverity, 400},
		{cases.ErrInvalidText, 400},
		{cases.ErrCaseCreationLimit, 429},
		{cases.ErrAttachmentNotFound, 404},
		{cases.ErrSetSizeLimit, 413},
		{cases.ErrSetExpired, 410},
		{errIfMatchNeeded, 428},
	} {
		if got := status(test.fault.With("Something.")); got != test.status {
			t.Errorf("status(%s) = %d, want %d", test.fault.Code, got, test.status)
		}
	}
}

func TestInternalErrorsTellOnlyTheRequestID(t *testing.T) {
	t.Parallel()
	secret := errors.New("the password is swordfish")
	var record accesslog.Record
	handler := accesslog.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, fmt.Errorf("read: %w", secret))
	}), slog.New(slog.DiscardHandler), func(r *accesslog.Record) { record = *r })
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/desk/v1/me", nil))
	got := answered{status: w.Code, header: w.Header(), body: w.Body.String()}
	if got.status != http.StatusInternalServerError || got.code(t) != "internal" || strings.Contains(got.body, "swordfish") {
		t.Errorf("an internal error is told as %d %s", got.status, got.body)
	}
	if id := got.object(t)["requestId"]; id != record.RequestID || id == "" {
		t.Errorf("the answer has the request id %v, want %s", id, record.RequestID)
	}
	if !errors.Is(record.Err, secret) || record.ErrorCode != "internal" {
		t.Errorf("the log has %v and %q, want all of the error", record.Err, record.ErrorCode)
	}
}

func TestACallerWhoWentAwayIsNoError(t *testing.T) {
	t.Parallel()
	var record accesslog.Record
	handler := accesslog.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, fmt.Errorf("read: %w", r.Context().Err()))
	}), slog.New(slog.DiscardHandler), func(r *accesslog.Record) { record = *r })
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(gone, "GET", "/desk/v1/me", nil))
	if w.Code != statusClientGone || record.ErrorCode != "client_gone" || record.Err != nil {
		t.Errorf("a caller who went away = %d, logged as %q and %v, want no error", w.Code, record.ErrorCode, record.Err)
	}
}

func TestLongTextsOfFaultsAreCut(t *testing.T) {
	t.Parallel()
	got := tell(errBody.With("%s", strings.Repeat("a", maxText-1)+"äää")).Detail
	if want := strings.Repeat("a", maxText-1) + "\uFFFD…"; got != want {
		t.Errorf("a long text ends with %q, want %q", got[maxText-2:], want[maxText-2:])
	}
}

func TestRequestsLeaveARecord(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.mustCase(t, "Hello")
	f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "POST", path: "/desk/v1/cases/" + id + "/reply", body: `{"body":"Hello."}`})
	principal := "agent:" + f.agents[desk.RoleAgent].ID
	if r := f.lastRecord(); r.Operation != "desk.ReplyToCase" || r.Account != account || r.Principal != principal || r.ErrorCode != "" {
		t.Errorf("a reply left the record %+v, want operation, account and principal %s", r, principal)
	}
	display := f.mustDetail(t, id)["displayId"].(string)
	f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "POST", path: "/desk/v1/cases/" + display + "/claim"})
	if r := f.lastRecord(); r.Account != account {
		t.Errorf("a call by display id left the account %q, want %s", r.Account, account)
	}
	f.refused(t, http.StatusForbidden, "denied", request{role: desk.RoleAuditor, method: "POST", path: "/desk/v1/cases/" + id + "/claim"})
	if r := f.lastRecord(); r.ErrorCode != "denied" || r.Operation != "desk.ClaimCase" {
		t.Errorf("a refused claim left the record %+v, want its operation and the code", r)
	}
}

func TestChangesAreFoundInTheAuditLogByTheirRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.mustCase(t, "Hello")
	f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "POST", path: "/desk/v1/cases/" + id + "/claim"})
	asked := f.lastRecord().RequestID
	log := f.must(t, http.StatusOK, request{role: desk.RoleAuditor, method: "GET", path: "/desk/v1/audit?subject=" + id}).items(t)
	if len(log) != 1 || log[0]["requestId"] != asked || log[0]["action"] != "case.claim" || log[0]["account"] != account {
		t.Errorf("the audit log has %v, want the claim of request %s", log, asked)
	}
	before, after := log[0]["before"].(map[string]any), log[0]["after"].(map[string]any)
	if before["assignee"] != "" || after["assignee"] != f.agents[desk.RoleAgent].ID {
		t.Errorf("the claim went from assignee %q to %q, want the agent", before["assignee"], after["assignee"])
	}
}

func TestAPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.api.mux.HandleFunc("GET /desk/v1/broken", f.api.handler(route{
		name: "Break", need: desk.Read,
		operation: op(func(context.Context, desk.Caller, *none) (*none, error) { panic("swordfish") }),
	}))
	got := f.refused(t, http.StatusInternalServerError, "internal", request{role: desk.RoleAgent, method: "GET", path: "/desk/v1/broken"})
	if err := f.lastRecord().Err; err == nil || !strings.Contains(err.Error(), "swordfish") || strings.Contains(got.body, "swordfish") {
		t.Errorf("a panic is told as %s and logged as %v, want it in the log only", got.body, err)
	}
}

func TestBodiesOfManySmallValuesAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path := "/desk/v1/cases/" + f.mustCase(t, "Hello") + "/reply"
	body := `{"body":"a","attachments":[` + strings.Repeat("{},", maxBody/3) + `{}]}`
	got := f.refused(t, http.StatusBadRequest, "invalid_body", request{role: desk.RoleAgent, method: "POST", path: path, body: body})
	if detail := got.object(t)["detail"]; detail != "The body has more than 10000 values." {
		t.Errorf("the body is refused with %q, want that it has too many values", detail)
	}
	f.refused(t, http.StatusBadRequest, "invalid_body", request{role: desk.RoleAgent, method: "POST", path: path, body: strings.Repeat(" ", maxBody) + `{"body":`})
}

// noticed tells when its text was read.
type noticed struct {
	text   *strings.Reader
	readAt time.Time
}

func (n *noticed) Read(p []byte) (int, error) {
	n.readAt = time.Now()
	return n.text.Read(p)
}

func TestASlowBodyTakesNothingFromTheTimeOfTheDesk(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var deadline time.Time
	f.api.mux.HandleFunc("POST /desk/v1/slow", f.api.handler(route{
		name: "Slow", need: desk.Work,
		operation: op(func(ctx context.Context, _ desk.Caller, _ *none) (*none, error) {
			deadline, _ = ctx.Deadline()
			return &none{}, nil
		}),
	}))
	body := &noticed{text: strings.NewReader("{}")}
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/desk/v1/slow", body)
	r.Header.Set("Authorization", "Bearer "+f.tokens[desk.RoleAgent])
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	if w.Code != http.StatusNoContent || deadline.Before(body.readAt.Add(patience)) {
		t.Errorf("the call = %d, and ends at %v, want %v after the body was read at %v", w.Code, deadline, patience, body.readAt)
	}
}

func TestAnswersAreDatedByTheClockOfTheDesk(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.clock.Advance(40 * 24 * time.Hour)
	got := f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "GET", path: "/desk/v1/me"})
	if at, err := http.ParseTime(got.header.Get("Date")); err != nil || !at.Equal(f.clock.Now().Truncate(time.Second)) {
		t.Errorf("the answer is of %q, want %v", got.header.Get("Date"), f.clock.Now())
	}
}

// Every place is taken by an upload that does not end.
func TestLargeBodiesWaitForAPlace(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range largeBodies {
		f.api.places.all <- struct{}{}
	}
	path := "/desk/v1/cases/" + f.mustCase(t, "Hello") + "/reply"
	large := request{role: desk.RoleAgent, method: "POST", path: path, body: `{"body":"a"}` + strings.Repeat(" ", maxBody)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, large.method, large.path, large.reader(t))
	if _, _, err := f.api.readBody(r, operation{in: reader{files: true}}, "somebody"); !errors.Is(err, errThrottled) {
		t.Errorf("a large body without a place = %v, want errThrottled", err)
	}
	small := large
	small.body = `{"body":"a"}`
	f.must(t, http.StatusOK, small)
	<-f.api.places.all
	f.must(t, http.StatusOK, large)
	f.must(t, http.StatusOK, large) // the place was given back
}

func TestOneAgentDoesNotTakeAllPlacesForLargeBodies(t *testing.T) {
	t.Parallel()
	p := newPlaces()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	take := func(agent string) func() {
		release, err := p.take(t.Context(), agent)
		mustNot(t, err)
		return release
	}
	first, second := take("ann"), take("ann")
	if _, err := p.take(gone, "ann"); !errors.Is(err, errThrottled) {
		t.Errorf("a third place of an agent = %v, want errThrottled", err)
	}
	for _, other := range []string{"bob", "bob", "cid", "cid", "dan", "dan"} {
		defer take(other)()
	}
	if _, err := p.take(gone, "eve"); !errors.Is(err, errThrottled) {
		t.Errorf("a ninth place = %v, want errThrottled", err)
	}
	first()
	take("ann")()
	second()
	if len(p.all) != 6 || len(p.own) != 3 {
		t.Errorf("there are %d places taken, of %d agents, want 6 of 3", len(p.all), len(p.own))
	}
}

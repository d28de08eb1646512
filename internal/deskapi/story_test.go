package deskapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

func TestTwoWhoChangeTheSameDoNotOverwriteEachOther(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	put := request{role: desk.RoleLead, method: "PUT", path: "/desk/v1/teams/network", body: `{"name":"Network"}`}
	first := f.must(t, http.StatusOK, put).header.Get("ETag")
	if first != `"v1"` {
		t.Fatalf(`the new team has the ETag %s, want "v1"`, first)
	}
	f.refused(t, http.StatusPreconditionRequired, "if_match_needed", put)
	put.body = `{"name":"Networking"}`
	second := f.must(t, http.StatusOK, put.with("If-Match", first)).header.Get("ETag")
	put.body = `{"name":"Nets"}`
	for _, stale := range []string{first, `"2"`, `"v02"`, `"v-2"`, `"v0"`, `"another"`} {
		f.refused(t, http.StatusPreconditionFailed, "changed", put.with("If-Match", stale))
	}
	for _, wrong := range []string{first + ", " + second, `W/` + second, `v2`, `"v2`, `"`, "", `"v"2"`, `*, ` + second} {
		f.refused(t, http.StatusBadRequest, "invalid_if_match", put.with("If-Match", wrong))
	}
	remove := request{role: desk.RoleLead, method: "DELETE", path: put.path}
	f.refused(t, http.StatusPreconditionFailed, "changed", remove.with("If-Match", first))
	f.must(t, http.StatusNoContent, remove.with("If-Match", second))
	f.refused(t, http.StatusNotFound, "not_found", remove)
}

func TestSettingsThatNobodyWroteCanBeReplacedOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	read := f.must(t, http.StatusOK, request{role: desk.RoleAdministrator, method: "GET", path: "/desk/v1/settings"})
	put := request{role: desk.RoleAdministrator, method: "PUT", path: "/desk/v1/settings", body: read.body}
	f.refused(t, http.StatusPreconditionRequired, "if_match_needed", put)
	f.must(t, http.StatusOK, put.with("If-Match", read.header.Get("ETag")))
	f.refused(t, http.StatusPreconditionFailed, "changed", put.with("If-Match", read.header.Get("ETag")))
	f.must(t, http.StatusOK, put.with("If-Match", "*"))
	f = newFixture(t)
	f.must(t, http.StatusOK, put.with("If-Match", "*"))
}

func TestAnyVersionWillDoWhereThereIsOne(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	put := request{role: desk.RoleLead, method: "PUT", path: "/desk/v1/teams/network", body: `{"name":"Network"}`}
	f.refused(t, http.StatusPreconditionFailed, "changed", put.with("If-Match", "*"))
	f.must(t, http.StatusOK, put)
	if got := f.must(t, http.StatusOK, put.with("If-Match", "*")).header.Get("ETag"); got != `"v2"` {
		t.Errorf(`PUT with If-Match: * makes %s, want "v2"`, got)
	}
	claim := request{role: desk.RoleAgent, method: "POST", path: "/desk/v1/cases/" + f.mustCase(t, "Hello") + "/claim"}
	f.must(t, http.StatusOK, claim.with("If-Match", "*"))
	agent := f.must(t, http.StatusOK, request{role: desk.RoleLead, method: "GET", path: "/desk/v1/agents/" + f.agents[desk.RoleAgent].ID})
	change := request{role: desk.RoleAdministrator, method: "PUT", path: "/desk/v1/agents/agent@example.com", body: agent.body}
	f.must(t, http.StatusOK, change.with("If-Match", "*"))
	f.must(t, http.StatusNoContent, request{role: desk.RoleLead, method: "DELETE", path: put.path}.with("If-Match", "*"))
}

func TestChangesOfACaseThatWasChangedSinceAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path := "/desk/v1/cases/" + f.mustCase(t, "Hello")
	seen := f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "GET", path: path}).header.Get("ETag")
	reply := request{role: desk.RoleAgent, method: "POST", path: path + "/reply", body: `{"body":"Hello."}`}.with("If-Match", seen)
	now := f.must(t, http.StatusOK, reply).header.Get("ETag")
	if now == seen {
		t.Errorf("the ETag is %s before and after a reply", now)
	}
	f.refused(t, http.StatusPreconditionFailed, "changed", reply)
	if read := f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "GET", path: path}); read.header.Get("ETag") != now {
		t.Errorf("the case has the ETag %s, want %s as the reply said", read.header.Get("ETag"), now)
	}
}

func TestWhatACallerHasIsNotSentAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path := "/desk/v1/cases/" + f.mustCase(t, "Hello")
	get := request{role: desk.RoleAgent, method: "GET", path: path}
	seen := f.must(t, http.StatusOK, get).header.Get("ETag")
	for _, known := range []string{seen, "W/" + seen, `"v100", ` + seen, "*"} {
		if got := f.must(t, http.StatusNotModified, get.with("If-None-Match", known)); got.header.Get("ETag") != seen {
			t.Errorf("If-None-Match %s is answered with the ETag %s, want %s", known, got.header.Get("ETag"), seen)
		}
	}
	f.must(t, http.StatusOK, get.with("If-None-Match", `"v100"`))
	f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "HEAD", path: path})
}

func TestARequestThatComesAgainHappensOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.mustCase(t, "Hello")
	reply := request{role: desk.RoleAgent, method: "POST", path: "/desk/v1/cases/" + id + "/reply", body: `{"body":"Hello."}`}.with("Idempotency-Key", "k-1")
	first, again := f.must(t, http.StatusOK, reply), f.must(t, http.StatusOK, reply)
	if first.body != again.body || first.header.Get("ETag") != again.header.Get("ETag") {
		t.Errorf("the repeated request is answered with %s, want %s", again.body, first.body)
	}
	if n := f.mustDetail(t, id)["communicationCount"]; n != 2.0 {
		t.Errorf("the case has %v communications, want 2", n)
	}
	other := reply
	other.body = `{"body":"Goodbye."}`
	f.refused(t, http.StatusUnprocessableEntity, "idempotency_key_reused", other)
	other = reply
	other.path = "/desk/v1/cases/" + id + "/customer-reply"
	f.refused(t, http.StatusUnprocessableEntity, "idempotency_key_reused", other)
	other = reply
	other.role = desk.RoleLead
	f.must(t, http.StatusOK, other) // keys of agents have nothing to do with each other

	opened := request{role: desk.RoleAgent, method: "POST", path: "/desk/v1/cases", body: `{"account":"` + account + `","subject":"Phone","body":"They called."}`}.with("Idempotency-Key", "k-2")
	if a, b := f.must(t, http.StatusCreated, opened), f.must(t, http.StatusCreated, opened); a.header.Get("Location") != b.header.Get("Location") {
		t.Errorf("a case was opened at %s and, again, at %s", a.header.Get("Location"), b.header.Get("Location"))
	}
}

func TestEveryChangeThatComesAgainGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, route := range f.api.routes() {
		if route.method == http.MethodGet || route.name == "CreateToken" { // whose text is not kept
			continue
		}
		r := f.valid(t, route, desk.RoleAdministrator).with("Idempotency-Key", f.name("key"))
		r.role, r.method = desk.RoleAdministrator, route.method
		first, again := f.do(t, r), f.do(t, r)
		if first.status >= 300 || again.status != first.status || again.body != first.body {
			t.Errorf("%s = %d %s and, again, %d %s, want the first answer twice", route.name, first.status, first.body, again.status, again.body)
		}
		for _, name := range []string{"ETag", "Location"} {
			if a, b := first.header.Get(name), again.header.Get(name); a != b {
				t.Errorf("%s has the %s %q and, again, %q", route.name, name, a, b)
			}
		}
	}
}

func TestAChangeOfTheAddressThatItNamesMayComeAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path := "/desk/v1/agents/agent@example.com"
	read := f.must(t, http.StatusOK, request{role: desk.RoleAdministrator, method: "GET", path: path})
	body := read.object(t)
	body["email"] = "jo@example.com"
	put := request{role: desk.RoleAdministrator, method: "PUT", path: path, body: body}.with("If-Match", read.header.Get("ETag"))
	keyed := put.with("Idempotency-Key", "k")
	first, again := f.must(t, http.StatusOK, keyed), f.must(t, http.StatusOK, keyed)
	if first.body != again.body {
		t.Errorf("the repeated request is answered with %s, want %s", again.body, first.body)
	}
	f.refused(t, http.StatusNotFound, "not_found", put)
}

func TestBadIdempotencyKeysAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	claim := request{role: desk.RoleAgent, method: "POST", path: "/desk/v1/cases/" + f.mustCase(t, "Hello") + "/claim"}
	for _, key := range []string{"", "a b", "ä", "a\x7f", strings.Repeat("a", 256)} {
		f.refused(t, http.StatusBadRequest, "invalid_idempotency_key", claim.with("Idempotency-Key", key))
	}
	f.refused(t, http.StatusBadRequest, "invalid_idempotency_key", claim.with("Idempotency-Key", "a").with("Idempotency-Key", "b"))
	f.must(t, http.StatusOK, claim.with("Idempotency-Key", strings.Repeat("~", 255)))
}

func TestTokensHaveTheirRate(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *Config) { c.RequestsPerSecond = 2 })
	me := request{role: desk.RoleAgent, method: "GET", path: "/desk/v1/me"}
	f.must(t, http.StatusOK, me)
	f.must(t, http.StatusOK, me)
	got := f.refused(t, http.StatusTooManyRequests, "throttled", me)
	if after := got.header.Get("Retry-After"); after != "1" {
		t.Errorf("Retry-After is %q, want 1", after)
	}
	f.must(t, http.StatusOK, request{role: desk.RoleLead, method: "GET", path: "/desk/v1/me"})
	f.clock.Advance(500 * time.Millisecond)
	f.must(t, http.StatusOK, me)
	f.refused(t, http.StatusTooManyRequests, "throttled", me)
}

func TestTheLimiterForgetsTheIdleFirst(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := newLimiter(1, func() time.Time { return now })
	l.most = 3
	for _, token := range []string{"a", "b"} {
		mustNot(t, l.admit(token))
	}
	now = now.Add(time.Minute)
	mustNot(t, l.admit("busy"))
	mustNot(t, l.admit("c"))
	if err := l.admit("busy"); err == nil {
		t.Error("the busy token was forgotten")
	}
	for i := range 10 {
		mustNot(t, l.admit(fmt.Sprint(i)))
		if len(l.buckets) > l.most {
			t.Fatalf("the limiter watches %d tokens, want %d at most", len(l.buckets), l.most)
		}
	}
}

func TestPagesGoOnWhereTheLastOneEnded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var want []string
	for i := range 5 {
		want = append(want, f.mustCase(t, fmt.Sprintf("Case %d", i)))
	}
	slices.Sort(want)
	var got []string
	query := url.Values{"limit": {"2"}, "account": {account}}
	for range 3 {
		page := f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "GET", path: "/desk/v1/cases?" + query.Encode()})
		for _, item := range page.items(t) {
			got = append(got, item["caseId"].(string))
		}
		next, ok := page.object(t)["next"].(string)
		if !ok {
			break
		}
		query.Set("next", next)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the pages have other cases than there are (-want +got):\n%s", diff)
	}
	f.checkNextIsBound(t, query)
}

// checkNextIsBound uses the next token of a query where it does not belong.
func (f *fixture) checkNextIsBound(t *testing.T, query url.Values) {
	t.Helper()
	next := query.Get("next")
	if next == "" {
		t.Fatal("there was one page only")
	}
	for name, r := range map[string]request{
		"another agent":   {role: desk.RoleLead, path: "/desk/v1/cases?" + query.Encode()},
		"another query":   {role: desk.RoleAgent, path: "/desk/v1/cases?limit=2&next=" + next},
		"another list":    {role: desk.RoleAdministrator, path: "/desk/v1/audit?next=" + next},
		"a changed one":   {role: desk.RoleAgent, path: "/desk/v1/cases?account=" + account + "&next=A" + next},
		"no token":        {role: desk.RoleAgent, path: "/desk/v1/cases?next=%00"},
		"an invented one": {role: desk.RoleAgent, path: "/desk/v1/cases?next=e30"},
	} {
		r.method = "GET"
		t.Log(name)
		f.refused(t, http.StatusBadRequest, "invalid_next", r)
	}
}

func TestTheAuditLogHasPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	whole := f.must(t, http.StatusOK, request{role: desk.RoleAuditor, method: "GET", path: "/desk/v1/audit"})
	var got []any
	path := "/desk/v1/audit?limit=3"
	for path != "" {
		page := f.must(t, http.StatusOK, request{role: desk.RoleAuditor, method: "GET", path: path})
		got = append(got, page.object(t)["items"].([]any)...)
		path = ""
		if next, ok := page.object(t)["next"].(string); ok {
			path = "/desk/v1/audit?limit=3&next=" + next
		}
	}
	if diff := cmp.Diff(whole.object(t)["items"], any(got)); diff != "" || len(got) < 8 {
		t.Errorf("pages of three have %d entries, other than the whole (-whole +pages):\n%s", len(got), diff)
	}
}

func TestFilesComeAsDownloads(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.mustCase(t, "Hello")
	said := f.mustDetail(t, id)["communications"].([]any)[0].(map[string]any)
	file := said["attachments"].([]any)[0].(map[string]any)
	got := f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "GET", path: "/desk/v1/cases/" + id + "/attachments/" + file["attachmentId"].(string)})
	if got.body != "hello" {
		t.Errorf("the file has the content %q, want hello", got.body)
	}
	for name, want := range map[string]string{
		"Content-Type":            "application/octet-stream",
		"Content-Disposition":     `attachment; filename="Gr__e _1_.txt"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%221%22.txt`,
		"Content-Security-Policy": "sandbox; default-src 'none'",
		"X-Content-Type-Options":  "nosniff",
	} {
		if have := got.header.Get(name); have != want {
			t.Errorf("%s of a file is %q, want %q", name, have, want)
		}
	}
	other := f.mustCase(t, "Another")
	f.must(t, http.StatusNotFound, request{role: desk.RoleAgent, method: "GET", path: "/desk/v1/cases/" + other + "/attachments/" + file["attachmentId"].(string)})
}

func TestDispositionNamesFilesForOldAndNewClients(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"log.txt":    `attachment; filename="log.txt"`,
		"my log.txt": `attachment; filename="my log.txt"`,
		`a"b.txt`:    `attachment; filename="a_b.txt"; filename*=UTF-8''a%22b.txt`,
		"50%.txt":    `attachment; filename="50_.txt"; filename*=UTF-8''50%25.txt`,
		"a\r\nb":     `attachment; filename="a__b"; filename*=UTF-8''a%0D%0Ab`,
		"日本.txt":     `attachment; filename="__.txt"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt`,
		"a:=@(').é":  `attachment; filename="a:=@(')._"; filename*=UTF-8''a%3A%3D%40%28%27%29.%C3%A9`,
	} {
		if got := disposition(name); got != want {
			t.Errorf("disposition(%q) = %s, want %s", name, got, want)
		}
	}
}

// TestACaseFromTheQueueToItsEnd is what an agent's day is like.
func TestACaseFromTheQueueToItsEnd(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.mustCase(t, "The printer burns")
	path := "/desk/v1/cases/" + id
	agent := f.agents[desk.RoleAgent].ID
	work := func(method, path string, body any) answered {
		t.Helper()
		return f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: method, path: path, body: body})
	}
	if found := work("GET", "/desk/v1/cases?view=unassigned&text=printer", nil).items(t); len(found) != 1 || found[0]["caseId"] != id {
		t.Fatalf("the queue has %v, want the case", found)
	}
	work("POST", path+"/claim", nil)
	work("POST", path+"/notes", map[string]any{"body": "Asked the vendor."})
	f.must(t, http.StatusOK, request{role: desk.RoleLead, method: "PUT", path: path + "/presence", body: `{"replying":true}`})
	replied := work("POST", path+"/reply", map[string]any{
		"body": "Use water.", "status": "resolved",
		"attachments": []map[string]any{{"fileName": "how.txt", "data": []byte("Pour.")}},
	}).object(t)
	others := replied["others"].([]any)
	if len(others) != 1 || others[0].(map[string]any)["agent"] != f.agents[desk.RoleLead].ID {
		t.Errorf("the reply tells of %v, want the lead who is writing as well", others)
	}
	detail := f.mustDetail(t, id)
	said := detail["communications"].([]any)
	last := said[len(said)-1].(map[string]any)
	if last["submittedBy"] != "Amazon Web Services" || last["agent"] != agent || len(last["attachments"].([]any)) != 1 {
		t.Errorf("the last communication is %v, want the agent's with the file, under the provider's name", last)
	}
	if detail["status"] != "resolved" || detail["assignee"] != agent || detail["resolvedAt"] == nil {
		t.Errorf("the case is %v of %v, resolved at %v; want resolved of %s", detail["status"], detail["assignee"], detail["resolvedAt"], agent)
	}
	var events []string
	for _, line := range work("GET", path+"/timeline", nil).items(t) {
		events = append(events, line["event"].(string))
	}
	for _, want := range []string{"communication", "note", "moved"} {
		if !slices.Contains(events, want) {
			t.Errorf("the timeline has %v, want %s among it", events, want)
		}
	}
}

func TestAgentsCanBeReadChangedAndWrittenBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	made := f.must(t, http.StatusCreated, request{role: desk.RoleAdministrator, method: "POST", path: "/desk/v1/agents", body: newAgentBody("jo@example.com")})
	path := made.header.Get("Location")
	read := f.must(t, http.StatusOK, request{role: desk.RoleAdministrator, method: "GET", path: path})
	body := read.object(t)
	body["capacity"] = 7
	put := request{role: desk.RoleAdministrator, method: "PUT", path: "/desk/v1/agents/jo@example.com", body: body}
	f.refused(t, http.StatusPreconditionRequired, "if_match_needed", put)
	changed := f.must(t, http.StatusOK, put.with("If-Match", read.header.Get("ETag"))).object(t)
	if changed["capacity"] != 7.0 || changed["id"] != body["id"] || changed["createdAt"] != body["createdAt"] {
		t.Errorf("the agent became %v, want capacity 7 and all else as in %v", changed, body)
	}
	delete(body, "active")
	got := f.refused(t, http.StatusBadRequest, "invalid_body", put.with("If-Match", `"v2"`))
	if got.object(t)["detail"] != "The member active is missing." {
		t.Errorf("an agent without active is refused with %s", got.body)
	}
}

func TestATokenIsShownOnceAndLetsItsAgentInUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tokens := "/desk/v1/agents/" + f.agents[desk.RoleAgent].ID + "/tokens"
	made := f.must(t, http.StatusCreated, request{role: desk.RoleAgent, method: "POST", path: tokens, body: `{"name":"bot","permissions":["read"],"lifeSeconds":3600}`})
	text := made.object(t)["token"].(string)
	me := request{token: text, method: "GET", path: "/desk/v1/me"}
	if may := f.must(t, http.StatusOK, me).object(t)["permissions"]; !cmp.Equal(may, []any{"read"}) {
		t.Errorf("the token allows %v, want read", may)
	}
	if listed := f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "GET", path: tokens}); strings.Contains(listed.body, text) || !strings.Contains(listed.body, `"bot"`) {
		t.Errorf("the list of tokens is %s, want the new one without its text", listed.body)
	}
	f.must(t, http.StatusNoContent, request{role: desk.RoleAgent, method: "DELETE", path: made.header.Get("Location")})
	f.refused(t, http.StatusUnauthorized, "unknown_token", me)
	for _, wrong := range []string{"-1", "31536001", "9223372036854775807"} {
		got := f.refused(t, http.StatusBadRequest, "invalid_body", request{role: desk.RoleAgent, method: "POST", path: tokens, body: `{"name":"bot","lifeSeconds":` + wrong + `}`})
		if detail := got.object(t)["detail"].(string); !strings.Contains(detail, "1 to 31536000") {
			t.Errorf("a life of %s seconds is refused with %q, want the bounds", wrong, detail)
		}
	}
}

func TestALongCaseComesInPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	id := f.mustCase(t, "Hello")
	mustNot(t, f.desk.Store.Update(ctx, account, func(tx desk.Tx) error {
		for range 104 {
			if _, _, err := f.cases.Reply(ctx, tx, cases.NewReply{Account: account, CaseID: id, Body: "x", By: "P"}); err != nil {
				return err
			}
		}
		return nil
	}))
	path := "/desk/v1/cases/" + id
	if d := f.mustDetail(t, id); len(d["communications"].([]any)) != 100 || d["moreCommunications"] != true {
		t.Errorf("the case has %d communications, and more %v, want the last hundred of 105", len(d["communications"].([]any)), d["moreCommunications"])
	}
	if d := f.mustDetail(t, f.mustCase(t, "Short")); d["moreCommunications"] != false {
		t.Errorf("a case with one communication has more: %v", d["moreCommunications"])
	}
	all := func(path, query string) (sizes []int, items []map[string]any) {
		for next := ""; ; {
			got := f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "GET", path: path + "?" + query + "&next=" + url.QueryEscape(next)})
			sizes, items = append(sizes, len(got.items(t))), append(items, got.items(t)...)
			if next, _ = got.object(t)["next"].(string); next == "" {
				return sizes, items
			}
		}
	}
	sizes, said := all(path+"/communications", "")
	if !cmp.Equal(sizes, []int{50, 50, 5}) || said[0]["number"] != 105.0 || said[104]["number"] != 1.0 {
		t.Errorf("pages of communications have %v, from %v to %v, want all 105, newest first", sizes, said[0]["number"], said[104]["number"])
	}
	sizes, lines := all(path+"/timeline", "limit=53")
	if !cmp.Equal(sizes, []int{53, 52}) || lines[104]["detail"].(map[string]any)["number"] != 105.0 {
		t.Errorf("pages of the timeline have %v, and end with %v, want all 105, oldest first", sizes, lines[len(lines)-1])
	}
	f.refused(t, http.StatusBadRequest, "invalid_parameter", request{role: desk.RoleAgent, method: "GET", path: path + "/timeline?limit=201"})
	next := f.must(t, http.StatusOK, request{role: desk.RoleAgent, method: "GET", path: path + "/timeline"}).object(t)["next"].(string)
	f.refused(t, http.StatusBadRequest, "invalid_next", request{role: desk.RoleAgent, method: "GET", path: path + "/communications?next=" + url.QueryEscape(next)})
}

func TestATokenIsNotShownToARequestThatComesAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path := "/desk/v1/agents/" + f.agents[desk.RoleAgent].ID + "/tokens"
	create := request{role: desk.RoleAgent, method: "POST", path: path, body: `{"name":"bot"}`}.with("Idempotency-Key", "k")
	made := f.must(t, http.StatusCreated, create).object(t)
	again := f.refused(t, http.StatusConflict, "conflict", create)
	if !strings.Contains(again.body, made["id"].(string)) || strings.Contains(again.body, made["token"].(string)) {
		t.Errorf("the repeated request is answered with %s, want the id of the token %v alone", again.body, made["id"])
	}
}

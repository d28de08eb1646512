package deskapi

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/desk"
)

// TestEveryRouteByEveryRole calls every route without a token and by an agent of
// each role, with a request that succeeds for whoever may make it. The table of
// what must come out is testdata/roles.txt; a route without a row fails.
func TestEveryRouteByEveryRole(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	rows := mustReadRoles(t)
	var want, got []string
	for _, route := range f.api.routes() {
		name := route.method + " " + route.path
		row, ok := rows[name]
		if !ok {
			t.Errorf("testdata/roles.txt has no row for %s", name)
			continue
		}
		want = append(want, row)
		cells := []string{f.cell(t, route, "")}
		for _, role := range roles() {
			cells = append(cells, f.cell(t, route, role))
		}
		got = append(got, fmt.Sprintf("%-57s %s", name, strings.Join(cells, " ")))
		delete(rows, name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes answer other statuses than testdata/roles.txt has (-want +got):\n%s", diff)
	}
	for name := range rows {
		t.Errorf("testdata/roles.txt has a row for %s, which is no route", name)
	}
}

// mustReadRoles returns the rows of the table by route.
func mustReadRoles(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open("testdata/roles.txt")
	mustNot(t, err)
	defer func() { mustNot(t, file.Close()) }()
	rows := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		name := fields[0] + " " + fields[1]
		if rows[name] != "" {
			t.Errorf("testdata/roles.txt has two rows for %s", name)
		}
		rows[name] = line
	}
	mustNot(t, lines.Err())
	return rows
}

func (f *fixture) cell(t *testing.T, route route, role desk.Role) string {
	t.Helper()
	r := f.valid(t, route, role)
	r.role, r.method = role, route.method
	return fmt.Sprint(f.do(t, r).status)
}

// valid returns a request of a route that succeeds for whoever may make it, on
// things that are made for it.
func (f *fixture) valid(t *testing.T, route route, role desk.Role) request {
	t.Helper()
	if strings.Contains(route.path, "{case}") {
		return f.validOnCase(t, route, role)
	}
	if strings.Contains(route.path, "{agent}") {
		return f.validOnAgent(t, route, role)
	}
	if strings.Contains(route.path, "{id}") {
		return f.validOnDocument(t, route)
	}
	r := request{path: route.path}
	switch route.name {
	case "OpenCase":
		r.body = map[string]any{"account": account, "subject": "On the phone", "body": "They called."}
	case "CreateAgent":
		r.body = newAgentBody(f.name("new") + "@example.com")
	case "PutSettings":
		current := f.must(t, http.StatusOK, request{role: desk.RoleLead, method: "GET", path: r.path})
		r.body = current.body
		r = r.with("If-Match", current.header.Get("ETag"))
	}
	return r
}

func newAgentBody(email string) map[string]any {
	return map[string]any{"name": "New", "email": email, "role": "agent", "active": true}
}

// name returns a name that is not in use.
func (f *fixture) name(prefix string) string {
	f.names++
	return fmt.Sprintf("%s-%d", prefix, f.names)
}

func (f *fixture) validOnCase(t *testing.T, route route, role desk.Role) request {
	t.Helper()
	id := f.mustCase(t, "It is broken")
	path := "/desk/v1/cases/" + id
	r := request{path: strings.Replace(route.path, "/desk/v1/cases/{case}", path, 1)}
	lead := func(method, path string, body any) {
		t.Helper()
		if got := f.do(t, request{role: desk.RoleLead, method: method, path: path, body: body}); got.status >= 300 {
			t.Fatalf("%s %s = %d %s", method, path, got.status, got.body)
		}
	}
	switch route.name {
	case "GetAttachment":
		said := f.mustDetail(t, id)["communications"].([]any)[0].(map[string]any)
		file := said["attachments"].([]any)[0].(map[string]any)
		r.path = strings.Replace(r.path, "{attachment}", file["attachmentId"].(string), 1)
	case "AssignCase":
		r.body = map[string]any{"agent": f.agents[role].ID}
		if role == "" || role == desk.RoleAuditor {
			r.body = map[string]any{"release": true}
		}
	case "ReplyToCase", "ReplyForCustomer", "AddNote":
		r.body = map[string]any{"body": "Hello."}
	case "SetStatus":
		r.body = map[string]any{"status": "resolved"}
	case "TagCase":
		r.body = map[string]any{"add": []string{"vip"}}
	case "SetSeverity":
		r.body = map[string]any{"severity": "urgent", "reason": "Production is down."}
	case "LinkCase":
		r.body = map[string]any{"other": f.mustCase(t, "The same")}
	case "UnlinkCase":
		other := f.mustCase(t, "The same")
		lead("POST", path+"/links", map[string]any{"other": other})
		r.path = strings.Replace(r.path, "{other}", other, 1)
	case "MergeCase":
		r.body = map[string]any{"into": f.mustCase(t, "The same")}
	case "UnmergeCase":
		lead("POST", path+"/merge", map[string]any{"into": f.mustCase(t, "The same")})
	case "ApplyMacro":
		macro := f.name("macro")
		lead("PUT", "/desk/v1/macros/"+macro, map[string]any{"name": "Hello", "body": "Hello {{account.name}}."})
		r.body = map[string]any{"macro": macro}
	case "SetPresence":
		r.body = map[string]any{"replying": true}
	}
	return r
}

// validOnAgent is about the caller: what a route does to others is another test's.
func (f *fixture) validOnAgent(t *testing.T, route route, role desk.Role) request {
	t.Helper()
	subject := f.agents[desk.RoleAgent]
	if role != "" {
		subject = f.agents[role]
	}
	r := request{path: strings.Replace(route.path, "{agent}", subject.ID, 1)}
	switch route.name {
	case "PutAgent":
		current := f.must(t, http.StatusOK, request{role: desk.RoleLead, method: "GET", path: r.path})
		r.body = current.body
		r = r.with("If-Match", current.header.Get("ETag"))
	case "CreateToken":
		r.body = map[string]any{"name": "for a script"}
	case "RevokeToken":
		made, _, err := f.desk.CreateToken(t.Context(), desk.Operator(), subject.ID, desk.NewToken{Name: "old"})
		mustNot(t, err)
		r.path = strings.Replace(r.path, "{token}", made.ID, 1)
	}
	return r
}

func (f *fixture) validOnDocument(t *testing.T, route route) request {
	t.Helper()
	id, body := f.newDocument(route.path)
	r := request{path: strings.Replace(route.path, "{id}", id, 1)}
	if route.method == http.MethodPut {
		r.body = body
		return r
	}
	got := f.do(t, request{role: desk.RoleAdministrator, method: "PUT", path: r.path, body: body})
	if got.status != http.StatusOK && got.status != http.StatusPreconditionRequired {
		t.Fatalf("PUT %s = %d %s", r.path, got.status, got.body)
	}
	return r
}

// newDocument returns an id that is not in use, and a document that fits it.
func (f *fixture) newDocument(path string) (id string, body map[string]any) {
	switch {
	case strings.Contains(path, "/teams/"):
		return f.name("team"), map[string]any{"name": "Network", "services": []string{}}
	case strings.Contains(path, "/macros/"):
		return f.name("macro"), map[string]any{"name": "Hello", "body": "Hello."}
	case strings.Contains(path, "/calendars/"):
		return f.name("calendar"), map[string]any{"name": "Berlin", "zone": "Europe/Berlin", "hours": map[string]any{"mon": []string{"09:00-17:00"}}}
	}
	// There are no more promises than plans and severities.
	plans := []string{"developer", "business", "enterprise-on-ramp", "enterprise", "business-plus", "unified-operations", "any"}
	severities := []string{"low", "normal", "high", "urgent", "critical"}
	f.names++
	return plans[f.names%len(plans)] + "." + severities[f.names/len(plans)%len(severities)], map[string]any{"firstResponseMinutes": 30}
}

func TestATokenOfTheNamedPermissionIsEnough(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin := f.agents[desk.RoleAdministrator]
	for _, route := range f.api.routes() {
		if route.need == public || route.need == everyAgent {
			continue
		}
		_, token, err := f.desk.CreateToken(t.Context(), desk.Operator(), admin.ID, desk.NewToken{Name: "one permission", Permissions: []desk.Permission{route.need}})
		mustNot(t, err)
		r := f.valid(t, route, desk.RoleAdministrator)
		r.token, r.method = token, route.method
		if got := f.do(t, r); got.status >= 300 {
			t.Errorf("%s with a token for %s alone = %d %s, want success", route.name, route.need, got.status, got.body)
		}
	}
}

func TestScopedTokensMayDoWhatTheySay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, reading := f.mustHire(t, desk.RoleAdministrator, "reader@example.com", desk.Read)
	id := f.mustCase(t, "Hello")
	f.must(t, http.StatusOK, request{token: reading, method: "GET", path: "/desk/v1/cases/" + id})
	f.refused(t, http.StatusForbidden, "denied", request{token: reading, method: "POST", path: "/desk/v1/cases/" + id + "/claim"})
	f.refused(t, http.StatusForbidden, "denied", request{token: reading, method: "GET", path: "/desk/v1/audit"})
}

func TestAgentsDoNotTouchWhatIsOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	lead := f.agents[desk.RoleLead].ID
	_, _, err := f.desk.CreateToken(t.Context(), desk.Operator(), lead, desk.NewToken{Name: "a"})
	mustNot(t, err)
	tokens := "/desk/v1/agents/" + lead + "/tokens"
	assign := "/desk/v1/cases/" + f.mustCase(t, "Hello") + "/assign"
	for _, r := range []request{
		{method: "GET", path: tokens},
		{method: "POST", path: tokens, body: map[string]any{"name": "mine now"}},
		{method: "POST", path: assign, body: map[string]any{"agent": lead}},
	} {
		r.role = desk.RoleAgent
		f.refused(t, http.StatusForbidden, "denied", r)
		r.role = desk.RoleAdministrator
		if got := f.do(t, r); got.status >= 300 {
			t.Errorf("%s %s by an administrator = %d %s, want success", r.method, r.path, got.status, got.body)
		}
	}
}

func TestATokenWithoutReadKeepsItsOwnTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	admin, token := f.mustHire(t, desk.RoleAdministrator, "limited@example.com", desk.Configure)
	tokens := "/desk/v1/agents/" + admin.ID + "/tokens"
	f.must(t, http.StatusOK, request{token: token, method: "GET", path: "/desk/v1/me"})
	made := f.must(t, http.StatusCreated, request{token: token, method: "POST", path: tokens, body: `{"name":"x"}`})
	if own := f.must(t, http.StatusOK, request{token: token, method: "GET", path: tokens}).items(t); len(own) != 2 {
		t.Errorf("the agent has the tokens %v, want two", own)
	}
	f.must(t, http.StatusNoContent, request{token: token, method: "DELETE", path: made.header.Get("Location")})
	f.refused(t, http.StatusForbidden, "denied", request{token: token, method: "GET", path: "/desk/v1/agents"})
}

func TestATokenDoesNotRenewItself(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path := "/desk/v1/agents/" + f.agents[desk.RoleAgent].ID + "/tokens"
	short := f.must(t, http.StatusCreated, request{role: desk.RoleAgent, method: "POST", path: path, body: `{"name":"short","permissions":["read"],"lifeSeconds":60}`}).object(t)
	text := short["token"].(string)
	child := f.must(t, http.StatusCreated, request{token: text, method: "POST", path: path, body: `{"name":"child","lifeSeconds":25920000}`}).object(t)
	if child["expiresAt"] != short["expiresAt"] || child["madeBy"] != short["id"] {
		t.Errorf("a token for 300 days, made by one that ends %v, is %v", short["expiresAt"], child)
	}
	f.refused(t, http.StatusForbidden, "denied", request{token: text, method: "DELETE", path: path + "/" + short["madeBy"].(string)})
	f.must(t, http.StatusNoContent, request{token: text, method: "DELETE", path: path + "/" + short["id"].(string)})
	f.refused(t, http.StatusUnauthorized, "unknown_token", request{token: child["token"].(string), method: "GET", path: "/desk/v1/me"})
}

func TestTheLastActiveAdministratorStays(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path := "/desk/v1/agents/" + f.agents[desk.RoleAdministrator].ID
	read := f.must(t, http.StatusOK, request{role: desk.RoleAdministrator, method: "GET", path: path})
	put := func(member string, value any) request {
		body := read.object(t)
		body[member] = value
		return request{role: desk.RoleAdministrator, method: "PUT", path: path, body: body}.with("If-Match", read.header.Get("ETag"))
	}
	f.refused(t, http.StatusConflict, "conflict", put("active", false))
	f.refused(t, http.StatusConflict, "conflict", put("role", "agent"))
	away, _ := f.mustHire(t, desk.RoleAdministrator, "away@example.com")
	away.Active = false
	_, err := f.desk.UpdateAgent(t.Context(), desk.Operator(), away)
	mustNot(t, err)
	f.refused(t, http.StatusConflict, "conflict", put("active", false))
	f.mustHire(t, desk.RoleAdministrator, "here@example.com")
	f.refused(t, http.StatusForbidden, "denied", put("role", "agent"))
	f.must(t, http.StatusOK, put("active", false))
	f.refused(t, http.StatusUnauthorized, "unknown_token", request{role: desk.RoleAdministrator, method: "GET", path: path})
}

package supportapi

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/iam"
)

// mustSession returns credentials of an hour of a new role of the first account.
func (f *fixture) mustSession(t testing.TB, role, name string, policies ...string) iam.NewKey {
	t.Helper()
	_, err := f.iam.CreateRole(t.Context(), firstAccount, role, policies)
	mustNot(t, err)
	key, err := f.iam.CreateSession(t.Context(), firstAccount, role, name, time.Hour)
	mustNot(t, err)
	return key
}

func TestSessionsAndKeysComeAndGo(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	const (
		unknown = "400 UnrecognizedClientException: The security token included in the request is invalid."
		expired = "400 ExpiredTokenException: The security token included in the request is expired"
	)
	session := f.mustSession(t, "Ops", "jane", "AWSSupportAccess")
	noToken, otherToken, needless := session, session, f.first
	noToken.SessionToken, otherToken.SessionToken = "", f.mustSession(t, "Dev", "joe").SessionToken
	needless.SessionToken = session.SessionToken
	check := func(when string, key iam.NewKey, want string) {
		t.Helper()
		if got := f.call(t, key, "DescribeCases", "{}"); got.refusal() != want {
			t.Errorf("%s: DescribeCases = %s, want %s", when, got.refusal(), want)
		}
	}
	const ok = "200 : "
	check("a session", session, ok)
	check("a session without its token", noToken, unknown)
	check("a session with another's token", otherToken, unknown)
	check("a long-term key with a token", needless, unknown)
	f.clock.Advance(time.Hour)
	check("a session that is over", session, expired)

	alice := f.mustUser(t, firstAccount, "alice", "AWSSupportAccess")
	check("a user", alice, ok)
	mustNot(t, f.iam.SetKeyActive(t.Context(), firstAccount, alice.ID, false))
	check("a key that is off", alice, unknown)
	mustNot(t, f.iam.SetKeyActive(t.Context(), firstAccount, alice.ID, true))
	check("a key that is on again", alice, ok)
	mustNot(t, f.iam.DeletePrincipal(t.Context(), firstAccount, iam.User, "alice"))
	check("a user that is gone", alice, unknown)
	_, err := f.iam.CloseAccount(t.Context(), firstAccount)
	mustNot(t, err)
	check("a closed account", f.first, unknown)
}

func TestCommunicationsSayWhoWroteThem(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	const email = "enterprise@example.com"
	writers := []iam.NewKey{f.first, f.mustUser(t, firstAccount, "alice", "AWSSupportAccess"), f.mustSession(t, "AdminRole", "jane", "AWSSupportAccess")}
	for _, key := range writers {
		if got := f.call(t, key, "AddCommunicationToCase", f.valid("AddCommunicationToCase").text(t)); got.Status != http.StatusOK {
			t.Fatalf("AddCommunicationToCase = %s, want 200", got.refusal())
		}
	}
	var out describeCommunicationsOutput
	mustNot(t, json.Unmarshal([]byte(f.call(t, f.first, "DescribeCommunications", f.valid("DescribeCommunications").text(t)).body), &out))
	for i, want := range []string{"AdminRole (Role) <" + email + ">", "alice (IAM) <" + email + ">", email} {
		if got := out.Communications[i].SubmittedBy; got != want {
			t.Errorf("submittedBy of communication %d = %q, want %q", i, got, want)
		}
	}
}

func TestDenialsNameTheCaller(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	nobody, session := f.mustUser(t, firstAccount, "nobody"), f.mustSession(t, "Ops", "jane", "ReadOnlyAccess")
	if f.dump(t).equal(before) {
		t.Fatal("new users are not in the dump")
	}
	before = f.dump(t)
	for name := range f.api.operations {
		want := "User: arn:aws:iam::" + firstAccount + ":user/nobody is not authorized to perform: support:" + name +
			" because no identity-based policy allows the support:" + name + " action"
		f.refused(t, before, nobody, name, f.valid(name).text(t), "AccessDeniedException", want)
		got := f.call(t, session, name, f.valid(name).text(t))
		want = "User: arn:aws:sts::" + firstAccount + ":assumed-role/Ops/jane is not authorized to perform: support:" + name +
			" because no identity-based policy allows the support:" + name + " action"
		if reads := strings.HasPrefix(name, "Describe"); reads && got.Status != http.StatusOK || !reads && got.Message != want {
			t.Errorf("%s of a reader = %s, want 200 for what describes, else %s", name, got.refusal(), want)
		}
	}
	f.mustStayAs(t, before, "refused calls")
}

// What policies may ask about a request is what came over the connection, not
// what a header says about it.
func TestPoliciesSeeTheRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	mustNot(t, f.iam.PutPolicy(t.Context(), firstAccount, "Asks", policyIf(`{}`)))
	alice := f.mustUser(t, firstAccount, "alice", "Asks")
	for _, tt := range []struct {
		condition string
		change    func(*http.Request)
		want      bool
	}{
		{`{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`, nil, true},
		{`{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}`, nil, false},
		{`{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}`, func(r *http.Request) { r.RemoteAddr = "198.51.100.7:1" }, true},
		{`{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}`, func(r *http.Request) { r.RemoteAddr = "[::ffff:198.51.100.7]:1" }, true},
		{`{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}`, func(r *http.Request) {
			r.Header.Set("X-Forwarded-For", "198.51.100.7")
			r.Header.Set("X-Real-Ip", "198.51.100.7")
			r.Header.Set("Forwarded", "for=198.51.100.7")
		}, false},
		{`{"Null":{"aws:SourceIp":"true"}}`, func(r *http.Request) { r.RemoteAddr = "@" }, true},
		{`{"Bool":{"aws:SecureTransport":"true"}}`, nil, false},
		{`{"Bool":{"aws:SecureTransport":"true"}}`, func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }, false},
		{`{"Bool":{"aws:SecureTransport":"true"}}`, func(r *http.Request) { r.TLS = &tls.ConnectionState{} }, true},
		{`{"StringEquals":{"aws:UserAgent":"tool/1"}}`, func(r *http.Request) { r.Header.Set("User-Agent", "tool/1") }, true},
		{`{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}`, nil, true},
		{`{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`, nil, false},
		{`{"DateGreaterThan":{"aws:CurrentTime":"` + f.clock.Now().Add(-time.Minute).UTC().Format(time.RFC3339) + `"}}`, nil, true},
		{`{"DateGreaterThan":{"aws:CurrentTime":"` + f.clock.Now().Add(time.Minute).UTC().Format(time.RFC3339) + `"}}`, nil, false},
	} {
		mustNot(t, f.iam.PutPolicy(t.Context(), firstAccount, "Asks", policyIf(tt.condition)))
		r := newRequest("DescribeCases", "{}")
		if tt.change != nil {
			tt.change(r)
		}
		sign(t, r, alice, "{}")
		if got := f.send(t, r); (got.Status == http.StatusOK) != tt.want {
			t.Errorf("DescribeCases from %s with the condition %s = %s, want allowed %t", r.RemoteAddr, tt.condition, got.refusal(), tt.want)
		}
	}
}

func policyIf(condition string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"support:*","Resource":"*","Condition":` + condition + `}}`
}

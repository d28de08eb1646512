package supportapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/clock/clocktest"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/seal"
	"github.com/supportd/supportd/internal/store"
)

const (
	firstAccount  = "123456789012" // enterprise
	secondAccount = "111122223333" // business
	basicAccount  = "444455556666" // basic: no API
)

// fixture is the API on a real store, with the root keys of three accounts, and
// a case with one attachment in the first.
type fixture struct {
	api   *API
	iam   *iam.Service
	store *store.Store
	clock *clocktest.Clock
	files string // where the attachments are

	advisor *advisor.Service

	first, second, basic iam.NewKey

	caseID, attachmentID string
}

// limits are those of both rooms.
type limits struct {
	api   Limits
	cases cases.Limits
}

func newFixture(t testing.TB, l limits) *fixture {
	t.Helper()
	f := &fixture{clock: clocktest.At(time.Now()), files: filepath.Join(t.TempDir(), "attachments")}
	var err error
	f.store, err = store.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "supportd.db"))
	mustNot(t, err)
	t.Cleanup(func() { mustNot(t, f.store.Close()) })
	blobs, err := blob.OpenDir(f.files)
	mustNot(t, err)
	t.Cleanup(func() { mustNot(t, blobs.Close()) })
	master := seal.NewMasterKey()
	secrets, err := seal.NewBox(master, "access keys")
	mustNot(t, err)
	tokens, err := seal.NewBox(master, "page tokens")
	mustNot(t, err)
	known, err := catalog.Load()
	mustNot(t, err)
	f.iam = &iam.Service{Store: f.store.IAM(), Box: secrets, Now: f.clock.Now}
	f.advisor = newAdvisor(t, f, secrets)
	f.api, err = New(Config{
		IAM:     f.iam,
		Advisor: f.advisor,
		Cases:   &cases.Service{Store: f.store.Cases(), Blobs: blobs, Catalog: known, Limits: l.cases, Now: f.clock.Now},
		Catalog: known, Tokens: tokens, Limits: l.api, Now: f.clock.Now,
	})
	mustNot(t, err)
	f.first = f.mustAccount(t, firstAccount, "enterprise")
	f.second = f.mustAccount(t, secondAccount, "business")
	f.basic = f.mustAccount(t, basicAccount, "basic")
	f.caseID, f.attachmentID = f.mustCase(t)
	return f
}

func (f *fixture) mustAccount(t testing.TB, id, plan string) iam.NewKey {
	t.Helper()
	_, err := f.iam.CreateAccount(t.Context(), iam.Account{ID: id, Name: "A " + plan, Email: plan + "@example.com", Plan: plan})
	mustNot(t, err)
	return f.mustKey(t, id, "")
}

func (f *fixture) mustKey(t testing.TB, account, user string) iam.NewKey {
	t.Helper()
	key, err := f.iam.CreateKey(t.Context(), account, user)
	mustNot(t, err)
	return key
}

// mustUser returns a key of a new user.
func (f *fixture) mustUser(t testing.TB, account, name string, policies ...string) iam.NewKey {
	t.Helper()
	_, err := f.iam.CreateUser(t.Context(), account, name, policies)
	mustNot(t, err)
	return f.mustKey(t, account, name)
}

func (f *fixture) mustCase(t testing.TB) (caseID, attachmentID string) {
	t.Helper()
	// Past the service, for the limits of a test are not meant for its fixture.
	who, ctx := iam.Identity{Account: firstAccount, Email: "enterprise@example.com"}, t.Context()
	who.Plan, _ = iam.PlanByID("enterprise")
	free := *f.api.cases
	free.Limits = cases.Limits{}
	set, err := free.AddAttachments(ctx, who, cases.RequestKey{}, "", []cases.File{{Name: "log.txt", Data: []byte("hello")}})
	mustNot(t, err)
	caseID, err = free.Create(ctx, who, cases.RequestKey{}, cases.NewCase{Subject: "Fixture", Body: "First", AttachmentSetID: set.ID})
	mustNot(t, err)
	page, err := free.Communications(ctx, who, cases.CommunicationsQuery{CaseID: caseID, Limit: 1})
	mustNot(t, err)
	return caseID, page.Communications[0].Attachments[0].ID
}

// valid returns an input that each operation accepts.
func (f *fixture) valid(operation string) members {
	switch operation {
	case "AddAttachmentsToSet":
		return members{"attachments": []any{members{"data": "aGVsbG8=", "fileName": "a.txt"}}}
	case "AddCommunicationToCase":
		return members{"caseId": f.caseID, "communicationBody": "More"}
	case "CreateCase":
		return members{"subject": "Subject", "communicationBody": "Body"}
	case "DescribeAttachment":
		return members{"attachmentId": f.attachmentID}
	case "DescribeCommunications", "ResolveCase":
		return members{"caseId": f.caseID}
	case "DescribeCreateCaseOptions":
		return members{"categoryCode": "using-aws", "issueType": "technical", "language": "en", "serviceCode": "general-info"}
	case "DescribeTrustedAdvisorChecks":
		return members{"language": "en"}
	case "DescribeTrustedAdvisorCheckResult", "RefreshTrustedAdvisorCheck":
		return members{"checkId": "zXCkfM1nI3"}
	case "DescribeTrustedAdvisorCheckSummaries", "DescribeTrustedAdvisorCheckRefreshStatuses":
		return members{"checkIds": []any{"zXCkfM1nI3"}}
	case "DescribeSupportedLanguages":
		return members{"categoryCode": "using-aws", "issueType": "technical", "serviceCode": "general-info"}
	}
	return members{}
}

// members is an input or a structure in it.
type members map[string]any

// with returns the input with a value at a place such as attachments[].data.
func (m members) with(path string, value any) members {
	m = maps.Clone(m)
	name, rest, deeper := strings.Cut(path, ".")
	name, list := strings.CutSuffix(name, "[]")
	if deeper {
		inner := members{}
		if there, ok := m[name].([]any); ok && len(there) > 0 {
			inner = there[0].(members)
		}
		value = inner.with(rest, value)
	}
	if list {
		value = []any{value}
	}
	m[name] = value
	return m
}

// without returns the input without a member.
func (m members) without(name string) members {
	m = maps.Clone(m)
	delete(m, name)
	return m
}

func (m members) text(t testing.TB) string {
	t.Helper()
	text, err := json.Marshal(m)
	mustNot(t, err)
	return string(text)
}

// answer is what came back. Name and Message are empty on success.
type answer struct {
	Status  int
	Name    string
	Message string
	body    string
	header  http.Header
}

// call sends a signed call.
func (f *fixture) call(t testing.TB, key iam.NewKey, operation, body string) answer {
	t.Helper()
	r := newRequest(operation, body)
	sign(t, r, key, body)
	return f.send(t, r)
}

func newRequest(operation, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-Amz-Target", targetPrefix+operation)
	return r
}

func sign(t testing.TB, r *http.Request, key iam.NewKey, body string) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	mustNot(t, v4.NewSigner().SignHTTP(t.Context(), credentials(key), r, hex.EncodeToString(sum[:]), "support", "us-east-1", time.Now()))
}

// presign returns a request that is signed in its query, where its members are.
func presign(t testing.TB, method, operation, query string, key iam.NewKey) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, "/?"+query+"&X-Amz-Expires=300", nil)
	r.Header.Set("X-Amz-Target", targetPrefix+operation)
	empty := sha256.Sum256(nil)
	signed, header, err := v4.NewSigner().PresignHTTP(t.Context(), credentials(key), r, hex.EncodeToString(empty[:]), "support", "us-east-1", time.Now())
	mustNot(t, err)
	r = httptest.NewRequest(method, signed, nil)
	maps.Copy(r.Header, header)
	r.Header.Del("Host")
	r.Header.Set("X-Amz-Target", targetPrefix+operation)
	return r
}

func credentials(key iam.NewKey) aws.Credentials {
	return aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret, SessionToken: key.SessionToken}
}

func (f *fixture) send(t testing.TB, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	f.api.ServeHTTP(w, r)
	got := answer{Status: w.Code, body: w.Body.String(), header: w.Header()}
	var told struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // encoding/json takes either case
	}
	if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil {
		t.Fatalf("the answer %q is no JSON: %v", w.Body, err)
	}
	got.Name, got.Message = told.Type, told.Message
	return got
}

// refusal is what of an answer a caller acts on.
func (a answer) refusal() string {
	return strconv.Itoa(a.Status) + " " + a.Name + ": " + a.Message
}

// dump returns everything that is kept: the whole database and the names of the
// attachment files.
func (f *fixture) dump(t testing.TB) dump {
	t.Helper()
	file := filepath.Join(t.TempDir(), "dump.db")
	mustNot(t, f.store.Backup(context.Background(), file))
	content, err := os.ReadFile(file)
	mustNot(t, err)
	mustNot(t, os.Remove(file))
	d := dump{database: content}
	mustNot(t, filepath.WalkDir(f.files, func(path string, _ os.DirEntry, err error) error {
		d.files = append(d.files, path)
		return err
	}))
	return d
}

type dump struct {
	database []byte
	files    []string
}

func (d dump) equal(other dump) bool {
	return bytes.Equal(d.database, other.database) && strings.Join(d.files, "\n") == strings.Join(other.files, "\n")
}

// mustStayAs fails the test when anything was changed since the dump.
func (f *fixture) mustStayAs(t testing.TB, before dump, after string) {
	t.Helper()
	if !f.dump(t).equal(before) {
		t.Errorf("%s changed what the store keeps, want nothing changed", after)
	}
}

func mustNot(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDumpSeesEveryChangeAndNothingElse(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	if !f.dump(t).equal(before) {
		t.Fatal("two dumps of the same state differ")
	}
	for _, operation := range []string{"AddAttachmentsToSet", "CreateCase", "AddCommunicationToCase", "ResolveCase"} {
		got := f.call(t, f.first, operation, f.valid(operation).text(t))
		after := f.dump(t)
		if got.Status != http.StatusOK || after.equal(before) {
			t.Errorf("%s = %s, dump changed: %t; want 200 and a change", operation, got.refusal(), !after.equal(before))
		}
		before = after
	}
}

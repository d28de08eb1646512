package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/supportd/supportd/internal/server"
)

func (s *service) mustSignAgain(t *testing.T, r *http.Request, body string) *http.Request {
	t.Helper()
	for _, name := range []string{"Authorization", "X-Amz-Date"} {
		r.Header.Del(name)
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), s.key, r, hex.EncodeToString(sum[:]), "support", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not show open files:", err)
	}
	return len(entries)
}

// record is a log record of a request.
type record struct {
	Level     string `json:"level"`
	Msg       string `json:"msg"`
	RequestID string `json:"request_id"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Operation string `json:"operation"`
	Account   string `json:"account"`
	Principal string `json:"principal"`
	ErrorCode string `json:"error_code"`
	Error     string `json:"error"`
	Status    int    `json:"status"`
	Duration  int64  `json:"duration"`
	Remote    string `json:"remote"`
}

// mustRecords returns the records of requests by their ids.
func (s *service) mustRecords(t *testing.T) map[string]record {
	t.Helper()
	found := map[string]record{}
	for line := range strings.Lines(s.log.String()) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if r.Msg != "request" {
			continue
		}
		if _, twice := found[r.RequestID]; twice || r.RequestID == "" {
			t.Errorf("request id %q has two records or none", r.RequestID)
		}
		found[r.RequestID] = r
	}
	return found
}

func TestEveryRequestHasOneRecordWithoutSecrets(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	secrets := map[string]string{
		"secret of the root": s.key.SecretAccessKey,
		"body":               "body of quiet", "subject": "quiet",
		"file name": "contract.pdf", "file": base64.StdEncoding.EncodeToString([]byte("what is in the file")),
		"Authorization header": "AWS4-HMAC-SHA256", "Authorization name": "Authorization", "signature": "Signature=",
	}
	master, err := os.ReadFile(filepath.Join(s.data, server.MasterKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	secrets["master key"] = strings.TrimSpace(string(master))

	root := "arn:aws:iam::" + server.FirstAccountID + ":root"
	wanted := map[string]record{}
	note := func(want record, got answer) {
		t.Helper()
		id := got.header.Get("X-Amzn-Requestid")
		if want.Status != got.status {
			t.Errorf("%+v answered %v", want, got)
		}
		want.RequestID = id
		wanted[id] = want
	}
	call := func(operation, body, code string, status int) {
		t.Helper()
		r, err := s.request(t.Context(), operation, body)
		if err != nil {
			t.Fatal(err)
		}
		_, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
		secrets["signature of "+operation+body] = signature
		got, err := do(http.DefaultClient, r)
		if err != nil {
			t.Fatal(err)
		}
		name := operation
		if code == "UnknownOperationException" {
			name = ""
		}
		note(record{Method: "POST", Path: "/", Operation: name, Account: server.FirstAccountID, Principal: root, ErrorCode: code, Status: status}, got)
	}
	set := s.mustAttach(t, "contract.pdf", []byte("what is in the file"))
	call("CreateCase", `{"subject":"quiet","communicationBody":"body of quiet","attachmentSetId":"`+set+`"}`, "", 200)
	call("DescribeCases", `{}`, "", 200)
	call("DescribeCases", `{"maxResults":1}`, "ValidationException", 400)
	call("ResolveCase", `{"caseId":"none"}`, "CaseIdNotFound", 400)
	call("NoSuchThing", `{}`, "UnknownOperationException", 400)
	call("CreateCase", `{"subject":"quiet"}`, "ValidationException", 400)
	note(record{Method: "GET", Path: "/healthz", Status: 200}, s.mustGet(t, "/healthz"))
	note(record{Method: "GET", Path: "/nowhere", Status: 404}, s.mustGet(t, "/nowhere?X-Amz-Signature=feedbeef&token=sesame"))
	secrets["query"], secrets["token in query"] = "feedbeef", "sesame"

	s.breakInto(t, secrets, func(code string, got answer) {
		t.Helper()
		note(record{Method: "POST", Path: "/", ErrorCode: code, Status: 400}, got)
	})
	s.callAsSession(t, secrets, func(principal string, got answer) {
		t.Helper()
		note(record{Method: "POST", Path: "/", Operation: "DescribeCases", Account: server.FirstAccountID, Principal: principal, Status: 200}, got)
	})
	if err := os.RemoveAll(filepath.Join(s.data, "attachments", "tmp")); err != nil {
		t.Fatal(err)
	}
	call("AddAttachmentsToSet", `{"attachments":[{"fileName":"contract.pdf","data":"YQ=="}]}`, "InternalServerError", 500)

	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.checkRecords(t, wanted)
	log := s.log.String()
	for what, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("the log shows a secret, %s: %q", what, secret)
		}
	}
}

func (s *service) checkRecords(t *testing.T, wanted map[string]record) {
	t.Helper()
	records := s.mustRecords(t)
	if len(records) != len(wanted)+1 { // the first attachment set was not noted
		t.Errorf("%d records, want %d", len(records), len(wanted)+1)
	}
	for id, want := range wanted {
		got, ok := records[id]
		if !ok {
			t.Errorf("request %+v has no record", want)
			continue
		}
		if got.Duration <= 0 || !strings.HasPrefix(got.Remote, "127.0.0.1:") {
			t.Errorf("record %+v, want a duration and the client's address", got)
		}
		level := "INFO"
		if want.Status >= 500 {
			level = "ERROR"
		}
		if internal := got.Error != ""; got.Level != level || internal != (want.Status >= 500) {
			t.Errorf("record %+v, want level %s, and an error only if it is internal", got, level)
		}
		want.Level, want.Msg, want.Duration, want.Remote, want.Error = got.Level, got.Msg, got.Duration, got.Remote, got.Error
		if got != want {
			t.Errorf("record %+v, want %+v", got, want)
		}
	}
}

// breakInto sends requests whose credentials are wrong in several ways.
func (s *service) breakInto(t *testing.T, secrets map[string]string, note func(code string, got answer)) {
	t.Helper()
	wrong := *s
	wrong.key.SecretAccessKey = "guessed/secret/of/forty/characters/long0"
	secrets["guessed secret"] = wrong.key.SecretAccessKey
	note("InvalidSignatureException", wrong.mustCall(t, "DescribeCases", "{}"))
	wrong.key = s.key
	wrong.key.SessionToken = "stolen-session-token"
	secrets["stolen token"] = wrong.key.SessionToken
	note("UnrecognizedClientException", wrong.mustCall(t, "DescribeCases", "{}"))
	r, err := s.request(t.Context(), "DescribeCases", "{}")
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=hunter2")
	secrets["broken header"] = "hunter2"
	got, err := do(http.DefaultClient, r)
	if err != nil {
		t.Fatal(err)
	}
	note("IncompleteSignatureException", got)
}

// callAsSession calls with temporary credentials.
func (s *service) callAsSession(t *testing.T, secrets map[string]string, note func(principal string, got answer)) {
	t.Helper()
	if _, err := s.IAM.CreateRole(t.Context(), server.FirstAccountID, "Ops", []string{"AWSSupportAccess"}); err != nil {
		t.Fatal(err)
	}
	key, err := s.IAM.CreateSession(context.WithoutCancel(t.Context()), server.FirstAccountID, "Ops", "jane", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	session := *s
	session.key.AccessKeyID, session.key.SecretAccessKey, session.key.SessionToken = key.ID, key.Secret, key.SessionToken
	secrets["session token"], secrets["session secret"] = key.SessionToken, key.Secret
	note("arn:aws:sts::"+server.FirstAccountID+":assumed-role/Ops/jane", session.mustCall(t, "DescribeCases", "{}"))
}

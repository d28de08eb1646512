package conformance_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// answer is what came back over the wire.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// request is a call. With an operation and a body alone it is sent as an SDK
// would send it; the other fields are what may be different about it.
type request struct {
	operation string
	body      []byte

	method  string   // POST when empty
	query   string   // as it stands in the URL
	headers []string // "Name: value", set before signing; without a value the header is removed
	late    []string // likewise, after signing

	unsigned  bool
	presigned bool          // signed in the query
	at        time.Duration // how far the caller's clock is off
	service   string        // of the credential scope, support when empty
	region    string        // likewise, us-east-1 when empty
	forge     string        // "REGEXP => TEXT" in the Authorization header or the signed query
}

// call sends one signed request as an SDK would. invocation may be empty.
func call(ctx context.Context, url string, who credentials, operation, invocation string, body []byte) (answer, error) {
	r := request{operation: operation, body: body}
	if invocation != "" {
		r.headers = []string{"Amz-Sdk-Invocation-Id: " + invocation}
	}
	return r.send(ctx, url, who)
}

func (q request) send(ctx context.Context, url string, who credentials) (answer, error) {
	r, err := q.build(ctx, url)
	if err != nil {
		return answer{}, err
	}
	if !q.unsigned {
		if err := q.sign(ctx, r, who); err != nil {
			return answer{}, err
		}
	}
	setHeaders(r.Header, q.late)
	return send(r)
}

func (q request) build(ctx context.Context, url string) (*http.Request, error) {
	method := q.method
	if method == "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, url+"/", bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	r.URL.RawQuery = q.query
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSSupport_20130415."+q.operation)
	setHeaders(r.Header, q.headers)
	return r, nil
}

func setHeaders(header http.Header, lines []string) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		header.Del(name)
		if value = strings.TrimSpace(value); value != "" {
			header.Set(name, value)
		}
	}
}

func (q request) sign(ctx context.Context, r *http.Request, who credentials) error {
	sum := sha256.Sum256(q.body)
	hash := hex.EncodeToString(sum[:])
	keys := aws.Credentials{AccessKeyID: who.id, SecretAccessKey: who.secret, SessionToken: who.token}
	service, region := orElse(q.service, "support"), orElse(q.region, "us-east-1")
	now := time.Now().Add(q.at)
	if !q.presigned {
		if err := v4.NewSigner().SignHTTP(ctx, keys, r, hash, service, region, now); err != nil {
			return err
		}
		text, err := q.forged(r.Header.Get("Authorization"))
		r.Header.Set("Authorization", text)
		return err
	}
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, keys, r, hash, service, region, now)
	if err != nil {
		return err
	}
	if signed, err = q.forged(signed); err != nil {
		return err
	}
	r.URL, err = url.Parse(signed)
	return err
}

// forged applies the forgery, which must find something to change.
func (q request) forged(text string) (string, error) {
	if q.forge == "" {
		return text, nil
	}
	pattern, replacement, _ := strings.Cut(q.forge, " => ")
	found, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	if !found.MatchString(text) {
		return "", fmt.Errorf("nothing in %s matches %s", text, pattern)
	}
	return found.ReplaceAllLiteralString(text, replacement), nil
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func send(r *http.Request) (answer, error) { return sendWith(http.DefaultClient, r) }

func sendWith(client *http.Client, r *http.Request) (answer, error) {
	response, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("body of %d: %w", response.StatusCode, err)
	}
	return answer{response.StatusCode, response.Header, body}, nil
}

// mustCall returns the answer of a call that must succeed.
func mustCall(t *testing.T, url string, who credentials, operation, body string) answer {
	t.Helper()
	got, err := call(t.Context(), url, who, operation, "", []byte(body))
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("%s(%s) = %d %s, %v, want an answer", operation, body, got.status, got.body, err)
	}
	return got
}

// mustAddSet returns the id of a new attachment set.
func mustAddSet(t *testing.T, s *target, who credentials) string {
	t.Helper()
	var set struct{ AttachmentSetID string }
	got := mustCall(t, s.url, who, "AddAttachmentsToSet", `{"attachments":[{"fileName":"a.txt","data":"YQ=="}]}`)
	if err := json.Unmarshal(got.body, &set); err != nil || set.AttachmentSetID == "" {
		t.Fatalf("AddAttachmentsToSet = %s, %v, want an id", got.body, err)
	}
	return set.AttachmentSetID
}

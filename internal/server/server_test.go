package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/supportd/supportd/internal/server"
)

// service is a server that listens, with a key of its first account.
type service struct {
	*server.Server
	data string
	addr string
	key  aws.Credentials
	log  *lockedBuffer // its records as JSON
	stop func() error  // ends it and waits; once
}

// mustServe starts a server on a port of its own that ends with the test. An
// unset Data becomes a new folder.
func mustServe(t *testing.T, config server.Config) *service {
	t.Helper()
	s := mustOpen(t, config)
	listener, err := s.Listen()
	if err != nil {
		t.Fatalf("Listen() = %v, want nil", err)
	}
	s.serve(t, listener)
	return s
}

// mustOpen opens a server that serves nothing yet.
func mustOpen(t *testing.T, config server.Config) *service {
	t.Helper()
	if config.Data == "" {
		config.Data = filepath.Join(t.TempDir(), "data")
	}
	if config.Listen == "" {
		config.Listen = "127.0.0.1:0"
	}
	log := &lockedBuffer{}
	config.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	opened, err := server.Open(t.Context(), config)
	if err != nil {
		t.Fatalf("Open(%+v) = %v, want nil", config, err)
	}
	s := &service{Server: opened, data: config.Data, log: log}
	s.stop = sync.OnceValue(opened.Close)
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("the server ended with %v, want nil", err)
		}
	})
	s.key = s.mustKey(t)
	return s
}

func (s *service) serve(t *testing.T, listener net.Listener) {
	t.Helper()
	s.addr = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	closeOnly := s.stop
	s.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		if closed := closeOnly(); err == nil {
			err = closed
		}
		return err
	})
}

// mustKey returns the key of the first run or, later, a new one of the root.
func (s *service) mustKey(t *testing.T) aws.Credentials {
	t.Helper()
	first, err := s.FirstRun(t.Context())
	if err != nil {
		t.Fatalf("FirstRun() = %v, want nil", err)
	}
	if first.Key != nil {
		return aws.Credentials{AccessKeyID: first.Key.ID, SecretAccessKey: first.Key.Secret}
	}
	made, err := s.IAM.CreateKey(t.Context(), server.FirstAccountID, "")
	if err != nil {
		t.Fatalf("CreateKey() = %v, want nil", err)
	}
	return aws.Credentials{AccessKeyID: made.ID, SecretAccessKey: made.Secret}
}

func (s *service) url() string { return "http://" + s.addr }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %.300s", a.status, a.body) }

// mustCall sends a signed call.
func (s *service) mustCall(t *testing.T, operation, body string) answer {
	t.Helper()
	got, err := s.call(t.Context(), operation, body)
	if err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	return got
}

func (s *service) call(ctx context.Context, operation, body string) (answer, error) {
	r, err := s.request(ctx, operation, body)
	if err != nil {
		return answer{}, err
	}
	return do(http.DefaultClient, r)
}

func (s *service) request(ctx context.Context, operation, body string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url()+"/", bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSSupport_20130415."+operation)
	sum := sha256.Sum256([]byte(body))
	return r, v4.NewSigner().SignHTTP(ctx, s.key, r, hex.EncodeToString(sum[:]), "support", "us-east-1", time.Now())
}

func do(client *http.Client, r *http.Request) (answer, error) {
	response, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body)}, err
}

// mustGet gets a path without a signature.
func (s *service) mustGet(t *testing.T, path string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := do(http.DefaultClient, r)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return got
}

// mustCreateCase opens a case and returns its id.
func (s *service) mustCreateCase(t *testing.T, subject string, members ...string) string {
	t.Helper()
	body := fmt.Sprintf(`{"subject":%q,"communicationBody":"body of %s"`, subject, subject)
	for _, m := range members {
		body += "," + m
	}
	var out struct{ CaseID string }
	s.mustSucceed(t, "CreateCase", body+"}", &out)
	return out.CaseID
}

// mustSucceed calls and decodes the answer.
func (s *service) mustSucceed(t *testing.T, operation, body string, out any) {
	t.Helper()
	got := s.mustCall(t, operation, body)
	if got.status != http.StatusOK {
		t.Fatalf("%s = %v, want 200", operation, got)
	}
	if err := json.Unmarshal([]byte(got.body), out); err != nil {
		t.Fatalf("%s = %v: %v", operation, got, err)
	}
}

// mustAttach makes a set of one file and returns its id.
func (s *service) mustAttach(t *testing.T, name string, data []byte) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"attachments": []any{map[string]any{"fileName": name, "data": data}}})
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ AttachmentSetID string }
	s.mustSucceed(t, "AddAttachmentsToSet", string(body), &out)
	return out.AttachmentSetID
}

// seenCase is a case as DescribeCases shows it.
type seenCase struct {
	CaseID, Subject      string
	RecentCommunications struct {
		Communications []struct {
			Body          string
			AttachmentSet []struct{ AttachmentID, FileName string }
		}
	}
}

// mustCases returns all cases by subject.
func (s *service) mustCases(t *testing.T) map[string]seenCase {
	t.Helper()
	found := map[string]seenCase{}
	body := `{"includeResolvedCases":true}`
	for range 1000 {
		var page struct {
			Cases     []seenCase
			NextToken string
		}
		s.mustSucceed(t, "DescribeCases", body, &page)
		for _, c := range page.Cases {
			found[c.Subject] = c
		}
		if page.NextToken == "" {
			return found
		}
		body = fmt.Sprintf(`{"includeResolvedCases":true,"nextToken":%q}`, page.NextToken)
	}
	t.Fatal("DescribeCases: the pages have no end")
	return nil
}

// mustRead returns the bytes of an attachment.
func (s *service) mustRead(t *testing.T, attachmentID string) []byte {
	t.Helper()
	var out struct {
		Attachment struct{ Data []byte }
	}
	s.mustSucceed(t, "DescribeAttachment", fmt.Sprintf(`{"attachmentId":%q}`, attachmentID), &out)
	return out.Attachment.Data
}

// lockedBuffer keeps what a server logs while a test reads it.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends to the buffer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns what was written so far.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

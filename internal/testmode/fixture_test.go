package testmode_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/smithy-go"

	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/testmode"
)

const first = server.FirstAccountID

// world is a server in test mode.
type world struct {
	*testing.T
	*testmode.Mode
	end    func() // the server's
	server *server.Server
	url    string // of the API
	manage string // of the management API
	first  server.First
}

func newWorld(t *testing.T, config server.Test) *world {
	t.Helper()
	return newWorldIn(t, filepath.Join(t.TempDir(), "data"), config)
}

// newWorldIn serves from a folder, which may have been served from before.
func newWorldIn(t *testing.T, data string, config server.Test) *world {
	t.Helper()
	config.Listen = "127.0.0.1:0"
	s, err := server.Open(t.Context(), server.Config{Data: data, Listen: "127.0.0.1:0", Test: &config})
	if err != nil {
		t.Fatalf("Open(test mode) = %v, want nil", err)
	}
	listener, err := s.Listen()
	if err != nil {
		t.Fatalf("Listen() = %v, want nil", err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	end := sync.OnceFunc(func() {
		stop()
		if err := errors.Join(<-ended, s.Close()); err != nil {
			t.Errorf("the server ended with %v, want nil", err)
		}
	})
	t.Cleanup(end)
	w := &world{T: t, end: end, Mode: s.Test, server: s, url: "http://" + listener.Addr().String(), manage: "http://" + s.TestAddr().String()}
	if w.first, err = s.FirstRun(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.BeginTest(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// client is one of the SDK that tries calls so many times, with the key test/test.
func (w *world) client(attempts int) *support.Client {
	return w.clientOf("test", attempts)
}

func (w *world) clientOf(key string, attempts int) *support.Client {
	return support.New(support.Options{
		Region: "us-east-1", BaseEndpoint: &w.url, RetryMaxAttempts: attempts,
		Credentials: credentials.NewStaticCredentialsProvider(key, "test", ""),
	})
}

func (w *world) create(c *support.Client, subject string) (string, error) {
	out, err := c.CreateCase(w.Context(), &support.CreateCaseInput{Subject: &subject, CommunicationBody: aws.String("body")})
	if err != nil {
		return "", err
	}
	return *out.CaseId, nil
}

func (w *world) mustCreate(subject string) string {
	w.Helper()
	id, err := w.create(w.client(1), subject)
	if err != nil {
		w.Fatalf("CreateCase(%s) = %v, want nil", subject, err)
	}
	return id
}

// subjects returns those of all cases of the first account.
func (w *world) subjects() []string {
	w.Helper()
	out, err := w.client(1).DescribeCases(w.Context(), &support.DescribeCasesInput{IncludeResolvedCases: true})
	if err != nil {
		w.Fatalf("DescribeCases() = %v, want nil", err)
	}
	var subjects []string
	for _, c := range out.Cases {
		subjects = append(subjects, *c.Subject)
	}
	return subjects
}

func errorCode(err error) string {
	if failure, ok := errors.AsType[smithy.APIError](err); ok {
		return failure.ErrorCode()
	}
	return ""
}

func (w *world) mustFail(f testmode.Fault) string {
	w.Helper()
	id, err := w.Fail(f)
	if err != nil {
		w.Fatalf("Fail(%+v) = %v, want nil", f, err)
	}
	return id
}

func (w *world) requests(q testmode.RequestQuery) []testmode.Request {
	w.Helper()
	found, err := w.Requests(w.Context(), q)
	if err != nil {
		w.Fatalf("Requests(%+v) = %v, want nil", q, err)
	}
	return found
}

// do asks the management API, and decodes its answer into out unless that is nil.
func (w *world) do(method, path, body string, out any) int {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.manage+path, bytes.NewReader([]byte(body)))
	if err != nil {
		w.Fatal(err)
	}
	return w.send(r, out)
}

func (w *world) send(r *http.Request, out any) int {
	w.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.Fatal(err)
	}
	if out == nil {
		return answer.StatusCode
	}
	if s, ok := out.(*string); ok {
		*s = string(text)
		return answer.StatusCode
	}
	if err := json.Unmarshal(text, out); err != nil {
		w.Fatalf("%s %s = %s: %v", r.Method, r.URL, text, err)
	}
	return answer.StatusCode
}

package accesslog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/accesslog"
)

// serve answers one GET of path through the middleware, over a connection, and
// returns the answer (nil when the connection broke), its log and its record.
func serve(t *testing.T, path string, handler http.HandlerFunc) (answer *http.Response, body, log string, record *accesslog.Record) {
	t.Helper()
	var out bytes.Buffer
	observed := make(chan *accesslog.Record, 1)
	s := httptest.NewUnstartedServer(accesslog.Handler(handler, slog.New(slog.NewJSONHandler(&out, nil)), func(r *accesslog.Record) { observed <- r }))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err = s.Client().Do(r)
	if err == nil {
		text, broken := io.ReadAll(answer.Body)
		answer.Body.Close()
		if body = string(text); broken != nil {
			answer = nil
		}
	}
	s.Close() // waits for the handler
	select {
	case record = <-observed:
	default:
		t.Fatal("the request was not observed")
	}
	return answer, body, out.String(), record
}

func TestRecordHoldsWhatHandlersAdd(t *testing.T) {
	t.Parallel()
	answer, _, log, record := serve(t, "/path?secret=sesame", func(w http.ResponseWriter, r *http.Request) {
		known := accesslog.From(r.Context())
		known.Operation, known.Account, known.Principal, known.ErrorCode = "CreateCase", "123456789012", "arn:x", "SomeError"
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK) // too late
	})
	if answer == nil || answer.StatusCode != http.StatusTeapot || answer.Header.Get("X-Amzn-Requestid") != record.RequestID || record.RequestID == "" {
		t.Errorf("answer %+v, want 418 with the id of record %+v", answer, record)
	}
	var logged map[string]any
	if err := json.Unmarshal([]byte(log), &logged); err != nil {
		t.Fatalf("log %q is not one record: %v", log, err)
	}
	for key, want := range map[string]any{
		"level": "INFO", "msg": "request", "request_id": record.RequestID, "method": "GET", "path": "/path", "status": 418.0,
		"operation": "CreateCase", "account": "123456789012", "principal": "arn:x", "error_code": "SomeError",
	} {
		if logged[key] != want {
			t.Errorf("log has %s %v, want %v", key, logged[key], want)
		}
	}
	if d, ok := logged["duration"].(float64); !ok || d <= 0 || time.Duration(d) != record.Duration {
		t.Errorf("log has duration %v, want %v as observed", logged["duration"], record.Duration)
	}
	if _, ok := logged["error"]; ok || strings.Contains(log, "sesame") {
		t.Errorf("log %s, want neither an error nor the query", log)
	}
}

func TestRecordOfAnAnswerWithoutWords(t *testing.T) {
	t.Parallel()
	answer, _, log, record := serve(t, "/", func(http.ResponseWriter, *http.Request) {})
	if answer == nil || answer.StatusCode != http.StatusOK || record.Status != http.StatusOK || strings.Contains(log, "operation") {
		t.Errorf("silent handler = %+v, record %+v, log %s, want 200 and no empty members", answer, record, log)
	}
}

func TestInternalErrorIsLoggedNotTold(t *testing.T) {
	t.Parallel()
	answer, body, log, record := serve(t, "/", func(w http.ResponseWriter, r *http.Request) {
		accesslog.From(r.Context()).Err = errors.New("disk on fire")
		w.WriteHeader(http.StatusInternalServerError)
	})
	if answer == nil || record.Status != 500 || !strings.Contains(log, "disk on fire") || !strings.Contains(log, `"ERROR"`) || strings.Contains(body, "fire") {
		t.Errorf("internal error: record %+v, log %s, body %q, want the reason in the log only", record, log, body)
	}
}

func TestPanicIsAnInternalErrorOfThatRequest(t *testing.T) {
	t.Parallel()
	answer, body, log, record := serve(t, "/", func(http.ResponseWriter, *http.Request) { panic("impossible") })
	if answer == nil || answer.StatusCode != 500 || answer.Header.Get("X-Amzn-Requestid") == "" || strings.Contains(body, "impossible") {
		t.Errorf("panic = %+v %q, want 500 with an id and no reason", answer, body)
	}
	if record.Status != 500 || !strings.Contains(log, "panic: impossible") || !strings.Contains(log, "accesslog_test.go") || strings.Count(log, "\n") != 1 {
		t.Errorf("panic: record %+v, log %s, want one with the stack", record, log)
	}
}

func TestPanicInTheMiddleOfAnAnswerBreaksTheConnection(t *testing.T) {
	t.Parallel()
	answer, body, log, _ := serve(t, "/", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("part ", 10_000)) // enough to be sent
		panic("impossible")
	})
	if answer != nil {
		t.Errorf("panic after a part = %+v with %d bytes, want a broken connection: the part is not the whole", answer, len(body))
	}
	if !strings.Contains(log, "panic: impossible") || strings.Count(log, "\n") != 1 {
		t.Errorf("log %q, want one record with the panic", log)
	}
}

func TestFromOutsideARequestIsHarmless(t *testing.T) {
	t.Parallel()
	accesslog.From(context.Background()).Operation = "nothing"
	if got := accesslog.From(context.Background()).Operation; got != "" {
		t.Errorf("From(no request).Operation = %q, want a record that nobody reads", got)
	}
}

func TestHandlersReachTheConnection(t *testing.T) {
	t.Parallel()
	var flushed error
	serve(t, "/", func(w http.ResponseWriter, _ *http.Request) { flushed = http.NewResponseController(w).Flush() })
	if flushed != nil {
		t.Errorf("Flush() through the middleware = %v, want nil", flushed)
	}
}

func TestAHandlerMayEndTheConnectionWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	answer, _, log, record := serve(t, "/", func(_ http.ResponseWriter, r *http.Request) {
		accesslog.From(r.Context()).Operation = "CreateCase"
		panic(http.ErrAbortHandler)
	})
	if answer != nil || record.Status != 0 || record.Err != nil {
		t.Errorf("aborted = %+v, record %+v, want a broken connection and no error", answer, record)
	}
	if !strings.Contains(log, "CreateCase") || strings.Count(log, "\n") != 1 {
		t.Errorf("log %q, want one record", log)
	}
}

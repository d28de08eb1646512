// Package accesslog writes one log record for each request. Those who handle
// the request enrich its record on the way; the middleware writes it when the
// answer is out.
//
// It decides nothing about the request and answers only when a handler panics.
package accesslog

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
)

// Record is what is known of a request. The goroutine that serves the request
// fills it in; nobody else may touch it before the request ends.
type Record struct {
	RequestID string
	Operation string // of the API; empty for pages, health and unknown targets
	Account   string
	Principal string // ARN of the caller
	ErrorCode string // the answer's error name; empty on success
	Err       error  // why an internal error happened; never shown to the caller
	Status    int
	Duration  time.Duration
}

type contextKey struct{}

// From returns the record of the request that ctx belongs to. Outside the
// middleware it returns one that nobody reads.
func From(ctx context.Context) *Record {
	if r, ok := ctx.Value(contextKey{}).(*Record); ok {
		return r
	}
	return &Record{}
}

// Handler gives each request an id, which is in the header x-amzn-RequestId of
// its answer, and a record, which it writes to log and hands to observe.
func Handler(next http.Handler, log *slog.Logger, observe func(*Record)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		record := &Record{RequestID: uuid.NewString(), Status: http.StatusOK}
		// Not set through the canonical form: the service writes it like this.
		w.Header()["x-amzn-RequestId"] = []string{record.RequestID}
		sw := &statusWriter{ResponseWriter: w, record: record}
		serve(next, sw, r.WithContext(context.WithValue(r.Context(), contextKey{}, record)))
		record.Duration = time.Since(start)
		observe(record)
		write(log, r, record)
		if sw.cut {
			panic(http.ErrAbortHandler)
		}
	})
}

// serve turns a panic into an internal error of this request alone. When a part
// of the answer is out already, the connection must end: the client would take
// the part for the whole. It also ends for [http.ErrAbortHandler], with which a
// handler asks for that, and then the record has no status if nothing is out.
func serve(next http.Handler, w *statusWriter, r *http.Request) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler {
			if w.cut = true; !w.started {
				w.record.Status = 0
			}
			return
		}
		w.record.Err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		if w.cut = w.started; !w.cut {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}()
	next.ServeHTTP(w, r)
}

func write(log *slog.Logger, r *http.Request, record *Record) {
	level := slog.LevelInfo
	if record.Err != nil || record.Status >= 500 {
		level = slog.LevelError
	}
	ctx := r.Context()
	if !log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", record.RequestID),
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path),
		slog.Int("status", record.Status),
		slog.Duration("duration", record.Duration),
		slog.String("remote", r.RemoteAddr),
	}
	for _, known := range []struct{ key, value string }{
		{"operation", record.Operation},
		{"account", record.Account},
		{"principal", record.Principal},
		{"error_code", record.ErrorCode},
	} {
		if known.value != "" {
			attrs = append(attrs, slog.String(known.key, known.value))
		}
	}
	if record.Err != nil {
		attrs = append(attrs, slog.String("error", record.Err.Error()))
	}
	log.LogAttrs(ctx, level, "request", attrs...)
}

// statusWriter notes the status of the answer.
type statusWriter struct {
	http.ResponseWriter
	record  *Record
	started bool
	cut     bool // the handler panicked in the middle of the answer
}

// WriteHeader notes the status and sends it.
func (w *statusWriter) WriteHeader(status int) {
	if !w.started {
		w.started, w.record.Status = true, status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends bytes of the body.
func (w *statusWriter) Write(b []byte) (int, error) {
	w.started = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

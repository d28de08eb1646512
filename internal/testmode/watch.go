package testmode

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/accesslog"
	"github.com/supportd/supportd/internal/sigv4"
)

const targetPrefix = "AWSSupport_20130415."

// Watch keeps a log of what next is asked, and has the faults that are set
// happen.
func (m *Mode) Watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		m.open.RLock()
		defer m.open.RUnlock()
		entry := Request{At: m.Now().UTC().Round(0), Operation: operationName(r), Account: m.claimedAccount(r)}
		fault := m.faults.happen(entry.Operation, entry.Account)
		entry.Fault = fault.Kind
		if fault.Kind == FaultLatency && !m.delay(w, fault.Delay) {
			panic(http.ErrAbortHandler)
		}
		input := &tap{ReadCloser: r.Body}
		r.Body = input
		a := &answer{header: w.Header()}
		// The log has the request before the client has the answer: whoever got
		// one can ask for the other.
		func() {
			defer func() {
				entry.Input, entry.Duration = input.json(), time.Since(begun)
				m.note(r, entry, a)
			}()
			m.answer(a, r, next, fault.Kind)
		}()
		a.send(w)
	})
}

// answer has the request done, or not, and decides what becomes of the answer.
func (m *Mode) answer(a *answer, r *http.Request, next http.Handler, fault FaultKind) {
	switch fault {
	case FaultThrottling:
		a.refuse(r, http.StatusBadRequest, "ThrottlingException", "Throttle limit exceeded.")
		return
	case FaultInternalError:
		a.refuse(r, http.StatusInternalServerError, "InternalServerError", "An internal error occurred.")
		return
	case FaultUnavailable:
		a.refuse(r, http.StatusServiceUnavailable, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
		return
	case FaultCutConnection:
		a.refused, a.cut = true, true
		return
	}
	a.status = http.StatusInternalServerError // if it panics
	next.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK) // if it says nothing
	switch fault {
	case FaultLostAnswer:
		a.cut, a.lost = true, true
	case FaultTruncatedBody:
		a.cut = true
	case FaultWrongContent:
		a.replace(http.StatusOK, "text/html; charset=utf-8", []byte(webPage))
	}
}

// webPage is what a proxy that asks for a login answers.
const webPage = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Sign in to the network</h1></body></html>\n"

// note writes the request into the log.
func (m *Mode) note(r *http.Request, entry Request, a *answer) {
	known := accesslog.From(r.Context())
	if known.Operation == "" && a.refused {
		known.Operation = entry.Operation
	}
	entry.ID, entry.Principal, entry.ErrorCode, entry.Status = known.RequestID, known.Principal, known.ErrorCode, a.status
	if !a.refused { // else nobody looked who it is
		entry.Account = known.Account
	}
	if a.nothing() {
		entry.Status = 0
	}
	m.requests.add(entry)
}

// delay waits, and reports whether the request is still to be done: after a reset
// what it was about is gone. It lets go of m.open meanwhile, which the caller holds,
// so that nobody waits for the delayed; the end of the server ends the delay, too.
// The time for reading the body begins anew afterwards.
func (m *Mode) delay(w http.ResponseWriter, d time.Duration) bool {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(d + maxDelay)) // else a slow client is cut off, as it may be
	reset := m.reset
	m.open.RUnlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-reset:
	case <-m.ended:
	}
	m.open.RLock()
	return m.reset == reset
}

// operationName is what the client names, also when there is no such operation.
func operationName(r *http.Request) string {
	if name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix); ok {
		return name
	}
	return r.URL.Query().Get("Action")
}

// claimedAccount is that of the access key, if the request names one. Nobody has
// looked at the signature.
func (m *Mode) claimedAccount(r *http.Request) string {
	verifier := sigv4.Verifier{Service: "support"}
	signature, err := verifier.Parse(r)
	if err != nil {
		return ""
	}
	account, _ := m.config.IAM.AccountOfKey(signature.AccessKeyID)
	return account
}

// tap keeps the beginning of what is read.
type tap struct {
	io.ReadCloser
	kept []byte
}

// Read reads, and keeps up to one byte more than a log entry may have.
func (t *tap) Read(b []byte) (int, error) {
	n, err := t.ReadCloser.Read(b)
	t.kept = append(t.kept, b[:min(n, maxInput+1-len(t.kept))]...)
	return n, err
}

// json returns the input as it is logged. What nobody has read of the beginning
// is read now: also those want to know what they sent who were refused.
func (t *tap) json() json.RawMessage {
	if missing := maxInput + 1 - len(t.kept); missing > 0 {
		_, _ = io.CopyN(io.Discard, t, int64(missing)) // what does not come is not logged
	}
	if len(t.kept) > maxInput || !json.Valid(t.kept) {
		return json.RawMessage("null")
	}
	return bytes.Clone(t.kept)
}

// answer is what becomes of a request; it keeps what the handler writes.
type answer struct {
	header  http.Header
	status  int
	written bool // the handler has said the status
	body    bytes.Buffer
	refused bool // by a fault, before anybody looked at it
	cut     bool // the connection ends in the middle
	lost    bool // and nothing of the answer is sent
}

// Header returns the headers of the answer.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the status.
func (a *answer) WriteHeader(status int) {
	if !a.written {
		a.written, a.status = true, status
	}
}

// Write keeps a part of the body.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// refuse answers in the place of the API, in its form.
func (a *answer) refuse(r *http.Request, status int, name, text string) {
	const largest = 32 << 20 // who is cut off while writing hears of no answer
	_, _ = io.CopyN(io.Discard, r.Body, largest)
	accesslog.From(r.Context()).ErrorCode = name
	a.refused = true
	a.replace(status, "application/x-amz-json-1.1", []byte(`{"__type":"`+name+`","message":"`+text+`"}`))
}

func (a *answer) replace(status int, contentType string, body []byte) {
	a.body.Reset()
	a.written, a.status = true, status
	a.body.Write(body)
	a.header.Set("Content-Type", contentType)
	a.header.Set("Content-Length", strconv.Itoa(len(body)))
}

// nothing reports whether there is nothing to be sent.
func (a *answer) nothing() bool { return a.cut && (a.lost || a.refused) }

// send sends the answer, or what is left of it.
func (a *answer) send(w http.ResponseWriter) {
	if a.nothing() {
		panic(http.ErrAbortHandler)
	}
	body := a.body.Bytes()
	if a.cut {
		a.header.Set("Content-Length", strconv.Itoa(max(len(body), 1)))
		body = body[:len(body)/2]
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // a client that went away has no use for an error
	if a.cut {
		_ = http.NewResponseController(w).Flush() // else the client sees no part of the answer, which it may
		panic(http.ErrAbortHandler)
	}
}

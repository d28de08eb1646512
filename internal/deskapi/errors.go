package deskapi

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/supportd/supportd/internal/accesslog"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

// Faults of the request itself, whatever the rooms below think of it.
var (
	errNoToken       = fault.New(fault.Denied, "no_token", "The request has no token: send Authorization: Bearer and one.")
	errNoRoute       = fault.New(fault.NotFound, "no_route", "There is nothing under this path.")
	errMethod        = fault.New(fault.Invalid, "method_not_allowed", "This path does not know the method: the header Allow has those that it knows.")
	errMediaType     = fault.New(fault.Invalid, "media_type", "The body must be application/json.")
	errBody          = fault.New(fault.Invalid, "invalid_body", "The body does not fit.")
	errBodyTooLarge  = fault.New(fault.Limited, "body_too_large", "The body is too large.")
	errParameter     = fault.New(fault.Invalid, "invalid_parameter", "A parameter does not fit.")
	errNext          = fault.New(fault.Invalid, "invalid_next", "The next token does not belong to this query: repeat the query without it.")
	errKey           = fault.New(fault.Invalid, "invalid_idempotency_key", "An Idempotency-Key is one header of 1 to 255 visible ASCII characters.")
	errIfMatch       = fault.New(fault.Invalid, "invalid_if_match", "If-Match takes one strong entity tag, such as \"v12\" with its quotes, or *.")
	errIfMatchNeeded = fault.New(fault.Conflict, "if_match_needed", "To replace what exists, say in If-Match which version you saw: its ETag.")
	errThrottled     = fault.New(fault.Limited, "throttled", "The token's requests come too fast.")
)

// throttled is an errThrottled that knows when the next request may come.
type throttled struct {
	error
	after time.Duration
}

func (t throttled) Unwrap() error { return t.error }

// retryAfter is in whole seconds, a minute where a rule counts the hours.
func retryAfter(err error) string {
	after := time.Minute
	if t, ok := errors.AsType[throttled](err); ok {
		after = t.after
	}
	return strconv.Itoa(int(math.Ceil(after.Seconds())))
}

// statusClientGone is what others, too, log for a caller who did not wait for the
// answer. Nobody receives it.
const statusClientGone = 499

// status is the only table of the API's errors: a fault by itself or else by its
// kind. Zero is an error that nobody meant for callers: an internal one.
func status(f *fault.Error) int {
	for _, known := range []struct {
		fault  *fault.Error
		status int
	}{
		{errNoToken, http.StatusUnauthorized},
		{desk.ErrUnknownToken, http.StatusUnauthorized},
		{errMethod, http.StatusMethodNotAllowed},
		{desk.ErrChanged, http.StatusPreconditionFailed},
		{errBodyTooLarge, http.StatusRequestEntityTooLarge},
		{cases.ErrSetSizeLimit, http.StatusRequestEntityTooLarge},
		{errMediaType, http.StatusUnsupportedMediaType},
		{desk.ErrKeyReused, http.StatusUnprocessableEntity},
		{errIfMatchNeeded, http.StatusPreconditionRequired},
		// What the catalogue and the accounts know is named in the body here.
		{iam.ErrAccountNotFound, http.StatusBadRequest},
	} {
		if errors.Is(f, known.fault) {
			return known.status
		}
	}
	switch f.Kind {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Expired:
		return http.StatusGone
	case fault.Conflict:
		return http.StatusConflict
	case fault.Denied:
		return http.StatusForbidden
	case fault.Limited:
		return http.StatusTooManyRequests
	}
	return 0
}

// problem is the body of every error (RFC 9457).
type problem struct {
	Type      string `json:"type" doc:"A URI that names the kind of problem: urn:supportd:problem: and the code."`
	Title     string `json:"title" doc:"The status in words."`
	Status    int    `json:"status" doc:"The status code of the answer."`
	Detail    string `json:"detail" doc:"What is wrong, for people."`
	Code      string `json:"code" doc:"What is wrong, for programs; it stays the same from release to release."`
	RequestID string `json:"requestId,omitzero" doc:"Finds the request in the server's log."`
}

const problemType = "application/problem+json"

// refuse puts an error into words. Of an internal error the caller sees only that
// it happened, and the id under which the request's log record has all of it.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	record := accesslog.From(r.Context())
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		record.ErrorCode = "client_gone"
		w.WriteHeader(statusClientGone)
		return
	}
	told := tell(err)
	if told.Status == http.StatusInternalServerError {
		record.Err = err
	}
	record.ErrorCode, told.RequestID = told.Code, record.RequestID
	setChallenge(w.Header(), told, err)
	body, err := json.Marshal(told)
	if err != nil { // never: texts that are UTF-8 and a number
		record.Err = errors.Join(record.Err, err)
	}
	send(w, told.Status, problemType, body)
}

func tell(err error) problem {
	f, ok := errors.AsType[*fault.Error](err)
	code := 0
	if ok {
		code = status(f)
	}
	if code == 0 {
		f, code = fault.New(0, "internal", "An internal error occurred."), http.StatusInternalServerError
	}
	return problem{
		Type: "urn:supportd:problem:" + f.Code, Title: http.StatusText(code), Status: code,
		Detail: cut(f.Text), Code: f.Code,
	}
}

// maxText is the longest text of a fault that is told: some repeat what the
// caller sent.
const maxText = 2000

func cut(text string) string {
	if len(text) > maxText {
		text = text[:maxText] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

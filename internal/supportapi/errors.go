package supportapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/supportd/supportd/internal/accesslog"
	"github.com/supportd/supportd/internal/awsjson"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/sigv4"
)

// Faults of the request itself, whatever the rooms below think of it.
var (
	errMethod           = fault.New(fault.Invalid, "method", "")
	errContentType      = fault.New(fault.Invalid, "content_type", "")
	errUnknownOperation = fault.New(fault.Invalid, "unknown_operation", "")
	errBodyUnreadable   = fault.New(fault.Invalid, "body_unreadable", "")
	errInvalidToken     = fault.New(fault.Invalid, "invalid_token", "The nextToken is not valid for this request.")
	errNoData           = fault.New(fault.Invalid, "no_data", "no data")
	errInvalidTime      = fault.New(fault.Invalid, "invalid_time", "invalid time")
	errThrottled        = fault.New(fault.Limited, "throttled", "Throttle limit exceeded.")
	errDescribeLimit    = fault.New(fault.Limited, "describe_attachment_limit", "too many DescribeAttachment calls")
)

// wireError is how a fault is told on the wire.
type wireError struct {
	fault  *fault.Error
	name   string
	status int
}

// wireErrors is the only table of the API's errors. A fault that is not in it is
// an InvalidParameterValueException if it is of kind Invalid, and otherwise one
// that nobody meant for callers: an internal error.
func wireErrors() []wireError {
	const bad = http.StatusBadRequest
	return []wireError{
		{cases.ErrAttachmentLimit, "AttachmentLimitExceeded", bad},
		{cases.ErrAttachmentNotFound, "AttachmentIdNotFound", bad},
		{cases.ErrCaseCreationLimit, "CaseCreationLimitExceeded", bad},
		{cases.ErrCaseNotFound, "CaseIdNotFound", bad},
		{cases.ErrReopenWindowOver, "ValidationException", bad},
		{cases.ErrSetExpired, "AttachmentSetExpired", bad},
		{cases.ErrSetNotFound, "AttachmentSetIdNotFound", bad},
		{cases.ErrSetSizeLimit, "AttachmentSetSizeLimitExceeded", bad},
		{errDescribeLimit, "DescribeAttachmentLimitExceeded", bad},
		{errThrottled, "ThrottlingException", bad},
		{iam.ErrAccessDenied, "AccessDeniedException", bad},
		{iam.ErrSubscriptionRequired, "SubscriptionRequiredException", bad},
		{iam.ErrTokenExpired, "ExpiredTokenException", bad},
		{iam.ErrUnknownKey, "UnrecognizedClientException", bad},
		{errBodyTooLarge, "RequestEntityTooLargeException", http.StatusRequestEntityTooLarge},
		{errBodyUnreadable, "SerializationException", bad},
		{errUnknownOperation, "UnknownOperationException", bad},
		{errContentType, "UnknownOperationException", http.StatusNotFound},
		{errMethod, "UnknownOperationException", http.StatusMethodNotAllowed},
	}
}

// errorBody is the body of every error: message with a small m, but Message in
// SerializationException and AccessDeniedException, as recorded.
type errorBody struct {
	Type         string `json:"__type"`
	UpperMessage string `json:"Message,omitzero"`
	Message      string `json:"message,omitzero"`
}

// statusClientGone is what others, too, log for a caller who did not wait for the
// answer. Nobody receives it.
const statusClientGone = 499

// refusal puts an error into words. Of an internal error the caller sees only
// that it happened; the request's log record has all of it.
func (a *API) refusal(r *http.Request, err error) (status int, body []byte) {
	status, told := tell(err)
	record := accesslog.From(r.Context())
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		record.ErrorCode = "ClientGone"
		return statusClientGone, nil
	}
	record.ErrorCode = told.Type
	if status == http.StatusInternalServerError {
		record.Err = err
	}
	body, err = awsjson.Encode(told)
	if err != nil { // never: three texts that are UTF-8
		record.Err = errors.Join(record.Err, err)
		return http.StatusInternalServerError, []byte(`{"__type":"InternalServerError"}`)
	}
	return status, body
}

func tell(err error) (int, errorBody) {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return tellFault(f)
	}
	if e, ok := errors.AsType[*awsjson.Error](err); ok {
		return http.StatusBadRequest, newErrorBody(e.Kind.String(), e.Message)
	}
	if e, ok := errors.AsType[*sigv4.Error](err); ok {
		return http.StatusBadRequest, newErrorBody(signatureError(e.Kind), e.Message)
	}
	return internalError()
}

func tellFault(f *fault.Error) (int, errorBody) {
	text := cut(f.Text)
	for _, known := range wireErrors() {
		if errors.Is(f, known.fault) {
			return known.status, newErrorBody(known.name, text)
		}
	}
	if f.Kind == fault.Invalid {
		return http.StatusBadRequest, newErrorBody("InvalidParameterValueException", text)
	}
	return internalError()
}

// maxText is the longest text of a fault that is told: some repeat what the
// caller sent, which may be a megabyte.
const maxText = 2000

func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	return text[:maxText] + "…"
}

func internalError() (int, errorBody) {
	return http.StatusInternalServerError, newErrorBody("InternalServerError", "An internal error occurred.")
}

// newErrorBody makes the text fit for JSON: some texts repeat headers, which may
// hold any bytes.
func newErrorBody(name, text string) errorBody {
	text = strings.ToValidUTF8(text, "\uFFFD")
	switch name {
	case "SerializationException", "AccessDeniedException":
		return errorBody{Type: name, UpperMessage: text}
	}
	return errorBody{Type: name, Message: text}
}

func signatureError(kind sigv4.Kind) string {
	switch kind {
	case sigv4.MissingToken:
		return "MissingAuthenticationTokenException"
	case sigv4.Incomplete:
		return "IncompleteSignatureException"
	}
	return "InvalidSignatureException"
}

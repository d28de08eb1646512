// Package sigv4 verifies AWS Signature Version 4 on incoming requests, in the
// Authorization header and in the query string (presigned URLs).
//
// It checks what a request claims about itself, rebuilds the canonical request
// and compares the signature. It does not know access keys, secrets or
// sessions: the caller looks up the secret between [Verifier.Parse] and
// [Verifier.Verify], and an unknown key or an expired session token is the
// caller's to refuse. It does not read bodies, it speaks only AWS4-HMAC-SHA256
// (no AWS4-ECDSA-P256-SHA256), it takes neither unsigned nor chunked payloads,
// and it remembers no requests: within its window one may be sent again.
//
// The texts of the errors are those of the real service where one is known.
// The rules are those of the IAM User Guide, "Create a signed AWS API request"
// and "Elements of an AWS API request signature".
package sigv4

import "fmt"

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
)

// Kind tells which answer of the AWS JSON protocol an [Error] becomes.
type Kind int

const (
	// MissingToken is a MissingAuthenticationTokenException: nothing in the
	// request claims who sent it.
	MissingToken Kind = iota + 1
	// Incomplete is an IncompleteSignatureException: a part of the claim is
	// missing or cannot be read.
	Incomplete
	// Invalid is an InvalidSignatureException: the claim can be read and is not
	// accepted.
	Invalid
)

// Error is why a request was not accepted. Message is the text for the caller;
// it repeats what the caller sent, which may be an Authorization header with a
// password or bearer token in it, so it belongs in the answer but not in a log.
type Error struct {
	Kind    Kind
	Message string
}

// Error returns the text for the caller.
func (e *Error) Error() string { return e.Message }

func incomplete(format string, args ...any) error {
	return &Error{Kind: Incomplete, Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return &Error{Kind: Invalid, Message: fmt.Sprintf(format, args...)}
}

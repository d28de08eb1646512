package sigv4

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Signature is what a request claims about itself. Nothing in it is proven
// before [Verifier.Verify] has accepted it.
type Signature struct {
	AccessKeyID   string
	Date          string // of the credential scope, yyyymmdd
	Region        string // of the credential scope; any is accepted
	Time          time.Time
	SignedHeaders []string      // lower-case and sorted
	SessionToken  string        // empty for long-term keys
	Presigned     bool          // signed in the query string, not in the header
	Expires       time.Duration // how long after Time the signature is good

	signature []byte // nil where it was not hexadecimal
}

// Parse reads the claim of a request and checks everything that can be checked
// without the body and the secret: form, parts, date, clock skew, expiry and
// credential scope. The error is an [*Error]. The order of the checks is the
// one in which the real service was seen to make them.
func (v *Verifier) Parse(r *http.Request) (*Signature, error) {
	c, err := claimOf(r)
	if err != nil {
		return nil, err
	}
	sig := &Signature{SessionToken: c.token, Presigned: c.presigned, signature: decodeSignature(c.signature)}
	if sig.Time, err = c.date.time(); err != nil {
		return nil, err
	}
	if sig.Expires, err = c.life(); err != nil {
		return nil, err
	}
	if err := checkTime(sig.Time, sig.Expires, v.now()); err != nil {
		return nil, err
	}
	if sig.SignedHeaders, err = parseSignedHeaders(c.signedHeaders); err != nil {
		return nil, err
	}
	if c.algorithm != algorithm {
		return nil, incomplete("Unsupported AWS 'algorithm': '%s' (only AWS4-HMAC-SHA256 for now). ", c.algorithm)
	}
	if err := sig.setScope(c.credential, v.Service); err != nil {
		return nil, err
	}
	return sig, nil
}

// setScope reads "key/date/region/service/aws4_request". The real service puts
// everything that is wrong with a scope in one message.
func (s *Signature) setScope(credential, service string) error {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || slices.Contains(parts, "") {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", credential)
	}
	s.AccessKeyID, s.Date, s.Region = parts[0], parts[1], parts[2]
	var wrong strings.Builder
	if parts[3] != service {
		wrong.WriteString("Credential should be scoped to correct service: '" + service + "'. ")
	}
	if parts[4] != terminator {
		wrong.WriteString("Credential should be scoped with a valid terminator: 'aws4_request', not '" + parts[4] + "'. ")
	}
	if s.Date != s.Time.Format("20060102") {
		wrong.WriteString("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP. ")
	}
	if wrong.Len() > 0 {
		return invalid("%s", wrong.String())
	}
	return nil
}

// parseSignedHeaders returns the names sorted. The canonical request has them
// sorted whatever the order in the claim, so an unsorted list is no fault.
func parseSignedHeaders(list string) ([]string, error) {
	names := strings.Split(list, ";")
	slices.Sort(names)
	if slices.ContainsFunc(names, notHeaderName) || len(slices.Compact(slices.Clone(names))) < len(names) {
		return nil, incomplete("'SignedHeaders' must be lower-case header names separated by semicolons, each of them once, got '%s'", list)
	}
	if !slices.Contains(names, "host") {
		return nil, invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return names, nil
}

func notHeaderName(name string) bool {
	return name == "" || strings.ContainsFunc(name, func(c rune) bool {
		return !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
	})
}

// decodeSignature returns nil for what is not hexadecimal. Verify answers to
// that, and to a wrong length, as to any other wrong signature.
func decodeSignature(text string) []byte {
	signature, err := hex.DecodeString(text)
	if err != nil {
		return nil
	}
	return signature
}

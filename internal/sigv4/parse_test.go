package sigv4

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	goodCredential = "AKIAALICE/20260101/eu-west-3/support/aws4_request"
	zeros          = "0000000000000000000000000000000000000000000000000000000000000000"
	goodHeader     = "AWS4-HMAC-SHA256 Credential=" + goodCredential + ", SignedHeaders=host;x-amz-date, Signature=" + zeros
	goodQuery      = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + goodCredential +
		"&X-Amz-Signature=" + zeros + "&X-Amz-SignedHeaders=host&X-Amz-Date=20260101T003000Z"
	reexamine = "Re-examine the query-string parameters."
)

// wantError compares kind and text.
func wantError(t *testing.T, err error, kind Kind, message string) {
	t.Helper()
	var got *Error
	if !errors.As(err, &got) {
		t.Fatalf("error = %v, want %q", err, message)
	}
	if diff := cmp.Diff(&Error{Kind: kind, Message: message}, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func request(query string, header http.Header) *http.Request {
	if header == nil {
		header = http.Header{}
	}
	return &http.Request{Method: "POST", Host: "support.example.com", URL: &url.URL{Path: "/", RawQuery: query}, Header: header}
}

func authorized(header string) http.Header {
	return http.Header{"Authorization": {header}, "X-Amz-Date": {"20260101T003000Z"}}
}

func TestParseOfHeaderFormRefuses(t *testing.T) {
	t.Parallel()
	const prefix = "AWS4-HMAC-SHA256 Credential="
	scoped := func(credential string) http.Header {
		return authorized(prefix + credential + ", SignedHeaders=host, Signature=" + zeros)
	}
	signing := func(names string) http.Header {
		return authorized(prefix + goodCredential + ", SignedHeaders=" + names + ", Signature=" + zeros)
	}
	dated := func(name string, values ...string) http.Header {
		return http.Header{"Authorization": {goodHeader}, name: values}
	}
	const (
		noCredential    = "Authorization header requires 'Credential' parameter. "
		noSignature     = "Authorization header requires 'Signature' parameter. "
		noSignedHeaders = "Authorization header requires 'SignedHeaders' parameter. "
		noDate          = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
		badDate         = "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601"
		wrongService    = "Credential should be scoped to correct service: 'support'. "
		wrongDate       = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP. "
		fiveParts       = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '"
		badNames        = "'SignedHeaders' must be lower-case header names separated by semicolons, each of them once, got '"
		noHost          = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
	)
	tests := []struct {
		name    string
		header  http.Header
		kind    Kind
		message string
	}{
		{"nothing", nil, MissingToken, "Missing Authentication Token"},
		{"empty header", authorized(""), MissingToken, "Missing Authentication Token"},
		{"two headers", http.Header{"Authorization": {"a", "b"}}, Incomplete, "Authorization header must appear only once. Authorization=a,b"},

		{"scheme only", authorized("AWS4-HMAC-SHA256"), Incomplete, noCredential + noSignature + noSignedHeaders + "Authorization=AWS4-HMAC-SHA256"},
		{"no credential", authorized("AWS4-HMAC-SHA256 SignedHeaders=host, Signature=0"), Incomplete, noCredential + "Authorization=AWS4-HMAC-SHA256 SignedHeaders=host, Signature=0"},
		{"no signature", authorized(prefix + "a, SignedHeaders=host"), Incomplete, noSignature + "Authorization=" + prefix + "a, SignedHeaders=host"},
		{"no signed headers", authorized(prefix + "a, Signature=0"), Incomplete, noSignedHeaders + "Authorization=" + prefix + "a, Signature=0"},
		{"empty signed headers", signing(""), Incomplete, noSignedHeaders + "Authorization=" + prefix + goodCredential + ", SignedHeaders=, Signature=" + zeros},
		{"no date", dated("X-Other", "x"), Incomplete, noDate + "Authorization=" + goodHeader},
		{"bearer token without date", http.Header{"Authorization": {"Bearer abc"}}, Incomplete, noCredential + noSignature + noSignedHeaders + noDate + "Authorization=Bearer abc"},
		{"basic", authorized("Basic YTpi"), Incomplete, noCredential + noSignature + noSignedHeaders + "Authorization=Basic YTpi"},
		{"asymmetric signature", authorized("AWS4-ECDSA-P256-SHA256 Credential=a, SignedHeaders=host, Signature=0"), Incomplete, noCredential + noSignature + noSignedHeaders + "Authorization=AWS4-ECDSA-P256-SHA256 Credential=a, SignedHeaders=host, Signature=0"},
		{"scheme in lower case", authorized("aws4-hmac-sha256 Credential=a"), Incomplete, noCredential + noSignature + noSignedHeaders + "Authorization=aws4-hmac-sha256 Credential=a"},
		{"parameter without equals sign", authorized("AWS4-HMAC-SHA256 Credential"), Incomplete, "'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 Credential'."},
		{"parameter twice", authorized(prefix + "a, Credential=b"), Incomplete, "Authorization header requires 'Credential' parameter only once. Authorization=" + prefix + "a, Credential=b"},

		{"date in another form", dated("X-Amz-Date", "2026-01-01T00:30:00Z"), Incomplete, sprintf(badDate, "2026-01-01T00:30:00Z")},
		{"date with a fraction", dated("X-Amz-Date", "20260101T003000.5Z"), Incomplete, sprintf(badDate, "20260101T003000.5Z")},
		{"HTTP date in X-Amz-Date", dated("X-Amz-Date", "Thu, 01 Jan 2026 00:30:00 GMT"), Incomplete, sprintf(badDate, "Thu, 01 Jan 2026 00:30:00 GMT")},
		{"date twice", dated("X-Amz-Date", "20260101T003000Z", "20260101T003000Z"), Incomplete, sprintf(badDate, "20260101T003000Z,20260101T003000Z")},
		{"no such date", dated("Date", "yesterday"), Incomplete, sprintf(badDate, "yesterday")},
		{
			"X-Amz-Date overrides Date",
			http.Header{"Authorization": {goodHeader}, "Date": {"20260101T003000Z"}, "X-Amz-Date": {"20260101T000000Z"}},
			Invalid, "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z (20260101T003000Z - 15 min.)",
		},

		{"four elements", scoped("a/20260101/eu-west-3/support"), Incomplete, fiveParts + "a/20260101/eu-west-3/support'"},
		{"six elements", scoped("a/b/20260101/eu-west-3/support/aws4_request"), Incomplete, fiveParts + "a/b/20260101/eu-west-3/support/aws4_request'"},
		{"empty key", scoped("/20260101/eu-west-3/support/aws4_request"), Incomplete, fiveParts + "/20260101/eu-west-3/support/aws4_request'"},
		{"wrong service", scoped("a/20260101/eu-west-3/s3/aws4_request"), Invalid, wrongService},
		{"wrong date", scoped("a/20260102/eu-west-3/support/aws4_request"), Invalid, wrongDate},
		{"wrong terminator", scoped("a/20260101/eu-west-3/support/aws5_request"), Invalid, "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. "},
		{"everything wrong in the scope", scoped("a/b/c/d/e"), Invalid, wrongService + "Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. " + wrongDate},

		{"host not signed", signing("x-amz-date"), Invalid, noHost},
		{"upper case name", signing("Host;x-amz-date"), Incomplete, badNames + "Host;x-amz-date'"},
		{"name twice", signing("host;x-amz-date;host"), Incomplete, badNames + "host;x-amz-date;host'"},
		{"empty name", signing("host;;x-amz-date"), Incomplete, badNames + "host;;x-amz-date'"},
		{"name with a colon", signing("host;a:b"), Incomplete, badNames + "host;a:b'"},
		{"name not ASCII", signing("host;é"), Incomplete, badNames + "host;é'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := testVerifier().Parse(request("", tt.header))
			wantError(t, err, tt.kind, tt.message)
		})
	}
}

func TestParseOfQueryFormRefuses(t *testing.T) {
	t.Parallel()
	const must = "AWS query-string parameters must include '"
	expires := func(value string) string {
		return "X-Amz-Expires must be a number of seconds from 1 to 604800, got '" + value + "'. " + reexamine
	}
	once := func(name string) string { return must + name + "' only once. " + reexamine }
	tests := []struct {
		name, query string
		header      http.Header
		kind        Kind
		message     string
	}{
		{
			"algorithm only", "X-Amz-Algorithm=AWS4-HMAC-SHA256", nil, Incomplete,
			must + "X-Amz-Credential'. " + must + "X-Amz-Signature'. " + must + "X-Amz-SignedHeaders'. " + must + "X-Amz-Date'. " + reexamine,
		},
		{"no algorithm", replaced("X-Amz-Algorithm=AWS4-HMAC-SHA256&", ""), nil, Incomplete, must + "X-Amz-Algorithm'. " + reexamine},
		{"no date, though a header has one", replaced("&X-Amz-Date=20260101T003000Z", ""), http.Header{"X-Amz-Date": {"20260101T003000Z"}}, Incomplete, must + "X-Amz-Date'. " + reexamine},
		{"signed headers empty", replaced("SignedHeaders=host", "SignedHeaders="), nil, Incomplete, must + "X-Amz-SignedHeaders'. " + reexamine},
		{"HTTP date", replaced("=20260101T003000Z", "=Thu, 01 Jan 2026 00:30:00 GMT"), nil, Incomplete, "Date must be in ISO-8601 'basic format'. Got 'Thu, 01 Jan 2026 00:30:00 GMT'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"other algorithm", replaced("=AWS4-HMAC-SHA256", "=AWS4-ECDSA-P256-SHA256"), nil, Incomplete, "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now). "},
		{"both forms", goodQuery, authorized(goodHeader), Invalid, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"a part of the query form beside the header", "X-Amz-Signature=" + zeros, authorized(goodHeader), Invalid, "Found both 'X-Amz-Signature' as a query-string param and 'Authorization' as HTTP header."},
		{"empty header beside the query form", goodQuery, authorized(""), Invalid, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"credential twice", goodQuery + "&X-Amz-Credential=x", nil, Incomplete, once("X-Amz-Credential")},
		{"signature twice, once in disguise", goodQuery + "&X%2DAmz%2dSignature=x", nil, Incomplete, once("X-Amz-Signature")},
		{"date twice", goodQuery + "&X-Amz-Date=20260101T003000Z", nil, Incomplete, once("X-Amz-Date")},
		{"expiry twice", goodQuery + "&X-Amz-Expires=1&X-Amz-Expires=2", nil, Incomplete, once("X-Amz-Expires")},
		{"session token twice", goodQuery + "&X-Amz-Security-Token=a&X-Amz-Security-Token=b", nil, Incomplete, once("X-Amz-Security-Token")},
		{"expiry empty", goodQuery + "&X-Amz-Expires=", nil, Incomplete, expires("")},
		{"expiry zero", goodQuery + "&X-Amz-Expires=0", nil, Incomplete, expires("0")},
		{"expiry negative", goodQuery + "&X-Amz-Expires=-1", nil, Incomplete, expires("-1")},
		{"expiry not a number", goodQuery + "&X-Amz-Expires=1h", nil, Incomplete, expires("1h")},
		{"expiry over a week", goodQuery + "&X-Amz-Expires=604801", nil, Incomplete, expires("604801")},
		{"expiry overflows", goodQuery + "&X-Amz-Expires=18446744073709551617", nil, Incomplete, expires("18446744073709551617")},
		{"malformed escape in a name", goodQuery + "&%zz=1", nil, Incomplete, "Query string has a malformed percent escape: '%zz=1'. " + reexamine},
		{"malformed escape in a value", goodQuery + "&a=%4", nil, Incomplete, "Query string has a malformed percent escape: 'a=%4'. " + reexamine},
		{"malformed escape beside the header form", "a=%", authorized(goodHeader), Incomplete, "Query string has a malformed percent escape: 'a=%'. " + reexamine},
		{"host not signed", replaced("SignedHeaders=host", "SignedHeaders=x-amz-target"), nil, Invalid, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"wrong service", replaced("/support/", "/iam/"), nil, Invalid, "Credential should be scoped to correct service: 'support'. "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := testVerifier().Parse(request(tt.query, tt.header))
			wantError(t, err, tt.kind, tt.message)
		})
	}
}

func TestParseAcceptsEveryFormOfDate(t *testing.T) {
	t.Parallel()
	for _, date := range []string{
		"20260101T003000Z", "Thu, 01 Jan 2026 00:30:00 GMT", "Thursday, 01-Jan-26 00:30:00 GMT", "Thu Jan  1 00:30:00 2026",
	} {
		t.Run(date, func(t *testing.T) {
			t.Parallel()
			sig, err := testVerifier().Parse(request("", http.Header{"Authorization": {goodHeader}, "Date": {date}}))
			if err != nil {
				t.Fatalf("Parse = %v, want no error", err)
			}
			if !sig.Time.Equal(testTime) {
				t.Errorf("Time = %v, want %v", sig.Time, testTime)
			}
		})
	}
}

func TestClockMayBeFifteenMinutesOffAndNotOneSecondMore(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, expires string
		now           time.Duration // after the signature
		message       string
	}{
		{"oldest", "", 15 * time.Minute, ""},
		{"oldest, and a part of a second", "", 15*time.Minute + 999*time.Millisecond, ""},
		{"too old", "", 15*time.Minute + time.Second, "Signature expired: 20260101T003000Z is now earlier than 20260101T003001Z (20260101T004501Z - 15 min.)"},
		{"newest", "", -15 * time.Minute, ""},
		{"too new", "", -15*time.Minute - time.Second, "Signature not yet current: 20260101T003000Z is still later than 20260101T002959Z (20260101T001459Z + 15 min.)"},
		{"last second of an expiry", "90", 90 * time.Second, ""},
		{"past the expiry", "90", 91 * time.Second, "Signature expired: 20260101T003000Z is now earlier than 20260101T003001Z (20260101T003131Z - 90 sec.)"},
		{"last second of an hour", "3600", time.Hour, ""},
		{"past an hour", "3600", time.Hour + time.Second, "Signature expired: 20260101T003000Z is now earlier than 20260101T003001Z (20260101T013001Z - 60 min.)"},
		{"last second of a week", "604800", 7 * 24 * time.Hour, ""},
		{"expiry does not widen the future", "3600", -15*time.Minute - time.Second, "Signature not yet current: 20260101T003000Z is still later than 20260101T002959Z (20260101T001459Z + 15 min.)"},
		{"no expiry in the query", "none", 15*time.Minute + time.Second, "Signature expired: 20260101T003000Z is now earlier than 20260101T003001Z (20260101T004501Z - 15 min.)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := &Verifier{Service: "support", Now: func() time.Time { return testTime.Add(tt.now).In(time.FixedZone("", 3600)) }}
			r := request("", authorized(goodHeader))
			switch tt.expires {
			case "":
			case "none":
				r = request(goodQuery, nil)
			default:
				r = request(goodQuery+"&X-Amz-Expires="+tt.expires, nil)
			}
			_, err := v.Parse(r)
			if tt.message != "" {
				wantError(t, err, Invalid, tt.message)
				return
			}
			if err != nil {
				t.Errorf("Parse = %v, want no error", err)
			}
		})
	}
}

func TestNilNowIsTheRealClock(t *testing.T) {
	t.Parallel()
	v := Verifier{Service: "support"}
	if got := time.Since(v.now()); got < 0 || got > time.Minute {
		t.Errorf("now is %v ago, want about none", got)
	}
}

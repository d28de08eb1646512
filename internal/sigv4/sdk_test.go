package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	testSecret = "secret/of+alice"
	testToken  = "FwoGZXIvYXdzEBYaD//////////wEaD+session=="
)

var testTime = time.Date(2026, 1, 1, 0, 30, 0, 0, time.UTC)

func testVerifier() *Verifier {
	return &Verifier{Service: "support", Now: func() time.Time { return testTime }}
}

// unsigned is a call as the SDK would build it.
func unsigned(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSSupport_20130415.DescribeCases")
	return r
}

func credentials(token string) aws.Credentials {
	return aws.Credentials{AccessKeyID: "AKIAALICE", SecretAccessKey: testSecret, SessionToken: token}
}

func sign(t testing.TB, r *http.Request, body, token string) {
	t.Helper()
	err := v4.NewSigner().SignHTTP(t.Context(), credentials(token), r, hexHash(body), "support", "eu-west-3", testTime)
	if err != nil {
		t.Fatal(err)
	}
}

func presign(t testing.TB, r *http.Request, body, token string) *http.Request {
	t.Helper()
	uri, headers, err := v4.NewSigner().PresignHTTP(t.Context(), credentials(token), r, hexHash(body), "support", "eu-west-3", testTime)
	if err != nil {
		t.Fatal(err)
	}
	presigned := unsigned(t, r.Method, uri, body)
	presigned.Header = headers
	return presigned
}

func hexHash(body string) string {
	hash := sha256.Sum256([]byte(body))
	return hex.EncodeToString(hash[:])
}

func check(v *Verifier, r *http.Request, hash [32]byte, secret string) error {
	sig, err := v.Parse(r)
	if err != nil {
		return err
	}
	return v.Verify(sig, r, hash, secret)
}

var sdkRequests = []struct {
	name, method, url, body, token string
	header                         http.Header
}{
	{name: "plain call", method: "POST", url: "https://support.example.com/", body: `{"caseIdList":[]}`},
	{name: "empty body", method: "POST", url: "https://support.example.com/"},
	{name: "session token", method: "POST", url: "https://support.example.com/", body: "{}", token: testToken},
	{name: "port in the host", method: "POST", url: "http://127.0.0.1:8080/", body: "{}"},
	{name: "no path", method: "POST", url: "http://127.0.0.1:8080", body: "{}"},
	{name: "escaped path", method: "GET", url: "https://support.example.com/a%20b/%E1%88%B4/c%2Fd/e+f/$x;y,z"},
	{name: "trailing slash", method: "GET", url: "https://support.example.com/a/b/"},
	{name: "query to be sorted and escaped", method: "GET", url: "https://support.example.com/?b=2&a=%C3%A9&a=1&A=0&c=x%20y&d=%2B&e&f=%7E*%27"},
	{
		name: "blanks in headers", method: "POST", url: "https://support.example.com/", body: "{}",
		header: http.Header{"X-Note": {"  one   two  "}, "X-Many": {"b", " a ", "b"}},
	},
	{
		name: "announced hash", method: "POST", url: "https://support.example.com/", body: "{}",
		header: http.Header{"X-Amz-Content-Sha256": {hexHash("{}")}},
	},
}

func TestAcceptsWhatTheSDKSigns(t *testing.T) {
	t.Parallel()
	for _, tt := range sdkRequests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := unsigned(t, tt.method, tt.url, tt.body)
			for name, values := range tt.header {
				r.Header[name] = values
			}
			sign(t, r, tt.body, tt.token)
			got, hash := received(t, r)
			if err := check(testVerifier(), got, hash, testSecret); err != nil {
				t.Errorf("Verify = %v, want no error", err)
			}
		})
	}
}

func TestAcceptsWhatTheSDKPresigns(t *testing.T) {
	t.Parallel()
	for _, tt := range sdkRequests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := unsigned(t, tt.method, tt.url, tt.body)
			for name, values := range tt.header {
				r.Header[name] = values
			}
			got, hash := received(t, presign(t, r, tt.body, tt.token))
			if err := check(testVerifier(), got, hash, testSecret); err != nil {
				t.Errorf("Verify = %v, want no error", err)
			}
		})
	}
}

func TestParseReturnsTheClaim(t *testing.T) {
	t.Parallel()
	header := unsigned(t, "POST", "https://support.example.com/", "{}")
	sign(t, header, "{}", testToken)
	query := unsigned(t, "POST", "https://support.example.com/?X-Amz-Expires=3600", "{}")
	query.Header = http.Header{}
	tests := []struct {
		name string
		r    *http.Request
		want Signature
	}{
		{"header form", header, Signature{
			SignedHeaders: []string{"content-length", "content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"},
			Expires:       15 * time.Minute,
		}},
		{"query form", presign(t, query, "{}", testToken), Signature{
			SignedHeaders: []string{"content-length", "host"},
			Expires:       time.Hour,
			Presigned:     true,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.want.AccessKeyID, tt.want.Date, tt.want.Region = "AKIAALICE", "20260101", "eu-west-3"
			tt.want.Time, tt.want.SessionToken = testTime, testToken
			r, _ := received(t, tt.r)
			got, err := testVerifier().Parse(r)
			if err != nil {
				t.Fatalf("Parse = %v, want no error", err)
			}
			if diff := cmp.Diff(&tt.want, got, cmpopts.IgnoreUnexported(Signature{})); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

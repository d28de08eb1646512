package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// replaced is goodQuery with one thing changed.
func replaced(old, new string) string { return strings.Replace(goodQuery, old, new, 1) }

// signed is a request as a server receives it, in either form.
func signed(t testing.TB, presigned bool) (*http.Request, [32]byte) {
	t.Helper()
	const body = `{"displayId":"1"}`
	r := unsigned(t, "POST", "https://support.example.com/path?Action=x&page=1", body)
	if presigned {
		return received(t, presign(t, r, body, testToken))
	}
	sign(t, r, body, testToken)
	return received(t, r)
}

func TestAnyChangeOfARequestIsRefused(t *testing.T) {
	t.Parallel()
	changes := []struct {
		name   string
		change func(r *http.Request, hash *[32]byte, secret *string)
	}{
		{"body", func(_ *http.Request, hash *[32]byte, _ *string) { *hash = sha256.Sum256([]byte("{}")) }},
		{"secret", func(_ *http.Request, _ *[32]byte, secret *string) { *secret += "x" }},
		{"method", func(r *http.Request, _ *[32]byte, _ *string) { r.Method = "PUT" }},
		{"host", func(r *http.Request, _ *[32]byte, _ *string) { r.Host = "other.example.com" }},
		{"path", func(r *http.Request, _ *[32]byte, _ *string) { r.URL.Path = "/other" }},
		{"case of the path", func(r *http.Request, _ *[32]byte, _ *string) { r.URL.Path = "/Path" }},
		{"query value", func(r *http.Request, _ *[32]byte, _ *string) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "page=1", "page=2", 1)
		}},
		{"query parameter more", func(r *http.Request, _ *[32]byte, _ *string) { r.URL.RawQuery += "&x" }},
		{"query with semicolons", func(r *http.Request, _ *[32]byte, _ *string) { r.URL.RawQuery += "&a;b=c" }},
		{"content type", func(r *http.Request, _ *[32]byte, _ *string) { r.Header.Set("Content-Type", "text/plain") }},
		{"content type gone", func(r *http.Request, _ *[32]byte, _ *string) { r.Header.Del("Content-Type") }},
		{"content type twice", func(r *http.Request, _ *[32]byte, _ *string) { r.Header.Add("Content-Type", "text/plain") }},
		{"content length", func(r *http.Request, _ *[32]byte, _ *string) {
			r.Header.Del("Content-Length")
			r.ContentLength++
		}},
		{"content length unknown", func(r *http.Request, _ *[32]byte, _ *string) {
			r.Header.Del("Content-Length")
			r.ContentLength = -1
		}},
		{"announced hash differs", func(r *http.Request, _ *[32]byte, _ *string) { r.Header.Set("X-Amz-Content-Sha256", hexHash("")) }},
		{"payload announced as unsigned", func(r *http.Request, _ *[32]byte, _ *string) {
			r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
		}},
	}
	for _, presigned := range []bool{false, true} {
		for _, tt := range changes {
			t.Run(fmt.Sprintf("presigned %t/%s", presigned, tt.name), func(t *testing.T) {
				t.Parallel()
				v := testVerifier()
				r, hash := signed(t, presigned)
				if err := check(v, r, hash, testSecret); err != nil {
					t.Fatalf("unchanged: %v, want no error", err)
				}
				secret := testSecret
				tt.change(r, &hash, &secret)
				wantError(t, check(v, r, hash, secret), Invalid, mismatch)
			})
		}
	}
}

func TestAnyChangeOfTheClaimIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(r *http.Request)
	}{
		{"date", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260101T003001Z") }},
		{"target", func(r *http.Request) { r.Header.Set("X-Amz-Target", "AWSSupport_20130415.ResolveCase") }},
		{"session token", func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "other") }},
		{"region", func(r *http.Request) { claimWith(r, "/eu-west-3/", "/us-east-1/") }},
		{"fewer signed headers", func(r *http.Request) { claimWith(r, ";x-amz-target", "") }},
		{"more signed headers", func(r *http.Request) { claimWith(r, ";x-amz-target", ";x-amz-target;x-none") }},
		{"signature not hexadecimal", func(r *http.Request) { signatureWith(r, strings.Repeat("z", 64)) }},
		{"signature short", func(r *http.Request) { signatureWith(r, "00") }},
		{"signature long", func(r *http.Request) { signatureWith(r, signatureOf(r)+"00") }},
		{"signature with one digit changed", func(r *http.Request) {
			digit := "0"
			if strings.HasPrefix(signatureOf(r), digit) {
				digit = "1"
			}
			signatureWith(r, digit+signatureOf(r)[1:])
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, hash := signed(t, false)
			tt.change(r)
			wantError(t, check(testVerifier(), r, hash, testSecret), Invalid, mismatch)
		})
	}
}

func TestExpiryAndTokenOfAPresignedRequestAreSigned(t *testing.T) {
	t.Parallel()
	for _, added := range []string{"&X-Amz-Expires=604800", "&X-Amz-Meta=1"} {
		r, hash := signed(t, true)
		r.URL.RawQuery += added
		wantError(t, check(testVerifier(), r, hash, testSecret), Invalid, mismatch)
	}
	r, hash := signed(t, true)
	r.URL.RawQuery = strings.Replace(r.URL.RawQuery, url.QueryEscape(testToken), "other", 1)
	wantError(t, check(testVerifier(), r, hash, testSecret), Invalid, mismatch)
}

func TestSignatureMayBeInUpperCase(t *testing.T) {
	t.Parallel()
	r, hash := signed(t, false)
	signatureWith(r, strings.ToUpper(signatureOf(r)))
	if err := check(testVerifier(), r, hash, testSecret); err != nil {
		t.Errorf("Verify = %v, want no error", err)
	}
}

func TestOrderOfSignedHeadersDoesNotMatter(t *testing.T) {
	t.Parallel()
	r, hash := signed(t, false)
	claimWith(r, "SignedHeaders=content-length;content-type;", "SignedHeaders=content-type;content-length;")
	if err := check(testVerifier(), r, hash, testSecret); err != nil {
		t.Errorf("Verify = %v, want no error", err)
	}
}

func TestPlusInAQueryIsABlank(t *testing.T) {
	t.Parallel()
	got, err := canonicalQuery("b=x+y&b=%2B&a%20a&&c==", false)
	if want := "a%20a=&b=%2B&b=x%20y&c=%3D"; got != want || err != nil {
		t.Errorf("canonicalQuery = %q, %v, want %q", got, err, want)
	}
}

func TestOnlyAPresignedRequestLeavesItsSignatureOut(t *testing.T) {
	t.Parallel()
	for presigned, want := range map[bool]string{true: "a=1", false: "X-Amz-Signature=0&a=1"} {
		if got, err := canonicalQuery("a=1&X-Amz-Signature=0", presigned); got != want || err != nil {
			t.Errorf("canonicalQuery(presigned %t) = %q, %v, want %q", presigned, got, err, want)
		}
	}
}

func TestPathIsTheOneThatHandlersSee(t *testing.T) {
	t.Parallel()
	tests := []struct {
		u    url.URL
		want string
	}{
		{url.URL{}, "/"},
		{url.URL{Path: "/a/./b//../c/"}, "/a/c/"},
		{url.URL{Path: "/a/b", RawPath: "/a%2Fb"}, "/a%252Fb"},
		{url.URL{Path: "/rewritten", RawPath: "/a%2Fb"}, "/rewritten"},
	}
	for _, tt := range tests {
		if got := canonicalPath(&tt.u); got != tt.want {
			t.Errorf("canonicalPath(%q, %q) = %q, want %q", tt.u.Path, tt.u.RawPath, got, tt.want)
		}
	}
}

func TestContentLengthComesFromTheRequestWhereNoHeaderHasIt(t *testing.T) {
	t.Parallel()
	for length, want := range map[int64]string{-1: "", 0: "0", 17: "17"} {
		r := request("", nil)
		r.ContentLength = length
		if got := headerValue(r, "content-length"); got != want {
			t.Errorf("headerValue with length %d = %q, want %q", length, got, want)
		}
	}
}

func TestHeaderValuesCannotForgeALine(t *testing.T) {
	t.Parallel()
	r := request("", http.Header{"X-A": {"\tone\r\nhost:evil  two "}})
	if got, want := headerValue(r, "x-a"), "one host:evil two"; got != want {
		t.Errorf("headerValue = %q, want %q", got, want)
	}
}

func TestEmptySecretNeverVerifies(t *testing.T) {
	t.Parallel()
	v := testVerifier()
	r := request("", authorized(goodHeader))
	hash := sha256.Sum256(nil)
	sig, err := v.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := canonicalRequest(sig, r, hash)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization(sig, v.Service, "", stringToSign(sig, v.Service, canonical)))
	wantError(t, check(v, r, hash, ""), Invalid, mismatch)
}

func TestExplainTellsWhatShouldHaveBeenSigned(t *testing.T) {
	t.Parallel()
	v := testVerifier()
	v.Explain = true
	r := request("", authorized(goodHeader))
	err := check(v, r, sha256.Sum256(nil), testSecret)
	wantError(t, err, Invalid, mismatch+`

The Canonical String for this request should have been
'POST
/

host:support.example.com
x-amz-date:20260101T003000Z

host;x-amz-date
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

The String-to-Sign should have been
'AWS4-HMAC-SHA256
20260101T003000Z
20260101/eu-west-3/support/aws4_request
`+canonicalHash(t, v, r)+`'
`)
}

func TestKeysAreCachedOnlyAfterSuccess(t *testing.T) {
	t.Parallel()
	v := testVerifier()
	r, hash := signed(t, false)
	if err := check(v, r, hash, "wrong"); err == nil {
		t.Fatal("Verify with a wrong secret = nil, want an error")
	}
	if got := len(v.keys.keys); got != 0 {
		t.Fatalf("%d keys cached after a failure, want 0", got)
	}
	for range 2 {
		if err := check(v, r, hash, testSecret); err != nil {
			t.Fatalf("Verify = %v, want no error", err)
		}
	}
	if got := len(v.keys.keys); got != 1 {
		t.Errorf("%d keys cached after two successes, want 1", got)
	}
}

func TestCachedKeysAreOfOneSecretDateAndRegion(t *testing.T) {
	t.Parallel()
	v := suiteVerifier()
	for _, secret := range []string{"one", "two"} {
		for _, region := range []string{"us-east-1", "eu-west-3"} {
			for _, day := range []int{0, 1} {
				now := suiteTime.AddDate(0, 0, day)
				v.Now = func() time.Time { return now }
				r := request("", nil)
				sig := &Signature{AccessKeyID: "a", Date: now.Format("20060102"), Region: region, Time: now, SignedHeaders: []string{"host"}}
				canonical, err := canonicalRequest(sig, r, sha256.Sum256(nil))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Authorization", authorization(sig, v.Service, secret, stringToSign(sig, v.Service, canonical)))
				r.Header.Set("X-Amz-Date", now.Format(isoBasic))
				if err := check(v, r, sha256.Sum256(nil), secret); err != nil {
					t.Errorf("Verify of %s %s %s = %v, want no error", secret, region, sig.Date, err)
				}
			}
		}
	}
	if got := len(v.keys.keys); got != 8 {
		t.Errorf("%d keys cached, want 8", got)
	}
}

func TestKeyCacheIsSafeForManyGoroutines(t *testing.T) {
	t.Parallel()
	var c keyCache
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				id := keyID{region: fmt.Sprint(i, j)}
				c.put(id, [32]byte{byte(j)})
				if key, _ := c.get(id); key != [32]byte{byte(j)} {
					t.Errorf("get(%v) = %v, want what was put", id, key)
				}
			}
		})
	}
	wg.Wait()
}

func TestKeyCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c keyCache
	for i := range maxKeys + 10 {
		c.put(keyID{region: fmt.Sprint(i)}, [32]byte{byte(i)})
	}
	if got := len(c.keys); got != maxKeys {
		t.Errorf("cache holds %d keys, want %d", got, maxKeys)
	}
	last := maxKeys + 9
	if key, ok := c.get(keyID{region: fmt.Sprint(last)}); !ok || key != [32]byte{byte(last)} {
		t.Errorf("get of the last key = %v, %t, want it", key, ok)
	}
}

func TestManyGoroutinesVerifyAtOnce(t *testing.T) {
	t.Parallel()
	v := testVerifier()
	var wg sync.WaitGroup
	for i := range 16 {
		r, hash := signed(t, i%2 == 0)
		wg.Go(func() {
			for range 20 {
				if err := check(v, r, hash, testSecret); err != nil {
					t.Errorf("Verify = %v, want no error", err)
				}
				if err := check(v, r, hash, fmt.Sprint("wrong", i)); err == nil {
					t.Error("Verify with a wrong secret = nil, want an error")
				}
			}
		})
	}
	wg.Wait()
}

func claimWith(r *http.Request, old, new string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
}

func signatureOf(r *http.Request) string {
	_, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	return signature
}

func signatureWith(r *http.Request, signature string) { claimWith(r, signatureOf(r), signature) }

func canonicalHash(t *testing.T, v *Verifier, r *http.Request) string {
	t.Helper()
	sig, err := v.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := canonicalRequest(sig, r, sha256.Sum256(nil))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(canonical))
	return hex.EncodeToString(hash[:])
}

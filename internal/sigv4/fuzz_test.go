package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"
)

// FuzzCanonicalRequest reads whatever net/http reads and demands that nothing
// panics, that a canonical query is its own canonical form, and that whoever
// signs the canonical request of an accepted claim is let in.
func FuzzCanonicalRequest(f *testing.F) {
	f.Add([]byte("GET /a/../%2e/b//?b=2&a=+&a=%c3 HTTP/1.1\r\nHost: h\r\nX-Amz-Date: 20260101T003000Z\r\nAuthorization: " + goodHeader + "\r\n\r\n"))
	f.Add([]byte("POST /?" + goodQuery + "&X-Amz-Expires=60 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
		if err != nil {
			t.Skip("not a request")
		}
		if query, err := canonicalQuery(r.URL.RawQuery, false); err == nil {
			if again, err := canonicalQuery(query, false); again != query || err != nil {
				t.Errorf("canonicalQuery(%q) = %q, %v, want the same", query, again, err)
			}
		}
		if path := canonicalPath(r.URL); !strings.HasPrefix(path, "/") || strings.Contains(path+"/", "/../") || strings.Contains(path, "//") {
			t.Errorf("canonicalPath = %q, want it rooted and without dots and doubled slashes", path)
		}
		v := testVerifier()
		sig, err := v.Parse(r)
		if err != nil {
			return
		}
		hash := sha256.Sum256(nil)
		canonical, err := canonicalRequest(sig, r, hash)
		if err != nil {
			t.Fatalf("canonicalRequest = %v after Parse accepted the query", err)
		}
		key := deriveKey(testSecret, sig.Date, sig.Region, v.Service)
		signature := sum(key[:], stringToSign(sig, v.Service, canonical))
		sig.signature = signature[:]
		if err := v.Verify(sig, r, hash, testSecret); err != nil && r.Header.Get("X-Amz-Content-Sha256") == "" {
			t.Errorf("Verify = %v for a request signed as Parse reads it", err)
		}
	})
}

package sigv4

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	suiteKey    = "AKIDEXAMPLE"
	suiteSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

var suiteTime = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

// suiteExceptions names the cases that cannot be read from the suite as they
// stand, why, and what the test does about it.
var suiteExceptions = map[string]struct {
	why    string
	mend   func(wire string) string
	adjust func(r *http.Request, authz string)
}{
	"get-space": {
		why:  "net/http refuses a request line with a blank in the path; only code that builds a URL by hand can have one",
		mend: func(wire string) string { return strings.Replace(wire, "/example space/", "/", 1) },
		adjust: func(r *http.Request, _ string) {
			r.URL = &url.URL{Path: "/example space/", RawPath: "/example space/"}
		},
	},
	"get-vanilla-with-session-token": {
		why:    "the .sreq of the suite has the signature of get-vanilla; the one in .authz is right",
		adjust: func(r *http.Request, authz string) { r.Header.Set("Authorization", authz) },
	},
}

func TestSuiteOfAWS(t *testing.T) {
	t.Parallel()
	cases := suiteCases(t)
	if len(cases) != 34 {
		t.Fatalf("found %d cases in the suite, want 34", len(cases))
	}
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			file := func(ext string) string { return mustRead(t, filepath.Join(dir, filepath.Base(dir)+ext)) }
			r, hash := suiteRequest(t, filepath.Base(dir), file(".sreq"), file(".authz"))
			v := suiteVerifier()

			sig, err := v.Parse(r)
			if err != nil {
				t.Fatalf("Parse = %v, want no error", err)
			}
			canonical, err := canonicalRequest(sig, r, hash)
			if err != nil {
				t.Fatalf("canonicalRequest = %v, want no error", err)
			}
			if diff := cmp.Diff(file(".creq"), canonical); diff != "" {
				t.Errorf("canonicalRequest (-want +got):\n%s", diff)
			}
			toSign := stringToSign(sig, v.Service, canonical)
			if diff := cmp.Diff(file(".sts"), toSign); diff != "" {
				t.Errorf("stringToSign (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(file(".authz"), authorization(sig, v.Service, suiteSecret, toSign)); diff != "" {
				t.Errorf("authorization (-want +got):\n%s", diff)
			}
			if err := v.Verify(sig, r, hash, suiteSecret); err != nil {
				t.Errorf("Verify = %v, want no error", err)
			}
		})
	}
}

func TestNetHTTPStillCannotReadASpaceInThePath(t *testing.T) {
	t.Parallel()
	wire := mustRead(t, "testdata/sigv4-suite/normalize-path/get-space/get-space.sreq")
	if _, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire + "\r\n\r\n"))); err == nil {
		t.Error("ReadRequest accepts a blank in the path now: take get-space out of suiteExceptions")
	}
}

func suiteVerifier() *Verifier {
	return &Verifier{Service: "service", Now: func() time.Time { return suiteTime }}
}

func suiteCases(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir("testdata/sigv4-suite", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".sreq" {
			dirs = append(dirs, filepath.Dir(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

func suiteRequest(t *testing.T, name, wire, authz string) (*http.Request, [32]byte) {
	t.Helper()
	exception := suiteExceptions[name]
	if exception.mend != nil {
		wire = exception.mend(wire)
	}
	head, body, _ := strings.Cut(wire, "\n\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\n\n")))
	if err != nil {
		t.Fatalf("ReadRequest(%q) = %v", wire, err)
	}
	if exception.adjust != nil {
		exception.adjust(r, authz)
	}
	return r, sha256.Sum256([]byte(body))
}

// authorization is what a client would send.
func authorization(sig *Signature, service, secret, toSign string) string {
	key := deriveKey(secret, sig.Date, sig.Region, service)
	signature := sum(key[:], toSign)
	return algorithm + " Credential=" + sig.AccessKeyID + "/" + sig.Date + "/" + sig.Region + "/" + service + "/aws4_request" +
		", SignedHeaders=" + strings.Join(sig.SignedHeaders, ";") + ", Signature=" + hex.EncodeToString(signature[:])
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(data), "\n")
}

// received sends r through the wire format and returns it as a server sees it.
func received(t testing.TB, r *http.Request) (*http.Request, [32]byte) {
	t.Helper()
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	got, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got, sha256.Sum256(body)
}

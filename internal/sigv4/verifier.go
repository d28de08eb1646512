package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

const mismatch = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// Verifier checks signatures for one service. It must not be copied after first
// use; its methods may be called by many goroutines at once.
type Verifier struct {
	// Service is the service that credentials must be scoped to, such as "support".
	Service string
	// Now tells the time; nil means time.Now.
	Now func() time.Time
	// Explain adds the canonical request and the string to sign to the text of a
	// mismatch, as the real service does. They repeat the signed headers, session
	// token included, so this is for tests.
	Explain bool

	keys keyCache
}

// Verify rebuilds the signature of r with the secret of sig.AccessKeyID and
// compares in constant time. sig is what Parse returned for r, and bodyHash is
// the SHA-256 of the body as it was received. The error is an [*Error]. An empty
// secret never verifies.
func (v *Verifier) Verify(sig *Signature, r *http.Request, bodyHash [32]byte, secret string) error {
	canonical, err := canonicalRequest(sig, r, bodyHash)
	if err != nil {
		return err
	}
	toSign := stringToSign(sig, v.Service, canonical)
	id := keyID{secret: secret, date: sig.Date, region: sig.Region}
	key, cached := v.keys.get(id)
	if !cached {
		key = deriveKey(secret, sig.Date, sig.Region, v.Service)
	}
	want := sum(key[:], toSign)
	if !hmac.Equal(sig.signature, want[:]) || secret == "" || !hashAgrees(r, bodyHash) {
		return v.mismatch(canonical, toSign)
	}
	if !cached {
		v.keys.put(id, key)
	}
	return nil
}

// stringToSign is step 3 of "Create a signed AWS API request".
func stringToSign(sig *Signature, service, canonical string) string {
	hash := sha256.Sum256([]byte(canonical))
	scope := strings.Join([]string{sig.Date, sig.Region, service, terminator}, "/")
	return strings.Join([]string{algorithm, sig.Time.Format(isoBasic), scope, hex.EncodeToString(hash[:])}, "\n")
}

// hashAgrees compares the hash that a client announces with that of the body.
// UNSIGNED-PAYLOAD and the streaming words of S3 agree with no body.
func hashAgrees(r *http.Request, bodyHash [32]byte) bool {
	announced := r.Header.Values("X-Amz-Content-Sha256")
	return len(announced) == 0 || strings.Join(announced, ",") == hex.EncodeToString(bodyHash[:])
}

func (v *Verifier) mismatch(canonical, toSign string) error {
	if !v.Explain {
		return invalid("%s", mismatch)
	}
	return invalid("%s\n\nThe Canonical String for this request should have been\n'%s'\n\nThe String-to-Sign should have been\n'%s'\n",
		mismatch, canonical, toSign)
}

func (v *Verifier) now() time.Time {
	if v.Now == nil {
		return time.Now()
	}
	return v.Now()
}

package sigv4

import (
	"testing"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

func BenchmarkVerifyWithCachedKey(b *testing.B) {
	v := testVerifier()
	r, hash := signed(b, false)
	b.ReportAllocs()
	for b.Loop() {
		if err := check(v, r, hash, testSecret); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyPresignedWithCachedKey(b *testing.B) {
	v := testVerifier()
	r, hash := signed(b, true)
	b.ReportAllocs()
	for b.Loop() {
		if err := check(v, r, hash, testSecret); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyWithNewKey(b *testing.B) {
	r, hash := signed(b, false)
	b.ReportAllocs()
	for b.Loop() {
		if err := check(testVerifier(), r, hash, testSecret); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSignAgainWithTheSDK is the other way to verify: sign the request a
// second time with the SDK's signer, which caches its keys too.
func BenchmarkSignAgainWithTheSDK(b *testing.B) {
	const body = `{"displayId":"1"}`
	signer := v4.NewSigner()
	r := unsigned(b, "POST", "https://support.example.com/path?Action=x&page=1", body)
	hash := hexHash(body)
	b.ReportAllocs()
	for b.Loop() {
		if err := signer.SignHTTP(b.Context(), credentials(testToken), r, hash, "support", "eu-west-3", testTime); err != nil {
			b.Fatal(err)
		}
	}
}

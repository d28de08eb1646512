package iam

import (
	"fmt"
	"testing"
)

func TestCredentialCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c credentialCache
	for i := range 3*cachedCredentials + 7 {
		id := fmt.Sprint(i)
		c.put(id, 1, &Credential{Secret: id})
		if n := len(c.byKey); n > cachedCredentials {
			t.Fatalf("the cache holds %d credentials, want at most %d", n, cachedCredentials)
		}
		if got, ok := c.get(id, 1); !ok || got.Secret != id {
			t.Fatalf("get(%s) = %v, %t, want what was just put", id, got, ok)
		}
	}
}

// A slow reader may put what it loaded at an old version after others went on.
func TestCredentialCacheKeepsOneVersion(t *testing.T) {
	t.Parallel()
	var c credentialCache
	at := func(version int64, want bool) {
		t.Helper()
		if _, ok := c.get("key", version); ok != want {
			t.Errorf("get(key, %d) found %t, want %t", version, ok, want)
		}
	}
	at(0, false)
	c.put("key", 2, &Credential{})
	at(2, true)
	at(1, false)
	at(3, false)
	c.put("other", 3, &Credential{})
	at(2, false)
	at(3, false)
	c.put("key", 2, &Credential{}) // late
	at(2, false)
	at(3, false)
	if _, ok := c.get("other", 3); !ok {
		t.Error("get(other, 3) found nothing after a late put, want what was put at 3")
	}
}

package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"sync"
)

// maxKeys bounds the cache: some hundred kilobytes, and more pairs of key and
// region than most installations use in a day.
const maxKeys = 1024

type keyID struct{ secret, date, region string }

// keyCache keeps derived signing keys, which change once a day. Callers put a
// key only after it has verified a request, so strangers cannot fill it.
type keyCache struct {
	mu   sync.RWMutex
	keys map[keyID][32]byte
}

func (c *keyCache) get(id keyID) ([32]byte, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	key, ok := c.keys[id]
	return key, ok
}

func (c *keyCache) put(id keyID, key [32]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil {
		c.keys = make(map[keyID][32]byte)
	}
	if len(c.keys) >= maxKeys {
		c.evict()
	}
	c.keys[id] = key
}

// evict drops any one key: yesterday's are soon outnumbered and deriving one
// again costs four hashes.
func (c *keyCache) evict() {
	for id := range c.keys {
		delete(c.keys, id)
		return
	}
}

// deriveKey is step 4 of "Create a signed AWS API request".
func deriveKey(secret, date, region, service string) [32]byte {
	key := sum([]byte("AWS4"+secret), date)
	key = sum(key[:], region)
	key = sum(key[:], service)
	return sum(key[:], terminator)
}

func sum(key []byte, text string) [32]byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return [32]byte(mac.Sum(nil))
}

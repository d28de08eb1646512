package testmode

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
)

// Random is bytes that depend on a seed alone: the same calls in the same order
// make the same ids. It is safe for concurrent use.
type Random struct {
	seed uint64

	mu   sync.Mutex
	from *rand.ChaCha8
}

// NewRandom returns the bytes of a seed.
func NewRandom(seed uint64) *Random {
	r := &Random{seed: seed}
	r.Restart()
	return r
}

// Restart begins anew.
func (r *Random) Restart() {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], r.seed)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from = rand.NewChaCha8(key)
}

// Read fills b.
func (r *Random) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.from.Read(b)
}

package testmode

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"sync"
)

// Random is bytes that depend on a seed alone: the same calls in the same order
// make the same ids. It is safe for concurrent use.
type Random struct {
	seed uint64

	mu      sync.Mutex
	streams map[string]*rand.ChaCha8
}

// NewRandom returns the bytes of a seed.
func NewRandom(seed uint64) *Random {
	r := &Random{seed: seed}
	r.Restart()
	return r
}

// Restart begins all streams anew.
func (r *Random) Restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streams = map[string]*rand.ChaCha8{}
}

// Stream returns bytes of which nobody takes any but those who know the name.
// What one room draws in the background then changes no id of another one.
func (r *Random) Stream(name string) io.Reader { return stream{r, name} }

type stream struct {
	random *Random
	name   string
}

// Read fills b.
func (s stream) Read(b []byte) (int, error) {
	s.random.mu.Lock()
	defer s.random.mu.Unlock()
	from, ok := s.random.streams[s.name]
	if !ok {
		from = rand.NewChaCha8(sha256.Sum256(binary.LittleEndian.AppendUint64([]byte(s.name+"\n"), s.random.seed)))
		s.random.streams[s.name] = from
	}
	return from.Read(b)
}

// chance returns true with the probability p.
func (r *Random) chance(p float64) bool {
	var b [8]byte
	_, _ = r.Stream("faults").Read(b[:]) // never fails
	return float64(binary.LittleEndian.Uint64(b[:])>>11)/(1<<53) < p
}

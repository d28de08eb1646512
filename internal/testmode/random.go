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
	run     uint64
	streams map[string]*rand.ChaCha8
	marked  map[string]rand.ChaCha8 // as they were at the mark
}

// NewRandom returns the bytes of a seed.
func NewRandom(seed uint64) *Random {
	return &Random{seed: seed, streams: map[string]*rand.ChaCha8{}}
}

// Begin begins all streams anew, as those of a further run on the same data. Each
// has streams of its own, so that no id comes again; the first one is 0.
func (r *Random) Begin(run uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run, r.streams, r.marked = run, map[string]*rand.ChaCha8{}, nil
}

// Mark is where Restart goes back to.
func (r *Random) Mark() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marked = map[string]rand.ChaCha8{}
	for name, from := range r.streams {
		r.marked[name] = *from
	}
}

// Restart has all streams go on from where they were at the mark: what was made
// of them before is still there. Without a mark they begin anew.
func (r *Random) Restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streams = map[string]*rand.ChaCha8{}
	for name, from := range r.marked {
		r.streams[name] = &from
	}
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
		from = rand.NewChaCha8(s.random.key(s.name))
		s.random.streams[s.name] = from
	}
	return from.Read(b)
}

// key returns the beginning of a stream.
func (r *Random) key(name string) [sha256.Size]byte {
	text := binary.LittleEndian.AppendUint64([]byte(name+"\n"), r.seed)
	if r.run > 0 {
		text = binary.LittleEndian.AppendUint64(text, r.run)
	}
	return sha256.Sum256(text)
}

// chance returns true with the probability p. Without a seed it comes out other
// each time.
func (r *Random) chance(p float64) bool {
	if r.seed == 0 {
		return rand.Float64() < p
	}
	var b [8]byte
	_, _ = r.Stream("faults").Read(b[:]) // never fails
	return float64(binary.LittleEndian.Uint64(b[:])>>11)/(1<<53) < p
}

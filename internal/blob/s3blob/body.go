package s3blob

import (
	"io"
	"time"
)

// wholeUpTo is the size up to which a blob is held in memory.
const wholeUpTo = 1 << 20

// body is a blob as the server sends it. It ends with an error when the server
// is silent for longer than patience; how long the reader takes between reads
// does not count.
type body struct {
	r        io.ReadCloser
	patience time.Duration
	timer    *time.Timer // ends the request; running while the server has the turn
	cause    func(error) error
	cancel   func()
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	b.timer.Reset(b.patience)
	n, err := b.r.Read(p)
	b.timer.Stop()
	if err != nil && err != io.EOF {
		err = b.cause(err)
	}
	return n, err
}

// Close implements [io.Closer].
func (b *body) Close() error {
	err := b.r.Close()
	b.release()
	return err
}

func (b *body) release() {
	b.timer.Stop()
	b.cancel()
}

// Package random is what ids and secrets are made of: each room has a source of
// its own to be replaced, in test mode by one that repeats itself, and all read
// it in the same way.
package random

import (
	"crypto/rand"
	"io"
)

// Bytes returns n bytes of a source, which is crypto/rand if it is nil. A source
// that ends or fails makes it panic: there is no going on without.
func Bytes(source io.Reader, n int) []byte {
	if source == nil {
		source = rand.Reader
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(source, b); err != nil {
		panic(err)
	}
	return b
}

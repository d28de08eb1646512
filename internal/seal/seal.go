// Package seal encrypts and authenticates small values with keys derived from
// one master key: secrets of access keys at rest, page tokens in clients'
// hands. Each purpose has a key of its own, so a value sealed for one purpose
// never opens for another.
//
// It does not store, rotate or find the master key.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// KeySize is the length of a master key in bytes.
const KeySize = 32

// ErrNotAuthentic means that a value was not sealed by this box for this
// context, or was changed since.
var ErrNotAuthentic = errors.New("sealed value is not authentic")

// Box seals and opens values for one purpose with AES-256-GCM. It is safe for
// concurrent use.
type Box struct {
	aead cipher.AEAD
}

// NewBox derives the key for purpose from master with HKDF-SHA256 (RFC 5869).
func NewBox(master []byte, purpose string) (*Box, error) {
	if len(master) != KeySize {
		return nil, fmt.Errorf("master key has %d bytes, want %d", len(master), KeySize)
	}
	key, err := hkdf.Key(sha256.New, master, nil, "supportd "+purpose, KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Box{aead: aead}, nil
}

// Seal returns plain encrypted under a fresh nonce and bound to context.
func (b *Box) Seal(plain []byte, context string) []byte {
	return b.aead.Seal(nil, nil, plain, []byte(context))
}

// Open returns what was sealed with the same context, or ErrNotAuthentic.
func (b *Box) Open(sealed []byte, context string) ([]byte, error) {
	plain, err := b.aead.Open(nil, nil, sealed, []byte(context))
	if err != nil {
		return nil, ErrNotAuthentic
	}
	return plain, nil
}

// NewMasterKey returns a random master key.
func NewMasterKey() []byte {
	key := make([]byte, KeySize)
	// Read never returns an error since Go 1.24: it ends the process instead.
	_, _ = rand.Read(key)
	return key
}

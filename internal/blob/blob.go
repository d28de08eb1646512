// Package blob keeps bytes by key: the files that customers attach. What is
// kept is immutable, so a key is best made from the content, for example its
// hash, and two writers of one key do not harm each other.
//
// It knows no accounts, media types or permissions, and it does not decide when
// something may be deleted. [Dir] keeps the bytes in a folder, package s3blob in
// a bucket; package blobtest has the tests for every [Store].
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
)

// ErrNotFound means that nothing is kept under a key.
var ErrNotFound = errors.New("no such blob")

// ErrBadKey means that a text cannot be a key.
var ErrBadKey = errors.New("bad blob key")

// Limits of a key that every store can keep: a file name has at most 255 bytes
// on common file systems and a key in S3 at most 1,024.
const (
	maxSegments = 4
	maxSegment  = 200
)

// Store keeps bytes by key. Keys are as [CheckKey] describes; methods answer
// ErrBadKey to others. A store is safe for concurrent use, also by several
// processes on the same place.
type Store interface {
	// Put keeps what r yields until io.EOF. When it returns nil the bytes
	// survive a crash of the machine. An error of r, which is wrapped, leaves
	// nothing visible; after any other error, that of ctx included, either
	// nothing is visible or all, never a part, and Put may be repeated. Putting
	// the same bytes again changes nothing but Info.Modified, which becomes now,
	// and may leave r unread. Of different bytes under one key, which a key made
	// from the content excludes, one wins.
	Put(ctx context.Context, key string, r io.Reader) error

	// Open returns the bytes under key, or ErrNotFound. The caller closes the
	// reader before ctx ends. When the key is deleted meanwhile the reader goes
	// on to work, or fails: it never ends early without an error.
	Open(ctx context.Context, key string) (io.ReadCloser, error)

	// Delete removes the key; one that is missing is no error.
	Delete(ctx context.Context, key string) error

	// List yields what is kept under the keys that begin with prefix, which
	// may be any text, in ascending order of keys. Keys that come or go
	// meanwhile may or may not be yielded. An error ends the list.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]

	// Check returns nil when a Put would presently succeed.
	Check(ctx context.Context) error
}

// Info describes what is kept under a key.
type Info struct {
	Key      string
	Size     int64
	Modified time.Time // of the last Put
}

// CheckKey returns ErrBadKey unless key is one to four segments, separated by
// slashes, each of 1 to 200 letters, digits, dots, underscores and hyphens of
// ASCII, and none of them "." or "..".
func CheckKey(key string) error {
	segments := strings.Split(key, "/")
	if len(segments) > maxSegments {
		return fmt.Errorf("%w: %q has more than %d segments", ErrBadKey, key, maxSegments)
	}
	for _, s := range segments {
		if !validSegment(s) {
			return fmt.Errorf("%w: segment %q", ErrBadKey, s)
		}
	}
	return nil
}

func validSegment(s string) bool {
	if s == "" || s == "." || s == ".." || len(s) > maxSegment {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return !allowed(r) }) < 0
}

func allowed(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	}
	return r == '.' || r == '_' || r == '-'
}

// UntilDone returns r, ending with the error of ctx once that is done.
func UntilDone(ctx context.Context, r io.Reader) io.Reader {
	return ReaderFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

// ReaderFunc is an io.Reader made of its method.
type ReaderFunc func(p []byte) (int, error)

// Read implements [io.Reader].
func (f ReaderFunc) Read(p []byte) (int, error) { return f(p) }

package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
)

// attachmentBytes are the bytes of an attachment, perhaps of several with the
// same content in one set.
type attachmentBytes struct {
	account, set, sha256 string
	size                 int64
}

// attachmentBytesOf returns what a row of the list names.
func attachmentBytesOf(row store.Row) (attachmentBytes, error) {
	account, _ := row[0].(string)
	set, _ := row[1].(string)
	hash, _ := row[2].(string)
	size, ok := row[3].(int64)
	a := attachmentBytes{account, set, hash, size}
	if !ok || strings.Count(a.key(), "/") != 2 {
		return attachmentBytes{}, fmt.Errorf("%w: %q", blob.ErrBadKey, a.key())
	}
	return a, blob.CheckKey(a.key())
}

// key is where cases keeps the bytes.
func (a attachmentBytes) key() string {
	return cases.Attachment{Account: a.account, SetID: a.set, SHA256: a.sha256}.BlobKey()
}

// errOtherBytes says that bytes are not those of the attachment.
var errOtherBytes = errors.New("its bytes do not have the size and hash they were stored with")

// checkedReader yields what r does, and at its end an error unless that was
// what the attachment holds.
func checkedReader(r io.Reader, want attachmentBytes) io.Reader {
	h, size := sha256.New(), int64(0)
	return blob.ReaderFunc(func(p []byte) (int, error) {
		n, err := r.Read(p)
		h.Write(p[:n])
		size += int64(n)
		if size > want.size || err == io.EOF && (size != want.size || sum(h) != want.sha256) {
			err = errOtherBytes
		}
		return n, err
	})
}

// checkBytes reads the bytes of an attachment and compares them with their hash.
func checkBytes(ctx context.Context, from blob.Store, a attachmentBytes) error {
	content, err := from.Open(ctx, a.key())
	if err != nil {
		return err
	}
	defer content.Close()
	if _, err := io.Copy(io.Discard, checkedReader(blob.UntilDone(ctx, content), a)); err != nil {
		return fmt.Errorf("attachment %s: %w", a.key(), err)
	}
	return nil
}

// copyBytes copies the bytes of an attachment, or leaves nothing.
func copyBytes(ctx context.Context, from, to blob.Store, a attachmentBytes) error {
	content, err := from.Open(ctx, a.key())
	if err != nil {
		return err
	}
	defer content.Close()
	return to.Put(ctx, a.key(), checkedReader(content, a))
}

// movers is how many attachments are moved at once: most of the time each waits
// for an answer or a disk.
const movers = 8

// inParallel calls work for each item and returns the first error.
func inParallel[T any](ctx context.Context, items iter.Seq2[T, error], work func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan T)
	var workers sync.WaitGroup
	for range movers {
		workers.Go(func() {
			for item := range queue {
				if ctx.Err() != nil {
					continue
				}
				if err := work(ctx, item); err != nil {
					cancel(err)
				}
			}
		})
	}
	for item, err := range items {
		if err != nil {
			cancel(err)
		}
		if ctx.Err() != nil {
			break
		}
		queue <- item
	}
	close(queue)
	workers.Wait()
	return context.Cause(ctx)
}

// presence is what a store of blobs has of a list of attachments.
type presence struct {
	attachmentBytes
	there bool  // something is kept under its key
	kept  int64 // how much
}

// compare goes through the list of attachments and the keys of a store, both in
// ascending order, side by side. What the list does not name goes to extra. Of
// keys in another order some are not found; to put these again does no harm.
func compare(ctx context.Context, list iter.Seq2[attachmentBytes, error], in blob.Store, extra func(key string) error) iter.Seq2[presence, error] {
	return func(yield func(presence, error) bool) {
		next, stop := iter.Pull2(in.List(ctx, ""))
		defer stop()
		found, err, more := next()
		for a, listErr := range list {
			for ; listErr == nil && err == nil && more && found.Key < a.key(); found, err, more = next() {
				err = extra(found.Key)
				if err != nil {
					break
				}
			}
			if err := errors.Join(listErr, err); err != nil {
				yield(presence{}, err)
				return
			}
			p := presence{attachmentBytes: a, there: more && found.Key == a.key(), kept: found.Size}
			if !yield(p, nil) {
				return
			}
			if p.there {
				found, err, more = next()
			}
		}
		for ; err == nil && more; found, err, more = next() {
			if err = extra(found.Key); err != nil {
				break
			}
		}
		if err != nil {
			yield(presence{}, err)
		}
	}
}

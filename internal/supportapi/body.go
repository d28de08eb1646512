package supportapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/supportd/supportd/internal/fault"
)

// The largest bodies that are read. AddAttachmentsToSet carries three files of
// 5 MB in base64, which is 20 MiB; the room above it lets a call with somewhat
// too much hear AttachmentSetSizeLimitExceeded. The longest other call has ten
// addresses and 8,000 characters, each up to twelve bytes as JSON escapes.
const (
	maxBody            = 1 << 20
	maxAttachmentsBody = 32 << 20
)

// largeBodies is how many bodies above maxBody are in memory at a time, whoever
// sends them; others wait for a place.
const largeBodies = 16

var errBodyTooLarge = fault.New(fault.Limited, "body_too_large", "Request body exceeds the size limit.")

// readBody reads the body of a call. The caller must call release when it is
// done with the body.
func (a *API) readBody(r *http.Request) (body []byte, release func(), err error) {
	limit := int64(maxBody)
	if r.Header.Get("X-Amz-Target") == targetPrefix+"AddAttachmentsToSet" || r.URL.Query().Get("Action") == "AddAttachmentsToSet" {
		limit = maxAttachmentsBody
	}
	if r.ContentLength > limit {
		return nil, nil, errBodyTooLarge
	}
	release = func() {}
	if limit > maxBody && (r.ContentLength > maxBody || r.ContentLength < 0) {
		if release, err = a.takePlace(r.Context()); err != nil {
			return nil, nil, err
		}
	}
	body, err = readAll(r.Body, r.ContentLength, limit)
	if err != nil {
		release()
		return nil, nil, err
	}
	return body, release, nil
}

// takePlace waits for a place for a large body and returns what gives it back.
func (a *API) takePlace(ctx context.Context) (release func(), err error) {
	select {
	case a.largeBody <- struct{}{}:
		return func() { <-a.largeBody }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// readAll reads up to limit bytes. What the client announces decides how much
// memory is taken at first, but never more than it may send.
func readAll(body io.Reader, announced, limit int64) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(max(announced, 0)) + bytes.MinRead)
	n, err := buf.ReadFrom(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, errors.Join(errBodyUnreadable, err)
	}
	if n > limit {
		return nil, errBodyTooLarge
	}
	return buf.Bytes(), nil
}

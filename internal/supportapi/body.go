package supportapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

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

// largeBodies is how many bodies above maxBody are in memory at a time, and
// accountBodies how many of them one account may have: who sends in the name of
// an account without knowing its secret keeps nobody else waiting.
const (
	largeBodies   = 16
	accountBodies = 4
)

var errBodyTooLarge = fault.New(fault.Limited, "body_too_large", "Request body exceeds the size limit.")

// readBody reads the body of a call of the operation. The caller must call
// release when it is done with the body.
func (a *API) readBody(r *http.Request, account, operation string) (body []byte, release func(), err error) {
	limit := int64(maxBody)
	if operation == "AddAttachmentsToSet" {
		limit = maxAttachmentsBody
	}
	if r.ContentLength > limit {
		return nil, nil, errBodyTooLarge
	}
	release = func() {}
	if limit > maxBody && (r.ContentLength > maxBody || r.ContentLength < 0) {
		if release, err = a.places.take(r.Context(), account); err != nil {
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

// readAll reads up to limit bytes. What the client announces decides how much
// memory is taken at first, within reason: it may never send it.
func readAll(body io.Reader, announced, limit int64) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(max(announced, 0), maxBody)) + bytes.MinRead)
	n, err := buf.ReadFrom(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, errors.Join(errBodyUnreadable, err)
	}
	if n > limit {
		return nil, errBodyTooLarge
	}
	return buf.Bytes(), nil
}

// places are where large bodies may be in memory.
type places struct {
	all chan struct{}

	mu        sync.Mutex
	byAccount map[string]chan struct{} // as many as accounts that sent one
}

func newPlaces() *places {
	return &places{all: make(chan struct{}, largeBodies), byAccount: map[string]chan struct{}{}}
}

// placeTimeout is how long a call waits for a place before it is throttled, which
// makes an SDK repeat it.
const placeTimeout = 10 * time.Second

// take waits for a place and returns what gives it back.
func (p *places) take(ctx context.Context, account string) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, placeTimeout)
	defer cancel()
	own := p.of(account)
	if !enter(ctx, own) {
		return nil, errThrottled
	}
	if !enter(ctx, p.all) {
		<-own
		return nil, errThrottled
	}
	return func() { <-p.all; <-own }, nil
}

func (p *places) of(account string) chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	own, ok := p.byAccount[account]
	if !ok {
		own = make(chan struct{}, accountBodies)
		p.byAccount[account] = own
	}
	return own
}

func enter(ctx context.Context, room chan struct{}) bool {
	select {
	case room <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

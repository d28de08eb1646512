package testmode

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// Request is a call of the API that was answered.
type Request struct {
	Number    int64 // from 1 since the last reset
	At        time.Time
	ID        string
	Operation string // as the client names it, whether there is such a one or not
	Account   string // empty: the caller was not known
	Principal string
	Input     json.RawMessage // as the client sent it; null when it is no JSON or too long
	Status    int             // of HTTP; 0: there was no answer
	ErrorCode string
	Fault     FaultKind     // that happened; empty: none
	Duration  time.Duration // in real time
}

// RequestQuery selects requests.
type RequestQuery struct {
	Operation string
	Account   string
	ErrorCode string
	After     int64 // only those with a higher number
	AtLeast   int   // wait for so many; 0: do not wait
	Limit     int   // the last ones only; 0: all that are kept
}

func (q RequestQuery) fits(r Request) bool {
	return r.Number > q.After &&
		(q.Operation == "" || q.Operation == r.Operation) &&
		(q.Account == "" || q.Account == r.Account) &&
		(q.ErrorCode == "" || q.ErrorCode == r.ErrorCode)
}

// What is kept of requests, the last ones of them.
const (
	maxInput     = 64 << 10
	keptRequests = 10_000
	keptInput    = 64 << 20 // bytes, of all requests together
)

// Requests returns the requests that were answered, oldest first. It waits until
// ctx ends for as many as q wants; if they did not come, it returns those that
// did with the error of ctx.
func (m *Mode) Requests(ctx context.Context, q RequestQuery) ([]Request, error) {
	for {
		found, more := m.requests.find(q)
		if len(found) >= q.AtLeast {
			return lastOf(found, q.Limit), nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return found, ctx.Err()
		}
	}
}

// lastOf returns the last ones, all of them for a limit of 0.
func lastOf(all []Request, limit int) []Request {
	if limit <= 0 {
		return all
	}
	return all[max(len(all)-limit, 0):]
}

// requestLog keeps the last requests.
type requestLog struct {
	mu    sync.Mutex
	last  int64
	kept  []Request
	bytes int           // of the inputs
	more  chan struct{} // closed when there is another one; nil: nobody waits
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	r.Number = l.last
	l.kept = append(l.kept, r)
	l.bytes += len(r.Input)
	for len(l.kept) > keptRequests || l.bytes > keptInput {
		l.bytes -= len(l.kept[0].Input)
		l.kept[0] = Request{} // lets go of the input
		l.kept = l.kept[1:]
	}
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
}

// find returns what fits, and what is closed when there is another request.
func (l *requestLog) find(q RequestQuery) ([]Request, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.more == nil {
		l.more = make(chan struct{})
	}
	return slices.DeleteFunc(slices.Clone(l.kept), func(r Request) bool { return !q.fits(r) }), l.more
}

func (l *requestLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.kept, l.bytes = 0, nil, 0
}

package supporttest

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/supportd/supportd/internal/testmode"
)

// Request is a call that the server has answered, or did not because of a fault.
type Request struct {
	Number    int64 // from 1 since the start or the last reset
	At        time.Time
	ID        string // the request id that the client sees
	Operation string
	Account   string          // empty: the caller was not known
	Principal string          // the ARN of the caller
	Input     json.RawMessage // as the client sent it; null when it is no JSON or too long
	Status    int             // of HTTP; 0: there was no answer
	ErrorCode string          // empty: none
	Fault     FaultKind       // that happened; empty: none
	Duration  time.Duration
}

// RequestQuery selects requests. Zero fields select all.
type RequestQuery struct {
	Operation string
	Account   string
	ErrorCode string
	After     int64 // only those with a higher number
}

// Requests returns the calls that the server has answered, oldest first; the
// last 10,000 are kept.
func (s *Server) Requests(q RequestQuery) []Request {
	s.t.Helper()
	found, err := s.requests(context.Background(), q, 0)
	s.must("requests", err)
	return found
}

// requestPatience is how long WaitRequests waits.
const requestPatience = 10 * time.Second

// WaitRequests waits until there are n calls, for code that calls in the
// background, and returns all there are then. It fails the test after ten
// seconds.
func (s *Server) WaitRequests(q RequestQuery, n int) []Request {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), requestPatience)
	defer cancel()
	found, err := s.requests(ctx, q, n)
	if errors.Is(err, context.DeadlineExceeded) {
		s.t.Fatalf("supporttest: of %d requests %+v %d came within %v", n, q, len(found), requestPatience)
	}
	s.must("wait for requests", err)
	return found
}

func (s *Server) requests(ctx context.Context, q RequestQuery, n int) ([]Request, error) {
	found, err := s.mode.Requests(ctx, testmode.RequestQuery{
		Operation: q.Operation, Account: q.Account, ErrorCode: q.ErrorCode, After: q.After, AtLeast: n,
	})
	all := make([]Request, len(found))
	for i, r := range found {
		all[i] = Request{
			r.Number, r.At, r.ID, r.Operation, r.Account, r.Principal, r.Input, r.Status, r.ErrorCode, FaultKind(r.Fault), r.Duration,
		}
	}
	return all, err
}

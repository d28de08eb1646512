package supporttest

import (
	"cmp"
	"context"

	"github.com/supportd/supportd/internal/testmode"
)

// Result is a result of a Trusted Advisor check.
type Result struct {
	Account   string // an account's id; empty: the first one
	CheckID   string // such as H7IgTzjTYb
	Status    string // ok, warning, error or not_available; empty: that of the worst resource
	Resources []Resource
}

// Resource is a resource in a [Result].
type Resource struct {
	ID         string            // empty: made of region and metadata
	Status     string            // ok, warning or error; empty: ok
	Region     string            // empty: none
	Metadata   map[string]string // by the names of the check's columns
	Suppressed bool
	Savings    float64 // USD a month
}

// SetResult sets the result of a Trusted Advisor check, as if a refresh had just
// computed it. A refresh that a client asks for gives it anew, once the cool-down
// is over.
func (s *Server) SetResult(r Result) {
	s.t.Helper()
	in := testmode.Result{Account: cmp.Or(r.Account, s.accounts[0].ID), CheckID: r.CheckID, Status: r.Status}
	for _, one := range r.Resources {
		in.Resources = append(in.Resources, testmode.Resource(one))
	}
	s.must("set the result of "+r.CheckID, s.mode.SetResult(context.Background(), in))
}

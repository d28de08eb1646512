// Package testmode is what only a server for tests has: a clock that moves when
// it is told to, ids that come out the same again, faults, a request log, seeds,
// a reset, and an autopilot that plays the agent.
//
// A [Mode] has Go methods, for supporttest, and an HTTP API on a listener of its
// own, for everybody else. A server that is not in test mode has no Mode, and so
// none of this.
package testmode

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
)

// Config is what a Mode works on. All but Log must be set.
type Config struct {
	IAM     *iam.Service
	Cases   *cases.Service
	Desk    *desk.Service
	Advisor *advisor.Service
	Clock   *Clock  // which all rooms go by
	Random  *Random // of which all rooms make ids
	// Clear removes everything that the server keeps, but for what an empty
	// installation has.
	Clear func(ctx context.Context) error
	// Purge removes what has outlived its time, as the housekeeping does.
	Purge func(ctx context.Context) error
	Log   *slog.Logger // nil drops records
}

// Mode is the test mode of a server.
type Mode struct {
	config Config
}

// New returns the test mode of a server.
func New(c Config) (*Mode, error) { panic("not built") }

// Run plays the autopilot until ctx ends.
func (m *Mode) Run(ctx context.Context) { panic("not built") }

// Watch keeps a log of what next is asked, and has the faults that are set
// happen.
func (m *Mode) Watch(next http.Handler) http.Handler { panic("not built") }

// Handler is the management API.
func (m *Mode) Handler() http.Handler { panic("not built") }

// Reset makes the server as it was when it started.
func (m *Mode) Reset(ctx context.Context) error { panic("not built") }

// Advance moves the clock forward. Whatever falls due on the way happens at its
// own time before Advance returns: clocks warn, the autopilot acts.
func (m *Mode) Advance(ctx context.Context, d time.Duration) error { panic("not built") }

// Seed adds what a seed file names. An error names the line to mend, and then
// nothing was added.
func (m *Mode) Seed(ctx context.Context, text []byte) error { panic("not built") }

// SetAutopilot has the script played from now on; an empty one ends that.
func (m *Mode) SetAutopilot(ctx context.Context, text []byte) error { panic("not built") }

// Fail has a fault happen.
func (m *Mode) Fail(f Fault) (id string, err error) { panic("not built") }

// Faults returns the faults that are set.
func (m *Mode) Faults() []Fault { panic("not built") }

// Clear removes a fault, or all when id is empty.
func (m *Mode) Clear(id string) { panic("not built") }

// Requests returns the requests that were answered, oldest first. It waits until
// ctx ends for as many as q wants.
func (m *Mode) Requests(ctx context.Context, q RequestQuery) ([]Request, error) { panic("not built") }

// SetResult sets the result of a Trusted Advisor check.
func (m *Mode) SetResult(ctx context.Context, r Result) error { panic("not built") }

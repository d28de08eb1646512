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
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

// Config is what a Mode works on. What is not said to be optional must be set.
type Config struct {
	IAM     *iam.Service
	Cases   *cases.Service
	Desk    *desk.Service
	Advisor *advisor.Service
	Clock   *Clock  // which all rooms go by
	Random  *Random // of which all rooms make ids, if they are to come out the same
	// Clear makes what the server keeps as it was before the first Start.
	Clear func(ctx context.Context) error
	// Purge removes what has outlived its time, as the housekeeping does.
	Purge func(ctx context.Context) error

	Operations []string     // of the API; nil: faults may name any
	Seed       []byte       // a seed file for Start; nil: none
	Autopilot  []byte       // a script for Start; nil: none
	Log        *slog.Logger // nil drops records
}

// ErrInvalid means that what a test asked for makes no sense, and says why.
var ErrInvalid = fault.New(fault.Invalid, "invalid", "invalid value")

// Mode is the test mode of a server.
type Mode struct {
	config    Config
	requests  requestLog
	faults    faults
	autopilot autopilot

	moving sync.Mutex   // held by whoever moves the clock or resets
	open   sync.RWMutex // held for reading by all that changes something, and by a reset alone

	reset chan struct{} // closed by the next reset, which makes another one; open guards it
	ended chan struct{} // closed when Run ends
}

// New returns the test mode of a server.
func New(c Config) (*Mode, error) {
	if c.IAM == nil || c.Cases == nil || c.Desk == nil || c.Advisor == nil || c.Clock == nil || c.Random == nil || c.Clear == nil || c.Purge == nil {
		return nil, errors.New("test mode: something that must be set is not")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	m := &Mode{config: c, reset: make(chan struct{}), ended: make(chan struct{})}
	m.faults.chance = c.Random.chance
	m.autopilot.changed = make(chan struct{}, 1)
	return m, nil
}

// Start applies the seed and the autopilot's script of the configuration.
func (m *Mode) Start(ctx context.Context) error {
	if len(m.config.Seed) > 0 {
		if _, err := m.seed(ctx, m.config.Seed); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return m.Resume()
}

// Resume is Start on what an earlier one has left: what was seeded then is there.
func (m *Mode) Resume() error {
	if len(m.config.Autopilot) == 0 {
		return nil
	}
	if err := m.setAutopilot(m.config.Autopilot); err != nil {
		return fmt.Errorf("autopilot: %w", err)
	}
	return nil
}

// Guard keeps requests to next from running while the server is reset.
func (m *Mode) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.open.RLock()
		defer m.open.RUnlock()
		next.ServeHTTP(w, r)
	})
}

// Hold keeps the server from being reset or seeded until release is called.
func (m *Mode) Hold() (release func()) {
	m.open.RLock()
	return m.open.RUnlock
}

// Reset makes the server as it was when it started: data, clock, ids, faults,
// request log and autopilot. It waits for the requests and jobs that run, and
// those that come meanwhile wait for it; requests that a fault still delays are cut
// off. One that has begun goes on when ctx ends: a server that is half reset is of
// use to nobody.
func (m *Mode) Reset(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	m.moving.Lock()
	defer m.moving.Unlock()
	m.open.Lock()
	defer m.open.Unlock()
	close(m.reset)
	m.reset = make(chan struct{})
	m.autopilot.begin(nil)
	m.faults.reset()
	m.requests.reset()
	m.config.Clock.Restart()
	m.config.Random.Restart()
	if err := m.config.Clear(ctx); err != nil {
		return err
	}
	return m.Start(ctx)
}

// mostSteps bounds one Advance: a case with a reply every minute, for two
// months.
const mostSteps = 100_000

// Advance moves the clock forward. Whatever falls due on the way happens at its
// own time before Advance returns: clocks warn, the autopilot acts. What has
// outlived its time is removed at the end.
func (m *Mode) Advance(ctx context.Context, d time.Duration) error {
	m.moving.Lock()
	defer m.moving.Unlock()
	if err := m.checkAdvance(d); err != nil {
		return err
	}
	return m.advance(ctx, d)
}

func (m *Mode) checkAdvance(d time.Duration) error {
	if d < 0 {
		return ErrInvalid.With("The clock advances forward only, not by %v; it can be set to any time.", d)
	}
	return CheckTime(m.config.Clock.Now().Add(d))
}

// advance is Advance for those who keep others from moving the clock.
func (m *Mode) advance(ctx context.Context, d time.Duration) error {
	m.open.RLock()
	defer m.open.RUnlock()
	defer m.autopilot.wake()
	defer m.config.Clock.hold()()
	until := m.config.Clock.Now().Add(d)
	for range mostSteps {
		at, err := m.next(ctx)
		if err != nil {
			return err
		}
		if at.IsZero() || at.After(until) {
			m.config.Clock.Set(until)
			return errors.Join(m.config.Purge(ctx), m.config.Desk.Route(ctx))
		}
		if at.After(m.config.Clock.Now()) {
			m.config.Clock.Set(at)
		}
		if err := errors.Join(m.config.Desk.Wake(ctx), m.act(ctx)); err != nil {
			return err
		}
	}
	return fmt.Errorf("the clock stopped at %s: more than %d things fell due on the way", m.config.Clock.Now().Format(time.RFC3339), mostSteps)
}

// next returns when the desk or the autopilot has something to do next, zero
// when never.
func (m *Mode) next(ctx context.Context) (time.Time, error) {
	at, err := m.config.Desk.NextWake(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if act := m.nextAct(); at.IsZero() || !act.IsZero() && act.Before(at) {
		return act, nil
	}
	return at, nil
}

// SetTime moves the clock to t, also back. What falls due on the way happens
// afterwards and at t: Advance is for those who care when. After a move back,
// what has happened stays, and leases of jobs that were taken later go on for
// longer.
func (m *Mode) SetTime(t time.Time) error {
	if err := CheckTime(t); err != nil {
		return err
	}
	m.moving.Lock()
	defer m.moving.Unlock()
	m.config.Clock.Set(t)
	m.autopilot.wake()
	return nil
}

// CheckTime refuses times that the store and the API cannot tell, or from which
// others are reckoned that they cannot.
func CheckTime(t time.Time) error {
	if year := t.UTC().Year(); year < 1970 || year > 9000 {
		return ErrInvalid.With("The clock goes from the year 1970 to 9000, not to %s.", t.UTC().Format(time.RFC3339))
	}
	return nil
}

// Freeze stops the clock where it is. Unfreeze lets it go on.
func (m *Mode) Freeze() {
	m.moving.Lock()
	defer m.moving.Unlock()
	m.config.Clock.Freeze()
	m.autopilot.wake()
}

// Unfreeze lets the clock go on from where it is.
func (m *Mode) Unfreeze() {
	m.moving.Lock()
	defer m.moving.Unlock()
	m.config.Clock.Run()
	m.autopilot.wake()
}

// Now returns the time of the server's clock.
func (m *Mode) Now() time.Time { return m.config.Clock.Now() }

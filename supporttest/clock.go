package supporttest

import (
	"context"
	"time"
)

// Now returns the time of the server's clock.
func (s *Server) Now() time.Time { return s.mode.Now() }

// Advance moves the clock forward: attachment sets expire, cases grow old, the
// desk's clocks warn, the autopilot acts. All that falls due on the way happens
// before Advance returns, in order and each at its own time, and what has
// outlived its time is removed.
func (s *Server) Advance(d time.Duration) {
	s.t.Helper()
	s.must("advance", s.mode.Advance(context.Background(), d))
}

// SetTime moves the clock to t, also back. What falls due on the way happens
// afterwards and at the new time; with Advance it happens at its own.
func (s *Server) SetTime(t time.Time) {
	s.t.Helper()
	s.must("set the time", s.mode.SetTime(t))
}

// Freeze stops the clock where it is. Advance and SetTime go on to move it.
func (s *Server) Freeze() { s.mode.Freeze() }

// Unfreeze lets the clock go on from where it is.
func (s *Server) Unfreeze() { s.mode.Unfreeze() }

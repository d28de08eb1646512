package testmode

import (
	"sync"
	"time"
)

// Clock runs with the real one, ahead of it or behind by what it was moved, or
// stands still. The zero value runs with the real one.
type Clock struct {
	start  time.Time // where it begins; zero: with the real one
	frozen bool      // it begins standing still

	mu    sync.Mutex
	ahead time.Duration
	still time.Time // zero while it runs
}

// NewClock returns a clock that begins at start, which is now when it is zero.
func NewClock(start time.Time, frozen bool) *Clock {
	if frozen && start.IsZero() {
		start = time.Now()
	}
	c := &Clock{start: start.Round(0), frozen: frozen}
	c.Restart()
	return c
}

// Restart makes the clock as it was made.
func (c *Clock) Restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead, c.still = 0, time.Time{}
	if c.start.IsZero() {
		return
	}
	if c.frozen {
		c.still = c.start
		return
	}
	c.ahead = time.Until(c.start)
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if !c.still.IsZero() {
		return c.still
	}
	return time.Now().Add(c.ahead)
}

// Frozen reports whether the clock stands still.
func (c *Clock) Frozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.still.IsZero()
}

// Set moves the clock to t. One that stands still stands at t then.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.still.IsZero() {
		c.still = t.Round(0)
		return
	}
	c.ahead = time.Until(t)
}

// Freeze stops the clock where it is.
func (c *Clock) Freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.still = c.now().Round(0)
}

// Run lets the clock go on from where it is.
func (c *Clock) Run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.still, c.ahead = time.Time{}, time.Until(c.now())
}

// hold stops the clock and returns what lets it go on, if it ran.
func (c *Clock) hold() (release func()) {
	if c.Frozen() {
		return func() {}
	}
	c.Freeze()
	return c.Run
}

package testmode

import (
	"sync"
	"time"
)

// Clock runs as fast as the real one from where it was set, or stands still. The
// zero value is the real one.
type Clock struct {
	start  time.Time // where it begins; zero: with the real one
	frozen bool      // it begins standing still

	mu    sync.Mutex
	set   time.Time // where it was set last; zero: it is the real one
	since time.Time // when that was, by the real one; zero: it stands still
}

// NewClock returns a clock that begins at start, which is now when it is zero.
func NewClock(start time.Time, frozen bool) *Clock {
	if frozen && start.IsZero() {
		start = time.Now()
	}
	c := &Clock{start: start, frozen: frozen}
	c.Restart()
	return c
}

// Restart makes the clock as it was made.
func (c *Clock) Restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(c.start, c.frozen)
}

// put has the clock stand at t, or run from there.
func (c *Clock) put(t time.Time, frozen bool) {
	c.set, c.since = t.Round(0), time.Time{}
	if !frozen {
		c.since = time.Now()
	}
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// now adds to the time that was set: how far ahead of the real clock that is may
// be more than a time.Duration can tell, which are some 292 years.
func (c *Clock) now() time.Time {
	switch {
	case c.set.IsZero():
		return time.Now()
	case c.since.IsZero():
		return c.set
	}
	return c.set.Add(time.Since(c.since))
}

// Frozen reports whether the clock stands still.
func (c *Clock) Frozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isFrozen()
}

func (c *Clock) isFrozen() bool { return !c.set.IsZero() && c.since.IsZero() }

// Set moves the clock to t. One that stands still stands at t then.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(t, c.isFrozen())
}

// Freeze stops the clock where it is.
func (c *Clock) Freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(c.now(), true)
}

// Run lets the clock go on from where it is.
func (c *Clock) Run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(c.now(), false)
}

// hold stops the clock and returns what lets it go on, if it ran.
func (c *Clock) hold() (release func()) {
	if c.Frozen() {
		return func() {}
	}
	c.Freeze()
	return c.Run
}

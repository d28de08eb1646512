package testmode

import (
	"sync"
	"time"
)

// Clock runs with the real one, ahead of it or behind by what it was moved, or
// stands still. The zero value runs with the real one.
type Clock struct {
	mu     sync.Mutex
	ahead  time.Duration
	frozen time.Time // zero while it runs
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() {
		return c.frozen
	}
	return time.Now().Add(c.ahead)
}

// Frozen reports whether the clock stands still.
func (c *Clock) Frozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.frozen.IsZero()
}

// Set moves the clock to t. One that stands still stands at t then.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() {
		c.frozen = t
		return
	}
	c.ahead = time.Until(t)
}

// Freeze stops the clock where it is.
func (c *Clock) Freeze() {
	now := c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = now
}

// Run lets the clock go on from where it is.
func (c *Clock) Run() {
	now := c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen, c.ahead = time.Time{}, time.Until(now)
}

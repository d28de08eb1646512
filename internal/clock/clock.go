// Package clock is the time that rules go by: each room has a clock of its own
// to be replaced, by tests and in test mode, and all read it in the same way.
package clock

import "time"

// Now returns the time of a clock, the real one if it is nil, in UTC and in the
// store's precision: what a call answers equals what a later call reads.
func Now(now func() time.Time) time.Time {
	if now == nil {
		now = time.Now
	}
	return now().UTC().Truncate(time.Microsecond)
}

package clock

import (
	"testing"
	"time"
)

func TestNowIsInUTCAndMicroseconds(t *testing.T) {
	zone := time.FixedZone("east", 3600)
	got := Now(func() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 1999, zone) })
	if want := time.Date(2026, 3, 1, 9, 0, 0, 1000, time.UTC); got != want {
		t.Errorf("Now() = %v, want %v", got, want)
	}
	before := time.Now().Truncate(time.Microsecond)
	if got := Now(nil); got.Before(before) || got.After(time.Now()) {
		t.Errorf("Now(nil) = %v, want the time after %v", got, before)
	}
}

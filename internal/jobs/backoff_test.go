package jobs

import (
	"testing"
	"time"
)

func TestBackoffIsARandomPartOfWhatDoubles(t *testing.T) {
	t.Parallel()
	k := Kind{Backoff: time.Second, MaxBackoff: time.Minute}
	for attempt, ceiling := range map[int]time.Duration{
		0: time.Second, 1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second, 7: time.Minute, 8: time.Minute, 1000: time.Minute,
	} {
		var most time.Duration
		for range 1000 {
			pause := k.backoff(attempt)
			if pause < 0 || pause > ceiling {
				t.Fatalf("backoff(%d) = %v, want up to %v", attempt, pause, ceiling)
			}
			most = max(most, pause)
		}
		if most < ceiling*9/10 {
			t.Errorf("backoff(%d) a thousand times is up to %v, want up to about %v", attempt, most, ceiling)
		}
	}
}

func TestBackoffIsNeverAboveItsMaximum(t *testing.T) {
	t.Parallel()
	k := Kind{Backoff: time.Hour, MaxBackoff: time.Minute}
	for attempt := range 5 {
		if pause := k.backoff(attempt); pause > time.Minute {
			t.Errorf("backoff(%d) = %v, want up to a minute", attempt, pause)
		}
	}
}

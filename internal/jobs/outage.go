package jobs

import (
	"log/slog"
	"sync"
	"time"
)

// outage logs that the store does not answer, less and less often while it goes
// on, and that it answers again.
type outage struct {
	log *slog.Logger

	mu       sync.Mutex
	failures int // since it began; 0: there is none
	began    time.Time
	last     time.Time     // failure
	next     time.Time     // when to log again
	pause    time.Duration // until then
}

const (
	firstPause = 2 * time.Second
	lastPause  = 5 * time.Minute
	// calm is how long no call may fail before an outage is over: some calls
	// may succeed while others do not.
	calm = 5 * time.Second
)

// note takes in how a call of the store ended.
func (o *outage) note(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if err == nil {
		o.answered(now)
		return
	}
	if o.failures == 0 {
		o.began, o.next, o.pause = now, now, firstPause
	}
	o.failures++
	o.last = now
	if now.Before(o.next) {
		return
	}
	o.log.Error("the store of the jobs does not answer", slog.String("error", err.Error()),
		slog.Int("failures", o.failures), slog.Duration("duration", now.Sub(o.began)))
	o.next = now.Add(o.pause)
	o.pause = min(2*o.pause, lastPause)
}

func (o *outage) answered(now time.Time) {
	if o.failures == 0 || now.Sub(o.last) < calm {
		return
	}
	o.log.Info("the store of the jobs answers again",
		slog.Int("failures", o.failures), slog.Duration("duration", now.Sub(o.began)))
	o.failures = 0
}

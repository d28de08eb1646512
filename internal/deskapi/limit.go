package deskapi

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxBuckets is how many tokens are watched at a time. A desk that has more of
// them at work forgets how busy the idle ones were.
const maxBuckets = 10_000

// limiter keeps a token bucket for each token that lets an agent in.
type limiter struct {
	perSecond int // 0: no limit
	now       func() time.Time
	most      int

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newLimiter(perSecond int, now func() time.Time) *limiter {
	return &limiter{perSecond: perSecond, now: now, most: maxBuckets, buckets: map[string]*rate.Limiter{}}
}

// admit takes one of the second's requests of a token.
func (l *limiter) admit(token string) error {
	if l.perSecond == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	taken := l.bucket(token, now).ReserveN(now, 1)
	if wait := taken.DelayFrom(now); wait > 0 {
		taken.CancelAt(now)
		return throttled{errThrottled.With("A token has %d requests a second.", l.perSecond), wait}
	}
	return nil
}

func (l *limiter) bucket(token string, now time.Time) *rate.Limiter {
	if known, ok := l.buckets[token]; ok {
		return known
	}
	if len(l.buckets) >= l.most {
		l.makeRoom(now)
	}
	made := rate.NewLimiter(rate.Limit(l.perSecond), l.perSecond)
	l.buckets[token] = made
	return made
}

// makeRoom forgets the buckets that are full, which are as good as new ones, or
// any one where none is.
func (l *limiter) makeRoom(now time.Time) {
	for token, bucket := range l.buckets {
		if bucket.TokensAt(now) >= float64(l.perSecond) {
			delete(l.buckets, token)
		}
	}
	for token := range l.buckets {
		if len(l.buckets) < l.most {
			return
		}
		delete(l.buckets, token)
	}
}

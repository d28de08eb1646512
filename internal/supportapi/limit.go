package supportapi

import (
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits protect the server. Zero means no limit. They count per account and
// on each node by itself.
type Limits struct {
	RequestsPerSecond         int // of one operation that is none of Trusted Advisor's
	AdvisorRequestsPerSecond  int // of one of Trusted Advisor's
	DescribeAttachmentsPer10m int
}

// AWSLimits returns the limits of the real service: five calls a second of each
// operation, a hundred of those of Trusted Advisor. How many DescribeAttachment calls are too many is not published;
// the number is our choice.
func AWSLimits() Limits {
	return Limits{RequestsPerSecond: 5, AdvisorRequestsPerSecond: 100, DescribeAttachmentsPer10m: 100}
}

// limiter keeps a token bucket for each account and operation. There are as
// many as accounts that called and operations they called.
type limiter struct {
	limits Limits
	now    func() time.Time

	mu      sync.Mutex
	buckets map[bucketKey]*rate.Limiter
}

type bucketKey struct {
	account, name string
}

func newLimiter(limits Limits, now func() time.Time) *limiter {
	return &limiter{limits: limits, now: now, buckets: map[bucketKey]*rate.Limiter{}}
}

func (l *limiter) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buckets = map[bucketKey]*rate.Limiter{}
}

func (l *limiter) admit(account, operation string) error {
	if n := l.perSecond(operation); n > 0 && !l.take(bucketKey{account, operation}, n, time.Second) {
		return errThrottled
	}
	n := l.limits.DescribeAttachmentsPer10m
	if operation == "DescribeAttachment" && n > 0 && !l.take(bucketKey{account, "attachments read"}, n, 10*time.Minute) {
		return errDescribeLimit.With("Account has exceeded the limit of %d DescribeAttachment calls in 10 minutes.", n)
	}
	return nil
}

func (l *limiter) perSecond(operation string) int {
	if strings.Contains(operation, "TrustedAdvisor") {
		return l.limits.AdvisorRequestsPerSecond
	}
	return l.limits.RequestsPerSecond
}

// take takes one of n tokens that come back evenly over the period.
func (l *limiter) take(key bucketKey, n int, period time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, ok := l.buckets[key]
	if !ok {
		bucket = rate.NewLimiter(rate.Every(period/time.Duration(n)), n)
		l.buckets[key] = bucket
	}
	return bucket.AllowN(l.now(), 1)
}

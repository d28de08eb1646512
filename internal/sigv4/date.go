package sigv4

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	isoBasic = "20060102T150405Z"
	// window is how far a clock may be off, and how long a signature is good
	// that does not say so itself. The API reference, "Making API requests",
	// says 15 minutes.
	window = 15 * time.Minute
	// longest is seven days, IAM User Guide, "Authentication methods":
	// X-Amz-Expires is at most 604800.
	longest = 604800 * time.Second
)

// date is the moment of signing as the request wrote it.
type date struct {
	text string
	http bool // from the Date header, which may have one of the forms of HTTP
}

// headerDate finds the date of a request signed in its header. "When X-Amz-Date
// is used, it always overrides the value of the Date header" (API reference,
// Common Parameters). Repeated headers are joined and so become unreadable.
func headerDate(h http.Header) date {
	if text := strings.Join(h.Values(paramDate), ","); text != "" {
		return date{text: text}
	}
	return date{text: strings.Join(h.Values("Date"), ","), http: true}
}

func (d date) time() (time.Time, error) {
	// time.Parse would take fractions of a second too, hence the way back.
	if t, err := time.Parse(isoBasic, d.text); err == nil && t.Format(isoBasic) == d.text {
		return t, nil
	}
	if d.http {
		if t, err := http.ParseTime(d.text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, incomplete("Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", d.text)
}

// life is how long after its date the claim is good.
func (c claim) life() (time.Duration, error) {
	if c.expires == nil {
		return window, nil
	}
	seconds, err := strconv.ParseUint(*c.expires, 10, 32)
	life := time.Duration(seconds) * time.Second
	if err != nil || life < time.Second || life > longest {
		return 0, incomplete("X-Amz-Expires must be a number of seconds from 1 to 604800, got '%s'. Re-examine the query-string parameters.", *c.expires)
	}
	return life, nil
}

// checkTime compares with now to the second, as the texts do; both edges are
// accepted.
func checkTime(signed time.Time, life time.Duration, now time.Time) error {
	now = now.UTC().Truncate(time.Second)
	if oldest := now.Add(-life); signed.Before(oldest) {
		return invalid("Signature expired: %s is now earlier than %s (%s - %s)",
			signed.Format(isoBasic), oldest.Format(isoBasic), now.Format(isoBasic), span(life))
	}
	if newest := now.Add(window); signed.After(newest) {
		return invalid("Signature not yet current: %s is still later than %s (%s + %s)",
			signed.Format(isoBasic), newest.Format(isoBasic), now.Format(isoBasic), span(window))
	}
	return nil
}

func span(d time.Duration) string {
	if d%time.Minute != 0 {
		return fmt.Sprintf("%d sec.", d/time.Second)
	}
	return fmt.Sprintf("%d min.", d/time.Minute)
}

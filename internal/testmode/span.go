package testmode

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxSpan keeps times where they can be told.
const maxSpan = 20 * 365 * 24 * time.Hour

// parseSpan reads a time span such as 10m, 2h30m or 3d12h, of at most twenty
// years.
func parseSpan(text string) (time.Duration, error) {
	span, err := parseAnySpan(text)
	if err != nil {
		return 0, err
	}
	if span > maxSpan {
		return 0, fmt.Errorf("%q is more than 20 years", text)
	}
	return span, nil
}

// parseAnySpan reads a time span of any length.
func parseAnySpan(text string) (time.Duration, error) {
	wrong := fmt.Errorf("%q is no time span such as 10m, 2h30m or 3d", text)
	var days int
	rest := text
	if before, after, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseUint(before, 10, 16)
		if err != nil {
			return 0, wrong
		}
		days, rest = int(n), after
	}
	span := time.Duration(days) * 24 * time.Hour
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || strings.HasPrefix(rest, "+") || strings.HasPrefix(rest, "-") {
			return 0, wrong
		}
		span += d
	}
	if text == "" || span < 0 { // it is longer than can be told
		return 0, wrong
	}
	return span, nil
}

// parseMoment reads a time: RFC 3339, a date, or one before now, such as -3d.
func parseMoment(text string, now time.Time) (time.Time, error) {
	if text == "now" {
		return now, nil
	}
	if ago, ok := strings.CutPrefix(text, "-"); ok {
		span, err := parseSpan(ago)
		return now.Add(-span), err
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time such as 2026-01-31T12:00:00Z, 2026-01-31 or -2h30m", text)
}

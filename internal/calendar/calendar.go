// Package calendar is business time: when a desk is open in its time zone, with
// its holidays, and how much open time lies between two moments.
//
// A desk is open at a moment when the clock on its wall then shows a time within
// the hours of that day. Hours that a change to summer time skips are therefore
// nobody's, and an hour that comes twice in autumn is open, or closed, both
// times. Durations are time that really passes: from 00:00 to 04:00 it is three
// hours in the one night and five in the other.
//
// The package knows neither cases nor promises, and keeps nothing.
package calendar

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are known also where the system has none
)

// Calendar says when a desk is open. The zero value is always open.
type Calendar struct {
	zone     *time.Location // nil: always open
	week     [7][]hours     // by time.Weekday
	holidays map[string]string
}

// hours are a part of a day, as time since midnight on the wall's clock.
type hours struct {
	from, to time.Duration
}

const day = 24 * time.Hour

// New returns a calendar from a zone of the IANA database, opening hours such as
// "09:00-17:30", up to "24:00", by weekday ("mon" to "sun"), and the names of
// holidays by date such as "2026-12-25". A weekday without hours is closed.
func New(zone string, open map[string][]string, holidays map[string]string) (Calendar, error) {
	c := Calendar{holidays: maps.Clone(holidays)}
	var err error
	if c.zone, err = location(zone); err != nil {
		return Calendar{}, err
	}
	if c.week, err = parseWeek(open); err != nil {
		return Calendar{}, err
	}
	for _, date := range slices.Sorted(maps.Keys(holidays)) {
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			return Calendar{}, fmt.Errorf("holiday %q: want a date such as 2026-12-25", date)
		}
		if strings.TrimSpace(holidays[date]) == "" {
			return Calendar{}, fmt.Errorf("holiday %s has no name", date)
		}
	}
	return c, nil
}

// location refuses names of what stands beside the zones on some machines, such
// as localtime and posix/UTC: on another one it is something else, or nothing.
func location(zone string) (*time.Location, error) {
	folder, _, _ := strings.Cut(zone, "/")
	switch folder {
	case "", "Local", "localtime", "posixrules", "Factory", "posix", "right", "SystemV":
		return nil, noZone(zone)
	}
	found, err := time.LoadLocation(zone)
	if err != nil {
		return nil, noZone(zone)
	}
	return found, nil
}

func noZone(zone string) error {
	return fmt.Errorf("zone %q is not a time zone such as Europe/Berlin", zone)
}

func parseWeek(open map[string][]string) (week [7][]hours, err error) {
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as time.Weekday counts
	ever := false
	for _, name := range slices.Sorted(maps.Keys(open)) {
		at := slices.Index(names, name)
		if at < 0 {
			return week, fmt.Errorf("hours of %q: weekdays are mon, tue, wed, thu, fri, sat and sun", name)
		}
		if week[at], err = parseDay(open[name]); err != nil {
			return week, fmt.Errorf("hours of %s: %w", name, err)
		}
		ever = ever || len(week[at]) > 0
	}
	if !ever {
		return week, errors.New("no weekday has hours: the calendar is never open")
	}
	return week, nil
}

func parseDay(texts []string) (all []hours, err error) {
	var last time.Duration
	for i, text := range texts {
		h, err := parseHours(text)
		if err != nil {
			return nil, err
		}
		if h.from < last {
			return nil, fmt.Errorf("%s begins before %s ends: want them in order and apart", text, texts[i-1])
		}
		all, last = append(all, h), h.to
	}
	return all, nil
}

func parseHours(text string) (h hours, err error) {
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		return h, fmt.Errorf("%q: want hours such as 09:00-17:30", text)
	}
	if h.from, err = parseTime(from); err != nil {
		return h, fmt.Errorf("%q: %w", text, err)
	}
	if h.to, err = parseTime(to); err != nil {
		return h, fmt.Errorf("%q: %w", text, err)
	}
	if h.from >= h.to {
		return h, fmt.Errorf("%q ends before it begins: hours past midnight are those of two days, to 24:00 and from 00:00", text)
	}
	return h, nil
}

func parseTime(text string) (time.Duration, error) {
	if text == "24:00" {
		return day, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, fmt.Errorf("%q is not a time such as 09:00", text)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// Span is a part of time in which the desk is open, or closed for a reason:
// "closed" outside of its hours, or the name of the holiday that the day is.
type Span struct {
	From, To time.Time
	Open     bool
	Why      string
}

// The reasons that are not holidays.
const (
	Open   = "open"
	Closed = "closed"
)

// Spans returns the time between two moments, in order and without gaps, in as
// few spans as there are changes.
func (c Calendar) Spans(from, to time.Time) []Span {
	var all []Span
	for s := range c.spans(from, to) {
		if n := len(all); n > 0 && all[n-1].Open == s.Open && all[n-1].Why == s.Why {
			all[n-1].To = s.To
			continue
		}
		all = append(all, s)
	}
	return all
}

// Between returns how much open time there is between two moments: none when to
// is not after from.
func (c Calendar) Between(from, to time.Time) time.Duration {
	var sum time.Duration
	for s := range c.spans(from, to) {
		if s.Open {
			sum += s.To.Sub(s.From)
		}
	}
	return sum
}

// horizon is how far Add looks ahead: every promise is much shorter, and a desk
// that is closed for longer does not open again.
const horizon = 20 * 366 * day

// Add returns the first moment at which so much open time has passed since
// start: with less than nothing to pass, start itself. It reports false when
// that takes more than some twenty years.
func (c Calendar) Add(start time.Time, open time.Duration) (time.Time, bool) {
	if open <= 0 {
		return plain(start), true
	}
	for s := range c.spans(start, start.Add(horizon)) {
		if !s.Open {
			continue
		}
		if length := s.To.Sub(s.From); length < open {
			open -= length
			continue
		}
		return s.From.Add(open), true
	}
	return time.Time{}, false
}

// spans yields the time between two moments in order and without gaps, day by
// day on the wall's calendar: two spans in a row may be alike.
func (c Calendar) spans(from, to time.Time) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		from, to := plain(from), plain(to)
		if c.zone == nil {
			if from.Before(to) {
				yield(Span{From: from, To: to, Open: true, Why: Open})
			}
			return
		}
		for from.Before(to) {
			next := c.endOfDay(from)
			if next.After(to) {
				next = to
			}
			if !c.daySpans(from, next, yield) {
				return
			}
			from = next
		}
	}
}

// endOfDay returns until when the wall's clock goes on from t without a jump and
// without a new date.
func (c Calendar) endOfDay(t time.Time) time.Time {
	local := t.In(c.zone)
	midnight := t.Add(day - sinceMidnight(local))
	_, change := local.ZoneBounds()
	// On the last day of a leap year beyond the zone's table, ZoneBounds answers
	// with the beginning of that day: it takes every year to have 365.
	if change.After(t) && change.Before(midnight) {
		return plain(change)
	}
	return midnight
}

// daySpans yields the time between two moments of a date between which the
// wall's clock does not jump.
func (c Calendar) daySpans(from, to time.Time, yield func(Span) bool) bool {
	local := from.In(c.zone)
	if name, ok := c.holiday(local); ok {
		return yield(Span{From: from, To: to, Why: name})
	}
	midnight := from.Add(-sinceMidnight(local)) // had the clock not jumped since
	for _, h := range c.week[local.Weekday()] {
		opens, closes := clamp(midnight.Add(h.from), from, to), clamp(midnight.Add(h.to), from, to)
		if from.Before(opens) && !yield(Span{From: from, To: opens, Why: Closed}) {
			return false
		}
		if opens.Before(closes) && !yield(Span{From: opens, To: closes, Open: true, Why: Open}) {
			return false
		}
		from = closes
	}
	return !from.Before(to) || yield(Span{From: from, To: to, Why: Closed})
}

func (c Calendar) holiday(local time.Time) (string, bool) {
	if len(c.holidays) == 0 {
		return "", false
	}
	name, ok := c.holidays[local.Format(time.DateOnly)]
	return name, ok
}

func sinceMidnight(local time.Time) time.Duration {
	hour, minute, second := local.Clock()
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(local.Nanosecond())
}

func clamp(t, from, to time.Time) time.Time {
	switch {
	case t.Before(from):
		return from
	case t.After(to):
		return to
	}
	return t
}

// plain returns t in UTC and without a reading of the monotonic clock, which is
// not for moments that come from elsewhere.
func plain(t time.Time) time.Time { return t.Round(0).UTC() }

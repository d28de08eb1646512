package calendar_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/calendar"
)

func mustNew(t testing.TB, zone string, open map[string][]string, holidays map[string]string) calendar.Calendar {
	t.Helper()
	c, err := calendar.New(zone, open, holidays)
	if err != nil {
		t.Fatalf("New(%q, %v, %v) = %v", zone, open, holidays, err)
	}
	return c
}

// at returns a moment from its text in UTC, such as "2026-03-29 01:00".
func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

// everyDay are the same hours on all weekdays.
func everyDay(hours ...string) map[string][]string {
	all := map[string][]string{}
	for _, name := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		all[name] = hours
	}
	return all
}

func office() map[string][]string {
	all := everyDay("09:00-17:00")
	delete(all, "sat")
	delete(all, "sun")
	return all
}

func TestAlwaysOpenCalendarCountsEveryMoment(t *testing.T) {
	t.Parallel()
	var c calendar.Calendar
	from, to := at("2026-03-28 12:00"), at("2026-03-30 12:00")
	if got := c.Between(from, to); got != 48*time.Hour {
		t.Errorf("Between() = %v, want 48h", got)
	}
	if got, ok := c.Add(from, 48*time.Hour); !ok || !got.Equal(to) {
		t.Errorf("Add(48h) = %v, %v, want %v", got, ok, to)
	}
	want := []calendar.Span{{From: from, To: to, Open: true, Why: "open"}}
	if diff := cmp.Diff(want, c.Spans(from, to)); diff != "" {
		t.Errorf("Spans() (-want +got):\n%s", diff)
	}
	if got := c.Between(to, from); got != 0 {
		t.Errorf("Between() backwards = %v, want 0", got)
	}
}

func TestSpansSayWhyTheDeskIsClosed(t *testing.T) {
	t.Parallel()
	c := mustNew(t, "Europe/Berlin", map[string][]string{"thu": {"09:00-12:00", "13:00-17:30"}, "fri": {"09:00-17:00"}, "mon": {"00:00-24:00"}},
		map[string]string{"2026-12-25": "Christmas", "2026-12-26": "Christmas"})
	got := c.Spans(at("2026-12-24 09:00"), at("2026-12-28 10:00")) // Thursday 10:00 to Monday 11:00 in Berlin
	want := []calendar.Span{
		{From: at("2026-12-24 09:00"), To: at("2026-12-24 11:00"), Open: true, Why: "open"},
		{From: at("2026-12-24 11:00"), To: at("2026-12-24 12:00"), Why: "closed"},
		{From: at("2026-12-24 12:00"), To: at("2026-12-24 16:30"), Open: true, Why: "open"},
		{From: at("2026-12-24 16:30"), To: at("2026-12-24 23:00"), Why: "closed"},
		{From: at("2026-12-24 23:00"), To: at("2026-12-26 23:00"), Why: "Christmas"},
		{From: at("2026-12-26 23:00"), To: at("2026-12-27 23:00"), Why: "closed"},
		{From: at("2026-12-27 23:00"), To: at("2026-12-28 10:00"), Open: true, Why: "open"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Spans() (-want +got):\n%s", diff)
	}
}

func TestOpenTimeIsWhatTheClockOnTheWallShows(t *testing.T) {
	t.Parallel()
	night := everyDay("00:00-04:00")
	tests := []struct {
		name, zone string
		hours      map[string][]string
		from, to   string // UTC
		want       time.Duration
	}{
		{"a plain week of office hours", "UTC", office(), "2026-11-02 00:00", "2026-11-09 00:00", 40 * time.Hour},
		{"the night that loses an hour", "Europe/Berlin", night, "2026-03-28 23:00", "2026-03-29 22:00", 3 * time.Hour},
		{"the night that gains an hour", "Europe/Berlin", night, "2026-10-24 22:00", "2026-10-25 23:00", 5 * time.Hour},
		{"hours that are skipped", "Europe/Berlin", everyDay("02:00-03:00"), "2026-03-28 23:00", "2026-03-29 22:00", 0},
		{"hours that end where no time is", "Europe/Berlin", everyDay("01:00-02:30"), "2026-03-28 23:00", "2026-03-29 22:00", time.Hour},
		{"hours that begin where no time is", "Europe/Berlin", everyDay("02:30-05:00"), "2026-03-28 23:00", "2026-03-29 22:00", 2 * time.Hour},
		{"an hour that comes twice", "Europe/Berlin", everyDay("02:00-03:00"), "2026-10-24 22:00", "2026-10-25 23:00", 2 * time.Hour},
		{"hours that end where time comes twice", "Europe/Berlin", everyDay("01:00-02:30"), "2026-10-24 22:00", "2026-10-25 23:00", 2 * time.Hour},
		{"whole days of summer time's beginning", "Europe/Berlin", everyDay("00:00-24:00"), "2026-03-28 23:00", "2026-03-29 22:00", 23 * time.Hour},
		{"Nepal is at +05:45", "Asia/Kathmandu", office(), "2026-11-02 03:15", "2026-11-02 11:15", 8 * time.Hour},
		{"Nepal before nine", "Asia/Kathmandu", office(), "2026-11-02 02:15", "2026-11-02 03:15", 0},
		{"the Chatham Islands are at +12:45", "Pacific/Chatham", office(), "2026-06-14 20:15", "2026-06-15 04:15", 8 * time.Hour},
		{"and at +13:45 in summer", "Pacific/Chatham", office(), "2026-01-11 19:15", "2026-01-12 03:15", 8 * time.Hour},
		{"Lord Howe loses half an hour", "Australia/Lord_Howe", night, "2026-10-03 13:30", "2026-10-04 12:30", 3*time.Hour + 30*time.Minute},
		{"Lord Howe gains half an hour", "Australia/Lord_Howe", night, "2026-04-04 13:00", "2026-04-05 13:30", 4*time.Hour + 30*time.Minute},
		{"Samoa had no 30 December 2011, a Friday", "Pacific/Apia", map[string][]string{"fri": {"00:00-24:00"}}, "2011-12-28 10:00", "2012-01-01 10:00", 0},
		{"Samoa's Thursday and Saturday were neighbours", "Pacific/Apia", map[string][]string{"thu": {"22:00-24:00"}, "sat": {"00:00-02:00"}}, "2011-12-30 08:00", "2011-12-30 12:00", 4 * time.Hour},
		{"midnight that does not exist in Beirut", "Asia/Beirut", everyDay("00:00-02:00"), "2026-03-28 22:00", "2026-03-29 20:00", time.Hour},
		{"midnight that comes twice in Havana", "America/Havana", everyDay("00:00-02:00"), "2026-11-01 04:00", "2026-11-02 05:00", 3 * time.Hour},
		{"leap day", "UTC", office(), "2028-02-28 17:00", "2028-03-01 09:00", 8 * time.Hour},
		{"a year that has none", "UTC", everyDay("09:00-17:00"), "2026-02-28 17:00", "2026-03-01 09:00", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := mustNew(t, test.zone, test.hours, nil)
			if got := c.Between(at(test.from), at(test.to)); got != test.want {
				t.Errorf("Between(%s, %s) = %v, want %v", test.from, test.to, got, test.want)
			}
		})
	}
}

func TestHolidayIsAWholeDayOfTheZone(t *testing.T) {
	t.Parallel()
	c := mustNew(t, "Asia/Kathmandu", everyDay("00:00-24:00"), map[string]string{"2028-02-29": "Leap day"})
	want := []calendar.Span{
		{From: at("2028-02-28 12:00"), To: at("2028-02-28 18:15"), Open: true, Why: "open"},
		{From: at("2028-02-28 18:15"), To: at("2028-02-29 18:15"), Why: "Leap day"},
		{From: at("2028-02-29 18:15"), To: at("2028-02-29 19:00"), Open: true, Why: "open"},
	}
	if diff := cmp.Diff(want, c.Spans(at("2028-02-28 12:00"), at("2028-02-29 19:00"))); diff != "" {
		t.Errorf("Spans() (-want +got):\n%s", diff)
	}
}

func TestAddFindsTheFirstMoment(t *testing.T) {
	t.Parallel()
	c := mustNew(t, "America/New_York", office(), map[string]string{"2026-11-26": "Thanksgiving"})
	tests := []struct {
		name, start string
		open        time.Duration
		want        string
	}{
		{"within a day", "2026-11-02 15:00", time.Hour, "2026-11-02 16:00"},
		{"to the end of a day, not to the next beginning", "2026-11-02 14:00", 8 * time.Hour, "2026-11-02 22:00"},
		{"past the end of a day", "2026-11-02 14:00", 8*time.Hour + time.Minute, "2026-11-03 14:01"},
		{"from a closed moment", "2026-11-02 23:00", time.Hour, "2026-11-03 15:00"},
		{"past a weekend", "2026-11-06 21:00", 2 * time.Hour, "2026-11-09 15:00"},
		{"past a holiday", "2026-11-25 21:00", 2 * time.Hour, "2026-11-27 15:00"},
		{"past the end of summer time", "2026-10-30 20:00", 2 * time.Hour, "2026-11-02 15:00"},
		{"nothing", "2026-11-07 12:00", 0, "2026-11-07 12:00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := c.Add(at(test.start), test.open)
			if !ok || !got.Equal(at(test.want)) {
				t.Errorf("Add(%s, %v) = %v, %v, want %s", test.start, test.open, got, ok, test.want)
			}
		})
	}
}

func TestAddGivesUpAfterTwentyYears(t *testing.T) {
	t.Parallel()
	c := mustNew(t, "Europe/Berlin", map[string][]string{"mon": {"09:00-10:00"}}, nil)
	if got, ok := c.Add(at("2026-01-01 00:00"), 1000*time.Hour); !ok || got.Year() != 2045 {
		t.Errorf("Add(1000h) = %v, %v, want a day in 2045", got, ok)
	}
	if got, ok := c.Add(at("2026-01-01 00:00"), 1100*time.Hour); ok {
		t.Errorf("Add(1100h) = %v, want none", got)
	}
}

func TestNewRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	monday := func(hours ...string) map[string][]string { return map[string][]string{"mon": hours} }
	tests := []struct {
		name, zone string
		open       map[string][]string
		holidays   map[string]string
		want       string
	}{
		{"no zone", "", office(), nil, `zone ""`},
		{"the machine's zone", "Local", office(), nil, `zone "Local"`},
		{"an unknown zone", "Europe/Atlantis", office(), nil, "Europe/Atlantis"},
		{"the machine's zone as a file", "localtime", office(), nil, "not a time zone"},
		{"rules of a file", "posixrules", office(), nil, "not a time zone"},
		{"a zone that is nowhere", "Factory", office(), nil, "not a time zone"},
		{"a zone with leap seconds", "right/UTC", office(), nil, "not a time zone"},
		{"a zone that some machines have twice", "posix/Europe/Berlin", office(), nil, "not a time zone"},
		{"a zone in other letters", "europe/berlin", office(), nil, "not a time zone"},
		{"a zone with a line's end", "UTC\n", office(), nil, "not a time zone"},
		{"a zone that is a path", "../../etc/passwd", office(), nil, "not a time zone"},
		{"never open", "UTC", nil, nil, "never open"},
		{"empty hours only", "UTC", monday(), nil, "never open"},
		{"an unknown weekday", "UTC", map[string][]string{"monday": {"09:00-10:00"}}, nil, `"monday"`},
		{"no interval", "UTC", monday("09:00"), nil, `"09:00": want hours such as`},
		{"no time", "UTC", monday("nine-17:00"), nil, `"nine" is not a time`},
		{"a time of one digit", "UTC", monday("9:00-17:00"), nil, `"9:00" is not a time`},
		{"minute 60", "UTC", monday("09:60-17:00"), nil, `"09:60"`},
		{"past midnight", "UTC", monday("22:00-06:00"), nil, "two days"},
		{"to midnight as 00:00", "UTC", monday("22:00-00:00"), nil, "to 24:00"},
		{"from 24:00", "UTC", monday("24:00-24:00"), nil, "ends before"},
		{"past 24:00", "UTC", monday("23:00-24:30"), nil, `"24:30"`},
		{"no time at all", "UTC", monday("09:00-09:00"), nil, "ends before"},
		{"overlapping", "UTC", monday("09:00-12:00", "11:00-17:00"), nil, "11:00-17:00 begins before 09:00-12:00 ends"},
		{"out of order", "UTC", monday("13:00-17:00", "09:00-12:00"), nil, "in order"},
		{"no date", "UTC", office(), map[string]string{"25.12.2026": "Christmas"}, `"25.12.2026"`},
		{"a date that is none", "UTC", office(), map[string]string{"2026-02-29": "Leap day"}, `"2026-02-29"`},
		{"a nameless holiday", "UTC", office(), map[string]string{"2026-12-25": " "}, "2026-12-25 has no name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := calendar.New(test.zone, test.open, test.holidays)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("New() = %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestHoursThatTouchAreOneSpan(t *testing.T) {
	t.Parallel()
	c := mustNew(t, "UTC", everyDay("00:00-12:00", "12:00-24:00"), nil)
	want := []calendar.Span{{From: at("2026-01-01 00:00"), To: at("2026-02-01 00:00"), Open: true, Why: "open"}}
	if diff := cmp.Diff(want, c.Spans(at("2026-01-01 00:00"), at("2026-02-01 00:00"))); diff != "" {
		t.Errorf("Spans() (-want +got):\n%s", diff)
	}
}

// drawn is a calendar with what it was made of.
type drawn struct {
	calendar.Calendar
	zone     *time.Location
	open     map[string][]string
	holidays map[string]string
}

func drawCalendar(t *rapid.T) drawn {
	zone := rapid.SampledFrom([]string{
		"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe", "Pacific/Apia",
		"America/Havana", "Asia/Beirut", "Africa/Casablanca", "America/Sao_Paulo", "Antarctica/Troll", "Pacific/Kiritimati",
	}).Draw(t, "zone")
	open := map[string][]string{}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}), 1, 7, rapid.ID).Draw(t, "days") {
		minutes := rapid.SliceOfNDistinct(rapid.IntRange(0, 48), 2, 6, rapid.ID).Draw(t, "half hours")
		open[name] = intervals(minutes)
	}
	holidays := map[string]string{}
	for range rapid.IntRange(0, 3).Draw(t, "holidays") {
		holidays[drawMoment(t, "holiday").Format(time.DateOnly)] = "Holiday"
	}
	made, err := calendar.New(zone, open, holidays)
	if err != nil {
		t.Fatalf("New(%q, %v, %v) = %v", zone, open, holidays, err)
	}
	where, _ := time.LoadLocation(zone) // New has loaded it, too
	return drawn{made, where, open, holidays}
}

// intervals makes hours of each two half hours of the day.
func intervals(halves []int) (all []string) {
	set := map[int]bool{}
	for _, h := range halves {
		set[h] = true
	}
	var from string
	for h := range 49 {
		text := fmt.Sprintf("%02d:%02d", h/2, h%2*30)
		switch {
		case !set[h]:
		case from == "":
			from = text
		default:
			all, from = append(all, from+"-"+text), ""
		}
	}
	return all
}

// drawMoment prefers the times around which the zones have their oddities.
func drawMoment(t *rapid.T, label string) time.Time {
	base := rapid.SampledFrom([]time.Time{
		at("2026-03-29 01:00"), at("2026-10-25 01:00"), at("2011-12-30 10:00"), at("2026-04-04 15:00"), at("2026-10-03 15:30"),
		at("2026-11-01 05:00"), at("2028-02-29 00:00"), at("2026-02-15 02:00"), at("2050-10-30 01:00"),
	}).Draw(t, label)
	return base.Add(time.Duration(rapid.Int64Range(-int64(9*24*time.Hour), int64(9*24*time.Hour)).Draw(t, label+" off")))
}

// isOpen is the definition, for one moment.
func (d drawn) isOpen(t time.Time) bool {
	local := t.In(d.zone)
	if d.holidays[local.Format(time.DateOnly)] != "" {
		return false
	}
	for _, h := range d.open[strings.ToLower(local.Format("Mon"))] {
		from, to, _ := strings.Cut(h, "-")
		if now := local.Format("15:04"); from <= now && now < to {
			return true
		}
	}
	return false
}

func TestEveryMomentIsAsTheClockOnTheWallSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, moment := drawCalendar(t), drawMoment(t, "moment")
		spans := c.Spans(moment, moment.Add(time.Nanosecond))
		if len(spans) != 1 || spans[0].Open != c.isOpen(moment) {
			t.Fatalf("Spans(%v) = %+v, want open: %v", moment, spans, c.isOpen(moment))
		}
	})
}

func TestSpansAreGaplessAndSumUpToTheOpenTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, from := drawCalendar(t), drawMoment(t, "from")
		to := from.Add(time.Duration(rapid.Int64Range(1, int64(40*24*time.Hour)).Draw(t, "length")))
		var sum time.Duration
		next := from
		for i, s := range c.Spans(from, to) {
			if !s.From.Equal(next) || !s.From.Before(s.To) {
				t.Fatalf("span %d is %v, want one from %v", i, s, next)
			}
			if middle := s.From.Add(s.To.Sub(s.From) / 2); c.isOpen(middle) != s.Open || c.isOpen(s.From) != s.Open {
				t.Fatalf("span %d is %v, but at %v or %v it is not so", i, s, s.From, middle)
			}
			next = s.To
			if s.Open {
				sum += s.To.Sub(s.From)
			}
		}
		if !next.Equal(to) {
			t.Fatalf("spans end at %v, want %v", next, to)
		}
		if got := c.Between(from, to); got != sum {
			t.Fatalf("Between(%v, %v) = %v, but the spans have %v", from, to, got, sum)
		}
	})
}

func TestOpenTimeAddsUpAndNeverFalls(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, a := drawCalendar(t), drawMoment(t, "a")
		step := rapid.Int64Range(0, int64(20*24*time.Hour))
		b := a.Add(time.Duration(step.Draw(t, "to b")))
		d := b.Add(time.Duration(step.Draw(t, "to d")))
		first, second, whole := c.Between(a, b), c.Between(b, d), c.Between(a, d)
		if first+second != whole {
			t.Fatalf("Between: %v and %v are not %v", first, second, whole)
		}
		if first < 0 || first > b.Sub(a) {
			t.Fatalf("Between(%v, %v) = %v, want 0 to %v", a, b, first, b.Sub(a))
		}
	})
}

func TestAddIsTheInverseOfBetween(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, start := drawCalendar(t), drawMoment(t, "start")
		open := time.Duration(rapid.Int64Range(0, int64(200*time.Hour)).Draw(t, "open"))
		end, ok := c.Add(start, open)
		if !ok {
			t.Fatalf("Add(%v, %v) found nothing", start, open)
		}
		if got := c.Between(start, end); got != open {
			t.Fatalf("Between(start, Add(start, %v)) = %v", open, got)
		}
		if open == 0 {
			return
		}
		if got := c.Between(start, end.Add(-time.Nanosecond)); got != open-time.Nanosecond {
			t.Fatalf("a nanosecond before Add(start, %v) it is %v, want a nanosecond less: a moment before has passed as much", open, got)
		}
		later, ok := c.Add(start, open+time.Minute)
		if !ok || !later.After(end) {
			t.Fatalf("Add of a minute more = %v, %v, want after %v", later, ok, end)
		}
	})
}

func BenchmarkAddTenYears(b *testing.B) {
	c := mustNew(b, "Europe/Berlin", office(), map[string]string{"2026-12-25": "Christmas"})
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.Add(at("2026-01-01 00:00"), 20_000*time.Hour); !ok {
			b.Fatal("Add() found nothing")
		}
	}
}

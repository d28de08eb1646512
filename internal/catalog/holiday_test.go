package catalog

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBadHolidaysAreRefusedWithTheirLine(t *testing.T) {
	const good = "# comment\ncountry,date,name\nJP,2026-02-11,National Foundation Day\n"
	tests := []struct{ name, line, want string }{
		{"unknown country", "XX,2026-02-12,Day", `no language is supported from country "XX"`},
		{"no country", ",2026-02-12,Day", `country ""`},
		{"no such date", "JP,2026-02-30,Day", "out of range"},
		{"other form of date", "JP,12.2.2026,Day", "cannot parse"},
		{"no name", "JP,2026-02-12, ", "without a name"},
		{"same day again", "JP,2026-02-11,Day", "is not after JP 2026-02-11"},
		{"earlier day", "JP,2026-01-01,Day", "is not after"},
		{"earlier country", "CN,2026-05-01,Day", "is not after"},
		{"too few fields", "JP,2026-02-12", "wrong number of fields"},
		{"too many fields", "JP,2026-02-12,Day,yes", "wrong number of fields"},
	}
	for _, test := range tests {
		_, err := parseHolidays("holidays.csv", []byte(good+test.line+"\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "holidays.csv:4: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: parseHolidays() = %v, want holidays.csv:4: …%s", test.name, err, test.want)
		}
	}
	if _, err := parseHolidays("holidays.csv", []byte("JP,2026-02-11,Day\n")); err == nil {
		t.Error("parseHolidays(no header) = nil, want an error")
	}
}

func TestEveryCountryHasEveryYear(t *testing.T) {
	c := mustLoad(t)
	for _, country := range []string{"CN", "JP", "KR"} {
		for year := 2026; year <= 2030; year++ {
			if got := countIn(c.holidays, country, year); got < 12 || got > 24 {
				t.Errorf("%s has %d holidays in %d, want 12 to 24", country, got, year)
			}
		}
	}
}

func countIn(days holidays, country string, year int) int {
	n := 0
	first := time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC)
	for day := first; day.Year() == year; day = after(day, 1) {
		if days[country+" "+day.Format(time.DateOnly)] {
			n++
		}
	}
	return n
}

// The Act on National Holidays places four holidays on the nth Monday.
func TestHappyMondays(t *testing.T) {
	c := mustLoad(t)
	for year := 2026; year <= 2030; year++ {
		for month, n := range map[time.Month]int{time.January: 2, time.July: 3, time.September: 3, time.October: 2} {
			day := nthMonday(year, month, n)
			if !c.holidays["JP "+day.Format(time.DateOnly)] {
				t.Errorf("Monday %d of %v %d, %s, is no holiday in Japan", n, month, year, day.Format(time.DateOnly))
			}
		}
	}
}

func nthMonday(year int, month time.Month, n int) time.Time {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	return after(first, (8-int(first.Weekday()))%7+7*(n-1))
}

// Article 3 of the Act: a holiday on a Sunday moves to the next day that is
// none, and a day between two holidays becomes one.
func TestJapaneseSubstitutes(t *testing.T) {
	c := mustLoad(t)
	japan := calendar{c.holidays, "JP", 9 * time.Hour}
	holiday := func(day time.Time) bool { return c.holidays["JP "+day.Format(time.DateOnly)] }
	for day := date(2026, 1, 4); day.Before(date(2030, 12, 25)); day = after(day, 1) {
		if day.Day() <= 3 && day.Month() == time.January {
			continue // rest by custom, not by the Act
		}
		next := after(day, 1)
		if day.Weekday() == time.Sunday && holiday(day) && !japan.rests(next) {
			t.Errorf("%s is a Sunday and the day after is worked", day.Format(time.DateOnly))
		}
		if holiday(day) && holiday(after(day, 2)) && !japan.rests(next) {
			t.Errorf("%s is worked between two holidays", next.Format(time.DateOnly))
		}
	}
}

// Days that a calendar in print shows; those of the moon and of substitution
// are the ones to get wrong.
func TestHolidaysOfPrintedCalendars(t *testing.T) {
	c := mustLoad(t)
	tests := []struct{ country, days string }{
		{"JP", "2026-05-06 2026-09-22 2027-03-22 2028-09-22 2029-02-12 2029-09-24 2030-08-12 2030-11-04"},
		{"CN", "2026-02-16 2026-02-19 2027-02-05 2027-02-08 2028-01-25 2028-10-03 2029-02-15 2030-02-02 2030-06-05"},
		{"KR", "2026-03-02 2026-05-25 2026-07-17 2026-08-17 2027-02-09 2027-10-11 2027-12-27 2028-10-05 2029-05-21 2030-02-05"},
	}
	for _, test := range tests {
		for _, day := range strings.Fields(test.days) {
			if !c.holidays[test.country+" "+day] {
				t.Errorf("%s is worked in %s", day, test.country)
			}
		}
	}
	for _, day := range []string{"CN 2027-02-09", "KR 2027-02-05", "KR 2026-06-08", "JP 2028-05-06", "JP 2026-12-31"} {
		if c.holidays[day] {
			t.Errorf("%s is a holiday, want none", day)
		}
	}
}

func TestRest(t *testing.T) {
	c := mustLoad(t)
	japan := calendar{c.holidays, "JP", 9 * time.Hour}
	tests := []struct {
		name string
		now  string
		days int
		want []string
	}{
		{
			"holidays beside a weekend make one interval", "2026-09-16T00:00:00Z", 9,
			[]string{"2026-09-18T15:00:00.000+0000 2026-09-23T14:59:59.999+0000"},
		},
		{
			"a rest that is running is told from its beginning", "2026-09-21T12:00:00Z", 4,
			[]string{"2026-09-18T15:00:00.000+0000 2026-09-23T14:59:59.999+0000"},
		},
		{
			"its last millisecond counts", "2026-09-23T14:59:59.999Z", 1,
			[]string{"2026-09-18T15:00:00.000+0000 2026-09-23T14:59:59.999+0000"},
		},
		{"a rest that is over does not", "2026-09-23T15:00:00Z", 1, []string{}},
		{"a rest that begins after the last day does not", "2026-09-16T15:00:00Z", 2, []string{}},
		{
			"one that begins just before the last day ends is told to its end", "2026-09-16T15:00:00.001Z", 2,
			[]string{"2026-09-18T15:00:00.000+0000 2026-09-23T14:59:59.999+0000"},
		},
		{
			"the zone of now does not matter", "2026-09-24T00:30:00+09:30", 4,
			[]string{"2026-09-25T15:00:00.000+0000 2026-09-27T14:59:59.999+0000"},
		},
		{
			"new year", "2026-12-28T00:00:00Z", 7,
			[]string{"2026-12-31T15:00:00.000+0000 2027-01-03T14:59:59.999+0000"},
		},
		{
			"beyond the table only weekends are known", "2031-02-10T00:00:00Z", 7,
			[]string{"2031-02-14T15:00:00.000+0000 2031-02-16T14:59:59.999+0000"},
		},
	}
	for _, test := range tests {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, i := range japan.rest(now, test.days) {
			got = append(got, i.Start.Format(dateTimeFormat)+" "+i.End.Format(dateTimeFormat))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: rest(%s, %d) (-want +got):\n%s", test.name, test.now, test.days, diff)
		}
	}
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

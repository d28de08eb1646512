package catalog

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// holidays holds the rows of holidays.csv as "JP 2026-01-01".
type holidays map[string]bool

// DateInterval is a time without support, both ends included.
type DateInterval struct{ Start, End time.Time }

// calendar is the days of one country, whose clocks differ from UTC by offset
// all year. A day is the midnight in UTC that carries its date.
type calendar struct {
	holidays holidays
	country  string
	offset   time.Duration
}

// rest returns the times of rest that touch the days after now. One that has
// begun is returned from its beginning, one that goes on to its end.
func (c calendar) rest(now time.Time, days int) []DateInterval {
	until := now.AddDate(0, 0, days).UTC()
	day := c.today(now)
	for c.rests(day) && c.rests(after(day, -1)) {
		day = after(day, -1)
	}
	var intervals []DateInterval
	for ; c.begin(day).Before(until); day = after(day, 1) {
		if !c.rests(day) {
			continue
		}
		start := day
		for c.rests(after(day, 1)) {
			day = after(day, 1)
		}
		end := c.begin(after(day, 1)).Add(-time.Millisecond)
		intervals = append(intervals, DateInterval{c.begin(start), end})
	}
	return intervals
}

func (c calendar) rests(day time.Time) bool {
	switch day.Weekday() {
	case time.Saturday, time.Sunday:
		return true
	}
	return c.holidays[c.country+" "+day.Format(time.DateOnly)]
}

// today returns the day it is in the country.
func (c calendar) today(now time.Time) time.Time {
	return now.UTC().Add(c.offset).Truncate(24 * time.Hour)
}

// begin returns the moment at which the day begins in the country.
func (c calendar) begin(day time.Time) time.Time { return day.Add(-c.offset) }

func after(day time.Time, n int) time.Time { return day.AddDate(0, 0, n) }

// parseHolidays reads rows of country, date and name in ascending order.
func parseHolidays(file string, text []byte) (holidays, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comment = '#'
	header, err := r.Read()
	if err != nil || !slices.Equal(header, []string{"country", "date", "name"}) {
		return nil, fmt.Errorf("%s:1: no header country,date,name", file)
	}
	days, last := make(holidays), ""
	for {
		row, err := r.Read()
		if err == io.EOF {
			return days, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, errorLine(err), err)
		}
		day := row[0] + " " + row[1]
		if err := checkHoliday(row, last); err != nil {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("%s:%d: %w", file, line, err)
		}
		days[day], last = true, day
	}
}

// checkHoliday refuses a row that does not follow the day last.
func checkHoliday(row []string, last string) error {
	country, date, name := row[0], row[1], row[2]
	if !slices.ContainsFunc(languages(), func(l language) bool { return country != "" && l.country == country }) {
		return fmt.Errorf("no language is supported from country %q", country)
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return err
	}
	if strings.TrimSpace(name) == "" {
		return errors.New("a holiday without a name")
	}
	if day := country + " " + date; day <= last {
		return fmt.Errorf("%s is not after %s", day, last)
	}
	return nil
}

func errorLine(err error) int {
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		return parse.Line
	}
	return 1
}

package catalog

import (
	"fmt"
	"time"
)

// Words for how well a language is served. The third one, best_effort, is for
// queues that are staffed only at times: there are none here.
const (
	Available   = "available"
	Unavailable = "unavailable"
)

const web = "web" // the channel that is always open

// Times of rest are told this many days ahead.
const daysAhead = 30

// OptionsQuery is the kind of case that options are asked for.
type OptionsQuery struct{ ServiceCode, CategoryCode, IssueType, Language string }

// Options says how a case of some kind can be brought to support.
type Options struct {
	LanguageAvailability string
	CommunicationTypes   []CommunicationType // at least one
}

// CommunicationType is a channel and the times at which it is served.
type CommunicationType struct {
	Type                string // web, chat or call
	SupportedHours      []Hours
	DatesWithoutSupport []DateInterval // ascending, apart from each other
}

// Hours is a part of every day in UTC.
type Hours struct{ Start, End TimeOfDay }

// TimeOfDay is the time since midnight.
type TimeOfDay time.Duration

// String returns the time as DescribeCreateCaseOptions writes it: 09:00:00.000.
func (t TimeOfDay) String() string {
	ms := time.Duration(t).Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

// CreateCaseOptions returns how a case can be brought to support now.
// channels are those of the account's plan for this kind of case, in the order
// of the answer. Without any it is the web alone, for the list in the answer
// has at least one member by the service model.
func (c *Catalog) CreateCaseOptions(q OptionsQuery, channels []string, now time.Time) (Options, error) {
	if err := c.Check(q.ServiceCode, q.CategoryCode, q.IssueType); err != nil {
		return Options{}, err
	}
	l, ok := c.language(q.Language)
	if !ok {
		return Options{}, c.CheckLanguage(q.Language)
	}
	if !l.offered {
		return Options{Unavailable, []CommunicationType{allDay(web)}}, nil
	}
	return Options{Available, c.communicationTypes(l, q.IssueType, channels, now)}, nil
}

func (c *Catalog) communicationTypes(l language, issueType string, channels []string, now time.Time) []CommunicationType {
	var types []CommunicationType
	for _, channel := range channels {
		types = append(types, c.communicationType(l, issueType, channel, now))
	}
	if len(types) == 0 {
		types = append(types, allDay(web))
	}
	return types
}

// communicationType follows the user guide ("Creating a support case",
// language support): technical questions around the clock, account and billing
// questions in Japanese, Chinese and Korean in office hours.
func (c *Catalog) communicationType(l language, issueType, channel string, now time.Time) CommunicationType {
	if channel == web || l.country == "" || issueType == Technical {
		return allDay(channel)
	}
	days := calendar{c.holidays, l.country, l.offset}
	return CommunicationType{
		Type:                channel,
		SupportedHours:      []Hours{officeHours(l.offset)},
		DatesWithoutSupport: days.rest(now, daysAhead),
	}
}

func allDay(channel string) CommunicationType {
	return CommunicationType{
		Type:                channel,
		SupportedHours:      []Hours{{0, TimeOfDay(24*time.Hour - time.Millisecond)}},
		DatesWithoutSupport: []DateInterval{},
	}
}

// officeHours returns 09:00 to 18:00 at this distance from UTC. The distances
// in use are at most nine hours, so the hours stay within one day.
func officeHours(offset time.Duration) Hours {
	return Hours{TimeOfDay(9*time.Hour - offset), TimeOfDay(18*time.Hour - offset)}
}

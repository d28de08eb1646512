package catalog

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lines returns an answer as text: the availability, then a line for each
// channel with its hours and its times without support.
func lines(o Options) []string {
	got := []string{o.LanguageAvailability}
	for _, c := range o.CommunicationTypes {
		text := []string{c.Type}
		for _, h := range c.SupportedHours {
			text = append(text, h.Start.String()+"-"+h.End.String())
		}
		for _, d := range c.DatesWithoutSupport {
			text = append(text, d.Start.Format(dateTimeFormat)+"/"+d.End.Format(dateTimeFormat))
		}
		got = append(got, strings.Join(text, " "))
	}
	return got
}

// dateTimeFormat is how DescribeCreateCaseOptions writes times.
const dateTimeFormat = "2006-01-02T15:04:05.000-0700"

func TestCreateCaseOptions(t *testing.T) {
	c := mustLoad(t)
	allDay := func(availability string, channels ...string) []string {
		want := []string{availability}
		for _, channel := range channels {
			want = append(want, channel+" 00:00:00.000-23:59:59.999")
		}
		return want
	}
	all := []string{"web", "chat", "call"}
	tests := []struct {
		name     string
		query    OptionsQuery
		channels []string
		want     []string
	}{
		{"English, technical", OptionsQuery{"amazon-elastic-compute-cloud-linux", "instance-issue", "technical", "en"}, all, allDay("available", all...)},
		{"English, billing", OptionsQuery{"billing", "charge-inquiry", "customer-service", "en"}, all, allDay("available", all...)},
		{"Japanese, technical", OptionsQuery{"aws-lambda", "general-guidance", "technical", "ja"}, all, allDay("available", all...)},
		{"Turkish is not offered", OptionsQuery{"aws-lambda", "general-guidance", "technical", "tr"}, all, allDay("unavailable", "web")},
		{"Spanish billing is not offered", OptionsQuery{"billing", "charge-inquiry", "customer-service", "es"}, nil, allDay("unavailable", "web")},
		{"a plan with the web only", OptionsQuery{"aws-lambda", "general-guidance", "technical", "en"}, []string{"web"}, allDay("available", "web")},
		{"a plan without channels", OptionsQuery{"aws-lambda", "general-guidance", "technical", "ko"}, nil, allDay("available", "web")},
		{"order of the plan", OptionsQuery{"aws-lambda", "general-guidance", "technical", "zh"}, []string{"call", "web"}, allDay("available", "call", "web")},
	}
	for _, test := range tests {
		got, err := c.CreateCaseOptions(test.query, test.channels, date(2026, 12, 28))
		if diff := cmp.Diff(test.want, lines(got)); diff != "" || err != nil {
			t.Errorf("%s: CreateCaseOptions() = %v (-want +got):\n%s", test.name, err, diff)
		}
		for _, channel := range got.CommunicationTypes {
			if channel.DatesWithoutSupport == nil {
				t.Errorf("%s: CreateCaseOptions().DatesWithoutSupport of %s is nil, want it empty for the wire", test.name, channel.Type)
			}
		}
	}
}

func TestBillingInOfficeHours(t *testing.T) {
	c := mustLoad(t)
	const newYear = "2026-12-31T15:00:00.000+0000/2027-01-03T14:59:59.999+0000"
	tests := []struct {
		language, issueType string
		hours               string
		first, second       string // times without support from 2026-12-28
	}{
		{
			"ja", "customer-service", "00:00:00.000-09:00:00.000",
			newYear, "2027-01-08T15:00:00.000+0000/2027-01-11T14:59:59.999+0000", // Coming of Age Day
		},
		{
			"zh", "customer-service", "01:00:00.000-10:00:00.000",
			"2026-12-31T16:00:00.000+0000/2027-01-03T15:59:59.999+0000", "2027-01-08T16:00:00.000+0000/2027-01-10T15:59:59.999+0000",
		},
		{
			"ko", "service-limit-increase", "00:00:00.000-09:00:00.000",
			newYear, "2027-01-08T15:00:00.000+0000/2027-01-10T14:59:59.999+0000",
		},
	}
	for _, test := range tests {
		q := OptionsQuery{"customer-account", "other-account-issues", test.issueType, test.language}
		o, err := c.CreateCaseOptions(q, []string{"web", "chat", "call"}, date(2026, 12, 28))
		if err != nil {
			t.Errorf("CreateCaseOptions(%v) = %v", q, err)
			continue
		}
		got := lines(o)
		if want := "web 00:00:00.000-23:59:59.999"; got[1] != want {
			t.Errorf("CreateCaseOptions(%v)[1] = %q, want %q", q, got[1], want)
		}
		for i, channel := range []string{"chat", "call"} {
			want := strings.Join([]string{channel, test.hours, test.first, test.second, ""}, " ")
			if !strings.HasPrefix(got[i+2], want) {
				t.Errorf("CreateCaseOptions(%v)[%d] = %q, want %q…", q, i+2, got[i+2], want)
			}
		}
		last := o.CommunicationTypes[1].DatesWithoutSupport
		if n, end := len(last), last[len(last)-1].Start; n != 4 || !end.Before(date(2027, 1, 27)) {
			t.Errorf("CreateCaseOptions(%v): %d times without support, the last from %v; want 4 within 30 days", q, n, end)
		}
	}
}

func TestCreateCaseOptionsOfUnknownThings(t *testing.T) {
	c := mustLoad(t)
	tests := []struct {
		query OptionsQuery
		want  error
	}{
		{OptionsQuery{"nothing", "using-aws", "technical", "en"}, ErrUnknownService},
		{OptionsQuery{"general-info", "nothing", "technical", "en"}, ErrUnknownCategory},
		{OptionsQuery{"general-info", "using-aws", "nothing", "en"}, ErrUnknownIssueType},
		{OptionsQuery{"general-info", "using-aws", "technical", "de"}, ErrUnknownLanguage},
	}
	for _, test := range tests {
		if _, err := c.CreateCaseOptions(test.query, nil, date(2026, 1, 1)); !errors.Is(err, test.want) {
			t.Errorf("CreateCaseOptions(%v) = %v, want %v", test.query, err, test.want)
		}
	}
}

func TestTimeOfDayString(t *testing.T) {
	tests := []struct {
		time time.Duration
		want string
	}{
		{0, "00:00:00.000"},
		{9*time.Hour + 5*time.Minute + 7*time.Second + 30*time.Millisecond, "09:05:07.030"},
		{24*time.Hour - time.Millisecond, "23:59:59.999"},
	}
	for _, test := range tests {
		if got := TimeOfDay(test.time).String(); got != test.want {
			t.Errorf("TimeOfDay(%v) = %q, want %q", test.time, got, test.want)
		}
	}
}

package cases_test

import (
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
)

// A year after the 28th of February comes the 28th and, in a leap year, the
// 29th: what ended on the former is not there again on the latter.
func TestWhatEndedStaysGoneOnTheLeapDay(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	o.set(mustDay(t, "2027-02-28").Add(10 * time.Hour))
	id := o.mustCreate(t, question())
	for _, now := range []time.Time{
		mustDay(t, "2028-02-28").Add(10 * time.Hour),
		mustDay(t, "2028-02-29"),
		mustDay(t, "2028-02-29").Add(9 * time.Hour),
		mustDay(t, "2028-02-29").Add(11 * time.Hour),
		mustDay(t, "2028-03-01"),
	} {
		o.set(now)
		_, err := o.Find(t.Context(), alice(), byID(id))
		wantError(t, "Find() on "+now.String(), err, cases.ErrCaseNotFound)
	}
}

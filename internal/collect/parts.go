package collect

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// parts reads the parts of one resource and remembers whether a call answered
// that the resource is no more.
type parts struct {
	*reader
	codes []string // that say so
	gone  bool
}

// read is [reader.part]; nothing more is called when the resource is gone.
func (p *parts) read(name string, f func() error, absent ...string) {
	if p.gone {
		return
	}
	p.part(name, func() error {
		err := f()
		if hasCode(err, p.codes...) {
			p.gone = true
			return nil
		}
		return err
	}, absent...)
}

// byToken calls f with the token of every page of a list that has no paginator
// in the SDK. f returns the token of the next page.
func byToken(f func(token *string) (next *string, err error)) error {
	var token *string
	for range maxPages {
		next, err := f(token)
		if err != nil || aws.ToString(next) == "" {
			return err
		}
		token = next
	}
	return fmt.Errorf("a list with more than %d pages", maxPages)
}

// usageDays is how many days back the use of resources is looked at.
const usageDays = 7

// day returns when one of the days of [reader.daily] began.
func (r *reader) day(days, i int) time.Time {
	return r.now.UTC().Truncate(time.Hour).Add(-time.Duration(days-i) * 24 * time.Hour)
}

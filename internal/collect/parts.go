package collect

import "time"

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

// usageDays is how many days back the use of resources is looked at.
const usageDays = 7

// day returns when one of the days of [reader.daily] began.
func (r *reader) day(days, i int) time.Time {
	return r.now.UTC().Truncate(time.Hour).Add(-time.Duration(days-i) * 24 * time.Hour)
}

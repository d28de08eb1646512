package testmode

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault is something that goes wrong with some requests to the API. Of several
// that fit a request, the one that was set first happens.
type Fault struct {
	ID          string // made by Fail
	Kind        FaultKind
	Operation   string        // empty: any
	Account     string        // empty: any
	Probability float64       // 0: always
	Count       int           // how often it happens; 0: always
	Delay       time.Duration // of FaultLatency, in real time, at most a minute
	Happened    int           // how often it did
}

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of faults.
const (
	FaultThrottling    FaultKind = "throttling"     // ThrottlingException, and nothing is done
	FaultInternalError FaultKind = "internal-error" // InternalServerError, and nothing is done
	FaultUnavailable   FaultKind = "unavailable"    // HTTP 503, and nothing is done
	FaultLostAnswer    FaultKind = "lost-answer"    // it is done, and the connection ends before the answer
	FaultCutConnection FaultKind = "cut-connection" // the connection ends, and nothing is done
	FaultLatency       FaultKind = "latency"        // it is done after a delay
	FaultWrongContent  FaultKind = "wrong-content"  // it is done, and the answer is a web page
	FaultTruncatedBody FaultKind = "truncated-body" // it is done, and the answer ends in the middle
)

// FaultKinds returns all kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{
		FaultThrottling, FaultInternalError, FaultUnavailable, FaultLostAnswer,
		FaultCutConnection, FaultLatency, FaultWrongContent, FaultTruncatedBody,
	}
}

// maxDelay is somewhat less than a server waits for an answer to be written.
const maxDelay = time.Minute

func (f Fault) check(operations []string) error {
	switch {
	case !slices.Contains(FaultKinds(), f.Kind):
		return ErrInvalid.With("There is no kind of fault %q; there are %v.", f.Kind, FaultKinds())
	case f.Operation != "" && operations != nil && !slices.Contains(operations, f.Operation):
		return ErrInvalid.With("The API has no operation %q; it has %v.", f.Operation, operations)
	case f.Account != "" && !isAccountID(f.Account):
		return ErrInvalid.With("An account has 12 digits, unlike %q.", f.Account)
	case !(0 <= f.Probability && f.Probability <= 1): // not a number is refused, too
		return ErrInvalid.With("A probability is from 0 to 1, not %v.", f.Probability)
	case f.Count < 0:
		return ErrInvalid.With("A fault cannot happen %d times.", f.Count)
	case f.Kind == FaultLatency && (f.Delay <= 0 || f.Delay > maxDelay):
		return ErrInvalid.With("A delay is longer than nothing and at most %v, not %v.", maxDelay, f.Delay)
	case f.Kind != FaultLatency && f.Delay != 0:
		return ErrInvalid.With("Only faults of the kind %q have a delay, not %q.", FaultLatency, f.Kind)
	}
	return nil
}

func isAccountID(id string) bool { return len(id) == 12 && strings.Trim(id, "0123456789") == "" }

func (f Fault) fits(operation, account string) bool {
	return (f.Operation == "" || f.Operation == operation) &&
		(f.Account == "" || f.Account == account) &&
		(f.Count == 0 || f.Happened < f.Count)
}

// Fail has a fault happen from now on.
func (m *Mode) Fail(f Fault) (id string, err error) {
	if err := f.check(m.config.Operations); err != nil {
		return "", err
	}
	return m.faults.add(f), nil
}

// Faults returns the faults that are set, also those that have happened as often
// as they should.
func (m *Mode) Faults() []Fault { return m.faults.list() }

// Clear removes a fault, or all when id is empty, and reports whether there was
// one.
func (m *Mode) Clear(id string) bool { return m.faults.remove(id) }

// faults are those that are set.
type faults struct {
	chance func(probability float64) bool

	mu   sync.Mutex
	made int
	set  []Fault
}

func (f *faults) add(one Fault) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made++
	one.ID, one.Happened = fmt.Sprintf("fault-%d", f.made), 0
	f.set = append(f.set, one)
	return one.ID
}

func (f *faults) list() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.set)
}

func (f *faults) remove(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.set)
	f.set = slices.DeleteFunc(f.set, func(one Fault) bool { return id == "" || one.ID == id })
	return len(f.set) < before
}

func (f *faults) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set, f.made = nil, 0
}

// happen returns the fault that happens to a request, one without a kind when
// none does, and counts it.
func (f *faults) happen(operation, account string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, one := range f.set {
		if !one.fits(operation, account) {
			continue
		}
		if one.Probability > 0 && !f.chance(one.Probability) {
			continue
		}
		f.set[i].Happened++
		return f.set[i]
	}
	return Fault{}
}

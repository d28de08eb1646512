package supporttest

import (
	"time"

	"github.com/supportd/supportd/internal/testmode"
)

// Fault is something that goes wrong with some calls. Of several that fit a
// call, the one that was set first happens.
type Fault struct {
	Kind        FaultKind
	Operation   string        // such as CreateCase; empty: any
	Account     string        // an account's id; empty: any
	Probability float64       // 0: always
	Count       int           // how often it happens; 0: always
	Delay       time.Duration // of Latency, in real time, at most a minute
}

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of faults.
const (
	Throttling    FaultKind = "throttling"     // ThrottlingException, and nothing is done
	InternalError FaultKind = "internal-error" // InternalServerError, and nothing is done
	Unavailable   FaultKind = "unavailable"    // HTTP 503, and nothing is done
	LostAnswer    FaultKind = "lost-answer"    // it is done, and the connection ends before the answer
	CutConnection FaultKind = "cut-connection" // the connection ends, and nothing is done
	Latency       FaultKind = "latency"        // it is done after a delay
	WrongContent  FaultKind = "wrong-content"  // it is done, and the answer is a web page
	TruncatedBody FaultKind = "truncated-body" // it is done, and the answer ends in the middle
)

// Fail has a fault happen from now on and returns its id, for ClearFaults.
// Clients of the AWS SDK for Go repeat calls that fail and make three in all unless
// they are told otherwise: one that should see the error needs a Count of 3 or none.
func (s *Server) Fail(f Fault) (id string) {
	s.t.Helper()
	id, err := s.mode.Fail(testmode.Fault{
		Kind: testmode.FaultKind(f.Kind), Operation: f.Operation, Account: f.Account,
		Probability: f.Probability, Count: f.Count, Delay: f.Delay,
	})
	s.must("fail", err)
	return id
}

// SetFault is a fault that is set, and what became of it.
type SetFault struct {
	Fault
	ID       string // of Fail
	Happened int    // how often
}

// Faults returns the faults that are set, the first one first, also those that
// have happened as often as they should.
func (s *Server) Faults() []SetFault {
	found := s.mode.Faults()
	all := make([]SetFault, len(found))
	for i, f := range found {
		all[i] = SetFault{
			Fault{FaultKind(f.Kind), f.Operation, f.Account, f.Probability, f.Count, f.Delay}, f.ID, f.Happened,
		}
	}
	return all
}

// ClearFaults ends the faults with the ids, or all without any.
func (s *Server) ClearFaults(ids ...string) {
	if len(ids) == 0 {
		s.mode.Clear("")
	}
	for _, id := range ids {
		s.mode.Clear(id)
	}
}

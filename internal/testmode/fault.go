package testmode

import "time"

// Fault is something that goes wrong with some requests to the API.
type Fault struct {
	ID          string
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

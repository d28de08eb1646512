package testmode

import (
	"encoding/json"
	"time"
)

// Request is a call of the API that was answered.
type Request struct {
	Number    int64 // from 1 since the last reset
	At        time.Time
	ID        string
	Operation string
	Account   string // empty: the caller was not known
	Principal string
	Input     json.RawMessage // as the client sent it; null when it is no JSON or too long
	Status    int             // of HTTP; 0: there was no answer
	ErrorCode string
	Fault     FaultKind // that happened; empty: none
	Duration  time.Duration
}

// RequestQuery selects requests.
type RequestQuery struct {
	Operation string
	Account   string
	ErrorCode string
	After     int64 // only those with a higher number
	AtLeast   int   // wait for so many; 0: do not wait
	Limit     int   // the last ones only; 0: all that are kept
}

package desk

import "time"

// Moment is something that a clock goes by.
type Moment struct {
	At       time.Time  `json:"at"`
	What     MomentKind `json:"what"`
	Severity string     `json:"severity,omitempty"` // from then on
}

// MomentKind is the kind of a [Moment].
type MomentKind string

// The kinds of moments.
const (
	Opened       MomentKind = "opened"
	CustomerSaid MomentKind = "customer" // added a communication
	AgentSaid    MomentKind = "agent"    // added a communication
	Waiting      MomentKind = "waiting"  // for the customer, from then on
	Working      MomentKind = "working"  // no longer waiting
	Ended        MomentKind = "resolved"
	Begun        MomentKind = "reopened"
	Changed      MomentKind = "severity"
)

// History is what the clocks of a case go by, oldest first. Plan is that of the
// account when the case was opened: what was promised then stays promised.
type History struct {
	Plan    string   `json:"plan"`
	Moments []Moment `json:"moments"`
}

// Promise says how long things may take for cases of a plan and severity. A
// time of zero is not promised.
type Promise struct {
	ID                   string `json:"id"` // PLAN.SEVERITY; PLAN may be "any"
	FirstResponseMinutes int    `json:"firstResponseMinutes"`
	NextResponseMinutes  int    `json:"nextResponseMinutes"`
	ResolutionMinutes    int    `json:"resolutionMinutes"`
	Calendar             string `json:"calendar"` // a calendar's id; empty: around the clock
	Version              int64  `json:"version"`
}

// Calendar says when the desk is open.
type Calendar struct {
	ID       string              `json:"id"`
	Name     string              `json:"name"`
	Zone     string              `json:"zone"`     // of the IANA database, such as Europe/Berlin
	Hours    map[string][]string `json:"hours"`    // "mon" … "sun": intervals such as "09:00-17:30", to "24:00"
	Holidays map[string]string   `json:"holidays"` // names by date, such as 2026-12-25
	Version  int64               `json:"version"`
}

// ClockKind is what a clock measures.
type ClockKind string

// The kinds of clocks.
const (
	FirstResponse ClockKind = "first-response"
	NextResponse  ClockKind = "next-response"
	Resolution    ClockKind = "resolution"
)

// Clock measures one promise of a case.
type Clock struct {
	Kind      ClockKind
	Number    int           // of the clocks of the kind, from 1
	StartedAt time.Time     // when it began to count
	StoppedAt time.Time     // zero while it is not over
	Target    time.Duration // of counted time
	Counted   time.Duration // until now, or until it stopped
	Paused    bool          // now
	WarnAt    time.Time     // when the warning is due if nothing happens; zero while paused or over
	DueAt     time.Time     // likewise for the breach; of one that was breached, when that was
	Warned    bool
	Breached  bool
}

// Explanation is a clock with an account of its time.
type Explanation struct {
	Clock
	Spans []Span
}

// Span is a part of a clock's time, which counted or did not.
type Span struct {
	From, To time.Time
	Counted  bool
	Why      string // such as "open", "waiting for the customer", "closed" or a holiday's name
}

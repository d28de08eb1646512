package desk

import (
	"time"

	"github.com/supportd/supportd/internal/cases"
)

// Item is a case as the desk sees it: who has it, what it waits for and how the
// promises about it stand. It is made with the case and deleted with it.
type Item struct {
	Key
	Status   cases.Status
	Severity string
	Service  string
	Language string
	Assignee string // an agent's id; empty: nobody
	Team     string // a team's id; empty: none
	Tags     []string
	Due      time.Time // when the next running clock breaches; zero: none runs
	Wake     time.Time // when somebody must look at the clocks; zero: never
	History  History   // what the clocks go by
	Fired    []string  // warnings and breaches that were told, see [Clock.Firings]

	MergedInto string // a case's id; empty: it is not
	Version    int64  // counts changes of the case and of the item, from 1
	Records    int64  // how many there are: the last one has this number
	CreatedAt  time.Time
	ChangedAt  time.Time

	Subject   string // of the case; only read
	DisplayID string // likewise
}

// Open reports whether the case is in the queues.
func (i Item) Open() bool { return i.Status != cases.Resolved }

// isNew reports whether nobody ever had the case.
func (i Item) isNew() bool { return i.Assignee == "" && i.Status == cases.Unassigned }

// ItemQuery selects items. Zero fields select all.
type ItemQuery struct {
	Assignees []string // with any of them; an empty one is nobody
	Teams     []string // of any of them
	Status    cases.Status
	DueBefore time.Time
	Severity  string
	Service   string
	Account   string
	Language  string
	Tag       string
	Resolved  bool     // also those of resolved cases
	After     Position // only those after it
}

// Position is a place in the order of items.
type Position struct {
	Due time.Time // zero comes last
	Key
}

// Record is a line of a case's internal record: a note or something that
// happened at the desk. Customers never see one.
type Record struct {
	Key
	Number int64 // from 1 within the case
	At     time.Time
	Agent  string // id; empty: the desk itself
	Event  string // what happened, such as "note" or "assigned"
	Detail []byte // JSON, by event
	// What the line is about, which is part of the detail, too.
	Communication int64  // number; 0: none
	OtherCase     string // id; empty: none
}

// Text is the terms of a communication; the first one has those of the subject,
// too.
type Text struct {
	Key
	Number int64
	Terms  []string
	At     time.Time
}

// Hit is where something was found.
type Hit struct {
	Key
	Number int64
	At     time.Time
}

// Presence is that an agent has a case before the eyes.
type Presence struct {
	Key
	Agent     string
	Replying  bool // and is writing
	ExpiresAt time.Time
}

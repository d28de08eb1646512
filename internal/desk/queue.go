package desk

import (
	"context"
	"time"

	"github.com/supportd/supportd/internal/cases"
)

// View is a queue that agents look at.
type View string

// The views. All but the last show open cases only.
const (
	ViewUnassigned View = "unassigned"
	ViewMine       View = "mine"
	ViewTeam       View = "team"    // of the caller's teams
	ViewWaiting    View = "waiting" // for the customer
	ViewBreaching  View = "breaching"
	ViewOpen       View = "open"
	ViewAll        View = "all"
)

// Query asks for cases. Filters combine with the view.
type Query struct {
	View     View // empty: ViewOpen
	Severity string
	Service  string
	Account  string
	Language string
	Tag      string
	Status   string
	Assignee string
	Team     string
	// Text is words that stand in the subject or in one communication, or a
	// case id, a display id or an account's id.
	Text  string
	Limit int // page size; 0: 50, at most 200
	After Position
}

// Page is a page of cases, the most urgent first. Next is where the following
// page starts; nil when this is the last one.
type Page struct {
	Items []Item
	Next  *Position
}

// ViewCount is how many cases are in a view: More says that there are more than
// the Count, which ends at a thousand.
type ViewCount struct {
	View  View
	Count int
	More  bool
}

// Detail is all that an agent sees of a case at first sight.
type Detail struct {
	Item
	Case           cases.Case
	Communications []Said // oldest first, the last hundred
	Clocks         []Clock
	Links          []Link
	Present        []Presence // of other agents
}

// Said is a communication, with the agent who wrote it; empty for the customer.
type Said struct {
	cases.Communication
	Agent string
}

// Link is another case that has to do with this one.
type Link struct {
	Key
	Relation string // "related", "merged-into" or "merged-from"
}

// Line is a line of the complete timeline of a case: what customers did and what
// agents did, said and noted.
type Line struct {
	At     time.Time
	Actor  string // the ARN of a customer's principal, an agent's id, or "desk"
	Event  string // such as "communication", "status" and the events of records
	Detail any    // by event; encodes as JSON
}

// Find returns a page of cases.
func (s *Service) Find(ctx context.Context, who Caller, q Query) (Page, error) { panic("not built") }

// Views counts the cases of each view.
func (s *Service) Views(ctx context.Context, who Caller) ([]ViewCount, error) { panic("not built") }

// Case returns a case by its id or display id.
func (s *Service) Case(ctx context.Context, who Caller, ref string) (Detail, error) {
	panic("not built")
}

// Timeline returns everything that ever happened to a case, oldest first.
func (s *Service) Timeline(ctx context.Context, who Caller, ref string) ([]Line, error) {
	panic("not built")
}

// Explain returns the clocks of a case with an account of every minute.
func (s *Service) Explain(ctx context.Context, who Caller, ref string) ([]Explanation, error) {
	panic("not built")
}

// File returns a file that a communication of the case carries.
func (s *Service) File(ctx context.Context, who Caller, ref, attachmentID string) (cases.File, error) {
	panic("not built")
}

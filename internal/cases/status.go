package cases

import (
	"context"
	"time"

	"github.com/supportd/supportd/internal/fault"
)

// Status is where a case is in its life, in the words of the API (CaseDetails,
// status).
type Status string

// The statuses of a case.
const (
	Unassigned              Status = "unassigned"
	Opened                  Status = "opened"
	WorkInProgress          Status = "work-in-progress"
	PendingCustomerAction   Status = "pending-customer-action"
	CustomerActionCompleted Status = "customer-action-completed"
	Reopened                Status = "reopened"
	Resolved                Status = "resolved"
)

// Event is something that happens to a case and may move its status.
type Event string

// The events of a case. Create, AgentReply and SetSeverity move no status and
// leave no entry in the timeline; whoever watches hears of them.
const (
	Create        Event = "create"         // the customer opened the case
	CustomerReply Event = "customer-reply" // the customer added a communication
	AgentReply    Event = "agent-reply"    // an agent added a communication
	SetSeverity   Event = "set-severity"   // an agent changed the severity
	Open          Event = "open"           // an agent took the case on
	StartWork     Event = "start-work"     // an agent works on it
	AwaitCustomer Event = "await-customer" // an agent waits for the customer
	Reopen        Event = "reopen"         // an agent took a resolution back
	Resolve       Event = "resolve"        // someone declared the case resolved
	TakeBack      Event = "take-back"      // an agent undid a resolution, see Service.TakeBack
)

// reopenWindow is how long after its resolution a case can be reopened by a
// communication; later a new case must be made ("Reopening a support case").
const reopenWindow = 14 * 24 * time.Hour

// ErrReopenWindowOver means that a case was resolved too long ago to reopen it.
var ErrReopenWindowOver = fault.New(fault.Conflict, "reopen_window_over", "the case was resolved too long ago")

// moves is the one table of statuses: which event moves which status to which.
// A status that an event does not name stays as it is.
func moves(event Event) map[Status]Status {
	switch event {
	case CustomerReply:
		return map[Status]Status{
			PendingCustomerAction: CustomerActionCompleted,
			Resolved:              Reopened,
		}
	case Open:
		return map[Status]Status{
			Unassigned: Opened,
		}
	case StartWork:
		return map[Status]Status{
			Unassigned:              WorkInProgress,
			Opened:                  WorkInProgress,
			PendingCustomerAction:   WorkInProgress,
			CustomerActionCompleted: WorkInProgress,
			Reopened:                WorkInProgress,
		}
	case AwaitCustomer:
		return map[Status]Status{
			Unassigned:              PendingCustomerAction,
			Opened:                  PendingCustomerAction,
			WorkInProgress:          PendingCustomerAction,
			CustomerActionCompleted: PendingCustomerAction,
			Reopened:                PendingCustomerAction,
		}
	case Reopen:
		return map[Status]Status{
			Resolved: Reopened,
		}
	case Resolve:
		return map[Status]Status{
			Unassigned:              Resolved,
			Opened:                  Resolved,
			WorkInProgress:          Resolved,
			PendingCustomerAction:   Resolved,
			CustomerActionCompleted: Resolved,
			Reopened:                Resolved,
		}
	}
	return nil
}

// Move is an entry of a case's timeline: who moved its status and when. Actor
// is the ARN of a customer's principal, or "agent:" and the agent's id.
type Move struct {
	Account  string
	CaseID   string
	Number   int64
	Event    Event
	From, To Status
	Actor    string
	At       time.Time
}

// move applies an event to c and writes the timeline entry. The caller writes
// the case.
func (s *Service) move(ctx context.Context, tx Tx, c *Case, event Event, actor string) error {
	to, ok := moves(event)[c.Status]
	if !ok {
		return nil
	}
	now := s.now()
	if event == CustomerReply && to == Reopened && now.Sub(c.ResolvedAt) > reopenWindow {
		return ErrReopenWindowOver.With("The case was resolved more than 14 days ago and can no longer be reopened. Create a new case that refers to %s.", c.ID)
	}
	return moveTo(ctx, tx, c, to, Move{Event: event, Actor: actor, At: now})
}

// moveTo writes the timeline entry of a move.
func moveTo(ctx context.Context, tx Tx, c *Case, to Status, entry Move) error {
	c.Moves++
	entry.Account, entry.CaseID, entry.Number = c.Account, c.ID, c.Moves
	entry.From, entry.To = c.Status, to
	if to == Resolved {
		c.ResolvedAt = entry.At
	}
	c.Status = to
	return tx.InsertMove(ctx, entry)
}

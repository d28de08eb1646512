package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/supportd/supportd/internal/cases"
)

// EventReplied is of a reply, which is a communication.
const EventReplied = "replied" // communicated

// The other events of the records that agents' work leaves.
const (
	eventOpenedFor    = "opened-for" // communicated: on behalf of the customer
	eventRepliedFor   = "replied-for"
	eventAssigned     = "assigned"      // assigned
	eventStatus       = "status"        // moved: with a reason
	eventSeverity     = "severity"      // moved
	eventNote         = "note"          // noted
	eventTagged       = "tagged"        // tagged
	eventLinked       = "linked"        // linked
	eventUnlinked     = "unlinked"      // linked
	eventMerged       = "merged"        // merged: this one into another
	eventUnmerged     = "unmerged"      // linked
	eventMergedFrom   = "merged-from"   // linked: the other one into this
	eventUnmergedFrom = "unmerged-from" // linked

	// The customer reopened a case that was merged into another one: linked.
	eventMergeDissolved = "merge-dissolved"
)

// What records say, by event.
type (
	communicated struct {
		Number int64 `json:"number"`
	}
	assigned struct {
		From string `json:"from,omitempty"`
		To   string `json:"to,omitempty"`
		Team string `json:"team,omitempty"`
	}
	moved struct {
		From   string `json:"from"`
		To     string `json:"to"`
		Reason string `json:"reason"`
	}
	noted struct {
		Body string `json:"body"`
	}
	tagged struct {
		Added   []string `json:"added,omitempty"`
		Removed []string `json:"removed,omitempty"`
	}
	linked struct {
		Case string `json:"case"`
	}
	// merged says how the case was, for whoever takes the merge back. Move is
	// the number of the resolution in the case's timeline; 0: it was resolved.
	merged struct {
		Case   string       `json:"case"`
		Status cases.Status `json:"status"`
		Move   int64        `json:"move,omitempty"`
	}
)

// addRecord writes a line into the record of an item's case. An empty agent is the
// desk. The caller writes the item.
func addRecord(ctx context.Context, tx Tx, i *Item, at time.Time, agent, event string, detail any) error {
	text, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	i.Records++
	r := Record{Key: i.Key, Number: i.Records, At: at, Agent: agent, Event: event, Detail: text}
	switch about := detail.(type) {
	case communicated:
		r.Communication = about.Number
	case linked:
		r.OtherCase = about.Case
	case merged:
		r.OtherCase = about.Case
	}
	return tx.InsertRecord(ctx, r)
}

// detailOf reads what a record says.
func detailOf[T any](r Record) (detail T, err error) {
	if err := json.Unmarshal(r.Detail, &detail); err != nil {
		return detail, fmt.Errorf("record %d of %s: %w", r.Number, r.CaseID, err)
	}
	return detail, nil
}

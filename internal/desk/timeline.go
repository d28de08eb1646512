package desk

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/cases"
)

// Line is a line of the complete timeline of a case: what customers did and what
// agents did, said and noted.
type Line struct {
	At time.Time
	// Actor is the ARN of a customer's principal, an agent's id, or "desk". Of a
	// customer's communication it is who submitted it.
	Actor  string
	Event  string // "communication", "moved" and the events of records
	Detail any    // by event; encodes as JSON
}

// The events of lines that are not those of a record.
const (
	eventCommunication = "communication"
	eventMoved         = "moved"
)

// Written is the detail of a communication in a timeline.
type Written struct {
	Number      int64          `json:"number"`
	SubmittedBy string         `json:"submittedBy"`
	Body        string         `json:"body"`
	Attachments []AttachedFile `json:"attachments,omitempty"`
}

// AttachedFile is a file of a communication.
type AttachedFile struct {
	ID       string `json:"id"`
	FileName string `json:"fileName"`
	Size     int64  `json:"size"`
}

// Moved is the detail of a change of a case's status.
type Moved struct {
	Event cases.Event  `json:"event"`
	From  cases.Status `json:"from"`
	To    cases.Status `json:"to"`
}

// actorDesk is what the desk did by itself.
const actorDesk = "desk"

// Timeline returns everything that ever happened to a case, oldest first.
func (s *Service) Timeline(ctx context.Context, who Caller, ref string) (lines []Line, err error) {
	if err := who.need(Read); err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		key, err := findKey(ctx, tx, ref)
		if err != nil {
			return err
		}
		lines, err = s.timeline(ctx, tx, key)
		return err
	})
	return lines, err
}

func (s *Service) timeline(ctx context.Context, tx Tx, key Key) ([]Line, error) {
	if _, err := findItem(ctx, tx, key); err != nil {
		return nil, err
	}
	thread, err := s.wholeThread(ctx, tx, key)
	if err != nil {
		return nil, err
	}
	moves, err := tx.Moves(ctx, key.Account, key.CaseID)
	if err != nil {
		return nil, err
	}
	records, err := tx.Records(ctx, key.Account, key.CaseID)
	if err != nil {
		return nil, err
	}
	return timeline(thread, moves, records)
}

// wholeThread returns all communications of a case, newest first.
func (s *Service) wholeThread(ctx context.Context, tx Tx, key Key) (all []cases.Communication, err error) {
	c, err := tx.Case(ctx, key.Account, key.CaseID)
	if err != nil {
		return nil, err
	}
	const some = 500
	for before := c.Communications + 1; before > 1; {
		page, err := s.Cases.Thread(ctx, tx, c, before, some)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		all = append(all, page...)
		before = page[len(page)-1].Number
	}
	return all, nil
}

// timeline merges what happened by time. Of one moment, what was said comes
// first, then what it did to the status, then what the desk noted; a reply's own
// record says no more than the communication and is left out.
func timeline(thread []cases.Communication, moves []cases.Move, records []Record) ([]Line, error) {
	authors, err := authors(records)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for _, c := range slices.Backward(thread) {
		lines = append(lines, communicationLine(c, authors[c.Number]))
	}
	for _, m := range moves {
		lines = append(lines, moveLine(m))
	}
	for _, r := range records {
		if r.Event != eventReplied {
			lines = append(lines, recordLine(r))
		}
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return a.At.Compare(b.At) })
	return lines, nil
}

func communicationLine(c cases.Communication, agent string) Line {
	detail := Written{Number: c.Number, SubmittedBy: c.SubmittedBy, Body: c.Body}
	for _, a := range c.Attachments {
		detail.Attachments = append(detail.Attachments, AttachedFile{ID: a.ID, FileName: a.FileName, Size: a.Size})
	}
	actor := agent
	if actor == "" {
		actor = c.SubmittedBy
	}
	return Line{At: c.CreatedAt, Actor: actor, Event: eventCommunication, Detail: detail}
}

func moveLine(m cases.Move) Line {
	return Line{
		At: m.At, Actor: strings.TrimPrefix(m.Actor, "agent:"), Event: eventMoved,
		Detail: Moved{Event: m.Event, From: m.From, To: m.To},
	}
}

func recordLine(r Record) Line {
	actor := r.Agent
	if actor == "" {
		actor = actorDesk
	}
	return Line{At: r.At, Actor: actor, Event: r.Event, Detail: json.RawMessage(r.Detail)}
}

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

// Lines is a page of a timeline.
type Lines struct {
	Lines []Line
	Next  *LinePosition // where the following page begins; nil: there is none
}

// LinePosition is a place in a timeline: so much is before it. What happens later
// comes after it.
type LinePosition struct {
	Communications, Moves, Records int64
}

// Timeline returns everything that ever happened to a case, oldest first.
func (s *Service) Timeline(ctx context.Context, who Caller, ref string) (lines []Line, err error) {
	const some = 500
	err = s.viewPast(ctx, who, ref, func(p *past) error {
		lines = nil
		for next := new(LinePosition); next != nil; {
			page, err := p.page(*next, some)
			if err != nil {
				return err
			}
			lines, next = append(lines, page.Lines...), page.Next
		}
		return nil
	})
	return lines, err
}

// TimelinePage returns up to limit lines of the timeline from a place on.
func (s *Service) TimelinePage(ctx context.Context, who Caller, ref string, from LinePosition, limit int) (page Lines, err error) {
	err = s.viewPast(ctx, who, ref, func(p *past) error {
		page, err = p.page(from, limit)
		return err
	})
	return page, err
}

// past is what happened to a case. Its communications, which are long, are read
// page by page.
type past struct {
	moves   []cases.Move
	records []Record
	authors map[int64]string // of communications

	last   int64                                                    // communication
	thread func(before int64, n int) ([]cases.Communication, error) // newest first
}

func (s *Service) viewPast(ctx context.Context, who Caller, ref string, f func(*past) error) error {
	if err := who.need(Read); err != nil {
		return err
	}
	return s.Store.View(ctx, func(tx Tx) error {
		key, err := findKey(ctx, tx, ref)
		if err != nil {
			return err
		}
		p, err := s.past(ctx, tx, key)
		if err != nil {
			return err
		}
		return f(p)
	})
}

func (s *Service) past(ctx context.Context, tx Tx, key Key) (*past, error) {
	c, err := caseOf(ctx, tx, key)
	if err != nil {
		return nil, err
	}
	p := &past{last: c.Communications, thread: func(before int64, n int) ([]cases.Communication, error) {
		return s.Cases.Thread(ctx, tx, c, before, n)
	}}
	if p.moves, err = tx.Moves(ctx, key.Account, key.CaseID); err != nil {
		return nil, err
	}
	if p.records, err = tx.Records(ctx, key.Account, key.CaseID); err != nil {
		return nil, err
	}
	p.authors, err = authors(p.records)
	return p, err
}

// page merges what happened by time. Of one moment, what was said comes first,
// then what it did to the status, then what the desk noted.
func (p *past) page(at LinePosition, limit int) (page Lines, err error) {
	said, err := p.said(at.Communications, limit)
	if err != nil {
		return Lines{}, err
	}
	moves, records := p.moves[min(at.Moves, int64(len(p.moves))):], p.records[min(at.Records, int64(len(p.records))):]
	for {
		for len(records) > 0 && isInThread(records[0]) {
			records = records[1:]
			at.Records++
		}
		more := at.Communications < p.last || len(moves) > 0 || len(records) > 0
		if len(page.Lines) == limit && more {
			page.Next = &at
		}
		if len(page.Lines) == limit || !more {
			return page, nil
		}
		switch earliest(headOf(said, saidAt), headOf(moves, movedAt), headOf(records, notedAt)) {
		case 0:
			page.Lines = append(page.Lines, communicationLine(said[0], p.authors[said[0].Number]))
			said, at.Communications = said[1:], said[0].Number
		case 1:
			page.Lines = append(page.Lines, moveLine(moves[0]))
			moves, at.Moves = moves[1:], at.Moves+1
		case 2:
			page.Lines = append(page.Lines, recordLine(records[0]))
			records, at.Records = records[1:], at.Records+1
		default: // communications that are counted and not there
			at.Communications = p.last
		}
	}
}

func saidAt(c cases.Communication) time.Time { return c.CreatedAt }
func movedAt(m cases.Move) time.Time         { return m.At }
func notedAt(r Record) time.Time             { return r.At }

// headOf returns when the first of a list was, zero where there is none.
func headOf[T any](list []T, at func(T) time.Time) time.Time {
	if len(list) == 0 {
		return time.Time{}
	}
	return at(list[0])
}

// earliest returns which of the heads comes first, -1 where there is none.
func earliest(heads ...time.Time) int {
	found := -1
	for i, at := range heads {
		if !at.IsZero() && (found < 0 || at.Before(heads[found])) {
			found = i
		}
	}
	return found
}

// said returns up to limit communications after the one with the number, oldest
// first.
func (p *past) said(after int64, limit int) ([]cases.Communication, error) {
	n := min(int64(limit), p.last-after)
	if n <= 0 {
		return nil, nil
	}
	all, err := p.thread(after+n+1, int(n))
	slices.Reverse(all)
	return all, err
}

// isInThread reports whether a record says no more than the communication that
// it is about.
func isInThread(r Record) bool { return r.Event == eventReplied }

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

package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
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
	err = s.viewCase(ctx, who, ref, func(tx Tx, c cases.Case) error {
		lines = nil
		for next := new(LinePosition); next != nil; {
			page, err := s.linesOf(ctx, tx, c, *next, some)
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
	err = s.viewCase(ctx, who, ref, func(tx Tx, c cases.Case) error {
		page, err = s.linesOf(ctx, tx, c, from, limit)
		return err
	})
	return page, err
}

// linesOf merges what happened by time. Of one moment, what was said comes first,
// then what it did to the status, then what the desk noted.
func (s *Service) linesOf(ctx context.Context, tx Tx, c cases.Case, at LinePosition, limit int) (page Lines, err error) {
	said, err1 := s.readSaid(ctx, tx, c, at.Communications, limit+1)
	moves, err2 := readMoves(ctx, tx, c, at.Moves, limit+1)
	records, err3 := readRecords(ctx, tx, c, at.Records, limit+1)
	if err := errors.Join(err1, err2, err3); err != nil {
		return Lines{}, err
	}
	feeds := []*feed{{&at.Communications, said}, {&at.Moves, moves}, {&at.Records, records}}
	for {
		first := earliest(feeds)
		if first == nil {
			return page, nil
		}
		if len(page.Lines) == limit {
			page.Next = &at
			return page, nil
		}
		page.Lines = append(page.Lines, first.next())
	}
}

// feed is one of the lists that a timeline merges.
type feed struct {
	told  *int64 // the number of the last one that was told
	ahead []entry
}

// entry is what a feed has to tell, with its number there.
type entry struct {
	Line
	number int64
}

func (f *feed) next() Line {
	e := f.ahead[0]
	f.ahead, *f.told = f.ahead[1:], e.number
	return e.Line
}

// earliest returns the feed whose next line is the oldest, nil when there are no
// more.
func earliest(feeds []*feed) (first *feed) {
	for _, f := range feeds {
		if len(f.ahead) > 0 && (first == nil || f.ahead[0].At.Before(first.ahead[0].At)) {
			first = f
		}
	}
	return first
}

func (s *Service) readSaid(ctx context.Context, tx Tx, c cases.Case, after int64, limit int) (list []entry, err error) {
	n := min(int64(limit), c.Communications-after)
	if n <= 0 {
		return nil, nil
	}
	all, err := s.thread(ctx, tx, c, after+n+1, int(n))
	for _, one := range slices.Backward(all) {
		list = append(list, entry{communicationLine(one), one.Number})
	}
	return list, err
}

func readMoves(ctx context.Context, tx Tx, c cases.Case, after int64, limit int) (list []entry, err error) {
	all, err := tx.Moves(ctx, c.Account, c.ID, after, limit)
	for _, m := range all {
		list = append(list, entry{moveLine(m), m.Number})
	}
	return list, err
}

func readRecords(ctx context.Context, tx Tx, c cases.Case, after int64, limit int) (list []entry, err error) {
	all, err := tx.Records(ctx, c.Account, c.ID, after, limit)
	for _, r := range all {
		list = append(list, entry{recordLine(r), r.Number})
	}
	return list, err
}

func communicationLine(c Said) Line {
	detail := Written{Number: c.Number, SubmittedBy: c.SubmittedBy, Body: c.Body}
	for _, a := range c.Attachments {
		detail.Attachments = append(detail.Attachments, AttachedFile{ID: a.ID, FileName: a.FileName, Size: a.Size})
	}
	return Line{At: c.CreatedAt, Actor: cmp.Or(c.Agent, c.SubmittedBy), Event: eventCommunication, Detail: detail}
}

func moveLine(m cases.Move) Line {
	return Line{
		At: m.At, Actor: strings.TrimPrefix(m.Actor, "agent:"), Event: eventMoved,
		Detail: Moved{Event: m.Event, From: m.From, To: m.To},
	}
}

func recordLine(r Record) Line {
	return Line{At: r.At, Actor: cmp.Or(r.Agent, actorDesk), Event: r.Event, Detail: json.RawMessage(r.Detail)}
}

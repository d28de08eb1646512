package desk

import (
	"cmp"
	"context"
	"strings"
	"unicode/utf8"

	"github.com/supportd/supportd/internal/cases"
)

// task is what an agent does to a case in one transaction. What it writes to the
// item is kept by write; package cases, which tells Watch, writes the item, too,
// so that it is called through watched only.
type task struct {
	*Service
	tx    Tx
	who   Caller
	item  Item
	was   Item    // when the work began
	with  []*task // on other cases that the same work changes
	dirty bool    // item has what the store has not
}

// work does something to a case for a caller with the permission to Work, and
// answers what f does.
func work[T any](ctx context.Context, s *Service, who Caller, key Key, action string, f func(*task) (T, error)) (T, error) {
	return change(ctx, s, who, Work, key.Account, func(tx Tx, done *audited) (answer T, err error) {
		t, err := s.begin(ctx, tx, who, key)
		if err != nil {
			return answer, err
		}
		if err := who.checkVersion(t.item.Version); err != nil {
			return answer, err
		}
		if answer, err = f(t); err != nil || t.item.Version == t.was.Version {
			return answer, err
		}
		*done = t.audited(action)
		return answer, nil
	})
}

// workOn is work that is answered by the item.
func (s *Service) workOn(ctx context.Context, who Caller, ref, action string, f func(*task) error) (Item, error) {
	key, err := s.key(ctx, who, Work, ref)
	if err != nil {
		return Item{}, err
	}
	return s.workOnKey(ctx, who, key, action, f)
}

func (s *Service) workOnKey(ctx context.Context, who Caller, key Key, action string, f func(*task) error) (Item, error) {
	return work(ctx, s, who, key, action, func(t *task) (Item, error) {
		if err := f(t); err != nil {
			return Item{}, err
		}
		err := t.write(ctx)
		return t.item, err
	})
}

func (s *Service) begin(ctx context.Context, tx Tx, who Caller, key Key) (*task, error) {
	item, err := findItem(ctx, tx, key)
	return &task{Service: s, tx: tx, who: who, item: item, was: item}, err
}

// audited is what the audit log tells of the work.
func (t *task) audited(action string) audited {
	done := audited{
		Entry:  Entry{Action: action, Account: t.item.Account, Subject: t.item.CaseID},
		before: newCaseState(t.was), after: newCaseState(t.item),
	}
	for _, with := range t.with {
		if with.item.Version != with.was.Version {
			done.with = append(done.with, with.audited(action))
		}
	}
	return done
}

// watched does something to the case in the room of cases, and reads the item
// that Watch has written by then.
func (t *task) watched(ctx context.Context, f func() error) error {
	if err := t.write(ctx); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	item, err := findItem(ctx, t.tx, t.item.Key)
	t.item = item
	return err
}

// write keeps what was done to the item.
func (t *task) write(ctx context.Context) error {
	if !t.dirty {
		return nil
	}
	t.dirty = false
	t.item.Version++
	t.item.ChangedAt = t.now()
	return t.tx.UpdateItem(ctx, t.item)
}

// did writes into the case's record what the caller did. Every change of the
// item has its line there.
func (t *task) did(ctx context.Context, event string, detail any) error {
	t.dirty = true
	return addRecord(ctx, t.tx, &t.item, t.now(), t.who.recordAs(), event, detail)
}

// recordAs is how the caller stands in records.
func (who Caller) recordAs() string {
	if who.Agent.ID == actorDesk {
		return ""
	}
	return who.Agent.ID
}

// caseState is what the audit log keeps of a case. It has no texts: the log
// outlives the cases. Records is the number of the last record.
type caseState struct {
	Status     cases.Status `json:"status"`
	Severity   string       `json:"severity"`
	Assignee   string       `json:"assignee"`
	Team       string       `json:"team"`
	Tags       []string     `json:"tags"`
	MergedInto string       `json:"mergedInto,omitempty"`
	Records    int64        `json:"records"`
	Version    int64        `json:"version"`
}

func newCaseState(i Item) caseState {
	return caseState{
		Status: i.Status, Severity: i.Severity, Assignee: i.Assignee, Team: i.Team, Tags: i.Tags,
		MergedInto: i.MergedInto, Records: i.Records, Version: i.Version,
	}
}

const maxNote, maxReason = 20_000, 1000

// Note adds an internal note.
func (s *Service) Note(ctx context.Context, who Caller, ref, body string) (Item, error) {
	return s.workOn(ctx, who, ref, "case.note", func(t *task) error { return t.note(ctx, body) })
}

func (t *task) note(ctx context.Context, body string) error {
	if err := cmp.Or(checkText("note", body, maxNote), t.checkRecords()); err != nil {
		return err
	}
	return t.did(ctx, eventNote, noted{Body: body})
}

// maxRecords bounds what agents can add to a case at no customer's cost. Work on
// the case itself goes on beyond it: replies, statuses and assignments are never
// refused for it.
const maxRecords = 10_000

func (t *task) checkRecords() error {
	if t.item.Records >= maxRecords {
		return ErrConflict.With("The record of the case has %d lines, and no room for notes, tags and links.", t.item.Records)
	}
	return nil
}

// checkText wants a text that says something.
func checkText(what, text string, most int) error {
	if strings.TrimSpace(text) == "" {
		return ErrInvalid.With("The %s is empty.", what)
	}
	return checkOptionalText(what, text, most)
}

func checkOptionalText(what, text string, most int) error {
	if n := utf8.RuneCountInString(text); n > most {
		return ErrInvalid.With("The %s has %d characters; it may have %d.", what, n, most)
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return ErrInvalid.With("The %s must be in UTF-8 and without NUL characters.", what)
	}
	return nil
}

package desk

import (
	"context"
	"time"
)

// Entry is a change in the audit log: who changed what, and how it was before
// and after.
type Entry struct {
	At        time.Time
	ID        string // makes the entries of a moment unique
	Agent     string // id
	TokenID   string // empty for the command line
	RequestID string
	Action    string // such as "case.reply" or "agent.create"
	Account   string // of the case; empty: none
	Subject   string // the id of what was changed
	Before    []byte // JSON; nil: there was nothing
	After     []byte // JSON; nil: there is nothing
}

// EntryQuery selects entries. Zero fields select all.
type EntryQuery struct {
	Agent, Action, Account, Subject string
	From, To                        time.Time // from From on, and before To
	Before                          EntryPosition
}

// EntryPosition is a place in the audit log; only entries before it are older.
type EntryPosition struct {
	At time.Time
	ID string
}

// How many entries a page has, and at most.
const entriesPage, maxEntriesPage = 100, 1000

// Entries returns a page of the audit log, newest first. A limit of 0 is 100;
// at most 1000. The next page is before the last entry of this one.
func (s *Service) Entries(ctx context.Context, who Caller, q EntryQuery, limit int) (page []Entry, err error) {
	if err := who.need(Audit); err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = entriesPage
	}
	limit = min(max(limit, 1), maxEntriesPage)
	err = s.Store.View(ctx, func(tx Tx) error {
		page, err = tx.Entries(ctx, q, limit)
		return err
	})
	return page, err
}

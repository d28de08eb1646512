package desk

import "time"

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

// Package desk is the agents' side of support: who the agents are and what each
// may do, the queues that cases wait in, the work on a case, the clocks that
// watch over promises, and the record of every change.
//
// Customers' rules are those of package cases, which tells this one of every
// change of a case in the transaction that makes it. Nothing here is shown to
// customers but the replies. The package speaks no protocol and no SQL.
package desk

import (
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/clock"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/random"
)

// Service is the desk. Store, Cases and IAM must be set.
type Service struct {
	Store  Store
	Cases  *cases.Service
	IAM    *iam.Service
	Now    func() time.Time // nil means time.Now
	Random io.Reader        // of which ids are made; nil means crypto/rand
	Log    *slog.Logger     // nil means slog.Default()
	// EndlessTokens has tokens end by being revoked alone: tests that move the
	// clock by years go on with theirs.
	EndlessTokens bool

	known   settingsCache
	entries atomic.Uint32 // how many were written here
}

// Store keeps what the desk knows.
type Store interface {
	// View runs f on one consistent state; f writes nothing.
	View(ctx context.Context, f func(Tx) error) error
	// Update runs f in a transaction on one scope, which is an account or
	// [Scope], as if no other update of the scope ran at the same time. It is
	// durable when Update returns nil. f may run more than once and has no
	// effects but those on its Tx.
	Update(ctx context.Context, scope string, f func(Tx) error) error
}

// Scope is the scope of what belongs to no account: documents.
const Scope = "desk"

// Tx is the state of the desk and of cases inside one transaction. What is of a
// case is deleted with it, by DeleteCase.
type Tx interface {
	cases.Tx

	// Document returns what an administrator set up. ErrNotFound.
	Document(ctx context.Context, kind Kind, id string) (Document, error)
	Documents(ctx context.Context, kind Kind) ([]Document, error) // by id
	PutDocument(ctx context.Context, d Document) error            // replaces
	DeleteDocument(ctx context.Context, kind Kind, id string) error

	Item(ctx context.Context, account, caseID string) (Item, error) // ErrNotFound
	InsertItem(ctx context.Context, i Item) error
	UpdateItem(ctx context.Context, i Item) error // with its tags
	// Items returns up to limit items in the order of Due, Account and CaseID;
	// those without Due come last. Items reads the subject of each case, too.
	Items(ctx context.Context, q ItemQuery, limit int) ([]Item, error)
	// ItemsByKey returns those of the cases that exist, in any order and each
	// once. There are up to a thousand keys.
	ItemsByKey(ctx context.Context, keys []Key) ([]Item, error)
	// CountItems counts items up to most.
	CountItems(ctx context.Context, q ItemQuery, most int) (int, error)
	// ItemsToWake returns up to limit items whose Wake is set and not after now,
	// the earliest first.
	ItemsToWake(ctx context.Context, now time.Time, limit int) ([]Key, error)
	// NextWake returns the earliest Wake of all items, zero when none is set.
	NextWake(ctx context.Context) (time.Time, error)
	// CasesByDisplayID returns the cases of all accounts with the display id.
	CasesByDisplayID(ctx context.Context, displayID string) ([]Key, error)
	// Loads returns how many open items each agent has.
	Loads(ctx context.Context, agents []string) (map[string]int, error)

	// InsertRecord adds a line to a case's record.
	InsertRecord(ctx context.Context, r Record) error
	// Records returns up to limit lines of a case's record after the one with the
	// number, oldest first. Those with [EventReplied] are left out: they say no
	// more than the communication that they are about.
	Records(ctx context.Context, account, caseID string, after int64, limit int) ([]Record, error)
	// CommunicationRecords returns the lines about communications from the first
	// to the last number.
	CommunicationRecords(ctx context.Context, account, caseID string, first, last int64) ([]Record, error)
	// CaseRecords returns the lines about other cases, oldest first.
	CaseRecords(ctx context.Context, account, caseID string) ([]Record, error)

	// InsertText makes a text of a case findable. Terms are those of [Terms].
	InsertText(ctx context.Context, t Text) error
	// Search returns where all of the terms stand in one text, the newest first,
	// up to limit.
	Search(ctx context.Context, terms []string, limit int) ([]Hit, error)

	PutPresence(ctx context.Context, p Presence) error // replaces that of the agent
	DeletePresence(ctx context.Context, account, caseID, agent string) error
	Presences(ctx context.Context, account, caseID string, now time.Time) ([]Presence, error) // that have not expired, by agent
	DeletePresencesBefore(ctx context.Context, before time.Time) error

	// InsertEntry adds to the audit log. Nothing changes or removes an entry.
	InsertEntry(ctx context.Context, e Entry) error
	Entries(ctx context.Context, q EntryQuery, limit int) ([]Entry, error) // newest first
}

// NoVersion is the [Caller.IfVersion] of one who saw that there is nothing yet.
const NoVersion int64 = -1

// AnyVersion is that of one who wants to find something, whichever version.
const AnyVersion int64 = -2

// Key names a case.
type Key struct {
	Account, CaseID string
}

// Faults of the desk.
var (
	ErrNotFound     = fault.New(fault.NotFound, "not_found", "no such thing")
	ErrInvalid      = fault.New(fault.Invalid, "invalid", "invalid value")
	ErrConflict     = fault.New(fault.Conflict, "conflict", "the present state does not allow this")
	ErrDenied       = fault.New(fault.Denied, "denied", "the agent may not do this")
	ErrUnknownToken = fault.New(fault.Denied, "unknown_token", "the token is unknown, expired or revoked")
	// ErrChanged means that the thing is not as the caller saw it last.
	ErrChanged = fault.New(fault.Conflict, "changed", "the thing was changed since")
	// ErrKeyReused means that an idempotency key came with another request.
	ErrKeyReused = fault.New(fault.Invalid, "idempotency_key_reused", "the idempotency key belongs to another request")
)

func (s *Service) now() time.Time { return clock.Now(s.Now) }

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.Default()
	}
	return s.Log
}

// newID returns prefix and 16 random hexadecimal digits.
func (s *Service) newID(prefix string) string {
	return prefix + hex.EncodeToString(random.Bytes(s.Random, 8))
}

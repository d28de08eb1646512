package cases

import (
	"context"
	"time"

	"github.com/supportd/supportd/internal/jobs"
)

// Tx is the state of cases inside one transaction. Everything is narrowed to
// the account given first. A read of one thing returns the fault named when it
// does not exist for the account.
type Tx interface {
	// Work that follows from a change is enqueued with it, and a handler whose
	// effect is a change finishes its job with it.
	jobs.Queue

	// Answer returns the kept answer of a request, nil when there is none.
	Answer(ctx context.Context, account string, key RequestKey) ([]byte, error)
	InsertAnswer(ctx context.Context, account string, key RequestKey, answer []byte, at time.Time) error
	// DeleteAnswers removes up to limit answers and returns how many.
	DeleteAnswers(ctx context.Context, account string, before time.Time, limit int) (int, error)

	Case(ctx context.Context, account, id string) (Case, error) // ErrCaseNotFound
	InsertCase(ctx context.Context, c Case) error               // ErrDisplayIDTaken
	UpdateCase(ctx context.Context, c Case) error               // what can change: status, severity, addresses, counters
	DeleteCase(ctx context.Context, account, id string) error   // with all that belongs to it
	// CountCasesSince counts cases created after since, up to most. Until the
	// transaction ends no other one counts or creates cases of the account.
	CountCasesSince(ctx context.Context, account string, since time.Time, most int) (int, error)
	InsertMove(ctx context.Context, m Move) error
	// Moves returns up to limit entries of a case's timeline after the one with the
	// number, oldest first.
	Moves(ctx context.Context, account, caseID string, after int64, limit int) ([]Move, error)

	// CasesByID returns those of the cases that exist, oldest first.
	CasesByID(ctx context.Context, account string, ids []string) ([]Case, error)
	// CasesPage returns up to limit cases in the order of CreatedAt and ID.
	CasesPage(ctx context.Context, account string, q PageQuery, limit int) ([]Case, error)

	InsertCommunication(ctx context.Context, c Communication) error
	// RecentCommunications returns the last most communications of each of the
	// cases, by case and newest first, without attachments.
	RecentCommunications(ctx context.Context, account string, caseIDs []string, most int) ([]Communication, error)
	// RecentAttachments returns the attachments of those communications in the
	// order of their positions.
	RecentAttachments(ctx context.Context, account string, caseIDs []string, most int) ([]Attachment, error)
	// CommunicationsPage returns up to limit communications of a case that are
	// older than the number given, newest first, without attachments.
	CommunicationsPage(ctx context.Context, account, caseID string, q TimeRange, olderThan int64, limit int) ([]Communication, error)
	// AttachmentsBetween returns the attachments of a case's communications
	// with numbers from first to last.
	AttachmentsBetween(ctx context.Context, account, caseID string, first, last int64) ([]Attachment, error)

	AttachmentSet(ctx context.Context, account, id string) (AttachmentSet, error) // ErrSetNotFound
	InsertAttachmentSet(ctx context.Context, set AttachmentSet) error
	UpdateAttachmentSet(ctx context.Context, set AttachmentSet) error // UsedAt and Files
	CountSetsSince(ctx context.Context, account string, since time.Time, most int) (int, error)
	Attachment(ctx context.Context, account, id string) (Attachment, error) // ErrAttachmentNotFound
	InsertAttachment(ctx context.Context, a Attachment) error
	TakeAttachments(ctx context.Context, account, setID, caseID string, communication int64) error

	// AccountIDs returns every account, for the housekeeping.
	AccountIDs(ctx context.Context) ([]string, error)
	// CasesBefore returns up to limit ids of cases created at or before.
	CasesBefore(ctx context.Context, account string, before time.Time, limit int) ([]string, error)
	AttachmentsOfCase(ctx context.Context, account, caseID string) ([]Attachment, error)
	// SetsExpiredBefore returns up to limit ids of sets that expired before.
	SetsExpiredBefore(ctx context.Context, account string, before time.Time, limit int) ([]string, error)
	// DeleteAttachmentSet removes a set and the files nobody took, and returns
	// those files.
	DeleteAttachmentSet(ctx context.Context, account, id string) ([]Attachment, error)
	// HasAttachment reports whether any attachment of the set has the content.
	HasAttachment(ctx context.Context, account, setID, sha256 string) (bool, error)
}

// TimeRange selects by creation time: from After on, and earlier than Before.
// Zero times do not limit.
type TimeRange struct {
	After, Before time.Time
}

// contains reports whether t is in the range.
func (r TimeRange) contains(t time.Time) bool {
	return !t.Before(r.After) && (r.Before.IsZero() || t.Before(r.Before))
}

// Cursor is a place in the order of cases: after the case with this time and id.
type Cursor struct {
	CreatedAt time.Time
	ID        string
}

// PageQuery selects cases of an account.
type PageQuery struct {
	TimeRange
	DisplayID       string // empty: any
	Language        string // empty: any
	IncludeResolved bool
	From            Cursor // zero: from the beginning
}

package cases

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/iam"
)

// RecentCommunications is how many communications a listed case carries
// (CaseDetails, recentCommunications).
const RecentCommunications = 5

// Query selects cases. Filters combine: a case must pass all of them.
type Query struct {
	PageQuery
	IDs            []string // empty: any; an id that is not the caller's fails the call
	Communications bool     // whether cases carry their recent communications
	Limit          int      // page size, at least 1
}

// Listed is a case with its recent communications, newest first.
type Listed struct {
	Case
	Recent []Communication
}

// HasOlder reports whether the case has communications before the recent ones.
func (l Listed) HasOlder() bool {
	return len(l.Recent) > 0 && l.Recent[len(l.Recent)-1].Number > 1
}

// Page is a page of cases, oldest first. Next is where the following page
// starts; nil when this is the last one.
type Page struct {
	Cases []Listed
	Next  *Cursor
}

// Find returns a page of the caller's cases. It takes at most three statements
// whatever the size of the page.
func (s *Service) Find(ctx context.Context, who iam.Identity, q Query) (page Page, err error) {
	// One microsecond after the horizon: what is exactly as old is gone.
	q.After = latest(q.After, s.horizon(s.now()).Add(time.Microsecond))
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err := s.findCases(ctx, tx, who, q)
		if err != nil {
			return err
		}
		page = newPage(found, q.Limit)
		if !q.Communications {
			return nil
		}
		return addRecent(ctx, tx, who, page.Cases)
	})
	return page, err
}

// findCases returns one case more than the page holds when there is one.
func (s *Service) findCases(ctx context.Context, tx Tx, who iam.Identity, q Query) ([]Case, error) {
	if len(q.IDs) == 0 {
		return tx.CasesPage(ctx, who.Account, q.PageQuery, q.Limit+1)
	}
	found, err := tx.CasesByID(ctx, who.Account, q.IDs)
	if err != nil {
		return nil, err
	}
	if missing, ok := firstMissing(q.IDs, found, s.horizon(s.now())); ok {
		return nil, caseNotFound(missing)
	}
	return slices.DeleteFunc(found, func(c Case) bool { return !q.selects(c) }), nil
}

// firstMissing returns the first id that no available case has.
func firstMissing(ids []string, found []Case, horizon time.Time) (string, bool) {
	available := map[string]bool{}
	for _, c := range found {
		available[c.ID] = c.CreatedAt.After(horizon)
	}
	for _, id := range ids {
		if !available[id] {
			return id, true
		}
	}
	return "", false
}

// selects applies the query's filters to a case that was found by id.
func (q PageQuery) selects(c Case) bool {
	return q.contains(c.CreatedAt) &&
		(q.IncludeResolved || c.Status != Resolved) &&
		(q.Language == "" || q.Language == c.Language) &&
		(q.DisplayID == "" || q.DisplayID == c.DisplayID) &&
		q.From.before(c)
}

func (from Cursor) before(c Case) bool {
	if order := from.CreatedAt.Compare(c.CreatedAt); order != 0 {
		return order < 0
	}
	return strings.Compare(from.ID, c.ID) < 0
}

func newPage(found []Case, limit int) Page {
	var next *Cursor
	if len(found) > limit {
		found = found[:limit]
		last := found[limit-1]
		next = &Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	page := Page{Next: next}
	for _, c := range found {
		page.Cases = append(page.Cases, Listed{Case: c})
	}
	return page
}

// addRecent fills in the recent communications of all cases of a page at once.
func addRecent(ctx context.Context, tx Tx, who iam.Identity, listed []Listed) error {
	if len(listed) == 0 {
		return nil
	}
	ids := make([]string, len(listed))
	at := make(map[string]int, len(listed))
	for i, l := range listed {
		ids[i], at[l.ID] = l.ID, i
	}
	communications, err := tx.RecentCommunications(ctx, who.Account, ids, RecentCommunications)
	if err != nil {
		return err
	}
	attachments, err := tx.RecentAttachments(ctx, who.Account, ids, RecentCommunications)
	if err != nil {
		return err
	}
	addAttachments(communications, attachments)
	for _, c := range communications {
		l := &listed[at[c.CaseID]]
		l.Recent = append(l.Recent, c)
	}
	return nil
}

// addAttachments gives each communication its attachments.
func addAttachments(communications []Communication, attachments []Attachment) {
	type place struct {
		caseID string
		number int64
	}
	at := make(map[place]int, len(communications))
	for i, c := range communications {
		at[place{c.CaseID, c.Number}] = i
	}
	for _, a := range attachments {
		if i, ok := at[place{a.CaseID, a.Communication}]; ok {
			communications[i].Attachments = append(communications[i].Attachments, a)
		}
	}
}

// CommunicationsQuery selects communications of a case.
type CommunicationsQuery struct {
	TimeRange
	CaseID    string
	OlderThan int64 // only communications with a smaller number; zero: all
	Limit     int   // page size, at least 1
}

// CommunicationsPage is a page of communications, newest first. Next is the
// OlderThan of the following page; zero when this is the last one.
type CommunicationsPage struct {
	Communications []Communication
	Next           int64
}

// Communications returns a page of a case's communications with their
// attachments, in three statements.
func (s *Service) Communications(ctx context.Context, who iam.Identity, q CommunicationsQuery) (page CommunicationsPage, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		c, err := s.availableCase(ctx, tx, who, q.CaseID)
		if err != nil {
			return err
		}
		olderThan := q.OlderThan
		if olderThan == 0 {
			olderThan = c.Communications + 1
		}
		found, err := tx.CommunicationsPage(ctx, who.Account, q.CaseID, q.TimeRange, olderThan, q.Limit+1)
		if err != nil {
			return err
		}
		page = newCommunicationsPage(found, q.Limit)
		return addAllAttachments(ctx, tx, who, page.Communications)
	})
	return page, err
}

func newCommunicationsPage(found []Communication, limit int) CommunicationsPage {
	if len(found) <= limit {
		return CommunicationsPage{Communications: found}
	}
	found = found[:limit]
	return CommunicationsPage{Communications: found, Next: found[limit-1].Number}
}

func addAllAttachments(ctx context.Context, tx Tx, who iam.Identity, found []Communication) error {
	if len(found) == 0 {
		return nil
	}
	newest, oldest := found[0], found[len(found)-1]
	attachments, err := tx.AttachmentsBetween(ctx, who.Account, newest.CaseID, oldest.Number, newest.Number)
	if err != nil {
		return err
	}
	addAttachments(found, attachments)
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

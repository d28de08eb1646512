package deskapi

import (
	"cmp"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

// list is an answer of many things.
type list[T any] struct {
	Items []T `json:"items" doc:"What there is."`
}

// page is a part of a list that may go on.
type page[T any] struct {
	Items []T    `json:"items" doc:"What is on this page."`
	Next  string `json:"next,omitzero" doc:"Give it back as the parameter next to get the following page; missing on the last one."`
}

// pageSize returns how much is on a page when a caller asks for so much; 0: the
// caller does not say.
func pageSize(limit int) (int, error) {
	const usual, most = 50, 200
	if limit > most {
		return 0, errParameter.With("The parameter limit is at most %d.", most)
	}
	return cmp.Or(limit, usual), nil
}

// shapes maps what the desk knows to what the API shows.
func shapes[T, Shape any](all []T, shape func(T) Shape) []Shape {
	shown := make([]Shape, len(all))
	for i, one := range all {
		shown[i] = shape(one)
	}
	return shown
}

// caseItem is a case in a queue, and the answer to most changes of one.
type caseItem struct {
	Account    string       `json:"account" doc:"The account that the case belongs to."`
	CaseID     string       `json:"caseId" doc:"The id, as the Support API has it."`
	DisplayID  string       `json:"displayId" doc:"The number that customers see."`
	Subject    string       `json:"subject" doc:"What the case is about."`
	Status     cases.Status `json:"status" enum:"unassigned opened work-in-progress pending-customer-action customer-action-completed reopened resolved" doc:"Where the case is in its life."`
	Severity   string       `json:"severity" doc:"The severity code."`
	Service    string       `json:"service" doc:"The service code."`
	Language   string       `json:"language" doc:"The language code."`
	Assignee   string       `json:"assignee" doc:"The id of the agent who has the case; empty: nobody."`
	Team       string       `json:"team" doc:"The id of the team that has the case; empty: none."`
	Tags       []string     `json:"tags" doc:"The tags of the desk."`
	DueAt      time.Time    `json:"dueAt,omitzero" doc:"When the next running clock breaches; missing when none runs."`
	MergedInto string       `json:"mergedInto,omitzero" doc:"The id of the case that this one was merged into."`
	CreatedAt  time.Time    `json:"createdAt" doc:"When the case was opened."`
	ChangedAt  time.Time    `json:"changedAt" doc:"When the case was changed last."`
	Version    int64        `json:"version" doc:"Counts the changes of the case; its ETag is made of it."`
}

func newCaseItem(i desk.Item) caseItem {
	return caseItem{
		Account: i.Account, CaseID: i.CaseID, DisplayID: i.DisplayID, Subject: i.Subject,
		Status: i.Status, Severity: i.Severity, Service: i.Service, Language: i.Language,
		Assignee: i.Assignee, Team: i.Team, Tags: i.Tags, DueAt: i.Due, MergedInto: i.MergedInto,
		CreatedAt: i.CreatedAt, ChangedAt: i.ChangedAt, Version: i.Version,
	}
}

// itemAnswer answers a change of a case.
func itemAnswer(i desk.Item, err error) (*caseItem, error) {
	shown := newCaseItem(i)
	return &shown, err
}

func (c caseItem) version() int64  { return c.Version }
func (c caseItem) account() string { return c.Account }

// caseDetail is a case with what belongs to it.
type caseDetail struct {
	caseItem
	Category           string          `json:"category" doc:"The category code."`
	IssueType          string          `json:"issueType" doc:"customer-service or technical."`
	SubmittedBy        string          `json:"submittedBy" doc:"The e-mail address of the account."`
	CCEmailAddresses   []string        `json:"ccEmailAddresses" doc:"Who else is told."`
	ResolvedAt         time.Time       `json:"resolvedAt,omitzero" doc:"When the case was last resolved; missing when never."`
	CommunicationCount int64           `json:"communicationCount" doc:"How many communications there are; the last one has this number."`
	Communications     []communication `json:"communications" doc:"The last hundred, oldest first."`
	MoreCommunications bool            `json:"moreCommunications" doc:"Whether there are older ones: GET /cases/{case}/communications has all of them."`
	Clocks             []clock         `json:"clocks" doc:"How the promises about the case stand."`
	Links              []link          `json:"links" doc:"Cases that have to do with this one."`
	Present            []presence      `json:"present" doc:"Other agents who have the case before their eyes."`
}

func newCaseDetail(d desk.Detail) caseDetail {
	return caseDetail{
		caseItem: newCaseItem(d.Item),
		Category: d.Case.CategoryCode, IssueType: d.Case.IssueType, SubmittedBy: d.Case.SubmittedBy,
		CCEmailAddresses: d.Case.CCEmailAddresses, ResolvedAt: d.Case.ResolvedAt,
		CommunicationCount: d.Case.Communications,
		Communications:     shapes(d.Communications, newCommunication),
		MoreCommunications: int64(len(d.Communications)) < d.Case.Communications,
		Clocks:             shapes(d.Clocks, newClock),
		Links:              shapes(d.Links, newLink),
		Present:            shapes(d.Present, newPresence),
	}
}

type communication struct {
	Number      int64        `json:"number" doc:"Counts from 1 within the case."`
	Body        string       `json:"body" doc:"The text."`
	SubmittedBy string       `json:"submittedBy" doc:"Who wrote it, as the customer sees it."`
	Agent       string       `json:"agent,omitzero" doc:"The id of the agent who wrote it; missing where the customer did."`
	CreatedAt   time.Time    `json:"createdAt" doc:"When it was added."`
	Attachments []attachment `json:"attachments" doc:"The files that it carries."`
}

func newCommunication(s desk.Said) communication {
	return communication{
		Number: s.Number, Body: s.Body, SubmittedBy: s.SubmittedBy, Agent: s.Agent, CreatedAt: s.CreatedAt,
		Attachments: shapes(s.Attachments, newAttachment),
	}
}

type attachment struct {
	AttachmentID string `json:"attachmentId" doc:"The id under which the file is read."`
	FileName     string `json:"fileName" doc:"The name that it was given."`
	Size         int64  `json:"size" doc:"In bytes."`
}

func newAttachment(a cases.Attachment) attachment {
	return attachment{AttachmentID: a.ID, FileName: a.FileName, Size: a.Size}
}

// file is a file in a request.
type file struct {
	FileName string `json:"fileName" in:"required" doc:"The name of the file."`
	Data     []byte `json:"data" in:"required" doc:"The content in base64, at most 5 MB before that."`
}

func newFile(f file) cases.File { return cases.File{Name: f.FileName, Data: f.Data} }

type clock struct {
	Kind           desk.ClockKind `json:"kind" enum:"first-response next-response resolution" doc:"What the clock measures."`
	Number         int            `json:"number" doc:"Counts the clocks of the kind from 1."`
	StartedAt      time.Time      `json:"startedAt" doc:"When it began to count."`
	StoppedAt      time.Time      `json:"stoppedAt,omitzero" doc:"When it was over; missing while it is not."`
	TargetSeconds  int64          `json:"targetSeconds" doc:"How much counted time was promised at most."`
	CountedSeconds int64          `json:"countedSeconds" doc:"How much has counted until now, or until it stopped."`
	Paused         bool           `json:"paused" doc:"Whether it stands still now."`
	WarnAt         time.Time      `json:"warnAt,omitzero" doc:"When the warning is due if nothing happens; missing while the clock is paused or over."`
	DueAt          time.Time      `json:"dueAt,omitzero" doc:"When the breach is due if nothing happens, or when it was."`
	Warned         bool           `json:"warned" doc:"Whether the time of the warning is past."`
	Breached       bool           `json:"breached" doc:"Whether the promise was broken."`
}

func newClock(c desk.Clock) clock {
	return clock{
		Kind: c.Kind, Number: c.Number, StartedAt: c.StartedAt, StoppedAt: c.StoppedAt,
		TargetSeconds: int64(c.Target.Seconds()), CountedSeconds: int64(c.Counted.Seconds()),
		Paused: c.Paused, WarnAt: c.WarnAt, DueAt: c.DueAt, Warned: c.Warned, Breached: c.Breached,
	}
}

type explainedClock struct {
	clock
	Earlier *earlierSpans `json:"earlier,omitzero" doc:"The sum of the clock's oldest parts where all clocks of the case have more than 10,000, or the case has a very long history; missing otherwise."`
	Spans   []span        `json:"spans" doc:"All of the clock's time, after that which is in earlier, in parts that counted or did not."`
}

func newExplainedClock(e desk.Explanation) explainedClock {
	return explainedClock{newClock(e.Clock), newEarlierSpans(e.Earlier), shapes(e.Spans, newSpan)}
}

type earlierSpans struct {
	From             time.Time `json:"from" doc:"When the first part begins."`
	To               time.Time `json:"to" doc:"When the last one ends."`
	Spans            int       `json:"spans" doc:"How many parts there are."`
	CountedSeconds   int64     `json:"countedSeconds" doc:"How much of their time counted."`
	UncountedSeconds int64     `json:"uncountedSeconds" doc:"How much of it did not."`
}

func newEarlierSpans(e *desk.Earlier) *earlierSpans {
	if e == nil {
		return nil
	}
	return &earlierSpans{e.From, e.To, e.Spans, int64(e.Counted.Seconds()), int64(e.Uncounted.Seconds())}
}

type span struct {
	From    time.Time `json:"from" doc:"When the part begins."`
	To      time.Time `json:"to" doc:"When it ends."`
	Seconds int64     `json:"seconds" doc:"How long it is."`
	Counted bool      `json:"counted" doc:"Whether it counted."`
	Why     string    `json:"why" doc:"Why it did or did not, such as \"waiting for the customer\"."`
}

func newSpan(s desk.Span) span {
	return span{s.From, s.To, int64(s.To.Sub(s.From).Seconds()), s.Counted, s.Why}
}

type link struct {
	Account  string `json:"account" doc:"The account of the other case."`
	CaseID   string `json:"caseId" doc:"The id of the other case."`
	Relation string `json:"relation" enum:"related merged-into merged-from" doc:"What the other case is to this one."`
}

func newLink(l desk.Link) link { return link{l.Account, l.CaseID, l.Relation} }

type presence struct {
	Agent     string    `json:"agent" doc:"The id of the agent."`
	Replying  bool      `json:"replying" doc:"Whether the agent is writing a reply."`
	ExpiresAt time.Time `json:"expiresAt" doc:"Until when this is believed."`
}

func newPresence(p desk.Presence) presence { return presence{p.Agent, p.Replying, p.ExpiresAt} }

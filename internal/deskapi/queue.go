package deskapi

import (
	"context"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

type viewCount struct {
	View  desk.View `json:"view" enum:"unassigned mine team waiting breaching open all" doc:"The view."`
	Count int       `json:"count" doc:"How many cases are in it, up to a thousand."`
	More  bool      `json:"more" doc:"Whether there are more than that."`
}

func (a *API) views(ctx context.Context, who desk.Caller, _ *none) (*list[viewCount], error) {
	all, err := a.desk.Views(ctx, who)
	return &list[viewCount]{shapes(all, func(c desk.ViewCount) viewCount { return viewCount(c) })}, err
}

type listCasesInput struct {
	View     desk.View `query:"view" enum:"unassigned mine team waiting breaching open all" doc:"The queue; without it all open cases."`
	Severity string    `query:"severity" doc:"Only cases of this severity code."`
	Service  string    `query:"service" doc:"Only cases of this service code."`
	Account  string    `query:"account" doc:"Only cases of this account."`
	Language string    `query:"language" doc:"Only cases in this language."`
	Tag      string    `query:"tag" doc:"Only cases with this tag."`
	Status   string    `query:"status" enum:"unassigned opened work-in-progress pending-customer-action customer-action-completed reopened resolved" doc:"Only cases of this status."`
	Assignee string    `query:"assignee" doc:"Only cases of this agent."`
	Team     string    `query:"team" doc:"Only cases of this team."`
	Text     string    `query:"text" doc:"Words that stand in the subject or in one communication, or a case id, a display id or an account's id."`
	Limit    int       `query:"limit" doc:"How many cases are on a page: 50 without it, at most 200."`
	Next     string    `query:"next" doc:"The next token of the page before; all other parameters must be as they were."`
}

func (in *listCasesInput) scope(who desk.Caller) string {
	return scopeOf(who, "cases", string(in.View), in.Severity, in.Service, in.Account, in.Language,
		in.Tag, in.Status, in.Assignee, in.Team, in.Text)
}

func (a *API) listCases(ctx context.Context, who desk.Caller, in *listCasesInput) (*page[caseItem], error) {
	limit, err := pageSize(in.Limit)
	if err != nil {
		return nil, err
	}
	var from casePlace
	if in.Next != "" {
		if err := a.openNext(in.Next, in.scope(who), &from); err != nil {
			return nil, err
		}
	}
	found, err := a.desk.Find(ctx, who, desk.Query{
		View: in.View, Severity: in.Severity, Service: in.Service, Account: in.Account, Language: in.Language,
		Tag: in.Tag, Status: in.Status, Assignee: in.Assignee, Team: in.Team, Text: in.Text,
		Limit: limit, After: from.position(),
	})
	if err != nil {
		return nil, err
	}
	answer := &page[caseItem]{Items: shapes(found.Items, newCaseItem)}
	if found.Next != nil {
		answer.Next, err = a.sealNext(newCasePlace(*found.Next), in.scope(who))
	}
	return answer, err
}

// caseInput names the case that a request is about.
type caseInput struct {
	Case string `path:"case" doc:"The case's id or display id."`
}

func (a *API) getCase(ctx context.Context, who desk.Caller, in *caseInput) (*caseDetail, error) {
	found, err := a.desk.Case(ctx, who, in.Case)
	shown := newCaseDetail(found)
	return &shown, err
}

type line struct {
	At     time.Time `json:"at" doc:"When it happened."`
	Actor  string    `json:"actor" doc:"The ARN of a customer's principal, an agent's id, or \"desk\"."`
	Event  string    `json:"event" doc:"What happened, such as \"communication\", \"status\" or \"note\"."`
	Detail any       `json:"detail" doc:"What belongs to the event."`
}

// pageInput asks for a page of what belongs to a case.
type pageInput struct {
	caseInput
	Limit int    `query:"limit" doc:"How many are on a page: 50 without it, at most 200."`
	Next  string `query:"next" doc:"The next token of the page before."`
}

func (a *API) timeline(ctx context.Context, who desk.Caller, in *pageInput) (*page[line], error) {
	limit, err := pageSize(in.Limit)
	if err != nil {
		return nil, err
	}
	var from linePlace
	scope := scopeOf(who, "timeline", in.Case)
	if in.Next != "" {
		if err := a.openNext(in.Next, scope, &from); err != nil {
			return nil, err
		}
	}
	found, err := a.desk.TimelinePage(ctx, who, in.Case, desk.LinePosition(from), limit)
	answer := &page[line]{Items: shapes(found.Lines, func(l desk.Line) line { return line(l) })}
	if err == nil && found.Next != nil {
		answer.Next, err = a.sealNext(linePlace(*found.Next), scope)
	}
	return answer, err
}

func (a *API) communications(ctx context.Context, who desk.Caller, in *pageInput) (*page[communication], error) {
	limit, err := pageSize(in.Limit)
	if err != nil {
		return nil, err
	}
	var before int64
	scope := scopeOf(who, "communications", in.Case)
	if in.Next != "" {
		if err := a.openNext(in.Next, scope, &before); err != nil {
			return nil, err
		}
	}
	found, err := a.desk.Communications(ctx, who, in.Case, before, limit)
	answer := &page[communication]{Items: shapes(found, newCommunication)}
	if n := len(found); err == nil && n > 0 && found[n-1].Number > 1 {
		answer.Next, err = a.sealNext(found[n-1].Number, scope)
	}
	return answer, err
}

func (a *API) clocks(ctx context.Context, who desk.Caller, in *caseInput) (*list[explainedClock], error) {
	all, err := a.desk.Explain(ctx, who, in.Case)
	return &list[explainedClock]{shapes(all, newExplainedClock)}, err
}

type openCaseInput struct {
	Account          string   `json:"account" in:"required" doc:"The account that the case is for."`
	Subject          string   `json:"subject" in:"required" doc:"What the case is about."`
	Body             string   `json:"body" in:"required" doc:"The first communication."`
	Service          string   `json:"service" doc:"A service code; without it that of general questions."`
	Category         string   `json:"category" doc:"A category code of the service."`
	Severity         string   `json:"severity" doc:"A severity code of the account's plan."`
	IssueType        string   `json:"issueType" enum:"customer-service technical" doc:"What kind of question it is."`
	Language         string   `json:"language" doc:"The language code."`
	CCEmailAddresses []string `json:"ccEmailAddresses" doc:"Who else is told."`
	Attachments      []file   `json:"attachments" doc:"Up to three files."`
}

// newCase is a case that was just opened.
type newCase struct{ caseItem }

func (c newCase) location() string { return "/desk/v1/cases/" + c.CaseID }

func (a *API) openCase(ctx context.Context, who desk.Caller, in *openCaseInput) (*newCase, error) {
	opened, err := a.desk.OpenFor(ctx, who, in.Account, cases.NewCase{
		Subject: in.Subject, Body: in.Body, ServiceCode: in.Service, CategoryCode: in.Category,
		SeverityCode: in.Severity, IssueType: in.IssueType, Language: in.Language,
		CCEmailAddresses: in.CCEmailAddresses,
	}, shapes(in.Attachments, newFile))
	return &newCase{newCaseItem(opened)}, err
}

type attachmentInput struct {
	caseInput
	Attachment string `path:"attachment" doc:"The attachment's id."`
}

func (a *API) attachment(ctx context.Context, who desk.Caller, in *attachmentInput) (*download, error) {
	found, err := a.desk.File(ctx, who, in.Case, in.Attachment)
	return &download{found}, err
}

// accountOf reads the account in a case id; a display id has none.
func accountOf(ref string) string {
	if parts := strings.Split(ref, "-"); len(parts) == 5 && parts[0] == "case" && len(parts[1]) == 12 {
		return parts[1]
	}
	return ""
}

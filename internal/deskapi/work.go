package deskapi

import (
	"context"

	"github.com/supportd/supportd/internal/desk"
)

func (a *API) claim(ctx context.Context, who desk.Caller, in *caseInput) (*caseItem, error) {
	return itemAnswer(a.desk.Claim(ctx, who, in.Case))
}

type assignInput struct {
	caseInput
	Agent   string `json:"agent" doc:"The id of the agent who gets the case."`
	Team    string `json:"team" doc:"The id of the team that gets the case."`
	Release bool   `json:"release" doc:"Nobody has the case any more."`
	Next    bool   `json:"next" doc:"The agent gets it whose turn it is among those who fit and have room."`
}

func (a *API) assign(ctx context.Context, who desk.Caller, in *assignInput) (*caseItem, error) {
	to := desk.Assignment{Agent: in.Agent, Team: in.Team, Release: in.Release, Next: in.Next}
	return itemAnswer(a.desk.Assign(ctx, who, in.Case, to))
}

type replyInput struct {
	caseInput
	Body        string `json:"body" in:"required" doc:"What the customer reads."`
	Status      string `json:"status" enum:"keep opened work-in-progress pending-customer-action reopened resolved" doc:"Of the case afterwards; without it that of the settings."`
	Attachments []file `json:"attachments" doc:"Up to three files."`
}

// replied is what came of a reply.
type replied struct {
	Case   caseItem   `json:"case" doc:"The case after the reply."`
	Number int64      `json:"number" doc:"The number of the communication; 0 where a macro has no reply."`
	Others []presence `json:"others" doc:"Other agents who have the case before their eyes as well."`
}

func (r replied) version() int64  { return r.Case.Version }
func (r replied) account() string { return r.Case.Account }

func repliedAnswer(r desk.Replied, err error) (*replied, error) {
	return &replied{newCaseItem(r.Item), r.Number, shapes(r.Others, newPresence)}, err
}

func (a *API) reply(ctx context.Context, who desk.Caller, in *replyInput) (*replied, error) {
	return repliedAnswer(a.desk.Reply(ctx, who, in.Case, desk.NewReply{
		Body: in.Body, Status: in.Status, Files: shapes(in.Attachments, newFile),
	}))
}

type customerReplyInput struct {
	caseInput
	Body        string `json:"body" in:"required" doc:"What the customer said."`
	Attachments []file `json:"attachments" doc:"Up to three files."`
}

func (a *API) replyForCustomer(ctx context.Context, who desk.Caller, in *customerReplyInput) (*caseItem, error) {
	return itemAnswer(a.desk.ReplyFor(ctx, who, in.Case, in.Body, shapes(in.Attachments, newFile)))
}

type setStatusInput struct {
	caseInput
	Status string `json:"status" in:"required" enum:"opened work-in-progress pending-customer-action reopened resolved" doc:"Where the case goes."`
	Reason string `json:"reason" doc:"Why; customers do not see it."`
}

func (a *API) setStatus(ctx context.Context, who desk.Caller, in *setStatusInput) (*caseItem, error) {
	return itemAnswer(a.desk.SetStatus(ctx, who, in.Case, in.Status, in.Reason))
}

type addNoteInput struct {
	caseInput
	Body string `json:"body" in:"required" doc:"The note."`
}

func (a *API) addNote(ctx context.Context, who desk.Caller, in *addNoteInput) (*caseItem, error) {
	return itemAnswer(a.desk.Note(ctx, who, in.Case, in.Body))
}

type tagInput struct {
	caseInput
	Add    []string `json:"add" doc:"Tags to add."`
	Remove []string `json:"remove" doc:"Tags to remove."`
}

func (a *API) tag(ctx context.Context, who desk.Caller, in *tagInput) (*caseItem, error) {
	return itemAnswer(a.desk.Tag(ctx, who, in.Case, in.Add, in.Remove))
}

type setSeverityInput struct {
	caseInput
	Severity string `json:"severity" in:"required" doc:"A severity code of the account's plan."`
	Reason   string `json:"reason" in:"required" doc:"Why; customers do not see it."`
}

func (a *API) setSeverity(ctx context.Context, who desk.Caller, in *setSeverityInput) (*caseItem, error) {
	return itemAnswer(a.desk.SetSeverity(ctx, who, in.Case, in.Severity, in.Reason))
}

type linkInput struct {
	caseInput
	Other string `json:"other" in:"required" doc:"The other case's id or display id."`
}

func (a *API) link(ctx context.Context, who desk.Caller, in *linkInput) (*caseItem, error) {
	return itemAnswer(a.desk.Link(ctx, who, in.Case, in.Other))
}

type unlinkInput struct {
	caseInput
	Other string `path:"other" doc:"The other case's id or display id."`
}

func (a *API) unlink(ctx context.Context, who desk.Caller, in *unlinkInput) (*caseItem, error) {
	return itemAnswer(a.desk.Unlink(ctx, who, in.Case, in.Other))
}

type mergeInput struct {
	caseInput
	Into string `json:"into" in:"required" doc:"The id or display id of the case that goes on."`
}

func (a *API) merge(ctx context.Context, who desk.Caller, in *mergeInput) (*caseItem, error) {
	return itemAnswer(a.desk.Merge(ctx, who, in.Case, in.Into))
}

func (a *API) unmerge(ctx context.Context, who desk.Caller, in *caseInput) (*caseItem, error) {
	return itemAnswer(a.desk.Unmerge(ctx, who, in.Case))
}

type applyMacroInput struct {
	caseInput
	Macro     string            `json:"macro" in:"required" doc:"The macro's id."`
	Variables map[string]string `json:"variables" doc:"Values of variables that the desk does not know."`
}

func (a *API) applyMacro(ctx context.Context, who desk.Caller, in *applyMacroInput) (*replied, error) {
	return repliedAnswer(a.desk.ApplyMacro(ctx, who, in.Case, in.Macro, in.Variables))
}

type setPresenceInput struct {
	caseInput
	Replying bool `json:"replying" doc:"Whether the caller is writing a reply."`
}

func (a *API) setPresence(ctx context.Context, who desk.Caller, in *setPresenceInput) (*list[presence], error) {
	others, err := a.desk.SetPresence(ctx, who, in.Case, in.Replying)
	return &list[presence]{shapes(others, newPresence)}, err
}

func (a *API) leave(ctx context.Context, who desk.Caller, in *caseInput) (*none, error) {
	return &none{}, a.desk.Leave(ctx, who, in.Case)
}

package deskapi

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/supportd/supportd/internal/desk"
)

type entry struct {
	ID        string         `json:"id" doc:"The id of the entry."`
	At        time.Time      `json:"at" doc:"When the change was made."`
	Agent     string         `json:"agent" doc:"The id of the agent who made it; \"operator\" is the command line beside the server."`
	TokenID   string         `json:"tokenId,omitzero" doc:"The token that let the agent in; missing for the command line."`
	RequestID string         `json:"requestId,omitzero" doc:"Finds the request in the server's log."`
	Action    string         `json:"action" doc:"What was done, such as case.reply or agent.create."`
	Account   string         `json:"account,omitzero" doc:"The account of the case; missing where there is none."`
	Subject   string         `json:"subject" doc:"The id of what was changed."`
	Before    jsontext.Value `json:"before,omitzero" doc:"How it was; missing when there was nothing."`
	After     jsontext.Value `json:"after,omitzero" doc:"How it is; missing when there is nothing."`
}

func newEntry(e desk.Entry) entry {
	return entry{
		ID: e.ID, At: e.At, Agent: e.Agent, TokenID: e.TokenID, RequestID: e.RequestID,
		Action: e.Action, Account: e.Account, Subject: e.Subject, Before: e.Before, After: e.After,
	}
}

type listEntriesInput struct {
	Agent   string    `query:"agent" doc:"Only changes of this agent."`
	Action  string    `query:"action" doc:"Only changes of this kind, such as case.reply."`
	Account string    `query:"account" doc:"Only changes of cases of this account."`
	Subject string    `query:"subject" doc:"Only changes of what has this id."`
	From    time.Time `query:"from" doc:"Only changes from this time on."`
	To      time.Time `query:"to" doc:"Only changes before this time."`
	Limit   int       `query:"limit" doc:"How many entries are on a page: 50 without it, at most 200."`
	Next    string    `query:"next" doc:"The next token of the page before; all other parameters must be as they were."`
}

func (in *listEntriesInput) scope(who desk.Caller) string {
	return scopeOf(who, "audit", in.Agent, in.Action, in.Account, in.Subject, in.From.String(), in.To.String())
}

func (a *API) listEntries(ctx context.Context, who desk.Caller, in *listEntriesInput) (*page[entry], error) {
	limit, err := pageSize(in.Limit)
	if err != nil {
		return nil, err
	}
	q := desk.EntryQuery{Agent: in.Agent, Action: in.Action, Account: in.Account, Subject: in.Subject, From: in.From, To: in.To}
	if in.Next != "" {
		var from entryPlace
		if err := a.openNext(in.Next, in.scope(who), &from); err != nil {
			return nil, err
		}
		q.Before = from.position()
	}
	found, err := a.desk.Entries(ctx, who, q, limit+1)
	if err != nil || len(found) <= limit {
		return &page[entry]{Items: shapes(found, newEntry)}, err
	}
	found = found[:limit]
	next, err := a.sealNext(newEntryPlace(found[limit-1]), in.scope(who))
	return &page[entry]{Items: shapes(found, newEntry), Next: next}, err
}

package deskapi

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/supportd/supportd/internal/desk"
)

// A next token is the place where the following page starts, sealed: clients
// cannot read or change it, and it opens only for the agent and the query that
// it was given to.

// scopeOf returns what a token is bound to: who asks, and for what.
func scopeOf(who desk.Caller, parts ...string) string {
	for i, part := range parts {
		parts[i] = strconv.Quote(part)
	}
	return who.Agent.ID + " " + strings.Join(parts, " ")
}

func (a *API) sealNext(place any, scope string) (string, error) {
	plain, err := json.Marshal(place)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(a.tokens.Seal(plain, scope)), nil
}

func (a *API) openNext(next, scope string, place any) error {
	sealed, err := base64.RawURLEncoding.DecodeString(next)
	if err != nil {
		return errNext
	}
	plain, err := a.tokens.Open(sealed, scope)
	if err != nil {
		return errNext
	}
	return json.Unmarshal(plain, place)
}

// casePlace is where a page of cases starts. Due is zero for those that wait for
// nothing.
type casePlace struct {
	Due     int64  `json:"d,omitzero"`
	Account string `json:"a"`
	CaseID  string `json:"c"`
}

func newCasePlace(p desk.Position) casePlace {
	place := casePlace{Account: p.Account, CaseID: p.CaseID}
	if !p.Due.IsZero() {
		place.Due = p.Due.UnixMicro()
	}
	return place
}

func (p casePlace) position() desk.Position {
	at := desk.Position{Key: desk.Key{Account: p.Account, CaseID: p.CaseID}}
	if p.Due != 0 {
		at.Due = time.UnixMicro(p.Due).UTC()
	}
	return at
}

// linePlace is where a page of a timeline starts.
type linePlace struct {
	Communications int64 `json:"c,omitzero"`
	Moves          int64 `json:"m,omitzero"`
	Records        int64 `json:"r,omitzero"`
}

// entryPlace is where a page of the audit log starts.
type entryPlace struct {
	Micros int64  `json:"t"`
	ID     string `json:"i"`
}

func newEntryPlace(e desk.Entry) entryPlace { return entryPlace{e.At.UnixMicro(), e.ID} }

func (p entryPlace) position() desk.EntryPosition {
	return desk.EntryPosition{At: time.UnixMicro(p.Micros).UTC(), ID: p.ID}
}

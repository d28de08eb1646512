package supportapi

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/supportd/supportd/internal/cases"
)

// A page token is the place where the next page starts, sealed: clients cannot
// read or change it, and it opens only for the account, operation and filters
// of the call that it was given to.

// tokenScope returns what a token is bound to.
func tokenScope(who caller, operation string, filters ...string) string {
	parts := append([]string{who.Account, operation}, filters...)
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "%", "%25"), "|", "%7C")
	}
	return strings.Join(parts, "|")
}

func (a *API) sealToken(place any, scope string) (*string, error) {
	plain, err := json.Marshal(place)
	if err != nil {
		return nil, err
	}
	token := base64.StdEncoding.EncodeToString(a.tokens.Seal(plain, scope))
	return &token, nil
}

func (a *API) openToken(token, scope string, place any) error {
	sealed, err := base64.StdEncoding.DecodeString(token)
	// The decoder passes over line ends and unused bits: a token has one form only.
	if err != nil || base64.StdEncoding.EncodeToString(sealed) != token {
		return errInvalidToken
	}
	plain, err := a.tokens.Open(sealed, scope)
	if err != nil {
		return errInvalidToken
	}
	return json.Unmarshal(plain, place)
}

// casePlace is where a page of cases starts.
type casePlace struct {
	Micros int64  `json:"t"`
	ID     string `json:"i"`
}

func (p casePlace) cursor() cases.Cursor {
	return cases.Cursor{CreatedAt: time.UnixMicro(p.Micros).UTC(), ID: p.ID}
}

// communicationPlace is where a page of communications starts.
type communicationPlace struct {
	OlderThan int64 `json:"n"`
}

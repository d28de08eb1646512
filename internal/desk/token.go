package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/random"
)

// Token lets an agent in. Its text is shown once and kept as its SHA-256: it has
// 256 random bits, which nobody guesses. What it allows is never more than the
// agent's role does at the moment.
type Token struct {
	ID          string       `json:"id"`
	Agent       string       `json:"agent"`
	Name        string       `json:"name"`
	Permissions []Permission `json:"permissions"` // of those of the agent's role; none: all of them
	// MadeBy is the id of the agent's token that made this one, which does not
	// outlast it. It is empty where the operator or somebody else did.
	MadeBy    string    `json:"madeBy,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	RevokedAt time.Time `json:"revokedAt,omitzero"`
	Version   int64     `json:"version"`
}

// tokenRecord is a token as it is kept. The hash is of no use to anybody else,
// so it is not in what is answered, nor in the audit log.
type tokenRecord struct {
	Token
	Hash []byte `json:"hash"`
}

// NewToken is what a token is made of.
type NewToken struct {
	Name        string
	Permissions []Permission  // none: all of the agent's role
	Life        time.Duration // 0: 90 days, at most a year
}

// How long tokens live, and how long those that are dead are kept for whoever
// wonders what happened.
const (
	day          = 24 * time.Hour
	tokenLife    = 90 * day
	maxTokenLife = 365 * day
	tokensKept   = 90 * day
)

// Authenticate returns who has a token. ErrUnknownToken, whatever is the matter
// with it: who tries tokens learns nothing from it.
func (s *Service) Authenticate(ctx context.Context, text string) (who Caller, err error) {
	id, ok := tokenID(text)
	if !ok {
		return Caller{}, ErrUnknownToken
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		t, err := readDocument[tokenRecord](ctx, tx, id)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(t.Hash, tokenHash(text)) != 1 || !s.isLive(t.Token) {
			return ErrUnknownToken
		}
		a, err := readDocument[Agent](ctx, tx, t.Agent)
		if err != nil {
			return err
		}
		if !a.Active {
			return ErrUnknownToken
		}
		who = Caller{Agent: a, TokenID: t.ID, Allowed: t.allowed(a.Role), limited: len(t.Permissions) > 0}
		return nil
	})
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrUnknownToken) {
		return Caller{}, ErrUnknownToken
	}
	return who, err
}

// CreateToken makes a token and returns it with its text, which is never shown
// again: a request that comes again is ErrConflict. Agents make their own, which
// end with the one that they came with at the latest; those with Configure make
// anybody's. Who came with a limited token makes none that allows more.
func (s *Service) CreateToken(ctx context.Context, who Caller, agent string, in NewToken) (Token, string, error) {
	made, err := change(ctx, s, who, itsOwn, Scope, func(tx Tx, done *audited) (shownToken, error) {
		made, err := s.createToken(ctx, tx, who, agent, in)
		done.Action, done.Subject, done.after = "token.create", made.ID, made.Token
		return made, err
	})
	if err == nil && made.text == "" {
		err = ErrConflict.With("The request was answered before with the token %s, whose text is shown only once. Revoke it and make another one.", made.ID)
	}
	if err != nil {
		return Token{}, "", err
	}
	return made.Token, made.text, nil
}

// shownToken is a new token with its text, which is not in the answer that is
// kept.
type shownToken struct {
	Token
	text string
}

func (s *Service) createToken(ctx context.Context, tx Tx, who Caller, agent string, in NewToken) (made shownToken, err error) {
	a, err := holder(ctx, tx, who, agent)
	if err != nil {
		return made, err
	}
	if err := in.check(); err != nil {
		return made, err
	}
	if !a.Active {
		return made, ErrConflict.With("The agent %s is not active.", a.ID)
	}
	if in.Permissions, err = who.grant(a.Role, in.Permissions); err != nil {
		return made, err
	}
	if err := s.checkTokens(ctx, tx, a.ID); err != nil {
		return made, err
	}
	maker, err := s.maker(ctx, tx, who, a)
	if err != nil {
		return made, err
	}
	made.Token, made.text, err = s.insertToken(ctx, tx, a, in, maker)
	return made, err
}

// maker returns the token by which an agent makes another one for itself: the
// zero one where somebody else does, or the command line.
func (s *Service) maker(ctx context.Context, tx Tx, who Caller, a Agent) (Token, error) {
	if who.TokenID == "" || who.Agent.ID != a.ID {
		return Token{}, nil
	}
	t, err := readDocument[tokenRecord](ctx, tx, who.TokenID)
	if errors.Is(err, ErrNotFound) || err == nil && !s.isLive(t.Token) { // it ended after it let the caller in
		return Token{}, ErrUnknownToken
	}
	return t.Token, err
}

// maxTokens is how many tokens an agent has at most that let somebody in.
const maxTokens = 100

func (s *Service) checkTokens(ctx context.Context, tx Tx, agent string) error {
	all, err := tokensOf(ctx, tx, agent)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(t Token) bool { return !s.isLive(t) })
	if len(all) >= maxTokens {
		return ErrConflict.With("The agent %s has %d tokens already. Revoke one first.", agent, len(all))
	}
	return nil
}

// tokensOf returns the tokens of an agent, also those that have ended.
func tokensOf(ctx context.Context, tx Tx, agent string) ([]Token, error) {
	records, err := tokenRecords(ctx, tx, agent)
	all := []Token{}
	for _, t := range records {
		all = append(all, t.Token)
	}
	return all, err
}

func tokenRecords(ctx context.Context, tx Tx, agent string) ([]tokenRecord, error) {
	all, err := readDocuments[tokenRecord](ctx, tx)
	return slices.DeleteFunc(all, func(t tokenRecord) bool { return t.Agent != agent }), err
}

// Tokens returns the tokens of an agent, who may be the caller or, with
// Configure, anybody.
func (s *Service) Tokens(ctx context.Context, who Caller, agent string) (all []Token, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		a, err := holder(ctx, tx, who, agent)
		if err != nil {
			return err
		}
		all, err = tokensOf(ctx, tx, a.ID)
		return err
	})
	return all, err
}

// RevokeToken ends a token of an agent, and those that it made. With Configure
// the agent is anybody, else the caller; a limited token then ends only itself
// and those that it made.
func (s *Service) RevokeToken(ctx context.Context, who Caller, agent, token string) error {
	_, err := change(ctx, s, who, itsOwn, Scope, func(tx Tx, done *audited) (none struct{}, err error) {
		a, err := holder(ctx, tx, who, agent)
		if err != nil {
			return none, err
		}
		before, err := readDocument[tokenRecord](ctx, tx, token)
		if err != nil {
			return none, err
		}
		if before.Agent != a.ID {
			return none, ErrNotFound.With("There is no token %q.", token)
		}
		all, err := tokenRecords(ctx, tx, a.ID)
		if err != nil {
			return none, err
		}
		if !who.mayRevoke(token, all) {
			return none, ErrDenied.With("The caller's token allows less than the role and ends only itself and those that it made.")
		}
		if err := who.checkVersion(before.Version); err != nil || !before.RevokedAt.IsZero() {
			return none, err
		}
		if *done, err = s.revoke(ctx, tx, before); err != nil {
			return none, err
		}
		return none, s.revokeMade(ctx, tx, who, token, all)
	})
	return err
}

// mayRevoke reports whether the caller may end the token, which is one of all
// those of its agent.
func (who Caller) mayRevoke(token string, all []tokenRecord) bool {
	if who.May(Configure) || token == who.TokenID {
		return true
	}
	limited := slices.ContainsFunc(who.Agent.Role.Permissions(), func(p Permission) bool { return !who.May(p) })
	return !limited || who.TokenID != "" && madeBy(who.TokenID, all)[token]
}

// madeBy returns the ids of those of all tokens that the token made, or that
// these made.
func madeBy(token string, all []tokenRecord) map[string]bool {
	made := map[string]bool{}
	for more := true; more; {
		more = false
		for _, t := range all {
			if !made[t.ID] && (t.MadeBy == token || made[t.MadeBy]) {
				made[t.ID], more = true, true
			}
		}
	}
	return made
}

// revokeMade ends all tokens that a token made: they are some of the agent's,
// which are few.
func (s *Service) revokeMade(ctx context.Context, tx Tx, who Caller, token string, all []tokenRecord) error {
	made := madeBy(token, all)
	for _, t := range all {
		if !made[t.ID] || !s.isLive(t.Token) {
			continue
		}
		done, err := s.revoke(ctx, tx, t)
		if err != nil {
			return err
		}
		if err := s.record(ctx, tx, who, done); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) revoke(ctx context.Context, tx Tx, before tokenRecord) (audited, error) {
	after := before
	after.RevokedAt = s.now()
	after, err := writeDocument(ctx, tx, s.now(), after)
	return audited{Entry: Entry{Action: "token.revoke", Subject: after.ID}, before: before.Token, after: after.Token}, err
}

// FirstAgent makes an administrator with a token in a store that has no agent
// yet, and returns the token's text; elsewhere it does nothing and returns "".
func (s *Service) FirstAgent(ctx context.Context) (text string, err error) {
	operator := Operator()
	err = s.Store.Update(ctx, Scope, func(tx Tx) error {
		text = ""
		all, err := tx.Documents(ctx, KindAgent)
		if len(all) > 0 || err != nil {
			return err
		}
		id, err := s.unusedID(ctx, tx, KindAgent, "agent-")
		if err != nil {
			return err
		}
		a, err := insertDocument(ctx, tx, s.now(), Agent{
			ID: id, Name: "First agent", Email: "agent@example.com", Role: RoleAdministrator, Active: true,
			Teams: []string{}, Services: []string{}, Languages: []string{}, CreatedAt: s.now(),
		})
		if err != nil {
			return err
		}
		var t Token
		if t, text, err = s.insertToken(ctx, tx, a, NewToken{Name: "First token", Life: maxTokenLife}, Token{}); err != nil {
			return err
		}
		return errors.Join(
			s.record(ctx, tx, operator, audited{Entry: Entry{Action: "agent.create", Subject: a.ID}, after: a}),
			s.record(ctx, tx, operator, audited{Entry: Entry{Action: "token.create", Subject: t.ID}, after: t}),
		)
	})
	if err != nil {
		return "", err
	}
	return text, nil
}

// isLive reports whether a token lets its agent in. A revocation holds at once and
// for good, also where the clock is behind that of whoever revoked the token.
func (s *Service) isLive(t Token) bool { return t.RevokedAt.IsZero() && !s.expired(t, s.now()) }

func (s *Service) expired(t Token, at time.Time) bool {
	return !s.EndlessTokens && !at.Before(t.ExpiresAt)
}

// allowed returns what the role and the token both allow.
func (t Token) allowed(role Role) []Permission {
	if len(t.Permissions) == 0 {
		return role.Permissions()
	}
	return slices.DeleteFunc(role.Permissions(), func(p Permission) bool { return !slices.Contains(t.Permissions, p) })
}

func (in NewToken) check() error {
	if in.Life < 0 || in.Life > maxTokenLife {
		return ErrInvalid.With("A token lives for 1 to %d seconds, which are a year.", int64(maxTokenLife/time.Second))
	}
	return checkName("name of the token", in.Name)
}

// insertToken makes a token of an agent, by another one of the agent or the zero
// one; nobody asks whether it may be made.
func (s *Service) insertToken(ctx context.Context, tx Tx, a Agent, in NewToken, maker Token) (Token, string, error) {
	life := in.Life
	if life == 0 {
		life = tokenLife
	}
	now := s.now()
	id, err := s.unusedID(ctx, tx, KindToken, "")
	if err != nil {
		return Token{}, "", err
	}
	t := tokenRecord{Token: Token{
		ID: id, Agent: a.ID, Name: in.Name, Permissions: in.Permissions,
		MadeBy: maker.ID, CreatedAt: now, ExpiresAt: now.Add(life).Truncate(time.Microsecond),
	}}
	if maker.ID != "" && maker.ExpiresAt.Before(t.ExpiresAt) {
		t.ExpiresAt = maker.ExpiresAt
	}
	text := tokenPrefix + t.ID + "_" + base64.RawURLEncoding.EncodeToString(random.Bytes(s.Random, 32))
	t.Hash = tokenHash(text)
	t, err = insertDocument(ctx, tx, now, t)
	return t.Token, text, err
}

// tokenPrefix lets programs that look for secrets in the wrong place know one.
const tokenPrefix = "sdt_"

// tokenID returns the id in a token's text, which is sdt_ID_SECRET.
func tokenID(text string) (string, bool) {
	rest, ok := strings.CutPrefix(text, tokenPrefix)
	if !ok {
		return "", false
	}
	id, secret, ok := strings.Cut(rest, "_")
	return id, ok && id != "" && secret != ""
}

func tokenHash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// holder returns the active or inactive agent whose tokens the caller asks for.
func holder(ctx context.Context, tx Tx, who Caller, ref string) (Agent, error) {
	a, err := findAgent(ctx, tx, ref)
	if err == nil && a.ID == who.Agent.ID {
		return a, nil
	}
	return a, cmp.Or(who.need(Configure), err)
}

// grant returns the permissions of a new token that the caller asks for. Who is
// limited says so for all tokens made: "all of the role" might be more one day.
func (who Caller) grant(role Role, asked []Permission) ([]Permission, error) {
	if len(asked) == 0 {
		if !who.limited {
			return []Permission{}, nil
		}
		asked = Token{Permissions: who.Allowed}.allowed(role)
	}
	if len(asked) == 0 {
		return nil, ErrDenied.With("The caller's token allows nothing that the role %q does.", role)
	}
	for _, p := range asked {
		if !slices.Contains(role.Permissions(), p) {
			return nil, ErrInvalid.With("The role %q does not have the permission %q.", role, p)
		}
		if !who.May(p) {
			return nil, ErrDenied.With("The caller's token does not allow %q and can make none that does.", p)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(asked))), nil
}

package desk_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/desk"
)

const day = 24 * time.Hour

func TestTokenLetsItsAgentIn(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	jane := o.mustHire(t, "jane", desk.RoleLead).Agent
	made, text := o.mustCreateToken(t, desk.Operator(), jane.ID, desk.NewToken{Name: "laptop", Permissions: []desk.Permission{desk.Read, desk.Manage}})

	want := desk.Token{
		ID: made.ID, Agent: jane.ID, Name: "laptop", Permissions: []desk.Permission{desk.Manage, desk.Read},
		CreatedAt: o.clock, ExpiresAt: o.clock.Add(90 * day), Version: 1,
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("CreateToken() (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(text, "sdt_"+made.ID+"_") || len(text) != len("sdt_"+made.ID+"_")+43 {
		t.Errorf("CreateToken() = %q, want sdt_%s_ and 256 bits in base64", text, made.ID)
	}
	who := o.mustAuthenticate(t, text)
	if diff := cmp.Diff(jane, who.Agent); diff != "" || who.TokenID != made.ID {
		t.Errorf("Authenticate() = token %s of (-want +got):\n%s", who.TokenID, diff)
	}
	if diff := cmp.Diff([]desk.Permission{desk.Read, desk.Manage}, who.Allowed); diff != "" {
		t.Errorf("Authenticate() allows (-want +got):\n%s", diff)
	}
}

func TestTokenThatLetsNobodyInDoesNotSayWhy(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	o.mustHire(t, "admin", desk.RoleAdministrator)
	jane, joe := o.mustHire(t, "jane", desk.RoleAgent).Agent, o.mustHire(t, "joe", desk.RoleAgent).Agent
	revoked, revokedText := o.mustCreateToken(t, desk.Operator(), jane.ID, desk.NewToken{Name: "revoked"})
	if err := o.RevokeToken(ctx, desk.Operator(), jane.ID, revoked.ID); err != nil {
		t.Fatalf("RevokeToken() = %v", err)
	}
	_, inactiveText := o.mustCreateToken(t, desk.Operator(), joe.ID, desk.NewToken{Name: "inactive"})
	joe.Active = false
	if _, err := o.UpdateAgent(ctx, desk.Operator(), joe); err != nil {
		t.Fatalf("UpdateAgent(inactive) = %v", err)
	}
	_, expired := o.mustCreateToken(t, desk.Operator(), jane.ID, desk.NewToken{Name: "expired", Life: time.Hour})
	good, goodText := o.mustCreateToken(t, desk.Operator(), jane.ID, desk.NewToken{Name: "good"})
	o.clock = o.clock.Add(time.Hour)
	o.mustAuthenticate(t, goodText)

	for what, text := range map[string]string{
		"empty": "", "words": "let me in", "prefix only": "sdt_", "no secret": "sdt_" + good.ID + "_", "no id": "sdt__x",
		"unknown":          strings.Replace(goodText, good.ID, "0123456789abcdef", 1),
		"another's secret": "sdt_" + good.ID + strings.TrimPrefix(revokedText, "sdt_"+revoked.ID),
		"cut":              goodText[:len(goodText)-1], "longer": goodText + "A", "other prefix": "xxx" + goodText[3:],
		"revoked": revokedText, "inactive": inactiveText, "expired": expired,
	} {
		who, err := o.Authenticate(ctx, text)
		if err != desk.ErrUnknownToken || who.Agent.ID != "" || who.Allowed != nil {
			t.Errorf("Authenticate(%s) = %+v, %v, want ErrUnknownToken as for all", what, who, err)
		}
	}
}

func TestTokenEndsAtTheNextRequest(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	jane := o.mustHire(t, "jane", desk.RoleAgent)
	_, text := o.mustCreateToken(t, jane, jane.Agent.ID, desk.NewToken{Name: "second"})
	who := o.mustAuthenticate(t, text)
	if err := o.RevokeToken(ctx, jane, jane.Agent.ID, who.TokenID); err != nil {
		t.Fatalf("RevokeToken() = %v", err)
	}
	for _, behind := range []time.Duration{0, time.Minute} { // the clock of another node
		o.clock = o.clock.Add(-behind)
		if _, err := o.Authenticate(ctx, text); !errors.Is(err, desk.ErrUnknownToken) {
			t.Errorf("Authenticate(revoked) by a clock that is %v behind = %v, want ErrUnknownToken", behind, err)
		}
	}
	if err := o.RevokeToken(ctx, jane, jane.Agent.ID, who.TokenID); err != nil {
		t.Errorf("RevokeToken() again = %v, want nil", err)
	}
	if got := actions(o.entries(t, desk.EntryQuery{Subject: who.TokenID})); !slices.Equal(got, []string{"token.create", "token.revoke"}) {
		t.Errorf("the audit log has %v, want one revocation", got)
	}
}

func TestChangeOfRoleHoldsForTokensThatAreThere(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	jane := o.mustHire(t, "jane", desk.RoleAdministrator).Agent
	o.mustHire(t, "other", desk.RoleAdministrator)
	_, all := o.mustCreateToken(t, desk.Operator(), jane.ID, desk.NewToken{Name: "all"})
	_, some := o.mustCreateToken(t, desk.Operator(), jane.ID, desk.NewToken{Name: "some", Permissions: []desk.Permission{desk.Read, desk.Configure}})
	for _, row := range []struct {
		role      desk.Role
		all, some []desk.Permission
	}{
		{desk.RoleAgent, []desk.Permission{desk.Read, desk.Work}, []desk.Permission{desk.Read}},
		{desk.RoleAuditor, []desk.Permission{desk.Read, desk.Audit}, []desk.Permission{desk.Read}},
		{desk.RoleAdministrator, desk.RoleAdministrator.Permissions(), []desk.Permission{desk.Read, desk.Configure}},
	} {
		jane.Role = row.role
		if _, err := o.UpdateAgent(t.Context(), desk.Operator(), jane); err != nil {
			t.Fatalf("UpdateAgent(%s) = %v", row.role, err)
		}
		for text, want := range map[string][]desk.Permission{all: row.all, some: row.some} {
			if got := o.mustAuthenticate(t, text).Allowed; !slices.Equal(got, want) {
				t.Errorf("as %s a token allows %v, want %v", row.role, got, want)
			}
		}
	}
}

func TestTokenIsNotBroaderThanWhoMakesIt(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	limited := o.mustHire(t, "limited", desk.RoleAdministrator, desk.Read, desk.Configure)
	lead := o.mustHire(t, "lead", desk.RoleLead)
	for _, row := range []struct {
		who   desk.Caller
		agent desk.Caller
		asked []desk.Permission
		want  error
	}{
		{limited, limited, []desk.Permission{desk.Read}, nil},
		{limited, limited, []desk.Permission{desk.Read, desk.Work}, desk.ErrDenied},
		{limited, lead, []desk.Permission{desk.Manage}, desk.ErrDenied},
		{lead, lead, []desk.Permission{desk.Manage}, nil},
		{lead, lead, []desk.Permission{desk.Configure}, desk.ErrInvalid},
		{lead, lead, []desk.Permission{"fly"}, desk.ErrInvalid},
	} {
		_, _, err := o.CreateToken(ctx, row.who, row.agent.Agent.ID, desk.NewToken{Name: "new", Permissions: row.asked})
		if !errors.Is(err, row.want) {
			t.Errorf("CreateToken(%v) for %s by %s = %v, want %v", row.asked, row.agent.Agent.Name, row.who.Agent.Name, err, row.want)
		}
	}
	// All of the role, asked for by a token that is limited, are those of the
	// token, whatever the role is one day.
	for agent, want := range map[string][]desk.Permission{
		limited.Agent.ID: {desk.Configure, desk.Read},
		lead.Agent.ID:    {desk.Read},
	} {
		if made, _ := o.mustCreateToken(t, limited, agent, desk.NewToken{Name: "all"}); !slices.Equal(made.Permissions, want) {
			t.Errorf("CreateToken() for %s by a limited token allows %v, want %v", agent, made.Permissions, want)
		}
	}
}

func TestTokenLivesForAYearAtMost(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	jane := o.mustHire(t, "jane", desk.RoleAgent)
	for life, want := range map[time.Duration]time.Duration{0: 90 * day, time.Minute: time.Minute, 365 * day: 365 * day} {
		if made, _ := o.mustCreateToken(t, desk.Operator(), jane.Agent.ID, desk.NewToken{Name: "x", Life: life}); !made.ExpiresAt.Equal(o.clock.Add(want)) {
			t.Errorf("CreateToken(%v) expires %v, want after %v", life, made.ExpiresAt, want)
		}
	}
	for _, in := range []desk.NewToken{{Name: "x", Life: 365*day + 1}, {Name: "x", Life: -1}, {Name: ""}} {
		if _, _, err := o.CreateToken(t.Context(), jane, jane.Agent.ID, in); !errors.Is(err, desk.ErrInvalid) {
			t.Errorf("CreateToken(%+v) = %v, want ErrInvalid", in, err)
		}
	}
}

func TestTokensOfAnotherAgentAreNotSeen(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	jane, joe := o.mustHire(t, "jane", desk.RoleLead), o.mustHire(t, "joe", desk.RoleAgent)
	mine, err := o.Tokens(ctx, jane, "jane@example.com")
	if err != nil || len(mine) != 1 || mine[0].ID != jane.TokenID {
		t.Errorf("Tokens(own) = %+v, %v, want the one of the caller", mine, err)
	}
	if _, err := o.Tokens(ctx, jane, joe.Agent.ID); !errors.Is(err, desk.ErrDenied) {
		t.Errorf("Tokens(another's) = %v, want ErrDenied", err)
	}
	if err := o.RevokeToken(ctx, jane, jane.Agent.ID, joe.TokenID); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("RevokeToken(another's as one's own) = %v, want ErrNotFound", err)
	}
	if _, _, err := o.CreateToken(ctx, jane, joe.Agent.ID, desk.NewToken{Name: "x"}); !errors.Is(err, desk.ErrDenied) {
		t.Errorf("CreateToken(another's) = %v, want ErrDenied", err)
	}
}

func TestInactiveAgentGetsNoToken(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	away := newAgent("away", desk.RoleAgent)
	away.Active = false
	a, err := o.CreateAgent(t.Context(), desk.Operator(), away)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.CreateToken(t.Context(), desk.Operator(), a.ID, desk.NewToken{Name: "x"}); !errors.Is(err, desk.ErrConflict) {
		t.Errorf("CreateToken(inactive) = %v, want ErrConflict", err)
	}
}

func TestFirstAgentIsMadeOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	text, err := o.FirstAgent(t.Context())
	if err != nil {
		t.Fatalf("FirstAgent() = %v", err)
	}
	who := o.mustAuthenticate(t, text)
	if who.Agent.Name != "First agent" || who.Agent.Email != "agent@example.com" || !slices.Equal(who.Allowed, desk.RoleAdministrator.Permissions()) {
		t.Errorf("the first agent is %+v, want an administrator", who)
	}
	if again, err := o.FirstAgent(t.Context()); again != "" || err != nil {
		t.Errorf("FirstAgent() again = %q, %v, want nothing", again, err)
	}
	if got := actions(o.entries(t, desk.EntryQuery{})); !slices.Equal(got, []string{"agent.create", "token.create"}) {
		t.Errorf("the audit log has %v, want the agent and the token", got)
	}
	o.clock = o.clock.Add(365*day - time.Second)
	o.mustAuthenticate(t, text)
	o.clock = o.clock.Add(time.Second)
	if _, err := o.Authenticate(t.Context(), text); !errors.Is(err, desk.ErrUnknownToken) {
		t.Errorf("Authenticate(after a year) = %v, want ErrUnknownToken", err)
	}
}

func TestSecretsOfTokensAreNowhere(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	jane := o.mustHire(t, "jane", desk.RoleAgent)
	who := jane
	who.Once = desk.Repeatable{Key: "k", Hash: [32]byte{1}}
	made, text := o.mustCreateToken(t, who, jane.Agent.ID, desk.NewToken{Name: "second"})
	if err := o.RevokeToken(ctx, jane, jane.Agent.ID, made.ID); err != nil {
		t.Fatal(err)
	}
	secret := []byte(strings.TrimPrefix(text, "sdt_"+made.ID+"_"))
	for _, e := range o.entries(t, desk.EntryQuery{}) {
		for _, kept := range [][]byte{e.Before, e.After} {
			if bytes.Contains(kept, secret) || bytes.Contains(kept, []byte("hash")) {
				t.Errorf("the entry %s has %s, want no secret and no hash", e.Action, kept)
			}
		}
	}
	err := o.Store.View(ctx, func(tx desk.Tx) error {
		documents, err := tx.Documents(ctx, desk.KindToken)
		for _, d := range documents {
			if bytes.Contains(d.Content, secret) {
				t.Errorf("the document of the token has the secret: %s", d.Content)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// The first answer had the secret, and cannot be given again.
	if _, again, err := o.CreateToken(ctx, who, jane.Agent.ID, desk.NewToken{Name: "second"}); !errors.Is(err, desk.ErrConflict) || again != "" || !strings.Contains(err.Error(), made.ID) {
		t.Errorf("CreateToken() again = %q, %v, want ErrConflict that names the token", again, err)
	}
	if all, err := o.Tokens(ctx, jane, jane.Agent.ID); err != nil || len(all) != 2 {
		t.Errorf("Tokens() = %+v, %v, want two", all, err)
	}
}

func TestTokenDoesNotOutlastTheOneThatMadeIt(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	jane, admin := o.mustHire(t, "jane", desk.RoleAgent).Agent, o.mustHire(t, "admin", desk.RoleAdministrator)
	short, text := o.mustCreateToken(t, desk.Operator(), jane.ID, desk.NewToken{Name: "short", Permissions: []desk.Permission{desk.Read}, Life: time.Minute})
	who := o.mustAuthenticate(t, text)
	o.clock = o.clock.Add(30 * time.Second)
	long, longText := o.mustCreateToken(t, who, jane.ID, desk.NewToken{Name: "long", Life: 300 * day})
	if !long.ExpiresAt.Equal(short.ExpiresAt) || long.MadeBy != short.ID {
		t.Errorf("CreateToken(300 days) by a token that ends %v = %+v, want the same end, made by %s", short.ExpiresAt, long, short.ID)
	}
	longer, _ := o.mustCreateToken(t, o.mustAuthenticate(t, longText), jane.ID, desk.NewToken{Name: "longer"})
	if !longer.ExpiresAt.Equal(short.ExpiresAt) || longer.MadeBy != long.ID {
		t.Errorf("CreateToken() by the new one = %+v, want the same end, made by %s", longer, long.ID)
	}
	if made, _ := o.mustCreateToken(t, who, jane.ID, desk.NewToken{Name: "brief", Life: time.Second}); !made.ExpiresAt.Equal(o.clock.Add(time.Second)) {
		t.Errorf("CreateToken(1s) expires %v, want after a second", made.ExpiresAt)
	}
	if made, _ := o.mustCreateToken(t, admin, jane.ID, desk.NewToken{Name: "of another", Life: 300 * day}); !made.ExpiresAt.Equal(o.clock.Add(300*day)) || made.MadeBy != "" {
		t.Errorf("CreateToken(300 days) for another agent = %+v, want all of the time", made)
	}
	if made, _ := o.mustCreateToken(t, admin, admin.Agent.ID, desk.NewToken{Name: "own", Life: 300 * day}); made.ExpiresAt.After(o.clock.Add(90 * day)) {
		t.Errorf("CreateToken(300 days) of an administrator's own expires %v, want when the one that made it does", made.ExpiresAt)
	}
	if err := o.RevokeToken(ctx, who, jane.ID, short.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.CreateToken(ctx, who, jane.ID, desk.NewToken{Name: "late"}); !errors.Is(err, desk.ErrUnknownToken) {
		t.Errorf("CreateToken() by a token that was revoked meanwhile = %v, want ErrUnknownToken", err)
	}
}

func TestRevokedTokenEndsThoseThatItMade(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	jane := o.mustHire(t, "jane", desk.RoleAdministrator)
	other := o.mustHire(t, "other", desk.RoleAgent)
	create := func(who desk.Caller, agent string) (desk.Caller, string) {
		_, text := o.mustCreateToken(t, who, agent, desk.NewToken{Name: "x"})
		return o.mustAuthenticate(t, text), text
	}
	child, childText := create(jane, jane.Agent.ID)
	grandchild, grandchildText := create(child, jane.Agent.ID)
	_, sibling := create(desk.Operator(), jane.Agent.ID)
	_, others := create(jane, other.Agent.ID)
	if err := o.RevokeToken(t.Context(), desk.Operator(), jane.Agent.ID, jane.TokenID); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"a token that it made": childText, "one that this made": grandchildText} {
		if _, err := o.Authenticate(t.Context(), text); !errors.Is(err, desk.ErrUnknownToken) {
			t.Errorf("after RevokeToken() %s = %v, want ErrUnknownToken", what, err)
		}
	}
	o.mustAuthenticate(t, sibling)
	o.mustAuthenticate(t, others)
	for _, id := range []string{jane.TokenID, child.TokenID, grandchild.TokenID} {
		if got := actions(o.entries(t, desk.EntryQuery{Subject: id})); !slices.Equal(got, []string{"token.create", "token.revoke"}) {
			t.Errorf("the audit log of %s has %v, want that it was revoked", id, got)
		}
	}
}

func TestLimitedTokenRevokesItselfAndThoseThatItMade(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	jane := o.mustHire(t, "jane", desk.RoleLead).Agent
	create := func(who desk.Caller, permissions ...desk.Permission) desk.Caller {
		_, text := o.mustCreateToken(t, who, jane.ID, desk.NewToken{Name: "x", Permissions: permissions})
		return o.mustAuthenticate(t, text)
	}
	full, limited := create(desk.Operator()), create(desk.Operator(), desk.Read)
	all := create(desk.Operator(), desk.RoleLead.Permissions()...)
	child := create(limited)
	grandchild := create(child)
	admin := o.mustHire(t, "admin", desk.RoleAdministrator, desk.Configure)
	for _, row := range []struct {
		what       string
		who, token desk.Caller
		want       error
	}{
		{"a limited one its agent's full one", limited, full, desk.ErrDenied},
		{"a limited one another limited one", limited, all, desk.ErrDenied},
		{"a limited one its maker", child, limited, desk.ErrDenied},
		{"a limited one what it made", child, grandchild, nil},
		{"a limited one itself", limited, limited, nil},
		{"one with all permissions of the role another one", all, full, nil},
		{"an administrator anybody's", admin, all, nil},
	} {
		if err := o.RevokeToken(t.Context(), row.who, jane.ID, row.token.TokenID); !errors.Is(err, row.want) {
			t.Errorf("RevokeToken(): %s = %v, want %v", row.what, err, row.want)
		}
	}
}

func TestTokenThatMayAnythingElseKeepsItsAgentsTokens(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	other := o.mustHire(t, "other", desk.RoleLead)
	for _, p := range []desk.Permission{desk.Work, desk.Manage, desk.Configure, desk.Audit} {
		who := o.mustHire(t, string(p), desk.RoleAdministrator, p)
		made, _ := o.mustCreateToken(t, who, who.Agent.ID, desk.NewToken{Name: "mine"})
		if all, err := o.Tokens(ctx, who, who.Agent.ID); err != nil || len(all) != 2 {
			t.Errorf("Tokens() with %s = %v, %v, want two", p, all, err)
		}
		if err := o.RevokeToken(ctx, who, who.Agent.ID, made.ID); err != nil {
			t.Errorf("RevokeToken() with %s = %v", p, err)
		}
		if _, err := o.Tokens(ctx, who, other.Agent.ID); (err == nil) != (p == desk.Configure) {
			t.Errorf("Tokens(another's) with %s = %v", p, err)
		}
	}
}

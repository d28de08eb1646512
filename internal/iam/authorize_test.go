package iam_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/iam"
)

func TestAuthorizeWords(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	must(t, w.PutPolicy(t.Context(), retail, "Deny", denyPolicy))
	root := w.mustKey(t, retail, "")
	reader, denied := w.mustUser(t, retail, "reader", "ReadOnlyAccess"), w.mustUser(t, retail, "denied", "AWSSupportAccess", "Deny")
	ops, barred := w.mustSession(t, retail, "Ops", "jane", "ReadOnlyAccess"), w.mustSession(t, retail, "Barred", "jane", "Deny")
	const (
		user = "User: arn:aws:iam::" + retail + ":user/"
		role = "User: arn:aws:sts::" + retail + ":assumed-role/"
	)
	for _, tt := range []struct {
		key          iam.NewKey
		action, want string // empty: allowed
	}{
		{root, "support:CreateCase", ""},
		{reader, "support:DescribeCases", ""},
		{reader, "support:CreateCase", user + "reader is not authorized to perform: support:CreateCase because no identity-based policy allows the support:CreateCase action"},
		{denied, "support:DescribeCases", user + "denied is not authorized to perform: support:DescribeCases with an explicit deny in an identity-based policy"},
		{ops, "support:DescribeCases", ""},
		{ops, "support:ResolveCase", role + "Ops/jane is not authorized to perform: support:ResolveCase because no identity-based policy allows the support:ResolveCase action"},
		{barred, "support:ResolveCase", role + "Barred/jane is not authorized to perform: support:ResolveCase with an explicit deny in an identity-based policy"},
	} {
		err := iam.Authorize(w.mustIdentity(t, tt.key), tt.action, iam.CallContext{})
		if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, iam.ErrAccessDenied) || err.Error() != tt.want) {
			t.Errorf("Authorize(%s of %s %q) = %v, want %q", tt.action, tt.key.Kind, tt.key.Name, err, tt.want)
		}
	}
}

// Subscription first, also for the root and for those whom a policy denies.
func TestThePlanIsLookedAtBeforeThePolicies(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	keys := []iam.NewKey{
		w.mustKey(t, retail, ""), w.mustUser(t, retail, "allowed", "AdministratorAccess"), w.mustUser(t, retail, "nobody"),
		w.mustSession(t, retail, "Ops", "jane", "AWSSupportAccess"),
	}
	for _, plan := range iam.Plans() {
		_, err := w.UpdateAccount(t.Context(), retail, iam.AccountChange{Plan: &plan.ID})
		must(t, err)
		for _, key := range keys {
			err := iam.Authorize(w.mustIdentity(t, key), "support:DescribeCases", iam.CallContext{})
			if got := errors.Is(err, iam.ErrSubscriptionRequired); got == plan.API {
				t.Errorf("Authorize of %s %q on plan %s = %v, want a subscription required: %t", key.Kind, key.Name, plan.ID, err, !plan.API)
			}
		}
	}
	if got, want := iam.ErrSubscriptionRequired.Error(), "Amazon Web Services Premium Support Subscription is required to use this service."; got != want {
		t.Errorf("ErrSubscriptionRequired = %q, want %q", got, want)
	}
}

// Every condition key has exactly the value that the table says, and is missing
// where the table says nothing. A policy that allows only that is put for each.
func TestConditionKeysOfARequest(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	for _, name := range []string{"Is", "Null"} {
		must(t, w.PutPolicy(t.Context(), retail, name, denyPolicy)) // replaced below
	}
	alice, jane := w.mustUser(t, retail, "alice", "Is"), w.mustSession(t, retail, "Ops", "jane", "Is")
	id := func(kind iam.PrincipalKind) string {
		all, err := w.Principals(t.Context(), retail, kind)
		must(t, err)
		return all[0].ID
	}
	call := iam.CallContext{
		SourceIP: netip.MustParseAddr("2001:db8::1"), UserAgent: "aws-cli/2", Secure: true, Region: "eu-west-1",
		Time: time.Date(2026, 3, 2, 10, 0, 0, 0, time.FixedZone("", 3600)),
	}
	full := map[string]string{
		"aws:PrincipalAccount": retail, "aws:SourceIp": "2001:db8::1", "aws:UserAgent": "aws-cli/2", "aws:SecureTransport": "true",
		"aws:RequestedRegion": "eu-west-1", "aws:CurrentTime": "2026-03-02T09:00:00Z", "aws:EpochTime": strconv.FormatInt(call.Time.Unix(), 10),
	}
	bare := map[string]string{
		"aws:PrincipalAccount": retail, "aws:SecureTransport": "false", "aws:CurrentTime": "0001-01-01T00:00:00Z", "aws:EpochTime": "-62135596800",
	}
	ofAlice := map[string]string{
		"aws:PrincipalArn": "arn:aws:iam::" + retail + ":user/alice", "aws:PrincipalType": "User", "aws:userid": id(iam.User), "aws:username": "alice",
	}
	ofJane := map[string]string{
		"aws:PrincipalArn": "arn:aws:iam::" + retail + ":role/Ops", "aws:PrincipalType": "AssumedRole", "aws:userid": id(iam.Role) + ":jane",
		"aws:TokenIssueTime": "2026-03-02T09:00:00Z",
	}
	keys := []string{
		"aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:userid", "aws:username", "aws:SourceIp", "aws:UserAgent",
		"aws:SecureTransport", "aws:RequestedRegion", "aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime",
	}
	for _, tt := range []struct {
		key         iam.NewKey
		call        iam.CallContext
		ofPrincipal map[string]string
		ofCall      map[string]string
	}{
		{alice, call, ofAlice, full},
		{alice, iam.CallContext{}, ofAlice, bare},
		{jane, call, ofJane, full},
		{jane, iam.CallContext{}, ofJane, bare},
	} {
		for _, key := range keys {
			want, ok := tt.ofPrincipal[key]
			if !ok {
				want, ok = tt.ofCall[key]
			}
			condition := fmt.Sprintf(`{"StringEquals":{%q:%q}}`, key, want)
			if !ok {
				condition = fmt.Sprintf(`{"Null":{%q:"true"}}`, key)
			}
			must(t, w.PutPolicy(t.Context(), retail, "Is", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+condition+`}}`))
			if err := iam.Authorize(w.mustIdentity(t, tt.key), "support:CreateCase", tt.call); err != nil {
				t.Errorf("%s %q: the condition %s does not hold: %v", tt.key.Kind, tt.key.Name, condition, err)
			}
		}
	}
}

func TestSimulate(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	ctx := t.Context()
	must(t, w.PutPolicy(ctx, retail, "NoResolve", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"support:ResolveCase","Resource":"*"}}`))
	must(t, w.PutPolicy(ctx, retail, "Insecure", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}}`))
	must(t, w.PutPolicy(ctx, retail, "Self", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"support:CreateCase","Resource":"*","Condition":{"StringEquals":{"aws:username":"bob"},"DateGreaterThan":{"aws:CurrentTime":"2026-03-01T00:00:00Z"}}}}`))
	for name, policies := range map[string][]string{"alice": {"ReadOnlyAccess", "NoResolve"}, "bob": {"Self", "Insecure"}} {
		_, err := w.CreateUser(ctx, retail, name, policies)
		must(t, err)
	}
	_, err := w.CreateRole(ctx, retail, "alice", []string{"AdministratorAccess"})
	must(t, err)
	actions := []string{"support:DescribeCases", "support:CreateCase", "support:ResolveCase"}
	for _, tt := range []struct {
		kind iam.PrincipalKind
		name string
		want []iam.Decision
	}{
		{iam.User, "alice", []iam.Decision{iam.Allow, iam.ImplicitDeny, iam.ExplicitDeny}},
		{iam.User, "bob", []iam.Decision{iam.ImplicitDeny, iam.Allow, iam.ImplicitDeny}},
		{iam.Role, "alice", []iam.Decision{iam.Allow, iam.Allow, iam.Allow}},
	} {
		got, err := w.Simulate(ctx, retail, tt.kind, tt.name, actions)
		must(t, err)
		var want []iam.Simulation
		for i, action := range actions {
			want = append(want, iam.Simulation{ARN: "arn:aws:iam::" + retail + ":" + string(tt.kind) + "/" + tt.name, Action: action, Decision: tt.want[i]})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Simulate(%s %s) (-want +got):\n%s", tt.kind, tt.name, diff)
		}
	}
	_, err = w.Simulate(ctx, retail, iam.User, "none", actions)
	mustBe(t, "Simulate of no user", err, iam.ErrPrincipalNotFound)
	_, err = w.Simulate(ctx, banking, iam.User, "alice", actions)
	mustBe(t, "Simulate in another account", err, iam.ErrPrincipalNotFound)
}

// Two accounts have users and policies of the same names, and change them at
// random. What a user may is decided by the policies of its own account alone.
func TestNoIdentityIsJudgedByAnotherAccountsPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	accounts := []string{retail, banking}
	documents := []string{readPolicy, denyPolicy, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"support:*","Resource":"*"}}`}
	users, policies := []string{"alice", "bob"}, []string{"P", "Q"}
	keys := map[string]iam.NewKey{} // by account and user
	for _, account := range accounts {
		w.mustAccount(t, account)
		for _, user := range users {
			keys[account+user] = w.mustUser(t, account, user)
		}
	}
	ctx := t.Context()
	rapid.Check(t, func(r *rapid.T) {
		// What should be: the documents and the attachments of each account.
		document, attached := map[string]string{}, map[string]bool{}
		for _, account := range accounts {
			for _, policy := range policies {
				document[account+policy] = denyPolicy
				must(t, w.PutPolicy(ctx, account, policy, denyPolicy))
				for _, user := range users {
					must(t, w.DetachPolicy(ctx, account, iam.User, user, policy))
				}
			}
		}
		for range rapid.IntRange(1, 6).Draw(r, "changes") {
			account, user := rapid.SampledFrom(accounts).Draw(r, "account"), rapid.SampledFrom(users).Draw(r, "user")
			policy := rapid.SampledFrom(policies).Draw(r, "policy")
			switch rapid.SampledFrom([]string{"put", "attach", "attach", "detach"}).Draw(r, "change") {
			case "put":
				document[account+policy] = rapid.SampledFrom(documents).Draw(r, "document")
				must(t, w.PutPolicy(ctx, account, policy, document[account+policy]))
			case "attach":
				attached[account+user+policy] = true
				must(t, w.AttachPolicy(ctx, account, iam.User, user, policy))
			case "detach":
				attached[account+user+policy] = false
				must(t, w.DetachPolicy(ctx, account, iam.User, user, policy))
			}
		}
		for _, account := range accounts {
			for _, user := range users {
				var own []*iam.Policy
				for _, policy := range policies {
					if attached[account+user+policy] {
						own = append(own, mustDocument(t, document[account+policy]))
					}
				}
				for _, action := range []string{"support:DescribeCases", "support:CreateCase"} {
					want := evaluate(action, nil, own...)
					simulated, err := w.Simulate(ctx, account, iam.User, user, []string{action})
					must(t, err)
					err = iam.Authorize(w.mustIdentity(t, keys[account+user]), action, iam.CallContext{})
					if simulated[0].Decision != want || (err == nil) != (want == iam.Allow) {
						r.Fatalf("%s of %s in %s: Simulate = %v, Authorize = %v, want %v", action, user, account, simulated[0].Decision, err, want)
					}
				}
			}
		}
	})
}

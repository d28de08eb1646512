package iam_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/iam"
)

const (
	readPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"support:Describe*","Resource":"*"}}`
	denyPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"support:*","Resource":"*"}}`
)

func TestPutPolicy(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.mustAccount(t, banking)
	ctx := t.Context()
	must(t, w.PutPolicy(ctx, retail, "Z", readPolicy))
	must(t, w.PutPolicy(ctx, retail, strings.Repeat("n", 128), readPolicy))
	must(t, w.PutPolicy(ctx, banking, "Z", denyPolicy))
	w.clock.Advance(time.Hour)
	must(t, w.PutPolicy(ctx, retail, "Z", " "+readPolicy))

	mustBe(t, "PutPolicy of no account", w.PutPolicy(ctx, "999999999999", "P", readPolicy), iam.ErrAccountNotFound)
	mustBe(t, "PutPolicy of no JSON", w.PutPolicy(ctx, retail, "P", "{"), iam.ErrMalformedPolicy)
	for _, name := range []string{"", "a b", "a/b", strings.Repeat("n", 129), "ReadOnlyAccess", "AWSSupportAccess", "AdministratorAccess", "arn:aws:iam::aws:policy/P"} {
		if err := w.PutPolicy(ctx, retail, name, readPolicy); err == nil || !strings.Contains(err.Error(), "policy name") {
			t.Errorf("PutPolicy(%q) = %v, want an invalid name", name, err)
		}
	}
	now := w.clock.Now().Truncate(time.Microsecond)
	want := []iam.PolicyDocument{
		{Account: retail, Name: "Z", Document: " " + readPolicy, ChangedAt: now},
		{Account: retail, Name: strings.Repeat("n", 128), Document: readPolicy, ChangedAt: now.Add(-time.Hour)},
	}
	got, err := w.Policies(ctx, retail)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Policies (-want +got):\n%s", diff)
	}
	_, err = w.Policies(ctx, "999999999999")
	mustBe(t, "Policies of no account", err, iam.ErrAccountNotFound)
}

func TestAttachingAndDetaching(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.mustAccount(t, banking)
	ctx := t.Context()
	key := w.mustUser(t, retail, "alice")
	_, err := w.CreateRole(ctx, retail, "alice", nil) // of the same name
	must(t, err)
	must(t, w.PutPolicy(ctx, retail, "Own", readPolicy))
	must(t, w.PutPolicy(ctx, banking, "Theirs", readPolicy))
	attached := func() []string {
		users, err := w.Principals(ctx, retail, iam.User)
		must(t, err)
		return users[0].Policies
	}
	neighbour := w.neighbour(t)
	for _, step := range []struct {
		name   string
		change func(s *iam.Service) error
		want   []string
		may    bool // describe cases, afterwards
	}{
		{"attach an own policy", func(s *iam.Service) error { return s.AttachPolicy(ctx, retail, iam.User, "alice", "Own") }, []string{"Own"}, true},
		{"attach it again", func(s *iam.Service) error { return s.AttachPolicy(ctx, retail, iam.User, "alice", "Own") }, []string{"Own"}, true},
		{"attach a managed one by ARN", func(s *iam.Service) error {
			return s.AttachPolicy(ctx, retail, iam.User, "alice", "arn:aws:iam::aws:policy/ReadOnlyAccess")
		}, []string{"Own", "ReadOnlyAccess"}, true},
		{"replace the own one", func(s *iam.Service) error { return s.PutPolicy(ctx, retail, "Own", denyPolicy) }, []string{"Own", "ReadOnlyAccess"}, false},
		{"detach it", func(s *iam.Service) error { return s.DetachPolicy(ctx, retail, iam.User, "alice", "Own") }, []string{"ReadOnlyAccess"}, true},
		{"detach it again", func(s *iam.Service) error { return s.DetachPolicy(ctx, retail, iam.User, "alice", "Own") }, []string{"ReadOnlyAccess"}, true},
		{"detach from the role of that name", func(s *iam.Service) error {
			return s.DetachPolicy(ctx, retail, iam.Role, "alice", "ReadOnlyAccess")
		}, []string{"ReadOnlyAccess"}, true},
		{"detach by ARN", func(s *iam.Service) error {
			return s.DetachPolicy(ctx, retail, iam.User, "alice", "arn:aws:iam::aws:policy/ReadOnlyAccess")
		}, nil, false},
	} {
		must(t, step.change(neighbour))
		if got := attached(); !cmp.Equal(got, step.want) {
			t.Errorf("%s: attached are %v, want %v", step.name, got, step.want)
		}
		err := iam.Authorize(w.mustIdentity(t, key), "support:DescribeCases", iam.CallContext{})
		if may := err == nil; may != step.may {
			t.Errorf("%s: Authorize(support:DescribeCases) = %v, want allowed %t", step.name, err, step.may)
		}
	}
	for _, change := range []func(account string, kind iam.PrincipalKind, name, policy string) error{
		func(a string, kind iam.PrincipalKind, name, policy string) error {
			return w.AttachPolicy(ctx, a, kind, name, policy)
		},
		func(a string, kind iam.PrincipalKind, name, policy string) error {
			return w.DetachPolicy(ctx, a, kind, name, policy)
		},
	} {
		mustBe(t, "an unknown policy", change(retail, iam.User, "alice", "none"), iam.ErrPolicyNotFound)
		mustBe(t, "a policy of another account", change(retail, iam.User, "alice", "Theirs"), iam.ErrPolicyNotFound)
		mustBe(t, "an unknown user", change(retail, iam.User, "bob", "Own"), iam.ErrPrincipalNotFound)
		mustBe(t, "a user of another account", change(banking, iam.User, "alice", "Theirs"), iam.ErrPrincipalNotFound)
		mustBe(t, "the root", change(retail, iam.Root, "", "Own"), iam.ErrPrincipalNotFound)
	}
}

func TestDeletePolicy(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.mustAccount(t, banking)
	ctx := t.Context()
	for _, account := range []string{retail, banking} {
		must(t, w.PutPolicy(ctx, account, "Own", readPolicy))
	}
	w.mustUser(t, retail, "alice", "Own")
	mustBe(t, "DeletePolicy of an attached one", w.DeletePolicy(ctx, retail, "Own"), iam.ErrPolicyAttached)
	mustBe(t, "DeletePolicy of none", w.DeletePolicy(ctx, retail, "none"), iam.ErrPolicyNotFound)
	mustBe(t, "DeletePolicy of a managed one", w.DeletePolicy(ctx, retail, "ReadOnlyAccess"), iam.ErrPolicyNotFound)
	if err := w.DeletePolicy(ctx, banking, "Own"); err != nil {
		t.Errorf("DeletePolicy of one that only another account attached = %v, want nil", err)
	}
	must(t, w.DetachPolicy(ctx, retail, iam.User, "alice", "Own"))
	must(t, w.DeletePolicy(ctx, retail, "Own"))
	if left, err := w.Policies(ctx, retail); err != nil || len(left) != 0 {
		t.Errorf("Policies = %v, %v, want none", left, err)
	}
	must(t, w.PutPolicy(ctx, retail, "Own", readPolicy))
	must(t, w.AttachPolicy(ctx, retail, iam.User, "alice", "Own"))
	must(t, w.DeletePrincipal(ctx, retail, iam.User, "alice"))
	if err := w.DeletePolicy(ctx, retail, "Own"); err != nil {
		t.Errorf("DeletePolicy after its only user is gone = %v, want nil", err)
	}
}

package iam_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/supportd/supportd/internal/iam"
)

func TestIdentitiesOfKeys(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	plan, err := iam.PlanByID("business")
	must(t, err)
	root, alice, jane := w.mustKey(t, retail, ""), w.mustUser(t, retail, "alice"), w.mustSession(t, retail, "AdminRole", "jane@example.com")
	principalID := func(kind iam.PrincipalKind) string {
		all, err := w.Principals(t.Context(), retail, kind)
		must(t, err)
		return all[0].ID
	}
	const email = "owner-" + retail + "@example.com"
	for _, tt := range []struct {
		key              iam.NewKey
		want             iam.Identity
		arn, submittedBy string
	}{
		{
			root,
			iam.Identity{Kind: iam.Root, ID: retail},
			"arn:aws:iam::" + retail + ":root", email,
		},
		{
			alice,
			iam.Identity{Kind: iam.User, Name: "alice", ID: principalID(iam.User)},
			"arn:aws:iam::" + retail + ":user/alice", "alice (IAM) <" + email + ">",
		},
		{
			jane,
			iam.Identity{Kind: iam.Role, Name: "AdminRole", Session: "jane@example.com", ID: principalID(iam.Role) + ":jane@example.com"},
			"arn:aws:sts::" + retail + ":assumed-role/AdminRole/jane@example.com", "AdminRole (Role) <" + email + ">",
		},
	} {
		tt.want.Account, tt.want.Email, tt.want.Plan, tt.want.KeyID = retail, email, plan, tt.key.ID
		got := w.mustIdentity(t, tt.key)
		if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreUnexported(iam.Identity{})); diff != "" {
			t.Errorf("identity of a %s key (-want +got):\n%s", tt.key.Kind, diff)
		}
		if got.ARN() != tt.arn || got.SubmittedBy() != tt.submittedBy {
			t.Errorf("%s: ARN() = %q, SubmittedBy() = %q, want %q, %q", tt.key.Kind, got.ARN(), got.SubmittedBy(), tt.arn, tt.submittedBy)
		}
	}
}

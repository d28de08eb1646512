package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/store"
)

func testPolicies(t *testing.T, s *store.Store) {
	first := iam.PolicyDocument{Account: account, Name: "first", Document: `{"Version":"2012-10-17","Statement":[]}`, ChangedAt: at(0)}
	second := iam.PolicyDocument{Account: account, Name: "second", Document: "{\"a\":\"\\\"ü\n\"}", ChangedAt: at(1)}
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.PutPolicy(ctx, second), tx.PutPolicy(ctx, first))
	})
	wantPolicies(t, s, first, second)
	first.Document, first.ChangedAt = "{}", at(2)
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error {
		if err := errors.Join(tx.PutPolicy(ctx, first), tx.DeletePolicy(ctx, account, "second")); err != nil {
			return err
		}
		if _, err := tx.Policy(ctx, account, "second"); !errors.Is(err, iam.ErrPolicyNotFound) {
			t.Errorf("Policy(deleted) = %v, want %v", err, iam.ErrPolicyNotFound)
		}
		got, err := tx.Policy(ctx, account, "first")
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("Policy() (-want +got):\n%s", diff)
		}
		return err
	})
	wantPolicies(t, s, first)
}

func wantPolicies(t *testing.T, s *store.Store, want ...iam.PolicyDocument) {
	t.Helper()
	got := mustViewIAM(t, s, func(ctx context.Context, tx iam.Tx) ([]iam.PolicyDocument, error) { return tx.Policies(ctx, account) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Policies() (-want +got):\n%s", diff)
	}
}

// testIAMVersion makes each change once: a node that keeps credentials in
// memory must hear of every one, and of nothing else.
func testIAMVersion(t *testing.T, s *store.Store) {
	owner := iam.Account{ID: account, CreatedAt: at(0)}
	user := iam.Principal{Account: account, Kind: iam.User, Name: "alice", CreatedAt: at(0)}
	key := iam.Key{Account: account, ID: "AKIA1", Kind: iam.User, Name: "alice", SealedSecret: []byte{1}, CreatedAt: at(0)}
	policy := iam.PolicyDocument{Account: account, Name: "p", Document: "{}"}
	refused := errors.New("refused")
	for _, step := range []struct {
		call  string
		run   func(ctx context.Context, tx iam.Tx) error
		grows bool
	}{
		{"nothing", func(context.Context, iam.Tx) error { return nil }, false},
		{"InsertAccount", func(ctx context.Context, tx iam.Tx) error { return tx.InsertAccount(ctx, owner) }, true},
		{"UpdateAccount", func(ctx context.Context, tx iam.Tx) error { return tx.UpdateAccount(ctx, owner) }, true},
		{"InsertPrincipal", func(ctx context.Context, tx iam.Tx) error { return tx.InsertPrincipal(ctx, user) }, true},
		{"InsertKey", func(ctx context.Context, tx iam.Tx) error { return tx.InsertKey(ctx, key) }, true},
		{"SetKeyActive", func(ctx context.Context, tx iam.Tx) error { return tx.SetKeyActive(ctx, account, key.ID, false) }, true},
		{"PutPolicy", func(ctx context.Context, tx iam.Tx) error { return tx.PutPolicy(ctx, policy) }, true},
		{"PutPolicy again", func(ctx context.Context, tx iam.Tx) error { return tx.PutPolicy(ctx, policy) }, true},
		{"AttachPolicy", func(ctx context.Context, tx iam.Tx) error { return tx.AttachPolicy(ctx, user, "p") }, true},
		{"DetachPolicy", func(ctx context.Context, tx iam.Tx) error { return tx.DetachPolicy(ctx, user, "p") }, true},
		{"DeletePolicy", func(ctx context.Context, tx iam.Tx) error { return tx.DeletePolicy(ctx, account, "p") }, true},
		{"reads", func(ctx context.Context, tx iam.Tx) error {
			_, err := tx.Keys(ctx, account)
			return err
		}, false},
		{"a failed change", func(ctx context.Context, tx iam.Tx) error {
			return errors.Join(tx.DeleteKey(ctx, account, key.ID), refused)
		}, false},
		{"DeleteKey", func(ctx context.Context, tx iam.Tx) error { return tx.DeleteKey(ctx, account, key.ID) }, true},
		{"DeletePrincipal", func(ctx context.Context, tx iam.Tx) error { return tx.DeletePrincipal(ctx, user) }, true},
	} {
		before := mustIAMVersion(t, s)
		err := s.IAM().Update(t.Context(), func(tx iam.Tx) error { return step.run(t.Context(), tx) })
		if err != nil && !errors.Is(err, refused) {
			t.Errorf("%s = %v, want nil", step.call, err)
		}
		if after := mustIAMVersion(t, s); (after > before) != step.grows || after < before {
			t.Errorf("IAMVersion() before and after %s = %d, %d, want it to grow: %v", step.call, before, after, step.grows)
		}
	}
	before := mustIAMVersion(t, s)
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error { return tx.InsertCase(ctx, newCase("a")) })
	if after := mustIAMVersion(t, s); after != before {
		t.Errorf("IAMVersion() before and after InsertCase = %d, %d, want no change", before, after)
	}
}

func mustIAMVersion(t *testing.T, s *store.Store) int64 {
	t.Helper()
	version, err := s.IAM().IAMVersion(t.Context())
	if err != nil {
		t.Fatalf("IAMVersion() = %v", err)
	}
	return version
}

package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/store"
)

func testAccounts(t *testing.T, s *store.Store) {
	first := iam.Account{ID: account, Name: `Retail "é" 🛒`, Email: "ops@example.com", Plan: "business", State: iam.AccountActive, CreatedAt: at(0)}
	second := iam.Account{ID: foreign, Name: "Other", Email: "b@example.com", Plan: "basic", State: iam.AccountClosed, CreatedAt: at(-1)}
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error {
		if err := errors.Join(tx.InsertAccount(ctx, second), tx.InsertAccount(ctx, first)); err != nil {
			return err
		}
		_, err := tx.Account(ctx, "000000000000")
		if !errors.Is(err, iam.ErrAccountNotFound) {
			t.Errorf("Account(missing) = %v, want %v", err, iam.ErrAccountNotFound)
		}
		return nil
	})
	err := s.IAM().Update(t.Context(), func(tx iam.Tx) error { return tx.InsertAccount(t.Context(), first) })
	if !errors.Is(err, iam.ErrAccountExists) {
		t.Errorf("InsertAccount(existing) = %v, want %v", err, iam.ErrAccountExists)
	}
	changed := first
	changed.Name, changed.Email, changed.Plan, changed.State = "New", "new@example.com", "enterprise", iam.AccountClosed
	asked := changed
	asked.CreatedAt = at(5) // does not change
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error { return tx.UpdateAccount(ctx, asked) })
	got := mustViewIAM(t, s, func(ctx context.Context, tx iam.Tx) ([]iam.Account, error) { return tx.Accounts(ctx) })
	if diff := cmp.Diff([]iam.Account{changed, second}, got); diff != "" {
		t.Errorf("Accounts() (-want +got):\n%s", diff)
	}
	one := mustViewIAM(t, s, func(ctx context.Context, tx iam.Tx) (iam.Account, error) { return tx.Account(ctx, account) })
	if diff := cmp.Diff(changed, one); diff != "" {
		t.Errorf("Account() (-want +got):\n%s", diff)
	}
}

func testPrincipals(t *testing.T, s *store.Store) {
	bob := iam.Principal{Account: account, Kind: iam.User, Name: "bob", ID: "AIDA2", CreatedAt: at(0)}
	alice := iam.Principal{Account: account, Kind: iam.User, Name: "alice", ID: "AIDA1", CreatedAt: at(1)}
	role := iam.Principal{Account: account, Kind: iam.Role, Name: "alice", ID: "AROA1", CreatedAt: at(2)}
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error {
		err := errors.Join(tx.InsertPrincipal(ctx, bob), tx.InsertPrincipal(ctx, alice), tx.InsertPrincipal(ctx, role))
		if err != nil {
			return err
		}
		if _, err := tx.Principal(ctx, account, iam.User, "carol"); !errors.Is(err, iam.ErrPrincipalNotFound) {
			t.Errorf("Principal(missing) = %v, want %v", err, iam.ErrPrincipalNotFound)
		}
		for _, policy := range []string{"z", "a", "z"} { // attaching twice is no error
			if err := tx.AttachPolicy(ctx, alice, policy); err != nil {
				return err
			}
		}
		key := iam.Key{Account: account, ID: "AKIA1", Kind: iam.User, Name: "alice", SealedSecret: []byte{1}, CreatedAt: at(0)}
		session := iam.Key{Account: account, ID: "ASIA1", Kind: iam.Role, Name: "alice", SealedSecret: []byte{1}, CreatedAt: at(0), ExpiresAt: at(9)}
		return errors.Join(tx.AttachPolicy(ctx, role, "r"), tx.AttachPolicy(ctx, bob, "b"), tx.DetachPolicy(ctx, bob, "b"),
			tx.InsertKey(ctx, key), tx.InsertKey(ctx, session))
	})
	err := s.IAM().Update(t.Context(), func(tx iam.Tx) error { return tx.InsertPrincipal(t.Context(), alice) })
	if !errors.Is(err, iam.ErrPrincipalExists) {
		t.Errorf("InsertPrincipal(existing) = %v, want %v", err, iam.ErrPrincipalExists)
	}
	alice.Policies, role.Policies = []string{"a", "z"}, []string{"r"}
	wantPrincipals(t, s, iam.User, alice, bob)
	wantPrincipals(t, s, iam.Role, role)
	one := mustViewIAM(t, s, func(ctx context.Context, tx iam.Tx) (iam.Principal, error) {
		return tx.Principal(ctx, account, iam.User, "alice")
	})
	if diff := cmp.Diff(alice, one); diff != "" {
		t.Errorf("Principal() (-want +got):\n%s", diff)
	}

	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error { return tx.DeletePrincipal(ctx, alice) })
	wantPrincipals(t, s, iam.User, bob)
	wantPrincipals(t, s, iam.Role, role)
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error {
		if _, err := tx.Key(ctx, account, "AKIA1"); !errors.Is(err, iam.ErrKeyNotFound) {
			t.Errorf("Key(of a deleted user) = %v, want %v", err, iam.ErrKeyNotFound)
		}
		for policy, want := range map[string]bool{"a": false, "z": false, "b": false, "r": true} {
			if got, err := tx.PolicyAttached(ctx, account, policy); got != want || err != nil {
				t.Errorf("PolicyAttached(%s) = %v, %v, want %v, nil", policy, got, err, want)
			}
		}
		_, err := tx.Key(ctx, account, "ASIA1")
		return err
	})
}

func wantPrincipals(t *testing.T, s *store.Store, kind iam.PrincipalKind, want ...iam.Principal) {
	t.Helper()
	got := mustViewIAM(t, s, func(ctx context.Context, tx iam.Tx) ([]iam.Principal, error) {
		return tx.Principals(ctx, account, kind)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Principals(%s) (-want +got):\n%s", kind, diff)
	}
}

func testKeys(t *testing.T, s *store.Store) {
	long := iam.Key{
		Account: account, ID: "AKIA2", Kind: iam.User, Name: "alice", SealedSecret: []byte{0, 1, 255, '\'', 0},
		Active: true, CreatedAt: at(0),
	}
	root := iam.Key{Account: account, ID: "AKIA1", Kind: iam.Root, SealedSecret: []byte{2}, CreatedAt: at(0)}
	session := func(id string, expires time.Time) iam.Key {
		return iam.Key{
			Account: account, ID: id, Kind: iam.Role, Name: "ops", SealedSecret: []byte{3}, Active: true, CreatedAt: at(1),
			SessionName: "jane", TokenHash: []byte{9, 0, 9}, ExpiresAt: expires,
		}
	}
	young, old := session("ASIA1", at(20)), session("ASIA2", at(19))
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertKey(ctx, old), tx.InsertKey(ctx, young), tx.InsertKey(ctx, long), tx.InsertKey(ctx, root))
	})
	wantKeys(t, s, root, long, young, old)
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error {
		if _, err := tx.Key(ctx, account, "AKIA9"); !errors.Is(err, iam.ErrKeyNotFound) {
			t.Errorf("Key(missing) = %v, want %v", err, iam.ErrKeyNotFound)
		}
		got, err := tx.Key(ctx, account, "ASIA1")
		if diff := cmp.Diff(young, got); diff != "" {
			t.Errorf("Key() (-want +got):\n%s", diff)
		}
		return errors.Join(err, tx.SetKeyActive(ctx, account, "AKIA2", false), tx.DeleteExpiredKeys(ctx, at(20)), tx.DeleteKey(ctx, account, "AKIA1"))
	})
	long.Active = false
	wantKeys(t, s, long, young)
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error { return tx.SetKeyActive(ctx, account, "AKIA2", true) })
	long.Active = true
	wantKeys(t, s, long, young)
	err := s.IAM().Update(t.Context(), func(tx iam.Tx) error { return tx.InsertKey(t.Context(), long) })
	if err == nil {
		t.Errorf("InsertKey(existing id) = nil, want an error")
	}
}

func wantKeys(t *testing.T, s *store.Store, want ...iam.Key) {
	t.Helper()
	got := mustViewIAM(t, s, func(ctx context.Context, tx iam.Tx) ([]iam.Key, error) { return tx.Keys(ctx, account) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Keys() (-want +got):\n%s", diff)
	}
}

package iam_test

import (
	"errors"
	"testing"

	"github.com/supportd/supportd/internal/iam"
)

func TestKeyPairOfTestsIsTheRootOfAnAccount(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.TestAccount = retail
	w.mustAccount(t, banking)
	for id, want := range map[string]string{"test": retail, retail: retail, banking: banking} {
		for range 2 { // from the store, from memory
			c, err := w.Credential(t.Context(), id, "")
			if err != nil || c.Secret != "test" || c.Identity.Kind != iam.Root || c.Identity.Account != want || c.Identity.KeyID != id {
				t.Errorf("Credential(%s) = %+v, %v, want the root of %s", id, c, err, want)
			}
		}
		if account, ok := w.AccountOfKey(id); !ok || account != want {
			t.Errorf("AccountOfKey(%s) = %s, %t, want %s", id, account, ok, want)
		}
		if _, err := w.Credential(t.Context(), id, "token"); !errors.Is(err, iam.ErrUnknownKey) {
			t.Errorf("Credential(%s, with a token) = %v, want %v", id, err, iam.ErrUnknownKey)
		}
	}
	for _, id := range []string{"999999999999", "12345678901", "Test", "TEST", ""} {
		if _, err := w.Credential(t.Context(), id, ""); !errors.Is(err, iam.ErrUnknownKey) {
			t.Errorf("Credential(%q) = %v, want %v", id, err, iam.ErrUnknownKey)
		}
	}
	if _, err := w.CloseAccount(t.Context(), banking); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Credential(t.Context(), banking, ""); !errors.Is(err, iam.ErrUnknownKey) {
		t.Errorf("Credential(closed account) = %v, want %v", err, iam.ErrUnknownKey)
	}
	key := w.mustKey(t, retail, "")
	if c, err := w.Credential(t.Context(), key.ID, ""); err != nil || c.Secret != key.Secret {
		t.Errorf("Credential(real key) = %v, want it as ever", err)
	}
}

func TestOutsideOfTestsNobodyHasTheKeyPair(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	for _, id := range []string{"test", retail} {
		if _, err := w.Credential(t.Context(), id, ""); !errors.Is(err, iam.ErrUnknownKey) {
			t.Errorf("Credential(%s) = %v, want %v", id, err, iam.ErrUnknownKey)
		}
		if account, ok := w.AccountOfKey(id); ok {
			t.Errorf("AccountOfKey(%s) = %s, want none", id, account)
		}
	}
}

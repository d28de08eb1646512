package iam_test

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/iam"
)

// Nothing else says which account a key is of, so every kind of number must come
// back out of the id.
func TestKeyIDsCarryTheirAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := map[string]bool{}
	check := func(t testing.TB, account string) {
		t.Helper()
		if !created[account] {
			w.mustAccount(t, account)
			created[account] = true
		}
		key := w.mustKey(t, account, "")
		if c, err := w.Credential(t.Context(), key.ID, ""); err != nil || c.Identity.Account != account || c.Secret != key.Secret {
			t.Errorf("Credential(%s) = %+v, %v, want the root of %s", key.ID, c, err, account)
		}
		if got := accountIn(t, key.ID); got != account {
			t.Errorf("the id %s holds account %s, want %s", key.ID, got, account)
		}
	}
	for _, account := range []string{
		"000000000000", "000000000001", "000000000010", "100000000000", "123456789012", "999999999999",
		"000000065535", "000000065536", "000016777215", "000016777216", "004294967295", "004294967296", "549755813888",
	} {
		check(t, account)
	}
	rapid.Check(t, func(r *rapid.T) { check(t, rapid.StringMatching(`[0-9]{12}`).Draw(r, "account")) })
}

// accountIn reads the first 40 bits of a key id.
func accountIn(t testing.TB, id string) string {
	t.Helper()
	b, err := base32.StdEncoding.DecodeString(id[4:])
	must(t, err)
	n := 0
	for _, digit := range b[:5] {
		n = n<<8 | int(digit)
	}
	return fmt.Sprintf("%012d", n)
}

func TestNewKeysHaveTheFormOfAWS(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	seen := map[string]bool{}
	root, alice, session := w.mustKey(t, retail, ""), w.mustUser(t, retail, "alice"), w.mustSession(t, retail, "Ops", "jane")
	for _, tt := range []struct {
		key    iam.NewKey
		prefix string
		kind   iam.PrincipalKind
		name   string
	}{
		{root, "AKIA", iam.Root, ""},
		{alice, "AKIA", iam.User, "alice"},
		{session, "ASIA", iam.Role, "Ops"},
	} {
		k := tt.key
		if !strings.HasPrefix(k.ID, tt.prefix) || len(k.ID) != 20 || len(k.Secret) != 40 || k.Kind != tt.kind || k.Name != tt.name || !k.Active {
			t.Errorf("key = %+v, want an active %s key of %s %q with 20 and 40 characters", k, tt.prefix, tt.kind, tt.name)
		}
		if (k.SessionToken != "") != k.Temporary() || k.Temporary() != (tt.kind == iam.Role) {
			t.Errorf("key of %s: token %q, temporary %t; want both for a role only", tt.kind, k.SessionToken, k.Temporary())
		}
		for _, once := range []string{k.ID, k.Secret, k.SessionToken} {
			if once != "" && seen[once] {
				t.Errorf("%q is there twice", once)
			}
			seen[once] = true
		}
	}
	kept, err := w.Keys(t.Context(), retail)
	must(t, err)
	found := 0
	for _, k := range kept {
		for _, made := range []iam.NewKey{root, alice, session} {
			if k.ID == made.ID {
				found++
				if diff := cmp.Diff(made.Key, k); diff != "" {
					t.Errorf("Keys: %s (-answered +kept):\n%s", k.ID, diff)
				}
			}
		}
	}
	if found != 3 || len(kept) != 3 {
		t.Errorf("Keys = %d keys, %d of them known, want 3", len(kept), found)
	}
}

func TestKeysOfNobodyAreRefused(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.mustAccount(t, banking)
	w.mustUser(t, retail, "alice")
	w.mustSession(t, retail, "Ops", "jane")
	ctx := t.Context()
	for _, tt := range []struct {
		call string
		make func() error
		want error
	}{
		{"CreateKey of no account", func() error { _, err := w.CreateKey(ctx, "999999999999", ""); return err }, iam.ErrAccountNotFound},
		{"CreateKey of no account id", func() error { _, err := w.CreateKey(ctx, "12", ""); return err }, iam.ErrAccountNotFound},
		{"CreateKey of no user", func() error { _, err := w.CreateKey(ctx, retail, "bob"); return err }, iam.ErrPrincipalNotFound},
		{"CreateKey of a role", func() error { _, err := w.CreateKey(ctx, retail, "Ops"); return err }, iam.ErrPrincipalNotFound},
		{"CreateKey of another account's user", func() error { _, err := w.CreateKey(ctx, banking, "alice"); return err }, iam.ErrPrincipalNotFound},
		{"CreateSession of a user", func() error { _, err := w.CreateSession(ctx, retail, "alice", "s", time.Hour); return err }, iam.ErrPrincipalNotFound},
		{"CreateSession of no role", func() error { _, err := w.CreateSession(ctx, retail, "", "s", time.Hour); return err }, iam.ErrPrincipalNotFound},
		{"CreateSession of another account's role", func() error { _, err := w.CreateSession(ctx, banking, "Ops", "s", time.Hour); return err }, iam.ErrPrincipalNotFound},
		{"Keys of no account", func() error { _, err := w.Keys(ctx, "999999999999"); return err }, iam.ErrAccountNotFound},
	} {
		mustBe(t, tt.call, tt.make(), tt.want)
	}
	if keys, err := w.Keys(ctx, banking); err != nil || len(keys) != 0 {
		t.Errorf("Keys(%s) = %v, %v, want none", banking, keys, err)
	}
}

func TestSessionsLastFromAQuarterOfAnHourToTwelveHours(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	_, err := w.CreateRole(t.Context(), retail, "Ops", nil)
	must(t, err)
	for _, tt := range []struct {
		life time.Duration
		ok   bool
	}{
		{15*time.Minute - 1, false},
		{15 * time.Minute, true},
		{12 * time.Hour, true},
		{12*time.Hour + 1, false},
		{0, false},
		{-time.Hour, false},
	} {
		key, err := w.CreateSession(t.Context(), retail, "Ops", "jane", tt.life)
		if (err == nil) != tt.ok {
			t.Errorf("CreateSession for %v = %v, want ok %t", tt.life, err, tt.ok)
		}
		if want := w.clock.Now().Truncate(time.Microsecond).Add(tt.life); tt.ok && !key.ExpiresAt.Equal(want) {
			t.Errorf("CreateSession for %v ends at %v, want %v", tt.life, key.ExpiresAt, want)
		}
	}
}

// Another process turns a key off, on and out; this one has it in memory.
func TestChangesOfAKeyCountFromTheNextRequest(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.mustAccount(t, banking)
	ctx := t.Context()
	neighbour := w.neighbour(t)
	for name, key := range map[string]iam.NewKey{
		"root":    w.mustKey(t, retail, ""),
		"user":    w.mustUser(t, retail, "alice"),
		"session": w.mustSession(t, retail, "Ops", "jane"),
	} {
		for _, s := range []*iam.Service{w.Service, neighbour} {
			for _, step := range []struct {
				what   string
				change func() error
				want   error
			}{
				{"known", func() error { return nil }, nil},
				{"off", func() error { return s.SetKeyActive(ctx, retail, key.ID, false) }, iam.ErrUnknownKey},
				{"off again", func() error { return s.SetKeyActive(ctx, retail, key.ID, false) }, iam.ErrUnknownKey},
				{"on", func() error { return s.SetKeyActive(ctx, retail, key.ID, true) }, nil},
			} {
				must(t, step.change())
				accepts(t, w.Service, name+" "+step.what, key, step.want)
				accepts(t, neighbour, name+" "+step.what+", there", key, step.want)
			}
		}
		mustBe(t, "SetKeyActive by another account", w.SetKeyActive(ctx, banking, key.ID, false), iam.ErrKeyNotFound)
		mustBe(t, "DeleteKey by another account", w.DeleteKey(ctx, banking, key.ID), iam.ErrKeyNotFound)
		accepts(t, w.Service, name+" after another account's attempts", key, nil)
		must(t, neighbour.DeleteKey(ctx, retail, key.ID))
		accepts(t, w.Service, name+" deleted", key, iam.ErrUnknownKey)
		mustBe(t, "DeleteKey again", w.DeleteKey(ctx, retail, key.ID), iam.ErrKeyNotFound)
		mustBe(t, "SetKeyActive of a deleted one", w.SetKeyActive(ctx, retail, key.ID, true), iam.ErrKeyNotFound)
	}
}

func TestExpiredSessionsAreForgottenAfterADay(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	root, session := w.mustKey(t, retail, ""), w.mustSession(t, retail, "Ops", "jane")
	count := func() int {
		must(t, w.PurgeSessions(t.Context()))
		keys, err := w.Keys(t.Context(), retail)
		must(t, err)
		return len(keys)
	}
	w.clock.Advance(time.Hour + 24*time.Hour)
	if got := count(); got != 2 {
		t.Errorf("a day after the end of a session there are %d keys, want 2", got)
	}
	accepts(t, w.Service, "a day after its end", session, iam.ErrTokenExpired)
	w.clock.Advance(time.Microsecond)
	if got := count(); got != 1 {
		t.Errorf("later than a day after the end of a session there are %d keys, want 1", got)
	}
	accepts(t, w.neighbour(t), "forgotten", session, iam.ErrUnknownKey)
	accepts(t, w.Service, "a long-term key", root, nil)
}

// Whoever reads the disk learns no secret: not from the database, not from the
// files beside it.
func TestSecretsAreEncryptedAtRest(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	keys := []iam.NewKey{w.mustKey(t, retail, ""), w.mustUser(t, retail, "alice"), w.mustSession(t, retail, "Ops", "jane")}
	for _, key := range keys {
		accepts(t, w.Service, "used", key, nil)
	}
	must(t, w.SetKeyActive(t.Context(), retail, keys[1].ID, false))
	files, err := filepath.Glob(filepath.Join(w.folder, "*"))
	must(t, err)
	var all []byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		must(t, err)
		all = append(all, content...)
	}
	for _, key := range keys {
		if !bytes.Contains(all, []byte(key.ID)) {
			t.Fatalf("none of %v holds the key id %s, want it: the test looks at the wrong files", files, key.ID)
		}
		for what, secret := range map[string]string{"secret": key.Secret, "session token": key.SessionToken} {
			if secret == "" {
				continue
			}
			raw, err := base64.StdEncoding.DecodeString(secret)
			must(t, err)
			for _, form := range [][]byte{[]byte(secret), raw, []byte(hex.EncodeToString(raw))} {
				if bytes.Contains(all, form) {
					t.Errorf("the %s of %s is on the disk as %q", what, key.ID, form)
				}
			}
		}
	}
}

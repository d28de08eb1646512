package iam_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

func TestWhichTokensFitWhichKeys(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.mustAccount(t, banking)
	root, alice := w.mustKey(t, retail, ""), w.mustUser(t, retail, "alice")
	jane := w.mustSession(t, retail, "Ops", "jane")
	joe, err := w.CreateSession(t.Context(), retail, "Ops", "joe", time.Hour)
	must(t, err)
	foreign := w.mustSession(t, banking, "Ops", "jane")
	for _, tt := range []struct {
		name, id, token string
		want            error
	}{
		{"root without a token", root.ID, "", nil},
		{"user without a token", alice.ID, "", nil},
		{"session with its token", jane.ID, jane.SessionToken, nil},
		{"session without a token", jane.ID, "", iam.ErrUnknownKey},
		{"session with a wrong token", jane.ID, "wrong", iam.ErrUnknownKey},
		{"session with a shorter token", jane.ID, jane.SessionToken[:len(jane.SessionToken)-1], iam.ErrUnknownKey},
		{"session with a longer token", jane.ID, jane.SessionToken + "=", iam.ErrUnknownKey},
		{"session with another session's token", jane.ID, joe.SessionToken, iam.ErrUnknownKey},
		{"session with another account's token", jane.ID, foreign.SessionToken, iam.ErrUnknownKey},
		{"root with a token", root.ID, jane.SessionToken, iam.ErrUnknownKey},
		{"user with a token", alice.ID, jane.SessionToken, iam.ErrUnknownKey},
		{"no key", "", "", iam.ErrUnknownKey},
		{"a prefix", "AKIA", "", iam.ErrUnknownKey},
		{"a key of another kind", strings.Replace(jane.ID, "ASIA", "AKIA", 1), jane.SessionToken, iam.ErrUnknownKey},
		{"another prefix", strings.Replace(root.ID, "AKIA", "AROA", 1), "", iam.ErrUnknownKey},
		{"lower case", strings.ToLower(root.ID), "", iam.ErrUnknownKey},
		{"a line end", root.ID + "\n", "", iam.ErrUnknownKey},
		{"a shorter key", root.ID[:19], "", iam.ErrUnknownKey},
		{"a longer key", root.ID + "AAAAAAAA", "", iam.ErrUnknownKey},
		{"an account of thirteen digits", "AKIA7777777777777777", "", iam.ErrUnknownKey},
		{"AWS's example", "AKIAIOSFODNN7EXAMPLE", "", iam.ErrUnknownKey},
	} {
		for _, when := range []string{"first", "again"} { // from the store, from memory
			c, err := w.Credential(t.Context(), tt.id, tt.token)
			if !errors.Is(err, tt.want) || tt.want == nil && c.Identity.KeyID != tt.id {
				t.Errorf("%s, %s: Credential(%q, %.8q…) = %v, want %v", tt.name, when, tt.id, tt.token, err, tt.want)
			}
		}
	}
	if got, want := iam.ErrUnknownKey.Error(), "The security token included in the request is invalid."; got != want {
		t.Errorf("ErrUnknownKey = %q, want %q", got, want)
	}
	if got, want := iam.ErrTokenExpired.Error(), "The security token included in the request is expired"; got != want {
		t.Errorf("ErrTokenExpired = %q, want %q", got, want)
	}
}

// Whether a session is over is asked at every request, also when it is known.
func TestSessionsEndOnTime(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	session := w.mustSession(t, retail, "Ops", "jane")
	wrong := session
	wrong.SessionToken = "wrong"
	for _, step := range []struct {
		name string
		wait time.Duration
		want error
	}{
		{"at once", 0, nil},
		{"before its end", session.ExpiresAt.Sub(w.clock.Now()) - 1, nil},
		{"at its end", 1, iam.ErrTokenExpired},
		{"after its end", time.Hour, iam.ErrTokenExpired},
	} {
		w.clock.Advance(step.wait)
		accepts(t, w.Service, step.name, session, step.want)
		accepts(t, w.neighbour(t), step.name+", elsewhere", session, step.want)
		accepts(t, w.Service, step.name+", with a wrong token", wrong, iam.ErrUnknownKey)
	}
}

// Someone who can write to the database cannot give a key the secret of another.
func TestASecretCopiedToAnotherKeyDoesNotOpen(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.mustAccount(t, banking)
	known, victim, foreign := w.mustKey(t, retail, ""), w.mustKey(t, retail, ""), w.mustKey(t, banking, "")
	for _, target := range []iam.NewKey{victim, foreign} {
		forged := target.Key
		forged.SealedSecret = known.SealedSecret
		must(t, w.Store.Update(t.Context(), func(tx iam.Tx) error {
			if err := tx.DeleteKey(t.Context(), target.Account, target.ID); err != nil {
				return err
			}
			return tx.InsertKey(t.Context(), forged)
		}))
		c, err := w.Credential(t.Context(), target.ID, "")
		if err == nil || isFault(err) || strings.Contains(err.Error(), known.Secret) {
			t.Errorf("Credential(%s) with a copied secret = %+v, %v, want an internal error", target.ID, c, err)
		}
	}
	accepts(t, w.Service, "the key it was copied from", known, nil)
}

func isFault(err error) bool {
	_, ok := errors.AsType[*fault.Error](err)
	return ok
}

// What is kept and cannot be read is no fault of the caller, who must not read
// it in the answer either.
func TestUnreadableStateIsAnInternalError(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.mustAccount(t, banking)
	must(t, w.PutPolicy(t.Context(), retail, "Own", readPolicy))
	alice := w.mustUser(t, retail, "alice", "Own")
	root := w.mustKey(t, banking, "")
	must(t, w.Store.Update(t.Context(), func(tx iam.Tx) error {
		if err := tx.PutPolicy(t.Context(), iam.PolicyDocument{Account: retail, Name: "Own", Document: `{"Version":"2099-01-01"}`}); err != nil {
			return err
		}
		return tx.UpdateAccount(t.Context(), iam.Account{ID: banking, Plan: "of tomorrow", State: iam.AccountActive})
	}))
	for what, key := range map[string]iam.NewKey{"policy": alice, "plan": root} {
		if _, err := w.Credential(t.Context(), key.ID, ""); err == nil || isFault(err) || !strings.Contains(err.Error(), key.ID) {
			t.Errorf("Credential of a key with an unreadable %s = %v, want an internal error that names the key", what, err)
		}
	}
}

// countingStore counts what is read.
type countingStore struct {
	iam.Store
	views, versions atomic.Int64
}

// View counts and passes on.
func (s *countingStore) View(ctx context.Context, f func(iam.Tx) error) error {
	s.views.Add(1)
	return s.Store.View(ctx, f)
}

// IAMVersion counts and passes on.
func (s *countingStore) IAMVersion(ctx context.Context) (int64, error) {
	s.versions.Add(1)
	return s.Store.IAMVersion(ctx)
}

func TestKnownCredentialsCostOneReadOfTheVersion(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	counting := &countingStore{Store: w.Store}
	s := &iam.Service{Store: counting, Box: w.Box, Now: w.Now}
	keys := []iam.NewKey{w.mustKey(t, retail, ""), w.mustUser(t, retail, "alice", "AWSSupportAccess"), w.mustSession(t, retail, "Ops", "jane")}
	const rounds = 5
	for _, step := range []struct {
		name      string
		change    func() error
		wantViews int64
	}{
		{"at first", func() error { return nil }, 3},
		{"nothing changed", func() error { return nil }, 0},
		{"expired sessions were purged", func() error { return w.PurgeSessions(t.Context()) }, 0},
		{"something changed", func() error { return w.PutPolicy(t.Context(), retail, "P", readPolicy) }, 3},
	} {
		must(t, step.change())
		counting.views.Store(0)
		counting.versions.Store(0)
		for range rounds {
			for _, key := range keys {
				accepts(t, s, step.name, key, nil)
			}
		}
		if views, versions := counting.views.Load(), counting.versions.Load(); views != step.wantViews || versions != rounds*3 {
			t.Errorf("%s: %d views and %d versions read, want %d and %d", step.name, views, versions, step.wantViews, rounds*3)
		}
	}
}

// Requests go on while another process changes things: none is ever let in with
// a key that was off before the request began, and none is refused while it is on.
func TestNoRequestSeesAKeyAsItWas(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	key, other := w.mustUser(t, retail, "alice"), w.mustKey(t, retail, "")
	administrator := w.neighbour(t)
	var group sync.WaitGroup
	stop := make(chan struct{})
	for range 4 { // others keep the memory busy
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = w.Credential(t.Context(), key.ID, "") // either answer, according to the moment
					accepts(t, w.Service, "all the time", other, nil)
				}
			}
		})
	}
	for i := range 50 {
		active := i%2 == 1
		must(t, administrator.SetKeyActive(t.Context(), retail, key.ID, active))
		want := error(iam.ErrUnknownKey)
		if active {
			want = nil
		}
		accepts(t, w.Service, fmt.Sprintf("after change %d", i), key, want)
	}
	close(stop)
	group.Wait()
}

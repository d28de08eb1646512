package iam_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/clock/clocktest"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/seal"
	"github.com/supportd/supportd/internal/store"
)

const (
	retail  = "111122223333"
	banking = "444455556666"
)

// world is the service on a real store, with a clock that stands still until it
// is moved.
type world struct {
	*iam.Service
	folder string
	clock  *clocktest.Clock
}

// newWorld returns the service on an empty store.
func newWorld(t testing.TB) *world {
	t.Helper()
	box, err := seal.NewBox(seal.NewMasterKey(), "access keys")
	must(t, err)
	w := &world{folder: t.TempDir(), clock: clocktest.At(time.Date(2026, 3, 2, 9, 0, 0, 123_456_789, time.UTC))}
	w.Service = &iam.Service{Store: openStore(t, w.folder), Box: box, Now: w.clock.Now}
	return w
}

// newRetail returns the service with the account retail.
func newRetail(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.mustAccount(t, retail)
	return w
}

// neighbour returns the service as another process has it: on the same file with
// its own connections and its own memory.
func (w *world) neighbour(t testing.TB) *iam.Service {
	t.Helper()
	return &iam.Service{Store: openStore(t, w.folder), Box: w.Box, Now: w.clock.Now}
}

func openStore(t testing.TB, folder string) iam.Store {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite://"+filepath.Join(folder, "supportd.db"))
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s.IAM()
}

func (w *world) mustAccount(t testing.TB, id string) {
	t.Helper()
	_, err := w.CreateAccount(context.Background(), account(id))
	must(t, err)
}

func account(id string) iam.Account {
	return iam.Account{ID: id, Name: "Account " + id, Email: "owner-" + id + "@example.com", Plan: "business"}
}

// mustUser returns a key of a new user.
func (w *world) mustUser(t testing.TB, account, name string, policies ...string) iam.NewKey {
	t.Helper()
	_, err := w.CreateUser(context.Background(), account, name, policies)
	must(t, err)
	return w.mustKey(t, account, name)
}

func (w *world) mustKey(t testing.TB, account, user string) iam.NewKey {
	t.Helper()
	key, err := w.CreateKey(context.Background(), account, user)
	must(t, err)
	return key
}

// mustSession returns temporary credentials of an hour of a new role.
func (w *world) mustSession(t testing.TB, account, role, name string, policies ...string) iam.NewKey {
	t.Helper()
	_, err := w.CreateRole(t.Context(), account, role, policies)
	must(t, err)
	key, err := w.CreateSession(t.Context(), account, role, name, time.Hour)
	must(t, err)
	return key
}

// mustIdentity returns who a key belongs to.
func (w *world) mustIdentity(t testing.TB, key iam.NewKey) iam.Identity {
	t.Helper()
	c, err := w.Credential(t.Context(), key.ID, key.SessionToken)
	must(t, err)
	if c.Secret != key.Secret {
		t.Fatalf("Credential(%s).Secret = %q, want the one that was shown", key.ID, c.Secret)
	}
	return c.Identity
}

// accepts fails the test unless the service answers to a key as want says.
func accepts(t testing.TB, s *iam.Service, when string, key iam.NewKey, want error) {
	t.Helper()
	if _, err := s.Credential(t.Context(), key.ID, key.SessionToken); !errors.Is(err, want) {
		t.Errorf("%s: Credential(%s) = %v, want %v", when, key.ID, err, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mustBe fails the test unless a call failed with the fault.
func mustBe(t testing.TB, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s = %v, want %v", call, err, want)
	}
}

package testmode_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
)

const seedWithNames = `
accounts: [{id: "111122223333", users: [{name: alice}]}]
teams: [{id: printers}]
agents: [{email: jane@example.com, teams: [printers]}]
cases: [{account: "123456789012", subject: planted, body: words}]
`

// people are those who can sign in: accounts, users, teams and agents.
func (w *world) people() (names []string) {
	w.Helper()
	accounts, err := w.server.IAM.Accounts(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	for _, a := range accounts {
		users, err := w.server.IAM.Principals(w.Context(), a.ID, iam.User)
		if err != nil {
			w.Fatal(err)
		}
		names = append(names, a.ID)
		for _, u := range users {
			names = append(names, u.Name)
		}
	}
	teams, err := w.server.Desk.Teams(w.Context(), desk.Operator())
	if err != nil {
		w.Fatal(err)
	}
	for _, t := range teams {
		names = append(names, t.ID)
	}
	agents, err := w.server.Desk.Agents(w.Context(), desk.Operator())
	if err != nil {
		w.Fatal(err)
	}
	for _, a := range agents {
		names = append(names, a.Email)
	}
	slices.Sort(names)
	return names
}

var planted = []string{"111122223333", "123456789012", "agent@example.com", "alice", "jane@example.com", "printers"}

// An installation that is started again goes on with what it has; a reset makes
// it what it was when it was new.
func TestALaterStartGoesOnAndAResetBeginsAnew(t *testing.T) {
	t.Parallel()
	data, seed := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "seed.yaml")
	mustWrite(t, seed, seedWithNames)
	config := server.Test{SeedFile: seed, Time: start, Frozen: true}

	w := newWorldIn(t, data, config)
	token, key := w.first.DeskToken, w.first.Key
	if w.first.Resumed {
		t.Error("the first start has resumed")
	}
	w.mustCreate("made by a test")
	if _, err := w.Seed(t.Context(), []byte("accounts: [{id: \"444455556666\"}]\nagents: [{email: joe@example.com}]")); err != nil {
		t.Fatal(err)
	}
	grown, before := w.people(), w.subjects()
	w.end()

	w = newWorldIn(t, data, config)
	if w.first.DeskToken != token || !w.first.Resumed {
		t.Errorf("FirstRun() of the second start = %+v, want the token of the first one, %s", w.first, token)
	}
	if got := w.people(); !slices.Equal(got, grown) {
		t.Errorf("the second start has %v, want what the first has left: %v", got, grown)
	}
	if diff := cmp.Diff(before, w.subjects()); diff != "" || len(before) != 2 {
		t.Errorf("cases of the second start, %d before (-want +got):\n%s", len(before), diff)
	}
	for range 2 {
		if err := w.Reset(t.Context()); err != nil {
			t.Fatalf("Reset() of the second start = %v, want nil", err)
		}
		if got := w.people(); !slices.Equal(got, planted) {
			t.Errorf("after the reset there are %v, want those of the seed: %v", got, planted)
		}
		if got := w.subjects(); !slices.Equal(got, []string{"planted"}) {
			t.Errorf("after the reset there are cases %v, want that of the seed", got)
		}
		var me struct{}
		w.mustDesk("GET", "/me", "", &me) // with the token of the first start
		if c, err := w.server.IAM.Credential(t.Context(), key.ID, ""); err != nil || c.Secret != key.Secret {
			t.Errorf("Credential(key of the first start) = %v, want it", err)
		}
	}
}

// A first start that ended before the seed was whole leaves no half of it.
func TestAStartAfterOneThatDidNotComeToItsEndBeginsAnew(t *testing.T) {
	t.Parallel()
	data, seed := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "seed.yaml")
	mustWrite(t, seed, seedWithNames)
	s, err := server.Open(t.Context(), server.Config{Data: data, Test: &server.Test{SeedFile: seed}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.FirstRun(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Test.Seed(t.Context(), []byte(`accounts: [{id: "111122223333", users: [{name: alice}]}]`)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w := newWorldIn(t, data, server.Test{SeedFile: seed})
	if got := w.people(); !slices.Equal(got, planted) || w.first.DeskToken != first.DeskToken {
		t.Errorf("the second start has %v and the token %s, want %v and %s", got, w.first.DeskToken, planted, first.DeskToken)
	}
}

package testmode_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/supportd/supportd/internal/server"
)

// idsMade creates an agent with a token, a case and an attachment set, and
// returns their ids.
func (w *world) idsMade(email string) []string {
	w.Helper()
	var agent, token struct{ ID string }
	w.mustDesk("POST", "/agents", `{"name":"a","email":"`+email+`","role":"agent","active":true}`, &agent)
	w.mustDesk("POST", "/agents/"+agent.ID+"/tokens", `{"name":"t"}`, &token)
	id := w.mustCreate("of " + email)
	return []string{agent.ID, token.ID, id, *w.mustAttach("a")}
}

// agents returns the ids of all agents.
func (w *world) agents() (ids []string) {
	w.Helper()
	var list struct{ Items []struct{ ID string } }
	w.mustDesk("GET", "/agents", "", &list)
	for _, one := range list.Items {
		ids = append(ids, one.ID)
	}
	slices.Sort(ids)
	return ids
}

// What the start made of a seed is there after a reset, and keeps its ids to
// itself.
func TestIDsAfterAResetAreThoseAfterTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{Time: start, Frozen: true, Seed: 42})
	before := w.agents()
	made := w.idsMade("jane@example.com")
	want := append(slices.Clone(before), made[0])
	slices.Sort(want)
	for range 3 {
		if got := w.agents(); !slices.Equal(got, want) || len(got) != 2 {
			t.Fatalf("agents %v, want those of the start and a new one, %v", got, want)
		}
		if status := w.do("POST", "/reset", "", nil); status != 204 {
			t.Fatalf("POST /reset = %d, want 204", status)
		}
		if got := w.agents(); !slices.Equal(got, before) {
			t.Fatalf("agents after a reset %v, want those of the start, %v", got, before)
		}
		if got := w.idsMade("jane@example.com"); !slices.Equal(got, made) {
			t.Errorf("ids after a reset %v, want those after the start, %v", got, made)
		}
	}
}

// A further start on the same data makes ids of its own, and on other data the
// same ones again.
func TestIDsOfASeedDoNotComeAgainOnTheSameData(t *testing.T) {
	t.Parallel()
	config := server.Test{Time: start, Frozen: true, Seed: 42}
	runs := func(data string) (ids [][]string) {
		var token string
		for i := range 3 {
			w := newWorldIn(t, data, config)
			if token == "" {
				token = w.first.DeskToken
			}
			w.first.DeskToken = token
			made := w.idsMade([]string{"a@example.com", "b@example.com", "c@example.com"}[i])
			if got := len(w.agents()); got != i+2 {
				t.Errorf("start %d: %d agents, want %d", i+1, got, i+2)
			}
			w.end()
			ids = append(ids, made)
		}
		return ids
	}
	one := runs(filepath.Join(t.TempDir(), "one"))
	all := slices.Concat(one...)
	slices.Sort(all)
	if got := len(slices.Compact(all)); got != 12 {
		t.Errorf("three starts made %d ids, want 12: %v", got, one)
	}
	if other := runs(filepath.Join(t.TempDir(), "other")); !slices.EqualFunc(one, other, slices.Equal) {
		t.Errorf("ids on another folder %v, want %v", other, one)
	}
}

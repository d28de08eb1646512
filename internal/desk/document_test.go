package desk_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/desk"
)

// restart begins the chance that ids are made of anew.
func (o *office) restart() { o.Random = rand.NewChaCha8([32]byte{7}) }

func TestWhatIsNewNeverTakesTheIDOfWhatIsThere(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, operator := t.Context(), desk.Operator()
	o.restart()
	first, err := o.CreateAgent(ctx, operator, newAgent("first", desk.RoleAdministrator))
	if err != nil {
		t.Fatal(err)
	}
	token, text := o.mustCreateToken(t, operator, first.ID, desk.NewToken{Name: "first"})
	team, err := o.PutTeam(ctx, operator, desk.Team{Name: "First"})
	if err != nil {
		t.Fatal(err)
	}
	macro, err := o.PutMacro(ctx, operator, desk.Macro{Name: "First", Body: "Hello."})
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := o.PutCalendar(ctx, operator, newCalendar(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		what, taken string
		create      func() (id string, err error)
	}{
		{"agent", first.ID, func() (string, error) {
			a, err := o.CreateAgent(ctx, operator, newAgent("second", desk.RoleAgent))
			return a.ID, err
		}},
		{"token", token.ID, func() (string, error) {
			made, _, err := o.CreateToken(ctx, operator, first.ID, desk.NewToken{Name: "second"})
			return made.ID, err
		}},
		{"team", team.ID, func() (string, error) {
			made, err := o.PutTeam(ctx, operator, desk.Team{Name: "Second"})
			return made.ID, err
		}},
		{"macro", macro.ID, func() (string, error) {
			made, err := o.PutMacro(ctx, operator, desk.Macro{Name: "Second", Body: "Hello."})
			return made.ID, err
		}},
		{"calendar", calendar.ID, func() (string, error) {
			made, err := o.PutCalendar(ctx, operator, newCalendar(""))
			return made.ID, err
		}},
	} {
		o.restart()
		if id, err := row.create(); err != nil || id == row.taken || id == "" {
			t.Errorf("a second %s = %q, %v, want another id than %s", row.what, id, err, row.taken)
		}
	}
	if who := o.mustAuthenticate(t, text); cmp.Diff(first, who.Agent) != "" || who.TokenID != token.ID {
		t.Errorf("the first token lets %+v in, want %+v", who.Agent, first)
	}
}

// stuck is chance that always makes the same.
type stuck struct{}

func (stuck) Read(b []byte) (int, error) { return len(b), nil }

func TestWhatGetsNoIDOfItsOwnIsNotCreated(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	o.Random = stuck{}
	first, err := o.CreateAgent(ctx, desk.Operator(), newAgent("first", desk.RoleAgent))
	if err != nil {
		t.Fatal(err)
	}
	if made, err := o.CreateAgent(ctx, desk.Operator(), newAgent("second", desk.RoleAgent)); err == nil {
		t.Errorf("CreateAgent() with an id that is in use = %+v, want an error", made)
	}
	if got, err := o.Agent(ctx, desk.Operator(), first.ID); err != nil || cmp.Diff(first, got) != "" {
		t.Errorf("Agent(first) = %+v, %v, want %+v", got, err, first)
	}
}

func TestDocumentThatAppearsMeanwhileIsNotReplaced(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	who := desk.Operator()
	who.IfVersion = desk.NoVersion
	durable := o.Store
	o.Store = again{durable, func() {
		o.Store = durable
		if _, err := o.PutTeam(t.Context(), who, desk.Team{ID: "a", Name: "First"}); err != nil {
			t.Errorf("PutTeam() = %v", err)
		}
	}}
	if made, err := o.PutTeam(t.Context(), who, desk.Team{ID: "a", Name: "Second"}); !errors.Is(err, desk.ErrChanged) {
		t.Errorf("PutTeam() of what somebody else created = %+v, %v, want ErrChanged", made, err)
	}
}

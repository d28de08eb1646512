package desk_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/store"
)

// office is a desk on an SQLite file, with a clock of its own.
type office struct {
	*desk.Service
	store *store.Store
	clock time.Time
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{clock: monday()}
	o.Service, o.store = openDesk(t, newFile(t), func() time.Time { return o.clock })
	return o
}

// mustHire adds an agent and returns the agent as a caller with a token that
// has the permissions, or all of the role when there are none.
func (o *office) mustHire(t *testing.T, name string, role desk.Role, permissions ...desk.Permission) desk.Caller {
	t.Helper()
	a, err := o.CreateAgent(t.Context(), desk.Operator(), newAgent(name, role))
	if err != nil {
		t.Fatalf("CreateAgent(%s) = %v", name, err)
	}
	_, text := o.mustCreateToken(t, desk.Operator(), a.ID, desk.NewToken{Name: "first", Permissions: permissions})
	return o.mustAuthenticate(t, text)
}

func newAgent(name string, role desk.Role) desk.Agent {
	return desk.Agent{Name: name, Email: name + "@example.com", Role: role, Active: true}
}

func (o *office) mustCreateToken(t *testing.T, who desk.Caller, agent string, in desk.NewToken) (desk.Token, string) {
	t.Helper()
	made, text, err := o.CreateToken(t.Context(), who, agent, in)
	if err != nil {
		t.Fatalf("CreateToken(%s, %+v) = %v", agent, in, err)
	}
	return made, text
}

func (o *office) mustAuthenticate(t *testing.T, text string) desk.Caller {
	t.Helper()
	who, err := o.Authenticate(t.Context(), text)
	if err != nil {
		t.Fatalf("Authenticate(%s) = %v", text, err)
	}
	return who
}

// entries returns the audit log, oldest first.
func (o *office) entries(t *testing.T, q desk.EntryQuery) []desk.Entry {
	t.Helper()
	log, err := o.Entries(t.Context(), desk.Operator(), q, 0)
	if err != nil {
		t.Fatalf("Entries(%+v) = %v", q, err)
	}
	slices.Reverse(log)
	return log
}

func actions(log []desk.Entry) (all []string) {
	for _, e := range log {
		all = append(all, e.Action)
	}
	return all
}

func TestWhatEachRoleMayAdminister(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	callers := map[desk.Role]desk.Caller{}
	for _, role := range []desk.Role{desk.RoleAgent, desk.RoleLead, desk.RoleAdministrator, desk.RoleAuditor} {
		callers[role] = o.mustHire(t, string(role), role)
	}
	other := o.mustHire(t, "other", desk.RoleAgent)
	const (
		everybody      = "agent lead administrator auditor"
		leads          = "lead administrator"
		administrators = "administrator"
		auditing       = "administrator auditor"
	)
	for _, row := range []struct {
		method  string
		allowed string
		call    func(who desk.Caller) error
	}{
		{"Agent", everybody, func(who desk.Caller) error { _, err := o.Agent(ctx, who, other.Agent.ID); return err }},
		{"Agents", everybody, func(who desk.Caller) error { _, err := o.Agents(ctx, who); return err }},
		{"CreateAgent", administrators, func(who desk.Caller) error {
			_, err := o.CreateAgent(ctx, who, newAgent("new-of-"+who.Agent.Name, desk.RoleAgent))
			return err
		}},
		{"UpdateAgent", administrators, func(who desk.Caller) error { _, err := o.UpdateAgent(ctx, who, other.Agent); return err }},
		{"CreateToken of oneself", everybody, func(who desk.Caller) error {
			_, _, err := o.CreateToken(ctx, who, who.Agent.ID, desk.NewToken{Name: "mine"})
			return err
		}},
		{"CreateToken of another", administrators, func(who desk.Caller) error {
			_, _, err := o.CreateToken(ctx, who, other.Agent.ID, desk.NewToken{Name: "theirs"})
			return err
		}},
		{"Tokens of oneself", everybody, func(who desk.Caller) error { _, err := o.Tokens(ctx, who, who.Agent.ID); return err }},
		{"Tokens of another", administrators, func(who desk.Caller) error { _, err := o.Tokens(ctx, who, other.Agent.ID); return err }},
		{"RevokeToken of oneself", everybody, func(who desk.Caller) error { return o.RevokeToken(ctx, who, who.Agent.ID, who.TokenID) }},
		{"RevokeToken of another", administrators, func(who desk.Caller) error { return o.RevokeToken(ctx, who, other.Agent.ID, other.TokenID) }},
		{"Teams", everybody, func(who desk.Caller) error { _, err := o.Teams(ctx, who); return err }},
		{"PutTeam", leads, func(who desk.Caller) error {
			_, err := o.PutTeam(ctx, who, desk.Team{ID: "billing", Name: "Billing"})
			return err
		}},
		{"DeleteTeam", leads, func(who desk.Caller) error { return orGone(o.DeleteTeam(ctx, who, "billing")) }},
		{"Macros", everybody, func(who desk.Caller) error { _, err := o.Macros(ctx, who); return err }},
		{"PutMacro", leads, func(who desk.Caller) error {
			_, err := o.PutMacro(ctx, who, desk.Macro{ID: "hello", Name: "Hello", Body: "Hello."})
			return err
		}},
		{"DeleteMacro", leads, func(who desk.Caller) error { return orGone(o.DeleteMacro(ctx, who, "hello")) }},
		{"Calendars", everybody, func(who desk.Caller) error { _, err := o.Calendars(ctx, who); return err }},
		{"PutCalendar", administrators, func(who desk.Caller) error { _, err := o.PutCalendar(ctx, who, newCalendar("berlin")); return err }},
		{"DeleteCalendar", administrators, func(who desk.Caller) error { return o.DeleteCalendar(ctx, who, "berlin") }},
		{"Promises", everybody, func(who desk.Caller) error { _, err := o.Promises(ctx, who); return err }},
		{"PutPromise", administrators, func(who desk.Caller) error {
			_, err := o.PutPromise(ctx, who, desk.Promise{ID: "any.low"})
			return err
		}},
		{"DeletePromise", administrators, func(who desk.Caller) error { return o.DeletePromise(ctx, who, "any.low") }},
		{"Settings", everybody, func(who desk.Caller) error { _, err := o.Settings(ctx, who); return err }},
		{"PutSettings", administrators, func(who desk.Caller) error { _, err := o.PutSettings(ctx, who, desk.DefaultSettings()); return err }},
		{"Entries", auditing, func(who desk.Caller) error { _, err := o.Entries(ctx, who, desk.EntryQuery{}, 0); return err }},
	} {
		for role, who := range callers {
			err := row.call(who)
			if may := slices.Contains(strings.Fields(row.allowed), string(role)); may != (err == nil) || !may && !errors.Is(err, desk.ErrDenied) {
				t.Errorf("%s by %s = %v, want allowed %t", row.method, role, err, may)
			}
		}
	}
}

// orGone takes "there is none" for success: several roles delete the one thing.
func orGone(err error) error {
	if errors.Is(err, desk.ErrNotFound) {
		return nil
	}
	return err
}

func newCalendar(id string) desk.Calendar {
	return desk.Calendar{
		ID: id, Name: "Office in Berlin", Zone: "Europe/Berlin",
		Hours:    map[string][]string{"mon": {"09:00-17:30"}},
		Holidays: map[string]string{"2026-12-25": "Christmas"},
	}
}

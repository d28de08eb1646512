package desk_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/desk"
)

func TestAgentIsKeptInOrder(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	o.mustPutTeam(t, "billing")
	o.mustPutTeam(t, "network")
	in := newAgent("jane", desk.RoleLead)
	in.Teams, in.Services, in.Languages = []string{"network", "billing", "network"}, []string{"general-info"}, []string{"ja", "en"}
	in.Capacity = 7
	made, err := o.CreateAgent(ctx, desk.Operator(), in)
	if err != nil {
		t.Fatalf("CreateAgent(%+v) = %v", in, err)
	}
	want := in
	want.ID, want.CreatedAt, want.Version = made.ID, o.clock, 1
	want.Teams, want.Languages = []string{"billing", "network"}, []string{"en", "ja"}
	if diff := cmp.Diff(want, made); diff != "" || !strings.HasPrefix(made.ID, "agent-") {
		t.Errorf("CreateAgent() answers %s (-want +got):\n%s", made.ID, diff)
	}
	for _, ref := range []string{made.ID, "jane@example.com", "JANE@example.com"} {
		if got, err := o.Agent(ctx, desk.Operator(), ref); err != nil || cmp.Diff(made, got) != "" {
			t.Errorf("Agent(%q) = %+v, %v, want %+v", ref, got, err, made)
		}
	}
	if all, err := o.Agents(ctx, desk.Operator()); err != nil || cmp.Diff([]desk.Agent{made}, all) != "" {
		t.Errorf("Agents() = %+v, %v, want the one", all, err)
	}
	if _, err := o.Agent(ctx, desk.Operator(), "agent-0"); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("Agent(agent-0) = %v, want ErrNotFound", err)
	}
}

func TestAgentThatIsWrongIsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.mustHire(t, "jane", desk.RoleAgent)
	for _, row := range []struct {
		change func(*desk.Agent)
		want   error
		text   string
	}{
		{func(a *desk.Agent) { a.Name = " " }, desk.ErrInvalid, "name of the agent"},
		{func(a *desk.Agent) { a.Name = "a\nb" }, desk.ErrInvalid, "control characters"},
		{func(a *desk.Agent) { a.Name = strings.Repeat("x", 129) }, desk.ErrInvalid, "1 to 128"},
		{func(a *desk.Agent) { a.Email = "Jo <jo@example.com>" }, desk.ErrInvalid, "e-mail"},
		{func(a *desk.Agent) { a.Email = "" }, desk.ErrInvalid, "e-mail"},
		{func(a *desk.Agent) { a.Email = "JANE@EXAMPLE.COM" }, desk.ErrConflict, "jane@example.com"},
		{func(a *desk.Agent) { a.Role = "boss" }, desk.ErrInvalid, `"boss"`},
		{func(a *desk.Agent) { a.Role = "" }, desk.ErrInvalid, "role"},
		{func(a *desk.Agent) { a.Capacity = -1 }, desk.ErrInvalid, "capacity"},
		{func(a *desk.Agent) { a.Teams = []string{"nowhere"} }, desk.ErrInvalid, `"nowhere"`},
		{func(a *desk.Agent) { a.Services = []string{"amazon-nothing"} }, desk.ErrInvalid, "amazon-nothing"},
		{func(a *desk.Agent) { a.Languages = []string{"tlh"} }, desk.ErrInvalid, "tlh"},
	} {
		a := newAgent("jo", desk.RoleAgent)
		row.change(&a)
		if _, err := o.CreateAgent(t.Context(), desk.Operator(), a); !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.text) {
			t.Errorf("CreateAgent(%+v) = %v, want %v with %q", a, err, row.want, row.text)
		}
	}
	if got := actions(o.entries(t, desk.EntryQuery{Action: "agent.create"})); len(got) != 1 {
		t.Errorf("the audit log has %v, want the one agent that was made", got)
	}
}

func TestUpdateOfAnAgentNeedsTheVersionSeen(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	jane := o.mustHire(t, "jane", desk.RoleAgent).Agent
	who := desk.Operator()
	who.IfVersion = jane.Version

	jane.Capacity, jane.CreatedAt = 5, jane.CreatedAt.AddDate(-1, 0, 0)
	got, err := o.UpdateAgent(ctx, who, jane)
	if err != nil || got.Version != 2 || got.Capacity != 5 || !got.CreatedAt.Equal(o.clock) {
		t.Fatalf("UpdateAgent(version 1) = %+v, %v, want version 2, made when it was", got, err)
	}
	if _, err := o.UpdateAgent(ctx, who, jane); !errors.Is(err, desk.ErrChanged) {
		t.Errorf("UpdateAgent(version 1) again = %v, want ErrChanged", err)
	}
	if got, err := o.UpdateAgent(ctx, desk.Operator(), jane); err != nil || got.Version != 3 {
		t.Errorf("UpdateAgent() of a caller who does not say = %+v, %v, want version 3", got, err)
	}
	if _, err := o.UpdateAgent(ctx, desk.Operator(), desk.Agent{ID: "agent-0"}); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("UpdateAgent(agent-0) = %v, want ErrNotFound", err)
	}
}

func TestNobodyChangesTheirOwnRole(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	one, other := o.mustHire(t, "one", desk.RoleAdministrator), o.mustHire(t, "other", desk.RoleAdministrator)
	changed := one.Agent
	changed.Role = desk.RoleLead
	if _, err := o.UpdateAgent(t.Context(), one, changed); !errors.Is(err, desk.ErrDenied) {
		t.Errorf("UpdateAgent(own role) = %v, want ErrDenied", err)
	}
	changed.Role, changed.Name = desk.RoleAdministrator, "One"
	if _, err := o.UpdateAgent(t.Context(), one, changed); err != nil {
		t.Errorf("UpdateAgent(own name) = %v, want nil", err)
	}
	changed.Role = desk.RoleLead
	if _, err := o.UpdateAgent(t.Context(), other, changed); err != nil {
		t.Errorf("UpdateAgent(another's role) = %v, want nil", err)
	}
}

func TestTheLastActiveAdministratorStays(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	last := o.mustHire(t, "last", desk.RoleAdministrator).Agent
	o.mustHire(t, "jane", desk.RoleLead)
	away := newAgent("away", desk.RoleAdministrator)
	away.Active = false
	if _, err := o.CreateAgent(ctx, desk.Operator(), away); err != nil {
		t.Fatal(err)
	}
	demoted, inactive := last, last
	demoted.Role, inactive.Active = desk.RoleLead, false
	for _, a := range []desk.Agent{demoted, inactive} {
		if _, err := o.UpdateAgent(ctx, desk.Operator(), a); !errors.Is(err, desk.ErrConflict) {
			t.Errorf("UpdateAgent(%s, active %t) of the last administrator = %v, want ErrConflict", a.Role, a.Active, err)
		}
	}
	o.mustHire(t, "next", desk.RoleAdministrator)
	if _, err := o.UpdateAgent(ctx, desk.Operator(), inactive); err != nil {
		t.Errorf("UpdateAgent(inactive) beside another administrator = %v, want nil", err)
	}
}

func TestAdministratorsWhoDemoteEachOtherAreNotBothGone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	one, two := o.mustHire(t, "one", desk.RoleAdministrator), o.mustHire(t, "two", desk.RoleAdministrator)
	demote := func(who desk.Caller, a desk.Agent) error {
		a.Role = desk.RoleAgent
		_, err := o.UpdateAgent(t.Context(), who, a)
		return err
	}
	ended := make(chan error)
	go func() { ended <- demote(one, two.Agent) }()
	go func() { ended <- demote(two, one.Agent) }()
	failures := 0
	for range 2 {
		if err := <-ended; errors.Is(err, desk.ErrConflict) {
			failures++
		} else if err != nil {
			t.Errorf("UpdateAgent() = %v, want nil or ErrConflict", err)
		}
	}
	if failures != 1 {
		t.Errorf("%d of two administrators were kept from demoting the other, want one", failures)
	}
}

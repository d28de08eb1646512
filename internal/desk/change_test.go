package desk_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/desk"
)

func TestChangeThatIsAskedForTwiceHappensOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	admin := o.mustHire(t, "admin", desk.RoleAdministrator)
	admin.Once = desk.Repeatable{Key: "retry-1", Hash: [32]byte{1}}
	first, err := o.CreateAgent(ctx, admin, newAgent("jane", desk.RoleAgent))
	if err != nil {
		t.Fatalf("CreateAgent() = %v", err)
	}
	o.clock = o.clock.Add(time.Minute)
	again, err := o.CreateAgent(ctx, admin, newAgent("jane", desk.RoleAgent))
	if diff := cmp.Diff(first, again); diff != "" || err != nil {
		t.Errorf("CreateAgent() again = %v, want the first answer (-want +got):\n%s", err, diff)
	}
	if got := o.entries(t, desk.EntryQuery{Subject: first.ID}); len(got) != 1 {
		t.Errorf("the audit log has %v, want one entry", actions(got))
	}
	other := admin
	other.Once.Hash = [32]byte{2}
	if _, err := o.CreateAgent(ctx, other, newAgent("joe", desk.RoleAgent)); !errors.Is(err, desk.ErrKeyReused) {
		t.Errorf("CreateAgent(another body, same key) = %v, want ErrKeyReused", err)
	}
	// The key is the agent's own.
	second := o.mustHire(t, "second", desk.RoleAdministrator)
	second.Once = admin.Once
	if made, err := o.CreateAgent(ctx, second, newAgent("joe", desk.RoleAgent)); err != nil || made.ID == first.ID {
		t.Errorf("CreateAgent(same key, another caller) = %+v, %v, want another agent", made, err)
	}
}

func TestChangeThatFailedMayBeAskedForAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	who := desk.Operator()
	who.Once = desk.Repeatable{Key: "k", Hash: [32]byte{1}}
	in := newAgent("jane", desk.RoleAgent)
	in.Teams = []string{"billing"}
	if _, err := o.CreateAgent(t.Context(), who, in); !errors.Is(err, desk.ErrInvalid) {
		t.Fatalf("CreateAgent(unknown team) = %v, want ErrInvalid", err)
	}
	o.mustPutTeam(t, "billing")
	if _, err := o.CreateAgent(t.Context(), who, in); err != nil {
		t.Errorf("CreateAgent() once the team is there = %v, want nil", err)
	}
}

func TestKeptAnswerIsForADay(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	who := desk.Operator()
	who.Once = desk.Repeatable{Key: "k", Hash: [32]byte{1}}
	team := desk.Team{ID: "billing", Name: "Billing"}
	for _, row := range []struct {
		wait time.Duration
		want int64
	}{{0, 1}, {day, 1}, {time.Second, 2}} {
		o.clock = o.clock.Add(row.wait)
		if err := o.Purge(t.Context()); err != nil {
			t.Fatalf("Purge() = %v", err)
		}
		if got, err := o.PutTeam(t.Context(), who, team); err != nil || got.Version != row.want {
			t.Errorf("PutTeam() %v later = %+v, %v, want version %d", row.wait, got, err, row.want)
		}
	}
}

func TestPurgeRemovesTokensThatEndedLongAgo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	jane := o.mustHire(t, "jane", desk.RoleAgent)
	expiring, _ := o.mustCreateToken(t, desk.Operator(), jane.Agent.ID, desk.NewToken{Name: "expiring", Life: day})
	revoked, _ := o.mustCreateToken(t, desk.Operator(), jane.Agent.ID, desk.NewToken{Name: "revoked", Life: 365 * day})
	o.mustCreateToken(t, desk.Operator(), jane.Agent.ID, desk.NewToken{Name: "lasting", Life: 365 * day})
	o.clock = o.clock.Add(2 * day)
	if err := o.RevokeToken(ctx, jane, jane.Agent.ID, revoked.ID); err != nil {
		t.Fatal(err)
	}
	names := func() (all []string) {
		tokens, err := o.Tokens(ctx, jane, jane.Agent.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range tokens {
			all = append(all, one.Name)
		}
		slices.Sort(all)
		return all
	}
	for _, row := range []struct {
		wait time.Duration
		want []string
	}{
		{89*day - time.Second, []string{"expiring", "first", "lasting", "revoked"}},
		{time.Second, []string{"first", "lasting", "revoked"}},
		{day, []string{"first", "lasting"}},
		{88 * day, []string{"lasting"}},
	} {
		o.clock = o.clock.Add(row.wait)
		if err := o.Purge(ctx); err != nil {
			t.Fatalf("Purge() = %v", err)
		}
		if diff := cmp.Diff(row.want, names()); diff != "" {
			t.Errorf("tokens at %v (-want +got):\n%s", o.clock, diff)
		}
	}
	if got := o.entries(t, desk.EntryQuery{Action: "token.delete"}); len(got) != 3 || got[0].Subject != expiring.ID || got[0].Agent != "desk" {
		t.Errorf("the audit log has %+v, want the desk to have removed three, %s first", got, expiring.ID)
	}
}

func TestAuditLogHasWhatWasBeforeAndAfter(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	lead := o.mustHire(t, "lead", desk.RoleLead)
	lead.RequestID = "req-1"
	team := desk.Team{ID: "billing", Name: "Billing"}
	for _, name := range []string{"Billing", "Bills"} {
		team.Name = name
		if _, err := o.PutTeam(ctx, lead, team); err != nil {
			t.Fatal(err)
		}
		o.clock = o.clock.Add(time.Second)
	}
	if err := o.DeleteTeam(ctx, lead, "billing"); err != nil {
		t.Fatal(err)
	}
	type line struct{ Action, Before, After string }
	var got []line
	nameIn := func(text []byte) string {
		var v struct{ Name string }
		if text != nil && json.Unmarshal(text, &v) != nil {
			t.Errorf("the audit log has %q, want JSON", text)
		}
		return v.Name
	}
	for _, e := range o.entries(t, desk.EntryQuery{Subject: "billing"}) {
		if e.Agent != lead.Agent.ID || e.TokenID != lead.TokenID || e.RequestID != "req-1" {
			t.Errorf("the entry %s is of %s with %s by %s, want the lead's request", e.Action, e.Agent, e.TokenID, e.RequestID)
		}
		got = append(got, line{e.Action, nameIn(e.Before), nameIn(e.After)})
	}
	want := []line{{"team.create", "", "Billing"}, {"team.update", "Billing", "Bills"}, {"team.delete", "Bills", ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

func TestAuditLogIsReadInPages(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	begin := o.clock
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		o.mustPutTeam(t, id)
		if id != "c" { // d is of the same moment as c
			o.clock = o.clock.Add(time.Second)
		}
	}
	var seen []string
	for q := (desk.EntryQuery{}); ; {
		page, err := o.Entries(ctx, desk.Operator(), q, 2)
		if err != nil {
			t.Fatalf("Entries(%+v) = %v", q, err)
		}
		for _, e := range page {
			seen = append(seen, e.Subject)
		}
		if len(page) < 2 {
			break
		}
		last := page[len(page)-1]
		q.Before = desk.EntryPosition{At: last.At, ID: last.ID}
	}
	if diff := cmp.Diff([]string{"e", "d", "c", "b", "a"}, seen); diff != "" {
		t.Errorf("entries in pages (-want +got):\n%s", diff)
	}
	for _, row := range []struct {
		q    desk.EntryQuery
		want int
	}{
		{desk.EntryQuery{Agent: "operator"}, 5},
		{desk.EntryQuery{Agent: "nobody"}, 0},
		{desk.EntryQuery{Action: "team.create"}, 5},
		{desk.EntryQuery{Action: "team"}, 0},
		{desk.EntryQuery{Subject: "b"}, 1},
		{desk.EntryQuery{Account: "111122223333"}, 0},
		{desk.EntryQuery{From: begin.Add(time.Second), To: begin.Add(2 * time.Second)}, 1},
	} {
		if got := o.entries(t, row.q); len(got) != row.want {
			t.Errorf("Entries(%+v) = %d, want %d", row.q, len(got), row.want)
		}
	}
}

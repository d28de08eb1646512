package desk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

func TestReplyIsSignedByTheProviderAndKnownByTheDesk(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ann := f.agent(t, "ann")
	id := f.open(t, retail, cases.NewCase{})
	r := must[desk.Replied](t)(f.Reply(t.Context(), ann, id, desk.NewReply{Body: "Hello."}))
	if r.Number != 2 || r.Assignee != ann.Agent.ID || r.Status != cases.PendingCustomerAction {
		t.Errorf("Reply() = number %d, %s's, %s, want 2, the replier's, pending-customer-action", r.Number, r.Assignee, r.Status)
	}
	d := f.see(t, id)
	if diff := cmp.Diff(r.Item, d.Item); diff != "" {
		t.Errorf("Reply() differs from what is kept:\n%s", diff)
	}
	type by struct{ SubmittedBy, Agent string }
	var got []by
	for _, c := range d.Communications {
		got = append(got, by{c.SubmittedBy, c.Agent})
	}
	want := []by{{"alice (IAM) <ops@example.com>", ""}, {"Amazon Web Services", ann.Agent.ID}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who said what (-want +got):\n%s", diff)
	}
	bob := f.agent(t, "bob")
	r = must[desk.Replied](t)(f.Reply(t.Context(), bob, id, desk.NewReply{Body: "I help.", Status: "keep"}))
	if r.Assignee != ann.Agent.ID {
		t.Errorf("Reply() to another's case gave it to %s, want it left with %s", r.Assignee, ann.Agent.ID)
	}
}

func TestStatusAfterAReply(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ann := f.agent(t, "ann")
	for _, test := range []struct {
		from, given, want string
		refused           *fault.Error
	}{
		{"", "", "pending-customer-action", nil},
		{"", "keep", "opened", nil},
		{"", "work-in-progress", "work-in-progress", nil},
		{"", "resolved", "resolved", nil},
		{"work-in-progress", "keep", "work-in-progress", nil},
		{"pending-customer-action", "", "pending-customer-action", nil},
		{"resolved", "", "pending-customer-action", nil},
		{"resolved", "work-in-progress", "work-in-progress", nil},
		{"resolved", "reopened", "reopened", nil},
		{"resolved", "keep", "resolved", nil},
		{"resolved", "resolved", "resolved", nil},
		{"work-in-progress", "opened", "work-in-progress", cases.ErrStatusNotAllowed},
		{"work-in-progress", "unassigned", "work-in-progress", desk.ErrInvalid},
		{"work-in-progress", "customer-action-completed", "work-in-progress", desk.ErrInvalid},
		{"work-in-progress", "nonsense", "work-in-progress", desk.ErrInvalid},
	} {
		f.pass(time.Hour)
		id := f.open(t, retail, cases.NewCase{})
		if test.from != "" {
			must[desk.Item](t)(f.SetStatus(t.Context(), ann, id, test.from, ""))
		}
		name := fmt.Sprintf("Reply(%q) to a case that is %q", test.given, test.from)
		_, err := f.Reply(t.Context(), ann, id, desk.NewReply{Body: "x", Status: test.given})
		if test.refused != nil {
			wantFault(t, name, err, test.refused)
		}
		if test.refused == nil && err != nil {
			t.Errorf("%s = %v, want nil", name, err)
		}
		d := f.see(t, id)
		if string(d.Status) != test.want || d.Case.Status != d.Status {
			t.Errorf("after %s the item is %s and the case %s, want %s", name, d.Status, d.Case.Status, test.want)
		}
		if said := len(d.Communications) == 2; said != (test.refused == nil) {
			t.Errorf("after %s the case has %d communications", name, len(d.Communications))
		}
	}
}

func TestFilesGoBothWays(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	set, err := f.Cases.AddAttachments(ctx, customer(retail), cases.RequestKey{}, "", []cases.File{{Name: "log.txt", Data: []byte("error")}})
	if err != nil {
		t.Fatalf("AddAttachments() = %v", err)
	}
	id := f.open(t, retail, cases.NewCase{AttachmentSetID: set.ID})
	other := f.open(t, finance, cases.NewCase{})
	must[desk.Replied](t)(f.Reply(ctx, ann, id, desk.NewReply{Body: "Run this.", Files: []cases.File{{Name: "fix.sh", Data: []byte("true")}}}))
	said := f.see(t, id).Communications
	fromCustomer, fromAgent := said[0].Attachments[0].ID, said[1].Attachments[0].ID
	if diff := cmp.Diff(cases.File{Name: "log.txt", Data: []byte("error")}, must[cases.File](t)(f.File(ctx, ann, id, fromCustomer))); diff != "" {
		t.Errorf("File(the customer's) (-want +got):\n%s", diff)
	}
	got, err := f.Cases.Attachment(ctx, customer(retail), fromAgent)
	if diff := cmp.Diff(cases.File{Name: "fix.sh", Data: []byte("true")}, got); diff != "" || err != nil {
		t.Errorf("Attachment(the agent's) = %v (-want +got):\n%s", err, diff)
	}
	_, err = f.File(ctx, ann, other, fromCustomer)
	wantFault(t, "File() of another case", err, cases.ErrAttachmentNotFound)
	_, err = f.File(ctx, ann, id, "attachment-x")
	wantFault(t, "File(unknown)", err, cases.ErrAttachmentNotFound)
}

func TestReplyTellsWhoElseHasTheCaseBeforeTheEyes(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann, bob, eve := f.agent(t, "ann"), f.agent(t, "bob"), f.agent(t, "eve")
	id := f.open(t, retail, cases.NewCase{})
	if got := must[[]desk.Presence](t)(f.SetPresence(ctx, ann, id, true)); len(got) != 0 {
		t.Errorf("SetPresence() of the first = %v, want none", got)
	}
	f.pass(30 * time.Second)
	must[[]desk.Presence](t)(f.SetPresence(ctx, eve, id, false))
	must[[]desk.Presence](t)(f.SetPresence(ctx, bob, id, true))
	r := must[desk.Replied](t)(f.Reply(ctx, bob, id, desk.NewReply{Body: "x"}))
	got := map[string]bool{}
	for _, p := range r.Others {
		got[p.Agent] = p.Replying
	}
	if diff := cmp.Diff(map[string]bool{ann.Agent.ID: true, eve.Agent.ID: false}, got); diff != "" {
		t.Errorf("Reply().Others (-want +got):\n%s", diff)
	}
	present, err := f.Case(ctx, ann, id)
	if err != nil {
		t.Fatalf("Case() = %v", err)
	}
	for _, p := range present.Present {
		if p.Replying {
			t.Errorf("agent %s still replies after the reply", p.Agent)
		}
	}
	if err := f.Leave(ctx, eve, id); err != nil {
		t.Fatalf("Leave() = %v", err)
	}
	f.pass(30 * time.Second) // a minute after ann's
	if got := must[[]desk.Presence](t)(f.SetPresence(ctx, eve, id, false)); len(got) != 1 || got[0].Agent != bob.Agent.ID {
		t.Errorf("SetPresence() after a minute = %v, want bob only", got)
	}
}

func TestAgentsActOnBehalfOfACustomer(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	for range 10 {
		f.open(t, retail, cases.NewCase{})
	}
	if _, err := f.Cases.Create(ctx, customer(retail), cases.RequestKey{}, cases.NewCase{Subject: "x", Body: "x"}); err == nil {
		t.Fatal("the eleventh case of an hour was created")
	}
	file := cases.File{Name: "fax.txt", Data: []byte("fax")}
	i := must[desk.Item](t)(f.OpenFor(ctx, ann, retail, cases.NewCase{Subject: "By phone", Body: "They called.", SeverityCode: "high"}, []cases.File{file}))
	must[desk.Item](t)(f.ReplyFor(ctx, ann, i.CaseID, "They called again.", nil))
	d := f.see(t, i.CaseID)
	if d.Case.Subject != "By phone" || d.Severity != "high" || d.Status != cases.Unassigned || d.Assignee != "" {
		t.Errorf("OpenFor() made %+v", d.Case)
	}
	for _, c := range d.Communications {
		if c.SubmittedBy != "Retail@example.com" || c.Agent != ann.Agent.ID {
			t.Errorf("communication %d is submitted by %q and written by %q, want the account's root and ann", c.Number, c.SubmittedBy, c.Agent)
		}
	}
	if got := must[cases.File](t)(f.File(ctx, ann, i.CaseID, d.Communications[0].Attachments[0].ID)); string(got.Data) != "fax" {
		t.Errorf("File() = %q, want the fax", got.Data)
	}
	must[desk.Item](t)(f.SetStatus(ctx, ann, i.CaseID, "pending-customer-action", ""))
	if got := must[desk.Item](t)(f.ReplyFor(ctx, ann, i.CaseID, "And again.", nil)); got.Status != cases.CustomerActionCompleted {
		t.Errorf("after ReplyFor() the case is %s, want customer-action-completed as after the customer's own", got.Status)
	}
	for name, in := range map[string]cases.NewCase{
		"no subject": {Body: "x"}, "no body": {Subject: "x"}, "long subject": {Subject: strings.Repeat("x", 256), Body: "x"}, "long body": {Subject: "x", Body: strings.Repeat("x", 8001)},
	} {
		_, err := f.OpenFor(ctx, ann, retail, in, nil)
		wantFault(t, "OpenFor("+name+")", err, cases.ErrInvalidText)
	}
	_, err := f.OpenFor(ctx, ann, "999999999999", cases.NewCase{Subject: "x", Body: "x"}, nil)
	wantFault(t, "OpenFor(unknown account)", err, iam.ErrAccountNotFound)
	if _, err := f.IAM.CloseAccount(ctx, retail); err != nil {
		t.Fatalf("CloseAccount() = %v", err)
	}
	_, err = f.OpenFor(ctx, ann, retail, cases.NewCase{Subject: "x", Body: "x"}, nil)
	wantFault(t, "OpenFor(closed account)", err, iam.ErrAccountClosed)
}

func TestReplyThatSaysNothingIsRefused(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ann := f.agent(t, "ann")
	id := f.open(t, retail, cases.NewCase{})
	for name, body := range map[string]string{"empty": "", "blank": " \t\n\u3000", "long": strings.Repeat("é", 8001), "not UTF-8": "\xff"} {
		_, err := f.Reply(t.Context(), ann, id, desk.NewReply{Body: body})
		wantFault(t, "Reply("+name+")", err, cases.ErrInvalidText)
	}
	if d := f.see(t, id); len(d.Communications) != 1 || d.Assignee != "" {
		t.Errorf("after replies that were refused there are %d communications, and the case is %q's, want one and nobody's", len(d.Communications), d.Assignee)
	}
}

func TestMacroDoesAllItSaysOrNothing(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	macro := desk.Macro{
		ID: "restart", Name: "Restart", AddTags: []string{"Restarted"}, Status: "work-in-progress",
		Body: "Case {{case.displayId}} ({{ case.subject }}) of {{account.name}}: restart {{host}}. {{agent.name}}",
		Note: "Told to restart {{host}}.",
	}
	must[desk.Macro](t)(f.PutMacro(ctx, desk.Operator(), macro))
	id := f.open(t, retail, cases.NewCase{Subject: "Odd {{agent.name}}"})
	before := f.see(t, id)
	_, err := f.ApplyMacro(ctx, ann, id, "restart", nil)
	wantFault(t, "ApplyMacro() without a variable", err, desk.ErrInvalid)
	if !strings.HasSuffix(err.Error(), ": host.") {
		t.Errorf("ApplyMacro() without a variable = %q, want it to name host once", err)
	}
	if diff := cmp.Diff(before, f.see(t, id)); diff != "" {
		t.Errorf("a refused macro changed the case:\n%s", diff)
	}
	r := must[desk.Replied](t)(f.ApplyMacro(ctx, ann, id, "restart", map[string]string{"host": "db-1", "agent.name": "Mallory"}))
	d := f.see(t, id)
	want := "Case " + d.DisplayID + " (Odd {{agent.name}}) of Retail: restart db-1. ann"
	if got := d.Communications[1].Body; got != want {
		t.Errorf("the macro's reply = %q, want %q", got, want)
	}
	if r.Number != 2 || r.Status != cases.WorkInProgress || !cmp.Equal(r.Tags, []string{"restarted"}) || !cmp.Equal(r.Item, d.Item) {
		t.Errorf("ApplyMacro() = %+v, want the case as it is: %+v", r, d.Item)
	}
	var notes []string
	for _, l := range must[[]desk.Line](t)(f.Timeline(ctx, ann, id)) {
		if l.Event == "note" {
			notes = append(notes, text(t, l.Detail))
		}
	}
	if diff := cmp.Diff([]string{`{"body":"Told to restart db-1."}`}, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	must[desk.Macro](t)(f.PutMacro(ctx, desk.Operator(), desk.Macro{ID: "done", Name: "Done", Status: "resolved"}))
	if r := must[desk.Replied](t)(f.ApplyMacro(ctx, ann, id, "done", nil)); r.Number != 0 || r.Status != cases.Resolved {
		t.Errorf("ApplyMacro(only a status) = %d, %s, want no communication and resolved", r.Number, r.Status)
	}
	_, err = f.ApplyMacro(ctx, ann, id, "unknown", nil)
	wantFault(t, "ApplyMacro(unknown)", err, desk.ErrNotFound)
}

package desk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

func TestAgentHasAHundredTokensAtMost(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	jane := o.mustHire(t, "jane", desk.RoleAgent) // with a token for 90 days
	last, _ := o.mustCreateToken(t, jane, jane.Agent.ID, desk.NewToken{Name: "short", Life: day})
	for range 98 {
		last, _ = o.mustCreateToken(t, jane, jane.Agent.ID, desk.NewToken{Name: "x"})
	}
	_, _, err := o.CreateToken(ctx, jane, jane.Agent.ID, desk.NewToken{Name: "x"})
	wantFault(t, "CreateToken() of the 101st", err, desk.ErrConflict)
	if err := o.RevokeToken(ctx, jane, jane.Agent.ID, last.ID); err != nil {
		t.Fatalf("RevokeToken() = %v", err)
	}
	o.mustCreateToken(t, jane, jane.Agent.ID, desk.NewToken{Name: "instead of the revoked one"})
	o.clock = o.clock.Add(day)
	o.mustCreateToken(t, jane, jane.Agent.ID, desk.NewToken{Name: "instead of the expired one"})
	o.mustHire(t, "joe", desk.RoleAgent) // whose tokens are others
}

// TestValuesOfAMacroAreBounded has a value that would make gigabytes.
func TestValuesOfAMacroAreBounded(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.lead(t, "ann")
	id := f.open(t, retail, cases.NewCase{})
	must[desk.Macro](t)(f.PutMacro(ctx, ann, desk.Macro{ID: "m", Name: "M", Body: strings.Repeat("{{v}}", 1600)}))
	_, err := f.ApplyMacro(ctx, ann, id, "m", map[string]string{"v": strings.Repeat("x", 1<<20)})
	wantFault(t, "ApplyMacro(1,600 times a megabyte)", err, desk.ErrInvalid)
	must[desk.Replied](t)(f.ApplyMacro(ctx, ann, id, "m", map[string]string{"v": "xxxxx"}))
}

func TestRecordOfACaseIsBounded(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	id, other := f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})
	err := f.Store.Update(ctx, retail, func(tx desk.Tx) error {
		i, err := tx.Item(ctx, retail, id)
		if err != nil {
			return err
		}
		i.Records = 10_000
		return tx.UpdateItem(ctx, i)
	})
	if err != nil {
		t.Fatalf("Update() = %v", err)
	}
	for name, do := range map[string]func() (desk.Item, error){
		"Note": func() (desk.Item, error) { return f.Note(ctx, ann, id, "x") },
		"Tag":  func() (desk.Item, error) { return f.Tag(ctx, ann, id, []string{"x"}, nil) },
		"Link": func() (desk.Item, error) { return f.Link(ctx, ann, id, other) },
		"Link of the other one": func() (desk.Item, error) {
			return f.Link(ctx, ann, other, id)
		},
	} {
		_, err := do()
		wantFault(t, name+" on a case with 10,000 records", err, desk.ErrConflict)
	}
	must[desk.Replied](t)(f.Reply(ctx, ann, id, desk.NewReply{Body: "x"}))
	must[desk.Item](t)(f.Merge(ctx, ann, other, id))
}

func TestPresenceFromBeforeTheClockWasMovedBackIsOver(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann, bob := f.agent(t, "ann"), f.agent(t, "bob")
	id := f.open(t, retail, cases.NewCase{})
	must[[]desk.Presence](t)(f.SetPresence(ctx, ann, id, true))
	f.pass(-time.Hour)
	if got := must[[]desk.Presence](t)(f.SetPresence(ctx, bob, id, false)); len(got) != 0 {
		t.Errorf("SetPresence() an hour before = %v, want none", got)
	}
	must[[]desk.Presence](t)(f.SetPresence(ctx, ann, id, true))
	if got := must[[]desk.Presence](t)(f.SetPresence(ctx, bob, id, false)); len(got) != 1 {
		t.Errorf("SetPresence() once ann said so again = %v, want ann", got)
	}
}

func TestFilesForACaseThatIsNotThereAreNotKept(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	files := []cases.File{{Name: "a.txt", Data: []byte("a")}}
	for _, account := range []string{retail, "999999999999"} {
		id := fmt.Sprintf("case-%s-muen-2026-0123456789abcdef", account)
		_, err := f.Reply(ctx, ann, id, desk.NewReply{Body: "x", Files: files})
		wantFault(t, "Reply(no such case)", err, desk.ErrNotFound)
		if account == retail {
			_, err = f.ReplyFor(ctx, ann, id, "x", files)
			wantFault(t, "ReplyFor(no such case)", err, desk.ErrNotFound)
		}
		wantFault(t, "Leave(no such case)", f.Leave(ctx, ann, id), desk.ErrNotFound)
		var sets []string
		err = f.Store.View(ctx, func(tx desk.Tx) (err error) {
			sets, err = tx.SetsExpiredBefore(ctx, account, f.clock.Now().Add(day), 10)
			return err
		})
		if len(sets) > 0 || err != nil {
			t.Errorf("attachment sets of %s = %v, %v, want none", account, sets, err)
		}
	}
}

package desk_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

func mustDecode(t *testing.T, encoded []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(encoded, into); err != nil {
		t.Fatalf("Unmarshal(%s) = %v", encoded, err)
	}
}

// text returns a detail as programs see it.
func text(t *testing.T, detail any) string {
	t.Helper()
	encoded, err := json.Marshal(detail)
	if err != nil {
		t.Fatalf("Marshal(%v) = %v", detail, err)
	}
	return string(encoded)
}

func lastLine(t *testing.T, f *floor, id string) desk.Line {
	t.Helper()
	lines := must[[]desk.Line](t)(f.Timeline(t.Context(), desk.Operator(), id))
	return lines[len(lines)-1]
}

func TestTimelineTellsEverythingInOrder(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann, bob := f.agent(t, "ann"), f.agent(t, "bob")
	id := f.open(t, retail, cases.NewCase{Body: "It is broken."})
	step := func() { f.pass(time.Minute) }
	step()
	must[desk.Item](t)(f.Claim(ctx, ann, id))
	step()
	must[desk.Item](t)(f.Note(ctx, bob, id, "Known problem."))
	step()
	must[desk.Replied](t)(f.Reply(ctx, bob, id, desk.NewReply{Body: "Restart it.", Files: []cases.File{{Name: "how.txt", Data: []byte("so")}}}))
	step()
	f.say(t, id, "Done.")
	step()
	must[desk.Item](t)(f.Tag(ctx, ann, id, []string{"restart"}, nil))
	step()
	must[desk.Item](t)(f.SetStatus(ctx, ann, id, "resolved", "customer is happy"))

	alice := "arn:aws:iam::111122223333:user/alice"
	want := []string{
		"0 alice (IAM) <ops@example.com> communication It is broken.",
		"1 " + ann.Agent.ID + ` moved {"event":"open","from":"unassigned","to":"opened"}`,
		"1 " + ann.Agent.ID + ` assigned {"to":"` + ann.Agent.ID + `"}`,
		"2 " + bob.Agent.ID + ` note {"body":"Known problem."}`,
		"3 " + bob.Agent.ID + " communication Restart it.",
		"3 " + bob.Agent.ID + ` moved {"event":"await-customer","from":"opened","to":"pending-customer-action"}`,
		"4 alice (IAM) <ops@example.com> communication Done.",
		"4 " + alice + ` moved {"event":"customer-reply","from":"pending-customer-action","to":"customer-action-completed"}`,
		"5 " + ann.Agent.ID + ` tagged {"added":["restart"]}`,
		"6 " + ann.Agent.ID + ` moved {"event":"resolve","from":"customer-action-completed","to":"resolved"}`,
		"6 " + ann.Agent.ID + ` status {"from":"customer-action-completed","to":"resolved","reason":"customer is happy"}`,
	}
	var got []string
	lines := must[[]desk.Line](t)(f.Timeline(ctx, ann, id))
	start := lines[0].At
	for _, l := range lines {
		detail := text(t, l.Detail)
		if written, ok := l.Detail.(desk.Written); ok {
			detail = written.Body
		}
		got = append(got, fmt.Sprintf("%.0f %s %s %s", l.At.Sub(start).Minutes(), l.Actor, l.Event, detail))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Timeline() (-want +got):\n%s", diff)
	}
}

func TestTimelineOfALongCaseIsComplete(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	id := f.open(t, retail, cases.NewCase{})
	err := f.Store.Update(t.Context(), retail, func(tx desk.Tx) error {
		for range 600 {
			if _, _, err := f.Cases.Reply(t.Context(), tx, cases.NewReply{Account: retail, CaseID: id, Body: "x", By: "P"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Update() = %v", err)
	}
	if got := len(must[[]desk.Line](t)(f.Timeline(t.Context(), desk.Operator(), id))); got != 601 {
		t.Errorf("Timeline() has %d lines, want 601", got)
	}
	d := f.see(t, id)
	if len(d.Communications) != 100 || d.Communications[0].Number != 502 || d.Communications[99].Number != 601 {
		t.Errorf("Case() has %d communications from %d, want the last 100, oldest first", len(d.Communications), d.Communications[0].Number)
	}
}

func TestTimelineComesInPagesThatAreTheWhole(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	id := f.open(t, retail, cases.NewCase{})
	for i := range 9 { // of one moment, of moments in a row, and some that is left out
		f.pass(time.Duration(i%3) * time.Minute)
		must[desk.Item](t)(f.Note(ctx, ann, id, fmt.Sprintf("note %d", i)))
		must[desk.Replied](t)(f.Reply(ctx, ann, id, desk.NewReply{Body: fmt.Sprintf("reply %d", i)}))
		f.say(t, id, fmt.Sprintf("answer %d", i))
	}
	whole := must[[]desk.Line](t)(f.Timeline(ctx, ann, id))
	for _, limit := range []int{1, 2, 3, 7, len(whole) - 1, len(whole), 500} {
		var got []desk.Line
		pages := 0
		for next := new(desk.LinePosition); next != nil; pages++ {
			page := must[desk.Lines](t)(f.TimelinePage(ctx, ann, id, *next, limit))
			if len(page.Lines) > limit || page.Next != nil && len(page.Lines) < limit {
				t.Fatalf("TimelinePage(limit %d) has %d lines, and more %t", limit, len(page.Lines), page.Next != nil)
			}
			got, next = append(got, page.Lines...), page.Next
		}
		if diff := cmp.Diff(whole, got); diff != "" {
			t.Errorf("pages of %d (-whole +pages):\n%s", limit, diff)
		}
		if want := (len(whole) + limit - 1) / limit; pages != want {
			t.Errorf("there are %d pages of %d, want %d", pages, limit, want)
		}
	}
}

func TestCommunicationsGoBackFromTheLastOne(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	id := f.open(t, retail, cases.NewCase{})
	must[desk.Replied](t)(f.Reply(ctx, ann, id, desk.NewReply{Body: "Hello."}))
	f.say(t, id, "Thanks.")
	for _, row := range []struct {
		before int64
		limit  int
		want   []int64
	}{{0, 2, []int64{3, 2}}, {2, 2, []int64{1}}, {1, 2, nil}, {0, 9, []int64{3, 2, 1}}} {
		var got []int64
		for _, one := range must[[]desk.Said](t)(f.Communications(ctx, ann, id, row.before, row.limit)) {
			got = append(got, one.Number)
			if (one.Agent == ann.Agent.ID) != (one.Number == 2) {
				t.Errorf("communication %d is by %q", one.Number, one.Agent)
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("Communications(before %d, limit %d) (-want +got):\n%s", row.before, row.limit, diff)
		}
	}
}

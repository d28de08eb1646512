package desk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

// TestCustomersSeeNothingOfTheDesk does everything that agents can do with
// words that the customer must not see, and looks for them in everything that
// the customer can see.
func TestCustomersSeeNothingOfTheDesk(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	const secret = "zebra"
	f.team(t, desk.Team{ID: secret + "-team", Name: secret})
	ann := f.hire(t, desk.Agent{Name: secret, Email: secret + "@desk.example", Role: desk.RoleLead, Capacity: 9})
	must[desk.Macro](t)(f.PutMacro(ctx, ann, desk.Macro{ID: secret, Name: secret, Body: "Hello.", Note: secret, AddTags: []string{secret}}))
	id, other := f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})
	must[desk.Item](t)(f.Claim(ctx, ann, id))
	must[desk.Item](t)(f.Assign(ctx, ann, id, desk.Assignment{Team: secret + "-team"}))
	must[desk.Item](t)(f.Note(ctx, ann, id, secret))
	must[desk.Item](t)(f.Tag(ctx, ann, id, []string{secret}, nil))
	must[desk.Item](t)(f.SetSeverity(ctx, ann, id, "high", secret))
	must[desk.Item](t)(f.SetStatus(ctx, ann, id, "work-in-progress", secret))
	must[desk.Replied](t)(f.Reply(ctx, ann, id, desk.NewReply{Body: "Hello.", Files: []cases.File{{Name: "a.txt", Data: []byte("a")}}}))
	must[desk.Replied](t)(f.ApplyMacro(ctx, ann, id, secret, map[string]string{"unused": secret}))
	must[desk.Item](t)(f.ReplyFor(ctx, ann, id, "They called.", nil))
	must[[]desk.Presence](t)(f.SetPresence(ctx, ann, id, true))
	must[desk.Item](t)(f.Link(ctx, ann, id, other))
	must[desk.Item](t)(f.Merge(ctx, ann, other, id))
	opened := must[desk.Item](t)(f.OpenFor(ctx, ann, retail, cases.NewCase{Subject: "By phone", Body: "They called."}, nil))
	f.mustRoute(t)

	seen := f.everythingCustomersSee(t)
	for _, hidden := range []string{secret, ann.Agent.ID, "agent-", "merged", strings.TrimPrefix(ann.Agent.ID, "agent-")} {
		for _, text := range seen {
			if strings.Contains(strings.ToLower(text), hidden) {
				t.Errorf("a customer sees %q in %s", hidden, text)
			}
		}
	}
	if all := strings.Join(seen, "\n"); !strings.Contains(all, opened.CaseID) || !strings.Contains(all, "Hello.") || !strings.Contains(all, "a.txt") {
		t.Errorf("the customer does not see the replies: %s", all)
	}
}

// everythingCustomersSee returns the answers of all operations on cases.
func (f *floor) everythingCustomersSee(t *testing.T) (seen []string) {
	t.Helper()
	ctx, who := t.Context(), customer(retail)
	page, err := f.Cases.Find(ctx, who, cases.Query{PageQuery: cases.PageQuery{IncludeResolved: true}, Communications: true, Limit: 100})
	if err != nil || len(page.Cases) == 0 {
		t.Fatalf("Find() = %v, %v", page, err)
	}
	seen = append(seen, fmt.Sprintf("%+v", page))
	for _, c := range page.Cases {
		thread, err := f.Cases.Communications(ctx, who, cases.CommunicationsQuery{CaseID: c.ID, Limit: 100})
		if err != nil {
			t.Fatalf("Communications() = %v", err)
		}
		seen = append(seen, fmt.Sprintf("%+v", thread))
		for _, said := range thread.Communications {
			for _, a := range said.Attachments {
				file, err := f.Cases.Attachment(ctx, who, a.ID)
				if err != nil {
					t.Fatalf("Attachment() = %v", err)
				}
				seen = append(seen, fmt.Sprintf("%s %s", file.Name, file.Data))
			}
		}
		resolved, err := f.Cases.Resolve(ctx, who, cases.RequestKey{}, c.ID)
		if err != nil {
			t.Fatalf("Resolve() = %v", err)
		}
		seen = append(seen, fmt.Sprintf("%+v", resolved))
	}
	return seen
}

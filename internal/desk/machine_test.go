package desk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/fault"
)

// TestAnyOrderOfWorkLeavesTheDeskInOrder does what agents and customers can do
// in any order. Refusals are fine; what may never be is that the item says other
// things than the case, that records are missing, or that merges go in a circle.
// More than the default: go test -run AnyOrderOfWork -rapid.checks=1000
func TestAnyOrderOfWorkLeavesTheDeskInOrder(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	f.Cases.Limits = cases.Limits{}
	f.team(t, desk.Team{ID: "all", Routing: true})
	in := []string{"all"}
	agents := []desk.Caller{f.hire(t, desk.Agent{Name: "ann", Teams: in, Capacity: 2}), f.lead(t, "lead"), f.hire(t, desk.Agent{Name: "bob", Teams: in, Capacity: 1})}
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		ids := []string{f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})}
		defer f.resolveAll(t, ids)
		aCase := rapid.SampledFrom(ids)
		who := func(rt *rapid.T) desk.Caller { return rapid.SampledFrom(agents).Draw(rt, "who") }
		status := rapid.SampledFrom([]string{"", "keep", "opened", "work-in-progress", "pending-customer-action", "reopened", "resolved", "nonsense"})
		on := func(do func(*rapid.T, string) error) func(*rapid.T) {
			return func(rt *rapid.T) {
				id := aCase.Draw(rt, "case")
				if err := do(rt, id); err != nil && !isFault(err) {
					rt.Fatalf("on %s: %v", id, err)
				}
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"claim": on(func(rt *rapid.T, id string) error {
				_, err := f.Claim(ctx, who(rt), id)
				return err
			}),
			"assign": on(func(rt *rapid.T, id string) error {
				to := rapid.SampledFrom([]desk.Assignment{{Release: true}, {Next: true}, {Team: "all"}, {Agent: agents[0].Agent.ID}}).Draw(rt, "to")
				_, err := f.Assign(ctx, who(rt), id, to)
				return err
			}),
			"reply": on(func(rt *rapid.T, id string) error {
				_, err := f.Reply(ctx, who(rt), id, desk.NewReply{Body: "x", Status: status.Draw(rt, "status")})
				return err
			}),
			"status": on(func(rt *rapid.T, id string) error {
				_, err := f.SetStatus(ctx, who(rt), id, status.Draw(rt, "status"), "because")
				return err
			}),
			"merge": on(func(rt *rapid.T, id string) error {
				_, err := f.Merge(ctx, who(rt), id, aCase.Draw(rt, "into"))
				return err
			}),
			"unmerge": on(func(rt *rapid.T, id string) error {
				_, err := f.Unmerge(ctx, who(rt), id)
				return err
			}),
			"link": on(func(rt *rapid.T, id string) error {
				_, err := f.Link(ctx, who(rt), id, aCase.Draw(rt, "other"))
				return err
			}),
			"customer": on(func(_ *rapid.T, id string) error {
				return f.Cases.Communicate(ctx, customer(retail), cases.RequestKey{}, cases.NewCommunication{CaseID: id, Body: "y"})
			}),
			"on behalf": on(func(rt *rapid.T, id string) error {
				_, err := f.ReplyFor(ctx, who(rt), id, "z", nil)
				return err
			}),
			"route": func(rt *rapid.T) {
				if err := f.Route(ctx); err != nil {
					rt.Fatalf("Route() = %v", err)
				}
			},
			"pass": func(*rapid.T) { f.pass(time.Hour) },
		})
		f.checkOrder(rt, ids)
	})
}

func isFault(err error) bool {
	var f *fault.Error
	return errors.As(err, &f)
}

// resolveAll leaves no case open, so that the next run has agents with room.
func (f *floor) resolveAll(t *testing.T, ids []string) {
	for _, id := range ids {
		if _, err := f.SetStatus(context.Background(), desk.Operator(), id, "resolved", ""); err != nil {
			t.Errorf("SetStatus(resolved) = %v", err)
		}
	}
}

func (f *floor) checkOrder(rt *rapid.T, ids []string) {
	merged := map[string]string{}
	for _, id := range ids {
		d, err := f.Case(context.Background(), desk.Operator(), id)
		if err != nil {
			rt.Fatalf("Case(%s) = %v", id, err)
		}
		lines, err := f.Timeline(context.Background(), desk.Operator(), id)
		if err != nil {
			rt.Fatalf("Timeline(%s) = %v", id, err)
		}
		merged[id] = d.MergedInto
		if d.Status != d.Case.Status || d.Severity != d.Case.SeverityCode {
			rt.Fatalf("the item of %s is %s and the case %s", id, d.Status, d.Case.Status)
		}
		if d.Assignee != "" && d.Status == cases.Unassigned {
			rt.Fatalf("%s is %s's and unassigned", id, d.Assignee)
		}
		if want := recordsOf(d); len(lines) != want {
			rt.Fatalf("the timeline of %s has %d lines, want %d", id, len(lines), want)
		}
		into := ""
		for _, l := range d.Links {
			if l.Relation == "merged-into" {
				into += l.CaseID
			}
		}
		if into != d.MergedInto {
			rt.Fatalf("%s is merged into %q and has the links %v", id, d.MergedInto, d.Links)
		}
	}
	for _, id := range ids {
		for steps, at := 0, id; at != ""; steps, at = steps+1, merged[at] {
			if steps > len(ids) {
				rt.Fatalf("merges go in a circle: %v", merged)
			}
		}
	}
}

// recordsOf returns how many lines a timeline must have: all communications,
// moves and records, but those of replies, which say nothing of their own.
func recordsOf(d desk.Detail) int {
	replies := 0
	for _, c := range d.Communications {
		if c.Agent != "" && c.SubmittedBy == desk.DefaultSettings().ProviderName {
			replies++
		}
	}
	return len(d.Communications) + int(d.Case.Moves) + int(d.Records) - replies
}

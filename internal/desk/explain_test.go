package desk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

func TestExplanationOfVeryManySpansSumsUpTheOldest(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	open := desk.Calendar{ID: "checkered", Name: "Every other half hour", Zone: "Europe/Berlin", Hours: map[string][]string{}}
	for _, name := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		for hour := range 24 {
			open.Hours[name] = append(open.Hours[name], fmt.Sprintf("%02d:00-%02[1]d:30", hour))
		}
	}
	must[desk.Calendar](t)(f.PutCalendar(ctx, desk.Operator(), open))
	id := f.open(t, retail, cases.NewCase{})
	severity := f.see(t, id).Severity
	must[desk.Promise](t)(f.PutPromise(ctx, desk.Operator(), desk.Promise{
		ID: "any." + severity, FirstResponseMinutes: 60, NextResponseMinutes: 60, ResolutionMinutes: 60, Calendar: open.ID,
	}))
	f.pass(10 * day)
	must[desk.Replied](t)(f.Reply(ctx, f.agent(t, "ann"), id, desk.NewReply{Body: "Hello.", Status: "keep"}))
	f.pass(time.Minute)
	f.say(t, id, "Hello?")
	f.pass(730 * day)
	all := must[[]desk.Explanation](t)(f.Explain(ctx, desk.Operator(), id))
	if len(all) != 3 {
		t.Fatalf("Explain() has %d clocks, want three", len(all))
	}
	spans := 0
	for _, e := range all {
		spans += len(e.Spans)
		checkExplanation(t, e)
	}
	if spans != 10_000 {
		t.Errorf("Explain() has %d spans, want 10000", spans)
	}
	if all[0].Kind != desk.FirstResponse || all[0].Earlier != nil {
		t.Errorf("the clock of ten days has %+v left out, want all of its spans", all[0].Earlier)
	}
}

// checkExplanation holds a clock against the account of its time.
func checkExplanation(t *testing.T, e desk.Explanation) {
	t.Helper()
	counted, other, next := time.Duration(0), time.Duration(0), e.StartedAt
	if e.Earlier != nil {
		if !e.Earlier.From.Equal(e.StartedAt) || e.Earlier.Spans == 0 {
			t.Errorf("%s: the earlier spans are %+v, want some from the start %v", e.Kind, *e.Earlier, e.StartedAt)
		}
		counted, other, next = e.Earlier.Counted, e.Earlier.Uncounted, e.Earlier.To
	}
	for _, s := range e.Spans {
		if !s.From.Equal(next) {
			t.Fatalf("%s has a span from %v, want one from %v", e.Kind, s.From, next)
		}
		if next = s.To; s.Counted {
			counted += s.To.Sub(s.From)
		} else {
			other += s.To.Sub(s.From)
		}
	}
	if counted != e.Counted || counted+other != next.Sub(e.StartedAt) {
		t.Errorf("%s has the sum %v, and %v that did not count, of %v; want %v", e.Kind, counted, other, next.Sub(e.StartedAt), e.Counted)
	}
}

func TestExplanationOfALongHistoryHasAllOfItsPauses(t *testing.T) {
	t.Parallel()
	const pauses = 160
	f := openFloor(t)
	ctx, ann := t.Context(), f.agent(t, "ann")
	id := f.open(t, retail, cases.NewCase{})
	must[desk.Promise](t)(f.PutPromise(ctx, desk.Operator(), desk.Promise{ID: "any." + f.see(t, id).Severity, ResolutionMinutes: 6000}))
	for range pauses {
		f.pass(63 * time.Minute)
		must[desk.Replied](t)(f.Reply(ctx, ann, id, desk.NewReply{Body: "And now?"}))
		f.pass(32 * time.Minute)
		f.say(t, id, "No.")
	}
	all := must[[]desk.Explanation](t)(f.Explain(ctx, desk.Operator(), id))
	last := all[len(all)-1]
	checkExplanation(t, last)
	if last.Kind != desk.Resolution || last.Counted != pauses*63*time.Minute || last.Earlier == nil || last.Earlier.Uncounted%(32*time.Minute) != 0 {
		t.Errorf("Explain() = %v with %v before %+v, want all pauses of 32 minutes and the oldest summed up", last.Kind, last.Counted, last.Earlier)
	}
}

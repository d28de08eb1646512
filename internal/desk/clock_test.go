package desk

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/calendar"
)

// monday is when the stories of these tests begin: at 9:00 on a Monday.
func monday() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

// at is so long after monday.
func at(d time.Duration) time.Time { return monday().Add(d) }

// testRules are those of the plans, except for what is set.
func testRules(t testing.TB, promises ...Promise) *rules {
	t.Helper()
	usual := usualHours()
	hours, err := calendar.New(usual.Zone, usual.Hours, map[string]string{"2026-03-04": "Founder's Day"})
	if err != nil {
		t.Fatalf("New() = %v", err)
	}
	r := &rules{settings: DefaultSettings(), promises: map[string]Promise{}, calendars: map[string]calendar.Calendar{businessHours: hours}}
	for _, p := range promises {
		r.promises[p.ID] = p
	}
	return r
}

// story is a history that begins on monday.
func story(plan, severity string, moments ...Moment) History {
	h := History{Plan: plan, Moments: []Moment{{At: monday(), What: Opened, Severity: severity}}}
	for _, m := range moments {
		h.add(m)
	}
	return h
}

func did(after time.Duration, what MomentKind) Moment { return Moment{At: at(after), What: what} }

func raised(after time.Duration, severity string) Moment {
	return Moment{At: at(after), What: Changed, Severity: severity}
}

// describe says what matters of a clock in one line.
func describe(c Clock) string {
	text := fmt.Sprintf("%s %v of %v", c.id(), c.Counted, c.Target)
	for _, part := range []struct {
		is   bool
		text string
	}{
		{!c.StoppedAt.IsZero(), " over"},
		{c.Paused, " paused"},
		{c.Warned, " warned"},
		{c.Breached, " breached"},
		{!c.DueAt.IsZero(), " due +" + c.DueAt.Sub(monday()).String()},
	} {
		if part.is {
			text += part.text
		}
	}
	return text
}

func describeAll(clocks []Clock) (all []string) {
	for _, c := range clocks {
		all = append(all, describe(c))
	}
	return all
}

func TestClocksOfStories(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	resolution := Promise{ID: "any.urgent", FirstResponseMinutes: 60, NextResponseMinutes: 120, ResolutionMinutes: 480}
	tests := []struct {
		name     string
		promises []Promise
		history  History
		now      time.Duration
		want     []string
	}{
		{
			"a new case waits for its first response", nil, story("enterprise", "urgent"), hour / 2,
			[]string{"first-response/1 30m0s of 1h0m0s due +1h0m0s"},
		},
		{
			"it warns", nil, story("enterprise", "urgent"), 45 * time.Minute,
			[]string{"first-response/1 45m0s of 1h0m0s warned due +1h0m0s"},
		},
		{
			"it breaches when the time is over", nil, story("enterprise", "urgent"), hour,
			[]string{"first-response/1 1h0m0s of 1h0m0s warned breached due +1h0m0s"},
		},
		{
			"an answer in time", nil, story("enterprise", "urgent", did(hour-1, AgentSaid)), 9 * hour,
			[]string{"first-response/1 59m59.999999999s of 1h0m0s over warned"},
		},
		{
			"an answer too late", nil, story("enterprise", "urgent", did(2*hour, AgentSaid)), 9 * hour,
			[]string{"first-response/1 2h0m0s of 1h0m0s over warned breached due +1h0m0s"},
		},
		{
			"the customer's impatience starts no clock", nil, story("enterprise", "urgent", did(hour/4, CustomerSaid), did(hour/3, CustomerSaid)), hour / 2,
			[]string{"first-response/1 30m0s of 1h0m0s due +1h0m0s"},
		},
		{
			"the next response is awaited from the first thing said", nil,
			story("enterprise", "urgent", did(hour/2, AgentSaid), did(2*hour, CustomerSaid), did(2*hour+hour/2, CustomerSaid)), 2*hour + hour/2,
			[]string{"first-response/1 30m0s of 1h0m0s over", "next-response/1 30m0s of 1h0m0s due +3h0m0s"},
		},
		{
			"each next response has its number", nil,
			story("enterprise", "urgent", did(0, AgentSaid), did(hour, CustomerSaid), did(2*hour, AgentSaid), did(3*hour, CustomerSaid)), 3 * hour,
			[]string{"first-response/1 0s of 1h0m0s over", "next-response/1 1h0m0s of 1h0m0s over warned breached due +2h0m0s", "next-response/2 0s of 1h0m0s due +4h0m0s"},
		},
		{
			"no time counts while the case waits for the customer", nil,
			story("enterprise", "high", did(hour, Waiting)), 40 * hour,
			[]string{"first-response/1 1h0m0s of 4h0m0s paused"},
		},
		{
			"until somebody goes on working", nil,
			story("enterprise", "high", did(hour, Waiting), did(11*hour, Working)), 12 * hour,
			[]string{"first-response/1 2h0m0s of 4h0m0s due +14h0m0s"},
		},
		{
			"or the customer says something", nil,
			story("enterprise", "high", did(hour, Waiting), did(11*hour, CustomerSaid)), 12 * hour,
			[]string{"first-response/1 2h0m0s of 4h0m0s due +14h0m0s"},
		},
		{
			"a breach while nobody looked, before the pause", nil,
			story("enterprise", "urgent", did(2*hour, Waiting)), 9 * hour,
			[]string{"first-response/1 2h0m0s of 1h0m0s paused warned breached due +1h0m0s"},
		},
		{
			"a resolved case pauses what nobody answered", nil,
			story("enterprise", "urgent", did(hour/2, Ended)), 9 * hour,
			[]string{"first-response/1 30m0s of 1h0m0s paused"},
		},
		{
			"the resolution is over when the case is resolved",
			[]Promise{resolution},
			story("enterprise", "urgent", did(hour/2, AgentSaid), did(hour/2, Waiting), did(2*hour, Working), did(3*hour, Ended)), 9 * hour,
			[]string{"first-response/1 30m0s of 1h0m0s over", "resolution/1 1h30m0s of 8h0m0s over"},
		},
		{
			"and goes on when it is reopened",
			[]Promise{resolution},
			story("enterprise", "urgent", did(hour/2, AgentSaid), did(3*hour, Ended), did(100*hour, Begun), did(100*hour, CustomerSaid)), 101 * hour,
			[]string{"first-response/1 30m0s of 1h0m0s over", "next-response/1 1h0m0s of 2h0m0s due +102h0m0s", "resolution/1 4h0m0s of 8h0m0s due +105h0m0s"},
		},
		{
			"a higher severity keeps the time counted", nil,
			story("enterprise", "low", raised(hour/2, "urgent")), hour / 2,
			[]string{"first-response/1 30m0s of 1h0m0s due +1h0m0s"},
		},
		{
			"and breaches at once when that is too much", nil,
			story("enterprise", "low", raised(5*hour, "urgent")), 6 * hour,
			[]string{"first-response/1 6h0m0s of 1h0m0s warned breached due +5h0m0s"},
		},
		{
			"but not before time counts again", nil,
			story("enterprise", "low", did(5*hour, Waiting), raised(6*hour, "urgent")), 7 * hour,
			[]string{"first-response/1 5h0m0s of 1h0m0s paused"},
		},
		{
			"which is then", nil,
			story("enterprise", "low", did(5*hour, Waiting), raised(6*hour, "urgent"), did(8*hour, Working)), 8 * hour,
			[]string{"first-response/1 5h0m0s of 1h0m0s warned breached due +8h0m0s"},
		},
		{
			"a lower severity gives more time", nil,
			story("enterprise", "urgent", raised(2*hour, "low")), 3 * hour,
			[]string{"first-response/1 3h0m0s of 24h0m0s due +24h0m0s"},
		},
		{
			"a clock that is over keeps its target", nil,
			story("enterprise", "low", did(2*hour, AgentSaid), raised(3*hour, "urgent")), 4 * hour,
			[]string{"first-response/1 2h0m0s of 24h0m0s over"},
		},
		{
			"business hours of the Developer plan", nil, // 12 hours: nine today, three tomorrow
			story("developer", "normal"), 24 * hour,
			[]string{"first-response/1 10h0m0s of 12h0m0s warned due +26h0m0s"},
		},
		{
			"and a holiday", nil, // 24 hours: nine, ten, a holiday, five
			story("developer", "low"), 3 * hour,
			[]string{"first-response/1 3h0m0s of 24h0m0s due +76h0m0s"},
		},
		{"a plan without technical support promises nothing", nil, story("basic", "low"), hour, nil},
		{
			"unless an administrator does",
			[]Promise{{ID: "any.low", FirstResponseMinutes: 60}},
			story("basic", "low"), hour / 2,
			[]string{"first-response/1 30m0s of 1h0m0s due +1h0m0s"},
		},
		{
			"that of the plan comes first",
			[]Promise{{ID: "any.low", FirstResponseMinutes: 60}, {ID: "basic.low", FirstResponseMinutes: 120}},
			story("basic", "low"), hour / 2,
			[]string{"first-response/1 30m0s of 2h0m0s due +2h0m0s"},
		},
		{
			"a time of zero is not promised",
			[]Promise{{ID: "any.low", ResolutionMinutes: 60}},
			story("enterprise", "low", did(1, AgentSaid), did(2, CustomerSaid)), hour / 2,
			[]string{"resolution/1 30m0s of 1h0m0s due +1h0m0s"},
		},
		{
			"a promise by a calendar",
			[]Promise{{ID: "any.low", FirstResponseMinutes: 600, Calendar: businessHours}},
			story("enterprise", "low"), hour,
			[]string{"first-response/1 1h0m0s of 10h0m0s due +24h0m0s"},
		},
		{
			"a clock that was moved back", nil, story("enterprise", "urgent", did(hour/2, AgentSaid), did(hour/4, CustomerSaid)), 0,
			[]string{"first-response/1 30m0s of 1h0m0s over", "next-response/1 0s of 1h0m0s due +1h30m0s"},
		},
		{"a case without a history", nil, History{Plan: "enterprise"}, hour, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := describeAll(testRules(t, test.promises...).clocks(test.history, at(test.now)))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("clocks (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExplanationSaysWhyTimeDidNotCount(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	r := testRules(t, Promise{ID: "developer.low", ResolutionMinutes: 6000, Calendar: businessHours})
	h := story("developer", "low", did(hour, AgentSaid), did(hour, Waiting), did(24*hour, Working), did(73*hour, Ended), did(74*hour, Begun))
	all := measure(h, at(75*hour))
	got := slices.Collect(r.explain(h.Plan, all[len(all)-1]))
	want := []Span{
		{From: at(0), To: at(hour), Counted: true, Why: "open"},
		{From: at(hour), To: at(24 * hour), Why: "waiting for the customer"},
		{From: at(24 * hour), To: at(33 * hour), Counted: true, Why: "open"},
		{From: at(33 * hour), To: at(39 * hour), Why: "closed"},
		{From: at(39 * hour), To: at(63 * hour), Why: "Founder's Day"},
		{From: at(63 * hour), To: at(71 * hour), Why: "closed"},
		{From: at(71 * hour), To: at(73 * hour), Counted: true, Why: "open"},
		{From: at(73 * hour), To: at(74 * hour), Why: "resolved"},
		{From: at(74 * hour), To: at(75 * hour), Counted: true, Why: "open"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("explain() (-want +got):\n%s", diff)
	}
}

func TestWhatChangesNoClockIsNotKept(t *testing.T) {
	t.Parallel()
	h := story("enterprise", "low")
	for i := range 1000 {
		after := time.Duration(i) * time.Minute
		h.add(did(after, CustomerSaid))
		h.add(did(after, Working))
		h.add(raised(after, "low"))
	}
	h.add(did(1001*time.Minute, AgentSaid))
	h.add(did(1002*time.Minute, AgentSaid))
	if got := len(h.Moments); got != 2 {
		t.Errorf("there are %d moments, want 2: %v", got, h.Moments)
	}
}

// note adds a moment as a change of the case does.
func (h *History) note(r *rules, m Moment) {
	h.add(m)
	r.condense(h)
}

func TestHistoryOfALongCaseIsBounded(t *testing.T) {
	t.Parallel()
	const rounds = 600
	r := testRules(t, Promise{ID: "any.low", FirstResponseMinutes: 60, NextResponseMinutes: 60, ResolutionMinutes: 1_000_000})
	h := story("enterprise", "low", did(0, AgentSaid))
	var now, worked time.Duration
	for i := range rounds {
		h.note(r, did(now, Waiting))
		now += time.Duration(1+i%7) * time.Minute
		h.note(r, did(now, CustomerSaid))
		now += time.Hour
		worked += time.Hour
		h.note(r, did(now, AgentSaid))
		if got := len(h.Moments); got > maxMoments {
			t.Fatalf("there are %d moments, want at most %d", got, maxMoments)
		}
	}
	h.note(r, did(now, CustomerSaid))
	got := r.clocks(h, at(now+time.Minute))
	next := got[len(got)-2]
	if want := fmt.Sprintf("next-response/%d 1m0s of 1h0m0s due +%v", rounds+1, now+time.Hour); describe(next) != want {
		t.Errorf("the last next response is %s, want %s", describe(next), want)
	}
	if counted := got[len(got)-1].Counted; counted != worked+time.Minute {
		t.Errorf("the resolution counted %v of %v, want %v", counted, now, worked+time.Minute)
	}
}

func TestForgottenPausesDoNotCount(t *testing.T) {
	t.Parallel()
	for _, pauses := range []int{91, 100, 160, 1000} {
		r := testRules(t, Promise{ID: "any.low", FirstResponseMinutes: 6000, ResolutionMinutes: 6000})
		h := story("enterprise", "low")
		var now, worked time.Duration
		for range pauses {
			now += 63 * time.Minute
			worked += 63 * time.Minute
			h.note(r, did(now, Waiting))
			now += 32 * time.Minute
			h.note(r, did(now, Working))
		}
		const due = 95*95*time.Minute + 15*time.Minute // 95 of the pauses are before it
		for _, c := range r.clocks(h, at(now)) {
			want := fmt.Sprintf("%s %v of 100h0m0s", c.id(), worked)
			if worked >= 75*time.Hour {
				want += " warned"
			}
			if worked >= 100*time.Hour {
				want += fmt.Sprintf(" breached due +%v", due)
			} else {
				want += fmt.Sprintf(" due +%v", now+100*time.Hour-worked)
			}
			if got := describe(c); got != want {
				t.Errorf("after %d pauses: %s, want %s", pauses, got, want)
			}
		}
	}
}

// A history that forgets nothing is what condensed ones are held against.
func TestCondensedHistoryCountsAsTheWholeOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRules(rt, t)
		seed := rapid.Uint64().Draw(rt, "seed")
		random := rand.New(rand.NewPCG(seed, 0))
		kinds := rapid.SliceOfN(rapid.SampledFrom([]MomentKind{CustomerSaid, AgentSaid, Waiting, Working, Ended, Begun}), 2, 6).Draw(rt, "kinds")
		steady := rapid.SampledFrom([]int{1, 10, 1000}).Draw(rt, "moments for each change of severity")
		whole := story(rapid.SampledFrom([]string{"enterprise", "developer"}).Draw(rt, "plan"), "low")
		short := whole
		now := time.Duration(0)
		for range rapid.IntRange(300, 900).Draw(rt, "moments") {
			now += time.Duration(random.Int64N(int64(3 * time.Hour)))
			m := did(now, kinds[random.IntN(len(kinds))])
			if random.IntN(1+steady) == 0 {
				m = raised(now, []string{"low", "normal", "urgent"}[random.IntN(3)])
			}
			whole.add(m)
			short.note(r, m)
		}
		if len(short.Moments) > maxMoments {
			rt.Fatalf("%d moments are left of %d", len(short.Moments), len(whole.Moments))
		}
		now += time.Duration(random.Int64N(int64(30 * time.Hour)))
		checkCondensed(rt, r, whole, short, at(now), steady == 1000)
	})
}

func checkCondensed(rt *rapid.T, r *rules, whole, short History, now time.Time, steady bool) {
	all := map[string]Clock{}
	for _, c := range r.clocks(whole, now) {
		all[c.id()] = c
	}
	for _, m := range measure(short, now) {
		c, ok := r.clock(short.Plan, m)
		if !ok {
			continue
		}
		want := all[c.id()]
		want.WarnAt, want.DueAt = c.WarnAt, c.DueAt // which can be forgotten
		if !steady {
			want.Warned, want.Breached = c.Warned, c.Breached
		}
		if diff := cmp.Diff(want, c); diff != "" {
			rt.Fatalf("%s (-whole +condensed):\n%s", c.id(), diff)
		}
		checkAccount(rt, r, short.Plan, m, c, now)
	}
}

// checkAccount holds the explanation of a clock against it.
func checkAccount(rt *rapid.T, r *rules, plan string, m measured, c Clock, now time.Time) {
	end := c.StoppedAt
	if end.IsZero() {
		end = now
	}
	next, sum := c.StartedAt, time.Duration(0)
	earlier, legs := r.earlier(plan, m.legs)
	if earlier != nil {
		if !earlier.From.Equal(next) || earlier.Counted+earlier.Uncounted != earlier.To.Sub(next) || earlier.Spans == 0 && earlier.From.Before(earlier.To) {
			rt.Fatalf("%s: what is earlier is %+v", describe(c), *earlier)
		}
		next, sum = earlier.To, earlier.Counted
	}
	m.legs = legs
	for s := range r.explain(plan, m) {
		if !s.From.Equal(next) || !s.From.Before(s.To) || s.Why == "" {
			rt.Fatalf("%s has the span %+v, want one from %v", describe(c), s, next)
		}
		next = s.To
		if s.Counted {
			sum += s.To.Sub(s.From)
		}
	}
	if !next.Equal(end) {
		rt.Fatalf("the spans of %s end at %v, want %v", describe(c), next, end)
	}
	if sum != c.Counted {
		rt.Fatalf("the spans of %s have %v, want %v", describe(c), sum, c.Counted)
	}
}

func drawHistory(t *rapid.T) (h History, now time.Time) {
	h = story(rapid.SampledFrom([]string{"enterprise", "developer", "basic"}).Draw(t, "plan"), "low")
	after := time.Duration(0)
	step := rapid.Int64Range(0, int64(30*time.Hour))
	for range rapid.IntRange(0, 20).Draw(t, "moments") {
		after += time.Duration(step.Draw(t, "step"))
		m := did(after, rapid.SampledFrom([]MomentKind{CustomerSaid, AgentSaid, Waiting, Working, Ended, Begun, Changed}).Draw(t, "what"))
		if m.What == Changed {
			m.Severity = rapid.SampledFrom([]string{"low", "normal", "urgent"}).Draw(t, "severity")
		}
		h.add(m)
	}
	return h, at(after + time.Duration(step.Draw(t, "now")))
}

func drawRules(t *rapid.T, tb testing.TB) *rules {
	var promises []Promise
	for _, id := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"any.low", "any.urgent", "developer.normal", "enterprise.normal"}), rapid.ID).Draw(t, "promises") {
		minutes := rapid.IntRange(0, 5000)
		promises = append(promises, Promise{
			ID: id, Calendar: rapid.SampledFrom([]string{"", businessHours}).Draw(t, "calendar"),
			FirstResponseMinutes: minutes.Draw(t, "first"), NextResponseMinutes: minutes.Draw(t, "next"), ResolutionMinutes: minutes.Draw(t, "resolution"),
		})
	}
	return testRules(tb, promises...)
}

func TestExplanationsAreGaplessAndSumUpToWhatCounted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRules(rt, t)
		h, now := drawHistory(rt)
		for _, m := range measure(h, now) {
			c, ok := r.clock(h.Plan, m)
			if !ok {
				continue
			}
			checkAccount(rt, r, h.Plan, m, c, now)
		}
	})
}

func TestClockIsBreachedWhenItSaidItWouldBe(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRules(rt, t)
		h, now := drawHistory(rt)
		for i, c := range r.clocks(h, now) {
			for _, f := range c.Firings() {
				due := func(now time.Time) bool {
					later := r.clocks(h, now)[i]
					if f.Event == eventWarning {
						return later.Warned
					}
					return later.Breached
				}
				if last := h.Moments[len(h.Moments)-1].At; f.At.Add(-1).After(last) && due(f.At.Add(-1)) {
					rt.Fatalf("%s at %v: %s comes before %v", describe(c), now, f.ID, f.At)
				}
				if !due(f.At) && !f.At.Before(now) {
					rt.Fatalf("%s at %v: %s has not come at %v", describe(c), now, f.ID, f.At)
				}
				if f.At.Before(now) && !due(now) {
					rt.Fatalf("%s at %v: %s was due at %v", describe(c), now, f.ID, f.At)
				}
			}
			if c.Breached && c.Counted < c.Target {
				rt.Fatalf("%s", describe(c))
			}
			if c.runs() && c.Counted >= c.Target && !c.Breached {
				rt.Fatalf("%s", describe(c))
			}
		}
	})
}

func TestTimeNeverUncounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRules(rt, t)
		h, now := drawHistory(rt)
		passed := time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(rt, "passed"))
		later := r.clocks(h, now.Add(passed))
		for i, c := range r.clocks(h, now) {
			more := later[i].Counted - c.Counted
			if more < 0 || more > passed || !c.runs() && more != 0 {
				rt.Fatalf("%s counts %v more in %v", describe(c), more, passed)
			}
		}
	})
}

func TestItemIsDueWithItsEarliestRunningClock(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	r := testRules(t, Promise{ID: "any.low", FirstResponseMinutes: 600, ResolutionMinutes: 1200})
	i := Item{History: story("enterprise", "low")}
	for _, step := range []struct {
		name      string
		now       time.Duration
		fired     []string
		due, wake time.Duration
	}{
		{"the first warning comes first", 0, nil, 10 * hour, 7*hour + hour/2},
		{"then the breach", 8 * hour, []string{"first-response/1/warning"}, 10 * hour, 10 * hour},
		{"a breach that is past is still due", 11 * hour, []string{"first-response/1/warning", "first-response/1/breach"}, 10 * hour, 15 * hour},
		{"nothing wakes when all is told", 30 * hour, []string{"first-response/1/warning", "first-response/1/breach", "resolution/1/warning", "resolution/1/breach"}, 10 * hour, -1},
	} {
		i.Fired = step.fired
		i.count(r.clocks(i.History, at(step.now)))
		if want := at(step.wake); !i.Due.Equal(at(step.due)) || !i.Wake.Equal(want) && !(step.wake < 0 && i.Wake.IsZero()) {
			t.Errorf("%s: due %v, wake %v, want %v and %v", step.name, i.Due, i.Wake, at(step.due), want)
		}
	}
	i.History.add(did(11*hour, Waiting))
	if i.count(r.clocks(i.History, at(12*hour))); !i.Due.IsZero() || !i.Wake.IsZero() {
		t.Errorf("while waiting it is due %v and wakes %v, want never", i.Due, i.Wake)
	}
}

func TestManyAnswersForgetWhatTheOldestTold(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 200 {
		ids = lastFired(append(ids, fmt.Sprintf("next-response/%d/breach", i)))
		if i == 150 {
			ids = lastFired(append(ids, "resolution/1/warning"))
		}
	}
	if len(ids) != 2*maxAnswers || !slices.Contains(ids, "resolution/1/warning") || !slices.Contains(ids, "next-response/199/breach") {
		t.Errorf("lastFired() keeps %v, want the last %d and the resolution's", ids, 2*maxAnswers)
	}
}

package desk

import (
	"slices"
	"strconv"
	"time"
)

// Moment is something that a clock goes by.
type Moment struct {
	At       time.Time  `json:"at"`
	What     MomentKind `json:"what"`
	Severity string     `json:"severity,omitempty"` // from then on
	Sum      *Sum       `json:"sum,omitempty"`      // of the time until the next moment, when what happened in it is forgotten
}

// Sum is what is left of a time whose moments are forgotten: how it was counted
// by what was promised then.
type Sum struct {
	Counted time.Duration `json:"counted"`
	Spans   int           `json:"spans"`
	Phase   phase         `json:"phase,omitempty"` // at its end
}

// MomentKind is the kind of a [Moment].
type MomentKind string

// The kinds of moments.
const (
	Opened       MomentKind = "opened"
	CustomerSaid MomentKind = "customer" // added a communication
	AgentSaid    MomentKind = "agent"    // added a communication
	Waiting      MomentKind = "waiting"  // for the customer, from then on
	Working      MomentKind = "working"  // no longer waiting
	Ended        MomentKind = "resolved"
	Begun        MomentKind = "reopened"
	Changed      MomentKind = "severity"
)

// History is what the clocks of a case go by, oldest first. Plan is that of the
// account when the case was opened: what was promised then stays promised.
//
// It holds only what changes a clock, and at most 300 moments, see condense.
type History struct {
	Plan     string   `json:"plan"`
	Moments  []Moment `json:"moments"`
	Answered int      `json:"answered,omitempty"` // next responses that the moments no longer have
}

// Promise says how long things may take for cases of a plan and severity. A
// time of zero is not promised.
type Promise struct {
	ID                   string `json:"id"` // PLAN.SEVERITY; PLAN may be "any"
	FirstResponseMinutes int    `json:"firstResponseMinutes"`
	NextResponseMinutes  int    `json:"nextResponseMinutes"`
	ResolutionMinutes    int    `json:"resolutionMinutes"`
	Calendar             string `json:"calendar"` // a calendar's id; empty: around the clock
	Version              int64  `json:"version"`
}

// Calendar says when the desk is open.
type Calendar struct {
	ID       string              `json:"id"`
	Name     string              `json:"name"`
	Zone     string              `json:"zone"`     // of the IANA database, such as Europe/Berlin
	Hours    map[string][]string `json:"hours"`    // "mon" … "sun": intervals such as "09:00-17:30", to "24:00"
	Holidays map[string]string   `json:"holidays"` // names by date, such as 2026-12-25
	Version  int64               `json:"version"`
}

// ClockKind is what a clock measures.
type ClockKind string

// The kinds of clocks.
const (
	FirstResponse ClockKind = "first-response"
	NextResponse  ClockKind = "next-response"
	Resolution    ClockKind = "resolution"
)

// Clock measures one promise of a case. A first response is awaited from the
// beginning, a next one from the first thing the customer says after the last
// answer; the resolution from the beginning, and again when the case is
// reopened. No time counts while the case waits for the customer or is resolved.
//
// A change of severity gives a clock another target and leaves it the time that
// it has counted. When that is too much already, the clock is breached by the
// change, or by going on after it. A promise of an hour is broken when the hour
// is over.
type Clock struct {
	Kind      ClockKind
	Number    int           // of the clocks of the kind, from 1
	StartedAt time.Time     // when it began to count
	StoppedAt time.Time     // zero while it is not over
	Target    time.Duration // of counted time
	Counted   time.Duration // until now, or until it stopped
	Paused    bool          // now
	WarnAt    time.Time     // when the warning was due, or will be if nothing happens; zero when it was not and the clock is paused or over
	DueAt     time.Time     // likewise for the breach
	Warned    bool
	Breached  bool
}

// Span is a part of a clock's time, which counted or did not.
type Span struct {
	From, To time.Time
	Counted  bool
	Why      string // such as "open", "waiting for the customer", "closed" or a holiday's name
}

// runs reports whether time counts now, or will when the desk opens.
func (c Clock) runs() bool { return c.StoppedAt.IsZero() && !c.Paused }

// Firing is a warning or a breach, which is told once.
type Firing struct {
	ID    string // such as "first-response/1/warning"
	Event string // of the record
	At    time.Time
}

// The events of the records that clocks leave.
const (
	eventWarning = "clock-warning"
	eventBreach  = "clock-breach"
)

// Firings returns what a running clock tells of, or will if nothing happens.
// One that is paused or over has told what it had to tell.
func (c Clock) Firings() (all []Firing) {
	if !c.runs() {
		return nil
	}
	if !c.WarnAt.IsZero() {
		all = append(all, Firing{ID: c.id() + "/warning", Event: eventWarning, At: c.WarnAt})
	}
	if !c.DueAt.IsZero() {
		all = append(all, Firing{ID: c.id() + "/breach", Event: eventBreach, At: c.DueAt})
	}
	return all
}

func (c Clock) id() string { return string(c.Kind) + "/" + strconv.Itoa(c.Number) }

// clocks returns the clocks of a case, those without a promise left out.
func (r *rules) clocks(h History, now time.Time) (all []Clock) {
	for _, m := range measure(h, now) {
		if c, ok := r.clock(h.Plan, m); ok {
			all = append(all, c)
		}
	}
	return all
}

// clock returns what is measured of a promise, unless nothing is promised.
func (r *rules) clock(plan string, m measured) (Clock, bool) {
	target := r.target(plan, m, len(m.legs)-1)
	if target == 0 {
		return Clock{}, false
	}
	last := m.legs[len(m.legs)-1]
	c := Clock{Kind: m.kind, Number: m.number, StartedAt: m.legs[0].from, Target: target}
	for _, l := range m.legs {
		c.Counted += r.counted(plan, l)
	}
	if m.over {
		c.StoppedAt = last.to
	}
	c.Paused = !m.over && last.phase != working
	if percent := r.settings.WarnPercent; percent > 0 && percent < 100 {
		c.WarnAt, c.Warned = r.reached(plan, m, target*time.Duration(percent)/100)
	}
	c.DueAt, c.Breached = r.reached(plan, m, target)
	return c, true
}

// target returns what is promised during a leg.
func (r *rules) target(plan string, m measured, at int) time.Duration {
	return r.promise(plan, m.legs[at].severity).of(m.kind)
}

func (r *rules) counted(plan string, l leg) time.Duration {
	if l.sum != nil {
		return l.sum.Counted
	}
	if l.phase != working {
		return 0
	}
	return r.promise(plan, l.severity).open.Between(l.from, l.to)
}

// reached returns when the counted time reached what the present target makes
// the most, or will, and whether it has. That cannot be before the target was
// this one, or while no time counts. When it was in a time of which only the sum
// is left, the end of that has to do.
func (r *rules) reached(plan string, m measured, most time.Duration) (at time.Time, has bool) {
	since, last := r.targetSince(plan, m), len(m.legs)-1
	var counted time.Duration
	for i, l := range m.legs {
		before := counted
		counted += r.counted(plan, l)
		ahead := i == last && !m.over
		passed := l.from.Before(l.to) && counted >= most
		if i < since || !ahead && !passed {
			continue
		}
		if l.sum != nil && counted > before {
			return l.to, true
		}
		if l.sum != nil || l.phase != working {
			continue
		}
		at, ok := r.promise(plan, l.severity).open.Add(l.from, most-before)
		return at, ok && !at.After(l.to)
	}
	return time.Time{}, false
}

// targetSince returns the first leg from which on the target is the present one.
func (r *rules) targetSince(plan string, m measured) int {
	at := len(m.legs) - 1
	for at > 0 && r.target(plan, m, at-1) == r.target(plan, m, len(m.legs)-1) {
		at--
	}
	return at
}

// measured is the time that belongs to a clock: at least one leg, in order and
// without gaps.
type measured struct {
	kind   ClockKind
	number int
	legs   []leg
	over   bool
}

// leg is a part of a case's time in which nothing changed, or what that was is
// forgotten.
type leg struct {
	from, to time.Time
	state         // at its end, if it is a sum
	sum      *Sum // of legs that are forgotten; nil: nothing changed in it
}

// state is how a case stands between two moments, as far as clocks go by it.
type state struct {
	phase    phase
	severity string
	awaited  bool // the customer waits for something to be said
}

// phase is whether time counts, and else the reason why not.
type phase string

const (
	working phase = ""
	waiting phase = "waiting for the customer"
	ended   phase = "resolved"
)

// after returns the state after a moment.
func (s state) after(m Moment) state {
	if m.Severity != "" {
		s.severity = m.Severity
	}
	switch m.What {
	case Opened, CustomerSaid:
		s.phase, s.awaited = working, true
	case AgentSaid:
		s.awaited = false
	case Waiting:
		s.phase = waiting
	case Ended:
		s.phase = ended
	case Working, Begun:
		s.phase = working
	}
	if m.Sum != nil {
		s.phase = m.Sum.Phase
	}
	return s
}

// measure divides the time of a case among its clocks.
func measure(h History, now time.Time) []measured {
	legs := h.legs(now)
	if len(legs) == 0 {
		return nil
	}
	all := responses(legs, h.Answered)
	end := resolved(legs)
	return append(all, measured{kind: Resolution, number: 1, legs: legs[:end], over: end < len(legs)})
}

// resolved returns the first leg from which on the case is resolved.
func resolved(legs []leg) int {
	end := len(legs)
	for end > 1 && legs[end-1].phase == ended && legs[end-1].sum == nil {
		end--
	}
	return end
}

// responses returns the clocks of what the customer waited for.
func responses(legs []leg, answered int) (all []measured) {
	from := 0
	add := func(to int, over bool) {
		m := measured{kind: FirstResponse, number: 1, legs: legs[from:to], over: over}
		if len(all) > 0 {
			m.kind, m.number = NextResponse, len(all)+answered
		}
		all = append(all, m)
	}
	for i := 1; i < len(legs); i++ {
		switch is, was := legs[i].awaited, legs[i-1].awaited; {
		case is && !was:
			from = i
		case was && !is:
			add(i, true)
		}
	}
	if legs[len(legs)-1].awaited {
		add(len(legs), false)
	}
	return all
}

// legs returns what is between the moments, and after the last one until now.
func (h History) legs(now time.Time) (all []leg) {
	var s state
	for i, m := range h.Moments {
		s = s.after(m)
		to := now
		if i+1 < len(h.Moments) {
			to = h.Moments[i+1].At
		}
		if to.Before(m.At) { // the clock was moved back
			to = m.At
		}
		all = append(all, leg{from: m.At, to: to, state: s, sum: m.Sum})
	}
	return all
}

// add adds a moment, unless no clock goes by it: the customer said something
// again, an agent answers what is answered, the status changes within its phase.
func (h *History) add(m Moment) {
	if n := len(h.Moments); n > 0 && m.At.Before(h.Moments[n-1].At) {
		m.At = h.Moments[n-1].At // the clock was moved back
	}
	if m.What == CustomerSaid && h.state().phase != working {
		h.enter(m.At, working) // which stays when the answer is forgotten
	}
	h.Moments = append(slices.Clip(h.Moments), m)
	h.drop()
}

// enter adds the moment of a new phase.
func (h *History) enter(at time.Time, to phase) {
	what := map[phase]MomentKind{working: Working, waiting: Waiting, ended: Ended}[to]
	if to == working && h.state().phase == ended {
		what = Begun
	}
	h.add(Moment{At: at, What: what})
}

func (h *History) state() (s state) {
	for _, m := range h.Moments {
		s = s.after(m)
	}
	return s
}

// The bounds of a history. A moment takes some 60 bytes, which every change of a
// case reads and writes.
const (
	maxMoments = 300
	maxAnswers = 50
)

// condense makes a long history short enough for a while. Of many next responses
// the oldest are forgotten: they are over and were told. Then of the oldest
// moments only sums are left, so that every clock which runs across them goes on
// counting right: the last hundred phases at least are kept.
func (r *rules) condense(h *History) {
	if len(h.Moments) <= maxMoments {
		return
	}
	h.Moments = slices.Clone(h.Moments)
	for {
		asked, answered, many := h.oldestAnswer()
		if !many {
			break
		}
		h.Answered++
		r.join(h, answered)
		r.join(h, asked)
	}
	told := r.toldAt(*h)
	for len(h.Moments) > maxMoments*3/4 {
		at, ok := h.oldestPair(told)
		if !ok {
			return
		}
		r.join(h, at)
	}
}

// oldestAnswer returns the moments of the oldest next response, when there are
// many.
func (h *History) oldestAnswer() (asked, answered int, many bool) {
	var s state
	var asks, answers []int
	for i, m := range h.Moments {
		was := s
		s = s.after(m)
		switch {
		case s.awaited && !was.awaited:
			asks = append(asks, i)
		case was.awaited && !s.awaited:
			answers = append(answers, i)
		}
	}
	if len(answers) < 2+maxAnswers { // one of them is the first response
		return 0, 0, false
	}
	return asks[1], answers[1], true
}

// toldAt returns when the clocks that last warned and were breached: what was
// then shall be known exactly.
func (r *rules) toldAt(h History) (all []time.Time) {
	for _, c := range r.clocks(h, h.Moments[len(h.Moments)-1].At) {
		if c.Kind == NextResponse && !c.StoppedAt.IsZero() {
			continue
		}
		if c.Warned {
			all = append(all, c.WarnAt)
		}
		if c.Breached {
			all = append(all, c.DueAt)
		}
	}
	return all
}

// oldestPair returns the first moment which only divides two legs of the same
// clocks, neither with one of the times in it. A change of the severity is such a
// moment only if there is no other: the time before it may not break a promise
// that came with it. The last leg goes on, and one in which the case is resolved
// for good ends the resolution.
func (h *History) oldestPair(told []time.Time) (at int, ok bool) {
	legs := h.legs(h.Moments[len(h.Moments)-1].At)
	end := resolved(legs)
	holds := func(l leg) bool {
		return slices.ContainsFunc(told, func(t time.Time) bool { return !t.Before(l.from) && !t.After(l.to) })
	}
	for i := 1; i < len(legs)-1; i++ {
		before, after := legs[i-1], legs[i]
		if i == end || before.awaited != after.awaited || holds(before) || holds(after) {
			continue
		}
		if before.severity == after.severity {
			return i, true
		}
		if !ok {
			at, ok = i, true
		}
	}
	return at, ok
}

// join forgets a moment. The time after it becomes a part of that before, of
// which only a sum is left unless both are alike.
func (r *rules) join(h *History, at int) {
	legs := h.legs(h.Moments[len(h.Moments)-1].At)
	before, after := legs[at-1], legs[at]
	m := &h.Moments[at-1]
	if after.severity != before.severity {
		m.Severity = after.severity
	}
	alike := before.phase == after.phase && (before.severity == after.severity || before.phase != working)
	if !alike || before.sum != nil || after.sum != nil {
		m.Sum = r.sum(h.Plan, before)
		more := r.sum(h.Plan, after)
		m.Sum.Counted += more.Counted
		m.Sum.Spans += more.Spans
		m.Sum.Phase = after.phase
	}
	h.Moments = slices.Delete(h.Moments, at, at+1)
}

// sum returns what an account of a leg comes to.
func (r *rules) sum(plan string, l leg) *Sum {
	if l.sum != nil {
		copied := *l.sum
		return &copied
	}
	s := &Sum{Phase: l.phase}
	for span := range r.explainLeg(plan, l) {
		s.Spans++
		if span.Counted {
			s.Counted += span.To.Sub(span.From)
		}
	}
	return s
}

// drop leaves out the moments that change nothing.
func (h *History) drop() {
	var s state
	kept := make([]Moment, 0, len(h.Moments))
	for i, m := range h.Moments {
		after := s.after(m)
		if i > 0 && after == s && m.Sum == nil {
			continue
		}
		kept, s = append(kept, m), after
	}
	h.Moments = kept
}

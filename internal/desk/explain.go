package desk

import (
	"context"
	"iter"
	"slices"
	"time"
)

// Explanation is a clock with an account of its time.
type Explanation struct {
	Clock
	Earlier *Earlier // what is before the spans; nil: nothing
	Spans   []Span
}

// Earlier is the sum of the oldest spans of a clock that has very many, or of
// whose case the oldest moments are forgotten.
type Earlier struct {
	From, To  time.Time
	Spans     int           // how many they are
	Counted   time.Duration // how much of the time did
	Uncounted time.Duration // and how much did not
}

// maxSpans is how many spans an explanation of a case has at most, of all its
// clocks together.
const maxSpans = 10_000

// Explain returns the clocks of a case with an account of all of their time: of
// each, the spans go without gaps from its start to its end or to now, and those
// that counted have together just the time that it has counted. Of a case with
// very many spans the oldest ones are summed up, and those of moments that are
// forgotten are as they were counted then.
func (s *Service) Explain(ctx context.Context, who Caller, ref string) (all []Explanation, err error) {
	key, err := s.key(ctx, who, Read, ref)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		item, err := findItem(ctx, tx, key)
		if err != nil {
			return err
		}
		r, err := s.rules(ctx, tx)
		if err != nil {
			return err
		}
		all = nil
		for _, m := range measure(item.History, s.now()) {
			if c, ok := r.clock(item.History.Plan, m); ok {
				e := Explanation{Clock: c}
				e.Earlier, m.legs = r.earlier(item.History.Plan, m.legs)
				e.account(r.explain(item.History.Plan, m), maxSpans)
				all = append(all, e)
			}
		}
		shorten(all, maxSpans)
		return nil
	})
	return all, err
}

// earlier returns the sum of legs up to the last one that is a sum, and the legs
// after it.
func (r *rules) earlier(plan string, legs []leg) (*Earlier, []leg) {
	n := len(legs)
	for n > 0 && legs[n-1].sum == nil {
		n--
	}
	if n == 0 {
		return nil, legs
	}
	e := &Earlier{From: legs[0].from, To: legs[n-1].to}
	for _, l := range legs[:n] {
		s := r.sum(plan, l)
		e.Spans += s.Spans
		e.Counted += s.Counted
	}
	e.Uncounted = e.To.Sub(e.From) - e.Counted
	return e, legs[n:]
}

// account adds spans, of which the last ones are kept.
func (e *Explanation) account(spans iter.Seq[Span], most int) {
	for s := range spans {
		if e.Spans = append(e.Spans, s); len(e.Spans) >= 2*most {
			e.sumUp(most)
		}
	}
	e.sumUp(most)
}

// sumUp leaves so many of the spans.
func (e *Explanation) sumUp(most int) {
	n := len(e.Spans) - most
	if n <= 0 {
		return
	}
	if e.Earlier == nil {
		e.Earlier = &Earlier{From: e.Spans[0].From}
	}
	for _, s := range e.Spans[:n] {
		if s.Counted {
			e.Earlier.Counted += s.To.Sub(s.From)
		} else {
			e.Earlier.Uncounted += s.To.Sub(s.From)
		}
	}
	e.Earlier.To = e.Spans[n-1].To
	e.Earlier.Spans += n
	e.Spans = slices.Clone(e.Spans[n:])
}

// shorten leaves so many spans to all explanations together: those that have few
// keep them, and the others share what is left.
func shorten(all []Explanation, most int) {
	byLength := make([]*Explanation, len(all))
	for i := range all {
		byLength[i] = &all[i]
	}
	slices.SortStableFunc(byLength, func(a, b *Explanation) int { return len(a.Spans) - len(b.Spans) })
	for i, e := range byLength {
		e.sumUp(most / (len(byLength) - i))
		most -= len(e.Spans)
	}
}

// explain yields the spans of what is measured, as few as there are changes.
func (r *rules) explain(plan string, m measured) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		var last Span
		for _, l := range m.legs {
			for s := range r.explainLeg(plan, l) {
				if !last.To.IsZero() && last.Counted == s.Counted && last.Why == s.Why {
					last.To = s.To
					continue
				}
				if !last.To.IsZero() && !yield(last) {
					return
				}
				last = s
			}
		}
		if !last.To.IsZero() {
			yield(last)
		}
	}
}

// explainLeg looks at a month at a time, in which there are not too many spans.
func (r *rules) explainLeg(plan string, l leg) iter.Seq[Span] {
	const month = 30 * day
	return func(yield func(Span) bool) {
		if l.phase != working {
			if l.from.Before(l.to) {
				yield(Span{From: l.from, To: l.to, Why: string(l.phase)})
			}
			return
		}
		open := r.promise(plan, l.severity).open
		for from := l.from; from.Before(l.to); from = from.Add(month) {
			to := from.Add(month)
			if to.After(l.to) {
				to = l.to
			}
			for _, s := range open.Spans(from, to) {
				if !yield(Span{From: s.From, To: s.To, Counted: s.Open, Why: s.Why}) {
					return
				}
			}
		}
	}
}

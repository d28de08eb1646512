package desk

import "context"

// Explain returns the clocks of a case with an account of all of their time: of
// each, the spans go without gaps from its start to its end or to now, and those
// that counted have together just the time that it has counted.
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
				all = append(all, Explanation{Clock: c, Spans: r.explain(item.History.Plan, m)})
			}
		}
		return nil
	})
	return all, err
}

// explain returns the spans of what is measured, as few as there are changes.
func (r *rules) explain(plan string, m measured) (all []Span) {
	for _, l := range m.legs {
		for _, s := range r.explainLeg(plan, l) {
			if n := len(all); n > 0 && all[n-1].Counted == s.Counted && all[n-1].Why == s.Why {
				all[n-1].To = s.To
				continue
			}
			all = append(all, s)
		}
	}
	return all
}

func (r *rules) explainLeg(plan string, l leg) (all []Span) {
	if !l.from.Before(l.to) {
		return nil
	}
	if l.phase != working {
		return []Span{{From: l.from, To: l.to, Why: string(l.phase)}}
	}
	for _, s := range r.promise(plan, l.severity).open.Spans(l.from, l.to) {
		all = append(all, Span{From: s.From, To: s.To, Counted: s.Open, Why: s.Why})
	}
	return all
}

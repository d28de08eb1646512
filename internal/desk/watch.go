package desk

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/cases"
)

// Watch follows a change of a case in its transaction: it makes and moves the
// case's item, keeps its history and makes its texts findable.
//
// An item without a history is of a case that is older than the desk. It gets
// one here when the change says which plan the account has, and else from Wake.
func (s *Service) Watch(ctx context.Context, tx Tx, change cases.Change) error {
	r, err := s.rules(ctx, tx)
	if err != nil {
		return err
	}
	w := watch{Service: s, tx: tx, rules: r, change: change, now: s.now()}
	w.item, err = Item{}, ErrNotFound // of a new case, which nobody need look for
	if change.Event != cases.Create {
		w.item, err = tx.Item(ctx, change.Case.Account, change.Case.ID)
	}
	if errors.Is(err, ErrNotFound) {
		w.item = newItem(change.Case, w.now)
		if err := w.follow(ctx, tx.InsertItem); err != nil {
			return err
		}
		return w.callRouting(ctx)
	}
	if err != nil {
		return err
	}
	return w.follow(ctx, tx.UpdateItem)
}

func newItem(c cases.Case, now time.Time) Item {
	return Item{
		Key: Key{Account: c.Account, CaseID: c.ID}, Status: c.Status, Severity: c.SeverityCode,
		Service: c.ServiceCode, Language: c.Language, CreatedAt: c.CreatedAt, ChangedAt: now,
	}
}

// watch is a change of a case as it is followed.
type watch struct {
	*Service
	tx     Tx
	rules  *rules
	change cases.Change
	item   Item
	now    time.Time
}

func (w *watch) follow(ctx context.Context, write func(context.Context, Item) error) error {
	if err := w.remember(ctx); err != nil {
		return err
	}
	if err := w.dissolveMerge(ctx); err != nil {
		return err
	}
	c := w.change.Case
	w.item.Status, w.item.Severity = c.Status, c.SeverityCode
	w.item.Version++
	w.item.ChangedAt = w.now
	if len(w.item.History.Moments) == 0 {
		w.item.Wake = w.now
		return write(ctx, w.item)
	}
	w.item.count(w.rules.clocks(w.item.History, w.now))
	return write(ctx, w.item)
}

// callRouting has a new case routed at once when it comes to a team that routes.
// One that is missed, since the rules are another process's, waits for the next
// turn of the schedule.
func (w *watch) callRouting(ctx context.Context) error {
	takes := func(t Team) bool { return t.takes(w.item) }
	if !slices.ContainsFunc(w.rules.routing, takes) {
		return nil
	}
	return enqueueRoute(ctx, w.tx, w.item.Account)
}

// remember writes the change into the history and its texts into the index.
func (w *watch) remember(ctx context.Context) error {
	plan := w.change.Plan.ID
	switch {
	case len(w.item.History.Moments) > 0:
		// What the clocks had to tell before the change is told first: one that
		// the change stops would never do so.
		if _, err := w.tell(ctx, w.tx, w.rules, &w.item, w.now); err != nil {
			return err
		}
		w.addMoments()
		w.rules.condense(&w.item.History)
		return w.indexSaid(ctx)
	case plan == "":
		return nil
	case w.change.Event == cases.Create:
		w.item.History = newHistory(w.change.Case, plan)
		return w.indexSaid(ctx)
	}
	return w.rebuild(ctx, w.tx, w.rules, &w.item, w.change.Case, plan)
}

func newHistory(c cases.Case, plan string) History {
	return History{Plan: plan, Moments: []Moment{{At: c.CreatedAt, What: Opened, Severity: c.SeverityCode}}}
}

func (w *watch) addMoments() {
	h, at := &w.item.History, w.now
	if w.change.Communication != nil {
		at = w.change.Communication.CreatedAt
	}
	if to := phaseOf(w.change.Case.Status); to != phaseOf(w.change.From) {
		h.enter(at, to)
	}
	switch w.change.Event {
	case cases.CustomerReply:
		h.add(Moment{At: at, What: CustomerSaid})
	case cases.AgentReply:
		h.add(Moment{At: at, What: AgentSaid})
	case cases.SetSeverity:
		h.add(Moment{At: at, What: Changed, Severity: w.change.Case.SeverityCode})
	}
}

func phaseOf(s cases.Status) phase {
	switch s {
	case cases.PendingCustomerAction:
		return waiting
	case cases.Resolved:
		return ended
	}
	return working
}

func (w *watch) indexSaid(ctx context.Context) error {
	if w.change.Communication == nil {
		return nil
	}
	return indexSaid(ctx, w.tx, w.change.Case, *w.change.Communication)
}

// indexSaid makes a communication findable, and with the first one the subject:
// two texts would cost a new case twice as much.
func indexSaid(ctx context.Context, tx Tx, c cases.Case, said cases.Communication) error {
	text := said.Body
	if said.Number == 1 {
		text = c.Subject + "\n" + text
	}
	return tx.InsertText(ctx, Text{Key: Key{Account: c.Account, CaseID: c.ID}, Number: said.Number, Terms: Terms(text), At: said.CreatedAt})
}

// dissolveMerge ends a merge when the customer reopens the case: it needs to be
// worked on by itself.
func (w *watch) dissolveMerge(ctx context.Context) error {
	into := w.item.MergedInto
	if into == "" || w.change.Event != cases.CustomerReply || w.change.Case.Status == cases.Resolved {
		return nil
	}
	w.item.MergedInto = ""
	if err := addRecord(ctx, w.tx, &w.item, w.now, "", eventMergeDissolved, linked{Case: into}); err != nil {
		return err
	}
	target, err := w.tx.Item(ctx, w.item.Account, into)
	if errors.Is(err, ErrNotFound) { // it was purged
		return nil
	}
	if err != nil {
		return err
	}
	if err := addRecord(ctx, w.tx, &target, w.now, "", eventUnmergedFrom, linked{Case: w.item.CaseID}); err != nil {
		return err
	}
	target.Version++
	target.ChangedAt = w.now
	return w.tx.UpdateItem(ctx, target)
}

// count sets when the item is due, and when somebody must look at its clocks.
func (i *Item) count(clocks []Clock) {
	i.Due, i.Wake = time.Time{}, time.Time{}
	for _, c := range clocks {
		if c.runs() {
			i.Due = earlier(i.Due, c.DueAt)
		}
		for _, f := range c.Firings() {
			if !slices.Contains(i.Fired, f.ID) {
				i.Wake = earlier(i.Wake, f.At)
			}
		}
	}
}

// told is what the record of a warning or a breach says. Times are in seconds.
type told struct {
	Clock     ClockKind `json:"clock"`
	Number    int       `json:"number"`
	StartedAt time.Time `json:"startedAt"`
	At        time.Time `json:"at"` // which is earlier than that of the record
	DueAt     time.Time `json:"dueAt,omitzero"`
	Target    float64   `json:"target"`
	Counted   float64   `json:"counted"`
}

// tell writes the warnings and breaches that are due into the record of the
// item's case, each once, and reports whether there were any. The caller writes
// the item.
func (s *Service) tell(ctx context.Context, tx Tx, r *rules, i *Item, now time.Time) (some bool, err error) {
	for _, c := range r.clocks(i.History, now) {
		for _, f := range c.Firings() {
			if f.At.After(now) || slices.Contains(i.Fired, f.ID) {
				continue
			}
			detail := told{
				Clock: c.Kind, Number: c.Number, StartedAt: c.StartedAt, At: f.At, DueAt: c.DueAt,
				Target: c.Target.Seconds(), Counted: c.Counted.Seconds(),
			}
			if err := addRecord(ctx, tx, i, now, "", f.Event, detail); err != nil {
				return some, err
			}
			some = true
			i.Fired = lastFired(append(slices.Clip(i.Fired), f.ID))
		}
	}
	return some, nil
}

// lastFired forgets of many next responses what the oldest has told: it is over.
func lastFired(ids []string) []string {
	oldest := slices.IndexFunc(ids, func(id string) bool { return strings.HasPrefix(id, string(NextResponse)+"/") })
	if len(ids) <= 2*maxAnswers || oldest < 0 {
		return ids
	}
	return slices.Delete(ids, oldest, oldest+1)
}

// rebuild makes the history of a case from what is left of it, and its texts
// findable. Changes of the severity are not known.
func (s *Service) rebuild(ctx context.Context, tx Tx, r *rules, i *Item, c cases.Case, plan string) error {
	moves, err := allMoves(ctx, tx, c)
	if err != nil {
		return err
	}
	said, err := allCommunications(ctx, tx, c)
	if err != nil {
		return err
	}
	h := newHistory(c, plan)
	enter := func(m cases.Move) {
		if to := phaseOf(m.To); to != phaseOf(m.From) {
			h.enter(m.At, to)
			r.condense(&h)
		}
	}
	for _, one := range said {
		for len(moves) > 0 && !moves[0].At.After(one.CreatedAt) {
			enter(moves[0])
			moves = moves[1:]
		}
		h.add(Moment{At: one.CreatedAt, What: whoSaid(r, one)})
		r.condense(&h)
		if err := indexSaid(ctx, tx, c, one); err != nil {
			return err
		}
	}
	for _, m := range moves {
		enter(m)
	}
	i.History = h
	return nil
}

// whoSaid knows agents by the provider's name.
func whoSaid(r *rules, c cases.Communication) MomentKind {
	if c.SubmittedBy == r.settings.ProviderName || c.SubmittedBy == DefaultSettings().ProviderName {
		return AgentSaid
	}
	return CustomerSaid
}

// allCommunications returns the communications of a case, oldest first.
func allCommunications(ctx context.Context, tx Tx, c cases.Case) (all []cases.Communication, err error) {
	const page = 100
	for before := c.Communications + 1; before > 1; before = all[len(all)-1].Number {
		some, err := tx.CommunicationsPage(ctx, c.Account, c.ID, cases.TimeRange{}, before, page)
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			break
		}
		all = append(all, some...)
	}
	slices.Reverse(all)
	return all, nil
}

// allMoves returns the moves of a case, oldest first.
func allMoves(ctx context.Context, tx Tx, c cases.Case) (all []cases.Move, err error) {
	const page = 100
	for after := int64(0); after < c.Moves; after = all[len(all)-1].Number {
		some, err := tx.Moves(ctx, c.Account, c.ID, after, page)
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			break
		}
		all = append(all, some...)
	}
	return all, nil
}

package testmode

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

// autopilot plays an agent by a script. It is idle without one.
type autopilot struct {
	mu     sync.Mutex
	script *script // nil: none
	paused bool
	news   []news
	plays  []*play // in the order in which they began

	changed chan struct{} // has one element when Run has to look again
}

// news is something that may have happened to a case: whether its transaction
// ended well is not known yet.
type news struct {
	desk.Key
	event cases.Event
	said  cases.Communication
	at    time.Time
}

// play is a rule that is played for a case.
type play struct {
	desk.Key
	rule     rule
	next     int       // step
	times    int       // that the step was done already
	due      time.Time // of the step; zero: it waits for the customer
	text     string    // what the customer said last
	resolved bool      // the case, by the autopilot
}

// SetAutopilot has the script played from now on, for the cases that are opened
// from now on; the word "default" stands for the script of the program, and an
// empty one ends the autopilot. What was left to do by the script before is not
// done.
func (m *Mode) SetAutopilot(text []byte) error {
	m.moving.Lock()
	defer m.moving.Unlock()
	return m.setAutopilot(text)
}

// setAutopilot is SetAutopilot for those who keep the clock and a reset away.
func (m *Mode) setAutopilot(text []byte) error {
	s, err := readScript(m.config.Cases.Catalog, text)
	if err != nil {
		return err
	}
	m.autopilot.begin(s)
	return nil
}

// Autopilot returns the script that is played, nil when none is.
func (m *Mode) Autopilot() []byte {
	m.autopilot.mu.Lock()
	defer m.autopilot.mu.Unlock()
	if m.autopilot.script == nil {
		return nil
	}
	return m.autopilot.script.text
}

// Observe tells the autopilot of a change of a case, in the transaction that
// makes it. It only notes that the case is to be looked at: a transaction may
// still fail, or run again.
func (m *Mode) Observe(change cases.Change) {
	if change.Communication == nil || change.Event != cases.Create && change.Event != cases.CustomerReply {
		return
	}
	m.autopilot.hear(news{
		Key:   desk.Key{Account: change.Case.Account, CaseID: change.Case.ID},
		event: change.Event, said: *change.Communication, at: m.config.Clock.Now(),
	})
}

// Run plays the autopilot until ctx ends, and nobody is delayed by a fault any more
// then. It is called once.
func (m *Mode) Run(ctx context.Context) {
	defer close(m.ended)
	for {
		wait, stop := m.untilNextAct()
		select {
		case <-ctx.Done():
			stop()
			return
		case <-m.autopilot.changed:
		case <-wait:
			m.actNow(ctx)
		}
		stop()
	}
}

// untilNextAct returns what tells that it is time for the next step, as long as
// nobody moves the clock. A clock that stands still reaches nothing.
func (m *Mode) untilNextAct() (reached <-chan time.Time, stop func()) {
	at := m.nextAct()
	if at.IsZero() {
		return nil, func() {}
	}
	left := at.Sub(m.config.Clock.Now())
	if left > 0 && m.config.Clock.Frozen() {
		return nil, func() {}
	}
	timer := time.NewTimer(left)
	return timer.C, func() { timer.Stop() }
}

func (m *Mode) actNow(ctx context.Context) {
	m.moving.Lock()
	defer m.moving.Unlock()
	m.open.RLock()
	defer m.open.RUnlock()
	if err := m.act(ctx); err != nil && ctx.Err() == nil {
		m.config.Log.ErrorContext(ctx, "autopilot", "error", err.Error())
	}
}

// nextAct returns when the autopilot acts next, zero when never.
func (m *Mode) nextAct() time.Time { return m.autopilot.nextAct() }

// act does what the autopilot has to do by now. The caller keeps a reset from
// happening, and others from acting, too. When ctx ends, the rest is left to be
// done; what has begun goes on, else the case would be given up.
func (m *Mode) act(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	for _, n := range m.autopilot.takeNews() {
		m.consider(whole, n)
	}
	for ctx.Err() == nil {
		p := m.autopilot.due(m.config.Clock.Now())
		if p == nil {
			return nil
		}
		m.perform(whole, p)
	}
	return ctx.Err()
}

// begin plays a script from now on, nil for none.
func (a *autopilot) begin(s *script) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.script, a.news, a.plays = s, nil, nil
	a.wake()
}

// pause has the autopilot hear nothing until go on is called.
func (a *autopilot) pause() (goOn func()) {
	set := func(paused bool) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.paused = paused
	}
	set(true)
	return func() { set(false) }
}

func (a *autopilot) hear(n news) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.script == nil || a.paused {
		return
	}
	a.news = append(a.news, n)
	a.wake()
}

// wake tells Run to look again: there is something new, or the clock was moved.
func (a *autopilot) wake() {
	select {
	case a.changed <- struct{}{}:
	default: // it will
	}
}

func (a *autopilot) nextAct() (at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.news) > 0 {
		return a.news[0].at
	}
	if p := a.first(); p != nil {
		return p.due
	}
	return time.Time{}
}

func (a *autopilot) takeNews() []news {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.news
	a.news = nil
	return taken
}

// due returns a play with a step that is due.
func (a *autopilot) due(now time.Time) *play {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.first(); p != nil && !p.due.After(now) {
		return p
	}
	return nil
}

// first returns the play with the earliest step, nil when all wait.
func (a *autopilot) first() (first *play) {
	for _, p := range a.plays {
		if !p.due.IsZero() && (first == nil || p.due.Before(first.due)) {
			first = p
		}
	}
	return first
}

func (a *autopilot) add(p *play) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.plays = append(a.plays, p)
}

// change does something to a play; nobody looks at it meanwhile.
func (a *autopilot) change(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

func (a *autopilot) end(p *play) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.plays = slices.DeleteFunc(a.plays, func(other *play) bool { return other == p })
}

// of returns the script and what is played for a case, nil when nothing is.
func (a *autopilot) of(key desk.Key) (*script, *play) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.plays, func(p *play) bool { return p.Key == key })
	if i < 0 {
		return a.script, nil
	}
	return a.script, a.plays[i]
}

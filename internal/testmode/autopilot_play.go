package testmode

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

// ignoredSubject is that of cases that AWS leaves alone as well: AWS Support asks
// whoever tests to use it ("Creating test cases").
const ignoredSubject = "TEST CASE-Please ignore"

// consider looks at a case of which there is news, by now that its transaction
// has ended.
func (m *Mode) consider(ctx context.Context, n news) {
	s, p := m.autopilot.of(n.Key)
	if s == nil || p == nil && n.event != cases.Create {
		return
	}
	c, happened, err := m.settled(ctx, n)
	if err != nil {
		m.config.Log.ErrorContext(ctx, "autopilot cannot read a case", "case_id", n.CaseID, "error", err.Error())
		return
	}
	if !happened {
		return
	}
	if p != nil {
		m.autopilot.change(func() { p.hear(n.said) })
		return
	}
	if p := s.play(c, n.said); p != nil {
		m.autopilot.add(p)
	}
}

// settled returns the case, and whether what was told of happened. An update of
// the account comes after the one that told, whether that one wrote or not.
func (m *Mode) settled(ctx context.Context, n news) (c cases.Case, happened bool, err error) {
	err = m.config.Desk.Store.Update(ctx, n.Account, func(tx desk.Tx) error {
		happened = false
		if c, err = tx.Case(ctx, n.Account, n.CaseID); errors.Is(err, cases.ErrCaseNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		said, err := tx.CommunicationsPage(ctx, n.Account, n.CaseID, cases.TimeRange{}, n.said.Number+1, 1)
		happened = err == nil && len(said) == 1 && said[0].Number == n.said.Number &&
			said[0].Body == n.said.Body && said[0].CreatedAt.Equal(n.said.CreatedAt)
		return err
	})
	return c, happened, err
}

// play begins the first rule that the case matches; nil when none does.
func (s *script) play(c cases.Case, said cases.Communication) *play {
	if c.Subject == ignoredSubject {
		return nil
	}
	for _, r := range s.rules {
		if !r.match.fits(c, said.Body) {
			continue
		}
		p := &play{Key: desk.Key{Account: c.Account, CaseID: c.ID}, rule: r, text: said.Body}
		if p.wait(said.CreatedAt) {
			return p
		}
		return nil // the rule is to do nothing
	}
	return nil
}

// wait sets when the next step is due, if there is one.
func (p *play) wait(from time.Time) bool {
	if p.next >= len(p.rule.steps) {
		return false
	}
	p.due = time.Time{}
	if s := p.rule.steps[p.next]; !s.onReply {
		p.due = from.Add(s.after)
	}
	return true
}

// hear takes a customer's communication: what waits for one waits no longer.
func (p *play) hear(said cases.Communication) {
	p.text = said.Body
	if p.due.IsZero() {
		p.due = said.CreatedAt.Add(p.rule.steps[p.next].after)
	}
}

// outcome is what comes after a step.
type outcome int

const (
	ends      outcome = iota // the play is over
	continues                // the step is done, and the next one comes
	waits                    // until the customer says something; then the step is tried again
)

// perform does the step that is due. A step that fails ends the play.
func (m *Mode) perform(ctx context.Context, p *play) {
	s := p.rule.steps[p.next]
	then, err := m.step(ctx, p, s)
	if err != nil {
		then = ends
		m.config.Log.WarnContext(ctx, "autopilot gives a case up",
			"case_id", p.CaseID, "rule", p.rule.name, "step", p.next+1, "error", err.Error())
	}
	var goesOn bool
	m.autopilot.change(func() { goesOn = p.turn(then, s) })
	if !goesOn {
		m.autopilot.end(p)
	}
}

// turn turns to what comes after the step, if anything does.
func (p *play) turn(then outcome, tried step) (goesOn bool) {
	switch then {
	case waits:
		p.due = time.Time{}
		return true
	case continues:
		return p.goOn(tried)
	}
	return false
}

// goOn turns to what comes after the step, if anything does.
func (p *play) goOn(done step) bool {
	if p.times++; p.times >= done.repeat {
		p.next, p.times = p.next+1, 0
	}
	return p.wait(p.due)
}

// step does what a step says, if the case is still there and open. One that
// somebody else has resolved is done, unless its customer reopens it.
func (m *Mode) step(ctx context.Context, p *play, s step) (outcome, error) {
	who, err := m.agent(ctx, "")
	if err != nil {
		return ends, err
	}
	found, err := m.config.Desk.Case(ctx, who, p.CaseID)
	if errors.Is(err, desk.ErrNotFound) || errors.Is(err, cases.ErrCaseNotFound) || err == nil && found.MergedInto != "" {
		return ends, nil
	}
	if err != nil {
		return ends, err
	}
	resolved := found.Case.Status == cases.Resolved
	if resolved && !p.resolved && s.status != string(cases.Reopened) {
		return waits, nil
	}
	s.status = s.statusFrom(found.Case.Status)
	p.resolved = s.status == string(cases.Resolved) || resolved && (s.status == "" || s.status == keepStatus)
	return continues, m.do(ctx, who, p, s, newVariables(found.Case, p.text))
}

// statusFrom returns the status that the step gives to a case. One that was
// reopened before anybody took it on is open already.
func (s step) statusFrom(now cases.Status) string {
	if s.status != string(cases.Opened) || now != cases.Reopened {
		return s.status
	}
	if s.reply != "" {
		return keepStatus
	}
	return ""
}

func (m *Mode) do(ctx context.Context, who desk.Caller, p *play, s step, v variables) error {
	if s.severity != "" {
		if _, err := m.config.Desk.SetSeverity(ctx, who, p.CaseID, s.severity, "autopilot"); err != nil {
			return err
		}
	}
	return m.work(ctx, who, p.CaseID, v.fillIn(s.note), desk.NewReply{Body: v.fillIn(s.reply), Status: s.status, Files: s.files})
}

// work is what an agent does in one go: a note, and a reply or just a status, as
// far as there are any.
func (m *Mode) work(ctx context.Context, who desk.Caller, id, note string, reply desk.NewReply) error {
	d := m.config.Desk
	if note != "" {
		if _, err := d.Note(ctx, who, id, note); err != nil {
			return err
		}
	}
	switch {
	case reply.Body != "":
		_, err := d.Reply(ctx, who, id, reply)
		return err
	case reply.Status != "":
		_, err := d.SetStatus(ctx, who, id, reply.Status, "")
		return err
	}
	return nil
}

const autopilotEmail = "autopilot@example.com"

// agent returns an agent by e-mail address, or the one that the autopilot acts
// as, who is made when needed.
func (m *Mode) agent(ctx context.Context, email string) (desk.Caller, error) {
	a, err := m.config.Desk.Agent(ctx, desk.Operator(), cmp.Or(email, autopilotEmail))
	if errors.Is(err, desk.ErrNotFound) && email == "" {
		a, err = m.config.Desk.CreateAgent(ctx, desk.Operator(), desk.Agent{
			Name: "Autopilot", Email: autopilotEmail, Role: desk.RoleAgent, Active: true,
		})
	}
	return desk.Caller{Agent: a, Allowed: a.Role.Permissions()}, err
}

package testmode

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
)

// planting writes a seed.
type planting struct {
	m       *Mode
	cases   *cases.Service // without limits
	callers map[string]desk.Caller
	seeded  Seeded
}

// plant writes what was planned.
func (m *Mode) plant(ctx context.Context, plan seedPlan) (Seeded, error) {
	unlimited := *m.config.Cases
	unlimited.Limits = cases.Limits{}
	p := &planting{
		m: m, cases: &unlimited, callers: map[string]desk.Caller{},
		seeded: Seeded{Cases: map[string]string{}, Agents: map[string]SeedAgent{}, Users: []SeedUser{}},
	}
	for _, step := range []func(context.Context, seedPlan) error{p.addAccounts, p.addDesk, p.addResults, p.tell} {
		if err := step(ctx, plan); err != nil {
			return Seeded{}, fmt.Errorf("seed, of which a part was added: %w", err)
		}
	}
	return p.seeded, nil
}

func (p *planting) addAccounts(ctx context.Context, plan seedPlan) error {
	for _, a := range plan.accounts {
		if err := p.addAccount(ctx, a); err != nil {
			return fmt.Errorf("account %s: %w", a.ID, err)
		}
	}
	return nil
}

func (p *planting) addAccount(ctx context.Context, a plannedAccount) (err error) {
	known := p.m.config.IAM
	if a.exists {
		_, err = known.UpdateAccount(ctx, a.ID, iam.AccountChange{Name: &a.Name, Email: &a.Email, Plan: &a.Plan})
	} else {
		_, err = known.CreateAccount(ctx, a.Account)
	}
	if err != nil {
		return err
	}
	for _, policy := range a.policies {
		if err := known.PutPolicy(ctx, a.ID, policy.Name, policy.Document); err != nil {
			return err
		}
	}
	for _, u := range a.users {
		if _, err := known.CreateUser(ctx, a.ID, u.Name, u.Policies); err != nil {
			return err
		}
		key, err := known.CreateKey(ctx, a.ID, u.Name)
		if err != nil {
			return err
		}
		p.seeded.Users = append(p.seeded.Users, SeedUser{Account: a.ID, Name: u.Name, Key: Key{ID: key.ID, Secret: key.Secret}})
	}
	return nil
}

func (p *planting) addDesk(ctx context.Context, plan seedPlan) error {
	for _, t := range plan.teams {
		if _, err := p.m.config.Desk.PutTeam(ctx, desk.Operator(), t); err != nil {
			return fmt.Errorf("team %s: %w", t.ID, err)
		}
	}
	for _, a := range plan.agents {
		if err := p.addAgent(ctx, a); err != nil {
			return fmt.Errorf("agent %s: %w", a.Email, err)
		}
	}
	return nil
}

func (p *planting) addAgent(ctx context.Context, a desk.Agent) error {
	made, err := p.m.config.Desk.CreateAgent(ctx, desk.Operator(), a)
	if err != nil {
		return err
	}
	_, token, err := p.m.config.Desk.CreateToken(ctx, desk.Operator(), made.ID, desk.NewToken{Name: "seed"})
	p.seeded.Agents[a.Email] = SeedAgent{ID: made.ID, Token: token}
	return err
}

func (p *planting) addResults(ctx context.Context, plan seedPlan) error {
	for _, r := range plan.results {
		if err := p.m.setResult(ctx, r); err != nil {
			return fmt.Errorf("result of %s: %w", r.CheckID, err)
		}
	}
	return nil
}

// tell has all stories happen, each act at its time. Clocks warn and breach on
// the way as they would have.
func (p *planting) tell(ctx context.Context, plan seedPlan) error {
	type scene struct {
		*story
		act
	}
	var scenes []scene
	for _, s := range plan.stories {
		for _, a := range s.acts {
			scenes = append(scenes, scene{s, a})
		}
	}
	if len(scenes) == 0 {
		return nil
	}
	slices.SortStableFunc(scenes, func(a, b scene) int { return a.at.Compare(b.at) })
	defer p.m.autopilot.pause()()
	now, back := p.m.visit()
	defer back()
	for _, s := range scenes {
		if err := p.m.wakeUntil(ctx, s.at); err != nil {
			return err
		}
		p.m.config.Clock.Set(s.at)
		if err := p.play(ctx, s.story, s.act); err != nil {
			return fmt.Errorf("case %q: %w", s.acts[0].open.Subject, err)
		}
	}
	return p.m.wakeUntil(ctx, now)
}

// visit stops the clock, for moving it about, and returns what puts it back to
// now.
func (m *Mode) visit() (now time.Time, back func()) {
	clock := m.config.Clock
	release := clock.hold()
	now = clock.Now()
	return now, func() {
		clock.Set(now)
		release()
		m.autopilot.wake()
	}
}

// wakeUntil has the desk look at its clocks whenever one is due until then.
func (m *Mode) wakeUntil(ctx context.Context, until time.Time) error {
	for range mostSteps {
		at, err := m.config.Desk.NextWake(ctx)
		if err != nil || at.IsZero() || at.After(until) {
			return err
		}
		if at.After(m.config.Clock.Now()) {
			m.config.Clock.Set(at)
		}
		if err := m.config.Desk.Wake(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *planting) play(ctx context.Context, s *story, a act) (err error) {
	if a.open != nil {
		return p.open(ctx, s, a)
	}
	if a.customer.Account != "" {
		return p.communicate(ctx, s, a)
	}
	who, err := p.caller(ctx, a.agent)
	if err != nil {
		return err
	}
	return p.work(ctx, who, s.id, a)
}

func (p *planting) open(ctx context.Context, s *story, a act) (err error) {
	new := *a.open
	if new.AttachmentSetID, err = p.stage(ctx, s.account, a.files); err != nil {
		return err
	}
	if s.id, err = p.cases.Create(ctx, a.customer, cases.RequestKey{}, new); err != nil {
		return err
	}
	if s.ref != "" {
		p.seeded.Cases[s.ref] = s.id
	}
	return nil
}

func (p *planting) communicate(ctx context.Context, s *story, a act) error {
	set, err := p.stage(ctx, s.account, a.files)
	if err != nil {
		return err
	}
	return p.cases.Communicate(ctx, a.customer, cases.RequestKey{}, cases.NewCommunication{CaseID: s.id, Body: a.body, AttachmentSetID: set})
}

// stage keeps files without counting against a limit of the customer's.
func (p *planting) stage(ctx context.Context, account string, files []cases.File) (setID string, err error) {
	if len(files) == 0 {
		return "", nil
	}
	return p.cases.StageFiles(ctx, account, files)
}

// work does what an agent did.
func (p *planting) work(ctx context.Context, who desk.Caller, id string, a act) error {
	if a.assignee != "" || a.team != "" {
		if err := p.assign(ctx, id, a); err != nil {
			return err
		}
	}
	if len(a.tags) > 0 {
		if _, err := p.m.config.Desk.Tag(ctx, who, id, a.tags, nil); err != nil {
			return err
		}
	}
	reply := desk.NewReply{Body: a.body, Status: a.status, Files: a.files}
	if reply.Body != "" {
		reply.Status = cmp.Or(a.status, keepStatus)
	}
	return p.m.work(ctx, who, id, a.note, reply)
}

func (p *planting) assign(ctx context.Context, id string, a act) error {
	to := desk.Assignment{Team: a.team}
	if a.assignee != "" {
		agent, err := p.m.config.Desk.Agent(ctx, desk.Operator(), a.assignee)
		if err != nil {
			return err
		}
		to.Agent = agent.ID
	}
	_, err := p.m.config.Desk.Assign(ctx, desk.Operator(), id, to)
	return err
}

// caller returns an agent by e-mail address, or the autopilot.
func (p *planting) caller(ctx context.Context, email string) (desk.Caller, error) {
	if who, ok := p.callers[email]; ok {
		return who, nil
	}
	who, err := p.m.agent(ctx, email)
	p.callers[email] = who
	return who, err
}

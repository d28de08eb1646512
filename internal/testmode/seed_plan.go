package testmode

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
)

// seedPlan is what a seed file adds, found to be possible.
type seedPlan struct {
	accounts []plannedAccount
	teams    []desk.Team
	agents   []desk.Agent
	results  []Result
	stories  []*story
}

type plannedAccount struct {
	iam.Account
	exists   bool
	policies []iam.PolicyDocument
	users    []seedUser
}

// story is a case that is to be made and what happens to it.
type story struct {
	ref     string
	account string
	acts    []act // in the order of their times

	id string // once there is the case
}

// act happens in a story.
type act struct {
	at       time.Time
	customer iam.Identity // who acts; without an account: the agent
	agent    string       // e-mail address; empty: the autopilot

	open   *cases.NewCase // the story begins
	body   string
	files  []cases.File
	status string
	note   string

	tags           []string
	assignee, team string
}

// planner finds out whether what a seed file names can be added to what is there.
type planner struct {
	m        *Mode
	now      time.Time
	accounts map[string]iam.Account
	users    map[string][]string // names by account
	policies map[string][]string
	teams    []string
	agents   map[string]desk.Agent // by e-mail address in lower case
	refs     map[string]bool

	defaultAccount, defaultAgent string // who are meant when the file names none
	plan                         seedPlan
}

// planSeed plans a seed; what is wrong with it is noted at its places.
func (m *Mode) planSeed(ctx context.Context, at place, form seedForm) (seedPlan, error) {
	p := &planner{m: m, now: m.config.Clock.Now().UTC(), refs: map[string]bool{}, defaultAccount: firstAccount}
	if err := p.look(ctx); err != nil {
		return seedPlan{}, err
	}
	for i, a := range form.Accounts {
		p.planAccount(at.in("accounts").item(i), a)
	}
	for i, t := range form.Teams {
		p.planTeam(at.in("teams").item(i), t)
	}
	for i, a := range form.Agents {
		p.planAgent(at.in("agents").item(i), a)
	}
	for i, r := range form.Results {
		p.planResult(at.in("results").item(i), r)
	}
	for i, c := range form.Cases {
		p.planCase(at.in("cases").item(i), c)
	}
	return p.plan, nil
}

// firstAccount is the account that a server begins with.
const firstAccount = "123456789012"

// look reads what there is.
func (p *planner) look(ctx context.Context) error {
	p.accounts, p.users, p.policies, p.agents = map[string]iam.Account{}, map[string][]string{}, map[string][]string{}, map[string]desk.Agent{}
	accounts, err := p.m.config.IAM.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		p.accounts[a.ID] = a
		users, err := p.m.config.IAM.Principals(ctx, a.ID, iam.User)
		if err != nil {
			return err
		}
		for _, u := range users {
			p.users[a.ID] = append(p.users[a.ID], u.Name)
		}
		policies, err := p.m.config.IAM.Policies(ctx, a.ID)
		if err != nil {
			return err
		}
		for _, one := range policies {
			p.policies[a.ID] = append(p.policies[a.ID], one.Name)
		}
	}
	return p.lookAtDesk(ctx)
}

func (p *planner) lookAtDesk(ctx context.Context) error {
	teams, err := p.m.config.Desk.Teams(ctx, desk.Operator())
	if err != nil {
		return err
	}
	for _, t := range teams {
		p.teams = append(p.teams, t.ID)
	}
	agents, err := p.m.config.Desk.Agents(ctx, desk.Operator())
	if err != nil {
		return err
	}
	for _, a := range agents {
		p.agents[strings.ToLower(a.Email)] = a
	}
	return nil
}

func (p *planner) planAccount(at place, in seedAccount) {
	a, exists := p.accounts[in.ID]
	if exists && a.State == iam.AccountClosed {
		at.in("id").wrong("the account %s is closed", in.ID)
		return
	}
	a.ID = in.ID
	a.Name = cmp.Or(in.Name, a.Name, "Account "+in.ID)
	a.Email = cmp.Or(in.Email, a.Email, "account-"+in.ID+"@example.com")
	a.Plan = cmp.Or(in.Plan, a.Plan, "enterprise")
	at.check(a.Check())
	if slices.ContainsFunc(p.plan.accounts, func(other plannedAccount) bool { return other.ID == in.ID }) {
		at.in("id").wrong("the account %s is in the file twice", in.ID)
		return
	}
	if len(p.plan.accounts) == 0 {
		p.defaultAccount = in.ID
	}
	p.accounts[in.ID] = a
	planned := plannedAccount{Account: a, exists: exists, policies: p.planPolicies(at.in("policies"), in), users: in.Users}
	p.plan.accounts = append(p.plan.accounts, planned)
	for i, u := range in.Users {
		p.planUser(at.in("users").item(i), in.ID, u)
	}
}

// planPolicies checks the account's own policies.
func (p *planner) planPolicies(at place, in seedAccount) []iam.PolicyDocument {
	var planned []iam.PolicyDocument
	for i, one := range in.Policies {
		at := at.item(i)
		text, err := json.Marshal(one.Document)
		if err == nil {
			_, err = iam.ParsePolicy(text)
		}
		at.in("document").check(err)
		at.in("name").check(iam.CheckPolicyName(one.Name))
		if _, _, managed := iam.ManagedPolicy(one.Name); managed {
			at.in("name").wrong("the policy %s is built in", one.Name)
		}
		if slices.ContainsFunc(planned, func(other iam.PolicyDocument) bool { return other.Name == one.Name }) {
			at.in("name").wrong("the account has the policy %s in the file twice", one.Name)
		}
		p.policies[in.ID] = append(p.policies[in.ID], one.Name)
		planned = append(planned, iam.PolicyDocument{Account: in.ID, Name: one.Name, Document: string(text)})
	}
	return planned
}

func (p *planner) planUser(at place, account string, u seedUser) {
	at.in("name").check(iam.CheckUserName(u.Name))
	if slices.Contains(p.users[account], u.Name) {
		at.in("name").wrong("the account %s has a user %s already", account, u.Name)
	}
	p.users[account] = append(p.users[account], u.Name)
	for i, policy := range u.Policies {
		if _, _, managed := iam.ManagedPolicy(policy); managed || slices.Contains(p.policies[account], policy) {
			continue
		}
		at.in("policies").item(i).wrong("there is no policy %q; built in are %s", policy, strings.Join(iam.ManagedPolicies(), ", "))
	}
}

func (p *planner) planTeam(at place, t seedTeam) {
	badID, badName := desk.CheckTeamName(t.ID, cmp.Or(t.Name, t.ID))
	at.in("id").check(badID)
	if slices.ContainsFunc(p.plan.teams, func(other desk.Team) bool { return other.ID == t.ID }) {
		at.in("id").wrong("the team %s is in the file twice", t.ID)
	}
	if badID == nil || t.Name != "" { // else it is the same one
		at.in("name").check(badName)
	}
	p.checkCodes(at, t.Services, t.Languages)
	for i, id := range t.Accounts {
		p.checkAccount(at.in("accounts").item(i), id)
	}
	p.teams = append(p.teams, t.ID)
	p.plan.teams = append(p.plan.teams, desk.Team{
		ID: t.ID, Name: cmp.Or(t.Name, t.ID), Services: t.Services, Languages: t.Languages, Accounts: t.Accounts, Routing: t.Routing,
	})
}

func (p *planner) planAgent(at place, in seedAgent) {
	a := desk.Agent{
		Name: cmp.Or(in.Name, in.Email), Email: in.Email, Role: desk.Role(cmp.Or(in.Role, string(desk.RoleAgent))), Active: true,
		Teams: in.Teams, Services: in.Services, Languages: in.Languages, Capacity: in.Capacity,
	}
	email := strings.ToLower(a.Email)
	badEmail := desk.CheckEmail(a.Email)
	at.in("email").check(badEmail)
	if badEmail == nil || in.Name != "" { // else it is the same one
		at.in("name").check(desk.CheckAgentName(a.Name))
	}
	if email == autopilotEmail {
		at.in("email").wrong("%s is the autopilot's", a.Email)
	}
	if _, exists := p.agents[email]; exists {
		at.in("email").wrong("there is an agent with the e-mail address %s already", a.Email)
	}
	if a.Role.Permissions() == nil {
		at.in("role").wrong("there is no role %q: want agent, lead, administrator or auditor", a.Role)
	}
	at.in("capacity").check(desk.CheckCapacity(a.Capacity))
	p.checkCodes(at, a.Services, a.Languages)
	for i, team := range a.Teams {
		p.checkTeam(at.in("teams").item(i), team)
	}
	if p.defaultAgent == "" && a.Role != desk.RoleAuditor {
		p.defaultAgent = email
	}
	p.agents[email] = a
	p.plan.agents = append(p.plan.agents, a)
}

func (p *planner) planResult(at place, r Result) {
	r.Account = cmp.Or(r.Account, p.defaultAccount)
	if p.checkAccount(at.in("account"), r.Account) {
		p.checkResult(at, r)
	}
	p.plan.results = append(p.plan.results, r)
}

// checkResult checks the resources one by one, to say which of them cannot be,
// and then as a whole.
func (p *planner) checkResult(at place, r Result) {
	known := p.m.config.Advisor
	if err := known.CheckResult(Result{CheckID: r.CheckID, Status: r.Status}.made()); err != nil {
		at.check(err)
		return
	}
	fine := true
	for i := range r.Resources {
		err := known.CheckResult(Result{Account: r.Account, CheckID: r.CheckID, Resources: r.Resources[i : i+1]}.made())
		at.in("resources").item(i).check(err)
		fine = fine && err == nil
	}
	if fine {
		at.check(known.CheckResult(r.made()))
	}
}

// checkCodes checks the services and languages of a team or an agent.
func (p *planner) checkCodes(at place, services, languages []string) {
	for i, code := range services {
		if _, ok := p.m.config.Cases.Catalog.Service(code); !ok {
			at.in("services").item(i).wrong("there is no service %q", code)
		}
	}
	for i, code := range languages {
		at.in("languages").item(i).check(p.m.config.Cases.Catalog.CheckLanguage(code))
	}
}

func (p *planner) checkAccount(at place, id string) bool {
	a, ok := p.accounts[id]
	switch {
	case !ok:
		at.wrong("there is no account %s; name it under accounts", id)
	case a.State == iam.AccountClosed:
		at.wrong("the account %s is closed", id)
	}
	return ok
}

func (p *planner) checkTeam(at place, id string) {
	if !slices.Contains(p.teams, id) {
		at.wrong("there is no team %q; name it under teams", id)
	}
}

// checkAgent checks that somebody may work on cases.
func (p *planner) checkAgent(at place, email string) {
	a, ok := p.agents[strings.ToLower(email)]
	switch {
	case !ok:
		at.wrong("there is no agent %q; name them under agents", email)
	case !a.Active:
		at.wrong("the agent %s is not active", email)
	case !slices.Contains(a.Role.Permissions(), desk.Work):
		at.wrong("%s has the role %s, which does not work on cases", email, a.Role)
	}
}

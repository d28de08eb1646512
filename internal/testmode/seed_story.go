package testmode

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
)

// teller plans the story of a case: where it is in time, and in which status.
type teller struct {
	*planner
	*story
	who        iam.Identity
	at         time.Time
	status     cases.Status
	resolvedAt time.Time
	assigned   bool
}

func (p *planner) planCase(at place, in seedCase) {
	p.checkRef(at.in("ref"), in.Ref)
	t := &teller{planner: p, story: &story{ref: in.Ref, account: cmp.Or(in.Account, p.defaultAccount)}, status: cases.Unassigned}
	p.plan.stories = append(p.plan.stories, t.story)
	if !p.checkAccount(at.in("account"), t.account) {
		return
	}
	t.who = p.identity(at, t.account, in.User)
	t.at = p.beginning(at, in)
	t.open(at, in)
	for i, c := range in.Communications {
		t.communicate(at.in("communications").item(i), c)
	}
	t.end(at, in)
}

func (p *planner) checkRef(at place, ref string) {
	if ref == "" {
		return
	}
	if p.refs[ref] {
		at.wrong("another case has the ref %q too", ref)
	}
	p.refs[ref] = true
}

// identity returns a customer as the API would know them.
func (p *planner) identity(at place, account, user string) iam.Identity {
	a := p.accounts[account]
	plan, err := iam.PlanByID(a.Plan)
	if err != nil {
		return iam.Identity{Account: account} // which was told where the account is
	}
	who := iam.Identity{Account: a.ID, Email: a.Email, Plan: plan, Kind: iam.Root, ID: a.ID}
	if user == "" {
		return who
	}
	if !slices.Contains(p.users[account], user) {
		at.in("user").wrong("the account %s has no user %q; name them under users", account, user)
	}
	who.Kind, who.Name, who.ID = iam.User, user, ""
	return who
}

// beginning returns when a case is opened: if nothing is said, so long ago that
// the story ends now.
func (p *planner) beginning(at place, in seedCase) time.Time {
	if in.CreatedAt != "" {
		at = at.in("createdAt")
	}
	begins, err := p.beginningOf(in)
	at.check(err)
	switch {
	case err != nil:
	case begins.After(p.now):
		at.wrong("%s is later than the clock, which says %s", in.CreatedAt, p.now.Format(time.RFC3339))
	case !p.m.config.Cases.Keeps(begins):
		at.wrong("the case begins at %s, which is so long ago that it would be gone by now", begins.Format(time.RFC3339))
	}
	return begins
}

func (p *planner) beginningOf(in seedCase) (time.Time, error) {
	if in.CreatedAt != "" {
		return parseMoment(in.CreatedAt, p.now)
	}
	begins := p.now
	for _, c := range in.Communications {
		if d, err := c.after(); err == nil { // else it is told where it stands
			begins = begins.Add(-d)
		}
	}
	return begins, nil
}

// after returns how long after the one before it something happens.
func (c seedCommunication) after() (time.Duration, error) {
	return parseSpan(cmp.Or(c.After, "1m"))
}

func (t *teller) open(at place, in seedCase) {
	new := cases.NewCase{
		Subject: in.Subject, Body: in.Body, ServiceCode: in.Service, CategoryCode: in.Category, SeverityCode: in.Severity,
		IssueType: in.IssueType, Language: in.Language, CCEmailAddresses: in.CC,
	}
	if t.who.Plan.ID != "" {
		t.checkNew(at, new)
	}
	t.acts = append(t.acts, act{at: t.at, customer: t.who, open: &new, files: readFiles(at.in("attachments"), in.Attachments)})
}

// checkNew finds out what is wrong with a case, and in which field.
func (t *teller) checkNew(at place, new cases.NewCase) {
	if new.Subject == "" || new.Body == "" {
		at.wrong("a case needs a subject and a body")
		return
	}
	if err := cases.CheckBody(new.Body); err != nil {
		at.in("body").check(err)
		return
	}
	err := t.m.config.Cases.CheckNewCase(t.who, new)
	for fault, field := range map[error]string{
		catalog.ErrUnknownService: "service", catalog.ErrUnknownCategory: "category", catalog.ErrUnknownIssueType: "issueType",
		catalog.ErrUnknownLanguage: "language", cases.ErrUnknownSeverity: "severity", cases.ErrInvalidAddress: "cc", cases.ErrTooManyCCAddresses: "cc", cases.ErrInvalidText: "subject",
	} {
		if errors.Is(err, fault) {
			at = at.in(field)
		}
	}
	at.check(err)
}

func (t *teller) communicate(at place, in seedCommunication) {
	after, err := in.after()
	at.in("after").check(err)
	t.at = t.at.Add(after)
	if t.at.After(t.now) && err == nil {
		at.wrong("this would happen %s after now: let the case begin earlier", t.at.Sub(t.now))
	}
	a := act{at: t.at, body: in.Body, files: readFiles(at.in("attachments"), in.Attachments), status: in.Status, note: in.Note}
	if in.Body != "" {
		at.in("body").check(cases.CheckBody(in.Body))
	}
	if in.Body == "" && len(in.Attachments) > 0 {
		at.in("attachments").wrong("attachments come with a body")
	}
	switch in.By {
	case "customer":
		a.customer = t.who
		t.customerSays(at, in)
	case "agent":
		a.agent = t.agentNamed(at.in("agent"), in.Agent)
		a.status = t.agentActs(at, in)
	default:
		at.in("by").wrong("by %q: want customer or agent", in.By)
	}
	t.acts = append(t.acts, a)
}

func (t *teller) customerSays(at place, in seedCommunication) {
	if in.Body == "" {
		at.wrong("what a customer says needs a body")
	}
	if in.Agent != "" || in.Status != "" || in.Note != "" {
		at.wrong("agent, status and note are for what an agent does")
	}
	if t.status == cases.Resolved && t.at.Sub(t.resolvedAt) > cases.ReopenWindow {
		at.wrong("the case was resolved more than 14 days before: no communication reopens it")
	}
	if to, ok := t.status.After(cases.CustomerReply); ok {
		t.status = to
	}
}

// agentActs returns the status that the agent has to move the case to.
func (t *teller) agentActs(at place, in seedCommunication) (status string) {
	if in.Body == "" && in.Status == "" && in.Note == "" {
		at.wrong("what an agent does is a body, a status or a note")
	}
	if in.Note != "" {
		at.in("note").check(desk.CheckNote(in.Note))
	}
	if in.Body != "" {
		t.assign() // to the one who answers
	}
	return t.move(at.in("status"), in.Status)
}

// assign follows somebody who gets the case, and takes it on.
func (t *teller) assign() {
	if !t.assigned && t.status == cases.Unassigned {
		t.status = cases.Opened
	}
	t.assigned = true
}

// agentNamed returns the agent with the e-mail address, or the one who is meant
// without one.
func (t *teller) agentNamed(at place, email string) string {
	if email == "" {
		return t.defaultAgent
	}
	t.checkAgent(at, email)
	return strings.ToLower(email)
}

// move follows an agent who moves the case to a status, and returns what is to
// be done for that: nothing when the case is there.
func (t *teller) move(at place, status string) string {
	to := cases.Status(status)
	if status == "" || to == t.status {
		return ""
	}
	event, ok := agentMoves()[to]
	if !ok && to != cases.Unassigned && to != cases.CustomerActionCompleted {
		at.wrong("there is no status %q", status)
		return ""
	}
	from := t.status
	if from == cases.Resolved {
		from = cases.Reopened // on the way
	}
	if _, possible := from.After(event); !possible && from != to {
		at.wrong("an agent cannot move a case that is %s to %s", t.status, status)
		return ""
	}
	if t.status = to; to == cases.Resolved {
		t.resolvedAt = t.at
	}
	return status
}

// agentMoves returns the statuses that agents move cases to.
func agentMoves() map[cases.Status]cases.Event {
	return map[cases.Status]cases.Event{
		cases.Opened: cases.Open, cases.WorkInProgress: cases.StartWork, cases.PendingCustomerAction: cases.AwaitCustomer,
		cases.Reopened: cases.Reopen, cases.Resolved: cases.Resolve,
	}
}

// end plans what the file says of the case as a whole.
func (t *teller) end(at place, in seedCase) {
	var last act
	last.at, last.agent = t.at, t.defaultAgent
	if in.Assignee != "" {
		t.checkAgent(at.in("assignee"), in.Assignee)
		last.assignee, last.agent = strings.ToLower(in.Assignee), strings.ToLower(in.Assignee)
	}
	if last.team = in.Team; in.Team != "" {
		t.checkTeam(at.in("team"), in.Team)
	}
	if last.assignee != "" {
		t.assign()
	}
	last.status = t.move(at.in("status"), in.Status)
	last.tags = in.Tags
	at.in("tags").check(desk.CheckTags(in.Tags))
	for i, note := range in.Notes {
		at.in("notes").item(i).check(desk.CheckNote(note))
		t.acts = append(t.acts, act{at: t.at, agent: last.agent, note: note})
	}
	if last.assignee != "" || last.team != "" || last.status != "" || len(last.tags) > 0 {
		t.acts = append(t.acts, last)
	}
}

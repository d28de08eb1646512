package testmode_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/testmode"
)

func mustWrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustSeed(t *testing.T, s *server.Server, text string) testmode.Seeded {
	t.Helper()
	seeded, err := s.Test.Seed(t.Context(), []byte(text))
	if err != nil {
		t.Fatalf("Seed: %v", err)
	}
	return seeded
}

func TestSeededCaseLivedThroughItsStory(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	seeded := mustSeed(t, s, `
teams:
  - {id: printers, name: Printers}
agents:
  - {name: Jane, email: jane@example.com, role: lead, teams: [printers]}
  - {email: joe@example.com}
cases:
  - ref: printer
    subject: Printer on fire
    body: It says lp0.
    service: amazon-athena
    category: other
    severity: high
    cc: [ops@example.com]
    createdAt: -3d
    attachments: [{name: log.txt, text: lp0 on fire}]
    communications:
      - {by: agent, after: 2h30m, body: Where is it?, status: pending-customer-action}
      - {by: customer, after: 30m, body: On the second floor., attachments: [{name: map.png, base64: iVBORw==}]}
      - {by: agent, agent: joe@example.com, after: 1d, note: Bring water.}
      - {by: agent, after: 1h, status: work-in-progress}
    tags: [Fire, printer]
    assignee: joe@example.com
    team: printers
    notes: [It was the fuser.]
    status: resolved
`)
	id := seeded.Cases["printer"]
	found := mustDetail(t, s, id)
	wantSaid(t, s, id, []string{
		"-72h0m0s owner@example.com: It says lp0.",
		"-69h30m0s Amazon Web Services: Where is it?",
		"-69h0m0s owner@example.com: On the second floor.",
	})
	wantStatuses(t, s, id, []string{
		"-69h30m0s opened", "-69h30m0s pending-customer-action", "-69h0m0s customer-action-completed",
		"-44h0m0s work-in-progress", "-44h0m0s resolved",
	})
	c := found.Case
	if !c.CreatedAt.Equal(start.Add(-72*time.Hour)) || c.ServiceCode != "amazon-athena" || c.SeverityCode != "high" || c.CCEmailAddresses[0] != "ops@example.com" {
		t.Errorf("the case is %+v", c)
	}
	if found.Assignee != seeded.Agents["joe@example.com"].ID || found.Team != "printers" || !cmp.Equal(found.Tags, []string{"fire", "printer"}) {
		t.Errorf("the desk has it with %s in %s, tags %v", found.Assignee, found.Team, found.Tags)
	}
	for i, name := range map[int]string{0: "log.txt", 2: "map.png"} {
		files := found.Communications[i].Attachments
		if len(files) != 1 || files[0].FileName != name {
			t.Errorf("communication %d has the files %+v, want %s", i+1, files, name)
		}
	}
	if notes := notesOf(t, s, id); !cmp.Equal(notes, []string{"Bring water.", "It was the fuser."}) {
		t.Errorf("notes = %q", notes)
	}
	if now := s.Test.Now(); !now.Equal(start) {
		t.Errorf("the clock says %s after the seed, want %s as before", now, start)
	}
}

func notesOf(t *testing.T, s *server.Server, id string) (notes []string) {
	t.Helper()
	err := s.Desk.Store.View(t.Context(), func(tx desk.Tx) error {
		records, err := tx.Records(t.Context(), server.FirstAccountID, id, 0, 100)
		for _, r := range records {
			if r.Event == "note" {
				notes = append(notes, strings.TrimSuffix(strings.TrimPrefix(string(r.Detail), `{"body":"`), `"}`))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return notes
}

// Cases come into the world in the order of time, not in that of the file, and
// one without a beginning ends now.
func TestStoriesAreToldInTheOrderOfTime(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	var order []string
	onChange(s, func(change cases.Change) {
		if change.Communication != nil {
			order = append(order, change.Communication.Body)
		}
	})
	mustSeed(t, s, `
cases:
  - {subject: S, body: 3, createdAt: -1h}
  - subject: S
    body: 2
    communications:
      - {by: customer, after: 90m, body: 4}
      - {by: customer, after: 30m, body: 5}
  - {subject: S, body: 1, createdAt: 2026-01-01}
`)
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "5"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestSeedMakesAccountsAndUsersThatCanCall(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	seeded := mustSeed(t, s, `
accounts:
  - id: 012345678901
    name: Retail
    email: retail@example.com
    plan: business
    policies:
      - name: NoResolve
        document:
          Version: "2012-10-17"
          Statement:
            - {Effect: Allow, Action: "support:*", Resource: "*"}
            - {Effect: Deny, Action: "support:ResolveCase", Resource: "*"}
    users:
      - {name: alice, policies: [AWSSupportAccess]}
      - {name: bob, policies: [NoResolve]}
  - id: "123456789012"
    plan: developer
cases:
  - {ref: retail, user: bob, subject: S, body: B}
`)
	account, err := s.IAM.Account(t.Context(), "012345678901")
	if err != nil || account.Name != "Retail" || account.Plan != "business" {
		t.Errorf("the account is %+v, %v", account, err)
	}
	first, err := s.IAM.Account(t.Context(), server.FirstAccountID)
	if err != nil || first.Name != "First account" || first.Plan != "developer" {
		t.Errorf("the first account is %+v, %v; want its plan changed and nothing else", first, err)
	}
	if !strings.HasPrefix(seeded.Cases["retail"], "case-012345678901-") {
		t.Errorf("the case %s is not of the first account of the file", seeded.Cases["retail"])
	}
	if got := mustDetail(t, s, seeded.Cases["retail"]).Communications[0].SubmittedBy; got != "bob (IAM) <retail@example.com>" {
		t.Errorf("the case is submitted by %q", got)
	}
	allowed := map[string]bool{}
	for _, u := range seeded.Users {
		found, err := s.IAM.Credential(t.Context(), u.Key.ID, "")
		if err != nil || found.Secret != u.Key.Secret {
			t.Errorf("the key of %s does not work: %v", u.Name, err)
		}
		simulated, err := s.IAM.Simulate(t.Context(), u.Account, iam.User, u.Name, []string{"support:ResolveCase"})
		if err != nil {
			t.Fatal(err)
		}
		allowed[u.Name] = simulated[0].Decision == iam.Allow
	}
	if diff := cmp.Diff(map[string]bool{"alice": true, "bob": false}, allowed); diff != "" {
		t.Errorf("who may resolve cases (-want +got):\n%s", diff)
	}
}

func TestSeededAgentsCanWork(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	seeded := mustSeed(t, s, "agents: [{email: jane@example.com, role: lead, services: [billing], languages: [ja], capacity: 3}]")
	jane := seeded.Agents["jane@example.com"]
	who, err := s.Desk.Authenticate(t.Context(), jane.Token)
	if err != nil || who.Agent.ID != jane.ID || who.Agent.Role != desk.RoleLead || who.Agent.Capacity != 3 {
		t.Errorf("the token lets in %+v, %v; want jane", who.Agent, err)
	}
}

func TestSeededResultIsAnswered(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustSeed(t, s, `
results:
  - check: fW7HH0l7J9
    resources:
      - {status: warning, region: eu-west-1, metadata: {Region: eu-west-1, Service: AutoScaling}}
`)
	got, err := s.Advisor.Result(t.Context(), customer(t), "fW7HH0l7J9")
	if err != nil || got.Status != "warning" {
		t.Errorf("Result = %+v, %v; want a warning", got, err)
	}
}

// Seeds are not slowed by the limits of customers, nor do their attachments count.
func TestSeedIsNotHeldUpByLimits(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	s.Cases.Limits = cases.AWSLimits()
	mustSeed(t, s, "cases:\n"+strings.Repeat("  - {subject: S, body: B, attachments: [{name: a, text: b}]}\n", 60))
	s.Cases.Limits.CasesPerHour = 0
	if _, err := s.Cases.AddAttachments(t.Context(), customer(t), cases.RequestKey{}, "", []cases.File{{Name: "a"}}); err != nil {
		t.Errorf("AddAttachments after a seed with 60 attachments = %v", err)
	}
}

func TestAutopilotLeavesSeededCasesAlone(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustPlay(t, s, "rules: [{steps: [{after: 1h, resolve: true}]}]")
	seeded := mustSeed(t, s, "cases: [{ref: a, subject: S, body: B, createdAt: -2h}]")
	mustAdvance(t, s, 3*time.Hour)
	wantStatus(t, s, seeded.Cases["a"], cases.Unassigned)
	later := mustCreate(t, s, cases.NewCase{Subject: "S", Body: "B"})
	mustAdvance(t, s, 3*time.Hour)
	wantStatus(t, s, later, cases.Resolved)
}

// It is unassigned when the seed is added, and new to the desk as any other case.
func TestSeededCaseThatIsUnassignedIsRouted(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	seeded := mustSeed(t, s, `
teams:
  - {id: full, services: [amazon-athena], routing: true}
  - {id: free, services: [billing], routing: true}
agents:
  - {email: jane@example.com, teams: [full], capacity: 0}
  - {email: joe@example.com, teams: [free], capacity: 1}
cases:
  - {ref: waits, subject: S, body: B, service: amazon-athena, team: full, status: unassigned}
  - {ref: taken, subject: S, body: B, service: billing, team: free, status: unassigned}
`)
	wantStatus(t, s, seeded.Cases["waits"], cases.Unassigned)
	wantStatus(t, s, seeded.Cases["taken"], cases.Unassigned)
	if err := s.Desk.Route(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, s, seeded.Cases["waits"], cases.Unassigned)
	wantStatus(t, s, seeded.Cases["taken"], cases.Opened)
	if got := mustDetail(t, s, seeded.Cases["taken"]).Assignee; got != seeded.Agents["joe@example.com"].ID {
		t.Errorf("the case has the assignee %q, want joe", got)
	}
}

// Clocks that were due within the stories warned and breached in their time.
func TestSeededCaseHasBreachedInItsTime(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	seeded := mustSeed(t, s, "cases: [{ref: a, subject: S, body: B, severity: critical, createdAt: -1d}]")
	clock := mustDetail(t, s, seeded.Cases["a"]).Clocks[0]
	if want := start.Add(-24*time.Hour + 15*time.Minute); !clock.Breached || !clock.DueAt.Equal(want) {
		t.Errorf("the clock is %+v, want it breached at %s", clock, want)
	}
	lines, err := s.Desk.Timeline(t.Context(), desk.Operator(), seeded.Cases["a"])
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if line.At.After(start.Add(-23 * time.Hour)) {
			t.Errorf("%s happened at %s, want it in the time of the story", line.Event, line.At)
		}
	}
	if len(lines) < 3 {
		t.Errorf("the timeline has %d lines, want the case, its warning and its breach", len(lines))
	}
}

func TestResetGoesBackToTheSeedOfTheStart(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/seed.yaml"
	mustWrite(t, file, "cases: [{subject: seeded, body: B}]")
	s := mustOpen(t, server.Test{Time: start, Frozen: true, SeedFile: file, Seed: 1})
	before := idsOf(t, s)
	mustCreate(t, s, cases.NewCase{Subject: "S", Body: "B"})
	if err := s.Test.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, idsOf(t, s)); diff != "" || len(before) != 1 {
		t.Errorf("cases after the reset (-want +got), of which there is to be one:\n%s", diff)
	}
}

func idsOf(t *testing.T, s *server.Server) (ids []string) {
	t.Helper()
	page, err := s.Desk.Find(t.Context(), desk.Operator(), desk.Query{View: desk.ViewAll})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range page.Items {
		ids = append(ids, i.CaseID)
	}
	return ids
}

func TestSeedErrorsNameEveryLineToMendAndNothingIsAdded(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustSeed(t, s, `
accounts: [{id: "123456789012", users: [{name: alice}]}]
agents: [{email: jane@example.com}, {email: audrey@example.com, role: auditor}]
`)
	before := contents(t, s)
	const allowAll = "{Version: '2012-10-17', Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}"
	fine := "cases:\n  - {subject: fine, body: B}\n  - subject: S\n    body: B\n    "
	for _, test := range []struct{ text, want string }{
		{"case: []", `seed:1:1: unknown field "case"`},
		{fine + "sevirity: high\n    cc: 5\n    tags: {}\n    team: [a]\nagent: []", "seed:5:5: unknown field \"sevirity\"\nseed:6:9: want a list\nseed:7:11: want a list\nseed:8:11: want a text\nseed:9:1: unknown field \"agent\""},
		{fine + "communications: [{bye: agent}, {by: agent, notes: N}]", "seed:5:23: unknown field \"bye\"\nseed:5:48: unknown field \"notes\""},
		{"results: [{resources: [{metadata: [], savings: much, suppressed: 1}]}]", "seed:1:35: want names with values\nseed:1:48: want a number\nseed:1:66: want true or false"},
		{"agents: [{capacity: .nan}, {capacity: 1.5}, {capacity: 99999999999999999999}]", "seed:1:21: want a whole number\nseed:1:39: want a whole number\nseed:1:56: want a whole number"},
		{fine + "severity: hugh", `seed:5:15: Severity code "hugh" is not available on the account's support plan.`},
		{fine + "service: nothing", "seed:5:14: No service exists for combination of serviceCode: nothing, categoryCode: , issueType: technical"},
		{fine + "language: xx", "seed:5:15: Invalid language: xx. It must be en, ja, zh or ko"},
		{fine + "cc: [nobody]", `seed:5:9: "nobody" is not a valid e-mail address.`},
		{fine + "account: 111122223333", "seed:5:14: there is no account 111122223333; name it under accounts"},
		{fine + "user: carol", `seed:5:11: the account 123456789012 has no user "carol"; name them under users`},
		{fine + "createdAt: tomorrow", `seed:5:16: "tomorrow" is no time such as 2026-01-31T12:00:00Z, 2026-01-31 or -2h30m`},
		{fine + "createdAt: 2027-01-01", "seed:5:16: 2027-01-01 is later than the clock, which says 2026-03-02T09:00:00Z"},
		{fine + "createdAt: 2025-03-02", "seed:5:16: the case begins at 2025-03-02T00:00:00Z, which is so long ago that it would be gone by now"},
		{fine + "createdAt: -366d", "seed:5:16: the case begins at 2025-03-01T09:00:00Z, which is so long ago that it would be gone by now"},
		{fine + "communications: [{by: customer, after: 366d, body: B}]", "seed:3:5: the case begins at 2025-03-01T09:00:00Z, which is so long ago that it would be gone by now"},
		{strings.Repeat("[", 100_000), "seed:1:65: more than 64 values stand in each other here"},
		{fine + "tags: " + strings.Repeat("{a: ", 25_000), "seed:5:255: more than 64 values stand in each other here"},
		{strings.Repeat("- ", 50_000), "seed:1:129: more than 64 values stand in each other here"},
		{strings.Repeat("? ", 50_000), "seed:1:129: more than 64 values stand in each other here"},
		{fine + "createdAt: -5m\n    communications: [{by: customer, after: 6m, body: B}]", "seed:6:22: this would happen 1m0s after now: let the case begin earlier"},
		{fine + "communications: [{after: 6m, body: B}]", `seed:5:22: by "": want customer or agent`},
		{fine + "communications: [{by: customer}]", "seed:5:22: what a customer says needs a body"},
		{fine + "communications: [{by: customer, body: B, status: opened}]", "seed:5:22: agent, status and note are for what an agent does"},
		{fine + "communications: [{by: agent}]", "seed:5:22: what an agent does is a body, a status or a note"},
		{fine + "communications: [{by: agent, agent: joe@example.com, body: B}]", `seed:5:41: there is no agent "joe@example.com"; name them under agents`},
		{fine + "communications: [{by: agent, agent: audrey@example.com, body: B}]", `seed:5:41: audrey@example.com has the role auditor, which does not work on cases`},
		{fine + "communications: [{by: agent, status: gone}]", `seed:5:42: there is no status "gone"`},
		{fine + "status: customer-action-completed", "seed:5:13: an agent cannot move a case that is unassigned to customer-action-completed"},
		{fine + "communications: [{by: agent, body: B}]\n    status: unassigned", "seed:6:13: an agent cannot move a case that is opened to unassigned"},
		{fine + "createdAt: -1d\n    communications: [{by: agent, status: work-in-progress}]\n    status: opened", "seed:7:13: an agent cannot move a case that is work-in-progress to opened"},
		{fine + "createdAt: -30d\n    communications: [{by: agent, status: resolved}, {by: customer, after: 15d, body: B}]", "seed:6:53: the case was resolved more than 14 days before: no communication reopens it"},
		{fine + "attachments: [{name: a, text: b}, {name: /etc, text: b}]", `seed:5:18: The file name "/etc" may not contain a path.`},
		{fine + "tags: ['a,b']", `seed:5:11: The tag "a,b" may not contain commas, control or invisible characters.`},
		{fine + "notes: ['']", "seed:5:13: The note is empty."},
		{fine + "team: nobody", `seed:5:11: there is no team "nobody"; name it under teams`},
		{fine + "assignee: nobody", `seed:5:15: there is no agent "nobody"; name them under agents`},
		{fine + "ref: a\n  - {ref: a, subject: S, body: B}", `seed:6:11: another case has the ref "a" too`},
		{"cases: [{subject: '', body: B}]", "seed:1:9: a case needs a subject and a body"},
		{"cases: [{subject: S}]", "seed:1:9: a case needs a subject and a body"},
		{"cases: [{subject: ' ', body: B}]", "seed:1:19: A subject has 1 to 255 characters in UTF-8; this one has 1."},
		{"accounts: [{id: 12}]", `seed:1:12: account id "12" must be 12 digits`},
		{"accounts: [{id: '000000000001', plan: gold}]", `seed:1:12: no support plan "gold"; plans are [basic developer business enterprise-on-ramp enterprise business-plus unified-operations]`},
		{"accounts: [{id: '000000000001'}, {id: '000000000001'}]", "seed:1:39: the account 000000000001 is in the file twice"},
		{"accounts: [{id: '000000000001', users: [{name: a/b}]}]", `seed:1:48: user name "a/b" may only hold letters, digits and _+=,.@-`},
		{"accounts: [{id: '123456789012', users: [{name: alice}]}]", "seed:1:48: the account 123456789012 has a user alice already"},
		{"accounts: [{id: '000000000001', users: [{name: a, policies: [None]}]}]", `seed:1:62: there is no policy "None"; built in are AWSSupportAccess, AdministratorAccess, ReadOnlyAccess`},
		{"accounts: [{id: '000000000001', policies: [{name: a b, document: " + allowAll + "}]}]", `seed:1:51: policy name "a b" may only hold letters, digits and _+=,.@-`},
		{"accounts: [{id: '000000000001', policies: [{name: ReadOnlyAccess, document: " + allowAll + "}]}]", "seed:1:51: the policy ReadOnlyAccess is built in"},
		{"teams: [{id: t, name: " + strings.Repeat("n", 129) + "}]", "seed:1:23: The name of the team must have 1 to 128 characters."},
		{`agents: [{email: joe@example.com, name: "J\noe"}]`, "seed:1:41: The name of the agent must be in UTF-8 and without control characters."},
		{"agents: [{email: autopilot@example.com}]", "seed:1:18: autopilot@example.com is the autopilot's"},
		{"teams: [{id: A}]", `seed:1:14: The id of a team has 1 to 64 lower-case letters, digits and hyphens, and does not begin with a hyphen; "A" is none.`},
		{"agents: [{email: jane@example.com}]", "seed:1:18: there is an agent with the e-mail address jane@example.com already"},
		{"agents: [{email: joe@example.com, role: boss}]", `seed:1:41: there is no role "boss": want agent, lead, administrator or auditor`},
		{"agents: [{email: joe@example.com, teams: [x]}]", `seed:1:43: there is no team "x"; name it under teams`},
		{"results: [{check: nothing}]", `seed:1:11: There is no check "nothing".`},
		{"results:\n  - check: fW7HH0l7J9\n    resources:\n      - {savings: 1}\n      - {region: a, savings: .inf}\n      - {savings: .nan}\n      - {status: red}", "seed:5:9: A resource has savings of 0 to 1000000000000 USD a month; it cannot save +Inf.\nseed:6:9: A resource has savings of 0 to 1000000000000 USD a month; it cannot save NaN.\nseed:7:9: A resource is not \"red\": it is ok, warning or error."},
		{"accounts: [{id: '000000000001', policies: [{name: own, document: " + allowAll + "}, {name: own, document: " + allowAll + "}]}]", "seed:1:157: the account has the policy own in the file twice"},
		{fine + "cc: [" + strings.Repeat("a@b.c, ", 9) + "1@b.c, 2@b.c, 3@b.c, 4@b.c, 5@b.c, 6@b.c, 7@b.c, 8@b.c, 9@b.c, 10@b.c]", "seed:5:9: A case copies at most 10 addresses; with these it would have 11."},
		{fine + "status: gone\n    team: nobody", "seed:5:13: there is no status \"gone\"\nseed:6:11: there is no team \"nobody\"; name it under teams"},
		{"\ufeff" + fine + "severity: hugh", `seed:5:15: Severity code "hugh" is not available on the account's support plan.`},
	} {
		_, err := s.Test.Seed(t.Context(), []byte(test.text))
		if err == nil || err.Error() != test.want || !errors.Is(err, testmode.ErrInvalidSeed) {
			t.Errorf("Seed(%.300q)\ngot  %v\nwant %s", test.text, err, test.want)
		}
	}
	if diff := cmp.Diff(before, contents(t, s)); diff != "" {
		t.Errorf("seeds with errors added something (-before +after):\n%s", diff)
	}
}

func TestEveryUnknownMemberIsNamedInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	var text, want strings.Builder
	for line := 1; line <= 2000; line++ {
		fmt.Fprintf(&text, "name%d: value\n", line)
		fmt.Fprintf(&want, "seed:%d:1: unknown field \"name%d\"\n", line, line)
	}
	_, err := s.Test.Seed(t.Context(), []byte(text.String()))
	if err == nil {
		t.Fatal("Seed(unknown members) = nil, want them named")
	}
	if diff := cmp.Diff(strings.TrimSpace(want.String()), err.Error()); diff != "" {
		t.Errorf("what Seed says (-want +got):\n%s", diff)
	}
}

// What a story can be is decided before it is told: none is given up in the middle,
// and each ends as it says.
func TestStoriesAreRefusedOrToldAsAWhole(t *testing.T) {
	t.Parallel()
	s := mustServer(t)
	mustSeed(t, s, "teams: [{id: printers}]\nagents: [{email: jane@example.com}]")
	told := 0
	rapid.Check(t, func(t *rapid.T) {
		pick := func(what string, from ...string) string { return rapid.SampledFrom(from).Draw(t, what) }
		status := func() string {
			return pick("status", "", "status: unassigned", "status: opened", "status: work-in-progress", "status: pending-customer-action",
				"status: customer-action-completed", "status: reopened", "status: resolved")
		}
		var parts []string
		for range rapid.IntRange(0, 5).Draw(t, "communications") {
			after := pick("after", "0s", "1m", "1d", "15d")
			part := fmt.Sprintf("{by: customer, after: %s, body: B}", after)
			if rapid.Bool().Draw(t, "agent") {
				part = fmt.Sprintf("{by: agent, after: %s, %s, %s, %s}", after, pick("body", "note: N", "body: B"), pick("who", "", "agent: jane@example.com"), status())
			}
			parts = append(parts, strings.ReplaceAll(part, ", ,", ","))
		}
		end := status()
		text := fmt.Sprintf("cases:\n  - subject: S\n    body: B\n    ref: a\n    communications: [%s]\n    %s\n    %s\n    %s\n",
			strings.Join(parts, ", "), pick("assignee", "", "assignee: jane@example.com"), pick("team", "", "team: printers"), end)
		seeded, err := s.Test.Seed(context.Background(), []byte(text))
		if errors.Is(err, testmode.ErrInvalidSeed) {
			return
		}
		if err != nil {
			t.Fatalf("Seed(%s) = %v, want it to be refused or told", text, err)
		}
		found, err := s.Desk.Case(context.Background(), desk.Operator(), seeded.Cases["a"])
		if want := strings.TrimPrefix(end, "status: "); err != nil || want != "" && string(found.Case.Status) != want {
			t.Fatalf("Seed(%s): the case is %s, %v, want %s", text, found.Case.Status, err, want)
		}
		told++
	})
	if told == 0 {
		t.Error("no story was told")
	}
}

// contents returns how much there is of what seeds make.
func contents(t *testing.T, s *server.Server) map[string]int {
	t.Helper()
	accounts, err := s.IAM.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	agents, err := s.Desk.Agents(t.Context(), desk.Operator())
	if err != nil {
		t.Fatal(err)
	}
	teams, err := s.Desk.Teams(t.Context(), desk.Operator())
	if err != nil {
		t.Fatal(err)
	}
	return map[string]int{"accounts": len(accounts), "agents": len(agents), "teams": len(teams), "cases": len(idsOf(t, s))}
}

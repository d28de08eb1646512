package conformance_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A case from both sides, with nothing but the programs that people have: a
// customer with the AWS CLI and boto3, and an agent with supportd desk.
func TestTheStoryOfACase(t *testing.T) {
	t.Parallel()
	if awsVersion(t, debianAWS) == "" {
		missingClient(t, debianAWS, "apt-get install awscli")
	}
	if boto3Version(t, debianPython) == "" {
		missingClient(t, "boto3 of "+debianPython, installBoto3)
	}
	p := startFirstRun(t)
	customer := &caseOwner{cli: cli{user: newUser(t, p), path: debianAWS, version: awsVersion(t, debianAWS)}, python: debianPython}
	customer.options = []string{"--endpoint-url", p.url()}
	agent := newAgent(t, p, "jo")
	other := newAgent(t, p, "kim")

	id := customer.query("caseId", "create-case", "--subject", "Printer on fire", "--communication-body", "It says lp0.",
		"--severity-code", "urgent", "--issue-type", "technical", "--service-code", "general-info", "--category-code", "using-aws")
	displayID := customer.query("cases[0].displayId", "describe-cases")

	queue := agent.desk("", "queue", "--view", "unassigned")
	if !strings.Contains(queue, displayID) || !strings.Contains(queue, "Printer on fire") || !strings.Contains(queue, "urgent") {
		t.Errorf("the queue does not have the case:\n%s", queue)
	}
	if got := agent.desk("", "queue", "--text", "says lp0"); !strings.Contains(got, displayID) {
		t.Errorf("a search for what the customer said finds:\n%s", got)
	}
	agent.desk("", "claim", displayID)
	if _, stderr, code := other.run(mustProgram(t), "desk", "claim", displayID); code == 0 {
		t.Errorf("another agent claims the case, too: %s", stderr)
	}
	if got := other.desk("", "queue", "--view", "unassigned"); strings.Contains(got, displayID) {
		t.Errorf("the case that was claimed waits for somebody still:\n%s", got)
	}
	if err := os.WriteFile(filepath.Join(agent.home, "manual.txt"), []byte("Turn it off.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	agent.desk("", "note", id, "--body", "zebra: the customer never reads this")
	agent.desk("Please read the manual.\n", "reply", displayID, "--attach", filepath.Join(agent.home, "manual.txt"))

	customer.same("describe-cases", customer.query("cases[].[status,recentCommunications.communications[0].submittedBy]", "describe-cases", "--case-id-list", id),
		"pending-customer-action Amazon Web Services")
	customer.same("describe-communications", customer.query("communications[].body", "describe-communications", "--case-id", id), "Please read the manual. It says lp0.")
	customer.same("boto3", customer.read(id), "manual.txt: Turn it off.\n")
	customer.query("result", "add-communication-to-case", "--case-id", id, "--communication-body", "It is out.")

	if got := agent.desk("", "show", id); !strings.Contains(got, "It is out.") || !strings.Contains(got, "customer-action-completed") || !strings.Contains(got, "manual.txt") {
		t.Errorf("the agent does not see the answer:\n%s", got)
	}
	timeline := agent.desk("", "timeline", id)
	if !strings.Contains(timeline, "zebra") {
		t.Errorf("the agent's timeline has no note:\n%s", timeline)
	}
	agent.desk("", "note", id, "--body", "zebra: it was the fuser")
	agent.desk("", "resolve", displayID, "--reason", "zebra: solved")

	customer.same("describe-cases", customer.query("cases", "describe-cases"), "")
	customer.same("describe-cases --include-resolved-cases", customer.query("cases[].status", "describe-cases", "--include-resolved-cases"), "resolved")
	customer.same("boto3", customer.read(id), "manual.txt: Turn it off.\n")
	told := customer.everything(id)
	for _, secret := range []string{"zebra", "jo@example.com", "agent-"} {
		if strings.Contains(told, secret) {
			t.Errorf("the customer sees %q: %s", secret, told)
		}
	}
}

// caseOwner has a case at support.
type caseOwner struct {
	cli
	python string
}

// read returns the files of the case, as a program with boto3 gets them.
func (c *caseOwner) read(id string) string {
	c.t.Helper()
	const program = `
import boto3, sys
support = boto3.client("support", endpoint_url=sys.argv[1])
pages = support.get_paginator("describe_communications").paginate(caseId=sys.argv[2])
for communication in (c for page in pages for c in page["communications"]):
    for a in communication["attachmentSet"]:
        file = support.describe_attachment(attachmentId=a["attachmentId"])["attachment"]
        sys.stdout.write(a["fileName"] + ": " + file["data"].decode())
`
	return c.mustRun(c.python, "-c", program, c.options[1], id)
}

// everything is all that the API tells of the case.
func (c *caseOwner) everything(id string) string {
	c.t.Helper()
	var all strings.Builder
	for _, answer := range []map[string]any{
		c.call("describe-cases", "--case-id-list", id, "--include-resolved-cases"),
		c.call("describe-communications", "--case-id", id),
	} {
		text, err := json.Marshal(answer)
		if err != nil {
			c.t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// agent works at the desk, from a machine of their own: with the address and a
// token, and without the data.
type agent struct{ user }

func newAgent(t *testing.T, p *process, name string) agent {
	t.Helper()
	data := p.command.Args[3] // serve --data DIR
	mustAdmin(t, data, "agent", "create", "--name", name, "--email", name+"@example.com")
	token := strings.TrimSpace(mustAdmin(t, data, "agent", "token", "create", "--agent", name+"@example.com", "--name", "laptop"))
	u := user{t: t, home: t.TempDir()}
	u.env = []string{"HOME=" + u.home, "SUPPORTD_DESK_URL=" + p.url(), "SUPPORTD_DESK_TOKEN=" + token}
	return agent{u}
}

// desk returns what a command of the desk printed, which must succeed.
func (a agent) desk(stdin string, args ...string) string {
	a.t.Helper()
	if stdin != "" {
		file := filepath.Join(a.home, "stdin")
		if err := os.WriteFile(file, []byte(stdin), 0o600); err != nil {
			a.t.Fatal(err)
		}
		script := append([]string{"-c", `exec "$0" "$@" < "$HOME/stdin"`, mustProgram(a.t), "desk"}, args...)
		return a.mustRun("/bin/sh", script...)
	}
	return a.mustRun(mustProgram(a.t), append([]string{"desk"}, args...)...)
}

package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const debianAWS = "/usr/bin/aws"

func TestAWSCLIOfDebian(t *testing.T) {
	t.Parallel()
	if awsVersion(t, debianAWS) == "" {
		missingClient(t, debianAWS, "apt-get install awscli")
	}
	p := startFirstRun(t, "--limits", "off")
	u := newUser(t, p)
	u.knowsNewerOperations()
	c := cli{user: u, path: debianAWS, version: awsVersion(t, debianAWS)}
	c.options = []string{"--endpoint-url", p.url()} // it does not know AWS_ENDPOINT_URL_SUPPORT
	c.live()
}

func TestAWSCLIWithThePrintedLinesAlone(t *testing.T) {
	t.Parallel()
	for _, path := range otherPrograms("aws", debianAWS) {
		version := awsVersion(t, path)
		first := "1.29.0" // the first release of each major version that reads AWS_ENDPOINT_URL_SUPPORT
		if strings.HasPrefix(version, "2.") {
			first = "2.13.0"
		}
		if atLeast(version, first) {
			c := cli{user: newUser(t, startFirstRun(t, "--limits", "off")), path: path, version: version}
			c.live()
			return
		}
	}
	missingAddition(t, "AWS CLI 1.29, 2.13 or newer on PATH")
}

// awsVersion is empty where there is none.
func awsVersion(t *testing.T, path string) string {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	u := user{t: t, env: os.Environ()}
	stdout, stderr, _ := u.run(path, "--version")
	found := regexp.MustCompile(`aws-cli/(\d+\.\d+\.\d+)`).FindStringSubmatch(stdout + stderr)
	if found == nil {
		return ""
	}
	return found[1]
}

// cli is the AWS CLI in the hands of a user.
type cli struct {
	user
	path    string
	version string
	options []string
}

// live drives every operation of the API.
func (c cli) live() {
	c.t.Logf("%s %s", c.path, c.version)
	id := c.create()
	c.attach(id)
	c.catalogue()
	c.page(id)
	c.resolve(id)
	c.fail()
}

// call returns the answer of an operation.
func (c cli) call(args ...string) map[string]any {
	c.t.Helper()
	var answer map[string]any
	text := c.mustRun(c.path, slices.Concat(c.options, []string{"--output", "json", "support"}, args)...)
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		c.t.Fatalf("aws support %q printed %q: %v", args, text, err)
	}
	return answer
}

// query returns what --query picks out of an answer, blanks between the values.
func (c cli) query(what string, args ...string) string {
	c.t.Helper()
	text := c.mustRun(c.path, slices.Concat(c.options, []string{"--output", "text", "--query", what, "support"}, args)...)
	return strings.Join(strings.Fields(text), " ")
}

func (c cli) same(call, got, want string) {
	c.t.Helper()
	if got != want {
		c.t.Errorf("aws support %s = %q, want %q", call, got, want)
	}
}

func (c cli) create() string {
	c.t.Helper()
	id := c.query("caseId", "create-case", "--subject", "Boot hängt", "--communication-body", "Seit gestern.",
		"--service-code", "amazon-elastic-compute-cloud-linux", "--category-code", "ssh-issue", "--severity-code", "urgent",
		"--issue-type", "technical", "--language", "en", "--cc-email-addresses", "a@example.com", "b@example.com")
	if !matches(`case-123456789012-muen-20\d\d-[0-9a-f]{16}`, id) {
		c.t.Errorf("aws support create-case = %q, want a case id", id)
	}
	c.same("describe-cases", c.query("cases[].[subject,status,severityCode,ccEmailAddresses[1]]", "describe-cases", "--case-id-list", id),
		"Boot hängt unassigned urgent b@example.com")
	c.same("describe-cases --no-include-communications",
		c.query("cases[].recentCommunications", "describe-cases", "--no-include-communications", "--language", "en"), "")
	c.same("describe-cases --after-time", c.query("cases", "describe-cases", "--after-time", "2999-01-31T12:00:00Z"), "")
	return id
}

// attach sends files in JSON, where version 2 takes base64 and version 1 the
// text itself.
func (c cli) attach(id string) {
	c.t.Helper()
	content := base64.StdEncoding.EncodeToString([]byte("hello\n"))
	data := content
	if strings.HasPrefix(c.version, "1.") {
		data = "hello\n"
	}
	text, err := json.Marshal([]map[string]string{{"fileName": "hello.txt", "data": data}, {"fileName": "again.txt", "data": data}})
	if err != nil {
		c.t.Fatal(err)
	}
	file := filepath.Join(c.home, "attachments.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		c.t.Fatal(err)
	}
	set := c.query("attachmentSetId", "add-attachments-to-set", "--attachments", "file://"+file)
	c.same("add-attachments-to-set --attachment-set-id", c.query("attachmentSetId", "add-attachments-to-set",
		"--attachment-set-id", set, "--attachments", "fileName=short.txt,data=aGk="), set)
	c.same("add-communication-to-case", c.query("result", "add-communication-to-case",
		"--case-id", id, "--communication-body", "Dateien", "--attachment-set-id", set), "True")
	c.same("describe-communications", c.query("communications[0].attachmentSet[].fileName", "describe-communications", "--case-id", id),
		"hello.txt again.txt short.txt")
	attachment := c.query("communications[0].attachmentSet[0].attachmentId", "describe-communications", "--case-id", id)
	c.same("describe-attachment", c.query("attachment.[fileName,data]", "describe-attachment", "--attachment-id", attachment), "hello.txt "+content)
}

func (c cli) catalogue() {
	c.t.Helper()
	c.same("describe-services", c.query("services[].[code,name]", "describe-services", "--service-code-list", "amazon-polly", "no-such-service"), "amazon-polly Polly")
	c.same("describe-severity-levels", c.query("severityLevels[].code", "describe-severity-levels", "--language", "en"), "low normal high urgent critical")
	kind := []string{"--service-code", "general-info", "--category-code", "using-aws", "--issue-type", "technical"}
	c.same("describe-supported-languages", c.query("supportedLanguages[].code", append([]string{"describe-supported-languages"}, kind...)...), "en ja zh ko")
	c.same("describe-create-case-options", c.query("[languageAvailability,communicationTypes[].type]",
		append([]string{"describe-create-case-options", "--language", "en"}, kind...)...), "available web chat call")
}

// page has the CLI put pages together and start in the middle of one.
func (c cli) page(id string) {
	c.t.Helper()
	who := credentials{id: c.variable("AWS_ACCESS_KEY_ID"), secret: c.variable("AWS_SECRET_ACCESS_KEY")}
	for i := range 11 { // not through the CLI, which takes half a second
		url := c.variable("AWS_ENDPOINT_URL_SUPPORT")
		mustCall(c.t, url, who, "CreateCase", `{"subject":"Page","communicationBody":"B"}`)
		mustCall(c.t, url, who, "AddCommunicationToCase", fmt.Sprintf(`{"caseId":%q,"communicationBody":"Reply-%d"}`, id, i))
	}
	describe := []string{"describe-cases", "--page-size", "10"}
	c.same("describe-cases --page-size 10", c.listed("cases", "subject", c.call(describe...)), "Boot hängt"+strings.Repeat(" Page", 11))
	first := c.call(append(describe, "--max-items", "11")...)
	c.same("describe-cases --max-items 11", c.listed("cases", "subject", first), "Boot hängt"+strings.Repeat(" Page", 10))
	token, _ := first["NextToken"].(string)
	c.same("describe-cases --starting-token", c.listed("cases", "subject", c.call(append(describe, "--starting-token", token)...)), "Page")
	describe = []string{"describe-communications", "--case-id", id, "--page-size", "10"}
	c.same("describe-communications --max-items 2", c.listed("communications", "body", c.call(append(describe, "--max-items", "2")...)), "Reply-10 Reply-9")
	c.same("describe-communications --page-size 10", c.listed("communications", "body", c.call(describe...)),
		"Reply-10 Reply-9 Reply-8 Reply-7 Reply-6 Reply-5 Reply-4 Reply-3 Reply-2 Reply-1 Reply-0 Dateien Seit gestern.")
}

// listed returns a member of all elements of a list, with blanks between.
func (c cli) listed(list, member string, answer map[string]any) string {
	var values []string
	all, _ := answer[list].([]any)
	for _, one := range all {
		element, _ := one.(map[string]any)
		values = append(values, fmt.Sprint(element[member]))
	}
	return strings.Join(values, " ")
}

// variable returns a value of the user's environment.
func (c cli) variable(name string) string {
	for _, entry := range c.env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

func (c cli) resolve(id string) {
	c.t.Helper()
	c.same("resolve-case", c.query("[initialCaseStatus,finalCaseStatus]", "resolve-case", "--case-id", id), "unassigned resolved")
	c.same("describe-cases --include-resolved-cases",
		c.query("cases[].status", "describe-cases", "--include-resolved-cases", "--case-id-list", id), "resolved")
	input, err := json.Marshal(map[string]string{"caseId": id, "communicationBody": "Wieder da"})
	if err != nil {
		c.t.Fatal(err)
	}
	c.same("add-communication-to-case --cli-input-json", c.query("result", "add-communication-to-case", "--cli-input-json", string(input)), "True")
	c.same("describe-cases", c.query("cases[].status", "describe-cases", "--case-id-list", id), "reopened")
}

// fail checks exit codes and messages: 254 and, for version 1, 255 mean that
// the service refused.
func (c cli) fail() {
	c.t.Helper()
	want := 254
	if strings.HasPrefix(c.version, "1.") {
		want = 255
	}
	for _, test := range []struct{ text, args string }{
		{`An error occurred (CaseIdNotFound) when calling the ResolveCase operation: The requested case ID "case-0" could not be found.`, "resolve-case --case-id case-0"},
		{`An error occurred (ValidationException) when calling the DescribeCases operation: 1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100`, "describe-cases --max-results 101"},
		{`An error occurred (AttachmentIdNotFound) when calling the DescribeAttachment operation: `, "describe-attachment --attachment-id attachment-0"},
		{`An error occurred (InvalidParameterValueException) when calling the DescribeTrustedAdvisorChecks operation: Language`, "describe-trusted-advisor-checks --language xx"},
	} {
		stdout, stderr, code := c.run(c.path, slices.Concat(c.options, []string{"support"}, strings.Fields(test.args))...)
		if code != want || !strings.Contains(stderr, test.text) || stdout != "" {
			c.t.Errorf("aws support %s = exit code %d\n%s%s\nwant exit code %d\n%s", test.args, code, stdout, stderr, want, test.text)
		}
	}
}

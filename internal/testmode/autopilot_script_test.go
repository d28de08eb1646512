package testmode

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
)

func mustCatalog(t *testing.T) *catalog.Catalog {
	t.Helper()
	known, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func mustScript(t *testing.T, text string) *script {
	t.Helper()
	s, err := readScript(mustCatalog(t), []byte(text))
	if err != nil {
		t.Fatalf("readScript: %v", err)
	}
	return s
}

func TestScriptSaysWhatToDoAndWhen(t *testing.T) {
	t.Parallel()
	s := mustScript(t, `
rules:
  - name: printers
    match: {subject: printer, severity: [low, normal]}
    steps:
      - after: 5m
        status: opened
      - on: customer-reply
        after: 1h30m
        repeat: 3
        reply: "{{customer.text}}?"
        status: keep
        attachments: [{name: a.txt, text: "A"}, {name: b.bin, base64: AAE=}]
      - resolve: true
        severity: high
        note: done
`)
	want := []step{
		{after: 5 * time.Minute, repeat: 1, status: "opened"},
		{
			onReply: true, after: 90 * time.Minute, repeat: 3, reply: "{{customer.text}}?", status: "keep",
			files: []cases.File{{Name: "a.txt", Data: []byte("A")}, {Name: "b.bin", Data: []byte{0, 1}}},
		},
		{repeat: 1, status: "resolved", severity: "high", note: "done"},
	}
	if diff := cmp.Diff(want, s.rules[0].steps, cmp.AllowUnexported(step{})); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestScriptErrorsNameLineAndColumn(t *testing.T) {
	t.Parallel()
	step := "rules:\n  - steps:\n      - "
	for _, test := range []struct{ text, want string }{
		{"rules: 4", "autopilot:1:8: want a list"},
		{"rules", "autopilot:1:1: want names with values"},
		{"rules:\n  - match: x\n    name: [a]\n  - 5", "autopilot:2:12: want names with values\nautopilot:3:11: want a text\nautopilot:4:5: want names with values"},
		{"rules:\n  - match: {service: [billing, [a]]}", "autopilot:2:32: want a text"},
		{"rules:\n  - {<<: {name: a}}", `autopilot:2:6: unknown field "<<"`},
		{"rule: []", `autopilot:1:1: unknown field "rule"`},
		{"rules:\n  - match: {subjects: x}", `autopilot:2:13: unknown field "subjects"`},
		{"rules:\n  - match:\n      subject: /(/", "autopilot:3:16: error parsing regexp: missing closing ): `(`"},
		{"rules:\n  - match:\n      service: [billing, biling]", `autopilot:3:26: there is no service "biling"`},
		{"rules:\n  - match: {category: [other, nothing]}", `autopilot:2:31: no service that this rule is for has the category "nothing"`},
		{"rules:\n  - match: {service: amazon-athena, category: charge-inquiry}", `autopilot:2:47: no service that this rule is for has the category "charge-inquiry"`},
		{"rules:\n  - match: {issueType: technicle}", "autopilot:2:24: Invalid issue type: technicle. It must be technical, customer-service or service-limit-increase"},
		{"rules:\n  - match: {severity: hi}", `autopilot:2:23: there is no severity "hi"`},
		{"rules:\n  - match: {language: xx}", "autopilot:2:23: Invalid language: xx. It must be en, ja, zh or ko"},
		{"rules:\n  - match: {account: 12}", `autopilot:2:22: an account has 12 digits; "12" is none`},
		{step + "after: 5 minutes\n        status: opened", `autopilot:3:16: "5 minutes" is no time span such as 10m, 2h30m or 3d`},
		{step + "after: 5m", "autopilot:3:9: a step does something: severity, note, reply, status or resolve"},
		{step + "status: unassigned", `autopilot:3:17: agents move no case to "unassigned"; they do to opened, work-in-progress, pending-customer-action, reopened and resolved, and with a reply there is keep`},
		{step + "status: keep", `autopilot:3:17: agents move no case to "keep"; they do to opened, work-in-progress, pending-customer-action, reopened and resolved, and with a reply there is keep`},
		{step + "status: opened\n        resolve: true", "autopilot:4:18: the status cannot be opened and resolved"},
		{step + "on: reply\n        resolve: true", `autopilot:3:13: on "reply": want customer-reply`},
		{step + "repeat: 2\n        resolve: true", "autopilot:3:17: only a step with on: customer-reply can be repeated"},
		{step + "on: customer-reply\n        repeat: 101\n        resolve: true", "autopilot:4:17: a step is done 1 to 100 times, not 101"},
		{step + "on: customer-reply\n        repeat: 0\n        resolve: true", "autopilot:4:17: a step is done 1 to 100 times, not 0"},
		{step + "on: customer-reply\n        repeat: often\n        resolve: true", "autopilot:4:17: want a whole number"},
		{step + "resolve: perhaps", "autopilot:3:18: want true or false"},
		{step + "reply: 'Hello {{customer.name}}'", "autopilot:3:16: there is no variable {{customer.name}}"},
		{step + "severity: worst", `autopilot:3:19: there is no severity "worst"`},
		{step + "note: hm\n        attachments: [{name: a, text: b}]", "autopilot:4:22: attachments come with a reply"},
		{step + "reply: hm\n        attachments: [{name: a}]", "autopilot:4:23: an attachment has a text, or base64"},
		{step + "reply: hm\n        attachments: [{name: a, text: b, base64: Yg==}]", "autopilot:4:50: an attachment has a text or base64, not both"},
		{step + "reply: hm\n        attachments: [{name: a, base64: '?'}]", "autopilot:4:41: this is not base64: illegal base64 data at input byte 0"},
		{step + "reply: hm\n        attachments: [{name: ../a, text: b}]", `autopilot:4:22: The file name "../a" may not contain a path.`},
		{"rules: &a []\nmore: *a", "autopilot:1:8: anchors and aliases are not read"},
		{"rules: " + strings.Repeat("[", 100_000), "autopilot:1:71: more than 64 values stand in each other here"},
		{"rules: []\n---\nrules: []", "autopilot: more than one document: the second would not be read"},
		{step + "status: nowhere\n        severity: worst", "autopilot:3:17: agents move no case to \"nowhere\"; they do to opened, work-in-progress, pending-customer-action, reopened and resolved, and with a reply there is keep\nautopilot:4:19: there is no severity \"worst\""},
	} {
		_, err := readScript(mustCatalog(t), []byte(test.text))
		if err == nil || err.Error() != test.want || !errors.Is(err, ErrInvalidScript) {
			t.Errorf("readScript(%.300q)\ngot  %v\nwant %s", test.text, err, test.want)
		}
	}
}

func TestOneWordNeedsNoListWithATagEither(t *testing.T) {
	t.Parallel()
	s := mustScript(t, "%YAML 1.2\n---\nrules:\n  - match: {service: !!str billing, language: !!seq [en, ja]}\n    steps: [{resolve: true}]")
	m := s.rules[0].match
	if diff := cmp.Diff([]words{{"billing"}, {"en", "ja"}}, []words{m.Service, m.Language}); diff != "" {
		t.Errorf("service and language (-want +got):\n%s", diff)
	}
}

func TestScriptIsBounded(t *testing.T) {
	t.Parallel()
	many := "rules:\n  - steps:\n" + strings.Repeat("      - resolve: true\n", maxSteps+1)
	if _, err := readScript(mustCatalog(t), []byte(many)); err == nil {
		t.Errorf("a rule of %d steps is read", maxSteps+1)
	}
	if _, err := readScript(mustCatalog(t), []byte("rules:\n"+strings.Repeat("  - steps: []\n", maxRules+1))); err == nil {
		t.Errorf("a script of %d rules is read", maxRules+1)
	}
}

func TestFirstRuleThatMatchesIsPlayed(t *testing.T) {
	t.Parallel()
	s := mustScript(t, `
rules:
  - {name: regexp, match: {subject: "/^Re: [A-Z]/"}, steps: [resolve: true]}
  - {name: left alone, match: {subject: leave me}, steps: []}
  - {name: text, match: {text: on FIRE}, steps: [resolve: true]}
  - {name: all of it, match: {service: [billing, amazon-athena], category: other, severity: high, issueType: technical, language: ja, account: "123456789012"}, steps: [resolve: true]}
  - {name: service, match: {service: billing}, steps: [resolve: true]}
`)
	billing := cases.Case{ServiceCode: "billing", CategoryCode: "other", SeverityCode: "high", IssueType: "technical", Language: "ja", Account: "123456789012"}
	english := billing
	english.Language = "en"
	for _, test := range []struct {
		about string
		c     cases.Case
		body  string
		want  string
	}{
		{"a regular expression", cases.Case{Subject: "Re: Ticket"}, "", "regexp"},
		{"a regular expression minds the case", cases.Case{Subject: "re: ticket"}, "", ""},
		{"a text in the subject, in any case", cases.Case{Subject: "Please LEAVE ME alone", ServiceCode: "billing"}, "on fire", ""},
		{"a text in the body", cases.Case{Subject: "Printer"}, "lp0 on fire", "text"},
		{"all conditions", billing, "", "all of it"},
		{"not all conditions", english, "", "service"},
		{"nothing", cases.Case{Subject: "Printer"}, "", ""},
		{"what AWS leaves alone", cases.Case{Subject: ignoredSubject, ServiceCode: "billing"}, "", ""},
	} {
		got := ""
		if p := s.play(test.c, cases.Communication{Body: test.body}); p != nil {
			got = p.rule.name
		}
		if got != test.want {
			t.Errorf("%s: rule %q is played, want %q", test.about, got, test.want)
		}
	}
}

func TestDefaultScriptIsThatOfTheProgram(t *testing.T) {
	t.Parallel()
	s := mustScript(t, " default\n")
	for want, c := range map[string]cases.Case{
		"a limit to raise":        {ServiceCode: "service-limit-increase"},
		"a question about a bill": {ServiceCode: "billing", SeverityCode: "urgent"},
		"an emergency":            {ServiceCode: "amazon-athena", SeverityCode: "critical"},
		"anything else":           {ServiceCode: "amazon-athena", SeverityCode: "low"},
	} {
		if p := s.play(c, cases.Communication{}); p == nil || p.rule.name != want {
			t.Errorf("%+v plays %+v, want %q", c, p, want)
		}
	}
}

func TestNoScriptIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", " \n"} {
		if s, err := readScript(mustCatalog(t), []byte(text)); s != nil || err != nil {
			t.Errorf("readScript(%q) = %v, %v; want none", text, s, err)
		}
	}
}

func TestVariablesAreFilledInOnce(t *testing.T) {
	t.Parallel()
	v := newVariables(cases.Case{DisplayID: "12", Subject: "{{case.displayId}}"}, strings.Repeat("é", 1001))
	if got, want := v.fillIn("{{ case.displayId }}: {{case.subject}}"), "12: {{case.displayId}}"; got != want {
		t.Errorf("fillIn = %q, want %q", got, want)
	}
	if got, want := v.fillIn("{{customer.text}}"), strings.Repeat("é", 1000)+"…"; got != want {
		t.Errorf("fillIn of a long text has %d characters, want 1001", len([]rune(got)))
	}
}

// A play ends after a bounded number of steps, whatever a customer does.
func TestPlayEnds(t *testing.T) {
	t.Parallel()
	s := mustScript(t, "rules:\n  - steps:\n"+strings.Repeat("      - {on: customer-reply, repeat: 100, reply: hm}\n", maxSteps))
	p := s.play(cases.Case{}, cases.Communication{})
	steps := 0
	for goesOn := true; goesOn; steps++ {
		p.hear(cases.Communication{Body: fmt.Sprint(steps)})
		goesOn = p.goOn(p.rule.steps[p.next])
	}
	if want := maxSteps * maxRepeat; steps != want {
		t.Errorf("the play took %d steps, want %d", steps, want)
	}
}

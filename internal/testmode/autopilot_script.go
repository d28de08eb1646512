package testmode

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/fault"
)

// ErrInvalidScript means that a script is to be mended, and says where.
var ErrInvalidScript = fault.New(fault.Invalid, "invalid_script", "the script is not right")

// DefaultScript is the word that stands for the script of the program.
const DefaultScript = "default"

//go:embed autopilot.yaml
var defaultScript []byte

// script is what the autopilot plays.
type script struct {
	text  []byte
	rules []rule
}

// rule is what to do about the cases that it matches.
type rule struct {
	name  string
	match match
	steps []step
}

// step is something that the autopilot does.
type step struct {
	onReply bool          // of the customer, else after the step before
	after   time.Duration // that
	repeat  int           // how often; for more than once it waits for a reply each time

	severity, note, reply, status string
	files                         []cases.File
}

// keepStatus leaves the status of a case as it is.
const keepStatus = "keep"

// scriptForm is the form of a script.
type scriptForm struct {
	Rules []ruleForm `yaml:"rules"`
}

type ruleForm struct {
	Name  string     `yaml:"name"`
	Match matchForm  `yaml:"match"`
	Steps []stepForm `yaml:"steps"`
}

type stepForm struct {
	After       string `yaml:"after"`
	On          string `yaml:"on"`
	Repeat      *int   `yaml:"repeat"`
	Severity    string `yaml:"severity"`
	Note        string `yaml:"note"`
	Reply       string `yaml:"reply"`
	Attachments []file `yaml:"attachments"`
	Status      string `yaml:"status"`
	Resolve     bool   `yaml:"resolve"`
}

// The most that a script may have. So it ends, whatever it says.
const maxRules, maxSteps, maxRepeat = 1000, 100, 100

// readScript reads a script, nil when there is none.
func readScript(known *catalog.Catalog, text []byte) (*script, error) {
	word := string(bytes.TrimSpace(text))
	if word == "" {
		return nil, nil
	}
	if word == DefaultScript {
		text = defaultScript
	}
	var form scriptForm
	d, err := readDocument("autopilot", text, &form)
	if err != nil {
		return nil, ErrInvalidScript.With("%s", err)
	}
	s := &script{text: text}
	rules := d.top().in("rules")
	if len(form.Rules) > maxRules {
		rules.wrong("a script has at most %d rules", maxRules)
	}
	for i, r := range form.Rules {
		s.rules = append(s.rules, r.read(rules.item(i), known, i+1))
	}
	if err := d.err(); err != nil {
		return nil, ErrInvalidScript.With("%s", err)
	}
	return s, nil
}

func (f ruleForm) read(at place, known *catalog.Catalog, number int) rule {
	r := rule{name: f.Name, match: f.Match.read(at.in("match"), known)}
	if r.name == "" {
		r.name = fmt.Sprintf("rule %d", number)
	}
	if len(f.Steps) > maxSteps {
		at.in("steps").wrong("a rule has at most %d steps", maxSteps)
	}
	for i, s := range f.Steps {
		r.steps = append(r.steps, s.read(at.in("steps").item(i), known))
	}
	return r
}

func (f stepForm) read(at place, known *catalog.Catalog) step {
	s := step{severity: f.Severity, note: f.Note, reply: f.Reply, status: f.Status, files: readFiles(at.in("attachments"), f.Attachments)}
	f.readTime(at, &s)
	f.readStatus(at, &s)
	if s.severity != "" {
		checkSeverity(at.in("severity"), known, s.severity)
	}
	if s.note != "" {
		at.in("note").check(desk.CheckNote(s.note))
		checkVariables(at.in("note"), s.note)
	}
	if s.reply != "" {
		at.in("reply").check(cases.CheckBody(s.reply))
		checkVariables(at.in("reply"), s.reply)
	}
	if s.reply == "" && len(f.Attachments) > 0 {
		at.in("attachments").wrong("attachments come with a reply")
	}
	if s.severity == "" && s.note == "" && s.reply == "" && s.status == "" {
		at.wrong("a step does something: severity, note, reply, status or resolve")
	}
	return s
}

func (f stepForm) readTime(at place, s *step) {
	var err error
	if f.After != "" {
		s.after, err = parseSpan(f.After)
		at.in("after").check(err)
	}
	s.onReply = f.On != ""
	if s.onReply && f.On != "customer-reply" {
		at.in("on").wrong("on %q: want customer-reply", f.On)
	}
	s.repeat = 1
	if f.Repeat == nil {
		return
	}
	s.repeat = *f.Repeat
	if s.repeat < 1 || s.repeat > maxRepeat {
		at.in("repeat").wrong("a step is done 1 to %d times, not %d", maxRepeat, s.repeat)
	}
	if !s.onReply {
		at.in("repeat").wrong("only a step with on: customer-reply can be repeated")
	}
}

func (f stepForm) readStatus(at place, s *step) {
	if f.Resolve && f.Status != "" && f.Status != string(cases.Resolved) {
		at.in("resolve").wrong("the status cannot be %s and resolved", f.Status)
	}
	if f.Resolve {
		s.status = string(cases.Resolved)
	}
	_, ok := agentMoves()[cases.Status(s.status)]
	if s.status == "" || ok || s.status == keepStatus && s.reply != "" {
		return
	}
	at.in("status").wrong("agents move no case to %q; they do to opened, work-in-progress, pending-customer-action, reopened and resolved, and with a reply there is keep", s.status)
}

// variables are what texts of a script can have between {{ and }}.
type variables map[string]string

func newVariables(c cases.Case, text string) variables {
	return variables{
		"case.id": c.ID, "case.displayId": c.DisplayID, "case.subject": c.Subject,
		"case.service": c.ServiceCode, "case.severity": c.SeverityCode,
		"customer.text": shorten(text),
	}
}

var variable = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// fillIn replaces variables in one pass: what is between braces in a customer's
// text is text.
func (v variables) fillIn(text string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string { return v[variableName(found)] })
}

func checkVariables(at place, text string) {
	known := newVariables(cases.Case{}, "")
	for _, found := range variable.FindAllString(text, -1) {
		if _, ok := known[variableName(found)]; !ok {
			at.wrong("there is no variable %s", found)
		}
	}
}

func variableName(found string) string { return strings.TrimSpace(found[2 : len(found)-2]) }

// shorten keeps a quotation from making a reply too long.
func shorten(text string) string {
	const most = 1000
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return text
}

package testmode

import (
	"regexp"
	"slices"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
)

// matchForm says which cases a rule is for. What is left out fits all.
type matchForm struct {
	Subject   string `yaml:"subject"` // a part of it in any case, or /a regular expression/
	Text      string `yaml:"text"`    // likewise, of the first communication
	Service   words  `yaml:"service"` // one of them
	Category  words  `yaml:"category"`
	Severity  words  `yaml:"severity"`
	IssueType words  `yaml:"issueType"`
	Language  words  `yaml:"language"`
	Account   words  `yaml:"account"`
}

// match finds cases.
type match struct {
	matchForm
	subject, text *regexp.Regexp // nil: any
}

func (f matchForm) read(at place, known *catalog.Catalog) match {
	m := match{matchForm: f, subject: readPattern(at.in("subject"), f.Subject), text: readPattern(at.in("text"), f.Text)}
	for i, code := range f.Service {
		if _, ok := known.Service(code); !ok {
			at.in("service").item(i).wrong("there is no service %q", code)
		}
	}
	for i, code := range f.Category {
		if !f.hasCategory(known, code) {
			at.in("category").item(i).wrong("no service that this rule is for has the category %q", code)
		}
	}
	for i, name := range f.IssueType {
		at.in("issueType").item(i).check(catalog.CheckIssueType(name))
	}
	for i, code := range f.Severity {
		checkSeverity(at.in("severity").item(i), known, code)
	}
	for i, code := range f.Language {
		at.in("language").item(i).check(known.CheckLanguage(code))
	}
	for i, id := range f.Account {
		if !isAccountID(id) {
			at.in("account").item(i).wrong("an account has 12 digits; %q is none", id)
		}
	}
	return m
}

// hasCategory reports whether a service that fits has the category.
func (f matchForm) hasCategory(known *catalog.Catalog, code string) bool {
	return slices.ContainsFunc(known.Services(), func(s catalog.Service) bool {
		_, ok := s.Category(code)
		return ok && f.Service.fit(s.Code)
	})
}

func checkSeverity(at place, known *catalog.Catalog, code string) {
	if !slices.ContainsFunc(known.Severities(), func(s catalog.Severity) bool { return s.Code == code }) {
		at.wrong("there is no severity %q", code)
	}
}

// readPattern reads /a regular expression/, or a text that is a part of what is
// looked at.
func readPattern(at place, text string) *regexp.Regexp {
	if text == "" {
		return nil
	}
	if len(text) < 2 || text[0] != '/' || text[len(text)-1] != '/' {
		return regexp.MustCompile("(?i)" + regexp.QuoteMeta(text))
	}
	pattern, err := regexp.Compile(text[1 : len(text)-1])
	at.check(err)
	return pattern
}

func (m match) fits(c cases.Case, text string) bool {
	return (m.subject == nil || m.subject.MatchString(c.Subject)) &&
		(m.text == nil || m.text.MatchString(text)) &&
		m.Service.fit(c.ServiceCode) && m.Category.fit(c.CategoryCode) && m.Severity.fit(c.SeverityCode) &&
		m.IssueType.fit(c.IssueType) && m.Language.fit(c.Language) && m.Account.fit(c.Account)
}

// fit reports whether the word is one of them, or any will do.
func (w words) fit(word string) bool { return len(w) == 0 || slices.Contains(w, word) }

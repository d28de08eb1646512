// Package catalog knows what a case can be about and how support for it can be
// reached: services and their categories, issue types, severities, languages,
// channels and their hours. Its facts are tables in this package, read and
// checked by [Load]; services.jsonl and holidays.csv are edited by hand.
//
// It does not know plans: which severities and channels an account has is
// decided elsewhere and passed in. Nothing in it changes after Load, so a
// Catalog is safe for concurrent use.
package catalog

import (
	"embed"
	"slices"
)

//go:embed services.jsonl holidays.csv
var files embed.FS

// Catalog is what can be asked about. Slices it returns are its own: callers
// do not change them.
type Catalog struct {
	services   []Service
	byCode     map[string]int // index in services
	severities []Severity
	languages  []language
	holidays   holidays
}

// Severity is how urgent a case is. Name is the word of the API; the console
// of AWS uses others.
type Severity struct{ Code, Name string }

// Load reads the embedded tables. An error names the file and line to mend.
func Load() (*Catalog, error) {
	services, err := load("services.jsonl", parseServices)
	if err != nil {
		return nil, err
	}
	days, err := load("holidays.csv", parseHolidays)
	if err != nil {
		return nil, err
	}
	return &Catalog{
		services:   services,
		byCode:     positions(services),
		severities: severities(),
		languages:  languages(),
		holidays:   days,
	}, nil
}

func load[T any](name string, parse func(name string, text []byte) (T, error)) (T, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		var none T
		return none, err
	}
	return parse(name, text)
}

func positions(services []Service) map[string]int {
	at := make(map[string]int, len(services))
	for i, s := range services {
		at[s.Code] = i
	}
	return at
}

// Services returns all services in the order of the catalogue.
func (c *Catalog) Services() []Service { return c.services }

// Service returns the service with this code.
func (c *Catalog) Service(code string) (Service, bool) {
	i, ok := c.byCode[code]
	if !ok {
		return Service{}, false
	}
	return c.services[i], true
}

// Severities returns all severities, the lowest first. An account sees those
// of its plan only.
func (c *Catalog) Severities() []Severity { return c.severities }

// Languages returns the languages in which cases are handled.
func (c *Catalog) Languages() []Language {
	var offered []Language
	for _, l := range c.languages {
		if l.offered {
			offered = append(offered, l.Language)
		}
	}
	return offered
}

// LanguageOffered reports whether cases are handled in the language.
func (c *Catalog) LanguageOffered(code string) bool {
	l, ok := c.language(code)
	return ok && l.offered
}

func (c *Catalog) language(code string) (language, bool) {
	i := slices.IndexFunc(c.languages, func(l language) bool { return l.Code == code })
	if i < 0 {
		return language{}, false
	}
	return c.languages[i], true
}

// The names are those that the AWS CLI's example of describe-severity-levels
// prints.
func severities() []Severity {
	return []Severity{
		{"low", "Low"},
		{"normal", "Normal"},
		{"high", "High"},
		{"urgent", "Urgent"},
		{"critical", "Critical"},
	}
}

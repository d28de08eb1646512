package supportapi

import (
	"context"
	"strings"
	"sync"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/awsjson"
	"github.com/supportd/supportd/internal/check"
)

type describeTrustedAdvisorChecksInput struct {
	Language *string `json:"language" constraint:"required"`
}

type describeTrustedAdvisorChecksOutput struct {
	Checks []checkDescription `json:"checks"`
}

type checkDescription struct {
	Category    string   `json:"category"`
	Description string   `json:"description"`
	ID          string   `json:"id"`
	Metadata    []string `json:"metadata"`
	Name        string   `json:"name"`
}

// describeTrustedAdvisorChecks answers with a text that is made once for each
// language: it depends on nobody.
func (a *API) describeTrustedAdvisorChecks(_ context.Context, _ caller, in *describeTrustedAdvisorChecksInput) ([]byte, error) {
	if err := advisor.CheckLanguage(*in.Language); err != nil {
		return nil, err
	}
	return a.checkTexts.in(*in.Language, a.advisor.Checks)
}

// checkTexts are the encoded answers of DescribeTrustedAdvisorChecks by
// language.
type checkTexts struct {
	mu         sync.RWMutex
	byLanguage map[string][]byte
}

func (t *checkTexts) in(language string, all func() ([]*check.Check, error)) ([]byte, error) {
	t.mu.RLock()
	text, ok := t.byLanguage[language]
	t.mu.RUnlock()
	if ok {
		return text, nil
	}
	checks, err := all()
	if err != nil {
		return nil, err
	}
	out := describeTrustedAdvisorChecksOutput{Checks: make([]checkDescription, len(checks))}
	for i, c := range checks {
		out.Checks[i] = describeCheck(c, language)
	}
	if text, err = awsjson.Encode(out); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byLanguage == nil {
		t.byLanguage = map[string][]byte{}
	}
	t.byLanguage[language] = text
	return text, nil
}

func describeCheck(c *check.Check, language string) checkDescription {
	d := checkDescription{Category: c.Category, Description: checkHTML(c), ID: c.ID, Metadata: c.Columns, Name: c.Name}
	if name := c.Names[language]; name != "" {
		d.Name = name
	}
	return d
}

// checkHTML makes the texts of a check into the fragment of HTML that
// descriptions are, with the parts and the words of AWS's.
func checkHTML(c *check.Check) string {
	var b strings.Builder
	b.WriteString(escape(c.About))
	if criteria := criteriaHTML(c.Criteria); criteria != "" {
		b.WriteString("<br><br><b>Alert Criteria</b><br>" + criteria)
	}
	if c.Action != "" {
		b.WriteString("<br><br><b>Recommended Action</b><br>" + escape(c.Action))
	}
	if len(c.Links) > 0 {
		b.WriteString("<br><br><b>Additional Resources</b>")
	}
	for _, link := range c.Links {
		link = escape(link)
		b.WriteString(`<br><a href="` + link + `" target="_blank">` + link + `</a>`)
	}
	return b.String()
}

func criteriaHTML(c check.Criteria) string {
	var lines []string
	for _, color := range []struct {
		name  string
		texts []string
	}{{"Red", c.Red}, {"Yellow", c.Yellow}, {"Green", c.Green}} {
		for _, text := range color.texts {
			lines = append(lines, color.name+": "+escape(text))
		}
	}
	return strings.Join(lines, "<br>")
}

// escape makes a plain text HTML. Apostrophes stay: many show the fragment as it
// is.
func escape(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(strings.TrimSpace(text))
	return strings.ReplaceAll(text, "\n", "<br>")
}

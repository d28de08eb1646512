package report

import (
	_ "embed"
	"html/template"
	"io"

	"github.com/supportd/supportd/internal/check"
)

//go:embed page.html
var page string

// HTML writes the report as a page that needs nothing else: no script, no
// other file, no network.
func (r *Report) HTML(w io.Writer) error {
	t, err := template.New("page").Option("missingkey=error").Funcs(template.FuncMap{
		"cell": func(row check.Row, column int) string { return plain(cell(row, column)) }, "plain": plain, "mark": mark, "savings": savingsText, "time": timeText,
		"savingsOf": Finding.savings, "flagged": func(f Finding) bool { return f.Result.Flagged > 0 },
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		*Report
		Counts      Counts
		Total       string
		Sections    []section
		Unavailable []unavailable
	}{r, r.Counts(), r.total(), r.byCategory(), r.unavailable()})
}

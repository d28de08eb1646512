package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/supportd/supportd/internal/check"
)

// TableOptions are how a table looks.
type TableOptions struct {
	Color   bool // escape sequences of terminals
	Verbose bool // every row with all its columns, instead of the first few in short
	Width   int  // of a line: cells about resources that are too long for it lose their middle; 0: they are whole
}

// What a table that is not verbose shows: so many resources of a check and, of
// those that have no reason, so many cells.
const (
	shortRows  = 5
	shortCells = 3
)

// Table writes the report for a terminal.
func (r *Report) Table(w io.Writer, o TableOptions) error {
	p := &painter{TableOptions: o}
	p.line("%s", plain(r.where()))
	for _, s := range r.byCategory() {
		p.heading(s.Title)
		p.section(s)
	}
	if missing := r.unavailable(); len(missing) > 0 {
		p.heading("Not available")
		for _, u := range missing {
			p.line("  %s", p.paint(check.NotAvailable, plain(u.Cause)))
			for _, c := range u.Checks {
				p.line("    %s", plain(c.Name))
			}
		}
	}
	p.line("\n%s", r.total())
	_, err := io.WriteString(w, p.out.String())
	return err
}

// painter writes a table.
type painter struct {
	TableOptions
	out strings.Builder
}

func (p *painter) line(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

func (p *painter) heading(title string) { p.line("\n%s", p.sequence("1", title)) }

func (p *painter) sequence(code, s string) string {
	if !p.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// paint gives a text the colour of a status.
func (p *painter) paint(s check.Status, text string) string {
	switch s {
	case check.Error:
		return p.sequence("31", text)
	case check.Warning:
		return p.sequence("33", text)
	case check.OK:
		return p.sequence("32", text)
	}
	return p.sequence("2", text)
}

// section writes a line for every check and below it those about its resources.
func (p *painter) section(s section) {
	t := newTable("  ")
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 1, WidthMin: len(check.Warning)},
		{Number: 2, WidthMin: len("123 of 12345"), Align: text.AlignRight, AlignHeader: text.AlignRight},
		{Number: 3, WidthMin: len("$12345.00"), Align: text.AlignRight, AlignHeader: text.AlignRight},
	})
	t.AppendHeader(table.Row{"STATUS", "FLAGGED", "SAVINGS", "CHECK"})
	for _, f := range s.Findings {
		t.AppendRow(table.Row{
			p.paint(f.Result.Status, string(f.Result.Status)), fmt.Sprintf("%d of %d", f.Result.Flagged, f.Result.Processed),
			savingsText(f.savings()), plain(f.Check.Name),
		})
	}
	for i, line := range strings.Split(t.Render(), "\n") { // cells are plain: a row is a line
		p.line("%s", line)
		if i == 0 {
			continue // the header
		}
		for _, line := range p.resources(s.Findings[i-1]) {
			p.line("  %s", line)
		}
	}
}

// newTable returns a table without lines.
func newTable(indent string) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = indent, ""
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	return t
}

func savingsText(usd *float64) string {
	if usd == nil {
		return ""
	}
	return fmt.Sprintf("$%.2f", *usd)
}

// resources returns the lines about a check's resources.
func (p *painter) resources(f Finding) []string {
	if p.Verbose {
		return p.allResources(f)
	}
	var shown [][]string
	for _, status := range []check.Status{check.Error, check.Warning} {
		for _, row := range f.Result.Rows {
			if row.Status == status && !row.Suppressed {
				shown = append(shown, []string{p.paint(row.Status, mark(row)), plain(row.Region), plain(row.Resource), plain(reason(f.Check, row))})
			}
		}
	}
	if len(shown) <= shortRows {
		return p.nested(shown)
	}
	return append(p.nested(shown[:shortRows]), fmt.Sprintf("  and %d more, see --verbose", len(shown)-shortRows))
}

func (p *painter) allResources(f Finding) []string {
	if len(f.Result.Rows) == 0 {
		return nil
	}
	rows := [][]string{append([]string{"", "Resource"}, plainAll(f.Check.Columns)...)}
	for _, row := range f.Result.Rows {
		cells := []string{p.paint(row.Status, mark(row)), plain(row.Resource)}
		for i := range f.Check.Columns {
			cells = append(cells, plain(cell(row, i)))
		}
		rows = append(rows, cells)
	}
	return p.nested(rows)
}

func mark(row check.Row) string {
	if row.Suppressed {
		return "suppressed"
	}
	return string(row.Status)
}

func (p *painter) nested(rows [][]string) []string {
	if len(rows) == 0 {
		return nil
	}
	const indent = "  "
	if p.Width > 0 {
		fit(rows, len(indent), p.Width-len(indent)) // section indents once more
	}
	t := newTable(indent)
	for _, cells := range rows {
		row := make(table.Row, len(cells))
		for i, c := range cells {
			row[i] = c
		}
		t.AppendRow(row)
	}
	return strings.Split(t.Render(), "\n")
}

// reason returns why a resource is flagged: what the check says, or else the
// first of its cells that tell more than which resource it is.
func reason(c *check.Check, row check.Row) string {
	var told []string
	for i, name := range c.Columns {
		value := cell(row, i)
		switch {
		case name == "Reason" && value != "":
			return value
		case value == "" || value == row.Status.Color() || strings.Contains(row.Resource+" "+row.Region, value) || len(told) == shortCells:
		default:
			told = append(told, name+": "+value)
		}
	}
	return strings.Join(told, ", ")
}

func cell(row check.Row, column int) string {
	if column >= len(row.Metadata) || row.Metadata[column] == nil {
		return ""
	}
	return *row.Metadata[column]
}

// plain takes away what a terminal would obey: names and tags are written by
// whoever may write them in the account.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if obeyed(r) {
			return ' '
		}
		return r
	}, s)
}

func obeyed(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

func plainAll(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = plain(s)
	}
	return out
}

package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/supportd/supportd/internal/check"
)

// documentFormat is the version of the JSON document; it changes when a member
// goes away or gets another meaning.
const documentFormat = 1

type document struct {
	Format      int             `json:"supportdReport"`
	Account     string          `json:"account"`
	Regions     []string        `json:"regions"`
	CollectedAt string          `json:"collectedAt"`
	Checks      Counts          `json:"counts"`
	Savings     *float64        `json:"estimatedMonthlySavings,omitempty"`
	Results     []checkDocument `json:"checks"`
}

type checkDocument struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Category   string        `json:"category"`
	Status     check.Status  `json:"status"`
	Cause      string        `json:"cause,omitempty"`
	Processed  int           `json:"resourcesProcessed"`
	Flagged    int           `json:"resourcesFlagged"`
	Ignored    int           `json:"resourcesIgnored"`
	Suppressed int           `json:"resourcesSuppressed"`
	Savings    *float64      `json:"estimatedMonthlySavings,omitempty"`
	Columns    []string      `json:"columns"`
	Rows       []rowDocument `json:"rows"`
}

type rowDocument struct {
	Status     check.Status `json:"status"`
	ResourceID string       `json:"resourceId"`
	Resource   string       `json:"resource"`
	Region     string       `json:"region,omitempty"`
	Suppressed bool         `json:"suppressed,omitempty"`
	Savings    *float64     `json:"estimatedMonthlySavings,omitempty"`
	Metadata   namedCells   `json:"metadata"`
}

// namedCells are the cells of a row by the names of their columns, in the order
// of the columns.
type namedCells struct {
	names []string
	cells []*string
}

// MarshalJSON makes an object.
func (c namedCells) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, value := range c.cells {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(c.names[i])
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(text)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// JSON writes the report as one document, which docs/checks.md explains.
func (r *Report) JSON(w io.Writer) error {
	d := document{
		Format: documentFormat, Account: r.Account, Regions: r.Regions, CollectedAt: timeText(r.CollectedAt),
		Checks: r.Counts(), Results: []checkDocument{},
	}
	if usd, known := r.Savings(); known {
		d.Savings = &usd
	}
	for _, f := range r.Findings {
		d.Results = append(d.Results, f.document())
	}
	encoder := json.NewEncoder(visible{w})
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}

// visible writes JSON of which a terminal shows every character: JSON itself
// escapes only the control characters of ASCII. Each Write has whole characters.
type visible struct{ w io.Writer }

func (v visible) Write(text []byte) (int, error) {
	var out bytes.Buffer
	for _, r := range string(text) {
		if r >= 0x7f && obeyed(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	if _, err := v.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(text), nil
}

func (f Finding) document() checkDocument {
	d := checkDocument{
		ID: f.Check.ID, Name: f.Check.Name, Category: f.Check.Category, Status: f.Result.Status, Cause: f.Result.Cause,
		Processed: f.Result.Processed, Flagged: f.Result.Flagged, Ignored: f.Result.Ignored, Suppressed: f.Result.Suppressed,
		Savings: f.savings(), Columns: f.Check.Columns, Rows: []rowDocument{},
	}
	for _, row := range f.Result.Rows {
		d.Rows = append(d.Rows, rowDocument{
			Status: row.Status, ResourceID: row.ResourceID, Resource: row.Resource, Region: row.Region,
			Suppressed: row.Suppressed, Savings: row.Savings, Metadata: namedCells{f.Check.Columns, row.Metadata},
		})
	}
	return d
}

// CSV writes a line for every row, and one without a resource for every check
// that has none, so that no check is missing.
func (r *Report) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	line := func(cells []string) { _ = out.Write(safeCells(cells)) } // out keeps the error
	line([]string{
		"account", "category", "check_id", "check", "check_status", "cause", "status", "region", "resource", "resource_id",
		"suppressed", "estimated_monthly_savings", "details",
	})
	for _, f := range r.Findings {
		c := []string{r.Account, f.Check.Category, f.Check.ID, f.Check.Name, string(f.Result.Status), f.Result.Cause}
		rows := f.Result.Rows
		if len(rows) == 0 {
			line(append(c, make([]string, 7)...))
		}
		for _, row := range rows {
			savings := ""
			if row.Savings != nil {
				savings = strconv.FormatFloat(*row.Savings, 'f', 2, 64)
			}
			line(append(c[:len(c):len(c)], string(row.Status), row.Region, row.Resource, row.ResourceID,
				strconv.FormatBool(row.Suppressed), savings, details(f.Check, row)))
		}
	}
	out.Flush()
	return out.Error()
}

// details are the cells of a row by name, as the JSON document has them.
func details(c *check.Check, row check.Row) string {
	text, _ := namedCells{c.Columns, row.Metadata}.MarshalJSON() // of strings: cannot fail
	var out strings.Builder
	_, _ = visible{&out}.Write(text)
	return out.String()
}

// safeCells keeps a line a line, and puts a quote before what a spreadsheet
// would run as a formula: names and tags are written by whoever may write them
// in the account.
func safeCells(cells []string) []string {
	cells = plainAll(cells)
	for i, c := range cells {
		if c != "" && strings.ContainsRune("=+-@", rune(c[0])) {
			cells[i] = "'" + c
		}
	}
	return cells
}

// Package report tells the results of checks to people and programs: as a
// table for a terminal, a web page, one JSON document, CSV, and findings of the
// Open Cybersecurity Schema Framework.
//
// The same results always give the same bytes. The package knows nothing of
// where results come from, and keeps none.
package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/inventory"
)

// Report is what checks said about an inventory.
type Report struct {
	Account     string
	CollectedAt time.Time
	Regions     []string
	Version     string // of the program
	Findings    []Finding
}

// Finding is a check and its result.
type Finding struct {
	Check  *check.Check
	Result check.Result
}

// New makes a report of results, which are in the order of the checks.
func New(version string, h inventory.Header, checks []*check.Check, results []check.Result) *Report {
	r := &Report{Account: h.Account, CollectedAt: h.CollectedAt.UTC(), Regions: h.Regions, Version: version}
	for i, c := range checks {
		r.Findings = append(r.Findings, Finding{c, results[i]})
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(categoryRank(a.Check.Category)-categoryRank(b.Check.Category), strings.Compare(a.Check.Name, b.Check.Name),
			strings.Compare(a.Check.ID, b.Check.ID))
	})
	return r
}

// category is a category of checks as people read it.
type category struct{ id, title string }

func categories() []category {
	return []category{
		{"cost_optimizing", "Cost optimization"},
		{"performance", "Performance"},
		{"security", "Security"},
		{"fault_tolerance", "Fault tolerance"},
		{"service_limits", "Service limits"},
		{"operational_excellence", "Operational excellence"},
	}
}

// Categories returns the ids of all categories, in the order of a report.
func Categories() (ids []string) {
	for _, c := range categories() {
		ids = append(ids, c.id)
	}
	return ids
}

func categoryRank(id string) int {
	return slices.IndexFunc(categories(), func(c category) bool { return c.id == id })
}

// Formats returns the names of the forms that Write knows.
func Formats() []string { return []string{"table", "json", "csv", "html", "ocsf"} }

// Write writes the report in a format; table is without colours and details.
func (r *Report) Write(w io.Writer, format string) error {
	switch format {
	case "table":
		return r.Table(w, TableOptions{})
	case "json":
		return r.JSON(w)
	case "csv":
		return r.CSV(w)
	case "html":
		return r.HTML(w)
	case "ocsf":
		return r.OCSF(w)
	}
	return fmt.Errorf("no format %q: want one of %s", format, strings.Join(Formats(), ", "))
}

// Counts are how many checks have each status.
type Counts struct {
	Error        int `json:"error"`
	Warning      int `json:"warning"`
	OK           int `json:"ok"`
	NotAvailable int `json:"notAvailable"`
}

// Counts counts the checks.
func (r *Report) Counts() (n Counts) {
	for _, f := range r.Findings {
		switch f.Result.Status {
		case check.Error:
			n.Error++
		case check.Warning:
			n.Warning++
		case check.OK:
			n.OK++
		default:
			n.NotAvailable++
		}
	}
	return n
}

// Worst returns the worst status of all checks, NotAvailable when none of them
// has a result.
func (r *Report) Worst() check.Status {
	n := r.Counts()
	switch {
	case n.Error > 0:
		return check.Error
	case n.Warning > 0:
		return check.Warning
	case n.OK > 0:
		return check.OK
	}
	return check.NotAvailable
}

// Savings returns what could be saved, in USD a month, and whether any price is
// known.
func (r *Report) Savings() (usd float64, known bool) {
	for _, f := range r.Findings {
		if s := f.savings(); s != nil {
			usd, known = usd+*s, true
		}
	}
	return cents(usd), known
}

// savings returns nil for a check that tells of none.
func (f Finding) savings() *float64 {
	for _, row := range f.Result.Rows {
		if row.Savings != nil && !row.Suppressed {
			usd := cents(f.Result.Savings)
			return &usd
		}
	}
	return nil
}

// cents takes away what adding in another order would change.
func cents(usd float64) float64 { return math.Round(usd*100) / 100 }

// byCategory returns the categories that have results, the worst first in each.
func (r *Report) byCategory() (all []section) {
	for _, c := range categories() {
		s := section{Title: c.title}
		for _, f := range r.Findings {
			if f.Check.Category == c.id && f.computed() {
				s.Findings = append(s.Findings, f)
			}
		}
		slices.SortStableFunc(s.Findings, func(a, b Finding) int { return severity(b.Result.Status) - severity(a.Result.Status) })
		if len(s.Findings) > 0 {
			all = append(all, s)
		}
	}
	return all
}

func severity(s check.Status) int {
	switch s {
	case check.Error:
		return 2
	case check.Warning:
		return 1
	}
	return 0
}

// section is a part of a report for people.
type section struct {
	Title    string
	Findings []Finding
}

func (f Finding) computed() bool { return f.Result.Status != check.NotAvailable }

// unavailable are checks without a result for the same cause.
type unavailable struct {
	Cause  string
	Checks []*check.Check
}

func (r *Report) unavailable() (all []unavailable) {
	for _, f := range r.Findings {
		if f.computed() {
			continue
		}
		i := slices.IndexFunc(all, func(u unavailable) bool { return u.Cause == f.Result.Cause })
		if i < 0 {
			i, all = len(all), append(all, unavailable{Cause: f.Result.Cause})
		}
		all[i].Checks = append(all[i].Checks, f.Check)
	}
	return all
}

// where says whose report it is, of what regions and when.
func (r *Report) where() string {
	return fmt.Sprintf("Account %s, %s, collected %s", r.Account, strings.Join(r.Regions, ", "), timeText(r.CollectedAt))
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// total sums the report up in a sentence.
func (r *Report) total() string {
	n := r.Counts()
	text := fmt.Sprintf("%d error, %d warning, %d ok, %d not available", n.Error, n.Warning, n.OK, n.NotAvailable)
	if usd, known := r.Savings(); known {
		text += fmt.Sprintf("; $%.2f a month could be saved", usd)
	}
	return text
}

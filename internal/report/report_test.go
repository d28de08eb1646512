package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	prettytext "github.com/jedib0t/go-pretty/v6/text"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/report"
)

var update = flag.Bool("update", false, "write the golden files again")

func text(s string) *string { return &s }

func usd(v float64) *float64 { return &v }

// hostile is a name that somebody gave a resource of the account.
const hostile = "<script>alert(1)</script>\x1b[2J\u202e\u009b\x7f\r\nok; Reason: none\", \"Reason\": \"none"

// example is a report with everything in it.
func example() *report.Report {
	volumes := &check.Check{
		ID: "vol1", Name: "Unattached volumes", Category: "cost_optimizing", Path: "cost_optimizing/unattached-volumes",
		About: "Looks for volumes that nothing uses.", Action: "Delete them.", Links: []string{"https://example.com/volumes", "javascript:alert(1)"},
		Columns: []string{"Volume ID", "Name", "Reason"},
	}
	backups := &check.Check{ID: "bak1", Name: "Backups", Category: "fault_tolerance", About: "Looks for backups.", Action: "Make backups.", Columns: []string{"Database"}}
	quiet := &check.Check{ID: "ok1", Name: "Addresses", Category: "cost_optimizing", About: "Looks for addresses.", Columns: []string{"Address"}}
	denied := &check.Check{ID: "na1", Name: "Buckets", Category: "security", About: "Looks at buckets.", Columns: []string{}}
	also := &check.Check{ID: "na2", Name: "Bucket logs", Category: "security", About: "Looks at logs.", Columns: []string{}}
	row := func(id string, s check.Status, cells ...*string) check.Row {
		return check.Row{Status: s, ResourceID: "id-of-" + id, Resource: "arn:aws:ec2:eu-west-1:111122223333:volume/" + id, Region: "eu-west-1", Metadata: cells}
	}
	saving := row("vol-1", check.Warning, text("vol-1"), text("=HYPERLINK(1)"), text("nothing uses it"))
	saving.Savings = usd(37.444)
	suppressed := row("vol-3", check.Error, text("vol-3"), nil, nil)
	suppressed.Suppressed = true
	found := check.Result{CheckID: "vol1", Status: check.Error, Processed: 12, Flagged: 8, Ignored: 1, Suppressed: 1, Savings: 37.444, Rows: []check.Row{
		saving, row("vol-2", check.Error, text("vol-2"), text(hostile), text("it is large")), suppressed,
		row("vol-4", check.Warning, text("vol-4"), nil, nil), row("vol-5", check.Warning, text("vol-5"), nil, nil),
		row("vol-6", check.Warning, text("vol-6"), nil, nil), row("vol-7", check.Warning, text("vol-7"), nil, nil),
		row("vol-8", check.Warning, text("vol-8"), nil, nil), row("vol-9", check.Warning, text("vol-9"), nil, nil),
	}}
	return report.New("1.2.3",
		inventory.Header{Account: "111122223333", CollectedAt: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), Regions: []string{"eu-west-1", "us-east-1"}},
		[]*check.Check{backups, denied, also, quiet, volumes},
		[]check.Result{
			{CheckID: "bak1", Status: check.Warning, Processed: 3, Flagged: 1, Rows: []check.Row{{Status: check.Warning, ResourceID: "id-of-db", Resource: "db", Region: "us-east-1", Metadata: []*string{text("db")}}}},
			{CheckID: "na1", Status: check.NotAvailable, Cause: "S3 ListBuckets: AccessDenied: no"},
			{CheckID: "na2", Status: check.NotAvailable, Cause: "S3 ListBuckets: AccessDenied: no"},
			{CheckID: "ok1", Status: check.OK, Processed: 4},
			found,
		})
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*bytes.Buffer) error{
		"table":   func(b *bytes.Buffer) error { return example().Write(b, "table") },
		"colours": func(b *bytes.Buffer) error { return example().Table(b, report.TableOptions{Color: true}) },
		"verbose": func(b *bytes.Buffer) error { return example().Table(b, report.TableOptions{Verbose: true}) },
		"json":    func(b *bytes.Buffer) error { return example().Write(b, "json") },
		"csv":     func(b *bytes.Buffer) error { return example().Write(b, "csv") },
		"html":    func(b *bytes.Buffer) error { return example().Write(b, "html") },
		"ocsf":    func(b *bytes.Buffer) error { return example().Write(b, "ocsf") },
	} {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		file := filepath.Join("testdata", "report."+name)
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s is not what %s has (-want +got):\n%s", name, file, diff)
		}
	}
	if err := example().Write(&bytes.Buffer{}, "xml"); err == nil || !strings.Contains(err.Error(), `no format "xml": want one of table, json`) {
		t.Errorf("Write(xml) = %v, want an error with the formats", err)
	}
}

func TestNamesOfResourcesAreTextEverywhere(t *testing.T) {
	t.Parallel()
	written := func(format string) string {
		var out bytes.Buffer
		if err := example().Write(&out, format); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if got := written("table") + written("html"); strings.Contains(got, "<script>alert") || strings.Contains(got, "href=\"javascript:") {
		t.Errorf("the page has markup of a resource: %s", got)
	}
	var verbose bytes.Buffer
	if err := example().Table(&verbose, report.TableOptions{Verbose: true}); err != nil {
		t.Fatal(err)
	}
	if got := verbose.String() + written("csv") + written("html") + written("json") + written("ocsf"); strings.ContainsAny(got, "\x1b\r\u202e\u009b\x7f") {
		t.Errorf("a report has what a terminal or reader obeys: %q", got)
	}
	var document struct {
		Checks []struct {
			Rows []struct{ Metadata map[string]any }
		}
	}
	if err := json.Unmarshal([]byte(written("json")), &document); err != nil {
		t.Fatal(err)
	}
	if got := document.Checks[1].Rows[1].Metadata; got["Name"] != hostile || got["Reason"] != "it is large" {
		t.Errorf("JSON has the cells %q, want the name as it is", got)
	}
	lines, err := csv.NewReader(strings.NewReader(written("csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1+9+1+3 || strings.Count(written("csv"), "\n") != len(lines) {
		t.Errorf("CSV has %d lines, want the header, ten rows and three checks without rows", len(lines))
	}
	var details map[string]any
	if err := json.Unmarshal([]byte(lines[3][len(lines[3])-1]), &details); err != nil || details["Name"] != hostile || details["Reason"] != "it is large" {
		t.Errorf("details are %q, %v, want the cells as they are", lines[3], err)
	}
	for _, line := range lines {
		for _, cell := range line {
			if strings.HasPrefix(cell, "=") {
				t.Errorf("CSV has the formula %q", cell)
			}
		}
	}
}

func TestLinesOfATerminalAreNotLongerThanIt(t *testing.T) {
	t.Parallel()
	r := example()
	long := "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/日本語/0123456789abcdef"
	r.Findings[1].Result.Rows[0].Resource = long
	for _, verbose := range []bool{false, true} {
		for _, width := range []int{70, 80, 100} {
			var out bytes.Buffer
			if err := r.Table(&out, report.TableOptions{Color: true, Verbose: verbose, Width: width}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				line = strings.TrimSuffix(line, "\n")
				if got := prettytext.StringWidthWithoutEscSequences(line); got > width && !strings.HasPrefix(line, "Account") && !strings.HasPrefix(line, "1 error") {
					t.Errorf("a line of a terminal of %d has %d: %s", width, got, line)
				}
			}
			if got := out.String(); !strings.Contains(got, "arn:a") || !strings.Contains(got, "…") || !strings.Contains(got, "cdef") || strings.Contains(got, long) {
				t.Errorf("a terminal of %d has no ARN without its middle: %s", width, got)
			}
		}
	}
	for _, width := range []int{0, 1000} {
		var out bytes.Buffer
		if err := r.Table(&out, report.TableOptions{Width: width}); err != nil || !strings.Contains(out.String(), long) || strings.Contains(out.String(), "…") {
			t.Errorf("with a width of %d a table has no whole ARN: %s, %v", width, out.String(), err)
		}
	}
	var narrow bytes.Buffer
	if err := r.Table(&narrow, report.TableOptions{Verbose: true, Width: 5}); err != nil || !strings.Contains(narrow.String(), "vol-1") {
		t.Errorf("a terminal of 5 has %s, %v", narrow.String(), err)
	}
}

func TestFormulasOfSpreadsheetsAreText(t *testing.T) {
	t.Parallel()
	r := example()
	r.Findings[1].Check.Name = "=1+1"
	r.Findings[1].Result.Rows[0].Resource = "@SUM(1)"
	var out bytes.Buffer
	if err := r.CSV(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{",'=1+1,", ",'@SUM(1),"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("CSV has no %s: %s", want, out.String())
		}
	}
}

func TestCountsAndWorst(t *testing.T) {
	t.Parallel()
	r := example()
	if got, want := r.Counts(), (report.Counts{Error: 1, Warning: 1, OK: 1, NotAvailable: 2}); got != want {
		t.Errorf("Counts() = %v, want %v", got, want)
	}
	if usd, known := r.Savings(); usd != 37.44 || !known {
		t.Errorf("Savings() = %v, %v, want 37.44", usd, known)
	}
	for _, want := range []check.Status{check.Error, check.Warning, check.OK, check.NotAvailable} {
		if got := r.Worst(); got != want {
			t.Errorf("Worst() = %s, want %s", got, want)
		}
		for i, f := range r.Findings {
			if f.Result.Status == want {
				r.Findings[i].Result.Status = check.NotAvailable
			}
		}
	}
}

// The attributes that https://schema.ocsf.io/1.3.0/classes/compliance_finding
// requires, and those of its objects, as far as they are in the events.
func TestEventsHaveWhatOCSFRequires(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := example().OCSF(&out); err != nil {
		t.Fatal(err)
	}
	required := []string{
		"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "status_id", "metadata.version", "metadata.product.vendor_name",
		"metadata.product.name", "finding_info.uid", "finding_info.title", "finding_info.desc", "finding_info.types", "compliance.standards",
		"compliance.control", "compliance.status_id", "compliance.status", "cloud.provider", "cloud.account.uid",
	}
	captions := map[string]map[float64]string{
		"severity":          {0: "Unknown", 1: "Informational", 3: "Medium", 4: "High"},
		"status":            {1: "New", 3: "Suppressed"},
		"compliance.status": {1: "Pass", 2: "Warning", 3: "Fail"},
	}
	seen := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for _, name := range required {
			if at(event, name) == nil {
				t.Errorf("an event has no %s: %s", name, line)
			}
		}
		class, activity := at(event, "class_uid").(float64), at(event, "activity_id").(float64)
		if at(event, "category_uid") != 2.0 || class != 2003 || at(event, "type_uid") != class*100+activity {
			t.Errorf("an event is of another class: %s", line)
		}
		if at(event, "time").(float64) != 1768478400000 {
			t.Errorf("time of an event is %v, want milliseconds", at(event, "time"))
		}
		for name, known := range captions {
			if id := at(event, name+"_id").(float64); known[id] == "" || known[id] != at(event, name) {
				t.Errorf("%s is %v and its id %v, want %q", name, at(event, name), id, known[id])
			}
		}
		uid := at(event, "finding_info.uid").(string)
		if seen[uid] {
			t.Errorf("two events have the id %s", uid)
		}
		seen[uid] = true
		for _, resource := range list(event["resources"]) {
			if at(resource, "uid") == nil || at(resource, "region") == nil {
				t.Errorf("a resource has no uid or region: %s", line)
			}
		}
	}
	if len(seen) != 9+1+3 {
		t.Errorf("%d events, want one for every row and every check without one", len(seen))
	}
}

func list(v any) []any {
	all, _ := v.([]any)
	return all
}

// at returns what is under a name such as metadata.product.
func at(v any, name string) any {
	for part := range strings.SplitSeq(name, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[part]
	}
	return v
}

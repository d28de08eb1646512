package check

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/inventory"
)

type tagOf struct{ Key, Value *string }

type inner struct {
	Name *string
	Deep *inner
}

type disk struct {
	ID       *string
	Size     *int32
	Price    *float64
	On       *bool
	Made     *time.Time
	Groups   []string
	Sizes    []int64
	Tags     []tagOf
	ByName   map[string]int32
	Inner    *inner
	Items    []inner
	Anything any
	Policy   string `part:"x:GetPolicy"`
	Owner    string `part:"x:GetOwner"`
}

type group struct {
	ID    string
	Disks []string
	Label string
	Size  *int32
	Extra string `part:"x:GetExtra"`
	Never string `part:"x:GetNever"`
}

func testKinds() inventory.Kinds {
	return inventory.Kinds{
		"x.disk":   {Name: "x.disk", Actions: []string{"x:ListDisks"}, Type: inventory.TypeOf(reflect.TypeFor[disk]())},
		"x.group":  {Name: "x.group", Actions: []string{"x:ListGroups"}, Type: inventory.TypeOf(reflect.TypeFor[group]())},
		"x.global": {Name: "x.global", Global: true, Actions: []string{"x:ListGlobals"}, Type: inventory.TypeOf(reflect.TypeFor[group]())},
	}
}

// head is what every check.yaml needs besides its expressions: eight lines.
const head = `id: check1
name: A check
category: security
about: About it.
columns:
  ID: id
  Color: color
resource: x.disk
`

func folderOf(text string) fstest.MapFS {
	return fstest.MapFS{"security/a-check/check.yaml": {Data: []byte(text)}}
}

// mustCheck compiles a check of head and text; a line of text that begins a key
// of head replaces it.
func mustCheck(t *testing.T, text string) *Check {
	t.Helper()
	c, err := compileText(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func compileText(text string) (*Check, error) {
	pack, err := Load(testKinds(), folderOf(withHead(text)))
	if err != nil {
		return nil, err
	}
	return pack.Checks()[0], pack.Compile()
}

func withHead(text string) string {
	begin := head
	if strings.HasPrefix(text, "columns:") || strings.Contains(text, "\ncolumns:") {
		begin = strings.Replace(begin, "columns:\n  ID: id\n  Color: color\n", "", 1)
	}
	if strings.HasPrefix(text, "resource:") {
		begin = strings.Replace(begin, "resource: x.disk\n", "", 1)
	}
	return begin + text
}

// res is a resource of x.disk unless the id begins with its kind and a slash.
func res(id string, attributes map[string]any) inventory.Resource {
	r := inventory.Resource{Kind: "x.disk", ID: id, Region: "us-east-1", Attributes: attributes}
	if kind, rest, ok := strings.Cut(id, "/"); ok {
		r.Kind, r.ID = kind, rest
	}
	if region, rest, ok := strings.Cut(r.ID, "@"); ok {
		r.Region, r.ID = region, rest
	}
	if r.Kind == "x.global" {
		r.Region = ""
	}
	return r
}

type m = map[string]any

func now() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

// memory is an inventory of resources in which everything was asked for.
func memory(resources ...inventory.Resource) *inventory.Memory {
	return &inventory.Memory{
		Head: inventory.Header{Account: "111122223333", CollectedAt: now(), Regions: []string{"us-east-1"}, Needs: inventory.Needs{
			"x.disk": {"Owner", "Policy"}, "x.group": {"Extra", "Never"}, "x.global": {"Extra", "Never"},
		}},
		All: resources,
	}
}

func mustRun(t *testing.T, e Evaluation, inv inventory.Inventory) []Result {
	t.Helper()
	results, err := e.Run(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Status != NotAvailable && r.Processed != r.Flagged+r.OK+r.Ignored+r.Suppressed {
			t.Errorf("processed %d is not flagged %d + ok %d + ignored %d + suppressed %d", r.Processed, r.Flagged, r.OK, r.Ignored, r.Suppressed)
		}
	}
	return results
}

// outcome evaluates a check and returns its rows as text: resource, status and
// metadata, and for what is not available the cause.
func outcome(t *testing.T, text string, resources ...inventory.Resource) []string {
	t.Helper()
	return told(mustRun(t, Evaluation{Checks: []*Check{mustCheck(t, text)}}, memory(resources...))[0])
}

func told(r Result) (all []string) {
	if r.Cause != "" {
		return []string{r.Cause}
	}
	for _, row := range r.Rows {
		line := row.Resource + " " + string(row.Status)
		for _, cell := range row.Metadata {
			if cell == nil {
				line += " -"
			} else {
				line += " " + *cell
			}
		}
		all = append(all, line)
	}
	return all
}

func wantOutcome(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func wantError(t *testing.T, text, want string) {
	t.Helper()
	if _, err := compileText(text); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "security/a-check/check.yaml:") {
		t.Errorf("%q: error %v, want it to have %q and the file", text, err, want)
	}
}

func mustJSON(t *testing.T, text string) (v map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

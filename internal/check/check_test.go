package check

import (
	"fmt"
	"reflect"
	"slices"
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

func TestAttributesThatAreNotThereReadAsZero(t *testing.T) {
	text := `rows: all
columns:
  A: string(resource.Size) + resource.ID + string(resource.On) + string(resource.Price) + string(size(resource.Groups))
  B: resource.Inner.Deep.Deep.Name + string(size(resource.ByName)) + string(resource.Made == timestamp("1970-01-01T00:00:00Z"))
  C: "has(resource.Size) ? 'told' : 'not told'"
error: resource.Size > 100
`
	wantOutcome(t, outcome(t, text, res("none", nil), res("null", m{"Size": nil, "Groups": nil, "Inner": nil}), res("some", m{"Size": 101.0, "Inner": m{"Deep": m{"Name": nil}}})),
		"none ok 0false00 0true not told", "null ok 0false00 0true not told", "some error 101false00 0true told")
}

func TestAttributesHaveTheirTypes(t *testing.T) {
	text := `columns:
  A: string(resource.Size + 1) + " " + string(resource.Price * 2.0) + " " + string(now - resource.Made)
  B: tag(resource.Tags, "Name")
  C: resource.Sizes.map(s, string(s)).join("+") + " " + string(sum(resource.Sizes)) + " " + string(resource.ByName["a"])
  D: resource.Size
  E: resource.Price
  F: resource.Made
  G: "null"
  H: usd(resource.Price)
  I: resource.Anything.Free
error: "true"
`
	attributes := m{
		"Size": 8.0, "Price": 0.25, "Made": "2026-01-15T11:00:00Z", "Sizes": []any{1.0, 2.0}, "ByName": m{"a": 3.0},
		"Tags": []any{m{"Key": "Name", "Value": "data"}}, "Anything": m{"Free": "form"},
	}
	wantOutcome(t, outcome(t, text, res("d", attributes)), "d error 9 0.5 3600s data 1+2 3 3 8 0.25 2026-01-15T11:00:00.000Z - $0.25 form")
}

func TestAnAttributeOfAnotherFormMakesTheCheckUnavailable(t *testing.T) {
	for _, test := range []struct{ expression, attribute, cause string }{
		{`resource.Size > 1`, `"8"`, "Size: the attribute does not have the type of the API: 8, want a whole number"},
		{`resource.Size > 1`, `1.5`, "Size: the attribute does not have the type of the API: 1.5, want a whole number"},
		{`resource.ID == ""`, `7`, "ID: the attribute does not have the type of the API: a number, want string"},
		{`resource.On`, `"yes"`, "On: the attribute does not have the type of the API: a string, want bool"},
		{`resource.Made > now`, `"today"`, "Made: the attribute does not have the type of the API: today, want a time"},
		{`size(resource.Groups) > 1`, `{}`, "Groups: the attribute does not have the type of the API: an object, want list(string)"},
		{`"a" in resource.Groups`, `["a", 1]`, "Groups: 1: the attribute does not have the type of the API: a number, want string"},
		{`resource.Items.exists(i, i.Name == "")`, `[1]`, "Items: 0: the attribute does not have the type of the API"},
		{`resource.Inner.Name == ""`, `[]`, "Inner: the attribute does not have the type of the API: a list, want check.inner"},
		{`resource.Inner.Deep.Name == ""`, `{"Deep": 1}`, "Deep: the attribute does not have the type of the API"},
		{`"a" in resource.ByName && resource.ByName["a"] == 1`, `{"a": "b"}`, "ByName: a: the attribute does not have the type of the API"},
	} {
		field, _, _ := strings.Cut(strings.TrimLeft(strings.TrimPrefix(test.expression[strings.Index(test.expression, "resource."):], "resource."), " "), ".")
		field = strings.FieldsFunc(field, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })[0]
		attributes := mustJSON(t, fmt.Sprintf(`{%q: %s}`, field, test.attribute))
		got := outcome(t, "error: '"+test.expression+"'\n", res("fine", nil), res("wrong", attributes))
		if len(got) != 1 || !strings.HasPrefix(got[0], "x.disk wrong: error: "+test.cause) {
			t.Errorf("%s of %s = %q, want cause %q", test.expression, test.attribute, got, test.cause)
		}
	}
}

func TestWrongAttributesOfOtherChecksDoNoHarm(t *testing.T) {
	folder := fstest.MapFS{
		"security/a/check.yaml": {Data: []byte(strings.Replace(head, "check1", "a", 1) + "error: resource.Size > 1\n")},
		"security/b/check.yaml": {Data: []byte(strings.Replace(head, "check1", "b", 1) + "error: resource.ID == 'x'\n")},
	}
	pack, err := Load(testKinds(), folder)
	if err != nil {
		t.Fatal(err)
	}
	results := mustRun(t, Evaluation{Checks: pack.Checks()}, memory(res("r", m{"Size": "large", "ID": "x"})))
	if results[0].Status != NotAvailable || results[1].Status != Error {
		t.Errorf("statuses %s, %s; want not_available, error", results[0].Status, results[1].Status)
	}
}

func TestTheCauseIsThatOfTheFirstResourceWhateverTheOrder(t *testing.T) {
	c := mustCheck(t, "with:\n  groups: {kind: x.group, where: other.Size > 1}\nerror: resource.Size > 1 || size(groups) > 5\n")
	for _, kind := range []string{"x.disk", "x.group"} {
		all := []inventory.Resource{
			res(kind+"/us-east-1@b", m{"Size": "b"}), res(kind+"/us-east-1@a", m{"Size": "a"}), res(kind+"/eu-west-1@c", m{"Size": "c"}), res(kind+"/us-east-1@d", m{"Size": "d"}),
		}
		for range 4 {
			got := mustRun(t, Evaluation{Checks: []*Check{c}}, memory(all...))[0]
			if !strings.HasPrefix(got.Cause, kind+" c: ") {
				t.Errorf("cause %q, want that of %s c", got.Cause, kind)
			}
			all = append(all[1:], all[0])
		}
	}
}

func TestStatusCountsAndRows(t *testing.T) {
	text := `where: resource.Size > 0
ignore: resource.On
error: resource.Size > 10
warning: resource.Size > 5
`
	c := mustCheck(t, text)
	all := []inventory.Resource{
		res("eu-west-1@z", m{"Size": 11.0}), res("us-east-1@w", m{"Size": 7.0}), res("us-east-1@a", m{"Size": 6.0}), res("ok", m{"Size": 1.0}),
		res("ignored", m{"Size": 99.0, "On": true}), res("elsewhere", nil), res("suppressed", m{"Size": 12.0}), res("suppressed too", m{"Size": 1.0}),
		res("x.group/g", nil),
	}
	e := Evaluation{Checks: []*Check{c}}
	hidden := map[string]bool{}
	for _, row := range mustRun(t, Evaluation{Checks: []*Check{mustCheck(t, "rows: all\n"+text)}}, memory(all...))[0].Rows {
		hidden[row.ResourceID] = strings.HasPrefix(row.Resource, "suppressed")
	}
	e.Suppressed = func(checkID, resourceID string) bool { return checkID == "check1" && hidden[resourceID] }
	want := Result{CheckID: "check1", Status: Error, Processed: 7, Flagged: 3, OK: 1, Ignored: 1, Suppressed: 2}
	rows := []string{"z error z Red", "a warning a Yellow", "suppressed error suppressed Red", "suppressed too ok suppressed too Green", "w warning w Yellow"}
	for range all {
		got := mustRun(t, e, memory(all...))[0]
		wantOutcome(t, told(got), rows...)
		got.Rows = nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
		all = append(all[1:], all[0])
	}
	for id, s := range hidden {
		hidden[id] = s || true
	}
	if got := mustRun(t, e, memory(all...))[0]; got.Status != OK || got.Flagged != 0 {
		t.Errorf("with everything suppressed: %s, %d flagged; want ok, 0", got.Status, got.Flagged)
	}
}

func TestNothingToLookAt(t *testing.T) {
	for none, want := range map[string]Status{"": OK, "none: warning\n": Warning, "none: error\n": Error, "none: ok\n": OK, "none: not_available\n": NotAvailable} {
		got := mustRun(t, Evaluation{Checks: []*Check{mustCheck(t, none+"where: resource.On\nerror: 'true'\n")}}, memory(res("off", nil)))[0]
		if got.Status != want || (want == NotAvailable) != (got.Cause != "") {
			t.Errorf("%q: status %s with cause %q, want %s", none, got.Status, got.Cause, want)
		}
	}
}

func TestResourceIDsAreStableAndTheirOwn(t *testing.T) {
	c := mustCheck(t, "each: {in: resource.Groups, id: each}\nerror: 'true'\n")
	inv := memory(res("d", m{"Groups": []any{"a", "b"}}), res("eu-west-1@d", m{"Groups": []any{"a"}}), res("da", m{"Groups": []any{""}}), res("e", nil))
	first, second := mustRun(t, Evaluation{Checks: []*Check{c}}, inv)[0], mustRun(t, Evaluation{Checks: []*Check{c}}, inv)[0]
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the second evaluation differs:\n%s", diff)
	}
	seen := map[string]bool{}
	for _, row := range first.Rows {
		if len(row.ResourceID) != 43 || seen[row.ResourceID] {
			t.Errorf("resource id %q of %s: want 43 characters, and no other's", row.ResourceID, row.Resource)
		}
		seen[row.ResourceID] = true
	}
	if len(first.Rows) != 4 {
		t.Errorf("%d rows, want 4", len(first.Rows))
	}
	inv.Head.Account = "444455556666"
	if other := mustRun(t, Evaluation{Checks: []*Check{c}}, inv)[0]; seen[other.Rows[0].ResourceID] {
		t.Error("resources of two accounts have the same id")
	}
	// What clients may have stored: a change of this value breaks their exclusions.
	if got, want := first.Rows[1].ResourceID, "dkOlGiKkyaqhuukpIh2rrHGY2gFDUcaIrDezOuA3mMg"; first.Rows[1].Resource == "d" && got != want {
		t.Errorf("the resource id is %s, want %s", got, want)
	}
}

func TestEachJudgesItems(t *testing.T) {
	text := `each: {in: "resource.Items.filter(i, i.Name != 'skip')", id: each.Name}
let:
  long: size(each.Name) > 3
where: each.Name != "nothing"
error: long
columns:
  A: each.Name
  B: string(long)
rows: all
`
	wantOutcome(t, outcome(t, text, res("d", m{"Items": []any{m{"Name": "long one"}, m{"Name": "a"}, m{"Name": "skip"}, m{"Name": "nothing"}}}), res("e", nil)),
		"d error long one true", "d ok a false")
	wantOutcome(t, outcome(t, "each: {in: resource.Anything, id: each.Name}\nerror: 'each.Name == \"a\"'\n", res("d", m{"Anything": []any{m{"Name": "a"}}})), "d error d Red")
	wantOutcome(t, outcome(t, "each: {in: resource.Anything, id: each.Name}\nerror: 'each.Name == \"a\"'\n", res("d", m{"Anything": 1.0})), "x.disk d: each.in: it is not a list")
}

func TestALetThatNobodyUsesDoesNoHarm(t *testing.T) {
	text := `let:
  broken: resource.Groups[99]
  used: size(resource.Groups)
error: "used == 0 || broken == 'x'"
`
	wantOutcome(t, outcome(t, text, res("d", nil)), "d error d Red")
	if got := outcome(t, text, res("d", m{"Groups": []any{"a"}})); !strings.Contains(got[0], "let.broken: ") {
		t.Errorf("cause %q, want it to name the let", got)
	}
	unused, err := mustCheck(t, `let: {a: "1", b: a + 1, c: b + 1, d: "3"}
with: {g: {kind: x.group}, h: {kind: x.group}}
parameters: {p: 1, q: 2}
error: c > params.p || size(g) > 1
`).Unused()
	if diff := cmp.Diff([]string{"parameters.q", "with.h", "let.d"}, unused); diff != "" || err != nil {
		t.Errorf("unused (-want +got), error %v:\n%s", err, diff)
	}
}

func TestParametersOfAllTypes(t *testing.T) {
	text := `parameters: {text: a, whole: 3, less: -2, part: 1.5, yes: true, texts: [a, b], wholes: [1, 2], none: []}
error: >-
  params.text == "a" && params.whole + params.less == 1 && params.part * 2.0 == 3.0 && params.yes
  && "b" in params.texts && sum(params.wholes) == 3 && size(params.none) == 0
`
	wantOutcome(t, outcome(t, text, res("d", nil)), "d error d Red")
	for text, want := range map[string]string{
		"parameters: {a: {b: c}}\nerror: 'true'\n":                   ":9:13: parameters.a: want a text, a number",
		"parameters: {a: [1, x]}\nerror: 'true'\n":                   "the items of a list have one type, and these are int and string",
		"parameters: {a: [[1], [x]]}\nerror: 'true'\n":               "the items of a list have one type, and these are list(int) and list(string)",
		"parameters: {a: 1}\nerror: params.a == 1.5 && params.b\n":   ":10:33: error: undefined field 'b'",
		"parameters: {a-b: 1}\nerror: 'true'\n":                      ":9:13: parameters.a-b: want a name of letters, digits and _",
		"parameters: {for: 1}\nerror: 'true'\n":                      "parameters.for: want another name",
		"parameters: {a: '1'}\nerror: params.a > 1\n":                ":10:17: error: found no matching overload",
		"let: {now: '1'}\nerror: 'true'\n":                           ":9:6: let.now: want another name: it is known to every check",
		"with: {g: {kind: x.group}}\nlet: {g: '1'}\nerror: 'true'\n": "let.g: want another name: it is in with",
		"with: {id: {kind: x.group}}\nerror: 'true'\n":               "with.id: want another name",
	} {
		wantError(t, text, want)
	}
}

func wantError(t *testing.T, text, want string) {
	t.Helper()
	if _, err := compileText(text); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "security/a-check/check.yaml:") {
		t.Errorf("%q: error %v, want it to have %q and the file", text, err, want)
	}
}

func TestPrices(t *testing.T) {
	text := `savings: "'disk' in prices ? optional.of(prices['disk'] * hoursPerMonth) : optional.none()"
error: resource.On
columns: {A: usd(savings)}
`
	c := mustCheck(t, text)
	inv := memory(res("a", m{"On": true}), res("b", m{"On": true}), res("c", nil))
	e := Evaluation{Checks: []*Check{c}}
	got := mustRun(t, e, inv)[0]
	wantOutcome(t, told(got), "a error -", "b error -")
	if got.Savings != 0 || got.Rows[0].Savings != nil {
		t.Errorf("savings %v, %v; want 0 and unknown", got.Savings, got.Rows[0].Savings)
	}
	e.Prices = map[string]float64{"disk": 0.5}
	got = mustRun(t, e, inv)[0]
	wantOutcome(t, told(got), "a error $360.00", "b error $360.00")
	if got.Savings != 720 {
		t.Errorf("savings %v, want 720", got.Savings)
	}
	inv.Rest.Prices = map[string]float64{"disk": 1}
	if got = mustRun(t, e, inv)[0]; got.Savings != 1440 {
		t.Errorf("savings %v, want 1440: the inventory's prices come first", got.Savings)
	}
	e.Suppressed = func(_, id string) bool { return id == got.Rows[0].ResourceID }
	if got := mustRun(t, e, inv)[0]; got.Savings != 720 {
		t.Errorf("savings %v, want 720 without the suppressed resource", got.Savings)
	}
	inColumns := mustCheck(t, "columns: {A: 'string(prices[\"disk\"])'}\nerror: resource.On\n")
	wantOutcome(t, told(mustRun(t, Evaluation{Checks: []*Check{inColumns}}, inv)[0]), "a error 1", "b error 1")
	wantError(t, "with: {g: {kind: x.group, where: size(prices) > 1}}\nerror: size(g) > 1\n", "undeclared reference to 'prices'")
}

func TestMissingNeedsAndFailuresMakeAChecksUnavailable(t *testing.T) {
	c := mustCheck(t, "with: {g: {kind: x.group, key: other.ID, equals: resource.ID}}\nerror: resource.Policy == '' || g.exists(o, o.Extra == 'x') || resource.?Owner.orValue('') == 'me'\n")
	needs, err := c.Needs()
	if diff := cmp.Diff(inventory.Needs{"x.disk": {"Owner", "Policy"}, "x.group": {"Extra"}}, needs); diff != "" || err != nil {
		t.Fatalf("needs (-want +got), error %v:\n%s", err, diff)
	}
	cause := func(inv *inventory.Memory) string {
		return mustRun(t, Evaluation{Checks: []*Check{c}}, inv)[0].Cause
	}
	inv := memory(res("a", nil))
	inv.Head.Needs = inventory.Needs{"x.disk": {"Owner"}, "x.group": {"Extra"}}
	if got := cause(inv); got != "the inventory does not have Policy of x.disk" {
		t.Errorf("cause %q", got)
	}
	inv.Head.Needs = inventory.Needs{"x.disk": {"Owner", "Policy"}}
	if got := cause(inv); got != "the inventory does not have x.group" {
		t.Errorf("cause %q", got)
	}
	for _, test := range []struct {
		failure inventory.Failure
		want    string
	}{
		{inventory.Failure{Kind: "x.disk", Cause: "no"}, "no"},
		{inventory.Failure{Kind: "x.disk", Region: "eu-west-1", Cause: "no"}, "eu-west-1: no"},
		{inventory.Failure{Kind: "x.disk", Part: "Policy", Cause: "no"}, "no"},
		{inventory.Failure{Kind: "x.disk", Part: "Policy", Told: "Unread", Cause: "no"}, "no"},
		{inventory.Failure{Kind: "x.disk", Part: "Policy", Told: "Owner", Cause: "no"}, ""}, // Owner is used
		{inventory.Failure{Kind: "x.group", Part: "Extra", Cause: "no"}, "no"},
		{inventory.Failure{Kind: "x.group", Part: "Never", Cause: "no"}, ""},
		{inventory.Failure{Kind: "x.global", Cause: "no"}, ""},
	} {
		inv := memory(res("a", m{"Policy": "p", "ID": 7.0}))
		inv.Rest.Failures = []inventory.Failure{test.failure}
		got := cause(inv)
		if test.want == "" && !strings.HasPrefix(got, "x.disk a: ") || test.want != "" && got != test.want {
			t.Errorf("cause of %+v = %q, want %q", test.failure, got, test.want)
		}
	}
}

func mustJoin(t *testing.T, join, expression string, resources ...inventory.Resource) string {
	t.Helper()
	text := "with:\n  found: " + join + "\nrows: all\nerror: \"false\"\ncolumns:\n  A: " + expression + "\n"
	got := outcome(t, text, resources...)
	for range resources {
		resources = append(resources[1:], resources[0])
		if again := outcome(t, text, resources...); !slices.Equal(got, again) {
			t.Errorf("%s, %s: %q, and in another order %q", join, expression, got, again)
		}
	}
	return strings.Join(got, "; ")
}

func TestJoins(t *testing.T) {
	names := `found.map(o, o.Label).join(",")`
	all := []inventory.Resource{
		res("us-east-1@d1", m{"ID": "1", "Groups": []any{"k", "j", "k"}}), res("eu-west-1@d2", m{"ID": "2"}),
		res("x.group/us-east-1@g2", m{"ID": "1", "Label": "b", "Disks": []any{"j", "k"}}),
		res("x.group/us-east-1@g1", m{"ID": "1", "Label": "a", "Disks": []any{"k", "k"}}),
		res("x.group/eu-west-1@g3", m{"ID": "1", "Label": "c"}), res("x.group/eu-west-1@g4", m{"ID": "2", "Label": "d", "Size": 5.0}),
		res("x.global/g", m{"ID": "1", "Label": "w"}),
	}
	for _, test := range []struct{ join, expression, want string }{
		{`{kind: x.group}`, names, "d2 ok c,d; d1 ok a,b"},
		{`{kind: x.group, across: true}`, names, "d2 ok c,d,a,b; d1 ok c,d,a,b"},
		{`{kind: x.group, key: other.ID, equals: resource.ID}`, names, "d2 ok d; d1 ok a,b"},
		{`{kind: x.group, key: other.ID, equals: resource.ID, across: true}`, names, "d2 ok d; d1 ok c,a,b"},
		{`{kind: x.group, key: other.ID, equals: resource.ID, one: true}`, "found.Label", "d2 ok d; d1 ok a"},
		{`{kind: x.group, key: other.ID, equals: resource.ID, one: true, across: true}`, "found.Label", "d2 ok d; d1 ok c"},
		{`{kind: x.group, key: other.Label, equals: resource.ID, one: true}`, "string(found.Size) + string(has(found.Label))", "d2 ok 0false; d1 ok 0false"},
		{`{kind: x.group, where: other.Size > 1}`, names, "d2 ok d; d1 ok -"},
		{`{kind: x.group, key: other.Disks, equals: resource.Groups}`, names, "d2 ok -; d1 ok a,b"},
		{`{kind: x.group, key: other.Disks, equals: '"j"'}`, names, "d2 ok -; d1 ok b"},
		{`{kind: x.global}`, names, "d2 ok w; d1 ok w"},
		{`{kind: x.global, key: other.ID, equals: resource.ID}`, names, "d2 ok -; d1 ok w"},
		{`{kind: x.group, where: other.Size > 1 && now > timestamp("2026-01-01T00:00:00Z")}`, names, "d2 ok d; d1 ok -"},
	} {
		if got := mustJoin(t, test.join, test.expression, slices.Clone(all)...); got != test.want {
			t.Errorf("%s, %s = %q, want %q", test.join, test.expression, got, test.want)
		}
	}
}

func TestJoinOfAGlobalResourceFindsThoseOfAllRegions(t *testing.T) {
	text := "resource: x.global\nwith: {found: {kind: x.group}}\nrows: all\nerror: \"false\"\ncolumns: {A: 'found.map(o, o.Label).join(\",\")', B: region}\n"
	wantOutcome(t, outcome(t, text, res("x.global/g", nil), res("x.group/us-east-1@b", m{"Label": "b"}), res("x.group/eu-west-1@a", m{"Label": "a"})), "g ok a,b -")
}

func TestJoinKeepsOnlyWhatIsUsed(t *testing.T) {
	c := mustCheck(t, "with: {g: {kind: x.group, where: other.Size > 0, key: other.ID, equals: resource.ID}}\nerror: g.exists(o, o.Label == 'x')\n")
	plan, err := c.program.compiled()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Label"}, plan.joins[0].keep); diff != "" {
		t.Errorf("kept attributes (-want +got):\n%s", diff)
	}
	if plan.needs.Has("x.group", "Never") {
		t.Error("a part that no expression uses is needed")
	}
	unknown := mustCheck(t, "with: {g: {kind: x.group}}\nerror: dyn(g)[0].Never == 'x'\n")
	if plan, err = unknown.program.compiled(); err != nil || !plan.needs.Has("x.group", "Never") || !slices.Contains(plan.joins[0].keep, "Never") {
		t.Errorf("an attribute behind dyn is neither needed nor kept: %v, error %v", plan.needs, err)
	}
}

func TestChecksShareAnIndexOnlyWhenItIsTheSame(t *testing.T) {
	one := func(id, rest string) string { return strings.Replace(head, "check1", id, 1) + rest }
	with := func(where string) string {
		return "with: {g: {kind: x.group, where: '" + where + "'}}\nerror: size(g) > 0\n"
	}
	for _, test := range []struct {
		name, a, b string
		shared     bool
	}{
		{"the same", with("other.Size > 1"), with("other.Size > 1"), true},
		{"the same, other attributes used", with("other.Size > 1"), strings.Replace(with("other.Size > 1"), "size(g) > 0", "g.exists(o, o.Label == 'x')", 1), true},
		{"another where", with("other.Size > 1"), with("other.Size > 2"), false},
		{"parameters of other values", "parameters: {p: 1}\n" + with("other.Size > params.p"), "parameters: {p: 5}\n" + with("other.Size > params.p"), false},
		{"parameters of other types", "parameters: {p: 3}\n" + with("params.p / 2 > 1"), "parameters: {p: 3.0}\n" + with("params.p / 2.0 > 1.0"), false},
		{"the same text, types differ", "parameters: {p: 3}\n" + with("string(params.p / params.p) == other.ID"), "parameters: {p: 3.0}\n" + with("string(params.p / params.p) == other.ID"), false},
		{"lists whose types differ", "parameters: {p: [1]}\n" + with("size(params.p) == 1"), "parameters: {p: [1.0]}\n" + with("size(params.p) == 1"), false},
		{"texts that run together", "parameters: {p: 'a q:b'}\n" + with("params.p == other.ID"), "parameters: {p: a, q: b}\n" + with("params.p == other.ID"), false},
		{"text and number", "parameters: {p: '1'}\n" + with("string(params.p) == other.ID"), "parameters: {p: 1}\n" + with("string(params.p) == other.ID"), false},
		{"where and key change places", "with: {g: {kind: x.group, where: 'other.ID == \"a\" || other.ID == \"b\"'}}\nerror: size(g) > 0\n", "with: {g: {kind: x.group, key: other.ID, equals: resource.ID}}\nerror: size(g) > 0\n", false},
	} {
		pack, err := Load(testKinds(), fstest.MapFS{"security/a/check.yaml": {Data: []byte(one("a", test.a))}, "security/b/check.yaml": {Data: []byte(one("b", test.b))}})
		if err != nil {
			t.Fatal(err)
		}
		if err := pack.Compile(); err != nil {
			t.Fatal(err)
		}
		a, _ := pack.checks[0].program.compiled()
		b, _ := pack.checks[1].program.compiled()
		if got := a.joins[0].signature == b.joins[0].signature; got != test.shared {
			t.Errorf("%s: shared = %t, want %t", test.name, got, test.shared)
		}
		// Whatever is shared, each comes out as it does alone.
		inv := memory(res("d", m{"ID": "1"}), res("x.group/g", m{"ID": "1", "Size": 2.0, "Label": "x"}), res("x.group/h", m{"ID": "a", "Size": 4.0}))
		both := mustRun(t, Evaluation{Checks: pack.checks}, inv)
		for i, c := range pack.checks {
			if diff := cmp.Diff(mustRun(t, Evaluation{Checks: []*Check{c}}, inv)[0], both[i]); diff != "" {
				t.Errorf("%s: check %s beside the other (-alone +together):\n%s", test.name, c.ID, diff)
			}
		}
	}
}

func TestChecksAreCompiledWhileOthersAreEvaluated(t *testing.T) {
	folder := fstest.MapFS{}
	for i := range 40 {
		text := strings.Replace(head, "check1", fmt.Sprintf("c%02d", i), 1) + fmt.Sprintf("parameters: {p%d: 1}\nerror: resource.Inner.Deep.Name == '' && params.p%d == 1 && resource.Items.all(i, i.Name == '')\n", i, i)
		folder[fmt.Sprintf("security/c%d/check.yaml", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	pack, err := Load(testKinds(), folder)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for _, c := range pack.Checks() {
		go func() {
			var all []inventory.Resource
			for i := range 20 {
				all = append(all, res(fmt.Sprint(i), m{"Items": []any{m{"Name": ""}}}))
			}
			results, err := Evaluation{Checks: []*Check{c}}.Run(t.Context(), memory(all...))
			if err == nil && results[0].Flagged != 20 {
				err = fmt.Errorf("%s: %+v", c.ID, results[0])
			}
			done <- err
		}()
	}
	for range pack.Checks() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestUnavailableChecksSayWhy(t *testing.T) {
	pack, err := Load(testKinds(), folderOf("id: a\nname: A\ncategory: security\nabout: It.\nunavailable: AWS tells nobody.\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := mustRun(t, Evaluation{Checks: pack.Checks()}, memory())
	if diff := cmp.Diff([]Result{{CheckID: "a", Status: NotAvailable, Cause: "AWS tells nobody."}}, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

package check

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/inventory"
)

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

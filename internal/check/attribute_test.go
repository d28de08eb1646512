package check

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/supportd/supportd/internal/inventory"
)

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

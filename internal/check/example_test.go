package check

import (
	"strings"
	"testing"
	"testing/fstest"
)

const exampleCheck = head + "ignore: resource.On\nerror: resource.Size > 10\nwarning: resource.Size > 5\n"

const goodCases = `- name: large is red
  resources:
    - {id: a, attributes: {Size: 11}}
    - {id: b, attributes: {Size: 1}}
  want: {status: error, processed: 2, rows: [{resource: a, status: error, metadata: [a, Red]}]}
- name: medium is yellow
  resources: [{id: a, attributes: {Size: 6}}, {id: b, attributes: {Size: 11, On: true}}]
  want: {status: warning, ignored: 1, rows: [{resource: a, status: warning}]}
- name: small is green
  resources: [{id: a, attributes: {Size: 1}}]
  want: {status: ok}
`

func testExamples(t *testing.T, text, examples string) error {
	t.Helper()
	folder := folderOf(text)
	folder["security/a-check/cases.yaml"] = &fstest.MapFile{Data: []byte(examples)}
	pack, err := Load(testKinds(), folder)
	if err != nil {
		t.Fatal(err)
	}
	return pack.Checks()[0].Test(t.Context())
}

func TestExamplesPassOnlyWhenTheySayWhatComesOut(t *testing.T) {
	if err := testExamples(t, exampleCheck, goodCases); err != nil {
		t.Fatal(err)
	}
	for _, change := range []struct{ old, new, want string }{
		{"status: error, processed", "processed", "status is error, want "},
		{"status: error, processed", "status: ok, processed", "status is error, want ok"},
		{"processed: 2", "processed: 3", "processed is 2, want 3"},
		{"ignored: 1", "ignored: 2", "ignored is 1, want 2"},
		{", rows: [{resource: a, status: warning}]", "", "the number of rows is 1"},
		{"rows: [{resource: a, status: warning}]", "rows: [{resource: a, status: warning}, {resource: b, status: warning}]", "the number of rows is 1"},
		{"{resource: a, status: warning}", "{status: warning}", "row 0 is a warning, want  warning"},
		{"{resource: a, status: warning}", "{resource: a}", "row 0 is a warning, want a "},
		{"{resource: a, status: warning}", "{resource: a, status: warning, metadata: [a]}", `metadata of row 0 is ["a","Yellow"]`},
		{"metadata: [a, Red]", "metadata: [a, null]", "metadata of row 0"},
		{", metadata: [a, Red]", "", "no example has the metadata of a row"},
		{"ignored: 1", "ignord: 1", `cases.yaml:8:27: unknown field "ignord"`},
		{"name: medium is yellow", "name: large is red", "another example has the name too"},
		{"name: medium is yellow", "name: ''", "example 2 has no name"},
		{"Size: 11}}\n", "Sise: 11}}\n", "has no attribute Sise"},
		{"Size: 11}}\n", "Size: [11]}}\n", "want a whole number"},
		{"Size: 11}}\n", "Inner: {Deep: {Nam: x}}}}\n", "check.inner has no attribute Nam"},
		{"{id: b, attributes: {Size: 1}}", "{id: a, attributes: {Size: 1}}", "want an id that no other x.disk of its region has"},
		{"{id: b, attributes: {Size: 1}}", "{attributes: {Size: 1}}", "want an id"},
		{"{id: b, attributes: {Size: 1}}", "{kind: x.group, id: g}", "the check does not use the kind x.group"},
		{"{id: b, attributes: {Size: 1}}", "{kind: x.none, id: g}", `there is no kind "x.none"`},
		{"- name: small is green\n", "---\n- name: small is green\n", "more than one document"},
		{"- name: small is green\n  resources: [{id: a, attributes: {Size: 1}}]\n  want: {status: ok}\n", "", "no example comes out as ok"},
		{"ignored: 1", "ignored: yes", "cases.yaml:8:36: ignored: want a whole number, not a text"},
		{"name: large is red\n", "name: large is red\n  now: yesterday\n", `cases.yaml:2:8: want a time such as 2026-01-15T12:00:00Z, not "yesterday"`},
		{goodCases, "\ufeff" + goodCases, "cases.yaml:1:1: the file begins with a byte order mark"},
		{goodCases, "", "empty"},
		{goodCases, "[]\n", "no example comes out as error"},
	} {
		examples := strings.Replace(goodCases, change.old, change.new, 1)
		if examples == goodCases {
			t.Fatalf("%q is not in the examples", change.old)
		}
		if err := testExamples(t, exampleCheck, examples); err == nil || !strings.Contains(err.Error(), change.want) {
			t.Errorf("with %q instead of %q: error %v, want %q", change.new, change.old, err, change.want)
		}
	}
}

func TestSavingsAreTheSameWhateverTheOrder(t *testing.T) {
	text := head + "savings: resource.Price\nerror: 'true'\n"
	examples := `- name: sums
  resources: [{id: a, attributes: {Price: 10000000000000000.0}}, {id: b, attributes: {Price: -10000000000000000.0}}, {id: c, attributes: {Price: 1}}]
  want: {status: error, savings: 1, rows: [{resource: a, status: error, metadata: [a, Red]}, {resource: b, status: error}, {resource: c, status: error}]}
- name: none
  want: {status: ok}
`
	if err := testExamples(t, text, examples); err != nil {
		t.Errorf("Test = %v, want nil: savings are summed in the order of rows, for floating point tells", err)
	}
}

package check

import (
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// Every case has the wrong character behind a « that is taken out before the
// check is loaded; the place of the error has to be that character's.
func TestErrorsHaveTheirPlace(t *testing.T) {
	for name, text := range map[string]string{
		"plain":                       "error: resource.Size > 1 && «nothing\n",
		"plain over lines":            "error: resource.Size > 1 &&\n  resource.On\n\n   || «nothing\n",
		"plain behind blanks":         "error:     «nothing\n",
		"plain with a comment":        "error: 1 + «nothing # a comment\n",
		"double quoted":               "error: \"resource.ID == '' && «nothing\"\n",
		"double quoted with escapes":  "error: \"resource.ID == \\\"x\\x41\\u00e4\\t\\\" && «nothing\"\n",
		"double quoted over lines":    "error: \"resource.On &&\n\n     resource.On && \\\n    «nothing\"\n",
		"single quoted":               "error: 'resource.ID == ''x'' && «nothing'\n",
		"single quoted over lines":    "error: 'resource.ID == ''x''\n   && «nothing'\n",
		"literal":                     "error: |\n  resource.On ||\n    «nothing\n",
		"literal, later lines":        "error: |\n  resource.On ||\n\n    resource.On\n  || «nothing\n\n",
		"literal with a comment":      "error: | # why\n\n  resource.On || «nothing\n",
		"literal, stripped":           "error: |-\n     resource.On || «nothing",
		"literal, told indentation":   "error: |2\n    resource.On || «nothing\n",
		"folded":                      "error: >-\n  resource.On ||\n  resource.On ||\n     «nothing\n",
		"folded, first line":          "error: >\n  «nothing || resource.On\n  || resource.On\n",
		"a number":                    "error: «1\n",
		"of another type, quoted":     "error: \"«1 + 1\"\n",
		"of another type, block":      "error: |\n  «1 + 1\n",
		"syntax":                      "error: resource.Size > > «1\n"[:0] + "error: resource.Size > «> 1\n",
		"in columns":                  "error: resource.On\ncolumns:\n  A: resource.ID\n  B C: resource.ID + «nothing\n",
		"in a list of bytes beyond a": "error: resource.ID == \"ä日本\" && «nothing\n",
		"in each":                     "each:\n  in: resource.Items\n  id: «nothing\nerror: 'true'\n",
		"in with":                     "with:\n  g:\n    kind: x.group\n    where: >\n      other.ID == '' &&\n      «nothing\nerror: 'true'\n",
		"in a flow mapping":           "with: {g: {kind: x.group, where: other.ID == '' && «nothing, one: true}}\nerror: 'true'\n",
		"in let":                      "let:\n  a: resource.ID\n  b: |\n    a +\n    «nothing\nerror: 'true'\n",
		"a list for an expression":    "error: «[1]\n",
		"YAML":                        "error: resource.On\n«warning: [1\n"[:0] + "error: resource.On\nwhere: «[1\n",
		"unknown key":                 "error: resource.On\n«erorr: x\n",
		"unknown key inside":          "with:\n  a:\n    kind: x.group\n    «knd: x\nerror: resource.On\n",
		"a key twice":                 "error: resource.On\n«error: resource.On\n",
		"a name twice":                "let:\n  a: '1'\n  «a: '2'\nerror: resource.On\n",
		"a list for names":            "let: «[a]\nerror: resource.On\n",
		"unknown kind":                "resource: «x.none\nerror: 'true'\n",
		"unknown kind of a join":      "with: {«g: {kind: x.none}}\nerror: 'true'\n"[:0] + "with: «{g: {kind: x.none}}\nerror: 'true'\n",
		"interval":                    "interval: «1s\nerror: 'true'\n",
		"rows":                        "rows: «some\nerror: 'true'\n",
	} {
		full := withHead(text)
		before, _, ok := strings.Cut(full, "«")
		if !ok {
			t.Fatalf("%s: no place is marked", name)
		}
		want := placeBehind(before)
		_, err := compileText(strings.ReplaceAll(text, "«", ""))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if got, _, _ := strings.Cut(err.Error(), ": "); got != want {
			t.Errorf("%s: error at %s, want %s: %v", name, got, want, err)
		}
	}
}

// placeBehind is the place of what comes behind a text.
func placeBehind(before string) string {
	lines := strings.Split(before, "\n")
	return "security/a-check/check.yaml:" + strconv.Itoa(len(lines)) + ":" + strconv.Itoa(len([]rune(lines[len(lines)-1]))+1)
}

func TestBadChecksAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"error: resource.Sise > 1\n":                                                                              "undefined field 'Sise'",
		"error: resource.Inner.Nam == ''\n":                                                                       "undefined field 'Nam'",
		"error: resource.Items.exists(i, i.Nam == '')\n":                                                          "undefined field 'Nam'",
		"error: resource.Size\n":                                                                                  "error: it is a int, want bool",
		"error: 'true'\nsavings: \"1\"\n":                                                                         "savings: it is a int, want double or optional_type(double)",
		"error: 'true'\ncolumns: {A: resource.Groups}\n":                                                          "columns.A: it is a list(string), want",
		"error: 'true'\nignore: \"1\"\n":                                                                          "ignore: it is a int, want bool",
		"each: {in: resource.Size, id: '\"a\"'}\nerror: 'true'\n":                                                 "each.in: it is a int, want list(dyn)",
		"each: {in: resource.Items, id: each}\nerror: 'true'\n":                                                   "each.id: it is a check.inner, want string",
		"each: {in: resource.Items}\nerror: 'true'\n":                                                             "each.id is missing",
		"each: {id: id}\nerror: 'true'\n":                                                                         "each.in is missing",
		"with: {g: {kind: x.group, key: other.Size, equals: id}}\nerror: 'true'\n":                                "with.g.key: it is a int, want string or list(string)",
		"with: {g: {kind: x.group, key: other.ID}}\nerror: 'true'\n":                                              "with.g: key and equals go together",
		"with: {g: {kind: x.group, where: resource.On}}\nerror: 'true'\n":                                         "undeclared reference to 'resource'",
		"error: resource.Items.all(a, resource.Items.all(b, resource.Items.all(c, a.Name + b.Name == c.Name)))\n": "it may cost",
		"where: resource.On\n":                                                                                    "error and warning are missing",
		"error: 'true'\nrefresh: often\n":                                                                         `refresh "often"`,
		"error: 'true'\nplan: gold\n":                                                                             `plan "gold"`,
		"error: 'true'\nnone: red\n":                                                                              `none "red"`,
		"error: 'true'\ninterval: soon\n":                                                                         `interval "soon"`,
		"error: 'true'\n---\nerror: 'false'\n":                                                                    "more than one document",
		"error: 'true'\nlet: {a-b: '1'}\n":                                                                        "let.a-b: want a name of letters",
		"error: 'true'\nlet: {resource: '1'}\n":                                                                   "let.resource: want another name",
		"error: params.x > 1\n":                                                                                   "undefined field 'x'",
		"let: {a: b, b: '1'}\nerror: 'true'\n":                                                                    "undeclared reference to 'b'",
		"error: 'true'\nlet: {hoursPerMonth: '1'}\n":                                                              "let.hoursPerMonth: want another name: it is a constant",
		"error: 'true'\nparameters: {hoursPerMonth: 1}\n":                                                         "parameters.hoursPerMonth: want another name: it is a constant",
		"error: 'true'\nparameters: {a: 18446744073709551615}\n":                                                  ":10:13: parameters.a: 18446744073709551615 is larger than",
		"error: 'true'\nnames: a\n":                                                                               ":10:8: names: want a mapping, not a text",
		"error: 'true'\nnames: {ja: [a]}\n":                                                                       ":10:13: ja: want a text, not a list",
		"error: 'true'\nlinks: {a: b}\n":                                                                          ":10:8: links: want a list, not a mapping",
		"with: {g: {kind: x.group, one: 1}}\nerror: 'true'\n":                                                     ":9:32: one: want true or false, not a whole number",
		"error: 'true'\nnone: [a]\n":                                                                              ":10:7: none: want a text, not a list",
		"error: 'true'\nnames: {ja: \"a\\e[2Jb\"}\n":                                                              `:10:8: names "a\x1b[2Jb": it has a control character`,
		"error: 'true'\ncolumns: {\"a\\u0085\": id}\n":                                                            `columns "a\u0085": it has a control character`,
		"error: 'true'\naction: \"a\\n\\u202eb\"\n":                                                               `action "a\u202eb": it has a control character`,
		"error: 'true'\nlinks: [\"javascript://x/%0aalert(1)\"]\n":                                                `:10:8: links: "javascript://x/%0aalert(1)": want a link that begins with https://`,
		"error: 'true'\nlinks: [\"https:/docs\"]\n":                                                               `links: "https:/docs": want a link`,
		"each: {in: resource.Items, id: each.Name}\nerror: each.Nam == ''\n":                                      "undefined field 'Nam'",
	} {
		wantError(t, text, want)
	}
	for _, missing := range []string{"id: check1\n", "name: A check\n", "category: security\n", "about: About it.\n", "resource: x.disk\n"} {
		_, err := Load(testKinds(), folderOf(strings.Replace(head, missing, "", 1)+"error: 'true'\n"))
		field, _, _ := strings.Cut(missing, ":")
		if err == nil || !strings.Contains(err.Error(), field) || !strings.HasPrefix(err.Error(), "security/a-check/check.yaml:1:1: ") {
			t.Errorf("without %q: error %v", field, err)
		}
	}
	for text, want := range map[string]string{"id: check1": `id "a\u009bb"`, "name: A check": `name "a\u009bb"`, "about: About it.": `about "a\u009bb"`} {
		field, _, _ := strings.Cut(text, ":")
		if _, err := Load(testKinds(), folderOf(strings.Replace(head, text, field+`: "a\u009bb"`, 1)+"error: 'true'\n")); err == nil || !strings.Contains(err.Error(), want+": it has a control character") {
			t.Errorf("a control character in %s: error %v", field, err)
		}
	}
	for folder, want := range map[string]string{"performance/a/check.yaml": "is in the folder of performance", "security/a/b/check.yaml": "no check found", "check.yaml": "no check found"} {
		if _, err := Load(testKinds(), fstest.MapFS{folder: {Data: []byte(head + "error: 'true'\n")}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", folder, err, want)
		}
	}
	if _, err := Load(testKinds(), folderOf("\ufeff"+head+"error: 'true'\n")); err == nil || !strings.Contains(err.Error(), "check.yaml:1:1: the file begins with a byte order mark") {
		t.Errorf("a byte order mark: error %v", err)
	}
	if _, err := Load(testKinds(), folderOf("")); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("an empty file: error %v", err)
	}
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	pack, err := Load(testKinds(), fstest.MapFS{
		"security/a/check.yaml": {Data: []byte(strings.Replace(head, "check1", "a", 1) + "error: nothing\n")},
		"security/b/check.yaml": {Data: []byte(strings.Replace(head, "check1", "b", 1) + "error: nobody\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := pack.Compile(); err == nil || !strings.Contains(err.Error(), "security/a/check.yaml:9:8: ") || !strings.Contains(err.Error(), "security/b/check.yaml:9:8: ") {
		t.Errorf("Compile = %v, want both", err)
	}
	_, err = Load(testKinds(), fstest.MapFS{"security/a/check.yaml": {Data: []byte("id: [")}, "security/b/check.yaml": {Data: []byte("x: 1")}})
	if err == nil || !strings.Contains(err.Error(), "security/a/") || !strings.Contains(err.Error(), "security/b/") {
		t.Errorf("Load = %v, want both", err)
	}
}

func TestALaterFolderReplacesChecks(t *testing.T) {
	text := func(id, name string) string {
		return strings.NewReplacer("check1", id, "A check", name).Replace(head) + "parameters: {" + strings.ToLower(name[:1]) + ": 1}\nerror: params." + strings.ToLower(name[:1]) + " == 1\n"
	}
	first := fstest.MapFS{"security/a/check.yaml": {Data: []byte(text("a", "First"))}, "security/b/check.yaml": {Data: []byte(text("b", "Kept"))}}
	second := fstest.MapFS{"security/z/check.yaml": {Data: []byte(text("a", "Second"))}}
	pack, err := Load(testKinds(), first, second)
	if err != nil {
		t.Fatal(err)
	}
	if err := pack.Compile(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range pack.Checks() {
		got = append(got, c.ID+" "+c.Name+" "+c.Path)
	}
	if diff := cmp.Diff([]string{"b Kept security/b", "a Second security/z"}, got); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	if c, ok := pack.Check("a"); !ok || c.Name != "Second" {
		t.Errorf("Check(a) = %v, %t, want the second", c, ok)
	}
	first["security/c/check.yaml"] = &fstest.MapFile{Data: []byte(text("a", "Twice"))}
	if _, err := Load(testKinds(), first); err == nil || !strings.Contains(err.Error(), "the id a is that of security/a/check.yaml too") {
		t.Errorf("Load of an id twice = %v", err)
	}
}

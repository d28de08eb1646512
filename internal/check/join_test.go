package check

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/inventory"
)

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

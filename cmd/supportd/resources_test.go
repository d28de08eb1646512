package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/collect"
	"github.com/supportd/supportd/internal/inventory"
)

var update = flag.Bool("update", false, "write the generated documents again")

// maxResourcesDocument is how large docs/resources.md may become. Who comes near
// it tells less of what is inside attributes.
const maxResourcesDocument = 400 << 10

func TestResourcesDocumentHasAllKinds(t *testing.T) {
	t.Parallel()
	const file = "../../docs/resources.md"
	want := resourcesDocument(collect.Kinds())
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/resources.md does not tell of the kinds that there are: run go test ./cmd/supportd -run ResourcesDocument -update")
	}
	if len(want) > maxResourcesDocument {
		t.Errorf("docs/resources.md has %d bytes, want at most %d", len(want), maxResourcesDocument)
	}
}

const resourcesIntroduction = `# Resources

Checks look at resources. This page has every kind that supportd reads, with the attributes that expressions know; it is
generated from the code. How to write a check is in [checks.md](checks.md).

Attributes have the names and the types of the AWS API, with a capital first letter, as in the AWS SDK for Go. What the API does
not tell reads as the zero value of its type: an empty text or list, 0, false, 1970. A type such as ec2.Tag is a structure; what it
has is under [structures](#structures).

Attributes under *with calls of its own* are parts: each needs the actions behind it for every resource, and is read only when a
check uses it. A kind that is *global* belongs to no region.

Without AWS's own API, an endpoint or a mock answers what it knows; what it does not know makes the checks that need it
unavailable, with the endpoint's answer as the cause.
`

const policyIntroduction = `
## IAM policy

The role or user that supportd reads an account with needs these actions, all of which only read. Kinds whose actions are denied
make the checks that need them unavailable and stop nothing else, so a smaller policy does for fewer checks. One exception: where no
regions are named, ` + "`ec2:DescribeRegions`" + ` tells which ones the account has enabled, and nothing is read without it.
`

// resourcesDocument is docs/resources.md.
func resourcesDocument(kinds inventory.Kinds) string {
	d := &resourcesPage{structs: map[string]*inventory.Type{}}
	d.out.WriteString(resourcesIntroduction)
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		d.kind(kinds[name])
	}
	d.structures()
	d.policy(kinds)
	return d.out.String()
}

type resourcesPage struct {
	out     strings.Builder
	structs map[string]*inventory.Type // those that attributes have, by name
}

func (d *resourcesPage) line(format string, args ...any) { fmt.Fprintf(&d.out, format+"\n", args...) }

func (d *resourcesPage) kind(k inventory.Kind) {
	d.line("\n## %s\n", k.Name)
	where := ""
	if k.Global {
		where = " Global."
	}
	d.line("Reads with %s.%s\n", code(k.Actions...), where)
	var parts []inventory.Field
	var own []string
	for _, f := range k.Type.Fields() {
		d.note(f.Type)
		switch {
		case f.Part != "":
			parts = append(parts, f)
		case f.Doc != "":
			own = append(own, fmt.Sprintf("- `%s` %s: %s", f.Name, f.Type, f.Doc))
		default:
			own = append(own, fmt.Sprintf("- `%s` %s", f.Name, f.Type))
		}
	}
	d.line("%s", strings.Join(own, "\n"))
	if len(parts) > 0 {
		d.line("\nWith calls of its own:\n")
	}
	for _, f := range parts {
		text := ""
		if f.Doc != "" {
			text = ": " + f.Doc
		}
		d.line("- `%s` %s (%s)%s", f.Name, f.Type, code(strings.Split(f.Part, ",")...), text)
	}
}

func code(names ...string) string { return "`" + strings.Join(names, "`, `") + "`" }

// note remembers the structures in a type.
func (d *resourcesPage) note(t *inventory.Type) {
	for t.Elem != nil {
		t = t.Elem
	}
	if t.Form != inventory.Struct || d.structs[t.Name] != nil {
		return
	}
	d.structs[t.Name] = t
	for _, f := range t.Fields() {
		d.note(f.Type)
	}
}

func (d *resourcesPage) structures() {
	d.line("\n## Structures\n\nWhat attributes that are structures have.\n")
	for _, name := range slices.Sorted(maps.Keys(d.structs)) {
		var fields []string
		for _, f := range d.structs[name].Fields() {
			fields = append(fields, fmt.Sprintf("%s %s", f.Name, f.Type))
		}
		d.line("- **%s**: %s", name, strings.Join(fields, "; "))
	}
}

func (d *resourcesPage) policy(kinds inventory.Kinds) {
	used := map[string]bool{"ec2:DescribeRegions": true} // of a source that names no regions
	for _, k := range kinds {
		for _, action := range k.Actions {
			used[action] = true
		}
		for _, f := range k.Type.Fields() {
			for action := range strings.SplitSeq(f.Part, ",") {
				if action != "" {
					used[action] = true
				}
			}
		}
	}
	d.line("%s", policyIntroduction)
	d.line("```json\n{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Resource\": \"*\",\n      \"Action\": [")
	d.line("        \"%s\"", strings.Join(slices.Sorted(maps.Keys(used)), "\",\n        \""))
	d.line("      ]\n    }\n  ]\n}\n```")
}

package checks_test

import (
	_ "embed"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/checks"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/collect"
)

// catalogue is what AWS answers for the checks that are here: a line has id,
// category, name and the names of the columns, with | between them.
//
//go:embed testdata/catalogue.tsv
var catalogue string

// facts are what AWS tells of a check.
type facts struct {
	Category, Name string
	Columns        []string
}

func TestChecksAreCalledAsAWSCallsThem(t *testing.T) {
	// These were not in the answer: they came later, or had ended by then. What
	// they are called is that of the user guide.
	unrecorded := strings.Fields(`
		0t121N1Ty3 8M012Ph3U5 4g3Nt5M1Th xdeXZKIUy b92b83d667 528d6f5ee7 tfg86AVHAZ j3DFqYTe29 k3J2hns32g zXCkfM1nI3
		8604e947f2 c15m0mgld3 c25hn9x03v c2vlfg022t c2vlfg0f4h c2vlfg0jp6 c2vlfg0k35 c2vlfg0p1w c2vlfg0p86`)

	want := map[string]facts{}
	for line := range strings.Lines(catalogue) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		want[cells[0]] = facts{Category: cells[1], Name: cells[2], Columns: columns(cells[3])}
	}
	got := map[string]facts{}
	for _, c := range mustPack(t).Checks() {
		if !slices.Contains(unrecorded, c.ID) {
			got[c.ID] = facts{Category: c.Category, Name: c.Name, Columns: c.Columns}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("checks (-AWS +here):\n%s", diff)
	}
	for _, id := range unrecorded {
		if _, ok := want[id]; ok {
			t.Errorf("%s is recorded: it is no exception", id)
		}
	}
}

func columns(text string) []string {
	if text == "" {
		return []string{}
	}
	return strings.Split(text, "|")
}

func mustPack(t *testing.T) *check.Pack {
	t.Helper()
	pack, err := check.Load(collect.Kinds(), checks.FS)
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

package check_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supportd/supportd/checks"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/collect"
	"github.com/supportd/supportd/internal/inventory"
)

func mustPack(tb testing.TB) *check.Pack {
	tb.Helper()
	pack, err := check.Load(collect.Kinds(), checks.FS)
	if err != nil {
		tb.Fatal(err)
	}
	if err := pack.Compile(); err != nil {
		tb.Fatal(err)
	}
	return pack
}

// needsOf returns what all checks need.
func needsOf(tb testing.TB, all []*check.Check) inventory.Needs {
	tb.Helper()
	needs := inventory.Needs{}
	for _, c := range all {
		n, err := c.Needs()
		if err != nil {
			tb.Fatal(err)
		}
		needs.AddAll(n)
	}
	return needs
}

// values makes attributes.
type values struct {
	random *rand.Rand
	wrong  float64 // how probable it is that an attribute has another form
	absent float64 // how probable it is that it is not there
}

func (v values) attributes(t *inventory.Type, depth int) map[string]any {
	m := map[string]any{}
	for _, f := range t.Fields() {
		if v.random.Float64() < v.absent {
			continue
		}
		if value := v.value(f.Type, depth); value != nil || v.random.Float64() < v.wrong {
			m[f.Name] = value
		}
	}
	return m
}

func (v values) value(t *inventory.Type, depth int) any {
	if v.random.Float64() < v.wrong {
		wrong := []any{nil, true, -1.5, "", "2026-13-01", []any{nil}, []any{1.0, "x"}, map[string]any{"Key": 1.0}, 1e300}
		return wrong[v.random.IntN(len(wrong))]
	}
	if depth == 0 {
		return nil
	}
	switch t.Form {
	case inventory.String:
		words := []string{
			"", "available", "in-use", "active", "ACTIVE", "completed", "0.0.0.0/0", "::/0", "10.0.0.0/8", "*", "a", "vol-1", "sg-1", "postgres", "8.0.35",
			`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}`, "arn:aws:iam::111122223333:role/x", "nodejs18.x", "2026-01-01T00:00:00Z", "Enabled", "true", "t3.micro", "enabled",
		}
		return words[v.random.IntN(len(words))]
	case inventory.Int:
		return float64([]int{0, 1, 2, 22, 80, 443, 3389, 65535, 100000, -1}[v.random.IntN(10)])
	case inventory.Double:
		return v.random.Float64() * 100
	case inventory.Bool:
		return v.random.IntN(2) == 0
	case inventory.Timestamp:
		return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC).Add(-time.Duration(v.random.IntN(500*24)-240) * time.Hour).Format(time.RFC3339)
	case inventory.List:
		list := []any{}
		for range v.random.IntN(4) {
			if item := v.value(t.Elem, depth-1); item != nil || v.wrong > 0 {
				list = append(list, item)
			}
		}
		return list
	case inventory.Map:
		m := map[string]any{}
		for i := range v.random.IntN(3) {
			if item := v.value(t.Elem, depth-1); item != nil {
				m[fmt.Sprintf("key%d", i)] = item
			}
		}
		return m
	case inventory.Struct:
		return v.attributes(t, depth-1)
	}
	return nil
}

// resources makes resources of kinds.
func (v values) resources(kinds []string, n int) (all []inventory.Resource) {
	known := collect.Kinds()
	regions := []string{"us-east-1", "eu-west-1"}
	for i := range n {
		kind := known[kinds[v.random.IntN(len(kinds))]]
		r := inventory.Resource{Kind: kind.Name, ID: fmt.Sprintf("arn:aws:x:::%d", i), Attributes: v.attributes(kind.Type, 4)}
		if !kind.Global {
			r.Region = regions[v.random.IntN(len(regions))]
		}
		all = append(all, r)
	}
	return all
}

func TestEveryInventoryHasConsistentResults(t *testing.T) {
	pack := mustPack(t)
	needs := needsOf(t, pack.Checks())
	computed := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		v := values{
			random: rand.New(rand.NewPCG(seed, 1)),
			wrong:  rapid.SampledFrom([]float64{0, 0, 0.001, 0.05}).Draw(t, "wrong"),
			absent: rapid.SampledFrom([]float64{0, 0.2, 0.8}).Draw(t, "absent"),
		}
		all := v.resources(needs.Kinds(), rapid.IntRange(0, 120).Draw(t, "resources"))
		inv := &inventory.Memory{Head: inventory.Header{Account: "111122223333", CollectedAt: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), Regions: []string{"us-east-1", "eu-west-1"}, Needs: needs}, All: all}
		e := check.Evaluation{Checks: pack.Checks(), Suppressed: func(_, id string) bool { return id[0] < 'F' }}
		results, err := e.Run(t.Context(), inv)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if r.Status != check.NotAvailable || r.Cause == "there is nothing to look at" {
				computed[r.CheckID] = true
			}
			consistent(t, pack.Checks()[i], r)
		}
		v.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		again, err := e.Run(t.Context(), inv)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(results, again); diff != "" {
			t.Fatalf("in another order (-first +second):\n%s", diff)
		}
	})
	for _, c := range pack.Checks() {
		if c.Unavailable == "" && !computed[c.ID] {
			t.Errorf("%s was never computed", c.Path)
		}
	}
}

func consistent(t *rapid.T, c *check.Check, r check.Result) {
	if r.Status == check.NotAvailable {
		if r.Cause == "" || r.Processed+len(r.Rows) > 0 {
			t.Errorf("%s: not available with cause %q, %d processed, %d rows", c.Path, r.Cause, r.Processed, len(r.Rows))
		}
		return
	}
	if r.Processed != r.Flagged+r.OK+r.Ignored+r.Suppressed {
		t.Errorf("%s: processed %d is not flagged %d + ok %d + ignored %d + suppressed %d", c.Path, r.Processed, r.Flagged, r.OK, r.Ignored, r.Suppressed)
	}
	counts := map[check.Status]int{}
	suppressed := 0
	for _, row := range r.Rows {
		if len(row.Metadata) != len(c.Columns) {
			t.Errorf("%s: %d cells, want %d", c.Path, len(row.Metadata), len(c.Columns))
		}
		if row.Suppressed {
			suppressed++
		} else {
			counts[row.Status]++
		}
	}
	if counts[check.Error]+counts[check.Warning] != r.Flagged || suppressed != r.Suppressed {
		t.Errorf("%s: rows %v and %d suppressed, want %d flagged and %d", c.Path, counts, suppressed, r.Flagged, r.Suppressed)
	}
	worst := check.OK
	for _, s := range []check.Status{check.Warning, check.Error} {
		if counts[s] > 0 {
			worst = s
		}
	}
	if r.Status != worst && r.Processed > 0 {
		t.Errorf("%s: status %s, want %s as its rows", c.Path, r.Status, worst)
	}
	if !slices.IsSortedFunc(r.Rows, func(a, b check.Row) int {
		return slices.Compare([]string{a.Region, a.Resource}, []string{b.Region, b.Resource})
	}) {
		t.Errorf("%s: the rows are not sorted", c.Path)
	}
}

package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
)

func testCasesByID(t *testing.T, s *store.Store) {
	var all []cases.Case
	for i := range 120 {
		c := newCase(fmt.Sprintf("%03d", i))
		c.CreatedAt = at(-i / 2) // two of each time, the newest first
		all = append(all, c)
	}
	mustInsertCases(t, s, all...)
	for _, n := range []int{0, 1, 9, 10, 11, 99, 100, 101, 120} {
		ids := []string{"unknown"}
		for _, c := range all[:n] {
			ids = append(ids, c.ID, c.ID)
		}
		want := slices.Clone(all[:n])
		slices.SortFunc(want, byAge)
		got := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Case, error) { return tx.CasesByID(ctx, account, ids) })
		if diff := gocmp.Diff(idsOf(want), idsOf(got)); diff != "" {
			t.Errorf("CasesByID(%d ids) (-want +got):\n%s", len(ids), diff)
		}
	}
	none := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Case, error) { return tx.CasesByID(ctx, account, nil) })
	if len(none) != 0 {
		t.Errorf("CasesByID(no ids) = %d cases, want none", len(none))
	}
}

func byAge(a, b cases.Case) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
}

func idsOf(all []cases.Case) []string {
	ids := []string{}
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	return ids
}

// testCasesPage compares pages with what a loop over all cases finds. Each
// check has an account of its own, so the store also has to leave out others.
func testCasesPage(t *testing.T, s *store.Store) {
	checks := 0
	rapid.Check(t, func(rt *rapid.T) {
		checks++
		owner := fmt.Sprintf("%012d", checks)
		var all []cases.Case
		for i := range rapid.IntRange(0, 20).Draw(rt, "cases") {
			all = append(all, drawCase(rt, owner, i))
		}
		mustInsertCases(t, s, all...)
		for range 10 {
			q := drawQuery(rt, all)
			limit := rapid.IntRange(1, 7).Draw(rt, "limit")
			got, err := view(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Case, error) {
				return tx.CasesPage(ctx, owner, q, limit)
			})
			if err != nil {
				rt.Fatalf("CasesPage(%+v, %d) = %v", q, limit, err)
			}
			if diff := gocmp.Diff(naivePage(all, q, limit), got); diff != "" {
				rt.Fatalf("CasesPage(%+v, %d) (-want +got):\n%s", q, limit, diff)
			}
		}
	})
}

// drawCase draws from few times, so that many are equal, and ids whose order is
// not that of their making.
func drawCase(rt *rapid.T, owner string, i int) cases.Case {
	c := newCase(fmt.Sprintf("%s-%d", rapid.StringMatching(`[a-zA-Z0-9]{2}`).Draw(rt, "id"), i))
	c.Account = owner
	c.CreatedAt = at(rapid.IntRange(0, 5).Draw(rt, "created at"))
	c.Language = rapid.SampledFrom([]string{"en", "ja", "zh"}).Draw(rt, "language")
	c.Status = rapid.SampledFrom([]cases.Status{cases.Unassigned, cases.Reopened, cases.Resolved}).Draw(rt, "status")
	return c
}

func drawQuery(rt *rapid.T, all []cases.Case) cases.PageQuery {
	when := rapid.Custom(func(rt *rapid.T) time.Time {
		if n := rapid.IntRange(-6, 7).Draw(rt, "time"); n >= -1 {
			return at(n)
		}
		return time.Time{}
	})
	q := cases.PageQuery{
		TimeRange:       cases.TimeRange{After: when.Draw(rt, "after"), Before: when.Draw(rt, "before")},
		Language:        rapid.SampledFrom([]string{"", "en", "ja", "ko"}).Draw(rt, "language"),
		IncludeResolved: rapid.Bool().Draw(rt, "include resolved"),
	}
	if len(all) == 0 {
		return q
	}
	if rapid.IntRange(0, 3).Draw(rt, "has display id") == 0 {
		q.DisplayID = rapid.SampledFrom(all).Draw(rt, "display id").DisplayID
	}
	if rapid.Bool().Draw(rt, "has cursor") {
		from := rapid.SampledFrom(all).Draw(rt, "from")
		q.From = cases.Cursor{CreatedAt: from.CreatedAt, ID: from.ID}
	}
	return q
}

func naivePage(all []cases.Case, q cases.PageQuery, limit int) []cases.Case {
	var found []cases.Case
	for _, c := range all {
		from := cases.Case{CreatedAt: q.From.CreatedAt, ID: q.From.ID}
		switch {
		case !q.From.CreatedAt.IsZero() && byAge(c, from) <= 0,
			c.CreatedAt.Before(q.After),
			!q.Before.IsZero() && !c.CreatedAt.Before(q.Before),
			!q.IncludeResolved && c.Status == cases.Resolved,
			q.Language != "" && c.Language != q.Language,
			q.DisplayID != "" && c.DisplayID != q.DisplayID:
		default:
			found = append(found, c)
		}
	}
	slices.SortFunc(found, byAge)
	return found[:min(limit, len(found))]
}

// testEqualTimes walks while cases of the same time come and are resolved: what
// was there and stays is met once.
func testEqualTimes(t *testing.T, s *store.Store) {
	var all []cases.Case
	for i := range 100 {
		all = append(all, newCase(fmt.Sprintf("m%03d", i)))
	}
	mustInsertCases(t, s, all...)
	seen := map[string]int{}
	q := cases.PageQuery{}
	for step := 0; ; step++ {
		found := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Case, error) { return tx.CasesPage(ctx, account, q, 7) })
		if len(found) == 0 {
			break
		}
		for _, c := range found {
			seen[c.ID]++
		}
		last := found[len(found)-1]
		q.From = cases.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}
		last.Status = cases.Resolved // what the cursor names need not be there any more
		mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error { return tx.UpdateCase(ctx, last) })
		if step < 50 {
			mustInsertCases(t, s, newCase(fmt.Sprintf("a%03d", step)), newCase(fmt.Sprintf("z%03d", step)))
		}
	}
	for _, c := range all {
		if seen[c.ID] != 1 {
			t.Errorf("a walk meets case %s %d times, want once", c.ID, seen[c.ID])
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("a walk meets case %s %d times, want at most once", id, n)
		}
	}
}

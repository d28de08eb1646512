package storetest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/store"
)

func oneOf[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// randomItems are items that share many values.
func randomItems(r *rand.Rand, n int) []desk.Item {
	items := make([]desk.Item, n)
	for i := range items {
		items[i] = desk.Item{
			Key:      desk.Key{Account: oneOf(r, account, foreign, "777788889999"), CaseID: fmt.Sprintf("case-%d", r.IntN(1000)*1000+i)},
			Status:   oneOf(r, cases.Unassigned, cases.Opened, cases.PendingCustomerAction, cases.Resolved, cases.Resolved),
			Severity: oneOf(r, "low", "high"), Service: oneOf(r, "ec2", "s3"), Language: oneOf(r, "en", "ja"),
			Assignee: oneOf(r, "", "", "x", "y"), Team: oneOf(r, "", "red", "blue", "green"),
			Tags: oneOf(r, nil, []string{"vip"}, []string{"vip", "late"}),
			Due:  oneOf(r, time.Time{}, at(r.IntN(4))), Version: 1, CreatedAt: at(i), ChangedAt: at(i),
		}
		if items[i].Status == cases.Resolved && r.IntN(4) > 0 {
			items[i].Due = time.Time{}
		}
		items[i].Subject, items[i].DisplayID = "subject", items[i].CaseID
	}
	slices.SortFunc(items, compareItems)
	return items
}

func compareItems(a, b desk.Item) int {
	if a.Due.IsZero() != b.Due.IsZero() {
		if a.Due.IsZero() {
			return 1
		}
		return -1
	}
	return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Account, b.Account), cmp.Compare(a.CaseID, b.CaseID))
}

func randomQuery(r *rand.Rand) desk.ItemQuery {
	return desk.ItemQuery{
		Assignees: oneOf(r, nil, nil, nil, []string{"x"}, []string{""}, []string{"x", "", "none"}, slices.Repeat([]string{"", "none"}, 20)),
		Status:    oneOf(r, "", "", "", cases.Opened, cases.Unassigned, cases.Resolved),
		DueBefore: oneOf(r, time.Time{}, time.Time{}, at(2)), Severity: oneOf(r, "", "", "low"), Service: oneOf(r, "", "", "s3"),
		Account: oneOf(r, "", "", "", account, foreign), Language: oneOf(r, "", "", "ja"), Tag: oneOf(r, "", "", "", "vip", "late", "none"),
		Teams: oneOf(r, nil, nil, []string{"red"}, []string{"red", "blue", "red"}, slices.Repeat([]string{"green", "none"}, 20)), Resolved: r.IntN(2) == 0,
	}
}

// selects says without SQL what a query is for.
func selects(q desk.ItemQuery, i desk.Item) bool {
	matches := func(want, got string) bool { return want == "" || want == got }
	return (q.Resolved || i.Open()) &&
		(len(q.Assignees) == 0 || slices.Contains(q.Assignees, i.Assignee)) && matches(string(q.Status), string(i.Status)) &&
		(len(q.Teams) == 0 || slices.Contains(q.Teams, i.Team)) && (q.Tag == "" || slices.Contains(i.Tags, q.Tag)) &&
		(q.DueBefore.IsZero() || !i.Due.IsZero() && i.Due.Before(q.DueBefore)) && matches(q.Severity, i.Severity) &&
		matches(q.Service, i.Service) && matches(q.Account, i.Account) && matches(q.Language, i.Language) &&
		(q.After == desk.Position{} || compareItems(i, desk.Item{Due: q.After.Due, Key: q.After.Key}) > 0)
}

func testDeskItemsLikeANaiveFilter(t *testing.T, s *store.Store) {
	r := rand.New(rand.NewPCG(1, 0))
	items := randomItems(r, 300)
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return insertItems(ctx, tx, items...) })
	found := 0
	for range 400 {
		q, limit := randomQuery(r), 1+r.IntN(20)
		if r.IntN(2) == 0 {
			after := oneOf(r, items...)
			q.After = desk.Position{Due: after.Due, Key: after.Key}
		}
		var want []desk.Item
		for _, i := range items {
			if selects(q, i) {
				want = append(want, i)
			}
		}
		found += len(want)
		got := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Item, error) { return tx.Items(ctx, q, limit) })
		if diff := diff.Diff(want[:min(len(want), limit)], got); diff != "" && len(got)+len(want) > 0 {
			t.Fatalf("Items(%+v, %d) (-want +got):\n%s", q, limit, diff)
		}
		count := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) (int, error) { return tx.CountItems(ctx, q, limit) })
		if want := min(len(want), limit); count != want {
			t.Fatalf("CountItems(%+v, %d) = %d, want %d", q, limit, count, want)
		}
	}
	if found < 1000 {
		t.Errorf("the queries select %d items in all, so the test sees nothing", found)
	}
}

func testDeskItemsByKey(t *testing.T, s *store.Store) {
	r := rand.New(rand.NewPCG(4, 0))
	items := randomItems(r, 200)
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return insertItems(ctx, tx, items...) })
	for _, n := range []int{0, 1, 2, 9, 11, 150} {
		keys := []desk.Key{{Account: account, CaseID: "missing"}}
		var want []desk.Item
		for _, i := range r.Perm(len(items))[:n] {
			want = append(want, items[i])
			keys = append(keys, items[i].Key, items[i].Key, desk.Key{Account: "000000000000", CaseID: items[i].CaseID})
		}
		got := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Item, error) { return tx.ItemsByKey(ctx, keys) })
		slices.SortFunc(want, compareItems)
		slices.SortFunc(got, compareItems)
		if diff := diff.Diff(want, got); diff != "" {
			t.Errorf("ItemsByKey(of %d keys) (-want +got):\n%s", len(keys), diff)
		}
	}
	none := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Item, error) { return tx.ItemsByKey(ctx, nil) })
	if len(none) > 0 {
		t.Errorf("ItemsByKey(none) = %v, want none", none)
	}
}

// Who reads page after page while nothing changes sees each item once.
func testDeskItemsInPages(t *testing.T, s *store.Store) {
	r := rand.New(rand.NewPCG(2, 0))
	items := randomItems(r, 100)
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return insertItems(ctx, tx, items...) })
	for _, q := range []desk.ItemQuery{{}, {Resolved: true}, {Resolved: true, Account: account}, {Teams: []string{"red", "blue"}}, {Tag: "vip", Resolved: true}} {
		var want, got []desk.Item
		for _, i := range items {
			if selects(q, i) {
				want = append(want, i)
			}
		}
		for next := q; ; {
			page := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Item, error) { return tx.Items(ctx, next, 7) })
			got = append(got, page...)
			if len(page) < 7 {
				break
			}
			next.After = desk.Position{Due: page[6].Due, Key: page[6].Key}
		}
		if diff := diff.Diff(want, got); diff != "" {
			t.Errorf("pages of Items(%+v) (-want +got):\n%s", q, diff)
		}
	}
}

func testDeskEntriesLikeANaiveFilter(t *testing.T, s *store.Store) {
	r := rand.New(rand.NewPCG(3, 0))
	entries := make([]desk.Entry, 200)
	for i := range entries {
		entries[i] = desk.Entry{
			At: at(r.IntN(20)), ID: fmt.Sprintf("%03d", i), Agent: oneOf(r, "x", "y"), TokenID: oneOf(r, "", "t"), RequestID: fmt.Sprint(i),
			Action: oneOf(r, "case.reply", "agent.create"), Account: oneOf(r, "", account, foreign), Subject: oneOf(r, "a", "b", "c"),
			Before: oneOf(r, nil, []byte(`{"a":1}`)), After: oneOf(r, nil, []byte(`{"a":2}`)),
		}
	}
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		for _, e := range entries {
			if err := tx.InsertEntry(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	newestFirst := func(a, b desk.Entry) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) }
	slices.SortFunc(entries, newestFirst)
	matches := func(want, got string) bool { return want == "" || want == got }
	for range 200 {
		q := desk.EntryQuery{
			Agent: oneOf(r, "", "", "x"), Action: oneOf(r, "", "", "case.reply"), Account: oneOf(r, "", "", foreign), Subject: oneOf(r, "", "", "c"),
			From: oneOf(r, time.Time{}, at(5)), To: oneOf(r, time.Time{}, at(15)),
		}
		if before := oneOf(r, entries...); r.IntN(2) == 0 {
			q.Before = desk.EntryPosition{At: before.At, ID: before.ID}
		}
		var want []desk.Entry
		for _, e := range entries {
			if matches(q.Agent, e.Agent) && matches(q.Action, e.Action) && matches(q.Account, e.Account) && matches(q.Subject, e.Subject) &&
				(q.From.IsZero() || !e.At.Before(q.From)) && (q.To.IsZero() || e.At.Before(q.To)) &&
				(q.Before == desk.EntryPosition{} || newestFirst(desk.Entry{At: q.Before.At, ID: q.Before.ID}, e) < 0) && len(want) < 10 {
				want = append(want, e)
			}
		}
		got := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Entry, error) { return tx.Entries(ctx, q, 10) })
		if diff := diff.Diff(want, got); diff != "" {
			t.Fatalf("Entries(%+v) (-want +got):\n%s", q, diff)
		}
	}
}

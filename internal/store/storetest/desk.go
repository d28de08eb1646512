package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/store"
)

func mustUpdateDesk(t testing.TB, s *store.Store, f func(ctx context.Context, tx desk.Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := s.Desk().Update(ctx, account, func(tx desk.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatalf("Update() = %v, want nil", err)
	}
}

func viewDesk[T any](t testing.TB, s *store.Store, f func(ctx context.Context, tx desk.Tx) (T, error)) (found T, err error) {
	t.Helper()
	ctx := t.Context()
	err = s.Desk().View(ctx, func(tx desk.Tx) (err error) {
		found, err = f(ctx, tx)
		return err
	})
	return found, err
}

func mustViewDesk[T any](t testing.TB, s *store.Store, f func(ctx context.Context, tx desk.Tx) (T, error)) T {
	t.Helper()
	found, err := viewDesk(t, s, f)
	if err != nil {
		t.Fatalf("View() = %v, want nil", err)
	}
	return found
}

func keyOf(id string) desk.Key { return desk.Key{Account: account, CaseID: id} }

// newItem is an item with every field set.
func newItem(id string) desk.Item {
	return desk.Item{
		Key: keyOf(id), Status: cases.Opened, Severity: "high", Service: "ec2", Language: "en",
		Assignee: "agent-1", Team: "team-1", Tags: []string{"b", "ä \"tag\""}, Due: at(10), Wake: at(5),
		History: desk.History{Plan: "business", Moments: []desk.Moment{{At: at(0), What: desk.Opened, Severity: "high"}, {At: at(1), What: desk.AgentSaid}}},
		Fired:   []string{"first-response.1.warning"}, MergedInto: "other", Version: 3, Records: 2, CreatedAt: at(0), ChangedAt: at(2),
	}
}

// insertItems inserts items with their cases.
func insertItems(ctx context.Context, tx desk.Tx, items ...desk.Item) error {
	for _, i := range items {
		c := newCase(i.CaseID)
		c.Account = i.Account
		if err := errors.Join(tx.InsertCase(ctx, c), tx.InsertItem(ctx, i)); err != nil {
			return err
		}
	}
	return nil
}

func testDeskDocuments(t *testing.T, s *store.Store) {
	document := func(kind desk.Kind, id string, version int64) desk.Document {
		return desk.Document{Kind: kind, ID: id, Version: version, Content: fmt.Appendf(nil, `{"v":%d}`, version), ChangedAt: at(int(version))}
	}
	team := func(ctx context.Context, tx desk.Tx) (desk.Document, error) {
		return tx.Document(ctx, desk.KindTeam, "a")
	}
	if _, err := viewDesk(t, s, team); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("Document(missing) = %v, want %v", err, desk.ErrNotFound)
	}
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		return errors.Join(
			tx.PutDocument(ctx, document(desk.KindTeam, "b", 1)), tx.PutDocument(ctx, document(desk.KindTeam, "a", 1)),
			tx.PutDocument(ctx, document(desk.KindMacro, "a", 1)), tx.PutDocument(ctx, document(desk.KindTeam, "a", 2)),
		)
	})
	if diff := cmp.Diff(document(desk.KindTeam, "a", 2), mustViewDesk(t, s, team)); diff != "" {
		t.Errorf("Document (-last PutDocument +got):\n%s", diff)
	}
	teams := func(ctx context.Context, tx desk.Tx) ([]desk.Document, error) {
		return tx.Documents(ctx, desk.KindTeam)
	}
	want := []desk.Document{document(desk.KindTeam, "a", 2), document(desk.KindTeam, "b", 1)}
	if diff := cmp.Diff(want, mustViewDesk(t, s, teams)); diff != "" {
		t.Errorf("Documents (-want +got):\n%s", diff)
	}
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return tx.DeleteDocument(ctx, desk.KindTeam, "a") })
	if diff := cmp.Diff(want[1:], mustViewDesk(t, s, teams)); diff != "" {
		t.Errorf("Documents after DeleteDocument (-want +got):\n%s", diff)
	}
}

func testDeskItem(t *testing.T, s *store.Store) {
	item := func(ctx context.Context, tx desk.Tx) (desk.Item, error) { return tx.Item(ctx, account, "a") }
	if _, err := viewDesk(t, s, item); !errors.Is(err, desk.ErrNotFound) {
		t.Errorf("Item(missing) = %v, want %v", err, desk.ErrNotFound)
	}
	bare := desk.Item{Key: keyOf("a"), Status: cases.Unassigned, Version: 1, CreatedAt: at(0), ChangedAt: at(0)}
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return insertItems(ctx, tx, bare) })
	for _, want := range []desk.Item{bare, newItem("a"), bare} {
		mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return tx.UpdateItem(ctx, want) })
		want.Subject, want.DisplayID = "subject", "a"
		if diff := cmp.Diff(want, mustViewDesk(t, s, item)); diff != "" {
			t.Errorf("Item (-UpdateItem +got):\n%s", diff)
		}
	}
}

// An item is found by the tags that it has now, in the order of its present due
// time.
func testDeskTags(t *testing.T, s *store.Store) {
	a, b := newItem("a"), newItem("b")
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return insertItems(ctx, tx, a, b) })
	for _, step := range []struct {
		tags []string
		due  time.Time
		want map[string][]string
	}{
		{[]string{"x", "b"}, at(20), map[string][]string{"b": {"b", "a"}, "x": {"a"}, `ä "tag"`: {"b"}}},
		{[]string{"b", "x"}, at(1), map[string][]string{"b": {"a", "b"}, "x": {"a"}, `ä "tag"`: {"b"}}},
		{nil, at(1), map[string][]string{"b": {"b"}, "x": nil, `ä "tag"`: {"b"}}},
	} {
		a.Tags, a.Due = step.tags, step.due
		mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return tx.UpdateItem(ctx, a) })
		for tag, want := range step.want {
			found := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Item, error) {
				return tx.Items(ctx, desk.ItemQuery{Tag: tag}, 10)
			})
			var got []string
			for _, i := range found {
				got = append(got, i.CaseID)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("items with the tag %s after tagging a with %q (-want +got):\n%s", tag, step.tags, diff)
			}
		}
	}
}

func testDeskWake(t *testing.T, s *store.Store) {
	next := func(ctx context.Context, tx desk.Tx) (time.Time, error) { return tx.NextWake(ctx) }
	if got := mustViewDesk(t, s, next); !got.IsZero() {
		t.Errorf("NextWake() of no items = %v, want zero", got)
	}
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		for id, wake := range map[string]time.Time{"never": {}, "c": at(3), "b": at(2), "a": at(3), "later": at(4)} {
			i := newItem(id)
			i.Wake = wake
			if err := insertItems(ctx, tx, i); err != nil {
				return err
			}
		}
		return nil
	})
	if got := mustViewDesk(t, s, next); !got.Equal(at(2)) {
		t.Errorf("NextWake() = %v, want %v", got, at(2))
	}
	for limit, want := range map[int][]desk.Key{10: {keyOf("b"), keyOf("a"), keyOf("c")}, 2: {keyOf("b"), keyOf("a")}} {
		got := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Key, error) { return tx.ItemsToWake(ctx, at(3), limit) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ItemsToWake(limit %d) (-want +got):\n%s", limit, diff)
		}
	}
}

func testDeskDisplayIDs(t *testing.T, s *store.Store) {
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		other := newCase("b")
		other.Account, other.DisplayID = foreign, "a"
		return errors.Join(tx.InsertCase(ctx, newCase("a")), tx.InsertCase(ctx, newCase("c")), tx.InsertCase(ctx, other))
	})
	for id, want := range map[string][]desk.Key{"a": {keyOf("a"), {Account: foreign, CaseID: "b"}}, "c": {keyOf("c")}, "b": nil} {
		got := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Key, error) { return tx.CasesByDisplayID(ctx, id) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("CasesByDisplayID(%s) (-want +got):\n%s", id, diff)
		}
	}
}

func testDeskLoads(t *testing.T, s *store.Store) {
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		for n, assignee := range []string{"x", "x", "y", "", "z", "x"} {
			i := newItem(fmt.Sprint("case-", n))
			i.Assignee = assignee
			if n == 5 {
				i.Status = cases.Resolved
			}
			if err := insertItems(ctx, tx, i); err != nil {
				return err
			}
		}
		return nil
	})
	for _, test := range []struct {
		agents []string
		want   map[string]int
	}{
		{nil, map[string]int{}},
		{[]string{"x", "y", "nobody"}, map[string]int{"x": 2, "y": 1}},
	} {
		got := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) (map[string]int, error) { return tx.Loads(ctx, test.agents) })
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("Loads(%q) (-want +got):\n%s", test.agents, diff)
		}
	}
}

func testDeskRecords(t *testing.T, s *store.Store) {
	want := []desk.Record{
		{Key: keyOf("a"), Number: 1, At: at(5), Agent: "agent-1", Event: "note", Detail: []byte(`{"body":"ünï\u0000"}`)},
		{Key: keyOf("a"), Number: 2, At: at(1), Event: "breach"},
		{Key: keyOf("a"), Number: 3, At: at(6), Event: "replied", Communication: 7},
		{Key: keyOf("a"), Number: 4, At: at(6), Event: "linked", OtherCase: "c"},
		{Key: keyOf("a"), Number: 5, At: at(7), Event: "replied-for", Communication: 9},
	}
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		var errs []error
		for _, r := range slices.Backward(want) { // the order of insertion is of no importance
			other := r
			other.CaseID = "b"
			errs = append(errs, tx.InsertRecord(ctx, r), tx.InsertRecord(ctx, other))
		}
		return errors.Join(errs...)
	})
	for name, test := range map[string]struct {
		read func(ctx context.Context, tx desk.Tx) ([]desk.Record, error)
		want []desk.Record
	}{
		"Records": {func(ctx context.Context, tx desk.Tx) ([]desk.Record, error) {
			return tx.Records(ctx, account, "a", 0, 100)
		}, []desk.Record{want[0], want[1], want[3], want[4]}},
		"Records of a page": {
			func(ctx context.Context, tx desk.Tx) ([]desk.Record, error) {
				return tx.Records(ctx, account, "a", 1, 2)
			}, []desk.Record{want[1], want[3]},
		},
		"CommunicationRecords": {
			func(ctx context.Context, tx desk.Tx) ([]desk.Record, error) {
				return tx.CommunicationRecords(ctx, account, "a", 0, 9)
			}, []desk.Record{want[2], want[4]},
		},
		"CommunicationRecords of some": {
			func(ctx context.Context, tx desk.Tx) ([]desk.Record, error) {
				return tx.CommunicationRecords(ctx, account, "a", 7, 8)
			}, want[2:3],
		},
		"CaseRecords": {func(ctx context.Context, tx desk.Tx) ([]desk.Record, error) { return tx.CaseRecords(ctx, account, "a") }, want[3:4]},
	} {
		if diff := cmp.Diff(test.want, mustViewDesk(t, s, test.read)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func testDeskPresences(t *testing.T, s *store.Store) {
	presence := func(agent string, replying bool, expires int) desk.Presence {
		return desk.Presence{Key: keyOf("a"), Agent: agent, Replying: replying, ExpiresAt: at(expires)}
	}
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		other := presence("y", true, 100)
		other.CaseID = "b"
		return errors.Join(
			tx.PutPresence(ctx, presence("y", true, 3)), tx.PutPresence(ctx, presence("x", false, 3)), tx.PutPresence(ctx, presence("x", true, 5)),
			tx.PutPresence(ctx, presence("z", true, 9)), tx.PutPresence(ctx, other), tx.DeletePresence(ctx, account, "a", "z"),
		)
	})
	check := func(now int, want ...desk.Presence) {
		t.Helper()
		got := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Presence, error) {
			return tx.Presences(ctx, account, "a", at(now))
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Presences(%d) (-want +got):\n%s", now, diff)
		}
	}
	check(2, presence("x", true, 5), presence("y", true, 3))
	check(3, presence("x", true, 5))
	check(5)
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return tx.DeletePresencesBefore(ctx, at(4)) })
	check(0, presence("x", true, 5))
}

// What the cases room does and what the desk does with it is one transaction.
func testDeskInATransactionOfCases(t *testing.T, s *store.Store) {
	broken := errors.New("broken")
	for _, outcome := range []error{broken, nil} {
		ctx := t.Context()
		err := s.Cases().Update(ctx, account, func(tx cases.Tx) error {
			if err := tx.InsertCase(ctx, newCase("a")); err != nil {
				return err
			}
			d := store.DeskTx(store.DeskTx(tx))
			if _, err := d.Case(ctx, account, "a"); err != nil {
				t.Errorf("Case(of the same transaction) = %v, want nil", err)
			}
			return errors.Join(d.InsertItem(ctx, newItem("a")), outcome)
		})
		if !errors.Is(err, outcome) {
			t.Fatalf("Update() = %v, want %v", err, outcome)
		}
		_, err = viewDesk(t, s, func(ctx context.Context, tx desk.Tx) (desk.Item, error) { return tx.Item(ctx, account, "a") })
		if outcome == nil && err != nil || outcome != nil && !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("Item() after an update that ended with %v: %v", outcome, err)
		}
	}
}

func testDeleteCaseAtTheDesk(t *testing.T, s *store.Store) {
	for _, id := range []string{"a", "b"} {
		mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return insertDeskLife(ctx, tx, account, id) })
	}
	before := mustViewDesk(t, s, deskLifeOf("b"))
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return tx.DeleteCase(ctx, account, "a") })
	gone := deskLife{Entries: 1}
	if diff := cmp.Diff(gone, mustViewDesk(t, s, deskLifeOf("a"))); diff != "" {
		t.Errorf("left of the case after DeleteCase (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, mustViewDesk(t, s, deskLifeOf("b"))); diff != "" {
		t.Errorf("another case after DeleteCase (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(deskLife{Items: 1, Tagged: 1, Records: 1, Texts: 2, Presences: 1, Entries: 1}, before); diff != "" {
		t.Errorf("what a case has (-want +got):\n%s", diff)
	}
}

// insertDeskLife inserts a case with everything that can belong to it at the
// desk. All of it is found by the case's id.
func insertDeskLife(ctx context.Context, tx desk.Tx, owner, id string) error {
	i := newItem(id)
	i.Account, i.Tags = owner, []string{"tag-" + id}
	return errors.Join(
		insertItems(ctx, tx, i),
		tx.InsertRecord(ctx, desk.Record{Key: i.Key, Number: 1, At: at(0), Event: "note", Detail: []byte("{}"), Communication: 1, OtherCase: "z"}),
		tx.InsertText(ctx, desk.Text{Key: i.Key, Number: 0, Terms: []string{"text-" + id}, At: at(0)}),
		tx.InsertText(ctx, desk.Text{Key: i.Key, Number: 1, Terms: []string{"text-" + id, "more"}, At: at(1)}),
		tx.PutPresence(ctx, desk.Presence{Key: i.Key, Agent: "x", ExpiresAt: at(100)}),
		tx.InsertEntry(ctx, desk.Entry{At: at(0), ID: owner + id, Account: owner, Subject: id, Action: "case.note"}),
	)
}

// deskLife counts what belongs to a case of the account.
type deskLife struct{ Items, Tagged, Records, Texts, Presences, Entries int }

func deskLifeOf(id string) func(ctx context.Context, tx desk.Tx) (deskLife, error) {
	return func(ctx context.Context, tx desk.Tx) (deskLife, error) {
		all, err1 := tx.Items(ctx, desk.ItemQuery{Account: account, Tag: ""}, 10)
		tagged, err2 := tx.CountItems(ctx, desk.ItemQuery{Account: account, Tag: "tag-" + id}, 10)
		records, err3 := tx.Records(ctx, account, id, 0, 100)
		hits, err4 := tx.Search(ctx, []string{"text-" + id}, 10)
		presences, err5 := tx.Presences(ctx, account, id, at(0))
		entries, err6 := tx.Entries(ctx, desk.EntryQuery{Account: account, Subject: id}, 10)
		l := deskLife{Tagged: tagged, Records: len(records), Presences: len(presences), Entries: len(entries)}
		for _, i := range all {
			if i.CaseID == id {
				l.Items++
			}
		}
		for _, h := range hits {
			if h.Account == account {
				l.Texts++
			}
		}
		return l, errors.Join(err1, err2, err3, err4, err5, err6)
	}
}

// testDeskIsolation does with the desk what testIsolation does with cases, as
// far as something belongs to an account.
func testDeskIsolation(t *testing.T, s *store.Store) {
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return insertDeskLife(ctx, tx, account, "a") })
	item := func(ctx context.Context, tx desk.Tx) (desk.Item, error) { return tx.Item(ctx, account, "a") }
	before, itemBefore := mustViewDesk(t, s, deskLifeOf("a")), mustViewDesk(t, s, item)
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		_, err := tx.Item(ctx, foreign, "a")
		wantFault(t, "Item", err, desk.ErrNotFound)
		wantNone(t, "Items", listed(tx.Items(ctx, desk.ItemQuery{Account: foreign, Resolved: true}, 10)))
		wantNone(t, "Items", listed(tx.Items(ctx, desk.ItemQuery{Account: foreign, Tag: "tag-a"}, 10)))
		wantNone(t, "Records", listed(tx.Records(ctx, foreign, "a", 0, 100)))
		wantNone(t, "CommunicationRecords", listed(tx.CommunicationRecords(ctx, foreign, "a", 0, 100)))
		wantNone(t, "CaseRecords", listed(tx.CaseRecords(ctx, foreign, "a")))
		wantNone(t, "Presences", listed(tx.Presences(ctx, foreign, "a", at(0))))
		wantNone(t, "Entries", listed(tx.Entries(ctx, desk.EntryQuery{Account: foreign}, 10)))
		n, err := tx.CountItems(ctx, desk.ItemQuery{Account: foreign}, 10)
		if n != 0 || err != nil {
			t.Errorf("CountItems(foreign account) = %d, %v, want 0, nil", n, err)
		}
		other := newItem("a")
		other.Account, other.Status, other.Tags = foreign, cases.Resolved, nil
		return errors.Join(tx.UpdateItem(ctx, other), tx.DeletePresence(ctx, foreign, "a", "x"), tx.DeleteCase(ctx, foreign, "a"))
	})
	check := func(when string) {
		t.Helper()
		if diff := cmp.Diff(before, mustViewDesk(t, s, deskLifeOf("a"))); diff != "" {
			t.Errorf("a case %s (-before +after):\n%s", when, diff)
		}
		if diff := cmp.Diff(itemBefore, mustViewDesk(t, s, item)); diff != "" {
			t.Errorf("an item %s (-before +after):\n%s", when, diff)
		}
	}
	check("after a foreign account changed the same ids")
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return insertDeskLife(ctx, tx, foreign, "a") })
	check("beside the same ids of a foreign account")
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error { return tx.DeleteCase(ctx, foreign, "a") })
	check("after the same ids of a foreign account were deleted")
}

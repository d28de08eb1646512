package store_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

type deskPlan struct {
	name string
	run  func(tx desk.Tx) error
	want string // a part for each statement, with an empty line between them
	// postgres is the index there, where it may be another one.
	postgres string
}

// queuePlans are of the pages that agents look at. Each reads its index from
// the position on, in order, and the case of each item.
func queuePlans(t *testing.T) []deskPlan {
	ctx, now := t.Context(), time.Unix(1e9, 0)
	const (
		ofCase     = "\nc sqlite_autoindex_cases_1 (account=? AND id=?)"
		byPlace    = "(due_at,account,case_id)>(?,?,?)"
		ofItem     = "\ni sqlite_autoindex_desk_items_1 (account=? AND case_id=?)"
		inResolved = "\n\ni desk_items_resolved"
	)
	after := desk.Position{Due: now, Key: desk.Key{Account: account, CaseID: "a"}}
	var plans []deskPlan
	for _, test := range []struct {
		name string
		q    desk.ItemQuery
		want string
	}{
		{"open", desk.ItemQuery{}, "i desk_items_open (" + byPlace + ")" + ofCase},
		{"unassigned", desk.ItemQuery{Assignees: []string{""}}, "i desk_items_assignee (assignee=? AND " + byPlace + ")" + ofCase},
		{"of an agent", desk.ItemQuery{Assignees: []string{"a"}}, "i desk_items_assignee (assignee=? AND " + byPlace + ")" + ofCase},
		{
			"of an agent and of nobody",
			desk.ItemQuery{Assignees: []string{"a", ""}},
			strings.Repeat("i desk_items_assignee (assignee=? AND "+byPlace+")"+ofCase+"\n\n", 2),
		},
		{"of a team", desk.ItemQuery{Teams: []string{"a"}}, "i desk_items_team (team=? AND " + byPlace + ")" + ofCase},
		{
			"of two teams",
			desk.ItemQuery{Teams: []string{"a", "b"}},
			strings.Repeat("i desk_items_team (team=? AND "+byPlace+")"+ofCase+"\n\n", 2),
		},
		{"of a status", desk.ItemQuery{Status: cases.PendingCustomerAction}, "i desk_items_status (status=? AND " + byPlace + ")" + ofCase},
		{"due", desk.ItemQuery{DueBefore: now}, "i desk_items_open (" + byPlace + " AND due_at<?)" + ofCase},
		{"of a severity", desk.ItemQuery{Severity: "high"}, "i desk_items_severity (severity=? AND " + byPlace + ")" + ofCase},
		{"of a service", desk.ItemQuery{Service: "a"}, "i desk_items_service (service=? AND " + byPlace + ")" + ofCase},
		{"of an account", desk.ItemQuery{Account: account}, "i desk_items_account (account=? AND (due_at,case_id)>(?,?))" + ofCase},
		{"of a language", desk.ItemQuery{Language: "ja"}, "i desk_items_open (" + byPlace + ")" + ofCase},
		{"of a tag", desk.ItemQuery{Tag: "a"}, "g desk_tags_tag (tag=? AND is_open=? AND " + byPlace + ")" + ofItem + ofCase},
		{"all", desk.ItemQuery{Resolved: true}, "i desk_items_open (" + byPlace + ")" + ofCase + inResolved + " (" + byPlace + ")" + ofCase},
		{
			"all of an account",
			desk.ItemQuery{Account: account, Resolved: true},
			"i desk_items_account (account=? AND (due_at,case_id)>(?,?))" + ofCase + inResolved + "_account (account=? AND (due_at,case_id)>(?,?))" + ofCase,
		},
		{"an agent's of a status", desk.ItemQuery{Assignees: []string{"a"}, Status: cases.Opened}, "i desk_items_assignee (assignee=? AND " + byPlace + ")" + ofCase},
		{"a team's of a severity", desk.ItemQuery{Teams: []string{"a"}, Severity: "high"}, "i desk_items_team (team=? AND " + byPlace + ")" + ofCase},
	} {
		test.q.After = after
		plans = append(plans, deskPlan{
			name: "Items " + test.name, want: strings.TrimSuffix(test.want, "\n\n"),
			run: func(tx desk.Tx) error { _, err := tx.Items(ctx, test.q, 50); return err },
		})
	}
	return plans
}

// countPlans are of the counts of the views.
func countPlans(t *testing.T) []deskPlan {
	ctx, now := t.Context(), time.Unix(1e9, 0)
	var plans []deskPlan
	for _, test := range []struct {
		name           string
		q              desk.ItemQuery
		want, postgres string
	}{
		{"open", desk.ItemQuery{}, "SCAN i USING COVERING INDEX desk_items_status", "desk_items_open"}, // which has all that the statement names
		{"unassigned", desk.ItemQuery{Assignees: []string{""}}, "i desk_items_assignee (assignee=?)", ""},
		{"of an agent", desk.ItemQuery{Assignees: []string{"a"}}, "i desk_items_assignee (assignee=?)", ""},
		{"of a team", desk.ItemQuery{Teams: []string{"a"}}, "i desk_items_team (team=?)", ""},
		{"waiting", desk.ItemQuery{Status: cases.PendingCustomerAction}, "i desk_items_status (status=?)", ""},
		{"breaching", desk.ItemQuery{DueBefore: now}, "i desk_items_status (ANY(status) AND due_at<?)", "desk_items_open"},
	} {
		plans = append(plans, deskPlan{
			name: "CountItems " + test.name, want: test.want, postgres: cmp.Or(test.postgres, strings.Fields(test.want)[1]),
			run: func(tx desk.Tx) error { _, err := tx.CountItems(ctx, test.q, 1000); return err },
		})
	}
	return plans
}

func otherDeskPlans(t *testing.T) []deskPlan {
	ctx, now := t.Context(), time.Unix(1e9, 0)
	key := func(table, columns string) string {
		return table + " sqlite_autoindex_" + table + "_1 (" + columns + ")"
	}
	const ofCase = "account=? AND case_id=?"
	one := desk.Key{Account: account, CaseID: "a"}
	var plans []deskPlan
	for _, test := range []struct {
		name string
		run  func(tx desk.Tx) error
		want string
	}{
		{"Document", func(tx desk.Tx) error { _, err := tx.Document(ctx, "k", "a"); return ignoreNotFound(err) }, key("desk_documents", "kind=? AND id=?")},
		{"Documents", func(tx desk.Tx) error { _, err := tx.Documents(ctx, "k"); return err }, key("desk_documents", "kind=?")},
		{"DeleteDocument", func(tx desk.Tx) error { return tx.DeleteDocument(ctx, "k", "a") }, key("desk_documents", "kind=? AND id=?")},
		{
			"Item", func(tx desk.Tx) error { _, err := tx.Item(ctx, account, "a"); return ignoreNotFound(err) },
			"i sqlite_autoindex_desk_items_1 (account=? AND case_id=?)\nc sqlite_autoindex_cases_1 (account=? AND id=?)",
		},
		{
			"UpdateItem", func(tx desk.Tx) error { return tx.UpdateItem(ctx, desk.Item{Key: one}) },
			key("desk_items", ofCase) + "\n\n" + key("desk_tags", ofCase),
		},
		{"ItemsToWake", func(tx desk.Tx) error { _, err := tx.ItemsToWake(ctx, now, 10); return err }, "desk_items desk_items_wake (wake_at>? AND wake_at<?)"},
		{"NextWake", func(tx desk.Tx) error { _, err := tx.NextWake(ctx); return err }, "desk_items desk_items_wake (wake_at>?)"},
		{"CasesByDisplayID", func(tx desk.Tx) error { _, err := tx.CasesByDisplayID(ctx, "1"); return err }, "cases cases_display_id (display_id=?)"},
		{"Loads", func(tx desk.Tx) error { _, err := tx.Loads(ctx, []string{"a", "b"}); return err }, "desk_items desk_items_assignee (assignee=?)"},
		{"Records", func(tx desk.Tx) error { _, err := tx.Records(ctx, account, "a", 1, 10); return err }, key("desk_records", ofCase+" AND number>?")},
		{
			"CommunicationRecords", func(tx desk.Tx) error { _, err := tx.CommunicationRecords(ctx, account, "a", 1, 10); return err },
			"desk_records desk_records_communication (" + ofCase + " AND communication>? AND communication<?)",
		},
		{
			"CaseRecords", func(tx desk.Tx) error { _, err := tx.CaseRecords(ctx, account, "a"); return err },
			"desk_records desk_records_other_case (" + ofCase + ")",
		},
		{"Presences", func(tx desk.Tx) error { _, err := tx.Presences(ctx, account, "a", now); return err }, key("desk_presences", ofCase)},
		{"DeletePresence", func(tx desk.Tx) error { return tx.DeletePresence(ctx, account, "a", "b") }, key("desk_presences", ofCase+" AND agent=?")},
	} {
		plans = append(plans, deskPlan{name: test.name, run: test.run, want: test.want})
	}
	for _, n := range []int{1, 10} { // of one statement
		plans = append(plans, deskPlan{
			name: fmt.Sprintf("ItemsByKey of %d", n), run: func(tx desk.Tx) error { _, err := tx.ItemsByKey(ctx, make([]desk.Key, n)); return err },
			want: "i sqlite_autoindex_desk_items_1 (account=? AND case_id=?)\nc sqlite_autoindex_cases_1 (account=? AND id=?)",
		})
	}
	before := desk.EntryPosition{At: now, ID: "a"}
	for _, test := range []struct {
		q    desk.EntryQuery
		want string
	}{
		{desk.EntryQuery{}, "desk_audit sqlite_autoindex_desk_audit_1 ("},
		{desk.EntryQuery{Agent: "a"}, "desk_audit desk_audit_agent (agent=? AND "},
		{desk.EntryQuery{Action: "a"}, "desk_audit desk_audit_action (action=? AND "},
		{desk.EntryQuery{Account: account}, "desk_audit desk_audit_account (account=? AND "},
		{desk.EntryQuery{Subject: "a"}, "desk_audit desk_audit_subject (subject=? AND "},
		{desk.EntryQuery{Subject: "a", Agent: "a", Action: "a", Account: account}, "desk_audit desk_audit_subject (subject=? AND "},
	} {
		test.q.Before = before
		plans = append(plans, deskPlan{
			name: fmt.Sprintf("Entries of %+v", test.q), want: test.want + "created_at>? AND (created_at,id)<(?,?))",
			run: func(tx desk.Tx) error { _, err := tx.Entries(ctx, test.q, 10); return err },
		})
	}
	return plans
}

func ignoreNotFound(err error) error {
	if err == desk.ErrNotFound {
		return nil
	}
	return err
}

func deskPlans(t *testing.T) []deskPlan {
	return append(append(queuePlans(t), countPlans(t)...), otherDeskPlans(t)...)
}

// statementsOf returns what a call runs between BEGIN and ROLLBACK.
func statementsOf(t *testing.T, s *store.Store, w *watch, test deskPlan) []string {
	t.Helper()
	w.take()
	if err := s.Desk().View(t.Context(), test.run); err != nil {
		t.Errorf("%s = %v, want nil", test.name, err)
	}
	statements := w.take()
	return statements[1 : len(statements)-1]
}

func TestDeskStatementsSearchTheirIndex(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	for _, test := range deskPlans(t) {
		var plans []string
		for _, text := range statementsOf(t, s, w, test) {
			plans = append(plans, plan(t, s, text, false))
		}
		if diff := diff.Diff(test.want, strings.Join(plans, "\n\n")); diff != "" {
			t.Errorf("plan of %s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestPostgresSearchesTheSameDeskIndexes(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	mustOpenURL(t, url)
	pgtest.Exec(t, url, busyDesk)
	s, w := mustOpenWatched(t, newFile(t))
	for _, test := range deskPlans(t) {
		statements := statementsOf(t, s, w, test)
		wants := strings.Split(test.want, "\n\n")
		for i, text := range statements {
			got := postgresPlan(t, url, text)
			if strings.Contains(got, "Seq Scan") {
				t.Errorf("%s reads a whole table:\n%s", test.name, got)
			}
			want := indexesOf(wants[i])
			if test.postgres != "" {
				want = []string{test.postgres}
			}
			if diff := diff.Diff(want, indexesIn(got)); diff != "" {
				t.Errorf("indexes of %s (-want +got):\n%s\n%s", test.name, diff, got)
			}
		}
	}
}

func searchFor(terms ...string) func(tx desk.Tx) error {
	return func(tx desk.Tx) error {
		_, err := tx.Search(context.Background(), terms, 50)
		return err
	}
}

func TestSearchReadsTheIndexOfTerms(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	texts := statementsOf(t, s, w, deskPlan{name: "Search", run: searchFor("a", "b")})
	got := explain(t, s, texts[0])
	for _, step := range []string{"SEARCH desk_texts USING INTEGER PRIMARY KEY (rowid=?)", "SCAN desk_search VIRTUAL TABLE INDEX"} {
		if !strings.Contains(got, step) {
			t.Errorf("plan of Search:\n%s\nwant %s", got, step)
		}
	}
	if strings.Contains(got, "SCAN desk_texts") || strings.Contains(got, "ORDER BY") {
		t.Errorf("plan of Search:\n%s\nwant nothing read as a whole but the queue, nothing sorted", got)
	}
}

func TestPostgresSearchReadsTheIndexOfTerms(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := mustOpenURL(t, url)
	pgtest.Exec(t, url, busyDesk)
	if err := s.Desk().View(t.Context(), searchFor("a", "b")); err != nil {
		t.Fatal(err)
	}
	if got := postgresPlan(t, url, store.PostgresSearch); !slices.Equal(indexesIn(got), []string{"desk_texts_terms"}) {
		t.Errorf("plan of Search:\n%s\nwant a search of desk_texts_terms", got)
	}
}

// busyDesk is a hundred accounts with three hundred cases each, one in ten of
// which is open.
const busyDesk = `
INSERT INTO cases (account, id, display_id, subject, status, service_code, category_code, severity_code, issue_type, language,
	submitted_by, cc_addresses, created_at, resolved_at, communications, moves)
SELECT (100000000000 + n::bigint % 100)::text, 'case-' || md5(n::text), n::text, 'subject', CASE WHEN n % 10 = 0 THEN 'opened' ELSE 'resolved' END,
	's', 'c', 'low', 'technical', 'en', 'o@example.com', '', n::bigint * 1000000, 0, 3, 0
FROM generate_series(1, 30000) AS n;
INSERT INTO desk_items (account, case_id, status, severity, service, language, assignee, team, tags, due_at, wake_at, history, fired,
	merged_into, version, records, created_at, changed_at)
SELECT account, id, CASE WHEN status = 'resolved' THEN status ELSE (ARRAY['unassigned', 'opened', 'pending-customer-action'])[1 + n % 3] END,
	(ARRAY['low', 'high', 'urgent'])[1 + n % 3], 'service-' || n % 50, (ARRAY['en', 'ja'])[1 + n % 2], CASE WHEN n % 4 = 0 THEN '' ELSE 'agent-' || n % 60 END,
	CASE WHEN n % 5 = 0 THEN '' ELSE 'team-' || n % 7 END, '[]', CASE WHEN status = 'resolved' THEN 9223372036854775807 ELSE n * 1000 END,
	CASE WHEN status = 'resolved' THEN 0 ELSE n * 1000 END, '{}', '[]', '', 1, 0, 0, 0
FROM (SELECT account, id, status, row_number() OVER (ORDER BY id) AS n FROM cases) AS c;
INSERT INTO desk_tags (account, case_id, tag, due_at, is_open)
SELECT account, case_id, 'tag-' || created_at % 100, due_at, status <> 'resolved' FROM desk_items;
INSERT INTO desk_documents (kind, id, version, content, changed_at) SELECT 'kind-' || n % 6, 'd' || n, 1, '', 0 FROM generate_series(1, 3000) AS n;
INSERT INTO desk_records (account, case_id, number, created_at, agent, event) SELECT account, case_id, n, 0, '', 'note' FROM desk_items, generate_series(1, 3) AS n;
INSERT INTO desk_presences (account, case_id, agent, replying, expires_at) SELECT account, case_id, 'x', false, 0 FROM desk_items;
INSERT INTO desk_texts (account, case_id, number, terms, created_at) SELECT account, case_id, 1, 'common word-' || md5(case_id), wake_at FROM desk_items;
INSERT INTO desk_audit (created_at, id, agent, token_id, request_id, action, account, subject)
SELECT n, n::text, 'agent-' || n % 50, '', '', 'action-' || n % 20, (100000000000 + n::bigint % 100)::text, 'subject-' || n / 3 FROM generate_series(1, 50000) AS n;
ANALYZE;`

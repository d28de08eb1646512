package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
)

// planned is a call of a reading method and the plan that its statement should
// have: a line for each table with its index and what is searched in it.
type planned[T any] struct {
	name  string
	run   func(tx T) error
	want  string
	sorts bool // the few rows found
}

const (
	keyset    = "(created_at,id)>(?,?) AND created_at<?)"
	byDisplay = "cases cases_display_id (display_id=? AND account=?)"
)

// Each statement that serves a caller searches the one index that its comment
// names, from where its rows begin to where they end, and sorts nothing but a
// list that is short anyway. So its cost does not grow with the number of cases.
func TestStatementsSearchTheirIndex(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	tests := append(pagePlans(t), otherPlans(t)...)
	for _, n := range []int{1, 10, 100} {
		tests = append(tests, listPlans(t, make([]string, n))...)
	}
	checkPlans(t, s, w, s.Cases().View, tests)
}

// view is how a room reads.
type view[T any] = func(context.Context, func(T) error) error

func checkPlans[T any](t *testing.T, s *store.Store, w *watch, read view[T], tests []planned[T]) {
	t.Helper()
	for _, test := range tests {
		w.take()
		if err := read(t.Context(), test.run); err != nil {
			t.Errorf("%s = %v, want nil", test.name, err)
		}
		statements := w.take()
		if len(statements) != 3 {
			t.Errorf("%s runs %q, want one statement between BEGIN and ROLLBACK", test.name, statements)
			continue
		}
		if got := plan(t, s, statements[1], test.sorts); got != test.want {
			t.Errorf("plan of %s:\n%s\nwant:\n%s", test.name, got, test.want)
		}
	}
}

func pagePlans(t *testing.T) []planned[cases.Tx] {
	page := func(name string, q cases.PageQuery, want string) planned[cases.Tx] {
		return planned[cases.Tx]{name: "CasesPage " + name, want: want, run: func(tx cases.Tx) error {
			_, err := tx.CasesPage(t.Context(), account, q, 10)
			return err
		}}
	}
	now := time.Unix(1e9, 0)
	of := cases.TimeRange{After: now, Before: now}
	return []planned[cases.Tx]{
		page("all", cases.PageQuery{IncludeResolved: true}, "cases cases_created (account=? AND "+keyset),
		page("all of a time", cases.PageQuery{IncludeResolved: true, TimeRange: of}, "cases cases_created (account=? AND "+keyset),
		page("open", cases.PageQuery{}, "cases cases_open (account=? AND "+keyset),
		page("language", cases.PageQuery{IncludeResolved: true, Language: "en"}, "cases cases_language (account=? AND language=? AND "+keyset),
		page("open language", cases.PageQuery{Language: "en"}, "cases cases_open_language (account=? AND language=? AND "+keyset),
		page("open language of a time", cases.PageQuery{Language: "en", TimeRange: of}, "cases cases_open_language (account=? AND language=? AND "+keyset),
		page("display id", cases.PageQuery{IncludeResolved: true, DisplayID: "1"}, byDisplay),
		page("open display id", cases.PageQuery{DisplayID: "1"}, byDisplay),
		page("language display id", cases.PageQuery{IncludeResolved: true, Language: "en", DisplayID: "1"}, byDisplay),
		page("open language display id", cases.PageQuery{Language: "en", DisplayID: "1", TimeRange: of}, byDisplay),
	}
}

// listPlans are of the statements that take a list of cases.
func listPlans(t *testing.T, ids []string) []planned[cases.Tx] {
	const ofCases = "c sqlite_autoindex_cases_1 (account=? AND id=?)\n"
	return []planned[cases.Tx]{
		{
			name: fmt.Sprintf("CasesByID of %d", len(ids)), sorts: true,
			want: "cases sqlite_autoindex_cases_1 (account=? AND id=?)",
			run:  func(tx cases.Tx) error { _, err := tx.CasesByID(t.Context(), account, ids); return err },
		},
		{
			name: fmt.Sprintf("RecentCommunications of %d", len(ids)),
			want: ofCases + "m sqlite_autoindex_communications_1 (account=? AND case_id=? AND number>?)",
			run:  func(tx cases.Tx) error { _, err := tx.RecentCommunications(t.Context(), account, ids, 5); return err },
		},
		{
			name: fmt.Sprintf("RecentAttachments of %d", len(ids)),
			want: ofCases + "a attachments_case (account=? AND case_id=? AND communication>?)",
			run:  func(tx cases.Tx) error { _, err := tx.RecentAttachments(t.Context(), account, ids, 5); return err },
		},
	}
}

func otherPlans(t *testing.T) []planned[cases.Tx] {
	now := time.Unix(1e9, 0)
	ctx := t.Context()
	return []planned[cases.Tx]{
		{
			name: "CountCasesSince", want: "cases cases_created (account=? AND created_at>?)",
			run: func(tx cases.Tx) error { _, err := tx.CountCasesSince(ctx, account, now, 10); return err },
		},
		{
			name: "CountSetsSince", want: "attachment_sets attachment_sets_created (account=? AND created_at>?)",
			run: func(tx cases.Tx) error { _, err := tx.CountSetsSince(ctx, account, now, 10); return err },
		},
		{
			name: "CasesBefore", want: "cases cases_created (account=? AND created_at<?)",
			run: func(tx cases.Tx) error { _, err := tx.CasesBefore(ctx, account, now, 10); return err },
		},
		{
			name: "SetsExpiredBefore", want: "attachment_sets attachment_sets_expires (account=? AND expires_at<?)",
			run: func(tx cases.Tx) error { _, err := tx.SetsExpiredBefore(ctx, account, now, 10); return err },
		},
		{
			name: "CommunicationsPage", want: "communications sqlite_autoindex_communications_1 (account=? AND case_id=? AND number<?)",
			run: func(tx cases.Tx) error {
				_, err := tx.CommunicationsPage(ctx, account, "a", cases.TimeRange{After: now, Before: now}, 10, 10)
				return err
			},
		},
		{
			name: "AttachmentsBetween", want: "attachments attachments_case (account=? AND case_id=? AND communication>? AND communication<?)",
			run: func(tx cases.Tx) error { _, err := tx.AttachmentsBetween(ctx, account, "a", 1, 5); return err },
		},
		{
			name: "AttachmentsOfCase", want: "attachments attachments_case (account=? AND case_id=?)",
			run: func(tx cases.Tx) error { _, err := tx.AttachmentsOfCase(ctx, account, "a"); return err },
		},
		{
			name: "HasAttachment", want: "attachments attachments_set (account=? AND set_id=?)",
			run: func(tx cases.Tx) error { _, err := tx.HasAttachment(ctx, account, "a", "b"); return err },
		},
		{
			name: "DeleteAnswers", want: "answers sqlite_autoindex_answers_1 (account=? AND key=?)\nLIST SUBQUERY 1\nanswers answers_created (account=? AND created_at<?)",
			run: func(tx cases.Tx) error { _, err := tx.DeleteAnswers(ctx, account, now, 50); return err },
		},
		{
			name: "TakeAttachments", want: "attachments attachments_set (account=? AND set_id=?)",
			run: func(tx cases.Tx) error { return tx.TakeAttachments(ctx, account, "a", "b", 1) },
		},
	}
}

// plan returns the searches of a statement in the order in which they nest, and
// every other step that costs something as SQLite names it.
func plan(t *testing.T, s *store.Store, text string, sorts bool) string {
	t.Helper()
	rows, err := s.Writer().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, make([]any, strings.Count(text, "$"))...)
	if err != nil {
		t.Fatalf("EXPLAIN QUERY PLAN %s: %v", text, err)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	return shortPlan(steps, sorts)
}

func shortPlan(steps []string, sorts bool) string {
	free := map[string]bool{
		"CO-ROUTINE recent": true, "SCAN recent": true, "CO-ROUTINE found": true, "SCAN found": true, "CO-ROUTINE k": true, "SCAN k": true,
		"SCALAR SUBQUERY 1": true, "SCAN CONSTANT ROW": true,
		"USE TEMP B-TREE FOR ORDER BY": sorts,
	}
	var kept []string
	for _, step := range steps {
		if free[step] || strings.HasSuffix(step, "-ROW VALUES CLAUSE") {
			continue
		}
		if search, ok := strings.CutPrefix(step, "SEARCH "); ok {
			step = strings.NewReplacer("USING COVERING INDEX ", "", "USING INDEX ", "").Replace(search)
		}
		kept = append(kept, step)
	}
	return strings.Join(kept, "\n")
}

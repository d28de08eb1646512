package store_test

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/store/pgtest"
)

// On a busy PostgreSQL with the statistics that it gathers by itself, each
// statement that serves a caller searches the same indexes as in SQLite.
func TestPostgresSearchesTheSameIndexes(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	mustOpenURL(t, url)
	pgtest.Exec(t, url, busyHouse)
	s, w := mustOpenWatched(t, newFile(t)) // which shows the texts: they are the same
	tests := append(pagePlans(t), otherPlans(t)...)
	tests = append(tests, listPlans(t, make([]string, 100))...)
	checkPostgresPlans(t, url, w, s.Cases().View, tests)
}

func checkPostgresPlans[T any](t *testing.T, url string, w *watch, read view[T], tests []planned[T]) {
	t.Helper()
	for _, test := range tests {
		w.take()
		if err := read(t.Context(), test.run); err != nil {
			t.Errorf("%s = %v, want nil", test.name, err)
		}
		got := postgresPlan(t, url, w.take()[1])
		if strings.Contains(got, "Seq Scan") {
			t.Errorf("%s reads a whole table:\n%s", test.name, got)
		}
		if diff := cmp.Diff(indexesOf(test.want), indexesIn(got)); diff != "" {
			t.Errorf("indexes of %s (-want +got):\n%s\n%s", test.name, diff, got)
		}
	}
}

// busyHouse is a hundred accounts with three hundred cases each.
const busyHouse = `
INSERT INTO cases (account, id, display_id, subject, status, service_code, category_code, severity_code, issue_type, language,
	submitted_by, cc_addresses, created_at, resolved_at, communications, moves)
SELECT (100000000000 + n::bigint % 100)::text, 'case-' || md5(n::text), n::text, 'subject', CASE WHEN n % 10 = 0 THEN 'unassigned' ELSE 'resolved' END,
	's', 'c', 'low', 'technical', CASE WHEN n % 7 = 0 THEN 'ja' ELSE 'en' END, 'o@example.com', '', n::bigint * 1000000, 0, 3, 0
FROM generate_series(1, 30000) AS n;
INSERT INTO communications (account, case_id, number, body, submitted_by, created_at)
SELECT account, id, number, 'body', 'o@example.com', created_at FROM cases, generate_series(1, 3) AS number;
INSERT INTO attachment_sets (account, id, created_at, expires_at, used_at, files)
SELECT account, 'as-' || id, created_at, created_at + 3600, 0, 1 FROM cases WHERE display_id LIKE '%5';
INSERT INTO attachments (account, id, set_id, position, file_name, size, sha256, case_id, communication)
SELECT account, 'attachment-' || id, 'as-' || id, 1, 'a.txt', 1, 'hash', id, 1 FROM cases WHERE display_id LIKE '%5';
INSERT INTO answers (account, key, answer, created_at) SELECT account, id::bytea, '{}', created_at FROM cases;
ANALYZE;`

// postgresPlan returns the plan that a prepared statement gets for any values,
// on tables that are too large to be read as a whole.
func postgresPlan(t *testing.T, url, text string) string {
	t.Helper()
	n := 0
	for _, found := range regexp.MustCompile(`\$\d+`).FindAllString(text, -1) {
		var number int
		if _, err := fmt.Sscanf(found, "$%d", &number); err != nil {
			t.Fatal(err)
		}
		n = max(n, number)
	}
	values := ""
	if n > 0 {
		values = "(" + strings.TrimSuffix(strings.Repeat("NULL,", n), ",") + ")"
	}
	out, err := exec.CommandContext(t.Context(), pgtest.Bin(t, "psql"), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
		"--command=SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off", "--command=PREPARE one AS "+text,
		"--command=EXPLAIN EXECUTE one "+values, url).CombinedOutput()
	if err != nil {
		t.Fatalf("EXPLAIN %s: %v\n%s", text, err, out)
	}
	return string(out)
}

// indexesOf returns the indexes in a plan of SQLite, by their names in
// PostgreSQL.
func indexesOf(plan string) (names []string) {
	for line := range strings.SplitSeq(plan, "\n") {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] == "LIST" || strings.HasSuffix(line, "VALUES CLAUSE") {
			continue
		}
		names = append(names, regexp.MustCompile(`^sqlite_autoindex_(\w+)_1$`).ReplaceAllString(words[1], "${1}_pkey"))
	}
	slices.Sort(names)
	return names
}

func indexesIn(plan string) (names []string) {
	for _, found := range regexp.MustCompile(`Index (?:Only )?Scan (?:Backward )?(?:using|on) (\w+)`).FindAllStringSubmatch(plan, -1) {
		names = append(names, found[1])
	}
	slices.Sort(names)
	return names
}

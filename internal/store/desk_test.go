package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

func mustUpdateDesk(t testing.TB, s *store.Store, f func(ctx context.Context, tx desk.Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := s.Desk().Update(ctx, account, func(tx desk.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatalf("Update() = %v, want nil", err)
	}
}

func mustViewDesk[T any](t testing.TB, s *store.Store, f func(ctx context.Context, tx desk.Tx) (T, error)) (found T) {
	t.Helper()
	ctx := t.Context()
	err := s.Desk().View(ctx, func(tx desk.Tx) (err error) {
		found, err = f(ctx, tx)
		return err
	})
	if err != nil {
		t.Fatalf("View() = %v, want nil", err)
	}
	return found
}

func newText(caseID string, number int64, at time.Time, terms ...string) desk.Text {
	return desk.Text{Key: desk.Key{Account: account, CaseID: caseID}, Number: number, Terms: terms, At: at}
}

// numbersFound returns the numbers of the texts in which a term stands.
func numbersFound(t *testing.T, s *store.Store, term string, limit int) (numbers []int64) {
	t.Helper()
	hits := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Hit, error) {
		return tx.Search(ctx, []string{term}, limit)
	})
	for _, h := range hits {
		numbers = append(numbers, h.Number)
	}
	return numbers
}

type otherTx struct{ cases.Tx }

func TestATransactionOfNoStoreIsAMistake(t *testing.T) {
	t.Parallel()
	defer func() {
		if got := recover(); got == nil {
			t.Errorf("DeskTx(transaction of no store) does not panic")
		}
	}()
	store.DeskTx(otherTx{})
}

func insertEntry(ctx context.Context, tx desk.Tx) error {
	return tx.InsertEntry(ctx, desk.Entry{At: time.UnixMicro(1), ID: "1", Agent: "agent", Action: "case.note", Account: account, Before: []byte("{}")})
}

func entries(ctx context.Context, tx desk.Tx) ([]desk.Entry, error) {
	return tx.Entries(ctx, desk.EntryQuery{}, 10)
}

// wantAppendOnly expects an entry that is there to stay, whatever is tried.
func wantAppendOnly(t *testing.T, s *store.Store, statements ...string) {
	t.Helper()
	mustUpdateDesk(t, s, insertEntry)
	before := mustViewDesk(t, s, entries)
	if len(before) != 1 {
		t.Fatalf("%d entries, want one", len(before))
	}
	for _, text := range append(statements,
		`UPDATE desk_audit SET agent = 'somebody else'`, `UPDATE desk_audit SET agent = agent`,
		`DELETE FROM desk_audit`, `DELETE FROM desk_audit WHERE id = '1'`,
		`INSERT INTO desk_audit (created_at, id, agent, token_id, request_id, action, account, subject) VALUES (1, '1', '', '', '', '', '', '')
			ON CONFLICT (created_at, id) DO UPDATE SET agent = excluded.agent`,
	) {
		if err := s.Exec(t.Context(), text); err == nil || !strings.Contains(err.Error(), "the audit log is append-only") {
			t.Errorf("%s = %v, want a refusal", text, err)
		}
		if diff := cmp.Diff(before, mustViewDesk(t, s, entries)); diff != "" {
			t.Errorf("entries after %s (-before +after):\n%s", text, diff)
		}
	}
}

func TestTheAuditLogIsAppendOnly(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		wantAppendOnly(t, mustOpen(t, newFile(t)),
			`INSERT OR REPLACE INTO desk_audit (created_at, id, agent, token_id, request_id, action, account, subject) VALUES (1, '1', '', '', '', '', '', '')`)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		wantAppendOnly(t, mustOpenURL(t, pgtest.Database(t)), `TRUNCATE desk_audit`)
	})
}

func TestResetLeavesNothingButSettings(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, s *store.Store) {
		mustImport(t, s, 6, 113)
		if err := s.Exec(t.Context(), `INSERT INTO iam_version (id, version) VALUES (1, 1)`); err != nil {
			t.Fatal(err)
		}
		before := mustSnapshot(t, s)
		for round := range 2 {
			version := mustIAMVersion(t, s)
			if err := s.Reset(t.Context()); err != nil {
				t.Fatalf("Reset() = %v, want nil", err)
			}
			left := mustSnapshot(t, s)
			if got := mustIAMVersion(t, s); got <= version {
				t.Errorf("IAMVersion() after Reset = %d, want more than %d", got, version)
			}
			delete(left, "iam_version")
			checkRows(t, left, map[string][]store.Row{"settings": before["settings"]})
			if got := numbersFound(t, s, "term", 10); got != nil {
				t.Errorf("Search() after Reset = %v, want none", got)
			}
			wantAppendOnly(t, s)
			mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
				for i := range int64(100) {
					if err := tx.InsertText(ctx, newText("a", i, time.Unix(i, 0), "term")); err != nil {
						return err
					}
				}
				return nil
			})
			if got := numbersFound(t, s, "term", 2); !slices.Equal(got, []int64{99, 98}) {
				t.Errorf("Search() in round %d = %v, want 99 and 98", round, got)
			}
		}
	})
}

func mustIAMVersion(t *testing.T, s *store.Store) int64 {
	t.Helper()
	version, err := s.IAM().IAMVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func TestAResetThatFailsLeavesEverything(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	mustUpdateDesk(t, s, insertEntry)
	broken := errors.New("broken")
	w.intercept(func(text string) error {
		if strings.HasPrefix(text, "CREATE TRIGGER desk_audit_deleted") {
			return broken
		}
		return nil
	}, nil)
	if err := s.Reset(t.Context()); !errors.Is(err, broken) {
		t.Errorf("Reset() = %v, want %v", err, broken)
	}
	w.intercept(nil, nil)
	if got := mustViewDesk(t, s, entries); len(got) != 1 {
		t.Errorf("%d entries after a reset that failed, want one", len(got))
	}
	if err := s.Exec(t.Context(), `DELETE FROM desk_audit`); err == nil {
		t.Errorf("DELETE FROM desk_audit after a reset that failed = nil, want a refusal")
	}
}

// An update that has begun before a reset leaves nothing behind it.
func TestAResetWaitsForUpdates(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := mustOpenURL(t, url)
	reset := make(chan error, 1)
	err := s.Desk().Update(t.Context(), account, func(tx desk.Tx) error {
		if err := tx.InsertCase(t.Context(), newCase("a")); err != nil {
			return err
		}
		go func() { reset <- s.Reset(t.Context()) }()
		for len(reset) == 0 && len(pgtest.Query[int64](t, url, `SELECT 1::bigint FROM pg_locks WHERE NOT granted`)) == 0 {
		}
		return nil
	})
	if err := errors.Join(err, <-reset); err != nil {
		t.Fatal(err)
	}
	if has(t, s, "a") {
		t.Errorf("the case of an update that began before the reset is there")
	}
}

// The copy of VACUUM INTO, an import and an upgrade find what the original does.
func TestABackupFindsTheSameTexts(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, newFile(t))
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		for i := range int64(200) {
			if err := tx.InsertText(ctx, newText(fmt.Sprint("case-", i%10), i, time.Unix(i, 0), "term", fmt.Sprint("n", i))); err != nil {
				return err
			}
		}
		return tx.DeleteCase(ctx, account, "case-3") // a gap, which VACUUM closes
	})
	file := newFile(t)
	if err := s.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	copied := mustOpen(t, file)
	for _, term := range []string{"term", "n7", "n13", "n190", "n199"} {
		if diff := cmp.Diff(numbersFound(t, s, term, 1000), numbersFound(t, copied, term, 1000)); diff != "" {
			t.Errorf("Search(%s) (-original +backup):\n%s", term, diff)
		}
	}
	mustUpdateDesk(t, copied, func(ctx context.Context, tx desk.Tx) error { return tx.DeleteCase(ctx, account, "case-4") })
	wantWholeIndex(t, copied)
}

// wantWholeIndex expects that the index of terms holds what the table holds.
func wantWholeIndex(t *testing.T, s *store.Store) {
	t.Helper()
	for _, text := range []string{
		`INSERT INTO desk_search (rowid, terms) SELECT t.id, t.terms FROM desk_search_queue AS q CROSS JOIN desk_texts AS t WHERE t.id = q.id`,
		`DELETE FROM desk_search_queue`,
		`INSERT INTO desk_search (desk_search, rank) VALUES ('integrity-check', 1)`,
	} {
		if err := s.Exec(t.Context(), text); err != nil {
			t.Errorf("%s = %v, want nil", text, err)
		}
	}
}

// An import adds texts by their cases; the newest are found first all the same.
func TestImportedTextsAreFoundByTheirTimes(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, s *store.Store) {
		var rows []store.Row
		var want []int64
		for i := range int64(300) {
			at := (i * 7919 % 300) * 1000 // each millisecond once
			rows = append(rows, store.Row{account, fmt.Sprint("case-", i), i, fmt.Sprint("term n", i), at + 5})
		}
		for at := int64(299); at >= 0; at-- {
			i := slices.IndexFunc(rows, func(row store.Row) bool { return row[4].(int64) == at*1000+5 })
			want = append(want, int64(i))
		}
		texts := store.Tables()[slices.IndexFunc(store.Tables(), func(t store.Table) bool { return t.Name == "desk_texts" })]
		mark := []byte("mark")
		if err := errors.Join(s.BeginImport(t.Context(), mark), s.Import(t.Context(), texts, rows, mark, mark), s.FinishImport(t.Context(), mark)); err != nil {
			t.Fatal(err)
		}
		for _, limit := range []int{5, 1000} {
			if diff := cmp.Diff(want[:min(limit, len(want))], numbersFound(t, s, "term", limit)); diff != "" {
				t.Errorf("Search(limit %d) (-want +got):\n%s", limit, diff)
			}
		}
	})
}

func TestTheIndexOfTermsFollowsTheTexts(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, newFile(t))
	mustImport(t, s, 7, 200) // random terms
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		for i := range int64(150) {
			if err := tx.InsertText(ctx, newText(fmt.Sprint("case-", i%7), i, time.Unix(i%3, i), "term", fmt.Sprint("n", i))); err != nil {
				return err
			}
		}
		return errors.Join(tx.DeleteCase(ctx, account, "case-1"), tx.DeleteCase(ctx, account, "case-6"))
	})
	wantWholeIndex(t, s)
}

func BenchmarkReset(b *testing.B) {
	s, err := store.Open(b.Context(), "sqlite://"+filepath.Join(b.TempDir(), "test.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		for i := range 20 {
			err := s.Desk().Update(b.Context(), account, func(tx desk.Tx) error {
				id := fmt.Sprint(i)
				return errors.Join(tx.InsertCase(b.Context(), newCase(id)),
					tx.InsertItem(b.Context(), desk.Item{Key: desk.Key{Account: account, CaseID: id}}), insertText(b.Context(), tx, id))
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		start := time.Now()
		if err := s.Reset(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "last-reset-ms")
	}
}

func insertText(ctx context.Context, tx desk.Tx, id string) error {
	return tx.InsertText(ctx, newText(id, 1, time.Unix(1, 0), "a", "b"))
}

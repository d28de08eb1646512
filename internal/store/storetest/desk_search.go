package storetest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/store"
)

// strangeTerms are terms that mean something in one query language or another,
// or that a parser of texts would take apart.
func strangeTerms() []string {
	return []string{
		"and", "or", "not", "near", "AND", "OR", "NOT", "NEAR", "near(a", "b)", "near/3", "terms:a", "terms", ":", "a:*", "-a", "+", "^a", "*", "a*",
		`"`, `"a"`, `""`, "'", "''", "'a' | 'b'", "a&b", "!a", "<->", "(", ")", "{", "}", "[1]", "{a,b}", "null", "NULL", `\`, `\\`, `a\`, "%", "_", "$1", "?", ";--",
		"us-east-1", "10.0.0.1", "i-0abc", "1e5", "1.50", "-1", "3.14", "a.b", "a@b.c", "http://a.b/c?d=e", "/var/log", "c:\\x", "case-1-muen-2026-00ff", "00", "0", "1",
		"日本", "本語", "語", "ünïcode", "ß", "ɐ", "한국", "привет", "שלום", "नमस्ते", "e\u0301", "🙂", "👩‍💻", "\U0010ffff", "\ue000", "\u200b", "\u00ad", "a", "b",
	}
}

// finds says without SQL what a search is for.
func finds(terms, stored []string) bool {
	for _, term := range terms {
		if !slices.Contains(stored, term) {
			return false
		}
	}
	return true
}

func mustSearch(t *testing.T, s *store.Store, terms []string, limit int) []desk.Hit {
	t.Helper()
	return mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Hit, error) { return tx.Search(ctx, terms, limit) })
}

// What was stored is found by the same terms, and nothing else is: no term is an
// operator of the engine, and none is taken apart.
func testDeskSearchTakesTermsAsTheyAre(t *testing.T, s *store.Store) {
	strange := strangeTerms()
	strange = slices.DeleteFunc(strange, func(term string) bool { return strings.Contains(term, " ") })
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		for i, term := range strange {
			text := desk.Text{Key: keyOf(fmt.Sprint("case-", i)), Number: 1, Terms: []string{"first", term, "last"}, At: at(i)}
			if err := tx.InsertText(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	for i, term := range strange {
		for _, terms := range [][]string{{term}, {"last", term, "first"}} {
			hits := mustSearch(t, s, terms, 100)
			if !slices.ContainsFunc(hits, func(h desk.Hit) bool { return h.CaseID == fmt.Sprint("case-", i) }) || len(hits) > 2 {
				t.Errorf("Search(%q) = %v, want case-%d, perhaps with its other case", terms, hits, i)
			}
		}
		if hits := mustSearch(t, s, []string{term, "missing"}, 100); len(hits) > 0 {
			t.Errorf("Search(%q and missing) = %v, want none", term, hits)
		}
	}
	if hits := mustSearch(t, s, []string{"first"}, 1000); len(hits) != len(strange) {
		t.Errorf("Search(first) = %d hits, want all %d", len(hits), len(strange))
	}
	for _, terms := range [][]string{nil, {}, {""}, {" ", "\x00"}} {
		if hits := mustSearch(t, s, terms, 10); len(hits) > 0 {
			t.Errorf("Search(%q) = %v, want none", terms, hits)
		}
	}
}

// Texts come and go in any order of their times, and the newest are found.
func testDeskSearchLikeANaiveFilter(t *testing.T, s *store.Store) {
	r := rand.New(rand.NewPCG(1, 0))
	words := append(slices.DeleteFunc(strangeTerms(), func(term string) bool {
		return strings.Contains(term, " ") || strings.ToLower(term) != term
	}), "common")
	var texts []desk.Text
	for round := range 12 {
		mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
			for i := range 30 {
				text := desk.Text{
					Key:    desk.Key{Account: oneOf(r, account, foreign), CaseID: fmt.Sprint("case-", r.IntN(60))},
					Number: int64(round*30 + i), Terms: []string{"common"}, At: at(1000 * r.IntN(1_000_000)),
				}
				for range r.IntN(5) {
					text.Terms = append(text.Terms, oneOf(r, words...))
				}
				slices.Sort(text.Terms)
				text.Terms = slices.Compact(text.Terms)
				if err := tx.InsertText(ctx, text); err != nil {
					return err
				}
				texts = append(texts, text)
			}
			gone := oneOf(r, texts...).Key
			texts = slices.DeleteFunc(texts, func(text desk.Text) bool { return text.Key == gone })
			return tx.DeleteCase(ctx, gone.Account, gone.CaseID)
		})
		for range 20 {
			wantFound(t, s, texts, []string{"common", oneOf(r, words...)}[r.IntN(2):], 1+r.IntN(40))
		}
	}
	if len(texts) < 100 {
		t.Errorf("%d texts are left, so the test sees nothing", len(texts))
	}
}

func wantFound(t *testing.T, s *store.Store, texts []desk.Text, terms []string, limit int) {
	t.Helper()
	var want []desk.Hit
	for _, text := range texts {
		if finds(terms, text.Terms) {
			want = append(want, desk.Hit{Key: text.Key, Number: text.Number, At: text.At})
		}
	}
	slices.SortFunc(want, func(a, b desk.Hit) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Number, b.Number)) })
	if diff := diff.Diff(want[:min(len(want), limit)], mustSearch(t, s, terms, limit)); diff != "" {
		t.Fatalf("Search(%q, %d) (-want +got):\n%s", terms, limit, diff)
	}
}

// Where time stands still, as in tests, every text has its place.
func testDeskTextsOfOneMoment(t *testing.T, s *store.Store) {
	const texts = 300
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) error {
		for i := range texts {
			if err := tx.InsertText(ctx, desk.Text{Key: keyOf("a"), Number: int64(i), Terms: []string{"x"}, At: at(0)}); err != nil {
				return err
			}
		}
		return nil
	})
	if hits := mustSearch(t, s, []string{"x"}, 1000); len(hits) != texts {
		t.Errorf("Search() = %d hits, want %d", len(hits), texts)
	}
}

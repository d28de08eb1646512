package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/supportd/supportd/internal/desk"
)

// finder is how an engine finds texts of the desk by their terms. It takes these
// as they are: nothing in them is an operator.
type finder struct {
	insert string // account, case, number, terms and time
	find   string // the newest texts with the terms, of what arguments returns and a limit
	// arguments says in the engine's way what is looked for.
	arguments func(terms []string) ([]any, error)
}

// SQLite has an index of FTS5, where the greatest row is that of the newest
// text, and a queue of texts that are not in it yet.
func sqliteFinder() finder {
	return finder{
		insert: `INSERT INTO desk_texts (id, account, case_id, number, terms, created_at) VALUES (
			COALESCE((SELECT id + 1 FROM desk_texts WHERE id >= MIN(MAX($5, 0) / 1000, 4398046511102) * 2097152
				AND id < MIN(MAX($5, 0) / 1000, 4398046511102) * 2097152 + 2097152 ORDER BY id DESC LIMIT 1),
				MIN(MAX($5, 0) / 1000, 4398046511102) * 2097152), $1, $2, $3, $4, $5)`,
		find: `SELECT account, case_id, number, created_at FROM desk_texts WHERE id IN (
			SELECT id FROM (SELECT rowid AS id FROM desk_search WHERE desk_search MATCH $1 ORDER BY rowid DESC LIMIT $3)
			UNION ALL SELECT t.id FROM desk_search_queue AS q CROSS JOIN desk_texts AS t WHERE t.id = q.id AND NOT EXISTS
				(SELECT 1 FROM json_each($2) AS term WHERE instr(' ' || t.terms || ' ', ' ' || term.value || ' ') = 0))
			ORDER BY id DESC LIMIT $3`,
		arguments: func(terms []string) ([]any, error) {
			list, err := json.Marshal(terms)
			return []any{matchAll(terms), string(list)}, err
		},
	}
}

// matchAll is a query of FTS5 for texts with all of the terms ("FTS5 Extension",
// 3.1): within quotes nothing has a meaning but a quote.
func matchAll(terms []string) string {
	var query strings.Builder
	for _, term := range terms {
		query.WriteString(`"` + strings.ReplaceAll(term, `"`, `""`) + `" `)
	}
	return query.String()
}

// PostgreSQL has the index desk_texts_terms of arrays, which no parser of its
// text search has a part in.
func postgresFinder() finder {
	return finder{
		insert: `INSERT INTO desk_texts (account, case_id, number, terms, created_at) VALUES ($1, $2, $3, $4, $5)`,
		find: `SELECT account, case_id, number, created_at FROM desk_texts
			WHERE string_to_array(terms, ' ') @> string_to_array($1, ' ') ORDER BY created_at DESC LIMIT $2`,
		arguments: func(terms []string) ([]any, error) { return []any{strings.Join(terms, " ")}, nil },
	}
}

func (t deskTx) InsertText(ctx context.Context, text desk.Text) error {
	return t.queue(ctx, t.dialect.finder.insert,
		text.Account, text.CaseID, text.Number, strings.Join(plainTerms(text.Terms), " "), micros(text.At))
}

func scanHit(r scanner) (h desk.Hit, err error) {
	var at int64
	err = r.Scan(&h.Account, &h.CaseID, &h.Number, &at)
	h.At = fromMicros(at)
	return h, err
}

func (t deskTx) Search(ctx context.Context, terms []string, limit int) ([]desk.Hit, error) {
	terms = plainTerms(terms)
	if len(terms) == 0 {
		return nil, nil
	}
	args, err := t.dialect.finder.arguments(terms)
	if err != nil {
		return nil, err
	}
	found, err := all(ctx, t.tx, scanHit, t.dialect.finder.find, append(args, limit)...)
	// SQLite's order is that of milliseconds.
	slices.SortStableFunc(found, func(a, b desk.Hit) int { return b.At.Compare(a.At) })
	return found, err
}

// plainTerms returns terms as every engine takes them: without blanks, which
// separate them, and other characters that no term has.
func plainTerms(terms []string) []string {
	if !slices.ContainsFunc(terms, isMixed) {
		return terms
	}
	var plain []string
	for _, term := range terms {
		plain = append(plain, strings.FieldsFunc(term, isNoTerm)...)
	}
	return plain
}

func isMixed(term string) bool { return term == "" || strings.ContainsFunc(term, isNoTerm) }

func isNoTerm(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

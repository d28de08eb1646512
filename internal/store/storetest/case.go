package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
)

func testCaseRoundTrip(t *testing.T, s *store.Store) {
	full := newCase("full")
	bare := cases.Case{Account: account, ID: "bare", DisplayID: "bare", CreatedAt: at(0)}
	mustInsertCases(t, s, full, bare)
	for _, want := range []cases.Case{full, bare} {
		if diff := cmp.Diff(want, mustCase(t, s, want.ID)); diff != "" {
			t.Errorf("Case(%s) (-want +got):\n%s", want.ID, diff)
		}
	}
}

func testUpdateCase(t *testing.T, s *store.Store) {
	other := newCase("other")
	mustInsertCases(t, s, newCase("a"), other)
	want := newCase("a")
	want.Status, want.CCEmailAddresses = cases.Resolved, []string{"c@example.com"}
	want.ResolvedAt, want.Communications, want.Moves = at(99), 7, 8
	changed := want
	changed.Subject, changed.CreatedAt, changed.DisplayID = "what cannot change", at(5), "other display id"
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error { return tx.UpdateCase(ctx, changed) })
	if diff := cmp.Diff(want, mustCase(t, s, "a")); diff != "" {
		t.Errorf("case after UpdateCase (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(other, mustCase(t, s, "other")); diff != "" {
		t.Errorf("another case after UpdateCase (-want +got):\n%s", diff)
	}
}

// texts are what a store may stumble over, and customers write.
func texts() []string {
	return []string{
		"", " ", "it's \"quoted\" `so`; DROP TABLE cases; --", `back\slash \n $1 ? :a @b %s %`,
		"one\ntwo\r\nthree\ttab", "\n", "grüße, 日本語, 한국어, العربية", "👩‍💻 e\u0301 \u202e\ufeff", "\u2028", "\x7f",
		strings.Repeat("8,000 characters ", 471),
	}
}

func testTextsSurvive(t *testing.T, s *store.Store) {
	for i, text := range texts() {
		want := newCase(fmt.Sprint(i))
		want.Subject = text
		said := cases.Communication{Account: account, CaseID: want.ID, Number: 1, Body: text, SubmittedBy: text, CreatedAt: at(0)}
		file := newAttachment(want.ID, 1)
		file.FileName, file.CaseID, file.Communication = text, want.ID, 1
		mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
			return errors.Join(tx.InsertCase(ctx, want), tx.InsertCommunication(ctx, said), tx.InsertAttachment(ctx, file))
		})
		if diff := cmp.Diff(want, mustCase(t, s, want.ID)); diff != "" {
			t.Errorf("case with the text %q (-want +got):\n%s", text, diff)
		}
		recent := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Communication, error) {
			return tx.RecentCommunications(ctx, account, []string{want.ID}, 5)
		})
		if diff := cmp.Diff([]cases.Communication{said}, recent); diff != "" {
			t.Errorf("communication with the text %q (-want +got):\n%s", text, diff)
		}
		got := mustView(t, s, func(ctx context.Context, tx cases.Tx) (cases.Attachment, error) {
			return tx.Attachment(ctx, account, file.ID)
		})
		if diff := cmp.Diff(file, got); diff != "" {
			t.Errorf("attachment with the name %q (-want +got):\n%s", text, diff)
		}
	}
}

func testTimesSurvive(t *testing.T, s *store.Store) {
	tokyo := time.FixedZone("Tokyo", 9*60*60)
	for i, want := range []time.Time{
		{},
		at(0), at(1), time.Date(1969, 7, 20, 20, 17, 40, 1000, time.UTC), time.Date(2261, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		time.Date(2026, 1, 1, 0, 0, 0, 0, tokyo),
	} {
		c := newCase(fmt.Sprint(i))
		c.CreatedAt, c.ResolvedAt = at(0), want
		mustInsertCases(t, s, c)
		got := mustCase(t, s, c.ID).ResolvedAt
		if !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("time %v comes back as %v, want it in UTC", want, got)
		}
	}
	c := newCase("nanoseconds")
	c.CreatedAt = at(0).Add(999)
	mustInsertCases(t, s, c)
	if got := mustCase(t, s, c.ID).CreatedAt; !got.Equal(at(0)) {
		t.Errorf("time %v comes back as %v, want it cut to %v", c.CreatedAt, got, at(0))
	}
}

func testDisplayIDs(t *testing.T, s *store.Store) {
	first, second, elsewhere := newCase("first"), newCase("second"), newCase("first")
	second.DisplayID, elsewhere.Account = first.DisplayID, foreign
	mustInsertCases(t, s, first, elsewhere)
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		if err := tx.InsertCase(ctx, second); !errors.Is(err, cases.ErrDisplayIDTaken) {
			t.Errorf("InsertCase(taken display id) = %v, want %v", err, cases.ErrDisplayIDTaken)
		}
		// The transaction goes on with another one.
		second.DisplayID = "another"
		return tx.InsertCase(ctx, second)
	})
	if diff := cmp.Diff(second, mustCase(t, s, "second")); diff != "" {
		t.Errorf("case with its second display id (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first, mustCase(t, s, "first")); diff != "" {
		t.Errorf("case that has the display id (-want +got):\n%s", diff)
	}
	err := s.Cases().Update(t.Context(), account, func(tx cases.Tx) error {
		twice := newCase("first")
		twice.DisplayID = "third"
		return tx.InsertCase(t.Context(), twice)
	})
	if err == nil || errors.Is(err, cases.ErrDisplayIDTaken) {
		t.Errorf("InsertCase(existing id) = %v, want an error that is not %v", err, cases.ErrDisplayIDTaken)
	}
}

func testMissing(t *testing.T, s *store.Store) {
	for _, missing := range []struct {
		call string
		want error
		read func(ctx context.Context, tx cases.Tx) error
	}{
		{"Case", cases.ErrCaseNotFound, func(ctx context.Context, tx cases.Tx) error { _, err := tx.Case(ctx, account, "no"); return err }},
		{"AttachmentSet", cases.ErrSetNotFound, func(ctx context.Context, tx cases.Tx) error {
			_, err := tx.AttachmentSet(ctx, account, "no")
			return err
		}},
		{"Attachment", cases.ErrAttachmentNotFound, func(ctx context.Context, tx cases.Tx) error {
			_, err := tx.Attachment(ctx, account, "no")
			return err
		}},
	} {
		mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
			if err := missing.read(ctx, tx); !errors.Is(err, missing.want) {
				t.Errorf("%s(missing) = %v, want %v", missing.call, err, missing.want)
			}
			return nil
		})
	}
}

func testMoves(t *testing.T, s *store.Store) {
	var want []cases.Move
	for i := range 12 {
		want = append(want, cases.Move{
			Account: account, CaseID: "a", Number: int64(i + 1), Event: cases.Resolve,
			From: cases.Reopened, To: cases.Resolved, Actor: "arn:aws:iam::111122223333:root", At: at(12 - i),
		})
	}
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		for i := range want { // the order of insertion is of no importance
			if err := tx.InsertMove(ctx, want[len(want)-1-i]); err != nil {
				return err
			}
		}
		other := want[0]
		other.CaseID = "b"
		return tx.InsertMove(ctx, other)
	})
	for _, page := range []struct {
		after int64
		limit int
		want  []cases.Move
	}{{0, 100, want}, {0, 1, want[:1]}, {1, 1, want[1:2]}, {1, 9, want[1:10]}, {9, 9, want[9:]}, {12, 9, nil}} {
		got := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Move, error) {
			return tx.Moves(ctx, account, "a", page.after, page.limit)
		})
		if diff := cmp.Diff(page.want, got); diff != "" {
			t.Errorf("Moves(after %d, limit %d) (-want +got):\n%s", page.after, page.limit, diff)
		}
	}
	err := s.Cases().Update(t.Context(), account, func(tx cases.Tx) error { return tx.InsertMove(t.Context(), want[0]) })
	if err == nil {
		t.Errorf("InsertMove(existing number) = nil, want an error")
	}
}

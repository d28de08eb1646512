package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
)

// conversations are cases with that many communications, of which every third
// has two files. They all have the same time.
func mustInsertConversations(t *testing.T, s *store.Store) (sizes map[string]int, ids []string) {
	t.Helper()
	sizes = map[string]int{"none": 0, "one": 1, "five": 5, "six": 6, "fifty": 50, "not asked for": 3}
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		for id, size := range sizes {
			c := newCase(id)
			c.Communications = int64(size)
			if err := tx.InsertCase(ctx, c); err != nil {
				return err
			}
			for n := range size {
				if err := insertSaid(ctx, tx, said(id, n+1)); err != nil {
					return err
				}
			}
		}
		// Files that wait in a set belong to no communication.
		return tx.InsertAttachment(ctx, newAttachment("waiting", 1))
	})
	return sizes, []string{"six", "unknown", "none", "fifty", "five", "one"}
}

func said(caseID string, number int) cases.Communication {
	c := cases.Communication{
		Account: account, CaseID: caseID, Number: int64(number),
		Body: fmt.Sprintf("%s %d", caseID, number), SubmittedBy: "alice (IAM) <ops@example.com>", CreatedAt: at(0),
	}
	if number%3 != 0 {
		return c
	}
	for _, position := range []int{2, 1} { // inserted in the wrong order
		a := newAttachment(fmt.Sprintf("%s %d", caseID, number), position)
		a.CaseID, a.Communication = caseID, c.Number
		c.Attachments = append(c.Attachments, a)
	}
	return c
}

func insertSaid(ctx context.Context, tx cases.Tx, c cases.Communication) error {
	for _, a := range c.Attachments {
		if err := tx.InsertAttachment(ctx, a); err != nil {
			return err
		}
	}
	return tx.InsertCommunication(ctx, c)
}

func testRecentCommunications(t *testing.T, s *store.Store) {
	sizes, ids := mustInsertConversations(t, s)
	for _, most := range []int{1, 5, 100} {
		var want []cases.Communication
		for _, id := range slices.Sorted(slices.Values(ids)) {
			for n := sizes[id]; n > max(0, sizes[id]-most); n-- {
				c := said(id, n)
				c.Attachments = nil
				want = append(want, c)
			}
		}
		got := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Communication, error) {
			return tx.RecentCommunications(ctx, account, ids, most)
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("RecentCommunications(%d) (-want +got):\n%s", most, diff)
		}
	}
}

func testRecentAttachments(t *testing.T, s *store.Store) {
	sizes, ids := mustInsertConversations(t, s)
	for _, most := range []int{1, 5, 100} {
		want := map[string][]cases.Attachment{}
		for _, id := range ids {
			for n := sizes[id]; n > max(0, sizes[id]-most); n-- {
				c := said(id, n)
				slices.Reverse(c.Attachments)
				if len(c.Attachments) > 0 {
					want[c.Body] = c.Attachments
				}
			}
		}
		found := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Attachment, error) {
			return tx.RecentAttachments(ctx, account, ids, most)
		})
		// The order is promised within a communication only.
		got := map[string][]cases.Attachment{}
		for _, a := range found {
			said := fmt.Sprintf("%s %d", a.CaseID, a.Communication)
			got[said] = append(got[said], a)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("RecentAttachments(%d) (-want +got):\n%s", most, diff)
		}
	}
}

func testCommunicationsPage(t *testing.T, s *store.Store) {
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		for n := 1; n <= 20; n++ {
			c := said("a", n)
			c.CreatedAt = at(n / 2) // number 1 has time 0, 2 and 3 have time 1
			if err := insertSaid(ctx, tx, c); err != nil {
				return err
			}
		}
		return insertSaid(ctx, tx, said("b", 3))
	})
	for _, test := range []struct {
		q         cases.TimeRange
		olderThan int64
		limit     int
		want      []int64
	}{
		{cases.TimeRange{}, 21, 3, []int64{20, 19, 18}},
		{cases.TimeRange{}, 18, 3, []int64{17, 16, 15}},
		{cases.TimeRange{}, 3, 10, []int64{2, 1}},
		{cases.TimeRange{}, 1, 10, nil},
		{cases.TimeRange{After: at(8)}, 21, 10, []int64{20, 19, 18, 17, 16}},
		{cases.TimeRange{Before: at(2)}, 21, 10, []int64{3, 2, 1}},
		{cases.TimeRange{After: at(2), Before: at(3)}, 21, 10, []int64{5, 4}},
		{cases.TimeRange{After: at(2), Before: at(3)}, 5, 10, []int64{4}},
		{cases.TimeRange{After: at(3), Before: at(3)}, 21, 10, nil},
	} {
		found := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Communication, error) {
			return tx.CommunicationsPage(ctx, account, "a", test.q, test.olderThan, test.limit)
		})
		var got []int64
		for _, c := range found {
			got = append(got, c.Number)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("CommunicationsPage(%v, %d, %d) (-want +got):\n%s", test.q, test.olderThan, test.limit, diff)
		}
	}
	files := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Attachment, error) {
		return tx.AttachmentsBetween(ctx, account, "a", 6, 9)
	})
	var got []string
	for _, a := range files {
		got = append(got, a.ID)
	}
	if diff := cmp.Diff([]string{"a 6 1", "a 6 2", "a 9 1", "a 9 2"}, got); diff != "" {
		t.Errorf("AttachmentsBetween(6, 9) (-want +got):\n%s", diff)
	}
}

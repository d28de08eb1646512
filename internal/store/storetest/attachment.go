package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
)

func newSet(id string) cases.AttachmentSet {
	return cases.AttachmentSet{Account: account, ID: id, CreatedAt: at(0), ExpiresAt: at(3600), Files: 2}
}

// newAttachment is a file that waits in its set.
func newAttachment(setID string, position int) cases.Attachment {
	return cases.Attachment{
		Account: account, ID: fmt.Sprintf("%s %d", setID, position), SetID: setID, Position: position,
		FileName: "trace.log", Size: 5 << 20, SHA256: fmt.Sprintf("%064x", position),
	}
}

// mustInsertSet inserts a set with two files.
func mustInsertSet(t *testing.T, s *store.Store, set cases.AttachmentSet) {
	t.Helper()
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		first, second := newAttachment(set.ID, 1), newAttachment(set.ID, 2)
		first.Account, second.Account = set.Account, set.Account
		return errors.Join(tx.InsertAttachmentSet(ctx, set), tx.InsertAttachment(ctx, first), tx.InsertAttachment(ctx, second))
	})
}

func mustAttachment(t *testing.T, s *store.Store, id string) cases.Attachment {
	t.Helper()
	return mustView(t, s, func(ctx context.Context, tx cases.Tx) (cases.Attachment, error) {
		return tx.Attachment(ctx, account, id)
	})
}

func testAttachmentSetLife(t *testing.T, s *store.Store) {
	mustInsertSet(t, s, newSet("a"))
	mustInsertSet(t, s, newSet("b"))
	if diff := cmp.Diff(newAttachment("a", 1), mustAttachment(t, s, "a 1")); diff != "" {
		t.Errorf("attachment that waits (-want +got):\n%s", diff)
	}
	used := newSet("a")
	used.UsedAt, used.Files = at(7), 3
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		return errors.Join(tx.UpdateAttachmentSet(ctx, used), tx.TakeAttachments(ctx, account, "a", "case", 4))
	})
	for _, want := range []cases.AttachmentSet{used, newSet("b")} {
		got := mustView(t, s, func(ctx context.Context, tx cases.Tx) (cases.AttachmentSet, error) {
			return tx.AttachmentSet(ctx, account, want.ID)
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("AttachmentSet(%s) (-want +got):\n%s", want.ID, diff)
		}
	}
	first, second := newAttachment("a", 1), newAttachment("a", 2)
	first.CaseID, first.Communication, second.CaseID, second.Communication = "case", 4, "case", 4
	got := mustView(t, s, func(ctx context.Context, tx cases.Tx) ([]cases.Attachment, error) {
		return tx.AttachmentsOfCase(ctx, account, "case")
	})
	if diff := cmp.Diff([]cases.Attachment{first, second}, got); diff != "" {
		t.Errorf("AttachmentsOfCase() after TakeAttachments (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(newAttachment("b", 1), mustAttachment(t, s, "b 1")); diff != "" {
		t.Errorf("attachment of another set after TakeAttachments (-want +got):\n%s", diff)
	}
	err := s.Cases().Update(t.Context(), account, func(tx cases.Tx) error {
		twice := newAttachment("a", 1)
		twice.ID = "another"
		return tx.InsertAttachment(t.Context(), twice)
	})
	if err == nil {
		t.Errorf("InsertAttachment(taken position) = nil, want an error")
	}
}

func testDeleteAttachmentSet(t *testing.T, s *store.Store) {
	for _, id := range []string{"taken", "waiting", "other"} {
		mustInsertSet(t, s, newSet(id))
	}
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		return tx.TakeAttachments(ctx, account, "taken", "case", 1)
	})
	for id, want := range map[string]int{"taken": 0, "waiting": 2, "unknown": 0} {
		mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
			left, err := tx.DeleteAttachmentSet(ctx, account, id)
			if len(left) != want || err != nil {
				t.Errorf("DeleteAttachmentSet(%s) = %v, %v, want %d files, nil", id, left, err, want)
			}
			for _, a := range left {
				if diff := cmp.Diff(newAttachment(id, a.Position), a); diff != "" {
					t.Errorf("file of DeleteAttachmentSet(%s) (-want +got):\n%s", id, diff)
				}
			}
			_, err = tx.AttachmentSet(ctx, account, id)
			if !errors.Is(err, cases.ErrSetNotFound) {
				t.Errorf("AttachmentSet(deleted %s) = %v, want %v", id, err, cases.ErrSetNotFound)
			}
			return nil
		})
	}
	for id, want := range map[string]bool{"taken 1": true, "taken 2": true, "waiting 1": false, "waiting 2": false, "other 1": true} {
		_, err := view(t, s, func(ctx context.Context, tx cases.Tx) (cases.Attachment, error) {
			return tx.Attachment(ctx, account, id)
		})
		if (err == nil) != want {
			t.Errorf("Attachment(%s) after DeleteAttachmentSet = %v, want it there: %v", id, err, want)
		}
	}
}

func testHasAttachment(t *testing.T, s *store.Store) {
	mustInsertSet(t, s, newSet("a"))
	sum := newAttachment("a", 1).SHA256
	for _, test := range []struct {
		account, setID, sum string
		want                bool
	}{
		{account, "a", sum, true},
		{account, "b", sum, false},
		{account, "a", newAttachment("a", 3).SHA256, false},
		{foreign, "a", sum, false},
	} {
		got := mustView(t, s, func(ctx context.Context, tx cases.Tx) (bool, error) {
			return tx.HasAttachment(ctx, test.account, test.setID, test.sum)
		})
		if got != test.want {
			t.Errorf("HasAttachment(%s, %s, %s) = %v, want %v", test.account, test.setID, test.sum, got, test.want)
		}
	}
}

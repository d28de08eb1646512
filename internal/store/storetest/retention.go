package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/store"
)

func testRetentionQueries(t *testing.T, s *store.Store) {
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertAccount(ctx, iam.Account{ID: foreign}), tx.InsertAccount(ctx, iam.Account{ID: account}))
	})
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		for i := range 5 {
			c, set := newCase(fmt.Sprintf("case-%d", i)), newSet(fmt.Sprintf("set-%d", i))
			c.CreatedAt, set.ExpiresAt = at(i), at(i)
			if err := errors.Join(tx.InsertCase(ctx, c), tx.InsertAttachmentSet(ctx, set)); err != nil {
				return err
			}
		}
		return nil
	})
	lists := func(ctx context.Context, tx cases.Tx) (all [][]string, err error) {
		accounts, err := tx.AccountIDs(ctx)
		all = append(all, accounts)
		for _, limit := range []int{10, 2} {
			oldest, listErr := tx.CasesBefore(ctx, account, at(3), limit)
			expired, expiredErr := tx.SetsExpiredBefore(ctx, account, at(3), limit)
			all = append(all, oldest, expired)
			err = errors.Join(err, listErr, expiredErr)
		}
		return all, err
	}
	want := [][]string{
		{account, foreign},
		{"case-0", "case-1", "case-2", "case-3"}, // created at or before
		{"set-0", "set-1", "set-2"},              // expired before
		{"case-0", "case-1"},
		{"set-0", "set-1"},
	}
	if diff := cmp.Diff(want, mustView(t, s, lists)); diff != "" {
		t.Errorf("AccountIDs(), CasesBefore(), SetsExpiredBefore() (-want +got):\n%s", diff)
	}
}

func testDeleteCase(t *testing.T, s *store.Store) {
	mustInsertLife(t, s, account, "a")
	mustInsertLife(t, s, account, "b")
	before := mustView(t, s, lifeOf("b"))
	for range 2 { // deleting what is gone is no error
		mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error { return tx.DeleteCase(ctx, account, "a") })
	}
	if hasCase(t, s, "a") {
		t.Errorf("the case is there after DeleteCase")
	}
	if diff := cmp.Diff(life{}, mustView(t, s, lifeOf("a"))); diff != "" {
		t.Errorf("left of the case after DeleteCase (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, mustView(t, s, lifeOf("b"))); diff != "" {
		t.Errorf("another case after DeleteCase (-want +got):\n%s", diff)
	}
	if _, err := view(t, s, func(ctx context.Context, tx cases.Tx) (cases.Attachment, error) {
		return tx.Attachment(ctx, account, "set-a 1")
	}); !errors.Is(err, cases.ErrAttachmentNotFound) {
		t.Errorf("Attachment(of a deleted case) = %v, want %v", err, cases.ErrAttachmentNotFound)
	}
}

// mustInsertLife inserts a case with everything that can belong to it, and a
// set that waits beside it.
func mustInsertLife(t *testing.T, s *store.Store, owner, id string) {
	t.Helper()
	for _, setID := range []string{"set-" + id, "waiting-" + id} {
		set := newSet(setID)
		set.Account = owner
		mustInsertSet(t, s, set)
	}
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		c := newCase(id)
		c.Account = owner
		return errors.Join(
			tx.InsertCase(ctx, c),
			tx.InsertCommunication(ctx, cases.Communication{Account: owner, CaseID: id, Number: 1, Body: id, CreatedAt: at(0)}),
			tx.InsertMove(ctx, cases.Move{Account: owner, CaseID: id, Number: 1, Event: cases.Resolve, At: at(0)}),
			tx.TakeAttachments(ctx, owner, "set-"+id, id, 1),
			tx.InsertAnswer(ctx, owner, cases.RequestKey{id[0]}, []byte(id), at(0)),
		)
	})
}

// life is what the lists of a case hold; it is zero when nothing is left.
type life struct {
	Moves          []cases.Move
	Communications []cases.Communication
	Attachments    []cases.Attachment
}

func lifeOf(id string) func(ctx context.Context, tx cases.Tx) (life, error) {
	return func(ctx context.Context, tx cases.Tx) (l life, err error) {
		var errs [3]error
		l.Moves, errs[0] = tx.Moves(ctx, account, id, 0, 100)
		l.Communications, errs[1] = tx.CommunicationsPage(ctx, account, id, cases.TimeRange{}, 1<<62, 100)
		l.Attachments, errs[2] = tx.AttachmentsOfCase(ctx, account, id)
		return l, errors.Join(errs[:]...)
	}
}

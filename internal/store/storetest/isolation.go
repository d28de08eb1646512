package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/store"
)

// testIsolation calls every method as a foreign account with the ids of the
// account: it finds nothing, changes nothing, and may have the same ids itself.
func testIsolation(t *testing.T, s *store.Store) {
	mustInsertLife(t, s, account, "a")
	before := mustView(t, s, everything)
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		wantNothing(ctx, t, tx)
		changeAll(ctx, t, tx)
		return nil
	})
	if diff := cmp.Diff(before, mustView(t, s, everything)); diff != "" {
		t.Errorf("an account after a foreign one changed the same ids (-before +after):\n%s", diff)
	}
	mustInsertLife(t, s, foreign, "a")
	if diff := cmp.Diff(before, mustView(t, s, everything)); diff != "" {
		t.Errorf("an account beside a foreign one with the same ids (-before +after):\n%s", diff)
	}
}

// wantNothing reads as the foreign account.
func wantNothing(ctx context.Context, t *testing.T, tx cases.Tx) {
	t.Helper()
	_, err := tx.Case(ctx, foreign, "a")
	wantFault(t, "Case", err, cases.ErrCaseNotFound)
	_, err = tx.AttachmentSet(ctx, foreign, "waiting-a")
	wantFault(t, "AttachmentSet", err, cases.ErrSetNotFound)
	_, err = tx.Attachment(ctx, foreign, "set-a 1")
	wantFault(t, "Attachment", err, cases.ErrAttachmentNotFound)

	ids := []string{"a"}
	wantNone(t, "Answer", listed(tx.Answer(ctx, foreign, cases.RequestKey{'a'})))
	wantNone(t, "Moves", listed(tx.Moves(ctx, foreign, "a", 0, 100)))
	wantNone(t, "CasesByID", listed(tx.CasesByID(ctx, foreign, ids)))
	wantNone(t, "CasesPage", listed(tx.CasesPage(ctx, foreign, cases.PageQuery{IncludeResolved: true}, 10)))
	wantNone(t, "CasesPage", listed(tx.CasesPage(ctx, foreign, cases.PageQuery{IncludeResolved: true, DisplayID: "a"}, 10)))
	wantNone(t, "RecentCommunications", listed(tx.RecentCommunications(ctx, foreign, ids, 5)))
	wantNone(t, "RecentAttachments", listed(tx.RecentAttachments(ctx, foreign, ids, 5)))
	wantNone(t, "CommunicationsPage", listed(tx.CommunicationsPage(ctx, foreign, "a", cases.TimeRange{}, 100, 10)))
	wantNone(t, "AttachmentsBetween", listed(tx.AttachmentsBetween(ctx, foreign, "a", 0, 100)))
	wantNone(t, "AttachmentsOfCase", listed(tx.AttachmentsOfCase(ctx, foreign, "a")))
	wantNone(t, "CasesBefore", listed(tx.CasesBefore(ctx, foreign, at(100), 10)))
	wantNone(t, "SetsExpiredBefore", listed(tx.SetsExpiredBefore(ctx, foreign, at(10_000), 10)))
	wantNone(t, "DeleteAttachmentSet", listed(tx.DeleteAttachmentSet(ctx, foreign, "waiting-a")))
	for call, count := range map[string]func() (int, error){
		"CountCasesSince": func() (int, error) { return tx.CountCasesSince(ctx, foreign, at(-1), 10) },
		"CountSetsSince":  func() (int, error) { return tx.CountSetsSince(ctx, foreign, at(-1), 10) },
	} {
		if n, err := count(); n != 0 || err != nil {
			t.Errorf("%s(foreign account) = %d, %v, want 0, nil", call, n, err)
		}
	}
	if found, err := tx.HasAttachment(ctx, foreign, "set-a", newAttachment("set-a", 1).SHA256); found || err != nil {
		t.Errorf("HasAttachment(foreign account) = %v, %v, want false, nil", found, err)
	}
}

func wantFault(t *testing.T, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s(foreign account) = %v, want %v", call, err, want)
	}
}

// list is what a method that lists returned.
type list struct {
	length int
	err    error
}

func listed[E any](found []E, err error) list { return list{len(found), err} }

func wantNone(t *testing.T, call string, got list) {
	t.Helper()
	if got.length != 0 || got.err != nil {
		t.Errorf("%s(foreign account) = %d found, %v, want none, nil", call, got.length, got.err)
	}
}

// changeAll writes as the foreign account.
func changeAll(ctx context.Context, t *testing.T, tx cases.Tx) {
	t.Helper()
	changed := newCase("a")
	changed.Account, changed.Status = foreign, cases.Resolved
	used := newSet("waiting-a")
	used.Account, used.UsedAt = foreign, at(1)
	_, deleted := tx.DeleteAnswers(ctx, foreign, at(100), 10)
	for call, err := range map[string]error{
		"UpdateCase":          tx.UpdateCase(ctx, changed),
		"DeleteCase":          tx.DeleteCase(ctx, foreign, "a"),
		"UpdateAttachmentSet": tx.UpdateAttachmentSet(ctx, used),
		"TakeAttachments":     tx.TakeAttachments(ctx, foreign, "waiting-a", "a", 1),
		"DeleteAnswers":       deleted,
	} {
		if err != nil {
			t.Errorf("%s(foreign account) = %v, want nil", call, err)
		}
	}
}

// everything is all that the account has.
func everything(ctx context.Context, tx cases.Tx) (all []any, err error) {
	c, err := tx.Case(ctx, account, "a")
	if err != nil {
		return nil, err
	}
	l, err := lifeOf("a")(ctx, tx)
	if err != nil {
		return nil, err
	}
	all = append(all, c, l)
	for _, id := range []string{"set-a", "waiting-a"} {
		set, err := tx.AttachmentSet(ctx, account, id)
		if err != nil {
			return nil, err
		}
		file, err := tx.Attachment(ctx, account, id+" 1")
		if err != nil {
			return nil, err
		}
		all = append(all, set, file)
	}
	answer, err := tx.Answer(ctx, account, cases.RequestKey{'a'})
	return append(all, string(answer)), err
}

// testIAMIsolation does the same for what belongs to accounts in package iam.
func testIAMIsolation(t *testing.T, s *store.Store) {
	user := iam.Principal{Account: account, Kind: iam.User, Name: "alice", CreatedAt: at(0)}
	key := iam.Key{Account: account, ID: "AKIA1", Kind: iam.User, Name: "alice", SealedSecret: []byte("s"), Active: true, CreatedAt: at(0)}
	policy := iam.PolicyDocument{Account: account, Name: "p", Document: "{}", ChangedAt: at(0)}
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertPrincipal(ctx, user), tx.InsertKey(ctx, key), tx.PutPolicy(ctx, policy), tx.AttachPolicy(ctx, user, "p"))
	})
	mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error {
		_, err := tx.Principal(ctx, foreign, iam.User, "alice")
		wantFault(t, "Principal", err, iam.ErrPrincipalNotFound)
		_, err = tx.Key(ctx, foreign, "AKIA1")
		wantFault(t, "Key", err, iam.ErrKeyNotFound)
		_, err = tx.Policy(ctx, foreign, "p")
		wantFault(t, "Policy", err, iam.ErrPolicyNotFound)
		wantNone(t, "Principals", listed(tx.Principals(ctx, foreign, iam.User)))
		wantNone(t, "Keys", listed(tx.Keys(ctx, foreign)))
		wantNone(t, "Policies", listed(tx.Policies(ctx, foreign)))
		if attached, err := tx.PolicyAttached(ctx, foreign, "p"); attached || err != nil {
			t.Errorf("PolicyAttached(foreign account) = %v, %v, want false, nil", attached, err)
		}
		other := user
		other.Account = foreign
		return errors.Join(tx.SetKeyActive(ctx, foreign, "AKIA1", false), tx.DeleteKey(ctx, foreign, "AKIA1"),
			tx.DetachPolicy(ctx, other, "p"), tx.DeletePolicy(ctx, foreign, "p"), tx.DeletePrincipal(ctx, other))
	})
	user.Policies = []string{"p"}
	got := mustViewIAM(t, s, func(ctx context.Context, tx iam.Tx) (found []any, err error) {
		var errs [3]error
		p, k, d := iam.Principal{}, iam.Key{}, iam.PolicyDocument{}
		p, errs[0] = tx.Principal(ctx, account, iam.User, "alice")
		k, errs[1] = tx.Key(ctx, account, "AKIA1")
		d, errs[2] = tx.Policy(ctx, account, "p")
		return []any{p, k, d}, errors.Join(errs[:]...)
	})
	if diff := cmp.Diff([]any{user, key, policy}, got); diff != "" {
		t.Errorf("an account after a foreign one changed the same names (-want +got):\n%s", diff)
	}
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/store"
)

// testNUL asks for what is there with a NUL behind it, which callers of the API
// can send in every id and filter. Engines cannot keep such texts, so they are
// those of nothing; and the transaction goes on.
func testNUL(t *testing.T, s *store.Store) {
	c, file := newCase("a"), newAttachment("a", 1)
	file.CaseID, file.Communication = c.ID, 1
	said := cases.Communication{Account: account, CaseID: c.ID, Number: 1, Body: "text", CreatedAt: at(0)}
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		return errors.Join(tx.InsertCase(ctx, c), tx.InsertCommunication(ctx, said), tx.InsertAttachmentSet(ctx, newSet("a")),
			tx.InsertAttachment(ctx, file), tx.InsertMove(ctx, cases.Move{Account: account, CaseID: c.ID, Number: 1}))
	})
	for _, nul := range []string{"\x00", "a\x00", "\x00a", "a\x00a"} {
		mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
			askCases(ctx, t, tx, account, nul, c)
			askCases(ctx, t, tx, account+nul, "a", c)
			return nil
		})
		mustUpdateIAM(t, s, func(ctx context.Context, tx iam.Tx) error {
			askIAM(ctx, t, tx, account, nul)
			askIAM(ctx, t, tx, account+nul, "a")
			return nil
		})
		if value, err := s.Setting(t.Context(), nul); value != nil || err != nil {
			t.Errorf("Setting(%q) = %q, %v, want none", nul, value, err)
		}
		askJobs(t, s, nul)
	}
}

func askCases(ctx context.Context, t *testing.T, tx cases.Tx, account, id string, there cases.Case) {
	t.Helper()
	_, caseErr := tx.Case(ctx, account, id)
	_, setErr := tx.AttachmentSet(ctx, account, id)
	_, fileErr := tx.Attachment(ctx, account, id)
	wantMissing(t, fmt.Sprintf("Case(%q, %q)", account, id), caseErr, cases.ErrCaseNotFound)
	wantMissing(t, fmt.Sprintf("AttachmentSet(%q, %q)", account, id), setErr, cases.ErrSetNotFound)
	wantMissing(t, fmt.Sprintf("Attachment(%q, %q)", account, id), fileErr, cases.ErrAttachmentNotFound)

	all := cases.PageQuery{IncludeResolved: true}
	byDisplayID, byLanguage := all, all
	byDisplayID.DisplayID, byLanguage.Language = id, id
	lists := map[string]func() (int, error){
		"Answer":               length(tx.Answer(ctx, account+id, cases.RequestKey{1})),
		"CountCasesSince":      number(tx.CountCasesSince(ctx, account+id, at(-1), 9)),
		"CountSetsSince":       number(tx.CountSetsSince(ctx, account+id, at(-1), 9)),
		"Moves":                length(tx.Moves(ctx, account, id, 0, 100)),
		"CasesByID":            length(tx.CasesByID(ctx, account, []string{id, "no"})),
		"CasesPage(account)":   length(tx.CasesPage(ctx, account+id, all, 9)),
		"CasesPage(displayId)": length(tx.CasesPage(ctx, account, byDisplayID, 9)),
		"CasesPage(language)":  length(tx.CasesPage(ctx, account, byLanguage, 9)),
		"RecentCommunications": length(tx.RecentCommunications(ctx, account, []string{id}, 5)),
		"RecentAttachments":    length(tx.RecentAttachments(ctx, account, []string{id}, 5)),
		"CommunicationsPage":   length(tx.CommunicationsPage(ctx, account, id, cases.TimeRange{}, 9, 9)),
		"AttachmentsBetween":   length(tx.AttachmentsBetween(ctx, account, id, 1, 9)),
		"CasesBefore":          length(tx.CasesBefore(ctx, account+id, at(9), 9)),
		"AttachmentsOfCase":    length(tx.AttachmentsOfCase(ctx, account, id)),
		"SetsExpiredBefore":    length(tx.SetsExpiredBefore(ctx, account+id, at(9999), 9)),
	}
	wantAllEmpty(t, account, id, lists)
	for _, ask := range [][3]string{{account + id, "a", there.ID}, {account, id, "a"}, {account, "a", id}} {
		if found, err := tx.HasAttachment(ctx, ask[0], ask[1], ask[2]); found || err != nil {
			t.Errorf("HasAttachment(%q) = %v, %v, want false, nil", ask, found, err)
		}
	}
	// What is asked for beside it is found.
	if found, err := tx.CasesByID(ctx, there.Account, []string{id + "\x00", there.ID}); len(found) != 1 || err != nil {
		t.Errorf("CasesByID(%q and a case) = %d cases, %v, want the one", id, len(found), err)
	}
}

func askIAM(ctx context.Context, t *testing.T, tx iam.Tx, account, name string) {
	t.Helper()
	_, accountErr := tx.Account(ctx, account+name)
	_, principalErr := tx.Principal(ctx, account, iam.User, name)
	_, keyErr := tx.Key(ctx, account, name)
	_, policyErr := tx.Policy(ctx, account, name)
	wantMissing(t, fmt.Sprintf("Account(%q, %q)", account, name), accountErr, iam.ErrAccountNotFound)
	wantMissing(t, fmt.Sprintf("Principal(%q, %q)", account, name), principalErr, iam.ErrPrincipalNotFound)
	wantMissing(t, fmt.Sprintf("Key(%q, %q)", account, name), keyErr, iam.ErrKeyNotFound)
	wantMissing(t, fmt.Sprintf("Policy(%q, %q)", account, name), policyErr, iam.ErrPolicyNotFound)
	wantAllEmpty(t, account, name, map[string]func() (int, error){
		"Principals": length(tx.Principals(ctx, account+name, iam.User)),
		"Keys":       length(tx.Keys(ctx, account+name)),
		"Policies":   length(tx.Policies(ctx, account+name)),
	})
	if attached, err := tx.PolicyAttached(ctx, account, name); attached || err != nil {
		t.Errorf("PolicyAttached(%q, %q) = %v, %v, want false, nil", account, name, attached, err)
	}
}

func askJobs(t *testing.T, s *store.Store, id string) {
	t.Helper()
	due, err := s.Jobs().Due(t.Context(), []string{id}, at(0), at(0))
	if due || err != nil {
		t.Errorf("Due(%q) = %v, %v, want false, nil", id, due, err)
	}
	err = s.Jobs().View(t.Context(), func(tx jobs.Tx) error {
		_, err := tx.Job(t.Context(), account, id)
		wantMissing(t, fmt.Sprintf("Job(%q, %q)", account, id), err, jobs.ErrNotFound)
		wantAllEmpty(t, account, id, map[string]func() (int, error){
			"Jobs(account)": length(tx.Jobs(t.Context(), jobs.Filter{Account: &id}, 9)),
			"Jobs(kind)":    length(tx.Jobs(t.Context(), jobs.Filter{Kind: id}, 9)),
		})
		return nil
	})
	if err != nil {
		t.Errorf("View(%q) = %v, want nil", id, err)
	}
}

func wantMissing(t *testing.T, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s = %v, want %v", call, err, want)
	}
}

func wantAllEmpty(t *testing.T, account, id string, lists map[string]func() (int, error)) {
	t.Helper()
	for call, list := range lists {
		if n, err := list(); n != 0 || err != nil {
			t.Errorf("%s(%q, %q) = %d, %v, want nothing", call, account, id, n, err)
		}
	}
}

func length[T any](all []T, err error) func() (int, error) {
	return number(len(all), err)
}

func number(n int, err error) func() (int, error) {
	return func() (int, error) { return n, err }
}

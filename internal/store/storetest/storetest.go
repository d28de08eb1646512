// Package storetest tests a [store.Store]. It relies on the contracts of the
// interfaces that the rooms declare, so every SQL engine must pass it; nothing
// in it knows which one it tests.
package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/store"
)

// Two accounts that have nothing to do with each other.
const (
	account = "111122223333"
	foreign = "444455556666"
)

// Run tests the stores that open returns. Each call of open returns an empty
// store, which is released with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	tests := []struct {
		name string
		run  func(t *testing.T, s *store.Store)
	}{
		{"CaseRoundTrip", testCaseRoundTrip},
		{"UpdateCaseChangesWhatCanChange", testUpdateCase},
		{"TextsSurvive", testTextsSurvive},
		{"TimesSurviveInMicroseconds", testTimesSurvive},
		{"DisplayIDsAreUniqueInAnAccount", testDisplayIDs},
		{"MissingThingsAreFaults", testMissing},
		{"NULIsInNothing", testNUL},
		{"MovesAreATimeline", testMoves},
		{"Answers", testAnswers},
		{"CountsAreBounded", testCounts},
		{"CasesByID", testCasesByID},
		{"CasesPageLikeANaiveFilter", testCasesPage},
		{"PagesAreStableWithEqualTimes", testEqualTimes},
		{"RecentCommunications", testRecentCommunications},
		{"RecentAttachments", testRecentAttachments},
		{"CommunicationsPage", testCommunicationsPage},
		{"AttachmentSetLife", testAttachmentSetLife},
		{"DeleteAttachmentSet", testDeleteAttachmentSet},
		{"HasAttachment", testHasAttachment},
		{"RetentionQueries", testRetentionQueries},
		{"DeleteCase", testDeleteCase},
		{"AccountsAreIsolated", testIsolation},
		{"Accounts", testAccounts},
		{"Principals", testPrincipals},
		{"Keys", testKeys},
		{"Policies", testPolicies},
		{"IAMAccountsAreIsolated", testIAMIsolation},
		{"IAMVersion", testIAMVersion},
		{"AdvisorSource", testAdvisorSource},
		{"AdvisorRefreshes", testAdvisorRefreshes},
		{"AdvisorResults", testAdvisorResults},
		{"AdvisorHistory", testAdvisorHistory},
		{"AdvisorExclusions", testAdvisorExclusions},
		{"AdvisorEvents", testAdvisorEvents},
		{"AdvisorAccountsAreIsolated", testAdvisorIsolation},
		{"DeskDocuments", testDeskDocuments},
		{"DeskItem", testDeskItem},
		{"DeskTags", testDeskTags},
		{"DeskItemsLikeANaiveFilter", testDeskItemsLikeANaiveFilter},
		{"DeskItemsByKey", testDeskItemsByKey},
		{"DeskItemsInPages", testDeskItemsInPages},
		{"DeskWake", testDeskWake},
		{"DeskDisplayIDsOfAllAccounts", testDeskDisplayIDs},
		{"DeskLoads", testDeskLoads},
		{"DeskRecords", testDeskRecords},
		{"DeskPresences", testDeskPresences},
		{"DeskEntriesLikeANaiveFilter", testDeskEntriesLikeANaiveFilter},
		{"DeskSearchTakesTermsAsTheyAre", testDeskSearchTakesTermsAsTheyAre},
		{"DeskSearchLikeANaiveFilter", testDeskSearchLikeANaiveFilter},
		{"DeskTextsOfOneMoment", testDeskTextsOfOneMoment},
		{"DeskInATransactionOfCases", testDeskInATransactionOfCases},
		{"DeleteCaseAtTheDesk", testDeleteCaseAtTheDesk},
		{"DeskAccountsAreIsolated", testDeskIsolation},
		{"ViewSeesOneState", testViewSeesOneState},
		{"FailedUpdateLeavesNothing", testFailedUpdate},
		{"PanicsLeaveNothing", testPanics},
		{"CancelledContexts", testCancelled},
		{"FailedUpdatesLeaveOthersAlone", testFailedUpdatesBesideOthers},
		{"ConcurrentUpdatesHappenOnce", testConcurrentUpdates},
		{"JobLife", testJobLife},
		{"JobIDs", testJobIDs},
		{"ClaimsAreByPriorityAndTime", testClaimOrder},
		{"ClaimsAreOfKnownKinds", testClaimKinds},
		{"JobsAreChangedWithTheirLease", testLeases},
		{"ExpiredLeases", testExpired},
		{"Due", testDue},
		{"OneUnfinishedJobOfAKey", testJobKeys},
		{"DeadJobsAreRevivedOrDiscarded", testOperator},
		{"JobErrorsAreCut", testJobErrors},
		{"Turns", testTurns},
		{"JobsInPages", testJobsPages},
		{"FailedUpdateEnqueuesNothing", testFailedEnqueue},
		{"EnqueuedWakes", testEnqueued},
		{"ConcurrentClaimsAreOfDifferentJobs", testConcurrentClaims},
		{"ConcurrentRescuesAreOfDifferentJobs", testConcurrentRescues},
		{"ConcurrentKeysAndTurnsAreTakenOnce", testConcurrentKeys},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

func mustUpdate(t testing.TB, s *store.Store, f func(ctx context.Context, tx cases.Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := s.Cases().Update(ctx, account, func(tx cases.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatalf("Update() = %v, want nil", err)
	}
}

func mustUpdateIAM(t testing.TB, s *store.Store, f func(ctx context.Context, tx iam.Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := s.IAM().Update(ctx, func(tx iam.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatalf("Update() = %v, want nil", err)
	}
}

// view returns what f reads in a view.
func view[T any](t testing.TB, s *store.Store, f func(ctx context.Context, tx cases.Tx) (T, error)) (found T, err error) {
	t.Helper()
	ctx := t.Context()
	err = s.Cases().View(ctx, func(tx cases.Tx) (err error) {
		found, err = f(ctx, tx)
		return err
	})
	return found, err
}

func mustView[T any](t testing.TB, s *store.Store, f func(ctx context.Context, tx cases.Tx) (T, error)) T {
	t.Helper()
	found, err := view(t, s, f)
	if err != nil {
		t.Fatalf("View() = %v, want nil", err)
	}
	return found
}

func viewIAM[T any](t testing.TB, s *store.Store, f func(ctx context.Context, tx iam.Tx) (T, error)) (found T, err error) {
	t.Helper()
	ctx := t.Context()
	err = s.IAM().View(ctx, func(tx iam.Tx) (err error) {
		found, err = f(ctx, tx)
		return err
	})
	return found, err
}

func mustViewIAM[T any](t testing.TB, s *store.Store, f func(ctx context.Context, tx iam.Tx) (T, error)) T {
	t.Helper()
	found, err := viewIAM(t, s, f)
	if err != nil {
		t.Fatalf("View() = %v, want nil", err)
	}
	return found
}

// at is a time that many microseconds after the beginning of the tests' world.
func at(micros int) time.Time {
	return time.Date(2026, 2, 3, 4, 5, 6, 789_012_000, time.UTC).Add(time.Duration(micros) * time.Microsecond)
}

// newCase is a case with every field set, whose display id is its id.
func newCase(id string) cases.Case {
	return cases.Case{
		Account: account, ID: id, DisplayID: id, Subject: "subject", Status: cases.Unassigned,
		ServiceCode: "general-info", CategoryCode: "using-aws", SeverityCode: "low",
		IssueType: "technical", Language: "en", SubmittedBy: "ops@example.com",
		CCEmailAddresses: []string{"a@example.com", "b@example.com"},
		CreatedAt:        at(0), ResolvedAt: at(1), Communications: 1, Moves: 2,
	}
}

func mustInsertCases(t testing.TB, s *store.Store, all ...cases.Case) {
	t.Helper()
	mustUpdate(t, s, func(ctx context.Context, tx cases.Tx) error {
		for _, c := range all {
			if err := tx.InsertCase(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func mustCase(t testing.TB, s *store.Store, id string) cases.Case {
	t.Helper()
	return mustView(t, s, func(ctx context.Context, tx cases.Tx) (cases.Case, error) { return tx.Case(ctx, account, id) })
}

// hasCase reports whether the case is there.
func hasCase(t testing.TB, s *store.Store, id string) bool {
	t.Helper()
	_, err := view(t, s, func(ctx context.Context, tx cases.Tx) (cases.Case, error) { return tx.Case(ctx, account, id) })
	if err != nil && !errors.Is(err, cases.ErrCaseNotFound) {
		t.Fatalf("Case(%s) = %v", id, err)
	}
	return err == nil
}

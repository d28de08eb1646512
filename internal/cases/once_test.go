package cases_test

import (
	"crypto/sha256"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
)

// writes are the four operations that happen once. Each acts on a case that is
// there and returns its answer.
func writes(t *testing.T, o *office, caseID string) map[string]func(once cases.RequestKey) (any, error) {
	return map[string]func(once cases.RequestKey) (any, error){
		"CreateCase": func(once cases.RequestKey) (any, error) { return o.Create(t.Context(), alice(), once, question()) },
		"AddCommunicationToCase": func(once cases.RequestKey) (any, error) {
			return nil, o.Communicate(t.Context(), alice(), once, cases.NewCommunication{CaseID: caseID, Body: "more"})
		},
		"ResolveCase": func(once cases.RequestKey) (any, error) { return o.Resolve(t.Context(), alice(), once, caseID) },
		"AddAttachmentsToSet": func(once cases.RequestKey) (any, error) {
			return o.AddAttachments(t.Context(), alice(), once, "", files("a"))
		},
	}
}

// effects counts what the operations leave behind.
func (o *office) effects(t *testing.T, caseID string) map[string]int {
	t.Helper()
	all, err := o.Find(t.Context(), alice(), cases.Query{Limit: 100, PageQuery: cases.PageQuery{IncludeResolved: true}})
	if err != nil {
		t.Fatalf("Find() = %v", err)
	}
	sets := 0
	err = o.Store.View(t.Context(), func(tx cases.Tx) (err error) {
		sets, err = tx.CountSetsSince(t.Context(), account, time.Time{}, 1000)
		return err
	})
	if err != nil {
		t.Fatalf("CountSetsSince() = %v", err)
	}
	return map[string]int{
		"CreateCase": len(all.Cases) - 1, "AddCommunicationToCase": int(o.mustFindOne(t, caseID).Communications) - 1,
		"ResolveCase": len(o.mustMoves(t, caseID)), "AddAttachmentsToSet": sets,
	}
}

func keyOf(operation string) cases.RequestKey {
	return cases.NewRequestKey(alice(), operation, "11111111-2222", sha256.Sum256([]byte("{}")))
}

func TestARepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	for operation := range writes(t, nil, "") {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			o := mustOpenOffice(t)
			id := o.mustCreate(t, question())
			write := writes(t, o, id)[operation]
			first, err := write(keyOf(operation))
			if err != nil {
				t.Fatalf("%s = %v", operation, err)
			}
			repeat := func(when string) {
				t.Helper()
				again, err := write(keyOf(operation))
				if diff := cmp.Diff(first, again); diff != "" || err != nil {
					t.Errorf("%s repeated %s = %v, (-first +again):\n%s", operation, when, err, diff)
				}
			}
			repeat("at once")
			o.pass(time.Hour) // the state moves on, the answer does not
			repeat("an hour later")
			o.mustReopen(t)
			repeat("after a restart")
			if err := o.Purge(t.Context()); err != nil {
				t.Fatalf("Purge() = %v", err)
			}
			repeat("after a purge")
			if got := o.effects(t, id)[operation]; got != 1 {
				t.Errorf("%s repeated has %d effects, want 1", operation, got)
			}
		})
	}
}

func TestRequestsRepeatedAtOnceHaveOneEffect(t *testing.T) {
	t.Parallel()
	for operation := range writes(t, nil, "") {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			o := mustOpenOffice(t)
			id := o.mustCreate(t, question())
			write := writes(t, o, id)[operation]
			answers, outcomes := make([]any, 20), make([]error, 20)
			var wg sync.WaitGroup
			for i := range answers {
				wg.Go(func() { answers[i], outcomes[i] = write(keyOf(operation)) })
			}
			wg.Wait()
			if err := errors.Join(outcomes...); err != nil {
				t.Errorf("%s twenty times at once = %v, want nil", operation, err)
			}
			for _, answer := range answers {
				if diff := cmp.Diff(answers[0], answer); diff != "" {
					t.Errorf("answers of %s at once differ:\n%s", operation, diff)
				}
			}
			if got := o.effects(t, id)[operation]; got != 1 {
				t.Errorf("%s twenty times at once has %d effects, want 1", operation, got)
			}
		})
	}
}

func TestAResolutionRepeatedAfterReopeningIsNotDoneAgain(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	id := o.mustCreate(t, question())
	resolve := writes(t, o, id)["ResolveCase"]
	if _, err := resolve(keyOf("ResolveCase")); err != nil {
		t.Fatalf("Resolve() = %v", err)
	}
	o.mustReply(t, id, "not yet")
	if _, err := resolve(keyOf("ResolveCase")); err != nil {
		t.Fatalf("Resolve(repeated) = %v", err)
	}
	if got := o.mustFindOne(t, id).Status; got != cases.Reopened {
		t.Errorf("status after a late repetition = %s, want %s", got, cases.Reopened)
	}
}

func TestRequestsThatDifferHaveTheirOwnAnswers(t *testing.T) {
	t.Parallel()
	body := sha256.Sum256([]byte("{}"))
	role := iam.Identity{Account: account, Kind: iam.Role, Name: "ops", Session: "jane"}
	otherSession := role
	otherSession.Session = "joe"
	keys := map[string]cases.RequestKey{
		"first":         keyOf("CreateCase"),
		"operation":     keyOf("ResolveCase"),
		"invocation":    cases.NewRequestKey(alice(), "CreateCase", "11111111-2223", body),
		"body":          cases.NewRequestKey(alice(), "CreateCase", "11111111-2222", sha256.Sum256([]byte("{ }"))),
		"account":       cases.NewRequestKey(stranger(), "CreateCase", "11111111-2222", body),
		"role":          cases.NewRequestKey(role, "CreateCase", "11111111-2222", body),
		"session":       cases.NewRequestKey(otherSession, "CreateCase", "11111111-2222", body),
		"moved letters": cases.NewRequestKey(alice(), "CreateCase1", "1111111-2222", body),
	}
	seen := map[cases.RequestKey]string{{}: "no invocation"}
	for name, key := range keys {
		if other, ok := seen[key]; ok {
			t.Errorf("NewRequestKey(another %s) = NewRequestKey(another %s), want another", name, other)
		}
		seen[key] = name
	}
	if got := cases.NewRequestKey(alice(), "CreateCase", "", body); got != (cases.RequestKey{}) {
		t.Errorf("NewRequestKey(no invocation) = %x, want zero", got)
	}

	o := mustOpenOffice(t)
	made := map[string]bool{}
	for range 3 {
		made[o.mustCreate(t, question())] = true // the zero key
	}
	for _, key := range keys {
		id, err := o.Create(t.Context(), alice(), key, question())
		if err != nil {
			t.Fatalf("Create() = %v", err)
		}
		made[id] = true
	}
	if want := 3 + len(keys); len(made) != want {
		t.Errorf("%d requests that differ make %d cases", want, len(made))
	}
	theirs, err := o.Create(t.Context(), stranger(), keyOf("CreateCase"), question())
	if err != nil || made[theirs] {
		t.Errorf("Create(the key of another account) = %s, %v, want a case of its own", theirs, err)
	}
}

func TestAFailedRequestIsNotRemembered(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	o.Limits.CasesPerHour, o.Limits.AttachmentSetsPer10m = 1, 1
	id := o.mustCreate(t, question())
	o.mustAdd(t, "", files("a"))
	o.mustSetStatus(t, id, cases.Resolved)
	late := o.now().Add(15 * 24 * time.Hour)
	all := writes(t, o, id)
	for operation, want := range map[string]error{"CreateCase": cases.ErrCaseCreationLimit, "AddAttachmentsToSet": cases.ErrAttachmentLimit} {
		_, err := all[operation](keyOf(operation))
		wantError(t, operation, err, want)
	}
	_, err := o.Resolve(t.Context(), alice(), keyOf("ResolveCase"), "case-unknown")
	wantError(t, "Resolve(unknown case)", err, cases.ErrCaseNotFound)
	o.set(late)
	_, err = all["AddCommunicationToCase"](keyOf("AddCommunicationToCase"))
	wantError(t, "Communicate(late)", err, cases.ErrReopenWindowOver)
	o.mustSetStatus(t, id, cases.Opened)
	for operation, write := range all {
		if _, err := write(keyOf(operation)); err != nil {
			t.Errorf("%s repeated after the cause of its failure is gone = %v, want nil", operation, err)
		}
	}
}

package testmode_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/testmode"
)

func TestResetGoesBackToTheStart(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	w := newWorld(t, server.Test{Seed: 7, Time: start, Frozen: true})
	id := w.mustCreate("before")
	name := "a.txt"
	if _, err := w.client(1).AddAttachmentsToSet(t.Context(), &support.AddAttachmentsToSetInput{Attachments: []types.Attachment{{FileName: &name, Data: []byte("a")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.server.IAM.CreateAccount(t.Context(), iam.Account{ID: "999999999999", Name: "Late", Email: "late@example.com", Plan: "business"}); err != nil {
		t.Fatal(err)
	}
	w.mustFail(testmode.Fault{Kind: testmode.FaultThrottling})
	if err := w.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	w.Unfreeze()

	if err := w.Reset(t.Context()); err != nil {
		t.Fatalf("Reset() = %v, want nil", err)
	}
	if got := w.requests(testmode.RequestQuery{}); len(got) > 0 || len(w.Faults()) > 0 {
		t.Errorf("after Reset there are requests %+v and faults %+v, want none", got, w.Faults())
	}
	if !w.Now().Equal(start) {
		t.Errorf("after Reset it is %v, want %v", w.Now(), start)
	}
	if got := w.subjects(); len(got) > 0 {
		t.Errorf("after Reset there are cases %v, want none", got)
	}
	if _, err := w.server.IAM.Account(t.Context(), "999999999999"); !errors.Is(err, iam.ErrAccountNotFound) {
		t.Errorf("Account(made later) after Reset = %v, want none", err)
	}
	if again := w.mustCreate("after"); again != id {
		t.Errorf("the first case after Reset is %s, want the id of the seed, %s", again, id)
	}
	if got := w.requests(testmode.RequestQuery{}); got[0].Number != 1 {
		t.Errorf("the first request after Reset has number %d, want 1", got[0].Number)
	}
}

// Who holds the key or the token that the start has shown goes on.
func TestKeysOfTheStartOutliveAReset(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	agent := func() int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/desk/v1/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+w.first.DeskToken)
		return w.send(r, nil)
	}
	for i := range 3 {
		if c, err := w.server.IAM.Credential(t.Context(), w.first.Key.ID, ""); err != nil || c.Secret != w.first.Key.Secret {
			t.Errorf("after %d resets Credential(first key) = %v, want it", i, err)
		}
		if status := agent(); status != http.StatusOK {
			t.Errorf("after %d resets GET /desk/v1/me = %d, want 200", i, status)
		}
		if err := w.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestResetBesideRequestsLosesNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 10 {
				if _, err := w.create(w.client(1), "beside"); err != nil {
					t.Errorf("CreateCase() beside resets = %v, want nil", err)
				}
			}
		})
	}
	for range 10 {
		if err := w.Reset(t.Context()); err != nil {
			t.Errorf("Reset() beside requests = %v, want nil", err)
		}
	}
	callers.Wait()
	if err := w.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.subjects(); len(got) > 0 {
		t.Errorf("after the last Reset there are %d cases, want none", len(got))
	}
}

func TestAdvanceRefusesToGoBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{Frozen: true})
	before := w.Now()
	if err := w.Advance(t.Context(), -time.Second); !errors.Is(err, testmode.ErrInvalid) || !w.Now().Equal(before) {
		t.Errorf("Advance(-1s) = %v at %v, want a refusal at %v", err, w.Now(), before)
	}
	if err := w.Advance(t.Context(), 0); err != nil {
		t.Errorf("Advance(0) = %v, want nil", err)
	}
	if err := w.SetTime(time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)); !errors.Is(err, testmode.ErrInvalid) {
		t.Errorf("SetTime(1700) = %v, want a refusal", err)
	}
	if err := w.SetTime(before.Add(-time.Hour)); err != nil || !w.Now().Equal(before.Add(-time.Hour)) {
		t.Errorf("SetTime(an hour before) = %v at %v, want nil", err, w.Now())
	}
}

// What the rooms keep in memory is of what was there before.
func TestResetForgetsWhatIsInMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	settings := desk.DefaultSettings()
	settings.ProviderName = "Example Support"
	if _, err := w.server.Desk.PutSettings(t.Context(), desk.Operator(), settings); err != nil {
		t.Fatal(err)
	}
	answeredBy := func() string {
		id := w.mustCreate("subject")
		if _, err := w.server.Desk.Reply(t.Context(), desk.Operator(), id, desk.NewReply{Body: "answer"}); err != nil {
			t.Fatalf("Reply() = %v, want nil", err)
		}
		out, err := w.client(1).DescribeCommunications(t.Context(), &support.DescribeCommunicationsInput{CaseId: &id})
		if err != nil {
			t.Fatal(err)
		}
		return *out.Communications[0].SubmittedBy
	}
	if got := answeredBy(); got != "Example Support" {
		t.Errorf("the reply is by %q, want the name that was set", got)
	}
	if err := w.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := answeredBy(); got != desk.DefaultSettings().ProviderName {
		t.Errorf("after Reset the reply is by %q, want the name at the start", got)
	}
}

// Whoever asked may go away: the server is either as it was, or reset.
func TestAResetIsFinishedForThoseWhoWentAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	w.mustCreate("before")
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := w.Reset(gone); err != nil {
		t.Errorf("Reset(of a client that went away) = %v, want nil", err)
	}
	if got := w.subjects(); len(got) > 0 {
		t.Errorf("after Reset there are cases %v, want none", got)
	}
	if _, err := w.Seed(gone, []byte("cases: [{subject: planted, body: words}]")); err != nil {
		t.Errorf("Seed(of a client that went away) = %v, want nil", err)
	}
	if got := w.subjects(); len(got) != 1 {
		t.Errorf("after Seed there are cases %v, want that of the seed", got)
	}
}

// Everything that a test suite can do at a time is done at a time.
func TestResetBesideEverythingLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{Seed: 7})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var busy sync.WaitGroup
	repeat := func(what string, f func() error) {
		busy.Go(func() {
			for ctx.Err() == nil {
				if err := f(); err != nil && ctx.Err() == nil {
					t.Errorf("%s beside resets = %v, want nil", what, err)
					return
				}
			}
		})
	}
	const script = "rules: [{steps: [{after: 1m, reply: Why?}, {on: customer-reply, after: 1m, reply: So., repeat: 3}, {after: 1h, resolve: true}]}]"
	for range 2 {
		client := w.client(1)
		repeat("CreateCase", func() error { <-time.After(time.Millisecond); _, err := w.create(client, "beside"); return err })
	}
	repeat("Advance", func() error { return w.Advance(ctx, 20*time.Minute) })
	repeat("SetAutopilot", func() error { <-time.After(10 * time.Millisecond); return w.SetAutopilot([]byte(script)) })
	repeat("Seed", func() error {
		_, err := w.Seed(ctx, []byte("cases: [{subject: planted, body: words, communications: [{by: agent, body: Why?}]}]"))
		return err
	})
	repeat("clock", func() error { w.Freeze(); w.Unfreeze(); return nil })
	repeat("Requests", func() error {
		soon, done := context.WithTimeout(ctx, 5*time.Millisecond)
		defer done()
		if _, err := w.Requests(soon, testmode.RequestQuery{AtLeast: 10_000}); !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return nil
	})
	for range 10 {
		if err := w.Reset(t.Context()); err != nil {
			t.Errorf("Reset() = %v, want nil", err)
		}
	}
	stop()
	busy.Wait()
	if err := w.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.subjects(); len(got) > 0 {
		t.Errorf("after the last Reset there are %d cases, want none", len(got))
	}
	if w.Autopilot() != nil {
		t.Error("after the last Reset there is a script")
	}
	w.mustCreate("afterwards")
}

func TestResetWaitsForJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	release := w.Hold() // as a job that runs
	var over atomic.Bool
	reset := make(chan error, 1)
	go func() {
		err := w.Reset(t.Context())
		if !over.Load() {
			err = errors.New("the job still ran")
		}
		reset <- err
	}()
	for range 10 {
		w.do("GET", "/clock", "", nil)
	}
	over.Store(true)
	release()
	if err := <-reset; err != nil {
		t.Errorf("Reset() beside a job = %v, want it to wait", err)
	}
}

// A job of before a reset does nothing to what has the same ids after it.
func TestAJobOfBeforeAResetDeletesNoFileOfAfterIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{Seed: 7, Time: start, Frozen: true})
	attach := func() *types.AttachmentDetails {
		id, err := w.client(1).CreateCase(t.Context(), &support.CreateCaseInput{
			Subject: aws.String("s"), CommunicationBody: aws.String("b"), AttachmentSetId: w.mustAttach("a"),
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := w.client(1).DescribeCommunications(t.Context(), &support.DescribeCommunicationsInput{CaseId: id.CaseId})
		if err != nil {
			t.Fatal(err)
		}
		return &out.Communications[0].AttachmentSet[0]
	}
	before := attach()
	var key string
	for info, err := range w.server.Cases.Blobs.List(t.Context(), first+"/") {
		if err != nil {
			t.Fatal(err)
		}
		key = info.Key
	}
	if err := w.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := attach(); *after.AttachmentId != *before.AttachmentId {
		t.Fatalf("attachment %s, want %s again", *after.AttachmentId, *before.AttachmentId)
	}
	for _, k := range w.server.Jobs.Kinds {
		if k.Name == cases.DeleteFilesJob {
			if err := k.Handler(t.Context(), jobs.Job{Account: first, Kind: k.Name, Payload: []byte(`{"keys":["` + key + `"]}`)}); err != nil {
				t.Errorf("job = %v, want nil", err)
			}
		}
	}
	if _, err := w.client(1).DescribeAttachment(t.Context(), &support.DescribeAttachmentInput{AttachmentId: before.AttachmentId}); err != nil {
		t.Errorf("DescribeAttachment(of after the reset) = %v, want nil", err)
	}
}

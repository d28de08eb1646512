package testmode_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/testmode"
)

// What a test in any language sees: the API through an SDK, the desk and the
// management API through HTTP.

func (w *world) mustMove(d string) {
	w.Helper()
	var text string
	if status := w.do("POST", "/clock", fmt.Sprintf(`{"advance":%q}`, d), &text); status != http.StatusOK {
		w.Fatalf("POST /clock advance %s = %d %s, want 200", d, status, text)
	}
}

// mustDesk asks the desk, and decodes its answer into out.
func (w *world) mustDesk(method, path, body string, out any) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.url+"/desk/v1"+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.first.DeskToken)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	var text string
	if status := w.send(r, &text); status >= 300 {
		w.Fatalf("%s %s %s = %d %s, want success", method, path, body, status, text)
	}
	if err := json.Unmarshal([]byte(text), out); err != nil {
		w.Fatalf("%s %s = %s: %v", method, path, text, err)
	}
}

func (w *world) mustAttach(name string) *string {
	w.Helper()
	set, err := w.client(1).AddAttachmentsToSet(w.Context(), &support.AddAttachmentsToSetInput{
		Attachments: []types.Attachment{{FileName: &name, Data: []byte(name)}},
	})
	if err != nil {
		w.Fatalf("AddAttachmentsToSet() = %v, want nil", err)
	}
	return set.AttachmentSetId
}

func TestSetsExpireAtTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{Frozen: true})
	create := func(set *string) error {
		_, err := w.client(1).CreateCase(t.Context(), &support.CreateCaseInput{Subject: aws.String("s"), CommunicationBody: aws.String("b"), AttachmentSetId: set})
		return err
	}
	early, late := w.mustAttach("early"), w.mustAttach("late")
	w.mustMove("59m59s")
	if err := create(early); err != nil {
		t.Errorf("CreateCase(set of 59m59s) = %v, want nil", err)
	}
	w.mustMove("1s")
	if err := create(late); errorCode(err) != "AttachmentSetExpired" {
		t.Errorf("CreateCase(set of an hour) = %v, want AttachmentSetExpired", err)
	}
}

func TestCoolDownsEndAtTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{Frozen: true})
	c := w.anyCheck(true)
	var text string
	if status := w.do("PUT", "/results", fmt.Sprintf(`{"account":%q,"check":%q,"resources":[]}`, first, c.ID), &text); status != http.StatusNoContent {
		t.Fatalf("PUT /results = %d %s, want 204", status, text)
	}
	left := func() time.Duration {
		t.Helper()
		out, err := w.client(1).DescribeTrustedAdvisorCheckRefreshStatuses(t.Context(), &support.DescribeTrustedAdvisorCheckRefreshStatusesInput{CheckIds: []*string{&c.ID}})
		if err != nil {
			t.Fatal(err)
		}
		return time.Duration(out.Statuses[0].MillisUntilNextRefreshable) * time.Millisecond
	}
	if got := left(); got != c.Interval {
		t.Errorf("cool-down after a result = %v, want %v", got, c.Interval)
	}
	w.mustMove((c.Interval - time.Second).String())
	refreshed, err := w.client(1).RefreshTrustedAdvisorCheck(t.Context(), &support.RefreshTrustedAdvisorCheckInput{CheckId: &c.ID})
	if got := left(); got != time.Second || err != nil || *refreshed.Status.Status != "success" {
		t.Errorf("a second before its end the cool-down is %v, and a refresh %+v, %v, want a second and nothing done", got, refreshed, err)
	}
	w.mustMove("1s")
	if got := left(); got != 0 {
		t.Errorf("cool-down at its end = %v, want 0", got)
	}
	if refreshed, err = w.client(1).RefreshTrustedAdvisorCheck(t.Context(), &support.RefreshTrustedAdvisorCheckInput{CheckId: &c.ID}); err != nil || *refreshed.Status.Status != "enqueued" {
		t.Errorf("refresh after the cool-down = %+v, %v, want enqueued", refreshed, err)
	}
}

// A critical case of an enterprise plan is answered within 15 minutes.
func TestPromisesAreBrokenAtTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{Time: start, Frozen: true})
	create := func(subject string) string {
		out, err := w.client(1).CreateCase(t.Context(), &support.CreateCaseInput{Subject: &subject, CommunicationBody: aws.String("b"), SeverityCode: aws.String("critical")})
		if err != nil {
			t.Fatal(err)
		}
		return *out.CaseId
	}
	late, kept := create("late"), create("kept")
	breached := func(id string) string {
		var out struct {
			Items []struct {
				Kind     string
				Breached bool
				DueAt    time.Time
			}
		}
		w.mustDesk("GET", "/cases/"+id+"/clocks", "", &out)
		return fmt.Sprint(out.Items[0].Kind, " ", out.Items[0].DueAt.Sub(start), " ", out.Items[0].Breached)
	}
	w.mustMove("14m59s")
	w.mustDesk("POST", "/cases/"+kept+"/reply", `{"body":"in time"}`, &struct{}{})
	if got := breached(late); got != "first-response 15m0s false" {
		t.Errorf("a second before it is due the clock is %s", got)
	}
	w.mustMove("1h")
	if got := breached(late); got != "first-response 15m0s true" {
		t.Errorf("after it was due the clock is %s", got)
	}
	if got := breached(kept); !strings.HasSuffix(got, " false") {
		t.Errorf("of the case that was answered the clock is %s", got)
	}
	for id, want := range map[string][]string{late: {"11m15s", "15m0s"}, kept: {"11m15s"}} {
		var at []string
		for _, event := range w.events(id, start) {
			moment, _, _ := strings.Cut(event, " ")
			at = append(at, moment)
		}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("what the desk noted of %s (-want +got):\n%s", id, diff)
		}
	}
}

// A year after its creation a case is gone, for customers and for agents.
func TestCasesGrowOldAtTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{Time: start, Frozen: true})
	id := w.mustCreate("old")
	if _, err := w.client(1).ResolveCase(t.Context(), &support.ResolveCaseInput{CaseId: &id}); err != nil {
		t.Fatal(err)
	}
	again := func() error {
		_, err := w.client(1).AddCommunicationToCase(t.Context(), &support.AddCommunicationToCaseInput{CaseId: &id, CommunicationBody: aws.String("again")})
		return err
	}
	w.mustMove("335h59m")
	if err := again(); err != nil {
		t.Errorf("AddCommunicationToCase(resolved for almost 14 days) = %v, want it to be reopened", err)
	}
	if _, err := w.client(1).ResolveCase(t.Context(), &support.ResolveCaseInput{CaseId: &id}); err != nil {
		t.Fatal(err)
	}
	w.mustMove("337h")
	if err := again(); errorCode(err) != "ValidationException" {
		t.Errorf("AddCommunicationToCase(resolved for more than 14 days) = %v, want ValidationException", err)
	}
	w.mustMove("8760h")
	if err := again(); errorCode(err) != "CaseIdNotFound" {
		t.Errorf("AddCommunicationToCase(older than a year) = %v, want CaseIdNotFound", err)
	}
	w.mustMove("8760h") // the token of the start is still good
	var queue struct{ Items []any }
	if w.mustDesk("GET", "/cases?view=all", "", &queue); len(queue.Items) > 0 {
		t.Errorf("a year later the desk has %v, want nothing", queue.Items)
	}
}

// The clock is moved, stopped and started while customers ask: every call
// succeeds, and no communication is older than the one before.
func TestTheClockIsMovedBesideRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	id := w.mustCreate("beside")
	ctx, stop := context.WithCancel(t.Context())
	moved := make(chan error, 1)
	go func() {
		defer close(moved)
		for ctx.Err() == nil {
			w.Freeze()
			if err := w.Advance(t.Context(), 7*time.Minute); err != nil {
				moved <- err
				return
			}
			w.Unfreeze()
			if err := w.SetTime(w.Now().Add(time.Minute)); err != nil {
				moved <- err
				return
			}
		}
	}()
	for i := range 30 {
		if _, err := w.client(1).AddCommunicationToCase(t.Context(), &support.AddCommunicationToCaseInput{CaseId: &id, CommunicationBody: aws.String(fmt.Sprint(i))}); err != nil {
			t.Errorf("AddCommunicationToCase() beside moves = %v, want nil", err)
		}
	}
	stop()
	if err := <-moved; err != nil {
		t.Errorf("moving the clock beside requests = %v, want nil", err)
	}
	out, err := w.client(1).DescribeCommunications(t.Context(), &support.DescribeCommunicationsInput{CaseId: &id, MaxResults: aws.Int32(100)})
	if err != nil || len(out.Communications) != 31 {
		t.Fatalf("DescribeCommunications() = %d, %v, want 31", len(out.Communications), err)
	}
	for i := 1; i < len(out.Communications); i++ { // the newest comes first
		if newer, older := *out.Communications[i-1].TimeCreated, *out.Communications[i].TimeCreated; newer < older {
			t.Errorf("communication %s came after that of %s", newer, older)
		}
	}
}

// Of one seed the same calls have the same answers, in every process and after
// every reset.
func TestTheSameCallsHaveTheSameAnswers(t *testing.T) {
	t.Parallel()
	play := func(w *world) (seen []types.CaseDetails, notes string) {
		for _, subject := range []string{"one", "two"} {
			out, err := w.client(1).CreateCase(t.Context(), &support.CreateCaseInput{
				Subject: &subject, CommunicationBody: aws.String("b"), AttachmentSetId: w.mustAttach(subject),
			})
			if err != nil {
				t.Fatal(err)
			}
			w.mustMove("1m")
			w.mustDesk("POST", "/cases/"+*out.CaseId+"/reply", `{"body":"answer","attachments":[{"fileName":"a","data":"YQ=="}]}`, &struct{}{})
			var noted any
			w.mustDesk("POST", "/cases/"+*out.CaseId+"/notes", `{"body":"internal"}`, &noted)
			notes += fmt.Sprint(noted)
		}
		out, err := w.client(1).DescribeCases(t.Context(), &support.DescribeCasesInput{})
		if err != nil {
			t.Fatal(err)
		}
		return out.Cases, notes
	}
	w := newWorld(t, server.Test{Time: start, Frozen: true, Seed: 7})
	want, wantNotes := play(w)
	if len(want) != 2 || *want[0].CaseId == *want[1].CaseId || *want[0].DisplayId == *want[1].DisplayId {
		t.Fatalf("cases %+v, want two with ids of their own", want)
	}
	if err := w.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	unknown := cmpopts.IgnoreUnexported(types.CaseDetails{}, types.RecentCaseCommunications{}, types.Communication{}, types.AttachmentDetails{})
	for where, other := range map[string]*world{"after a reset": w, "in another server": newWorld(t, server.Test{Time: start, Frozen: true, Seed: 7})} {
		got, notes := play(other)
		if diff := cmp.Diff(want, got, unknown); diff != "" {
			t.Errorf("the cases %s (-want +got):\n%s", where, diff)
		}
		if where == "after a reset" && notes != wantNotes { // in another server the agent has an id of the first run
			t.Errorf("the desk's answers %s:\n%s\nwant\n%s", where, notes, wantNotes)
		}
	}
	got, _ := play(newWorld(t, server.Test{Time: start, Frozen: true, Seed: 8}))
	if *got[0].CaseId == *want[0].CaseId || *got[0].DisplayId == *want[0].DisplayId {
		t.Errorf("of another seed the first case is %s, too", *got[0].CaseId)
	}
}

// The client of the AWS SDK for Go as it comes, but for its pauses: what it makes
// of a fault that happens once. A case is there once in any case.
func TestWhatTheSDKMakesOfEachFault(t *testing.T) {
	t.Parallel()
	for kind, repeats := range map[testmode.FaultKind]bool{
		testmode.FaultThrottling: true, testmode.FaultInternalError: true, testmode.FaultUnavailable: true,
		testmode.FaultLostAnswer: true, testmode.FaultCutConnection: true, testmode.FaultLatency: false,
		testmode.FaultWrongContent: false, testmode.FaultTruncatedBody: false,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, server.Test{})
			f := testmode.Fault{Kind: kind, Operation: "CreateCase", Count: 1}
			if kind == testmode.FaultLatency {
				f.Delay = time.Millisecond
			}
			w.mustFail(f)
			_, err := w.create(w.patientClient(), "once")
			broken := kind == testmode.FaultWrongContent || kind == testmode.FaultTruncatedBody
			if (err != nil) != broken {
				t.Errorf("CreateCase() = %v, want an error: %t", err, broken)
			}
			if got := w.requests(testmode.RequestQuery{Operation: "CreateCase"}); (len(got) == 2) != repeats || got[0].Fault != kind {
				t.Errorf("requests %+v, want a second one: %t", got, repeats)
			}
			if got := w.subjects(); len(got) != 1 {
				t.Errorf("cases %v, want one", got)
			}
		})
	}
}

// patientClient is one with the retries that it comes with, which do not pause.
func (w *world) patientClient() *support.Client {
	return support.New(w.client(0).Options(), func(o *support.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	})
}

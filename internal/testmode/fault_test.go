package testmode_test

import (
	"errors"
	"io"
	"math"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/testmode"
)

func TestEveryKindOfFault(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind   testmode.FaultKind
		code   string // of the error that the SDK sees
		status int    // in the log
		done   bool
		logged string // error code in the log
	}{
		{testmode.FaultThrottling, "ThrottlingException", 400, false, "ThrottlingException"},
		{testmode.FaultInternalError, "InternalServerError", 500, false, "InternalServerError"},
		{testmode.FaultUnavailable, "ServiceUnavailable", 503, false, "ServiceUnavailable"},
		{testmode.FaultLostAnswer, "", 0, true, ""},
		{testmode.FaultCutConnection, "", 0, false, ""},
		{testmode.FaultWrongContent, "", 200, true, ""},
		{testmode.FaultTruncatedBody, "", 200, true, ""},
	} {
		t.Run(string(test.kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, server.Test{})
			w.mustFail(testmode.Fault{Kind: test.kind, Operation: "CreateCase"})
			_, err := w.create(w.client(1), "subject")
			if err == nil || errorCode(err) != test.code {
				t.Errorf("CreateCase() = %v, want an error with code %q", err, test.code)
			}
			if got := len(w.subjects()) == 1; got != test.done {
				t.Errorf("the case is there: %t, want %t", got, test.done)
			}
			all := w.requests(testmode.RequestQuery{Operation: "CreateCase"})
			if len(all) != 1 {
				t.Fatalf("the log has %+v, want one request", all)
			}
			got := all[0]
			if got.Fault != test.kind || got.Status != test.status || got.ErrorCode != test.logged || got.Account != first || !strings.Contains(string(got.Input), `"subject":"subject"`) {
				t.Errorf("logged %+v (%s), want the fault, status %d, error %q, account and input", got, got.Input, test.status, test.logged)
			}
			if (got.Principal != "") != test.done {
				t.Errorf("logged principal %q, want one if somebody looked: %t", got.Principal, test.done)
			}
		})
	}
}

func TestAFaultHasTheFormOfTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	for _, test := range []struct {
		kind              testmode.FaultKind
		status            int
		contentType, body string
	}{
		{testmode.FaultThrottling, 400, "application/x-amz-json-1.1", `{"__type":"ThrottlingException","message":"Throttle limit exceeded."}`},
		{testmode.FaultInternalError, 500, "application/x-amz-json-1.1", `{"__type":"InternalServerError","message":"An internal error occurred."}`},
		{testmode.FaultUnavailable, 503, "application/x-amz-json-1.1", `{"__type":"ServiceUnavailable","message":"The request has failed due to a temporary failure of the server."}`},
		{testmode.FaultWrongContent, 200, "text/html; charset=utf-8", "<!DOCTYPE html>"},
	} {
		w.Clear("")
		w.mustFail(testmode.Fault{Kind: test.kind})
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != test.status || answer.Header.Get("Content-Type") != test.contentType || !strings.HasPrefix(string(body), test.body) || answer.Header.Get("X-Amzn-Requestid") == "" {
			t.Errorf("%s: %v %s %s, %v, want %d %s and an id", test.kind, answer.Status, answer.Header, body, err, test.status, test.body)
		}
	}
}

// What makes the whole fault worth it: the client repeats, and the case is there
// once.
func TestARepeatedCallAfterALostAnswerIsDoneOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	w.mustFail(testmode.Fault{Kind: testmode.FaultLostAnswer, Operation: "CreateCase", Count: 1})
	if _, err := w.create(w.client(3), "once"); err != nil {
		t.Errorf("CreateCase() = %v, want the second attempt to succeed", err)
	}
	if got := w.subjects(); len(got) != 1 {
		t.Errorf("cases %v, want one", got)
	}
	if got := w.requests(testmode.RequestQuery{Operation: "CreateCase"}); len(got) != 2 || got[1].Fault != "" || got[1].Status != 200 {
		t.Errorf("requests %+v, want two", got)
	}
	if got := w.Faults()[0].Happened; got != 1 {
		t.Errorf("the fault happened %d times, want once", got)
	}
}

func TestLatencyDelaysAndDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	const delay = 30 * time.Millisecond
	w.mustFail(testmode.Fault{Kind: testmode.FaultLatency, Delay: delay})
	begun := time.Now()
	w.mustCreate("slow")
	if took := time.Since(begun); took < delay {
		t.Errorf("CreateCase() took %v, want %v", took, delay)
	}
	if got := w.requests(testmode.RequestQuery{})[0]; got.Duration < delay || got.Fault != testmode.FaultLatency || got.Status != 200 {
		t.Errorf("logged %+v, want the delay", got)
	}
}

// createLate begins to create a case that a fault delays for a minute, and returns
// what tells how that ended.
func (w *world) createLate() <-chan error {
	w.Helper()
	w.mustFail(testmode.Fault{Kind: testmode.FaultLatency, Delay: time.Minute})
	ended := make(chan error, 1)
	go func() {
		_, err := w.create(w.client(1), "late")
		ended <- err
	}()
	for w.Faults()[0].Happened == 0 {
		runtime.Gosched()
	}
	return ended
}

// A call that is delayed by one test does nothing in the next one.
func TestAResetCutsOffWhoIsDelayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	ended := w.createLate()
	if err := w.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("CreateCase(delayed, before a reset) = nil, want its connection cut")
	}
	if got := w.requests(testmode.RequestQuery{}); len(got) > 0 {
		t.Errorf("the log has %+v, want nothing of before the reset", got)
	}
	if got := w.subjects(); len(got) > 0 {
		t.Errorf("cases %v, want none", got)
	}
}

func TestTheEndOfTheServerEndsDelays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	ended := w.createLate()
	w.end()
	if err := <-ended; err != nil {
		t.Errorf("CreateCase(delayed, at the end of the server) = %v, want nil", err)
	}
}

func TestFaultsAreChosenByOperationAndAccount(t *testing.T) {
	t.Parallel()
	const other = "111122223333"
	w := newWorld(t, server.Test{})
	if _, err := w.server.IAM.CreateAccount(t.Context(), iam.Account{ID: other, Name: "Other", Email: "other@example.com", Plan: "business"}); err != nil {
		t.Fatal(err)
	}
	w.mustFail(testmode.Fault{Kind: testmode.FaultThrottling, Operation: "CreateCase", Account: other})
	w.mustCreate("of the first account")
	if _, err := w.create(w.clientOf(other, 1), "of the other"); errorCode(err) != "ThrottlingException" {
		t.Errorf("CreateCase(other account) = %v, want ThrottlingException", err)
	}
	if _, err := w.clientOf(other, 1).DescribeCases(t.Context(), &support.DescribeCasesInput{}); err != nil {
		t.Errorf("DescribeCases(other account) = %v, want nil", err)
	}
	id := w.mustFail(testmode.Fault{Kind: testmode.FaultInternalError, Operation: "DescribeCases"})
	if !w.Clear(id) || w.Clear(id) {
		t.Errorf("Clear(%s) twice: want it to be there once", id)
	}
	w.subjects()
	if !w.Clear("") || len(w.Faults()) > 0 {
		t.Errorf("after Clear() there are %+v, want none", w.Faults())
	}
	if _, err := w.create(w.clientOf(other, 1), "of the other"); err != nil {
		t.Errorf("CreateCase(other account) after Clear = %v, want nil", err)
	}
}

func TestTheFirstFaultThatFitsHappens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	w.mustFail(testmode.Fault{Kind: testmode.FaultThrottling, Count: 2})
	w.mustFail(testmode.Fault{Kind: testmode.FaultInternalError, Count: 1})
	var codes []string
	for range 4 {
		_, err := w.create(w.client(1), "subject")
		codes = append(codes, errorCode(err))
	}
	if diff := cmp.Diff([]string{"ThrottlingException", "ThrottlingException", "InternalServerError", ""}, codes); diff != "" {
		t.Errorf("error codes (-want +got):\n%s", diff)
	}
}

func TestChanceComesOutTheSameOfASeed(t *testing.T) {
	t.Parallel()
	happens := func(w *world) (pattern string) {
		w.mustFail(testmode.Fault{Kind: testmode.FaultThrottling, Probability: 0.5})
		for range 24 {
			_, err := w.client(1).DescribeSeverityLevels(t.Context(), &support.DescribeSeverityLevelsInput{})
			pattern += map[bool]string{true: "x", false: "."}[err != nil]
		}
		return pattern
	}
	w := newWorld(t, server.Test{Seed: 7})
	one := happens(w)
	if err := w.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, other := happens(w), happens(newWorld(t, server.Test{Seed: 8})); again != one || other == one || !strings.Contains(one, "x") || !strings.Contains(one, ".") {
		t.Errorf("of seed 7 faults happen as %s, after a reset as %s, of seed 8 as %s; want the same, and another", one, again, other)
	}
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	for want, f := range map[string]testmode.Fault{
		`no kind of fault "typo"`:                {Kind: "typo"},
		`no operation "CreateCas"`:               {Kind: testmode.FaultThrottling, Operation: "CreateCas"},
		`12 digits, unlike "12"`:                 {Kind: testmode.FaultThrottling, Account: "12"},
		"from 0 to 1, not 2":                     {Kind: testmode.FaultThrottling, Probability: 2},
		"from 0 to 1, not NaN":                   {Kind: testmode.FaultThrottling, Probability: math.NaN()},
		"from 0 to 1, not +Inf":                  {Kind: testmode.FaultThrottling, Probability: math.Inf(1)},
		"from 0 to 1, not -0.1":                  {Kind: testmode.FaultThrottling, Probability: -0.1},
		"cannot happen -1 times":                 {Kind: testmode.FaultThrottling, Count: -1},
		"at most 1m0s, not 0s":                   {Kind: testmode.FaultLatency},
		"at most 1m0s, not 1h0m0s":               {Kind: testmode.FaultLatency, Delay: time.Hour},
		`Only faults of the kind "latency" have`: {Kind: testmode.FaultThrottling, Delay: time.Second},
	} {
		if _, err := w.Fail(f); !errors.Is(err, testmode.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("Fail(%+v) = %v, want %s", f, err, want)
		}
	}
	if got := w.Faults(); len(got) > 0 {
		t.Errorf("Faults() = %+v, want none", got)
	}
}

// A fault is of the API alone: agents, health and the management API go on.
func TestFaultsTouchNothingButTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	w.mustFail(testmode.Fault{Kind: testmode.FaultCutConnection})
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/desk/v1/openapi.json"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if status := w.send(r, nil); status != http.StatusOK {
			t.Errorf("GET %s = %d, want 200", path, status)
		}
	}
	if status := w.do("GET", "/faults", "", nil); status != http.StatusOK {
		t.Errorf("GET /faults = %d, want 200", status)
	}
	if !slices.ContainsFunc(w.Faults(), func(f testmode.Fault) bool { return f.Happened == 0 }) {
		t.Errorf("Faults() = %+v, want one that has not happened", w.Faults())
	}
}

package advisor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/jobs"
)

func TestTheLifeOfARefresh(t *testing.T) {
	inWorld(t, func(w *world) {
		w.source(business)
		time.Sleep(2 * time.Hour)
		began, goOn := make(chan struct{}), make(chan struct{})
		w.aws.hook = func(context.Context) error { close(began); <-goOn; return nil }
		statuses := func(step string, want ...advisor.RefreshStatus) {
			got, err := w.advisor.RefreshStatuses(w.Context(), who(business), []string{disks, never})
			mustNot(t, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step, diff)
			}
		}
		none := advisor.RefreshStatus{CheckID: never, State: advisor.None}
		statuses("before", advisor.RefreshStatus{CheckID: disks, State: advisor.Success}, none)
		if got, want := w.refresh(business, disks), (advisor.RefreshStatus{CheckID: disks, State: advisor.Enqueued, Left: time.Hour}); got != want {
			t.Errorf("Refresh = %+v, want %+v", got, want)
		}
		statuses("accepted", advisor.RefreshStatus{CheckID: disks, State: advisor.Enqueued, Left: time.Hour}, none)
		requested := time.Now()
		w.running(func() {
			w.await(began)
			statuses("begun", advisor.RefreshStatus{CheckID: disks, State: advisor.Processing, Left: time.Until(requested.Add(time.Hour))}, none)
			close(goOn)
			time.Sleep(time.Minute)
		})
		statuses("over", advisor.RefreshStatus{CheckID: disks, State: advisor.Success, Left: time.Until(requested.Add(time.Hour))}, none)
	})
}

func TestNothingHappensWithinTheCoolDown(t *testing.T) {
	inWorld(t, func(w *world) {
		w.source(business)
		time.Sleep(time.Hour)
		w.refresh(business, disks)
		w.refresh(business, everything)
		w.work() // five minutes
		before := w.collections()
		if got := w.refresh(business, disks); got.State != advisor.Success || got.Left != 55*time.Minute {
			t.Errorf("Refresh within the cool-down = %+v, want success and what is left", got)
		}
		w.work()
		if got := w.collections(); got != before {
			t.Errorf("within the cool-down there were %d collections, want none", got-before)
		}
		if got := w.refresh(business, everything); got.State != advisor.Enqueued || got.Left != 5*time.Minute {
			t.Errorf("Refresh of a check with a cool-down of 5 minutes = %+v, want it accepted", got)
		}
		time.Sleep(50 * time.Minute)
		if got := w.refresh(business, disks); got.State != advisor.Enqueued {
			t.Errorf("Refresh after the cool-down = %+v, want it accepted", got)
		}
		w.work()
		if got := w.collections(); got != before+1 {
			t.Errorf("after two refreshes there were %d collections, want one", got-before)
		}
	})
}

func TestWhatCannotBeRefreshed(t *testing.T) {
	inWorld(t, func(w *world) {
		_, automatic := w.advisor.Refresh(w.Context(), who(business), keys)
		_, unknown := w.advisor.Refresh(w.Context(), who(business), "x")
		_, automatic2 := w.advisor.RefreshStatuses(w.Context(), who(business), []string{disks, keys})
		_, unknown2 := w.advisor.RefreshStatuses(w.Context(), who(business), []string{disks, "x"})
		_, unknown3 := w.advisor.Summaries(w.Context(), who(business), []string{disks, "x"})
		_, unknown4 := w.advisor.Result(w.Context(), who(business), "x")
		for _, err := range []error{automatic, automatic2} {
			if !errors.Is(err, advisor.ErrUnrefreshable) || err.Error() != "[UNREFRESHABLE_CHECK_ID_ERROR] Check keys is not refreshable." {
				t.Errorf("automatic check: %v, want %v", err, advisor.ErrUnrefreshable)
			}
		}
		for _, err := range []error{unknown, unknown2, unknown3, unknown4} {
			if !errors.Is(err, advisor.ErrUnknownCheck) || err.Error() != "[UNKNOWN_CHECK_ID_ERROR] Unknown ID" {
				t.Errorf("unknown check: %v, want %v", err, advisor.ErrUnknownCheck)
			}
		}
		w.want("status of the automatic check", string(w.status(business, keys)), "none")
	})
}

func TestSettingASourceComputesEverythingAndClearingForgetsIt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", true, 1), disk("b", false, 200))
		for _, id := range []string{disks, everything, keys} {
			w.want("before", w.listed(business, id), "not_available: the account has no source of resources")
		}
		w.source(business)
		w.want("disks", w.listed(business, disks), "error 2/1/0/0 b:error")
		w.want("everything", w.listed(business, everything), "warning 2/1/0/0 a:ok b:warning")
		w.want("keys", w.listed(business, keys), "ok 0/0/0/0")
		w.want("never", w.listed(business, never), "not_available: AWS tells nobody")
		if got := w.result(business, everything).Savings; got != 20 {
			t.Errorf("savings: %v, want 20", got)
		}
		want := []inventory.Needs{{"t.disk": nil, "t.key": nil}}
		if got := fmt.Sprint(w.aws.needed); got != fmt.Sprint(want) {
			t.Errorf("collected: %v, want one collection of %v", got, want)
		}
		mustNot(t, w.advisor.ClearSource(w.Context(), business))
		w.work()
		for _, id := range []string{disks, everything, keys} {
			w.want("cleared", w.listed(business, id), "not_available: the account has no source of resources")
			w.want("cleared", string(w.status(business, id)), "none")
		}
		if err := w.advisor.ClearSource(w.Context(), business); !errors.Is(err, advisor.ErrNoSource) {
			t.Errorf("ClearSource(cleared) = %v, want %v", err, advisor.ErrNoSource)
		}
	})
}

func TestAnotherSourceForgetsResultsAndTheSameOneKeepsThem(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1))
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{AccessKeyID: "AKIA", SecretAccessKey: "old"}))
		w.work()
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{AccessKeyID: "AKIA", SecretAccessKey: "new"}))
		w.want("the same", w.listed(business, disks), "error 1/1/0/0 a:error")
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "other"}))
		if got := w.listed(business, disks); !strings.HasPrefix(got, "not_available") {
			t.Errorf("another source: %s, want it not available until it was refreshed", got)
		}
		w.work()
		w.want("refreshed", w.listed(business, disks), "error 1/1/0/0 a:error")
	})
}

func TestARefreshWithoutASourceIsAbandoned(t *testing.T) {
	inWorld(t, func(w *world) {
		w.refresh(business, disks)
		w.work()
		w.want("refresh", string(w.status(business, disks)), "abandoned")
		w.want("result", w.listed(business, disks), "not_available: the account has no source of resources")
		if got := w.refresh(business, disks); got.State != advisor.Enqueued {
			t.Errorf("Refresh after an abandoned one = %+v, want it accepted", got)
		}
	})
}

func TestARefreshRequestedDuringARunIsNotLost(t *testing.T) {
	inWorld(t, func(w *world) {
		w.source(business)
		time.Sleep(2 * time.Hour)
		began, goOn, first := make(chan struct{}, 2), make(chan struct{}), true
		w.aws.hook = func(context.Context) error {
			began <- struct{}{}
			if first {
				first = false
				<-goOn
			}
			time.Sleep(time.Second) // results of one time would be one in the history
			return nil
		}
		before := w.collections()
		w.refresh(business, everything)
		w.running(func() {
			w.await(began)
			w.refresh(business, disks)
			time.Sleep(6 * time.Minute)
			if got := w.refresh(business, everything); got.State != advisor.Enqueued { // its cool-down is over
				t.Errorf("Refresh of a check that is being computed = %+v, want it accepted", got)
			}
			close(goOn)
			time.Sleep(time.Minute)
		})
		w.want("disks", string(w.status(business, disks)), "success")
		w.want("everything", string(w.status(business, everything)), "success")
		if got := w.collections() - before; got != 2 {
			t.Errorf("there were %d collections, want 2", got)
		}
		history, err := w.advisor.History(w.Context(), business, everything, 10)
		mustNot(t, err)
		if len(history) != 3 {
			t.Errorf("the check that was asked for twice was computed %d times since the source was set, want 2", len(history)-1)
		}
	})
}

func TestAFailingSourceIsTriedAgainAndThenAbandoned(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1))
		w.source(business)
		events, err := w.advisor.Events(w.Context(), business, 10)
		mustNot(t, err)
		time.Sleep(2 * time.Hour)
		before := w.collections()
		w.aws.err = errors.New("the endpoint is away")
		w.refresh(business, disks)
		w.running(func() { time.Sleep(10 * time.Second) })
		w.want("after the first attempt", string(w.status(business, disks)), "processing")
		w.work()
		if got := w.collections() - before; got != 3 {
			t.Errorf("there were %d attempts, want 3", got)
		}
		w.want("refresh", string(w.status(business, disks)), "abandoned")
		w.want("result", w.listed(business, disks), "not_available: the endpoint is away")
		w.want("another check", w.listed(business, everything), "ok 1/0/0/0 a:ok")
		if !strings.Contains(w.log.String(), "the endpoint is away") {
			t.Errorf("the log does not have the cause:\n%s", &w.log)
		}
		w.aws.err = nil
		if got := w.refresh(business, disks); got.State != advisor.Enqueued {
			t.Errorf("Refresh after an abandoned one = %+v, want it accepted", got)
		}
		w.work()
		w.want("result", w.listed(business, disks), "error 1/1/0/0 a:error")
		after, err := w.advisor.Events(w.Context(), business, 10)
		mustNot(t, err)
		if diff := cmp.Diff(events, after); diff != "" {
			t.Errorf("events after an outage that changed nothing (-before +after):\n%s", diff)
		}
		history, err := w.advisor.History(w.Context(), business, disks, 10)
		mustNot(t, err)
		got := ""
		for _, s := range history {
			got += string(s.Status) + " "
		}
		w.want("history", got, "error not_available error ")
	})
}

// The node dies in each attempt, in the last one too: there is nobody to say
// that it was the last.
func TestACrashInEveryAttemptEndsInAbandoned(t *testing.T) {
	inWorld(t, func(w *world) {
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "p"}))
		for attempt := range 3 {
			w.die()
			w.want(fmt.Sprintf("after crash %d", attempt+1), string(w.status(business, disks)), "processing")
			w.rescue()
		}
		before := w.collections()
		w.work()
		if got := w.collections(); got != before {
			t.Errorf("there was a fourth attempt")
		}
		w.want("refresh", string(w.status(business, disks)), "abandoned")
		w.want("result", w.listed(business, disks), "not_available: its refresh was interrupted again and again")
		w.want("refresh", string(w.refresh(business, disks).State), "enqueued")
		w.work()
		w.want("refresh", string(w.status(business, disks)), "success")
	})
}

func TestACrashIsFollowedByAnotherAttempt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1))
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "p"}))
		w.die()
		w.rescue()
		w.work()
		w.want("refresh", string(w.status(business, disks)), "success")
		w.want("result", w.listed(business, disks), "error 1/1/0/0 a:error")
	})
}

// die claims the job, works on it and never tells how that ended.
func (w *world) die() {
	w.Helper()
	var claimed []jobs.Job
	mustNot(w, w.store.Jobs().Update(w.Context(), func(tx jobs.Tx) (err error) {
		claimed, err = tx.Claim(w.Context(), []string{advisor.RefreshJob}, time.Now(), jobs.Lease{Token: "dead", Until: time.Now()}, 1)
		return err
	}))
	if len(claimed) != 1 {
		w.Fatalf("claimed %d jobs, want 1", len(claimed))
	}
	ctx, cancel := context.WithCancel(w.Context())
	w.aws.hook = func(ctx context.Context) error { cancel(); return ctx.Err() }
	if err := w.advisor.DoRefresh(ctx, claimed[0]); err == nil {
		w.Fatal("DoRefresh = nil, want an error")
	}
	w.aws.hook = nil
}

// rescue is a runner that finds the jobs of dead nodes, and ends while it has
// begun them.
func (w *world) rescue() {
	w.Helper()
	kinds := w.advisor.Kinds()
	for i := range kinds {
		kinds[i].Handler = func(ctx context.Context, _ jobs.Job) error { <-ctx.Done(); return ctx.Err() }
	}
	w.run(kinds, func() { time.Sleep(5 * time.Minute) })
}

// faulty is a store of which updates of accounts fail when the test says so.
type faulty struct {
	advisor.Store
	fail func(account string) error
}

func (f faulty) Update(ctx context.Context, account string, do func(advisor.Tx) error) error {
	if err := f.fail(account); err != nil {
		return err
	}
	return f.Store.Update(ctx, account, do)
}

// The node dies after every transaction with results, and every attempt of the
// next one finds the rest.
func TestACrashBetweenGroupsOfResultsLosesAndRepeatsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		const count = 700 // of each of two checks: too many for one group
		var all []inventory.Resource
		for i := range count {
			all = append(all, disk(fmt.Sprint("disk-", i), false, 200))
		}
		w.aws.set(all...)
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "p"}))
		whole := w.advisor.Store
		updates := 0
		w.advisor.Store = faulty{whole, func(string) error {
			if updates++; updates == 3 { // the beginning, a group, and another
				return errors.New("the node dies")
			}
			return nil
		}}
		w.run(w.advisor.Kinds()[:1], func() { time.Sleep(time.Second) })
		w.advisor.Store = whole
		states := string(w.status(business, disks)) + " " + string(w.status(business, everything))
		if states != "success processing" && states != "processing success" {
			t.Fatalf("after a crash between two groups the refreshes are %s, want one of them kept", states)
		}
		w.work()
		events := map[string]int{}
		batches, err := w.advisor.Events(w.Context(), business, 1000)
		mustNot(t, err)
		for _, b := range batches {
			for _, e := range b.Events {
				events[e.CheckID+" "+e.Resource]++
			}
		}
		for _, id := range []string{disks, everything} {
			w.want("refresh", string(w.status(business, id)), "success")
			if got := len(w.result(business, id).Rows); got != count {
				t.Errorf("%s lists %d resources, want %d", id, got, count)
			}
			history, err := w.advisor.History(w.Context(), business, id, 10)
			mustNot(t, err)
			if len(history) != 1 {
				t.Errorf("%s was computed %d times, want once", id, len(history))
			}
		}
		for event, n := range events {
			if n != 1 {
				t.Errorf("event %s came %d times, want once", event, n)
			}
		}
		if len(events) != 2*count {
			t.Errorf("%d events, want %d", len(events), 2*count)
		}
	})
}

// Nobody but the holder of the job keeps any group of results.
func TestALostLeaseKeepsNoGroup(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 2 * 700 {
			w.aws.resources = append(w.aws.resources, disk(fmt.Sprint("disk-", i), false, 200))
		}
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "p"}))
		err := w.advisor.DoRefresh(w.Context(), jobs.Job{Account: business, ID: "another", Kind: advisor.RefreshJob, Lease: "lost", Attempt: 1})
		if !errors.Is(err, jobs.ErrLeaseLost) {
			t.Errorf("DoRefresh without the lease = %v, want %v", err, jobs.ErrLeaseLost)
		}
		for _, id := range []string{disks, everything} {
			w.want("result", w.listed(business, id), "not_available: it was not refreshed yet")
		}
	})
}

// Whoever excludes a resource while results are being prepared is not overruled.
func TestAnExclusionWhileResultsAreKeptIsNotLost(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1))
		w.source(business)
		id := w.rowID(business, disks, "a")
		time.Sleep(2 * time.Hour)
		w.refresh(business, disks)
		whole := w.advisor.Store
		excluding := *w.advisor
		updates := 0
		w.advisor.Store = faulty{whole, func(string) error {
			if updates++; updates == 2 { // after it was prepared
				return excluding.Suppress(w.Context(), who(business), disks, id)
			}
			return nil
		}}
		w.run(w.advisor.Kinds()[:1], func() { time.Sleep(time.Minute) })
		w.want("result", w.listed(business, disks), "ok 1/0/0/1 a:error:suppressed")
		w.want("refresh", string(w.status(business, disks)), "success")
	})
}

func TestAnAccountThatFailsStopsNoOther(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1))
		w.source(business)
		w.source(enterprise)
		time.Sleep(100 * 24 * time.Hour)
		broken := errors.New("a row that cannot be read")
		whole := w.advisor.Store
		w.advisor.Store = faulty{whole, func(account string) error {
			if account == business {
				return broken
			}
			return nil
		}}
		if err := w.advisor.RefreshDue(w.Context()); !errors.Is(err, broken) || !strings.Contains(err.Error(), business) {
			t.Errorf("RefreshDue = %v, want the error of %s", err, business)
		}
		w.want("refresh of another account", string(w.status(enterprise, disks)), "enqueued")
		if err := w.advisor.Purge(w.Context()); !errors.Is(err, broken) {
			t.Errorf("Purge = %v, want %v", err, broken)
		}
		if events, err := w.advisor.Events(w.Context(), enterprise, 10); err != nil || len(events) > 0 {
			t.Errorf("Events(another account) after Purge = %d, %v, want none", len(events), err)
		}
		ctx, cancel := context.WithCancel(w.Context())
		calls := 0
		w.advisor.Store = faulty{whole, func(string) error { calls++; cancel(); return broken }}
		if err := w.advisor.Purge(ctx); !errors.Is(err, context.Canceled) || calls != 1 {
			t.Errorf("Purge after the end of its context = %v after %d accounts, want it to stop", err, calls)
		}
	})
}

func TestARefreshThatCannotBeginTellsWhy(t *testing.T) {
	inWorld(t, func(w *world) {
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "p"}))
		pack := w.advisor.Pack
		w.advisor.Pack = func() (*check.Pack, error) { return nil, errors.New("check.yaml:1: it is broken") }
		w.work()
		w.advisor.Pack = pack
		w.want("refresh", string(w.status(business, disks)), "abandoned")
		w.want("result", w.listed(business, disks), "not_available: check.yaml:1: it is broken")
	})
}

// Others get the job of a node that shuts down, even in the last attempt.
func TestAShutdownAbandonsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.err = errors.New("away")
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "p"}))
		w.aws.hook = func(ctx context.Context) error {
			if len(w.aws.calls) < 3 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		w.work()
		w.want("refresh", string(w.status(business, disks)), "processing")
		w.aws.hook, w.aws.err = nil, nil
		w.work()
		w.want("refresh", string(w.status(business, disks)), "success")
	})
}

func TestAPanicLeavesNoInventoryBehind(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.hook = func(context.Context) error { panic("a bug") }
		w.source(business)
		w.work()
		w.want("refresh", string(w.status(business, disks)), "abandoned")
		if got := w.collections(); got != 3 {
			t.Errorf("there were %d attempts, want 3", got)
		}
	})
}

func TestResultsOfAnOldSourceAreNotKept(t *testing.T) {
	inWorld(t, func(w *world) {
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "old"}))
		w.aws.set(disk("of-old", false, 1))
		began, goOn := make(chan struct{}, 2), make(chan struct{})
		w.aws.hook = func(context.Context) error {
			began <- struct{}{}
			<-goOn
			time.Sleep(time.Second) // results of one time would be one in the history
			return nil
		}
		w.running(func() {
			w.await(began)
			mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "new"}))
			w.aws.set(disk("of-new", false, 1))
			close(goOn)
			time.Sleep(time.Minute)
		})
		w.want("result", w.listed(business, disks), "error 1/1/0/0 of-new:error")
		history, err := w.advisor.History(w.Context(), business, disks, 10)
		mustNot(t, err)
		if len(history) != 1 {
			t.Errorf("there are %d results in the history, want the new source's", len(history))
		}
	})
}

// Nor does such an outage make events: nothing is known to have changed.
func TestAFailedCallMakesItsChecksUnavailable(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1))
		w.source(business)
		w.want("events", w.takeEvents(disks), "ERROR a Red")
		w.aws.failures = []inventory.Failure{{Kind: "t.disk", Region: "eu-west-1", Cause: "AccessDenied"}}
		w.aws.set()
		w.source(business)
		w.want("disks", w.listed(business, disks), "not_available: eu-west-1: AccessDenied")
		w.want("keys", w.listed(business, keys), "ok 0/0/0/0")
		if !strings.Contains(w.log.String(), "AccessDenied") {
			t.Errorf("the log does not have the cause:\n%s", &w.log)
		}
		w.want("events", w.takeEvents(disks), "")
		w.aws.failures = nil
		w.aws.set(disk("a", false, 1))
		w.source(business)
		w.want("disks", w.listed(business, disks), "error 1/1/0/0 a:error")
		w.want("events", w.takeEvents(disks), "")
	})
}

func TestFilesAreSources(t *testing.T) {
	inWorld(t, func(w *world) {
		file := filepath.Join(t.TempDir(), "inventory.jsonl")
		w.aws.set(disk("a", false, 1))
		out, err := os.Create(file)
		mustNot(t, err)
		mustNot(t, w.aws.Collect(t.Context(), advisor.Source{}, business, time.Now(), inventory.Needs{"t.disk": nil}, out))
		mustNot(t, out.Close())
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{File: file}))
		w.work()
		w.want("disks", w.listed(business, disks), "error 1/1/0/0 a:error")
		w.want("keys", w.listed(business, keys), "not_available: the inventory does not have t.key")

		text, err := os.ReadFile(file)
		mustNot(t, err)
		mustNot(t, os.WriteFile(file, text[:len(text)-20], 0o600))
		time.Sleep(2 * time.Hour)
		w.refresh(business, disks)
		w.work()
		if got := w.listed(business, disks); !strings.HasPrefix(got, "not_available: "+file) {
			t.Errorf("disks of a file that was cut off: %s, want not_available and why", got)
		}
		w.want("refresh", string(w.status(business, disks)), "abandoned")
		if got := w.collections(); got != 1 {
			t.Errorf("the collector was called %d times, want no more than by the test", got)
		}
	})
}

func TestFilesOfOtherAccountsAreRefused(t *testing.T) {
	inWorld(t, func(w *world) {
		file := filepath.Join(t.TempDir(), "inventory.jsonl")
		w.aws.set(disk("a", false, 1))
		write := func(account string) {
			out, err := os.Create(file)
			mustNot(t, err)
			mustNot(t, w.aws.Collect(t.Context(), advisor.Source{}, account, time.Now(), inventory.Needs{"t.disk": nil}, out))
			mustNot(t, out.Close())
		}
		refused := file + " is an inventory of account " + enterprise + ", not of " + business
		write(enterprise)
		err := w.advisor.SetSource(w.Context(), business, advisor.Source{File: file})
		if !errors.Is(err, advisor.ErrOtherAccount) || err.Error() != refused {
			t.Errorf("SetSource(file of another account) = %v, want %s", err, refused)
		}
		write(business)
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{File: file}))
		write(enterprise) // it is replaced before anybody reads it
		w.work()
		w.want("result", w.listed(business, disks), "not_available: "+refused)
		w.want("refresh", string(w.status(business, disks)), "abandoned")
	})
}

func TestAccountsAreIsolated(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1))
		w.source(business)
		w.want("refresh of another account", string(w.status(enterprise, disks)), "none")
		w.want("result of another account", w.listed(enterprise, disks), "not_available: the account has no source of resources")
		if _, _, err := w.advisor.Source(w.Context(), enterprise); !errors.Is(err, advisor.ErrNoSource) {
			t.Errorf("Source(another account) = %v, want %v", err, advisor.ErrNoSource)
		}
		w.source(enterprise)
		id := w.rowID(business, disks, "a")
		if other := w.rowID(enterprise, disks, "a"); other == id {
			t.Errorf("a resource has the id %s in two accounts", id)
		}
		mustNot(t, w.advisor.Suppress(w.Context(), who(business), disks, id))
		if err := w.advisor.Suppress(w.Context(), who(enterprise), disks, id); !errors.Is(err, advisor.ErrResourceNotFound) {
			t.Errorf("Suppress(another account's resource) = %v, want %v", err, advisor.ErrResourceNotFound)
		}
		w.want("own account", w.listed(business, disks), "ok 1/0/0/1 a:error:suppressed")
		w.want("another account", w.listed(enterprise, disks), "error 1/1/0/0 a:error")
		events, err := w.advisor.Events(w.Context(), business, 10)
		mustNot(t, err)
		mustNot(t, w.advisor.DropEvents(w.Context(), enterprise, events))
		mustNot(t, w.advisor.ClearSource(w.Context(), enterprise))
		again, err := w.advisor.Events(w.Context(), business, 10)
		mustNot(t, err)
		if diff := cmp.Diff(events, again); diff != "" || len(events) != 1 {
			t.Errorf("%d events after another account dropped them (-want +got):\n%s", len(events), diff)
		}
		w.want("own account", w.listed(business, disks), "ok 1/0/0/1 a:error:suppressed")
	})
}

func TestChecksRefreshByThemselves(t *testing.T) {
	inWorld(t, func(w *world) {
		_, err := w.iam.CloseAccount(w.Context(), closed)
		mustNot(t, err)
		for _, id := range []string{business, enterprise, basic} {
			w.source(id)
		}
		if err := w.advisor.SetSource(w.Context(), closed, advisor.Source{}); !errors.Is(err, iam.ErrAccountClosed) {
			t.Errorf("SetSource(closed account) = %v, want %v", err, iam.ErrAccountClosed)
		}
		w.want("a check outside of the plan", string(w.status(basic, disks)), "none")
		w.want("a core check", string(w.status(basic, keys)), "success")
		computed := func(account string) int {
			history, err := w.advisor.History(w.Context(), account, keys, 100)
			mustNot(t, err)
			return len(history)
		}
		for day := 1; day <= 8; day++ {
			w.running(func() { time.Sleep(24 * time.Hour) })
			week := 1 + day/8
			for account, want := range map[string]int{business: week, enterprise: 1 + day, basic: week} {
				if got := computed(account); got != want && got != want-1 && day != 7 {
					t.Errorf("after %d days account %s has %d results, want %d", day, account, got, want)
				}
			}
		}
		if got := computed(business); got != 2 {
			t.Errorf("after 8 days a business account has %d results, want 2", got)
		}
		if got := computed(enterprise); got < 8 {
			t.Errorf("after 8 days an enterprise account has %d results, want 8 or 9", got)
		}
	})
}

func TestStaleInventoriesAreSwept(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	old, young, other := filepath.Join(folder, "supportd-inventory-1.jsonl"), filepath.Join(folder, "supportd-inventory-2.jsonl"), filepath.Join(folder, "mine.jsonl")
	for _, file := range []string{old, young, other} {
		mustNot(t, os.WriteFile(file, nil, 0o600))
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	mustNot(t, errors.Join(os.Chtimes(old, yesterday, yesterday), os.Chtimes(other, yesterday, yesterday)))
	mustNot(t, (&advisor.Service{Spool: folder}).SweepSpool())
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	mustNot(t, err)
	if diff := cmp.Diff([]string{other, young}, left); diff != "" {
		t.Errorf("files after SweepSpool (-want +got):\n%s", diff)
	}
}

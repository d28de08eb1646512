package advisor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/inventory"
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

func TestARefreshOfAMadeUpResultSucceedsInATest(t *testing.T) {
	inWorld(t, func(w *world) {
		w.advisor.Test = true
		made := advisor.MadeResult{Account: business, CheckID: disks, Rows: []advisor.MadeRow{
			{ResourceID: "a", Status: check.Error}, {ResourceID: "b", Status: check.Warning, Suppressed: true},
		}}
		mustNot(w, w.advisor.PutResult(w.Context(), made))
		before := w.result(business, disks)
		if got := w.refresh(business, disks); got.State != advisor.Success || got.Left == 0 {
			t.Errorf("Refresh of a result that was just put = %+v, want the cool-down", got)
		}
		time.Sleep(time.Hour)
		asked := time.Now()
		if got := w.refresh(business, disks); got.State != advisor.Enqueued {
			t.Errorf("Refresh after the cool-down = %+v, want it accepted", got)
		}
		w.refresh(business, everything)
		w.work()
		w.want("refresh", string(w.status(business, disks)), "success")
		w.want("refresh of a check without a result", string(w.status(business, everything)), "abandoned")
		after := w.result(business, disks)
		if after.At.Before(asked) {
			t.Errorf("the result is of %s, want it computed anew after %s", after.At, asked)
		}
		after.At = before.At
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the result that was computed anew (-before +after):\n%s", diff)
		}
		history, err := w.advisor.History(w.Context(), business, disks, 10)
		if err != nil || len(history) != 2 {
			t.Errorf("History = %d, %v, want the result and its refresh", len(history), err)
		}
		if got := w.refresh(business, disks); got.State != advisor.Success || got.Left == 0 {
			t.Errorf("Refresh after a refresh = %+v, want the cool-down", got)
		}
	})
}

func TestAMadeUpResultIsNotRefreshedButInATest(t *testing.T) {
	inWorld(t, func(w *world) {
		mustNot(w, w.advisor.PutResult(w.Context(), advisor.MadeResult{Account: business, CheckID: disks}))
		time.Sleep(time.Hour)
		w.refresh(business, disks)
		w.work()
		w.want("refresh", string(w.status(business, disks)), "abandoned")
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

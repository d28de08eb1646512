package advisor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/inventory"
)

func TestExclusionsActAtOnceAndLater(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1), disk("b", true, 200), disk("c", true, 1))
		w.source(business)
		w.want("before", w.listed(business, disks), "error 3/2/0/0 a:error b:warning")
		a, b := w.rowID(business, disks, "a"), w.rowID(business, disks, "b")
		for i, step := range []struct {
			change func() error
			want   string
		}{
			{func() error { return w.advisor.Suppress(w.Context(), who(business), disks, a) }, "warning 3/1/0/1 a:error:suppressed b:warning"},
			{func() error { return w.advisor.Suppress(w.Context(), who(business), disks, a) }, "warning 3/1/0/1 a:error:suppressed b:warning"},
			{func() error { return w.advisor.Suppress(w.Context(), who(business), disks, b) }, "ok 3/0/0/2 a:error:suppressed b:warning:suppressed"},
			{func() error { return w.advisor.Unsuppress(w.Context(), who(business), disks, a) }, "error 3/1/0/1 a:error b:warning:suppressed"},
		} {
			mustNot(t, step.change())
			w.want(fmt.Sprintf("step %d at once", i), w.listed(business, disks), step.want)
			time.Sleep(2 * time.Hour)
			w.refresh(business, disks)
			w.work()
			w.want(fmt.Sprintf("step %d later", i), w.listed(business, disks), step.want)
			summaries, err := w.advisor.Summaries(w.Context(), who(business), []string{disks})
			mustNot(t, err)
			if diff := cmp.Diff(w.result(business, disks).Summary, summaries[0]); diff != "" {
				t.Errorf("step %d: summary (-of the result +of the list):\n%s", i, diff)
			}
		}
		all, err := w.advisor.Exclusions(w.Context(), who(business))
		mustNot(t, err)
		if len(all) != 1 || all[0].ResourceID != b || all[0].By != "arn:aws:iam::"+business+":root" {
			t.Errorf("Exclusions = %+v, want that of b", all)
		}
	})
}

func TestSavingsAreThoseOfFlaggedResources(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", true, 200), disk("b", true, 300), disk("c", true, 1))
		w.source(business)
		if got := w.result(business, everything).Savings; got != 50 {
			t.Errorf("savings: %v, want 50", got)
		}
		mustNot(t, w.advisor.Suppress(w.Context(), who(business), everything, w.rowID(business, everything, "b")))
		if got := w.result(business, everything).Savings; got != 20 {
			t.Errorf("savings without b: %v, want 20", got)
		}
	})
}

func TestOnlyWhatIsListedIsExcluded(t *testing.T) {
	inWorld(t, func(w *world) {
		if err := w.advisor.Suppress(w.Context(), who(business), disks, "x"); !errors.Is(err, advisor.ErrResourceNotFound) {
			t.Errorf("Suppress(unknown resource) = %v, want %v", err, advisor.ErrResourceNotFound)
		}
		if err := w.advisor.Suppress(w.Context(), who(business), "x", "x"); !errors.Is(err, advisor.ErrUnknownCheck) {
			t.Errorf("Suppress(unknown check) = %v, want %v", err, advisor.ErrUnknownCheck)
		}
		if err := w.advisor.Unsuppress(w.Context(), who(business), disks, "x"); !errors.Is(err, advisor.ErrNotExcluded) {
			t.Errorf("Unsuppress(not excluded) = %v, want %v", err, advisor.ErrNotExcluded)
		}
		w.aws.set(disk("a", false, 1))
		w.source(business)
		id := w.rowID(business, disks, "a")
		mustNot(t, w.advisor.Suppress(w.Context(), who(business), disks, id))
		w.aws.set()
		time.Sleep(2 * time.Hour)
		w.refresh(business, disks)
		w.work()
		mustNot(t, w.advisor.Unsuppress(w.Context(), who(business), disks, id)) // the resource is gone
	})
}

// The resource is excluded while the check is being computed.
func TestAnExclusionDuringARunIsNotLost(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1))
		w.source(business)
		id := w.rowID(business, disks, "a")
		time.Sleep(2 * time.Hour)
		w.refresh(business, disks)
		w.aws.hook = func(ctx context.Context) error { return w.advisor.Suppress(ctx, who(business), disks, id) }
		w.work()
		w.want("result", w.listed(business, disks), "ok 1/0/0/1 a:error:suppressed")
	})
}

func TestEventsTellWhatChanged(t *testing.T) {
	inWorld(t, func(w *world) {
		next := func() string {
			time.Sleep(2 * time.Hour)
			w.refresh(business, disks)
			w.work()
			return w.takeEvents(disks)
		}
		w.aws.set(disk("a", false, 1), disk("b", true, 200), disk("c", true, 1))
		w.source(business)
		w.want("first result", w.takeEvents(disks), "ERROR a Red, WARN b Yellow")
		w.want("nothing new", next(), "")
		w.aws.set(disk("a", true, 200), disk("b", false, 200), disk("c", false, 1), disk("d", true, 1))
		w.want("better, worse and new", next(), "ERROR b Red, ERROR c Red, WARN a Yellow")
		w.aws.set(disk("a", true, 1), disk("b", false, 200))
		w.want("ok and gone", next(), "OK a Green, OK c Green")
		mustNot(t, w.advisor.Suppress(w.Context(), who(business), disks, w.rowID(business, disks, "b")))
		w.want("excluded", next(), "")
		w.aws.set(disk("b", true, 200))
		w.want("excluded and better", next(), "")
		w.aws.set()
		w.want("excluded and gone", next(), "")
	})
}

// takeEvents returns the check's events in short and drops all.
func (w *world) takeEvents(checkID string) string {
	w.Helper()
	batches, err := w.advisor.Events(w.Context(), business, 100)
	mustNot(w, err)
	var texts []string
	for _, b := range batches {
		for _, e := range b.Events {
			if e.CheckID != checkID {
				continue
			}
			if e.CheckName != "Disks" || e.ID == "" || b.At.IsZero() || *e.Detail["Region"] != "eu-west-1" || *e.Detail["Disk"] != e.Resource {
				w.Errorf("event %+v lacks something", e)
			}
			texts = append(texts, e.Status+" "+e.Resource+" "+*e.Detail["Status"])
		}
	}
	mustNot(w, w.advisor.DropEvents(w.Context(), business, batches))
	return strings.Join(sorted(texts), ", ")
}

// However many events a result has, none is lost.
func TestManyEventsComeInBatches(t *testing.T) {
	inWorld(t, func(w *world) {
		var many []inventory.Resource
		for i := range 250 {
			many = append(many, disk(fmt.Sprint(i), false, 1))
		}
		w.aws.set(many...)
		w.source(business)
		batches, err := w.advisor.Events(w.Context(), business, 100)
		mustNot(t, err)
		resources, ids := map[string]bool{}, map[string]bool{}
		for _, b := range batches {
			for _, e := range b.Events {
				resources[e.Resource], ids[e.ID] = true, true
			}
		}
		if len(batches) != 3 || len(resources) != 250 || len(ids) != 250 {
			t.Errorf("%d batches tell of %d resources with %d ids, want 3, 250, 250", len(batches), len(resources), len(ids))
		}
	})
}

func TestEventsThatNobodyTakesAreRemoved(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1))
		w.source(business)
		count := func() int {
			mustNot(t, w.advisor.Purge(w.Context()))
			events, err := w.advisor.Events(w.Context(), business, 100)
			mustNot(t, err)
			return len(events)
		}
		time.Sleep(89 * 24 * time.Hour)
		if got := count(); got != 1 {
			t.Errorf("after 89 days there are %d events, want 1", got)
		}
		time.Sleep(24 * time.Hour)
		if got := count(); got != 0 {
			t.Errorf("after 90 days there are %d events, want none", got)
		}
	})
}

func TestResultsSurviveARestart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1), disk("b", true, 200))
		w.source(business)
		mustNot(t, w.advisor.Suppress(w.Context(), who(business), disks, w.rowID(business, disks, "b")))
		before := w.result(business, disks)
		mustNot(t, w.store.Close())
		w.open()
		w.iam.Store, w.advisor.Store = w.store.IAM(), w.store.Advisor()
		if diff := cmp.Diff(before, w.result(business, disks)); diff != "" {
			t.Errorf("result after a restart (-before +after):\n%s", diff)
		}
		w.want("refresh", string(w.status(business, disks)), "success")
		w.want("result", w.listed(business, disks), "error 2/1/0/1 a:error b:warning:suppressed")
	})
}

func sorted(texts []string) []string { return slices.Sorted(slices.Values(texts)) }

package advisor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/jobs"
)

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

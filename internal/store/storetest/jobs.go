package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/store"
)

// kind is that of most jobs here.
const kind = "refresh"

func newJob(id string) jobs.Job { return jobs.Job{Account: account, ID: id, Kind: kind} }

// leaseUntil is a lease with a token of its own.
func leaseUntil(until time.Time) jobs.Lease {
	return jobs.Lease{Token: "lease " + until.String(), Until: until}
}

func mustUpdateJobs(t testing.TB, s *store.Store, f func(ctx context.Context, tx jobs.Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := s.Jobs().Update(ctx, func(tx jobs.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatalf("Update() = %v, want nil", err)
	}
}

func mustEnqueue(t testing.TB, s *store.Store, all ...jobs.Job) {
	t.Helper()
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error {
		for _, j := range all {
			if added, err := tx.Enqueue(ctx, j); !added || err != nil {
				return fmt.Errorf("Enqueue(%s) = %v, %w, want true, nil", j.ID, added, err)
			}
		}
		return nil
	})
}

func mustClaim(t testing.TB, s *store.Store, now time.Time, lease jobs.Lease, most int, kinds ...string) (claimed []jobs.Job) {
	t.Helper()
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) (err error) {
		claimed, err = tx.Claim(ctx, kinds, now, lease, most)
		return err
	})
	return claimed
}

// mustClaimOne claims the only job that is due.
func mustClaimOne(t testing.TB, s *store.Store, lease jobs.Lease) jobs.Job {
	t.Helper()
	claimed := mustClaim(t, s, at(0), lease, 10, kind)
	if len(claimed) != 1 {
		t.Fatalf("Claim() = %v, want one job", claimed)
	}
	return claimed[0]
}

func changeJob(t testing.TB, s *store.Store, f func(ctx context.Context, tx jobs.Tx) error) error {
	t.Helper()
	ctx := t.Context()
	return s.Jobs().Update(ctx, func(tx jobs.Tx) error { return f(ctx, tx) })
}

func listJobs(t testing.TB, s *store.Store, f jobs.Filter, most int) (found []jobs.Job) {
	t.Helper()
	err := s.Jobs().View(t.Context(), func(tx jobs.Tx) (err error) {
		found, err = tx.Jobs(t.Context(), f, most)
		return err
	})
	if err != nil {
		t.Fatalf("Jobs() = %v, want nil", err)
	}
	return found
}

func jobIDs(all []jobs.Job) (ids []string) {
	for _, j := range all {
		ids = append(ids, j.ID)
	}
	return ids
}

func wantJobIDs(t testing.TB, call string, got []jobs.Job, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, jobIDs(got), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", call, diff)
	}
}

func wantJob(t testing.TB, s *store.Store, want jobs.Job) {
	t.Helper()
	err := s.Jobs().View(t.Context(), func(tx jobs.Tx) error {
		got, err := tx.Job(t.Context(), want.Account, want.ID)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Job(%s) (-want +got):\n%s", want.ID, diff)
		}
		return err
	})
	if err != nil {
		t.Errorf("Job(%s) = %v, want nil", want.ID, err)
	}
}

// testJobLife takes a job with every field set through all states.
func testJobLife(t *testing.T, s *store.Store) {
	j := jobs.Job{
		Account: account, ID: "a", Kind: kind, Key: "check", Priority: jobs.Urgent,
		Payload: []byte("\x00{}\xff"), RunAt: at(-1),
	}
	mustEnqueue(t, s, j)
	j.State = jobs.Waiting
	wantJob(t, s, j)

	lease := leaseUntil(at(10))
	if diff := cmp.Diff([]jobs.Job{func() jobs.Job {
		j.State, j.Attempt, j.Lease = jobs.Running, 1, lease.Token
		return j
	}()}, mustClaim(t, s, at(0), lease, 5, kind)); diff != "" {
		t.Errorf("Claim() (-want +got):\n%s", diff)
	}
	wantJob(t, s, j)

	j.RunAt, j.Error = at(20), "refused"
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Retry(ctx, j) })
	j.State, j.Lease = jobs.Waiting, ""
	wantJob(t, s, j)
	wantJobIDs(t, "Claim before its time", mustClaim(t, s, at(19), lease, 5, kind))

	j = mustClaim(t, s, at(20), lease, 5, kind)[0]
	if j.Attempt != 2 {
		t.Errorf("attempt of the second Claim = %d, want 2", j.Attempt)
	}
	j.Error = "refused again"
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Bury(ctx, j) })
	j.State, j.Lease = jobs.Dead, ""
	wantJob(t, s, j)
	wantJobIDs(t, "Claim of a dead job", mustClaim(t, s, at(1000), lease, 5, kind))

	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Revive(ctx, account, "a") })
	j.State, j.Attempt, j.Error, j.RunAt = jobs.Waiting, 0, "", time.Time{}
	wantJob(t, s, j)

	j = mustClaim(t, s, at(0), lease, 5, kind)[0]
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Finish(ctx, j) })
	wantJobIDs(t, "Jobs after Finish", listJobs(t, s, jobs.Filter{}, 10))
}

func testJobIDs(t *testing.T, s *store.Store) {
	j := newJob("")
	mustEnqueue(t, s, j, j)
	found := listJobs(t, s, jobs.Filter{}, 10)
	if len(found) != 2 || found[0].ID == "" || found[0].ID == found[1].ID {
		t.Errorf("ids of two jobs enqueued without = %q, want two", jobIDs(found))
	}
	mustEnqueue(t, s, newJob("a"))
	err := changeJob(t, s, func(ctx context.Context, tx jobs.Tx) error {
		_, err := tx.Enqueue(ctx, newJob("a"))
		return err
	})
	if err == nil {
		t.Errorf("Enqueue(id that exists) = nil, want an error")
	}
	other := newJob("a")
	other.Account = foreign
	mustEnqueue(t, s, other)
}

// testClaimOrder has three priorities, times in all of them, and a limit.
func testClaimOrder(t *testing.T, s *store.Store) {
	job := func(id string, p jobs.Priority, runAt time.Time) jobs.Job {
		j := newJob(id)
		j.Priority, j.RunAt = p, runAt
		return j
	}
	mustEnqueue(t, s,
		job("idle", jobs.Idle, at(-100)), job("late", jobs.Normal, at(-1)), job("early", jobs.Normal, at(-2)),
		job("at once", jobs.Normal, time.Time{}), job("urgent late", jobs.Urgent, at(0)), job("urgent", jobs.Urgent, at(-1)),
		job("urgent but not yet", jobs.Urgent, at(1)), job("not yet", jobs.Normal, at(1)))
	for i, want := range [][]string{
		{"urgent"},
		{"urgent late", "at once", "early"},
		{"late", "idle"},
		nil,
	} {
		most := max(len(want), 1)
		if i == 2 {
			most = 10
		}
		got := mustClaim(t, s, at(0), leaseUntil(at(i)), most, kind)
		wantJobIDs(t, fmt.Sprintf("Claim number %d of up to %d", i, most), got, want...)
	}
	wantJobIDs(t, "Claim later", mustClaim(t, s, at(1), leaseUntil(at(0)), 10, kind), "urgent but not yet", "not yet")
	wantJobIDs(t, "Claim of none", mustClaim(t, s, at(1), leaseUntil(at(0)), 0, kind))
}

func testClaimKinds(t *testing.T, s *store.Store) {
	for _, k := range []string{"a", "b", "c"} {
		j := newJob(k)
		j.Kind = k
		mustEnqueue(t, s, j)
	}
	wantJobIDs(t, "Claim of no kind", mustClaim(t, s, at(0), leaseUntil(at(0)), 10))
	wantJobIDs(t, "Claim of another kind", mustClaim(t, s, at(0), leaseUntil(at(0)), 10, "d"))
	wantJobIDs(t, "Claim of two kinds", mustClaim(t, s, at(0), leaseUntil(at(0)), 10, "a", "c"), "a", "c")
	many := []string{"b"}
	for i := range 30 {
		many = append(many, fmt.Sprintf("kind %d", i))
	}
	wantJobIDs(t, "Claim of many kinds", mustClaim(t, s, at(0), leaseUntil(at(0)), 10, many...), "b")
}

// testLeases changes a job with the lease that it has, and with others.
func testLeases(t *testing.T, s *store.Store) {
	changes := map[string]func(jobs.Tx, context.Context, jobs.Job) error{
		"Finish": jobs.Tx.Finish, "Retry": jobs.Tx.Retry, "Bury": jobs.Tx.Bury,
		"Extend": func(tx jobs.Tx, ctx context.Context, j jobs.Job) error { return tx.Extend(ctx, j, at(100)) },
	}
	mustEnqueue(t, s, newJob("a"))
	lost := mustClaimOne(t, s, leaseUntil(at(1)))
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Retry(ctx, lost) })
	wantLost := func(state string, j jobs.Job) {
		t.Helper()
		for name, change := range changes {
			err := changeJob(t, s, func(ctx context.Context, tx jobs.Tx) error { return change(tx, ctx, j) })
			if !errors.Is(err, jobs.ErrLeaseLost) {
				t.Errorf("%s(%s) = %v, want %v", name, state, err, jobs.ErrLeaseLost)
			}
		}
	}
	wantLost("job that waits", lost)
	unleased := lost
	unleased.Lease = ""
	wantLost("job that waits, without a lease", unleased)
	held := mustClaimOne(t, s, leaseUntil(at(2)))
	wantLost("job of another lease", lost)
	other := held
	other.Account = foreign
	wantLost("job of another account", other)
	wantJob(t, s, held)
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Finish(ctx, held) })
	wantLost("job that is finished", held)
}

func testExpired(t *testing.T, s *store.Store) {
	for i, id := range []string{"a", "b", "c"} {
		mustEnqueue(t, s, newJob(id))
		mustClaimOne(t, s, leaseUntil(at(i)))
	}
	mustEnqueue(t, s, newJob("waiting"))
	expired := func(now time.Time, most int) (found []jobs.Job) {
		mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) (err error) {
			found, err = tx.Expired(ctx, now, most)
			return err
		})
		return found
	}
	wantJobIDs(t, "Expired when none is", expired(at(0), 10))
	wantJobIDs(t, "Expired when two are", expired(at(2), 10), "a", "b")
	wantJobIDs(t, "Expired up to one", expired(at(2), 1), "a")
	a := expired(at(2), 1)[0]
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Extend(ctx, a, at(10)) })
	wantJobIDs(t, "Expired after one is extended", expired(at(3), 10), "b", "c")
	// Whose lease is over still has the job until somebody takes it.
	b := expired(at(3), 10)[0]
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Finish(ctx, b) })
	wantJobIDs(t, "Expired after one is finished", expired(at(3), 10), "c")
}

func testDue(t *testing.T, s *store.Store) {
	wantDue := func(state string, now, realNow time.Time, want bool, kinds ...string) {
		t.Helper()
		if got, err := s.Jobs().Due(t.Context(), kinds, now, realNow); got != want || err != nil {
			t.Errorf("Due(%s) = %v, %v, want %v, nil", state, got, err, want)
		}
	}
	wantDue("nothing", at(0), at(0), false, kind)
	for i, p := range []jobs.Priority{jobs.Normal, jobs.Urgent, jobs.Idle} {
		j := newJob(fmt.Sprint(i))
		j.Priority, j.RunAt = p, at(0)
		mustEnqueue(t, s, j)
		wantDue("a job that waits", at(0), at(0), true, kind)
		wantDue("a job that waits and others", at(0), at(0), true, "another", kind)
		wantDue("a job for later", at(-1), at(0), false, kind)
		wantDue("a job of another kind", at(0), at(0), false, "another")
		wantDue("no kind", at(0), at(0), false)
		held := mustClaimOne(t, s, leaseUntil(at(10)))
		wantDue("a job that runs", at(1000), at(10), false, kind)
		wantDue("a job whose runner died", at(0), at(11), true, kind)
		wantDue("a job of another kind whose runner died", at(0), at(11), true)
		mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Bury(ctx, held) })
		wantDue("a dead job", at(1000), at(1000), false, kind)
	}
}

// testJobKeys has one unfinished job of a key.
func testJobKeys(t *testing.T, s *store.Store) {
	job := func(id string) jobs.Job {
		j := newJob(id)
		j.Key = "check"
		return j
	}
	enqueue := func(state string, j jobs.Job, want bool) {
		t.Helper()
		mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error {
			if added, err := tx.Enqueue(ctx, j); added != want || err != nil {
				t.Errorf("Enqueue(%s) = %v, %v, want %v, nil", state, added, err, want)
			}
			return nil
		})
	}
	enqueue("first of a key", job("a"), true)
	enqueue("key of one that waits", job("b"), false)
	running := mustClaimOne(t, s, leaseUntil(at(1)))
	enqueue("key of one that runs", job("b"), false)
	elsewhere, unlike, differing := job("b"), job("c"), job("d")
	elsewhere.Account, unlike.Kind, differing.Key = foreign, "another", "another"
	enqueue("key in another account", elsewhere, true)
	enqueue("key of another kind", unlike, true)
	enqueue("another key", differing, true)
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Bury(ctx, running) })
	enqueue("key of one that is dead", job("e"), true)
	err := changeJob(t, s, func(ctx context.Context, tx jobs.Tx) error {
		err := tx.Revive(ctx, account, "a")
		if _, after := tx.Job(ctx, account, "a"); after != nil {
			t.Errorf("Job() in a transaction after a Revive that was refused = %v, want nil", after)
		}
		return err
	})
	if !errors.Is(err, jobs.ErrKeyTaken) {
		t.Errorf("Revive(key that is taken) = %v, want %v", err, jobs.ErrKeyTaken)
	}
	for _, j := range mustClaim(t, s, at(0), leaseUntil(at(1)), 10, kind) {
		mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Finish(ctx, j) })
	}
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Revive(ctx, account, "a") })
	enqueue("key of one that is revived", job("b"), false)
}

func testOperator(t *testing.T, s *store.Store) {
	mustEnqueue(t, s, newJob("a"))
	acts := map[string]func(tx jobs.Tx, ctx context.Context, account, id string) error{
		"Revive": jobs.Tx.Revive, "Discard": jobs.Tx.Discard,
	}
	want := func(state, account, id string, want error) {
		t.Helper()
		for name, act := range acts {
			err := changeJob(t, s, func(ctx context.Context, tx jobs.Tx) error { return act(tx, ctx, account, id) })
			if !errors.Is(err, want) {
				t.Errorf("%s(%s) = %v, want %v", name, state, err, want)
			}
		}
	}
	want("job that waits", account, "a", jobs.ErrNotDead)
	j := mustClaimOne(t, s, leaseUntil(at(1)))
	want("job that runs", account, "a", jobs.ErrNotDead)
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Bury(ctx, j) })
	want("no job", account, "b", jobs.ErrNotFound)
	want("job of another account", foreign, "a", jobs.ErrNotFound)
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Discard(ctx, account, "a") })
	want("job that was discarded", account, "a", jobs.ErrNotFound)
	err := s.Jobs().View(t.Context(), func(tx jobs.Tx) error {
		_, err := tx.Job(t.Context(), account, "a")
		return err
	})
	if !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("Job(job that was discarded) = %v, want %v", err, jobs.ErrNotFound)
	}
}

// testJobErrors gives jobs errors that not every engine can hold.
func testJobErrors(t *testing.T, s *store.Store) {
	long := strings.Repeat("x", jobs.MaxError)
	for name, test := range map[string]struct{ text, want string }{
		"NUL":         {"a\x00b", "ab"},
		"not UTF-8":   {"a\xffb", "ab"},
		"long":        {long + "y", long},
		"half a rune": {long[1:] + "é", long[1:]},
		"other texts": {"ünï\n\t日本", "ünï\n\t日本"},
	} {
		mustEnqueue(t, s, newJob("a"))
		j := mustClaimOne(t, s, leaseUntil(at(1)))
		j.Error = test.text
		mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Retry(ctx, j) })
		retried := mustClaimOne(t, s, leaseUntil(at(2)))
		if retried.Error != test.want {
			t.Errorf("error of a job after Retry with %s = %q, want %q", name, retried.Error, test.want)
		}
		retried.Error = test.text
		mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Bury(ctx, retried) })
		if dead := listJobs(t, s, jobs.Filter{}, 2)[0]; dead.Error != test.want {
			t.Errorf("error of a job after Bury with %s = %q, want %q", name, dead.Error, test.want)
		}
		mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Discard(ctx, account, "a") })
	}
}

// testTurns asks for a schedule with several clocks.
func testTurns(t *testing.T, s *store.Store) {
	minute := func(n int) time.Time { return at(0).Add(time.Duration(n) * time.Minute) }
	for i, test := range []struct {
		schedule string
		now      int
		want     bool
	}{
		{"a", 0, true}, // new
		{"a", 0, false},
		{"a", 9, false},
		{"b", 9, true}, // another schedule
		{"a", 10, true},
		{"a", 5, false},  // a clock that goes slow
		{"a", 19, false}, // next turn: 20
		{"a", 500, true}, // the turns between are gone
		{"a", 509, false},
		{"a", 5, true}, // a clock that was moved back
		{"a", 14, false},
		{"a", 15, true},
	} {
		var got bool
		mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) (err error) {
			got, err = tx.Turn(ctx, test.schedule, minute(test.now), minute(test.now+10), minute(test.now+20))
			return err
		})
		if got != test.want {
			t.Errorf("Turn(%s) number %d, at minute %d = %v, want %v", test.schedule, i, test.now, got, test.want)
		}
	}
}

// testJobsPages lists all combinations of filters, in pages of all lengths.
func testJobsPages(t *testing.T, s *store.Store) {
	ctx := t.Context()
	n := 0
	for _, a := range []string{"", account, foreign} {
		for _, k := range []string{"a", "b"} {
			for _, state := range []jobs.State{jobs.Dead, jobs.Running, jobs.Waiting} {
				n++
				mustEnqueue(t, s, jobs.Job{Account: a, ID: fmt.Sprint(state, n), Kind: k, RunAt: at(0)})
				if state == jobs.Waiting {
					continue
				}
				// Those before are not due, or not of the kind.
				j := mustClaim(t, s, at(0), leaseUntil(at(n)), 1, k)[0]
				if state == jobs.Dead {
					mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Bury(ctx, j) })
				}
			}
		}
	}
	every := listJobs(t, s, jobs.Filter{}, 100)
	if len(every) != 18 || !slices.IsSortedFunc(every, func(a, b jobs.Job) int {
		return strings.Compare(a.Account+" "+a.ID, b.Account+" "+b.ID)
	}) {
		t.Fatalf("Jobs() = %v, want 18 jobs in the order of account and id", every)
	}
	accounts := map[string]*string{"any": nil, "installation": new(string), account: new(account), "none": new("none")}
	for name, a := range accounts {
		for _, k := range []string{"", "a", "none"} {
			for _, state := range []jobs.State{"", jobs.Waiting, jobs.Running, jobs.Dead} {
				f := jobs.Filter{Account: a, Kind: k, State: state}
				want := slices.DeleteFunc(slices.Clone(every), func(j jobs.Job) bool {
					return a != nil && j.Account != *a || k != "" && j.Kind != k || state != "" && j.State != state
				})
				for _, length := range []int{1, 2, 100} {
					got := pagesOf(ctx, t, s, f, length)
					if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
						t.Errorf("Jobs(account %s, kind %q, state %q) in pages of %d (-want +got):\n%s", name, k, state, length, diff)
					}
				}
			}
		}
	}
}

func pagesOf(ctx context.Context, t *testing.T, s *store.Store, f jobs.Filter, length int) (all []jobs.Job) {
	t.Helper()
	for ctx.Err() == nil {
		page := listJobs(t, s, f, length)
		if len(page) > length {
			t.Fatalf("Jobs() returns %d jobs, want up to %d", len(page), length)
		}
		all = append(all, page...)
		if len(page) < length {
			return all
		}
		last := page[len(page)-1]
		f.After = jobs.Cursor{Account: last.Account, ID: last.ID}
	}
	return all
}

// testFailedEnqueue enqueues, finishes and takes turns in transactions that fail.
func testFailedEnqueue(t *testing.T, s *store.Store) {
	mustEnqueue(t, s, newJob("a"))
	<-s.Jobs().Enqueued()
	held := mustClaimOne(t, s, leaseUntil(at(1)))
	refused := errors.New("refused")
	turn := func(ctx context.Context, tx jobs.Tx) (bool, error) {
		return tx.Turn(ctx, "schedule", at(0), at(10), at(20))
	}
	err := changeJob(t, s, func(ctx context.Context, tx jobs.Tx) error {
		_, enqueue := tx.Enqueue(ctx, newJob("b"))
		_, turned := turn(ctx, tx)
		return errors.Join(enqueue, turned, tx.Finish(ctx, held), refused)
	})
	if !errors.Is(err, refused) {
		t.Errorf("Update() = %v, want %v", err, refused)
	}
	select {
	case <-s.Jobs().Enqueued():
		t.Errorf("Enqueued() has a value after a transaction that failed, want none")
	default:
	}
	wantJobIDs(t, "Jobs after a transaction that failed", listJobs(t, s, jobs.Filter{}, 10), "a")
	wantJob(t, s, held)
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error {
		if due, err := turn(ctx, tx); !due || err != nil {
			t.Errorf("Turn() after a transaction that failed = %v, %v, want true, nil", due, err)
		}
		return nil
	})
}

func testEnqueued(t *testing.T, s *store.Store) {
	enqueued := s.Jobs().Enqueued()
	wantSilence := func(after string) {
		t.Helper()
		select {
		case <-enqueued:
			t.Errorf("Enqueued() has a value after %s, want none", after)
		default:
		}
	}
	wantSilence("nothing")
	j := newJob("a")
	j.Key = "key"
	mustEnqueue(t, s, j)
	mustEnqueue(t, s, newJob("b"))
	<-enqueued
	wantSilence("it was received from")
	j.ID = "c"
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error {
		_, err := tx.Enqueue(ctx, j)
		return err
	})
	wantSilence("an Enqueue that added nothing")
	for _, j := range mustClaim(t, s, at(0), leaseUntil(at(0)), 2, kind) {
		mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Bury(ctx, j) })
	}
	wantSilence("Claim and Bury")
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Revive(ctx, account, "a") })
	<-enqueued
}

// testConcurrentClaims has many runners claim and finish at once. A claim may
// come back short while others are at work; an empty list of jobs ends them.
func testConcurrentClaims(t *testing.T, s *store.Store) {
	const runners, count = 64, 400
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error {
		for i := range count {
			j := newJob(fmt.Sprint(i))
			j.Priority = jobs.Priority(i % 3)
			if _, err := tx.Enqueue(ctx, j); err != nil {
				return err
			}
		}
		return nil
	})
	var mu sync.Mutex
	times := map[string]int{}
	var wg sync.WaitGroup
	for i := range runners {
		wg.Go(func() {
			for n := 0; len(listJobs(t, s, jobs.Filter{State: jobs.Waiting}, 1)) > 0; n++ {
				lease := jobs.Lease{Token: fmt.Sprint(i, " ", n), Until: at(10)}
				for _, j := range mustClaim(t, s, at(0), lease, 3, kind) {
					mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error { return tx.Finish(ctx, j) })
					mu.Lock()
					times[j.ID]++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for i := range count {
		if n := times[fmt.Sprint(i)]; n != 1 {
			t.Errorf("job %d was claimed %d times, want once", i, n)
		}
	}
	wantJobIDs(t, "Jobs at the end", listJobs(t, s, jobs.Filter{}, 10))
}

// testConcurrentRescues has several nodes find the same expired jobs at once.
func testConcurrentRescues(t *testing.T, s *store.Store) {
	const nodes, count = 16, 60
	mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error {
		for i := range count {
			if _, err := tx.Enqueue(ctx, newJob(fmt.Sprint(i))); err != nil {
				return err
			}
		}
		return nil
	})
	mustClaim(t, s, at(0), leaseUntil(at(0)), count, kind)
	var mu sync.Mutex
	rescued := 0
	var wg sync.WaitGroup
	for range nodes {
		wg.Go(func() {
			for len(listJobs(t, s, jobs.Filter{State: jobs.Running}, 1)) > 0 {
				n := 0
				mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) error {
					expired, err := tx.Expired(ctx, at(1), 5)
					n = len(expired)
					for _, j := range expired {
						err = errors.Join(err, tx.Retry(ctx, j))
					}
					return err
				})
				mu.Lock()
				rescued += n
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if rescued != count {
		t.Errorf("%d nodes rescued %d jobs, want %d: each once", nodes, rescued, count)
	}
}

// testConcurrentKeys has many enqueue the same key, and take the same turn, at once.
func testConcurrentKeys(t *testing.T, s *store.Store) {
	var mu sync.Mutex
	enqueued, turns := 0, 0
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			var added, due bool
			mustUpdateJobs(t, s, func(ctx context.Context, tx jobs.Tx) (err error) {
				if due, err = tx.Turn(ctx, "schedule", at(0), at(10), at(20)); err != nil {
					return err
				}
				added, err = tx.Enqueue(ctx, jobs.Job{Account: account, Kind: kind, Key: "key"})
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if added {
				enqueued++
			}
			if due {
				turns++
			}
		})
	}
	wg.Wait()
	if enqueued != 1 || turns != 1 {
		t.Errorf("at once, %d jobs of a key are added and %d turns taken, want one each", enqueued, turns)
	}
}

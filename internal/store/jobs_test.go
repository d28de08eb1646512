package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/store"
)

// Looking for work, which happens all the time, reads the entries of an index
// that it returns, whatever else waits, runs or is dead; claiming then finds
// its rows by their key.
func TestJobStatementsSearchTheirIndex(t *testing.T) {
	t.Parallel()
	s, w := mustOpenWatched(t, newFile(t))
	ctx, now := t.Context(), time.Unix(1e9, 0)
	update := func(f func(tx jobs.Tx) error) func() error {
		return func() error { return s.Jobs().Update(ctx, f) }
	}
	kinds := []string{"a", "b"}
	const (
		byKey   = "jobs sqlite_autoindex_jobs_1 (account=? AND id=?)"
		waiting = "jobs jobs_waiting (priority=? AND run_at<?)"
		running = "jobs jobs_running (leased_until<?)"
	)
	for _, test := range []struct {
		name string
		run  func() error
		want string
	}{
		{"Claim", update(func(tx jobs.Tx) error {
			_, err := tx.Claim(ctx, kinds, now, jobs.Lease{}, 10)
			return err
		}), byKey + "\nLIST SUBQUERY 3\n" + waiting},
		{"Due", func() error { _, err := s.Jobs().Due(ctx, kinds, now, now); return err }, running + "\nSCALAR SUBQUERY 2\n" + waiting + "\nSCALAR SUBQUERY 3\n" + waiting + "\nSCALAR SUBQUERY 4\n" + waiting},
		{"Expired", update(func(tx jobs.Tx) error { _, err := tx.Expired(ctx, now, 10); return err }), running},
		{"Finish", update(func(tx jobs.Tx) error { _ = tx.Finish(ctx, jobs.Job{}); return nil }), byKey},
		{"Extend", update(func(tx jobs.Tx) error { _ = tx.Extend(ctx, jobs.Job{}, now); return nil }), byKey},
		{"Retry", update(func(tx jobs.Tx) error { _ = tx.Retry(ctx, jobs.Job{}); return nil }), byKey},
		{"Bury", update(func(tx jobs.Tx) error { _ = tx.Bury(ctx, jobs.Job{}); return nil }), byKey},
		{"Jobs", update(func(tx jobs.Tx) error { _, err := tx.Jobs(ctx, jobs.Filter{}, 10); return err }), "jobs sqlite_autoindex_jobs_1 ((account,id)>(?,?))"},
		{"Jobs of an account", update(func(tx jobs.Tx) error {
			_, err := tx.Jobs(ctx, jobs.Filter{Account: new("a"), After: jobs.Cursor{Account: "a"}}, 10)
			return err
		}), "jobs sqlite_autoindex_jobs_1 (account=? AND id>?)"},
		{"dead Jobs", update(func(tx jobs.Tx) error { _, err := tx.Jobs(ctx, jobs.Filter{State: jobs.Dead}, 10); return err }), "jobs jobs_dead ((account,id)>(?,?))"},
		{"dead Jobs of an account", update(func(tx jobs.Tx) error {
			_, err := tx.Jobs(ctx, jobs.Filter{Account: new("a"), State: jobs.Dead, After: jobs.Cursor{Account: "a"}}, 10)
			return err
		}), "jobs jobs_dead (account=? AND id>?)"},
	} {
		w.take()
		if err := test.run(); err != nil {
			t.Errorf("%s = %v, want nil", test.name, err)
		}
		for _, text := range w.take() {
			if !strings.Contains(text, "jobs") {
				continue // BEGIN and COMMIT
			}
			if got := plan(t, s, text, false); got != test.want {
				t.Errorf("plan of %s:\n%s\nwant:\n%s", test.name, got, test.want)
			}
		}
	}
}

// BenchmarkJobs enqueues, claims and finishes a job beside 100,000 that wait:
// half of them for their time, half of them for a worker.
func BenchmarkJobs(b *testing.B) {
	s, err := store.Open(b.Context(), "sqlite://"+b.TempDir()+"/bench.db")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	now := time.Unix(1e9, 0)
	const waiting, batch = 100_000, 10_000
	for i := range waiting / batch {
		mustUpdateJobs(b, s, func(ctx context.Context, tx jobs.Tx) error {
			for n := range batch {
				j := jobs.Job{Account: account, ID: fmt.Sprint(i, " ", n), Kind: "refresh", RunAt: now.Add(time.Duration(n-batch/2) * time.Second)}
				if _, err := tx.Enqueue(ctx, j); err != nil {
					return err
				}
			}
			return nil
		})
	}
	payload := []byte(`{"check":"Qch7DwouX1"}`)
	for _, workers := range []int{1, 8} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				mustUpdateJobs(b, s, func(ctx context.Context, tx jobs.Tx) error {
					for range workers {
						if _, err := tx.Enqueue(ctx, jobs.Job{Account: account, Kind: "refresh", Priority: jobs.Urgent, Payload: payload, RunAt: now}); err != nil {
							return err
						}
					}
					return nil
				})
				var claimed []jobs.Job
				mustUpdateJobs(b, s, func(ctx context.Context, tx jobs.Tx) (err error) {
					claimed, err = tx.Claim(ctx, []string{"refresh"}, now, jobs.Lease{Token: fmt.Sprint(n), Until: now}, workers)
					return err
				})
				mustUpdateJobs(b, s, func(ctx context.Context, tx jobs.Tx) error {
					for _, j := range claimed {
						if err := tx.Finish(ctx, j); err != nil {
							return err
						}
					}
					return nil
				})
			}
			b.ReportMetric(float64(b.N*workers)/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}

func mustUpdateJobs(t testing.TB, s *store.Store, f func(ctx context.Context, tx jobs.Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := s.Jobs().Update(ctx, func(tx jobs.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatalf("Update() = %v, want nil", err)
	}
}

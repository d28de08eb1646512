package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/store"
)

// A case is closed, and then, once, a survey about it is due. Here both are
// jobs; any change of the database can be the effect of one.
func Example() {
	folder, _ := os.MkdirTemp("", "")
	defer func() { _ = os.RemoveAll(folder) }()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	s, err := store.Open(ctx, "sqlite://"+filepath.Join(folder, "example.db"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close() }()

	closeCase := func(ctx context.Context, job jobs.Job) error {
		return s.Jobs().Update(ctx, func(tx jobs.Tx) error {
			survey := jobs.Job{Account: job.Account, Kind: "survey", Payload: job.Payload}
			if _, err := tx.Enqueue(ctx, survey); err != nil {
				return err
			}
			return tx.Finish(ctx, job) // with the effect, or not at all
		})
	}
	survey := func(_ context.Context, job jobs.Job) error {
		fmt.Printf("survey about %s\n", job.Payload)
		stop()
		return nil // the runner finishes the job
	}
	r := jobs.Runner{Store: s.Jobs(), Log: slog.New(slog.DiscardHandler), Kinds: []jobs.Kind{
		{Name: "close", Handler: closeCase},
		{Name: "survey", Handler: survey},
	}}

	err = s.Jobs().Update(ctx, func(tx jobs.Tx) error {
		_, err := tx.Enqueue(ctx, jobs.Job{Account: "111122223333", Kind: "close", Payload: []byte(`{"case":"a"}`)})
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Run(ctx)
	// Output: survey about {"case":"a"}
}

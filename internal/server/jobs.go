package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/jobs"
)

// newRunner returns what does the jobs of all rooms.
func (s *Server) newRunner() *jobs.Runner {
	return &jobs.Runner{
		Store: s.store.Jobs(), Now: s.config.Now, Log: s.log, Observe: s.metrics.observeJob,
		Kinds: s.guardJobs(slices.Concat(s.Advisor.Kinds(), s.Desk.Kinds(), []jobs.Kind{
			{Name: "purge", Every: 10 * time.Minute, Handler: without(s.Purge)},
			{Name: "sweep", Every: 24 * time.Hour, Timeout: 6 * time.Hour, Handler: without(s.sweep)},
			{Name: cases.DeleteFilesJob, Handler: s.Cases.DeleteFiles},
		})),
	}
}

// without is the handler of jobs that say nothing but their kind.
func without(work func(context.Context) error) func(context.Context, jobs.Job) error {
	return func(ctx context.Context, _ jobs.Job) error { return work(ctx) }
}

// Purge removes cases beyond their retention, expired attachment sets, sessions
// and kept answers, events that nobody took, and what the desk needs no longer.
func (s *Server) Purge(ctx context.Context) error {
	return errors.Join(s.Cases.Purge(ctx), s.IAM.PurgeSessions(ctx), s.Advisor.Purge(ctx), s.Desk.Purge(ctx))
}

// sweep removes what killed processes left behind. It looks once more whose the
// attachments are: two databases that were made at once may both have found the
// same empty place.
func (s *Server) sweep(ctx context.Context) error {
	if err := s.pairBlobs(ctx); err != nil {
		return err
	}
	return errors.Join(s.removeStaleBackups(), s.Advisor.SweepSpool(), s.Cases.SweepBlobs(ctx))
}

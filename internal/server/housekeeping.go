package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// The housekeeping runs at the start and then at these intervals.
const (
	purgeEvery = 10 * time.Minute
	sweepEvery = 24 * time.Hour
)

// keepHouse removes what has outlived its time until ctx ends. A run that fails
// is logged and tried again at the next turn.
func (s *Server) keepHouse(ctx context.Context) {
	purge := time.NewTicker(purgeEvery)
	defer purge.Stop()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	s.keep(ctx, "purge", s.Purge)
	s.keep(ctx, "sweep", s.sweep)
	for {
		select {
		case <-ctx.Done():
			return
		case <-purge.C:
			s.keep(ctx, "purge", s.Purge)
		case <-sweep.C:
			s.keep(ctx, "sweep", s.sweep)
		}
	}
}

func (s *Server) keep(ctx context.Context, name string, work func(context.Context) error) {
	start := time.Now()
	err := protect(ctx, work)
	if err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "housekeeping", slog.String("work", name), slog.String("error", err.Error()))
		return
	}
	s.log.DebugContext(ctx, "housekeeping", slog.String("work", name), slog.Duration("duration", time.Since(start)))
}

// protect turns a panic into an error: customers are served all the same.
func protect(ctx context.Context, work func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return work(ctx)
}

// sweep removes what killed processes left behind.
func (s *Server) sweep(ctx context.Context) error {
	return errors.Join(s.removeStaleBackups(), s.Cases.SweepBlobs(ctx))
}

// Purge removes cases beyond their retention, expired attachment sets, sessions
// and kept answers.
func (s *Server) Purge(ctx context.Context) error {
	if err := s.Cases.Purge(ctx); err != nil {
		return err
	}
	return s.IAM.PurgeSessions(ctx)
}

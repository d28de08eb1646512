package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadinessDoesNotWaitForAStuckCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), checkTimeout)
		defer cancel()
		free := make(chan struct{})
		defer close(free)
		start := time.Now()
		err := inTime(ctx, func(context.Context) error { <-free; return nil })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != checkTimeout {
			t.Errorf("inTime(stuck) = %v after %v, want a deadline after %v", err, time.Since(start), checkTimeout)
		}
	})
}

func TestHousekeepingOutlivesFailuresAndPanics(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := &Server{log: slog.New(slog.NewTextHandler(&log, nil))}
	s.keep(t.Context(), "purge", func(context.Context) error { return errors.New("locked") })
	s.keep(t.Context(), "sweep", func(context.Context) error { panic("impossible") })
	for _, want := range []string{"work=purge error=locked", `work=sweep error="panic: impossible`, "internal_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log holds %s, want %s", log.String(), want)
		}
	}
}

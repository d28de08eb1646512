package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// healthz says that the process answers.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n")) // a client that went away has no use for an error
}

// checkTimeout bounds the checks of the readiness.
const checkTimeout = 5 * time.Second

// readiness is the body of /readyz: "ok" or the reason, for each part.
type readiness struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"`
}

// readyz says whether writes would succeed now, and why not.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	answer := readiness{Ready: true, Checks: map[string]string{}}
	for name, check := range map[string]func(context.Context) error{
		"database":    s.store.Check,
		"attachments": s.blobs.Check,
	} {
		answer.Checks[name] = "ok"
		if err := inTime(ctx, check); err != nil {
			answer.Ready = false
			answer.Checks[name] = err.Error()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if !answer.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(answer) // a client that went away has no use for an error
}

// inTime runs a check and waits for it no longer than ctx lasts: a write that
// waits for another process cannot be called off.
func inTime(ctx context.Context, check func(context.Context) error) error {
	outcome := make(chan error, 1)
	go func() { outcome <- check(ctx) }()
	select {
	case err := <-outcome:
		return err
	case <-ctx.Done():
		return fmt.Errorf("no answer: %w", ctx.Err())
	}
}

package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/supportd/supportd/internal/accesslog"
)

// healthz says that the process answers.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n")) // a client that went away has no use for an error
}

// checkTimeout is how long a request waits for each check of the readiness.
const checkTimeout = 5 * time.Second

// readiness is the body of /readyz: "ok" or the reason, for each part.
type readiness struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"`
}

// readyz says whether writes would succeed now, and why not.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	answer := readiness{Ready: true, Checks: map[string]string{}}
	for _, part := range []struct {
		name  string
		check *sharedCheck
	}{{"database", s.databaseCheck}, {"attachments", s.attachmentsCheck}} {
		answer.Checks[part.name] = "ok"
		if err := part.check.outcome(r.Context()); err != nil {
			answer.Ready = false
			answer.Checks[part.name] = err.Error()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if !answer.Ready {
		accesslog.From(r.Context()).Err = fmt.Errorf("not ready: %v", answer.Checks)
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(answer) // a client that went away has no use for an error
}

// sharedCheck runs a check once at a time, for all who ask meanwhile: a write
// that waits for another process cannot be called off, and strangers may ask.
type sharedCheck struct {
	check func(context.Context) error

	mu      sync.Mutex
	running *run
}

type run struct {
	done chan struct{}
	err  error
}

// outcome waits for the check, but no longer than checkTimeout.
func (c *sharedCheck) outcome(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	r := c.join()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return fmt.Errorf("no answer: %w", ctx.Err())
	}
}

// join returns the run that is going on, or starts one.
func (c *sharedCheck) join() *run {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running != nil {
		return c.running
	}
	r := &run{done: make(chan struct{})}
	c.running = r
	go func() {
		r.err = c.check(context.Background())
		c.mu.Lock()
		c.running = nil
		c.mu.Unlock()
		close(r.done)
	}()
	return r
}

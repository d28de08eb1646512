package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/server"
)

func TestMetricsCountRequestsAndNameNobody(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	id := s.mustCreateCase(t, "counted")
	s.mustCall(t, "DescribeCases", `{"maxResults":1}`)
	s.mustCall(t, "NoSuchOperation", `{}`)
	s.mustGet(t, "/nowhere/"+s.key.AccessKeyID)
	text := s.mustGet(t, "/metrics").body
	for _, want := range []string{
		`supportd_requests_total{error="",operation="CreateCase",status="200"} 1`,
		`supportd_requests_total{error="ValidationException",operation="DescribeCases",status="400"} 1`,
		`supportd_requests_total{error="UnknownOperationException",operation="none",status="400"} 1`,
		`supportd_requests_total{error="",operation="none",status="404"} 1`,
		`supportd_request_duration_seconds_count{operation="CreateCase"} 1`,
		`supportd_build_info{version="`, "go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("GET /metrics has no %s", want)
		}
	}
	for _, secret := range []string{server.FirstAccountID, s.key.AccessKeyID, s.key.SecretAccessKey, id, "NoSuchOperation", "nowhere", "account="} {
		if strings.Contains(text, secret) {
			t.Errorf("GET /metrics names %q", secret)
		}
	}
}

func TestMetricsCountDeadJobsOfAllNodes(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, server.Config{}) // which does no jobs
	err := s.Jobs.Store.Update(t.Context(), func(tx jobs.Tx) error {
		for range 2 {
			if _, err := tx.Enqueue(t.Context(), jobs.Job{Kind: "broken"}); err != nil {
				return err
			}
		}
		claimed, err := tx.Claim(t.Context(), []string{"broken"}, time.Now(), jobs.Lease{Token: "x", Until: time.Now().Add(time.Hour)}, 1)
		if err != nil {
			return err
		}
		return tx.Bury(t.Context(), claimed[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := s.mustMetrics(t); !strings.Contains(text, "supportd_jobs_dead 1\n") {
		t.Errorf("GET /metrics does not count one dead job: %s", text)
	}
}

// mustMetrics returns the metrics of a server that does not listen.
func (s *service) mustMetrics(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET /metrics = %d %s, want 200", w.Code, w.Body)
	}
	return w.Body.String()
}

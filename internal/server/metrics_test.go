package server_test

import (
	"strings"
	"testing"

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

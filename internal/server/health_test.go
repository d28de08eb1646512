package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/server"
)

func TestHealthSaysThatTheProcessAnswers(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	if got := s.mustGet(t, "/healthz"); got.status != http.StatusOK || got.body != "ok\n" {
		t.Errorf("GET /healthz = %v, want 200 ok", got)
	}
}

func TestReadinessNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	checks, status := s.mustReadiness(t)
	if status != http.StatusOK || checks["database"] != "ok" || checks["attachments"] != "ok" {
		t.Errorf("GET /readyz = %d %v, want 200 and all ok", status, checks)
	}

	temporary := filepath.Join(s.data, "attachments", "tmp")
	if err := os.RemoveAll(temporary); err != nil {
		t.Fatal(err)
	}
	checks, status = s.mustReadiness(t)
	if status != http.StatusServiceUnavailable || !strings.Contains(checks["attachments"], "no such file") || checks["database"] != "ok" {
		t.Errorf("GET /readyz without %s = %d %v, want 503 and the reason", temporary, status, checks)
	}
	if got := s.mustCall(t, "AddAttachmentsToSet", `{"attachments":[{"fileName":"a","data":"YQ=="}]}`); got.status != http.StatusInternalServerError {
		t.Errorf("AddAttachmentsToSet without a folder = %v, want 500", got)
	}
	s.mustCreateCase(t, "cases need no attachments")

	if err := os.Mkdir(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	s.mustAttach(t, "a", []byte("a"))
	if checks, status = s.mustReadiness(t); status != http.StatusOK {
		t.Errorf("GET /readyz after the repair = %d %v, want 200", status, checks)
	}
}

func TestReadinessOfAClosedDatabase(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, server.Config{})
	handler := s.Handler()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "the database is closed") {
		t.Errorf("GET /readyz = %d %s, want 503 because the database is closed", w.Code, w.Body)
	}
}

func (s *service) mustReadiness(t *testing.T) (checks map[string]string, status int) {
	t.Helper()
	got := s.mustGet(t, "/readyz")
	var answer struct {
		Ready  bool              `json:"ready"`
		Checks map[string]string `json:"checks"`
	}
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		t.Fatalf("GET /readyz = %v: %v", got, err)
	}
	if answer.Ready != (got.status == http.StatusOK) {
		t.Errorf("GET /readyz = %v, want the status to fit the body", got)
	}
	return answer.Checks, got.status
}

package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/server"
)

func TestDeskAPIRefusesOtherSpellingsOfItsPaths(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, server.Config{Data: t.TempDir()})
	for _, path := range []string{"/desk/v1//cases", "/desk/v1/./cases", "/desk/v1/x/../cases", "/desk/v1/cases/", "/desk/v1/", "/desk/v1"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: path}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(w.Body.String(), "no_route") {
			t.Errorf("GET %s = %d %s %s, want the problem no_route", path, w.Code, w.Header(), w.Body)
		}
	}
}

package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/server"
)

func TestExportBesideAServerSaysThatItIsNotTheLast(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	data, exported := filepath.Join(folder, "data"), filepath.Join(folder, "export")
	env := []string{"SUPPORTD_DATA=" + data}
	s := mustServe(t, 5, "--data", data, "--listen", "127.0.0.1:0")
	want := "supportd: a server is running on this database: what it writes from now on is not in the export\n"
	for range 2 { // looking does not keep the lock
		if got := command(t, env, "", "export", exported); got.err != nil || got.stderr != want || !strings.Contains(got.stdout, "the export is in ") {
			t.Errorf("export beside a server = %v, standard error %q, want %q", got.err, got.stderr, want)
		}
	}
	if _, _, err := s.stop(); err != nil {
		t.Fatal(err)
	}
	mustRun(t, env, "export", exported) // says nothing on standard error
	if got := toldServed(t, data); got != "supportd: a server was running on this database when the export began: what it wrote since then is not in the export\n" {
		t.Errorf("after a server that ended meanwhile, standard error %q, want a line", got)
	}
	again := mustServe(t, 3, "--data", data, "--listen", "127.0.0.1:0")
	if _, _, err := again.stop(); err != nil {
		t.Errorf("serve after an export = %v, want nil", err)
	}
}

// toldServed is what an export says that began beside a server.
func toldServed(t *testing.T, data string) string {
	t.Helper()
	s, err := server.Administer(t.Context(), server.Config{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	p := program{stderr: &stderr}
	if err := errors.Join(p.tellServed(s, true), s.Close()); err != nil {
		t.Fatal(err)
	}
	return stderr.String()
}

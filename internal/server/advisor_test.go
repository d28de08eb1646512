package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/server"
)

const volumeCheck = `
id: vol-check
name: Volumes
category: security
about: Looks at volumes.
resource: ec2.volume
error: "!resource.Encrypted"
columns: {Region: region, Volume: id}
`

// mustPack writes a folder with one check and returns it.
func mustPack(t testing.TB, text string) string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "security", "volumes", "check.yaml")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// mustInventory writes an inventory with so many volumes, of which the first is
// not encrypted.
func mustInventory(t testing.TB, volumes int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "inventory.jsonl")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := inventory.NewWriter(f, inventory.Header{Account: server.FirstAccountID, CollectedAt: time.Now(), Needs: inventory.Needs{"ec2.volume": nil}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range volumes {
		err := w.Add(inventory.Resource{Kind: "ec2.volume", ID: fmt.Sprint("vol-", i), Region: "eu-west-1", Attributes: map[string]any{"Encrypted": i > 0}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(nil, nil); err != nil {
		t.Fatal(err)
	}
	return file
}

// The whole way: a check of the operator, an inventory, the job, the answer; and
// again after a restart.
func TestTrustedAdvisorFromAnInventory(t *testing.T) {
	t.Parallel()
	config := server.Config{Data: filepath.Join(t.TempDir(), "data"), Checks: mustPack(t, volumeCheck)}
	s := mustServe(t, config)
	if err := s.Advisor.SetSource(t.Context(), server.FirstAccountID, advisor.Source{File: mustInventory(t, 2)}); err != nil {
		t.Fatalf("SetSource() = %v, want nil", err)
	}
	err := eventually(func() bool {
		return strings.Contains(s.mustCall(t, "DescribeTrustedAdvisorCheckRefreshStatuses", `{"checkIds":["vol-check"]}`).body, `"status":"success"`)
	})
	if err != nil {
		t.Fatalf("the refresh does not end: %v\n%s", err, s.log)
	}
	result := s.mustCall(t, "DescribeTrustedAdvisorCheckResult", `{"checkId":"vol-check"}`)
	for _, want := range []string{`"status":"error"`, `"resourcesFlagged":1`, `"resourcesProcessed":2`, `"metadata":["eu-west-1","vol-0"]`} {
		if !strings.Contains(result.body, want) {
			t.Errorf("DescribeTrustedAdvisorCheckResult = %s, want %s in it", result, want)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	again := mustServe(t, config)
	if got := again.mustCall(t, "DescribeTrustedAdvisorCheckResult", `{"checkId":"vol-check"}`); got.body != result.body {
		t.Errorf("DescribeTrustedAdvisorCheckResult after a restart = %s, want %s", got, result)
	}
	checks := again.mustCall(t, "DescribeTrustedAdvisorChecks", `{"language":"en"}`)
	for _, want := range []string{`"id":"vol-check"`, `"id":"H7IgTzjTYb"`} {
		if !strings.Contains(checks.body, want) {
			t.Errorf("DescribeTrustedAdvisorChecks lacks %s", want)
		}
	}
}

// A bad check stops the start with its place, but not the administration beside
// a server.
func TestABadCheckStopsTheStart(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"expression": strings.Replace(volumeCheck, "Encrypted", "Encryptet", 1),
		"form":       "id: x\nunknown: y\n",
	} {
		config := server.Config{Data: filepath.Join(t.TempDir(), "data"), Checks: mustPack(t, text)}
		if s, err := server.Open(t.Context(), config); err == nil || !strings.Contains(err.Error(), "security/volumes/check.yaml") {
			t.Errorf("Open(bad %s) = %v, want an error with the file", name, err)
			if err == nil {
				_ = s.Close()
			}
		}
		s, err := server.Administer(t.Context(), config)
		if err != nil {
			t.Fatalf("Administer(bad %s) = %v, want nil", name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

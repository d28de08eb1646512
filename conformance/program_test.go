package conformance_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"
)

// The failure tests run the same server with a job more; here it is the program
// itself that is killed, starts again and stops.
func TestProgramStartsAgainAfterAKillAndStopsWhenTold(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	first := startProcess(t, data, "--listen", "127.0.0.1:0")
	who := credentials{id: first.env["AWS_ACCESS_KEY_ID"], secret: first.env["AWS_SECRET_ACCESS_KEY"]}
	made := mustCall(t, first.url(), who, "CreateCase", `{"subject":"S","communicationBody":"B"}`)
	first.kill()

	second := startProcess(t, data, "--listen", "127.0.0.1:0")
	var asked struct {
		CaseID string `json:"caseId"`
	}
	if err := json.Unmarshal(made.body, &asked); err != nil {
		t.Fatal(err)
	}
	found := mustCall(t, second.url(), who, "DescribeCases", `{}`)
	if !bytes.Contains(found.body, []byte(asked.CaseID)) {
		t.Errorf("DescribeCases after a kill = %s, want case %s", found.body, asked.CaseID)
	}
	if err := second.stop(); err != nil {
		t.Errorf("the program ended with %v after SIGTERM, want nil", err)
	}
}

package deskapi

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/fault"
)

const documentFile = "../../docs/desk-api.md"

func mustReadDocument(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(documentFile)
	mustNot(t, err)
	return string(text)
}

// TestDocumentHasEveryRoute compares the table of docs/desk-api.md with the
// routes.
func TestDocumentHasEveryRoute(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, route := range (&API{}).routes() {
		need := string(route.need)
		switch route.need {
		case public:
			need = "–"
		case everyAgent:
			need = "any"
		}
		want = append(want, fmt.Sprintf("| %s | `%s` | %s | %s |", route.method, strings.TrimPrefix(route.path, "/desk/v1"), need, route.summary))
	}
	for line := range strings.SplitSeq(mustReadDocument(t), "\n") {
		if strings.HasPrefix(line, "| GET |") || strings.HasPrefix(line, "| POST |") || strings.HasPrefix(line, "| PUT |") || strings.HasPrefix(line, "| DELETE |") {
			got = append(got, line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/desk-api.md has other routes (-routes +document):\n%s", diff)
	}
}

// TestDocumentHasEveryFaultOfTheRequest looks for the codes that clients may meet
// on every route.
func TestDocumentHasEveryFaultOfTheRequest(t *testing.T) {
	t.Parallel()
	text := mustReadDocument(t)
	for _, f := range []*fault.Error{
		errNoToken, errNoRoute, errMethod, errMediaType, errBody, errBodyTooLarge, errParameter, errNext,
		errKey, errIfMatch, errIfMatchNeeded, errThrottled,
	} {
		if row := fmt.Sprintf("| %d | `%s` |", status(f), f.Code); !strings.Contains(text, row) {
			t.Errorf("docs/desk-api.md has no row %s", row)
		}
	}
}

// TestDocumentHasEveryParameterOfAQueue looks for what a queue is narrowed by, and
// for the variables that macros know.
func TestDocumentHasEveryParameterOfAQueue(t *testing.T) {
	t.Parallel()
	text := mustReadDocument(t)
	for _, m := range membersOf(reflect.TypeFor[listCasesInput]()) {
		if !strings.Contains(text, "\n| `"+m.name+"`") && !strings.Contains(text, ", `"+m.name+"` |") {
			t.Errorf("docs/desk-api.md has no row of the parameter %s", m.name)
		}
	}
	for _, name := range []string{"case.displayId", "case.subject", "agent.name", "account.name"} {
		if !strings.Contains(text, "{{"+name+"}}") {
			t.Errorf("docs/desk-api.md does not have the variable %s", name)
		}
	}
}

// TestExamplesOfTheDocumentsRun runs the curl commands of docs/desk-api.md and
// docs/desk.md one after the other, as a reader would who has a case with a file.
func TestExamplesOfTheDocumentsRun(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "base64"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("SUPPORTD_CLIENTS") == "required" {
				t.Fatal(err)
			}
			t.Skipf("NOT TESTED: the documents' examples: %v", err)
		}
	}
	f := newFixture(t)
	id := f.mustCase(t, "Hello")
	said := f.mustDetail(t, id)["communications"].([]any)[0].(map[string]any)
	server := httptest.NewServer(f.handler)
	t.Cleanup(server.Close)
	folder := t.TempDir()
	mustNot(t, os.WriteFile(filepath.Join(folder, "log.txt"), []byte("hello"), 0o600))
	shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", examples(t))
	shell.Dir = folder
	shell.Env = append(os.Environ(), "SUPPORTD_DESK_URL="+server.URL, "SUPPORTD_DESK_TOKEN="+f.tokens[desk.RoleAdministrator],
		"CASE="+id, "CASE_ID="+id, "ATTACHMENT="+said["attachments"].([]any)[0].(map[string]any)["attachmentId"].(string))
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("an example failed: %v\n%s", err, out)
	}
	if n := f.mustDetail(t, id)["communicationCount"]; n != 4.0 {
		t.Errorf("the case has %v communications after the examples, want the customer's and three replies", n)
	}
}

// examples returns the curl commands of the documents as a script. The version in
// them is the reader's to put in.
func examples(t *testing.T) string {
	t.Helper()
	script := "curl() { command curl --fail-with-body \"$@\"; }\nversion() { command curl -sI -H \"$auth\" \"$desk/cases/$CASE\" | tr -d '\\r' | sed -n 's/^Etag: //p'; }\n"
	guide, err := os.ReadFile("../../docs/desk.md")
	mustNot(t, err)
	for block := range strings.SplitSeq(mustReadDocument(t)+string(guide), "```sh\n") {
		block, _, ok := strings.Cut(block, "```")
		if ok && strings.Contains(block, "curl ") {
			script += strings.ReplaceAll(block, `'If-Match: "v12"'`, `"If-Match: $(version)"`)
		}
	}
	return script
}

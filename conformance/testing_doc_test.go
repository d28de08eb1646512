package conformance_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// The document's files are written, and its commands for the shell are run in
// their order, against one server.
func TestTestingDocumentWorks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	files := regexp.MustCompile("(?s)```yaml\n# (\\S+\\.yaml)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	commands := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(files) != 2 || len(commands) < 8 {
		t.Fatalf("docs/testing.md has %d files and %d blocks of commands", len(files), len(commands))
	}
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(folder, file[1]), []byte(file[2]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := "set -eux\n"
	for _, block := range commands {
		script += block[1]
	}
	run := exec.CommandContext(t.Context(), "bash", "-c", script)
	run.Dir, run.Env = folder, append(os.Environ(), startTestMode(t)...)
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("the commands of docs/testing.md ended with %v:\n%s", err, out)
	}
}

// startTestMode starts the program in test mode and returns what it printed, as
// an environment.
func startTestMode(t *testing.T) (env []string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		missingClient(t, "curl", "apt-get install curl")
	}
	p := exec.Command(mustProgram(t), "serve", "--test", "--log-level", "error", "--listen", "127.0.0.1:0", "--test-listen", "127.0.0.1:0")
	return mustStart(t, p)
}

// mustStart starts the program in test mode and returns the lines that it prints
// once it answers.
func mustStart(t *testing.T, p *exec.Cmd) (env []string) {
	t.Helper()
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	p.Stderr = &stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		_ = p.Process.Signal(os.Interrupt) // its temporary folder goes with it
		_ = p.Wait()
	})
	t.Cleanup(end)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		env = append(env, strings.TrimPrefix(lines.Text(), "export "))
		if strings.Contains(lines.Text(), "SUPPORTD_DESK_TOKEN=") {
			return env
		}
	}
	end() // stderr is whole then
	t.Fatalf("the program printed %v and ended:\n%s", env, &stderr)
	return nil
}

// What the document shows of Go is a part of an example, which is run.
func TestTestingDocumentShowsGoThatRuns(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("../supporttest/example_story_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(document), -1) {
		if !strings.Contains(string(examples), block[1]) {
			t.Errorf("supporttest/example_story_test.go has no:\n%s", block[1])
		}
	}
}

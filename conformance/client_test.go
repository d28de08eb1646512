package conformance_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The clients that people use must be there when SUPPORTD_CLIENTS is "required",
// as check.sh sets it; otherwise a missing one skips its test.

// missingClient ends a test whose client is not installed.
func missingClient(t *testing.T, what, install string) {
	t.Helper()
	if os.Getenv("SUPPORTD_CLIENTS") == "required" {
		t.Fatalf("%s is missing and SUPPORTD_CLIENTS=required: install it with: %s", what, install)
	}
	t.Skipf("NOT TESTED: %s is missing; install it with: %s", what, install)
}

// missingAddition ends a test with a client that nobody has to have.
func missingAddition(t *testing.T, what string) {
	t.Helper()
	fmt.Fprintf(os.Stderr, "%s: NOT TESTED: there is no %s\n", t.Name(), what)
	t.Skipf("NOT TESTED: there is no %s", what)
}

// user is a person at a shell: an empty home folder and the lines that the
// server printed, pasted.
type user struct {
	t    *testing.T
	home string
	env  []string
	dir  string // where commands run
}

func newUser(t *testing.T, p *process) user {
	t.Helper()
	u := user{t: t, home: t.TempDir()}
	u.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + u.home, "LANG=C.UTF-8"}
	for name, value := range p.env {
		u.env = append(u.env, name+"="+value)
	}
	return u
}

// with returns the user with one more variable.
func (u user) with(variable string) user {
	u.env = append(slices.Clip(u.env), variable)
	return u
}

// knowsNewerOperations teaches clients of 2022 the two operations that came
// after them, in the way in which botocore's models are extended.
func (u user) knowsNewerOperations() {
	u.t.Helper()
	folder := filepath.Join(u.home, ".aws", "models", "support", "2013-04-15")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		u.t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/newer-operations.json")
	if err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "service-2.sdk-extras.json"), text, 0o600); err != nil {
		u.t.Fatal(err)
	}
}

// run returns what a command printed and its exit code.
func (u user) run(name string, args ...string) (stdout, stderr string, code int) {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Env, command.Dir = u.env, u.dir
	var out, errs strings.Builder
	command.Stdout, command.Stderr = &out, &errs
	if err := command.Run(); err != nil && command.ProcessState == nil {
		u.t.Fatalf("%s: %v", name, err)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

// mustRun returns what a command printed, which must succeed.
func (u user) mustRun(name string, args ...string) string {
	u.t.Helper()
	stdout, stderr, code := u.run(name, args...)
	if code != 0 {
		u.t.Fatalf("%s %q = exit code %d, want 0\n%s%s", name, args, code, stdout, stderr)
	}
	return stdout
}

// startFirstRun starts the program as someone does who has just got it, and
// checks the lines that it prints to be pasted.
func startFirstRun(t *testing.T, args ...string) *process {
	t.Helper()
	p := startProcess(t, filepath.Join(t.TempDir(), "data"), append([]string{"--listen", "127.0.0.1:0"}, args...)...)
	for name, form := range map[string]string{
		"AWS_ENDPOINT_URL_SUPPORT": `http://127\.0\.0\.1:\d+`,
		"AWS_REGION":               `us-east-1`,
		"AWS_DEFAULT_REGION":       `us-east-1`,
		"AWS_ACCESS_KEY_ID":        `AKIA[A-Z2-7]{16}`,
		"AWS_SECRET_ACCESS_KEY":    `[A-Za-z0-9+/]{40}`,
	} {
		if !matches(form, p.env[name]) {
			t.Errorf("the program printed %s=%q, want a match of %s", name, p.env[name], form)
		}
	}
	return p
}

// otherPrograms returns the programs with the name on PATH that are not system.
func otherPrograms(name, system string) []string {
	var found []string
	known, _ := os.Stat(system)
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(folder, name)
		info, err := os.Stat(path)
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 || known != nil && os.SameFile(info, known) {
			continue
		}
		found = append(found, path)
	}
	return found
}

// atLeast compares versions such as 2.13.0 by their numbers.
func atLeast(version, least string) bool {
	var have, want [3]int
	_, _ = fmt.Sscanf(version, "%d.%d.%d", &have[0], &have[1], &have[2]) // what is not there is zero
	_, _ = fmt.Sscanf(least, "%d.%d.%d", &want[0], &want[1], &want[2])
	return slices.Compare(have[:], want[:]) >= 0
}

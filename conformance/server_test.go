// Package conformance_test plays scenarios against the whole service: the txtar
// files in scenarios, in process and against the built program, and the life of
// a case through the clients that people use.
package conformance_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/supportd/supportd/supporttest"
)

// credentials are an access key, as the AWS SDKs take them.
type credentials struct {
	id, secret, token string
}

// starter starts a server with the accounts of supporttest.
type starter func(t *testing.T, s setting) *target

// setting is how a server is started.
type setting struct {
	clock     time.Time // zero: now
	awsLimits bool      // else none
}

// target is a server under test.
type target struct {
	url      string
	data     string                 // its data folder
	accounts map[string]credentials // root keys by account
	advance  func(time.Duration)    // nil where the clock cannot be moved
}

const (
	firstAccount  = "123456789012"
	secondAccount = "111122223333"
)

// inProcess starts a server in this process.
func inProcess(t *testing.T, how setting) *target {
	t.Helper()
	var options []supporttest.Option
	if !how.clock.IsZero() {
		options = append(options, supporttest.WithTime(how.clock))
	}
	if how.awsLimits {
		options = append(options, supporttest.WithAWSLimits())
	}
	s := supporttest.NewServer(t, options...)
	accounts := map[string]credentials{}
	for _, a := range s.Accounts() {
		accounts[a.ID] = credentials{id: a.AccessKeyID, secret: a.SecretAccessKey}
	}
	return &target{url: s.URL, data: s.DataDir(), accounts: accounts, advance: s.Advance}
}

// program returns the path of the built program; all tests share one build.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "supportd-conformance-*")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "supportd")
	build := exec.Command("go", "build", "-o", path, "github.com/supportd/supportd/cmd/supportd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func mustProgram(t *testing.T) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	if setting := os.Getenv(nodeVariable); setting != "" {
		if err := serveNode(setting); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path)) // what stays in the temporary folder harms nobody
	}
	os.Exit(code)
}

// process is a running program.
type process struct {
	command *exec.Cmd
	env     map[string]string // what it printed on standard output
	log     *lockedBuffer
}

// startProcess starts the program on a data folder and waits for the lines that
// it prints once it answers.
func startProcess(t *testing.T, data string, args ...string) *process {
	t.Helper()
	wanted := 3 // lines: the address, and the region under both its names
	if _, err := os.Stat(data); os.IsNotExist(err) {
		wanted = 5 // and the first access key
	}
	p := &process{env: map[string]string{}, log: &lockedBuffer{}}
	p.command = exec.Command(mustProgram(t), append([]string{"serve", "--data", data}, args...)...)
	p.command.Stderr = p.log
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill() })
	lines := bufio.NewScanner(stdout)
	for len(p.env) < wanted && lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		p.env[name] = value
	}
	if len(p.env) < wanted {
		t.Fatalf("the program printed %v, want %d lines: %s", p.env, wanted, p.log.String())
	}
	return p
}

func (p *process) url() string { return p.env["AWS_ENDPOINT_URL_SUPPORT"] }

// kill ends the program at once, as a power cut would.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended
	_ = p.command.Wait()
}

// stop ends the program as an operator does and returns how it went.
func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.command.Wait()
}

// builtProgram starts the program with the two accounts of inProcess. Nobody
// sets its clock.
func builtProgram(t *testing.T, how setting) *target {
	t.Helper()
	if !how.clock.IsZero() {
		t.Fatalf("the program's clock cannot be set to %v", how.clock)
	}
	limits := "off"
	if how.awsLimits {
		limits = "aws"
	}
	data := filepath.Join(t.TempDir(), "data")
	p := startProcess(t, data, "--listen", "127.0.0.1:0", "--limits", limits)
	mustAdmin(t, data, "account", "update", "--id", firstAccount, "--email", "first@example.com")
	mustAdmin(t, data, "account", "create", "--id", secondAccount, "--name", "Second", "--email", "second@example.com")
	return &target{
		url: p.url(), data: data,
		accounts: map[string]credentials{
			firstAccount:  mustRootKey(t, data, firstAccount),
			secondAccount: mustRootKey(t, data, secondAccount),
		},
	}
}

func mustRootKey(t *testing.T, data, account string) credentials {
	t.Helper()
	return parseExports(mustAdmin(t, data, "key", "create", "--account", account, "--root"))
}

func parseExports(text string) credentials {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "=")
		values[name] = value
	}
	return credentials{values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"], values["AWS_SESSION_TOKEN"]}
}

// mustAdmin runs an administration command beside the server.
func mustAdmin(t *testing.T, data string, args ...string) string {
	t.Helper()
	out, err := admin(t.Context(), mustProgram(t), data, args...)
	if err != nil {
		t.Fatalf("supportd %v: %v", args, err)
	}
	return out
}

func admin(ctx context.Context, program, data string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, program, append(args, "--data", data)...)
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), nil
}

// lockedBuffer keeps what a process writes while a test reads it.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write appends to the buffer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns what was written so far.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

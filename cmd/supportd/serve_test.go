package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// served is a server that runs in this process as serve runs it.
type served struct {
	stdout []string // its lines until it answered
	url    string
	stop   func() (rest, stderr string, err error)
}

// mustServe runs serve and reads the lines that it prints on standard output.
func mustServe(t *testing.T, lines int, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, w := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, args, nil, strings.NewReader(""), w, &stderr)
		w.CloseWithError(io.EOF)
		ended <- err
	}()
	s := &served{}
	out := bufio.NewReader(r)
	for range lines {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatalf("supportd %v printed %q and ended with %v: %s", args, s.stdout, <-ended, stderr.String())
		}
		s.stdout = append(s.stdout, strings.TrimSuffix(line, "\n"))
	}
	s.url = strings.TrimPrefix(s.stdout[0], "export AWS_ENDPOINT_URL_SUPPORT=")
	s.stop = func() (string, string, error) {
		cancel()
		rest, err := io.ReadAll(out)
		if err != nil {
			t.Error(err)
		}
		err = <-ended
		return string(rest), stderr.String(), err
	}
	return s
}

func (s *served) mustAnswer(t *testing.T) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("GET %s/readyz = %v, %v, want 200: the lines are printed once it answers", s.url, answer, err)
	}
	answer.Body.Close()
}

func TestServePrintsItsExportLinesAndNothingElse(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	address := `export AWS_ENDPOINT_URL_SUPPORT=http://127\.0\.0\.1:\d+`
	region := []string{`export AWS_REGION=us-east-1`, `export AWS_DEFAULT_REGION=us-east-1`}
	key := []string{`export AWS_ACCESS_KEY_ID=AKIA[A-Z2-7]{16}`, `export AWS_SECRET_ACCESS_KEY=[A-Za-z0-9+/]{40}`}
	first := append(append(append([]string{address}, region...), key...), `export SUPPORTD_DESK_TOKEN=sdt_[\w-]+`)
	for i, want := range [][]string{first, first[:3]} {
		args := []string{"--data", data, "--listen", "127.0.0.1:0", "--log-format", "json"}
		if i > 0 {
			args = append([]string{"serve"}, args...) // the same with and without its name
		}
		s := mustServe(t, len(want), args...)
		s.mustAnswer(t)
		for n, line := range s.stdout {
			if !regexp.MustCompile(`^` + want[n] + `$`).MatchString(line) {
				t.Errorf("start %d, line %d on standard output is %q, want %s", i+1, n+1, line, want[n])
			}
		}
		rest, stderr, err := s.stop()
		if rest != "" || err != nil {
			t.Errorf("start %d: later standard output %q and end %v, want nothing", i+1, rest, err)
		}
		for _, line := range s.stdout[3:] {
			if _, secret, _ := strings.Cut(line, "="); len(secret) > 20 && strings.Contains(stderr, secret) {
				t.Errorf("standard error shows the secret: %s", stderr)
			}
		}
		if wanted := []string{"supportd ", s.url, data, map[bool]string{true: "supportd desk queue", false: "supportd key create"}[i == 0]}; !containsAll(stderr, wanted) {
			t.Errorf("start %d: standard error %q, want %q in it", i+1, stderr, wanted)
		}
	}
}

func containsAll(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

func TestServeIsRefusedInOneClearLine(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s := mustServe(t, 3, "--data", data, "--listen", "127.0.0.1:0", "--log-level", "error")
	args := []string{"serve", "--data", data, "--listen", "127.0.0.1:0"}
	checkRefusal(t, command(t, nil, "", args...), 1, "another server runs on "+data, args...)

	mustRun(t, nil, "account", "list", "--data", data) // administration goes on beside it
	mustRun(t, nil, "backup", filepath.Join(t.TempDir(), "b.tar"), "--data", data)

	taken := strings.TrimPrefix(s.url, "http://")
	args = []string{"serve", "--data", filepath.Join(t.TempDir(), "other"), "--listen", taken}
	checkRefusal(t, command(t, nil, "", args...), 1, "address already in use", args...)
	s.mustAnswer(t)
	if _, _, err := s.stop(); err != nil {
		t.Errorf("serve ended with %v, want nil", err)
	}
}

func TestAddressForClientsOnThisMachine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ listens, want string }{
		{"127.0.0.1:80", "http://127.0.0.1:80"},
		{"0.0.0.0:81", "http://127.0.0.1:81"},
		{"[::]:82", "http://127.0.0.1:82"},
		{"[::1]:83", "http://[::1]:83"},
		{"192.0.2.7:84", "http://192.0.2.7:84"},
	} {
		addr, err := net.ResolveTCPAddr("tcp", test.listens)
		if err != nil {
			t.Fatal(err)
		}
		if got := publicURL(addr); got != test.want {
			t.Errorf("publicURL(%s) = %s, want %s", test.listens, got, test.want)
		}
	}
}

// Not in parallel: signals are those of the whole process.
func TestAHangUpIsIgnoredUnderNohup(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	if slices.Contains(endings(), os.Signal(syscall.SIGHUP)) {
		t.Errorf("endings() where SIGHUP is ignored = %v, want it to be so", endings())
	}
}

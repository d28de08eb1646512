// Package s3test runs an S3 server for tests: versitygw, which keeps objects as
// files, verifies signatures and checksums, and comes as a Go module. The go
// command builds it, from tools/go.mod, for the first test on a machine and
// finds it in its cache from then on.
//
// The server keeps what it knows of an object in extended attributes of the
// file. On a file system for temporary files that has none, TMPDIR leads
// elsewhere.
package s3test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Region is that of every server.
const Region = "us-east-1"

// A shell stands between, so that the server also ends when the test's process
// does, however that ends: then the shell's input ends.
const script = `"$@" & read -r _; kill -9 $!; wait $!`

// Server is a server on the loopback interface, with one user who may do all.
type Server struct {
	Endpoint  string
	AccessKey string
	SecretKey string

	program string
	folder  string
	health  string // a path that no other server answers
	buckets atomic.Int64
	shell   *exec.Cmd
	stdin   io.Closer
}

// Start starts an empty server, which ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{
		AccessKey: "s3test",
		SecretKey: rand.Text(),
		program:   build(t),
		folder:    t.TempDir(),
		health:    "/" + rand.Text(),
	}
	if err := os.Mkdir(filepath.Join(s.folder, "buckets"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	// Between the choice of a port and its use someone else may take it.
	var err error
	for range 3 {
		s.Endpoint = "http://" + freeAddress(t)
		if err = s.run(); err == nil {
			return s
		}
	}
	t.Fatal(err)
	return nil
}

// build returns the program's file.
func build(t testing.TB) string {
	t.Helper()
	mod := goCommand(t, "env", "GOMOD")
	tools := filepath.Join(filepath.Dir(mod), "tools", "go.mod")
	return goCommand(t, "tool", "-modfile="+tools, "-n", "versitygw")
}

func goCommand(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	// One build for all tests, also those with the race detector.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// run starts the process and waits until it answers.
func (s *Server) run() error {
	s.Kill()
	log, err := os.Create(filepath.Join(s.folder, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.shell = exec.Command("sh", "-c", script, "sh", s.program,
		"--port", strings.TrimPrefix(s.Endpoint, "http://"), "--region", Region, "--health", s.health, "--quiet",
		"posix", filepath.Join(s.folder, "buckets"))
	s.shell.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	s.shell.Stdout, s.shell.Stderr = log, log
	if s.stdin, err = s.shell.StdinPipe(); err != nil {
		return err
	}
	if err := s.shell.Start(); err != nil {
		s.shell = nil
		return err
	}
	if s.ready(10 * time.Second) {
		return nil
	}
	s.Kill()
	said, _ := os.ReadFile(log.Name()) // what there is helps
	return fmt.Errorf("versitygw does not answer at %s; it says:\n%s", s.Endpoint, said)
}

func (s *Server) ready(within time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for ctx.Err() == nil {
		if s.healthy(ctx) {
			return true
		}
		<-retry.C
	}
	return false
}

func (s *Server) healthy(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+s.health, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // nothing is read from it
	return resp.StatusCode == http.StatusOK
}

// Kill ends the process at once, as a crash would. What it has kept stays.
func (s *Server) Kill() {
	if s.shell == nil {
		return
	}
	_ = s.stdin.Close() // the shell's sign
	_ = s.shell.Wait()  // it was killed
	s.shell = nil
}

// Restart starts the server again, after Kill, at the same endpoint and with
// what it has kept.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
}

// Bucket makes an empty bucket and returns its name.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("bucket-%d", s.buckets.Add(1))
	if _, err := s.Client().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatalf("CreateBucket(%s) = %v", name, err)
	}
	return name
}

// URL returns the address of a bucket in the form that s3blob reads.
func (s *Server) URL(bucket string) string {
	return "s3://" + bucket + "?endpoint=" + s.Endpoint + "&region=" + Region
}

// Client returns a client for what s3blob does not do.
func (s *Server) Client() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint,
		Region:       Region,
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
}

// Package supporttest runs the whole support service inside a Go test: on a
// port of its own, with two accounts, a clock that a test can move forward, and an
// [aws.Config] that any client of the AWS SDK takes.
//
//	func TestTicketBridge(t *testing.T) {
//		srv := supporttest.NewServer(t)
//		client := support.NewFromConfig(srv.Config())
//		…
//		srv.Reply(caseID, "Have you tried to turn it off and on again?")
//		srv.Advance(15 * 24 * time.Hour)
//		…
//	}
//
// It is the server that runs in production, on a database in a temporary
// folder; nothing of it is faked but the clock. No limits are set unless a test
// asks for them. Besides, a test
//
//   - begins with cases that have a story ([Server.Seed]), or anew ([Server.Reset]),
//   - plays the agent who answers ([Server.Reply], [Server.SetStatus],
//     [Server.Resolve]), or leaves that to a script ([Server.Autopilot]),
//   - lets time pass ([Server.Advance], [Server.Freeze], [WithTime]),
//   - lets calls fail ([Server.Fail], [Server.Faults]) and reads what the code
//     under test has asked for ([Server.Requests], [Server.WaitRequests]),
//   - makes up what Trusted Advisor has found ([Server.SetResult]).
//
// Servers are independent of each other, so tests can run in parallel.
package supporttest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/testmode"
)

// T is what the package needs of a test: *testing.T, *testing.B and *testing.F
// have it.
type T interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	TempDir() string
}

// Account is an account of the server with the key of its root.
type Account struct {
	ID              string
	Name            string
	Email           string
	Plan            string
	AccessKeyID     string
	SecretAccessKey string
}

// Server is a running service.
type Server struct {
	// URL is the address of the service, such as http://127.0.0.1:40123.
	URL string

	t         T
	data      string
	accounts  []Account
	deskToken string
	server    *server.Server
	mode      *testmode.Mode
}

// Option changes how a server is made.
type Option func(*options)

type options struct {
	config server.Config
}

// WithAWSLimits sets the limits of the real service: ten cases an hour, five
// calls a second of each operation.
func WithAWSLimits() Option {
	return func(o *options) { o.config.Limits = server.AWSLimits() }
}

// WithTime starts the clock at t instead of now.
func WithTime(t time.Time) Option {
	return func(o *options) { o.config.Test.Time = t }
}

// WithFrozenClock has the clock stand still but for [Server.Advance] and
// [Server.SetTime], so that times come out the same again. What is used up of a
// limit of requests per second ([WithAWSLimits]) does not come back meanwhile.
func WithFrozenClock() Option {
	return func(o *options) { o.config.Test.Frozen = true }
}

// WithSeed makes ids of a number: those of cases, attachments and of the desk
// come out the same again for the same calls in the same order. Zero makes them
// random, which is the default.
func WithSeed(seed uint64) Option {
	return func(o *options) { o.config.Test.Seed = seed }
}

// WithLog writes the server's records to the log.
func WithLog(log *slog.Logger) Option {
	return func(o *options) { o.config.Log = log }
}

// NewServer starts a server that ends with the test. It fails the test when it
// cannot.
func NewServer(t T, opts ...Option) *Server {
	t.Helper()
	o := options{config: server.Config{Data: filepath.Join(t.TempDir(), "supportd"), Listen: "127.0.0.1:0", Test: &server.Test{}}}
	for _, opt := range opts {
		opt(&o)
	}
	s := &Server{t: t, data: o.config.Data}
	var err error
	if s.server, err = server.Open(context.Background(), o.config); err != nil {
		t.Fatalf("supporttest: %v", err)
	}
	s.mode = s.server.Test
	if err := s.start(); err != nil {
		t.Fatalf("supporttest: %v", err)
	}
	return s
}

// start listens and serves until the test's cleanup, which waits for the end.
func (s *Server) start() error {
	listener, err := s.server.Listen()
	if err != nil {
		return errors.Join(err, s.server.Close())
	}
	s.URL = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.serve(ctx, listener) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			s.t.Fatalf("supporttest: %v", err)
		}
	})
	if err := s.createAccounts(); err != nil {
		return err
	}
	first, err := s.server.FirstRun(context.Background())
	if err != nil {
		return err
	}
	s.deskToken = first.DeskToken
	return s.server.BeginTest(context.Background())
}

func (s *Server) serve(ctx context.Context, listener net.Listener) error {
	err := s.server.Serve(ctx, listener)
	if closed := s.server.Close(); err == nil {
		err = closed
	}
	return err
}

func (s *Server) createAccounts() error {
	for _, a := range []iam.Account{
		{ID: "123456789012", Name: "First", Email: "first@example.com", Plan: "enterprise"},
		{ID: "111122223333", Name: "Second", Email: "second@example.com", Plan: "business"},
	} {
		if err := s.createAccount(a); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) createAccount(a iam.Account) error {
	ctx := context.Background()
	if _, err := s.server.IAM.CreateAccount(ctx, a); err != nil {
		return err
	}
	key, err := s.server.IAM.CreateKey(ctx, a.ID, "")
	s.accounts = append(s.accounts, Account{
		ID: a.ID, Name: a.Name, Email: a.Email, Plan: a.Plan,
		AccessKeyID: key.ID, SecretAccessKey: key.Secret,
	})
	return err
}

// Accounts returns the two accounts that every server has: 123456789012 with an
// enterprise plan and 111122223333 with a business plan. [Server.Seed] makes
// others, and changes these.
func (s *Server) Accounts() []Account { return append([]Account{}, s.accounts...) }

// Config returns the configuration of a client of the first account.
func (s *Server) Config() aws.Config { return s.ConfigFor(s.accounts[0]) }

// ConfigFor returns the configuration of a client of the account.
func (s *Server) ConfigFor(a Account) aws.Config {
	return s.ConfigWith(a.AccessKeyID, a.SecretAccessKey)
}

// ConfigWith returns the configuration of a client with an access key, such as
// that of a user of a seed. The number of any account is an access key of its
// root, too, with the secret "test".
func (s *Server) ConfigWith(accessKeyID, secretAccessKey string) aws.Config {
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(s.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: accessKeyID, SecretAccessKey: secretAccessKey, Source: "supporttest"}, nil
		}),
	}
}

// DataDir returns the server's data folder, for the administration commands of
// supportd.
func (s *Server) DataDir() string { return s.data }

// DeskURL returns the address of the API for agents, such as
// http://127.0.0.1:40123/desk/v1.
func (s *Server) DeskURL() string { return s.URL + "/desk/v1" }

// DeskToken returns a token of an administrator for the API for agents, which is
// sent as the header Authorization: Bearer TOKEN.
func (s *Server) DeskToken() string { return s.deskToken }

// Reset makes the server as it was when it started: cases, seeds, faults and the
// rest of what a test did are gone, and the clock is back. Accounts, their keys,
// the address and the token of the desk stay as they are.
func (s *Server) Reset() {
	s.t.Helper()
	s.must("reset", s.mode.Reset(context.Background()))
}

// must fails the test with what went wrong.
func (s *Server) must(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("supporttest: %s: %v", what, err)
	}
}

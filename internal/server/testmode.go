package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/supportapi"
	"github.com/supportd/supportd/internal/testmode"
)

// Test makes a server one for tests. Its data is thrown away sooner or later, and
// is not written to the disk with the care that is due to customers.
type Test struct {
	// Listen is HOST:PORT of the management API; empty means that it has no
	// listener, and port 0 means any free one.
	Listen string
	// Seed makes the ids of cases, attachments and the desk come out the same
	// again, in each run on a new folder; zero means that they are random.
	Seed uint64
	// SeedFile and AutopilotFile are applied at the start and after each reset;
	// empty means none. A start on what an earlier one has left plants no seed. The
	// AutopilotFile may be testmode.DefaultScript.
	SeedFile      string
	AutopilotFile string
	// Time is where the clock begins; zero means now.
	Time time.Time
	// Frozen has the clock stand still from the start.
	Frozen bool
}

// DefaultTestListen is where the management API listens when nothing else is
// said.
const DefaultTestListen = "127.0.0.1:4581"

func (t *Test) check() error {
	if !t.Time.IsZero() {
		if err := testmode.CheckTime(t.Time); err != nil {
			return fmt.Errorf("test-time: %w", err)
		}
	}
	if t.Listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(t.Listen); err != nil {
		return fmt.Errorf("test-listen %q: want HOST:PORT", t.Listen)
	}
	return nil
}

// testState is what only a server in test mode has.
type testState struct {
	clock   *testmode.Clock
	random  *testmode.Random
	api     *supportapi.API
	begun   beginning
	resumed bool         // there was a start before this one
	listen  net.Listener // nil: none
}

// prepareTest gives the server a clock of its own.
func (s *Server) prepareTest() {
	t := s.config.Test
	s.testing = &testState{clock: testmode.NewClock(t.Time, t.Frozen), random: testmode.NewRandom(t.Seed)}
	s.config.Now = s.testing.clock.Now
}

// Names of settings of an installation for tests.
const (
	startsForTests  = "test-starts"    // counts the starts with a seed for ids
	beginOfTests    = "test-beginning" // a beginning
	plantedForTests = "test-planted"   // the seed file is; without one it says so, too
)

// beginRandom has the ids of this start come out other than those of the ones
// before, whose data may still be there.
func (s *Server) beginRandom(ctx context.Context) error {
	if s.testing == nil || s.config.Test.Seed == 0 {
		return nil
	}
	before, err := s.store.CountSetting(ctx, startsForTests)
	if err == nil {
		s.testing.random.Begin(before)
	}
	return err
}

// random returns of what a room makes its ids; nil means crypto/rand.
func (s *Server) random(room string) io.Reader {
	if s.testing == nil || s.config.Test.Seed == 0 {
		return nil
	}
	return s.testing.random.Stream(room)
}

func (s *Server) newTestMode(api *supportapi.API) (err error) {
	c := testmode.Config{
		IAM: s.IAM, Cases: s.Cases, Desk: s.Desk, Advisor: s.Advisor,
		Clock: s.testing.clock, Random: s.testing.random,
		Clear: s.clear, Purge: s.Purge,
		Operations: api.Operations(), Log: s.log,
	}
	if c.Seed, err = readOptional(s.config.Test.SeedFile); err != nil {
		return err
	}
	if c.Autopilot, err = readAutopilot(s.config.Test.AutopilotFile); err != nil {
		return err
	}
	s.testing.api = api
	s.Test, err = testmode.New(c)
	return err
}

// guardJobs keeps jobs from running while a server for tests is reset.
func (s *Server) guardJobs(kinds []jobs.Kind) []jobs.Kind {
	if s.config.Test == nil {
		return kinds
	}
	for i, k := range kinds {
		kinds[i].Handler = func(ctx context.Context, job jobs.Job) error {
			defer s.Test.Hold()() // there is a Test once jobs run
			return k.Handler(ctx, job)
		}
	}
	return kinds
}

// readAutopilot reads a script, unless the word for that of the program is given
// in the place of a file.
func readAutopilot(file string) ([]byte, error) {
	if file == testmode.DefaultScript {
		return []byte(file), nil
	}
	return readOptional(file)
}

func readOptional(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	return os.ReadFile(file)
}

// BeginTest begins the test mode: the files of the configuration are applied. A
// seed is planted once; later starts go on with what became of it.
func (s *Server) BeginTest(ctx context.Context) error {
	s.testing.random.Mark()
	planted, err := s.store.Setting(ctx, plantedForTests)
	if err != nil {
		return err
	}
	if planted != nil {
		return s.Test.Resume()
	}
	begin := s.Test.Start
	if s.testing.resumed { // by a start that ended on the way
		begin = s.Test.Reset
	}
	if err := begin(ctx); err != nil {
		return err
	}
	_, _, err = s.store.AddSetting(ctx, plantedForTests, []byte("yes"))
	return err
}

// listenTest opens the listener of the management API, if there is one to be.
func (s *Server) listenTest() (err error) {
	if s.config.Test == nil || s.config.Test.Listen == "" {
		return nil
	}
	s.testing.listen, err = net.Listen("tcp", s.config.Test.Listen)
	return err
}

// TestAddr is where the management API listens, nil when it does not.
func (s *Server) TestAddr() net.Addr {
	if s.testing == nil || s.testing.listen == nil {
		return nil
	}
	return s.testing.listen.Addr()
}

// runTest plays the autopilot and answers the management API until ctx ends.
func (s *Server) runTest(ctx context.Context) {
	if s.Test == nil {
		return
	}
	played := make(chan struct{})
	go func() {
		defer close(played)
		s.Test.Run(ctx)
	}()
	defer func() { <-played }()
	if s.testing.listen == nil {
		return
	}
	// What waits for requests ends with ctx; nobody is kept waiting for the rest.
	api := &http.Server{
		Handler: s.Test.Handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- api.Serve(s.testing.listen) }()
	select {
	case err := <-ended:
		s.log.ErrorContext(ctx, "management API", slog.String("error", err.Error()))
		return
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := api.Shutdown(grace); err != nil {
		_ = api.Close() // what still runs has had its time
	}
	<-ended
}

// testAccount is whose root the key test/test is, empty outside of tests.
func (c *Config) testAccount() string {
	if c.Test == nil {
		return ""
	}
	return FirstAccountID
}

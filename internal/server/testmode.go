package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
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
	// empty means none. The AutopilotFile may be testmode.DefaultScript.
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
	clock  *testmode.Clock
	random *testmode.Random
	api    *supportapi.API
	begun  beginning
	listen net.Listener // nil: none
}

// prepareTest gives the server a clock of its own.
func (s *Server) prepareTest() {
	t := s.config.Test
	s.testing = &testState{clock: testmode.NewClock(t.Time, t.Frozen), random: testmode.NewRandom(t.Seed)}
	s.config.Now = s.testing.clock.Now
}

// startsForTests is the name of a setting that counts the starts with a seed.
const startsForTests = "test-starts"

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

// beginning is what a reset goes back to: the accounts, their roots' keys, and
// the agents with their teams and tokens that were there when the test mode
// began. Whoever holds one of these goes on after a reset.
type beginning struct {
	accounts  []iam.Account
	keys      []iam.Key
	documents []desk.Document
}

// BeginTest begins the test mode: what is there now is there again after a
// reset, and the files of the configuration are applied.
func (s *Server) BeginTest(ctx context.Context) error {
	begun, err := s.remember(ctx)
	if err != nil {
		return err
	}
	s.testing.begun = begun
	s.testing.random.Mark()
	return s.Test.Start(ctx)
}

func (s *Server) remember(ctx context.Context) (b beginning, err error) {
	err = s.IAM.Store.View(ctx, func(tx iam.Tx) error {
		b = beginning{}
		if b.accounts, err = tx.Accounts(ctx); err != nil {
			return err
		}
		for _, a := range b.accounts {
			keys, err := tx.Keys(ctx, a.ID)
			if err != nil {
				return err
			}
			b.keys = append(b.keys, slices.DeleteFunc(keys, func(k iam.Key) bool { return k.Kind != iam.Root })...)
		}
		return nil
	})
	if err != nil {
		return b, err
	}
	err = s.Desk.Store.View(ctx, func(tx desk.Tx) error {
		b.documents = nil
		for _, kind := range []desk.Kind{desk.KindTeam, desk.KindAgent, desk.KindToken} {
			some, err := tx.Documents(ctx, kind)
			if err != nil {
				return err
			}
			b.documents = append(b.documents, some...)
		}
		return nil
	})
	return b, err
}

// clear goes back to the beginning.
func (s *Server) clear(ctx context.Context) error {
	if err := s.store.Reset(ctx); err != nil {
		return err
	}
	if err := s.clearBlobs(ctx); err != nil {
		return err
	}
	if err := s.testing.begun.restore(ctx, s.IAM.Store, s.Desk.Store); err != nil {
		return err
	}
	s.testing.api.ForgetLimits()
	s.Desk.Forget()
	return nil
}

// clearBlobs removes all attachments, but not the mark of whose they are.
func (s *Server) clearBlobs(ctx context.Context) error {
	for info, err := range s.blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		if info.Key == installation {
			continue
		}
		if err := s.blobs.Delete(ctx, info.Key); err != nil && !errors.Is(err, blob.ErrNotFound) {
			return err
		}
	}
	return nil
}

func (b beginning) restore(ctx context.Context, accounts iam.Store, documents desk.Store) error {
	err := accounts.Update(ctx, func(tx iam.Tx) error {
		for _, a := range b.accounts {
			if err := tx.InsertAccount(ctx, a); err != nil {
				return err
			}
		}
		for _, k := range b.keys {
			if err := tx.InsertKey(ctx, k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(b.documents) == 0 {
		return err
	}
	return documents.Update(ctx, desk.Scope, func(tx desk.Tx) error {
		for _, d := range b.documents {
			if err := tx.PutDocument(ctx, d); err != nil {
				return err
			}
		}
		return nil
	})
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

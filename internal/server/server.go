// Package server puts the rooms together into a running service: it reads the
// configuration, opens the store and the blobs, listens, watches its health and
// shuts down in order.
//
// Rules live in the rooms; this one only connects them.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/supportd/supportd/internal/accesslog"
	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/deskapi"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/seal"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/supportapi"
	"github.com/supportd/supportd/internal/testmode"
)

// Server is the whole service on an open data folder.
type Server struct {
	IAM     *iam.Service
	Cases   *cases.Service
	Desk    *desk.Service
	Advisor *advisor.Service
	Jobs    *jobs.Runner
	Test    *testmode.Mode // nil unless the server is one for tests

	config  Config
	log     *slog.Logger
	store   *store.Store
	blobs   blobStore
	metrics *metrics
	handler http.Handler
	lock    *os.File    // nil unless this process serves
	fresh   bool        // the database was empty
	madeKey string      // the file of a master key that was made now
	paired  atomic.Bool // the attachments are known to be those of the database
	purpose string      // what the installation was made for
	testing *testState  // nil unless the server is one for tests

	databaseCheck, attachmentsCheck *sharedCheck
}

// Open opens everything that the configuration names, but listens nowhere.
func Open(ctx context.Context, c Config) (*Server, error) {
	s, err := Administer(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.openAttachments(ctx), c.tryChecks()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Administer opens what administration beside a running server needs: all but
// the attachments, which may be away when a key has to be revoked.
func Administer(ctx context.Context, c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := c.makeData(); err != nil {
		return nil, err
	}
	s := &Server{config: c, log: c.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if c.Test != nil {
		s.prepareTest()
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if c.Existing && s.fresh {
		return nil, errors.Join(fmt.Errorf("there is no installation in %s", c.Place()), s.Close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) (err error) {
	open := store.Open
	if s.config.Test != nil {
		open = store.OpenScratch
	}
	if s.store, err = open(ctx, s.config.databaseURL()); err != nil {
		return err
	}
	if err := s.refuseUnfinishedImport(ctx); err != nil {
		return err
	}
	if err := s.claimPurpose(ctx); err != nil {
		return err
	}
	master, err := s.masterKey(ctx)
	if err != nil {
		return err
	}
	secrets, err := seal.NewBox(master, "access keys")
	if err != nil {
		return err
	}
	tokens, err := seal.NewBox(master, "page tokens")
	if err != nil {
		return err
	}
	sources, err := seal.NewBox(master, "advisor sources")
	if err != nil {
		return err
	}
	known, err := catalog.Load()
	if err != nil {
		return err
	}
	s.IAM = &iam.Service{Store: s.store.IAM(), Box: secrets, Now: s.config.Now, TestAccount: s.config.testAccount()}
	s.Cases = &cases.Service{
		Store: s.store.Cases(), Catalog: known, Now: s.config.Now, Random: s.random("cases"),
		Limits:          s.config.Limits.cases(),
		RetentionMonths: s.config.RetentionMonths,
	}
	s.Desk = &desk.Service{Store: s.store.Desk(), Cases: s.Cases, IAM: s.IAM, Now: s.config.Now, Random: s.random("desk"), Log: s.log, EndlessTokens: s.config.Test != nil}
	s.Cases.Watch = s.watchCases
	s.Advisor = s.newAdvisor(sources)
	api, err := supportapi.New(supportapi.Config{
		IAM: s.IAM, Cases: s.Cases, Advisor: s.Advisor, Catalog: known, Tokens: tokens, Now: s.config.Now,
		Limits: s.config.Limits.api(),
	})
	if err != nil {
		return err
	}
	agents, err := s.newDeskAPI(master)
	if err != nil {
		return err
	}
	s.metrics = newMetrics()
	s.Jobs = s.newRunner()
	s.metrics.countDead(s.Jobs)
	s.metrics.countCases(s.Desk)
	s.databaseCheck = &sharedCheck{check: s.store.Check}
	s.attachmentsCheck = &sharedCheck{check: s.checkAttachments}
	if s.config.Test != nil {
		if err := s.newTestMode(api); err != nil {
			return err
		}
	}
	s.handler = accesslog.Handler(s.routes(api, agents), s.log, s.metrics.observe)
	return nil
}

func (s *Server) newDeskAPI(master []byte) (*deskapi.API, error) {
	tokens, err := seal.NewBox(master, "desk page tokens")
	if err != nil {
		return nil, err
	}
	return deskapi.New(deskapi.Config{
		Desk: s.Desk, Tokens: tokens, RequestsPerSecond: s.config.Limits.DeskRequestsPerSecond,
		Now: s.config.Now, Version: Version(),
	})
}

// watchCases has the desk follow what happens to a case, in the transaction in
// which it happens.
func (s *Server) watchCases(ctx context.Context, tx cases.Tx, change cases.Change) error {
	if err := s.Desk.Watch(ctx, store.DeskTx(tx), change); err != nil {
		return err
	}
	if s.Test != nil {
		s.Test.Observe(change)
	}
	return nil
}

// routes is the list of what this listener answers.
func (s *Server) routes(api, agents http.Handler) http.Handler {
	mux := http.NewServeMux()
	if s.Test != nil {
		api, agents = s.Test.Watch(api), s.Test.Guard(agents)
	}
	mux.Handle("/{$}", api)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.metrics.handler())
	return before("/desk/v1/", agents, mux) // which answers other spellings of its paths itself
}

// before has everything under a path answered by one handler, as it comes: a
// ServeMux would redirect what it takes for another spelling of a path.
func before(path string, under, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path+"/", path) {
			under.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}

// Fresh reports whether Open made a new installation.
func (s *Server) Fresh() bool { return s.fresh }

// Handler returns what the listener answers with.
func (s *Server) Handler() http.Handler { return s.handler }

// Close releases what Open opened.
func (s *Server) Close() error {
	var errs []error
	if s.testing != nil && s.testing.listen != nil {
		if err := s.testing.listen.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.blobs != nil {
		errs = append(errs, s.blobs.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Timeouts of a connection: a client that hangs or trickles is cut off.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = time.Minute
	answerTimeout = 2 * time.Minute
	idleTimeout   = 2 * time.Minute

	// shutdownTimeout is how long running requests may take to finish.
	shutdownTimeout = 20 * time.Second
)

// Serve answers on the listener until ctx ends; then it takes no new request,
// finishes those that run, and returns. It also does the jobs.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:                      s.handler,
		DisableGeneralOptionsHandler: true, // our answers have request ids and records
		ReadHeaderTimeout:            headerTimeout,
		ReadTimeout:                  bodyTimeout,
		WriteTimeout:                 answerTimeout,
		IdleTimeout:                  idleTimeout,
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		s.Jobs.Run(ctx)
	}()
	tested := make(chan struct{})
	go func() {
		defer close(tested)
		s.runTest(ctx)
	}()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		stop()
		<-worked
		<-tested
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(grace)
	<-worked
	<-tested
	if err != nil {
		return fmt.Errorf("requests were still running at the end of the shutdown: %w", errors.Join(err, server.Close()))
	}
	return nil
}

// Listen claims an embedded database for this process and opens the listener
// that the configuration names. Two servers on one embedded store would each
// think that its limits are the only ones; a shared one is for any number.
func (s *Server) Listen() (net.Listener, error) {
	if err := s.checkPurpose(); err != nil {
		return nil, err
	}
	if url := s.config.databaseURL(); !store.IsShared(url) {
		lock, err := lockDatabase(url)
		if err != nil {
			return nil, err
		}
		s.lock = lock
	}
	if err := s.listenTest(); err != nil {
		return nil, err
	}
	return net.Listen("tcp", s.config.Listen)
}

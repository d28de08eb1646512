package conformance_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// nodeVariable makes a process of this test a node: it holds a nodeSetting.
const nodeVariable = "SUPPORTD_CONFORMANCE_NODE"

// nodeSetting is what a node has to know.
type nodeSetting struct {
	Data, Database, Blobs   string
	BlobsKeyID, BlobsSecret string
	CasesPerHour            int
	Limited                 []string // the accounts that CasesPerHour is for; others have no limit
	Seed                    uint64
}

// serveNode is the program with one more kind of jobs. It ends like the program,
// and also with the process that started it, however that one ends.
func serveNode(setting string) error {
	var n nodeSetting
	if err := json.Unmarshal([]byte(setting), &n); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends when nobody holds the other end
		os.Exit(3)
	}()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := server.Open(ctx, n.config())
	if err != nil {
		return err
	}
	addWitness(s, n)
	listener, err := s.Listen()
	if err != nil {
		return errors.Join(err, s.Close())
	}
	fmt.Printf("http://%s\n", listener.Addr())
	return errors.Join(s.Serve(ctx, listener), s.Close())
}

func (n nodeSetting) config() server.Config {
	return server.Config{
		Data: n.Data, Listen: "127.0.0.1:0", Database: n.Database,
		Blobs: n.Blobs, BlobsKeyID: n.BlobsKeyID, BlobsSecret: n.BlobsSecret,
		Limits: server.Limits{CasesPerHour: n.CasesPerHour},
		Log:    slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

// witnessJob is the kind of the job that follows from every new case: its effect
// is one communication of the case, numbered like those of the customer.
const witnessJob = "witness"

// witnessLease is short: jobs are also begun again while their runner is only
// cut off from the database.
const witnessLease = 3 * time.Second

func witnessBody(caseID string) string { return "Witnessed: " + caseID }

func addWitness(s *server.Server, n nodeSetting) {
	s.Cases.Store = witnessedStore{s.Cases.Store, n.Limited}
	w := witness{s.Cases.Store, n.Seed}
	s.Jobs.Lease, s.Jobs.Poll = witnessLease, 200*time.Millisecond
	s.Jobs.Kinds = append(s.Jobs.Kinds, jobs.Kind{
		Name: witnessJob, Handler: w.attend,
		MaxAttempts: 1000, Backoff: 100 * time.Millisecond, MaxBackoff: time.Second,
	})
}

// witnessedStore enqueues a witness in the transaction that inserts a case, and
// keeps the limit of new cases to some accounts.
type witnessedStore struct {
	cases.Store
	limited []string
}

func (s witnessedStore) Update(ctx context.Context, account string, f func(cases.Tx) error) error {
	return s.Store.Update(ctx, account, func(tx cases.Tx) error { return f(witnessedTx{tx, s.limited}) })
}

type witnessedTx struct {
	cases.Tx
	limited []string
}

// Unwrap returns the store's own transaction, which the desk looks for.
func (tx witnessedTx) Unwrap() cases.Tx { return tx.Tx }

func (tx witnessedTx) InsertCase(ctx context.Context, c cases.Case) error {
	if err := tx.Tx.InsertCase(ctx, c); err != nil {
		return err
	}
	_, err := tx.Enqueue(ctx, jobs.Job{Account: c.Account, Kind: witnessJob, Payload: []byte(c.ID)})
	return err
}

func (tx witnessedTx) CountCasesSince(ctx context.Context, account string, since time.Time, most int) (int, error) {
	if !slices.Contains(tx.limited, account) {
		return 0, nil
	}
	return tx.Tx.CountCasesSince(ctx, account, since, most)
}

// witness does the jobs, and often enough not at the first attempt.
type witness struct {
	store cases.Store
	seed  uint64
}

func (w witness) attend(ctx context.Context, job jobs.Job) error {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s %d", job.ID, job.Attempt)
	random := rand.New(rand.NewPCG(w.seed, hash.Sum64()))
	switch random.IntN(16) {
	case 0:
		return errors.New("the witness fails before its transaction, as the test wants it")
	case 1: // slow, and deaf to the end of its context, as a process that was paused
		time.Sleep(time.Duration(random.Int64N(int64(3 * witnessLease / 2))))
		ctx = context.WithoutCancel(ctx)
	case 2:
		time.Sleep(time.Duration(random.Int64N(int64(300 * time.Millisecond))))
	}
	if err := w.testify(ctx, job); err != nil {
		return err
	}
	if random.IntN(8) == 0 {
		return errors.New("the witness fails after its transaction, as the test wants it")
	}
	return nil
}

func (w witness) testify(ctx context.Context, job jobs.Job) error {
	return w.store.Update(ctx, job.Account, func(tx cases.Tx) error {
		c, err := tx.Case(ctx, job.Account, string(job.Payload))
		if err != nil {
			return err
		}
		c.Communications++
		said := cases.Communication{
			Account: c.Account, CaseID: c.ID, Number: c.Communications,
			Body: witnessBody(c.ID), SubmittedBy: "witness", CreatedAt: time.Now().UTC(),
		}
		if err := tx.InsertCommunication(ctx, said); err != nil {
			return err
		}
		if err := tx.UpdateCase(ctx, c); err != nil {
			return err
		}
		return tx.Finish(ctx, job)
	})
}

// node is one place of a process, with one process after the other.
type node struct {
	name    string
	setting nodeSetting
	proxy   *pgtest.Proxy // to the database; nil where there is no network between
	log     *os.File

	mu    sync.Mutex
	life  *life // nil while no process answers
	ready bool  // said so when it was last asked
}

// life is one process of a node.
type life struct {
	url     string
	command *exec.Cmd
	stdin   io.Closer // its end is the end of the process
	first   *os.File  // its standard output
	over    atomic.Bool
	ended   chan struct{}
	err     error // of the process, once it has ended
}

// newNode returns a node without a process. The last one ends with the test.
func newNode(t *testing.T, name string, setting nodeSetting, log string) *node {
	t.Helper()
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{name: name, setting: setting, log: file}
	t.Cleanup(func() {
		n.kill()
		_ = file.Close() // others have read it
	})
	return n
}

// running returns the process that answers, nil when there is none.
func (n *node) running() *life {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.life
}

func (n *node) isReady() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.life != nil && n.ready
}

func (n *node) become(l *life, ready bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.life, n.ready = l, ready
}

// startBound is how long a process may take until it listens.
const startBound = 30 * time.Second

// start starts a process and waits until it listens.
func (n *node) start() error {
	l, err := n.launch()
	if err != nil {
		return err
	}
	if err := l.listen(); err != nil {
		l.kill()
		return fmt.Errorf("%s does not start: %w", n.name, err)
	}
	n.become(l, false)
	return nil
}

func (n *node) launch() (*life, error) {
	setting, err := json.Marshal(n.setting)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	l := &life{command: exec.Command(program), ended: make(chan struct{})}
	l.command.Env = append(os.Environ(), nodeVariable+"="+string(setting))
	l.command.Stderr = n.log
	if l.stdin, err = l.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l.first, l.command.Stdout = out, w
	if err := errors.Join(l.command.Start(), w.Close()); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	go func() {
		l.err = l.command.Wait()
		close(l.ended)
	}()
	return l, nil
}

// listen waits for the line with the address, which is the only one.
func (l *life) listen() error {
	defer l.first.Close()
	if err := l.first.SetReadDeadline(time.Now().Add(startBound)); err != nil {
		return err
	}
	line, err := bufio.NewReader(l.first).ReadString('\n')
	if err != nil {
		return fmt.Errorf("first line %q: %w", line, err)
	}
	l.url = strings.TrimSpace(line)
	return nil
}

// kill ends the process at once, as a power cut would.
func (l *life) kill() {
	l.over.Store(true)
	_ = l.command.Process.Kill() // it may have ended
	<-l.ended
	_ = l.first.Close() // unless listen has
}

func (n *node) kill() {
	if l := n.running(); l != nil {
		l.kill()
		n.become(nil, false)
	}
}

// stopBound is how long a process may take to stop: what the program gives to
// requests and to jobs, and some more.
const stopBound = 45 * time.Second

// stop ends the process as an operator does and returns how it went. Requests
// still go there until it has ended.
func (n *node) stop() error {
	l := n.running()
	if l == nil {
		return nil
	}
	l.over.Store(true)
	defer n.kill()
	if err := l.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-l.ended:
		return l.err
	case <-time.After(stopBound):
		return fmt.Errorf("%s still runs %s after SIGTERM", n.name, stopBound)
	}
}

// checkAlive returns an error when the process has ended by itself.
func (n *node) checkAlive() error {
	l := n.running()
	if l == nil || l.over.Load() {
		return nil
	}
	select {
	case <-l.ended:
		return fmt.Errorf("%s ended by itself: %w", n.name, l.err)
	default:
		return nil
	}
}

// readyBound is how long /readyz may take: five seconds for each of its checks,
// and what a loaded machine adds.
const readyBound = 2*5*time.Second + 5*time.Second

// watch asks a node how it is until ctx ends, for those who choose one.
func (n *node) watch(ctx context.Context, r *record) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		<-tick.C
		l := n.running()
		if l == nil {
			continue
		}
		if status, err := probe(l.url+"/healthz", readyBound); status != http.StatusOK && !l.over.Load() {
			r.fail("%s: /healthz = %d, %v, want 200 while the process lives", n.name, status, err)
			return
		}
		status, err := probe(l.url+"/readyz", readyBound)
		if err != nil && !l.over.Load() {
			r.fail("%s: /readyz: %v, want an answer in %s", n.name, err, readyBound)
			return
		}
		n.note(l, status == http.StatusOK)
	}
}

// note keeps what a process said of itself, if it is still there.
func (n *node) note(l *life, ready bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life == l {
		n.ready = ready
	}
}

// probe asks as a load balancer does, with a connection of its own.
func probe(url string, bound time.Duration) (status int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

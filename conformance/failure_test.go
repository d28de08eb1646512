package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"

	"github.com/supportd/supportd/internal/blob/s3blob/s3test"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

const (
	// failureSeed repeats a run's choices, though not the moments at which the
	// machine came to them.
	failureSeed = "SUPPORTD_FAILURE_SEED"
	// failureDuration is how long things fail, such as 2m. The default keeps CI
	// fast; from 2m on the database also hangs for longer than a request may take.
	failureDuration        = "SUPPORTD_FAILURE_DURATION"
	defaultFailureDuration = 20 * time.Second

	failureCustomers = 12
	casesPerHour     = 5 // of the accounts that have a limit
	calmBound        = 4 * time.Minute
)

// TestThreeNodesKeepWhatTheyAcknowledged has three nodes on one PostgreSQL and
// one bucket serve clients that repeat as SDKs do, while nodes are killed and
// stopped, the database crashes, loses its connections and hangs, and the bucket
// crashes. Then it looks at everything.
func TestThreeNodesKeepWhatTheyAcknowledged(t *testing.T) {
	t.Parallel()
	x := newTrial(t)
	x.database = pgtest.Start(t, pgtest.Options{Durable: true})
	x.bucket = s3test.Start(t)
	url := x.database.CreateDatabase(t)
	setting := nodeSetting{
		Data: filepath.Join(t.TempDir(), "data"), Database: url,
		Blobs: x.bucket.URL(x.bucket.Bucket(t)), BlobsKeyID: x.bucket.AccessKey, BlobsSecret: x.bucket.SecretKey,
	}
	x.prepare(setting, 3)
	for _, n := range x.nodes {
		n.proxy = pgtest.NewProxy(t, url)
		n.setting.Database = n.proxy.URL()
	}
	x.run([]mishap{
		{"node killed", 4, x.killNode},
		{"node stopped", 1, x.stopNode},
		{"database crashed", 1, x.crashDatabase},
		{"connections cut", 1, x.cutConnections},
		{"network cut", 2, x.cutNetwork},
		{"database hung", 1, x.hangDatabase},
		{"bucket crashed", 1, x.crashBucket},
	}, time.Second, x.checkReadiness)
}

// TestEmbeddedNodeKeepsWhatItAcknowledged kills and stops the one node of an
// embedded database again and again, also while it starts.
func TestEmbeddedNodeKeepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	x := newTrial(t)
	data := filepath.Join(t.TempDir(), "data")
	x.prepare(nodeSetting{Data: data, Database: "sqlite://" + filepath.Join(data, "supportd.db")}, 1)
	x.run([]mishap{
		{"node killed", 9, x.killNode},
		{"node stopped", 1, x.stopNode},
	}, 400*time.Millisecond, func() {})
}

// trial is one run: what fails, who uses it meanwhile and what they know.
type trial struct {
	t        *testing.T
	seed     uint64
	duration time.Duration
	random   *rand.Rand // of the mishaps

	setting  nodeSetting
	nodes    []*node
	database *pgtest.Cluster // nil when it is embedded
	bucket   *s3test.Server  // nil when there is none
	hung     *node           // whose database hangs, until then
	until    time.Time
	hanging  *time.Timer
	hangs    int

	meanwhile sync.WaitGroup // those who ask a node whose database hangs

	accounts []accountKey // the first one is busy
	limited  []accountKey // which may have few cases
	watcher  accountKey   // of the test itself
	record   *record

	mu        sync.Mutex
	customers []*customer
}

// mishap is something that goes wrong, times so often in a round of all.
type mishap struct {
	name   string
	times  int
	happen func() (whom string)
}

func newTrial(t *testing.T) *trial {
	t.Helper()
	x := &trial{t: t, seed: uint64(time.Now().UnixNano()), duration: defaultFailureDuration, record: &record{}}
	var err error
	if text := os.Getenv(failureSeed); text != "" {
		if x.seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", failureSeed, err)
		}
	}
	if text := os.Getenv(failureDuration); text != "" {
		if x.duration, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", failureDuration, err)
		}
	}
	t.Logf("repeat with %s=%d %s=%s", failureSeed, x.seed, failureDuration, x.duration)
	x.random = rand.New(rand.NewPCG(x.seed, 0))
	return x
}

// prepare makes the accounts and places for nodes.
func (x *trial) prepare(setting nodeSetting, nodes int) {
	x.t.Helper()
	s, err := server.Open(x.t.Context(), setting.config())
	if err != nil {
		x.t.Fatal(err)
	}
	x.watcher = mustAccount(x.t, s, 0)
	for i := range 4 {
		x.accounts = append(x.accounts, mustAccount(x.t, s, 100+i))
	}
	for i := range min(200, 20+2*int(x.duration.Seconds())) {
		x.limited = append(x.limited, mustAccount(x.t, s, 1000+i))
		setting.Limited = append(setting.Limited, x.limited[i].account)
	}
	if err := s.Close(); err != nil {
		x.t.Fatal(err)
	}
	setting.CasesPerHour, setting.Seed = casesPerHour, x.seed
	x.setting = setting
	logs := x.t.TempDir()
	for i := range nodes {
		name := fmt.Sprintf("node-%d", i+1)
		x.nodes = append(x.nodes, newNode(x.t, name, setting, filepath.Join(logs, name+".log")))
	}
	x.t.Cleanup(x.checkLogs)
}

func mustAccount(t *testing.T, s *server.Server, number int) accountKey {
	t.Helper()
	a := iam.Account{ID: fmt.Sprintf("%012d", 300_000_000_000+number), Name: "Customer", Email: "customer@example.com", Plan: "enterprise"}
	if _, err := s.IAM.CreateAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	key, err := s.IAM.CreateKey(t.Context(), a.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	return accountKey{a.ID, credentials{id: key.ID, secret: key.Secret}}
}

// checkLogs looks for what no answer tells.
func (x *trial) checkLogs() {
	for _, n := range x.nodes {
		text, err := os.ReadFile(n.log.Name())
		if err != nil {
			x.t.Error(err)
			continue
		}
		for _, bad := range []string{"WARNING: DATA RACE", "panic", "goroutine "} {
			if i := bytes.Index(text, []byte(bad)); i >= 0 {
				x.t.Errorf("%s logged %q: %.3000s", n.name, bad, text[i:])
			}
		}
		if x.t.Failed() {
			x.t.Logf("the end of the log of %s:\n%s", n.name, text[max(0, len(text)-3000):])
		}
	}
}

// run has customers work while mishaps happen, at most a pause apart; then it
// calls calmer, while they go on, and looks at what is there in the end.
func (x *trial) run(mishaps []mishap, pause time.Duration, calmer func()) {
	ctx, cancel := context.WithTimeout(x.t.Context(), x.duration+calmBound)
	defer cancel()
	for _, n := range x.nodes {
		x.mustStart(n)
	}
	var watching, working sync.WaitGroup
	defer watching.Wait()
	watch, unwatch := context.WithCancel(ctx)
	defer unwatch()
	for _, n := range x.nodes {
		watching.Go(func() { n.watch(watch, x.record) })
	}
	done := make(chan struct{})
	for i := range failureCustomers {
		who := x.accounts[max(0, i-failureCustomers/2)%len(x.accounts)]
		c := x.newCustomer(fmt.Sprintf("customer %d", i), who)
		working.Go(func() { c.run(ctx, done) })
	}
	working.Go(func() { x.exhaustLimits(ctx, done) })

	x.fail(ctx, mishaps, pause)
	x.heal()
	x.meanwhile.Wait()
	if len(x.record.failed()) == 0 {
		calmer()
	}
	close(done)
	working.Wait()
	if x.gaveUp() {
		return
	}
	x.restartAll() // so that no request of theirs is left
	x.report()
	for _, look := range []func(context.Context){x.repeatKept, x.waitForJobs, x.checkAll} {
		look(ctx)
	}
	x.gaveUp()
	unwatch()
	for _, n := range x.nodes {
		if err := n.stop(); err != nil {
			x.t.Errorf("%s ended with %v, want nil", n.name, err)
		}
	}
}

// gaveUp reports whether something was wrong, and tells what.
func (x *trial) gaveUp() bool {
	for _, text := range x.record.failed() {
		x.t.Error(text)
	}
	return x.t.Failed()
}

func (x *trial) newCustomer(name string, who accountKey) *customer {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := newCustomer(name, who, x.nodes, x.record, x.seed, len(x.customers)+1)
	x.customers = append(x.customers, c)
	return c
}

// exhaustLimits has several clients create cases in one limited account after
// the other, at once, until one is refused.
func (x *trial) exhaustLimits(ctx context.Context, done <-chan struct{}) {
	for _, who := range x.limited {
		select {
		case <-done:
			return
		default:
		}
		var all []*customer
		for i := range casesPerHour + 3 {
			all = append(all, x.newCustomer(fmt.Sprintf("customer %d of %s", i, who.account), who))
		}
		for range 10 {
			var asking sync.WaitGroup
			for _, c := range all {
				asking.Go(func() {
					if err := c.create(ctx, false); err != nil {
						x.record.fail("%s: CreateCase = %v", c.name, err)
					}
				})
			}
			asking.Wait()
			if slices.ContainsFunc(all, func(c *customer) bool { return c.refused > 0 }) {
				break
			}
		}
	}
}

// fail lets things happen, in rounds in which each happens as often as it
// should, until the time is over or somebody found something.
func (x *trial) fail(ctx context.Context, mishaps []mishap, pause time.Duration) {
	happened := map[string]int{}
	var round []mishap
	began := time.Now()
	for end := began.Add(x.duration); time.Now().Before(end) && ctx.Err() == nil && len(x.record.failed()) == 0; {
		if len(round) == 0 {
			round = x.newRound(mishaps)
		}
		<-time.After(between(x.random, 0, pause)) // the moment is what the test is about
		if x.hung != nil && time.Now().After(x.until) {
			x.resume()
		}
		at := time.Now()
		whom := round[0].happen()
		x.t.Logf("after %6.2fs for %5.2fs: %s %s", at.Sub(began).Seconds(), time.Since(at).Seconds(), round[0].name, whom)
		happened[round[0].name]++
		round = round[1:]
		for _, n := range x.nodes {
			if err := n.checkAlive(); err != nil {
				x.record.fail("%v", err)
			}
		}
	}
	x.t.Logf("what happened: %v", happened)
}

func (x *trial) newRound(mishaps []mishap) (round []mishap) {
	for _, m := range mishaps {
		for range m.times {
			round = append(round, m)
		}
	}
	x.random.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
	return round
}

// victim returns a node that nothing else is wrong with.
func (x *trial) victim() *node {
	sound := slices.DeleteFunc(slices.Clone(x.nodes), func(n *node) bool { return n == x.hung })
	return sound[x.random.IntN(len(sound))]
}

// killNode kills a node, now and then also while it starts.
func (x *trial) killNode() string {
	n, also := x.victim(), ""
	n.kill()
	if x.random.IntN(6) == 0 {
		l, err := n.launch()
		if err != nil {
			x.t.Fatal(err)
		}
		<-time.After(between(x.random, 0, 300*time.Millisecond))
		l.kill()
		also = ", also while it started"
	}
	x.mustStart(n)
	return n.name + also
}

func (x *trial) stopNode() string {
	n := x.victim()
	// Behind a node that hangs a request may wait for longer than a stop does.
	if err := n.stop(); err != nil && x.hung == nil {
		x.record.fail("%s ended with %v after SIGTERM, want nil", n.name, err)
	}
	x.mustStart(n)
	return n.name
}

func (x *trial) crashDatabase() string {
	x.database.Stop(x.t, pgtest.Immediate)
	<-time.After(between(x.random, 0, time.Second))
	x.database.StartAgain(x.t)
	return ""
}

// cutConnections has the database end all connections. Unlike pgtest's it does
// not wait for the end of each, so they end at once.
func (x *trial) cutConnections() string {
	cut := pgtest.Query[bool](x.t, x.setting.Database, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE pid <> pg_backend_pid() AND datname = current_database()`)
	return strconv.Itoa(len(cut))
}

// cutNetwork ends the connections of a node a few times, without a word of the
// database: some of its commits succeed and their answers are lost.
func (x *trial) cutNetwork() string {
	n, cut := x.victim(), 0
	for range 5 {
		cut += n.proxy.Cut()
		<-time.After(between(x.random, 0, 50*time.Millisecond))
	}
	return fmt.Sprintf("of %s: %d connections", n.name, cut)
}

// hangDatabase takes the network between a node and the database away for a
// while, in which other things happen; now and then for a long while.
func (x *trial) hangDatabase() string {
	if x.hung != nil {
		return "still"
	}
	x.hung = x.victim()
	pause := between(x.random, time.Second, 4*time.Second)
	if x.hangs%6 == 0 {
		pause = max(pause, min(x.duration/3, 40*time.Second))
	}
	x.hangs++
	x.hung.proxy.Hang()
	x.hanging = time.AfterFunc(pause, x.hung.proxy.Resume)
	x.until = time.Now().Add(pause)
	if l := x.hung.running(); pause > hungBound {
		x.meanwhile.Go(func() { x.checkEnds(l) })
	}
	return fmt.Sprintf("of %s for %.2fs", x.hung.name, pause.Seconds())
}

// hungBound is how long a request may take at a node that does not hear from its
// database: what supportapi gives the store, and some more.
const hungBound = 30*time.Second + 5*time.Second

// checkEnds asks a node whose database hangs for longer than that.
func (x *trial) checkEnds(l *life) {
	api := newClient(x.watcher, l.url, http.DefaultClient, 1)
	began := time.Now()
	_, err := api.DescribeSeverityLevels(x.t.Context(), &support.DescribeSeverityLevelsInput{})
	took := time.Since(began)
	x.t.Logf("a request without the database ended after %.2fs: %v", took.Seconds(), err)
	if took > hungBound {
		x.record.fail("a request without the database took %s, want an end in %s", took, hungBound)
	}
}

func (x *trial) resume() {
	if x.hung != nil {
		x.hanging.Stop()
		x.hung.proxy.Resume()
		x.hung = nil
	}
}

// crashBucket also kills a node, which may have bytes that it could not store.
func (x *trial) crashBucket() string {
	n := x.victim()
	x.bucket.Kill()
	<-time.After(between(x.random, 0, time.Second))
	n.kill()
	x.bucket.Restart(x.t)
	x.mustStart(n)
	return "and " + n.name
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

func (x *trial) mustStart(n *node) {
	x.t.Helper()
	if err := n.start(); err != nil {
		x.checkLogs()
		x.t.Fatal(err)
	}
}

const (
	// unreadyBound is how long it may take until /readyz says that something is
	// missing: the five seconds that it waits, and some more for a loaded machine.
	unreadyBound = 5*time.Second + 4*time.Second
	// recoveryBound is how long after its return a node may still miss it.
	recoveryBound = 15 * time.Second
)

// heal ends what is wrong, and waits until all nodes say that they are ready.
func (x *trial) heal() {
	x.resume()
	for _, n := range x.nodes {
		x.mustBecomeReady(n)
	}
}

func (x *trial) mustBecomeReady(n *node) {
	x.t.Helper()
	began := time.Now()
	for tick := time.Tick(50 * time.Millisecond); ; <-tick {
		status, err := probe(n.running().url+"/readyz", readyBound)
		switch took := time.Since(began); {
		case status == http.StatusOK && took <= recoveryBound:
			return
		case took > recoveryBound:
			x.t.Errorf("%s: /readyz = %d, %v after %s, want 200 in %s", n.name, status, err, took, recoveryBound)
			return
		}
	}
}

// checkReadiness takes the database away, and then the bucket, and looks at
// what each node says of itself.
func (x *trial) checkReadiness() {
	x.t.Helper()
	x.checkReadinessWithout("the database", func() { x.database.Stop(x.t, pgtest.Immediate) }, func() { x.database.StartAgain(x.t) })
	x.checkReadinessWithout("the bucket", x.bucket.Kill, func() { x.bucket.Restart(x.t) })
}

func (x *trial) checkReadinessWithout(what string, stop, start func()) {
	x.t.Helper()
	stop()
	<-time.After(200 * time.Millisecond) // for a check that was about to succeed
	var asking sync.WaitGroup
	for _, n := range x.nodes {
		asking.Go(func() {
			began := time.Now()
			status, err := probe(n.running().url+"/readyz", readyBound)
			took := time.Since(began)
			if status != http.StatusServiceUnavailable || took > unreadyBound {
				x.record.fail("%s without %s: /readyz = %d, %v after %s, want 503 in %s", n.name, what, status, err, took, unreadyBound)
			}
			x.t.Logf("%s without %s: /readyz = %d after %.2fs", n.name, what, status, took.Seconds())
			if status, err := probe(n.running().url+"/healthz", readyBound); status != http.StatusOK {
				x.record.fail("%s without %s: /healthz = %d, %v, want 200", n.name, what, status, err)
			}
		})
	}
	asking.Wait()
	start()
	began := time.Now()
	for _, n := range x.nodes {
		asking.Go(func() {
			x.mustBecomeReady(n)
			x.t.Logf("%s is ready %.2fs after %s came back", n.name, time.Since(began).Seconds(), what)
			x.checkTakesWrite(n, what)
		})
	}
	asking.Wait()
}

// checkTakesWrite makes one write, with a file, that is not repeated.
func (x *trial) checkTakesWrite(n *node, what string) {
	api := newClient(x.watcher, n.running().url, http.DefaultClient, 1)
	set, err := api.AddAttachmentsToSet(x.t.Context(), &support.AddAttachmentsToSetInput{
		Attachments: []types.Attachment{{FileName: aws.String("a"), Data: []byte("a")}},
	})
	if err == nil {
		_, err = api.CreateCase(x.t.Context(), &support.CreateCaseInput{
			Subject: aws.String("Ready"), CommunicationBody: aws.String("Ready"), AttachmentSetId: set.AttachmentSetId,
		})
	}
	if err != nil {
		x.record.fail("%s says that it is ready after %s came back, but a write = %v", n.name, what, err)
	}
}

// restartAll stops each node in order and starts it again.
func (x *trial) restartAll() {
	x.t.Helper()
	for _, n := range x.nodes {
		if err := n.stop(); err != nil {
			x.t.Errorf("%s ended with %v after SIGTERM, want nil", n.name, err)
		}
		x.mustStart(n)
	}
}

// report logs the size of the run.
func (x *trial) report() {
	calls, doubts, late, limits, asked := 0, 0, 0, 0, map[outcome]int{}
	for _, c := range x.customers {
		calls, doubts, late, limits = calls+c.calls, doubts+c.doubts, late+c.late, limits+c.refused
		for _, k := range c.cases {
			for _, one := range k.communications {
				asked[one.outcome]++
			}
		}
	}
	x.t.Logf("%d calls: %d communications acknowledged, %d in doubt, %d refused by limits; %d calls given up, %d of them after %s",
		calls, asked[acknowledged], asked[inDoubt], limits, doubts, late, operationBound)
	r := x.record
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Sorted(slices.Values(r.answered))
	if len(all) == 0 {
		return
	}
	at := func(part float64) time.Duration {
		return all[int(part*float64(len(all)-1))].Round(100 * time.Microsecond)
	}
	x.t.Logf("%d attempts: median %s, 95%% %s, 99%% %s, 99.9%% %s, longest %s; not 200: %v; cut off %d, answers lost %d, repeated %d",
		len(all), at(.5), at(.95), at(.99), at(.999), at(1), r.refused, r.cut, r.lost, r.repeated)
}

// repeatKept sends acknowledged writes again, as they were: each node gives the
// first answer.
func (x *trial) repeatKept(ctx context.Context) {
	x.t.Helper()
	n := 0
	for _, c := range x.customers {
		for _, e := range c.kept {
			at := x.nodes[n%len(x.nodes)]
			n++
			got, err := call(ctx, at.running().url, c.who.credentials, e.operation, e.invocation, e.body)
			if err != nil || !bytes.Equal(got.body, e.answer) {
				x.t.Errorf("%s again, on %s = %d %s, %v, want the first answer %s", e.operation, at.name, got.status, got.body, err, e.answer)
			}
		}
	}
	x.t.Logf("%d writes repeated at the end", n)
}

// waitForJobs waits until every witness has testified.
func (x *trial) waitForJobs(ctx context.Context) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s, err := store.Open(ctx, x.setting.Database)
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			x.t.Error(err)
		}
	}()
	var left []jobs.Job
	for tick := time.Tick(100 * time.Millisecond); ; <-tick {
		err := s.Jobs().View(ctx, func(tx jobs.Tx) error {
			found, err := tx.Jobs(ctx, jobs.Filter{Kind: witnessJob}, 3)
			if err == nil {
				left = found
			}
			return err
		})
		if err != nil || slices.ContainsFunc(left, func(j jobs.Job) bool { return j.State == jobs.Dead }) {
			x.t.Fatalf("jobs left: %+v, %v, want none in a minute and none that is dead", left, err)
		}
		if len(left) == 0 {
			return
		}
	}
}

// checkAll compares everything that the API shows with what was asked for.
func (x *trial) checkAll(ctx context.Context) {
	x.t.Helper()
	byAccount := map[accountKey][]*customer{}
	for _, c := range x.customers {
		byAccount[c.who] = append(byAccount[c.who], c)
	}
	n := 0
	for who, all := range byAccount {
		at := x.nodes[n%len(x.nodes)]
		n++
		api := newClient(who, at.running().url, &http.Client{Transport: newTransport()}, 3)
		x.checkAccount(ctx, api, who, all)
	}
}

func (x *trial) checkAccount(ctx context.Context, api *support.Client, who accountKey, all []*customer) {
	x.t.Helper()
	asked, limited := map[string]*askedCase{}, false
	for _, c := range all {
		limited = limited || c.refused > 0
		for _, k := range c.cases {
			asked[k.communications[0].body] = k
		}
	}
	found, err := seeCases(ctx, api)
	if err != nil {
		x.t.Fatalf("DescribeCases of %s: %v", who.account, err)
	}
	if limited && len(found) != casesPerHour {
		x.t.Errorf("account %s has %d cases, want %d: more were refused", who.account, len(found), casesPerHour)
	}
	var checking sync.WaitGroup
	places := make(chan struct{}, 4)
	for _, details := range found {
		subject := *details.Subject
		k, known := asked[subject]
		if !known {
			x.t.Errorf("case %s has subject %q, which nobody sent or which is there twice", *details.CaseId, subject)
			continue
		}
		delete(asked, subject)
		checking.Go(func() {
			places <- struct{}{}
			x.checkCase(ctx, api, k, details)
			<-places
		})
	}
	checking.Wait()
	for subject, k := range asked {
		if k.communications[0].outcome == acknowledged {
			x.t.Errorf("case %q was acknowledged as %s and is not there", subject, k.id)
		}
	}
}

func seeCases(ctx context.Context, api *support.Client) (all []types.CaseDetails, err error) {
	pages := support.NewDescribeCasesPaginator(api, &support.DescribeCasesInput{IncludeResolvedCases: true, MaxResults: aws.Int32(40)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Cases...)
	}
	return all, nil
}

func (x *trial) checkCase(ctx context.Context, api *support.Client, k *askedCase, details types.CaseDetails) {
	x.t.Helper()
	id := *details.CaseId
	if got := k.communications[0].outcome; got == refused || got == acknowledged && k.id != id {
		x.t.Errorf("case %s is there, want none that was refused, and the acknowledged %q", id, k.id)
	}
	seen := seenCase{CaseDetails: details}
	var err error
	if seen.all, err = seeCommunications(ctx, api, id); err != nil {
		x.t.Errorf("DescribeCommunications(%s) = %v", id, err)
		return
	}
	witnessed := slices.ContainsFunc(seen.all, func(c types.Communication) bool { return *c.Body == witnessBody(id) })
	if !witnessed {
		x.t.Errorf("case %s has no witness: a job was lost", id)
	}
	wrong := append(k.compare(seen), seen.compareRecent(), k.compareFiles(ctx, api, seen))
	if err := errors.Join(wrong...); err != nil {
		x.t.Error(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

package store_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// clients send requests, each with a key and until it is answered, as SDKs do.
// Several of them share an account, and so their commits.
type clients struct {
	store    *store.Store
	running  sync.WaitGroup
	stop     chan struct{}
	sent     atomic.Int64 // requests that were answered
	read     atomic.Int64 // views that succeeded
	versions atomic.Int64 // versions that were read

	mu      sync.Mutex
	answers map[string]string // by request: the id of the case that it made
	unclear []error           // of updates
	unread  []error           // of views
	unknown []error           // of reads of the version
}

// mustStartClients starts writers and readers on a store.
func mustStartClients(t *testing.T, s *store.Store) *clients {
	t.Helper()
	c := &clients{store: s, stop: make(chan struct{}), answers: map[string]string{}}
	for i := range 8 {
		c.running.Go(func() {
			c.repeatedly(t, func(n int) { c.request(t, fmt.Sprintf("%012d", i%3), fmt.Sprintf("%d-%d", i, n)) })
		})
	}
	for range 3 {
		c.running.Go(func() {
			c.repeatedly(t, func(int) {
				err := s.Cases().View(t.Context(), func(tx cases.Tx) error {
					_, err := tx.CasesPage(t.Context(), account, cases.PageQuery{}, 10)
					return err
				})
				c.count(&c.read, &c.unread, err)
			})
		})
		c.running.Go(func() {
			c.repeatedly(t, func(int) {
				_, err := s.IAM().IAMVersion(t.Context())
				c.count(&c.versions, &c.unknown, err)
			})
		})
	}
	return c
}

func (c *clients) repeatedly(t *testing.T, f func(n int)) {
	for n := 0; ; n++ {
		select {
		case <-c.stop:
			return
		case <-t.Context().Done():
			return
		default:
			f(n)
		}
	}
}

func (c *clients) count(done *atomic.Int64, failures *[]error, err error) {
	if err == nil {
		done.Add(1)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	*failures = append(*failures, err)
}

// request makes one case, however often it has to ask for it.
func (c *clients) request(t *testing.T, account, name string) {
	key := cases.RequestKey{}
	copy(key[:], name)
	for attempt := range 100 {
		made := fmt.Sprintf("%s/%d", name, attempt)
		var kept []byte
		err := c.store.Cases().Update(t.Context(), account, func(tx cases.Tx) (err error) {
			if kept, err = tx.Answer(t.Context(), account, key); kept != nil || err != nil {
				return err
			}
			one := newCase(made)
			one.Account = account
			kept = []byte(made)
			return errors.Join(tx.InsertCase(t.Context(), one), tx.InsertAnswer(t.Context(), account, key, kept, time.UnixMicro(1)))
		})
		c.count(&c.sent, &c.unclear, err)
		if err == nil {
			c.mu.Lock()
			c.answers[name] = string(kept)
			c.mu.Unlock()
			return
		}
	}
	t.Errorf("request %s had no answer in 100 attempts", name)
}

// mustProgress waits until so many more requests were answered, and as many
// reads.
func (c *clients) mustProgress(t *testing.T, n int64) {
	t.Helper()
	sent, read, versions := c.sent.Load()+n, c.read.Load()+n, c.versions.Load()+n
	for deadline := time.Now().Add(time.Minute); c.sent.Load() < sent || c.read.Load() < read || c.versions.Load() < versions; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no progress in a minute: %d requests, %d views, %d versions", c.sent.Load(), c.read.Load(), c.versions.Load())
		}
	}
}

func (c *clients) finish() {
	close(c.stop)
	c.running.Wait()
}

// wantEachOnce expects that every request which was answered made the case that
// it was told, and no other.
func (c *clients) wantEachOnce(t *testing.T, url string) {
	t.Helper()
	made := map[string]string{}
	for _, id := range pgtest.Query[string](t, url, `SELECT id FROM cases`) {
		name, _, _ := strings.Cut(id, "/")
		if other, twice := made[name]; twice {
			t.Errorf("request %s made the cases %s and %s", name, other, id)
		}
		made[name] = id
	}
	if diff := cmp.Diff(c.answers, made); diff != "" {
		t.Errorf("cases by request (-answered +there):\n%s", diff)
	}
}

// wantPlainReads expects that no reader of the version noticed anything.
func (c *clients) wantPlainReads(t *testing.T) {
	t.Helper()
	if len(c.unknown) > 0 {
		t.Errorf("%d of %d reads of the version failed, want none; the first: %v", len(c.unknown), c.versions.Load(), c.unknown[0])
	}
	t.Logf("%d requests, %d unclear; %d views, %d failed; %d versions",
		c.sent.Load(), len(c.unclear), c.read.Load(), len(c.unread), c.versions.Load())
}

// patience is how long a store that cannot reach its database tries again.
const patience = 5 * time.Second

func TestWhatACrashedPostgresAcknowledgedIsThereOnce(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Durable: true})
	url := server.CreateDatabase(t)
	c := mustStartClients(t, mustOpenURL(t, url))
	const crashes = 2
	var away time.Duration
	for range crashes {
		c.mustProgress(t, 30)
		away = max(away, server.Restart(t, pgtest.Immediate))
	}
	c.mustProgress(t, 30)
	c.finish()
	c.wantEachOnce(t, url)
	if away < patience {
		c.wantPlainReads(t)
	} else {
		t.Logf("the server was away for %v: too long for readers to wait", away)
	}
	// What a crash interrupts is one commit of each account and what each reader reads.
	if len(c.unclear) > crashes*8 || len(c.unread) > crashes*3 {
		t.Errorf("%d crashes broke %d updates and %d views, want less", crashes, len(c.unclear), len(c.unread))
	}
}

func TestBrokenConnectionsBreakOnlyWhatIsUnclear(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	c := mustStartClients(t, mustOpenURL(t, url))
	const cuts = 20
	for range cuts {
		c.mustProgress(t, 20)
		// Without waiting for their end, which others may see before we do.
		pgtest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()`)
	}
	c.mustProgress(t, 20)
	c.finish()
	c.wantEachOnce(t, url)
	c.wantPlainReads(t)
	if len(c.unclear) > cuts*8 || len(c.unread) > cuts*3 {
		t.Errorf("%d cuts broke %d updates and %d views, want less", cuts, len(c.unclear), len(c.unread))
	}
}

// Nobody sees that all connections of the pool, which are idle, are broken.
func TestIdleConnectionsThatBrokeAreNotSeen(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Durable: true})
	s := mustOpenURL(t, server.CreateDatabase(t))
	breaks := map[string]func(){
		"crash":   func() { server.Restart(t, pgtest.Immediate) },
		"restart": func() { server.Restart(t, pgtest.Fast) },
		"cut":     func() { server.CutConnections(t) },
	}
	for name, brk := range breaks {
		calls := map[string]func(i int) error{
			"View":       func(int) error { return viewNothing(t.Context(), s, func() {}) },
			"IAMVersion": func(int) error { _, err := s.IAM().IAMVersion(t.Context()); return err },
			"Update":     func(i int) error { return insertFor(t.Context(), s, strconv.Itoa(i%3), fmt.Sprintf("%s %d", name, i)) },
			"Check":      func(int) error { return s.Check(t.Context()) },
		}
		mustFillPool(t, s)
		brk()
		var wg sync.WaitGroup
		for call, f := range calls {
			for i := range 8 {
				wg.Go(func() {
					if err := f(i); err != nil {
						t.Errorf("%s after a %s = %v, want nil", call, name, err)
					}
				})
			}
		}
		wg.Wait()
	}
}

// poolSize is how many connections a store opens unless its URL says otherwise.
const poolSize = 16

// mustFillPool makes the store open all of its connections.
func mustFillPool(t *testing.T, s *store.Store) {
	t.Helper()
	var inside, done sync.WaitGroup
	inside.Add(poolSize)
	for range poolSize {
		done.Go(func() {
			there := sync.OnceFunc(inside.Done)
			defer there() // whatever goes wrong
			err := viewNothing(t.Context(), s, func() {
				there()
				inside.Wait()
			})
			if err != nil {
				t.Errorf("View() = %v, want nil", err)
			}
		})
	}
	done.Wait()
}

// viewNothing reads once, and then runs f within the view.
func viewNothing(ctx context.Context, s *store.Store, f func()) error {
	return s.Cases().View(ctx, func(tx cases.Tx) error {
		_, err := tx.CasesByID(ctx, account, []string{"no"})
		f()
		return err
	})
}

func insertFor(ctx context.Context, s *store.Store, account, id string) error {
	c := newCase(id)
	c.Account = account
	return s.Cases().Update(ctx, account, func(tx cases.Tx) error { return tx.InsertCase(ctx, c) })
}

// A server that stands still holds up nobody longer than they wanted to wait,
// or an update may take, and afterwards all is well.
func TestAHangingPostgresHoldsUpNobodyForLong(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	proxy := pgtest.NewProxy(t, url)
	s := mustOpenURL(t, proxy.URL())
	s.SetUpdateTimeout(500 * time.Millisecond)
	mustFillPool(t, s)
	mustInsert(t, s, "before")
	const bound = 10 * time.Second // of a loaded machine
	for round := range 2 {
		proxy.Hang()
		calls := map[string]func(ctx context.Context) error{
			"View":          func(ctx context.Context) error { return viewNothing(ctx, s, func() {}) },
			"IAMVersion":    func(ctx context.Context) error { _, err := s.IAM().IAMVersion(ctx); return err },
			"Setting":       func(ctx context.Context) error { _, err := s.Setting(ctx, "x"); return err },
			"Update":        func(ctx context.Context) error { return insertFor(ctx, s, account, fmt.Sprintf("hanging %d", round)) },
			"another's":     func(ctx context.Context) error { return insertFor(ctx, s, "other", fmt.Sprintf("hanging %d", round)) },
			"patient":       func(context.Context) error { return insertFor(t.Context(), s, "patient", fmt.Sprint(round)) },
			"Check":         func(ctx context.Context) error { return s.Check(ctx) },
			"patient Check": func(context.Context) error { return s.Check(t.Context()) },
		}
		var wg sync.WaitGroup
		began := time.Now()
		for name, call := range calls {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s while the server hangs = %v, want %v", name, err, context.DeadlineExceeded)
				}
				if took := time.Since(began); took > bound {
					t.Errorf("%s while the server hangs takes %s", name, took)
				}
			})
		}
		wg.Wait()
		proxy.Resume()
		// One that was taken over may have to time out first.
		mustEventually(t, "Update() after the server hung", func() error {
			return insert(t.Context(), s, fmt.Sprintf("after %d %d", round, time.Now().UnixNano()))
		})
		mustFillPool(t, s)
		if _, err := s.IAM().IAMVersion(t.Context()); err != nil {
			t.Errorf("IAMVersion() after the server hung = %v, want nil", err)
		}
		if !has(t, s, "before") {
			t.Errorf("what was committed before the server hung is not there")
		}
	}
}

// mustEventually calls f until it succeeds.
func mustEventually(t *testing.T, call string, f func() error) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s = %v, want nil at last", call, err)
		}
	}
}

// mustRefuse makes the database refuse the first inserts of cases named by id,
// each with the SQLSTATE, at once or when they are committed.
func mustRefuse(t *testing.T, url, state string, times int, when string) {
	t.Helper()
	pgtest.Exec(t, url, fmt.Sprintf(`
		CREATE SEQUENCE refusals;
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF nextval('refusals') <= %d THEN RAISE EXCEPTION 'refused' USING ERRCODE = '%s'; END IF;
			RETURN NEW;
		END $$;
		CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON cases %s FOR EACH ROW EXECUTE FUNCTION refuse()`, times, state, when))
}

func TestConflictsAreTriedAgain(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]string{"serialization failure": "40001", "deadlock": "40P01", "lock timeout": "55P03"} {
		for _, when := range []string{"NOT DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				url := pgtest.Database(t)
				s := mustOpenURL(t, url)
				mustRefuse(t, url, state, 3, when)
				runs := 0
				err := s.Cases().Update(t.Context(), account, func(tx cases.Tx) error {
					runs++
					return tx.InsertCase(t.Context(), newCase("a"))
				})
				if err != nil || runs != 4 {
					t.Errorf("Update() = %v after %d attempts, want nil after 4", err, runs)
				}
				if !has(t, s, "a") {
					t.Errorf("case a is not there")
				}
			})
		}
	}
}

func TestARealDeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := mustOpenURL(t, url+"&deadlock_timeout=50ms")
	mustInsert(t, s, "a")
	mustInsert(t, s, "b")
	other, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	exec := func(text string) {
		t.Helper()
		if _, err := other.Exec(t.Context(), text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	exec(`SET deadlock_timeout = '1h'`) // it is the store that notices
	exec(`BEGIN`)
	exec(`UPDATE cases SET subject = 'other' WHERE id = 'b'`)
	changed, goOn := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	var runs atomic.Int64
	go func() {
		done <- s.Cases().Update(t.Context(), account, func(tx cases.Tx) error {
			for _, id := range []string{"a", "b"} {
				c, err := tx.Case(t.Context(), account, id)
				if err != nil {
					return err
				}
				c.Communications++
				if err := tx.UpdateCase(t.Context(), c); err != nil {
					return err
				}
				if _, err := tx.Case(t.Context(), account, id); err != nil { // at the latest now the change is made
					return err
				}
				if id == "a" && runs.Add(1) == 1 {
					close(changed)
					<-goOn
				}
			}
			return nil
		})
	}()
	<-changed
	var waits sync.WaitGroup
	waits.Go(func() { exec(`UPDATE cases SET subject = 'other' WHERE id = 'a'; COMMIT`) })
	mustEventually(t, "waiting for the update", func() error { return waitsForALock(t, url) })
	close(goOn) // and the update is going to wait for the other
	waits.Wait()
	if err := <-done; err != nil || runs.Load() < 2 {
		t.Errorf("Update() in a deadlock = %v after %d attempts, want nil after more than one", err, runs.Load())
	}
	found := pgtest.Query[string](t, url, `SELECT communications || ' ' || subject FROM cases ORDER BY id`)
	if diff := cmp.Diff([]string{"1 other", "1 other"}, found); diff != "" {
		t.Errorf("cases after a deadlock (-want +got):\n%s", diff)
	}
}

// A connection that ends after COMMIT was sent leaves open what became of it:
// doing the update again could do it twice.
func TestAnUnclearCommitIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := mustOpenURL(t, url)
	pgtest.Exec(t, url, `
		CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			PERFORM pg_terminate_backend(pg_backend_pid());
			RETURN NEW;
		END $$;
		CREATE CONSTRAINT TRIGGER leave AFTER INSERT ON cases DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW WHEN (NEW.id LIKE 'unclear%') EXECUTE FUNCTION leave()`)
	for _, id := range []string{"unclear 1", "unclear 2"} {
		runs := 0
		err := s.Cases().Update(t.Context(), account, func(tx cases.Tx) error {
			runs++
			return tx.InsertCase(t.Context(), newCase(id))
		})
		if err == nil || runs != 1 {
			t.Errorf("Update() whose COMMIT got no answer = %v after %d attempts, want an error after 1", err, runs)
		}
		mustInsert(t, s, "after "+id)
	}
}

// mustHold takes the lock of an account until release, as another node does.
func mustHold(t *testing.T, url, account string) (release func()) {
	t.Helper()
	other, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close(context.Background()) }) // with what it holds
	for _, text := range []string{"BEGIN", "SELECT name FROM update_locks WHERE name = '" + account + "' FOR UPDATE"} {
		if _, err := other.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		if _, err := other.Exec(t.Context(), "COMMIT"); err != nil {
			t.Error(err)
		}
	}
}

// waitsForALock returns nil when some connection to the database does.
func waitsForALock(t *testing.T, url string) error {
	t.Helper()
	if len(pgtest.Query[int](t, url, `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)) == 0 {
		return errors.New("nobody waits")
	}
	return nil
}

// An update that meets a conflict takes those with it that share its commit, and
// all of them are tried again.
func TestConflictsAmongOthersAreTriedAgain(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]string{"serialization failure": "40001", "lock timeout": "55P03"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Database(t)
			s := mustOpenURL(t, url)
			mustInsert(t, s, "first") // makes the lock
			mustRefuse(t, url, state, 3, "NOT DEFERRABLE")
			release := mustHold(t, url, account)
			var wg sync.WaitGroup
			for i := range 4 { // the first one has its turn, the others are a batch after it
				wg.Go(func() {
					if err := insert(t.Context(), s, fmt.Sprint(i)); err != nil {
						t.Errorf("Update() among others = %v, want nil", err)
					}
				})
				if i == 0 {
					mustEventually(t, "waiting for the account", func() error { return waitsForALock(t, url) })
				}
			}
			mustEventually(t, "a batch", func() error {
				if n := s.Waiting(account); n != 3 {
					return fmt.Errorf("%d updates wait", n)
				}
				return nil
			})
			release()
			wg.Wait()
			for i := range 4 {
				if !has(t, s, fmt.Sprint(i)) {
					t.Errorf("case %d is not there", i)
				}
			}
		})
	}
}

// A deadline that passed is the caller's affair, not one of the connection: the
// account's other callers go on.
func TestAnUpdateWhoseTimeIsOverIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	s := mustOpenURL(t, pgtest.Database(t))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	runs := 0
	err := s.Cases().Update(ctx, account, func(cases.Tx) error {
		runs++
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, context.DeadlineExceeded) || runs != 1 {
		t.Errorf("Update() = %v after %d attempts, want %v after one", err, runs, context.DeadlineExceeded)
	}
	mustInsert(t, s, "next")
}

// The place of a dead job may be taken between the look and the change.
func TestAKeyThatIsTakenMeanwhileLeavesOtherDeadJobsToRevive(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := mustOpenURL(t, url)
	pgtest.Exec(t, url, `INSERT INTO jobs (account, id, kind, unique_key, priority, run_at, state, attempt, lease, leased_until, error)
		VALUES ('', 'a', 'kind', 'key', 0, 0, 'dead', 1, '', 0, ''), ('', 'b', 'kind', '', 0, 0, 'dead', 1, '', 0, '')`)
	other, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	for _, text := range []string{"BEGIN", `INSERT INTO jobs (account, id, kind, unique_key, priority, run_at, state, attempt, lease, leased_until, error)
		VALUES ('', 'c', 'kind', 'key', 0, 0, 'waiting', 0, '', 0, '')`} {
		if _, err := other.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	revived := make(chan error, 1)
	go func() {
		n, err := (&jobs.Runner{Store: s.Jobs()}).RetryAll(t.Context(), jobs.Filter{})
		if n != 1 && err == nil {
			err = fmt.Errorf("%d jobs wait again, want 1", n)
		}
		revived <- err
	}()
	mustEventually(t, "waiting for the key", func() error { return waitsForALock(t, url) })
	if _, err := other.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-revived; err != nil {
		t.Errorf("RetryAll() = %v, want nil", err)
	}
}

func TestNodesThatStartTogetherMigrateOnceWhateverTheDefaults(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t) + "&default_transaction_isolation=repeatable%20read"
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			s, err := store.Open(t.Context(), url)
			if err != nil {
				t.Errorf("Open(new database, beside others) = %v, want nil", err)
				return
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
		})
	}
	wg.Wait()
}

package cases_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// mustOpenNodes opens services on one database and one folder, all at once. The
// clock of the first is that of all.
func mustOpenNodes(t *testing.T, url string, n int) []*office {
	t.Helper()
	known, err := catalog.Load()
	if err != nil {
		t.Fatalf("catalog.Load() = %v", err)
	}
	blobs, err := blob.OpenDir(t.TempDir())
	if err != nil {
		t.Fatalf("OpenDir() = %v", err)
	}
	t.Cleanup(func() {
		if err := blobs.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	})
	first := &office{clock: time.Date(2026, 3, 14, 15, 9, 26, 535_897_000, time.UTC)}
	nodes := make([]*office, n)
	each(nodes, func(i int) {
		s, err := store.Open(t.Context(), url)
		if err != nil {
			t.Errorf("Open() of node %d = %v, want nil", i, err)
			return
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Errorf("Close() of node %d = %v, want nil", i, err)
			}
		})
		o := first
		if i > 0 {
			o = &office{}
		}
		o.store, o.Service = s, &cases.Service{Store: s.Cases(), Blobs: blobs, Catalog: known, Now: first.now}
		nodes[i] = o
	})
	if t.Failed() {
		t.FailNow()
	}
	return nodes
}

// each runs f for every element at once.
func each[T any](all []T, f func(i int)) {
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// together has many callers call at once, spread over the nodes, and returns
// how each call ended.
func together(nodes []*office, callers int, call func(o *office, i int) error) []error {
	outcomes := make([]error, callers)
	each(outcomes, func(i int) { outcomes[i] = call(nodes[i%len(nodes)], i) })
	return outcomes
}

// wantSuccesses expects that so many calls succeeded and that the others ended
// with the error.
func wantSuccesses(t *testing.T, call string, outcomes []error, want int, others error) {
	t.Helper()
	got := 0
	for _, err := range outcomes {
		if err == nil {
			got++
			continue
		}
		wantError(t, call, err, others)
	}
	if got != want {
		t.Errorf("%d of %d times %s at once succeed, want %d", got, len(outcomes), call, want)
	}
}

func TestTheLimitOfCasesIsExactAcrossNodes(t *testing.T) {
	t.Parallel()
	nodes := mustOpenNodes(t, pgtest.Database(t), 3)
	for _, o := range nodes {
		o.Limits = cases.AWSLimits()
	}
	callers := []iam.Identity{alice(), stranger()} // whose limits have nothing to do with each other
	expect := func(when string, want int) {
		t.Helper()
		outcomes := make([][]error, len(callers))
		each(callers, func(who int) {
			outcomes[who] = together(nodes, 30, func(o *office, _ int) error {
				_, err := o.Create(t.Context(), callers[who], unrepeated(), question())
				return err
			})
		})
		for _, of := range outcomes {
			wantSuccesses(t, "Create() "+when, of, want, cases.ErrCaseCreationLimit)
		}
	}
	expect("in the first hour", 10)
	nodes[0].pass(time.Hour - time.Microsecond)
	expect("a moment before the hour is over", 0)
	nodes[0].pass(time.Microsecond)
	expect("in the second hour", 10)
}

func TestTheLimitOfSetsIsExactAcrossNodes(t *testing.T) {
	t.Parallel()
	nodes := mustOpenNodes(t, pgtest.Database(t), 3)
	for _, o := range nodes {
		o.Limits.AttachmentSetsPer10m = 5
	}
	for _, when := range []string{"in the first minutes", "ten minutes later"} {
		outcomes := together(nodes, 30, func(o *office, i int) error {
			_, err := o.add(t, alice(), "", files(fmt.Sprint(i)))
			return err
		})
		wantSuccesses(t, "AddAttachments() "+when, outcomes, 5, cases.ErrAttachmentLimit)
		nodes[0].pass(10 * time.Minute)
	}
}

func TestASetHasThreeFilesAtMostAcrossNodes(t *testing.T) {
	t.Parallel()
	nodes := mustOpenNodes(t, pgtest.Database(t), 3)
	set := nodes[0].mustAdd(t, "", files("first"))
	outcomes := together(nodes, 12, func(o *office, i int) error {
		_, err := o.add(t, alice(), set.ID, files(fmt.Sprint(i)))
		return err
	})
	wantSuccesses(t, "AddAttachments(one set)", outcomes, 2, cases.ErrSetSizeLimit)
}

func TestOfManyOnAllNodesWhoWantASetOneGetsIt(t *testing.T) {
	t.Parallel()
	nodes := mustOpenNodes(t, pgtest.Database(t), 3)
	id := nodes[0].mustCreate(t, question())
	const sets = 4 // all of which the list of recent communications has
	for range sets {
		set := nodes[0].mustAdd(t, "", files("a", "b"))
		outcomes := together(nodes, 30, func(o *office, i int) error {
			if i%2 == 0 {
				return o.replyWith(t, alice(), id, set.ID)
			}
			in := question()
			in.AttachmentSetID = set.ID
			_, err := o.Create(t.Context(), alice(), unrepeated(), in)
			return err
		})
		wantSuccesses(t, "taking one set", outcomes, 1, cases.ErrSetNotFound)
	}
	all, err := nodes[1].Find(t.Context(), alice(), cases.Query{Limit: 100, Communications: true})
	if err != nil {
		t.Fatalf("Find() = %v", err)
	}
	said, attached := 0, 0
	for _, c := range all.Cases {
		for _, m := range c.Recent {
			said, attached = said+1, attached+len(m.Attachments)
		}
	}
	if said != 1+sets || attached != 2*sets {
		t.Errorf("%d communications with %d files, want the first and %d with two each", said, attached, sets)
	}
}

func TestARequestRepeatedOnAllNodesAtOnceHasOneEffect(t *testing.T) {
	t.Parallel()
	for operation := range writes(t, nil, "") {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			nodes := mustOpenNodes(t, pgtest.Database(t), 3)
			id := nodes[0].mustCreate(t, question())
			answers := make([]any, 30)
			outcomes := together(nodes, len(answers), func(o *office, i int) (err error) {
				answers[i], err = writes(t, o, id)[operation](keyOf(operation))
				return err
			})
			if err := errors.Join(outcomes...); err != nil {
				t.Errorf("%s thirty times at once = %v, want nil", operation, err)
			}
			for _, answer := range answers {
				if diff := cmp.Diff(answers[0], answer); diff != "" {
					t.Errorf("answers of %s at once differ:\n%s", operation, diff)
				}
			}
			if got := nodes[1].effects(t, id)[operation]; got != 1 {
				t.Errorf("%s thirty times at once has %d effects, want 1", operation, got)
			}
		})
	}
}

// Customers write and resolve on all nodes at once: nothing that was said gets
// lost, and the timeline is one chain.
func TestCommunicationsOnAllNodesHaveOneOrder(t *testing.T) {
	t.Parallel()
	nodes := mustOpenNodes(t, pgtest.Database(t), 3)
	id := nodes[0].mustCreate(t, question())
	const callers = 45
	answers := make([]cases.Resolution, callers)
	outcomes := together(nodes, callers, func(o *office, i int) (err error) {
		if i%5 == 0 {
			answers[i], err = o.Resolve(t.Context(), alice(), unrepeated(), id)
			return err
		}
		return o.reply(t, id, fmt.Sprint(i))
	})
	if err := errors.Join(outcomes...); err != nil {
		t.Fatalf("calls at once = %v, want nil", err)
	}
	page, err := nodes[1].Communications(t.Context(), alice(), cases.CommunicationsQuery{CaseID: id, Limit: 2 * callers})
	if err != nil {
		t.Fatalf("Communications() = %v", err)
	}
	var bodies, want []string
	for i, c := range page.Communications {
		bodies = append(bodies, c.Body)
		if number := int64(len(page.Communications) - i); c.Number != number {
			t.Errorf("communication %d from the end has the number %d, want %d", i, c.Number, number)
		}
	}
	for i := range callers {
		if i%5 > 0 {
			want = append(want, fmt.Sprint(i))
		}
	}
	want = append(want, question().Body)
	slices.Sort(bodies)
	slices.Sort(want)
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("what was said (-want +got):\n%s", diff)
	}
	wantChain(t, nodes[2], id, answers)
}

// wantChain expects a timeline in which each move begins where the one before
// ended, and in which each resolution is that told somebody.
func wantChain(t *testing.T, o *office, id string, told []cases.Resolution) {
	t.Helper()
	moves := o.mustMoves(t, id)
	status, resolved := cases.Unassigned, 0
	for i, m := range moves {
		if m.Number != int64(i+1) || m.From != status {
			t.Errorf("move %d = number %d from %s, want one from %s", i+1, m.Number, m.From, status)
		}
		if status = m.To; status == cases.Resolved {
			resolved++
		}
	}
	got := o.mustFindOne(t, id)
	if got.Status != status || got.Moves != int64(len(moves)) {
		t.Errorf("the case is %s after %d moves; its timeline has %d, to %s", got.Status, got.Moves, len(moves), status)
	}
	effective := 0
	for _, r := range told {
		if r.Final == cases.Resolved && r.Initial != cases.Resolved {
			effective++
		}
	}
	if effective != resolved {
		t.Errorf("%d callers heard that they resolved the case, the timeline has %d resolutions", effective, resolved)
	}
}

func TestNodesThatOpenANewDatabaseAtOnceAllWork(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	nodes := mustOpenNodes(t, url, 4)
	for _, o := range nodes {
		o.mustFindOne(t, o.mustCreate(t, question()))
	}
	twice := pgtest.Query[int64](t, url, `SELECT number FROM schema_migrations GROUP BY number HAVING COUNT(*) > 1`)
	if len(twice) > 0 {
		t.Errorf("migrations %v ran more than once", twice)
	}
}

// holdAccount keeps the updates of an account waiting, as a node would that
// stands still in the middle of one.
func holdAccount(t *testing.T, url, account string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("Connect() = %v", err)
	}
	release = sync.OnceFunc(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	t.Cleanup(release)
	if _, err := conn.Exec(t.Context(), `BEGIN`); err != nil {
		t.Fatalf("BEGIN: %v", err)
	}
	tag, err := conn.Exec(t.Context(), `SELECT name FROM update_locks WHERE name = $1 FOR UPDATE`, account)
	if err != nil || tag.RowsAffected() != 1 {
		t.Fatalf("lock of %s: %d rows, %v, want 1", account, tag.RowsAffected(), err)
	}
	return release
}

func TestAnAccountThatWaitsHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	nodes := mustOpenNodes(t, url, 2)
	id := nodes[0].mustCreate(t, question())
	release := holdAccount(t, url, account)

	waiting := make(chan error)
	const callers = 40
	for i := range callers {
		go func() { waiting <- nodes[i%2].reply(t, id, "patient") }()
	}
	mustWaitForLocks(t, url, len(nodes))
	for _, o := range nodes {
		for range 10 {
			if _, err := o.Create(t.Context(), stranger(), unrepeated(), question()); err != nil {
				t.Errorf("Create() while another account waits = %v, want nil", err)
			}
		}
		if _, err := o.Find(t.Context(), alice(), byID(id)); err != nil {
			t.Errorf("Find() while updates of the account wait = %v, want nil", err)
		}
	}
	// Within a node they wait together.
	if got := len(pgtest.Query[int](t, url, waitingForLocks)); got != len(nodes) {
		t.Errorf("%d connections wait for the account, want one of each of %d nodes", got, len(nodes))
	}
	select {
	case err := <-waiting:
		t.Errorf("Communicate() while the account is held = %v, want it to wait", err)
		callersLeft(waiting, callers-1)
		return
	default:
	}
	release()
	for range callers {
		if err := <-waiting; err != nil {
			t.Errorf("Communicate() after the account was held = %v, want nil", err)
		}
	}
	if got := nodes[1].mustFindOne(t, id).Communications; got != 1+callers {
		t.Errorf("case has %d communications, want %d", got, 1+callers)
	}
}

func callersLeft(outcomes <-chan error, n int) {
	for range n {
		<-outcomes
	}
}

// A caller's deadline holds also while the account is held by another node,
// whether the caller is the first one or waits behind others.
func TestADeadlineHoldsWhileTheAccountIsHeld(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	nodes := mustOpenNodes(t, url, 2)
	id := nodes[0].mustCreate(t, question())
	release := holdAccount(t, url, account)
	began := time.Now()
	outcomes := together(nodes, 10, func(o *office, i int) error {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		return o.Communicate(ctx, alice(), unrepeated(), cases.NewCommunication{CaseID: id, Body: "impatient"})
	})
	wantSuccesses(t, "Communicate() with a deadline", outcomes, 0, context.DeadlineExceeded)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("callers with a deadline of 100 ms had to wait %s", took)
	}
	release()
	nodes[0].mustReply(t, id, "the next one")
	if got := nodes[1].mustFindOne(t, id).Communications; got != 2 {
		t.Errorf("case has %d communications, want the first and the last", got)
	}
}

// A node that stands still holds the accounts of all its connections: then
// those of other accounts still read and write.
func TestManyAccountsThatWaitHoldUpNobodyElse(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	o := mustOpenNodes(t, url, 1)[0]
	held := make([]iam.Identity, 20) // more than a node has connections
	for i := range held {
		held[i] = alice()
		held[i].Account = fmt.Sprintf("%012d", i)
		if _, err := o.Create(t.Context(), held[i], unrepeated(), question()); err != nil {
			t.Fatalf("Create() = %v", err)
		}
	}
	releases := make([]func(), len(held))
	for i, who := range held {
		releases[i] = holdAccount(t, url, who.Account)
	}
	outcomes := make(chan error)
	for _, who := range held {
		go func() {
			_, err := o.Create(t.Context(), who, unrepeated(), question())
			outcomes <- err
		}()
	}
	mustWaitForLocks(t, url, 10)
	began := time.Now()
	_, findErr := o.Find(t.Context(), stranger(), cases.Query{Limit: 1})
	_, createErr := o.Create(t.Context(), stranger(), unrepeated(), question())
	if took := time.Since(began); findErr != nil || createErr != nil || took > 5*time.Second {
		t.Errorf("Find() and Create() of another account while %d wait = %v, %v in %s, want nil at once", len(held), findErr, createErr, took)
	}
	for _, release := range releases {
		release()
	}
	for range held {
		<-outcomes // those that waited too long for a connection may have failed
	}
}

// waitingForLocks are the connections to the database that wait for a lock.
const waitingForLocks = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`

// mustWaitForLocks waits until so many connections to the database wait for a
// lock.
func mustWaitForLocks(t *testing.T, url string, want int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		waiting := len(pgtest.Query[int](t, url, waitingForLocks))
		if waiting >= want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections wait for a lock, want %d", waiting, want)
		}
	}
}

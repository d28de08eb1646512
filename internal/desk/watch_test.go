package desk_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

const client = "111122223333"

// node is one of several processes that share a database and a clock.
type node struct {
	*desk.Service
	*testing.T
	store *store.Store
	clock *time.Time
}

// newNode returns a desk that watches cases, with a customer on a plan.
func newNode(t *testing.T, plan string) node {
	t.Helper()
	return newNodeOn(t, newFile(t), plan)
}

func newNodeOn(t *testing.T, url, plan string) node {
	t.Helper()
	clock := monday()
	n := openNode(t, url, &clock)
	err := n.store.IAM().Update(t.Context(), func(tx iam.Tx) error {
		return tx.InsertAccount(t.Context(), iam.Account{ID: client, Email: "ops@example.com", Plan: plan, State: iam.AccountActive})
	})
	if err != nil {
		t.Fatalf("InsertAccount() = %v", err)
	}
	return n
}

func openNode(t *testing.T, url string, clock *time.Time) node {
	t.Helper()
	n := node{T: t, clock: clock}
	n.Service, n.store = openDesk(t, url, func() time.Time { return *clock })
	return n
}

func (n node) pass(d time.Duration) { *n.clock = n.clock.Add(d) }

func (n node) since(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Sub(monday()).String()
}

// customer is the account's root, with its plan of now.
func (n node) customer() iam.Identity {
	n.Helper()
	a, err := n.IAM.Account(n.Context(), client)
	if err != nil {
		n.Fatalf("Account() = %v", err)
	}
	plan, err := iam.PlanByID(a.Plan)
	if err != nil {
		n.Fatalf("PlanByID() = %v", err)
	}
	return iam.Identity{Account: client, Email: a.Email, Plan: plan, Kind: iam.Root}
}

func (n node) ask(severity string) string {
	n.Helper()
	id, err := n.Cases.Create(n.Context(), n.customer(), cases.RequestKey{}, cases.NewCase{Subject: "Printer burns", Body: "It is on fire.", SeverityCode: severity})
	if err != nil {
		n.Fatalf("Create() = %v", err)
	}
	return id
}

func (n node) say(id, body string) {
	n.Helper()
	if err := n.Cases.Communicate(n.Context(), n.customer(), cases.RequestKey{}, cases.NewCommunication{CaseID: id, Body: body}); err != nil {
		n.Fatalf("Communicate() = %v", err)
	}
}

// update does what an agent does, in the transaction of the account.
func (n node) update(f func(desk.Tx) error) {
	n.Helper()
	if err := n.Store.Update(n.Context(), client, f); err != nil {
		n.Fatalf("Update() = %v", err)
	}
}

func (n node) answer(id, body string) {
	n.Helper()
	n.update(func(tx desk.Tx) error {
		_, _, err := n.Cases.Reply(n.Context(), tx, cases.NewReply{Account: client, CaseID: id, Body: body, By: "Amazon Web Services", Actor: "agent:1"})
		return err
	})
}

func (n node) move(id string, event cases.Event) {
	n.Helper()
	n.update(func(tx desk.Tx) error {
		_, err := n.Cases.Move(n.Context(), tx, client, id, event, "agent:1")
		return err
	})
}

func (n node) setSeverity(id, severity string) {
	n.Helper()
	n.update(func(tx desk.Tx) error {
		_, err := n.Cases.SetSeverity(n.Context(), tx, client, id, n.customer().Plan, severity, "agent:1")
		return err
	})
}

func (n node) view(f func(desk.Tx) error) {
	n.Helper()
	if err := n.Store.View(n.Context(), f); err != nil {
		n.Fatalf("View() = %v", err)
	}
}

func (n node) item(id string) (i desk.Item) {
	n.Helper()
	n.view(func(tx desk.Tx) (err error) {
		i, err = tx.Item(n.Context(), client, id)
		return err
	})
	return i
}

// told returns what the desk itself wrote into the case's record.
func (n node) told(id string) (events []string) {
	n.Helper()
	n.view(func(tx desk.Tx) error {
		all, err := tx.Records(n.Context(), client, id, 0, 100)
		for at, r := range all {
			if r.Number != int64(at+1) || r.Agent != "" {
				n.Errorf("record %d is number %d of the agent %q, want one of the desk's", at+1, r.Number, r.Agent)
			}
			events = append(events, r.Event)
		}
		return err
	})
	return events
}

func (n node) wantTold(id string, want ...string) {
	n.Helper()
	if diff := cmp.Diff(want, n.told(id)); diff != "" {
		n.Errorf("the record of the case (-want +got):\n%s", diff)
	}
}

func (n node) wake() {
	n.Helper()
	if err := n.Wake(n.Context()); err != nil {
		n.Fatalf("Wake() = %v", err)
	}
}

func (n node) wantDue(id string, due, wake time.Duration) {
	n.Helper()
	i := n.item(id)
	text := func(d time.Duration) string {
		if d == 0 {
			return "never"
		}
		return d.String()
	}
	if n.since(i.Due) != text(due) || n.since(i.Wake) != text(wake) {
		n.Errorf("the item is due at +%s and wakes at +%s, want +%s and +%s", n.since(i.Due), n.since(i.Wake), text(due), text(wake))
	}
}

func (n node) moments(id string) (all []desk.MomentKind) {
	n.Helper()
	for _, m := range n.item(id).History.Moments {
		all = append(all, m.What)
	}
	return all
}

func (n node) wantFound(text string, want ...int64) {
	n.Helper()
	n.view(func(tx desk.Tx) error {
		hits, err := tx.Search(n.Context(), desk.Terms(text), 10)
		var got []int64
		for _, h := range hits {
			got = append(got, h.Number)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			n.Errorf("Search(%q) finds texts (-want +got):\n%s", text, diff)
		}
		return err
	})
}

// work does the jobs that are due, as a runner does.
func (n node) work() {
	n.Helper()
	kinds := map[string]jobs.Kind{}
	for _, k := range n.Kinds() {
		kinds[k.Name] = k
	}
	for {
		var claimed []jobs.Job
		err := n.store.Jobs().Update(n.Context(), func(tx jobs.Tx) (err error) {
			claimed, err = tx.Claim(n.Context(), []string{desk.RecountJob, desk.ClocksJob, desk.RouteJob}, *n.clock, jobs.Lease{Token: "t", Until: time.Now().Add(time.Hour)}, 1)
			return err
		})
		if err != nil {
			n.Fatalf("Claim() = %v", err)
		}
		if len(claimed) == 0 {
			return
		}
		if err := kinds[claimed[0].Kind].Handler(n.Context(), claimed[0]); err != nil {
			n.Fatalf("%s = %v", claimed[0].Kind, err)
		}
		err = n.store.Jobs().Update(n.Context(), func(tx jobs.Tx) error { return tx.Finish(n.Context(), claimed[0]) })
		if err != nil && !errors.Is(err, jobs.ErrLeaseLost) {
			n.Fatalf("Finish() = %v", err)
		}
	}
}

func TestNewCaseHasAnItemThatWakesForItsWarning(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	id := n.ask("urgent")
	i := n.item(id)
	want := desk.Item{
		Key: desk.Key{Account: client, CaseID: id}, Status: cases.Unassigned, Severity: "urgent", Service: i.Service, Language: "en",
		Due: n.clock.Add(time.Hour), Wake: n.clock.Add(45 * time.Minute), Version: 1, CreatedAt: *n.clock, ChangedAt: *n.clock,
		History: desk.History{Plan: "enterprise", Moments: []desk.Moment{{At: *n.clock, What: desk.Opened, Severity: "urgent"}}},
		Subject: "Printer burns", DisplayID: i.DisplayID,
	}
	if diff := cmp.Diff(want, i); diff != "" {
		t.Errorf("the item (-want +got):\n%s", diff)
	}
	n.wantFound("printer", 1)
	n.wantFound("fire", 1)
}

func TestItemFollowsItsCase(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	n := newNode(t, "enterprise")
	id := n.ask("urgent")
	for _, step := range []struct {
		name      string
		do        func()
		status    cases.Status
		due, wake time.Duration
	}{
		{"an agent begins", func() { n.move(id, cases.StartWork) }, cases.WorkInProgress, hour, 45 * time.Minute},
		{"the customer insists", func() { n.say(id, "Hello?") }, cases.WorkInProgress, hour, 45 * time.Minute},
		{"an agent answers", func() { n.answer(id, "Use water.") }, cases.WorkInProgress, 0, 0},
		{"and waits", func() { n.move(id, cases.AwaitCustomer) }, cases.PendingCustomerAction, 0, 0},
		{"the customer replies", func() { n.say(id, "No water here.") }, cases.CustomerActionCompleted, hour + 50*time.Minute, hour + 35*time.Minute},
		{"it is less urgent", func() { n.setSeverity(id, "high") }, cases.CustomerActionCompleted, 4*hour + 50*time.Minute, 3*hour + 50*time.Minute},
		{"it is resolved", func() { n.move(id, cases.Resolve) }, cases.Resolved, 0, 0},
		{"it is reopened", func() { n.say(id, "It burns again.") }, cases.Reopened, 5 * hour, 4 * hour},
	} {
		before := n.item(id).Version
		n.pass(10 * time.Minute)
		step.do()
		if i := n.item(id); i.Status != step.status || i.Version != before+1 || !i.ChangedAt.Equal(*n.clock) {
			t.Errorf("%s: the item is %s in version %d, want %s in version %d", step.name, i.Status, i.Version, step.status, before+1)
		}
		n.wantDue(id, step.due, step.wake)
	}
	want := []desk.MomentKind{
		desk.Opened, desk.AgentSaid, desk.Waiting, desk.Working, desk.CustomerSaid, desk.Changed, desk.Ended, desk.Begun,
	}
	if diff := cmp.Diff(want, n.moments(id)); diff != "" {
		t.Errorf("the history (-want +got):\n%s", diff)
	}
	n.wantFound("water", 3, 4)
}

func TestWarningAndBreachAreToldOnce(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	id := n.ask("urgent")
	n.pass(45*time.Minute - time.Microsecond)
	n.wake()
	n.wantTold(id)
	n.pass(time.Microsecond)
	n.wake()
	n.wake()
	n.wantTold(id, "clock-warning")
	n.wantDue(id, time.Hour, time.Hour)
	version := n.item(id).Version
	n.pass(3 * time.Hour)
	n.wake()
	n.wake()
	n.wantTold(id, "clock-warning", "clock-breach")
	n.wantDue(id, time.Hour, 0)
	if got := n.item(id).Version; got != version {
		t.Errorf("after a breach the item has version %d, want %d: nobody did anything", got, version)
	}
	if next, err := n.NextWake(t.Context()); err != nil || !next.IsZero() {
		t.Errorf("NextWake() = %v, %v, want never", next, err)
	}
	n.setSeverity(id, "low")
	n.setSeverity(id, "urgent")
	n.pass(time.Hour)
	n.wake()
	n.wantTold(id, "clock-warning", "clock-breach")
}

func TestJumpOverBothTellsBothInOrder(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	id := n.ask("urgent")
	n.pass(48 * time.Hour)
	n.wake()
	n.wantTold(id, "clock-warning", "clock-breach")
	n.view(func(tx desk.Tx) error {
		all, err := tx.Records(t.Context(), client, id, 0, 100)
		want := `{"clock":"first-response","number":1,"startedAt":"2026-03-02T09:00:00Z","at":"2026-03-02T10:00:00Z","dueAt":"2026-03-02T10:00:00Z","target":3600,"counted":172800}`
		if diff := cmp.Diff(want, string(all[1].Detail)); diff != "" {
			t.Errorf("the breach (-want +got):\n%s", diff)
		}
		return err
	})
}

func TestTwoNodesTellOnceOfManyCasesOnSQLite(t *testing.T) {
	t.Parallel()
	checkTwoNodes(t, "sqlite://"+filepath.Join(t.TempDir(), "desk.db"))
}

func TestTwoNodesTellOnceOfManyCasesOnPostgreSQL(t *testing.T) {
	t.Parallel()
	checkTwoNodes(t, pgtest.Database(t))
}

func checkTwoNodes(t *testing.T, url string) {
	const count = 230 // more than two batches
	n := newNodeOn(t, url, "enterprise")
	var ids []string
	for range count {
		ids = append(ids, n.ask("urgent"))
	}
	n.pass(time.Hour)
	other := openNode(t, url, n.clock)
	var all sync.WaitGroup
	for _, one := range []node{n, other, n, other} {
		all.Go(func() {
			if err := one.Wake(t.Context()); err != nil {
				t.Errorf("Wake() = %v", err)
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		n.wantTold(id, "clock-warning", "clock-breach")
	}
}

func TestBreachThatNobodySawIsToldByTheAnswer(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	id := n.ask("urgent")
	n.pass(time.Hour)
	n.answer(id, "Sorry for the delay.")
	n.wantTold(id, "clock-warning", "clock-breach")
	n.pass(time.Hour)
	n.wake()
	n.wantTold(id, "clock-warning", "clock-breach")
}

func TestNextResponsesAreToldEachOnce(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	id := n.ask("urgent")
	n.answer(id, "Hello.")
	for range 3 {
		n.say(id, "And now?")
		n.pass(50 * time.Minute)
		n.wake()
		n.answer(id, "Wait.")
	}
	n.wantTold(id, "clock-warning", "clock-warning", "clock-warning")
	want := []string{"next-response/1/warning", "next-response/2/warning", "next-response/3/warning"}
	if diff := cmp.Diff(want, n.item(id).Fired); diff != "" {
		t.Errorf("Fired (-want +got):\n%s", diff)
	}
}

func TestRepliesThatRepeatDoNotGrowTheHistory(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	id := n.ask("urgent")
	n.answer(id, "Hello.")
	for range 20 {
		n.pass(time.Second)
		n.say(id, "Hello?")
	}
	if diff := cmp.Diff([]desk.MomentKind{desk.Opened, desk.AgentSaid, desk.CustomerSaid}, n.moments(id)); diff != "" {
		t.Errorf("the history (-want +got):\n%s", diff)
	}
}

func TestPlanOfTheOpeningStays(t *testing.T) {
	t.Parallel()
	n := newNode(t, "business-plus")
	id := n.ask("critical")
	n.wantDue(id, 30*time.Minute, 22*time.Minute+30*time.Second)
	n.changePlan("enterprise")
	n.say(id, "Hello?")
	n.wantDue(id, 30*time.Minute, 22*time.Minute+30*time.Second)
}

func (n node) changePlan(plan string) {
	n.Helper()
	err := n.store.IAM().Update(n.Context(), func(tx iam.Tx) error {
		a, err := tx.Account(n.Context(), client)
		if err != nil {
			return err
		}
		a.Plan = plan
		return tx.UpdateAccount(n.Context(), a)
	})
	if err != nil {
		n.Fatalf("UpdateAccount() = %v", err)
	}
}

// unwatched does something to a case as releases before the desk did.
func (n node) unwatched(f func()) {
	watch := n.Cases.Watch
	n.Cases.Watch = nil
	defer func() { n.Cases.Watch = watch }()
	f()
}

// oldCase is one from before the desk: answered after 10 minutes, waiting from
// the 20th to the 40th.
func (n node) oldCase() (id string) {
	n.unwatched(func() {
		id = n.ask("urgent")
		n.pass(10 * time.Minute)
		n.answer(id, "Use water.")
		n.pass(10 * time.Minute)
		n.move(id, cases.AwaitCustomer)
		n.pass(20 * time.Minute)
		n.say(id, "No water here.")
		n.pass(10 * time.Minute)
	})
	return id
}

func TestCaseFromBeforeTheDeskIsRebuilt(t *testing.T) {
	t.Parallel()
	rebuilt := []desk.MomentKind{desk.Opened, desk.AgentSaid, desk.Waiting, desk.Working, desk.CustomerSaid}
	tests := []struct {
		name   string
		do     func(n node, id string)
		before []desk.MomentKind // until somebody wakes
		want   []desk.MomentKind
	}{
		{"when it wakes", func(n node, id string) {
			i := desk.Item{Key: desk.Key{Account: client, CaseID: id}, Status: cases.CustomerActionCompleted, Severity: "urgent", Version: 1, Wake: time.UnixMicro(1)}
			n.update(func(tx desk.Tx) error { return tx.InsertItem(n.Context(), i) })
		}, nil, rebuilt},
		{"when its customer replies", func(n node, id string) { n.say(id, "Hello?") }, rebuilt, rebuilt},
		{"soon after an agent answered", func(n node, id string) { n.answer(id, "Use sand.") }, nil, append(slices.Clone(rebuilt), desk.AgentSaid)},
		{"when its customer resolves it", func(n node, id string) {
			if _, err := n.Cases.Resolve(n.Context(), n.customer(), cases.RequestKey{}, id); err != nil {
				n.Fatalf("Resolve() = %v", err)
			}
		}, append(slices.Clone(rebuilt), desk.Ended), append(slices.Clone(rebuilt), desk.Ended)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, "enterprise")
			id := n.oldCase()
			test.do(n, id)
			if diff := cmp.Diff(test.before, n.moments(id)); diff != "" {
				t.Errorf("the history at once (-want +got):\n%s", diff)
			}
			n.wake()
			n.wake()
			if diff := cmp.Diff(test.want, n.moments(id)); diff != "" {
				t.Errorf("the history (-want +got):\n%s", diff)
			}
			if got := n.item(id).History.Plan; got != "enterprise" {
				t.Errorf("the plan is %q, want enterprise", got)
			}
			n.wantFound("printer", 1)
			n.wantFound("fire", 1)
			n.wantFound("water", 2, 3)
		})
	}
}

func TestRebuiltCaseIsDueAsIfItHadBeenWatched(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	id := n.oldCase()
	n.say(id, "Hello?")
	n.wantDue(id, 100*time.Minute, 85*time.Minute)
}

func TestCaseOfManyCommunicationsIsRebuilt(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	var id string
	n.unwatched(func() {
		id = n.ask("low")
		for i := range 250 {
			n.pass(time.Minute)
			n.say(id, fmt.Sprintf("Reminder r%d.", i))
		}
		n.answer(id, "Yes.")
	})
	n.say(id, "Thanks.")
	if diff := cmp.Diff([]desk.MomentKind{desk.Opened, desk.AgentSaid, desk.CustomerSaid}, n.moments(id)); diff != "" {
		t.Errorf("the history (-want +got):\n%s", diff)
	}
	for _, i := range []int{0, 99, 100, 249} {
		n.wantFound(fmt.Sprintf("r%d", i), int64(i+2))
	}
}

func TestMergeDissolvesWhenTheCustomerReopens(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	from, into := n.ask("low"), n.ask("low")
	ctx := t.Context()
	if _, err := n.Merge(ctx, desk.Operator(), from, into); err != nil {
		t.Fatalf("Merge() = %v", err)
	}
	version := n.item(into).Version
	n.say(from, "But mine is another printer.")
	if i := n.item(from); i.MergedInto != "" || i.Status != cases.Reopened {
		t.Errorf("the case is %s and merged into %q, want reopened and not merged", i.Status, i.MergedInto)
	}
	if got := n.item(into).Version; got != version+1 {
		t.Errorf("the other case has version %d, want %d", got, version+1)
	}
	for _, id := range []string{from, into} {
		d, err := n.Case(ctx, desk.Operator(), id)
		if err != nil || len(d.Links) != 0 {
			t.Errorf("Case(%s) has the links %v, %v, want none", id, d.Links, err)
		}
	}
	if got := n.events(from); !slices.Contains(got, "merge-dissolved") {
		t.Errorf("the record has %v, want merge-dissolved", got)
	}
	n.say(from, "Hello?")
	if got := n.events(from); len(got) != 2 {
		t.Errorf("after another reply the record has %v, want no more", got)
	}
}

// events returns those of the case's record.
func (n node) events(id string) (all []string) {
	n.Helper()
	n.view(func(tx desk.Tx) error {
		records, err := tx.Records(n.Context(), client, id, 0, 100)
		for _, r := range records {
			all = append(all, r.Event)
		}
		return err
	})
	return all
}

func TestChangeOfAPromiseMovesOpenCases(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	open, resolved := n.ask("urgent"), n.ask("urgent")
	n.move(resolved, cases.Resolve)
	_, err := n.PutPromise(t.Context(), desk.Operator(), desk.Promise{ID: "any.urgent", FirstResponseMinutes: 120})
	if err != nil {
		t.Fatalf("PutPromise() = %v", err)
	}
	n.work()
	n.wantDue(open, 2*time.Hour, 90*time.Minute)
	n.wantDue(resolved, 0, 0)
	if err := n.DeletePromise(t.Context(), desk.Operator(), "any.urgent"); err != nil {
		t.Fatalf("DeletePromise() = %v", err)
	}
	n.work()
	n.wantDue(open, time.Hour, 45*time.Minute)
}

func TestRecountTellsWhatIsLateByTheNewRules(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	id := n.ask("low")
	n.pass(time.Hour)
	if _, err := n.PutPromise(t.Context(), desk.Operator(), desk.Promise{ID: "any.low", FirstResponseMinutes: 30}); err != nil {
		t.Fatalf("PutPromise() = %v", err)
	}
	n.work()
	n.wantTold(id, "clock-warning", "clock-breach")
}

func TestRecountGoesByTheNewRulesOnEveryNode(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	other := n
	other.Service = &desk.Service{Store: n.Store, Cases: n.Cases, IAM: n.IAM, Now: n.Now}
	id := n.ask("urgent") // by which n knows the old rules
	if _, err := other.PutPromise(t.Context(), desk.Operator(), desk.Promise{ID: "any.urgent", FirstResponseMinutes: 120}); err != nil {
		t.Fatalf("PutPromise() = %v", err)
	}
	n.work()
	n.wantDue(id, 2*time.Hour, 90*time.Minute)
}

func TestRecountRepairsWhatAnotherNodeCountedByTheOldRules(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	other := n
	other.Service = &desk.Service{Store: n.Store, Cases: n.Cases, IAM: n.IAM, Now: n.Now}
	id := n.ask("urgent") // by which n knows the rules
	if _, err := other.PutPromise(t.Context(), desk.Operator(), desk.Promise{ID: "any.urgent", FirstResponseMinutes: 120}); err != nil {
		t.Fatalf("PutPromise() = %v", err)
	}
	other.work()
	n.wantDue(id, 2*time.Hour, 90*time.Minute)
	n.say(id, "Hello?")
	n.wantDue(id, time.Hour, 45*time.Minute) // n does not know yet
	n.pass(10 * time.Second)
	other.work()
	n.wantDue(id, 2*time.Hour, 90*time.Minute)
}

func TestRecountGoesOnFromBatchToBatch(t *testing.T) {
	t.Parallel()
	const count = 520 // more than a batch
	n := newNode(t, "enterprise")
	var ids []string
	for range count {
		ids = append(ids, n.ask("urgent"))
	}
	if _, err := n.PutPromise(t.Context(), desk.Operator(), desk.Promise{ID: "any.urgent", FirstResponseMinutes: 120}); err != nil {
		t.Fatalf("PutPromise() = %v", err)
	}
	n.work()
	for _, id := range ids {
		n.wantDue(id, 2*time.Hour, 90*time.Minute)
	}
}

func TestCalendarAndSettingsAreThoseOfTheAdministrators(t *testing.T) {
	t.Parallel()
	n := newNode(t, "developer")
	ctx := t.Context()
	id := n.ask("normal") // twelve hours of a Monday at nine
	n.wantDue(id, 26*time.Hour, 9*time.Hour)
	calendar := desk.Calendar{ID: "business-hours", Name: "Ours", Zone: "UTC", Hours: map[string][]string{"mon": {"08:00-18:00"}}}
	if _, err := n.PutCalendar(ctx, desk.Operator(), calendar); err != nil {
		t.Fatalf("PutCalendar() = %v", err)
	}
	n.work()
	n.wantDue(id, (7*24+2)*time.Hour, 9*time.Hour)
	settings := desk.DefaultSettings()
	settings.WarnPercent = 50
	if _, err := n.PutSettings(ctx, desk.Operator(), settings); err != nil {
		t.Fatalf("PutSettings() = %v", err)
	}
	n.work()
	n.wantDue(id, (7*24+2)*time.Hour, 6*time.Hour)
}

func TestClocksOnPostgreSQL(t *testing.T) {
	t.Parallel()
	n := newNodeOn(t, pgtest.Database(t), "enterprise")
	id, old := n.ask("urgent"), n.oldCase()
	n.answer(old, "Use sand.")
	n.pass(time.Hour)
	n.wake()
	n.wantTold(id, "clock-warning", "clock-breach")
	n.wantDue(id, time.Hour, 0)
	if got := len(n.moments(old)); got != 6 {
		t.Errorf("the rebuilt history has %d moments, want 6", got)
	}
	n.wantFound("sand", 4)
	if _, err := n.PutPromise(t.Context(), desk.Operator(), desk.Promise{ID: "any.urgent", FirstResponseMinutes: 120}); err != nil {
		t.Fatalf("PutPromise() = %v", err)
	}
	n.work()
	n.wantDue(id, 2*time.Hour, 0) // it was told
}

func TestForgetMakesTheDeskReadItsRulesAgain(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	n.ask("urgent") // by which it knows the rules
	err := n.Store.Update(t.Context(), desk.Scope, func(tx desk.Tx) error {
		return tx.PutDocument(t.Context(), desk.Document{Kind: desk.KindPromise, ID: "any.urgent", Version: 1, Content: []byte(`{"id":"any.urgent","firstResponseMinutes":120}`)})
	})
	if err != nil {
		t.Fatalf("PutDocument() = %v", err)
	}
	n.Forget()
	n.wantDue(n.ask("urgent"), 2*time.Hour, 90*time.Minute)
}

func TestExplainAccountsForTheTimeOfACase(t *testing.T) {
	t.Parallel()
	n := newNode(t, "enterprise")
	id := n.ask("urgent")
	n.pass(20 * time.Minute)
	n.move(id, cases.AwaitCustomer)
	n.pass(time.Hour)
	n.say(id, "Hello?")
	n.pass(5 * time.Minute)
	got, err := n.Explain(t.Context(), desk.Operator(), id)
	if err != nil {
		t.Fatalf("Explain() = %v", err)
	}
	start := n.clock.Add(-85 * time.Minute)
	want := []desk.Explanation{{
		Clock: desk.Clock{
			Kind: desk.FirstResponse, Number: 1, StartedAt: start, Target: time.Hour, Counted: 25 * time.Minute,
			WarnAt: start.Add(105 * time.Minute), DueAt: start.Add(2 * time.Hour),
		},
		Spans: []desk.Span{
			{From: start, To: start.Add(20 * time.Minute), Counted: true, Why: "open"},
			{From: start.Add(20 * time.Minute), To: start.Add(80 * time.Minute), Why: "waiting for the customer"},
			{From: start.Add(80 * time.Minute), To: *n.clock, Counted: true, Why: "open"},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Explain() (-want +got):\n%s", diff)
	}
	if _, err := n.Explain(t.Context(), desk.Caller{}, id); !errors.Is(err, desk.ErrDenied) {
		t.Errorf("Explain() without a permission = %v, want ErrDenied", err)
	}
	if _, err := n.Explain(t.Context(), desk.Operator(), strings.Replace(id, "2026", "2025", 1)); err == nil {
		t.Error("Explain() of no case = nil, want an error")
	}
}

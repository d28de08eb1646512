package advisor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/seal"
	"github.com/supportd/supportd/internal/store"
)

const (
	business   = "111122223333"
	enterprise = "123456789012"
	basic      = "444455556666"
	closed     = "777788889999"
)

// The checks of the tests. Each looks at kinds of its own but for everything,
// which looks at disks too.
const (
	disks      = "disks"      // lists what is flagged
	everything = "everything" // lists everything
	keys       = "keys"       // refreshes by itself, and is in every plan
	never      = "never"      // cannot be computed
)

func testPack() fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		"security/disks/check.yaml": file(`
id: disks
name: Disks
category: security
about: Looks at disks.
resource: t.disk
error: "!resource.Encrypted"
warning: resource.Size > 100
columns: {Region: region, Disk: id, Status: color}
`),
		"cost_optimizing/everything/check.yaml": file(`
id: everything
name: Everything
category: cost_optimizing
about: Lists disks.
interval: 5m
resource: t.disk
warning: resource.Size > 100
savings: double(resource.Size) / 10.0
rows: all
columns: {Disk: id, Status: color}
`),
		"security/keys/check.yaml": file(`
id: keys
name: Keys
category: security
about: Looks at keys.
refresh: automatic
plan: core
resource: t.key
warning: resource.Age > 90
columns: {Key: id}
`),
		"security/never/check.yaml": file(`
id: never
name: Never
category: security
about: Nobody knows.
unavailable: AWS tells nobody
`),
	}
}

func testKinds() inventory.Kinds {
	field := func(name string, form inventory.Form) inventory.Field {
		return inventory.Field{Name: name, Type: &inventory.Type{Form: form}}
	}
	return inventory.Kinds{
		"t.disk": {Name: "t.disk", Type: inventory.StructOf("t.Disk", field("Encrypted", inventory.Bool), field("Size", inventory.Int))},
		"t.key":  {Name: "t.key", Global: true, Type: inventory.StructOf("t.Key", field("Age", inventory.Int))},
	}
}

func disk(id string, encrypted bool, size float64) inventory.Resource {
	return inventory.Resource{Kind: "t.disk", ID: id, Region: "eu-west-1", Attributes: map[string]any{"Encrypted": encrypted, "Size": size}}
}

// account is the outside: it is collected as it is at that moment.
type account struct {
	mu        sync.Mutex
	resources []inventory.Resource
	failures  []inventory.Failure
	err       error
	hook      func(ctx context.Context) error // called before anything is written

	calls  []advisor.Source
	needed []inventory.Needs
	spools []string
}

func (a *account) set(resources ...inventory.Resource) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resources = resources
}

func (a *account) Collect(ctx context.Context, source advisor.Source, id string, now time.Time, needs inventory.Needs, w io.Writer) error {
	a.mu.Lock()
	a.calls, a.needed = append(a.calls, source), append(a.needed, needs)
	if file, ok := w.(*os.File); ok {
		a.spools = append(a.spools, file.Name())
	}
	hook, err := a.hook, a.err
	resources, failures := a.resources, a.failures
	a.mu.Unlock()
	if hook != nil {
		if err := hook(ctx); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	out, err := inventory.NewWriter(w, inventory.Header{Account: id, CollectedAt: now, Needs: needs})
	for _, r := range resources {
		err = errors.Join(err, out.Add(r))
	}
	return errors.Join(err, out.Close(failures, nil))
}

// world is a service on a store, in a bubble: time passes when all wait.
type world struct {
	*testing.T
	advisor *advisor.Service
	iam     *iam.Service
	store   *store.Store
	aws     *account
	file    string // of the database
	log     bytes.Buffer
}

// inWorld runs a test in a bubble, at the end of which nothing may be running.
func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Parallel()
	file, spool := filepath.Join(t.TempDir(), "test.db"), t.TempDir()
	pack, err := check.Load(testKinds(), testPack())
	mustNot(t, errors.Join(err))
	mustNot(t, pack.Compile())
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, aws: &account{}, file: file}
		t.Cleanup(func() { mustNot(t, w.store.Close()) })
		w.open()
		master := seal.NewMasterKey()
		box, err := seal.NewBox(master, "advisor sources")
		mustNot(t, err)
		secrets, err := seal.NewBox(master, "access keys")
		mustNot(t, err)
		w.iam = &iam.Service{Store: w.store.IAM(), Box: secrets}
		w.advisor = &advisor.Service{
			Store: w.store.Advisor(), IAM: w.iam, Pack: func() (*check.Pack, error) { return pack, nil },
			Collector: w.aws, Box: box, Spool: spool, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		}
		for id, plan := range map[string]string{business: "business", enterprise: "enterprise", basic: "basic", closed: "business"} {
			_, err := w.iam.CreateAccount(t.Context(), iam.Account{ID: id, Name: plan, Email: "o@example.com", Plan: plan})
			mustNot(t, err)
		}
		test(w)
		if left, _ := filepath.Glob(filepath.Join(spool, "*")); len(left) > 0 {
			t.Errorf("after the test the spool has %v, want nothing", left)
		}
	})
}

func (w *world) open() {
	w.Helper()
	var err error
	w.store, err = store.Open(w.Context(), "sqlite://"+w.file)
	mustNot(w, err)
}

// running runs f while a runner does jobs.
func (w *world) running(f func()) {
	w.Helper()
	w.run(w.advisor.Kinds(), f)
}

func (w *world) run(kinds []jobs.Kind, f func()) {
	w.Helper()
	ctx, stop := context.WithCancel(w.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runner := jobs.Runner{Store: w.store.Jobs(), Kinds: kinds, Log: slog.New(slog.DiscardHandler), Grace: time.Nanosecond, Poll: time.Minute}
		runner.Run(ctx)
	}()
	f()
	stop()
	<-ended
}

// await waits for what has to happen soon.
func (w *world) await(happened <-chan struct{}) {
	w.Helper()
	select {
	case <-happened:
	case <-time.After(time.Hour):
		w.Error("it did not happen")
	}
}

// work does all jobs that are due soon.
func (w *world) work() {
	w.Helper()
	w.running(func() { time.Sleep(5 * time.Minute) })
}

// source sets a source and has everything computed that it sets off.
func (w *world) source(account string) {
	w.Helper()
	mustNot(w, w.advisor.SetSource(w.Context(), account, advisor.Source{Profile: "p"}))
	w.work()
}

func who(account string) iam.Identity {
	plan, _ := iam.PlanByID("business")
	return iam.Identity{Account: account, Plan: plan, Kind: iam.Root}
}

func (w *world) refresh(account, checkID string) advisor.RefreshStatus {
	w.Helper()
	s, err := w.advisor.Refresh(w.Context(), who(account), checkID)
	mustNot(w, err)
	return s
}

func (w *world) status(account, checkID string) advisor.RefreshState {
	w.Helper()
	all, err := w.advisor.Refreshes(w.Context(), account)
	mustNot(w, err)
	for _, r := range all {
		if r.CheckID == checkID {
			return r.State
		}
	}
	return advisor.None
}

func (w *world) result(account, checkID string) advisor.Result {
	w.Helper()
	r, err := w.advisor.Result(w.Context(), who(account), checkID)
	mustNot(w, err)
	return r
}

// listed is what a result says, in short.
func (w *world) listed(account, checkID string) string {
	w.Helper()
	r := w.result(account, checkID)
	if r.Status == check.NotAvailable {
		return "not_available: " + r.Cause
	}
	text := fmt.Sprintf("%s %d/%d/%d/%d", r.Status, r.Processed, r.Flagged, r.Ignored, r.Suppressed)
	for _, row := range r.Rows {
		text += " " + row.Resource + ":" + string(row.Status)
		if row.Suppressed {
			text += ":suppressed"
		}
	}
	return text
}

func (w *world) want(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s: %s, want %s", what, got, want)
	}
}

// rowID is the resource id of the API for a resource that is listed.
func (w *world) rowID(account, checkID, resource string) string {
	w.Helper()
	for _, row := range w.result(account, checkID).Rows {
		if row.Resource == resource {
			return row.ResourceID
		}
	}
	w.Fatalf("check %s does not list %s", checkID, resource)
	return ""
}

func (w *world) collections() int {
	w.aws.mu.Lock()
	defer w.aws.mu.Unlock()
	return len(w.aws.calls)
}

func mustNot(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

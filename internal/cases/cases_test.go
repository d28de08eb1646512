package cases_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/store"
)

const (
	account = "111122223333"
	foreign = "444455556666"
)

// office is a service on a store and a folder of its own, with a clock that
// tests move.
type office struct {
	*cases.Service
	store  *store.Store
	file   string
	folder string

	mu    sync.Mutex
	clock time.Time
}

func mustOpenOffice(t testing.TB) *office {
	t.Helper()
	o := &office{
		file: filepath.Join(t.TempDir(), "test.db"), folder: t.TempDir(),
		clock: time.Date(2026, 3, 14, 15, 9, 26, 535_897_000, time.UTC),
	}
	known, err := catalog.Load()
	if err != nil {
		t.Fatalf("catalog.Load() = %v", err)
	}
	blobs, err := blob.OpenDir(o.folder)
	if err != nil {
		t.Fatalf("OpenDir() = %v", err)
	}
	o.Service = &cases.Service{Blobs: blobs, Catalog: known, Now: o.now}
	o.mustReopen(t)
	t.Cleanup(func() {
		if err := errors.Join(o.store.Close(), blobs.Close()); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	})
	for _, id := range []string{account, foreign} {
		err := o.store.IAM().Update(t.Context(), func(tx iam.Tx) error { return tx.InsertAccount(t.Context(), iam.Account{ID: id}) })
		if err != nil {
			t.Fatalf("InsertAccount(%s) = %v", id, err)
		}
	}
	return o
}

// mustReopen closes the store, if it is open, and opens it again.
func (o *office) mustReopen(t testing.TB) {
	t.Helper()
	if o.store != nil {
		if err := o.store.Close(); err != nil {
			t.Fatalf("Close() = %v", err)
		}
	}
	s, err := store.Open(t.Context(), "sqlite://"+o.file)
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	o.store, o.Store = s, s.Cases()
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.clock
}

func (o *office) pass(d time.Duration) { o.set(o.now().Add(d)) }

func (o *office) set(to time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock = to
}

// plan returns a support plan by its identifier.
func plan(id string) iam.Plan {
	p, err := iam.PlanByID(id)
	if err != nil {
		panic(err)
	}
	return p
}

func alice() iam.Identity {
	return iam.Identity{Account: account, Email: "ops@example.com", Plan: plan("enterprise"), Kind: iam.User, Name: "alice"}
}

// stranger has the same name in another account.
func stranger() iam.Identity {
	who := alice()
	who.Account, who.Email = foreign, "other@example.com"
	return who
}

// unrepeated is the key of a request that cannot be told from another.
func unrepeated() cases.RequestKey { return cases.RequestKey{} }

func question() cases.NewCase { return cases.NewCase{Subject: "Help", Body: "It is broken."} }

func (o *office) mustCreate(t testing.TB, in cases.NewCase) string {
	t.Helper()
	id, err := o.Create(t.Context(), alice(), unrepeated(), in)
	if err != nil {
		t.Fatalf("Create() = %v", err)
	}
	return id
}

func (o *office) reply(t testing.TB, id, body string) error {
	t.Helper()
	return o.Communicate(t.Context(), alice(), unrepeated(), cases.NewCommunication{CaseID: id, Body: body})
}

func (o *office) mustReply(t testing.TB, id, body string) {
	t.Helper()
	if err := o.reply(t, id, body); err != nil {
		t.Fatalf("Communicate(%q) = %v", body, err)
	}
}

func (o *office) mustResolve(t testing.TB, id string) cases.Resolution {
	t.Helper()
	r, err := o.Resolve(t.Context(), alice(), unrepeated(), id)
	if err != nil {
		t.Fatalf("Resolve() = %v", err)
	}
	return r
}

// mustFindOne returns the case with the id as its owner finds it.
func (o *office) mustFindOne(t testing.TB, id string) cases.Listed {
	t.Helper()
	page, err := o.Find(t.Context(), alice(), byID(id))
	if err != nil || len(page.Cases) != 1 {
		t.Fatalf("Find(%s) = %d cases, %v, want 1, nil", id, len(page.Cases), err)
	}
	return page.Cases[0]
}

func byID(ids ...string) cases.Query {
	return cases.Query{IDs: ids, PageQuery: cases.PageQuery{IncludeResolved: true}, Communications: true, Limit: 100}
}

// mustSetStatus does what an agent would.
func (o *office) mustSetStatus(t testing.TB, id string, status cases.Status) {
	t.Helper()
	o.mustUpdate(t, func(ctx context.Context, tx cases.Tx) error {
		c, err := tx.Case(ctx, account, id)
		if err != nil {
			return err
		}
		c.Status, c.ResolvedAt = status, o.now()
		return tx.UpdateCase(ctx, c)
	})
}

func (o *office) mustUpdate(t testing.TB, f func(ctx context.Context, tx cases.Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := o.Store.Update(ctx, account, func(tx cases.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatalf("Update() = %v", err)
	}
}

func wantError(t testing.TB, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s = %v, want %v", call, err, want)
	}
}

// wantFault expects a fault with the code; an empty code means no error.
func wantFault(t testing.TB, call string, err error, code string) {
	t.Helper()
	got := ""
	if f, ok := errors.AsType[*fault.Error](err); ok {
		got = f.Code
	}
	if got != code || (err == nil) != (code == "") {
		t.Errorf("%s = %v, want the fault %q", call, err, code)
	}
}

package iam_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

func TestCreateAccountRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct {
		name   string
		change func(*iam.Account)
		want   string // the code of the fault
	}{
		{"no id", func(a *iam.Account) { a.ID = "" }, "invalid_account"},
		{"eleven digits", func(a *iam.Account) { a.ID = "12345678901" }, "invalid_account"},
		{"thirteen digits", func(a *iam.Account) { a.ID = "1234567890123" }, "invalid_account"},
		{"a letter", func(a *iam.Account) { a.ID = "12345678901a" }, "invalid_account"},
		{"a sign", func(a *iam.Account) { a.ID = "-12345678901" }, "invalid_account"},
		{"digits of another script", func(a *iam.Account) { a.ID = "١٢٣٤٥٦" }, "invalid_account"},
		{"no name", func(a *iam.Account) { a.Name = "" }, "invalid_account"},
		{"a blank name", func(a *iam.Account) { a.Name = " \t" }, "invalid_account"},
		{"a long name", func(a *iam.Account) { a.Name = strings.Repeat("n", 129) }, "invalid_account"},
		{"no e-mail", func(a *iam.Account) { a.Email = "" }, "invalid_account"},
		{"no address", func(a *iam.Account) { a.Email = "owner" }, "invalid_account"},
		{"an address with a name", func(a *iam.Account) { a.Email = "Owner <owner@example.com>" }, "invalid_account"},
		{"two addresses", func(a *iam.Account) { a.Email = "a@example.com, b@example.com" }, "invalid_account"},
		{"a line end in the address", func(a *iam.Account) { a.Email = "a@example.com\n" }, "invalid_account"},
		{"no plan", func(a *iam.Account) { a.Plan = "" }, "unknown_plan"},
		{"another plan", func(a *iam.Account) { a.Plan = "Business" }, "unknown_plan"},
	} {
		a := account(retail)
		tt.change(&a)
		for call, create := range map[string]func() error{
			"CreateAccount":      func() error { _, err := w.CreateAccount(t.Context(), a); return err },
			"CreateFirstAccount": func() error { _, err := w.CreateFirstAccount(t.Context(), a); return err },
		} {
			f, ok := errors.AsType[*fault.Error](create())
			if !ok || f.Code != tt.want || f.Kind != fault.Invalid {
				t.Errorf("%s with %s = %v, want %s", call, tt.name, f, tt.want)
			}
		}
	}
	all, err := w.Accounts(t.Context())
	if err != nil || len(all) != 0 {
		t.Errorf("Accounts() = %v, %v, want none", all, err)
	}
}

func TestCreatedAccountIsReadAsItWasAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, a := range []iam.Account{
		{ID: retail, Name: strings.Repeat("店", 128), Email: "店@example.com", Plan: "enterprise", State: iam.AccountClosed},
		{ID: "000000000000", Name: "N", Email: "a+b@example.com", Plan: "basic"},
	} {
		created, err := w.CreateAccount(t.Context(), a)
		must(t, err)
		want := a
		want.State, want.CreatedAt = iam.AccountActive, w.clock.Now().Truncate(time.Microsecond)
		read, err := w.Account(t.Context(), a.ID)
		must(t, err)
		if !cmp.Equal(created, want) || !cmp.Equal(read, want) {
			t.Errorf("CreateAccount = %+v, Account = %+v, want %+v", created, read, want)
		}
		_, err = w.CreateAccount(t.Context(), a)
		mustBe(t, "CreateAccount again", err, iam.ErrAccountExists)
	}
	all, err := w.Accounts(t.Context())
	must(t, err)
	if len(all) != 2 || all[0].ID != "000000000000" || all[1].ID != retail {
		t.Errorf("Accounts() = %v, want two in the order of their ids", all)
	}
	_, err = w.Account(t.Context(), banking)
	mustBe(t, "Account of none", err, iam.ErrAccountNotFound)
}

func TestUpdateAccountChangesWhatIsNamed(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	want, err := w.Account(t.Context(), retail)
	must(t, err)
	text := func(s string) *string { return &s }
	for _, tt := range []struct {
		change iam.AccountChange
		apply  func()
	}{
		{iam.AccountChange{}, func() {}},
		{iam.AccountChange{Name: text("New")}, func() { want.Name = "New" }},
		{iam.AccountChange{Email: text("new@example.com")}, func() { want.Email = "new@example.com" }},
		{iam.AccountChange{Plan: text("developer")}, func() { want.Plan = "developer" }},
	} {
		tt.apply()
		got, err := w.UpdateAccount(t.Context(), retail, tt.change)
		must(t, err)
		read, err := w.Account(t.Context(), retail)
		must(t, err)
		if !cmp.Equal(got, want) || !cmp.Equal(read, want) {
			t.Errorf("UpdateAccount(%+v) = %+v, then %+v, want %+v", tt.change, got, read, want)
		}
	}
	for _, change := range []iam.AccountChange{{Name: text("")}, {Email: text("none")}, {Plan: text("none")}, {Name: text("Half"), Plan: text("none")}} {
		if _, err := w.UpdateAccount(t.Context(), retail, change); err == nil {
			t.Errorf("UpdateAccount(%+v) = nil, want a fault", change)
		}
	}
	if read, err := w.Account(t.Context(), retail); err != nil || !cmp.Equal(read, want) {
		t.Errorf("after refused changes Account = %+v, %v, want %+v", read, err, want)
	}
	_, err = w.UpdateAccount(t.Context(), banking, iam.AccountChange{})
	mustBe(t, "UpdateAccount of none", err, iam.ErrAccountNotFound)
}

func TestANewPlanCountsFromTheNextRequest(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	key := w.mustKey(t, retail, "")
	if who := w.mustIdentity(t, key); who.Plan.ID != "business" {
		t.Fatalf("plan = %s, want business", who.Plan.ID)
	}
	plan, email := "basic", "new@example.com"
	_, err := w.neighbour(t).UpdateAccount(t.Context(), retail, iam.AccountChange{Plan: &plan, Email: &email})
	must(t, err)
	if who := w.mustIdentity(t, key); who.Plan.ID != plan || who.Email != email {
		t.Errorf("after UpdateAccount plan and e-mail = %s, %s, want %s, %s", who.Plan.ID, who.Email, plan, email)
	}
}

func TestClosedAccountKeepsItsDataAndLetsNobodyIn(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.mustAccount(t, banking)
	root, alice := w.mustKey(t, retail, ""), w.mustUser(t, retail, "alice")
	session, other := w.mustSession(t, retail, "Ops", "jane"), w.mustKey(t, banking, "")
	for _, key := range []iam.NewKey{root, alice, session, other} {
		accepts(t, w.Service, "before", key, nil)
	}
	closed, err := w.neighbour(t).CloseAccount(t.Context(), retail)
	must(t, err)
	if closed.State != iam.AccountClosed {
		t.Errorf("CloseAccount = %+v, want it closed", closed)
	}
	for _, key := range []iam.NewKey{root, alice, session} {
		accepts(t, w.Service, "after CloseAccount", key, iam.ErrUnknownKey)
	}
	accepts(t, w.Service, "another account", other, nil)

	ctx := t.Context()
	for call, attempt := range map[string]func() error{
		"CloseAccount":  func() error { _, err := w.CloseAccount(ctx, retail); return err },
		"UpdateAccount": func() error { _, err := w.UpdateAccount(ctx, retail, iam.AccountChange{}); return err },
		"CreateUser":    func() error { _, err := w.CreateUser(ctx, retail, "bob", nil); return err },
		"CreateRole":    func() error { _, err := w.CreateRole(ctx, retail, "Dev", nil); return err },
		"CreateKey":     func() error { _, err := w.CreateKey(ctx, retail, "alice"); return err },
		"CreateSession": func() error { _, err := w.CreateSession(ctx, retail, "Ops", "joe", time.Hour); return err },
		"PutPolicy":     func() error { return w.PutPolicy(ctx, retail, "P", readPolicy) },
	} {
		mustBe(t, call+" of a closed account", attempt(), iam.ErrAccountClosed)
	}
	users, err := w.Principals(ctx, retail, iam.User)
	must(t, err)
	keys, err := w.Keys(ctx, retail)
	must(t, err)
	if len(users) != 1 || len(keys) != 3 {
		t.Errorf("a closed account has %d users and %d keys, want 1 and 3 as before", len(users), len(keys))
	}
	_, err = w.CloseAccount(ctx, "999999999999")
	mustBe(t, "CloseAccount of none", err, iam.ErrAccountNotFound)
}

func TestFirstAccountComesWithARootKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, err := w.CreateFirstAccount(t.Context(), account(retail))
	must(t, err)
	who := w.mustIdentity(t, *key)
	if who.Kind != iam.Root || who.Account != retail || key.Temporary() {
		t.Errorf("the first key is of %+v, want the root of %s", who, retail)
	}
	for _, id := range []string{retail, banking} {
		if key, err := w.CreateFirstAccount(t.Context(), account(id)); key != nil || err != nil {
			t.Errorf("CreateFirstAccount(%s) in a store with an account = %v, %v, want nothing", id, key, err)
		}
	}
	keys, err := w.Keys(t.Context(), retail)
	must(t, err)
	if all, err := w.Accounts(t.Context()); err != nil || len(all) != 1 || len(keys) != 1 {
		t.Errorf("accounts %v, %v, keys %d, want one account with one key", all, err, len(keys))
	}
}

// Many processes start on an empty folder at once; one of them makes the account.
func TestFirstAccountIsCreatedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	services := []*iam.Service{w.Service, w.neighbour(t), w.neighbour(t)}
	var made [12]*iam.NewKey
	var errs [12]error
	var group sync.WaitGroup
	for i := range made {
		group.Go(func() { made[i], errs[i] = services[i%len(services)].CreateFirstAccount(t.Context(), account(retail)) })
	}
	group.Wait()
	must(t, errors.Join(errs[:]...))
	n := 0
	for _, key := range made {
		if key != nil {
			n++
			w.mustIdentity(t, *key)
		}
	}
	keys, err := w.Keys(t.Context(), retail)
	must(t, err)
	if n != 1 || len(keys) != 1 {
		t.Errorf("%d callers got a key and the account has %d, want one", n, len(keys))
	}
}

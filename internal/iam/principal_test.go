package iam_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/iam"
)

func TestNamesOfUsersRolesAndSessions(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	_, err := w.CreateRole(t.Context(), retail, "Any", nil)
	must(t, err)
	create := map[string]func(name string) error{
		"CreateUser": func(name string) error { _, err := w.CreateUser(t.Context(), retail, name, nil); return err },
		"CreateRole": func(name string) error { _, err := w.CreateRole(t.Context(), retail, name, nil); return err },
		"CreateSession": func(name string) error {
			_, err := w.CreateSession(t.Context(), retail, "Any", name, time.Hour)
			return err
		},
	}
	for call, with := range create {
		for _, name := range []string{"a", "Z9", "jane.doe@example.com", "_+=,.@-", strings.Repeat("n", 64)} {
			if err := with(name); err != nil {
				t.Errorf("%s(%q) = %v, want nil", call, name, err)
			}
		}
		for _, name := range []string{"", strings.Repeat("n", 65), "a b", "a/b", "a:b", "a*", "ä", "a\x00", "a\n", "\xff", "${aws:username}", `a"b`} {
			if err := with(name); err == nil || !strings.Contains(err.Error(), " name ") {
				t.Errorf("%s(%q) = %v, want an invalid name", call, name, err)
			}
		}
	}
}

func TestCreatePrincipal(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	must(t, w.PutPolicy(t.Context(), retail, "Own", readPolicy))
	policies := []string{"arn:aws:iam::aws:policy/ReadOnlyAccess", "Own", "AWSSupportAccess", "Own"}
	for _, tt := range []struct {
		kind   iam.PrincipalKind
		create func(name string) (iam.Principal, error)
		prefix string
	}{
		{iam.User, func(name string) (iam.Principal, error) { return w.CreateUser(t.Context(), retail, name, policies) }, "AIDA"},
		{iam.Role, func(name string) (iam.Principal, error) { return w.CreateRole(t.Context(), retail, name, policies) }, "AROA"},
	} {
		got, err := tt.create("same")
		must(t, err)
		want := iam.Principal{
			Account: retail, Kind: tt.kind, Name: "same", ID: got.ID,
			Policies: []string{"AWSSupportAccess", "Own", "ReadOnlyAccess"}, CreatedAt: w.clock.Now().Truncate(time.Microsecond),
		}
		all, err := w.Principals(t.Context(), retail, tt.kind)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("create %s (-want +got):\n%s", tt.kind, diff)
		}
		if diff := cmp.Diff([]iam.Principal{want}, all); diff != "" {
			t.Errorf("Principals(%s) (-want +got):\n%s", tt.kind, diff)
		}
		if !strings.HasPrefix(got.ID, tt.prefix) || len(got.ID) != 20 {
			t.Errorf("id of a %s = %q, want %s and 16 characters", tt.kind, got.ID, tt.prefix)
		}
		if want := "arn:aws:iam::" + retail + ":" + string(tt.kind) + "/same"; got.ARN() != want {
			t.Errorf("ARN() = %q, want %q", got.ARN(), want)
		}
		_, err = tt.create("same")
		mustBe(t, "the same name again", err, iam.ErrPrincipalExists)
	}
}

func TestAPrincipalThatCannotBeIsNotLeftBehind(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	_, err := w.CreateUser(t.Context(), retail, "alice", []string{"ReadOnlyAccess", "none"})
	mustBe(t, "CreateUser with an unknown policy", err, iam.ErrPolicyNotFound)
	_, err = w.CreateUser(t.Context(), banking, "alice", nil)
	mustBe(t, "CreateUser of no account", err, iam.ErrAccountNotFound)
	users, err := w.Principals(t.Context(), retail, iam.User)
	if err != nil || len(users) != 0 {
		t.Errorf("Principals = %v, %v, want none", users, err)
	}
	_, err = w.Principals(t.Context(), banking, iam.User)
	mustBe(t, "Principals of no account", err, iam.ErrAccountNotFound)
}

func TestDeletingAUserEndsItsKeys(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.mustAccount(t, banking)
	alice, second := w.mustUser(t, retail, "alice", "AWSSupportAccess"), w.mustKey(t, retail, "alice")
	bob, namesake := w.mustUser(t, retail, "bob"), w.mustUser(t, banking, "alice")
	session := w.mustSession(t, retail, "alice", "jane") // a role of the same name
	all := []iam.NewKey{alice, second, bob, namesake, session}
	for _, key := range all {
		accepts(t, w.Service, "before", key, nil)
	}
	must(t, w.neighbour(t).DeletePrincipal(t.Context(), retail, iam.User, "alice"))
	for i, want := range []error{iam.ErrUnknownKey, iam.ErrUnknownKey, nil, nil, nil} {
		accepts(t, w.Service, "after DeletePrincipal", all[i], want)
	}
	mustBe(t, "DeletePrincipal again", w.DeletePrincipal(t.Context(), retail, iam.User, "alice"), iam.ErrPrincipalNotFound)

	// A new user of the same name has neither the keys nor the policies.
	again, err := w.CreateUser(t.Context(), retail, "alice", nil)
	must(t, err)
	if len(again.Policies) != 0 {
		t.Errorf("policies of the new user = %v, want none", again.Policies)
	}
	accepts(t, w.Service, "after CreateUser", alice, iam.ErrUnknownKey)

	must(t, w.DeletePrincipal(t.Context(), retail, iam.Role, "alice"))
	accepts(t, w.Service, "after its role is gone", session, iam.ErrUnknownKey)
}

func TestPrincipalsAreListedByName(t *testing.T) {
	t.Parallel()
	w := newRetail(t)
	w.mustAccount(t, banking)
	for _, name := range []string{"carol", "alice", "bob"} {
		w.mustUser(t, retail, name)
		w.mustUser(t, banking, "other-"+name)
	}
	users, err := w.Principals(t.Context(), retail, iam.User)
	must(t, err)
	var names []string
	for _, u := range users {
		names = append(names, u.Name)
	}
	if want := []string{"alice", "bob", "carol"}; !slices.Equal(names, want) {
		t.Errorf("Principals = %v, want %v", names, want)
	}
}

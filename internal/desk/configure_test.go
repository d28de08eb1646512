package desk_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
)

func (o *office) mustPutTeam(t *testing.T, id string) desk.Team {
	t.Helper()
	made, err := o.PutTeam(t.Context(), desk.Operator(), desk.Team{ID: id, Name: "Team " + id})
	if err != nil {
		t.Fatalf("PutTeam(%s) = %v", id, err)
	}
	return made
}

func TestWhatIsSetUpIsCheckedAndSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	who := desk.Operator()
	o.mustOpenAccount(t)
	if _, err := o.PutCalendar(ctx, who, newCalendar("berlin")); err != nil {
		t.Fatal(err)
	}
	team := func(change func(*desk.Team)) error {
		v := desk.Team{ID: "billing", Name: "Billing", Services: []string{"general-info"}, Languages: []string{"en"}, Accounts: []string{"111122223333"}}
		change(&v)
		_, err := o.PutTeam(ctx, who, v)
		return err
	}
	macro := func(change func(*desk.Macro)) error {
		v := desk.Macro{ID: "hello", Name: "Hello", Body: "Hello {{case.displayId}}.", Note: "said hello", Status: "resolved", AddTags: []string{"greeted"}}
		change(&v)
		_, err := o.PutMacro(ctx, who, v)
		return err
	}
	calendar := func(change func(*desk.Calendar)) error {
		v := newCalendar("berlin")
		change(&v)
		_, err := o.PutCalendar(ctx, who, v)
		return err
	}
	promise := func(change func(*desk.Promise)) error {
		v := desk.Promise{ID: "enterprise.critical", FirstResponseMinutes: 15, NextResponseMinutes: 60, ResolutionMinutes: 240, Calendar: "berlin"}
		change(&v)
		_, err := o.PutPromise(ctx, who, v)
		return err
	}
	settings := func(change func(*desk.Settings)) error {
		v := desk.DefaultSettings()
		change(&v)
		_, err := o.PutSettings(ctx, who, v)
		return err
	}
	for _, row := range []struct {
		err  error
		text string // empty: nothing is wrong
	}{
		{team(func(*desk.Team) {}), ""},
		{team(func(v *desk.Team) { v.ID = "Billing" }), `"Billing"`},
		{team(func(v *desk.Team) { v.ID = "-" }), "hyphen"},
		{team(func(v *desk.Team) { v.Name = "" }), "name of the team"},
		{team(func(v *desk.Team) { v.Services = []string{"nothing"} }), `"nothing"`},
		{team(func(v *desk.Team) { v.Languages = []string{"xx"} }), "xx"},
		{team(func(v *desk.Team) { v.Accounts = []string{"999999999999"} }), "999999999999"},

		{macro(func(*desk.Macro) {}), ""},
		{macro(func(v *desk.Macro) { v.Status = "keep" }), ""},
		{macro(func(v *desk.Macro) { v.Name = "" }), "name of the macro"},
		{macro(func(v *desk.Macro) { v.Status = "unassigned" }), `"unassigned"`},
		{macro(func(v *desk.Macro) { v.Body = strings.Repeat("é", 8001) }), "8000"},
		{macro(func(v *desk.Macro) { v.Body = strings.Repeat("é", 8000) }), ""},
		{macro(func(v *desk.Macro) { v.Note = "a\x00" }), "NUL"},
		{macro(func(v *desk.Macro) { v.AddTags = []string{"a,b"} }), "tag"},
		{macro(func(v *desk.Macro) { v.AddTags = slices.Collect(manyTags) }), "20 tags"},
		{macro(func(v *desk.Macro) { *v = desk.Macro{ID: "hello", Name: "Hello"} }), "does something"},

		{calendar(func(*desk.Calendar) {}), ""},
		{calendar(func(v *desk.Calendar) { v.Name = "" }), "name of the calendar"},
		{calendar(func(v *desk.Calendar) { v.Zone = "Europe/Atlantis" }), "Europe/Atlantis"},
		{calendar(func(v *desk.Calendar) { v.Hours = map[string][]string{"mon": {"17:00-09:00"}} }), "17:00-09:00"},
		{calendar(func(v *desk.Calendar) { v.Hours = map[string][]string{"someday": {"09:00-17:00"}} }), "someday"},
		{calendar(func(v *desk.Calendar) { v.Holidays = map[string]string{"2026-02-30": "Never"} }), "2026-02-30"},

		{calendar(func(v *desk.Calendar) { v.Holidays["2026-12-25"] = strings.Repeat("x", 129) }), "name of a holiday"},
		{calendar(func(v *desk.Calendar) { v.Holidays = manyHolidays() }), "1000 holidays"},
		{calendar(func(v *desk.Calendar) { v.Hours["mon"] = make([]string, 25) }), "24 intervals"},

		{promise(func(*desk.Promise) {}), ""},
		{promise(func(v *desk.Promise) { v.ID, v.Calendar = "any.low", "" }), ""},
		{promise(func(v *desk.Promise) { v.ID, v.Calendar = "any.low", "business-hours" }), ""},
		{promise(func(v *desk.Promise) { v.ID = "" }), "PLAN.SEVERITY"},
		{promise(func(v *desk.Promise) { v.ID = "platinum.low" }), "platinum"},
		{promise(func(v *desk.Promise) { v.ID = "business.someday" }), "someday"},
		{promise(func(v *desk.Promise) { v.FirstResponseMinutes = -1 }), "minutes"},
		{promise(func(v *desk.Promise) { v.ResolutionMinutes = 365*24*60 + 1 }), "minutes"},
		{promise(func(v *desk.Promise) { v.Calendar = "nowhere" }), `"nowhere"`},

		{settings(func(*desk.Settings) {}), ""},
		{settings(func(v *desk.Settings) { v.ProviderName = "" }), "provider"},
		{settings(func(v *desk.Settings) { v.WarnPercent = 0 }), "percent"},
		{settings(func(v *desk.Settings) { v.WarnPercent = 100 }), "percent"},
		{settings(func(v *desk.Settings) { v.BreachingMinutes = 0 }), "minutes"},
		{settings(func(v *desk.Settings) { v.DefaultReplyStatus = "done" }), `"done"`},
	} {
		switch {
		case row.text == "" && row.err != nil:
			t.Errorf("what is right = %v, want nil", row.err)
		case row.text != "" && (!errors.Is(row.err, desk.ErrInvalid) || !strings.Contains(row.err.Error(), row.text)):
			t.Errorf("what is wrong = %v, want ErrInvalid with %q", row.err, row.text)
		}
	}
}

func manyTags(yield func(string) bool) {
	for c := 'a'; c <= 'u' && yield(string(c)); c++ { // 21 of them
	}
}

func manyHolidays() map[string]string {
	all := map[string]string{}
	for date := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); len(all) <= 1000; date = date.AddDate(0, 0, 1) {
		all[date.Format(time.DateOnly)] = "Closed"
	}
	return all
}

func TestWhatIsNeededIsNotDeleted(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	who := desk.Operator()
	o.mustPutTeam(t, "billing")
	jane := newAgent("jane", desk.RoleAgent)
	jane.Teams = []string{"billing"}
	jane, err := o.CreateAgent(ctx, who, jane)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.DeleteTeam(ctx, who, "billing"); !errors.Is(err, desk.ErrConflict) || !strings.Contains(err.Error(), jane.ID) {
		t.Errorf("DeleteTeam(with an agent) = %v, want ErrConflict that names %s", err, jane.ID)
	}
	jane.Teams = nil
	if _, err := o.UpdateAgent(ctx, who, jane); err != nil {
		t.Fatal(err)
	}
	if err := o.DeleteTeam(ctx, who, "billing"); err != nil {
		t.Errorf("DeleteTeam(empty) = %v, want nil", err)
	}

	if _, err := o.PutCalendar(ctx, who, newCalendar("berlin")); err != nil {
		t.Fatal(err)
	}
	if _, err := o.PutPromise(ctx, who, desk.Promise{ID: "any.low", Calendar: "berlin"}); err != nil {
		t.Fatal(err)
	}
	if err := o.DeleteCalendar(ctx, who, "berlin"); !errors.Is(err, desk.ErrConflict) || !strings.Contains(err.Error(), "any.low") {
		t.Errorf("DeleteCalendar(of a promise) = %v, want ErrConflict that names any.low", err)
	}
	for what, remove := range map[string]func() error{
		"promise": func() error { return o.DeletePromise(ctx, who, "nothing") }, "macro": func() error { return o.DeleteMacro(ctx, who, "nothing") },
		"team": func() error { return o.DeleteTeam(ctx, who, "nothing") }, "calendar": func() error { return o.DeleteCalendar(ctx, who, "nothing") },
	} {
		if err := remove(); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("delete of a %s that is not there = %v, want ErrNotFound", what, err)
		}
	}
	if err := errors.Join(o.DeletePromise(ctx, who, "any.low"), o.DeleteCalendar(ctx, who, "berlin")); err != nil {
		t.Errorf("DeleteCalendar(after its promise) = %v, want nil", err)
	}
}

func TestTeamWithOpenCasesIsNotDeleted(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	o.mustPutTeam(t, "billing")
	o.mustPutTeam(t, "network")
	id := o.mustOpenCase(t, o.mustOpenAccount(t))
	must[desk.Item](t)(o.Assign(ctx, desk.Operator(), id, desk.Assignment{Team: "billing"}))
	if err := o.DeleteTeam(ctx, desk.Operator(), "billing"); !errors.Is(err, desk.ErrConflict) || !strings.Contains(err.Error(), id) {
		t.Errorf("DeleteTeam(with a case) = %v, want ErrConflict that names %s", err, id)
	}
	if err := o.DeleteTeam(ctx, desk.Operator(), "network"); err != nil {
		t.Errorf("DeleteTeam(without) = %v, want nil", err)
	}
	must[desk.Item](t)(o.SetStatus(ctx, desk.Operator(), id, "resolved", ""))
	if err := o.DeleteTeam(ctx, desk.Operator(), "billing"); err != nil {
		t.Errorf("DeleteTeam(whose case is resolved) = %v, want nil", err)
	}
}

func TestPutAndDeleteNeedTheVersionSeen(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	put := func(version int64) error {
		who := desk.Operator()
		who.IfVersion = version
		_, err := o.PutTeam(ctx, who, desk.Team{ID: "billing", Name: "Billing"})
		return err
	}
	remove := func(version int64) error {
		who := desk.Operator()
		who.IfVersion = version
		return o.DeleteTeam(ctx, who, "billing")
	}
	for i, row := range []struct {
		do      func(int64) error
		version int64
		want    error
	}{
		{put, 1, desk.ErrChanged},
		{put, desk.NoVersion, nil}, // makes version 1
		{put, desk.NoVersion, desk.ErrChanged},
		{put, 1, nil},
		{put, 1, desk.ErrChanged},
		{remove, 1, desk.ErrChanged},
		{put, 0, nil}, // version 3
		{remove, 3, nil},
		{put, 3, desk.ErrChanged},
	} {
		if err := row.do(row.version); !errors.Is(err, row.want) {
			t.Errorf("step %d with version %d = %v, want %v", i, row.version, err, row.want)
		}
	}
}

func TestSettingsAreDefaultUntilTheyAreSet(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	got, err := o.Settings(t.Context(), desk.Operator())
	if diff := cmp.Diff(desk.DefaultSettings(), got); diff != "" || err != nil {
		t.Errorf("Settings() = %v (-want +got):\n%s", err, diff)
	}
	want := desk.Settings{ProviderName: "Example Cloud", WarnPercent: 50, BreachingMinutes: 30, DefaultReplyStatus: "work-in-progress"}
	if _, err := o.PutSettings(t.Context(), desk.Operator(), want); err != nil {
		t.Fatalf("PutSettings() = %v", err)
	}
	want.Version = 1
	got, err = o.Settings(t.Context(), desk.Operator())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Settings() after PutSettings = %v (-want +got):\n%s", err, diff)
	}
}

func TestNewPromiseHoldsForTheNextCase(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	customer := o.mustOpenAccount(t)
	o.mustOpenCase(t, customer) // by the promise of the plan, which is known from then on
	if _, err := o.PutPromise(ctx, desk.Operator(), desk.Promise{ID: "business.low", FirstResponseMinutes: 7}); err != nil {
		t.Fatal(err)
	}
	id := o.mustOpenCase(t, customer)
	got, err := o.Case(ctx, desk.Operator(), id)
	if want := o.clock.Add(7 * time.Minute); err != nil || !got.Due.Equal(want) {
		t.Errorf("Case(%s) is due %v, %v, want %v as promised", id, got.Due, err, want)
	}
}

func (o *office) mustOpenAccount(t *testing.T) iam.Identity {
	t.Helper()
	a, err := o.IAM.CreateAccount(t.Context(), iam.Account{ID: "111122223333", Name: "Retail", Email: "ops@example.com", Plan: "business"})
	if err != nil {
		t.Fatalf("CreateAccount() = %v", err)
	}
	plan, err := iam.PlanByID(a.Plan)
	if err != nil {
		t.Fatal(err)
	}
	return iam.Identity{Account: a.ID, Plan: plan, Kind: iam.Root, ID: a.ID, Email: a.Email}
}

func (o *office) mustOpenCase(t *testing.T, customer iam.Identity) string {
	t.Helper()
	id, err := o.Cases.Create(t.Context(), customer, cases.RequestKey{}, cases.NewCase{Subject: "Bill", Body: "Too high.", SeverityCode: "low"})
	if err != nil {
		t.Fatalf("Create() = %v", err)
	}
	return id
}

func TestClocksAreCountedAgainAfterAChangeOfTheRules(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	who := desk.Operator()
	for what, change := range map[string]func(o *office) error{
		"settings": func(o *office) error { _, err := o.PutSettings(ctx, who, desk.DefaultSettings()); return err },
		"promise":  func(o *office) error { _, err := o.PutPromise(ctx, who, desk.Promise{ID: "any.low"}); return err },
		"calendar": func(o *office) error { _, err := o.PutCalendar(ctx, who, newCalendar("berlin")); return err },
	} {
		o := newOffice(t)
		if err := change(o); err != nil {
			t.Fatalf("change of %s = %v", what, err)
		}
		if got := o.jobKinds(t); !slices.Contains(got, desk.RecountJob) {
			t.Errorf("after a change of %s there are the jobs %v, want %s", what, got, desk.RecountJob)
		}
	}
	o := newOffice(t)
	o.mustPutTeam(t, "billing")
	if got := o.jobKinds(t); len(got) != 0 {
		t.Errorf("after a change of a team there are the jobs %v, want none", got)
	}
}

func (o *office) jobKinds(t *testing.T) (kinds []string) {
	t.Helper()
	err := o.store.Jobs().View(t.Context(), func(tx jobs.Tx) error {
		all, err := tx.Jobs(t.Context(), jobs.Filter{}, 100)
		kinds = nil
		for _, job := range all {
			kinds = append(kinds, job.Kind)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return kinds
}

func TestDocumentWithoutAnIDGetsOne(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	team, errTeam := o.PutTeam(ctx, desk.Operator(), desk.Team{Name: "Billing"})
	macro, errMacro := o.PutMacro(ctx, desk.Operator(), desk.Macro{Name: "Hello", Body: "Hello."})
	unnamed := newCalendar("")
	calendar, errCalendar := o.PutCalendar(ctx, desk.Operator(), unnamed)
	if err := errors.Join(errTeam, errMacro, errCalendar); err != nil {
		t.Fatal(err)
	}
	if team.Services == nil || team.Languages == nil || team.Accounts == nil || macro.AddTags == nil {
		t.Errorf("PutTeam() = %#v, PutMacro() = %#v, want empty lists, which are not null in JSON", team, macro)
	}
	for prefix, id := range map[string]string{"team-": team.ID, "macro-": macro.ID, "calendar-": calendar.ID} {
		if !strings.HasPrefix(id, prefix) {
			t.Errorf("the id is %q, want %s…", id, prefix)
		}
	}
}

package desk_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

const hour = time.Hour

// find returns the subjects of all pages of a query.
func (f *floor) find(t *testing.T, who desk.Caller, q desk.Query) []string {
	t.Helper()
	subjects := []string{}
	for range 100 {
		page := must[desk.Page](t)(f.Find(t.Context(), who, q))
		for _, i := range page.Items {
			subjects = append(subjects, i.Subject)
		}
		if page.Next == nil {
			return subjects
		}
		q.After = *page.Next
	}
	t.Fatalf("Find(%+v) has no end", q)
	return nil
}

func (f *floor) findSorted(t *testing.T, who desk.Caller, q desk.Query) []string {
	t.Helper()
	found := f.find(t, who, q)
	slices.Sort(found)
	return found
}

func TestViewsAndFilters(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	f.team(t, desk.Team{ID: "disks"})
	f.team(t, desk.Team{ID: "bills"})
	ann := f.hire(t, desk.Agent{Name: "ann", Teams: []string{"disks"}})
	bob := f.agent(t, "bob")
	ec2 := cases.NewCase{ServiceCode: "amazon-elastic-compute-cloud-linux", SeverityCode: "normal"}
	open := func(subject, account string, in cases.NewCase) string {
		in.Subject = subject
		return f.open(t, account, in)
	}
	open("new", retail, cases.NewCase{})
	anns := open("anns", retail, ec2)
	bobs := open("bobs", finance, cases.NewCase{Language: "ja"})
	done := open("done", retail, cases.NewCase{})
	must[desk.Item](t)(f.Claim(ctx, ann, anns))
	must[desk.Replied](t)(f.Reply(ctx, bob, bobs, desk.NewReply{Body: "x"}))
	must[desk.Item](t)(f.Assign(ctx, desk.Operator(), bobs, desk.Assignment{Team: "disks"}))
	must[desk.Item](t)(f.Tag(ctx, ann, anns, []string{"vip"}, nil))
	must[desk.Item](t)(f.Claim(ctx, bob, done))
	must[desk.Item](t)(f.SetStatus(ctx, bob, done, "resolved", ""))
	for _, test := range []struct {
		who  desk.Caller
		q    desk.Query
		want []string
	}{
		{ann, desk.Query{}, []string{"anns", "bobs", "new"}},
		{ann, desk.Query{View: desk.ViewOpen}, []string{"anns", "bobs", "new"}},
		{ann, desk.Query{View: desk.ViewAll}, []string{"anns", "bobs", "done", "new"}},
		{ann, desk.Query{View: desk.ViewUnassigned}, []string{"new"}},
		{ann, desk.Query{View: desk.ViewMine}, []string{"anns"}},
		{bob, desk.Query{View: desk.ViewMine}, []string{"bobs"}},
		{ann, desk.Query{View: desk.ViewTeam}, []string{"bobs"}},
		{bob, desk.Query{View: desk.ViewTeam}, []string{}},
		{ann, desk.Query{View: desk.ViewWaiting}, []string{"bobs"}},
		{ann, desk.Query{Severity: "normal"}, []string{"anns"}},
		{ann, desk.Query{Service: ec2.ServiceCode}, []string{"anns"}},
		{ann, desk.Query{Account: finance}, []string{"bobs"}},
		{ann, desk.Query{Language: "ja"}, []string{"bobs"}},
		{ann, desk.Query{Tag: " VIP"}, []string{"anns"}},
		{ann, desk.Query{Status: "opened"}, []string{"anns"}},
		{ann, desk.Query{Status: "resolved"}, []string{}},
		{ann, desk.Query{View: desk.ViewAll, Status: "resolved"}, []string{"done"}},
		{ann, desk.Query{View: desk.ViewWaiting, Status: "opened"}, []string{}},
		{ann, desk.Query{Assignee: bob.Agent.ID}, []string{"bobs"}},
		{ann, desk.Query{View: desk.ViewMine, Assignee: bob.Agent.ID}, []string{}},
		{ann, desk.Query{View: desk.ViewUnassigned, Assignee: bob.Agent.ID}, []string{}},
		{ann, desk.Query{Team: "disks"}, []string{"bobs"}},
		{ann, desk.Query{View: desk.ViewTeam, Team: "bills"}, []string{}},
		{ann, desk.Query{View: desk.ViewAll, Account: retail, Text: "anns"}, []string{"anns"}},
		{ann, desk.Query{Account: finance, Text: "anns"}, []string{}},
	} {
		if diff := cmp.Diff(test.want, f.findSorted(t, test.who, test.q)); diff != "" {
			t.Errorf("Find(%+v) by %s (-want +got):\n%s", test.q, test.who.Agent.Name, diff)
		}
	}
	_, err := f.Find(ctx, ann, desk.Query{View: "nonsense"})
	wantFault(t, "Find(unknown view)", err, desk.ErrInvalid)
	_, err = f.Find(ctx, ann, desk.Query{Limit: 201})
	wantFault(t, "Find(201 a page)", err, desk.ErrInvalid)

	want := []desk.ViewCount{
		{View: desk.ViewUnassigned, Count: 1},
		{View: desk.ViewMine, Count: 1},
		{View: desk.ViewTeam, Count: 1},
		{View: desk.ViewWaiting, Count: 1},
		{View: desk.ViewBreaching, Count: 0},
		{View: desk.ViewOpen, Count: 3},
		{View: desk.ViewAll, Count: 4},
	}
	if diff := cmp.Diff(want, must[[]desk.ViewCount](t)(f.Views(ctx, ann))); diff != "" {
		t.Errorf("Views() (-want +got):\n%s", diff)
	}
}

func TestBreachingHasWhatIsOverdueAndWhatSoonWillBe(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ann := f.agent(t, "ann")
	f.open(t, retail, cases.NewCase{Subject: "in an hour", SeverityCode: "urgent"})
	f.open(t, retail, cases.NewCase{Subject: "in four hours", SeverityCode: "high"})
	f.open(t, retail, cases.NewCase{Subject: "in a quarter", SeverityCode: "critical"})
	answered := f.open(t, retail, cases.NewCase{Subject: "answered", SeverityCode: "critical"})
	must[desk.Replied](t)(f.Reply(t.Context(), ann, answered, desk.NewReply{Body: "x"}))
	breaching := desk.Query{View: desk.ViewBreaching}
	if diff := cmp.Diff([]string{"in a quarter"}, f.find(t, ann, breaching)); diff != "" {
		t.Errorf("an hour before (-want +got):\n%s", diff)
	}
	f.pass(30 * time.Minute)
	if err := f.Wake(t.Context()); err != nil {
		t.Fatalf("Wake() = %v", err)
	}
	if diff := cmp.Diff([]string{"in a quarter", "in an hour"}, f.find(t, ann, breaching)); diff != "" {
		t.Errorf("half an hour later (-want +got):\n%s", diff)
	}
}

func TestSearchFindsWordsIDsAndAccounts(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	ann := f.agent(t, "ann")
	disk := f.open(t, retail, cases.NewCase{Subject: "Disk", Body: "The volume vol-0abc123 is full, Größe 5"})
	f.open(t, finance, cases.NewCase{Subject: "Bill", Body: "Too high."})
	f.open(t, finance, cases.NewCase{Subject: "接続できない", Body: "助けてください"})
	must[desk.Replied](t)(f.Reply(ctx, ann, disk, desk.NewReply{Body: "Bought a bigger one."}))
	must[desk.Item](t)(f.Note(ctx, ann, disk, "The customer is hasty."))
	for text, want := range map[string][]string{
		"disk":                   {"Disk"},
		"FULL volume":            {"Disk"},
		"full bigger":            {}, // in two communications
		"vol-0abc123":            {"Disk"},
		"0abc123":                {"Disk"},
		"grosse":                 {"Disk"},
		"bigger":                 {"Disk"},
		"hasty":                  {}, // notes are no texts
		"high":                   {"Bill"},
		"接続":                     {"接続できない"},
		"nothing":                {},
		"?!":                     {},
		disk:                     {"Disk"},
		f.see(t, disk).DisplayID: {"Disk"},
		retail:                   {"Disk"},
		finance:                  {"Bill", "接続できない"},
		"999999999999":           {},
	} {
		if diff := cmp.Diff(want, f.findSorted(t, ann, desk.Query{Text: text})); diff != "" {
			t.Errorf("Find(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestPagesOfQueuesAndSearchesAreInTheOrderOfUrgency(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	severities := []string{"low", "urgent", "normal", "critical", "high"}
	for n := range 35 {
		f.pass(7 * time.Minute)
		f.open(t, []string{retail, finance}[n%2], cases.NewCase{Subject: fmt.Sprint("common ", n), SeverityCode: severities[n%5]})
	}
	all := must[desk.Page](t)(f.Find(t.Context(), desk.Operator(), desk.Query{Limit: 200}))
	if !slices.IsSortedFunc(all.Items, func(a, b desk.Item) int { return a.Due.Compare(b.Due) }) || len(all.Items) != 35 || all.Next != nil {
		t.Errorf("Find() = %d items, which should be 35 and the most urgent first", len(all.Items))
	}
	var want []string
	for _, i := range all.Items {
		want = append(want, i.Subject)
	}
	for _, q := range []desk.Query{{Limit: 1}, {Limit: 6}, {Limit: 6, Text: "common"}, {Limit: 35, Text: "COMMON"}, {Limit: 34, Text: "common"}} {
		if diff := cmp.Diff(want, f.find(t, desk.Operator(), q)); diff != "" {
			t.Errorf("all pages of Find(%+v) (-want +got):\n%s", q, diff)
		}
	}
}

func TestSearchFiltersAsTheQueuesDo(t *testing.T) {
	t.Parallel()
	onBothEngines(t, searchAndFilter)
}

func searchAndFilter(t *testing.T, f *floor) {
	ctx := t.Context()
	f.team(t, desk.Team{ID: "disks"})
	ann := f.hire(t, desk.Agent{Name: "ann", Teams: []string{"disks"}})
	for n := range 24 {
		f.pass(10 * time.Minute)
		id := f.open(t, []string{retail, finance}[n%2], cases.NewCase{Subject: fmt.Sprint("common ", n), SeverityCode: []string{"low", "high", "urgent"}[n%3]})
		if n%3 == 0 {
			must[desk.Item](t)(f.Assign(ctx, desk.Operator(), id, desk.Assignment{Agent: ann.Agent.ID, Team: "disks"}))
		}
		if n%4 == 0 {
			must[desk.Item](t)(f.Tag(ctx, ann, id, []string{"vip"}, nil))
		}
		if n%5 == 0 {
			must[desk.Item](t)(f.SetStatus(ctx, ann, id, []string{"resolved", "pending-customer-action"}[n%2], ""))
		}
	}
	for _, view := range desk.AllViews() {
		for _, q := range []desk.Query{{}, {Severity: "urgent"}, {Account: finance}, {Tag: "vip"}, {Status: "resolved"}, {Status: "pending-customer-action"}, {Team: "disks"}, {Assignee: ann.Agent.ID}, {Language: "ja"}} {
			q.View = view
			want := f.find(t, ann, q)
			q.Text = "common"
			if diff := cmp.Diff(want, f.find(t, ann, q)); diff != "" {
				t.Errorf("Find(%+v) differs from the same without a text:\n%s", q, diff)
			}
		}
	}
}

package desk_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/clock/clocktest"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/store/pgtest"
)

const (
	retail  = "111122223333"
	finance = "444455556666"
)

// floor is a desk where agents work, with two customers and a clock that tests move.
type floor struct {
	*desk.Service
	clock *clocktest.Clock
}

func openFloor(t testing.TB) *floor {
	t.Helper()
	return openFloorOn(t, newFile(t))
}

func openFloorOn(t testing.TB, url string) *floor {
	t.Helper()
	blobs, err := blob.OpenDir(t.TempDir())
	if err != nil {
		t.Fatalf("OpenDir() = %v", err)
	}
	t.Cleanup(func() {
		if err := blobs.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	f := &floor{clock: clocktest.At(monday())}
	f.Service, _ = openDesk(t, url, f.clock.Now)
	f.Cases.Blobs, f.Cases.Limits = blobs, cases.AWSLimits()
	for id, name := range map[string]string{retail: "Retail", finance: "Finance"} {
		a := iam.Account{ID: id, Name: name, Email: name + "@example.com", Plan: "enterprise"}
		if _, err := f.IAM.CreateAccount(t.Context(), a); err != nil {
			t.Fatalf("CreateAccount(%s) = %v", id, err)
		}
	}
	return f
}

func (f *floor) pass(d time.Duration) { f.clock.Advance(d) }

// hire adds an agent and returns the agent as a caller.
func (f *floor) hire(t testing.TB, a desk.Agent) desk.Caller {
	t.Helper()
	a.Active = true
	if a.Role == "" {
		a.Role = desk.RoleAgent
	}
	if a.Email == "" {
		a.Email = a.Name + "@desk.example"
	}
	made, err := f.CreateAgent(t.Context(), desk.Operator(), a)
	if err != nil {
		t.Fatalf("CreateAgent(%s) = %v", a.Name, err)
	}
	return desk.Caller{Agent: made, Allowed: made.Role.Permissions()}
}

func (f *floor) agent(t *testing.T, name string) desk.Caller {
	t.Helper()
	return f.hire(t, desk.Agent{Name: name})
}

func (f *floor) lead(t *testing.T, name string) desk.Caller {
	t.Helper()
	return f.hire(t, desk.Agent{Name: name, Role: desk.RoleLead})
}

func (f *floor) team(t testing.TB, team desk.Team) {
	t.Helper()
	if team.Name == "" {
		team.Name = team.ID
	}
	if _, err := f.PutTeam(t.Context(), desk.Operator(), team); err != nil {
		t.Fatalf("PutTeam(%s) = %v", team.ID, err)
	}
}

// customer is a user of an account.
func customer(account string) iam.Identity {
	plan, err := iam.PlanByID("enterprise")
	if err != nil {
		panic(err)
	}
	return iam.Identity{Account: account, Email: "ops@example.com", Plan: plan, Kind: iam.User, Name: "alice"}
}

// open is a customer opening a case.
func (f *floor) open(t *testing.T, account string, in cases.NewCase) string {
	t.Helper()
	if in.Subject == "" {
		in.Subject = "Help"
	}
	if in.Body == "" {
		in.Body = "It is broken."
	}
	id, err := f.Cases.Create(t.Context(), customer(account), cases.RequestKey{}, in)
	if err != nil {
		t.Fatalf("Create(%s) = %v", in.Subject, err)
	}
	return id
}

func (f *floor) say(t *testing.T, id, body string) {
	t.Helper()
	err := f.Cases.Communicate(t.Context(), customer(id[5:17]), cases.RequestKey{}, cases.NewCommunication{CaseID: id, Body: body})
	if err != nil {
		t.Fatalf("Communicate(%s) = %v", id, err)
	}
}

// see returns a case as agents see it.
func (f *floor) see(t *testing.T, ref string) desk.Detail {
	t.Helper()
	d, err := f.Case(t.Context(), desk.Operator(), ref)
	if err != nil {
		t.Fatalf("Case(%s) = %v", ref, err)
	}
	return d
}

// must is for calls that a story takes for granted.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("got error %v", err)
		}
		return v
	}
}

// wantFault checks that a call was refused for the reason.
func wantFault(t *testing.T, call string, err error, want *fault.Error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s = %v, want %s", call, err, want.Code)
	}
}

func TestCaseIsFoundByItsIDAndItsDisplayID(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	id := f.open(t, retail, cases.NewCase{Subject: "Disk full"})
	d := f.see(t, id)
	if d.Case.Subject != "Disk full" || d.CaseID != id || d.Account != retail || d.Status != cases.Unassigned {
		t.Errorf("Case(%s) = %+v, want the case", id, d)
	}
	if diff := cmp.Diff(d, f.see(t, d.DisplayID)); diff != "" {
		t.Errorf("Case(display id) differs from Case(id) (-id +display id):\n%s", diff)
	}
	for _, ref := range []string{"", "123", "case-111122223333-muen-2026-0000000000000000", "case-x", "case-999999999999-muen-2026-00"} {
		_, err := f.Case(t.Context(), desk.Operator(), ref)
		wantFault(t, fmt.Sprintf("Case(%q)", ref), err, desk.ErrNotFound)
		_, err = f.Note(t.Context(), desk.Operator(), ref, "x")
		wantFault(t, fmt.Sprintf("Note(%q)", ref), err, desk.ErrNotFound)
	}
}

func TestDisplayIDOfSeveralAccountsIsAConflictThatNamesTheCases(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	first, second := f.open(t, retail, cases.NewCase{}), f.open(t, finance, cases.NewCase{})
	taken := f.see(t, first).DisplayID
	err := f.Store.Update(t.Context(), finance, func(tx desk.Tx) error {
		c, err := tx.Case(t.Context(), finance, second)
		if err != nil {
			return err
		}
		if err := tx.DeleteCase(t.Context(), finance, second); err != nil {
			return err
		}
		c.DisplayID = taken
		return tx.InsertCase(t.Context(), c)
	})
	if err != nil {
		t.Fatalf("Update() = %v", err)
	}
	_, err = f.Case(t.Context(), desk.Operator(), taken)
	wantFault(t, "Case(shared display id)", err, desk.ErrConflict)
	want := fmt.Sprintf("Several cases have the display id %s: %s, %s. Use the case id.", taken, first, second)
	if err.Error() != want {
		t.Errorf("Case(shared display id) = %q, want %q", err, want)
	}
}

func TestTwoAgentsClaimACaseAndOneGetsIt(t *testing.T) {
	t.Parallel()
	onBothEngines(t, twoClaim)
}

// onBothEngines runs a story about what the engines do in different ways.
func onBothEngines(t *testing.T, story func(*testing.T, *floor)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		story(t, openFloor(t))
	})
	t.Run("Postgres", func(t *testing.T) {
		t.Parallel()
		story(t, openFloorOn(t, pgtest.Database(t)))
	})
}

func twoClaim(t *testing.T, f *floor) {
	id := f.open(t, retail, cases.NewCase{})
	ann, bob := f.agent(t, "ann"), f.agent(t, "bob")
	refused := make([]error, 2)
	var both sync.WaitGroup
	for i, who := range []desk.Caller{ann, bob} {
		both.Go(func() { _, refused[i] = f.Claim(t.Context(), who, id) })
	}
	both.Wait()
	won := slices.Index(refused, nil)
	if won < 0 || !errors.Is(refused[1-won], desk.ErrConflict) {
		t.Fatalf("Claim() by two agents = %v, want one ErrConflict", refused)
	}
	winner := []desk.Caller{ann, bob}[won]
	d := f.see(t, id)
	if d.Assignee != winner.Agent.ID || d.Status != cases.Opened {
		t.Errorf("the case is %s's and %s, want %s's and opened", d.Assignee, d.Status, winner.Agent.ID)
	}
	again := must[desk.Item](t)(f.Claim(t.Context(), winner, id))
	if again.Version != d.Version {
		t.Errorf("Claim() of an own case made version %d of %d, want no change", again.Version, d.Version)
	}
}

func TestWhoMayAssignWhat(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ann, bob, lead := f.agent(t, "ann"), f.agent(t, "bob"), f.lead(t, "lead")
	gone := f.agent(t, "gone")
	gone.Agent.Active = false
	must[desk.Agent](t)(f.UpdateAgent(t.Context(), desk.Operator(), gone.Agent))
	f.team(t, desk.Team{ID: "disks"})
	anns, bobs := ann.Agent.ID, bob.Agent.ID
	for _, test := range []struct {
		name string
		has  string
		who  desk.Caller
		to   desk.Assignment
		want *fault.Error // nil: allowed
		gets string
	}{
		{"an agent takes a free case", "", ann, desk.Assignment{Agent: anns}, nil, anns},
		{"an agent gives a case back", anns, ann, desk.Assignment{Release: true}, nil, ""},
		{"an agent takes another's case", bobs, ann, desk.Assignment{Agent: anns}, desk.ErrDenied, bobs},
		{"an agent gives another's case back", bobs, ann, desk.Assignment{Release: true}, desk.ErrDenied, bobs},
		{"an agent gives a case to another", anns, ann, desk.Assignment{Agent: bobs}, desk.ErrDenied, anns},
		{"an agent gives a case to a team", anns, ann, desk.Assignment{Team: "disks"}, desk.ErrDenied, anns},
		{"an agent asks for the next one", anns, ann, desk.Assignment{Next: true}, desk.ErrDenied, anns},
		{"a lead takes an agent's case", anns, lead, desk.Assignment{Agent: bobs}, nil, bobs},
		{"a lead gives an agent's case back", anns, lead, desk.Assignment{Release: true}, nil, ""},
		{"a lead gives a case to a team", anns, lead, desk.Assignment{Team: "disks"}, nil, anns},
		{"a lead gives a case to nobody in a team", anns, lead, desk.Assignment{Team: "disks", Release: true}, nil, ""},
		{"somebody who is not active", "", lead, desk.Assignment{Agent: gone.Agent.ID}, desk.ErrConflict, ""},
		{"somebody unknown", "", lead, desk.Assignment{Agent: "agent-x"}, desk.ErrInvalid, ""},
		{"an unknown team", "", lead, desk.Assignment{Team: "x"}, desk.ErrInvalid, ""},
		{"nothing said", "", lead, desk.Assignment{}, desk.ErrInvalid, ""},
		{"too much said", "", lead, desk.Assignment{Agent: anns, Release: true}, desk.ErrInvalid, ""},
		{"nobody has room", "", lead, desk.Assignment{Next: true}, desk.ErrConflict, ""},
	} {
		f.pass(time.Hour) // so that the customer may open a case again
		id := f.open(t, retail, cases.NewCase{})
		if test.has != "" {
			must[desk.Item](t)(f.Assign(t.Context(), desk.Operator(), id, desk.Assignment{Agent: test.has}))
		}
		_, err := f.Assign(t.Context(), test.who, id, test.to)
		if test.want == nil && err != nil {
			t.Errorf("%s: Assign() = %v, want nil", test.name, err)
		}
		if test.want != nil {
			wantFault(t, test.name+": Assign()", err, test.want)
		}
		d := f.see(t, id)
		if d.Assignee != test.gets {
			t.Errorf("%s: the case is %q's, want %q's", test.name, d.Assignee, test.gets)
		}
		if err == nil && test.to.Team != d.Team {
			t.Errorf("%s: the case is with team %q, want %q", test.name, d.Team, test.to.Team)
		}
	}
}

func TestAuditorsReadAndDoNothing(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	id := f.open(t, retail, cases.NewCase{})
	other := f.open(t, retail, cases.NewCase{})
	before := f.see(t, id)
	auditor := f.hire(t, desk.Agent{Name: "auditor", Role: desk.RoleAuditor})
	if _, err := f.Case(ctx, auditor, id); err != nil {
		t.Errorf("Case() by an auditor = %v, want nil", err)
	}
	for name, try := range map[string]func() error{
		"Claim": func() error { _, err := f.Claim(ctx, auditor, id); return err },
		"Assign": func() error {
			_, err := f.Assign(ctx, auditor, id, desk.Assignment{Agent: auditor.Agent.ID})
			return err
		},
		"Reply":       func() error { _, err := f.Reply(ctx, auditor, id, desk.NewReply{Body: "x"}); return err },
		"SetStatus":   func() error { _, err := f.SetStatus(ctx, auditor, id, "resolved", ""); return err },
		"Note":        func() error { _, err := f.Note(ctx, auditor, id, "x"); return err },
		"Tag":         func() error { _, err := f.Tag(ctx, auditor, id, []string{"x"}, nil); return err },
		"SetSeverity": func() error { _, err := f.SetSeverity(ctx, auditor, id, "high", "x"); return err },
		"Link":        func() error { _, err := f.Link(ctx, auditor, id, other); return err },
		"Unlink":      func() error { _, err := f.Unlink(ctx, auditor, id, other); return err },
		"Merge":       func() error { _, err := f.Merge(ctx, auditor, id, other); return err },
		"Unmerge":     func() error { _, err := f.Unmerge(ctx, auditor, id); return err },
		"ApplyMacro":  func() error { _, err := f.ApplyMacro(ctx, auditor, id, "x", nil); return err },
		"OpenFor": func() error {
			_, err := f.OpenFor(ctx, auditor, retail, cases.NewCase{Subject: "x", Body: "x"}, nil)
			return err
		},
		"ReplyFor":    func() error { _, err := f.ReplyFor(ctx, auditor, id, "x", nil); return err },
		"SetPresence": func() error { _, err := f.SetPresence(ctx, auditor, id, true); return err },
		"Leave":       func() error { return f.Leave(ctx, auditor, id) },
	} {
		wantFault(t, name+"() by an auditor", try(), desk.ErrDenied)
	}
	if diff := cmp.Diff(before, f.see(t, id)); diff != "" {
		t.Errorf("the case changed (-before +after):\n%s", diff)
	}
	if _, err := f.Find(ctx, desk.Caller{}, desk.Query{}); !errors.Is(err, desk.ErrDenied) {
		t.Errorf("Find() by nobody = %v, want ErrDenied", err)
	}
}

func TestEveryChangeIsAuditedWithBeforeAndAfter(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ann := f.agent(t, "ann")
	ann.TokenID, ann.RequestID = "token-1", "request-1"
	id := f.open(t, retail, cases.NewCase{})
	must[desk.Item](t)(f.Claim(t.Context(), ann, id))
	must[desk.Item](t)(f.Tag(t.Context(), ann, id, []string{"VIP"}, nil))
	must[desk.Item](t)(f.Tag(t.Context(), ann, id, []string{"vip"}, nil)) // changes nothing
	must[desk.Item](t)(f.SetStatus(t.Context(), ann, id, "work-in-progress", ""))
	log := must[[]desk.Entry](t)(f.Entries(t.Context(), desk.Operator(), desk.EntryQuery{Subject: id}, 10))
	slices.Reverse(log)
	if diff := cmp.Diff([]string{"case.claim", "case.tag", "case.status"}, actions(log)); diff != "" {
		t.Fatalf("the audit log's actions (-want +got):\n%s", diff)
	}
	for _, e := range log {
		if e.Agent != ann.Agent.ID || e.TokenID != "token-1" || e.RequestID != "request-1" || e.Account != retail || !e.At.Equal(f.clock.Now()) {
			t.Errorf("entry %s = %+v, want it to say who, when and where", e.Action, e)
		}
	}
	var before, after struct {
		Assignee string
		Status   string
	}
	mustDecode(t, log[0].Before, &before)
	mustDecode(t, log[0].After, &after)
	if before.Assignee != "" || before.Status != "unassigned" || after.Assignee != ann.Agent.ID || after.Status != "opened" {
		t.Errorf("case.claim: before %+v, after %+v", before, after)
	}
}

func TestChangeOfWhatTheCallerDidNotSeeIsRefused(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ann, bob := f.agent(t, "ann"), f.agent(t, "bob")
	id := f.open(t, retail, cases.NewCase{})
	bob.IfVersion = f.see(t, id).Version
	must[desk.Replied](t)(f.Reply(t.Context(), ann, id, desk.NewReply{Body: "On it."}))
	_, err := f.Reply(t.Context(), bob, id, desk.NewReply{Body: "Me, too."})
	wantFault(t, "Reply() with a version from before another reply", err, desk.ErrChanged)
	_, err = f.Tag(t.Context(), bob, id, []string{"x"}, nil)
	wantFault(t, "Tag() with an old version", err, desk.ErrChanged)
	bob.IfVersion = f.see(t, id).Version
	if _, err := f.Reply(t.Context(), bob, id, desk.NewReply{Body: "Now I saw it."}); err != nil {
		t.Errorf("Reply() with the present version = %v, want nil", err)
	}
}

func TestRequestThatComesTwiceAtOnceIsDoneOnce(t *testing.T) {
	t.Parallel()
	onBothEngines(t, replyFourTimes)
}

func replyFourTimes(t *testing.T, f *floor) {
	ann := f.agent(t, "ann")
	id := f.open(t, retail, cases.NewCase{})
	ann.Once = desk.Repeatable{Key: "k1", Hash: [32]byte{1}}
	in := desk.NewReply{Body: "Once.", Files: []cases.File{{Name: "a.txt", Data: []byte("a")}}}
	answers, errs := make([]desk.Replied, 4), make([]error, 4)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i], errs[i] = f.Reply(t.Context(), ann, id, in) })
	}
	all.Wait()
	for i := range answers {
		if errs[i] != nil {
			t.Fatalf("Reply() = %v", errs[i])
		}
		if diff := cmp.Diff(answers[0], answers[i]); diff != "" {
			t.Errorf("answers to one request differ:\n%s", diff)
		}
	}
	if got := len(f.see(t, id).Communications); got != 2 {
		t.Errorf("the case has %d communications, want 2", got)
	}
	ann.Once.Hash = [32]byte{2}
	_, err := f.Reply(t.Context(), ann, id, desk.NewReply{Body: "Another."})
	wantFault(t, "Reply() with a used key", err, desk.ErrKeyReused)
}

func TestTagsAreFoldedAndBounded(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ann := f.agent(t, "ann")
	id := f.open(t, retail, cases.NewCase{})
	i := must[desk.Item](t)(f.Tag(t.Context(), ann, id, []string{"VIP", " needs  Vendor ", "vip"}, nil))
	if diff := cmp.Diff([]string{"needs-vendor", "vip"}, i.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	i = must[desk.Item](t)(f.Tag(t.Context(), ann, id, []string{"b"}, []string{"Vip", "unknown"}))
	if diff := cmp.Diff([]string{"b", "needs-vendor"}, i.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(f.see(t, id).Item, i); diff != "" {
		t.Errorf("Tag() differs from what is kept (-kept +got):\n%s", diff)
	}
	var many []string
	for n := range 19 {
		many = append(many, fmt.Sprint("t", n))
	}
	for name, tags := range map[string][]string{
		"21 tags": many, "an empty tag": {" "}, "51 characters": {fmt.Sprintf("%051d", 1)}, "a comma": {"a,b"}, "a control character": {"a\x00"}, "bad UTF-8": {"\xff"},
	} {
		_, err := f.Tag(t.Context(), ann, id, tags, nil)
		wantFault(t, "Tag("+name+")", err, desk.ErrInvalid)
	}
	if _, err := f.Tag(t.Context(), ann, id, many[:18], nil); err != nil {
		t.Errorf("Tag(20 tags) = %v, want nil", err)
	}
	if _, err := f.Tag(t.Context(), ann, id, []string{fmt.Sprintf("%050d", 1)}, []string{"b"}); err != nil {
		t.Errorf("Tag(50 characters) = %v, want nil", err)
	}
}

func TestSeverityChangesWithinThePlanAndForAReason(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ann := f.agent(t, "ann")
	id := f.open(t, retail, cases.NewCase{})
	_, err := f.SetSeverity(t.Context(), ann, id, "urgent", " ")
	wantFault(t, "SetSeverity() without a reason", err, desk.ErrInvalid)
	_, err = f.SetSeverity(t.Context(), ann, id, "extreme", "It burns.")
	wantFault(t, "SetSeverity(extreme)", err, cases.ErrUnknownSeverity)
	i := must[desk.Item](t)(f.SetSeverity(t.Context(), ann, id, "urgent", "It burns."))
	if i.Severity != "urgent" || f.see(t, id).Case.SeverityCode != "urgent" {
		t.Errorf("severity = %s, of the case %s, want urgent", i.Severity, f.see(t, id).Case.SeverityCode)
	}
	last := lastLine(t, f, id)
	if last.Event != "severity" || last.Actor != ann.Agent.ID || text(t, last.Detail) != `{"from":"low","to":"urgent","reason":"It burns."}` {
		t.Errorf("last line of the timeline = %+v %s", last, text(t, last.Detail))
	}
}

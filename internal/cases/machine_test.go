package cases_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// The two tests do whatever customers, agents and the housekeeping can do, in
// any order, and expect of the service what a world in memory answers. More
// than the default: go test -run AnyOrder -rapid.checks=2000 -rapid.steps=60

func TestAnyOrderOfCallsIsAnsweredAsDocumentedOnSQLite(t *testing.T) {
	t.Parallel()
	checkAnyOrder(t, "sqlite://"+filepath.Join(t.TempDir(), "test.db"))
}

func TestAnyOrderOfCallsIsAnsweredAsDocumentedOnPostgres(t *testing.T) {
	t.Parallel()
	checkAnyOrder(t, pgtest.Database(t))
}

func checkAnyOrder(t *testing.T, url string) {
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("Open() = %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	known, err := catalog.Load()
	if err != nil {
		t.Fatalf("catalog.Load() = %v", err)
	}
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		m := newMachine(rt, s, known, runs)
		rt.Repeat(map[string]func(*rapid.T){
			"":            m.compareLists,
			"create":      m.create,
			"communicate": m.communicate,
			"resolve":     m.resolve,
			"add":         m.add,
			"repeat":      m.repeat,
			"assign":      m.assign,
			"look":        m.look,
			"keep house":  m.keepHouse,
			"pass":        m.pass,
			"pass to":     m.passTo,
		})
		m.compareEverything(rt)
	})
}

// machine acts on a service and on a world alike. Every run of it has accounts
// of its own.
type machine struct {
	service *cases.Service
	witness *witness
	shelf   *shelf
	world   *world
	callers []iam.Identity

	requests []request
	cursors  []place
}

// request is what a client may send again.
type request struct {
	who        iam.Identity
	invocation string
	send       func(rt *rapid.T, who iam.Identity, key cases.RequestKey)
	operation  string
}

// place is where a walk through cases goes on.
type place struct {
	account string
	query   cases.Query
}

func newMachine(rt *rapid.T, s *store.Store, known *catalog.Catalog, run int) *machine {
	m := &machine{shelf: &shelf{}, world: newWorld(time.Date(2027, 1, 31, 22, 30, 0, 123_456_000, time.UTC))}
	number := func(n int) string { return fmt.Sprintf("%d%011d", n, run) }
	identity := func(n int, plan iam.Plan, kind iam.PrincipalKind, name, session string) iam.Identity {
		return iam.Identity{Account: number(n), Email: fmt.Sprintf("ops%d@example.com", n), Plan: plan, Kind: kind, Name: name, Session: session}
	}
	m.callers = []iam.Identity{
		identity(1, plan("enterprise"), iam.User, "alice", ""),
		identity(1, plan("enterprise"), iam.Role, "AdminRole", "jane"),
		identity(2, plan("business"), iam.User, "alice", ""),
		identity(3, plan("developer"), iam.Root, "", ""),
	}
	m.witness = &witness{Store: s.Cases(), accounts: m.accounts()}
	for _, id := range m.accounts() {
		err := s.IAM().Update(rt.Context(), func(tx iam.Tx) error { return tx.InsertAccount(rt.Context(), iam.Account{ID: id}) })
		if err != nil {
			rt.Fatalf("InsertAccount(%s) = %v", id, err)
		}
	}
	limits := rapid.SampledFrom([]cases.Limits{{}, {CasesPerHour: 2, AttachmentSetsPer10m: 1}}).Draw(rt, "limits")
	months := rapid.SampledFrom([]int{0, 1, 6}).Draw(rt, "retention")
	m.service = &cases.Service{
		Store: m.witness, Blobs: m.shelf, Catalog: known, Now: func() time.Time { return m.world.now },
		Limits: limits, RetentionMonths: months,
	}
	m.world.limits = limits
	if months > 0 {
		m.world.months = months
	}
	return m
}

func (m *machine) accounts() (ids []string) {
	for _, who := range m.callers {
		if !slices.Contains(ids, who.Account) {
			ids = append(ids, who.Account)
		}
	}
	return ids
}

// The actions. Each draws its arguments, acts and compares the answers.

func (m *machine) create(rt *rapid.T) {
	in := cases.NewCase{
		Subject:          oddly(rt, "subject", []string{"Help", ""}, "two\nlines"),
		Body:             m.body(rt),
		ServiceCode:      oddly(rt, "service", []string{"", "general-info", "alexa-services", "service-quicksight-end-user"}, "teapots"),
		SeverityCode:     rapid.SampledFrom([]string{"", "low", "normal", "normal", "urgent", "critical"}).Draw(rt, "severity"),
		IssueType:        oddly(rt, "issue type", []string{"", "technical", "customer-service"}, "gossip"),
		Language:         oddly(rt, "language", []string{"", "en", "ja", "ko"}, "tlh"),
		CCEmailAddresses: m.addresses(rt),
	}
	in.CategoryCode = rapid.SampledFrom([]string{"", "", "", "using-aws", "apis"}).Draw(rt, "category")
	who := m.caller(rt)
	in.AttachmentSetID = m.setToTake(rt, who)
	m.sendCreate(rt, who, in)
}

func (m *machine) sendCreate(rt *rapid.T, who iam.Identity, in cases.NewCase) {
	m.send(rt, "CreateCase", who, func(rt *rapid.T, who iam.Identity, key cases.RequestKey) {
		id, err := m.service.Create(rt.Context(), who, key, in)
		if !m.settle(rt, fmt.Sprintf("Create(%s, %+v)", name(who), in), who, key, id, err, m.world.refusalsOfCreate(who, in)) {
			return
		}
		m.world.remember(who, key, id)
		m.meet(rt, who, m.world.create(who, in, id))
	})
}

// meet learns the display id of a new case.
func (m *machine) meet(rt *rapid.T, who iam.Identity, c *knownCase) {
	if form := fmt.Sprintf(`^case-%s-muen-%d-[0-9a-f]{16}$`, c.Account, m.world.now.Year()); !regexp.MustCompile(form).MatchString(c.ID) {
		rt.Errorf("Create() = %q, want the form %s", c.ID, form)
	}
	page, err := m.service.Find(rt.Context(), who, byID(c.ID))
	if err != nil || len(page.Cases) != 1 {
		rt.Fatalf("Find(%s) = %d cases, %v, want the one that was created", c.ID, len(page.Cases), err)
	}
	c.DisplayID = page.Cases[0].DisplayID
	if !regexp.MustCompile(`^[1-9][0-9]{14}$`).MatchString(c.DisplayID) {
		rt.Errorf("display id %q, want 15 digits", c.DisplayID)
	}
	for _, other := range m.world.cases {
		if other != c && other.Account == c.Account && other.DisplayID == c.DisplayID {
			rt.Errorf("cases %s and %s have the same display id, %s", c.ID, other.ID, c.DisplayID)
		}
	}
}

func (m *machine) communicate(rt *rapid.T) {
	who := m.caller(rt)
	in := cases.NewCommunication{
		CaseID: m.caseID(rt, who), Body: m.body(rt), CCEmailAddresses: m.addresses(rt), AttachmentSetID: m.setToTake(rt, who),
	}
	m.sendCommunication(rt, who, in)
	if rapid.IntRange(0, 5).Draw(rt, "impatient") == 0 {
		in.AttachmentSetID = ""
		for range cases.RecentCommunications {
			m.sendCommunication(rt, who, in)
		}
	}
}

func (m *machine) sendCommunication(rt *rapid.T, who iam.Identity, in cases.NewCommunication) {
	m.send(rt, "AddCommunicationToCase", who, func(rt *rapid.T, who iam.Identity, key cases.RequestKey) {
		err := m.service.Communicate(rt.Context(), who, key, in)
		if !m.settle(rt, fmt.Sprintf("Communicate(%s, %+v)", name(who), in), who, key, struct{}{}, err, m.world.refusalsOfCommunication(who, in)) {
			return
		}
		m.world.remember(who, key, struct{}{})
		m.world.communicate(who, in)
	})
}

func (m *machine) resolve(rt *rapid.T) {
	who := m.caller(rt)
	m.sendResolve(rt, who, m.caseID(rt, who))
}

func (m *machine) sendResolve(rt *rapid.T, who iam.Identity, id string) {
	m.send(rt, "ResolveCase", who, func(rt *rapid.T, who iam.Identity, key cases.RequestKey) {
		got, err := m.service.Resolve(rt.Context(), who, key, id)
		call := fmt.Sprintf("Resolve(%s, %s)", name(who), id)
		var refusals []string
		if m.world.caseOf(who.Account, id) == nil {
			refusals = []string{"case_not_found"}
		}
		if !m.settle(rt, call, who, key, got, err, refusals) {
			return
		}
		want := m.world.resolve(who, id)
		m.world.remember(who, key, want)
		same(rt, call, want, got)
	})
}

func (m *machine) add(rt *rapid.T) {
	who := m.caller(rt)
	setID := m.setToTake(rt, who)
	var files []cases.File
	for _, text := range rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "ü"}), 0, 4).Draw(rt, "files") {
		files = append(files, cases.File{Name: oddly(rt, "file name", []string{"a.log", "b.log"}, "../c.log", ""), Data: []byte(text)})
	}
	m.sendFiles(rt, who, setID, files)
}

func (m *machine) sendFiles(rt *rapid.T, who iam.Identity, setID string, files []cases.File) {
	m.send(rt, "AddAttachmentsToSet", who, func(rt *rapid.T, who iam.Identity, key cases.RequestKey) {
		m.witness.heard = nil
		got, err := m.service.AddAttachments(rt.Context(), who, key, setID, files)
		call := fmt.Sprintf("AddAttachments(%s, %q, %q)", name(who), setID, files)
		if !m.settle(rt, call, who, key, got, err, m.world.refusalsOfFiles(who, setID, files)) {
			return
		}
		if setID != "" && setID != got.ID || setID == "" && m.world.set(who.Account, got.ID) != nil {
			rt.Fatalf("%s = %+v, want the set it names or a new one", call, got)
		}
		if len(m.witness.heard) != len(files) {
			rt.Fatalf("%s keeps %d files, want %d", call, len(m.witness.heard), len(files))
		}
		want := m.world.addFiles(who, got.ID, files, m.witness.heard)
		m.world.remember(who, key, want)
		same(rt, call, want, got)
	})
}

// send sends a request, mostly with a key, and remembers it to repeat it.
func (m *machine) send(rt *rapid.T, operation string, who iam.Identity, send func(*rapid.T, iam.Identity, cases.RequestKey)) {
	r := request{who: who, operation: operation, send: send}
	if rapid.IntRange(0, 3).Draw(rt, "key") > 0 {
		r.invocation = fmt.Sprint(len(m.requests))
	}
	m.requests = append(m.requests, r)
	r.send(rt, who, r.key(who))
}

func (r request) key(who iam.Identity) cases.RequestKey {
	return cases.NewRequestKey(who, r.operation, r.invocation, sha256.Sum256([]byte(r.operation)))
}

// repeat sends a request again, as clients do that saw no answer, and now and
// then as somebody else.
func (m *machine) repeat(rt *rapid.T) {
	if len(m.requests) == 0 {
		rt.Skip("nothing was requested")
	}
	r := recent(rt, "request", m.requests)
	who := r.who
	if rapid.IntRange(0, 4).Draw(rt, "by another") == 0 {
		who = m.caller(rt)
	}
	if first, ok := m.world.answers[answerKey{r.who.Account, r.key(r.who)}]; ok && rapid.IntRange(0, 3).Draw(rt, "late") == 0 {
		// As late as an answer is kept, or later.
		end := first.at.Add(24*time.Hour + time.Duration(rapid.IntRange(-1, 1).Draw(rt, "microseconds"))*time.Microsecond)
		if !end.Before(m.world.now) {
			m.set(rt, end)
		}
		m.purge(rt)
	}
	rt.Logf("again, request %s %s of %s:", r.operation, r.invocation, name(r.who))
	r.send(rt, who, r.key(who))
}

// settle compares how a request ended, and reports whether it had an effect.
func (m *machine) settle(rt *rapid.T, call string, who iam.Identity, key cases.RequestKey, got any, err error, refusals []string) bool {
	rt.Logf("%s = %v, %v", call, got, err)
	if first, ok := m.world.answered(who, key); ok {
		if err != nil {
			rt.Fatalf("%s repeated = %v, want the first answer", call, err)
		}
		same(rt, call+" repeated", first, got)
		return false
	}
	wantOneOf(rt, call, err, refusals)
	return err == nil
}

func wantOneOf(rt *rapid.T, call string, err error, codes []string) {
	if err == nil && len(codes) == 0 {
		return
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || !slices.Contains(codes, f.Code) {
		rt.Fatalf("%s = %v, want a fault of %q, nil if there is none", call, err, codes)
	}
}

// look does one of the calls that change nothing.
func (m *machine) look(rt *rapid.T) {
	switch rapid.SampledFrom([]string{"find", "find", "find", "find on", "communications", "attachment"}).Draw(rt, "look") {
	case "find":
		for range 3 {
			m.find(rt)
		}
	case "find on":
		m.findOn(rt)
	case "communications":
		m.page(rt)
	case "attachment":
		m.read(rt)
	}
}

func (m *machine) read(rt *rapid.T) {
	if len(m.witness.all) == 0 || rapid.IntRange(0, 9).Draw(rt, "known") == 0 {
		m.compareFile(rt, m.caller(rt), rapid.SampledFrom(unknown("attachment")).Draw(rt, "unknown attachment"))
		return
	}
	m.compareFile(rt, m.caller(rt), recent(rt, "attachment", m.witness.all))
}

func (m *machine) compareFile(rt *rapid.T, who iam.Identity, id string) {
	got, err := m.service.Attachment(rt.Context(), who, id)
	call := fmt.Sprintf("Attachment(%s, %.30s…)", name(who), id)
	want, ok := m.world.file(who.Account, id)
	if !ok {
		wantOneOf(rt, call, err, []string{"attachment_not_found"})
		return
	}
	wantOneOf(rt, call, err, nil)
	same(rt, call, want, got)
}

// find asks for a page of cases with any filters.
func (m *machine) find(rt *rapid.T) {
	who := m.caller(rt)
	q := cases.Query{
		PageQuery: cases.PageQuery{
			TimeRange: m.times(rt), Language: rapid.SampledFrom([]string{"", "", "", "en", "ja", "tlh", "en\x00"}).Draw(rt, "language"),
			DisplayID: m.displayID(rt), IncludeResolved: rapid.Bool().Draw(rt, "resolved"),
		},
		Communications: rapid.Bool().Draw(rt, "communications"),
		Limit:          rapid.SampledFrom([]int{1, 2, 3, 100}).Draw(rt, "limit"),
	}
	if rapid.IntRange(0, 2).Draw(rt, "by id") == 0 {
		for range rapid.IntRange(1, 4).Draw(rt, "ids") {
			q.IDs = append(q.IDs, m.caseID(rt, who))
		}
	}
	m.compareFind(rt, who, q)
}

// findOn asks for the page after one that was found, perhaps a long time ago.
func (m *machine) findOn(rt *rapid.T) {
	if len(m.cursors) == 0 {
		rt.Skip("no page has a next one")
	}
	from := recent(rt, "page", m.cursors)
	m.compareFind(rt, m.callerOf(from.account), from.query)
}

func (m *machine) compareFind(rt *rapid.T, who iam.Identity, q cases.Query) {
	got, err := m.service.Find(rt.Context(), who, q)
	call := fmt.Sprintf("Find(%s, %+v)", name(who), q)
	want, unknown := m.world.find(who.Account, q)
	if unknown != nil {
		wantOneOf(rt, call, err, []string{"case_not_found"})
		named := func(id string) bool {
			return err.Error() == fmt.Sprintf("The requested case ID %q could not be found.", id)
		}
		if !slices.ContainsFunc(unknown, named) {
			rt.Errorf("%s = %v, want one of %q in it and nothing else of them", call, err, unknown)
		}
		return
	}
	wantOneOf(rt, call, err, nil)
	same(rt, call, want, got)
	if want.Next != nil {
		q.From = *want.Next
		m.cursors = append(m.cursors, place{who.Account, q})
	}
}

func (m *machine) page(rt *rapid.T) {
	who := m.caller(rt)
	m.comparePage(rt, who, cases.CommunicationsQuery{
		CaseID: m.caseID(rt, who), TimeRange: m.times(rt), OlderThan: rapid.Int64Range(0, 7).Draw(rt, "older than"),
		Limit: rapid.SampledFrom([]int{1, 2, 3, 100}).Draw(rt, "limit"),
	})
}

func (m *machine) comparePage(rt *rapid.T, who iam.Identity, q cases.CommunicationsQuery) {
	got, err := m.service.Communications(rt.Context(), who, q)
	call := fmt.Sprintf("Communications(%s, %+v)", name(who), q)
	want, ok := m.world.communications(who.Account, q)
	if !ok {
		wantOneOf(rt, call, err, []string{"case_not_found"})
		return
	}
	wantOneOf(rt, call, err, nil)
	same(rt, call, want, got)
}

// assign does what an agent would, of whom the service knows nothing yet.
func (m *machine) assign(rt *rapid.T) {
	who := m.caller(rt)
	c := m.world.caseOf(who.Account, m.caseID(rt, who))
	if c == nil || c.Status == cases.Resolved {
		rt.Skip("no case to work on")
	}
	to := rapid.SampledFrom([]cases.Status{cases.Opened, cases.WorkInProgress, cases.PendingCustomerAction}).Draw(rt, "status")
	err := m.service.Store.Update(rt.Context(), c.Account, func(tx cases.Tx) error {
		stored, err := tx.Case(rt.Context(), c.Account, c.ID)
		if err != nil {
			return err
		}
		stored.Status = to
		return tx.UpdateCase(rt.Context(), stored)
	})
	if err != nil {
		rt.Fatalf("Update(%s) = %v", c.ID, err)
	}
	rt.Logf("an agent makes %s %s", c.ID, to)
	c.Status = to
}

// keepHouse does a part of the housekeeping.
func (m *machine) keepHouse(rt *rapid.T) {
	switch rapid.SampledFrom([]string{"purge", "jobs", "sweep"}).Draw(rt, "part") {
	case "purge":
		m.purge(rt)
	case "jobs":
		m.work(rt)
	case "sweep":
		m.sweep(rt)
	}
}

// purge leaves the bytes of what it removed to jobs.
func (m *machine) purge(rt *rapid.T) {
	if err := m.service.Purge(rt.Context()); err != nil {
		rt.Fatalf("Purge() = %v", err)
	}
	m.world.purge()
	for key := range m.world.bytes() {
		if _, ok := m.shelf.kept[key]; !ok {
			rt.Fatalf("after Purge() the bytes %s are missing", key)
		}
	}
}

// work does the jobs that wait, and the last one twice.
func (m *machine) work(rt *rapid.T) {
	orphans := m.shelf.keys("/orphan/")
	for i, j := range m.witness.jobs {
		for range 1 + (i+1)/len(m.witness.jobs) {
			if err := m.service.DeleteFiles(rt.Context(), j); err != nil {
				rt.Fatalf("DeleteFiles(%s) = %v", j.Payload, err)
			}
		}
	}
	m.witness.jobs = nil
	want := m.world.bytes()
	maps.Copy(want, orphans)
	same(rt, "bytes after DeleteFiles()", want, m.shelf.keys("/"))
}

func (m *machine) sweep(rt *rapid.T) {
	if err := m.shelf.Put(rt.Context(), m.caller(rt).Account+"/orphan/0123", strings.NewReader("orphan")); err != nil {
		rt.Fatalf("Put() = %v", err)
	}
	if rapid.Bool().Draw(rt, "later") {
		m.shelf.age()
	}
	want := m.world.bytes()
	for key, b := range m.shelf.kept {
		if time.Since(b.modified) < 24*time.Hour {
			want[key] = true
		}
	}
	if err := m.service.SweepBlobs(rt.Context()); err != nil {
		rt.Fatalf("SweepBlobs() = %v", err)
	}
	same(rt, "bytes after SweepBlobs()", want, m.shelf.keys("/"))
}

// pass moves the clock by as much as people let pass.
func (m *machine) pass(rt *rapid.T) {
	const day = 24 * time.Hour
	d := rapid.SampledFrom([]time.Duration{
		time.Microsecond, time.Second, time.Minute, 10 * time.Minute, 59 * time.Minute, 5 * time.Hour,
		day, 13 * day, 15 * day, 27 * day, 100 * day,
	}).Draw(rt, "time")
	m.set(rt, m.world.now.Add(d))
}

// passTo moves the clock to where something changes, or just before or after,
// and does what shows the change.
func (m *machine) passTo(rt *rapid.T) {
	deadlines := m.world.deadlines()
	if len(deadlines) == 0 {
		rt.Skip("nothing is going to change")
	}
	d := recent(rt, "deadline", deadlines)
	to := d.at.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "microseconds")) * time.Microsecond)
	if to.Before(m.world.now) {
		rt.Skip("the clock does not go back")
	}
	rt.Logf("%s of %s at %s", d.what, d.id, d.at)
	m.set(rt, to)
	who := m.callerOf(d.account)
	switch d.what {
	case caseLimit:
		m.sendCreate(rt, who, question())
	case caseEnd:
		m.compareFind(rt, who, byID(d.id))
		m.sendResolve(rt, who, d.id)
	case reopenEnd:
		m.sendCommunication(rt, who, cases.NewCommunication{CaseID: d.id, Body: "again"})
	case setLimit:
		m.sendFiles(rt, who, "", files("new"))
	case setForgotten:
		m.purge(rt)
		m.sendFiles(rt, who, d.id, files("late"))
	case setEnd:
		m.sendFiles(rt, who, d.id, files("more"))
		in := question()
		in.AttachmentSetID = d.id
		m.sendCreate(rt, who, in)
	}
}

// callerOf returns the first caller of an account.
func (m *machine) callerOf(account string) iam.Identity {
	return m.callers[slices.IndexFunc(m.callers, func(who iam.Identity) bool { return who.Account == account })]
}

func (m *machine) set(rt *rapid.T, to time.Time) {
	m.world.now = to
	rt.Logf("it is %s", to.Format(time.RFC3339Nano))
}

// What holds after every step, and at the end.

func (m *machine) compareLists(rt *rapid.T) {
	q := cases.Query{PageQuery: cases.PageQuery{IncludeResolved: true}, Communications: true, Limit: 1000}
	for _, who := range m.callers[1:] { // the second one sees what the first one sees
		m.compareFind(rt, who, q)
	}
}

func (m *machine) compareEverything(rt *rapid.T) {
	for _, who := range m.callers[1:] {
		for _, c := range m.world.cases {
			m.comparePage(rt, who, cases.CommunicationsQuery{CaseID: c.ID, Limit: 1000})
		}
		for _, id := range m.witness.all {
			m.compareFile(rt, who, id)
		}
		for _, c := range m.world.allOf(who.Account) {
			m.compareMoves(rt, c)
		}
	}
}

func (m *machine) compareMoves(rt *rapid.T, c *knownCase) {
	var got []cases.Move
	err := m.service.Store.View(rt.Context(), func(tx cases.Tx) (err error) {
		got, err = tx.Moves(rt.Context(), c.Account, c.ID, 0, 100)
		return err
	})
	if err != nil {
		rt.Fatalf("Moves(%s) = %v", c.ID, err)
	}
	same(rt, "Moves("+c.ID+")", c.moves, got)
}

func same(rt *rapid.T, call string, want, got any) {
	rt.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("%s (-want +got):\n%s", call, diff)
	}
}

// What is drawn.

func (m *machine) caller(rt *rapid.T) iam.Identity {
	return m.callers[rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2, 2, 3}).Draw(rt, "caller")]
}

// name returns how the log of a run calls a caller.
func name(who iam.Identity) string {
	return who.ARN()[len("arn:aws:iam::"):]
}

// caseID returns mostly one of the caller's, among them those that ended.
func (m *machine) caseID(rt *rapid.T, who iam.Identity) string {
	kind := rapid.IntRange(0, 19).Draw(rt, "whose case")
	var ids []string
	for _, c := range m.world.cases {
		if c.Account == who.Account || kind == 1 {
			ids = append(ids, c.ID)
		}
	}
	if kind == 0 || len(ids) == 0 {
		return rapid.SampledFrom(unknown("case")).Draw(rt, "unknown case")
	}
	return recent(rt, "case", ids)
}

// unknown returns ids that nothing has.
func unknown(kind string) []string { return []string{kind + "-unknown", kind + "-\x00"} }

// setToTake returns the id of a set, or none.
func (m *machine) setToTake(rt *rapid.T, who iam.Identity) string {
	kind := rapid.IntRange(0, 9).Draw(rt, "set?")
	var ids []string
	for _, s := range m.world.sets {
		if s.Account == who.Account || kind == 9 {
			ids = append(ids, s.ID)
		}
	}
	switch {
	case kind < 4 || len(ids) == 0 && kind < 9:
		return ""
	case len(ids) == 0:
		return rapid.SampledFrom(unknown("as")).Draw(rt, "unknown set")
	}
	return recent(rt, "set", ids)
}

func (m *machine) displayID(rt *rapid.T) string {
	kind := rapid.IntRange(0, 7).Draw(rt, "display id?")
	if kind == 0 {
		return rapid.SampledFrom([]string{"1234", "\x00"}).Draw(rt, "unknown display id")
	}
	if len(m.world.cases) == 0 || kind > 2 {
		return ""
	}
	return recent(rt, "display id", m.world.cases).DisplayID
}

// times returns a range, mostly from or to the time of a case.
func (m *machine) times(rt *rapid.T) (r cases.TimeRange) {
	moment := func(label string) time.Time {
		if len(m.world.cases) == 0 || rapid.IntRange(0, 2).Draw(rt, label+"?") > 0 {
			return time.Time{}
		}
		c := recent(rt, label, m.world.cases)
		said := recent(rt, label+" communication", c.said)
		return said.CreatedAt.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, label+" microseconds")) * time.Microsecond)
	}
	return cases.TimeRange{After: moment("after"), Before: moment("before")}
}

func (m *machine) body(rt *rapid.T) string {
	return oddly(rt, "body", []string{"It is broken.", "Still broken.", "grüße\n日本語"}, "nul \x00")
}

func (m *machine) addresses(rt *rapid.T) (list []string) {
	if rapid.IntRange(0, 2).Draw(rt, "addresses?") > 0 {
		return nil
	}
	for _, n := range rapid.SliceOfN(rapid.IntRange(0, 14), 0, 8).Draw(rt, "addresses") {
		list = append(list, fmt.Sprintf("cc%d@example.com", n))
	}
	if odd := oddly(rt, "address", []string{""}, "nobody", "Ann <ann@example.com>"); odd != "" {
		list = append(list, odd)
	}
	return list
}

// oddly returns mostly one of the usual values.
func oddly(rt *rapid.T, label string, usual []string, odd ...string) string {
	if rapid.IntRange(0, 24).Draw(rt, label+"?") == 24 {
		return rapid.SampledFrom(odd).Draw(rt, label)
	}
	return rapid.SampledFrom(usual).Draw(rt, label)
}

// recent returns one of a list, more often one from its end.
func recent[T any](rt *rapid.T, label string, all []T) T {
	back := min(rapid.IntRange(0, len(all)-1).Draw(rt, label), rapid.IntRange(0, len(all)-1).Draw(rt, label+" or"))
	return all[len(all)-1-back]
}

// witness hears the ids of files, which the service tells nobody before a
// communication takes them, and of jobs, which it leaves to the machine. It also
// hides the accounts of other runs.
type witness struct {
	cases.Store
	accounts []string
	heard    []string // of the last update
	all      []string
	jobs     []jobs.Job
}

func (w *witness) View(ctx context.Context, f func(cases.Tx) error) error {
	return w.Store.View(ctx, func(tx cases.Tx) error { return f(&witnessedTx{Tx: tx, witness: w}) })
}

func (w *witness) Update(ctx context.Context, account string, f func(cases.Tx) error) error {
	var t *witnessedTx
	err := w.Store.Update(ctx, account, func(tx cases.Tx) error {
		t = &witnessedTx{Tx: tx, witness: w}
		return f(t)
	})
	if err == nil {
		w.heard, w.all, w.jobs = t.heard, append(w.all, t.heard...), append(w.jobs, t.jobs...)
	}
	return err
}

type witnessedTx struct {
	cases.Tx
	witness *witness
	heard   []string
	jobs    []jobs.Job
}

func (t *witnessedTx) Enqueue(_ context.Context, j jobs.Job) (added bool, err error) {
	t.jobs = append(t.jobs, j)
	return true, nil
}

func (t *witnessedTx) InsertAttachment(ctx context.Context, a cases.Attachment) error {
	t.heard = append(t.heard, a.ID)
	return t.Tx.InsertAttachment(ctx, a)
}

func (t *witnessedTx) AccountIDs(ctx context.Context) ([]string, error) {
	ids, err := t.Tx.AccountIDs(ctx)
	ids = slices.DeleteFunc(ids, func(id string) bool { return !slices.Contains(t.witness.accounts, id) })
	if err == nil && len(ids) != len(t.witness.accounts) {
		err = fmt.Errorf("AccountIDs() has %q of the accounts %q", ids, t.witness.accounts)
	}
	return ids, err
}

// shelf keeps bytes in memory: flushing files would take most of a run's time,
// and files cannot be looked through as fast. One caller at a time uses it.
type shelf struct {
	kept map[string]shelved
}

type shelved struct {
	content  []byte
	modified time.Time
}

func (s *shelf) Put(_ context.Context, key string, r io.Reader) error {
	content, err := io.ReadAll(r)
	if err = errors.Join(err, blob.CheckKey(key)); err != nil {
		return err
	}
	if s.kept == nil {
		s.kept = map[string]shelved{}
	}
	s.kept[key] = shelved{content, time.Now()}
	return nil
}

func (s *shelf) Open(_ context.Context, key string) (io.ReadCloser, error) {
	b, ok := s.kept[key]
	if !ok {
		return nil, blob.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(b.content)), nil
}

func (s *shelf) Delete(_ context.Context, key string) error {
	delete(s.kept, key)
	return nil
}

func (s *shelf) List(_ context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(s.kept)) {
			b, ok := s.kept[key]
			if ok && strings.HasPrefix(key, prefix) && !yield(blob.Info{Key: key, Size: int64(len(b.content)), Modified: b.modified}, nil) {
				return
			}
		}
	}
}

func (s *shelf) Check(context.Context) error { return nil }

// age makes everything two days old.
func (s *shelf) age() {
	for key, b := range s.kept {
		b.modified = b.modified.Add(-48 * time.Hour)
		s.kept[key] = b
	}
}

// keys returns the keys that contain the text.
func (s *shelf) keys(text string) map[string]bool {
	found := map[string]bool{}
	for key := range s.kept {
		if strings.Contains(key, text) {
			found[key] = true
		}
	}
	return found
}

package cases_test

import (
	"crypto/rand"
	"database/sql"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/jobs"
)

// mustPurge also does the jobs that follow.
func (o *office) mustPurge(t *testing.T) {
	t.Helper()
	if err := o.Purge(t.Context()); err != nil {
		t.Fatalf("Purge() = %v", err)
	}
	o.mustDeleteFiles(t)
}

func (o *office) mustDeleteFiles(t *testing.T) {
	t.Helper()
	for _, job := range o.mustClaim(t) {
		if err := o.DeleteFiles(t.Context(), job); err != nil {
			t.Fatalf("DeleteFiles() = %v", err)
		}
		err := o.store.Jobs().Update(t.Context(), func(tx jobs.Tx) error { return tx.Finish(t.Context(), job) })
		if err != nil {
			t.Fatalf("Finish() = %v", err)
		}
	}
}

func (o *office) mustClaim(t *testing.T) (claimed []jobs.Job) {
	t.Helper()
	err := o.store.Jobs().Update(t.Context(), func(tx jobs.Tx) (err error) {
		lease := jobs.Lease{Token: rand.Text(), Until: time.Now().Add(time.Hour)}
		claimed, err = tx.Claim(t.Context(), []string{cases.DeleteFilesJob}, o.now(), lease, 1000)
		return err
	})
	if err != nil {
		t.Fatalf("Claim() = %v", err)
	}
	return claimed
}

// A crash after the rows are gone leaves the job, not the bytes.
func TestPurgedFilesAreDeletedByJobsOfTheSameTransaction(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	set := o.mustAdd(t, "", files("a", "b")).ID
	o.pass(26 * time.Hour)
	blobs := o.Blobs
	o.Blobs = nil // whoever needs it panics
	if err := o.Purge(t.Context()); err != nil {
		t.Fatalf("Purge() = %v", err)
	}
	o.Blobs = blobs
	_, err := o.add(t, alice(), set, files("c"))
	wantError(t, "AddAttachments(purged set)", err, cases.ErrSetNotFound)
	if got := len(o.blobFiles(t)); got != 2 {
		t.Errorf("%d files are there before the job is done, want 2", got)
	}
	o.mustReopen(t)
	o.mustDeleteFiles(t)
	if got := len(o.blobFiles(t)); got != 0 {
		t.Errorf("%d files are there after the job, want none", got)
	}
	if again := o.mustClaim(t); len(again) != 0 {
		t.Errorf("%d jobs are left, want none", len(again))
	}
}

func TestACaseIsAvailableForTwelveMonths(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	id := o.mustCreate(t, question())
	end := o.now().AddDate(1, 0, 0)
	o.set(end.Add(-time.Microsecond))
	o.mustPurge(t)
	o.mustReply(t, id, "still here")
	for range 2 { // before the purge and after it
		o.set(end)
		_, findErr := o.Find(t.Context(), alice(), byID(id))
		_, resolveErr := o.Resolve(t.Context(), alice(), unrepeated(), id)
		_, readErr := o.Communications(t.Context(), alice(), cases.CommunicationsQuery{CaseID: id, Limit: 10})
		for call, err := range map[string]error{"Find": findErr, "Resolve": resolveErr, "Communications": readErr, "Communicate": o.reply(t, id, "late")} {
			wantError(t, call+" of a case after twelve months", err, cases.ErrCaseNotFound)
		}
		if page, err := o.Find(t.Context(), alice(), cases.Query{Limit: 10}); err != nil || len(page.Cases) != 0 {
			t.Errorf("Find() after twelve months = %d cases, %v, want none", len(page.Cases), err)
		}
		o.mustPurge(t)
	}
	o.set(end.Add(-time.Microsecond)) // a clock that goes back brings nothing back
	_, err := o.Find(t.Context(), alice(), byID(id))
	wantError(t, "Find(purged case)", err, cases.ErrCaseNotFound)
}

func TestTheRetentionIsConfigurable(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	o.RetentionMonths = 24
	id := o.mustCreate(t, question())
	o.set(o.now().AddDate(2, 0, 0).Add(-time.Microsecond))
	o.mustPurge(t)
	o.mustFindOne(t, id)
	o.pass(time.Microsecond)
	_, err := o.Find(t.Context(), alice(), byID(id))
	wantError(t, "Find() after 24 months", err, cases.ErrCaseNotFound)
}

// The same day of an earlier month may not exist; data never goes early for it.
func TestNoCaseGoesBeforeItsMonthsAreOver(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	for _, test := range []struct {
		months             int
		created, available string
	}{
		{1, "2026-03-01", "2026-03-31"}, // a month later is the 1st of April
		{1, "2026-01-31", "2026-02-28"},
		{12, "2027-03-01", "2028-02-29"},
		{12, "2028-02-29", "2029-02-28"},
	} {
		o.RetentionMonths = test.months
		o.set(mustDay(t, test.created))
		id := o.mustCreate(t, question())
		o.set(mustDay(t, test.available).Add(24*time.Hour - time.Microsecond))
		o.mustPurge(t)
		if _, err := o.Find(t.Context(), alice(), byID(id)); err != nil {
			t.Errorf("Find(case of %s) at the end of %s with %d months = %v, want nil", test.created, test.available, test.months, err)
		}
	}
}

func mustDay(t *testing.T, text string) time.Time {
	t.Helper()
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return day
}

// What is gone stays gone as time goes on, whatever the calendar does.
func TestTheHorizonNeverGoesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := cases.Service{RetentionMonths: rapid.IntRange(0, 30).Draw(t, "months")}
		now := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "now"), 0).UTC()
		later := now.Add(time.Duration(rapid.Int64Range(0, 40*24).Draw(t, "hours")) * time.Hour)
		if a, b := s.Horizon(now), s.Horizon(later); b.Before(a) {
			t.Errorf("Horizon(%v) = %v, but Horizon(%v) = %v", now, a, later, b)
		}
	})
}

func TestPurgeRemovesEverythingThatIsOver(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	withFiles := func() cases.NewCase {
		in := question()
		in.AttachmentSetID = o.mustAdd(t, "", files("a", "b")).ID
		return in
	}
	for range 120 { // more than two batches
		id := o.mustCreate(t, question())
		o.mustResolve(t, id)
	}
	old := o.mustCreate(t, withFiles())
	if err := o.replyWith(t, alice(), old, o.mustAdd(t, "", files("c")).ID); err != nil {
		t.Fatalf("Communicate() = %v", err)
	}
	o.mustAdd(t, "", files("never used"))
	if _, err := o.add(t, stranger(), "", files("never used")); err != nil {
		t.Fatalf("AddAttachments() = %v", err)
	}
	o.set(o.now().AddDate(1, 0, 0).Add(-time.Hour))
	young := o.mustCreate(t, withFiles())
	waiting := o.mustAdd(t, "", files("waiting"))
	o.pass(time.Hour - time.Microsecond)
	kept := o.mustFindOne(t, young)

	o.pass(time.Microsecond)
	for range 2 {
		o.mustPurge(t)
		o.wantRows(t, map[string]int{"cases": 1, "communications": 1, "case_moves": 0, "attachments": 3, "attachment_sets": 2})
		if got := len(o.blobFiles(t)); got != 3 {
			t.Errorf("%d files are left after Purge(), want the three that are in use", got)
		}
	}
	if diff := cmp.Diff(kept, o.mustFindOne(t, young)); diff != "" {
		t.Errorf("young case after Purge() (-before +after):\n%s", diff)
	}
	for _, a := range kept.Recent[0].Attachments {
		if _, err := o.Attachment(t.Context(), alice(), a.ID); err != nil {
			t.Errorf("Attachment(of a young case) after Purge() = %v, want nil", err)
		}
	}
	o.pass(24 * time.Hour) // the waiting set expired exactly a day ago
	o.mustPurge(t)
	_, err := o.add(t, alice(), waiting.ID, files("x"))
	wantError(t, "AddAttachments(set that expired a day ago)", err, cases.ErrSetExpired)
	o.pass(time.Microsecond)
	o.mustPurge(t)
	_, err = o.add(t, alice(), waiting.ID, files("x"))
	wantError(t, "AddAttachments(purged set)", err, cases.ErrSetNotFound)
	if got := len(o.blobFiles(t)); got != 2 {
		t.Errorf("%d files are left after Purge(), want the two of the young case", got)
	}
	o.wantRows(t, map[string]int{"cases": 1, "communications": 1, "case_moves": 0, "attachments": 2, "attachment_sets": 0, "answers": 0})
}

func TestAnswersAreForgottenAfterADay(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	first, err := o.Create(t.Context(), alice(), keyOf("CreateCase"), question())
	if err != nil {
		t.Fatalf("Create() = %v", err)
	}
	o.pass(24 * time.Hour)
	o.mustPurge(t)
	if again, err := o.Create(t.Context(), alice(), keyOf("CreateCase"), question()); again != first || err != nil {
		t.Errorf("Create(repeated after exactly a day) = %s, %v, want the first answer, %s", again, err, first)
	}
	o.pass(time.Microsecond)
	o.mustPurge(t)
	o.wantRows(t, map[string]int{"answers": 0})
}

func TestSweepRemovesOldOrphansOnly(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	in := question()
	in.AttachmentSetID = o.mustAdd(t, "", files("taken")).ID
	o.mustCreate(t, in)
	o.mustAdd(t, "", files("waiting"))
	o.age(t, o.blobFiles(t), 48*time.Hour)
	used := o.blobFiles(t)

	young := o.mustOrphan(t, "young")
	o.age(t, []string{young}, 24*time.Hour-time.Minute)
	old := o.mustOrphan(t, "old")
	o.age(t, []string{old}, 24*time.Hour+time.Minute)
	for range 2 {
		if err := o.SweepBlobs(t.Context()); err != nil {
			t.Fatalf("SweepBlobs() = %v", err)
		}
		left := map[string]bool{}
		for _, file := range o.blobFiles(t) {
			left[file] = true
		}
		want := map[string]bool{young: true}
		for _, file := range used {
			want[file] = true
		}
		if diff := cmp.Diff(want, left); diff != "" {
			t.Errorf("files after SweepBlobs() (-want +got):\n%s", diff)
		}
	}
}

// mustOrphan puts bytes without a row, as a crash between the two leaves them.
func (o *office) mustOrphan(t *testing.T, set string) string {
	t.Helper()
	before := map[string]bool{}
	for _, file := range o.blobFiles(t) {
		before[file] = true
	}
	if err := o.Blobs.Put(t.Context(), account+"/"+set+"/0123", strings.NewReader("orphan")); err != nil {
		t.Fatalf("Put() = %v", err)
	}
	for _, file := range o.blobFiles(t) {
		if !before[file] {
			return file
		}
	}
	t.Fatal("no file for the orphan")
	return ""
}

func (o *office) age(t *testing.T, files []string, age time.Duration) {
	t.Helper()
	when := time.Now().Add(-age)
	for _, file := range files {
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
}

// wantRows looks into the tables: what no call shows may still be there.
func (o *office) wantRows(t *testing.T, want map[string]int) {
	t.Helper()
	db, err := sql.Open("sqlite", o.file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got := map[string]int{}
	for table := range want {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		got[table] = n
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows of tables (-want +got):\n%s", diff)
	}
}

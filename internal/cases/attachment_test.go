package cases_test

import (
	"bytes"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

func files(names ...string) (all []cases.File) {
	for _, name := range names {
		all = append(all, cases.File{Name: name, Data: []byte("content of " + name)})
	}
	return all
}

func (o *office) add(t testing.TB, who iam.Identity, setID string, files []cases.File) (cases.AttachmentSet, error) {
	t.Helper()
	return o.AddAttachments(t.Context(), who, unrepeated(), setID, files)
}

func (o *office) mustAdd(t testing.TB, setID string, files []cases.File) cases.AttachmentSet {
	t.Helper()
	set, err := o.add(t, alice(), setID, files)
	if err != nil {
		t.Fatalf("AddAttachments() = %v", err)
	}
	return set
}

// replyWith adds a communication that takes a set.
func (o *office) replyWith(t testing.TB, who iam.Identity, id, setID string) error {
	t.Helper()
	return o.Communicate(t.Context(), who, unrepeated(), cases.NewCommunication{CaseID: id, Body: "see the files", AttachmentSetID: setID})
}

func TestFilesArriveWithTheCommunicationThatTakesThem(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	set := o.mustAdd(t, "", files("b.log", "a.log"))
	if !regexp.MustCompile(`^as-[0-9a-f]{17}-mu-[A-Za-z0-9_-]{44}$`).MatchString(set.ID) {
		t.Errorf("AddAttachments() = set %q, want the form of a set id", set.ID)
	}
	if got, want := set.ExpiresAt, o.now().Add(time.Hour); !got.Equal(want) {
		t.Errorf("set expires at %v, want %v", got, want)
	}
	o.pass(time.Minute)
	again := o.mustAdd(t, set.ID, files("b.log"))
	if again.ID != set.ID || !again.ExpiresAt.Equal(set.ExpiresAt) || again.Files != 3 {
		t.Errorf("AddAttachments(existing set) = %+v, want the set %s with three files that expires as before", again, set.ID)
	}
	in := question()
	in.AttachmentSetID = set.ID
	id := o.mustCreate(t, in)
	o.mustReply(t, id, "no files")
	listed := o.mustFindOne(t, id)
	if got := listed.Recent[0].Attachments; len(got) != 0 {
		t.Errorf("attachments of a communication without files = %v", got)
	}
	var names []string
	for _, a := range listed.Recent[1].Attachments {
		names = append(names, a.FileName)
		file, err := o.Attachment(t.Context(), alice(), a.ID)
		if err != nil || file.Name != a.FileName || string(file.Data) != "content of "+a.FileName {
			t.Errorf("Attachment(%s) = %q, %q, %v, want its name and content", a.FileName, file.Name, file.Data, err)
		}
		if !regexp.MustCompile(`^attachment-[A-Za-z0-9_-]{150}$`).MatchString(a.ID) {
			t.Errorf("attachment id %q has not the form of one", a.ID)
		}
	}
	if diff := cmp.Diff([]string{"b.log", "a.log", "b.log"}, names); diff != "" {
		t.Errorf("files in the order of their adding (-want +got):\n%s", diff)
	}
	page, err := o.Communications(t.Context(), alice(), cases.CommunicationsQuery{CaseID: id, Limit: 10})
	if err != nil {
		t.Fatalf("Communications() = %v", err)
	}
	if diff := cmp.Diff(listed.Recent, page.Communications); diff != "" {
		t.Errorf("Communications() (-recent +page):\n%s", diff)
	}
}

func TestASetHasThreeFilesAtMost(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	_, err := o.add(t, alice(), "", files("1", "2", "3", "4"))
	wantError(t, "AddAttachments(four files)", err, cases.ErrSetSizeLimit)
	_, err = o.add(t, alice(), "", nil)
	wantError(t, "AddAttachments(no files)", err, cases.ErrNoFiles)
	set := o.mustAdd(t, "", files("1", "2"))
	_, err = o.add(t, alice(), set.ID, files("3", "4"))
	wantError(t, "AddAttachments(two files to two)", err, cases.ErrSetSizeLimit)
	o.mustAdd(t, set.ID, files("3"))
	_, err = o.add(t, alice(), set.ID, files("4"))
	wantError(t, "AddAttachments(fourth file)", err, cases.ErrSetSizeLimit)
}

func TestAFileHasFiveMegabytesAtMost(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	const most = 5 * 1024 * 1024
	largest := cases.File{Name: "core", Data: bytes.Repeat([]byte{0, 255, 'x'}, most/3+1)[:most]}
	set := o.mustAdd(t, "", []cases.File{largest, {Name: "empty"}})
	in := question()
	in.AttachmentSetID = set.ID
	attached := o.mustFindOne(t, o.mustCreate(t, in)).Recent[0].Attachments
	for i, want := range [][]byte{largest.Data, nil} {
		got, err := o.Attachment(t.Context(), alice(), attached[i].ID)
		if err != nil || !bytes.Equal(got.Data, want) || attached[i].Size != int64(len(want)) {
			t.Errorf("Attachment(%s) = %d bytes, %v, want the %d that were added", got.Name, len(got.Data), err, len(want))
		}
	}
	_, err := o.add(t, alice(), "", []cases.File{{Name: "core", Data: append(largest.Data, 0)}})
	wantError(t, "AddAttachments(one byte too many)", err, cases.ErrSetSizeLimit)
}

func TestASetExpiresAfterOneHour(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	id := o.mustCreate(t, question())
	inTime, late := o.mustAdd(t, "", files("a")), o.mustAdd(t, "", files("a"))
	o.pass(time.Hour - time.Microsecond)
	o.mustAdd(t, inTime.ID, files("b"))
	if err := o.replyWith(t, alice(), id, inTime.ID); err != nil {
		t.Errorf("Communicate(set a moment before it expires) = %v, want nil", err)
	}
	o.pass(time.Microsecond)
	_, err := o.add(t, alice(), late.ID, files("b"))
	wantError(t, "AddAttachments(expired set)", err, cases.ErrSetExpired)
	wantError(t, "Communicate(expired set)", o.replyWith(t, alice(), id, late.ID), cases.ErrSetExpired)
	in := question()
	in.AttachmentSetID = late.ID
	_, err = o.Create(t.Context(), alice(), unrepeated(), in)
	wantError(t, "Create(expired set)", err, cases.ErrSetExpired)
	if got := o.mustFindOne(t, id).Communications; got != 2 {
		t.Errorf("case has %d communications, want 2: the refused one is not kept", got)
	}
}

// A foreign, a used and an unknown set answer with the same fault and text.
func TestASetThatIsNotYoursIsUnknown(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	id := o.mustCreate(t, question())
	used := o.mustAdd(t, "", files("a")).ID
	if err := o.replyWith(t, alice(), id, used); err != nil {
		t.Fatalf("Communicate() = %v", err)
	}
	theirs, err := o.add(t, stranger(), "", files("a"))
	if err != nil {
		t.Fatalf("AddAttachments() = %v", err)
	}
	for _, setID := range []string{used, theirs.ID, "as-unknown"} {
		_, err := o.add(t, alice(), setID, files("b"))
		for call, err := range map[string]error{"AddAttachments": err, "Communicate": o.replyWith(t, alice(), id, setID)} {
			want := fault.Error{Kind: fault.NotFound, Code: "attachment_set_not_found", Text: fmt.Sprintf("The attachment set %q could not be found.", setID)}
			got, ok := err.(*fault.Error)
			if !ok || *got != want {
				t.Errorf("%s(%s) = %#v, want %#v", call, setID, err, want)
			}
		}
	}
	if err := o.replyWith(t, stranger(), id, theirs.ID); err == nil {
		t.Errorf("Communicate(foreign case) = nil, want an error")
	}
	if set, err := o.add(t, stranger(), theirs.ID, files("b")); err != nil || set.Files != 2 {
		t.Errorf("AddAttachments(own set after foreign attempts) = %+v, %v, want two files", set, err)
	}
}

func TestOfTwentyWhoWantASetOneGetsIt(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	id := o.mustCreate(t, question())
	set := o.mustAdd(t, "", files("a", "b"))
	outcomes := make([]error, 20)
	var wg sync.WaitGroup
	for i := range outcomes {
		wg.Go(func() { outcomes[i] = o.replyWith(t, alice(), id, set.ID) })
	}
	wg.Wait()
	winners := 0
	for _, err := range outcomes {
		if err == nil {
			winners++
			continue
		}
		wantError(t, "Communicate(set of another)", err, cases.ErrSetNotFound)
	}
	got := o.mustFindOne(t, id)
	if winners != 1 || got.Communications != 2 || len(got.Recent[0].Attachments) != 2 {
		t.Errorf("%d communications got the set, want 1; case: %+v", winners, got)
	}
}

func TestTheLimitOfSetsIsExact(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	o.Limits.AttachmentSetsPer10m = 5
	outcomes := make([]error, 30)
	var wg sync.WaitGroup
	for i := range outcomes {
		wg.Go(func() { _, outcomes[i] = o.add(t, alice(), "", files("a")) })
	}
	wg.Wait()
	made := 0
	for _, err := range outcomes {
		if err == nil {
			made++
			continue
		}
		wantError(t, "AddAttachments(beyond the limit)", err, cases.ErrAttachmentLimit)
	}
	if made != 5 {
		t.Errorf("%d of %d parallel sets are made, want 5", made, len(outcomes))
	}
	if _, err := o.add(t, stranger(), "", files("a")); err != nil {
		t.Errorf("AddAttachments() of another account = %v, want nil", err)
	}
	o.pass(10*time.Minute - time.Microsecond)
	_, err := o.add(t, alice(), "", files("a"))
	wantError(t, "AddAttachments() a moment before the time is over", err, cases.ErrAttachmentLimit)
	o.pass(time.Microsecond)
	set := o.mustAdd(t, "", files("a"))
	for range 4 {
		o.mustAdd(t, "", files("a"))
	}
	o.mustAdd(t, set.ID, files("b")) // a file for a set is no new set
}

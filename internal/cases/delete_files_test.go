package cases_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/jobs"
)

func TestAJobDeletesOnlyFilesOfItsAccount(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	own, theirs := account+"/set/own", foreign+"/set/theirs"
	for _, key := range []string{own, theirs, "installation"} {
		if err := o.Blobs.Put(t.Context(), key, strings.NewReader(key)); err != nil {
			t.Fatal(err)
		}
	}
	permanent := reflect.TypeOf(jobs.Permanent(errors.New("a fault")))
	for _, job := range []jobs.Job{
		{Account: account, Payload: payload(t, own, theirs)},
		{Account: account, Payload: payload(t, own, "installation")},
		{Account: account[:len(account)-1], Payload: payload(t, own)},
		{Account: "", Payload: payload(t, "installation")},
	} {
		err := o.DeleteFiles(t.Context(), job)
		if reflect.TypeOf(err) != permanent || !strings.Contains(err.Error(), "is not of account") {
			t.Errorf("DeleteFiles(%q, %s) = %v, want a permanent refusal", job.Account, job.Payload, err)
		}
		if got := len(o.blobFiles(t)); got != 3 {
			t.Fatalf("%d files are there after DeleteFiles(%q, %s), want all 3", got, job.Account, job.Payload)
		}
	}
	if err := o.DeleteFiles(t.Context(), jobs.Job{Account: account, Kind: cases.DeleteFilesJob, Payload: payload(t, own)}); err != nil {
		t.Errorf("DeleteFiles(own) = %v, want nil", err)
	}
	if got := len(o.blobFiles(t)); got != 2 {
		t.Errorf("%d files are there, want 2", got)
	}
}

func payload(t *testing.T, keys ...string) []byte {
	t.Helper()
	text, err := json.Marshal(map[string][]string{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A job may be older than what has its key by now: in test mode a reset makes
// the same ids again.
func TestAJobDeletesNoFileThatARowNames(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	if _, err := o.StageFiles(t.Context(), account, []cases.File{{Name: "a", Data: []byte("a")}}); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for info, err := range o.Blobs.List(t.Context(), account+"/") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	if len(keys) != 1 {
		t.Fatalf("keys %v, want one", keys)
	}
	if err := o.DeleteFiles(t.Context(), jobs.Job{Account: account, Kind: cases.DeleteFilesJob, Payload: payload(t, keys...)}); err != nil {
		t.Errorf("DeleteFiles(named by a row) = %v, want nil", err)
	}
	if got := o.blobFiles(t); len(got) != 1 {
		t.Errorf("files %v, want the one that a row names", got)
	}
}

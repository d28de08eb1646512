package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// Lines of before migration 13 say only in their details what they are about.
func TestOldRecordsAreFoundByWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		file := newFile(t)
		fillReferences(t, mustOpen(t, file), func(text string) { mustExec(t, file, text) }, "sqlite")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Database(t)
		fillReferences(t, mustOpenURL(t, url), func(text string) { pgtest.Exec(t, url, text) }, "postgres")
	})
}

// fillReferences runs migration 14 once more, over lines as they were before.
func fillReferences(t *testing.T, s *store.Store, run func(text string), engine string) {
	t.Helper()
	key := desk.Key{Account: account, CaseID: "a"}
	lines := []desk.Record{
		{Event: "note", Detail: []byte(`{"body":"no JSON of PostgreSQL's: \u0000"}`)},
		{Event: "opened-for", Detail: []byte(`{"number":1}`), Communication: 1},
		{Event: "linked", Detail: []byte(`{"case":"b"}`), OtherCase: "b"},
		{Event: "unlinked", Detail: []byte(`{"case":"b"}`), OtherCase: "b"},
		{Event: "replied", Detail: []byte(`{"number":2}`), Communication: 2},
		{Event: "merged", Detail: []byte(`{"case":"c","status":"opened","move":3}`), OtherCase: "c"},
		{Event: "merge-dissolved", Detail: []byte(`{"case":"c"}`), OtherCase: "c"},
		{Event: "replied-for", Detail: []byte(`{"number":3}`), Communication: 3},
		{Event: "merged-from", Detail: []byte(`{"case":"d"}`), OtherCase: "d"},
		{Event: "unmerged-from", Detail: []byte(`{"case":"d"}`), OtherCase: "d"},
		{Event: "unmerged", Detail: []byte(`{"case":""}`)}, // from a case that was purged
		{Event: "clock-breach"},
	}
	var ofCommunications, ofCases []desk.Record
	mustUpdateDesk(t, s, func(ctx context.Context, tx desk.Tx) (err error) {
		ofCommunications, ofCases = nil, nil
		for i, r := range lines {
			r.Key, r.Number, r.At = key, int64(i+1), time.UnixMicro(1).UTC()
			switch {
			case r.Communication > 0:
				ofCommunications = append(ofCommunications, r)
			case r.OtherCase != "":
				ofCases = append(ofCases, r)
			}
			r.Communication, r.OtherCase = 0, ""
			err = errors.Join(err, tx.InsertRecord(ctx, r))
		}
		return err
	})
	run(mustRead(t, "migrations/0014_desk_references."+engine+".sql"))
	got := mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Record, error) {
		return tx.CommunicationRecords(ctx, key.Account, key.CaseID, 1, 100)
	})
	if diff := cmp.Diff(ofCommunications, got); diff != "" {
		t.Errorf("CommunicationRecords() (-want +got):\n%s", diff)
	}
	got = mustViewDesk(t, s, func(ctx context.Context, tx desk.Tx) ([]desk.Record, error) {
		return tx.CaseRecords(ctx, key.Account, key.CaseID)
	})
	if diff := cmp.Diff(ofCases, got); diff != "" {
		t.Errorf("CaseRecords() (-want +got):\n%s", diff)
	}
}

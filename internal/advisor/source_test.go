package advisor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/inventory"
)

func TestSettingASourceComputesEverythingAndClearingForgetsIt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", true, 1), disk("b", false, 200))
		for _, id := range []string{disks, everything, keys} {
			w.want("before", w.listed(business, id), "not_available: the account has no source of resources")
		}
		w.source(business)
		w.want("disks", w.listed(business, disks), "error 2/1/0/0 b:error")
		w.want("everything", w.listed(business, everything), "warning 2/1/0/0 a:ok b:warning")
		w.want("keys", w.listed(business, keys), "ok 0/0/0/0")
		w.want("never", w.listed(business, never), "not_available: AWS tells nobody")
		if got := w.result(business, everything).Savings; got != 20 {
			t.Errorf("savings: %v, want 20", got)
		}
		want := []inventory.Needs{{"t.disk": nil, "t.key": nil}}
		if got := fmt.Sprint(w.aws.needed); got != fmt.Sprint(want) {
			t.Errorf("collected: %v, want one collection of %v", got, want)
		}
		mustNot(t, w.advisor.ClearSource(w.Context(), business))
		w.work()
		for _, id := range []string{disks, everything, keys} {
			w.want("cleared", w.listed(business, id), "not_available: the account has no source of resources")
			w.want("cleared", string(w.status(business, id)), "none")
		}
		if err := w.advisor.ClearSource(w.Context(), business); !errors.Is(err, advisor.ErrNoSource) {
			t.Errorf("ClearSource(cleared) = %v, want %v", err, advisor.ErrNoSource)
		}
	})
}

func TestAnotherSourceForgetsResultsAndTheSameOneKeepsThem(t *testing.T) {
	inWorld(t, func(w *world) {
		w.aws.set(disk("a", false, 1))
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{AccessKeyID: "AKIA", SecretAccessKey: "old"}))
		w.work()
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{AccessKeyID: "AKIA", SecretAccessKey: "new"}))
		w.want("the same", w.listed(business, disks), "error 1/1/0/0 a:error")
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "other"}))
		if got := w.listed(business, disks); !strings.HasPrefix(got, "not_available") {
			t.Errorf("another source: %s, want it not available until it was refreshed", got)
		}
		w.work()
		w.want("refreshed", w.listed(business, disks), "error 1/1/0/0 a:error")
	})
}

func TestResultsOfAnOldSourceAreNotKept(t *testing.T) {
	inWorld(t, func(w *world) {
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "old"}))
		w.aws.set(disk("of-old", false, 1))
		began, goOn := make(chan struct{}, 2), make(chan struct{})
		w.aws.hook = func(context.Context) error {
			began <- struct{}{}
			<-goOn
			time.Sleep(time.Second) // results of one time would be one in the history
			return nil
		}
		w.running(func() {
			w.await(began)
			mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "new"}))
			w.aws.set(disk("of-new", false, 1))
			close(goOn)
			time.Sleep(time.Minute)
		})
		w.want("result", w.listed(business, disks), "error 1/1/0/0 of-new:error")
		history, err := w.advisor.History(w.Context(), business, disks, 10)
		mustNot(t, err)
		if len(history) != 1 {
			t.Errorf("there are %d results in the history, want the new source's", len(history))
		}
	})
}

func TestFilesAreSources(t *testing.T) {
	inWorld(t, func(w *world) {
		file := filepath.Join(t.TempDir(), "inventory.jsonl")
		w.aws.set(disk("a", false, 1))
		out, err := os.Create(file)
		mustNot(t, err)
		mustNot(t, w.aws.Collect(t.Context(), advisor.Source{}, business, time.Now(), inventory.Needs{"t.disk": nil}, out))
		mustNot(t, out.Close())
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{File: file}))
		w.work()
		w.want("disks", w.listed(business, disks), "error 1/1/0/0 a:error")
		w.want("keys", w.listed(business, keys), "not_available: the inventory does not have t.key")

		text, err := os.ReadFile(file)
		mustNot(t, err)
		mustNot(t, os.WriteFile(file, text[:len(text)-20], 0o600))
		time.Sleep(2 * time.Hour)
		w.refresh(business, disks)
		w.work()
		if got := w.listed(business, disks); !strings.HasPrefix(got, "not_available: "+file) {
			t.Errorf("disks of a file that was cut off: %s, want not_available and why", got)
		}
		w.want("refresh", string(w.status(business, disks)), "abandoned")
		if got := w.collections(); got != 1 {
			t.Errorf("the collector was called %d times, want no more than by the test", got)
		}
	})
}

func TestFilesOfOtherAccountsAreRefused(t *testing.T) {
	inWorld(t, func(w *world) {
		file := filepath.Join(t.TempDir(), "inventory.jsonl")
		w.aws.set(disk("a", false, 1))
		write := func(account string) {
			out, err := os.Create(file)
			mustNot(t, err)
			mustNot(t, w.aws.Collect(t.Context(), advisor.Source{}, account, time.Now(), inventory.Needs{"t.disk": nil}, out))
			mustNot(t, out.Close())
		}
		refused := file + " is an inventory of account " + enterprise + ", not of " + business
		write(enterprise)
		err := w.advisor.SetSource(w.Context(), business, advisor.Source{File: file})
		if !errors.Is(err, advisor.ErrOtherAccount) || err.Error() != refused {
			t.Errorf("SetSource(file of another account) = %v, want %s", err, refused)
		}
		write(business)
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{File: file}))
		write(enterprise) // it is replaced before anybody reads it
		w.work()
		w.want("result", w.listed(business, disks), "not_available: "+refused)
		w.want("refresh", string(w.status(business, disks)), "abandoned")
	})
}

func TestSecretsOfSourcesAreSealedAndNeverPrinted(t *testing.T) {
	inWorld(t, func(w *world) {
		const secret, token = "verysecretkey0123456789", "verysecrettoken0123456789"
		source := advisor.Source{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: secret, SessionToken: token, Regions: []string{"eu-west-1"}}
		mustNot(t, w.advisor.SetSource(w.Context(), business, source))
		w.work()
		if diff := cmp.Diff([]advisor.Source{source}, w.aws.calls); diff != "" {
			t.Errorf("the collector's source (-set +got):\n%s", diff)
		}
		kept, _, err := w.advisor.Source(w.Context(), business)
		mustNot(t, err)
		if diff := cmp.Diff(source.WithoutSecrets(), kept); diff != "" || kept.SecretAccessKey != "" {
			t.Errorf("Source (-want +got):\n%s", diff)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "source", source)
		fmt.Fprintf(&log, "%v %+v %#v %s %v", source, source, source, source, []any{&source, struct{ S advisor.Source }{source}})
		backup := filepath.Join(t.TempDir(), "backup.db")
		mustNot(t, w.store.Backup(w.Context(), backup))
		files, err := filepath.Glob(w.file + "*")
		mustNot(t, err)
		for _, file := range append(files, backup) {
			content, err := os.ReadFile(file)
			mustNot(t, err)
			log.Write(content)
		}
		log.Write(w.log.Bytes())
		for _, hidden := range []string{secret, token} {
			if bytes.Contains(log.Bytes(), []byte(hidden)) {
				t.Errorf("%q is in what was printed or kept", hidden)
			}
		}
		if !strings.Contains(log.String(), "AKIAEXAMPLE") {
			t.Errorf("the key's id is not in what was printed, so the test sees nothing")
		}
	})
}

// A row that somebody copies to another account does not open there.
func TestASealedSourceIsOfItsAccount(t *testing.T) {
	inWorld(t, func(w *world) {
		mustNot(t, w.advisor.SetSource(w.Context(), business, advisor.Source{Profile: "p"}))
		mustNot(t, w.store.Advisor().Update(w.Context(), enterprise, func(tx advisor.Tx) error {
			sealed, err := tx.Source(w.Context(), business)
			sealed.Account = enterprise
			return errors.Join(err, tx.PutSource(w.Context(), sealed))
		}))
		if got, _, err := w.advisor.Source(w.Context(), enterprise); err == nil {
			t.Errorf("Source(copied row) = %v, want an error", got)
		}
	})
}

func TestSourcesAreChecked(t *testing.T) {
	inWorld(t, func(w *world) {
		const role = "arn:aws:iam::111122223333:role/Advisor"
		for _, tt := range []struct {
			source advisor.Source
			ok     bool
		}{
			{advisor.Source{}, true},
			{advisor.Source{File: "/data/inventory.jsonl"}, true},
			{advisor.Source{File: "inventory.jsonl"}, false},
			{advisor.Source{File: "/data/inventory.jsonl", Profile: "p"}, false},
			{advisor.Source{File: "/data/inventory.jsonl", Regions: []string{"eu-west-1"}}, false},
			{advisor.Source{Endpoint: "http://127.0.0.1:5000", Regions: []string{"eu-west-1"}, AccessKeyID: "a", SecretAccessKey: "b"}, true},
			{advisor.Source{Endpoint: "127.0.0.1:5000"}, false},
			{advisor.Source{Endpoint: "http://user:password@host"}, false},
			{advisor.Source{Regions: []string{"eu west 1"}}, false},
			{advisor.Source{Role: role, ExternalID: "x"}, true},
			{advisor.Source{ExternalID: "x"}, false},
			{advisor.Source{Role: "Advisor"}, false},
			{advisor.Source{AccessKeyID: "a"}, false},
			{advisor.Source{SecretAccessKey: "a"}, false},
			{advisor.Source{SessionToken: "a"}, false},
			{advisor.Source{Profile: "p", AccessKeyID: "a", SecretAccessKey: "b"}, false},
		} {
			err := w.advisor.SetSource(w.Context(), business, tt.source)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, advisor.ErrInvalidSource) {
				text, _ := json.Marshal(tt.source)
				t.Errorf("SetSource(%s) = %v, want success: %t", text, err, tt.ok)
			}
		}
		if err := w.advisor.SetSource(w.Context(), "000000000000", advisor.Source{}); !errors.Is(err, iam.ErrAccountNotFound) {
			t.Errorf("SetSource(unknown account) = %v, want %v", err, iam.ErrAccountNotFound)
		}
	})
}

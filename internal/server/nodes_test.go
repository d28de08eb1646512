package server_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/blob/s3blob/s3test"
	"github.com/supportd/supportd/internal/seal"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// twoNodes share a PostgreSQL and a bucket, and nothing else.
func twoNodes(t *testing.T) (a, b *service) {
	t.Helper()
	return twoNodesAt(t, nil)
}

// twoNodesAt go by a clock.
func twoNodesAt(t *testing.T, now func() time.Time) (a, b *service) {
	t.Helper()
	bucket := s3test.Start(t)
	config := server.Config{
		Now:      now,
		Database: pgtest.Database(t), Blobs: bucket.URL(bucket.Bucket(t)),
		BlobsKeyID: bucket.AccessKey, BlobsSecret: bucket.SecretKey,
		MasterKey: base64.StdEncoding.EncodeToString(seal.NewMasterKey()),
	}
	config.Data = filepath.Join(t.TempDir(), "a")
	a = mustServe(t, config)
	config.Data = filepath.Join(t.TempDir(), "b")
	b = mustServe(t, config)
	return a, b
}

func TestNodesShareEverythingButTheirFolders(t *testing.T) {
	t.Parallel()
	a, b := twoNodes(t)
	b.key = a.key // made by one, known to the other
	a.mustCreateWithFile(t, "from the first")
	b.mustCreateWithFile(t, "from the second")
	for name, node := range map[string]*service{"first": a, "second": b} {
		known := node.mustCases(t)
		for _, subject := range []string{"from the first", "from the second"} {
			c, ok := known[subject]
			if !ok {
				t.Fatalf("the %s node does not see the case %q", name, subject)
			}
			node.checkFile(t, subject, c)
		}
		if _, err := os.Stat(node.data); !os.IsNotExist(err) {
			t.Errorf("the folder of the %s node: %v, want none", name, err)
		}
		if got := node.mustCall(t, "DescribeServices", "{}"); got.status != http.StatusOK {
			t.Errorf("DescribeServices on the %s node = %v", name, got)
		}
	}
}

func TestARevokedKeyIsRefusedByAllNodes(t *testing.T) {
	t.Parallel()
	a, b := twoNodes(t)
	for i := range 5 {
		key := a.mustKey(t)
		b.key = key
		if got := b.mustCall(t, "DescribeSeverityLevels", "{}"); got.status != http.StatusOK {
			t.Fatalf("call %d with a new key on the other node = %v", i, got)
		}
		if err := a.IAM.SetKeyActive(t.Context(), server.FirstAccountID, key.AccessKeyID, false); err != nil {
			t.Fatal(err)
		}
		if got := b.mustCall(t, "DescribeSeverityLevels", "{}"); !strings.Contains(got.body, "UnrecognizedClientException") {
			t.Errorf("call %d with a revoked key on the other node = %v", i, got)
		}
	}
}

func TestABackupOfASharedDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, server.Config{Database: pgtest.Database(t), Blobs: "file://" + t.TempDir()})
	file := filepath.Join(t.TempDir(), "backup.tar")
	err := s.Backup(t.Context(), file)
	if err == nil || !strings.Contains(err.Error(), "backup is for the embedded database") {
		t.Errorf("Backup() = %v, want a refusal", err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the backup file: %v, want none", err)
	}
}

func TestABucketServesOneDatabaseOnly(t *testing.T) {
	t.Parallel()
	bucket := s3test.Start(t)
	config := server.Config{
		Data: filepath.Join(t.TempDir(), "a"), Blobs: bucket.URL(bucket.Bucket(t)),
		BlobsKeyID: bucket.AccessKey, BlobsSecret: bucket.SecretKey,
	}
	mustOpen(t, config)
	config.Data = filepath.Join(t.TempDir(), "b")
	s, err := server.Open(t.Context(), config)
	if err == nil {
		t.Fatalf("Open(bucket of another database) = nil (and Close() = %v)", s.Close())
	}
	for _, want := range []string{"belong to another database", config.Blobs} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("Open(bucket of another database) = %v, want %q in it", err, want)
		}
	}
}

// A bucket whose server is away keeps nobody from what needs no attachments: a
// key can be revoked, and a node that starts serves.
func TestABucketThatIsAwayHoldsUpOnlyAttachments(t *testing.T) {
	t.Parallel()
	bucket := s3test.Start(t)
	config := server.Config{
		Data: filepath.Join(t.TempDir(), "data"), Blobs: bucket.URL(bucket.Bucket(t)),
		BlobsKeyID: bucket.AccessKey, BlobsSecret: bucket.SecretKey, Listen: "127.0.0.1:0",
	}
	bucket.Kill()
	admin, err := server.Administer(t.Context(), config)
	if err != nil {
		t.Fatalf("Administer() = %v, want nil", err)
	}
	if _, err := admin.FirstRun(t.Context()); err != nil {
		t.Errorf("FirstRun() = %v, want nil", err)
	}
	if err := admin.Close(); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
	s := mustServe(t, config)
	if !strings.Contains(s.log.String(), "the server of the bucket is away") {
		t.Errorf("the log says %s, want that the bucket is away", s.log.String())
	}
	s.mustCreateCase(t, "while it is away")
	checks, status := s.mustReadiness(t)
	if status != http.StatusServiceUnavailable || checks["database"] != "ok" || !strings.Contains(checks["attachments"], "connection refused") {
		t.Errorf("readiness = %d %v, want 503 for the attachments, with the reason", status, checks)
	}
	bucket.Restart(t)
	if checks, status := s.mustReadiness(t); status != http.StatusOK {
		t.Errorf("readiness of a bucket that is back = %d %v, want 200", status, checks)
	}
	s.mustCreateWithFile(t, "after it came back")
	config.Data = filepath.Join(t.TempDir(), "other")
	if other, err := server.Open(t.Context(), config); err == nil || !strings.Contains(err.Error(), "belong to another database") {
		t.Errorf("Open() of another database on the bucket = %v, want a refusal: it was marked when it came back", err)
		if err == nil {
			_ = other.Close() // the test has failed
		}
	}
}

func TestReadinessSaysWhyADatabaseIsAway(t *testing.T) {
	t.Parallel()
	postgres := pgtest.Start(t, pgtest.Options{Durable: true})
	s := mustServe(t, server.Config{Database: postgres.CreateDatabase(t), Blobs: "file://" + t.TempDir()})
	postgres.Stop(t, pgtest.Immediate)
	checks, status := s.mustReadiness(t)
	if status != http.StatusServiceUnavailable || checks["attachments"] != "ok" || strings.Contains(checks["database"], "no answer") {
		t.Errorf("readiness = %d %v, want 503 for the database, with the reason", status, checks)
	}
	if !strings.Contains(s.log.String(), "not ready") {
		t.Errorf("the log says %s, want why the node is not ready", s.log.String())
	}
	postgres.StartAgain(t)
	for range 10 { // as many checks may meet a connection that broke
		if _, status = s.mustReadiness(t); status == http.StatusOK {
			return
		}
	}
	t.Errorf("readiness of a database that is back = %d, want 200", status)
}

// Of two nodes with keys of their own one is refused, and does not keep its key
// for the next time.
func TestANodeThatIsRefusedKeepsNoMasterKey(t *testing.T) {
	t.Parallel()
	config := server.Config{Database: pgtest.Database(t), Blobs: "file://" + t.TempDir()}
	var folders [6]string
	var outcomes [6]error
	var wg sync.WaitGroup
	for i := range folders {
		folders[i] = filepath.Join(t.TempDir(), "data")
		wg.Go(func() {
			c := config
			c.Data = folders[i]
			s, err := server.Open(t.Context(), c)
			if err == nil {
				err = s.Close()
			}
			outcomes[i] = err
		})
	}
	wg.Wait()
	kept := 0
	for i, folder := range folders {
		_, err := os.Stat(filepath.Join(folder, server.MasterKeyFile))
		if (err == nil) != (outcomes[i] == nil) {
			t.Errorf("node %d ended with %v, its master key is there: %v", i, outcomes[i], err == nil)
		}
		if err == nil {
			kept++
		}
	}
	if kept != 1 {
		t.Errorf("%d nodes have a master key, want 1: %v", kept, outcomes)
	}
}

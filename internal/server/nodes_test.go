package server_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/blob/s3blob/s3test"
	"github.com/supportd/supportd/internal/seal"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// twoNodes share a PostgreSQL and a bucket, and nothing else.
func twoNodes(t *testing.T) (a, b *service) {
	t.Helper()
	bucket := s3test.Start(t)
	config := server.Config{
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

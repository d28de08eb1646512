package s3blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/blob/blobtest"
	"github.com/supportd/supportd/internal/blob/s3blob"
	"github.com/supportd/supportd/internal/blob/s3blob/s3test"
)

func TestStore(t *testing.T) {
	server := s3test.Start(t)
	blobtest.Run(t, func(t *testing.T) blob.Store { return mustOpen(t, configOf(t, server)) })
}

func TestStoreWithPrefixAndSmallPages(t *testing.T) {
	server := s3test.Start(t)
	blobtest.Run(t, func(t *testing.T) blob.Store {
		c := configOf(t, server)
		c.Prefix = "some/folder"
		s := mustOpen(t, c)
		s.SetPage(2)
		return s
	})
}

func TestStoresWithDifferentPrefixesAreApart(t *testing.T) {
	server := s3test.Start(t)
	c := configOf(t, server)
	stores := map[string]*s3blob.Store{}
	for _, prefix := range []string{"", "a", "a/b", "ab", "objects"} {
		c.Prefix = prefix
		stores[prefix] = mustOpen(t, c)
	}
	keys := []string{"a/b/c", "b/c", "c", "objects/c"}
	for prefix, s := range stores {
		for _, key := range keys {
			mustPut(t, s, key, []byte(prefix+":"+key))
		}
	}
	for prefix, s := range stores {
		wantKeys(t, s, keys...)
		for _, key := range keys {
			wantContent(t, s, key, []byte(prefix+":"+key))
		}
	}
	for _, key := range keys {
		if err := stores[""].Delete(t.Context(), key); err != nil {
			t.Errorf("Delete(%q) = %v", key, err)
		}
	}
	wantKeys(t, stores[""])
	wantKeys(t, stores["a"], keys...)
}

func TestForeignObjectsAreNotListed(t *testing.T) {
	server := s3test.Start(t)
	c := configOf(t, server)
	s := mustOpen(t, c)
	mustPut(t, s, "a/b", []byte("x"))
	for _, name := range []string{"readme.txt", "check+", "objects+/unmarked", "objects+/not a key+", "objects+/a/b/c/d/e+"} {
		_, err := server.Client().PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: &c.Bucket, Key: &name, Body: strings.NewReader("foreign"),
		})
		if err != nil {
			t.Fatalf("PutObject(%q) = %v", name, err)
		}
	}
	wantKeys(t, s, "a/b")
}

func TestPutInParts(t *testing.T) {
	server := s3test.Start(t)
	c := configOf(t, server)
	s := mustOpen(t, c)
	for _, size := range []int{s3blob.PartSize - 1, s3blob.PartSize, s3blob.PartSize + 1, 2*s3blob.PartSize + 10} {
		content := random(size)
		if err := s.Put(t.Context(), "a/b", iotest.HalfReader(bytes.NewReader(content))); err != nil {
			t.Errorf("Put(%d bytes) = %v", size, err)
		}
		wantContent(t, s, "a/b", content)
	}
	wantNoUploads(t, server, c.Bucket)
}

func TestFailedPutInPartsLeavesNothing(t *testing.T) {
	server := s3test.Start(t)
	c := configOf(t, server)
	s := mustOpen(t, c)
	broken := errors.New("the client went away")
	for _, sent := range []int{s3blob.PartSize, s3blob.PartSize + 10, 2*s3blob.PartSize + 10} {
		r := io.MultiReader(bytes.NewReader(random(sent)), iotest.ErrReader(broken))
		if err := s.Put(t.Context(), "a/b", r); !errors.Is(err, broken) {
			t.Errorf("Put(reader that fails after %d bytes) = %v, want %v", sent, err, broken)
		}
		ctx, cancel := context.WithCancel(t.Context())
		last := blob.ReaderFunc(func([]byte) (int, error) {
			cancel()
			return 0, io.EOF
		})
		r = io.MultiReader(bytes.NewReader(random(sent)), last)
		if err := s.Put(ctx, "a/b", r); !errors.Is(err, context.Canceled) {
			t.Errorf("Put(cancelled after %d bytes) = %v, want %v", sent, err, context.Canceled)
		}
		wantNoUploads(t, server, c.Bucket)
	}
	wantKeys(t, s)
}

func TestOpenSurvivesDeleteOfALongBlob(t *testing.T) {
	s := mustOpen(t, configOf(t, s3test.Start(t)))
	content := random(3 * s3blob.PartSize) // more than the buffers on the way hold
	mustPut(t, s, "a", content)
	r, err := s.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
		t.Errorf("reading while deleted: %d bytes, %v; want the %d put", len(got), err, len(content))
	}
}

func TestListInPages(t *testing.T) {
	s := mustOpen(t, configOf(t, s3test.Start(t)))
	var keys []string
	for i := range 25 {
		key := fmt.Sprintf("a/%02x/%d", i%3, i)
		mustPut(t, s, key, nil)
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, page := range []int32{1, 5, 7, 1000} {
		s.SetPage(page)
		wantKeys(t, s, keys...)
	}
}

func TestServerRestarts(t *testing.T) {
	server := s3test.Start(t)
	s := mustOpen(t, configOf(t, server))
	content := random(100_000)
	mustPut(t, s, "a", content)
	down := []struct {
		name string
		call func() error
	}{
		{"Put", func() error { return s.Put(t.Context(), "b", bytes.NewReader(content)) }},
		{"Open", func() error {
			r, err := s.Open(t.Context(), "a")
			if err != nil {
				return err
			}
			return r.Close()
		}},
		{"List", func() error {
			for _, err := range s.List(t.Context(), "") {
				return err
			}
			return errors.New("nothing listed")
		}},
		{"Check", func() error { return s.Check(t.Context()) }},
		{"Delete", func() error { return s.Delete(t.Context(), "b") }},
	}
	for _, test := range down {
		server.Kill()
		done := make(chan error)
		go func() { done <- test.call() }()
		server.Restart(t)
		if err := <-done; err != nil {
			t.Errorf("%s while the server restarts = %v, want nil", test.name, err)
		}
	}
	wantContent(t, s, "a", content)
	wantKeys(t, s, "a")
}

func TestServerStaysAway(t *testing.T) {
	server := s3test.Start(t)
	c := configOf(t, server)
	c.RequestTimeout = 200 * time.Millisecond
	s := mustOpen(t, c)
	server.Kill()
	if err := s.Put(t.Context(), "a", strings.NewReader("x")); err == nil {
		t.Error("Put without a server = nil, want an error")
	}
	if _, err := s.Open(t.Context(), "a"); err == nil || errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open without a server = %v, want an error other than not found", err)
	}
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "no connection") {
		t.Errorf("Check without a server = %v, want no connection", err)
	}
	_, err := s3blob.Open(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "no connection") {
		t.Errorf("Open without a server = %v, want no connection", err)
	}
}

func TestOpenTellsWhatIsWrong(t *testing.T) {
	server := s3test.Start(t)
	good := configOf(t, server)
	tests := []struct {
		change func(c *s3blob.Config)
		want   string
	}{
		{func(c *s3blob.Config) { c.Bucket = "no-such-bucket" }, "no such bucket"},
		{func(c *s3blob.Config) { c.SecretAccessKey = "wrong-" + c.SecretAccessKey }, "access denied"},
		{func(c *s3blob.Config) { c.AccessKeyID = "nobody" }, "access key"},
	}
	for _, test := range tests {
		c := good
		test.change(&c)
		_, err := s3blob.Open(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Open(%v) = %v, want one line with %q", c, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), server.SecretKey) {
			t.Errorf("Open(%v) = %v, want no secret in it", c, err)
		}
	}
}

func TestBucketGoesAway(t *testing.T) {
	server := s3test.Start(t)
	c := configOf(t, server)
	s := mustOpen(t, c)
	if _, err := server.Client().DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &c.Bucket}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), "a"); err == nil || errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open without the bucket = %v, want an error other than not found", err)
	}
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "no such bucket") {
		t.Errorf("Check without the bucket = %v, want no such bucket", err)
	}
}

func TestKeysOfTheShellAreUsed(t *testing.T) {
	server := s3test.Start(t)
	c := configOf(t, server)
	t.Setenv("AWS_ACCESS_KEY_ID", c.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", c.SecretAccessKey)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
	c.AccessKeyID, c.SecretAccessKey = "", ""
	mustPut(t, mustOpen(t, c), "a", []byte("x"))

	t.Setenv("AWS_ACCESS_KEY_ID", "another")
	c.AccessKeyID, c.SecretAccessKey = server.AccessKey, server.SecretKey
	mustPut(t, mustOpen(t, c), "b", []byte("x"))
}

func TestWorksAfterClose(t *testing.T) {
	s := mustOpen(t, configOf(t, s3test.Start(t)))
	content := random(3 * s3blob.WholeUpTo)
	mustPut(t, s, "a", content)
	r, err := s.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := s.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
		t.Errorf("reading after Close: %d bytes, %v; want the %d put", len(got), err, len(content))
	}
}

func configOf(t testing.TB, server *s3test.Server) s3blob.Config {
	t.Helper()
	url := server.URL(server.Bucket(t))
	c, err := s3blob.Parse(url)
	if err != nil {
		t.Fatalf("Parse(%q) = %v", url, err)
	}
	c.AccessKeyID, c.SecretAccessKey = server.AccessKey, server.SecretKey
	return c
}

func mustOpen(t testing.TB, c s3blob.Config) *s3blob.Store {
	t.Helper()
	s, err := s3blob.Open(t.Context(), c)
	if err != nil {
		t.Fatalf("Open(%v) = %v", c, err)
	}
	t.Cleanup(func() { _ = s.Close() }) // never fails
	return s
}

func mustPut(t testing.TB, s blob.Store, key string, content []byte) {
	t.Helper()
	if err := s.Put(t.Context(), key, bytes.NewReader(content)); err != nil {
		t.Fatalf("Put(%q) = %v", key, err)
	}
}

func read(t testing.TB, s blob.Store, key string) ([]byte, error) {
	t.Helper()
	r, err := s.Open(t.Context(), key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func wantContent(t *testing.T, s blob.Store, key string, want []byte) {
	t.Helper()
	if got, err := read(t, s, key); err != nil || !bytes.Equal(got, want) {
		t.Errorf("Open(%q): %d bytes, %v; want the %d put", key, len(got), err, len(want))
	}
}

func wantKeys(t *testing.T, s blob.Store, want ...string) {
	t.Helper()
	var got []string
	for info, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Errorf("List() yields %v", err)
			return
		}
		got = append(got, info.Key)
	}
	if !slices.Equal(got, want) {
		t.Errorf("List() = %q, want %q", got, want)
	}
}

func wantNoUploads(t *testing.T, server *s3test.Server, bucket string) {
	t.Helper()
	out, err := server.Client().ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, upload := range out.Uploads {
		t.Errorf("an upload of %s is unfinished", aws.ToString(upload.Key))
	}
}

// random returns n bytes, the same for the same n.
func random(n int) []byte {
	content := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(content) // never fails
	return content
}

func TestMissingCredentialsAreToldAsSuch(t *testing.T) {
	c := configOf(t, s3test.Start(t))
	c.AccessKeyID, c.SecretAccessKey = "", ""
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	s, err := s3blob.Open(t.Context(), c)
	if err == nil {
		_ = s.Close() // the test has failed
	}
	if err == nil || !strings.Contains(err.Error(), "no credentials for it were found") {
		t.Errorf("Open() without credentials = %v, want that there are none", err)
	}
}

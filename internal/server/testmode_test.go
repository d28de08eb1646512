package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/supportd/supportd/internal/blob/s3blob/s3test"
	"github.com/supportd/supportd/internal/server"
)

// What a server that is not for tests must not have, at the wire.
func TestWithoutTestModeItsPowersAreUnreachable(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	if s.Test != nil || s.TestAddr() != nil {
		t.Fatalf("Test = %v at %v, want none", s.Test, s.TestAddr())
	}
	for _, id := range []string{"test", server.FirstAccountID} {
		other := *s
		other.key = aws.Credentials{AccessKeyID: id, SecretAccessKey: "test"}
		if got := other.mustCall(t, "DescribeSeverityLevels", "{}"); got.status != http.StatusBadRequest || !strings.Contains(got.body, "UnrecognizedClientException") {
			t.Errorf("key %s/test: %v, want UnrecognizedClientException", id, got)
		}
	}
	for _, route := range []string{
		"POST /reset", "POST /seed", "GET /clock", "POST /clock", "GET /faults", "POST /faults", "DELETE /faults", "DELETE /faults/fault-1",
		"GET /requests", "GET /autopilot", "PUT /autopilot", "DELETE /autopilot", "PUT /results", "GET /accounts",
	} {
		method, path, _ := strings.Cut(route, " ")
		if got := s.mustAsk(t, method, path); got.status != http.StatusNotFound {
			t.Errorf("%s = %v, want 404", route, got)
		}
	}
	if got := s.mustAsk(t, http.MethodGet, "/"); strings.Contains(got.body, "test mode") {
		t.Errorf("GET / = %v, want nothing of the test mode", got)
	}
	s.mustCreateCase(t, "untouched")
}

// mustAsk sends a request without a signature and a body.
func (s *service) mustAsk(t *testing.T, method, path string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := do(http.DefaultClient, r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

// Nor does the API's listener of a server for tests have them.
func TestTheManagementAPIHasAListenerOfItsOwn(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{Test: &server.Test{Listen: "127.0.0.1:0"}})
	for _, path := range []string{"/clock", "/faults", "/requests", "/accounts"} {
		if got := s.mustAsk(t, http.MethodGet, path); got.status != http.StatusNotFound {
			t.Errorf("GET %s on the API's listener = %v, want 404", path, got)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.TestAddr().String()+"/clock", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := do(http.DefaultClient, r); err != nil || got.status != http.StatusOK {
		t.Errorf("GET /clock on its own listener = %v, %v, want 200", got, err)
	}
	s.key = aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
	s.mustCreateCase(t, "with test/test")
	s.key.SecretAccessKey = "tset"
	if got := s.mustCall(t, "DescribeCases", "{}"); !strings.Contains(got.body, "InvalidSignatureException") {
		t.Errorf("key test/tset: %v, want InvalidSignatureException", got)
	}
}

func TestTestsStayAwayFromWhatIsInUse(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	inUse := mustServe(t, server.Config{Data: data})
	inUse.mustCreateCase(t, "precious")
	if err := inUse.stop(); err != nil {
		t.Fatal(err)
	}
	_, err := server.Open(t.Context(), server.Config{Data: data, Test: &server.Test{}})
	if err == nil || !strings.Contains(err.Error(), data+" was not made by test mode") {
		t.Errorf("Open(in use, for tests) = %v, want a refusal", err)
	}
	again := mustServe(t, server.Config{Data: data})
	if _, ok := again.mustCases(t)["precious"]; !ok {
		t.Error("the case is gone")
	}
}

// Where an installation is, is said by its database: the rest may be elsewhere.
func TestARefusalNamesTheDatabase(t *testing.T) {
	t.Parallel()
	inUse := mustOpen(t, server.Config{})
	if err := inUse.stop(); err != nil {
		t.Fatal(err)
	}
	database := "sqlite://" + filepath.Join(inUse.data, "supportd.db")
	_, err := server.Open(t.Context(), server.Config{Data: t.TempDir(), Database: database, Test: &server.Test{}})
	if err == nil || !strings.Contains(err.Error(), "the installation in "+database+" was not made by test mode") {
		t.Errorf("Open(database in use, for tests) = %v, want a refusal that names %s", err, database)
	}
}

// A reset removes all attachments.
func TestTestsStayAwayFromFilesOfOthers(t *testing.T) {
	t.Parallel()
	mine := t.TempDir()
	file := filepath.Join(mine, "objects", "z")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data")
	for range 2 { // also when the database is there already
		_, err := server.Open(t.Context(), server.Config{Data: data, Blobs: "file://" + mine, Test: &server.Test{}})
		if want := "the attachments in file://" + mine + " (z, for one) were not made by test mode"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(files of others, for tests) = %v, want %s", err, want)
		}
	}
	// Early releases for use did not mark their attachments.
	if err := mustOpen(t, server.Config{Blobs: "file://" + mine}).stop(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file has %q, %v, want what it had", text, err)
	}
}

// Of a bucket only objects with names of ours are removed; whose these are is not
// known while it is away.
func TestTestsStayAwayFromBucketsOfOthers(t *testing.T) {
	t.Parallel()
	bucket := s3test.Start(t)
	name := bucket.Bucket(t)
	_, err := bucket.Client().PutObject(t.Context(), &s3.PutObjectInput{Bucket: &name, Key: aws.String("objects+/z+"), Body: strings.NewReader("precious")})
	if err != nil {
		t.Fatal(err)
	}
	config := server.Config{
		Data: filepath.Join(t.TempDir(), "data"), Test: &server.Test{},
		Blobs: bucket.URL(name), BlobsKeyID: bucket.AccessKey, BlobsSecret: bucket.SecretKey,
	}
	check := func(what, want string) {
		t.Helper()
		if _, err := server.Open(t.Context(), config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%s, for tests) = %v, want %s", what, err, want)
		}
	}
	check("bucket of others", "(z, for one) were not made by test mode")
	bucket.Kill()
	check("bucket that is away", "the bucket is away")
}

func TestNobodyServesCustomersFromWhatTestsMade(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for range 2 { // it may be opened again by test mode
		tested := mustServe(t, server.Config{Data: data, Test: &server.Test{}})
		tested.mustCreateCase(t, "made up")
		if err := tested.stop(); err != nil {
			t.Fatal(err)
		}
	}
	opened := mustOpen(t, server.Config{Data: data}) // as administration beside a server for tests does
	if _, err := opened.Listen(); err == nil || !strings.Contains(err.Error(), data+" was made by test mode") {
		t.Errorf("Listen(made by tests) = %v, want a refusal", err)
	}
}

// Releases before the test mode have left no word of what an installation is for.
func TestInstallationsOfOlderReleasesAreInUse(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, server.Config{})
	house{Config: server.Config{Data: s.data}}.exec(t, `DELETE FROM settings WHERE name = 'purpose'`)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	_, err := server.Open(t.Context(), server.Config{Data: s.data, Test: &server.Test{}})
	if err == nil || !strings.Contains(err.Error(), "was not made by test mode") {
		t.Errorf("Open(older installation, for tests) = %v, want a refusal", err)
	}
	mustServe(t, server.Config{Data: s.data}).mustCreateCase(t, "goes on")
}

func TestConfigurationsOfTestModeThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for want, config := range map[string]server.Config{
		"a clock of its own":        {Data: t.TempDir(), Now: time.Now, Test: &server.Test{}},
		"test-time: The clock goes": {Data: t.TempDir(), Test: &server.Test{Time: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}},
		`test-listen "here": want`:  {Data: t.TempDir(), Test: &server.Test{Listen: "here"}},
		"no such file":              {Data: t.TempDir(), Test: &server.Test{SeedFile: filepath.Join(t.TempDir(), "none.yaml")}},
	} {
		if s, err := server.Open(t.Context(), config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%+v) = %v, want %s", config.Test, err, want)
			if err == nil {
				_ = s.Close()
			}
		}
	}
}

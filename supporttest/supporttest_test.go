package supporttest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"
	"github.com/aws/smithy-go"

	"github.com/supportd/supportd/supporttest"
)

// exampleT is a T outside a test: it ends when told to.
type exampleT struct {
	folder   string
	cleanups []func()
}

var _ supporttest.T = (*exampleT)(nil)

func newExampleT() *exampleT {
	folder, err := os.MkdirTemp("", "supporttest-*")
	if err != nil {
		panic(err)
	}
	return &exampleT{folder: folder, cleanups: []func(){func() { os.RemoveAll(folder) }}}
}

// Helper does nothing.
func (t *exampleT) Helper() {}

// Cleanup keeps f for the end.
func (t *exampleT) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// Fatalf panics.
func (t *exampleT) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// TempDir returns a folder that is removed at the end.
func (t *exampleT) TempDir() string { return t.folder }

// end runs what was kept, the last first.
func (t *exampleT) end() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}

func mustCreate(t testing.TB, client *support.Client, subject string) string {
	t.Helper()
	out, err := client.CreateCase(t.Context(), &support.CreateCaseInput{Subject: aws.String(subject), CommunicationBody: aws.String("words")})
	if err != nil {
		t.Fatalf("CreateCase(%q) = %v, want nil", subject, err)
	}
	return *out.CaseId
}

func mustList(t *testing.T, client *support.Client) []types.CaseDetails {
	t.Helper()
	out, err := client.DescribeCases(t.Context(), &support.DescribeCasesInput{IncludeResolvedCases: true})
	if err != nil {
		t.Fatalf("DescribeCases() = %v, want nil", err)
	}
	return out.Cases
}

func checkCode(t *testing.T, what string, err error, want string) {
	t.Helper()
	failure, ok := errors.AsType[smithy.APIError](err)
	if !ok || failure.ErrorCode() != want {
		t.Errorf("%s = %v, want %s", what, err, want)
	}
}

func TestTwoServersInOneTestAreIndependent(t *testing.T) {
	t.Parallel()
	one, two := supporttest.NewServer(t), supporttest.NewServer(t)
	if one.URL == two.URL || one.DataDir() == two.DataDir() {
		t.Fatalf("both servers are at %s in %s", one.URL, one.DataDir())
	}
	mustCreate(t, support.NewFromConfig(one.Config()), "only in one")
	if found := mustList(t, support.NewFromConfig(two.Config())); len(found) != 0 {
		t.Errorf("the second server has %v, want no case", found)
	}
	stranger := two.Config()
	stranger.BaseEndpoint = aws.String(one.URL)
	_, err := support.NewFromConfig(stranger).DescribeCases(t.Context(), &support.DescribeCasesInput{})
	checkCode(t, "DescribeCases with the other server's key", err, "UnrecognizedClientException")
	before := two.Now()
	one.Advance(time.Hour)
	if moved := two.Now().Sub(before); moved > 30*time.Minute {
		t.Errorf("the second server's clock moved by %v, want it to stay", moved)
	}
}

func TestAdvanceMovesTheClockOfAllRules(t *testing.T) {
	t.Parallel()
	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())
	attach := func() *string {
		t.Helper()
		set, err := client.AddAttachmentsToSet(t.Context(), &support.AddAttachmentsToSetInput{
			Attachments: []types.Attachment{{FileName: aws.String("a"), Data: []byte("a")}},
		})
		if err != nil {
			t.Fatalf("AddAttachmentsToSet() = %v, want nil", err)
		}
		return set.AttachmentSetId
	}
	open := func(set *string) error {
		_, err := client.CreateCase(t.Context(), &support.CreateCaseInput{
			Subject: aws.String("s"), CommunicationBody: aws.String("b"), AttachmentSetId: set,
		})
		return err
	}
	set := attach()
	srv.Advance(59 * time.Minute)
	if err := open(set); err != nil {
		t.Errorf("CreateCase(set of 59 minutes) = %v, want nil", err)
	}
	set = attach()
	srv.Advance(time.Hour)
	checkCode(t, "CreateCase(set of an hour)", open(set), "AttachmentSetExpired")

	id := mustCreate(t, client, "will be old")
	if _, err := client.ResolveCase(t.Context(), &support.ResolveCaseInput{CaseId: &id}); err != nil {
		t.Fatal(err)
	}
	reply := func() error {
		_, err := client.AddCommunicationToCase(t.Context(), &support.AddCommunicationToCaseInput{CaseId: &id, CommunicationBody: aws.String("again")})
		return err
	}
	srv.Advance(15 * 24 * time.Hour)
	checkCode(t, "AddCommunicationToCase(resolved 15 days ago)", reply(), "ValidationException")
	srv.Advance(366 * 24 * time.Hour)
	checkCode(t, "AddCommunicationToCase(older than a year)", reply(), "CaseIdNotFound")
	if found := mustList(t, client); len(found) != 0 {
		t.Errorf("after a year there are %d cases, want none", len(found))
	}
	wantNoAttachments(t, srv)
}

// wantNoAttachments waits until a job has deleted the files of attachments that
// Advance removed.
func wantNoAttachments(t *testing.T, srv *supporttest.Server) {
	t.Helper()
	files := mustAttachments(t, srv)
	for range 5000 {
		if len(files) == 0 {
			return
		}
		<-time.After(time.Millisecond)
		files = mustAttachments(t, srv)
	}
	t.Errorf("after a year there are files %v, want none: Advance removes what is old", files)
}

// mustAttachments returns the files of attachments that the server keeps.
func mustAttachments(t *testing.T, srv *supporttest.Server) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(srv.DataDir(), "attachments"), func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && entry.Name() != "installation" { // the mark of the folder's owner
			files = append(files, path)
		}
		if errors.Is(err, fs.ErrNotExist) { // it was deleted meanwhile
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestConfigForIsOfThatAccount(t *testing.T) {
	t.Parallel()
	srv := supporttest.NewServer(t)
	accounts := srv.Accounts()
	if len(accounts) != 2 || accounts[0].ID != "123456789012" || accounts[1].ID != "111122223333" {
		t.Fatalf("Accounts() = %+v, want the two that are documented", accounts)
	}
	for _, a := range accounts {
		client := support.NewFromConfig(srv.ConfigFor(a))
		id := mustCreate(t, client, "of "+a.Name)
		if !strings.HasPrefix(id, "case-"+a.ID+"-") {
			t.Errorf("ConfigFor(%s) opened case %s, want one of that account", a.ID, id)
		}
		found := mustList(t, client)
		if len(found) != 1 || *found[0].Subject != "of "+a.Name || *found[0].SubmittedBy != a.Email {
			t.Errorf("ConfigFor(%s) sees %d cases, want its own, submitted by %s", a.ID, len(found), a.Email)
		}
		severities, err := client.DescribeSeverityLevels(t.Context(), &support.DescribeSeverityLevelsInput{})
		if want := map[string]int{"enterprise": 5, "business": 4}[a.Plan]; err != nil || len(severities.SeverityLevels) != want {
			t.Errorf("plan %q: %d severities, %v, want %d", a.Plan, len(severities.SeverityLevels), err, want)
		}
	}
	accounts[0].ID = "changed"
	if srv.Accounts()[0].ID == "changed" {
		t.Error("Accounts() hands out its own list, want a copy")
	}
}

func TestWithTimeStartsTheClockThere(t *testing.T) {
	t.Parallel()
	start := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	srv := supporttest.NewServer(t, supporttest.WithTime(start))
	if late := srv.Now().Sub(start); late < 0 || late > time.Minute {
		t.Errorf("Now() = %v, want %v", srv.Now(), start)
	}
	client := support.NewFromConfig(srv.Config())
	id := mustCreate(t, client, "in the future")
	if got := *mustList(t, client)[0].TimeCreated; !strings.HasPrefix(got, "2031-05-06T07:0") || !strings.Contains(id, "-2031-") {
		t.Errorf("case %s was created at %s, want %v", id, got, start)
	}
}

func TestLimitsAreOffUnlessAskedFor(t *testing.T) {
	t.Parallel()
	client := support.NewFromConfig(supporttest.NewServer(t).Config())
	for i := range 12 {
		mustCreate(t, client, fmt.Sprint("case ", i))
	}
	srv := supporttest.NewServer(t, supporttest.WithAWSLimits())
	client = support.NewFromConfig(srv.Config())
	for i := range 10 {
		srv.Advance(time.Second) // five calls a second are allowed
		mustCreate(t, client, fmt.Sprint("case ", i))
	}
	srv.Advance(time.Second)
	_, err := client.CreateCase(t.Context(), &support.CreateCaseInput{Subject: aws.String("eleventh"), CommunicationBody: aws.String("b")})
	checkCode(t, "eleventh CreateCase", err, "CaseCreationLimitExceeded")
	srv.Advance(time.Hour)
	mustCreate(t, client, "an hour later")
}

func TestCleanupLeavesNothingBehind(t *testing.T) {
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range 3 {
		over := newExampleT()
		srv := supporttest.NewServer(over)
		client := support.NewFromConfig(srv.Config())
		mustCreate(t, client, "short life")
		if _, err := client.AddAttachmentsToSet(t.Context(), &support.AddAttachmentsToSetInput{
			Attachments: []types.Attachment{{FileName: aws.String("a"), Data: []byte("a")}},
		}); err != nil {
			t.Fatal(err)
		}
		over.end()
		if conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL, "http://")); err == nil {
			conn.Close()
			t.Errorf("%s still answers after the cleanup", srv.URL)
		}
	}
	checkNothingIsLeft(t, goroutines, files)
}

// checkNothingIsLeft waits until there are no more goroutines and open files than
// there were.
func checkNothingIsLeft(t *testing.T, goroutines, files int) {
	t.Helper()
	for range 5000 {
		if runtime.NumGoroutine() <= goroutines && openFiles(t) <= files {
			return
		}
		<-time.After(time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines and %d files, want %d and %d as before\n%s", runtime.NumGoroutine(), openFiles(t), goroutines, files,
		stacks[:runtime.Stack(stacks, true)])
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not show open files:", err)
	}
	return len(entries)
}

// failingT notes what NewServer says when it cannot start.
type failingT struct {
	exampleT
	said string
}

// Fatalf ends the goroutine, as that of *testing.T does.
func (t *failingT) Fatalf(format string, args ...any) {
	t.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestServerThatCannotStartFailsTheTest(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	failing := &failingT{exampleT: exampleT{folder: file}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		supporttest.NewServer(failing)
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("NewServer() does not end")
	}
	if !strings.HasPrefix(failing.said, "supporttest: ") {
		t.Errorf("NewServer(no folder) said %q, want why", failing.said)
	}
	failing.end()
}

func TestResetGivesLimitsAndKeysAnew(t *testing.T) {
	t.Parallel()
	srv := supporttest.NewServer(t, supporttest.WithAWSLimits(), supporttest.WithFrozenClock())
	client := support.NewFromConfig(srv.Config(), func(o *support.Options) { o.RetryMaxAttempts = 1 })
	ask := func() error {
		_, err := client.DescribeSeverityLevels(t.Context(), &support.DescribeSeverityLevelsInput{})
		return err
	}
	for range 2 {
		for i := range 5 {
			if err := ask(); err != nil {
				t.Fatalf("call %d of DescribeSeverityLevels = %v, want nil", i+1, err)
			}
		}
		checkCode(t, "sixth call of a second", ask(), "ThrottlingException")
		srv.Reset()
	}
	second := support.NewFromConfig(srv.ConfigFor(srv.Accounts()[1]))
	mustCreate(t, second, "with the second account's key")
}

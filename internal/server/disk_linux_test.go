package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/supportd/supportd/internal/server"
)

// inNamespace marks the process that may mount file systems of its own.
const inNamespace = "SUPPORTD_TEST_IN_NAMESPACE"

// withMounts runs a test again in a process with a mount namespace of its own,
// where it may mount what it likes and nobody else sees it. It returns true in
// that process.
func withMounts(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inNamespace) != "" {
		return true
	}
	var output []byte
	for _, attr := range []*syscall.SysProcAttr{
		{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		},
		{Cloneflags: syscall.CLONE_NEWNS}, // for root where user namespaces are off
	} {
		probe := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "none", t.TempDir())
		probe.SysProcAttr = attr
		var err error
		if output, err = probe.CombinedOutput(); err != nil {
			output = fmt.Appendf(output, "%v", err)
			continue
		}
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
		again.Env = append(os.Environ(), inNamespace+"=1")
		again.SysProcAttr = attr
		out, err := again.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Errorf("in a mount namespace: %v\n%s", err, out)
		}
		return false
	}
	t.Skipf("NOT TESTED: a full and a read-only disk. Neither a user namespace nor root may mount here: %s", output)
	return false
}

func mustMount(t *testing.T, kind, source, target, options string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount(source, target, kind, flags, options); err != nil {
		t.Fatalf("mount %s on %s: %v", kind, target, err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(target, syscall.MNT_DETACH) }) // a remount is unmounted already
}

// mustFill writes until the file system is full and returns the file.
func mustFill(t *testing.T, folder string) string {
	t.Helper()
	name := filepath.Join(folder, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err == nil {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("filling %s: %v", folder, err)
		}
		err = nil
	}
	return name
}

func TestFullDiskRefusesWritesAndRecovers(t *testing.T) {
	if !withMounts(t) {
		return
	}
	disk := t.TempDir()
	mustMount(t, "tmpfs", "none", disk, "size=16m", 0)
	s := mustServe(t, server.Config{Data: filepath.Join(disk, "data")})
	known := map[string]bool{}
	for i := range 20 {
		subject := fmt.Sprintf("before %d", i)
		s.mustCreateWithFile(t, subject)
		known[subject] = true
	}
	spare := s.mustAttach(t, "spare.txt", fileOf("spare"))
	filler := mustFill(t, disk)

	for subject := range s.mustWriteUntilFull(t) {
		known[subject] = true
	}
	s.checkInternalError(t, "AddAttachmentsToSet on a full disk",
		s.mustCall(t, "AddAttachmentsToSet", `{"attachments":[{"fileName":"a","data":"`+strings.Repeat("QUJD", 10_000)+`"}]}`))
	s.checkNotReady(t, "no space left on device", "disk is full")
	s.checkCases(t, known) // reads go on
	if got := s.mustGet(t, "/healthz"); got.status != http.StatusOK {
		t.Errorf("GET /healthz on a full disk = %v, want 200", got)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.checkReadyAgain(t)
	s.mustCreateCase(t, "after", `"attachmentSetId":"`+spare+`"`)
	s.mustCreateWithFile(t, "after with file")
	known["after"], known["after with file"] = true, true
	s.checkCases(t, known)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	again := mustServe(t, server.Config{Data: s.data})
	again.checkCases(t, known)
	if log := s.log.String(); !strings.Contains(log, "no space left on device") || !strings.Contains(log, "disk is full") {
		t.Errorf("the log does not say why writes failed: %.3000s", log)
	}
}

// mustWriteUntilFull opens cases, several at a time so that they share commits,
// until many were refused, and returns those that were acknowledged. There may
// be some: the database has room inside its files.
func (s *service) mustWriteUntilFull(t *testing.T) map[string]bool {
	t.Helper()
	words := strings.Repeat("w", 8000)
	acknowledged := map[string]bool{}
	var mu sync.Mutex
	var writers sync.WaitGroup
	for writer := range 8 {
		writers.Go(func() {
			for i, refused := 0, 0; i < 500 && refused < 20; i++ {
				subject := fmt.Sprintf("while full %d-%d", writer, i)
				got, err := s.call(t.Context(), "CreateCase", fmt.Sprintf(`{"subject":%q,"communicationBody":%q}`, subject, words))
				if err != nil {
					t.Errorf("CreateCase on a full disk: %v", err)
					return
				}
				if got.status != http.StatusOK {
					s.checkInternalError(t, "CreateCase on a full disk", got)
					refused++
					continue
				}
				mu.Lock()
				acknowledged[subject] = true
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	if most := 8 * (500 - 20); len(acknowledged) > most {
		t.Fatalf("%d cases were acknowledged on a full disk, want at most %d", len(acknowledged), most)
	}
	return acknowledged
}

func TestReadOnlyAttachmentsRefuseFilesOnly(t *testing.T) {
	if !withMounts(t) {
		return
	}
	data := filepath.Join(t.TempDir(), "data")
	attachments := filepath.Join(data, "attachments")
	if err := os.MkdirAll(attachments, 0o700); err != nil {
		t.Fatal(err)
	}
	mustMount(t, "", attachments, attachments, "", syscall.MS_BIND)
	s := mustServe(t, server.Config{Data: data})
	s.mustCreateWithFile(t, "before")
	spare := s.mustAttach(t, "spare.txt", fileOf("spare"))
	mustMount(t, "", "", attachments, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY)

	s.checkInternalError(t, "AddAttachmentsToSet on a read-only disk",
		s.mustCall(t, "AddAttachmentsToSet", `{"attachments":[{"fileName":"a","data":"YQ=="}]}`))
	s.checkNotReady(t, "read-only file system")
	s.mustCreateCase(t, "meanwhile", `"attachmentSetId":"`+spare+`"`)
	s.checkCases(t, map[string]bool{"before": true, "meanwhile": true})

	mustMount(t, "", "", attachments, "", syscall.MS_BIND|syscall.MS_REMOUNT)
	s.checkReadyAgain(t)
	s.mustCreateWithFile(t, "after")
	s.checkCases(t, map[string]bool{"before": true, "meanwhile": true, "after": true})
}

func (s *service) checkInternalError(t *testing.T, what string, got answer) {
	t.Helper()
	want := `{"__type":"InternalServerError","message":"An internal error occurred."}`
	if got.status != http.StatusInternalServerError || got.body != want {
		t.Errorf("%s = %v, want 500 %s", what, got, want)
	}
}

// checkNotReady wants a readiness that gives one of the reasons.
func (s *service) checkNotReady(t *testing.T, reasons ...string) {
	t.Helper()
	checks, status := s.mustReadiness(t)
	text := fmt.Sprint(checks)
	for _, reason := range reasons {
		if strings.Contains(text, reason) && status == http.StatusServiceUnavailable {
			return
		}
	}
	t.Errorf("GET /readyz = %d %v, want 503 because of %q", status, checks, reasons)
}

func (s *service) checkReadyAgain(t *testing.T) {
	t.Helper()
	if checks, status := s.mustReadiness(t); status != http.StatusOK {
		t.Errorf("GET /readyz after the repair = %d %v, want 200", status, checks)
	}
}

// checkCases wants exactly these cases, with the bytes of their files.
func (s *service) checkCases(t *testing.T, known map[string]bool) {
	t.Helper()
	found := s.mustCases(t)
	for subject := range known {
		c, ok := found[subject]
		if !ok {
			t.Errorf("case %q was acknowledged and is not there", subject)
			continue
		}
		for _, file := range c.RecentCommunications.Communications[0].AttachmentSet {
			want := strings.TrimSuffix(file.FileName, ".txt")
			if got := s.mustRead(t, file.AttachmentID); string(got) != string(fileOf(want)) {
				t.Errorf("case %q: file %s has %d bytes, want those that were sent", subject, file.FileName, len(got))
			}
		}
	}
	for subject := range found {
		if !known[subject] {
			t.Errorf("case %q is there and was refused", subject)
		}
	}
}

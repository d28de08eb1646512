package server_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/server"
)

func TestBackupBesideWritesIsWholeWhenRestored(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	for i := range 5 {
		s.mustCreateWithFile(t, fmt.Sprintf("before %d", i))
	}
	before := s.mustCases(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var writers sync.WaitGroup
	failed := make(chan error, 4)
	for n := range cap(failed) {
		writers.Go(func() { failed <- s.writeUntil(ctx, n) })
	}
	file := filepath.Join(t.TempDir(), "backup.tar")
	for i := range 3 { // the last one while much was written
		if i > 0 {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Backup(t.Context(), file); err != nil {
			t.Fatalf("Backup() = %v, want nil", err)
		}
	}
	cancel()
	writers.Wait()
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode of the backup = %v, %v, want 0600", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(s.data, "backup-*")); err != nil || len(left) > 0 {
		t.Errorf("the backup left %v in the data folder, %v", left, err)
	}

	restored := filepath.Join(t.TempDir(), "new", "data")
	if err := server.Restore(t.Context(), file, restored); err != nil {
		t.Fatalf("Restore() = %v, want nil", err)
	}
	if entries := names(t, restored); !cmp.Equal(entries, []string{"attachments", "master.key", "supportd.db"}) {
		t.Errorf("the restored folder holds %v", entries)
	}
	again := mustServe(t, server.Config{Data: restored})
	again.key = s.key // the keys were in the backup
	after := again.mustCases(t)
	for subject, c := range before {
		if diff := cmp.Diff(c, after[subject]); diff != "" {
			t.Errorf("case %q changed (-before +restored):\n%s", subject, diff)
		}
	}
	for subject, c := range after {
		again.checkFile(t, subject, c)
	}
	t.Logf("%d cases in the backup", len(after))
	again.mustCreateWithFile(t, "after the restore")
}

// mustCreateWithFile opens a case whose file holds its subject many times.
func (s *service) mustCreateWithFile(t *testing.T, subject string) {
	t.Helper()
	set := s.mustAttach(t, subject+".txt", fileOf(subject))
	s.mustCreateCase(t, subject, `"attachmentSetId":"`+set+`"`)
}

func fileOf(subject string) []byte { return []byte(strings.Repeat(subject, 1000)) }

func (s *service) checkFile(t *testing.T, subject string, c seenCase) {
	t.Helper()
	if n := len(c.RecentCommunications.Communications); n != 1 {
		t.Errorf("case %q has %d communications, want 1", subject, n)
		return
	}
	files := c.RecentCommunications.Communications[0].AttachmentSet
	if len(files) != 1 || files[0].FileName != subject+".txt" {
		t.Errorf("case %q has attachments %v, want its file", subject, files)
		return
	}
	if got := s.mustRead(t, files[0].AttachmentID); !bytes.Equal(got, fileOf(subject)) {
		t.Errorf("the file of case %q has %d bytes, want those that were sent", subject, len(got))
	}
}

// writeUntil opens cases with files until ctx ends.
func (s *service) writeUntil(ctx context.Context, writer int) error {
	for i := 0; ctx.Err() == nil; i++ {
		subject := fmt.Sprintf("during %d-%d", writer, i)
		body, err := json.Marshal(map[string]any{"attachments": []any{map[string]any{"fileName": subject + ".txt", "data": fileOf(subject)}}})
		if err != nil {
			return err
		}
		set, err := s.call(context.WithoutCancel(ctx), "AddAttachmentsToSet", string(body))
		if err != nil || set.status != 200 {
			return fmt.Errorf("AddAttachmentsToSet = %v, %w", set, err)
		}
		made, err := s.call(context.WithoutCancel(ctx), "CreateCase",
			fmt.Sprintf(`{"subject":%q,"communicationBody":"x",%s`, subject, strings.TrimPrefix(set.body, "{")))
		if err != nil || made.status != 200 {
			return fmt.Errorf("CreateCase = %v, %w", made, err)
		}
	}
	return nil
}

func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	found := []string{}
	for _, e := range entries {
		found = append(found, e.Name())
	}
	return found
}

func TestBackupDoesNotTouchAnExistingFile(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, server.Config{})
	file := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), file); !errors.Is(err, os.ErrExist) {
		t.Errorf("Backup(existing file) = %v, want a refusal", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file holds %q, %v, want what it held before", text, err)
	}
	if err := s.Backup(t.Context(), filepath.Join(t.TempDir(), "no", "such", "folder", "x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Backup(into no folder) = %v, want a refusal", err)
	}
	if left, err := filepath.Glob(filepath.Join(s.data, "backup-*")); err != nil || len(left) > 0 {
		t.Errorf("the backups left %v in the data folder, %v", left, err)
	}
}

func TestRestoreFillsOnlyAnEmptyFolder(t *testing.T) {
	t.Parallel()
	file := mustBackup(t)
	data := t.TempDir()
	mine := filepath.Join(data, "mine")
	if err := os.WriteFile(mine, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := server.Restore(t.Context(), file, data)
	if err == nil || err.Error() != data+" is not empty: restore fills a new data folder" {
		t.Errorf("Restore(folder in use) = %v, want a refusal", err)
	}
	if got := names(t, data); !cmp.Equal(got, []string{"mine"}) {
		t.Errorf("the folder holds %v, want only what was there", got)
	}
	if err := os.Remove(mine); err != nil {
		t.Fatal(err)
	}
	if err := server.Restore(t.Context(), file, data); err != nil {
		t.Errorf("Restore(empty folder) = %v, want nil", err)
	}
	if err := server.Restore(t.Context(), file, mine+"/../mine2/"); err != nil && !strings.Contains(err.Error(), "not empty") {
		t.Errorf("Restore(unclean path) = %v, want nil", err)
	}
}

// mustBackup returns a backup with one case and one attachment.
func mustBackup(t *testing.T) string {
	t.Helper()
	s := mustServe(t, server.Config{})
	s.mustCreateWithFile(t, "kept")
	file := filepath.Join(t.TempDir(), "backup.tar")
	if err := s.Backup(t.Context(), file); err != nil {
		t.Fatalf("Backup() = %v, want nil", err)
	}
	return file
}

// entry is a file in a backup.
type entry struct {
	name    string
	kind    byte
	content string
}

func mustEntries(t *testing.T, file string) []entry {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var found []entry
	for r := tar.NewReader(bytes.NewReader(text)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, entry{h.Name, h.Typeflag, string(content)})
	}
}

func mustArchive(t *testing.T, entries []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: 0o600, Size: int64(len(e.content))}
		if e.kind == tar.TypeSymlink || e.kind == tar.TypeLink {
			h.Linkname, h.Size, e.content = e.content, 0, ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// forge writes a manifest that fits the entries, as someone would who may
// change the whole file.
func forge(t *testing.T, entries []entry) []byte {
	t.Helper()
	files := map[string]string{}
	for _, e := range entries {
		content := e.content
		if e.kind == tar.TypeSymlink || e.kind == tar.TypeLink {
			content = ""
		}
		hash := sha256.Sum256([]byte(content))
		files[e.name] = hex.EncodeToString(hash[:])
	}
	text, err := json.Marshal(map[string]any{"version": "x", "files": files})
	if err != nil {
		t.Fatal(err)
	}
	return mustArchive(t, append(entries, entry{"manifest.json", tar.TypeReg, string(text)}))
}

func TestBrokenBackupIsRefusedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	file := mustBackup(t)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := mustEntries(t, file)
	files, last := all[:len(all)-1], all[len(all)-1]
	if last.name != "manifest.json" || files[0].name != "supportd.db" {
		t.Fatalf("a backup begins with %s and ends with %s", files[0].name, last.name)
	}
	with := func(extra ...entry) []entry { return append(append([]entry{}, files...), extra...) }
	attachment := files[len(files)-1]
	flipped := bytes.Clone(whole)
	flipped[bytes.Index(flipped, []byte("keptkept"))] ^= 1
	for name, text := range map[string][]byte{
		"empty":                    {},
		"something else":           []byte(strings.Repeat("no backup ", 1000)),
		"one bit of a file":        flipped,
		"cut in the database":      whole[:4096],
		"cut before the manifest":  mustArchive(t, files),
		"cut in the manifest":      whole[:bytes.LastIndex(whole, []byte(`"files"`))],
		"an attachment is missing": mustArchive(t, append(append([]entry{}, files[:len(files)-1]...), last)),
		"an extra attachment":      mustArchive(t, append(with(entry{"attachments/1/2/3", tar.TypeReg, "x"}), last)),
		"a file after the end":     mustArchive(t, append(append([]entry{}, all...), entry{"attachments/1/2/3", tar.TypeReg, "x"})),
		"a file twice":             mustArchive(t, append(with(attachment), last)),
		"no database":              forge(t, files[1:]),
		"nothing but a manifest":   forge(t, nil),
		"forged ../":               forge(t, with(entry{"../outside", tar.TypeReg, "x"})),
		"forged attachments/../":   forge(t, with(entry{"attachments/../../outside", tar.TypeReg, "x"})),
		"forged absolute":          forge(t, with(entry{filepath.Join(filepath.Dir(file), "outside"), tar.TypeReg, "x"})),
		"forged extra file":        forge(t, with(entry{"serve.lock", tar.TypeReg, "x"})),
		"forged folder":            forge(t, with(entry{"attachments/", tar.TypeDir, ""})),
		"forged link":              forge(t, with(entry{"link", tar.TypeSymlink, "/etc/passwd"})),
		"forged database link":     forge(t, append([]entry{{"attachments/x", tar.TypeSymlink, "/etc/passwd"}}, files[1:]...)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			above := t.TempDir()
			broken := filepath.Join(t.TempDir(), "broken.tar")
			if err := os.WriteFile(broken, text, 0o600); err != nil {
				t.Fatal(err)
			}
			err := server.Restore(t.Context(), broken, filepath.Join(above, "data"))
			if err == nil || !strings.HasPrefix(err.Error(), broken+": ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("Restore() = %v, want one line that names the file", err)
			}
			if left := names(t, above); len(left) > 0 {
				t.Errorf("Restore() left %v, want nothing", left)
			}
			empty := filepath.Join(above, "empty")
			if err := os.Mkdir(empty, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := server.Restore(t.Context(), broken, empty); err == nil || len(names(t, empty)) > 0 {
				t.Errorf("Restore(empty folder) = %v and left %v, want a refusal and nothing", err, names(t, empty))
			}
		})
	}
}

package server_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/server"
)

// inTime fails a test whose work waits for somebody who never comes.
func inTime(t *testing.T, work func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); work() }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it hangs")
	}
}

func mustCopy(t *testing.T, folder string) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "export")
	if err := os.CopyFS(copied, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	return copied
}

// replacement puts something else in the place of a file.
type replacement func(t *testing.T, file string)

func pipe(t *testing.T, file string) {
	t.Helper()
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, file string) {
	t.Helper()
	_ = moved(t, file) // the test looks at the link only
}

// moved moves a file or folder elsewhere and leaves a link to it.
func moved(t *testing.T, file string) (elsewhere string) {
	t.Helper()
	elsewhere = filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(file, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, file); err != nil {
		t.Fatal(err)
	}
	return elsewhere
}

func device(t *testing.T, file string) {
	t.Helper()
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", file); err != nil {
		t.Fatal(err)
	}
}

func oneAttachment(t *testing.T, folder string) string {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(contents(t, folder))) {
		if strings.HasPrefix(name, "/attachments/objects/") {
			return name
		}
	}
	t.Fatal("no attachment")
	return ""
}

func TestImportReadsNothingButTheFilesOfTheExport(t *testing.T) {
	t.Parallel()
	old := furnished(t, 3)
	whole := old.mustExport(t)
	attachment := oneAttachment(t, whole)
	for name, test := range map[string]struct {
		file    string
		replace replacement
		want    string
	}{
		"a pipe as mark":               {"/supportd-export.json", pipe, "is no regular file"},
		"a pipe as manifest":           {"/manifest.json", pipe, "is no regular file"},
		"a pipe as rows":               {"/rows/cases/000001.jsonl", pipe, "is no regular file"},
		"a pipe as list":               {"/attachments-list/000001.jsonl", pipe, "is no regular file"},
		"a pipe as attachment":         {attachment, pipe, "no regular file"},
		"a pipe as a table":            {"/rows/cases", pipe, "is no folder"},
		"a device as mark":             {"/supportd-export.json", device, "is a symbolic link"},
		"a device as manifest":         {"/manifest.json", device, "is a symbolic link"},
		"a device as rows":             {"/rows/cases/000001.jsonl", device, "is a symbolic link"},
		"a device as attachment":       {attachment, device, "no regular file"},
		"a link as mark":               {"/supportd-export.json", link, "is a symbolic link"},
		"a link as manifest":           {"/manifest.json", link, "is a symbolic link"},
		"a link as rows":               {"/rows/cases/000001.jsonl", link, "is a symbolic link"},
		"a link as a table":            {"/rows/cases", link, "is no folder: an export has no links"},
		"a link as folder of rows":     {"/rows", link, "is no folder: an export has no links"},
		"a link as folder of the list": {"/attachments-list", link, "is no folder: an export has no links"},
		"a link as attachments":        {"/attachments", link, "is no folder: an export has no links"},
		"longer rows":                  {"/rows/cases/000001.jsonl", longer, "is damaged: it has more than"},
		"a long mark":                  {"/supportd-export.json", longer, "supportd-export.json is damaged: it has more than"},
		"a long manifest":              {"/manifest.json", longer, "manifest.json is damaged: it has more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := mustCopy(t, whole)
			test.replace(t, folder+test.file)
			inTime(t, func() { refused(t, old.next(t), folder, test.want) })
		})
	}
}

// longer makes a file longer than any that is read, without taking a disk.
func longer(t *testing.T, file string) {
	t.Helper()
	if err := os.Truncate(file, 256<<20+1); err != nil {
		t.Fatal(err)
	}
}

// forgeList changes the list of attachments and what the manifest says of it.
func forgeList(t *testing.T, folder string, change func([]byte) []byte) {
	t.Helper()
	file := folder + "/attachments-list/000001.jsonl"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = change(text)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	forgeManifest(t, folder, func(m map[string]any) {
		part := m["attachments"].(map[string]any)["chunks"].([]any)[0].(map[string]any)
		part["rows"], part["bytes"], part["sha256"] = bytes.Count(text, []byte("\n")), len(text), hex.EncodeToString(sum[:])
	})
}

func forgeManifest(t *testing.T, folder string, change func(map[string]any)) {
	t.Helper()
	var m map[string]any
	text, err := os.ReadFile(folder + "/manifest.json")
	if err != nil || json.Unmarshal(text, &m) != nil {
		t.Fatal(err)
	}
	change(m)
	text, err = json.Marshal(m)
	if err != nil || os.WriteFile(folder+"/manifest.json", text, 0o600) != nil {
		t.Fatal(err)
	}
}

func TestAListThatLacksAttachmentsOfTheRowsIsNotVerified(t *testing.T) {
	t.Parallel()
	old := furnished(t, 6)
	whole := old.mustExport(t)
	firstLine := func(text []byte) []byte { return text[:bytes.IndexByte(text, '\n')+1] }
	for name, change := range map[string]func([]byte) []byte{
		"the first line is removed": func(b []byte) []byte { return b[len(firstLine(b)):] },
		"the last line is removed":  func(b []byte) []byte { return b[:bytes.LastIndexByte(b[:len(b)-1], '\n')+1] },
		"only one is left":          firstLine,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, target := mustCopy(t, whole), old.next(t)
			forgeList(t, folder, change)
			refused(t, target, folder, "verification: the rows of table attachments name other bytes than ")
			if _, err := server.Open(t.Context(), target.Config); err == nil || !strings.Contains(err.Error(), "is unfinished") {
				t.Errorf("Open(import that was not verified) = %v, want an error", err)
			}
		})
	}
}

func TestAListThatNoExportWritesIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	old := furnished(t, 3)
	whole := old.mustExport(t)
	for name, test := range map[string]struct {
		forge func(t *testing.T, folder string)
		want  string
	}{
		"a foreign key is missing": {func(t *testing.T, folder string) {
			forgeManifest(t, folder, func(m map[string]any) { m["missing"] = []string{"111122223333/set-9/x"} })
		}, `manifest.json is damaged: it has "111122223333/set-9/x" as missing`},
		"a row without an account": {func(t *testing.T, folder string) {
			forgeList(t, folder, func(b []byte) []byte { return bytes.Replace(b, []byte(`"111122223333"`), []byte("null"), 1) })
		}, "bad blob key"},
		"a row without a size": {func(t *testing.T, folder string) {
			forgeList(t, folder, func(b []byte) []byte {
				return append(b[:bytes.LastIndexByte(b, ',')+1], "null]\n"...)
			})
		}, "bad blob key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, target := mustCopy(t, whole), old.next(t)
			test.forge(t, folder)
			refused(t, target, folder, test.want)
			if _, err := os.Stat(target.Data); !os.IsNotExist(err) {
				t.Errorf("a refused import made the data folder: %v", err)
			}
		})
	}
}

func TestExportFollowsNoLinkInItsFolder(t *testing.T) {
	t.Parallel()
	old := furnished(t, 3)
	whole := old.mustExport(t)
	for _, name := range []string{"rows", "rows/cases", "attachments-list", "attachments", "supportd-export.json"} {
		t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
			t.Parallel()
			folder := mustCopy(t, whole)
			elsewhere := moved(t, filepath.Join(folder, name))
			before := contents(t, elsewhere)
			_, err := old.export(t.Context(), t, folder, server.ExportOptions{})
			if err == nil || !strings.Contains(err.Error(), "an export has no links") {
				t.Errorf("Export(folder with a link as %s) = %v, want a refusal", name, err)
			}
			checkSame(t, contents(t, elsewhere), before)
		})
	}
}

func TestExportReplacesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	old := furnished(t, 3)
	whole := old.mustExport(t)
	want := contents(t, whole)
	for _, file := range []string{"/manifest.json", "/rows/cases/000001.jsonl", "/attachments-list/000001.jsonl", oneAttachment(t, whole)} {
		for name, replace := range map[string]replacement{"pipe": pipe, "link": link, "device": device} {
			t.Run(name+" as "+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				folder := mustCopy(t, whole)
				replace(t, folder+file)
				inTime(t, func() {
					if _, err := old.export(t.Context(), t, folder, server.ExportOptions{ChunkRows: 7}); err != nil {
						t.Errorf("Export() = %v, want nil", err)
					}
				})
				if info, err := os.Lstat(folder + file); err != nil || !info.Mode().IsRegular() {
					t.Fatalf("%s is %v, %v, want a file", file, info.Mode(), err)
				}
				checkSame(t, contents(t, folder), want)
			})
		}
	}
}

func TestExportClosesAPreparedFolder(t *testing.T) {
	t.Parallel()
	old := furnished(t, 1)
	folder := t.TempDir()
	for _, mode := range []os.FileMode{0o755, 0o701, 0o770} { // the first is empty, the others have an export
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := old.export(t.Context(), t, folder, server.ExportOptions{}); err != nil {
			t.Fatalf("Export() = %v, want nil", err)
		}
		if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("mode of the folder, %v before, is %v, %v, want 0700", mode, info.Mode(), err)
		}
	}
}

func TestExportRefusesAnOpenFolderOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	old := furnished(t, 1)
	folder := t.TempDir()
	if err := os.Chown(folder, 4711, 4711); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := old.export(t.Context(), t, folder, server.ExportOptions{})
	if err == nil || !strings.Contains(err.Error(), folder+" is open to others and not yours to close") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Export(folder of another user) = %v, want one line", err)
	}
	if got := names(t, folder); len(got) != 0 {
		t.Errorf("a refused export left %v", got)
	}
}

func TestExportLeavesTheModeOfAFolderThatItRefuses(t *testing.T) {
	t.Parallel()
	old := furnished(t, 1)
	foreign := furnished(t, 1).mustExport(t)
	used := t.TempDir()
	if err := os.WriteFile(filepath.Join(used, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{used, foreign} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := old.export(t.Context(), t, folder, server.ExportOptions{}); err == nil {
			t.Errorf("Export(%s) = nil, want a refusal", folder)
		}
		if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("mode of %s = %v, %v, want it as it was", folder, info.Mode(), err)
		}
	}
}

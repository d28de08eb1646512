package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/server"
)

func TestExportAndImport(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	exported, old := filepath.Join(folder, "export"), filepath.Join(folder, "old")
	from := []string{"SUPPORTD_DATA=" + old}
	to := []string{"SUPPORTD_DATA=" + filepath.Join(folder, "new"), "SUPPORTD_MASTER_KEY_FILE=" + filepath.Join(old, "master.key")}
	mustRun(t, from, "account", "create", "--id", "111122223333", "--name", "Retail", "--email", "ops@example.com")
	mustRun(t, from, "key", "create", "--account", "111122223333", "--root")
	checkRefusal(t, command(t, to, "", "import", exported), 1, exported+" is no export")
	got := mustRun(t, from, "export", exported)
	for _, want := range []string{"accounts            1\n", "(attached files)    0      0\n", "the export is in " + exported + "; it holds secrets"} {
		if !strings.Contains(got, want) {
			t.Errorf("export printed %q, want %q in it", got, want)
		}
	}
	if again := mustRun(t, from, "export", exported); again != got {
		t.Errorf("a second export printed %q, want %q", again, got)
	}
	var moved server.Moved
	if text := mustRun(t, to, "import", exported, "--json"); json.Unmarshal([]byte(text), &moved) != nil || shapeOf(t, text) != "{tables attachments}" {
		t.Errorf("import --json printed %s, want a document", text)
	}
	checkRefusal(t, command(t, to, "", "import", exported), 1, "the exported installation is in this database already")
	for _, args := range [][]string{{"account", "list"}, {"key", "list", "--account", "111122223333"}} {
		if before, after := mustRun(t, from, args...), mustRun(t, to, args...); before != after {
			t.Errorf("supportd %v after the import printed\n%swant\n%s", args, after, before)
		}
	}
	for _, args := range [][]string{{"export"}, {"export", "a", "b"}, {"import"}} {
		checkRefusal(t, command(t, from, "", args...), 2, "needs one DIR", args...)
	}
	empty := []string{"SUPPORTD_DATA=" + filepath.Join(folder, "empty")}
	checkRefusal(t, command(t, empty, "", "export", filepath.Join(folder, "x")), 1, "there is no installation in")
}

func TestProgressIsALineOnATerminalAndLinesElsewhere(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	for _, test := range []struct {
		terminal bool
		want     string
	}{
		{false, "supportd: importing rows: 50 of 200 rows (25%)\nsupportd: importing rows: 100 of 200 rows (50%)\n"},
		{true, "\r\x1b[K[###.....................] importing rows: 25 of 200 rows (12%)" +
			"\r\x1b[K[######..................] importing rows: 50 of 200 rows (25%)" +
			"\r\x1b[K[#########...............] importing rows: 75 of 200 rows (37%)" +
			"\r\x1b[K[############............] importing rows: 100 of 200 rows (50%)\r\x1b[K"},
	} {
		var out bytes.Buffer
		l := newProgressLine(&out)
		l.terminal, l.now, l.last = test.terminal, func() time.Time { return now }, now
		for done := range int64(5) {
			l.tell(server.Progress{What: "importing rows", Unit: "rows", Done: 25 * done, Total: 200})
			l.tell(server.Progress{What: "importing rows", Unit: "rows", Done: 25 * done, Total: 200})
			now = now.Add(logEvery / 2)
		}
		l.end()
		if out.String() != test.want {
			t.Errorf("progress with terminal %v = %q, want %q", test.terminal, out.String(), test.want)
		}
	}
	if got, want := progressText(server.Progress{What: "x", Unit: "bytes", Done: 2_500_000, Total: 0}), "x: 2 of 0 MB (100%)"; got != want {
		t.Errorf("progressText() = %q, want %q", got, want)
	}
}

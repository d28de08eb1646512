package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/blob/s3blob/s3test"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/store/pgtest"
)

// house is an installation that nobody serves.
type house struct{ server.Config }

func newHouse(t *testing.T) house {
	t.Helper()
	return house{server.Config{Data: filepath.Join(t.TempDir(), "data")}}
}

// next is a house without anything but the master key of this one.
func (h house) next(t *testing.T) house {
	t.Helper()
	n := newHouse(t)
	n.MasterKeyFile = h.MasterKeyFile
	if n.MasterKeyFile == "" {
		n.MasterKeyFile = filepath.Join(h.Data, server.MasterKeyFile)
	}
	return n
}

// share puts the database where other nodes reach it.
func (h *house) share(t *testing.T) {
	t.Helper()
	h.Database, h.Blobs = pgtest.Database(t), "file://"+filepath.Join(h.Data, "attachments")
}

func (h house) mustOpen(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.Open(t.Context(), h.Config)
	if err != nil {
		t.Fatalf("Open() = %v, want nil", err)
	}
	t.Cleanup(func() { _ = s.Close() }) // most are closed before; closing twice is harmless
	return s
}

// furnished is a house with random rows in every table, and files.
func furnished(t *testing.T, rows int) house {
	t.Helper()
	h := newHouse(t)
	if err := h.mustOpen(t).Close(); err != nil {
		t.Fatal(err)
	}
	h.furnish(t, rows)
	return h
}

func (h house) furnish(t *testing.T, rows int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(h.Data, "supportd.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	blobs, err := blob.OpenDir(filepath.Join(h.Data, "attachments"))
	if err != nil {
		t.Fatal(err)
	}
	defer blobs.Close()
	r := rand.New(rand.NewPCG(7, uint64(rows)))
	begun, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range store.Tables() {
		for n := range rows {
			row := randomValues(r, table)
			if table.Name == "attachments" {
				content := []byte(strings.Repeat(fmt.Sprint(n, " "), r.IntN(3000)))
				sum := sha256.Sum256(content)
				row[0], row[2], row[5], row[6] = "111122223333", fmt.Sprintf("set-%04d", n/2), int64(len(content)), hex.EncodeToString(sum[:])
				if err := blobs.Put(t.Context(), fmt.Sprintf("%s/%s/%s", row[0], row[2], row[6]), bytes.NewReader(content)); err != nil {
					t.Fatal(err)
				}
			}
			var columns []string // a table may have others that belong to its index
			for _, c := range table.Columns {
				columns = append(columns, c.Name)
			}
			text := `INSERT INTO ` + table.Name + ` (` + strings.Join(columns, ", ") + `) VALUES (?` + strings.Repeat(", ?", len(row)-1) + `)`
			if _, err := begun.ExecContext(t.Context(), text, row...); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
	}
	if err := begun.Commit(); err != nil {
		t.Fatal(err)
	}
}

func randomValues(r *rand.Rand, t store.Table) []any {
	row := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		unique := fmt.Sprintf("%x", r.Uint64())
		switch c.Type {
		case store.Text:
			row[i] = []string{"", "a", "é 日本 🙂", "\"\\\u2028\x01\n", " "}[r.IntN(5)]
			if i < t.Key || c.Name == "display_id" || c.Name == "unique_key" {
				row[i] = row[i].(string) + unique
			}
		case store.Integer:
			row[i] = r.Int64() * (1 - 2*r.Int64N(2))
		case store.Boolean:
			row[i] = r.IntN(2) == 0
		case store.Bytes:
			row[i] = []byte(strings.Repeat(unique+"\x00\xff", r.IntN(50)))
			if i < t.Key {
				row[i] = []byte(unique)
			}
		}
		if c.Name == "payload" || c.Name == "token_hash" {
			row[i] = []any{nil, []byte{}, row[i]}[r.IntN(3)]
		}
	}
	return row
}

// mustExport exports a house in small files, and returns the folder.
func (h house) mustExport(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "export")
	if _, err := h.export(t.Context(), t, folder, server.ExportOptions{ChunkRows: 7}); err != nil {
		t.Fatalf("Export() = %v, want nil", err)
	}
	return folder
}

func (h house) export(ctx context.Context, t *testing.T, folder string, o server.ExportOptions) (server.Moved, error) {
	t.Helper()
	s := h.mustOpen(t)
	moved, err := s.Export(ctx, folder, o)
	return moved, errors.Join(err, s.Close())
}

func (h house) mustImport(t *testing.T, folder string) server.Moved {
	t.Helper()
	moved, err := server.Import(t.Context(), h.Config, folder, nil)
	if err != nil {
		t.Fatalf("Import() = %v, want nil", err)
	}
	return moved
}

// contents returns the files of an export, but for its manifest, which has a
// date.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "manifest.json" {
			return err
		}
		text, err := os.ReadFile(file)
		found[strings.TrimPrefix(file, folder)] = hex.EncodeToString(sha256.New().Sum(text)[:min(8, len(text))]) + fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func checkSame(t *testing.T, got, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the exports differ (-want +got):\n%.2000s", diff)
	}
}

func TestMovingToPostgresAndBackLosesNothing(t *testing.T) {
	t.Parallel()
	old := furnished(t, 40)
	first := old.mustExport(t)
	shared := old.next(t)
	shared.share(t)
	moved := shared.mustImport(t, first)
	if len(moved.Tables) != len(store.Tables()) || moved.Attachments.Count != 40 || moved.Attachments.Bytes == 0 {
		t.Errorf("Import() = %+v, want all tables and 40 attachments", moved)
	}
	second := shared.mustExport(t)
	checkSame(t, contents(t, second), contents(t, first))
	back := old.next(t)
	back.mustImport(t, second)
	checkSame(t, contents(t, back.mustExport(t)), contents(t, first))
	if s := back.mustOpen(t); s.Fresh() {
		t.Errorf("an imported installation is fresh")
	}
}

func TestMovingToABucketAndBackLosesNothing(t *testing.T) {
	t.Parallel()
	gateway := s3test.Start(t)
	old := furnished(t, 10)
	first := old.mustExport(t)
	inBucket := old.next(t)
	inBucket.Blobs = gateway.URL(gateway.Bucket(t))
	inBucket.BlobsKeyID, inBucket.BlobsSecret = gateway.AccessKey, gateway.SecretKey
	inBucket.mustImport(t, first)
	second := inBucket.mustExport(t)
	checkSame(t, contents(t, second), contents(t, first))
	back := old.next(t)
	back.mustImport(t, second)
	checkSame(t, contents(t, back.mustExport(t)), contents(t, first))
}

// dying ends a context when it was told of progress so many times.
func dying(t *testing.T, after int) (ctx context.Context, tell func(server.Progress), alive func() bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	told := 0
	return ctx, func(server.Progress) {
		if told++; told == after {
			cancel()
		}
	}, func() bool { return told < after }
}

func TestAnImportThatIsKilledAnywhereGoesOn(t *testing.T) {
	t.Parallel()
	old := furnished(t, 8)
	folder := old.mustExport(t)
	want := contents(t, folder)
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			target, unfinished := old.next(t), 0
			if engine == "PostgreSQL" {
				target.share(t)
			}
			for n := 1; ; n++ { // each run comes a little further than the one before
				ctx, tell, alive := dying(t, n)
				_, err := server.Import(ctx, target.Config, folder, tell)
				if alive() || err == nil {
					if err != nil {
						t.Fatalf("Import() in run %d = %v, want nil", n, err)
					}
					break
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("Import(killed) = %v, want %v", err, context.Canceled)
				}
				if s, err := server.Open(t.Context(), target.Config); err == nil {
					if unfinished > 0 {
						t.Fatalf("run %d: Open(unfinished import) = nil, want an error", n)
					}
					_ = s.Close() // a fresh one, which an import may still fill
				} else if err.Error() != "an import into this database is unfinished: run supportd import again" {
					t.Fatalf("Open(unfinished import) = %v", err)
				} else {
					unfinished++
				}
			}
			if unfinished < 30 {
				t.Errorf("%d runs left an unfinished import, want more", unfinished)
			}
			checkSame(t, contents(t, target.mustExport(t)), want)
		})
	}
}

func TestAnExportThatIsKilledAnywhereGoesOn(t *testing.T) {
	t.Parallel()
	old := furnished(t, 8)
	want := contents(t, old.mustExport(t))
	folder := filepath.Join(t.TempDir(), "export")
	for n := 1; ; n++ {
		ctx, tell, alive := dying(t, n)
		_, err := old.export(ctx, t, folder, server.ExportOptions{ChunkRows: 7, Tell: tell})
		if alive() || err == nil {
			if err != nil {
				t.Fatalf("Export() = %v, want nil", err)
			}
			break
		}
		refused(t, old.next(t), folder, "is not finished: run supportd export again")
	}
	checkSame(t, contents(t, folder), want)
}

func TestALaterExportIntoTheSameFolderIsOfThatMoment(t *testing.T) {
	t.Parallel()
	old := furnished(t, 20)
	folder := old.mustExport(t)
	stale := filepath.Join(folder, "rows", "cases", "000009.jsonl")
	kept := filepath.Join(folder, "rows", "accounts", "000001.jsonl")
	before, err := os.Stat(kept)
	if err != nil || os.WriteFile(stale, []byte("x"), 0o600) != nil {
		t.Fatal(err)
	}
	old.exec(t, `DELETE FROM cases WHERE rowid % 2 = 0; DELETE FROM attachments WHERE set_id > 'set-0004'`)
	if _, err := old.export(t.Context(), t, folder, server.ExportOptions{ChunkRows: 7}); err != nil {
		t.Fatalf("Export(again) = %v, want nil", err)
	}
	checkSame(t, contents(t, folder), contents(t, old.mustExport(t)))
	if after, err := os.Stat(kept); err != nil || !os.SameFile(before, after) {
		t.Errorf("a file that did not change was written again")
	}
	old.next(t).mustImport(t, folder)
}

func (h house) exec(t *testing.T, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(h.Data, "supportd.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func refused(t *testing.T, h house, folder, want string) {
	t.Helper()
	_, err := server.Import(t.Context(), h.Config, folder, nil)
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("Import() = %v, want one line with %q", err, want)
	}
}

func TestADamagedExportIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	old := furnished(t, 20)
	whole := old.mustExport(t)
	attachment := ""
	for name := range contents(t, whole) {
		if strings.HasPrefix(name, "/attachments/objects/") {
			attachment = max(attachment, name)
		}
	}
	manifest := "/manifest.json"
	flip := func(text []byte) []byte { text[len(text)/2] ^= 1; return text }
	replace := func(old, new string) func([]byte) []byte {
		return func(text []byte) []byte { return bytes.Replace(text, []byte(old), []byte(new), 1) }
	}
	gone := func([]byte) []byte { return nil }
	for name, test := range map[string]struct {
		file   string
		damage func([]byte) []byte
		want   string
	}{
		"a bit of a row":           {"/rows/cases/000002.jsonl", flip, "000002.jsonl is damaged: it does not have the hash"},
		"a row is missing":         {"/rows/jobs/000001.jsonl", func(b []byte) []byte { return b[bytes.IndexByte(b, '\n')+1:] }, "is damaged"},
		"a file is missing":        {"/rows/answers/000003.jsonl", gone, "no such file"},
		"a bit of an attachment":   {attachment, flip, "its bytes do not have the size and hash"},
		"an attachment is missing": {attachment, gone, "no such blob"},
		"a bit of the list":        {"/attachments-list/000001.jsonl", flip, "is damaged"},
		"no manifest":              {manifest, gone, "is not finished: run supportd export again"},
		"half a manifest":          {manifest, func(b []byte) []byte { return b[:len(b)/2] }, "manifest.json is damaged"},
		"two manifests":            {manifest, func(b []byte) []byte { return append(b, b...) }, "manifest.json is damaged"},
		"another number":           {manifest, replace(`"rows": 7`, `"rows": 6`), "is damaged"},
		"another table":            {manifest, replace(`"name": "cases"`, `"name": "boxes"`), "table cases is not as this release has it"},
		"another column":           {manifest, replace(`"subject TEXT"`, `"subject BIGINT"`), "table cases is not as this release has it"},
		"another schema":           {manifest, replace(`"schema": `, `"schema": 9`), "use the same release for both"},
		"another installation":     {manifest, replace(`"installation": "`, `"installation": "9`), "is damaged"},
		"no mark":                  {"/supportd-export.json", gone, "is no export"},
		"another format":           {"/supportd-export.json", replace(`"format":1`, `"format":2`), "is an export of format 2, want 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "export")
			if err := os.CopyFS(folder, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(folder + test.file)
			if err != nil {
				t.Fatal(err)
			}
			if text = test.damage(text); text == nil {
				err = os.Remove(folder + test.file)
			} else {
				err = os.WriteFile(folder+test.file, text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			target := old.next(t)
			refused(t, target, folder, test.want)
			if s := target.mustOpenEmpty(t); s != "" {
				t.Errorf("a refused import left %s", s)
			}
		})
	}
}

// mustOpenEmpty returns what keeps an import away from a house.
func (h house) mustOpenEmpty(t *testing.T) string {
	t.Helper()
	if err := os.MkdirAll(h.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), "sqlite://"+filepath.Join(h.Data, "supportd.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.CheckEmpty(t.Context()); err != nil {
		return err.Error()
	}
	if mark, err := db.ImportMark(t.Context()); mark != nil || err != nil {
		return fmt.Sprintf("the mark %s, %v", mark, err)
	}
	return ""
}

func TestImportWantsTheMasterKeyOfTheExport(t *testing.T) {
	t.Parallel()
	folder := furnished(t, 1).mustExport(t)
	target := newHouse(t)
	refused(t, target, folder, "an export has no master key: give that of the exported installation with --master-key, SUPPORTD_MASTER_KEY or the file "+filepath.Join(target.Data, "master.key"))
	target.MasterKeyFile = filepath.Join(furnished(t, 1).Data, "master.key")
	refused(t, target, folder, "the master key is not the one that the exported database was made with")
	if _, err := os.Stat(target.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a refused import made the data folder: %v", err)
	}
}

func TestImportFillsOnlyAnEmptyHouse(t *testing.T) {
	t.Parallel()
	old := furnished(t, 3)
	folder := old.mustExport(t)
	refused(t, old, folder, "the exported installation is in this database already")

	inhabited := old.next(t)
	s := inhabited.mustOpen(t)
	if _, err := s.FirstRun(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, inhabited, folder, "the database is not empty: it has accounts; import fills a new installation")

	others := old.next(t)
	others.Blobs = "file://" + (&url.URL{Path: filepath.Join(furnished(t, 1).Data, "attachments")}).EscapedPath()
	refused(t, others, folder, "belong to another database")
	others.Blobs = "file://" + t.TempDir()
	if err := os.MkdirAll(strings.TrimPrefix(others.Blobs, "file://")+"/objects", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(strings.TrimPrefix(others.Blobs, "file://")+"/objects/mine", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, others, folder, "is not empty; import fills a new installation")

	fresh := old.next(t) // opened by another command before
	if err := fresh.mustOpen(t).Close(); err != nil {
		t.Fatal(err)
	}
	fresh.mustImport(t, folder)
	checkSame(t, contents(t, fresh.mustExport(t)), contents(t, folder))
}

// halfWay is a house with an import that is unfinished, for lack of the last
// step.
func (h house) halfWay(t *testing.T, folder string, at string) house {
	t.Helper()
	target := h.next(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := server.Import(ctx, target.Config, folder, func(p server.Progress) {
		if p.What == at {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Import(killed at %s) = %v, want %v", at, err, context.Canceled)
	}
	return target
}

func TestAnUnfinishedImportIsOfOneExport(t *testing.T) {
	t.Parallel()
	old := furnished(t, 3)
	folder := old.mustExport(t)
	target := old.halfWay(t, folder, "verifying rows")
	refused(t, target, old.mustExport(t), "the unfinished import into this database is of another export")
	target.mustImport(t, folder)
}

func TestVerificationFindsWhatIsNotAsItWas(t *testing.T) {
	t.Parallel()
	old := furnished(t, 20)
	folder := old.mustExport(t)
	for _, change := range []string{
		`UPDATE cases SET subject = subject || 'x' WHERE rowid = 3`,
		`DELETE FROM communications WHERE rowid = 20`,
		`DELETE FROM policies`,
		`INSERT INTO schedules VALUES ('zzzz', 1)`,
		`UPDATE access_keys SET token_hash = x'' WHERE rowid = (SELECT rowid FROM access_keys WHERE token_hash IS NULL LIMIT 1)`,
		`INSERT INTO settings VALUES ('zzz', x'00')`,
		`UPDATE iam_version SET version = version + 1 WHERE rowid = 1`,
	} {
		target := old.halfWay(t, folder, "verifying rows")
		target.exec(t, change)
		refused(t, target, folder, "verification: the rows of table ")
		if _, err := server.Open(t.Context(), target.Config); err == nil {
			t.Errorf("Open(import that was not verified) = nil, want an error")
		}
	}
	target := old.halfWay(t, folder, "verifying rows")
	var damaged string
	for name := range contents(t, folder) {
		if strings.HasPrefix(name, "/attachments/objects/") {
			damaged = max(damaged, filepath.Join(target.Data, name))
		}
	}
	info, err := os.Stat(damaged)
	if err != nil || os.WriteFile(damaged, bytes.Repeat([]byte("x"), int(info.Size())), 0o600) != nil {
		t.Fatal(err)
	}
	_, err = server.Import(t.Context(), target.Config, folder, nil)
	if err == nil || !strings.Contains(err.Error(), "run import again, which copies it again") {
		t.Errorf("Import(damaged attachment in the target) = %v, want an error that names it", err)
	}
	target.mustImport(t, folder)
	checkSame(t, contents(t, target.mustExport(t)), contents(t, folder))
}

func TestLostAttachmentsAreNamed(t *testing.T) {
	t.Parallel()
	old := furnished(t, 6)
	keys := old.attachments(t)
	if err := os.Remove(keys[1]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keys[3], []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "export")
	_, err := old.export(t.Context(), t, folder, server.ExportOptions{})
	if err == nil || !strings.Contains(err.Error(), "the bytes of 2 attachments (111122223333/set-") || !strings.Contains(err.Error(), "--allow-missing") {
		t.Errorf("Export(two lost attachments) = %v, want an error that names them", err)
	}
	refused(t, old.next(t), folder, "is not finished")
	moved, err := old.export(t.Context(), t, folder, server.ExportOptions{AllowMissing: true})
	if err != nil || len(moved.Attachments.Missing) != 2 || moved.Attachments.Count != 4 {
		t.Errorf("Export(AllowMissing) = %+v, %v, want 4 attachments and 2 that are missing", moved.Attachments, err)
	}
	target := old.next(t)
	if got := target.mustImport(t, folder); !cmp.Equal(got, moved) {
		t.Errorf("Import() = %+v, want %+v", got, moved)
	}
	if got := len(target.attachments(t)); got != 4 {
		t.Errorf("the new house has %d attachments, want 4", got)
	}
}

// attachments returns the files with attachments, in order.
func (h house) attachments(t *testing.T) (found []string) {
	t.Helper()
	for name := range contents(t, filepath.Join(h.Data, "attachments", "objects")) {
		if name != "/installation" {
			found = append(found, filepath.Join(h.Data, "attachments", "objects", name))
		}
	}
	slices.Sort(found)
	return found
}

func TestAttachmentsThatArePurgedMeanwhileAskForAnotherRun(t *testing.T) {
	t.Parallel()
	old := furnished(t, 6)
	folder := filepath.Join(t.TempDir(), "export")
	tell := func(p server.Progress) {
		if p.What == "exporting attachments" && p.Done == 0 {
			old.exec(t, `DELETE FROM attachments WHERE set_id = 'set-0001'`)
			for _, file := range old.attachments(t) {
				if strings.Contains(file, "set-0001") {
					_ = os.Remove(file) // told again: it is gone
				}
			}
		}
	}
	_, err := old.export(t.Context(), t, folder, server.ExportOptions{Tell: tell})
	if err == nil || !strings.Contains(err.Error(), "2 attachments were removed while the export ran") {
		t.Errorf("Export(beside a purge) = %v, want an error that asks for another run", err)
	}
	if _, err := old.export(t.Context(), t, folder, server.ExportOptions{}); err != nil {
		t.Errorf("Export(again) = %v, want nil", err)
	}
	old.next(t).mustImport(t, folder)
}

func TestExportTouchesNoOtherFolder(t *testing.T) {
	t.Parallel()
	old := furnished(t, 1)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := old.export(t.Context(), t, folder, server.ExportOptions{}); err == nil || !strings.Contains(err.Error(), "is not empty and no export") {
		t.Errorf("Export(folder in use) = %v, want a refusal", err)
	}
	if got := names(t, folder); !cmp.Equal(got, []string{"precious"}) {
		t.Errorf("the folder holds %v, want only what was there", got)
	}
	if _, err := old.export(t.Context(), t, furnished(t, 1).mustExport(t), server.ExportOptions{}); err == nil || !strings.Contains(err.Error(), "has the export of another installation") {
		t.Errorf("Export(folder of another export) = %v, want a refusal", err)
	}
}

func TestAnExportIsForTheOwnerOnly(t *testing.T) {
	t.Parallel()
	folder := furnished(t, 3).mustExport(t)
	err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("mode of %s = %v, want none for others", file, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

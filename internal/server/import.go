package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/seal"
	"github.com/supportd/supportd/internal/store"
)

// Import fills the empty installation that the configuration names from the
// folder of an export. It may be killed at any time and goes on when it is
// called again; until it has compared all that it wrote with the export, no
// other command opens the installation. tell is told how far it is, and may be
// nil.
func Import(ctx context.Context, c Config, folder string, tell func(Progress)) (Moved, error) {
	if err := c.check(); err != nil {
		return Moved{}, err
	}
	e, owner, err := lockExport(folder, syscall.LOCK_SH)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s is no export: %w", folder, err)
	}
	if err != nil {
		return Moved{}, err
	}
	i := &importer{
		exportFolder: e, progress: progress{tell: tell},
		server: &Server{config: c, log: slog.New(slog.DiscardHandler)},
	}
	moved, err := i.run(ctx, owner)
	return moved, errors.Join(err, i.server.Close(), e.close())
}

// importer is a running import.
type importer struct {
	exportFolder
	server   *Server
	progress progress

	manifest    exported
	hash        string // of the manifest
	proof       []byte // that a master key is the one of the export
	attachments *blob.Dir
}

// importMark is the state of an import, which is kept in the database.
type importMark struct {
	Export   string `json:"export"`   // the hash of its manifest
	Replaced string `json:"replaced"` // the id that the empty installation had
	Next     int    `json:"next"`     // of all chunks, the first one that is not there
}

func (m importMark) text() []byte {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // texts and a number
	}
	return text
}

func (i *importer) run(ctx context.Context, owner exportOwner) (Moved, error) {
	if err := i.checkExport(ctx, owner); err != nil {
		return Moved{}, err
	}
	if err := i.server.checkMovedMasterKey(ctx, i.proof); err != nil {
		return Moved{}, err
	}
	if err := i.open(ctx); err != nil {
		return Moved{}, err
	}
	defer i.attachments.Close()
	mark, err := i.begin(ctx)
	if err != nil {
		return Moved{}, err
	}
	if mark, err = i.addRows(ctx, mark); err != nil {
		return Moved{}, err
	}
	if err := i.copyAttachments(ctx); err != nil {
		return Moved{}, err
	}
	if err := i.verify(ctx); err != nil {
		return Moved{}, err
	}
	if err := i.server.store.FinishImport(ctx, mark.text()); err != nil {
		return Moved{}, err
	}
	return i.moved(i.manifest)
}

// open opens the target without what Server.open adds to a new one.
func (i *importer) open(ctx context.Context) (err error) {
	s := i.server
	if err := s.config.makeData(); err != nil {
		return err
	}
	if s.store, err = store.Open(ctx, s.config.databaseURL()); err != nil {
		return err
	}
	if !store.IsShared(s.config.databaseURL()) {
		if s.lock, err = lockDatabase(s.config.databaseURL()); err != nil {
			return err
		}
	}
	if s.blobs, err = s.config.openBlobs(ctx); err != nil {
		return err
	}
	i.attachments, err = i.openAttachments()
	return err
}

// checkExport reads all rows, so that a damaged export is refused as a whole.
func (i *importer) checkExport(ctx context.Context, owner exportOwner) (err error) {
	if i.manifest, i.hash, err = i.exportFolder.manifest(); err != nil {
		return err
	}
	if err := i.checkManifest(owner); err != nil {
		return err
	}
	i.progress.begin("checking the export", "rows", i.manifest.rows())
	for n, t := range store.Tables() {
		if err := i.checkTable(ctx, t, i.manifest.Tables[n]); err != nil {
			return err
		}
	}
	if err := i.checkList(); err != nil {
		return err
	}
	return i.checkSettings()
}

// checkList reads the list of attachments, of which the manifest says what is
// missing.
func (i *importer) checkList() error {
	missing := map[string]bool{}
	for _, key := range i.manifest.Missing {
		missing[key] = true
	}
	for a, err := range i.list(i.manifest) {
		if err != nil {
			return err
		}
		if i.manifest.misses(a) {
			delete(missing, a.key())
		}
	}
	for key := range missing {
		return damaged(filepath.Join(i.path, exportManifest), fmt.Errorf("it has %q as missing, which is not in the list of attachments or not in order", key))
	}
	return nil
}

func (i *importer) checkManifest(owner exportOwner) error {
	m := i.manifest
	schema, err := store.Schema()
	if err != nil {
		return err
	}
	if m.Format != exportFormat || m.Schema != schema {
		return fmt.Errorf("the export in %s was made by supportd %s for format %d and schema %d; this is supportd %s for format %d and schema %d: use the same release for both",
			i.path, m.Version, m.Format, m.Schema, Version(), exportFormat, schema)
	}
	file := filepath.Join(i.path, exportManifest)
	if m.Installation != owner.Installation {
		return damaged(file, errors.New("it is of another installation than the folder"))
	}
	tables := store.Tables()
	if len(m.Tables) != len(tables) {
		return damaged(file, fmt.Errorf("it has %d tables, want %d", len(m.Tables), len(tables)))
	}
	for n, t := range append(tables, store.AttachmentBytes()) {
		found := m.Attachments
		if n < len(m.Tables) {
			found = m.Tables[n]
		}
		if want := newExportedTable(t); found.Name != t.Name || !slices.Equal(found.Columns, want.Columns) {
			return damaged(file, fmt.Errorf("table %s is not as this release has it", t.Name))
		}
	}
	return nil
}

func (i *importer) checkTable(ctx context.Context, t store.Table, in exportedTable) error {
	for n, c := range in.Chunks {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, err := i.chunk(t, n, c)
		if err != nil {
			return err
		}
		if store.IsShared(i.server.config.databaseURL()) {
			if err := checkNUL(t, rows); err != nil {
				return err
			}
		}
		i.progress.add(int64(len(rows)))
	}
	return nil
}

// checkNUL looks for texts that PostgreSQL cannot keep. No request can bring
// one; who knows what other programs did to the file.
func checkNUL(t store.Table, rows []store.Row) error {
	for _, row := range rows {
		for n, value := range row {
			if text, ok := value.(string); ok && strings.ContainsRune(text, 0) {
				return fmt.Errorf("column %s of table %s holds the character NUL in the row of %q, which PostgreSQL cannot keep",
					t.Columns[n].Name, t.Name, row[:t.Key])
			}
		}
	}
	return nil
}

// checkSettings finds the facts about the exported database.
func (i *importer) checkSettings() error {
	id := ""
	for row, err := range i.rows(store.Tables()[0], i.manifest.Tables[0].Chunks) {
		if err != nil {
			return err
		}
		value, _ := row[1].([]byte)
		switch row[0] {
		case installation:
			id = string(value)
		case masterKeyProof:
			i.proof = value
		}
	}
	if id == "" || id != i.manifest.Installation || i.proof == nil {
		return damaged(i.path, errors.New("its settings are not those of an installation"))
	}
	return nil
}

// checkMovedMasterKey wants the master key of the exported database before
// anything is written: with another one no access key would open.
func (s *Server) checkMovedMasterKey(ctx context.Context, proof []byte) error {
	file := filepath.Join(s.config.Data, MasterKeyFile)
	if s.config.MasterKey == "" && s.config.MasterKeyFile == "" {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("an export has no master key: give that of the exported installation with --master-key, SUPPORTD_MASTER_KEY or the file %s", file)
		}
	}
	master, err := s.readMasterKey(ctx)
	if err != nil {
		return err
	}
	box, err := seal.NewBox(master, masterKeyProof)
	if err != nil {
		return err
	}
	if _, err := box.Open(proof, masterKeyProof); err != nil {
		return errors.New("the master key is not the one that the exported database was made with")
	}
	return nil
}

// begin finds how far an earlier run came, or makes the target one that is
// being imported into.
func (i *importer) begin(ctx context.Context) (importMark, error) {
	s := i.server
	text, err := s.store.ImportMark(ctx)
	if err != nil {
		return importMark{}, err
	}
	mark := importMark{Export: i.hash}
	if text != nil {
		if err := json.Unmarshal(text, &mark); err != nil {
			return importMark{}, fmt.Errorf("the mark of the import: %w", err)
		}
		if mark.Export != i.hash {
			return importMark{}, errors.New("the unfinished import into this database is of another export: finish that one, or begin again with an empty database")
		}
		return mark, s.claimBlobs(ctx, i.manifest.Installation, mark.Replaced)
	}
	own, err := s.store.Setting(ctx, installation)
	if err != nil {
		return importMark{}, err
	}
	mark.Replaced = string(own)
	if err := i.checkTarget(ctx, mark.Replaced); err != nil {
		return importMark{}, err
	}
	if err := i.checkAttachments(ctx); err != nil {
		return importMark{}, err
	}
	if err := s.store.BeginImport(ctx, mark.text()); err != nil {
		return importMark{}, err
	}
	return mark, s.claimBlobs(ctx, i.manifest.Installation, mark.Replaced)
}

func (i *importer) checkTarget(ctx context.Context, own string) error {
	s := i.server
	if own == i.manifest.Installation {
		return errors.New("the exported installation is in this database already")
	}
	if err := s.store.CheckEmpty(ctx); err != nil {
		if errors.Is(err, store.ErrNotEmpty) {
			return fmt.Errorf("%w; import fills a new installation", err)
		}
		return err
	}
	_, err := s.blobsAreOf(ctx, i.manifest.Installation, own)
	return err
}

// blobsAreOf reports whether the attachments are marked as those of the
// installation id. It refuses those that can be neither that one's nor become
// it: only empty ones do, with no mark or that of the installation own.
func (s *Server) blobsAreOf(ctx context.Context, id, own string) (bool, error) {
	marked, err := s.blobMark(ctx)
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		return false, err
	}
	if err == nil && marked == id {
		return true, nil
	}
	if err == nil && (own == "" || marked != own) {
		return false, fmt.Errorf("the attachments in %s belong to another database", s.config.blobsURL())
	}
	for info, err := range s.blobs.List(ctx, "") {
		if err != nil {
			return false, err
		}
		if info.Key != installation {
			return false, fmt.Errorf("%s is not empty; import fills a new installation", s.config.blobsURL())
		}
	}
	return false, nil
}

// claimBlobs marks the attachments as those of the installation id.
func (s *Server) claimBlobs(ctx context.Context, id, own string) error {
	if theirs, err := s.blobsAreOf(ctx, id, own); theirs || err != nil {
		return err
	}
	if err := s.blobs.Delete(ctx, installation); err != nil {
		return err
	}
	return s.blobs.Put(ctx, installation, strings.NewReader(id))
}

// checkAttachments reads all bytes of the export.
func (i *importer) checkAttachments(ctx context.Context) error {
	if err := i.beginAttachments("checking the attachments of the export"); err != nil {
		return err
	}
	return inParallel(ctx, i.listed(i.manifest), func(ctx context.Context, a attachmentBytes) error {
		if err := checkBytes(ctx, i.attachments, a); err != nil {
			return damaged(i.path, err)
		}
		i.progress.add(a.size)
		return nil
	})
}

func (i *importer) beginAttachments(what string) error {
	moved, err := i.moved(i.manifest)
	i.progress.begin(what, "bytes", moved.Attachments.Bytes)
	return err
}

// addRows adds each chunk in a transaction that also moves the mark.
func (i *importer) addRows(ctx context.Context, mark importMark) (importMark, error) {
	i.progress.begin("importing rows", "rows", i.manifest.rows())
	number := 0
	for n, t := range store.Tables() {
		for c, part := range i.manifest.Tables[n].Chunks {
			if number++; number > mark.Next {
				next := mark
				next.Next = number
				if err := i.addChunk(ctx, t, c, part, mark, next); err != nil {
					return mark, err
				}
				mark = next
			}
			i.progress.add(int64(part.Rows))
		}
	}
	return mark, nil
}

func (i *importer) addChunk(ctx context.Context, t store.Table, n int, part exportedPart, from, to importMark) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	rows, err := i.chunk(t, n, part)
	if err != nil {
		return err
	}
	return i.server.store.Import(ctx, t, rows, from.text(), to.text())
}

func (i *importer) copyAttachments(ctx context.Context) error {
	if err := i.beginAttachments("importing attachments"); err != nil {
		return err
	}
	to := i.server.blobs
	wanted := compare(ctx, i.listed(i.manifest), to, func(string) error { return nil })
	return inParallel(ctx, wanted, func(ctx context.Context, p presence) error {
		if p.there && p.kept != p.size {
			if err := to.Delete(ctx, p.key()); err != nil {
				return err
			}
		}
		if !p.there || p.kept != p.size {
			if err := copyBytes(ctx, i.attachments, to, p.attachmentBytes); err != nil {
				return err
			}
		}
		i.progress.add(p.size)
		return nil
	})
}

// verify reads all that was written and compares it with the export. What the
// rows of attachments name must be what the list names: by that the bytes were
// copied and are compared.
func (i *importer) verify(ctx context.Context) error {
	i.progress.begin("verifying rows", "rows", i.manifest.rows()+i.manifest.Attachments.rows())
	err := i.server.store.Snapshot(ctx, func(view store.Snapshot) error {
		for n, t := range store.Tables() {
			if err := i.verifyTable(t, i.manifest.Tables[n].Chunks, view.Rows(ctx, t)); err != nil {
				return err
			}
		}
		list := store.AttachmentBytes()
		return i.verifyTable(list, i.manifest.Attachments.Chunks, view.Rows(ctx, list))
	})
	if err != nil {
		return err
	}
	if err := i.beginAttachments("verifying attachments"); err != nil {
		return err
	}
	return inParallel(ctx, i.listed(i.manifest), i.verifyAttachment)
}

func (i *importer) verifyTable(t store.Table, want []exportedPart, rows iter.Seq2[store.Row, error]) error {
	n := 0
	full := func(c chunk) bool { return n == len(want) || c.rows == want[n].Rows }
	for c, err := range cut(rows, full) {
		if err != nil {
			return err
		}
		if n == len(want) || c.part() != want[n] {
			return i.otherRows(t, n)
		}
		i.progress.add(int64(c.rows))
		n++
	}
	if n < len(want) {
		return i.otherRows(t, n)
	}
	return nil
}

func (i *importer) otherRows(t store.Table, n int) error {
	if t.Name == store.AttachmentBytes().Name {
		return fmt.Errorf("verification: the rows of table attachments name other bytes than %s: the export is damaged, make another one",
			filepath.Join(i.folderOf(t), chunkName(n)))
	}
	return fmt.Errorf("verification: the rows of table %s are not those of the export from %s on: begin again with an empty database",
		t.Name, filepath.Join(exportRows, t.Name, chunkName(n)))
}

// verifyAttachment removes bytes that are not what they should be, so that the
// next run copies them again.
func (i *importer) verifyAttachment(ctx context.Context, a attachmentBytes) error {
	err := checkBytes(ctx, i.server.blobs, a)
	if errors.Is(err, errOtherBytes) {
		err = errors.Join(err, i.server.blobs.Delete(ctx, a.key()))
	}
	if errors.Is(err, errOtherBytes) || errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("verification: %w: run import again, which copies it again", err)
	}
	i.progress.add(a.size)
	return err
}

// refuseUnfinishedImport keeps everything but Import away from a database that
// is not whole.
func (s *Server) refuseUnfinishedImport(ctx context.Context) error {
	mark, err := s.store.ImportMark(ctx)
	if err == nil && mark != nil {
		return errors.New("an import into this database is unfinished: run supportd import again")
	}
	return err
}

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
)

// ExportOptions are the choices of an export; the zero value is the usual ones.
type ExportOptions struct {
	// AllowMissing accepts attachments whose bytes are lost. The export names
	// them.
	AllowMissing bool
	// Tell is told how far the export is; it is not called by two at once.
	Tell func(Progress)
	// ChunkRows is how many rows a file holds at most; zero means 5,000.
	ChunkRows int
}

// chunkBytes ends a file with rows, so that what reads it needs little memory
// and adds it in one short transaction.
const (
	chunkBytes = 4 << 20
	chunkRows  = 5000
)

// Export writes everything into a folder, from which Import fills another
// installation, while the server goes on: the rows of all tables as they are at
// one moment and the bytes of the attachments that they name. It may be
// repeated, and then keeps what the folder has already. The master key is not
// in it.
func (s *Server) Export(ctx context.Context, folder string, o ExportOptions) (Moved, error) {
	id, err := s.store.Setting(ctx, installation)
	if err != nil {
		return Moved{}, err
	}
	e, err := claimExport(folder, string(id))
	if err != nil {
		return Moved{}, err
	}
	x := &export{exportFolder: e, server: s, options: o, progress: progress{tell: o.Tell}}
	moved, err := x.run(ctx, string(id))
	return moved, errors.Join(err, e.close())
}

// claimExport makes a new folder one for an export, or goes on with one of the
// same installation.
func claimExport(folder, id string) (exportFolder, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return exportFolder{}, err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return exportFolder{}, err
	}
	ours := func(entry fs.DirEntry) bool { return strings.HasPrefix(entry.Name(), exportMark) }
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == exportMark }) {
		if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !ours(e) }) {
			return exportFolder{}, fmt.Errorf("%s is not empty and no export: give a new folder, or that of an export to go on with", folder)
		}
		if err := closeToOthers(folder); err != nil {
			return exportFolder{}, err
		}
		text, err := json.Marshal(exportOwner{exportFormat, id})
		if err != nil {
			return exportFolder{}, err
		}
		err = createDurably(filepath.Join(folder, exportMark), append(text, '\n'))
		if err != nil && !errors.Is(err, fs.ErrExist) { // another process has made it meanwhile
			return exportFolder{}, err
		}
	}
	e, owner, err := lockExport(folder, syscall.LOCK_EX)
	if err != nil {
		return exportFolder{}, err
	}
	if owner.Installation != id {
		return exportFolder{}, errors.Join(fmt.Errorf("%s has the export of another installation", folder), e.close())
	}
	if err := closeToOthers(folder); err != nil {
		return exportFolder{}, errors.Join(err, e.close())
	}
	return e, nil
}

// closeToOthers leaves a folder to its owner, who must be this user: an export
// holds secrets.
func closeToOthers(folder string) error {
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s is open to others and not yours to close: give a folder of your own, which an export makes if there is none", folder)
	}
	return os.Chmod(folder, 0o700)
}

// export is a running export.
type export struct {
	exportFolder
	server   *Server
	options  ExportOptions
	progress progress

	mu     sync.Mutex
	lost   []string // keys of attachments whose bytes are missing or damaged
	purged int      // attachments that went away since the rows were read
}

func (x *export) run(ctx context.Context, id string) (Moved, error) {
	// While the rest is not what a manifest says, there is none.
	if err := os.Remove(filepath.Join(x.path, exportManifest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Moved{}, err
	}
	if err := syncFolder(x.path); err != nil {
		return Moved{}, err
	}
	m := exported{Format: exportFormat, Version: Version(), CreatedAt: time.Now().UTC(), Installation: id, Missing: []string{}}
	var err error
	if m.Schema, err = store.Schema(); err != nil {
		return Moved{}, err
	}
	err = x.server.store.Snapshot(ctx, func(view store.Snapshot) error { return x.writeTables(ctx, view, &m) })
	if err != nil {
		return Moved{}, err
	}
	if err := x.copyAttachments(ctx, &m); err != nil {
		return Moved{}, err
	}
	if err := x.removeStale(m); err != nil {
		return Moved{}, err
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return Moved{}, err
	}
	if err := replaceDurably(filepath.Join(x.path, exportManifest), append(text, '\n')); err != nil {
		return Moved{}, err
	}
	return x.moved(m)
}

func (x *export) writeTables(ctx context.Context, view store.Snapshot, m *exported) error {
	var total int64
	for _, t := range store.Tables() {
		n, err := view.Count(ctx, t)
		if err != nil {
			return err
		}
		total += n
	}
	x.progress.begin("exporting rows", "rows", total)
	m.Tables = []exportedTable{}
	for _, t := range store.Tables() {
		written, err := x.writeTable(ctx, view, t)
		if err != nil {
			return err
		}
		m.Tables = append(m.Tables, written)
	}
	list, err := x.writeTable(ctx, view, store.AttachmentBytes())
	m.Attachments = list
	return err
}

func (x *export) writeTable(ctx context.Context, view store.Snapshot, t store.Table) (exportedTable, error) {
	folder := x.folderOf(t)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return exportedTable{}, err
	}
	most := x.options.ChunkRows
	if most == 0 {
		most = chunkRows
	}
	written := newExportedTable(t)
	full := func(c chunk) bool { return c.rows >= most || len(c.text) >= chunkBytes }
	for c, err := range cut(view.Rows(ctx, t), full) {
		if err != nil {
			return exportedTable{}, err
		}
		if err := writeChunk(filepath.Join(folder, chunkName(len(written.Chunks))), c); err != nil {
			return exportedTable{}, err
		}
		written.Chunks = append(written.Chunks, c.part())
		if t.Name != store.AttachmentBytes().Name {
			x.progress.add(int64(c.rows))
		}
	}
	return written, errors.Join(syncFolder(folder), syncFolder(filepath.Dir(folder)))
}

// writeChunk leaves a file alone that is what it should be.
func writeChunk(file string, c chunk) error {
	kept, err := readRegular(file, int64(len(c.text)))
	if err == nil && string(kept) == string(c.text) {
		return nil
	}
	return replaceDurably(file, c.text) // also what is no file
}

// replaceDurably makes or replaces a private file: after a crash it has the old
// or the new content.
func replaceDurably(file string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(filepath.Dir(file))
}

// copyAttachments copies the bytes that the list names and removes others: they
// were purged since an earlier run.
func (x *export) copyAttachments(ctx context.Context, m *exported) error {
	to, err := x.openAttachments()
	if err != nil {
		return err
	}
	defer to.Close()
	var total int64
	for a, err := range x.listed(*m) {
		if err != nil {
			return err
		}
		total += a.size
	}
	x.progress.begin("exporting attachments", "bytes", total)
	wanted := compare(ctx, x.listed(*m), to, func(key string) error { return to.Delete(ctx, key) })
	err = inParallel(ctx, wanted, func(ctx context.Context, p presence) error { return x.copyAttachment(ctx, to, p) })
	if err != nil {
		return err
	}
	slices.Sort(x.lost)
	x.lost = slices.Compact(x.lost)
	if len(x.lost) > 0 && !x.options.AllowMissing {
		return fmt.Errorf("the bytes of %s are missing or damaged; with --allow-missing the export leaves them out", keysText(x.lost))
	}
	if x.purged > 0 {
		return fmt.Errorf("%d attachments were removed while the export ran, with the cases they belong to: run it again", x.purged)
	}
	m.Missing = append(m.Missing, x.lost...)
	return nil
}

// keysText names attachments in one line that people can read.
func keysText(keys []string) string {
	const shown = 10
	text := fmt.Sprintf("%d attachments (%s", len(keys), strings.Join(keys[:min(shown, len(keys))], ", "))
	if len(keys) > shown {
		text += ", …"
	}
	return text + ")"
}

// copyAttachment keeps bytes that an earlier run copied, if they are still
// those.
func (x *export) copyAttachment(ctx context.Context, to blob.Store, p presence) error {
	if p.there && checkBytes(ctx, to, p.attachmentBytes) == nil {
		x.progress.add(p.size)
		return nil
	}
	if err := to.Delete(ctx, p.key()); err != nil { // also what is no file, which a store does not list
		return err
	}
	err := copyBytes(ctx, x.server.blobs, to, p.attachmentBytes)
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, errOtherBytes) {
		err = x.noteLost(ctx, p.attachmentBytes)
	}
	if err == nil {
		x.progress.add(p.size)
	}
	return err
}

// noteLost tells bytes that are lost from those of a case that was purged
// meanwhile: rows go first.
func (x *export) noteLost(ctx context.Context, a attachmentBytes) error {
	var named bool
	err := x.server.store.Cases().View(ctx, func(tx cases.Tx) (err error) {
		named, err = tx.HasAttachment(ctx, a.account, a.set, a.sha256)
		return err
	})
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if named {
		x.lost = append(x.lost, a.key())
	} else {
		x.purged++
	}
	return nil
}

// removeStale removes what earlier runs left: files of tables that were longer,
// or that were being written when the run was killed.
func (x *export) removeStale(m exported) error {
	current := map[string]bool{}
	note := func(t store.Table, chunks []exportedPart) {
		for i := range chunks {
			current[filepath.Join(x.folderOf(t), chunkName(i))] = true
		}
	}
	for i, t := range store.Tables() {
		note(t, m.Tables[i].Chunks)
	}
	note(store.AttachmentBytes(), m.Attachments.Chunks)
	for _, folder := range []string{exportRows, exportList} {
		err := filepath.WalkDir(filepath.Join(x.path, folder), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || current[file] {
				return err
			}
			return os.Remove(file)
		})
		if err != nil {
			return err
		}
	}
	return x.removeUnfinished()
}

// removeUnfinished removes manifests and marks that were being written.
func (x *export) removeUnfinished() error {
	for _, name := range []string{exportManifest, exportMark} {
		files, err := filepath.Glob(filepath.Join(x.path, name+".*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

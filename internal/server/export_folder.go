package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/store"
)

// The names in the folder of an export. The mark is made first and says whose
// export it is; the manifest is written last and says that all is there. The
// rows of a table are in rows/TABLE/000001.jsonl and so on: a line holds the
// columns of a row as a JSON array, bytes in base64. The list names the bytes
// of the attachments, which are kept as in any folder of attachments.
const (
	exportMark        = "supportd-export.json"
	exportManifest    = "manifest.json"
	exportRows        = "rows"
	exportList        = "attachments-list"
	exportAttachments = "attachments"
)

// The most that is read of a file whose size nothing else says.
const (
	markBytes     = 64 << 10
	manifestBytes = 256 << 20
)

// exportFormat counts up when an older release could not read the folder.
const exportFormat = 1

// exportOwner is the content of the mark.
type exportOwner struct {
	Format       int    `json:"format"`
	Installation string `json:"installation"`
}

// exported is the manifest.
type exported struct {
	Format       int             `json:"format"`
	Version      string          `json:"version"`
	Schema       int             `json:"schema"`
	CreatedAt    time.Time       `json:"createdAt"`
	Installation string          `json:"installation"`
	Tables       []exportedTable `json:"tables"`
	Attachments  exportedTable   `json:"attachments"` // the list of their bytes
	Missing      []string        `json:"missing"`     // keys of the list whose bytes are lost
}

type exportedTable struct {
	Name    string         `json:"name"`
	Columns []string       `json:"columns"` // with their types
	Chunks  []exportedPart `json:"chunks"`
}

// exportedPart is a file with rows of a table.
type exportedPart struct {
	Rows   int    `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func newExportedTable(t store.Table) exportedTable {
	e := exportedTable{Name: t.Name, Columns: []string{}, Chunks: []exportedPart{}}
	for _, c := range t.Columns {
		e.Columns = append(e.Columns, c.Name+" "+string(c.Type))
	}
	return e
}

func (t exportedTable) rows() (n int64) {
	for _, c := range t.Chunks {
		n += int64(c.Rows)
	}
	return n
}

func (m exported) rows() (n int64) {
	for _, t := range m.Tables {
		n += t.rows()
	}
	return n
}

// exportFolder is the folder of an export, locked.
type exportFolder struct {
	path string
	lock *os.File
}

// lockExport opens the mark in the folder and locks it: one process writes an
// export, and any number of others read it.
func lockExport(folder string, how int) (exportFolder, exportOwner, error) {
	var owner exportOwner
	f, err := openRegular(filepath.Join(folder, exportMark))
	if err != nil {
		return exportFolder{}, owner, err
	}
	e := exportFolder{folder, f}
	err = syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("another export or import works on %s", folder)
	}
	if err == nil {
		owner, err = readOwner(f)
	}
	if err == nil && owner.Format != exportFormat {
		err = fmt.Errorf("%s is an export of format %d, want %d: use the same release for export and import", folder, owner.Format, exportFormat)
	}
	if err == nil {
		err = e.checkFolders()
	}
	if err != nil {
		return exportFolder{}, owner, errors.Join(err, f.Close())
	}
	return e, owner, nil
}

func readOwner(mark *os.File) (owner exportOwner, err error) {
	text, err := readAtMost(mark, markBytes)
	if err != nil {
		return owner, err
	}
	if err := decodeStrictly(text, &owner); err != nil {
		return owner, damaged(mark.Name(), err)
	}
	return owner, nil
}

// checkFolders wants what is in the folder to be kept there: through a link,
// files of somebody else would be read, written or removed.
func (e exportFolder) checkFolders() error {
	folders := []string{filepath.Join(e.path, exportRows), filepath.Join(e.path, exportAttachments), e.folderOf(store.AttachmentBytes())}
	for _, t := range store.Tables() {
		folders = append(folders, e.folderOf(t))
	}
	for _, folder := range folders {
		info, err := os.Lstat(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is no folder: an export has no links", folder)
		}
	}
	return nil
}

// openRegular opens a file of an export. It follows no link, and of what is no
// file (a pipe makes who opens it wait, a device may never end) it reads nothing.
func openRegular(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%s is a symbolic link: an export has no links", file)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", file)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// readRegular reads a file of an export that has at most so many bytes.
func readRegular(file string, most int64) ([]byte, error) {
	f, err := openRegular(file)
	if err != nil {
		return nil, err
	}
	text, err := readAtMost(f, most)
	return text, errors.Join(err, f.Close())
}

func readAtMost(f *os.File, most int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, damaged(f.Name(), fmt.Errorf("it has more than %d bytes", most))
	}
	return io.ReadAll(io.LimitReader(f, most))
}

func (e exportFolder) close() error { return e.lock.Close() }

func (e exportFolder) openAttachments() (*blob.Dir, error) {
	return blob.OpenDir(filepath.Join(e.path, exportAttachments))
}

// manifest returns the manifest and its hash, by which one export is told from
// another.
func (e exportFolder) manifest() (m exported, hash string, err error) {
	file := filepath.Join(e.path, exportManifest)
	text, err := readRegular(file, manifestBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return m, "", fmt.Errorf("the export in %s is not finished: run supportd export again", e.path)
	}
	if err == nil {
		if err = decodeStrictly(text, &m); err != nil {
			err = damaged(file, err)
		}
	}
	return m, hashOf(text), err
}

func decodeStrictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows its end")
	}
	return nil
}

func damaged(file string, err error) error { return fmt.Errorf("%s is damaged: %w", file, err) }

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// folderOf returns where the chunks of a table are.
func (e exportFolder) folderOf(t store.Table) string {
	if t.Name == store.AttachmentBytes().Name {
		return filepath.Join(e.path, exportList)
	}
	return filepath.Join(e.path, exportRows, t.Name)
}

func chunkName(i int) string { return fmt.Sprintf("%06d.jsonl", i+1) }

// chunk returns the rows of a chunk that has the hash that the manifest says.
func (e exportFolder) chunk(t store.Table, i int, want exportedPart) ([]store.Row, error) {
	file := filepath.Join(e.folderOf(t), chunkName(i))
	text, err := readRegular(file, want.Bytes)
	if err != nil {
		return nil, err
	}
	if hashOf(text) != want.SHA256 || int64(len(text)) != want.Bytes {
		return nil, damaged(file, errors.New("it does not have the hash and size that the manifest says"))
	}
	rows, err := decodeRows(text, t)
	if err == nil && len(rows) != want.Rows {
		err = fmt.Errorf("it has %d rows, the manifest says %d", len(rows), want.Rows)
	}
	if err != nil {
		return nil, damaged(file, err)
	}
	return rows, nil
}

// rows yields the rows of a table.
func (e exportFolder) rows(t store.Table, chunks []exportedPart) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for i, c := range chunks {
			rows, err := e.chunk(t, i, c)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// list yields what the list of attachments names.
func (e exportFolder) list(m exported) iter.Seq2[attachmentBytes, error] {
	return func(yield func(attachmentBytes, error) bool) {
		for row, err := range e.rows(store.AttachmentBytes(), m.Attachments.Chunks) {
			a := attachmentBytes{}
			if err == nil {
				a, err = attachmentBytesOf(row)
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// listed yields what the list of attachments names, but for what is missing.
func (e exportFolder) listed(m exported) iter.Seq2[attachmentBytes, error] {
	return func(yield func(attachmentBytes, error) bool) {
		for a, err := range e.list(m) {
			if err == nil && m.misses(a) {
				continue
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

// misses reports whether the bytes of an attachment are lost.
func (m exported) misses(a attachmentBytes) bool {
	_, found := slices.BinarySearch(m.Missing, a.key())
	return found
}

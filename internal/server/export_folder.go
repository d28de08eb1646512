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
	f, err := os.Open(filepath.Join(folder, exportMark))
	if err != nil {
		return exportFolder{}, owner, err
	}
	e := exportFolder{folder, f}
	err = syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("another export or import works on %s", folder)
	}
	if err == nil {
		if err = decodeStrictly(f, &owner); err != nil {
			err = fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	if err == nil && owner.Format != exportFormat {
		err = fmt.Errorf("%s is an export of format %d, want %d: use the same release for export and import", folder, owner.Format, exportFormat)
	}
	if err != nil {
		return exportFolder{}, owner, errors.Join(err, f.Close())
	}
	return e, owner, nil
}

func (e exportFolder) close() error { return e.lock.Close() }

func (e exportFolder) openAttachments() (*blob.Dir, error) {
	return blob.OpenDir(filepath.Join(e.path, exportAttachments))
}

// manifest returns the manifest and its hash, by which one export is told from
// another.
func (e exportFolder) manifest() (m exported, hash string, err error) {
	file := filepath.Join(e.path, exportManifest)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, "", fmt.Errorf("the export in %s is not finished: run supportd export again", e.path)
	}
	if err == nil {
		if err = decodeStrictly(bytes.NewReader(text), &m); err != nil {
			err = damaged(file, err)
		}
	}
	return m, hashOf(text), err
}

func decodeStrictly(r io.Reader, into any) error {
	decoder := json.NewDecoder(r)
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
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if hashOf(text) != want.SHA256 {
		return nil, damaged(file, errors.New("it does not have the hash that the manifest says"))
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

// listed yields what the list of attachments names, but for what is missing.
func (e exportFolder) listed(m exported) iter.Seq2[attachmentBytes, error] {
	return func(yield func(attachmentBytes, error) bool) {
		for row, err := range e.rows(store.AttachmentBytes(), m.Attachments.Chunks) {
			if err != nil {
				yield(attachmentBytes{}, err)
				return
			}
			a := attachmentBytes{row[0].(string), row[1].(string), row[2].(string), row[3].(int64)}
			if _, missing := slices.BinarySearch(m.Missing, a.key()); missing {
				continue
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

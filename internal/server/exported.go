package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
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
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json/jsontext"

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

// attachmentBytes are the bytes of an attachment, perhaps of several with the
// same content in one set.
type attachmentBytes struct {
	account, set, sha256 string
	size                 int64
}

// key is where cases keeps the bytes.
func (a attachmentBytes) key() string { return a.account + "/" + a.set + "/" + a.sha256 }

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

// chunk is the text of some rows of a table.
type chunk struct {
	text []byte
	rows int
}

func (c chunk) part() exportedPart {
	return exportedPart{Rows: c.rows, Bytes: int64(len(c.text)), SHA256: hashOf(c.text)}
}

// cut yields rows in chunks that end where full says so. The text of a chunk is
// overwritten by the next.
func cut(rows iter.Seq2[store.Row, error], full func(chunk) bool) iter.Seq2[chunk, error] {
	return func(yield func(chunk, error) bool) {
		var c chunk
		for row, err := range rows {
			if err == nil {
				c.text, err = appendRow(c.text, row)
			}
			if err != nil {
				yield(chunk{}, err)
				return
			}
			if c.rows++; !full(c) {
				continue
			}
			if !yield(c, nil) {
				return
			}
			c = chunk{text: c.text[:0]}
		}
		if c.rows > 0 {
			yield(c, nil)
		}
	}
}

// appendRow adds a line: the same row is the same text, whatever the database.
func appendRow(text []byte, row store.Row) (_ []byte, err error) {
	text = append(text, '[')
	for i, value := range row {
		if i > 0 {
			text = append(text, ',')
		}
		switch v := value.(type) {
		case nil:
			text = append(text, "null"...)
		case string:
			if text, err = jsontext.AppendQuote(text, v); err != nil {
				return nil, err
			}
		case int64:
			text = strconv.AppendInt(text, v, 10)
		case bool:
			text = strconv.AppendBool(text, v)
		case []byte:
			text = append(base64.StdEncoding.AppendEncode(append(text, '"'), v), '"')
		default:
			return nil, fmt.Errorf("column %d holds a %T", i+1, value)
		}
	}
	return append(text, "]\n"...), nil
}

func decodeRows(text []byte, t store.Table) (rows []store.Row, err error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(text))
	for decoder.PeekKind() != 0 {
		row, err := decodeRow(decoder, t)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", len(rows)+1, err)
		}
		rows = append(rows, row)
	}
	if _, err := decoder.ReadToken(); err != io.EOF {
		return nil, err
	}
	return rows, nil
}

func decodeRow(decoder *jsontext.Decoder, t store.Table) (store.Row, error) {
	if kind := decoder.PeekKind(); kind != '[' {
		return nil, fmt.Errorf("it begins with %v", kind)
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	row := make(store.Row, len(t.Columns))
	for i, c := range t.Columns {
		value, err := decoder.ReadValue()
		if err == nil {
			row[i], err = decodeValue(value, c.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	if end, err := decoder.ReadToken(); err != nil || end.Kind() != ']' {
		return nil, errors.Join(errors.New("it has more columns than the table"), err)
	}
	return row, nil
}

func decodeValue(value jsontext.Value, t store.Type) (any, error) {
	kind := value.Kind()
	switch {
	case kind == 'n':
		return nil, nil
	case kind == '"' && t == store.Text:
		text, err := jsontext.AppendUnquote(nil, value)
		return string(text), err
	case kind == '"' && t == store.Bytes:
		return base64.StdEncoding.AppendDecode([]byte{}, value[1:len(value)-1])
	case kind == '0' && t == store.Integer:
		return strconv.ParseInt(string(value), 10, 64)
	case (kind == 't' || kind == 'f') && t == store.Boolean:
		return kind == 't', nil
	}
	return nil, fmt.Errorf("it holds %v, want %s", kind, t)
}

// errOtherBytes says that bytes are not those of the attachment.
var errOtherBytes = errors.New("its bytes do not have the size and hash they were stored with")

// checkedReader yields what r does, and at its end an error unless that was
// what the attachment holds.
func checkedReader(r io.Reader, want attachmentBytes) io.Reader {
	h, size := sha256.New(), int64(0)
	return readerFunc(func(p []byte) (int, error) {
		n, err := r.Read(p)
		h.Write(p[:n])
		size += int64(n)
		if err == io.EOF && (size != want.size || sum(h) != want.sha256) {
			err = errOtherBytes
		}
		return n, err
	})
}

// readerFunc is an io.Reader made of its method.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// checkBytes reads the bytes of an attachment and compares them with their hash.
func checkBytes(ctx context.Context, from blob.Store, a attachmentBytes) error {
	content, err := from.Open(ctx, a.key())
	if err != nil {
		return err
	}
	defer content.Close()
	if _, err := io.Copy(io.Discard, checkedReader(until(ctx, content), a)); err != nil {
		return fmt.Errorf("attachment %s: %w", a.key(), err)
	}
	return nil
}

// copyBytes copies the bytes of an attachment, or leaves nothing.
func copyBytes(ctx context.Context, from, to blob.Store, a attachmentBytes) error {
	content, err := from.Open(ctx, a.key())
	if err != nil {
		return err
	}
	defer content.Close()
	return to.Put(ctx, a.key(), checkedReader(content, a))
}

// until returns r, ending with the error of ctx once that is done.
func until(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

// movers is how many attachments are moved at once: most of the time each waits
// for an answer or a disk.
const movers = 8

// inParallel calls work for each item and returns the first error.
func inParallel[T any](ctx context.Context, items iter.Seq2[T, error], work func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan T)
	var workers sync.WaitGroup
	for range movers {
		workers.Go(func() {
			for item := range queue {
				if ctx.Err() != nil {
					continue
				}
				if err := work(ctx, item); err != nil {
					cancel(err)
				}
			}
		})
	}
	for item, err := range items {
		if err != nil {
			cancel(err)
		}
		if ctx.Err() != nil {
			break
		}
		queue <- item
	}
	close(queue)
	workers.Wait()
	return context.Cause(ctx)
}

// presence is what a store of blobs has of a list of attachments.
type presence struct {
	attachmentBytes
	there bool  // something is kept under its key
	kept  int64 // how much
}

// compare goes through the list of attachments and the keys of a store, both in
// ascending order, side by side. What the list does not name goes to extra. Of
// keys in another order some are not found; to put these again does no harm.
func compare(ctx context.Context, list iter.Seq2[attachmentBytes, error], in blob.Store, extra func(key string) error) iter.Seq2[presence, error] {
	return func(yield func(presence, error) bool) {
		next, stop := iter.Pull2(in.List(ctx, ""))
		defer stop()
		found, err, more := next()
		for a, listErr := range list {
			for ; listErr == nil && err == nil && more && found.Key < a.key(); found, err, more = next() {
				err = extra(found.Key)
				if err != nil {
					break
				}
			}
			if err := errors.Join(listErr, err); err != nil {
				yield(presence{}, err)
				return
			}
			p := presence{attachmentBytes: a, there: more && found.Key == a.key(), kept: found.Size}
			if !yield(p, nil) {
				return
			}
			if p.there {
				found, err, more = next()
			}
		}
		for ; err == nil && more; found, err, more = next() {
			if err = extra(found.Key); err != nil {
				break
			}
		}
		if err != nil {
			yield(presence{}, err)
		}
	}
}

// Progress is how far an export or import is.
type Progress struct {
	What        string
	Unit        string // rows or bytes
	Done, Total int64
}

// progress tells how far the work is.
type progress struct {
	tell func(Progress)

	mu  sync.Mutex
	now Progress
}

func (p *progress) begin(what, unit string, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = Progress{What: what, Unit: unit, Total: total}
	p.told()
}

func (p *progress) add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Done += n
	p.told()
}

func (p *progress) told() {
	if p.tell != nil {
		p.tell(p.now)
	}
}

// Moved is what an export or import has moved.
type Moved struct {
	Tables      []MovedTable     `json:"tables"`
	Attachments MovedAttachments `json:"attachments"`
}

// MovedTable is a table with how many rows it has.
type MovedTable struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
}

// MovedAttachments are the bytes of attachments.
type MovedAttachments struct {
	Count   int64    `json:"count"`
	Bytes   int64    `json:"bytes"`
	Missing []string `json:"missing"` // whose bytes are lost
}

func (e exportFolder) moved(m exported) (Moved, error) {
	moved := Moved{Attachments: MovedAttachments{Missing: m.Missing}}
	for _, t := range m.Tables {
		moved.Tables = append(moved.Tables, MovedTable{t.Name, t.rows()})
	}
	for a, err := range e.listed(m) {
		if err != nil {
			return Moved{}, err
		}
		moved.Attachments.Count++
		moved.Attachments.Bytes += a.size
	}
	return moved, nil
}

// check refuses an attachment whose row cannot name bytes.
func (a attachmentBytes) check() error {
	if strings.Count(a.key(), "/") != 2 {
		return fmt.Errorf("%w: %q", blob.ErrBadKey, a.key())
	}
	return blob.CheckKey(a.key())
}

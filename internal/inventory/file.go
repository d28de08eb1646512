package inventory

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The file form of an inventory is JSON Lines: a line with the format and the
// header, a line for every resource, and a line with the summary. A file
// without its last line was cut off and is not read.

const format = 1

type firstLine struct {
	Format int `json:"supportdInventory"`
	Header
}

type resourceLine struct {
	Kind       string         `json:"kind"`
	ID         string         `json:"id"`
	Region     string         `json:"region,omitempty"`
	Attributes map[string]any `json:"attributes"`
}

type lastLine struct {
	End *Summary `json:"end"`
}

// anyLine is what follows the first line.
type anyLine struct {
	Kind       string         `json:"kind"`
	ID         string         `json:"id"`
	Region     string         `json:"region"`
	Attributes chosen         `json:"attributes"`
	End        jsontext.Value `json:"end"`
}

// chosen are those attributes of a line that are wanted.
type chosen struct {
	wanted Choice
	values map[string]any
	names  map[string]string // those of attributes that were read, of which there are few
	value  any
}

// UnmarshalJSONFrom looks no further into what is not wanted than to see where
// it ends.
func (c *chosen) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	if from.PeekKind() != '{' {
		return jsonv2.UnmarshalDecode(from, &c.values) // null, or wrong
	}
	if _, err := from.ReadToken(); err != nil {
		return err
	}
	c.values = map[string]any{}
	for from.PeekKind() != '}' {
		attribute, err := c.name(from)
		if err != nil {
			return err
		}
		if !c.wanted(attribute) {
			if err := from.SkipValue(); err != nil {
				return err
			}
			continue
		}
		c.value = nil
		if err := jsonv2.UnmarshalDecode(from, &c.value); err != nil {
			return err
		}
		c.values[attribute] = c.value
	}
	_, err := from.ReadToken()
	return err
}

func (c *chosen) name(from *jsontext.Decoder) (string, error) {
	quoted, err := from.ReadValue()
	if err != nil {
		return "", err
	}
	if name, known := c.names[string(quoted)]; known {
		return name, nil
	}
	var name string
	if err := jsonv2.Unmarshal(quoted, &name); err != nil {
		return "", err
	}
	if len(c.names) < manyNames {
		c.names[string(quoted)] = name
	}
	return name, nil
}

// manyNames is more than there are names of attributes in a file of ours.
const manyNames = 10_000

// ErrTooLarge says that a resource is larger than a line of an inventory may be.
var ErrTooLarge = errors.New("the resource is too large for an inventory")

// Writer writes an inventory's file. Its methods may be called at once.
type Writer struct {
	mu      sync.Mutex
	to      *bufio.Writer
	known   identities
	summary Summary
}

// NewWriter writes the header.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	out := &Writer{to: bufio.NewWriterSize(w, 1<<16), known: identities{}}
	return out, out.line(firstLine{Format: format, Header: h})
}

// Add writes a resource, once: APIs repeat one when others come or go between
// two pages. After an error that is not ErrTooLarge the inventory is of no use.
func (w *Writer) Add(r Resource) error {
	text, err := jsonv2.Marshal(resourceLine(r), jsonv2.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return fmt.Errorf("%s %s: %w", r.Kind, r.ID, err)
	}
	if len(text) >= maxLine {
		return fmt.Errorf("%s %s: %w: %d bytes", r.Kind, r.ID, ErrTooLarge, len(text))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known.add(r.Kind, r.Region, r.ID) {
		return nil
	}
	w.summary.Resources++
	_, err = w.to.Write(append(text, '\n'))
	return err
}

// identities are resources that were seen. Of each it keeps a part of a hash, so
// that a million take some twenty megabytes.
type identities map[[16]byte]struct{}

// add reports whether a resource is new. One without an id cannot be told from
// others and is always new.
func (seen identities) add(kind, region, id string) bool {
	if id == "" {
		return true
	}
	text := make([]byte, 0, 256)
	for _, part := range [...]string{kind, region, id} {
		text = strconv.AppendQuote(text, part)
	}
	sum := sha256.Sum256(text)
	before := len(seen)
	seen[[16]byte(sum[:])] = struct{}{}
	return len(seen) > before
}

// Close writes the summary, with the failures and prices given, but not to the
// disk: that is for whoever owns the file.
func (w *Writer) Close(failures []Failure, prices map[string]float64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.summary.Failures, w.summary.Prices = failures, prices
	if err := w.line(lastLine{End: &w.summary}); err != nil {
		return err
	}
	return w.to.Flush()
}

func (w *Writer) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.to.Write(append(text, '\n'))
	return err
}

// File is an inventory in a file.
type File struct {
	path   string
	header Header
}

// OpenFile reads the header of a file.
func OpenFile(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: it is not a file, and an inventory is read more than once", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := newLines(f)
	if !lines.Scan() {
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("%s:1: %w", path, explained(err))
		}
		return nil, fmt.Errorf("%s: not an inventory: it is empty", path)
	}
	if bytes.HasPrefix(lines.Bytes(), []byte("\ufeff")) {
		return nil, fmt.Errorf("%s:1: the file begins with a byte order mark: save it as UTF-8 without one", path)
	}
	var first firstLine
	err = jsonv2.Unmarshal(lines.Bytes(), &first, jsonv2.MatchCaseInsensitiveNames(true))
	if !isInventory(lines.Bytes()) {
		return nil, fmt.Errorf("%s: not an inventory: its first line has no supportdInventory", path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s:1: %w", path, explained(err))
	}
	if first.Format != format {
		return nil, fmt.Errorf("%s: the inventory has format %d, and this program reads format %d", path, first.Format, format)
	}
	return &File{path: path, header: first.Header}, nil
}

// isInventory reports whether a first line names a format, whatever else it has.
func isInventory(line []byte) bool {
	var first struct {
		Format int `json:"supportdInventory"`
	}
	err := jsonv2.Unmarshal(line, &first)
	return err == nil && first.Format != 0
}

// maxLine is how long a resource's line may be.
const maxLine = 16 << 20

func newLines(r io.Reader) *bufio.Scanner {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<16), maxLine)
	return lines
}

// Header returns the file's header.
func (f *File) Header() Header { return f.header }

// Read reads the file once. An error of the file has the number of its line.
func (f *File) Read(ctx context.Context, each func(Resource) error) (Summary, error) {
	return f.ReadKinds(ctx, func(string) Choice { return Everything }, each)
}

// ReadKinds reads the resources of some kinds. It counts the others, and looks
// no further into them.
func (f *File) ReadKinds(ctx context.Context, wanted func(kind string) Choice, each func(Resource) error) (Summary, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return Summary{}, err
	}
	defer file.Close()
	lines := newLines(file)
	number, read, names, known := 0, 0, map[string]string{}, identities{}
	for lines.Scan() {
		number++
		if number == 1 {
			continue // the header
		}
		if number%100 == 2 && ctx.Err() != nil { // now and then
			return Summary{}, ctx.Err()
		}
		choice := Choice(Everything)
		if kind := kindOf(lines.Bytes()); len(kind) > 0 {
			choice = wanted(string(kind))
		}
		if choice == nil {
			read++
			continue
		}
		line := anyLine{Attributes: chosen{wanted: choice, names: names}}
		if err := jsonv2.Unmarshal(lines.Bytes(), &line); err != nil {
			return Summary{}, fmt.Errorf("%s:%d: %w", f.path, number, explained(err))
		}
		if line.End != nil {
			return f.end(lines, line.End, number, read)
		}
		if line.Kind == "" {
			return Summary{}, fmt.Errorf("%s:%d: a resource without a kind", f.path, number)
		}
		read++
		if wanted(line.Kind) == nil {
			continue
		}
		if !known.add(line.Kind, line.Region, line.ID) {
			return Summary{}, fmt.Errorf("%s:%d: the %s %q is in the inventory twice%s", f.path, number, line.Kind, line.ID, inRegion(line.Region))
		}
		if err := each(Resource{Kind: line.Kind, ID: line.ID, Region: line.Region, Attributes: line.Attributes.values}); err != nil {
			return Summary{}, err
		}
	}
	if err := lines.Err(); err != nil {
		return Summary{}, fmt.Errorf("%s:%d: %w", f.path, number+1, explained(err))
	}
	if err := ctx.Err(); err != nil {
		return Summary{}, err
	}
	return Summary{}, fmt.Errorf("%s: the inventory is cut off: it has no last line with its summary", f.path)
}

func inRegion(name string) string {
	if name == "" {
		return ""
	}
	return ", in " + name
}

// kindOf returns the kind of a line in the form in which Writer writes it, and
// nothing of a line in another form.
func kindOf(line []byte) []byte {
	rest, ok := bytes.CutPrefix(line, []byte(`{"kind":"`))
	if !ok {
		return nil
	}
	kind, rest, ok := bytes.Cut(rest, []byte(`"`))
	if !ok || bytes.IndexByte(kind, '\\') >= 0 || !bytes.HasPrefix(rest, []byte(`,"id":`)) {
		return nil
	}
	return kind
}

// end reads the summary, and that only empty lines follow it.
func (f *File) end(lines *bufio.Scanner, text []byte, number, read int) (Summary, error) {
	var end Summary
	if err := jsonv2.Unmarshal(text, &end, jsonv2.MatchCaseInsensitiveNames(true)); err != nil {
		return Summary{}, fmt.Errorf("%s:%d: the inventory's summary: %w", f.path, number, explained(err))
	}
	if read != end.Resources {
		return Summary{}, fmt.Errorf("%s:%d: the inventory has %d resources, and its summary says %d", f.path, number, read, end.Resources)
	}
	for lines.Scan() {
		number++
		if len(bytes.TrimSpace(lines.Bytes())) > 0 {
			return Summary{}, fmt.Errorf("%s:%d: something follows the summary", f.path, number)
		}
	}
	if err := lines.Err(); err != nil {
		return Summary{}, fmt.Errorf("%s:%d: %w", f.path, number+1, explained(err))
	}
	return end, nil
}

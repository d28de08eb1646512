package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const (
	objects   = "objects"
	temporary = "tmp"

	// A file being written is younger than this: each write renews its time.
	staleAfter = time.Hour
)

// temporaryName is a name that writeTemp gives.
var temporaryName = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// Dir is a [Store] in a folder of a file system that renames atomically and
// distinguishes capital letters. A key a/b/c is the file objects/a+/b+/c in it:
// the mark keeps the folders of one key apart from the file of another, and no
// key can contain it. A file is written and synced in the folder tmp before it
// is moved to its place.
type Dir struct {
	root *os.Root
	sync func(*os.File) error // (*os.File).Sync; tests watch and break it
}

var _ Store = (*Dir)(nil)

// OpenDir opens the store in the folder path, which it makes if necessary, and
// removes what writers that died have left behind. Folders and files are for
// the user of the process only.
func OpenDir(path string) (*Dir, error) { return openDir(path, (*os.File).Sync) }

// OpenScratchDir opens a store as [OpenDir] does, for bytes that nobody misses
// after a crash of the machine: nothing waits for the disk.
func OpenScratchDir(path string) (*Dir, error) {
	return openDir(path, func(*os.File) error { return nil })
}

func openDir(path string, sync func(*os.File) error) (*Dir, error) {
	if err := makeFolder(filepath.Clean(path), sync); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	d := &Dir{root: root, sync: sync}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("blob folder %s: %w", path, err), root.Close())
	}
	return d, nil
}

// Close releases the folder. Readers from Open go on to work.
func (d *Dir) Close() error { return d.root.Close() }

func (d *Dir) prepare() error {
	for _, folder := range []string{objects, temporary} {
		if err := d.root.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	if err := d.syncFolder("."); err != nil {
		return err
	}
	return d.removeStale()
}

// removeStale spares young files, which another process may be writing, and
// those that have no name of ours: the folder may have been somebody else's.
func (d *Dir) removeStale() error {
	names, err := d.names(temporary)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !temporaryName.MatchString(name) {
			continue
		}
		name = path.Join(temporary, name)
		info, err := d.root.Lstat(name)
		if err != nil || time.Since(info.ModTime()) < staleAfter {
			continue // gone already, or not stale
		}
		if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Put implements [Store].
func (d *Dir) Put(ctx context.Context, key string, r io.Reader) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if err := d.put(ctx, fileOf(key), r); err != nil {
		return fmt.Errorf("put blob %s: %w", key, err)
	}
	return nil
}

func (d *Dir) syncFolder(name string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.sync(f), f.Close())
}

// Open implements [Store].
func (d *Dir) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := d.openFile(fileOf(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", key, err)
	}
	return f, nil
}

// errNoFile says that something else than a file, which no Put has made, is in
// the place of one.
var errNoFile = errors.New("no regular file")

// openFile opens what List lists: no link, and no pipe, which would make the
// caller wait for who writes into it.
func (d *Dir) openFile(name string) (*os.File, error) {
	info, err := d.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err = f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNoFile // it has come meanwhile
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Delete implements [Store]. It removes the folders that become empty.
func (d *Dir) Delete(ctx context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	name := fileOf(key)
	err := d.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = d.syncAbove(name)
	}
	if err != nil {
		return fmt.Errorf("delete blob %s: %w", key, err)
	}
	d.prune(path.Dir(name))
	return nil
}

// prune removes folders upwards until one is not empty: the file system, not
// we, finds out which, so that a file put meanwhile is safe.
func (d *Dir) prune(folder string) {
	for folder != objects && d.root.Remove(folder) == nil {
		folder = path.Dir(folder)
	}
}

func (d *Dir) names(folder string) ([]string, error) {
	f, err := d.root.OpenFile(folder, os.O_RDONLY|syscall.O_DIRECTORY, 0) // of a pipe, an error at once
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	return names, errors.Join(err, f.Close())
}

// Check implements [Store]: it writes a small file, syncs it, moves it beside
// the objects under a name that is no key, and removes it.
func (d *Dir) Check(ctx context.Context) error {
	temp, err := d.writeTemp(ctx, strings.NewReader("check"))
	if err != nil {
		return fmt.Errorf("blob folder: %w", err)
	}
	probe := path.Join(objects, "check~")
	err = d.root.Rename(temp, probe)
	if err != nil {
		_ = d.root.Remove(temp) // stale some day; the first error tells more
		return fmt.Errorf("blob folder: %w", err)
	}
	if err := d.root.Remove(probe); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob folder: %w", err) // not there: removed by another check
	}
	return nil
}

// fileOf returns the file of a key. For the beginning of a key up to a slash it
// is the folder, with a slash.
func fileOf(key string) string {
	return objects + "/" + strings.ReplaceAll(key, "/", "+/")
}

// makeFolder makes path and what is missing above it, durably if sync is.
func makeFolder(path string, sync func(*os.File) error) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is not a folder", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(path)
	if err := makeFolder(above, sync); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(above)
	if err != nil {
		return err
	}
	return errors.Join(sync(f), f.Close())
}

package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"time"
)

// How often Put makes a folder again that a Delete took away under it.
const placeAttempts = 100

func (d *Dir) put(ctx context.Context, name string, r io.Reader) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	present, err := d.renew(name)
	if err != nil {
		return err
	}
	if !present {
		if err := d.write(ctx, name, r); err != nil {
			return err
		}
	}
	// Also if it was there before: whoever wrote it may not have come to this.
	return d.syncAbove(name)
}

// renew reports whether the file exists and, if so, makes it new, lest someone
// who deletes what is old and unused deletes what was just put again.
func (d *Dir) renew(name string) (bool, error) {
	now := time.Now()
	err := d.root.Chtimes(name, now, now)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (d *Dir) write(ctx context.Context, name string, r io.Reader) error {
	temp, err := d.writeTemp(ctx, r)
	if err != nil {
		return err
	}
	if err := d.place(ctx, temp, name); err != nil {
		_ = d.root.Remove(temp) // stale some day; the first error tells more
		return err
	}
	return nil
}

// writeTemp returns the name of a file with what r yields, on disk.
func (d *Dir) writeTemp(ctx context.Context, r io.Reader) (string, error) {
	name := path.Join(temporary, rand.Text())
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, UntilDone(ctx, r))
	if err == nil {
		err = d.sync(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = d.root.Remove(name) // stale some day; the first error tells more
		return "", err
	}
	return name, nil
}

// place moves temp to name. A Delete, here or in another process, may remove a
// folder while it is empty, between its making and the move; then the move
// finds no folder and both are done again. That needs no lock, because a folder
// that is not empty is never removed.
func (d *Dir) place(ctx context.Context, temp, name string) error {
	var err error
	for range placeAttempts {
		if err := ctx.Err(); err != nil {
			return err
		}
		err = d.root.MkdirAll(path.Dir(name), 0o700)
		if err == nil {
			err = d.root.Rename(temp, name)
		}
		// MkdirAll answers that a folder exists when it did, but was removed
		// before MkdirAll could look whether it is one.
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return err
}

// syncAbove makes the way to name durable. A folder that is missing was
// removed together with name after it was put.
func (d *Dir) syncAbove(name string) error {
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		if err := d.syncFolder(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

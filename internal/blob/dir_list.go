package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
)

// List implements [Store].
func (d *Dir) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		d.list(ctx, "", prefix, yield)
	}
}

// list yields the keys that begin with above, which is empty or ends with a
// slash, and with prefix. It reports whether more may be yielded.
func (d *Dir) list(ctx context.Context, above, prefix string, yield func(Info, error) bool) bool {
	keys, err := d.keys(above)
	if err = errors.Join(ctx.Err(), err); err != nil {
		yield(Info{}, fmt.Errorf("list blobs %s: %w", above, err))
		return false
	}
	for _, key := range keys {
		if !d.listKey(ctx, key, prefix, yield) {
			return false
		}
	}
	return true
}

func (d *Dir) listKey(ctx context.Context, key, prefix string, yield func(Info, error) bool) bool {
	if strings.HasSuffix(key, "/") {
		if !strings.HasPrefix(key, prefix) && !strings.HasPrefix(prefix, key) {
			return true
		}
		return d.list(ctx, key, prefix, yield)
	}
	if !strings.HasPrefix(key, prefix) {
		return true
	}
	info, err := d.root.Lstat(fileOf(key))
	if errors.Is(err, fs.ErrNotExist) {
		return true // deleted meanwhile
	}
	if err != nil {
		yield(Info{}, fmt.Errorf("list blob %s: %w", key, err))
		return false
	}
	if !info.Mode().IsRegular() {
		return true
	}
	return yield(Info{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil)
}

// keys returns, in order, the keys in the folder of above and, with a slash at
// the end, the beginnings of keys in its folders. A slash sorts them where the
// keys that follow belong. What is no key of ours is left out.
func (d *Dir) keys(above string) ([]string, error) {
	names, err := d.names(path.Clean(fileOf(above)))
	if errors.Is(err, fs.ErrNotExist) && above != "" {
		return nil, nil // deleted meanwhile
	}
	var keys []string
	for _, name := range names {
		segment, isFolder := strings.CutSuffix(name, "+")
		if !validSegment(segment) {
			continue
		}
		if isFolder {
			segment += "/"
		}
		keys = append(keys, above+segment)
	}
	slices.Sort(keys)
	return keys, err
}

package blob_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/blob/blobtest"
)

func TestDir(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return mustOpenDir(t, t.TempDir()) })
}

// Administration works beside a running server: two processes, one folder.
func TestTwoDirsOnOneFolder(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store {
		folder := t.TempDir()
		return &pair{dirs: [2]*blob.Dir{mustOpenDir(t, folder), mustOpenDir(t, folder)}}
	})
}

// pair gives each call to the other of two stores.
type pair struct {
	dirs  [2]*blob.Dir
	calls atomic.Int64
}

func (p *pair) next() *blob.Dir { return p.dirs[p.calls.Add(1)%2] }

func (p *pair) Put(ctx context.Context, key string, r io.Reader) error {
	return p.next().Put(ctx, key, r)
}

func (p *pair) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	return p.next().Open(ctx, key)
}
func (p *pair) Delete(ctx context.Context, key string) error { return p.next().Delete(ctx, key) }
func (p *pair) Check(ctx context.Context) error              { return p.next().Check(ctx) }
func (p *pair) List(ctx context.Context, prefix string) iter.Seq2[blob.Info, error] {
	return p.next().List(ctx, prefix)
}

func TestPutIsDurable(t *testing.T) {
	d := mustOpenDir(t, t.TempDir())
	var synced []string
	d.WatchSync(func(name string) error {
		_, err := d.Open(t.Context(), "a/b/c")
		if visible := err == nil; visible == isTemp(name) {
			t.Errorf("sync of %s while the blob is visible: %v", name, visible)
		}
		synced = append(synced, filepath.Base(filepath.Dir(name))+"/"+filepath.Base(name))
		return nil
	})
	mustPut(t, d, "a/b/c", "content")
	if len(synced) == 0 || !strings.HasPrefix(synced[0], "tmp/") {
		t.Fatalf("Put synced %v, want the new file first", synced)
	}
	folders := []string{"a+/b+", "objects/a+"}
	if diff := cmp.Diff(folders, synced[1:3]); diff != "" || filepath.Base(synced[3]) != "objects" || len(synced) != 4 {
		t.Errorf("Put synced %v, want the file, its folders and objects", synced)
	}

	// Another writer may have died between the move and the sync.
	synced = nil
	d.WatchSync(func(name string) error {
		synced = append(synced, filepath.Base(name))
		return nil
	})
	mustPut(t, d, "a/b/c", "content")
	if want := []string{"b+", "a+", "objects"}; !slices.Equal(synced, want) {
		t.Errorf("Put of an existing key synced %v, want %v", synced, want)
	}
}

func isTemp(name string) bool { return filepath.Base(filepath.Dir(name)) == "tmp" }

func TestPutFailsWhenSyncFails(t *testing.T) {
	for _, failing := range []string{"tmp", "b+", "a+", "objects"} {
		folder := t.TempDir()
		d := mustOpenDir(t, folder)
		broken := errors.New("input/output error")
		d.WatchSync(func(name string) error {
			if filepath.Base(name) == failing || failing == "tmp" && isTemp(name) {
				return broken
			}
			return nil
		})
		if err := d.Put(t.Context(), "a/b/c", strings.NewReader("x")); !errors.Is(err, broken) {
			t.Errorf("Put(sync of %s fails) = %v, want %v", failing, err, broken)
		}
		wantFiles(t, filepath.Join(folder, "tmp"))
	}
}

func TestCancelledWhileSyncing(t *testing.T) {
	folder := t.TempDir()
	d := mustOpenDir(t, folder)
	ctx, cancel := context.WithCancel(t.Context())
	d.WatchSync(func(string) error {
		cancel()
		return nil
	})
	if err := d.Put(ctx, "a", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put(cancelled after the last byte) = %v, want %v", err, context.Canceled)
	}
	wantFiles(t, filepath.Join(folder, "tmp"))
	wantFiles(t, filepath.Join(folder, "objects"))
}

func TestListReadsFoldersOfThePrefixOnly(t *testing.T) {
	folder := t.TempDir()
	d := mustOpenDir(t, folder)
	mustPut(t, d, "a/b", "x")
	if err := os.WriteFile(filepath.Join(folder, "objects", "broken+"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string]bool{"a": false, "a/b": false, "": true, "broken/x": true} {
		var last error
		for _, err := range d.List(t.Context(), prefix) {
			last = err
		}
		if failed := last != nil; failed != want {
			t.Errorf("List(%q) ends with %v, want an error: %v", prefix, last, want)
		}
	}
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data", "blobs")
	mustPut(t, mustOpenDir(t, folder), "a/b", "x")
	seen := 0
	err := filepath.WalkDir(filepath.Dir(folder), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		if seen++; info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return err
	})
	if err != nil || seen != 6 { // data, blobs, tmp, objects, a+, b
		t.Errorf("WalkDir() = %v after %d files, want 6", err, seen)
	}
}

func TestDeleteRemovesEmptyFolders(t *testing.T) {
	folder := t.TempDir()
	d := mustOpenDir(t, folder)
	for _, key := range []string{"a/b/c", "a/b/d", "a/e"} {
		mustPut(t, d, key, key)
	}
	steps := []struct {
		key  string
		left []string
	}{
		{"a/b/c", []string{"a+", "a+/b+", "a+/b+/d", "a+/e"}},
		{"a/b/d", []string{"a+", "a+/e"}},
		{"a/e", nil},
	}
	for _, step := range steps {
		if err := d.Delete(t.Context(), step.key); err != nil {
			t.Errorf("Delete(%q) = %v", step.key, err)
		}
		wantFiles(t, filepath.Join(folder, "objects"), step.left...)
	}
}

func TestStaleLeftoversAreRemoved(t *testing.T) {
	folder := t.TempDir()
	d := mustOpenDir(t, folder)
	mustPut(t, d, "a", "x")
	young, stale := rand.Text(), rand.Text()
	age := map[string]time.Duration{young: 50 * time.Minute, stale: 70 * time.Minute, "letter.txt": 70 * time.Minute} // which is not ours
	for name, age := range age {
		name = filepath.Join(folder, "tmp", name)
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	mustOpenDir(t, folder)
	wantFiles(t, filepath.Join(folder, "tmp"), young, "letter.txt")
	wantFiles(t, filepath.Join(folder, "objects"), "a")
}

func TestForeignFilesAreNotListed(t *testing.T) {
	folder := t.TempDir()
	d := mustOpenDir(t, folder)
	mustPut(t, d, "a/b", "x")
	objects := filepath.Join(folder, "objects")
	for _, name := range []string{"check~", "+", "ä", "..+"} {
		if err := os.WriteFile(filepath.Join(objects, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(objects, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	var got []string
	for info, err := range d.List(t.Context(), "") {
		if err != nil {
			t.Errorf("List() yields %v", err)
		}
		got = append(got, info.Key)
	}
	if want := []string{"a/b"}; !slices.Equal(got, want) {
		t.Errorf("List() = %v, want %v", got, want)
	}
}

func TestKeysDoNotEscapeByLinks(t *testing.T) {
	folder, outside := t.TempDir(), t.TempDir()
	d := mustOpenDir(t, folder)
	if err := os.Symlink(outside, filepath.Join(folder, "objects", "a+")); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), "a/b", strings.NewReader("x")); err == nil {
		t.Error("Put through a link that leads outside = nil, want an error")
	}
	wantFiles(t, outside)
	wantFiles(t, filepath.Join(folder, "tmp"))
}

// What breaks a folder under a running server: an unmounted disk, a cleaner of
// temporary files, a restore gone wrong.
func TestBrokenFolders(t *testing.T) {
	for _, broken := range []string{"objects", "tmp"} {
		for _, replace := range []bool{true, false} {
			folder := t.TempDir()
			d := mustOpenDir(t, folder)
			name := filepath.Join(folder, broken)
			if err := os.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
			if replace {
				if err := os.WriteFile(name, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Check(t.Context()); err == nil {
				t.Errorf("Check(without %s, file in its place: %v) = nil, want an error", broken, replace)
			}
			if err := d.Put(t.Context(), "a", strings.NewReader("x")); err == nil && (replace || broken == "tmp") {
				t.Errorf("Put(without %s, file in its place: %v) = nil, want an error", broken, replace)
			}
			if broken == "objects" && replace {
				if _, err := d.Open(t.Context(), "a"); err == nil || errors.Is(err, blob.ErrNotFound) {
					t.Errorf("Open(with a file for objects) = %v, want an error other than not found", err)
				}
			}
		}
	}
}

func TestOpenDirRefusesFiles(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"file", "tmp"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{folder, filepath.Join(folder, "file"), filepath.Join(folder, "file", "below")} {
		if d, err := blob.OpenDir(path); err == nil {
			t.Errorf("OpenDir(%q) = %v, nil; want an error", path, d)
		}
	}
}

func mustOpenDir(t testing.TB, folder string) *blob.Dir {
	t.Helper()
	d, err := blob.OpenDir(folder)
	if err != nil {
		t.Fatalf("OpenDir(%q) = %v", folder, err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func mustPut(t testing.TB, d *blob.Dir, key, content string) {
	t.Helper()
	if err := d.Put(t.Context(), key, strings.NewReader(content)); err != nil {
		t.Fatalf("Put(%q) = %v", key, err)
	}
}

// wantFiles compares all files and folders in folder, by path.
func wantFiles(t *testing.T, folder string, want ...string) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if name, _ := filepath.Rel(folder, path); name != "." {
			got = append(got, name)
		}
		return err
	})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("files in %s: %v (-want +got):\n%s", folder, err, diff)
	}
}

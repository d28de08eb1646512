package blob_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/blob"
)

func TestOpenReturnsNothingButFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	d := mustOpenDir(t, folder)
	mustPut(t, d, "a/file", "content")
	place := func(name string) string { return filepath.Join(folder, "objects", "a+", name) }
	for name, err := range map[string]error{
		"pipe":   syscall.Mkfifo(place("pipe"), 0o600),
		"link":   os.Symlink("file", place("link")),
		"device": os.Symlink("/dev/zero", place("device")),
		"folder": os.Mkdir(place("folder"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
		if err := inTime(t, func() error { _, err := d.Open(t.Context(), "a/"+name); return err }); err == nil || errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Open(%s) = %v, want an error that says what it is", name, err)
		}
	}
	if _, err := d.Open(t.Context(), "a/file"); err != nil {
		t.Errorf("Open(file) = %v, want nil", err)
	}
}

func TestAPipeInPlaceOfAFolderEndsTheList(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	d := mustOpenDir(t, folder)
	if err := syscall.Mkfifo(filepath.Join(folder, "objects", "a+"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := inTime(t, func() error {
		for _, err := range d.List(t.Context(), "") {
			return err
		}
		return nil
	})
	if !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("List() = %v, want %v", err, syscall.ENOTDIR)
	}
}

// inTime fails a test whose work waits for somebody who never comes.
func inTime(t *testing.T, work func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("it hangs")
		return nil
	}
}

package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/supportd/supportd/internal/store"
)

// lockFile is locked by the server of an embedded database.
func lockFile(url string) string {
	return filepath.Clean(strings.TrimPrefix(url, "sqlite://") + ".lock")
}

// lockDatabase claims the embedded database for a server until the file that it
// returns is closed or the process ends, however it ends.
func lockDatabase(url string) (*os.File, error) {
	name := lockFile(url)
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	_ = file.Close() // nothing was written
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("another server runs on %s", filepath.Dir(name))
	}
	return nil, fmt.Errorf("lock %s: %w", name, err)
}

// Served reports whether a server runs on the embedded database at this moment.
// Of a shared one nobody knows.
func (s *Server) Served() (bool, error) {
	url := s.config.databaseURL()
	if store.IsShared(url) {
		return false, nil
	}
	lock, err := os.Open(lockFile(url))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) // until it is closed
	served := errors.Is(err, syscall.EWOULDBLOCK)
	if served {
		err = nil
	}
	return served, errors.Join(err, lock.Close())
}

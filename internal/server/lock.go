package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockDatabase claims the embedded database for a server until the file that it
// returns is closed or the process ends, however it ends.
func lockDatabase(url string) (*os.File, error) {
	name := strings.TrimPrefix(url, "sqlite://") + ".lock"
	file, err := os.OpenFile(filepath.Clean(name), os.O_RDWR|os.O_CREATE, 0o600)
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

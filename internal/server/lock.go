package server

import (
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
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close() // nothing was written
		return nil, fmt.Errorf("another server runs on %s", filepath.Dir(name))
	}
	return file, nil
}

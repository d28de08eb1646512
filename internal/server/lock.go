package server

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFolder claims the data folder until the file is closed or the process
// ends, however it ends.
func lockFolder(folder string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(folder, "serve.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close() // nothing was written
		return nil, fmt.Errorf("another server runs on %s", folder)
	}
	return file, nil
}

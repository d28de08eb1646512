package advisor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	spoolPattern = "supportd-inventory-*.jsonl"
	// spoolAge is how old a file is that nobody writes any more.
	spoolAge = 24 * time.Hour
)

// newSpoolFile makes a file that only this user reads.
func (s *Service) newSpoolFile() (*os.File, error) { return os.CreateTemp(s.Spool, spoolPattern) }

// SweepSpool removes inventories that killed processes left a day ago.
func (s *Service) SweepSpool() error {
	folder := s.Spool
	if folder == "" {
		folder = os.TempDir()
	}
	files, err := filepath.Glob(filepath.Join(folder, spoolPattern))
	for _, file := range files {
		info, statErr := os.Lstat(file)
		if statErr != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < spoolAge {
			continue // gone, none of ours, or perhaps still being written
		}
		if removeErr := os.Remove(file); !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}
	return err
}

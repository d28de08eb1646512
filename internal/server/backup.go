package server

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/store"
)

// The names inside a backup, which is a tar archive.
const (
	backupDatabase    = "supportd.db"
	backupAttachments = "attachments/"
	backupManifest    = "manifest.json"
)

// scratchPattern names the folders in the data folder where backups are made.
const scratchPattern = "backup-*"

// manifest is the last entry of a backup: what it holds, with SHA-256 in hex.
type manifest struct {
	Version   string            `json:"version"`
	CreatedAt time.Time         `json:"createdAt"`
	Files     map[string]string `json:"files"`
}

// Backup writes database, attachments and, where it lies in the data folder,
// the master key into a new file, while the server goes on. The database comes
// first: every attachment that it names was durable before its row.
func (s *Server) Backup(ctx context.Context, file string) error {
	if store.IsShared(s.config.databaseURL()) {
		return errors.New("backup is for the embedded database: a shared one and its bucket have tools of their own, and supportd export copies everything")
	}
	if err := s.removeStaleBackups(); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(s.config.Data, scratchPattern)
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	copied := filepath.Join(scratch, backupDatabase)
	if err := s.store.Backup(ctx, copied); err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := newBackupWriter(out)
	err = errors.Join(s.writeBackup(ctx, w, copied), w.close(), out.Sync(), out.Close())
	if err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

// removeStaleBackups removes what backups that were killed a day ago left: whole
// copies of the database.
func (s *Server) removeStaleBackups() error {
	folders, err := filepath.Glob(filepath.Join(s.config.Data, scratchPattern))
	if err != nil {
		return err
	}
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < 24*time.Hour {
			continue // gone, no backup, or perhaps still being made
		}
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) writeBackup(ctx context.Context, w *backupWriter, database string) error {
	if err := w.addFile(backupDatabase, database); err != nil {
		return err
	}
	err := w.addFile(MasterKeyFile, filepath.Join(s.config.Data, MasterKeyFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for info, err := range s.blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		if err := s.addBlob(ctx, w, info); err != nil {
			return err
		}
	}
	return w.addManifest(time.Now().UTC())
}

// addBlob skips what was deleted meanwhile: its case had outlived its retention.
func (s *Server) addBlob(ctx context.Context, w *backupWriter, info blob.Info) error {
	content, err := s.blobs.Open(ctx, info.Key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer content.Close()
	return w.add(backupAttachments+info.Key, info.Size, content)
}

type backupWriter struct {
	tar      *tar.Writer
	manifest manifest
}

func newBackupWriter(w io.Writer) *backupWriter {
	return &backupWriter{tar: tar.NewWriter(w), manifest: manifest{Version: Version(), Files: map[string]string{}}}
}

func (w *backupWriter) addFile(name, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return w.add(name, info.Size(), f)
}

func (w *backupWriter) add(name string, size int64, content io.Reader) error {
	if err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size}); err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w.tar, h), content); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w.manifest.Files[name] = sum(h)
	return nil
}

func (w *backupWriter) addManifest(now time.Time) error {
	w.manifest.CreatedAt = now
	text, err := json.MarshalIndent(w.manifest, "", " ")
	if err != nil {
		return err
	}
	if err := w.tar.WriteHeader(&tar.Header{Name: backupManifest, Mode: 0o600, Size: int64(len(text))}); err != nil {
		return err
	}
	_, err = w.tar.Write(text)
	return err
}

func (w *backupWriter) close() error { return w.tar.Close() }

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

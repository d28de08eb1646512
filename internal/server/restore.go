package server

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/supportd/supportd/internal/blob"
)

// Restore fills a data folder that does not exist or is empty from a backup. It
// unpacks into a folder of its own in there (the data folder may be a mount
// point, which cannot be replaced) and moves the files to their places when all
// have the hash that the backup's manifest says, the database last. A broken
// backup leaves nothing.
func Restore(ctx context.Context, file, data string) (err error) {
	if err := checkEmpty(data); err != nil {
		return err
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	_, missing := os.Stat(data)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	defer func() {
		if err != nil && missing != nil {
			_ = os.Remove(data) // it is empty or somebody else's; the first error tells more
		}
	}()
	scratch, err := os.MkdirTemp(data, "restore-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if err := unpack(ctx, in, scratch); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return moveInto(data, scratch)
}

func checkEmpty(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty: restore fills a new data folder", folder)
	}
	return nil
}

func moveInto(data, scratch string) error {
	for _, name := range []string{backupAttachments, MasterKeyFile, backupDatabase} {
		err := os.Rename(filepath.Join(scratch, name), filepath.Join(data, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // a master key kept elsewhere is in no backup
			return err
		}
	}
	return errors.Join(syncFolder(data), syncFolder(filepath.Dir(filepath.Clean(data))))
}

// unpacker puts the files of a backup into a folder and notes their hashes.
type unpacker struct {
	archive     *tar.Reader
	folder      string
	attachments *blob.Dir
	found       map[string]string
}

func unpack(ctx context.Context, in io.Reader, folder string) error {
	attachments, err := blob.OpenDir(filepath.Join(folder, backupAttachments))
	if err != nil {
		return err
	}
	defer attachments.Close()
	u := &unpacker{archive: tar.NewReader(in), folder: folder, attachments: attachments, found: map[string]string{}}
	for {
		header, err := u.archive.Next()
		if err == io.EOF {
			return errors.New("the backup has no manifest: it was cut off")
		}
		if err != nil {
			return fmt.Errorf("not a backup, or damaged: %w", err)
		}
		if header.Name == backupManifest {
			return u.checkManifest()
		}
		if err := u.add(ctx, header.Name); err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
}

// add unpacks one file. Only the names that a backup has are known, so none can
// lead out of the folder.
func (u *unpacker) add(ctx context.Context, name string) (err error) {
	if _, twice := u.found[name]; twice {
		return errors.New("the backup has this file twice")
	}
	h := sha256.New()
	content := io.TeeReader(u.archive, h)
	key, isAttachment := strings.CutPrefix(name, backupAttachments)
	switch {
	case isAttachment:
		err = u.attachments.Put(ctx, key, content)
	case name == backupDatabase, name == MasterKeyFile:
		err = writeFile(filepath.Join(u.folder, name), content)
	default:
		err = errors.New("no backup of supportd has such a file")
	}
	u.found[name] = sum(h)
	return err
}

func writeFile(name string, content io.Reader) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Sync(), f.Close())
}

// checkManifest reads the last entry and compares it with what was unpacked.
func (u *unpacker) checkManifest() error {
	var m manifest
	if err := json.NewDecoder(u.archive).Decode(&m); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	if _, err := u.archive.Next(); err != io.EOF {
		return errors.New("the backup is damaged: something follows its manifest")
	}
	if _, ok := u.found[backupDatabase]; !ok || !maps.Equal(m.Files, u.found) {
		return errors.New("the backup is damaged: its files are not those of its manifest")
	}
	return nil
}

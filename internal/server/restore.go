package server

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
)

// Restore fills a data folder that does not exist or is empty from a backup. It
// builds the folder beside its place and moves it there when every file has the
// hash that the backup's manifest says, so a broken backup leaves nothing.
func Restore(file, data string) (err error) {
	if err := checkEmpty(data); err != nil {
		return err
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	data = filepath.Clean(data)
	if err := os.MkdirAll(filepath.Dir(data), 0o700); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(data), filepath.Base(data)+".restore-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if err := extract(tar.NewReader(in), scratch); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	// An empty folder in the place would be in the way of the move.
	if err := os.Remove(data); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(scratch, data)
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

func extract(archive *tar.Reader, folder string) error {
	// The root keeps a forged name such as ../x inside the folder.
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	found := map[string]string{}
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return errors.New("the backup has no manifest: it was cut off")
		}
		if err != nil {
			return err
		}
		if header.Name == backupManifest {
			return checkManifest(archive, found)
		}
		if found[header.Name], err = extractFile(archive, root, header.Name); err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
}

func extractFile(content io.Reader, root *os.Root, name string) (hash string, err error) {
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return "", err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), content)
	return sum(h), errors.Join(err, f.Sync(), f.Close())
}

func checkManifest(content io.Reader, found map[string]string) error {
	var m manifest
	if err := json.NewDecoder(content).Decode(&m); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	if !maps.Equal(m.Files, found) {
		return errors.New("the backup is damaged: its files are not those of its manifest")
	}
	return nil
}

package server

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/supportd/supportd/internal/seal"
)

// MasterKeyFile is the name of the file in the data folder that the first run
// makes when no master key is given.
const MasterKeyFile = "master.key"

// masterKey finds the master key (the configuration's, the named file's, or the
// one in the data folder) and proves that it is the one this database was made
// with: with another one no access key would open.
func (s *Server) masterKey(ctx context.Context) ([]byte, error) {
	master, err := s.readMasterKey(ctx)
	if err != nil {
		return nil, err
	}
	box, err := seal.NewBox(master, "master key proof")
	if err != nil {
		return nil, err
	}
	proof, added, err := s.store.AddSetting(ctx, masterKeyProof, box.Seal(nil, masterKeyProof))
	if err != nil {
		return nil, err
	}
	s.fresh = added
	if _, err := box.Open(proof, masterKeyProof); err != nil {
		wrong := errors.New("the master key is not the one that this database was made with")
		if s.madeKey != "" { // another node has made its own meanwhile
			return nil, errors.Join(wrong, os.Remove(s.madeKey))
		}
		return nil, wrong
	}
	return master, nil
}

const masterKeyProof = "master key proof"

func (s *Server) readMasterKey(ctx context.Context) ([]byte, error) {
	if s.config.MasterKey != "" {
		return decodeMasterKey("SUPPORTD_MASTER_KEY", s.config.MasterKey)
	}
	if file := s.config.MasterKeyFile; file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		return decodeMasterKey(file, string(text))
	}
	file := filepath.Join(s.config.Data, MasterKeyFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s.makeMasterKey(ctx, file)
	}
	if err != nil {
		return nil, err
	}
	return decodeMasterKey(file, string(text))
}

// makeMasterKey makes the key of a new database. For one that has a key already
// a new one would be of no use.
func (s *Server) makeMasterKey(ctx context.Context, file string) ([]byte, error) {
	proof, err := s.store.Setting(ctx, masterKeyProof)
	if err != nil {
		return nil, err
	}
	if proof != nil { // another command may have made both meanwhile
		return readMadeKey(file)
	}
	text := base64.StdEncoding.EncodeToString(seal.NewMasterKey())
	create := createDurably
	if s.config.Test != nil {
		create = createCarelessly
	}
	err = create(file, []byte(text+"\n"))
	if errors.Is(err, fs.ErrExist) { // another command made one meanwhile
		return s.readMasterKey(ctx)
	}
	if err != nil {
		return nil, err
	}
	s.madeKey = file
	return decodeMasterKey(file, text)
}

func readMadeKey(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the master key of this database is missing: give it with --master-key, SUPPORTD_MASTER_KEY or the file %s", file)
	}
	if err != nil {
		return nil, err
	}
	return decodeMasterKey(file, string(text))
}

// createDurably makes a private file that did not exist, whole and on the disk,
// or none: a crash on the way leaves no half of it.
func createDurably(file string, content []byte) error {
	if err := create(file, content, (*os.File).Sync); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(file))
}

// createCarelessly makes such a file for tests, which do not wait for the disk.
func createCarelessly(file string, content []byte) error {
	return create(file, content, func(*os.File) error { return nil })
}

func create(file string, content []byte, sync func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err := errors.Join(err, sync(f), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), file)
}

func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func decodeMasterKey(source, text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != seal.KeySize {
		return nil, fmt.Errorf("%s: a master key is %d bytes in base64", source, seal.KeySize)
	}
	return key, nil
}

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
	proof, err := s.store.Setting(ctx, masterKeyProof)
	if err != nil {
		return nil, err
	}
	if proof == nil {
		return master, s.store.PutSetting(ctx, masterKeyProof, box.Seal(nil, masterKeyProof))
	}
	if _, err := box.Open(proof, masterKeyProof); err != nil {
		return nil, errors.New("the master key is not the one that this database was made with")
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
	if proof != nil {
		return nil, fmt.Errorf("the master key of this database is missing: give it with --master-key, SUPPORTD_MASTER_KEY or the file %s", file)
	}
	master := seal.NewMasterKey()
	return master, writeDurably(file, []byte(base64.StdEncoding.EncodeToString(master)+"\n"))
}

// writeDurably writes a new private file and makes sure that it is on the disk.
func writeDurably(file string, content []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(file))
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

package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"

	"github.com/supportd/supportd/internal/blob"
)

// installation is the name of a setting and the key of a blob that both hold the
// same random id. They prove that database and attachments belong together: the
// housekeeping of another database would take all attachments for orphans.
const installation = "installation"

// pairBlobs marks new attachments as those of this database, and refuses those
// of another one.
func (s *Server) pairBlobs(ctx context.Context) error {
	id, _, err := s.store.AddSetting(ctx, installation, []byte(uuid.NewString()))
	if err != nil {
		return err
	}
	marked, err := s.blobMark(ctx)
	if errors.Is(err, blob.ErrNotFound) {
		return s.blobs.Put(ctx, installation, strings.NewReader(string(id)))
	}
	if err != nil {
		return err
	}
	if marked != string(id) {
		return fmt.Errorf("the attachments in %s belong to another database", s.config.blobsURL())
	}
	return nil
}

func (s *Server) blobMark(ctx context.Context) (string, error) {
	content, err := s.blobs.Open(ctx, installation)
	if err != nil {
		return "", err
	}
	defer content.Close()
	text, err := io.ReadAll(content)
	return string(text), err
}

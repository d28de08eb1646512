package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/google/uuid"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/blob/s3blob"
)

// installation is the name of a setting and the key of a blob that both hold the
// same random id. They prove that database and attachments belong together: the
// housekeeping of another database would take all attachments for orphans.
const installation = "installation"

// openAttachments opens them and finds out whose they are. A bucket whose server
// is away keeps nobody from serving the rest: the readiness says so until it is
// back. Only tests do not begin without: whatever is there then, a reset removes.
func (s *Server) openAttachments(ctx context.Context) (err error) {
	if s.blobs, err = s.config.openBlobs(ctx); err != nil {
		return err
	}
	s.Cases.Blobs = s.blobs
	if bucket, ok := s.blobs.(*s3blob.Store); ok {
		err := bucket.Reach(ctx)
		if errors.Is(err, s3blob.ErrAway) && s.config.Test == nil {
			s.log.ErrorContext(ctx, "attachments", slog.String("error", err.Error()))
			return nil
		}
		if err != nil {
			return err
		}
	}
	return s.pairBlobs(ctx)
}

// checkAttachments returns nil when the attachments are ours and take writes.
func (s *Server) checkAttachments(ctx context.Context) error {
	if !s.paired.Load() {
		if err := s.blobs.Check(ctx); err != nil {
			return err
		}
		return s.pairBlobs(ctx)
	}
	return s.blobs.Check(ctx)
}

// pairBlobs marks new attachments as those of this database, and refuses those
// of another one.
func (s *Server) pairBlobs(ctx context.Context) error {
	id, _, err := s.store.AddSetting(ctx, installation, []byte(uuid.NewString()))
	if err != nil {
		return err
	}
	marked, err := s.blobMark(ctx)
	if errors.Is(err, blob.ErrNotFound) {
		if err := s.refuseToClear(ctx); err != nil {
			return err
		}
		err = s.blobs.Put(ctx, installation, strings.NewReader(string(id)))
		marked = string(id)
	}
	if err != nil {
		return err
	}
	if marked != string(id) {
		return fmt.Errorf("the attachments in %s belong to another database", s.config.blobsURL())
	}
	s.paired.Store(true)
	return nil
}

// refuseToClear keeps test mode away from a place with things in it that are not
// marked as ours: a reset would remove them.
func (s *Server) refuseToClear(ctx context.Context) error {
	if s.config.Test == nil {
		return nil
	}
	for found, err := range s.blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		return fmt.Errorf("the attachments in %s (%s, for one) were not made by test mode, which may remove all that is there: give test mode a place of its own", s.config.blobsURL(), found.Key)
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

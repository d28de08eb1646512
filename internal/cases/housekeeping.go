package cases

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/jobs"
)

// housekeepingBatch bounds one transaction, so that customers never wait long
// behind the housekeeping.
const housekeepingBatch = 50

// orphanAge is how old bytes without a row must be before they are removed. A
// set lives an hour, so no row can appear for bytes this old.
const orphanAge = 24 * time.Hour

// DeleteFilesJob is the kind of the jobs that [Service.DeleteFiles] does.
const DeleteFilesJob = "cases.delete-files"

// Purge removes what has outlived its time: cases beyond the retention, with
// their communications and attachments; attachment sets that expired a day
// ago; answers that no client asks for any more. The bytes of attachments go
// soon after, by jobs. It may be repeated and may be stopped at any point.
func (s *Service) Purge(ctx context.Context) error {
	var accounts []string
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		accounts, err = tx.AccountIDs(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for _, account := range accounts {
		if err := s.purgeAccount(ctx, account); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) purgeAccount(ctx context.Context, account string) error {
	now := s.now()
	err := s.inBatches(ctx, account, func(tx Tx) (int, []Attachment, error) {
		return purgeCases(ctx, tx, account, s.horizon(now))
	})
	if err != nil {
		return err
	}
	err = s.inBatches(ctx, account, func(tx Tx) (int, []Attachment, error) {
		return purgeSets(ctx, tx, account, now.Add(-orphanAge))
	})
	if err != nil {
		return err
	}
	return s.inBatches(ctx, account, func(tx Tx) (int, []Attachment, error) {
		n, err := tx.DeleteAnswers(ctx, account, now.Add(-answersKept), housekeepingBatch)
		return n, nil, err
	})
}

// inBatches runs step until it removes less than a batch. Each step has the
// bytes of the attachments that it removed deleted after their rows are gone.
func (s *Service) inBatches(ctx context.Context, account string, step func(Tx) (removed int, files []Attachment, err error)) error {
	for {
		var removed int
		err := s.Store.Update(ctx, account, func(tx Tx) (err error) {
			var files []Attachment
			if removed, files, err = step(tx); err != nil {
				return err
			}
			return enqueueDeletion(ctx, tx, account, files)
		})
		if removed < housekeepingBatch || err != nil {
			return err
		}
	}
}

// filesToDelete is the payload of a DeleteFilesJob.
type filesToDelete struct {
	Keys []string `json:"keys"`
}

func enqueueDeletion(ctx context.Context, tx Tx, account string, files []Attachment) error {
	if len(files) == 0 {
		return nil
	}
	var left filesToDelete
	for _, a := range files {
		left.Keys = append(left.Keys, a.BlobKey())
	}
	payload, err := json.Marshal(left)
	if err != nil {
		return err
	}
	_, err = tx.Enqueue(ctx, jobs.Job{Account: account, Kind: DeleteFilesJob, Priority: jobs.Idle, Payload: payload})
	return err
}

// DeleteFiles is the handler of jobs of the kind DeleteFilesJob. It deletes the
// bytes of attachments of its account whose rows are gone, and may be repeated.
// Bytes that a row names stay, whatever the job says.
func (s *Service) DeleteFiles(ctx context.Context, job jobs.Job) error {
	var left filesToDelete
	if err := json.Unmarshal(job.Payload, &left); err != nil {
		return jobs.Permanent(fmt.Errorf("payload: %w", err))
	}
	for _, key := range left.Keys {
		if !strings.HasPrefix(key, job.Account+"/") {
			return jobs.Permanent(fmt.Errorf("payload: %q is not of account %s", key, job.Account))
		}
	}
	for _, key := range left.Keys {
		a, ok := attachmentAt(key)
		if !ok {
			return jobs.Permanent(fmt.Errorf("payload: %q is no attachment", key))
		}
		if err := s.deleteUnnamed(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// attachmentAt returns the attachment whose bytes have the key.
func attachmentAt(key string) (a Attachment, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 3 {
		return Attachment{}, false
	}
	return Attachment{Account: parts[0], SetID: parts[1], SHA256: parts[2]}, true
}

func purgeCases(ctx context.Context, tx Tx, account string, horizon time.Time) (int, []Attachment, error) {
	ids, err := tx.CasesBefore(ctx, account, horizon, housekeepingBatch)
	if err != nil {
		return 0, nil, err
	}
	var files []Attachment
	for _, id := range ids {
		attached, err := tx.AttachmentsOfCase(ctx, account, id)
		if err != nil {
			return 0, nil, err
		}
		if err := tx.DeleteCase(ctx, account, id); err != nil {
			return 0, nil, err
		}
		files = append(files, attached...)
	}
	return len(ids), files, nil
}

func purgeSets(ctx context.Context, tx Tx, account string, before time.Time) (int, []Attachment, error) {
	ids, err := tx.SetsExpiredBefore(ctx, account, before, housekeepingBatch)
	if err != nil {
		return 0, nil, err
	}
	var files []Attachment
	for _, id := range ids {
		left, err := tx.DeleteAttachmentSet(ctx, account, id)
		if err != nil {
			return 0, nil, err
		}
		files = append(files, left...)
	}
	return len(ids), files, nil
}

// SweepBlobs removes attachment bytes that no row names: what a crash left
// between the bytes and their row, or between a deleted row and its bytes.
func (s *Service) SweepBlobs(ctx context.Context) error {
	old := time.Now().Add(-orphanAge) // the clock that dated the bytes, not the service's
	for info, err := range s.Blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		a, ok := attachmentAt(info.Key)
		if !ok || info.Modified.After(old) {
			continue
		}
		if err := s.deleteUnnamed(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// deleteUnnamed removes an attachment's bytes unless a row names them.
func (s *Service) deleteUnnamed(ctx context.Context, a Attachment) error {
	var named bool
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		named, err = tx.HasAttachment(ctx, a.Account, a.SetID, a.SHA256)
		return err
	})
	if named || err != nil {
		return err
	}
	return s.Blobs.Delete(ctx, a.BlobKey())
}

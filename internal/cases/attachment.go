package cases

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

// The sizes and times of attachment sets (AddAttachmentsToSet).
const (
	MaxSetFiles = 3
	MaxFileSize = 5 << 20 // bytes, decoded
	setLife     = time.Hour
)

// AttachmentSet is where files wait for a communication that takes them.
type AttachmentSet struct {
	Account   string    `json:"account"`
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	UsedAt    time.Time `json:"used_at,omitzero"` // zero while nobody used it
	Files     int       `json:"files"`
}

// Attachment is a file of a set. CaseID and Communication are empty until a
// communication takes the set; only then can the file be read.
type Attachment struct {
	Account       string
	ID            string
	SetID         string
	Position      int // within the set, from 1
	FileName      string
	Size          int64
	SHA256        string // of the content, in hex
	CaseID        string
	Communication int64
}

// File is a named content.
type File struct {
	Name string
	Data []byte
}

// Faults of attachments.
var (
	ErrSetNotFound        = fault.New(fault.NotFound, "attachment_set_not_found", "no such attachment set")
	ErrSetExpired         = fault.New(fault.Expired, "attachment_set_expired", "the attachment set has expired")
	ErrSetSizeLimit       = fault.New(fault.Limited, "attachment_set_size_limit", "the attachment set is too large")
	ErrAttachmentLimit    = fault.New(fault.Limited, "attachment_limit", "too many attachment sets")
	ErrAttachmentNotFound = fault.New(fault.NotFound, "attachment_not_found", "no such attachment")
	ErrInvalidFileName    = fault.New(fault.Invalid, "invalid_file_name", "invalid file name")
	ErrNoFiles            = fault.New(fault.Invalid, "no_files", "no files")
)

// AddAttachments puts files into a set, a new one when setID is empty. The
// bytes are durable before the rows that name them; when the rows are refused
// after all, the sweep removes the bytes.
func (s *Service) AddAttachments(ctx context.Context, who iam.Identity, once RequestKey, setID string, files []File) (AttachmentSet, error) {
	if err := checkFiles(files); err != nil {
		return AttachmentSet{}, err
	}
	set, answered, err := s.admitFiles(ctx, who, once, setID, len(files))
	if answered || err != nil {
		return set, err
	}
	stored, err := s.storeFiles(ctx, set, files)
	if err != nil {
		return AttachmentSet{}, err
	}
	return doOnce(ctx, s, who, once, func(tx Tx) (AttachmentSet, error) {
		if setID != "" {
			return s.extendSet(ctx, tx, who, setID, stored)
		}
		return s.insertSet(ctx, tx, who, set, stored)
	})
}

// admitFiles finds out before any byte is written whether the files have a
// place, or whether this request had its answer already.
func (s *Service) admitFiles(ctx context.Context, who iam.Identity, once RequestKey, setID string, n int) (set AttachmentSet, answered bool, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if answered, err = firstAnswer(ctx, tx, who, once, &set); answered || err != nil {
			return err
		}
		if setID == "" {
			set = s.newSet(who.Account, s.now())
			return s.checkSetLimit(ctx, tx, who)
		}
		set, err = s.openSet(ctx, tx, who.Account, setID, n)
		return err
	})
	return set, answered, err
}

func (s *Service) newSet(account string, now time.Time) AttachmentSet {
	id := "as-" + s.randomHex(9)[:17] + "-mu-" + s.randomURLText(33)
	return AttachmentSet{Account: account, ID: id, CreatedAt: now, ExpiresAt: now.Add(setLife)}
}

func (s *Service) checkSetLimit(ctx context.Context, tx Tx, who iam.Identity) error {
	most := s.Limits.AttachmentSetsPer10m
	if most == 0 {
		return nil
	}
	n, err := tx.CountSetsSince(ctx, who.Account, s.now().Add(-10*time.Minute), most)
	if err != nil {
		return err
	}
	if n >= most {
		return ErrAttachmentLimit.With("Account has exceeded the limit of %d attachment sets in 10 minutes.", most)
	}
	return nil
}

// openSet returns a set of the account that is neither used nor expired and has
// room for n more files.
func (s *Service) openSet(ctx context.Context, tx Tx, account, id string, n int) (AttachmentSet, error) {
	set, err := tx.AttachmentSet(ctx, account, id)
	if err != nil && !errors.Is(err, ErrSetNotFound) {
		return AttachmentSet{}, err
	}
	switch {
	case err != nil || !set.UsedAt.IsZero():
		return AttachmentSet{}, ErrSetNotFound.With("The attachment set %q could not be found.", id)
	case !s.now().Before(set.ExpiresAt):
		return AttachmentSet{}, ErrSetExpired.With("The attachment set %q has expired.", id)
	case set.Files+n > MaxSetFiles:
		return AttachmentSet{}, ErrSetSizeLimit.With("An attachment set holds at most %d attachments; this one has %d.", MaxSetFiles, set.Files)
	}
	return set, nil
}

func (s *Service) storeFiles(ctx context.Context, set AttachmentSet, files []File) ([]Attachment, error) {
	var stored []Attachment
	for _, f := range files {
		sum := sha256.Sum256(f.Data)
		a := Attachment{
			Account: set.Account, ID: "attachment-" + s.randomURLText(112), SetID: set.ID,
			FileName: f.Name, Size: int64(len(f.Data)), SHA256: hex.EncodeToString(sum[:]),
		}
		if err := s.Blobs.Put(ctx, a.BlobKey(), bytes.NewReader(f.Data)); err != nil {
			return nil, fmt.Errorf("attachment bytes: %w", err)
		}
		stored = append(stored, a)
	}
	return stored, nil
}

// BlobKey names the bytes by set and content. The set is part of the key so
// that nothing but the set's own rows ever refers to the bytes: they can be
// deleted with the rows without asking who else has the same content.
func (a Attachment) BlobKey() string {
	return a.Account + "/" + a.SetID + "/" + a.SHA256
}

func (s *Service) insertSet(ctx context.Context, tx Tx, who iam.Identity, set AttachmentSet, files []Attachment) (AttachmentSet, error) {
	if err := s.checkSetLimit(ctx, tx, who); err != nil {
		return AttachmentSet{}, err
	}
	set.Files = len(files)
	if err := tx.InsertAttachmentSet(ctx, set); err != nil {
		return AttachmentSet{}, err
	}
	return set, insertFiles(ctx, tx, files, 0)
}

func (s *Service) extendSet(ctx context.Context, tx Tx, who iam.Identity, id string, files []Attachment) (AttachmentSet, error) {
	set, err := s.openSet(ctx, tx, who.Account, id, len(files))
	if err != nil {
		return AttachmentSet{}, err
	}
	before := set.Files
	set.Files += len(files)
	if err := tx.UpdateAttachmentSet(ctx, set); err != nil {
		return AttachmentSet{}, err
	}
	return set, insertFiles(ctx, tx, files, before)
}

func insertFiles(ctx context.Context, tx Tx, files []Attachment, before int) error {
	for i, a := range files {
		a.Position = before + i + 1
		if err := tx.InsertAttachment(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// attach gives the files of a set to a communication. Of two that want the same
// set one wins, and the other hears that there is no such set.
func (s *Service) attach(ctx context.Context, tx Tx, to Communication, setID string) error {
	if setID == "" {
		return nil
	}
	set, err := s.openSet(ctx, tx, to.Account, setID, 0)
	if err != nil {
		return err
	}
	set.UsedAt = s.now()
	if err := tx.UpdateAttachmentSet(ctx, set); err != nil {
		return err
	}
	return tx.TakeAttachments(ctx, set.Account, set.ID, to.CaseID, to.Number)
}

// Attachment returns a file that a communication of an available case carries.
func (s *Service) Attachment(ctx context.Context, who iam.Identity, id string) (File, error) {
	a, err := s.availableAttachment(ctx, who, id)
	if err != nil {
		return File{}, err
	}
	return s.content(ctx, a)
}

func (s *Service) content(ctx context.Context, a Attachment) (File, error) {
	content, err := s.Blobs.Open(ctx, a.BlobKey())
	if err != nil {
		return File{}, fmt.Errorf("bytes of attachment in set %s: %w", a.SetID, err)
	}
	defer content.Close()
	data, err := io.ReadAll(content)
	if err != nil {
		return File{}, fmt.Errorf("bytes of attachment in set %s: %w", a.SetID, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != a.SHA256 {
		return File{}, fmt.Errorf("bytes of attachment in set %s do not have the hash %s they were stored with", a.SetID, a.SHA256)
	}
	return File{Name: a.FileName, Data: data}, nil
}

func (s *Service) availableAttachment(ctx context.Context, who iam.Identity, id string) (a Attachment, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if a, err = tx.Attachment(ctx, who.Account, id); err != nil {
			return err
		}
		// A file that nobody took belongs to no case.
		_, err = s.availableCase(ctx, tx, who, a.CaseID)
		return err
	})
	if errors.Is(err, ErrAttachmentNotFound) || errors.Is(err, ErrCaseNotFound) {
		return a, ErrAttachmentNotFound.With("The attachment %q could not be found.", id)
	}
	return a, err
}

func checkFiles(files []File) error {
	switch {
	case len(files) == 0:
		return ErrNoFiles.With("At least one attachment is required.")
	case len(files) > MaxSetFiles:
		return ErrSetSizeLimit.With("An attachment set holds at most %d attachments.", MaxSetFiles)
	}
	for _, f := range files {
		if err := checkFileName(f.Name); err != nil {
			return err
		}
		if len(f.Data) > MaxFileSize {
			return ErrSetSizeLimit.With("The attachment %q is larger than 5 MB.", f.Name)
		}
	}
	return nil
}

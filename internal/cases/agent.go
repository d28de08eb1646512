package cases

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

// What follows is the agents' half of a case's life. It takes part in a
// transaction of the desk, which knows who the agent is and what agents may do.

// ErrStatusNotAllowed means that a case cannot get there from its status.
var ErrStatusNotAllowed = fault.New(fault.Conflict, "status_not_allowed", "the case's status does not allow this")

// NewReply is what an agent answers. The customer sees it as submitted by By,
// which is the provider's name and not the agent's.
type NewReply struct {
	Account         string
	CaseID          string
	Body            string
	By              string
	AttachmentSetID string // of StageFiles
	Actor           string // for the timeline, see [Move]
}

// Reply adds an agent's communication to a case in any status, which stays.
func (s *Service) Reply(ctx context.Context, tx Tx, in NewReply) (Case, Communication, error) {
	if err := checkReply(in.Body); err != nil {
		return Case{}, Communication{}, err
	}
	c, err := s.anyCase(ctx, tx, in.Account, in.CaseID)
	if err != nil {
		return Case{}, Communication{}, err
	}
	added, err := s.addCommunication(ctx, tx, &c, in.Body, in.By, in.AttachmentSetID)
	if err != nil {
		return Case{}, Communication{}, err
	}
	if err := tx.UpdateCase(ctx, c); err != nil {
		return Case{}, Communication{}, err
	}
	return c, added, s.watched(ctx, tx, Change{Event: AgentReply, Case: c, From: c.Status, Communication: &added, Actor: in.Actor})
}

// Move applies an event of the agents' to a case. One that the case's status
// does not know, such as to reopen what is open, is ErrStatusNotAllowed, unless
// the case is already where the event leads.
func (s *Service) Move(ctx context.Context, tx Tx, account, id string, event Event, actor string) (Case, error) {
	c, err := s.anyCase(ctx, tx, account, id)
	if err != nil {
		return Case{}, err
	}
	before := c.Status
	if _, ok := moves(event)[before]; !ok {
		if leadsTo(event, before) {
			return c, nil
		}
		return Case{}, ErrStatusNotAllowed.With("A case that is %s cannot do %s.", before, event)
	}
	if err := s.move(ctx, tx, &c, event, actor); err != nil {
		return Case{}, err
	}
	if err := tx.UpdateCase(ctx, c); err != nil {
		return Case{}, err
	}
	return c, s.watched(ctx, tx, Change{Event: event, Case: c, From: before, Actor: actor})
}

// TakeBack undoes a case's last move, which must be a resolution: the case has
// the status that it had before. A case that was moved since, or that is not
// resolved, is ErrStatusNotAllowed.
func (s *Service) TakeBack(ctx context.Context, tx Tx, account, id, actor string) (Case, error) {
	c, err := s.anyCase(ctx, tx, account, id)
	if err != nil {
		return Case{}, err
	}
	last, err := tx.Moves(ctx, account, id, c.Moves-1, 1)
	if err != nil {
		return Case{}, err
	}
	if c.Status != Resolved || len(last) == 0 {
		return Case{}, ErrStatusNotAllowed.With("A case that is %s has no resolution to take back.", c.Status)
	}
	before := last[0].From
	if err := moveTo(ctx, tx, &c, before, Move{Event: TakeBack, Actor: actor, At: s.now()}); err != nil {
		return Case{}, err
	}
	if err := tx.UpdateCase(ctx, c); err != nil {
		return Case{}, err
	}
	return c, s.watched(ctx, tx, Change{Event: TakeBack, Case: c, From: Resolved, Actor: actor})
}

func leadsTo(event Event, status Status) bool {
	for _, to := range moves(event) {
		if to == status {
			return true
		}
	}
	return false
}

// SetSeverity changes the severity of a case to another one of the plan.
func (s *Service) SetSeverity(ctx context.Context, tx Tx, account, id string, plan iam.Plan, severity, actor string) (Case, error) {
	if !plan.HasSeverity(severity) {
		return Case{}, ErrUnknownSeverity.With("Severity code %q is not available on the account's support plan.", severity)
	}
	c, err := s.anyCase(ctx, tx, account, id)
	if err != nil || c.SeverityCode == severity {
		return c, err
	}
	c.SeverityCode = severity
	if err := tx.UpdateCase(ctx, c); err != nil {
		return Case{}, err
	}
	return c, s.watched(ctx, tx, Change{Event: SetSeverity, Case: c, From: c.Status, Actor: actor})
}

// StageFiles keeps files for a reply of an agent to a case of the account. It
// counts against no limit of the customer's.
func (s *Service) StageFiles(ctx context.Context, account string, files []File) (setID string, err error) {
	if err := checkFiles(files); err != nil {
		return "", err
	}
	set := s.newSet(account, s.now())
	set.CreatedAt = time.Time{} // by which the customer's limit counts
	stored, err := s.storeFiles(ctx, set, files)
	if err != nil {
		return "", err
	}
	set.Files = len(stored)
	return set.ID, s.Store.Update(ctx, account, func(tx Tx) error {
		if err := tx.InsertAttachmentSet(ctx, set); err != nil {
			return err
		}
		return insertFiles(ctx, tx, stored, 0)
	})
}

// Thread returns up to limit communications of a case that are older than the
// number given, newest first, with their attachments. Zero is all.
func (s *Service) Thread(ctx context.Context, tx Tx, c Case, olderThan int64, limit int) ([]Communication, error) {
	if olderThan == 0 {
		olderThan = c.Communications + 1
	}
	found, err := tx.CommunicationsPage(ctx, c.Account, c.ID, TimeRange{}, olderThan, limit)
	if err != nil {
		return nil, err
	}
	return found, addAllAttachments(ctx, tx, iam.Identity{Account: c.Account}, found)
}

// FileOf returns a file that a communication of the case carries.
func (s *Service) FileOf(ctx context.Context, account, caseID, id string) (File, error) {
	var a Attachment
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		a, err = tx.Attachment(ctx, account, id)
		return err
	})
	if errors.Is(err, ErrAttachmentNotFound) || err == nil && a.CaseID != caseID {
		return File{}, ErrAttachmentNotFound.With("The attachment %q could not be found.", id)
	}
	if err != nil {
		return File{}, err
	}
	return s.content(ctx, a)
}

// anyCase returns a case that exists, whatever its age: agents see what the
// purge has not taken yet.
func (s *Service) anyCase(ctx context.Context, tx Tx, account, id string) (Case, error) {
	c, err := tx.Case(ctx, account, id)
	if errors.Is(err, ErrCaseNotFound) {
		return Case{}, caseNotFound(id)
	}
	return c, err
}

// maxReply is how long an agent's communication may be: as long as a customer's
// (AddCommunicationToCase, communicationBody).
const maxReply = 8000

func checkReply(body string) error {
	if strings.TrimSpace(body) == "" {
		return ErrInvalidText.With("A communication says something; this one is empty.")
	}
	if n := utf8.RuneCountInString(body); n > maxReply {
		return ErrInvalidText.With("A communication has at most %d characters; this one has %d.", maxReply, n)
	}
	if !utf8.ValidString(body) {
		return ErrInvalidText.With("A communication must be in UTF-8.")
	}
	return checkCommunication(body, nil)
}

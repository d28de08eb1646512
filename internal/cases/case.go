package cases

import (
	"context"
	"errors"
	"time"

	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

// Case is a support case without its communications.
type Case struct {
	Account          string
	ID               string
	DisplayID        string
	Subject          string
	Status           Status
	ServiceCode      string
	CategoryCode     string
	SeverityCode     string
	IssueType        string
	Language         string
	SubmittedBy      string // the account's e-mail address
	CCEmailAddresses []string
	CreatedAt        time.Time
	ResolvedAt       time.Time // of the last resolution; zero when never resolved
	Communications   int64     // how many there are: the last one has this number
	Moves            int64     // how many entries the timeline has
}

// Faults of cases.
var (
	ErrCaseNotFound       = fault.New(fault.NotFound, "case_not_found", "no such case")
	ErrCaseCreationLimit  = fault.New(fault.Limited, "case_creation_limit", "too many new cases")
	ErrUnknownSeverity    = fault.New(fault.Invalid, "unknown_severity", "no such severity")
	ErrTooManyCCAddresses = fault.New(fault.Invalid, "too_many_cc_addresses", "too many addresses")
)

// ErrDisplayIDTaken is what a Tx answers to a new case whose display id exists.
var ErrDisplayIDTaken = errors.New("display id taken")

// NewCase is what a customer gives to open a case. Empty codes get defaults.
type NewCase struct {
	Subject          string
	Body             string
	ServiceCode      string
	CategoryCode     string
	SeverityCode     string
	IssueType        string
	Language         string
	CCEmailAddresses []string
	AttachmentSetID  string
}

// Create opens a case with its first communication and returns its id.
func (s *Service) Create(ctx context.Context, who iam.Identity, once RequestKey, in NewCase) (string, error) {
	if err := s.complete(&in); err != nil {
		return "", err
	}
	if err := s.checkNewCase(who, in); err != nil {
		return "", err
	}
	return doOnce(ctx, s, who, once, func(tx Tx) (string, error) {
		now := s.now()
		if err := s.checkCreationLimit(ctx, tx, who, now); err != nil {
			return "", err
		}
		c, err := s.open(ctx, tx, who, in, now)
		return c.ID, err
	})
}

// open makes a case that was found to be allowed.
func (s *Service) open(ctx context.Context, tx Tx, who iam.Identity, in NewCase, now time.Time) (Case, error) {
	c, err := s.insertCase(ctx, tx, who, in, now)
	if err != nil {
		return Case{}, err
	}
	first := Communication{
		Account: c.Account, CaseID: c.ID, Number: 1,
		Body: in.Body, SubmittedBy: who.SubmittedBy(), CreatedAt: now,
	}
	if err := tx.InsertCommunication(ctx, first); err != nil {
		return Case{}, err
	}
	if err := s.attach(ctx, tx, first, in.AttachmentSetID); err != nil {
		return Case{}, err
	}
	return c, s.watched(ctx, tx, Change{Event: Create, Case: c, Communication: &first, Plan: who.Plan, Actor: who.ARN()})
}

// insertCase tries a few display ids: two cases of an account never share one.
func (s *Service) insertCase(ctx context.Context, tx Tx, who iam.Identity, in NewCase, now time.Time) (c Case, err error) {
	c = Case{
		Account: who.Account, ID: s.newCaseID(who.Account, now),
		Subject: in.Subject, Status: Unassigned,
		ServiceCode: in.ServiceCode, CategoryCode: in.CategoryCode, SeverityCode: in.SeverityCode,
		IssueType: in.IssueType, Language: in.Language,
		SubmittedBy: who.Email, CCEmailAddresses: in.CCEmailAddresses,
		CreatedAt: now, Communications: 1,
	}
	for range 5 {
		c.DisplayID = s.newDisplayID()
		if err = tx.InsertCase(ctx, c); !errors.Is(err, ErrDisplayIDTaken) {
			return c, err
		}
	}
	return c, err
}

func (s *Service) checkCreationLimit(ctx context.Context, tx Tx, who iam.Identity, now time.Time) error {
	most := s.Limits.CasesPerHour
	if most == 0 {
		return nil
	}
	n, err := tx.CountCasesSince(ctx, who.Account, now.Add(-time.Hour), most)
	if err != nil {
		return err
	}
	if n >= most {
		return ErrCaseCreationLimit.With("Account has exceeded the limit of %d cases per hour.", most)
	}
	return nil
}

// Resolve marks a case as resolved and returns its status before and after.
// Resolving a resolved case changes nothing.
func (s *Service) Resolve(ctx context.Context, who iam.Identity, once RequestKey, id string) (Resolution, error) {
	return doOnce(ctx, s, who, once, func(tx Tx) (Resolution, error) {
		c, err := s.availableCase(ctx, tx, who, id)
		if err != nil {
			return Resolution{}, err
		}
		before := c.Status
		if err := s.move(ctx, tx, &c, Resolve, who.ARN()); err != nil {
			return Resolution{}, err
		}
		if err := tx.UpdateCase(ctx, c); err != nil {
			return Resolution{}, err
		}
		return Resolution{Initial: before, Final: c.Status}, s.watched(ctx, tx, Change{Event: Resolve, Case: c, From: before, Plan: who.Plan, Actor: who.ARN()})
	})
}

// Resolution is the status of a case before and after Resolve.
type Resolution struct {
	Initial Status `json:"initial"`
	Final   Status `json:"final"`
}

// availableCase returns a case of the caller that has not outlived its
// retention. Cases of others are not told apart from cases that never were.
func (s *Service) availableCase(ctx context.Context, tx Tx, who iam.Identity, id string) (Case, error) {
	c, err := tx.Case(ctx, who.Account, id)
	if errors.Is(err, ErrCaseNotFound) {
		return Case{}, caseNotFound(id)
	}
	if err != nil {
		return Case{}, err
	}
	if !s.Keeps(c.CreatedAt) {
		return Case{}, caseNotFound(id)
	}
	return c, nil
}

func caseNotFound(id string) error {
	return ErrCaseNotFound.With("The requested case ID %q could not be found.", id)
}

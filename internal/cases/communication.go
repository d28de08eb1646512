package cases

import (
	"context"
	"slices"
	"time"

	"github.com/supportd/supportd/internal/iam"
)

// Communication is one message of a case. Number counts from 1 within the case
// and orders communications also where their times are equal.
type Communication struct {
	Account     string
	CaseID      string
	Number      int64
	Body        string
	SubmittedBy string
	CreatedAt   time.Time
	Attachments []Attachment
}

// NewCommunication is what a customer adds to a case.
type NewCommunication struct {
	CaseID           string
	Body             string
	CCEmailAddresses []string // added to those of the case
	AttachmentSetID  string
}

// Communicate adds a customer's communication. It reopens a case that was
// resolved within the last 14 days and fails with ErrReopenWindowOver later.
func (s *Service) Communicate(ctx context.Context, who iam.Identity, once RequestKey, in NewCommunication) error {
	if err := checkCommunication(in.Body, in.CCEmailAddresses); err != nil {
		return err
	}
	_, err := doOnce(ctx, s, who, once, func(tx Tx) (struct{}, error) {
		_, err := s.communicate(ctx, tx, who, in)
		return struct{}{}, err
	})
	return err
}

func (s *Service) communicate(ctx context.Context, tx Tx, who iam.Identity, in NewCommunication) (Communication, error) {
	c, err := s.availableCase(ctx, tx, who, in.CaseID)
	if err != nil {
		return Communication{}, err
	}
	before := c.Status
	if err := s.move(ctx, tx, &c, CustomerReply, who.ARN()); err != nil {
		return Communication{}, err
	}
	if c.CCEmailAddresses, err = mergeAddresses(c.CCEmailAddresses, in.CCEmailAddresses); err != nil {
		return Communication{}, err
	}
	added, err := s.addCommunication(ctx, tx, &c, in.Body, who.SubmittedBy(), in.AttachmentSetID)
	if err != nil {
		return Communication{}, err
	}
	if err := tx.UpdateCase(ctx, c); err != nil {
		return Communication{}, err
	}
	return added, s.watched(ctx, tx, Change{Event: CustomerReply, Case: c, From: before, Communication: &added, Plan: who.Plan, Actor: who.ARN()})
}

// addCommunication gives c its next communication, with the files of the set.
// The caller writes the case.
func (s *Service) addCommunication(ctx context.Context, tx Tx, c *Case, body, by, setID string) (Communication, error) {
	c.Communications++
	added := Communication{
		Account: c.Account, CaseID: c.ID, Number: c.Communications,
		Body: body, SubmittedBy: by, CreatedAt: s.now(),
	}
	if err := tx.InsertCommunication(ctx, added); err != nil {
		return Communication{}, err
	}
	return added, s.attach(ctx, tx, added, setID)
}

// mergeAddresses returns the addresses of a case with new ones added. A case
// has at most ten (CaseDetails, ccEmailAddresses).
func mergeAddresses(have, added []string) ([]string, error) {
	all := slices.Clone(have)
	for _, address := range added {
		if !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	if len(all) > maxCCAddresses {
		return nil, ErrTooManyCCAddresses.With("A case copies at most %d addresses; with these it would have %d.", maxCCAddresses, len(all))
	}
	return all, nil
}

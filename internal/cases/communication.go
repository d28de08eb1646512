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
		return struct{}{}, s.communicate(ctx, tx, who, in)
	})
	return err
}

func (s *Service) communicate(ctx context.Context, tx Tx, who iam.Identity, in NewCommunication) error {
	c, err := s.availableCase(ctx, tx, who, in.CaseID)
	if err != nil {
		return err
	}
	if err := s.move(ctx, tx, &c, CustomerReply, who.ARN()); err != nil {
		return err
	}
	if c.CCEmailAddresses, err = mergeAddresses(c.CCEmailAddresses, in.CCEmailAddresses); err != nil {
		return err
	}
	c.Communications++
	added := Communication{
		Account: c.Account, CaseID: c.ID, Number: c.Communications,
		Body: in.Body, SubmittedBy: who.SubmittedBy(), CreatedAt: s.now(),
	}
	if err := tx.InsertCommunication(ctx, added); err != nil {
		return err
	}
	if err := s.attach(ctx, tx, added, in.AttachmentSetID); err != nil {
		return err
	}
	return tx.UpdateCase(ctx, c)
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
		return nil, errTooManyCCAddresses.With("A case copies at most %d addresses; this one has %d already.", maxCCAddresses, len(have))
	}
	return all, nil
}

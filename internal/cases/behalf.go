package cases

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/supportd/supportd/internal/iam"
)

// What follows does in a transaction of the desk what a customer could have
// done: the customer called, and an agent writes it down.

// maxSubject is how long the subject of a case may be, as in CreateCase.
const maxSubject = 255

// CreateFor opens a case on behalf of who. It counts towards the limit of new
// cases and is not refused by it: what an agent does is no flood.
func (s *Service) CreateFor(ctx context.Context, tx Tx, who iam.Identity, in NewCase) (Case, error) {
	if err := s.complete(&in); err != nil {
		return Case{}, err
	}
	if err := s.checkNewCaseFor(who, in); err != nil {
		return Case{}, err
	}
	return s.open(ctx, tx, who, in, s.now())
}

// checkNewCaseFor also checks what the API's operation checks for a customer.
func (s *Service) checkNewCaseFor(who iam.Identity, in NewCase) error {
	if n := utf8.RuneCountInString(in.Subject); strings.TrimSpace(in.Subject) == "" || n > maxSubject || !utf8.ValidString(in.Subject) {
		return ErrInvalidText.With("A subject has 1 to %d characters in UTF-8; this one has %d.", maxSubject, n)
	}
	if err := checkReply(in.Body); err != nil {
		return err
	}
	return s.checkNewCase(who, in)
}

// CommunicateFor adds a communication on behalf of who, as [Service.Communicate]
// does.
func (s *Service) CommunicateFor(ctx context.Context, tx Tx, who iam.Identity, in NewCommunication) (Communication, error) {
	if err := checkReply(in.Body); err != nil {
		return Communication{}, err
	}
	if err := checkCommunication(in.Body, in.CCEmailAddresses); err != nil {
		return Communication{}, err
	}
	return s.communicate(ctx, tx, who, in)
}

package cases

import "github.com/supportd/supportd/internal/iam"

// What follows says of what is to be written later whether it can be: a seed is
// written as a whole or not at all.

// CheckNewCase returns why a case of who would be refused, nil when it would not
// be. Limits and attachment sets are not looked at.
func (s *Service) CheckNewCase(who iam.Identity, in NewCase) error {
	if err := s.complete(&in); err != nil {
		return err
	}
	return s.checkNewCaseFor(who, in)
}

// CheckBody returns why a communication with the text would be refused.
func CheckBody(body string) error { return checkReply(body) }

// CheckFiles returns why files would be refused.
func CheckFiles(files []File) error { return checkFiles(files) }

// After returns the status that an event leads to. An event that the status does
// not know is not ok.
func (s Status) After(e Event) (to Status, ok bool) {
	to, ok = moves(e)[s]
	return to, ok
}

// ReopenWindow is how long after its resolution a communication reopens a case.
const ReopenWindow = reopenWindow

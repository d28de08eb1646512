package cases

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

// Faults of what a customer wrote.
var (
	ErrInvalidText    = fault.New(fault.Invalid, "invalid_text", "invalid text")
	ErrInvalidAddress = fault.New(fault.Invalid, "invalid_address", "invalid e-mail address")
)

const (
	maxCCAddresses    = 10
	maxAddressLength  = 254 // RFC 5321, section 4.5.3.1.3, without the brackets
	maxFileNameLength = 255
)

// complete fills in what the customer left out. The API documents only the
// issue type's default; the others are the most general choice. Addresses given
// twice count once.
func (s *Service) complete(in *NewCase) (err error) {
	setDefault(&in.IssueType, catalog.Technical)
	setDefault(&in.Language, "en")
	setDefault(&in.SeverityCode, "low")
	if in.ServiceCode == "" && in.CategoryCode == "" {
		in.ServiceCode, in.CategoryCode = "general-info", "using-aws"
	}
	setDefault(&in.ServiceCode, "general-info")
	if in.CategoryCode == "" {
		in.CategoryCode = s.generalCategory(in.ServiceCode)
	}
	if in.CCEmailAddresses, err = mergeAddresses(nil, in.CCEmailAddresses); err != nil {
		return err
	}
	return nil
}

// generalCategory returns the category of a service for questions that fit no
// other.
func (s *Service) generalCategory(service string) string {
	known, ok := s.Catalog.Service(service)
	if !ok {
		return ""
	}
	for _, general := range []string{"general-guidance", "using-aws", "other"} {
		for _, c := range known.Categories {
			if c.Code == general {
				return general
			}
		}
	}
	return known.Categories[0].Code
}

func (s *Service) checkNewCase(who iam.Identity, in NewCase) error {
	if err := s.Catalog.Check(in.ServiceCode, in.CategoryCode, in.IssueType); err != nil {
		return err
	}
	if !who.Plan.HasSeverity(in.SeverityCode) {
		return ErrUnknownSeverity.With("Severity code %q is not available on the account's support plan.", in.SeverityCode)
	}
	if err := s.Catalog.CheckLanguage(in.Language); err != nil {
		return err
	}
	if strings.ContainsFunc(in.Subject, unicode.IsControl) {
		return ErrInvalidText.With("The subject may not contain control characters.")
	}
	return checkCommunication(in.Body, in.CCEmailAddresses)
}

func checkCommunication(body string, addresses []string) error {
	if strings.ContainsRune(body, 0) {
		return ErrInvalidText.With("The communication body may not contain the NUL character.")
	}
	for _, address := range addresses {
		if err := checkAddress(address); err != nil {
			return err
		}
	}
	return nil
}

func checkAddress(address string) error {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > maxAddressLength {
		return ErrInvalidAddress.With("%q is not a valid e-mail address.", address)
	}
	return nil
}

// checkFileName refuses names that could mean a path or show as something they
// are not: agents open what customers send.
func checkFileName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return ErrInvalidFileName.With("An attachment needs a file name.")
	case utf8.RuneCountInString(name) > maxFileNameLength:
		return ErrInvalidFileName.With("The file name has more than %d characters.", maxFileNameLength)
	case name == "." || name == ".." || strings.ContainsAny(name, `/\`):
		return ErrInvalidFileName.With("The file name %q may not contain a path.", name)
	case strings.ContainsFunc(name, isDeceptive):
		return ErrInvalidFileName.With("The file name %q may not contain control or invisible formatting characters.", name)
	}
	return nil
}

// isDeceptive finds control characters, line separators and the formatting
// characters that hide or reorder text (Unicode technical report 36, section
// 2.6): with them "exe.txt" may show for "txt.exe". The joiners that scripts
// and emoji need stay allowed.
func isDeceptive(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	if r == zeroWidthNonJoiner || r == zeroWidthJoiner {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

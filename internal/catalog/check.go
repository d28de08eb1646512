package catalog

import "github.com/supportd/supportd/internal/fault"

// What can be wrong with a choice from the catalogue. The text of the first is
// the one AWS is known to begin with, and so is the beginning of the second.
var (
	ErrUnknownService   = fault.New(fault.Invalid, "unknown_service", "No service exists for combination")
	ErrUnknownCategory  = fault.New(fault.Invalid, "unknown_category", "Invalid category code")
	ErrUnknownIssueType = fault.New(fault.Invalid, "unknown_issue_type", "Invalid issue type")
	ErrUnknownLanguage  = fault.New(fault.Invalid, "unknown_language", "Invalid language")
)

// Issue types of a case.
const (
	Technical            = "technical"
	CustomerService      = "customer-service"
	ServiceLimitIncrease = "service-limit-increase" // not in AWS's reference, but sent by tools
)

// Check refuses a service, category or issue type that does not exist. A
// service goes with every issue type, for AWS's own examples mix them.
func (c *Catalog) Check(serviceCode, categoryCode, issueType string) error {
	s, ok := c.Service(serviceCode)
	if !ok {
		return ErrUnknownService.With("No service exists for combination of serviceCode: %s, categoryCode: %s, issueType: %s",
			serviceCode, categoryCode, issueType)
	}
	if _, ok := s.Category(categoryCode); !ok {
		return ErrUnknownCategory.With("Invalid category code: %s. Service %s has no such category", categoryCode, serviceCode)
	}
	return CheckIssueType(issueType)
}

// CheckIssueType returns ErrUnknownIssueType unless cases have such a type.
func CheckIssueType(issueType string) error {
	switch issueType {
	case Technical, CustomerService, ServiceLimitIncrease:
		return nil
	}
	return ErrUnknownIssueType.With("Invalid issue type: %s. It must be %s, %s or %s",
		issueType, Technical, CustomerService, ServiceLimitIncrease)
}

// CheckLanguage refuses a language in which cases are not handled.
func (c *Catalog) CheckLanguage(code string) error {
	if !c.LanguageOffered(code) {
		return ErrUnknownLanguage.With("Invalid language: %s. It must be en, ja, zh or ko", code)
	}
	return nil
}

// SupportedLanguages returns the languages in which a case of this kind is
// handled: the same for every kind, once it passes Check.
func (c *Catalog) SupportedLanguages(serviceCode, categoryCode, issueType string) ([]Language, error) {
	if err := c.Check(serviceCode, categoryCode, issueType); err != nil {
		return nil, err
	}
	return c.Languages(), nil
}

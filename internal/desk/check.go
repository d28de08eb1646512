package desk

import (
	"errors"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/supportd/supportd/internal/fault"
)

// maxName is how many characters names have at most, and maxEmail addresses.
const maxName, maxEmail = 128, 254

func checkName(what, name string) error {
	if strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > maxName {
		return ErrInvalid.With("The %s must have 1 to %d characters.", what, maxName)
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return ErrInvalid.With("The %s must be in UTF-8 and without control characters.", what)
	}
	return nil
}

func checkEmail(address string) error {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > maxEmail {
		return ErrInvalid.With("%q is not a valid e-mail address.", address)
	}
	return nil
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// checkID wants an id that needs no quoting anywhere.
func checkID(what, id string) error {
	if !idForm.MatchString(id) {
		return ErrInvalid.With("The id of a %s has 1 to 64 lower-case letters, digits and hyphens, and does not begin with a hyphen; %q is none.", what, id)
	}
	return nil
}

func (s *Service) checkServices(codes []string) error {
	for _, code := range codes {
		if _, ok := s.Cases.Catalog.Service(code); !ok {
			return ErrInvalid.With("There is no service %q.", code)
		}
	}
	return nil
}

func (s *Service) checkLanguages(codes []string) error {
	for _, code := range codes {
		if err := s.Cases.Catalog.CheckLanguage(code); err != nil {
			return asInvalid(err)
		}
	}
	return nil
}

// asInvalid says of a fault that it lies in what the caller sent: a team that
// an agent shall be in and does not exist is not a thing that was not found.
func asInvalid(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return ErrInvalid.With("%s", f.Text)
	}
	return err
}

// inOrder returns what is in a list, once each; never nil, which JSON has
// another word for.
func inOrder(list []string) []string {
	ordered := append([]string{}, list...)
	slices.Sort(ordered)
	return slices.Compact(ordered)
}

// orEmpty returns a map that is not nil, likewise.
func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

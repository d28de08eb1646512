package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// The pattern of service codes in the API's constraints.
var codePattern = regexp.MustCompile(`^[0-9a-z\-_]+$`)

// Service is something a case can be about.
type Service struct {
	Code       string     `json:"code"`
	Name       string     `json:"name"`
	Categories []Category `json:"categories"`
}

// Category is a kind of question about a service. Its code means something
// under its service only.
type Category struct{ Code, Name string }

// Category returns the category of this service with this code.
func (s Service) Category(code string) (Category, bool) {
	for _, c := range s.Categories {
		if c.Code == code {
			return c, true
		}
	}
	return Category{}, false
}

// UnmarshalJSON reads a category from its form in services.jsonl, a pair of
// code and name.
func (c *Category) UnmarshalJSON(text []byte) error {
	var pair []string
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("category %s is not a pair of code and name", text)
	}
	c.Code, c.Name = pair[0], pair[1]
	return nil
}

// parseServices reads one service a line.
func parseServices(file string, text []byte) ([]Service, error) {
	var services []Service
	seen := make(map[string]bool)
	number := 0
	for line := range bytes.Lines(text) {
		number++
		s, err := parseService(line)
		if err == nil && seen[s.Code] {
			err = fmt.Errorf("service %s is here twice", s.Code)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, number, err)
		}
		seen[s.Code] = true
		services = append(services, s)
	}
	if len(services) == 0 {
		return nil, fmt.Errorf("%s:1: no services", file)
	}
	return services, nil
}

func parseService(line []byte) (Service, error) {
	var s Service
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Service{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return Service{}, errors.New("more than one value")
	}
	return s, s.check()
}

func (s Service) check() error {
	if err := checkPair(s.Code, s.Name); err != nil {
		return fmt.Errorf("service: %w", err)
	}
	if len(s.Categories) == 0 {
		return fmt.Errorf("service %s has no categories", s.Code)
	}
	seen := make(map[string]bool, len(s.Categories))
	for _, c := range s.Categories {
		if err := checkPair(c.Code, c.Name); err != nil {
			return fmt.Errorf("category of %s: %w", s.Code, err)
		}
		if seen[c.Code] {
			return fmt.Errorf("category %s of %s is here twice", c.Code, s.Code)
		}
		seen[c.Code] = true
	}
	return nil
}

func checkPair(code, name string) error {
	if !codePattern.MatchString(code) {
		return fmt.Errorf("code %q does not match %s", code, codePattern)
	}
	if name == "" || name != strings.TrimSpace(name) {
		return fmt.Errorf("code %s has the name %q", code, name)
	}
	return nil
}

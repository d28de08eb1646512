// Package check is what a Trusted Advisor check is: data that says which
// resources it looks at, when one of them is flagged and what is told of it, in
// expressions of the Common Expression Language; and what comes out when checks
// are evaluated over an inventory.
//
// A check is a folder with check.yaml and cases.yaml, see docs/checks.md. The
// package knows no account, no AWS and no storage.
package check

import (
	"time"

	"github.com/supportd/supportd/internal/inventory"
)

// Check is a check that was loaded. Its texts are plain but for HTML that the
// API has in descriptions.
type Check struct {
	ID       string
	Name     string
	Category string // as in the API: cost_optimizing, security, fault_tolerance, performance, service_limits, operational_excellence
	Path     string // the folder it was loaded from: category/slug

	About    string            // what it looks at and why, one paragraph
	Criteria Criteria          // when it is red, yellow and green, for people
	Action   string            // what to do about it
	Links    []string          // where to read more
	Names    map[string]string // Name in other languages of the API, by code
	Columns  []string          // names of the metadata, in the order of the API

	Automatic bool          // it refreshes by itself and refuses to be refreshed
	Interval  time.Duration // between two refreshes
	Core      bool          // plans without the Support API have it too

	// Unavailable is why the check cannot be computed; it then has no result
	// but not_available. It is empty for checks that compute.
	Unavailable string

	program *program
}

// Criteria are the conditions of the colours, in words.
type Criteria struct {
	Red    []string `yaml:"red"`
	Yellow []string `yaml:"yellow"`
	Green  []string `yaml:"green"`
}

// Status is the state of a check or of one resource in it.
type Status string

// The statuses, from the worst.
const (
	Error        Status = "error"
	Warning      Status = "warning"
	OK           Status = "ok"
	NotAvailable Status = "not_available"
)

// Color returns the word that status columns have.
func (s Status) Color() string {
	switch s {
	case Error:
		return "Red"
	case Warning:
		return "Yellow"
	case OK:
		return "Green"
	}
	return "Blue"
}

// Result is what a check says about an inventory. Every processed resource is
// one of flagged, ok, ignored and suppressed.
type Result struct {
	CheckID string
	Status  Status
	Cause   string // why it is not available

	Processed  int
	Flagged    int
	OK         int // neither flagged nor ignored nor suppressed; a check lists them only with rows: all
	Ignored    int
	Suppressed int
	Savings    float64 // USD a month, of flagged resources whose price is known

	Rows []Row // by region and resource, its items in the order of their list
}

// Row is a resource in a result. Checks list what they flag, and some list
// everything.
type Row struct {
	Status     Status
	ResourceID string // of the API: 43 characters, the same for a resource in every result of the check
	Resource   string // the inventory's id
	Region     string // empty for what belongs to no region
	Suppressed bool
	Metadata   []*string // in the order of the check's columns; nil where nothing is known
	Savings    *float64  // nil where the check computes none or the price is unknown
}

// Needs returns the kinds and parts that the check is computed from.
func (c *Check) Needs() (inventory.Needs, error) {
	if c.Unavailable != "" {
		return nil, nil
	}
	p, err := c.program.compiled()
	if err != nil {
		return nil, err
	}
	return p.needs, nil
}

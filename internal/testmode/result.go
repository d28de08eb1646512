package testmode

import (
	"context"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/check"
)

// Result is a result of a Trusted Advisor check, made up for a test.
type Result struct {
	Account   string     `yaml:"account" json:"account"`
	CheckID   string     `yaml:"check" json:"check"`
	Status    string     `yaml:"status" json:"status"` // empty: that of the worst resource
	Resources []Resource `yaml:"resources" json:"resources"`
}

// Resource is a row of a Result.
type Resource struct {
	ID         string            `yaml:"id" json:"id"` // empty: made of the metadata
	Status     string            `yaml:"status" json:"status"`
	Region     string            `yaml:"region" json:"region"`
	Metadata   map[string]string `yaml:"metadata" json:"metadata"` // by the name of the column
	Suppressed bool              `yaml:"suppressed" json:"suppressed"`
	Savings    float64           `yaml:"savings" json:"savings"`
}

// SetResult sets the result of a Trusted Advisor check.
func (m *Mode) SetResult(ctx context.Context, r Result) error {
	m.open.RLock()
	defer m.open.RUnlock()
	return m.setResult(ctx, r)
}

// setResult is SetResult for those who keep a reset from happening.
func (m *Mode) setResult(ctx context.Context, r Result) error {
	return m.config.Advisor.PutResult(ctx, r.made())
}

func (r Result) made() advisor.MadeResult {
	made := advisor.MadeResult{Account: r.Account, CheckID: r.CheckID, Status: check.Status(r.Status)}
	for _, one := range r.Resources {
		made.Rows = append(made.Rows, advisor.MadeRow{
			ResourceID: one.ID, Status: check.Status(one.Status), Region: one.Region,
			Metadata: one.Metadata, Suppressed: one.Suppressed, Savings: one.Savings,
		})
	}
	return made
}

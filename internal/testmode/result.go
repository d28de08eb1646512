package testmode

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

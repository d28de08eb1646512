package testmode

import (
	"context"

	"github.com/supportd/supportd/internal/fault"
)

// ErrInvalidSeed means that a seed file is to be mended, and says where.
var ErrInvalidSeed = fault.New(fault.Invalid, "invalid_seed", "the seed file is not right")

// Seeded is what came of a seed file.
type Seeded struct {
	Cases  map[string]string    `json:"cases"`  // case ids by ref
	Agents map[string]SeedAgent `json:"agents"` // by e-mail address
	Users  []SeedUser           `json:"users"`  // in the order of the file
}

// SeedAgent is an agent that a seed made.
type SeedAgent struct {
	ID    string `json:"id"`
	Token string `json:"token"` // for the desk API
}

// SeedUser is a user that a seed made.
type SeedUser struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Key     Key    `json:"key"`
}

// Seed adds what a seed file names, and returns what it made. Cases live through
// their story at the times that the file gives them: the clock is moved to each,
// and back in the end. An error names the lines to mend, and then nothing was
// added. Requests that come meanwhile wait. A seed that has begun goes on when ctx
// ends, so that no half of it is left.
func (m *Mode) Seed(ctx context.Context, text []byte) (Seeded, error) {
	ctx = context.WithoutCancel(ctx)
	m.moving.Lock()
	defer m.moving.Unlock()
	m.open.Lock()
	defer m.open.Unlock()
	return m.seed(ctx, text)
}

// seed is Seed for those who let nobody else in.
func (m *Mode) seed(ctx context.Context, text []byte) (Seeded, error) {
	var form seedForm
	d, err := readDocument("seed", text, &form)
	if err != nil {
		return Seeded{}, ErrInvalidSeed.With("%s", err)
	}
	plan, err := m.planSeed(ctx, d.top(), form)
	if err != nil {
		return Seeded{}, err
	}
	if err := d.err(); err != nil {
		return Seeded{}, ErrInvalidSeed.With("%s", err)
	}
	return m.plant(ctx, plan)
}

// seedForm is the form of a seed file.
type seedForm struct {
	Accounts []seedAccount `yaml:"accounts"`
	Teams    []seedTeam    `yaml:"teams"`
	Agents   []seedAgent   `yaml:"agents"`
	Cases    []seedCase    `yaml:"cases"`
	Results  []Result      `yaml:"results"`
}

// seedAccount is an account to open, or what to change of one that there is.
type seedAccount struct {
	ID    string     `yaml:"id"`
	Name  string     `yaml:"name"`
	Email string     `yaml:"email"`
	Plan  string     `yaml:"plan"`
	Users []seedUser `yaml:"users"`
	// Policies are the account's own, which its users can have.
	Policies []seedPolicy `yaml:"policies"`
}

type seedPolicy struct {
	Name     string `yaml:"name"`
	Document any    `yaml:"document"` // of IAM
}

type seedUser struct {
	Name     string   `yaml:"name"`
	Policies []string `yaml:"policies"`
}

type seedTeam struct {
	ID        string   `yaml:"id"`
	Name      string   `yaml:"name"` // empty: the id
	Services  []string `yaml:"services"`
	Languages []string `yaml:"languages"`
	Accounts  []string `yaml:"accounts"`
	Routing   bool     `yaml:"routing"`
}

type seedAgent struct {
	Name      string   `yaml:"name"`
	Email     string   `yaml:"email"`
	Role      string   `yaml:"role"`  // empty: agent
	Teams     []string `yaml:"teams"` // ids
	Services  []string `yaml:"services"`
	Languages []string `yaml:"languages"`
	Capacity  int      `yaml:"capacity"`
}

// seedCase is a case and its story.
type seedCase struct {
	Ref         string   `yaml:"ref"`     // for the test
	Account     string   `yaml:"account"` // empty: the first account of the file, or the default one
	User        string   `yaml:"user"`    // who asks; empty: root
	Subject     string   `yaml:"subject"`
	Body        string   `yaml:"body"`
	Service     string   `yaml:"service"`
	Category    string   `yaml:"category"`
	Severity    string   `yaml:"severity"`
	IssueType   string   `yaml:"issueType"`
	Language    string   `yaml:"language"`
	CC          []string `yaml:"cc"`
	CreatedAt   string   `yaml:"createdAt"` // empty: so long ago that the story ends now
	Attachments []file   `yaml:"attachments"`

	Communications []seedCommunication `yaml:"communications"`

	// At the end of the story:
	Status   string   `yaml:"status"`   // empty: what came of it
	Notes    []string `yaml:"notes"`    // internal
	Tags     []string `yaml:"tags"`     // internal
	Assignee string   `yaml:"assignee"` // an agent's e-mail address
	Team     string   `yaml:"team"`     // an id
}

// seedCommunication is what somebody said in a case, or did.
type seedCommunication struct {
	By          string `yaml:"by"`    // customer or agent
	Agent       string `yaml:"agent"` // which, by e-mail address; empty: the first of the file, or the autopilot
	After       string `yaml:"after"` // the one before; empty: a minute
	Body        string `yaml:"body"`
	Attachments []file `yaml:"attachments"`
	Status      string `yaml:"status"` // afterwards, by an agent; empty: it stays
	Note        string `yaml:"note"`   // internal, by an agent
}

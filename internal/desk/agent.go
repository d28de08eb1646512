package desk

import "time"

// Role is what an agent is for.
type Role string

// The roles of agents.
const (
	RoleAgent         Role = "agent"         // answers cases
	RoleLead          Role = "lead"          // and gives work to others, keeps teams and macros
	RoleAdministrator Role = "administrator" // and keeps agents, promises, calendars and settings
	RoleAuditor       Role = "auditor"       // sees everything, changes nothing
)

// Agent is somebody who works at the desk.
type Agent struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Email     string    `json:"email"` // unique
	Role      Role      `json:"role"`
	Active    bool      `json:"active"`
	Teams     []string  `json:"teams"`     // ids
	Services  []string  `json:"services"`  // service codes the agent knows; none: any
	Languages []string  `json:"languages"` // codes; none: any
	Capacity  int       `json:"capacity"`  // how many open cases are given to the agent; 0: none
	CreatedAt time.Time `json:"createdAt"`
	Version   int64     `json:"version"`
}

// Token lets an agent in. The secret is shown once and kept as its SHA-256: it
// has 256 random bits, which nobody guesses.
type Token struct {
	ID          string       `json:"id"`
	Agent       string       `json:"agent"`
	Name        string       `json:"name"`
	Permissions []Permission `json:"permissions"` // of those of the agent's role; none: all of them
	Hash        []byte       `json:"hash"`
	CreatedAt   time.Time    `json:"createdAt"`
	ExpiresAt   time.Time    `json:"expiresAt"`
	RevokedAt   time.Time    `json:"revokedAt,omitzero"`
	Version     int64        `json:"version"`
}

// Permission is what a route asks for.
type Permission string

// The permissions.
const (
	Read      Permission = "read"      // cases, queues, agents' names, teams, macros
	Work      Permission = "work"      // on cases
	Manage    Permission = "manage"    // other agents' work; teams and macros
	Configure Permission = "configure" // agents and their tokens, promises, calendars, settings
	Audit     Permission = "audit"     // the audit log
)

// Permissions returns what a role may do.
func (r Role) Permissions() []Permission {
	switch r {
	case RoleAgent:
		return []Permission{Read, Work}
	case RoleLead:
		return []Permission{Read, Work, Manage}
	case RoleAdministrator:
		return []Permission{Read, Work, Manage, Configure, Audit}
	case RoleAuditor:
		return []Permission{Read, Audit}
	}
	return nil
}

// Caller is an agent who asks for something.
type Caller struct {
	Agent     Agent
	TokenID   string       // empty for the command line beside the server
	Allowed   []Permission // of the role and of the token
	RequestID string

	// IfVersion is the version that the caller saw; 0: the caller did not say.
	IfVersion int64
	// Once identifies a request that may come again.
	Once Repeatable
}

// Repeatable identifies a request by a key that the caller chose, and what it
// asks for by a hash. The zero value is a request that is never the same as
// another one.
type Repeatable struct {
	Key  string
	Hash [32]byte
}

// Team is agents who share a queue.
type Team struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Services  []string `json:"services"`  // of cases that come to the team; none: any
	Languages []string `json:"languages"` // likewise
	Accounts  []string `json:"accounts"`  // likewise
	// Routing gives new cases to the team's agents, the one with the longest
	// wait first.
	Routing bool  `json:"routing"`
	Version int64 `json:"version"`
}

// Macro is an answer, and what follows it, that is used again and again. The
// texts may have variables such as {{case.displayId}}.
type Macro struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Body    string   `json:"body"`             // of a reply; empty: none
	Note    string   `json:"note,omitempty"`   // internal; empty: none
	Status  string   `json:"status,omitempty"` // as in [NewReply]
	AddTags []string `json:"addTags,omitempty"`
	Version int64    `json:"version"`
}

// Settings are of the desk as a whole.
type Settings struct {
	ProviderName       string `json:"providerName"`       // who replies, as customers see it
	WarnPercent        int    `json:"warnPercent"`        // of a promised time, after which a clock warns
	BreachingMinutes   int    `json:"breachingMinutes"`   // before its breach a case is in the view "breaching"
	DefaultReplyStatus string `json:"defaultReplyStatus"` // of a case after a reply that does not say
	Version            int64  `json:"version"`
}

// DefaultSettings are in force until somebody changes them.
func DefaultSettings() Settings {
	return Settings{
		ProviderName: "Amazon Web Services", WarnPercent: 75, BreachingMinutes: 60,
		DefaultReplyStatus: "pending-customer-action",
	}
}

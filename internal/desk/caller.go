package desk

import "slices"

// Permission is what a route asks for.
type Permission string

// The permissions.
const (
	Read      Permission = "read"      // cases, queues, agents' names, teams, macros
	Work      Permission = "work"      // on cases
	Manage    Permission = "manage"    // other agents' work; teams and macros
	Configure Permission = "configure" // agents and their tokens, promises, calendars, settings
	Audit     Permission = "audit"     // the audit log

	// itsOwn is what callers need for what is their own: no permission. Who may
	// do the same with what is others' is looked at there.
	itsOwn Permission = ""
)

// Caller is an agent who asks for something.
type Caller struct {
	Agent     Agent
	TokenID   string       // empty for the command line beside the server
	Allowed   []Permission // of the role and of the token
	RequestID string

	// IfVersion is the version that the caller saw; 0: the caller did not say.
	// See [NoVersion] and [AnyVersion].
	IfVersion int64
	// Once identifies a request that may come again.
	Once Repeatable

	limited bool // the token has permissions of its own
}

// Operator is the caller that the command line is, beside a server: whoever can
// open the database may do everything.
func Operator() Caller {
	return Caller{
		Agent:   Agent{ID: "operator", Name: "operator", Role: RoleAdministrator, Active: true},
		Allowed: RoleAdministrator.Permissions(),
	}
}

// Repeatable identifies a request by a key that the caller chose, and what it
// asks for by a hash. The zero value is a request that is never the same as
// another one.
type Repeatable struct {
	Key  string
	Hash [32]byte
}

// May reports whether the caller may do what needs the permission.
func (who Caller) May(p Permission) bool { return slices.Contains(who.Allowed, p) }

func (who Caller) need(p Permission) error {
	if p != itsOwn && !who.May(p) {
		return ErrDenied.With("This needs the permission %q.", p)
	}
	return nil
}

// actor is how the caller stands in the timelines of cases.
func (who Caller) actor() string { return "agent:" + who.Agent.ID }

// checkVersion refuses a change of what is no longer as the caller saw it.
// Version 0 is that of what is not there.
func (who Caller) checkVersion(version int64) error {
	seen := who.IfVersion
	switch {
	case seen == AnyVersion && version > 0:
		return nil
	case seen == AnyVersion:
		return ErrChanged.With("It is not there.")
	case seen == 0 || seen == version || seen == NoVersion && version == 0:
		return nil
	case version == 0:
		return ErrChanged.With("It is not there, not even in version %d.", seen)
	case seen == NoVersion:
		return ErrChanged.With("It is there by now, in version %d.", version)
	}
	return ErrChanged.With("It has version %d by now, not %d.", version, seen)
}

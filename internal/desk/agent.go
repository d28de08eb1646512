package desk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Role is what an agent is for.
type Role string

// The roles of agents.
const (
	RoleAgent         Role = "agent"         // answers cases
	RoleLead          Role = "lead"          // and gives work to others, keeps teams and macros
	RoleAdministrator Role = "administrator" // and keeps agents, promises, calendars and settings
	RoleAuditor       Role = "auditor"       // sees everything, changes nothing
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

// CreateAgent adds an agent; ID, CreatedAt and Version are filled in.
func (s *Service) CreateAgent(ctx context.Context, who Caller, a Agent) (Agent, error) {
	return change(ctx, s, who, Configure, Scope, func(tx Tx, done *audited) (Agent, error) {
		made, err := s.checkAgent(ctx, tx, a)
		if err != nil {
			return Agent{}, err
		}
		if made.ID, err = s.unusedID(ctx, tx, KindAgent, "agent-"); err != nil {
			return Agent{}, err
		}
		made.CreatedAt = s.now()
		made, err = insertDocument(ctx, tx, s.now(), made)
		done.Action, done.Subject, done.after = "agent.create", made.ID, made
		return made, err
	})
}

// UpdateAgent replaces the agent whose id, or e-mail address, is a.ID. One who is
// not active is refused from then on, whatever tokens there are. Nobody changes
// their own role, and one active administrator must remain.
func (s *Service) UpdateAgent(ctx context.Context, who Caller, a Agent) (Agent, error) {
	return change(ctx, s, who, Configure, Scope, func(tx Tx, done *audited) (Agent, error) {
		before, err := findAgent(ctx, tx, a.ID)
		if err != nil {
			return Agent{}, err
		}
		a.ID = before.ID
		if err := who.checkVersion(before.Version); err != nil {
			return Agent{}, err
		}
		after, err := s.checkAgent(ctx, tx, a)
		if err != nil {
			return Agent{}, err
		}
		if err := checkRoleChange(ctx, tx, who, before, after); err != nil {
			return Agent{}, err
		}
		after.CreatedAt, after.Version = before.CreatedAt, before.Version
		after, err = writeDocument(ctx, tx, s.now(), after)
		done.Action, done.Subject, done.before, done.after = "agent.update", after.ID, before, after
		return after, err
	})
}

// Agent returns an agent by id or e-mail address.
func (s *Service) Agent(ctx context.Context, who Caller, ref string) (a Agent, err error) {
	if err := who.need(Read); err != nil {
		return Agent{}, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		a, err = findAgent(ctx, tx, ref)
		return err
	})
	return a, err
}

// Agents returns all agents by id.
func (s *Service) Agents(ctx context.Context, who Caller) ([]Agent, error) {
	return viewDocuments[Agent](ctx, s, who)
}

// findAgent returns an agent by id or e-mail address.
func findAgent(ctx context.Context, tx Tx, ref string) (Agent, error) {
	if !strings.Contains(ref, "@") {
		return readDocument[Agent](ctx, tx, ref)
	}
	all, err := readDocuments[Agent](ctx, tx)
	if err != nil {
		return Agent{}, err
	}
	i := slices.IndexFunc(all, func(a Agent) bool { return strings.EqualFold(a.Email, ref) })
	if i < 0 {
		return Agent{}, ErrNotFound.With("There is no agent %q.", ref)
	}
	return all[i], nil
}

// maxCapacity is more open cases than anybody can have in mind.
const maxCapacity = 10_000

// checkAgent returns an agent with its lists in order, or what is wrong.
func (s *Service) checkAgent(ctx context.Context, tx Tx, a Agent) (Agent, error) {
	a.Teams, a.Services, a.Languages = inOrder(a.Teams), inOrder(a.Services), inOrder(a.Languages)
	if a.Role.Permissions() == nil {
		return a, ErrInvalid.With("There is no role %q; it must be agent, lead, administrator or auditor.", a.Role)
	}
	err := cmp.Or(
		CheckCapacity(a.Capacity),
		checkName("name of the agent", a.Name), checkEmail(a.Email),
		s.checkServices(a.Services), s.checkLanguages(a.Languages),
	)
	if err != nil {
		return a, err
	}
	for _, team := range a.Teams {
		if _, err := readDocument[Team](ctx, tx, team); err != nil {
			return a, asInvalid(err)
		}
	}
	return a, checkEmailUnused(ctx, tx, a)
}

func checkEmailUnused(ctx context.Context, tx Tx, a Agent) error {
	other, err := findAgent(ctx, tx, a.Email)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case other.ID != a.ID:
		return ErrConflict.With("The agent %s has the e-mail address %s already.", other.ID, other.Email)
	}
	return nil
}

// checkRoleChange keeps somebody who can undo what was done to agents.
func checkRoleChange(ctx context.Context, tx Tx, who Caller, before, after Agent) error {
	if before.administers() && !after.administers() {
		all, err := readDocuments[Agent](ctx, tx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(a Agent) bool { return a.ID != before.ID && a.administers() }) {
			return ErrConflict.With("The last active administrator must stay one.")
		}
	}
	if before.ID == who.Agent.ID && before.Role != after.Role {
		return ErrDenied.With("Agents cannot change their own role.")
	}
	return nil
}

// works reports whether cases can be given to the agent.
func (a Agent) works() bool { return a.Active && slices.Contains(a.Role.Permissions(), Work) }

func (a Agent) administers() bool { return a.Active && a.Role == RoleAdministrator }

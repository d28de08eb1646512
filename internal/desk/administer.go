package desk

import (
	"context"
	"time"
)

// Operator is the caller that the command line is, beside a server: whoever can
// open the database may do everything.
func Operator() Caller {
	return Caller{
		Agent:   Agent{ID: "operator", Name: "operator", Role: RoleAdministrator, Active: true},
		Allowed: RoleAdministrator.Permissions(),
	}
}

// Authenticate returns who has a token. ErrUnknownToken.
func (s *Service) Authenticate(ctx context.Context, token string) (Caller, error) {
	panic("not built")
}

// NewToken is what a token is made of.
type NewToken struct {
	Name        string
	Permissions []Permission  // none: all of the agent's role
	Life        time.Duration // 0: 90 days, at most a year
}

// CreateAgent adds an agent; ID, CreatedAt and Version are filled in.
func (s *Service) CreateAgent(ctx context.Context, who Caller, a Agent) (Agent, error) {
	panic("not built")
}

// UpdateAgent replaces an agent.
func (s *Service) UpdateAgent(ctx context.Context, who Caller, a Agent) (Agent, error) {
	panic("not built")
}

// Agent returns an agent by id or e-mail address.
func (s *Service) Agent(ctx context.Context, who Caller, ref string) (Agent, error) {
	panic("not built")
}

// Agents returns all agents by id.
func (s *Service) Agents(ctx context.Context, who Caller) ([]Agent, error) { panic("not built") }

// CreateToken makes a token and returns it with its text, which is never shown
// again. Agents make their own; those with Configure anybody's.
func (s *Service) CreateToken(ctx context.Context, who Caller, agent string, in NewToken) (Token, string, error) {
	panic("not built")
}

// Tokens returns the tokens of an agent.
func (s *Service) Tokens(ctx context.Context, who Caller, agent string) ([]Token, error) {
	panic("not built")
}

// RevokeToken ends a token.
func (s *Service) RevokeToken(ctx context.Context, who Caller, agent, token string) error {
	panic("not built")
}

// FirstAgent makes an administrator with a token in a store that has no agent
// yet, and returns the token's text; elsewhere it does nothing and returns "".
func (s *Service) FirstAgent(ctx context.Context) (string, error) { panic("not built") }

// Teams returns all teams.
func (s *Service) Teams(ctx context.Context, who Caller) ([]Team, error) { panic("not built") }

// PutTeam creates or replaces a team.
func (s *Service) PutTeam(ctx context.Context, who Caller, t Team) (Team, error) {
	panic("not built")
}

// DeleteTeam removes a team that has no agents and no open cases.
func (s *Service) DeleteTeam(ctx context.Context, who Caller, id string) error { panic("not built") }

// Macros returns all macros.
func (s *Service) Macros(ctx context.Context, who Caller) ([]Macro, error) { panic("not built") }

// PutMacro creates or replaces a macro.
func (s *Service) PutMacro(ctx context.Context, who Caller, m Macro) (Macro, error) {
	panic("not built")
}

// DeleteMacro removes a macro.
func (s *Service) DeleteMacro(ctx context.Context, who Caller, id string) error { panic("not built") }

// Calendars returns all calendars.
func (s *Service) Calendars(ctx context.Context, who Caller) ([]Calendar, error) {
	panic("not built")
}

// PutCalendar creates or replaces a calendar.
func (s *Service) PutCalendar(ctx context.Context, who Caller, c Calendar) (Calendar, error) {
	panic("not built")
}

// DeleteCalendar removes a calendar that no promise names.
func (s *Service) DeleteCalendar(ctx context.Context, who Caller, id string) error {
	panic("not built")
}

// Promises returns the promises that are set; others are those of the plans.
func (s *Service) Promises(ctx context.Context, who Caller) ([]Promise, error) {
	panic("not built")
}

// PutPromise creates or replaces a promise.
func (s *Service) PutPromise(ctx context.Context, who Caller, p Promise) (Promise, error) {
	panic("not built")
}

// DeletePromise goes back to that of the plan.
func (s *Service) DeletePromise(ctx context.Context, who Caller, id string) error {
	panic("not built")
}

// Settings returns the settings in force.
func (s *Service) Settings(ctx context.Context, who Caller) (Settings, error) { panic("not built") }

// PutSettings replaces the settings.
func (s *Service) PutSettings(ctx context.Context, who Caller, in Settings) (Settings, error) {
	panic("not built")
}

// Entries returns a page of the audit log, newest first.
func (s *Service) Entries(ctx context.Context, who Caller, q EntryQuery, limit int) ([]Entry, error) {
	panic("not built")
}

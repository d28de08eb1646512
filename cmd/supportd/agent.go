package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/server"
)

func agentColumns() []string {
	return []string{"ID", "NAME", "EMAIL", "ROLE", "STATE", "TEAMS", "SERVICES", "LANGUAGES", "CAPACITY", "CREATED"}
}

func agentCells(a desk.Agent) []string {
	state := "active"
	if !a.Active {
		state = "inactive"
	}
	return []string{
		a.ID, a.Name, a.Email, string(a.Role), state,
		orAny(a.Teams, "none"), orAny(a.Services, "any"), orAny(a.Languages, "any"), strconv.Itoa(a.Capacity), timeText(a.CreatedAt),
	}
}

// orAny joins a list, whose emptiness has a meaning.
func orAny(list []string, empty string) string {
	if len(list) == 0 {
		return empty
	}
	return strings.Join(list, ",")
}

func agentDocument(a desk.Agent, err error) (document, error) {
	return one(agentColumns(), a, agentCells), err
}

func (p *program) agentCommand() *cobra.Command {
	return group("agent", "Administer the agents who answer cases",
		p.agentCreate(), p.agentList(), p.agentUpdate(),
		p.agentActivity("deactivate", "Refuse an agent and all of the agent's tokens from now on", false),
		p.agentActivity("activate", "Let an agent in again", true),
		group("token", "Administer the tokens of agents", p.tokenCreate(), p.tokenList(), p.tokenRevoke()))
}

// bindAgent makes the flags of what an agent is.
func bindAgent(c *cobra.Command, a *desk.Agent) {
	c.Flags().StringVar(&a.Name, "name", "", "name of the agent, which customers never see")
	c.Flags().StringVar(&a.Email, "email", "", "e-mail address of the agent, which no other one has")
	c.Flags().StringVar((*string)(&a.Role), "role", string(desk.RoleAgent), "agent, lead, administrator or auditor")
	c.Flags().StringArrayVar(&a.Teams, "team", nil, "id of a team of the agent; may be repeated")
	c.Flags().StringArrayVar(&a.Services, "service", nil, "code of a service that the agent knows; may be repeated; none means any")
	c.Flags().StringArrayVar(&a.Languages, "language", nil, "code of a language of the agent; may be repeated; none means any")
	c.Flags().IntVar(&a.Capacity, "capacity", 0, "how many open cases are given to the agent; 0 means none")
}

func (p *program) agentCreate() *cobra.Command {
	a := desk.Agent{Active: true}
	c := p.admin("create", "Add an agent", func(ctx context.Context, s *server.Server) (document, error) {
		return agentDocument(s.Desk.CreateAgent(ctx, desk.Operator(), a))
	})
	bindAgent(c, &a)
	return require(c, "name", "email")
}

func (p *program) agentList() *cobra.Command {
	return p.admin("list", "List agents", func(ctx context.Context, s *server.Server) (document, error) {
		all, err := s.Desk.Agents(ctx, desk.Operator())
		return list(agentColumns(), all, agentCells), err
	})
}

func (p *program) agentUpdate() *cobra.Command {
	var ref string
	var in desk.Agent
	changes := map[string]func(*desk.Agent){
		"name":     func(a *desk.Agent) { a.Name = in.Name },
		"email":    func(a *desk.Agent) { a.Email = in.Email },
		"role":     func(a *desk.Agent) { a.Role = in.Role },
		"team":     func(a *desk.Agent) { a.Teams = withoutEmpty(in.Teams) },
		"service":  func(a *desk.Agent) { a.Services = withoutEmpty(in.Services) },
		"language": func(a *desk.Agent) { a.Languages = withoutEmpty(in.Languages) },
		"capacity": func(a *desk.Agent) { a.Capacity = in.Capacity },
	}
	var c *cobra.Command
	c = p.admin("update", "Change an agent: what is not given stays, and an empty value empties a list", func(ctx context.Context, s *server.Server) (document, error) {
		var given []func(*desk.Agent)
		for name, change := range changes {
			if c.Flags().Changed(name) {
				given = append(given, change)
			}
		}
		if given == nil {
			return document{}, usageError{errors.New("give at least one thing to change (see supportd agent update --help)")}
		}
		return changeAgent(ctx, s, ref, given...)
	})
	c.Flags().StringVar(&ref, "agent", "", "id or e-mail address of the agent")
	bindAgent(c, &in)
	return require(c, "agent")
}

func withoutEmpty(list []string) (filled []string) {
	for _, value := range list {
		if value != "" {
			filled = append(filled, value)
		}
	}
	return filled
}

func (p *program) agentActivity(use, short string, active bool) *cobra.Command {
	var ref string
	c := p.admin(use, short, func(ctx context.Context, s *server.Server) (document, error) {
		return changeAgent(ctx, s, ref, func(a *desk.Agent) { a.Active = active })
	})
	c.Flags().StringVar(&ref, "agent", "", "id or e-mail address of the agent")
	return require(c, "agent")
}

// changeAgent changes an agent unless somebody else does at the same time.
func changeAgent(ctx context.Context, s *server.Server, ref string, changes ...func(*desk.Agent)) (document, error) {
	who := desk.Operator()
	a, err := s.Desk.Agent(ctx, who, ref)
	if err != nil {
		return document{}, err
	}
	for _, change := range changes {
		change(&a)
	}
	who.IfVersion = a.Version
	return agentDocument(s.Desk.UpdateAgent(ctx, who, a))
}

func tokenColumns() []string {
	return []string{"ID", "NAME", "PERMISSIONS", "CREATED", "EXPIRES", "REVOKED"}
}

func tokenCells(t desk.Token) []string {
	var permissions []string
	for _, one := range t.Permissions {
		permissions = append(permissions, string(one))
	}
	return []string{t.ID, t.Name, orAny(permissions, "all"), timeText(t.CreatedAt), timeText(t.ExpiresAt), timeText(t.RevokedAt)}
}

// newTokenOutput is a new token with what is shown only once.
type newTokenOutput struct {
	desk.Token
	Text string `json:"token"`
}

func (p *program) tokenCreate() *cobra.Command {
	var ref string
	var in desk.NewToken
	var permissions []string
	c := p.admin("create", "Make a token, which is shown only once", func(ctx context.Context, s *server.Server) (document, error) {
		for _, one := range permissions {
			in.Permissions = append(in.Permissions, desk.Permission(one))
		}
		made, text, err := s.Desk.CreateToken(ctx, desk.Operator(), ref, in)
		return document{value: newTokenOutput{made, text}, rows: [][]string{{text}}}, err
	})
	c.Flags().StringVar(&ref, "agent", "", "id or e-mail address of the agent")
	c.Flags().StringVar(&in.Name, "name", "", "what the token is for")
	c.Flags().StringArrayVar(&permissions, "permission", nil, "read, work, manage, configure or audit; may be repeated; none means all of the agent's role")
	c.Flags().DurationVar(&in.Life, "duration", 90*24*time.Hour, "life of the token, at most 8760h")
	return require(c, "agent", "name")
}

func (p *program) tokenList() *cobra.Command {
	var ref string
	c := p.admin("list", "List the tokens of an agent", func(ctx context.Context, s *server.Server) (document, error) {
		all, err := s.Desk.Tokens(ctx, desk.Operator(), ref)
		return list(tokenColumns(), all, tokenCells), err
	})
	c.Flags().StringVar(&ref, "agent", "", "id or e-mail address of the agent")
	return require(c, "agent")
}

func (p *program) tokenRevoke() *cobra.Command {
	var ref, id string
	c := p.admin("revoke", "Refuse a token from now on", func(ctx context.Context, s *server.Server) (document, error) {
		return done("token %s is revoked", id), s.Desk.RevokeToken(ctx, desk.Operator(), ref, id)
	})
	c.Flags().StringVar(&ref, "agent", "", "id or e-mail address of the agent")
	c.Flags().StringVar(&id, "id", "", "the token's id, which stands between its underscores")
	return require(c, "agent", "id")
}

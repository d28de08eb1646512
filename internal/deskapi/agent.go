package deskapi

import (
	"context"
	"time"

	"github.com/supportd/supportd/internal/desk"
)

type me struct {
	Agent       agent             `json:"agent" doc:"Who the token lets in."`
	TokenID     string            `json:"tokenId" doc:"The id of the token."`
	Permissions []desk.Permission `json:"permissions" enum:"read work manage configure audit" doc:"What the token allows."`
}

func (a *API) me(_ context.Context, who desk.Caller, _ *none) (*me, error) {
	return &me{agent(who.Agent), who.TokenID, who.Allowed}, nil
}

// agent has the fields of desk.Agent, one by one: each converts to the other.
type agent struct {
	ID        string    `json:"id" in:"read-only" doc:"The id."`
	Name      string    `json:"name" in:"required" doc:"The name, for other agents."`
	Email     string    `json:"email" in:"required" doc:"The e-mail address, which no other agent has."`
	Role      desk.Role `json:"role" in:"required" enum:"agent lead administrator auditor" doc:"What the agent may do."`
	Active    bool      `json:"active" in:"required" doc:"Whether the agent is let in."`
	Teams     []string  `json:"teams" doc:"The ids of the agent's teams."`
	Services  []string  `json:"services" doc:"The service codes that the agent knows; none: any."`
	Languages []string  `json:"languages" doc:"The language codes that the agent knows; none: any."`
	Capacity  int       `json:"capacity" doc:"How many open cases the desk gives to the agent; 0: none."`
	CreatedAt time.Time `json:"createdAt" in:"read-only" doc:"When the agent was added."`
	Version   int64     `json:"version" in:"read-only" doc:"Counts the changes of the agent; its ETag is made of it."`
}

func newAgent(a desk.Agent) agent { return agent(a) }

func (a agent) version() int64 { return a.Version }

func (a *API) listAgents(ctx context.Context, who desk.Caller, _ *none) (*list[agent], error) {
	all, err := a.desk.Agents(ctx, who)
	return &list[agent]{shapes(all, newAgent)}, err
}

type agentInput struct {
	Agent string `path:"agent" doc:"The agent's id or e-mail address."`
}

func (a *API) getAgent(ctx context.Context, who desk.Caller, in *agentInput) (*agent, error) {
	found, err := a.desk.Agent(ctx, who, in.Agent)
	shown := agent(found)
	return &shown, err
}

type createAgentInput struct {
	New agent `body:"true"`
}

// newcomer is an agent who was just added.
type newcomer struct{ agent }

func (n newcomer) location() string { return "/desk/v1/agents/" + n.ID }

func (a *API) createAgent(ctx context.Context, who desk.Caller, in *createAgentInput) (*newcomer, error) {
	made, err := a.desk.CreateAgent(ctx, who, desk.Agent(in.New))
	return &newcomer{agent(made)}, err
}

type putAgentInput struct {
	agentInput
	New agent `body:"true"`
}

func (a *API) putAgent(ctx context.Context, who desk.Caller, in *putAgentInput) (*agent, error) {
	if who.IfVersion == 0 {
		return nil, errIfMatchNeeded
	}
	in.New.ID = in.Agent
	made, err := a.desk.UpdateAgent(ctx, who, desk.Agent(in.New))
	shown := agent(made)
	return &shown, err
}

// token never has its text, nor the hash of it.
type token struct {
	ID          string            `json:"id" doc:"The id."`
	Agent       string            `json:"agent" doc:"The id of the agent whom it lets in."`
	Name        string            `json:"name" doc:"What it is for."`
	Permissions []desk.Permission `json:"permissions" enum:"read work manage configure audit" doc:"What it allows, of what the agent's role does; none: all of that."`
	MadeBy      string            `json:"madeBy,omitzero" doc:"The id of the agent's token that made it; missing where the operator or somebody with configure did."`
	CreatedAt   time.Time         `json:"createdAt" doc:"When it was made."`
	ExpiresAt   time.Time         `json:"expiresAt" doc:"When it ends."`
	RevokedAt   time.Time         `json:"revokedAt,omitzero" doc:"When it was revoked; missing when it was not."`
}

func newToken(t desk.Token) token {
	return token{
		ID: t.ID, Agent: t.Agent, Name: t.Name, Permissions: t.Permissions, MadeBy: t.MadeBy,
		CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt,
	}
}

func (a *API) listTokens(ctx context.Context, who desk.Caller, in *agentInput) (*list[token], error) {
	all, err := a.desk.Tokens(ctx, who, in.Agent)
	return &list[token]{shapes(all, newToken)}, err
}

type createTokenInput struct {
	agentInput
	Name        string            `json:"name" in:"required" doc:"What it is for."`
	Permissions []desk.Permission `json:"permissions" enum:"read work manage configure audit" doc:"What it allows; none: all of the agent's role."`
	LifeSeconds int64             `json:"lifeSeconds" doc:"How long it is valid: 90 days without it, at most a year, and no longer than the agent's token that makes it."`
}

type createdToken struct {
	token
	Text string `json:"token" doc:"What the header Authorization takes after Bearer. It is never shown again."`
}

func (t createdToken) location() string { return "/desk/v1/agents/" + t.Agent + "/tokens/" + t.ID }

func (a *API) createToken(ctx context.Context, who desk.Caller, in *createTokenInput) (*createdToken, error) {
	const year = 365 * 24 * 60 * 60
	if in.LifeSeconds < 0 || in.LifeSeconds > year {
		return nil, errBody.With("The member lifeSeconds must be 1 to %d, which is a year; without it a token lives for 90 days.", year)
	}
	made, text, err := a.desk.CreateToken(ctx, who, in.Agent, desk.NewToken{
		Name: in.Name, Permissions: in.Permissions, Life: time.Duration(in.LifeSeconds) * time.Second,
	})
	return &createdToken{newToken(made), text}, err
}

type revokeTokenInput struct {
	agentInput
	Token string `path:"token" doc:"The token's id."`
}

func (a *API) revokeToken(ctx context.Context, who desk.Caller, in *revokeTokenInput) (*none, error) {
	return &none{}, a.desk.RevokeToken(ctx, who, in.Agent, in.Token)
}

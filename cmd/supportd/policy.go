package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
)

type policyRow struct {
	Name      string `json:"name"`
	Kind      string `json:"kind"` // managed or account
	ChangedAt string `json:"changedAt,omitempty"`
	Document  string `json:"document"`
}

func (r policyRow) cells() []string { return []string{r.Name, r.Kind, r.ChangedAt} }

type decisionRow struct {
	Principal string `json:"principal"`
	Action    string `json:"action"`
	Decision  string `json:"decision"`
}

func (r decisionRow) cells() []string { return []string{r.Principal, r.Action, r.Decision} }

func (p *program) policyCommand() *cobra.Command {
	return group("policy", "Administer policies", p.policyPut(), p.policyList(), p.policyDelete(),
		p.policyAttachment("attach", "Attach a policy to a user or role", func(ctx context.Context, s *server.Server, a attachment) error {
			return s.IAM.AttachPolicy(ctx, a.account, a.kind, a.name, a.policy)
		}),
		p.policyAttachment("detach", "Detach a policy from a user or role", func(ctx context.Context, s *server.Server, a attachment) error {
			return s.IAM.DetachPolicy(ctx, a.account, a.kind, a.name, a.policy)
		}),
		p.policySimulate())
}

func (p *program) policyPut() *cobra.Command {
	var account, name, file string
	c := p.admin("put", "Create or replace a policy of an account", func(ctx context.Context, s *server.Server) (document, error) {
		text, err := p.readFile(file)
		if err != nil {
			return document{}, err
		}
		return done("policy %s of account %s is in force", name, account), s.IAM.PutPolicy(ctx, account, name, string(text))
	})
	c.Flags().StringVar(&account, "account", "", "the account")
	c.Flags().StringVar(&name, "name", "", "name of the policy")
	c.Flags().StringVar(&file, "document", "", "`FILE` with the policy in IAM's JSON; - is standard input")
	return require(c, "account", "name", "document")
}

func (p *program) readFile(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(p.stdin)
	}
	return os.ReadFile(file)
}

func (p *program) policyList() *cobra.Command {
	var account string
	c := p.admin("list", "List the managed policies and those of an account", func(ctx context.Context, s *server.Server) (document, error) {
		var rows []policyRow
		for _, name := range iam.ManagedPolicies() {
			_, text, _ := iam.ManagedPolicy(name)
			rows = append(rows, policyRow{Name: name, Kind: "managed", Document: text})
		}
		own, err := s.IAM.Policies(ctx, account)
		for _, d := range own {
			rows = append(rows, policyRow{Name: d.Name, Kind: "account", ChangedAt: timeText(d.ChangedAt), Document: d.Document})
		}
		return list([]string{"NAME", "KIND", "CHANGED"}, rows, policyRow.cells), err
	})
	c.Flags().StringVar(&account, "account", "", "the account")
	return require(c, "account")
}

func (p *program) policyDelete() *cobra.Command {
	var account, name string
	c := p.admin("delete", "Delete a policy that is attached to nobody", func(ctx context.Context, s *server.Server) (document, error) {
		return done("policy %s of account %s is deleted", name, account), s.IAM.DeletePolicy(ctx, account, name)
	})
	c.Flags().StringVar(&account, "account", "", "the account")
	c.Flags().StringVar(&name, "name", "", "name of the policy")
	return require(c, "account", "name")
}

// attachment is a policy and the user or role that has it.
type attachment struct {
	principalFlags
	policy string
}

func (p *program) policyAttachment(use, short string, change func(context.Context, *server.Server, attachment) error) *cobra.Command {
	var a attachment
	c := p.admin(use, short, func(ctx context.Context, s *server.Server) (document, error) {
		if err := a.resolve(); err != nil {
			return document{}, err
		}
		return done("%sed policy %s: %s %s", use, a.policy, a.kind, a.name), change(ctx, s, a)
	})
	a.bind(c)
	c.Flags().StringVar(&a.policy, "policy", "", "the policy, managed or of the account")
	return require(c, "account", "policy")
}

func (p *program) policySimulate() *cobra.Command {
	var who principalFlags
	var actions []string
	c := p.admin("simulate", "Say what a user or role may do", func(ctx context.Context, s *server.Server) (document, error) {
		if err := who.resolve(); err != nil {
			return document{}, err
		}
		outcomes, err := s.IAM.Simulate(ctx, who.account, who.kind, who.name, actions)
		var rows []decisionRow
		for _, o := range outcomes {
			rows = append(rows, decisionRow{o.ARN, o.Action, o.Decision.String()})
		}
		return list([]string{"PRINCIPAL", "ACTION", "DECISION"}, rows, decisionRow.cells), err
	})
	who.bind(c)
	c.Flags().StringArrayVar(&actions, "action", nil, "action such as support:CreateCase; may be repeated")
	return require(c, "account", "action")
}

// principalFlags name a user or role.
type principalFlags struct {
	account, user, role string

	kind iam.PrincipalKind
	name string
}

func (f *principalFlags) bind(c *cobra.Command) {
	c.Flags().StringVar(&f.account, "account", "", "the account")
	c.Flags().StringVar(&f.user, "user", "", "a user")
	c.Flags().StringVar(&f.role, "role", "", "a role")
}

func (f *principalFlags) resolve() error {
	if (f.user == "") == (f.role == "") {
		return usageError{errors.New("give either --user NAME or --role NAME")}
	}
	f.kind, f.name = iam.User, f.user
	if f.role != "" {
		f.kind, f.name = iam.Role, f.role
	}
	return nil
}

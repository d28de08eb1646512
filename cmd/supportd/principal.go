package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
)

type principalRow struct {
	Account   string   `json:"account"`
	Name      string   `json:"name"`
	ID        string   `json:"id"`
	ARN       string   `json:"arn"`
	Policies  []string `json:"policies"`
	CreatedAt string   `json:"createdAt"`
}

func newPrincipalRow(p iam.Principal) principalRow {
	return principalRow{p.Account, p.Name, p.ID, p.ARN(), append([]string{}, p.Policies...), timeText(p.CreatedAt)}
}

func (r principalRow) cells() []string {
	return []string{r.Name, r.ID, r.ARN, strings.Join(r.Policies, ","), r.CreatedAt}
}

func principalColumns() []string {
	return []string{"NAME", "ID", "ARN", "POLICIES", "CREATED"}
}

func (p *program) userCommand() *cobra.Command {
	create := p.principalCreate("Add a user", func(ctx context.Context, s *server.Server, account, name string, policies []string) (iam.Principal, error) {
		return s.IAM.CreateUser(ctx, account, name, policies)
	})
	return group("user", "Administer users of an account", create, p.principalList(iam.User), p.principalDelete(iam.User))
}

func (p *program) roleCommand() *cobra.Command {
	create := p.principalCreate("Add a role", func(ctx context.Context, s *server.Server, account, name string, policies []string) (iam.Principal, error) {
		return s.IAM.CreateRole(ctx, account, name, policies)
	})
	return group("role", "Administer roles of an account", create, p.principalList(iam.Role), p.principalDelete(iam.Role), p.roleSession())
}

func (p *program) principalCreate(short string, create func(context.Context, *server.Server, string, string, []string) (iam.Principal, error)) *cobra.Command {
	var account, name string
	var policies []string
	c := p.admin("create", short, func(ctx context.Context, s *server.Server) (document, error) {
		made, err := create(ctx, s, account, name, policies)
		return one(principalColumns(), newPrincipalRow(made), principalRow.cells), err
	})
	c.Flags().StringVar(&account, "account", "", "the account")
	c.Flags().StringVar(&name, "name", "", "name of the user or role")
	c.Flags().StringArrayVar(&policies, "policy", nil, "policy to attach, managed or of the account; may be repeated")
	return require(c, "account", "name")
}

func (p *program) principalList(kind iam.PrincipalKind) *cobra.Command {
	var account string
	c := p.admin("list", "List the "+string(kind)+"s of an account", func(ctx context.Context, s *server.Server) (document, error) {
		all, err := s.IAM.Principals(ctx, account, kind)
		var rows []principalRow
		for _, one := range all {
			rows = append(rows, newPrincipalRow(one))
		}
		return list(principalColumns(), rows, principalRow.cells), err
	})
	c.Flags().StringVar(&account, "account", "", "the account")
	return require(c, "account")
}

func (p *program) principalDelete(kind iam.PrincipalKind) *cobra.Command {
	var account, name string
	c := p.admin("delete", "Delete a "+string(kind)+"; its keys and sessions end with it", func(ctx context.Context, s *server.Server) (document, error) {
		err := s.IAM.DeletePrincipal(ctx, account, kind, name)
		return done("%s %s of account %s is deleted", kind, name, account), err
	})
	c.Flags().StringVar(&account, "account", "", "the account")
	c.Flags().StringVar(&name, "name", "", "name of the "+string(kind))
	return require(c, "account", "name")
}

func (p *program) roleSession() *cobra.Command {
	var account, role, name string
	var life time.Duration
	c := p.admin("session", "Take on a role: print temporary credentials", func(ctx context.Context, s *server.Server) (document, error) {
		return newKeyDocument(s.IAM.CreateSession(ctx, account, role, name, life))
	})
	c.Flags().StringVar(&account, "account", "", "the account")
	c.Flags().StringVar(&role, "role", "", "the role")
	c.Flags().StringVar(&name, "name", "", "name of the session")
	c.Flags().DurationVar(&life, "duration", time.Hour, "life of the credentials, 15m to 12h")
	return require(c, "account", "role", "name")
}

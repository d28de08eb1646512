package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
)

type accountRow struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Email     string `json:"email"`
	Plan      string `json:"plan"`
	State     string `json:"state"`
	CreatedAt string `json:"createdAt"`
}

func newAccountRow(a iam.Account) accountRow {
	return accountRow{a.ID, a.Name, a.Email, a.Plan, string(a.State), timeText(a.CreatedAt)}
}

func (r accountRow) cells() []string {
	return []string{r.ID, r.Name, r.Email, r.Plan, r.State, r.CreatedAt}
}

func accountColumns() []string {
	return []string{"ID", "NAME", "EMAIL", "PLAN", "STATE", "CREATED"}
}

func accountDocument(a iam.Account, err error) (document, error) {
	return one(accountColumns(), newAccountRow(a), accountRow.cells), err
}

func (p *program) accountCommand() *cobra.Command {
	return group("account", "Administer accounts",
		p.accountCreate(), p.accountList(), p.accountShow(), p.accountUpdate(), p.accountClose())
}

func (p *program) accountCreate() *cobra.Command {
	var a iam.Account
	c := p.admin("create", "Open an account", func(ctx context.Context, s *server.Server) (document, error) {
		return accountDocument(s.IAM.CreateAccount(ctx, a))
	})
	c.Flags().StringVar(&a.ID, "id", "", "twelve digits")
	c.Flags().StringVar(&a.Name, "name", "", "name of the account")
	c.Flags().StringVar(&a.Email, "email", "", "e-mail address under which its cases are submitted")
	c.Flags().StringVar(&a.Plan, "plan", "business", "support plan: basic, developer, business, enterprise-on-ramp, enterprise, business-plus or unified-operations")
	return require(c, "id", "name", "email")
}

func (p *program) accountList() *cobra.Command {
	return p.admin("list", "List accounts", func(ctx context.Context, s *server.Server) (document, error) {
		all, err := s.IAM.Accounts(ctx)
		var rows []accountRow
		for _, a := range all {
			rows = append(rows, newAccountRow(a))
		}
		return list(accountColumns(), rows, accountRow.cells), err
	})
}

func (p *program) accountShow() *cobra.Command {
	var id string
	c := p.admin("show", "Show an account", func(ctx context.Context, s *server.Server) (document, error) {
		return accountDocument(s.IAM.Account(ctx, id))
	})
	c.Flags().StringVar(&id, "id", "", "the account")
	return require(c, "id")
}

func (p *program) accountUpdate() *cobra.Command {
	var id, name, email, plan string
	var c *cobra.Command
	c = p.admin("update", "Change name, e-mail address or plan of an account", func(ctx context.Context, s *server.Server) (document, error) {
		var change iam.AccountChange
		for _, f := range []struct {
			name  string
			value *string
			to    **string
		}{{"name", &name, &change.Name}, {"email", &email, &change.Email}, {"plan", &plan, &change.Plan}} {
			if c.Flags().Changed(f.name) {
				*f.to = f.value
			}
		}
		if change == (iam.AccountChange{}) {
			return document{}, usageError{errors.New("give at least one of --name, --email and --plan")}
		}
		return accountDocument(s.IAM.UpdateAccount(ctx, id, change))
	})
	c.Flags().StringVar(&id, "id", "", "the account")
	c.Flags().StringVar(&name, "name", "", "new name")
	c.Flags().StringVar(&email, "email", "", "new e-mail address")
	c.Flags().StringVar(&plan, "plan", "", "new support plan")
	return require(c, "id")
}

func (p *program) accountClose() *cobra.Command {
	var id string
	c := p.admin("close", "Close an account: its keys are refused from now on, its data stays", func(ctx context.Context, s *server.Server) (document, error) {
		return accountDocument(s.IAM.CloseAccount(ctx, id))
	})
	c.Flags().StringVar(&id, "id", "", "the account")
	return require(c, "id")
}

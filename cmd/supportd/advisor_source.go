package main

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/server"
)

// sourceRow is a source without its secrets.
type sourceRow struct {
	Account     string   `json:"account"`
	File        string   `json:"file,omitempty"`
	Endpoint    string   `json:"endpoint,omitempty"`
	Regions     []string `json:"regions,omitempty"`
	Role        string   `json:"role,omitempty"`
	ExternalID  string   `json:"externalId,omitempty"`
	Profile     string   `json:"profile,omitempty"`
	AccessKeyID string   `json:"accessKeyId,omitempty"`
	SetAt       string   `json:"setAt"`

	from string
}

func newSourceRow(account string, s advisor.Source, since time.Time) sourceRow {
	return sourceRow{account, s.File, s.Endpoint, s.Regions, s.Role, s.ExternalID, s.Profile, s.AccessKeyID, timeText(since), s.String()}
}

func (r sourceRow) cells() []string {
	return []string{r.Account, r.from, r.regions(), r.Role, r.SetAt}
}

func (r sourceRow) regions() string {
	switch {
	case len(r.Regions) > 0:
		return strings.Join(r.Regions, ",")
	case r.File != "":
		return "those of the file"
	case r.Endpoint != "":
		return "that of the AWS configuration"
	}
	return "all that are enabled"
}

func sourceDocument(ctx context.Context, s *server.Server, account string) (document, error) {
	source, since, err := s.Advisor.Source(ctx, account)
	row := newSourceRow(account, source.WithoutSecrets(), since)
	return one([]string{"ACCOUNT", "RESOURCES FROM", "REGIONS", "ROLE", "SET"}, row, sourceRow.cells), err
}

func (p *program) sourceSet() *cobra.Command {
	var f sourceFlags
	var c *cobra.Command
	c = p.admin("set", "Say where the resources of an account come from", func(ctx context.Context, s *server.Server) (document, error) {
		if err := f.resolve(c.Flags(), p.env); err != nil {
			return document{}, err
		}
		if err := f.absolute(); err != nil {
			return document{}, err
		}
		if err := s.Advisor.SetSource(ctx, f.account, f.Source); err != nil {
			return document{}, err
		}
		return sourceDocument(ctx, s, f.account)
	})
	c.Long = `Say where a server finds the resources of an account, for its Trusted Advisor
checks: an AWS account, another endpoint that speaks the APIs of AWS, or an inventory
that supportd inventory collect has written. Without any flag but --account it is AWS
with the credentials that the AWS SDK finds where the server runs. All checks are
refreshed from the new source.

Secrets are kept sealed and never shown again.`
	f.bind(c, "`ID` of the account")
	f.bindFile(c)
	return require(c, "account")
}

// absolute makes the file one that a server finds from its own folder, and
// opens it once.
func (s *sourceFlags) absolute() (err error) {
	if s.File == "" {
		return nil
	}
	if s.File, err = filepath.Abs(s.File); err != nil {
		return err
	}
	_, err = inventory.OpenFile(s.File)
	return err
}

func (p *program) sourceShow() *cobra.Command {
	var account string
	c := p.admin("show", "Show where the resources of an account come from", func(ctx context.Context, s *server.Server) (document, error) {
		return sourceDocument(ctx, s, account)
	})
	c.Flags().StringVar(&account, "account", "", "`ID` of the account")
	return require(c, "account")
}

func (p *program) sourceClear() *cobra.Command {
	var account string
	c := p.admin("clear", "Forget where the resources of an account come from", func(ctx context.Context, s *server.Server) (document, error) {
		return done("account %s has no source of resources any more", account), s.Advisor.ClearSource(ctx, account)
	})
	c.Flags().StringVar(&account, "account", "", "`ID` of the account")
	return require(c, "account")
}

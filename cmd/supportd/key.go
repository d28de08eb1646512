package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
)

type keyRow struct {
	AccessKeyID string `json:"accessKeyId"`
	Account     string `json:"account"`
	Kind        string `json:"kind"` // root, user or role
	Name        string `json:"name,omitempty"`
	Session     string `json:"session,omitempty"`
	Active      bool   `json:"active"`
	CreatedAt   string `json:"createdAt"`
	ExpiresAt   string `json:"expiresAt,omitempty"`
}

func newKeyRow(k iam.Key) keyRow {
	return keyRow{k.ID, k.Account, string(k.Kind), k.Name, k.SessionName, k.Active, timeText(k.CreatedAt), timeText(k.ExpiresAt)}
}

func (r keyRow) cells() []string {
	state := "active"
	if !r.Active {
		state = "inactive"
	}
	return []string{r.AccessKeyID, r.Kind, r.Name, r.Session, state, r.CreatedAt, r.ExpiresAt}
}

// newKeyOutput is a new key with what is shown only once.
type newKeyOutput struct {
	keyRow
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken,omitempty"`
}

// newKeyDocument prints a new key for people as lines to paste into a shell.
func newKeyDocument(k iam.NewKey, err error) (document, error) {
	d := document{value: newKeyOutput{newKeyRow(k.Key), k.Secret, k.SessionToken}}
	d.rows = [][]string{{"export AWS_ACCESS_KEY_ID=" + k.ID}, {"export AWS_SECRET_ACCESS_KEY=" + k.Secret}}
	if k.SessionToken != "" {
		d.rows = append(d.rows, []string{"export AWS_SESSION_TOKEN=" + k.SessionToken})
	}
	return d, err
}

func (p *program) keyCommand() *cobra.Command {
	return group("key", "Administer access keys", p.keyCreate(), p.keyList(),
		p.keyChange("deactivate", "Refuse a key from now on", "is inactive", func(ctx context.Context, s *server.Server, account, id string) error {
			return s.IAM.SetKeyActive(ctx, account, id, false)
		}),
		p.keyChange("activate", "Accept a key again", "is active", func(ctx context.Context, s *server.Server, account, id string) error {
			return s.IAM.SetKeyActive(ctx, account, id, true)
		}),
		p.keyChange("delete", "Delete a key", "is deleted", func(ctx context.Context, s *server.Server, account, id string) error {
			return s.IAM.DeleteKey(ctx, account, id)
		}))
}

func (p *program) keyCreate() *cobra.Command {
	var account, user string
	var root bool
	c := p.admin("create", "Make an access key; its secret is shown only once", func(ctx context.Context, s *server.Server) (document, error) {
		if root == (user != "") {
			return document{}, usageError{errors.New("give either --user NAME or --root")}
		}
		return newKeyDocument(s.IAM.CreateKey(ctx, account, user))
	})
	c.Flags().StringVar(&account, "account", "", "the account")
	c.Flags().StringVar(&user, "user", "", "the user")
	c.Flags().BoolVar(&root, "root", false, "a key of the account itself, which no policy limits")
	return require(c, "account")
}

func (p *program) keyList() *cobra.Command {
	var account string
	c := p.admin("list", "List the keys of an account", func(ctx context.Context, s *server.Server) (document, error) {
		all, err := s.IAM.Keys(ctx, account)
		var rows []keyRow
		for _, k := range all {
			rows = append(rows, newKeyRow(k))
		}
		return list([]string{"ACCESS KEY", "KIND", "NAME", "SESSION", "STATE", "CREATED", "EXPIRES"}, rows, keyRow.cells), err
	})
	c.Flags().StringVar(&account, "account", "", "the account")
	return require(c, "account")
}

func (p *program) keyChange(use, short, outcome string, change func(ctx context.Context, s *server.Server, account, id string) error) *cobra.Command {
	var account, id string
	c := p.admin(use, short, func(ctx context.Context, s *server.Server) (document, error) {
		return done("access key %s %s", id, outcome), change(ctx, s, account, id)
	})
	c.Flags().StringVar(&account, "account", "", "the account")
	c.Flags().StringVar(&id, "id", "", "the access key id")
	return require(c, "account", "id")
}

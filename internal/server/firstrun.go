package server

import (
	"context"

	"github.com/supportd/supportd/internal/iam"
)

// FirstAccountID is the account that the first run creates.
const FirstAccountID = "123456789012"

// FirstRun creates the first account and its access key in an empty store. It
// returns nil when the store has an account already.
func (s *Server) FirstRun(ctx context.Context) (*iam.NewKey, error) {
	return s.IAM.CreateFirstAccount(ctx, iam.Account{
		ID:    FirstAccountID,
		Name:  "First account",
		Email: "owner@example.com",
		Plan:  "enterprise",
	})
}

package server

import (
	"context"

	"github.com/supportd/supportd/internal/iam"
)

// FirstAccountID is the account that the first run creates.
const FirstAccountID = "123456789012"

// First is what the first run makes. What was there before is not shown again.
type First struct {
	Key       *iam.NewKey // nil: there was an account
	DeskToken string      // of the first agent; empty: there was an agent
}

// FirstRun creates the first account with its access key in a store without
// accounts, and the first agent with a token in one without agents.
func (s *Server) FirstRun(ctx context.Context) (First, error) {
	if err := s.beginRandom(ctx); err != nil {
		return First{}, err
	}
	key, err := s.firstAccount(ctx)
	if err != nil {
		return First{}, err
	}
	token, err := s.Desk.FirstAgent(ctx)
	return First{Key: key, DeskToken: token}, err
}

func (s *Server) firstAccount(ctx context.Context) (*iam.NewKey, error) {
	return s.IAM.CreateFirstAccount(ctx, iam.Account{
		ID:    FirstAccountID,
		Name:  "First account",
		Email: "owner@example.com",
		Plan:  "enterprise",
	})
}

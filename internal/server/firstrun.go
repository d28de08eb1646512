package server

import (
	"context"

	"github.com/supportd/supportd/internal/iam"
)

// FirstAccountID is the account that the first run creates.
const FirstAccountID = "123456789012"

// First is what the first run makes. What was there before is not shown again, but
// for the token in test mode.
type First struct {
	Key       *iam.NewKey // nil: there was an account
	DeskToken string      // of the first agent; empty: there was an agent
	Resumed   bool        // test mode goes on with what an earlier start has left
}

// FirstRun creates the first account with its access key in a store without
// accounts, and the first agent with a token in one without agents.
func (s *Server) FirstRun(ctx context.Context) (First, error) {
	if err := s.beginRandom(ctx); err != nil {
		return First{}, err
	}
	if token, resumed, err := s.recall(ctx); resumed || err != nil {
		return First{DeskToken: token, Resumed: resumed}, err
	}
	key, err := s.firstAccount(ctx)
	if err != nil {
		return First{}, err
	}
	token, err := s.Desk.FirstAgent(ctx)
	if err != nil {
		return First{}, err
	}
	return First{Key: key, DeskToken: token}, s.remember(ctx, token)
}

func (s *Server) firstAccount(ctx context.Context) (*iam.NewKey, error) {
	return s.IAM.CreateFirstAccount(ctx, iam.Account{
		ID:    FirstAccountID,
		Name:  "First account",
		Email: "owner@example.com",
		Plan:  "enterprise",
	})
}

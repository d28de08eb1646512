package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/server"
)

func teamColumns() []string {
	return []string{"ID", "NAME", "SERVICES", "LANGUAGES", "ACCOUNTS", "ROUTING"}
}

func teamCells(t desk.Team) []string {
	return []string{t.ID, t.Name, orAny(t.Services, "any"), orAny(t.Languages, "any"), orAny(t.Accounts, "any"), strconv.FormatBool(t.Routing)}
}

func (p *program) teamCommand() *cobra.Command {
	return group("team", "Administer the teams of agents", p.teamPut(), p.teamList(), p.teamDelete())
}

func (p *program) teamPut() *cobra.Command {
	var t desk.Team
	c := p.admin("put", "Create a team, or replace the one with the id", func(ctx context.Context, s *server.Server) (document, error) {
		put, err := s.Desk.PutTeam(ctx, desk.Operator(), t)
		return one(teamColumns(), put, teamCells), err
	})
	c.Flags().StringVar(&t.ID, "id", "", "lower-case letters, digits and hyphens")
	c.Flags().StringVar(&t.Name, "name", "", "name of the team")
	c.Flags().StringArrayVar(&t.Services, "service", nil, "code of a service whose cases come to the team; may be repeated; none means any")
	c.Flags().StringArrayVar(&t.Languages, "language", nil, "code of a language whose cases come to the team; may be repeated; none means any")
	c.Flags().StringArrayVar(&t.Accounts, "account", nil, "account whose cases come to the team; may be repeated; none means any")
	c.Flags().BoolVar(&t.Routing, "routing", false, "give new cases to the agents of the team")
	return require(c, "id", "name")
}

func (p *program) teamList() *cobra.Command {
	return p.admin("list", "List teams", func(ctx context.Context, s *server.Server) (document, error) {
		all, err := s.Desk.Teams(ctx, desk.Operator())
		return list(teamColumns(), all, teamCells), err
	})
}

func (p *program) teamDelete() *cobra.Command {
	var id string
	c := p.admin("delete", "Delete a team that has no agents and no open cases", func(ctx context.Context, s *server.Server) (document, error) {
		return done("team %s is deleted", id), s.Desk.DeleteTeam(ctx, desk.Operator(), id)
	})
	c.Flags().StringVar(&id, "id", "", "the team")
	return require(c, "id")
}

package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/server"
)

func (p *program) backupCommand() *cobra.Command {
	var c *cobra.Command
	c = p.command("backup FILE", "Write a backup into a new file, beside a running server", true, server.Open, func(ctx context.Context, s *server.Server) (document, error) {
		file := c.Flags().Arg(0)
		return done("backup is in %s; it holds secrets, guard it as you guard the data folder", file), s.Backup(ctx, file)
	})
	c.Args = oneArgument("FILE")
	return c
}

func (p *program) restoreCommand() *cobra.Command {
	c := &cobra.Command{Use: "restore FILE", Short: "Fill a new data folder from a backup", Args: oneArgument("FILE"), RunE: func(c *cobra.Command, args []string) error {
		config, err := p.settings.config(c.Flags(), p.env)
		if err != nil {
			return err
		}
		if config.Database != "" || config.Blobs != "" {
			return errors.New("restore fills a data folder: leave --database and --blobs unset")
		}
		if err := server.Restore(c.Context(), args[0], config.Data); err != nil {
			return err
		}
		return p.print(done("%s is restored from %s", config.Data, args[0]))
	}}
	p.bindJSON(c)
	return c
}

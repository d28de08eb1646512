package main

import (
	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/server"
)

func (p *program) importCommand() *cobra.Command {
	c := &cobra.Command{Use: "import DIR", Short: "Fill a new installation from an export", Args: oneArgument("DIR"), RunE: func(c *cobra.Command, args []string) error {
		config, err := p.settings.config(c.Flags(), p.env)
		if err != nil {
			return err
		}
		shown := newProgressLine(p.stderr)
		moved, err := server.Import(c.Context(), config, args[0], shown.tell)
		shown.end()
		if err != nil {
			return err
		}
		return p.print(movedDocument(moved, "%s is imported and verified; what was exported must not be served any more", args[0]))
	}}
	c.Long = `Fill a new installation, which --data, --database and --blobs name, from the folder
that supportd export has written. It needs the master key of the exported one.

An import that was interrupted goes on when it is run again. Nothing else opens
the installation before all of it has been compared with the export.`
	p.bindJSON(c)
	return c
}

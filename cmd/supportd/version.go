package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/server"
)

func (p *program) versionCommand() *cobra.Command {
	c := &cobra.Command{Use: "version", Short: "Print the version", Args: noArgs, RunE: func(*cobra.Command, []string) error {
		if p.json {
			return p.print(document{value: map[string]string{"version": server.Version()}})
		}
		_, err := fmt.Fprintf(p.stdout, "supportd %s\n", server.Version())
		return err
	}}
	p.bindJSON(c)
	return c
}

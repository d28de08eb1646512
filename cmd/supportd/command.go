package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/server"
)

// program is one run of the command line.
type program struct {
	env            []string
	stdin          io.Reader
	stdout, stderr io.Writer
	checks         fs.FS // the built-in pack

	settings settings
	json     bool // --json of administration commands
}

func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "supportd",
		Short:         "A self-hosted support service that speaks the AWS Support API",
		Long:          "supportd serves the AWS Support API and administers what it serves.\nWithout a subcommand it serves.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          p.serve,
		// Before every command: cobra would report these as errors of its own.
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return checkRequired(c) },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see %s --help)", err, c.CommandPath())}
	})
	p.settings.bind(root.PersistentFlags())
	p.settings.bindServe(root.Flags())
	serve := &cobra.Command{Use: "serve", Short: "Serve the API", Args: noArgs, RunE: p.serve}
	p.settings.bindServe(serve.Flags())
	root.AddCommand(serve,
		p.accountCommand(), p.userCommand(), p.roleCommand(), p.keyCommand(), p.policyCommand(), p.jobsCommand(),
		p.deskCommand(), p.agentCommand(), p.teamCommand(),
		p.advisorCommand(), p.inventoryCommand(),
		p.backupCommand(), p.restoreCommand(), p.exportCommand(), p.importCommand(), p.versionCommand(),
	)
	return root
}

// group makes a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, RunE: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usageError{fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())}
		}
		return c.Help()
	}}
	c.AddCommand(commands...)
	return c
}

// admin makes an administration command, which works on the database beside a
// server that may be running. work returns what to print.
func (p *program) admin(use, short string, work func(context.Context, *server.Server) (document, error)) *cobra.Command {
	return p.command(use, short, false, server.Administer, work)
}

// command makes a command that works on what open opens, perhaps only if it is
// there already.
func (p *program) command(use, short string, existing bool,
	open func(context.Context, server.Config) (*server.Server, error),
	work func(context.Context, *server.Server) (document, error),
) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: noArgs}
	p.bindJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		config, err := p.settings.config(c.Flags(), p.env)
		if err != nil {
			return err
		}
		config.Existing = existing
		s, err := open(c.Context(), config)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		if s.Fresh() { // perhaps a mistyped --data
			fmt.Fprintf(p.stderr, "supportd: %s is a new installation\n", config.Place())
		}
		found, err := work(c.Context(), s)
		if err != nil {
			return err
		}
		return p.print(found)
	}
	return c
}

func (p *program) bindJSON(c *cobra.Command) {
	c.Flags().BoolVar(&p.json, "json", false, "print one JSON document")
}

// require marks flags that must be given.
func require(c *cobra.Command, flags ...string) *cobra.Command {
	for _, name := range flags {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err) // the flag does not exist: a mistake of this program
		}
	}
	return c
}

func checkRequired(c *cobra.Command) error {
	if err := c.ValidateRequiredFlags(); err != nil {
		return usageError{fmt.Errorf("%w (see %s --help)", err, c.CommandPath())}
	}
	return nil
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command or argument %q for %q", args[0], c.CommandPath())}
	}
	return nil
}

// oneArgument wants one argument, which what names.
func oneArgument(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%s needs one %s", c.CommandPath(), what)}
		}
		return nil
	}
}

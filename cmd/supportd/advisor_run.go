package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/price"
	"github.com/supportd/supportd/internal/report"
	"github.com/supportd/supportd/internal/server"
)

// Exit codes of advisor run. What it found is told apart from not having run,
// a mistake in the command line among it.
const (
	exitYellow = 1
	exitRed    = 2
	exitNotRun = 3
)

type runFlags struct {
	source sourceFlags
	checks checkFlags

	output, out, failOn string
	verbose             bool
}

func (p *program) advisorRun() *cobra.Command {
	var f runFlags
	c := &cobra.Command{Use: "run", Short: "Run checks over an account or an inventory, without a server"}
	c.Long = `Run checks over the resources of an account, or over an inventory that supportd
inventory collect has written, without a server and without a data folder.

Exit codes:
  0  nothing was found that --fail-on names
  1  the worst check is yellow (warning)
  2  the worst check is red (error)
  3  the checks did not run: a mistake in the command line, an inventory that
     cannot be read, no check that could be computed

--fail-on error leaves out 1, and --fail-on none leaves out 1 and 2. A check that
is not available is neither: the report says why.`
	f.source.bind(c, "`ID` of the account (default: the one of the credentials or of the file)")
	f.source.bindFile(c)
	f.checks.bind(c)
	c.Flags().StringVar(&f.output, "output", "table", "`FORMAT` of the report: "+strings.Join(report.Formats(), ", "))
	c.Flags().StringVar(&f.out, "out", "", "`FILE` for the report (default: standard output)")
	c.Flags().StringVar(&f.failOn, "fail-on", "warning", "`STATUS` from which the exit code tells of findings: error, warning or none")
	c.Flags().BoolVar(&f.verbose, "verbose", false, "show every resource with all columns in a table")
	p.bindJSON(c)

	notRun := func(err error) error {
		if _, found := errors.AsType[exitError](err); found || err == nil {
			return err
		}
		return exitError{err, exitNotRun}
	}
	c.Args = func(c *cobra.Command, args []string) error { return notRun(noArgs(c, args)) }
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return notRun(fmt.Errorf("%w (see %s --help)", err, c.CommandPath()))
	})
	c.RunE = func(c *cobra.Command, _ []string) error { return notRun(p.runChecks(c, &f)) }
	return c
}

func (f *runFlags) check(json, outputGiven bool) error {
	if json && outputGiven && f.output != "json" {
		return fmt.Errorf("--json and --output %s: give one of them", f.output)
	}
	if json {
		f.output = "json"
	}
	if !slices.Contains(report.Formats(), f.output) {
		return fmt.Errorf("output %q: want one of %s", f.output, strings.Join(report.Formats(), ", "))
	}
	if !slices.Contains([]string{"error", "warning", "none"}, f.failOn) {
		return fmt.Errorf("fail-on %q: want error, warning or none", f.failOn)
	}
	return nil
}

func (p *program) runChecks(c *cobra.Command, f *runFlags) error {
	if err := f.check(p.json, c.Flags().Changed("output")); err != nil {
		return err
	}
	if err := f.source.resolve(c.Flags(), p.env); err != nil {
		return err
	}
	chosen, err := p.chosenChecks(&f.checks, c.Flags())
	if err != nil {
		return err
	}
	made, err := p.report(c.Context(), f, chosen)
	if err != nil {
		return err
	}
	if err := p.writeReport(made, f); err != nil {
		return err
	}
	return f.verdict(made, chosen)
}

func (p *program) report(ctx context.Context, f *runFlags, chosen []*check.Check) (*report.Report, error) {
	needed, err := needs(chosen)
	if err != nil {
		return nil, err
	}
	inv, release, err := p.open(ctx, &f.source, needed)
	defer release()
	if err != nil {
		return nil, err
	}
	results, err := check.Evaluation{Checks: chosen, Prices: price.Table()}.Run(ctx, inv)
	if err != nil {
		return nil, err
	}
	return report.New(server.Version(), inv.Header(), chosen, results), nil
}

func (p *program) writeReport(r *report.Report, f *runFlags) error {
	write := func(w io.Writer) error {
		if f.output == "table" {
			return r.Table(w, report.TableOptions{Color: f.out == "" && p.colors(), Verbose: f.verbose, Width: terminalWidth(w)})
		}
		return r.Write(w, f.output)
	}
	if f.out == "" {
		return write(p.stdout)
	}
	return writeFile(f.out, write)
}

// verdict turns what was found into the exit code.
func (f *runFlags) verdict(r *report.Report, chosen []*check.Check) error {
	n := r.Counts()
	worst := r.Worst()
	switch {
	case worst == check.NotAvailable && slices.ContainsFunc(chosen, func(c *check.Check) bool { return c.Unavailable == "" }):
		return exitError{errors.New("no check could be computed"), exitNotRun}
	case worst == check.Error && f.failOn != "none":
		return exitError{fmt.Errorf("found: %d error, %d warning", n.Error, n.Warning), exitRed}
	case worst == check.Warning && f.failOn == "warning":
		return exitError{fmt.Errorf("found: %d warning", n.Warning), exitYellow}
	}
	return nil
}

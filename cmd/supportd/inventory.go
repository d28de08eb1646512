package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/collect"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/server"
)

func (p *program) inventoryCommand() *cobra.Command {
	return group("inventory", "Collect what accounts have", p.inventoryCollect())
}

func (p *program) inventoryCollect() *cobra.Command {
	var source sourceFlags
	var which checkFlags
	var out string
	var all bool
	c := &cobra.Command{Use: "collect", Short: "Write the resources of an account into a file", Args: noArgs}
	c.Long = `Write the resources of an account into a file, from which supportd advisor run
computes the same as from the account. It has what the chosen checks need, or all
that is known with --all; docs/resources.md lists it.

A call that fails is written down, told on standard error, and makes the checks
that need it unavailable.`
	source.bind(c, "`ID` of the account (default: the one of the credentials)")
	which.bind(c)
	c.Flags().StringVar(&out, "out", "", "`FILE` to write; it is replaced when the inventory is complete")
	c.Flags().BoolVar(&all, "all", false, "everything that is known, not only what checks need")
	p.bindJSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if all && (len(which.patterns) > 0 || len(which.categories) > 0) {
			return usageError{errors.New("give either --all or --check and --category")}
		}
		if err := source.resolve(c.Flags(), p.env); err != nil {
			return err
		}
		wanted := everything()
		if !all {
			chosen, err := p.chosenChecks(&which, c.Flags())
			if err != nil {
				return err
			}
			if wanted, err = needs(chosen); err != nil {
				return err
			}
		}
		err := writeFile(out, func(w io.Writer) error { return p.collect(c.Context(), &source, wanted, w) })
		if err != nil {
			return err
		}
		return p.tellInventory(c.Context(), out)
	}
	return require(c, "out")
}

// everything is all kinds with all their parts.
func everything() inventory.Needs {
	all := inventory.Needs{}
	for _, kind := range collect.Kinds() {
		all.Add(kind.Name)
		for _, f := range kind.Type.Fields() {
			if f.Part != "" {
				all.Add(kind.Name, f.Name)
			}
		}
	}
	return all
}

// collect writes an inventory, and shows on a terminal how far it is.
func (p *program) collect(ctx context.Context, s *sourceFlags, needs inventory.Needs, w io.Writer) error {
	collector := &collect.Collector{}
	if isTerminal(p.stderr) {
		shown := newProgressLine(p.stderr)
		defer shown.end()
		collector.Progress = func(done, total int, _, _ string) {
			shown.tell(server.Progress{What: "collecting", Done: int64(done), Total: int64(total), Unit: "lists"})
		}
	}
	return collector.Collect(ctx, s.Source, s.account, time.Now().UTC().Truncate(time.Second), needs, w)
}

type inventoryRow struct {
	File      string              `json:"file"`
	Account   string              `json:"account"`
	Resources int                 `json:"resources"`
	Kinds     map[string]int      `json:"kinds"` // how many resources
	Failures  []inventory.Failure `json:"failures"`
}

// tellInventory reads what was written and says what it is.
func (p *program) tellInventory(ctx context.Context, name string) error {
	file, err := inventory.OpenFile(name)
	if err != nil {
		return err
	}
	row := inventoryRow{File: name, Account: file.Header().Account, Kinds: map[string]int{}, Failures: []inventory.Failure{}}
	for _, kind := range file.Header().Needs.Kinds() {
		row.Kinds[kind] = 0
	}
	summary, err := file.Read(ctx, func(r inventory.Resource) error {
		row.Kinds[r.Kind]++
		return nil
	})
	if err != nil {
		return err
	}
	row.Resources = summary.Resources
	row.Failures = append(row.Failures, summary.Failures...)
	p.tellFailures(summary.Failures)
	text := fmt.Sprintf("%s is an inventory of account %s: %d resources of %d kinds", name, row.Account, row.Resources, len(row.Kinds))
	return p.print(document{rows: [][]string{{text}}, value: row})
}

// shownFailures is how many failures are told on standard error; the file has all.
const shownFailures = 20

// tellFailures tells what failed for the same cause in one line.
func (p *program) tellFailures(all []inventory.Failure) {
	var calls []inventory.Failure // without their regions
	regions := map[inventory.Failure][]string{}
	for _, f := range all {
		region := cmp.Or(f.Region, "the account")
		f.Region = ""
		if regions[f] == nil {
			calls = append(calls, f)
		}
		regions[f] = append(regions[f], region)
	}
	for i, f := range calls {
		if i == shownFailures {
			fmt.Fprintf(p.stderr, "supportd: and %d more\n", len(calls)-i)
			return
		}
		what := f.Kind
		if f.Part != "" {
			what += "." + f.Part
		}
		fmt.Fprintf(p.stderr, "supportd: not read: %s in %s: %s\n", what, strings.Join(regions[f], ", "), f.Cause)
	}
}

// writeFile replaces a file by a private one with what write writes, or leaves
// it as it was. What is no file, such as /dev/null, is written into.
func writeFile(name string, write func(io.Writer) error) (err error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return writeInto(name, write)
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(f)
	if err = write(buffered); err == nil {
		err = buffered.Flush()
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func writeInto(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

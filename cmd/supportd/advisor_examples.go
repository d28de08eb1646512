package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/collect"
)

// exampleRow is what came out of the examples of a check.
type exampleRow struct {
	ID     string   `json:"id"`
	Path   string   `json:"path"`
	Result string   `json:"result"` // ok, failed, or skipped for a check that cannot be computed
	Errors []string `json:"errors"`
}

func (r exampleRow) text() string {
	lines := []string{fmt.Sprintf("%-8s%s", r.Result, r.Path)}
	for _, e := range r.Errors {
		lines = append(lines, "        "+strings.ReplaceAll(e, "\t", " "))
	}
	return strings.Join(lines, "\n")
}

func (p *program) advisorTest() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{Use: "test [DIR...]", Short: "Run the examples of packs of checks", Args: cobra.ArbitraryArgs}
	c.Long = `Evaluate the examples in the cases.yaml of every check of folders, without any
those of the built-in pack, and say of each check whether they come out as they
say. The exit code is 1 when one does not.`
	f.bindPatterns(c)
	p.bindJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		folders, err := p.packFolders(args)
		if err != nil {
			return err
		}
		rows, failed := []exampleRow{}, 0
		var known []*check.Check
		under := map[*check.Check]string{}
		for _, folder := range folders {
			pack, err := check.Load(collect.Kinds(), folder)
			if err != nil {
				return fmt.Errorf("%s: %w", folder.name, err)
			}
			for _, one := range pack.Checks() {
				known, under[one] = append(known, one), folder.name
			}
		}
		chosen, err := f.choose(known)
		if err != nil {
			return err
		}
		for _, one := range chosen {
			row := exampleRow{ID: one.ID, Path: filepath.Join(under[one], one.Path), Result: "ok", Errors: []string{}}
			if one.Unavailable != "" {
				row.Result = "skipped"
			}
			if err := one.Test(c.Context()); err != nil {
				row.Result, failed = "failed", failed+1
				row.Errors = strings.Split(strings.ReplaceAll(err.Error(), one.Path+": ", ""), "\n")
			}
			rows = append(rows, row)
		}
		if err := p.print(examplesDocument(rows)); err != nil {
			return err
		}
		if failed > 0 {
			return fmt.Errorf("the examples of %d of %d checks come out differently", failed, len(rows))
		}
		return nil
	}
	return c
}

func examplesDocument(rows []exampleRow) document {
	d := document{value: rows}
	for _, row := range rows {
		d.rows = append(d.rows, []string{row.text()})
	}
	return d
}

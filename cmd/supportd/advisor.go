package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/collect"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/report"
)

func (p *program) advisorCommand() *cobra.Command {
	return group("advisor", "Run, write and administer Trusted Advisor checks",
		p.advisorRun(), p.advisorChecks(), p.advisorLint(), p.advisorTest(),
		group("source", "Administer where the resources of accounts come from", p.sourceSet(), p.sourceShow(), p.sourceClear()))
}

// sourceFlags say where resources come from. Each has an environment name, so
// that secrets need not be in a command line.
type sourceFlags struct {
	account string
	advisor.Source
}

func (s *sourceFlags) bind(c *cobra.Command, account string) {
	flags := c.Flags()
	flags.StringVar(&s.account, "account", "", account)
	flags.StringVar(&s.Endpoint, "endpoint", "", "`URL` of an endpoint that speaks the APIs of AWS (default: AWS itself)")
	flags.StringSliceVar(&s.Regions, "regions", nil, "`REGIONS` to read, separated by commas (default: all that the account has enabled; with --endpoint that of the AWS configuration, or us-east-1)")
	flags.StringVar(&s.Role, "role", "", "`ARN` of a role to assume")
	flags.StringVar(&s.ExternalID, "external-id", "", "external `ID` for the role")
	flags.StringVar(&s.Profile, "profile", "", "`NAME` of a profile of the shared AWS configuration")
	flags.StringVar(&s.AccessKeyID, "access-key", "", "access key `ID` (default: what the AWS SDK finds)")
	flags.StringVar(&s.SecretAccessKey, "secret-key", "", "`SECRET` of the access key; better in SUPPORTD_SECRET_KEY")
	flags.StringVar(&s.SessionToken, "session-token", "", "`TOKEN` of a temporary access key; better in SUPPORTD_SESSION_TOKEN")
}

func (s *sourceFlags) bindFile(c *cobra.Command) {
	c.Flags().StringVar(&s.File, "file", "", "inventory `FILE` to read instead of an account")
}

// liveFlags are the flags of a source that is not a file.
func liveFlags() []string {
	return []string{"endpoint", "regions", "role", "external-id", "profile", "access-key", "secret-key", "session-token"}
}

// resolve takes what no flag says from the environment. A flag for a file or
// for an account that is read leaves the environment's of the other kind alone.
func (s *sourceFlags) resolve(flags *pflag.FlagSet, env []string) error {
	file, live := flags.Changed("file"), slices.ContainsFunc(liveFlags(), flags.Changed)
	var names []string
	if !live && flags.Lookup("file") != nil {
		names = append(names, "file")
	}
	if !file {
		names = append(names, liveFlags()...)
	}
	if err := fromEnvironment(flags, env, append(names, "account")...); err != nil {
		return err
	}
	if s.File != "" && slices.ContainsFunc(liveFlags(), flags.Changed) {
		return usageError{errors.New("give either --file or an account to read, such as --endpoint and --regions")}
	}
	if (s.AccessKeyID == "") != (s.SecretAccessKey == "") {
		return usageError{errors.New("an access key needs both --access-key and --secret-key")}
	}
	return nil
}

// fromEnvironment sets flags that were not given.
func fromEnvironment(flags *pflag.FlagSet, env []string, names ...string) error {
	for _, name := range names {
		value := lookup(env, environmentName(name))
		if value == "" || flags.Changed(name) {
			continue
		}
		if err := flags.Set(name, value); err != nil {
			return fmt.Errorf("%s: %w", environmentName(name), err)
		}
	}
	return nil
}

// checkFlags say which checks are meant.
type checkFlags struct {
	folder     string
	patterns   []string
	categories []string
}

func (f *checkFlags) bind(c *cobra.Command) {
	c.Flags().StringVar(&f.folder, "checks", "", "`DIR` of a pack of your own; its checks come besides the built-in ones, or replace those of the same id")
	f.bindPatterns(c)
	c.Flags().StringSliceVar(&f.categories, "category", nil, "`CATEGORY` of checks: "+strings.Join(report.Categories(), ", ")+"; may be repeated")
}

func (f *checkFlags) bindPatterns(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.patterns, "check", nil, "`CHECK` by id, slug or category/slug, with * for anything; may be repeated")
}

// chosenChecks returns the checks that are meant, of the built-in pack and that of the
// flag.
func (p *program) chosenChecks(f *checkFlags, flags *pflag.FlagSet) ([]*check.Check, error) {
	if err := fromEnvironment(flags, p.env, "checks"); err != nil {
		return nil, err
	}
	folders := []fs.FS{p.checks}
	if f.folder != "" {
		own, err := check.Folder(f.folder)
		if err != nil {
			return nil, err
		}
		folders = append(folders, own)
	}
	pack, err := check.Load(collect.Kinds(), folders...)
	if err != nil {
		return nil, err
	}
	return f.choose(pack.Checks())
}

// choose returns the checks that the flags name, all when they name none. A
// name that none has is a mistake.
func (f *checkFlags) choose(all []*check.Check) ([]*check.Check, error) {
	for _, c := range f.categories {
		if !slices.Contains(report.Categories(), c) {
			return nil, usageError{fmt.Errorf("no category %q: want one of %s", c, strings.Join(report.Categories(), ", "))}
		}
	}
	found := map[string]bool{}
	var chosen []*check.Check
	for _, c := range all {
		named := len(f.patterns) == 0
		for _, pattern := range f.patterns {
			ok, err := matches(pattern, c)
			if err != nil {
				return nil, usageError{fmt.Errorf("check %q: %w", pattern, err)}
			}
			named, found[pattern] = named || ok, found[pattern] || ok
		}
		if named && (len(f.categories) == 0 || slices.Contains(f.categories, c.Category)) {
			chosen = append(chosen, c)
		}
	}
	for _, pattern := range f.patterns {
		if !found[pattern] {
			return nil, usageError{fmt.Errorf("no check %q: see supportd advisor checks", pattern)}
		}
	}
	if len(chosen) == 0 {
		return nil, usageError{errors.New("no check is in these categories")}
	}
	return chosen, nil
}

// matches reports whether a check has an id, slug or category/slug.
func matches(pattern string, c *check.Check) (bool, error) {
	for _, name := range []string{c.ID, path.Base(c.Path), c.Path} {
		if ok, err := path.Match(pattern, name); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// needs returns what the checks are computed from. It finds the ones that do
// not compile.
func needs(all []*check.Check) (inventory.Needs, error) {
	total := inventory.Needs{}
	var errs []error
	for _, c := range all {
		one, err := c.Needs()
		errs = append(errs, err)
		total.AddAll(one)
	}
	return total, errors.Join(errs...)
}

type checkRow struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Category    string `json:"category"`
	Path        string `json:"path"`
	Refresh     string `json:"refresh"` // manual or automatic
	Available   bool   `json:"available"`
	Unavailable string `json:"unavailable,omitempty"` // why
}

func newCheckRow(c *check.Check) checkRow {
	row := checkRow{c.ID, c.Name, c.Category, c.Path, "manual", c.Unavailable == "", c.Unavailable}
	if c.Automatic {
		row.Refresh = "automatic"
	}
	return row
}

func (r checkRow) cells() []string {
	available := "computed"
	if !r.Available {
		available = "not available: " + r.Unavailable
	}
	return []string{r.ID, r.Path, r.Name, r.Refresh, available}
}

func (p *program) advisorChecks() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{Use: "checks", Short: "List the checks that are known", Args: noArgs, RunE: func(c *cobra.Command, _ []string) error {
		found, err := p.chosenChecks(&f, c.Flags())
		if err != nil {
			return err
		}
		var rows []checkRow
		for _, c := range found {
			rows = append(rows, newCheckRow(c))
		}
		return p.print(list([]string{"ID", "CATEGORY/SLUG", "NAME", "REFRESH", "RESULT"}, rows, checkRow.cells))
	}}
	f.bind(c)
	p.bindJSON(c)
	return c
}

// open returns the inventory of a source, collected into a file of its own
// that release removes.
func (p *program) open(ctx context.Context, s *sourceFlags, needs inventory.Needs) (inv inventory.Inventory, release func(), err error) {
	release = func() {}
	name := s.File
	if name == "" {
		file, err := os.CreateTemp("", "supportd-inventory-*")
		if err != nil {
			return nil, release, err
		}
		name = file.Name()
		release = func() { _ = os.Remove(name) } // a temporary file: the system removes what is left
		if err := errors.Join(p.collect(ctx, s, needs, file), file.Close()); err != nil {
			return nil, release, err
		}
	}
	opened, err := inventory.OpenFile(name)
	if err != nil {
		return nil, release, err
	}
	if owner := opened.Header().Account; s.account != "" && owner != s.account {
		return nil, release, fmt.Errorf("%s is an inventory of account %s, not of %s", name, owner, s.account)
	}
	return opened, release, nil
}

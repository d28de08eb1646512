package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/supportd/supportd/internal/jobs"
	"github.com/supportd/supportd/internal/server"
)

type jobRow struct {
	Account string `json:"account"` // empty: a job of the installation
	Kind    string `json:"kind"`
	ID      string `json:"id"`
	Key     string `json:"key,omitempty"`
	State   string `json:"state"`
	Attempt int    `json:"attempt"`
	RunAt   string `json:"runAt,omitempty"` // none: at once
	Error   string `json:"error,omitempty"`
}

func newJobRow(j jobs.Job) jobRow {
	return jobRow{j.Account, j.Kind, j.ID, j.Key, string(j.State), j.Attempt, timeText(j.RunAt), j.Error}
}

func (r jobRow) cells() []string {
	return []string{r.Account, r.Kind, r.ID, r.State, strconv.Itoa(r.Attempt), r.RunAt, oneLine(r.Error)}
}

// oneLine returns the beginning of a text that may be long and have many lines.
func oneLine(text string) string {
	const most = 80
	return cutText(joined(text), most)
}

// joined returns a text in a single line.
func joined(text string) string { return strings.Join(strings.Fields(text), " ") }

func (p *program) jobsCommand() *cobra.Command {
	return group("jobs", "Look after work that is done in the background", p.jobsList(),
		p.jobsChange("retry", "Try dead jobs again", "tried again", (*jobs.Runner).Retry, (*jobs.Runner).RetryAll),
		p.jobsChange("discard", "Remove dead jobs for good", "removed", (*jobs.Runner).Discard, (*jobs.Runner).DiscardAll))
}

func (p *program) jobsList() *cobra.Command {
	var account, kind, state string
	var limit int
	var c *cobra.Command
	c = p.command("list", "List jobs that are not done", true, server.Administer, func(ctx context.Context, s *server.Server) (document, error) {
		f, err := jobFilter(c.Flags(), account, kind, state)
		if err != nil {
			return document{}, err
		}
		if limit < 1 {
			return document{}, usageError{fmt.Errorf("--limit %d: want 1 or more", limit)}
		}
		all, err := s.Jobs.List(ctx, f, limit)
		var rows []jobRow
		for _, j := range all {
			rows = append(rows, newJobRow(j))
		}
		return list([]string{"ACCOUNT", "KIND", "ID", "STATE", "ATTEMPT", "RUN AT", "ERROR"}, rows, jobRow.cells), err
	})
	bindJobs(c, &account, &kind)
	c.Flags().StringVar(&state, "state", "", "waiting, running or dead; any without")
	c.Flags().IntVar(&limit, "limit", 1000, "list so many at most")
	return c
}

func bindJobs(c *cobra.Command, account, kind *string) {
	c.Flags().StringVar(account, "account", "", `the account; "" is the installation itself`)
	c.Flags().StringVar(kind, "kind", "", "the kind of jobs")
}

func jobFilter(flags *pflag.FlagSet, account, kind, state string) (jobs.Filter, error) {
	f := jobs.Filter{Kind: kind, State: jobs.State(state)}
	if flags.Changed("account") {
		f.Account = &account
	}
	switch f.State {
	case "", jobs.Waiting, jobs.Running, jobs.Dead:
		return f, nil
	}
	return f, usageError{fmt.Errorf("--state %q: want waiting, running or dead", state)}
}

func (p *program) jobsChange(use, short, outcome string,
	some func(*jobs.Runner, context.Context, string, ...string) error,
	every func(*jobs.Runner, context.Context, jobs.Filter) (int, error),
) *cobra.Command {
	var account, kind string
	var all bool
	var c *cobra.Command
	c = p.command(use+" [ID...]", short, true, server.Administer, func(ctx context.Context, s *server.Server) (document, error) {
		ids := c.Flags().Args()
		if all {
			f, err := jobFilter(c.Flags(), account, kind, "")
			if err != nil {
				return document{}, err
			}
			n, err := every(s.Jobs, ctx, f)
			return done("dead jobs %s: %d", outcome, n), err
		}
		return done("job %s: %s", strings.Join(ids, ", "), outcome), some(s.Jobs, ctx, account, ids...)
	})
	c.Long = short + ".\nThe ids are those of one account or, without --account, of the installation.\nWith --all instead of ids it is all dead jobs, of one account and kind where these are given."
	c.Args = func(c *cobra.Command, ids []string) error {
		switch {
		case all == (len(ids) > 0):
			return usageError{errors.New("give either the ids of jobs or --all")}
		case !all && c.Flags().Changed("kind"):
			return usageError{errors.New("--kind goes with --all")}
		}
		return nil
	}
	bindJobs(c, &account, &kind)
	c.Flags().BoolVar(&all, "all", false, "all dead jobs")
	return c
}

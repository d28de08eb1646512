package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The commands of the desk are clients of the desk API: agents work from their
// own machines, with a token and without the database.

// deskFlags say which desk, and who asks.
type deskFlags struct{ url, token string }

func (p *program) deskCommand() *cobra.Command {
	var f deskFlags
	c := group("desk", "Work on cases as an agent, through the desk API of a server",
		p.deskQueue(&f), p.deskViews(&f), p.deskShow(&f), p.deskTimeline(&f), p.deskAttachment(&f),
		p.deskClaim(&f), p.deskAssign(&f), p.deskReply(&f), p.deskNote(&f), p.deskMacro(&f),
		p.deskStatus(&f), p.deskResolve(&f), p.deskSeverity(&f), p.deskTag(&f),
		p.deskLink(&f), p.deskUnlink(&f), p.deskMerge(&f), p.deskUnmerge(&f))
	c.Long = `Work on cases as an agent, through the desk API of a server that may be anywhere.

It takes the address of the server and a token of an agent. The first run of a
server prints a token of the first agent; the operator makes others, beside the
server:

  supportd agent create --name Jo --email jo@example.com
  supportd agent token create --agent jo@example.com --name laptop

CASE is a case id or the shorter display id, which the queue shows.`
	c.Example = `  export SUPPORTD_DESK_URL=http://127.0.0.1:4580 SUPPORTD_DESK_TOKEN=sdt_…
  supportd desk queue --view unassigned
  supportd desk claim CASE
  supportd desk reply CASE --attach log.txt < answer.txt
  supportd desk resolve CASE`
	hideInstallation(c)
	c.PersistentFlags().StringVar(&f.url, "url", "", "`URL` of the server (default: $SUPPORTD_DESK_URL or $AWS_ENDPOINT_URL_SUPPORT)")
	c.PersistentFlags().StringVar(&f.token, "token", "", "`TOKEN` of the agent (default: $SUPPORTD_DESK_TOKEN)")
	return c
}

// hideInstallation keeps the flags of an installation out of the help of commands
// that do not use any.
func hideInstallation(c *cobra.Command) {
	help := c.HelpFunc()
	c.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) { f.Hidden = true })
		help(c, args)
	})
}

// desk makes a command that calls the desk. CASE among args is a case's id or
// display id.
func (p *program) desk(f *deskFlags, use, short string, work func(context.Context, *deskClient, []string) (document, error)) *cobra.Command {
	names := strings.Fields(use)[1:]
	c := &cobra.Command{Use: use, Short: short}
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return usageError{fmt.Errorf("%s needs %s", c.CommandPath(), cmp.Or(strings.Join(names, " and "), "no argument"))}
		}
		return nil
	}
	p.bindJSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		client, err := f.client(p.env)
		if err != nil {
			return err
		}
		found, err := work(c.Context(), client, args)
		if err != nil {
			return err
		}
		return p.print(found)
	}
	return c
}

func (f *deskFlags) client(env []string) (*deskClient, error) {
	base := cmp.Or(f.url, lookup(env, "SUPPORTD_DESK_URL"), lookup(env, "AWS_ENDPOINT_URL_SUPPORT"))
	if base == "" {
		return nil, usageError{errors.New("which server? give --url or set SUPPORTD_DESK_URL, such as http://127.0.0.1:4580 (see supportd desk --help)")}
	}
	token := cmp.Or(f.token, lookup(env, "SUPPORTD_DESK_TOKEN"))
	if token == "" {
		return nil, usageError{errors.New("who are you? give --token or set SUPPORTD_DESK_TOKEN; beside the server, supportd agent token create makes one (see supportd desk --help)")}
	}
	return newDeskClient(base, token)
}

// answered is an answer of the desk in two forms: as it came, and decoded.
func answered[T any](ctx context.Context, c *deskClient, method, path string, body any) (raw json.RawMessage, decoded T, err error) {
	if err = c.call(ctx, method, path, body, &raw); err != nil {
		return nil, decoded, err
	}
	err = json.Unmarshal(raw, &decoded)
	return raw, decoded, err
}

// all returns what is on all pages of a list.
func (c *deskClient) all(ctx context.Context, path string) (items []json.RawMessage, err error) {
	query := url.Values{"limit": {"200"}}
	for {
		_, page, err := answered[struct {
			Items []json.RawMessage
			Next  string
		}](ctx, c, http.MethodGet, path+"?"+query.Encode(), nil)
		items = append(items, page.Items...)
		if err != nil || page.Next == "" {
			return items, err
		}
		query.Set("next", page.Next)
	}
}

// agentID returns the id of an agent who is named by id or e-mail address.
func (c *deskClient) agentID(ctx context.Context, ref string) (string, error) {
	if !strings.Contains(ref, "@") {
		return ref, nil
	}
	_, found, err := answered[struct{ ID string }](ctx, c, http.MethodGet, "/agents/"+url.PathEscape(ref), nil)
	return found.ID, err
}

func casePath(ref string, rest string) string { return "/cases/" + url.PathEscape(ref) + rest }

func (p *program) deskQueue(f *deskFlags) *cobra.Command {
	filters := map[string]*string{}
	var limit int
	c := p.desk(f, "queue", "List cases, the most urgent first", func(ctx context.Context, c *deskClient, _ []string) (document, error) {
		query := url.Values{"limit": {strconv.Itoa(limit)}}
		for name, value := range filters {
			if *value != "" {
				query.Set(name, *value)
			}
		}
		if assignee := query.Get("assignee"); assignee != "" {
			id, err := c.agentID(ctx, assignee)
			if err != nil {
				return document{}, err
			}
			query.Set("assignee", id)
		}
		raw, page, err := answered[struct {
			Items []deskCase
			Next  string
		}](ctx, c, http.MethodGet, "/cases?"+query.Encode(), nil)
		if err != nil || p.json {
			return document{value: raw}, err
		}
		found := c.view(ctx).cases(page.Items, raw)
		if page.Next != "" {
			found.hint = "there are more: --next " + page.Next
		}
		return found, nil
	})
	c.Long = `List cases, the most urgent first. DUE says until when the next promise about a
case has to be kept: it is - while the case waits for the customer.`
	for _, flag := range []struct{ name, usage string }{
		{"view", "`VIEW`: unassigned, mine, team, waiting, breaching, open or all (default: open)"},
		{"severity", "only cases of this `CODE`"},
		{"service", "only cases of this `CODE`"},
		{"account", "only cases of this account (`ID`)"},
		{"language", "only cases in this language (`CODE`)"},
		{"tag", "only cases with this `TAG`"},
		{"status", "only cases of this `STATUS`"},
		{"assignee", "only cases of this agent (`ID` or e-mail address)"},
		{"team", "only cases of this team (`ID`)"},
		{"text", "only cases with these `WORDS` in the subject or in one communication, or with this id"},
		{"next", "go on after a page with its `TOKEN`; all else must be as it was"},
	} {
		filters[flag.name] = c.Flags().String(flag.name, "", flag.usage)
	}
	c.Flags().IntVar(&limit, "limit", 50, "list `NUMBER` cases at most, up to 200")
	return c
}

func (p *program) deskViews(f *deskFlags) *cobra.Command {
	type view struct {
		View  string
		Count int
		More  bool
	}
	return p.desk(f, "views", "Count the cases of each view", func(ctx context.Context, c *deskClient, _ []string) (document, error) {
		raw, all, err := answered[struct{ Items []view }](ctx, c, http.MethodGet, "/views", nil)
		found := list([]string{"VIEW", "CASES"}, all.Items, func(v view) []string {
			if v.More {
				return []string{v.View, fmt.Sprintf("more than %d", v.Count)}
			}
			return []string{v.View, strconv.Itoa(v.Count)}
		})
		found.value = raw
		return found, err
	})
}

func (p *program) deskShow(f *deskFlags) *cobra.Command {
	return p.desk(f, "show CASE", "Show a case with what was said", func(ctx context.Context, c *deskClient, args []string) (document, error) {
		raw, detail, err := answered[deskDetail](ctx, c, http.MethodGet, casePath(args[0], ""), nil)
		if err != nil || p.json {
			return document{value: raw}, err
		}
		return document{rows: c.view(ctx).detailRows(detail), value: raw}, nil
	})
}

func (p *program) deskTimeline(f *deskFlags) *cobra.Command {
	c := p.desk(f, "timeline CASE", "Show everything that happened to a case", func(ctx context.Context, c *deskClient, args []string) (document, error) {
		raw, err := c.all(ctx, casePath(args[0], "/timeline"))
		if err != nil || p.json {
			return document{value: map[string]any{"items": raw}}, err
		}
		lines := make([]deskLine, len(raw))
		for i, one := range raw {
			if err := json.Unmarshal(one, &lines[i]); err != nil {
				return document{}, err
			}
		}
		found := list(deskLineColumns(), lines, c.view(ctx).lineCells)
		found.cut = true
		return found, nil
	})
	c.Long = "Show everything that happened to a case, oldest first, in short. --json has all of it, notes and\ncommunications in full length."
	return c
}

func (p *program) deskAttachment(f *deskFlags) *cobra.Command {
	var out string
	c := p.desk(f, "attachment CASE ATTACHMENT", "Save a file that a communication carries", func(ctx context.Context, c *deskClient, args []string) (document, error) {
		data, err := c.answer(ctx, http.MethodGet, casePath(args[0], "/attachments/"+url.PathEscape(args[1])), nil)
		if err != nil {
			return document{}, err
		}
		err = writeFile(out, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
		return done("%s has %d bytes", out, len(data)), err
	})
	c.Long = "Save a file that a communication carries. ATTACHMENT is the id that show prints behind the file's name,\nwhich the sender has chosen: the name on your machine is up to you."
	c.Flags().StringVar(&out, "out", "", "`FILE` to write, or to replace")
	return require(c, "out")
}

// deskChange makes a command that changes a case and says how it is then.
func (p *program) deskChange(f *deskFlags, use, short, path string, body func(ctx context.Context, c *deskClient, args []string) (any, error)) *cobra.Command {
	return p.desk(f, use, short, func(ctx context.Context, c *deskClient, args []string) (document, error) {
		in, err := body(ctx, c, args[1:])
		if err != nil {
			return document{}, err
		}
		return p.changed(ctx, c, http.MethodPost, casePath(args[0], path), in)
	})
}

// changed makes a change and shows the case as it is then.
func (p *program) changed(ctx context.Context, c *deskClient, method, path string, in any) (document, error) {
	raw, after, err := answered[deskCase](ctx, c, method, path, in)
	if err != nil || p.json {
		return document{value: raw}, err
	}
	return c.view(ctx).cases([]deskCase{after}, raw), nil
}

// nothingMore is the body of a change that its path tells all of.
func nothingMore(context.Context, *deskClient, []string) (any, error) { return struct{}{}, nil }

func (p *program) deskClaim(f *deskFlags) *cobra.Command {
	return p.deskChange(f, "claim CASE", "Take a case", "/claim", nothingMore)
}

func (p *program) deskTag(f *deskFlags) *cobra.Command {
	var tags struct {
		Add    []string `json:"add,omitempty"`
		Remove []string `json:"remove,omitempty"`
	}
	c := p.deskChange(f, "tag CASE", "Add and remove tags", "/tags", func(context.Context, *deskClient, []string) (any, error) {
		if len(tags.Add) == 0 && len(tags.Remove) == 0 {
			return nil, usageError{errors.New("give --add or --remove")}
		}
		return tags, nil
	})
	c.Flags().StringArrayVar(&tags.Add, "add", nil, "`TAG` to add; may be repeated")
	c.Flags().StringArrayVar(&tags.Remove, "remove", nil, "`TAG` to remove; may be repeated")
	return c
}

func (p *program) deskSeverity(f *deskFlags) *cobra.Command {
	var reason string
	c := p.deskChange(f, "severity CASE SEVERITY", "Change the severity of a case", "/severity", func(_ context.Context, _ *deskClient, args []string) (any, error) {
		return map[string]string{"severity": args[0], "reason": reason}, nil
	})
	c.Long = "Change the severity of a case: low, normal, high, urgent or critical, of those that the account's plan has."
	c.Flags().StringVar(&reason, "reason", "", "`TEXT` that says why, for the record; customers do not see it")
	return require(c, "reason")
}

func (p *program) deskLink(f *deskFlags) *cobra.Command {
	return p.deskChange(f, "link CASE OTHER", "Note that two cases of an account have to do with each other", "/links", func(_ context.Context, _ *deskClient, args []string) (any, error) {
		return map[string]string{"other": args[0]}, nil
	})
}

func (p *program) deskUnlink(f *deskFlags) *cobra.Command {
	return p.desk(f, "unlink CASE OTHER", "Take a link back", func(ctx context.Context, c *deskClient, args []string) (document, error) {
		return p.changed(ctx, c, http.MethodDelete, casePath(args[0], "/links/"+url.PathEscape(args[1])), nil)
	})
}

func (p *program) deskMerge(f *deskFlags) *cobra.Command {
	return p.deskChange(f, "merge CASE OTHER", "Resolve a case in favour of another one of the account", "/merge", func(_ context.Context, _ *deskClient, args []string) (any, error) {
		return map[string]string{"into": args[0]}, nil
	})
}

func (p *program) deskUnmerge(f *deskFlags) *cobra.Command {
	return p.deskChange(f, "unmerge CASE", "Take a merge back", "/unmerge", nothingMore)
}

func (p *program) deskMacro(f *deskFlags) *cobra.Command {
	var given []string
	c := p.desk(f, "macro CASE MACRO", "Do what a macro says", func(ctx context.Context, c *deskClient, args []string) (document, error) {
		variables := map[string]string{}
		for _, one := range given {
			name, value, ok := strings.Cut(one, "=")
			if !ok {
				return document{}, usageError{fmt.Errorf("--variable %q: want NAME=VALUE", one)}
			}
			variables[name] = value
		}
		return p.replied(ctx, c, casePath(args[0], "/macro"), map[string]any{"macro": args[1], "variables": variables})
	})
	c.Long = "Do what a macro says: its reply, note, tags and status. MACRO is its id."
	c.Flags().StringArrayVar(&given, "variable", nil, "`NAME=VALUE` of a variable that the desk does not know; may be repeated")
	return c
}

func (p *program) deskAssign(f *deskFlags) *cobra.Command {
	var to struct {
		Agent   string `json:"agent,omitempty"`
		Team    string `json:"team,omitempty"`
		Next    bool   `json:"next,omitempty"`
		Release bool   `json:"release,omitempty"`
	}
	c := p.deskChange(f, "assign CASE", "Give a case to an agent, a team, whose turn it is, or nobody", "/assign", func(ctx context.Context, c *deskClient, _ []string) (_ any, err error) {
		if to.Agent == "" && to.Team == "" && !to.Next && !to.Release {
			return nil, usageError{errors.New("give --agent, --team, --next or --release")}
		}
		to.Agent, err = c.agentID(ctx, to.Agent)
		return to, err
	})
	c.Long = `Give a case to an agent, to a team, to the agent whose turn it is among those who
fit and have room, or to nobody. To take a case that nobody has, claim is shorter.`
	c.Flags().StringVar(&to.Agent, "agent", "", "the `ID` or e-mail address of the agent")
	c.Flags().StringVar(&to.Team, "team", "", "the `ID` of the team")
	c.Flags().BoolVar(&to.Next, "next", false, "the agent whose turn it is")
	c.Flags().BoolVar(&to.Release, "release", false, "take the case from whoever has it")
	return c
}

func (p *program) deskStatus(f *deskFlags) *cobra.Command {
	var reason string
	c := p.deskChange(f, "status CASE STATUS", "Move a case to a status", "/status", func(_ context.Context, _ *deskClient, args []string) (any, error) {
		return map[string]string{"status": args[0], "reason": reason}, nil
	})
	c.Long = "Move a case to a status: opened, work-in-progress, pending-customer-action, reopened or resolved."
	c.Flags().StringVar(&reason, "reason", "", "`TEXT` that says why, for the record; customers do not see it")
	return c
}

func (p *program) deskResolve(f *deskFlags) *cobra.Command {
	var reason string
	c := p.deskChange(f, "resolve CASE", "Resolve a case", "/status", func(context.Context, *deskClient, []string) (any, error) {
		return map[string]string{"status": "resolved", "reason": reason}, nil
	})
	c.Flags().StringVar(&reason, "reason", "", "`TEXT` that says why, for the record; customers do not see it")
	return c
}

func (p *program) deskNote(f *deskFlags) *cobra.Command {
	var body string
	c := p.deskChange(f, "note CASE", "Add a note that customers never see", "/notes", func(context.Context, *deskClient, []string) (any, error) {
		text, err := p.bodyText(body)
		return map[string]string{"body": text}, err
	})
	c.Flags().StringVar(&body, "body", "", "`TEXT` of the note (default: standard input)")
	return c
}

func (p *program) deskReply(f *deskFlags) *cobra.Command {
	var body, status string
	var attach []string
	c := p.desk(f, "reply CASE", "Answer the customer", func(ctx context.Context, c *deskClient, args []string) (document, error) {
		text, err := p.bodyText(body)
		if err != nil {
			return document{}, err
		}
		files, err := readFiles(attach)
		if err != nil {
			return document{}, err
		}
		return p.replied(ctx, c, casePath(args[0], "/reply"), replyBody{text, status, files})
	})
	c.Flags().StringVar(&body, "body", "", "`TEXT` that the customer reads (default: standard input)")
	c.Flags().StringVar(&status, "status", "", "`STATUS` of the case afterwards: keep, opened, work-in-progress, pending-customer-action, reopened or resolved (default: that of the settings)")
	c.Flags().StringArrayVar(&attach, "attach", nil, "`FILE` to attach, up to three times")
	return c
}

// replied makes a change that may answer the customer, and shows the case as it is then.
func (p *program) replied(ctx context.Context, c *deskClient, path string, in any) (document, error) {
	raw, after, err := answered[struct {
		Case   deskCase
		Others []struct{ Agent string }
	}](ctx, c, http.MethodPost, path, in)
	if err != nil || p.json {
		return document{value: raw}, err // with the others
	}
	view := c.view(ctx)
	for _, other := range after.Others {
		fmt.Fprintf(p.stderr, "supportd: %s has the case open as well\n", view.agent(other.Agent))
	}
	return view.cases([]deskCase{after.Case}, raw), nil
}

type replyBody struct {
	Body        string         `json:"body"`
	Status      string         `json:"status,omitempty"`
	Attachments []attachedFile `json:"attachments,omitempty"`
}

type attachedFile struct {
	FileName string `json:"fileName"`
	Data     []byte `json:"data"`
}

// maxInput is more than a reply, a note or a file may have.
const maxInput = 6 << 20

// bodyText is the text of a flag or else standard input.
func (p *program) bodyText(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if isTerminal(p.stdin) {
		fmt.Fprintln(p.stderr, "supportd: write the text and end it with Ctrl-D on a line of its own")
	}
	text, err := io.ReadAll(io.LimitReader(p.stdin, maxInput))
	if err != nil {
		return "", fmt.Errorf("standard input: %w", err)
	}
	body := strings.TrimRight(string(text), "\r\n")
	if strings.TrimSpace(body) == "" {
		return "", usageError{errors.New("there is no text: give --body or write it to standard input")}
	}
	return body, nil
}

func readFiles(paths []string) (files []attachedFile, err error) {
	for _, path := range paths {
		data, err := readFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, attachedFile{filepath.Base(path), data})
	}
	return files, nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	return io.ReadAll(io.LimitReader(file, maxInput))
}

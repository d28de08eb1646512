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
)

// The commands of the desk are clients of the desk API: agents work from their
// own machines, with a token and without the database.

// deskFlags say which desk, and who asks.
type deskFlags struct{ url, token string }

func (p *program) deskCommand() *cobra.Command {
	var f deskFlags
	c := group("desk", "Work on cases as an agent, through the desk API of a server",
		p.deskQueue(&f), p.deskViews(&f), p.deskShow(&f), p.deskTimeline(&f),
		p.deskClaim(&f), p.deskAssign(&f), p.deskReply(&f), p.deskNote(&f), p.deskStatus(&f), p.deskResolve(&f))
	c.PersistentFlags().StringVar(&f.url, "url", "", "`URL` of the server (default: $SUPPORTD_DESK_URL or $AWS_ENDPOINT_URL_SUPPORT)")
	c.PersistentFlags().StringVar(&f.token, "token", "", "`TOKEN` of the agent (default: $SUPPORTD_DESK_TOKEN)")
	return c
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
		return nil, usageError{errors.New("give --url or set SUPPORTD_DESK_URL")}
	}
	token := cmp.Or(f.token, lookup(env, "SUPPORTD_DESK_TOKEN"))
	if token == "" {
		return nil, usageError{errors.New("give --token or set SUPPORTD_DESK_TOKEN (supportd agent token makes one)")}
	}
	return newDeskClient(base, token)
}

// deskCase is what the commands tell people of a case.
type deskCase struct {
	Account, CaseID, DisplayID, Subject, Status, Severity, Service, Assignee, Team string
	DueAt, CreatedAt                                                               string
	Tags                                                                           []string
}

func deskCaseColumns() []string {
	return []string{"CASE", "STATUS", "SEVERITY", "DUE", "ASSIGNEE", "ACCOUNT", "SUBJECT"}
}

func (c deskCase) cells() []string {
	return []string{c.DisplayID, c.Status, c.Severity, orNone(c.DueAt), orNone(c.Assignee), c.Account, oneLine(plain(c.Subject))}
}

// orNone keeps columns from looking shifted.
func orNone(text string) string { return cmp.Or(text, "-") }

// answered is an answer of the desk in two forms: as it came, and decoded.
func answered[T any](ctx context.Context, c *deskClient, method, path string, body any) (raw json.RawMessage, decoded T, err error) {
	if err = c.call(ctx, method, path, body, &raw); err != nil {
		return nil, decoded, err
	}
	return raw, decoded, json.Unmarshal(raw, &decoded)
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
		raw, page, err := answered[struct {
			Items []deskCase
			Next  string
		}](ctx, c, http.MethodGet, "/cases?"+query.Encode(), nil)
		if page.Next != "" && !p.json {
			fmt.Fprintf(p.stderr, "supportd: there are more: --next %s\n", page.Next)
		}
		found := list(deskCaseColumns(), page.Items, deskCase.cells)
		found.value = raw
		return found, err
	})
	for _, flag := range []struct{ name, usage string }{
		{"view", "unassigned, mine, team, waiting, breaching, open or all (default: open)"},
		{"severity", "only cases of this `CODE`"},
		{"service", "only cases of this `CODE`"},
		{"account", "only cases of this account (`ID`)"},
		{"language", "only cases in this language (`CODE`)"},
		{"tag", "only cases with this `TAG`"},
		{"status", "only cases of this `STATUS`"},
		{"assignee", "only cases of this agent (`ID`)"},
		{"team", "only cases of this team (`ID`)"},
		{"text", "only cases with these `WORDS` in the subject or in one communication, or with this id"},
		{"next", "go on after a page with its `TOKEN`; all else must be as it was"},
	} {
		filters[flag.name] = c.Flags().String(flag.name, "", flag.usage)
	}
	c.Flags().IntVar(&limit, "limit", 50, "list so many at most, up to 200")
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

// deskDetail is what show tells people of a case.
type deskDetail struct {
	deskCase
	Category, SubmittedBy string
	Communications        []struct {
		Number            int
		Body, SubmittedBy string
		Agent, CreatedAt  string
		Attachments       []struct{ AttachmentID, FileName string }
	}
	Clocks []struct {
		Kind             string
		StoppedAt, DueAt string
		Paused, Breached bool
	}
	Links   []struct{ CaseID, Relation string }
	Present []struct {
		Agent    string
		Replying bool
	}
}

func (p *program) deskShow(f *deskFlags) *cobra.Command {
	return p.desk(f, "show CASE", "Show a case with what was said", func(ctx context.Context, c *deskClient, args []string) (document, error) {
		raw, detail, err := answered[deskDetail](ctx, c, http.MethodGet, casePath(args[0], ""), nil)
		if err != nil {
			return document{}, err
		}
		return document{rows: detail.rows(), value: raw}, nil
	})
}

// rows are the case's sheet; what was said stands below it, one line in a row.
func (d deskDetail) rows() [][]string {
	rows := [][]string{
		{"Case", d.DisplayID + " (" + d.CaseID + ")"},
		{"Subject", oneLine(plain(d.Subject))},
		{"Account", d.Account + ", " + plain(d.SubmittedBy)},
		{"Status", d.Status},
		{"Severity", d.Severity},
		{"About", d.Service + ", " + d.Category},
		{"Assignee", orNone(d.Assignee)},
		{"Team", orNone(d.Team)},
		{"Tags", orNone(plain(strings.Join(d.Tags, ", ")))},
	}
	for _, clock := range d.Clocks {
		rows = append(rows, []string{"Clock", clock.Kind + ": " + clockText(clock.StoppedAt, clock.DueAt, clock.Paused, clock.Breached)})
	}
	for _, link := range d.Links {
		rows = append(rows, []string{"Link", link.Relation + " " + link.CaseID})
	}
	for _, other := range d.Present {
		rows = append(rows, []string{"Present", other.Agent + map[bool]string{true: ", writing a reply"}[other.Replying]})
	}
	for _, said := range d.Communications {
		author := plain(said.SubmittedBy)
		if said.Agent != "" {
			author += " (" + said.Agent + ")"
		}
		rows = append(rows, []string{""}, []string{fmt.Sprintf("#%d %s %s", said.Number, said.CreatedAt, author)})
		for line := range strings.SplitSeq(plain(said.Body), "\n") {
			// The printer takes tabs for the ends of columns.
			rows = append(rows, []string{"  " + strings.ReplaceAll(line, "\t", "    ")})
		}
		for _, file := range said.Attachments {
			rows = append(rows, []string{fmt.Sprintf("  [%s %s]", oneLine(plain(file.FileName)), file.AttachmentID)})
		}
	}
	return rows
}

func clockText(stoppedAt, dueAt string, paused, breached bool) string {
	switch {
	case stoppedAt != "" && breached:
		return "over " + stoppedAt + ", too late"
	case stoppedAt != "":
		return "over " + stoppedAt
	case breached:
		return "breached " + dueAt
	case paused:
		return "paused"
	}
	return "due " + orNone(dueAt)
}

func (p *program) deskTimeline(f *deskFlags) *cobra.Command {
	type line struct {
		At, Actor, Event string
		Detail           json.RawMessage
	}
	return p.desk(f, "timeline CASE", "Show everything that happened to a case", func(ctx context.Context, c *deskClient, args []string) (document, error) {
		raw, all, err := answered[struct{ Items []line }](ctx, c, http.MethodGet, casePath(args[0], "/timeline"), nil)
		found := list([]string{"AT", "ACTOR", "EVENT", "DETAIL"}, all.Items, func(l line) []string {
			return []string{l.At, plain(l.Actor), l.Event, oneLine(plain(string(l.Detail)))}
		})
		found.value = raw
		return found, err
	})
}

// deskChange makes a command that changes a case and says how it is then.
func (p *program) deskChange(f *deskFlags, use, short, path string, body func(args []string) (any, error)) *cobra.Command {
	return p.desk(f, use, short, func(ctx context.Context, c *deskClient, args []string) (document, error) {
		in, err := body(args[1:])
		if err != nil {
			return document{}, err
		}
		raw, after, err := answered[deskCase](ctx, c, http.MethodPost, casePath(args[0], path), in)
		found := one(deskCaseColumns(), after, deskCase.cells)
		found.value = raw
		return found, err
	})
}

func (p *program) deskClaim(f *deskFlags) *cobra.Command {
	return p.deskChange(f, "claim CASE", "Take a case", "/claim", func([]string) (any, error) { return struct{}{}, nil })
}

func (p *program) deskAssign(f *deskFlags) *cobra.Command {
	var to struct {
		Agent   string `json:"agent,omitempty"`
		Team    string `json:"team,omitempty"`
		Next    bool   `json:"next,omitempty"`
		Release bool   `json:"release,omitempty"`
	}
	c := p.deskChange(f, "assign CASE", "Give a case to an agent, a team, whose turn it is, or nobody", "/assign", func([]string) (any, error) {
		if to.Agent == "" && to.Team == "" && !to.Next && !to.Release {
			return nil, usageError{errors.New("give --agent, --team, --next or --release")}
		}
		return to, nil
	})
	c.Flags().StringVar(&to.Agent, "agent", "", "the `ID` of the agent")
	c.Flags().StringVar(&to.Team, "team", "", "the `ID` of the team")
	c.Flags().BoolVar(&to.Next, "next", false, "the agent whose turn it is")
	c.Flags().BoolVar(&to.Release, "release", false, "take the case from whoever has it")
	return c
}

func (p *program) deskStatus(f *deskFlags) *cobra.Command {
	var reason string
	c := p.deskChange(f, "status CASE STATUS", "Move a case to a status", "/status", func(args []string) (any, error) {
		return map[string]string{"status": args[0], "reason": reason}, nil
	})
	c.Long = "Move a case to a status: opened, work-in-progress, pending-customer-action, reopened or resolved."
	c.Flags().StringVar(&reason, "reason", "", "why, for the record; customers do not see it")
	return c
}

func (p *program) deskResolve(f *deskFlags) *cobra.Command {
	var reason string
	c := p.deskChange(f, "resolve CASE", "Resolve a case", "/status", func([]string) (any, error) {
		return map[string]string{"status": "resolved", "reason": reason}, nil
	})
	c.Flags().StringVar(&reason, "reason", "", "why, for the record; customers do not see it")
	return c
}

func (p *program) deskNote(f *deskFlags) *cobra.Command {
	var body string
	c := p.deskChange(f, "note CASE", "Add a note that customers never see", "/notes", func([]string) (any, error) {
		text, err := p.bodyText(body)
		return map[string]string{"body": text}, err
	})
	c.Flags().StringVar(&body, "body", "", "the note (default: standard input)")
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
		raw, after, err := answered[struct {
			Case   deskCase
			Number int
			Others []struct{ Agent string }
		}](ctx, c, http.MethodPost, casePath(args[0], "/reply"), replyBody{text, status, files})
		if err != nil {
			return document{}, err
		}
		for _, other := range after.Others {
			fmt.Fprintf(p.stderr, "supportd: %s has the case open as well\n", other.Agent)
		}
		found := one(deskCaseColumns(), after.Case, deskCase.cells)
		found.value = raw
		return found, nil
	})
	c.Flags().StringVar(&body, "body", "", "what the customer reads (default: standard input)")
	c.Flags().StringVar(&status, "status", "", "of the case afterwards: keep, opened, work-in-progress, pending-customer-action, reopened or resolved (default: that of the settings)")
	c.Flags().StringArrayVar(&attach, "attach", nil, "`FILE` to attach, up to three times")
	return c
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

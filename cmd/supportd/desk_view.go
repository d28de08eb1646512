package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// deskView is how the commands of the desk show people what the API answers.
type deskView struct {
	now    time.Time         // by the server's clock
	agents map[string]string // names by id
}

// view reads who the agents are. Without their names, which the token may not be
// allowed to read, there are still their ids.
func (c *deskClient) view(ctx context.Context) deskView {
	type agent struct{ ID, Name, Email string }
	_, all, err := answered[struct{ Items []agent }](ctx, c, http.MethodGet, "/agents", nil)
	v := deskView{now: c.now, agents: map[string]string{}}
	if err != nil {
		return v
	}
	sameName := map[string]int{}
	for _, a := range all.Items {
		sameName[a.Name]++
	}
	for _, a := range all.Items {
		v.agents[a.ID] = joined(plain(a.Name))
		if sameName[a.Name] > 1 {
			v.agents[a.ID] += " <" + plain(a.Email) + ">"
		}
	}
	return v
}

// agent returns the name of an agent, - for nobody.
func (v deskView) agent(id string) string { return cmp.Or(v.agents[id], plain(id), "-") }

// actor returns who did something: an agent, "desk", the address of a customer,
// or the part of a principal's ARN that tells it from others of its account.
func (v deskView) actor(text string) string {
	if parts := strings.SplitN(text, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		return "customer " + plain(parts[5])
	}
	return v.agent(text)
}

// away says how far a time is from now: in 42m, 5m late.
func (v deskView) away(at time.Time) string {
	switch d := at.Sub(v.now).Truncate(time.Second); {
	case at.IsZero():
		return "-"
	case d < 0:
		return spanText(-d) + " late"
	default:
		return "in " + spanText(d)
	}
}

// spanText names a duration by its two largest units.
func spanText(d time.Duration) string {
	const day = 24 * time.Hour
	two := func(large time.Duration, name string, small time.Duration, smallName string) string {
		text := strconv.Itoa(int(d/large)) + name
		if rest := int(d % large / small); rest > 0 {
			text += " " + strconv.Itoa(rest) + smallName
		}
		return text
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < day:
		return two(time.Hour, "h", time.Minute, "m")
	}
	return two(day, "d", time.Hour, "h")
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// deskCase is what the commands tell people of a case.
type deskCase struct {
	Account, CaseID, DisplayID, Subject, Status, Severity, Service, Assignee, Team string
	DueAt                                                                          time.Time
	Tags                                                                           []string
}

func deskCaseColumns() []string {
	return []string{"CASE", "STATUS", "SEVERITY", "DUE", "ASSIGNEE", "ACCOUNT", "SUBJECT"}
}

func (v deskView) caseCells(c deskCase) []string {
	return []string{c.DisplayID, c.Status, c.Severity, v.away(c.DueAt), v.agent(c.Assignee), c.Account, joined(plain(c.Subject))}
}

func (v deskView) cases(all []deskCase, raw json.RawMessage) document {
	if len(all) == 0 {
		return document{rows: [][]string{{"There are no such cases."}}, value: raw}
	}
	d := list(deskCaseColumns(), all, v.caseCells)
	d.value, d.cut = raw, true
	return d
}

// deskDetail is what show tells people of a case.
type deskDetail struct {
	deskCase
	Category, SubmittedBy string
	CreatedAt             time.Time
	CommunicationCount    int
	Communications        []deskCommunication
	Clocks                []deskClock
	Links                 []struct{ CaseID, Relation string }
	Present               []struct {
		Agent    string
		Replying bool
	}
}

type deskCommunication struct {
	Number                   int
	Body, SubmittedBy, Agent string
	CreatedAt                time.Time
	Attachments              []struct{ AttachmentID, FileName string }
}

type deskClock struct {
	Kind                          string
	StoppedAt, DueAt              time.Time
	TargetSeconds, CountedSeconds float64
	Paused, Breached              bool
}

// detailRows are the case's sheet; what was said stands below it, one line in a
// row.
func (v deskView) detailRows(d deskDetail) [][]string {
	rows := [][]string{
		{"Case", d.DisplayID + " (" + d.CaseID + ")"},
		{"Subject", joined(plain(d.Subject))},
		{"Account", d.Account + ", " + plain(d.SubmittedBy)},
		{"Opened", timeText(d.CreatedAt)},
		{"Status", d.Status},
		{"Severity", d.Severity},
		{"About", d.Service + ", " + d.Category},
		{"Assignee", v.agent(d.Assignee)},
		{"Team", cmp.Or(d.Team, "-")},
		{"Tags", cmp.Or(plain(strings.Join(d.Tags, ", ")), "-")},
	}
	for _, clock := range d.Clocks {
		rows = append(rows, []string{"Clock", clock.Kind + ": " + v.clock(clock)})
	}
	for _, link := range d.Links {
		rows = append(rows, []string{"Link", link.Relation + " " + link.CaseID})
	}
	for _, other := range d.Present {
		present := v.agent(other.Agent)
		if other.Replying {
			present += ", writing a reply"
		}
		rows = append(rows, []string{"Present", present})
	}
	if left := d.CommunicationCount - len(d.Communications); left > 0 {
		rows = append(rows, []string{""}, []string{fmt.Sprintf("(%d earlier communications: supportd desk timeline %s --json)", left, d.DisplayID)})
	}
	for _, said := range d.Communications {
		rows = append(rows, v.communicationRows(said)...)
	}
	return rows
}

func (v deskView) communicationRows(said deskCommunication) [][]string {
	author := plain(said.SubmittedBy)
	if said.Agent != "" {
		author += " (" + v.agent(said.Agent) + ")"
	}
	rows := [][]string{{""}, {fmt.Sprintf("#%d %s %s", said.Number, timeText(said.CreatedAt), author)}}
	for line := range strings.SplitSeq(strings.TrimRight(plain(said.Body), "\n "), "\n") {
		rows = append(rows, []string{strings.TrimRight("  "+strings.ReplaceAll(line, "\t", "    "), " ")})
	}
	for _, file := range said.Attachments {
		rows = append(rows, []string{fmt.Sprintf("  [%s %s]", oneLine(plain(file.FileName)), file.AttachmentID)})
	}
	return rows
}

func (v deskView) clock(c deskClock) string {
	spent := spanText(seconds(c.CountedSeconds)) + " of " + spanText(seconds(c.TargetSeconds))
	switch {
	case !c.StoppedAt.IsZero() && c.Breached:
		return "missed, " + spent
	case !c.StoppedAt.IsZero():
		return "met, " + spent
	case c.Breached:
		return fmt.Sprintf("breached %s (%s)", timeText(c.DueAt), v.away(c.DueAt))
	case c.Paused:
		return "paused, " + spent
	}
	return fmt.Sprintf("due %s (%s)", timeText(c.DueAt), v.away(c.DueAt))
}

// deskLine is a line of a timeline.
type deskLine struct {
	At           time.Time
	Actor, Event string
	Detail       json.RawMessage
}

func deskLineColumns() []string { return []string{"AT", "ACTOR", "EVENT", "WHAT"} }

func (v deskView) lineCells(l deskLine) []string {
	return []string{timeText(l.At), v.actor(l.Actor), plain(l.Event), v.phrase(l)}
}

// phrase is what a line of a timeline says, in a few words. Of events that a newer
// server knows it is the detail as it came.
func (v deskView) phrase(l deskLine) string {
	const most = 160
	var d lineDetail
	if json.Unmarshal(l.Detail, &d) != nil {
		d = lineDetail{}
	}
	text := v.words(l.Event, d)
	if text == "" {
		text = string(l.Detail)
	}
	return cutText(joined(plain(text)), most)
}

// lineDetail has the members of all details, each of which has some of them.
type lineDetail struct {
	Number         int
	Body, Reason   string
	From, To, Team string
	Case, Clock    string
	Added, Removed []string
	Attachments    []struct{ FileName string }
	Target         float64
	At, DueAt      time.Time
}

func (v deskView) words(event string, d lineDetail) string {
	switch event {
	case "communication":
		files := ""
		for _, file := range d.Attachments {
			files += "[" + file.FileName + "] "
		}
		return fmt.Sprintf("#%d %s%s", d.Number, files, d.Body)
	case "replied-for", "opened-for":
		return fmt.Sprintf("#%d on behalf of the customer", d.Number)
	case "moved", "status", "severity":
		return strings.TrimSuffix(d.From+" → "+d.To+": "+d.Reason, ": ")
	case "assigned":
		return v.assigned(d)
	case "note":
		return d.Body
	case "tagged":
		return strings.Join(append(prefixed("+", d.Added), prefixed("-", d.Removed)...), " ")
	case "merged", "merged-from", "linked", "unlinked", "unmerged", "unmerged-from", "merge-dissolved":
		return d.Case
	case "clock-warning":
		return d.Clock + " is due " + timeText(d.DueAt)
	case "clock-breach":
		return d.Clock + " was due " + timeText(d.At) + ", " + spanText(seconds(d.Target)) + " were promised"
	}
	return ""
}

func (v deskView) assigned(d lineDetail) string {
	to := "to nobody"
	if d.To != "" {
		to = "to " + v.agent(d.To)
	}
	if d.Team != "" {
		to += ", team " + d.Team
	}
	if d.From != "" && d.From != d.To {
		to += ", before " + v.agent(d.From)
	}
	return to
}

func prefixed(prefix string, all []string) (made []string) {
	for _, one := range all {
		made = append(made, prefix+strconv.Quote(one))
	}
	return made
}

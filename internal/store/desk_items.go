package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

// conditions are what a WHERE asks for, with its arguments.
type conditions struct {
	parts []string
	args  []any
}

// add adds a condition that has a ? for each value.
func (c *conditions) add(condition string, values ...any) {
	for _, v := range values {
		condition = strings.Replace(condition, "?", c.arg(v), 1)
	}
	c.parts = append(c.parts, condition)
}

// addText adds a condition unless its value is empty.
func (c *conditions) addText(condition, value string) {
	if value != "" {
		c.add(condition, value)
	}
}

// addAny adds that a column has one of the values, if there are any.
func (c *conditions) addAny(column string, values []string) {
	switch len(values) {
	case 0:
	case 1:
		c.add(column+" = ?", values[0])
	default:
		list, args := inList(len(c.args)+1, values)
		c.parts, c.args = append(c.parts, column+" IN ("+list+")"), append(c.args, args...)
	}
}

// arg adds an argument and returns its placeholder.
func (c *conditions) arg(value any) string {
	c.args = append(c.args, value)
	return fmt.Sprintf("$%d", len(c.args))
}

func (c *conditions) text() string { return strings.Join(c.parts, " AND ") }

const itemColumns = `account, case_id, status, severity, service, language, assignee, team, tags, due_at, wake_at, history, fired,
	merged_into, version, records, created_at, changed_at`

// joinedItem are the columns of an item i and what is read of its case c.
const joinedItem = `i.account, i.case_id, i.status, i.severity, i.service, i.language, i.assignee, i.team, i.tags, i.due_at, i.wake_at,
	i.history, i.fired, i.merged_into, i.version, i.records, i.created_at, i.changed_at, c.subject, c.display_id`

func scanItem(r scanner) (i desk.Item, err error) {
	var tags, history, fired string
	var due, wake, createdAt, changedAt int64
	err = r.Scan(&i.Account, &i.CaseID, &i.Status, &i.Severity, &i.Service, &i.Language, &i.Assignee, &i.Team, &tags, &due, &wake,
		&history, &fired, &i.MergedInto, &i.Version, &i.Records, &createdAt, &changedAt, &i.Subject, &i.DisplayID)
	if err != nil {
		return i, err
	}
	i.Wake, i.CreatedAt, i.ChangedAt = fromMicros(wake), fromMicros(createdAt), fromMicros(changedAt)
	if due != microsOrMax(time.Time{}) {
		i.Due = fromMicros(due)
	}
	err = errors.Join(json.Unmarshal([]byte(tags), &i.Tags), json.Unmarshal([]byte(history), &i.History), json.Unmarshal([]byte(fired), &i.Fired))
	if err != nil {
		return i, fmt.Errorf("item of case %s: %w", i.CaseID, err)
	}
	return i, nil
}

// itemValues are those of itemColumns.
func itemValues(i desk.Item) ([]any, error) {
	tags, err := listText(i.Tags)
	if err != nil {
		return nil, err
	}
	fired, err := listText(i.Fired)
	if err != nil {
		return nil, err
	}
	history, err := json.Marshal(i.History)
	if err != nil {
		return nil, err
	}
	return []any{
		i.Account, i.CaseID, string(i.Status), i.Severity, i.Service, i.Language, i.Assignee, i.Team, tags, microsOrMax(i.Due), micros(i.Wake),
		string(history), fired, i.MergedInto, i.Version, i.Records, micros(i.CreatedAt), micros(i.ChangedAt),
	}, nil
}

// listText is JSON; most lists are empty.
func listText(list []string) (string, error) {
	if list == nil {
		return "null", nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}

func (t deskTx) Item(ctx context.Context, account, caseID string) (desk.Item, error) {
	i, err := scanItem(t.row(ctx, `SELECT `+joinedItem+` FROM desk_items AS i
		JOIN cases AS c ON c.account = i.account AND c.id = i.case_id
		WHERE i.account = $1 AND i.case_id = $2`, account, caseID))
	if errors.Is(err, sql.ErrNoRows) {
		return i, desk.ErrNotFound
	}
	return i, err
}

func (t deskTx) InsertItem(ctx context.Context, i desk.Item) error {
	values, err := itemValues(i)
	if err != nil {
		return err
	}
	err = t.queue(ctx, `INSERT INTO desk_items (`+itemColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`, values...)
	if err != nil {
		return err
	}
	return t.putTags(ctx, i)
}

func (t deskTx) UpdateItem(ctx context.Context, i desk.Item) error {
	values, err := itemValues(i)
	if err != nil {
		return err
	}
	err = t.queue(ctx, `UPDATE desk_items SET status = $3, severity = $4, service = $5, language = $6, assignee = $7, team = $8, tags = $9,
		due_at = $10, wake_at = $11, history = $12, fired = $13, merged_into = $14, version = $15, records = $16, created_at = $17, changed_at = $18
		WHERE account = $1 AND case_id = $2`, values...)
	if err != nil {
		return err
	}
	list, tags := inList(3, i.Tags)
	err = t.queue(ctx, `DELETE FROM desk_tags WHERE account = $1 AND case_id = $2 AND (tag IN (`+list+`)) IS NOT TRUE`,
		append([]any{i.Account, i.CaseID}, tags...)...)
	if err != nil {
		return err
	}
	return t.putTags(ctx, i)
}

// putTags changes only rows that are not as they should be.
func (t deskTx) putTags(ctx context.Context, i desk.Item) error {
	for _, tag := range i.Tags {
		err := t.queue(ctx, `INSERT INTO desk_tags (account, case_id, tag, due_at, is_open) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (account, case_id, tag) DO UPDATE SET due_at = excluded.due_at, is_open = excluded.is_open
			WHERE desk_tags.due_at <> excluded.due_at OR desk_tags.is_open <> excluded.is_open`,
			i.Account, i.CaseID, tag, microsOrMax(i.Due), i.Open())
		if err != nil {
			return err
		}
	}
	return nil
}

// itemSearch finds the items of a query that stand together in an index: those
// of one assignee and one team, open or resolved.
type itemSearch struct {
	desk.ItemQuery
	resolved bool
}

// searches returns what to look for in the indexes.
func searches(q desk.ItemQuery) (all []itemSearch) {
	for _, assignee := range oneByOne(q.Assignees) {
		for _, team := range oneByOne(q.Teams) {
			one := q
			one.Assignees, one.Teams = assignee, team
			if q.Status != cases.Resolved {
				all = append(all, itemSearch{one, false})
			}
			if q.Resolved && (q.Status == "" || q.Status == cases.Resolved) {
				all = append(all, itemSearch{one, true})
			}
		}
	}
	return all
}

// oneByOne returns each value of a filter once. To look for many of them, each by
// itself, is not worth it.
func oneByOne(values []string) [][]string {
	const many = 16
	if len(values) == 0 || len(values) > many {
		return [][]string{values}
	}
	return slices.Collect(slices.Chunk(slices.Compact(slices.Sorted(slices.Values(values))), 1))
}

// from returns the tables and the conditions of a search. It reads one of the
// indexes desk_items_… or desk_tags_tag from the position on.
func (s itemSearch) from() (tables string, c conditions) {
	tables, place := `desk_items AS i`, "i"
	switch {
	case s.Tag != "":
		tables, place = `desk_tags AS g CROSS JOIN desk_items AS i`, "g"
		c.add("g.tag = ? AND g.is_open = ? AND i.account = g.account AND i.case_id = g.case_id", s.Tag, !s.resolved)
	case s.resolved:
		c.add("i.status = 'resolved'")
	default:
		c.add("i.status <> 'resolved'")
	}
	c.addText("i.status = ?", string(s.Status))
	c.addAny("i.assignee", s.Assignees)
	if len(s.Teams) > 0 {
		c.addAny("i.team", s.Teams)
		c.add("i.team <> ''") // as the index has it
	}
	c.addText("i.severity = ?", s.Severity)
	c.addText("i.service = ?", s.Service)
	c.addText("i.account = ?", s.Account)
	c.addText("i.language = ?", s.Language)
	if !s.DueBefore.IsZero() {
		c.add(place+".due_at < ?", micros(s.DueBefore))
	}
	s.after(&c, place)
	return tables, c
}

func (s itemSearch) after(c *conditions, place string) {
	p := s.After
	switch {
	case p == desk.Position{}:
	case s.Account == "" || s.Tag != "":
		c.add(fmt.Sprintf("(%[1]s.due_at, %[1]s.account, %[1]s.case_id) > (?, ?, ?)", place), microsOrMax(p.Due), p.Account, p.CaseID)
	case p.Account < s.Account: // all items of the account at the time are after it
		c.add("i.due_at >= ?", microsOrMax(p.Due))
	case p.Account > s.Account:
		c.add("i.due_at > ?", microsOrMax(p.Due))
	default: // as the indexes of an account have it
		c.add("(i.due_at, i.case_id) > (?, ?)", microsOrMax(p.Due), p.CaseID)
	}
}

func (t deskTx) Items(ctx context.Context, q desk.ItemQuery, limit int) (found []desk.Item, err error) {
	all := searches(q)
	for _, s := range all {
		some, err := t.items(ctx, s, limit)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	if len(all) > 1 {
		slices.SortFunc(found, compareItems)
	}
	return found[:min(len(found), limit)], nil
}

func compareItems(a, b desk.Item) int {
	return cmp.Or(cmp.Compare(microsOrMax(a.Due), microsOrMax(b.Due)), cmp.Compare(a.Account, b.Account), cmp.Compare(a.CaseID, b.CaseID))
}

// items reads the case of each item that it finds. CROSS JOIN keeps SQLite from
// beginning with the cases.
func (t deskTx) items(ctx context.Context, s itemSearch, limit int) ([]desk.Item, error) {
	tables, c := s.from()
	order := "i.due_at, i.account, i.case_id"
	if s.Tag != "" {
		order = "g.due_at, g.account, g.case_id"
	}
	return all(ctx, t.tx, scanItem, `SELECT `+joinedItem+` FROM `+tables+` CROSS JOIN cases AS c WHERE `+c.text()+`
		AND c.account = i.account AND c.id = i.case_id ORDER BY `+order+` LIMIT `+c.arg(limit), c.args...)
}

func (t deskTx) ItemsByKey(ctx context.Context, keys []desk.Key) (found []desk.Item, err error) {
	for some := range slices.Chunk(keys, t.dialect.keysAtOnce) {
		items, err := t.itemsByKey(ctx, some)
		if err != nil {
			return nil, err
		}
		found = append(found, items...)
	}
	return withoutRepeated(found), nil
}

// itemsByKey looks each key up in the primary keys of both tables. CROSS JOIN
// keeps SQLite from beginning with the tables.
func (t deskTx) itemsByKey(ctx context.Context, keys []desk.Key) ([]desk.Item, error) {
	var places []string
	var c conditions
	for _, k := range padded(keys) {
		places = append(places, "("+c.arg(k.Account)+", "+c.arg(k.CaseID)+")")
	}
	return all(ctx, t.tx, scanItem, `SELECT `+joinedItem+` FROM (VALUES `+strings.Join(places, ", ")+`) AS k
		CROSS JOIN desk_items AS i CROSS JOIN cases AS c
		WHERE i.account = k.column1 AND i.case_id = k.column2 AND c.account = i.account AND c.id = i.case_id`, c.args...)
}

// padded repeats the last key so that few texts are prepared, see inList.
func padded(keys []desk.Key) []desk.Key {
	length := 1
	for length < len(keys) {
		length *= 10
	}
	all := append(make([]desk.Key, 0, length), keys...)
	for len(all) < length {
		all = append(all, keys[len(keys)-1])
	}
	return all
}

func withoutRepeated(items []desk.Item) (once []desk.Item) {
	seen := map[desk.Key]bool{}
	for _, i := range items {
		if !seen[i.Key] {
			once = append(once, i)
		}
		seen[i.Key] = true
	}
	return once
}

// CountItems reads at most most entries of the indexes.
func (t deskTx) CountItems(ctx context.Context, q desk.ItemQuery, most int) (n int, err error) {
	for _, s := range searches(q) {
		tables, c := s.from()
		var found int
		err := t.row(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM `+tables+` WHERE `+c.text()+` LIMIT `+c.arg(most-n)+`) AS found`, c.args...).Scan(&found)
		if err != nil {
			return 0, err
		}
		if n += found; n >= most {
			break
		}
	}
	return n, nil
}

func scanDeskKey(r scanner) (k desk.Key, err error) {
	err = r.Scan(&k.Account, &k.CaseID)
	return k, err
}

// ItemsToWake reads the beginning of index desk_items_wake, as does NextWake.
func (t deskTx) ItemsToWake(ctx context.Context, now time.Time, limit int) ([]desk.Key, error) {
	return all(ctx, t.tx, scanDeskKey, `SELECT account, case_id FROM desk_items WHERE wake_at > 0 AND wake_at <= $1
		ORDER BY wake_at, account, case_id LIMIT $2`, micros(now), limit)
}

func (t deskTx) NextWake(ctx context.Context) (time.Time, error) {
	var at int64
	err := t.row(ctx, `SELECT wake_at FROM desk_items WHERE wake_at > 0 ORDER BY wake_at LIMIT 1`).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromMicros(at), err
}

// CasesByDisplayID reads the beginning of what index cases_display_id has of
// the id.
func (t deskTx) CasesByDisplayID(ctx context.Context, displayID string) ([]desk.Key, error) {
	return all(ctx, t.tx, scanDeskKey, `SELECT account, id FROM cases WHERE display_id = $1 ORDER BY account`, displayID)
}

// load is how many items an agent has.
type load struct {
	agent string
	items int
}

func scanLoad(r scanner) (l load, err error) {
	err = r.Scan(&l.agent, &l.items)
	return l, err
}

// Loads reads what index desk_items_assignee has of each agent.
func (t deskTx) Loads(ctx context.Context, agents []string) (map[string]int, error) {
	loads := map[string]int{}
	for some := range slices.Chunk(agents, t.dialect.keysAtOnce) {
		list, args := inList(1, some)
		found, err := all(ctx, t.tx, scanLoad,
			`SELECT assignee, COUNT(*) FROM desk_items WHERE status <> 'resolved' AND assignee IN (`+list+`) GROUP BY assignee`, args...)
		if err != nil {
			return nil, err
		}
		for _, l := range found {
			loads[l.agent] = l.items
		}
	}
	return loads, nil
}

package desk

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/cases"
)

// View is a queue that agents look at.
type View string

// The views. All but the last show open cases only.
const (
	ViewUnassigned View = "unassigned" // nobody has them who works here
	ViewMine       View = "mine"
	ViewTeam       View = "team"    // of the caller's teams
	ViewWaiting    View = "waiting" // for the customer
	ViewBreaching  View = "breaching"
	ViewOpen       View = "open"
	ViewAll        View = "all"
)

// AllViews returns the views in the order in which they are offered.
func AllViews() []View {
	return []View{ViewUnassigned, ViewMine, ViewTeam, ViewWaiting, ViewBreaching, ViewOpen, ViewAll}
}

// Query asks for cases. Filters combine with the view.
type Query struct {
	View     View // empty: ViewOpen
	Severity string
	Service  string
	Account  string
	Language string
	Tag      string
	Status   string
	Assignee string
	Team     string
	// Text is words that stand in the subject or in one communication, or a
	// case id, a display id or an account's id.
	Text  string
	Limit int // page size; 0: 50, at most 200
	After Position
}

// Page is a page of cases, the most urgent first. Next is where the following
// page starts; nil when this is the last one.
type Page struct {
	Items []Item
	Next  *Position
}

// ViewCount is how many cases are in a view: More says that there are more than
// the Count, which ends at a thousand.
type ViewCount struct {
	View  View
	Count int
	More  bool
}

const (
	defaultLimit, maxLimit = 50, 200
	maxCount               = 1000
)

// Find returns a page of cases.
//
// Words are looked for by [Terms], and of the texts that have them all the
// newest 1,000 are considered; what the filters leave of their cases is in the
// order of urgency, as all pages are. Each page of a search searches again, and
// continues after the position where the last one ended.
func (s *Service) Find(ctx context.Context, who Caller, q Query) (page Page, err error) {
	if err := who.need(Read); err != nil {
		return Page{}, err
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	if q.Limit < 0 || q.Limit > maxLimit {
		return Page{}, ErrInvalid.With("A page has 1 to %d cases, not %d.", maxLimit, q.Limit)
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		selected, some, err := s.selection(ctx, tx, who, q)
		if err != nil || !some {
			return err
		}
		found, err := findItems(ctx, tx, selected, strings.TrimSpace(q.Text), q.Limit+1)
		page = newPage(found, q.Limit)
		return err
	})
	return page, err
}

// Views counts the cases of each view.
func (s *Service) Views(ctx context.Context, who Caller) (counts []ViewCount, err error) {
	if err := who.need(Read); err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		counts = nil
		for _, v := range AllViews() {
			c, err := s.count(ctx, tx, who, v)
			if err != nil {
				return err
			}
			counts = append(counts, c)
		}
		return nil
	})
	return counts, err
}

func (s *Service) count(ctx context.Context, tx Tx, who Caller, v View) (ViewCount, error) {
	selected, some, err := s.selection(ctx, tx, who, Query{View: v})
	if err != nil || !some {
		return ViewCount{View: v}, err
	}
	n, err := tx.CountItems(ctx, selected, maxCount+1)
	return ViewCount{View: v, Count: min(n, maxCount), More: n > maxCount}, err
}

// selection returns what the view and the filters select together; some is false
// when they exclude each other.
func (s *Service) selection(ctx context.Context, tx Tx, who Caller, q Query) (selected ItemQuery, some bool, err error) {
	settings, err := s.settings(ctx, tx)
	if err != nil {
		return ItemQuery{}, false, err
	}
	selected = ItemQuery{
		Severity: q.Severity, Service: q.Service, Account: q.Account, Language: q.Language,
		Tag: foldTag(q.Tag), Status: cases.Status(q.Status), After: q.After,
	}
	if q.Assignee != "" {
		selected.Assignees = []string{q.Assignee}
	}
	if q.Team != "" {
		selected.Teams = []string{q.Team}
	}
	if q.View == ViewUnassigned {
		left, err := agentsWhoLeft(ctx, tx)
		if err != nil {
			return ItemQuery{}, false, err
		}
		some = narrowTo(&selected.Assignees, append(left, ""))
		return selected, some, nil
	}
	breaching := s.now().Add(time.Duration(settings.BreachingMinutes) * time.Minute)
	some, err = selected.narrow(q.View, who.Agent, breaching)
	return selected, some, err
}

// agentsWhoLeft returns those who have open cases and do not work here any more.
func agentsWhoLeft(ctx context.Context, tx Tx) (left []string, err error) {
	agents, err := readDocuments[Agent](ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, a := range agents {
		if !a.works() {
			left = append(left, a.ID)
		}
	}
	loads, err := tx.Loads(ctx, left)
	return slices.DeleteFunc(left, func(id string) bool { return loads[id] == 0 }), err
}

// narrow adds a view to the filters and reports whether they leave anything.
func (q *ItemQuery) narrow(v View, agent Agent, breaching time.Time) (some bool, err error) {
	switch v {
	case ViewMine:
		return narrowTo(&q.Assignees, []string{agent.ID}), nil
	case ViewTeam:
		return narrowTo(&q.Teams, agent.Teams), nil
	case ViewWaiting:
		return restrict(&q.Status, cases.PendingCustomerAction), nil
	case ViewBreaching:
		q.DueBefore = breaching
	case ViewOpen, "":
	case ViewAll:
		q.Resolved = true
		return true, nil
	default:
		return false, ErrInvalid.With("There is no view %q; the views are %v.", v, AllViews())
	}
	return q.Status != cases.Resolved, nil
}

// narrowTo leaves those of a filter's values that are among others; one without
// values has all. It reports whether there are any.
func narrowTo(filter *[]string, to []string) bool {
	if len(*filter) == 0 {
		*filter = to
	} else {
		*filter = slices.DeleteFunc(*filter, func(value string) bool { return !slices.Contains(to, value) })
	}
	return len(*filter) > 0
}

// restrict gives a filter a value, unless it has another one.
func restrict[T ~string](filter *T, to T) bool {
	if *filter == "" {
		*filter = to
	}
	return *filter == to
}

func findItems(ctx context.Context, tx Tx, q ItemQuery, text string, limit int) ([]Item, error) {
	if text == "" {
		return tx.Items(ctx, q, limit)
	}
	isAccount, err := hasItems(ctx, tx, text)
	if err != nil {
		return nil, err
	}
	if !isAccount {
		return searchItems(ctx, tx, q, text, limit)
	}
	if !restrict(&q.Account, text) {
		return nil, nil
	}
	return tx.Items(ctx, q, limit)
}

// hasItems reports whether a text is the id of an account with cases. Other
// numbers of as many digits may stand in a communication.
func hasItems(ctx context.Context, tx Tx, text string) (bool, error) {
	if !isDigits(text, 12) {
		return false, nil
	}
	n, err := tx.CountItems(ctx, ItemQuery{Account: text, Resolved: true}, 1)
	return n > 0, err
}

// maxHits is how many texts a search considers, and maxQueryTerms how many of
// its terms count.
const maxHits, maxQueryTerms = 1000, 32

// searchItems filters and orders here what a text finds, which is never much.
func searchItems(ctx context.Context, tx Tx, q ItemQuery, text string, limit int) ([]Item, error) {
	keys, err := searchKeys(ctx, tx, text)
	if err != nil {
		return nil, err
	}
	found, err := tx.ItemsByKey(ctx, keys)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(i Item) bool { return !q.selects(i) })
	slices.SortFunc(found, func(a, b Item) int { return a.position().compare(b.position()) })
	return found[:min(len(found), limit)], nil
}

// searchKeys returns the cases with the id, the display id or the words, each
// once.
func searchKeys(ctx context.Context, tx Tx, text string) ([]Key, error) {
	key, ok := keyOfID(text)
	if ok {
		return []Key{key}, nil
	}
	if keys, err := tx.CasesByDisplayID(ctx, text); len(keys) > 0 || err != nil {
		return keys, err
	}
	terms := wanted(text)
	if len(terms) == 0 {
		return nil, nil
	}
	hits, err := tx.Search(ctx, terms, maxHits)
	if err != nil {
		return nil, err
	}
	var keys []Key
	seen := map[Key]bool{}
	for _, h := range hits {
		if !seen[h.Key] {
			keys = append(keys, h.Key)
		}
		seen[h.Key] = true
	}
	return keys, nil
}

// selects does what the store does with a query.
func (q ItemQuery) selects(i Item) bool {
	return (len(q.Assignees) == 0 || slices.Contains(q.Assignees, i.Assignee)) &&
		(len(q.Teams) == 0 || slices.Contains(q.Teams, i.Team)) &&
		matches(q.Status, i.Status) &&
		(q.DueBefore.IsZero() || !i.Due.IsZero() && i.Due.Before(q.DueBefore)) &&
		matches(q.Severity, i.Severity) &&
		matches(q.Service, i.Service) &&
		matches(q.Account, i.Account) &&
		matches(q.Language, i.Language) &&
		(q.Tag == "" || slices.Contains(i.Tags, q.Tag)) &&
		(q.Resolved || i.Open()) &&
		(q.After == Position{} || q.After.compare(i.position()) < 0)
}

func matches[T ~string](filter, value T) bool { return filter == "" || filter == value }

func newPage(found []Item, limit int) Page {
	if len(found) <= limit {
		return Page{Items: found}
	}
	next := found[limit-1].position()
	return Page{Items: found[:limit], Next: &next}
}

func (i Item) position() Position { return Position{Due: i.Due, Key: i.Key} }

// compare orders by urgency: what is due first comes first, and what is never
// due comes last.
func (p Position) compare(other Position) int {
	if p.Due.IsZero() != other.Due.IsZero() {
		if p.Due.IsZero() {
			return 1
		}
		return -1
	}
	if order := p.Due.Compare(other.Due); order != 0 {
		return order
	}
	if order := strings.Compare(p.Account, other.Account); order != 0 {
		return order
	}
	return strings.Compare(p.CaseID, other.CaseID)
}

// isDigits reports whether a text is n digits.
func isDigits(text string, n int) bool {
	return len(text) == n && strings.Trim(text, "0123456789") == ""
}

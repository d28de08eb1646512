package desk

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/supportd/supportd/internal/calendar"
	"github.com/supportd/supportd/internal/iam"
)

// rules are what clocks go by beside the history of a case, and which teams new
// cases are routed to. They do not change.
type rules struct {
	settings  Settings
	promises  map[string]Promise
	calendars map[string]calendar.Calendar
	routing   []Team // that have new cases given to their agents
}

// promised is what a plan promises about cases of a severity, and when time
// counts. A time of zero is not promised.
type promised struct {
	first, next, resolution time.Duration
	open                    calendar.Calendar
}

func (p promised) of(kind ClockKind) time.Duration {
	switch kind {
	case FirstResponse:
		return p.first
	case NextResponse:
		return p.next
	}
	return p.resolution
}

// businessHours is the id of the calendar that holds for plans which are served
// in business hours only. Without a calendar of the id it is that of AWS, which
// says 8:00 to 18:00 in the customer's country ("Compare AWS Support Plans",
// Developer); we take UTC, as an account has no country.
const businessHours = "business-hours"

// promise returns what was promised: by an administrator to the plan or to any
// plan, or else by the plan itself, where the next responses are as fast as the
// first.
func (r *rules) promise(plan, severity string) promised {
	if set, ok := r.set(plan, severity); ok {
		return promised{
			first: minutes(set.FirstResponseMinutes), next: minutes(set.NextResponseMinutes), resolution: minutes(set.ResolutionMinutes),
			open: r.calendars[set.Calendar],
		}
	}
	known, ok := plans()[plan]
	if !ok { // a plan of a later release promises nothing that we know of
		return promised{}
	}
	most, _ := known.FirstResponse(severity)
	p := promised{first: most, next: most}
	if known.BusinessHours() {
		p.open = r.calendars[businessHours]
	}
	return p
}

// plans returns every plan by its id. Each look at a clock asks for one, and
// [iam.PlanByID] lists them anew.
var plans = sync.OnceValue(func() map[string]iam.Plan {
	all := map[string]iam.Plan{}
	for _, p := range iam.Plans() {
		all[p.ID] = p
	}
	return all
})

// set returns what an administrator promised.
func (r *rules) set(plan, severity string) (Promise, bool) {
	if len(r.promises) == 0 {
		return Promise{}, false
	}
	set, ok := r.promises[plan+"."+severity]
	if !ok {
		set, ok = r.promises["any."+severity]
	}
	return set, ok
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// settingsCache keeps settings, promises, calendars and teams, which every change
// of a case needs. What other processes change is seen within seconds.
type settingsCache struct {
	mu     sync.Mutex
	rules  *rules
	until  time.Time // of the real clock: it is about other processes, not about cases
	forgot int       // counts, so that what was being read before is not kept after
}

// rulesKept is how long a process goes by rules that another one has changed.
const rulesKept = 5 * time.Second

// forget makes the next change of a case read the rules again.
func (c *settingsCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rules = nil
	c.forgot++
}

// Forget makes the desk read again what it keeps in memory: somebody has changed
// the store beside it.
func (s *Service) Forget() { s.known.forget() }

func (c *settingsCache) get() (known *rules, forgot int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().After(c.until) {
		return nil, c.forgot
	}
	return c.rules, c.forgot
}

func (c *settingsCache) keep(read *rules, forgot int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if forgot == c.forgot {
		c.rules, c.until = read, time.Now().Add(rulesKept)
	}
}

// rules returns the rules in force. It reads them in the transaction where it
// must: one beside it might wait for a connection that this one has.
func (s *Service) rules(ctx context.Context, tx Tx) (*rules, error) {
	known, forgot := s.known.get()
	if known != nil {
		return known, nil
	}
	read, err := s.readRules(ctx, tx)
	if err != nil {
		return nil, err
	}
	s.known.keep(read, forgot)
	return read, nil
}

func (s *Service) readRules(ctx context.Context, tx Tx) (*rules, error) {
	settings, err := readSettings(ctx, tx)
	if err != nil {
		return nil, err
	}
	promises, err := readDocuments[Promise](ctx, tx)
	if err != nil {
		return nil, err
	}
	calendars, err := readDocuments[Calendar](ctx, tx)
	if err != nil {
		return nil, err
	}
	teams, err := readDocuments[Team](ctx, tx)
	if err != nil {
		return nil, err
	}
	r := &rules{settings: settings, promises: map[string]Promise{}, calendars: map[string]calendar.Calendar{}, routing: routingTeams(teams)}
	for _, p := range promises {
		r.promises[p.ID] = p
	}
	for _, c := range append([]Calendar{usualHours()}, calendars...) {
		made, err := calendar.New(c.Zone, c.Hours, c.Holidays)
		if err != nil { // cases go on, around the clock
			s.log().ErrorContext(ctx, "calendar", "calendar", c.ID, "error", err.Error())
		}
		r.calendars[c.ID] = made
	}
	return r, nil
}

func usualHours() Calendar {
	hours := map[string][]string{}
	for _, name := range []string{"mon", "tue", "wed", "thu", "fri"} {
		hours[name] = []string{"08:00-18:00"}
	}
	return Calendar{ID: businessHours, Zone: "UTC", Hours: hours}
}

func readSettings(ctx context.Context, tx Tx) (Settings, error) {
	found, err := readDocument[Settings](ctx, tx, settingsID)
	if errors.Is(err, ErrNotFound) {
		return DefaultSettings(), nil
	}
	return found, err
}

// settings returns the settings that this process goes by.
func (s *Service) settings(ctx context.Context, tx Tx) (Settings, error) {
	r, err := s.rules(ctx, tx)
	if err != nil {
		return Settings{}, err
	}
	return r.settings, nil
}

// clocks returns the clocks of an item as they are now.
func (s *Service) clocks(ctx context.Context, tx Tx, i Item) ([]Clock, error) {
	r, err := s.rules(ctx, tx)
	if err != nil {
		return nil, err
	}
	return r.clocks(i.History, s.now()), nil
}

// earlier returns the earlier of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

package desk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/supportd/supportd/internal/calendar"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/jobs"
)

// Settings are of the desk as a whole.
type Settings struct {
	ProviderName       string `json:"providerName"`       // who replies, as customers see it
	WarnPercent        int    `json:"warnPercent"`        // of a promised time, after which a clock warns
	BreachingMinutes   int    `json:"breachingMinutes"`   // before its breach a case is in the view "breaching"
	DefaultReplyStatus string `json:"defaultReplyStatus"` // of a case after a reply that does not say
	Version            int64  `json:"version"`
}

// DefaultSettings are in force until somebody changes them.
func DefaultSettings() Settings {
	return Settings{
		ProviderName: "Amazon Web Services", WarnPercent: 75, BreachingMinutes: 60,
		DefaultReplyStatus: "pending-customer-action",
	}
}

// Calendars returns all calendars.
func (s *Service) Calendars(ctx context.Context, who Caller) ([]Calendar, error) {
	return viewDocuments[Calendar](ctx, s, who)
}

// PutCalendar creates or replaces a calendar. One without an id gets one. The
// clocks of all open cases go by it from then on.
func (s *Service) PutCalendar(ctx context.Context, who Caller, c Calendar) (Calendar, error) {
	if err := cmp.Or(who.need(Configure), s.name(ctx, &who, KindCalendar, &c.ID)); err != nil {
		return Calendar{}, err
	}
	c.Hours, c.Holidays = orEmpty(c.Hours), orEmpty(c.Holidays)
	return putRule(ctx, s, who, c, func(Tx) error { return c.check() })
}

// DeleteCalendar removes a calendar that no promise names.
func (s *Service) DeleteCalendar(ctx context.Context, who Caller, id string) error {
	return deleteRule[Calendar](ctx, s, who, id, func(tx Tx) error {
		promises, err := readDocuments[Promise](ctx, tx)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(promises, func(p Promise) bool { return p.Calendar == id }); i >= 0 {
			return ErrConflict.With("The promise %s goes by the calendar.", promises[i].ID)
		}
		return nil
	})
}

// Promises returns the promises that are set; others are those of the plans.
func (s *Service) Promises(ctx context.Context, who Caller) ([]Promise, error) {
	return viewDocuments[Promise](ctx, s, who)
}

// PutPromise creates or replaces a promise. The clocks of all open cases go by
// it from then on.
func (s *Service) PutPromise(ctx context.Context, who Caller, p Promise) (Promise, error) {
	return putRule(ctx, s, who, p, func(tx Tx) error { return s.checkPromise(ctx, tx, p) })
}

// DeletePromise goes back to that of the plan.
func (s *Service) DeletePromise(ctx context.Context, who Caller, id string) error {
	return deleteRule[Promise](ctx, s, who, id, nothing)
}

// Settings returns the settings in force.
func (s *Service) Settings(ctx context.Context, who Caller) (in Settings, err error) {
	if err := who.need(Read); err != nil {
		return Settings{}, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		in, err = readDocument[Settings](ctx, tx, settingsID)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return DefaultSettings(), nil
	}
	return in, err
}

// PutSettings replaces the settings.
func (s *Service) PutSettings(ctx context.Context, who Caller, in Settings) (Settings, error) {
	return putRule(ctx, s, who, in, func(Tx) error { return in.check() })
}

func (c Calendar) check() error {
	if err := cmp.Or(checkID("calendar", c.ID), checkName("name of the calendar", c.Name)); err != nil {
		return err
	}
	if err := c.checkSize(); err != nil {
		return err
	}
	if _, err := calendar.New(c.Zone, c.Hours, c.Holidays); err != nil {
		return ErrInvalid.With("The calendar has a mistake: %v.", err)
	}
	return nil
}

// The bounds of a calendar, which every clock is counted by.
const maxHolidays, maxHoursOfDay = 1000, 24

func (c Calendar) checkSize() error {
	if len(c.Holidays) > maxHolidays {
		return ErrInvalid.With("A calendar has at most %d holidays, not %d.", maxHolidays, len(c.Holidays))
	}
	for _, name := range c.Holidays {
		if err := checkName("name of a holiday", name); err != nil {
			return err
		}
	}
	for _, hours := range c.Hours {
		if len(hours) > maxHoursOfDay {
			return ErrInvalid.With("A day has at most %d intervals of hours, not %d.", maxHoursOfDay, len(hours))
		}
	}
	return nil
}

// maxPromise is a year, in minutes: what takes longer nobody promises.
const maxPromise = 365 * 24 * 60

func (s *Service) checkPromise(ctx context.Context, tx Tx, p Promise) error {
	if err := s.checkPromiseID(p.ID); err != nil {
		return err
	}
	for _, minutes := range []int{p.FirstResponseMinutes, p.NextResponseMinutes, p.ResolutionMinutes} {
		if minutes < 0 || minutes > maxPromise {
			return ErrInvalid.With("A promised time has from 0 to %d minutes; 0 promises nothing.", maxPromise)
		}
	}
	if p.Calendar == "" || p.Calendar == businessHours { // which is there without being set up
		return nil
	}
	_, err := readDocument[Calendar](ctx, tx, p.Calendar)
	return asInvalid(err)
}

func (s *Service) checkPromiseID(id string) error {
	plan, severity, ok := strings.Cut(id, ".")
	if !ok {
		return ErrInvalid.With("The id of a promise is PLAN.SEVERITY, such as enterprise.critical or any.low; %q is none.", id)
	}
	if plan != "any" {
		if _, err := iam.PlanByID(plan); err != nil {
			return asInvalid(err)
		}
	}
	var known []string
	for _, one := range s.Cases.Catalog.Severities() {
		known = append(known, one.Code)
	}
	if !slices.Contains(known, severity) {
		return ErrInvalid.With("There is no severity %q; severities are %v.", severity, known)
	}
	return nil
}

// maxBreaching is how early a case is in the view "breaching" at most, in
// minutes: a month.
const maxBreaching = 31 * 24 * 60

func (in Settings) check() error {
	if err := checkName("name of the provider", in.ProviderName); err != nil {
		return err
	}
	if in.WarnPercent < 1 || in.WarnPercent > 99 {
		return ErrInvalid.With("A clock warns after 1 to 99 percent of its time.")
	}
	if in.BreachingMinutes < 1 || in.BreachingMinutes > maxBreaching {
		return ErrInvalid.With("A case is breaching from 1 to %d minutes before.", maxBreaching)
	}
	return checkReplyStatus(in.DefaultReplyStatus)
}

// checkReplyStatus wants what can become of any case that is answered.
func checkReplyStatus(status string) error {
	known := []string{string(cases.PendingCustomerAction), string(cases.WorkInProgress), string(cases.Resolved), keepStatus}
	if !slices.Contains(known, status) {
		return ErrInvalid.With("The status after a reply cannot be %q; it can be one of %v.", status, known)
	}
	return nil
}

// putRule creates or replaces what clocks go by.
func putRule[T any, P documented[T]](ctx context.Context, s *Service, who Caller, in T, check func(Tx) error) (T, error) {
	defer s.known.forget()
	return putDocument[T, P](ctx, s, who, Configure, in, func(tx Tx) error {
		if err := check(tx); err != nil {
			return err
		}
		return recount(ctx, tx)
	})
}

// deleteRule removes what clocks go by.
func deleteRule[T any, P documented[T]](ctx context.Context, s *Service, who Caller, id string, check func(Tx) error) error {
	defer s.known.forget()
	return deleteDocument[T, P](ctx, s, who, Configure, id, func(tx Tx) error {
		if err := check(tx); err != nil {
			return err
		}
		return recount(ctx, tx)
	})
}

// recount has the clocks of all open cases looked at with the new rules.
func recount(ctx context.Context, tx Tx) error {
	_, err := tx.Enqueue(ctx, jobs.Job{Kind: RecountJob, Key: "all"})
	return err
}

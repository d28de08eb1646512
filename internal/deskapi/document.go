package deskapi

import (
	"context"
	"errors"

	"github.com/supportd/supportd/internal/desk"
)

// The shapes of documents have the fields of those of package desk, one by one:
// each converts to the other.

type team struct {
	ID        string   `json:"id" in:"read-only" doc:"The id."`
	Name      string   `json:"name" in:"required" doc:"The name."`
	Services  []string `json:"services" doc:"The service codes of cases that come to the team; none: any."`
	Languages []string `json:"languages" doc:"The language codes of such cases; none: any."`
	Accounts  []string `json:"accounts" doc:"The accounts of such cases; none: any."`
	Routing   bool     `json:"routing" doc:"Whether new cases are given to the team's agents."`
	Version   int64    `json:"version" in:"read-only" doc:"Counts the changes; the ETag is made of it."`
}

type macro struct {
	ID      string   `json:"id" in:"read-only" doc:"The id."`
	Name    string   `json:"name" in:"required" doc:"The name."`
	Body    string   `json:"body" doc:"Of a reply; empty: none. Variables such as {{case.displayId}} are filled in."`
	Note    string   `json:"note" doc:"An internal note; empty: none."`
	Status  string   `json:"status,omitzero" enum:"pending-customer-action work-in-progress resolved keep" doc:"Of the case afterwards; missing: that of the settings."`
	AddTags []string `json:"addTags" doc:"Tags that the case gets."`
	Version int64    `json:"version" in:"read-only" doc:"Counts the changes; the ETag is made of it."`
}

type calendar struct {
	ID       string              `json:"id" in:"read-only" doc:"The id."`
	Name     string              `json:"name" in:"required" doc:"The name."`
	Zone     string              `json:"zone" in:"required" doc:"A time zone of the IANA database, such as Europe/Berlin."`
	Hours    map[string][]string `json:"hours" doc:"When the desk is open: intervals such as 09:00-17:30 by mon to sun."`
	Holidays map[string]string   `json:"holidays" doc:"Days on which the desk is closed: names by date, such as 2026-12-25."`
	Version  int64               `json:"version" in:"read-only" doc:"Counts the changes; the ETag is made of it."`
}

type promise struct {
	ID                   string `json:"id" in:"read-only" doc:"PLAN.SEVERITY, such as business.urgent; PLAN may be any."`
	FirstResponseMinutes int    `json:"firstResponseMinutes" doc:"Until the first reply; 0: nothing is promised."`
	NextResponseMinutes  int    `json:"nextResponseMinutes" doc:"Until the reply to what a customer added; 0: nothing is promised."`
	ResolutionMinutes    int    `json:"resolutionMinutes" doc:"Until the case is resolved; 0: nothing is promised."`
	Calendar             string `json:"calendar" doc:"The id of the calendar by which time counts; empty: around the clock."`
	Version              int64  `json:"version" in:"read-only" doc:"Counts the changes; the ETag is made of it."`
}

func (t team) version() int64     { return t.Version }
func (m macro) version() int64    { return m.Version }
func (c calendar) version() int64 { return c.Version }
func (p promise) version() int64  { return p.Version }

func (a *API) teams() documents[desk.Team, team] {
	return documents[desk.Team, team]{
		"team", a.desk.Teams, a.desk.PutTeam, a.desk.DeleteTeam,
		func(d desk.Team) (string, team) { return d.ID, team(d) },
		func(id string, t team) desk.Team { t.ID = id; return desk.Team(t) },
	}
}

func (a *API) macros() documents[desk.Macro, macro] {
	return documents[desk.Macro, macro]{
		"macro", a.desk.Macros, a.desk.PutMacro, a.desk.DeleteMacro,
		func(d desk.Macro) (string, macro) { return d.ID, macro(d) },
		func(id string, m macro) desk.Macro { m.ID = id; return desk.Macro(m) },
	}
}

func (a *API) calendars() documents[desk.Calendar, calendar] {
	return documents[desk.Calendar, calendar]{
		"calendar", a.desk.Calendars, a.desk.PutCalendar, a.desk.DeleteCalendar,
		func(d desk.Calendar) (string, calendar) { return d.ID, calendar(d) },
		func(id string, c calendar) desk.Calendar { c.ID = id; return desk.Calendar(c) },
	}
}

func (a *API) promises() documents[desk.Promise, promise] {
	return documents[desk.Promise, promise]{
		"promise", a.desk.Promises, a.desk.PutPromise, a.desk.DeletePromise,
		func(d desk.Promise) (string, promise) { return d.ID, promise(d) },
		func(id string, p promise) desk.Promise { p.ID = id; return desk.Promise(p) },
	}
}

// documents are the handlers of one kind of document: Doc to the desk, Shape to
// callers.
type documents[Doc, Shape any] struct {
	kind  string
	list  func(context.Context, desk.Caller) ([]Doc, error)
	put   func(context.Context, desk.Caller, Doc) (Doc, error)
	drop  func(ctx context.Context, who desk.Caller, id string) error
	show  func(Doc) (id string, shown Shape)
	named func(id string, s Shape) Doc
}

type documentInput struct {
	ID string `path:"id" doc:"The id."`
}

type putInput[Shape any] struct {
	documentInput
	New Shape `body:"true"`
}

func (d documents[Doc, Shape]) all(ctx context.Context, who desk.Caller, _ *none) (*list[Shape], error) {
	all, err := d.list(ctx, who)
	return &list[Shape]{shapes(all, func(one Doc) Shape {
		_, shown := d.show(one)
		return shown
	})}, err
}

func (d documents[Doc, Shape]) one(ctx context.Context, who desk.Caller, in *documentInput) (*Shape, error) {
	all, err := d.list(ctx, who)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if id, shown := d.show(one); id == in.ID {
			return &shown, nil
		}
	}
	return nil, desk.ErrNotFound.With("There is no %s %.100q.", d.kind, in.ID)
}

// replace puts a document. A caller who does not say which version it replaces
// must find none.
func (d documents[Doc, Shape]) replace(ctx context.Context, who desk.Caller, in *putInput[Shape]) (*Shape, error) {
	silent := who.IfVersion == 0
	if silent {
		who.IfVersion = desk.NoVersion
	}
	made, err := d.put(ctx, who, d.named(in.ID, in.New))
	if silent && errors.Is(err, desk.ErrChanged) {
		return nil, errIfMatchNeeded
	}
	_, shown := d.show(made)
	return &shown, err
}

func (d documents[Doc, Shape]) remove(ctx context.Context, who desk.Caller, in *documentInput) (*none, error) {
	return &none{}, d.drop(ctx, who, in.ID)
}

type settings struct {
	ProviderName       string `json:"providerName" in:"required" doc:"Who replies, as customers see it."`
	WarnPercent        int    `json:"warnPercent" in:"required" doc:"Of a promised time, after which a clock warns."`
	BreachingMinutes   int    `json:"breachingMinutes" in:"required" doc:"Before its breach a case is in the view breaching."`
	DefaultReplyStatus string `json:"defaultReplyStatus" in:"required" enum:"pending-customer-action work-in-progress resolved keep" doc:"Of a case after a reply that does not say."`
	Version            int64  `json:"version" in:"read-only" doc:"Counts the changes, 0 while nobody made one; the ETag is made of it."`
}

func (s settings) version() int64 { return s.Version }

func settingsAnswer(s desk.Settings, err error) (*settings, error) {
	shown := settings(s)
	return &shown, err
}

func (a *API) getSettings(ctx context.Context, who desk.Caller, _ *none) (*settings, error) {
	return settingsAnswer(a.desk.Settings(ctx, who))
}

type putSettingsInput struct {
	New settings `body:"true"`
}

func (a *API) putSettings(ctx context.Context, who desk.Caller, in *putSettingsInput) (*settings, error) {
	switch who.IfVersion {
	case 0:
		return nil, errIfMatchNeeded
	case desk.AnyVersion: // there are settings even when nobody has written them
		who.IfVersion = 0
	}
	return settingsAnswer(a.desk.PutSettings(ctx, who, desk.Settings(in.New)))
}

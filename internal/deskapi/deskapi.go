// Package deskapi is the desk over HTTP: JSON for agents and for programs that
// work with them, under /desk/v1.
//
// Rules are those of package desk; this one authenticates, translates and
// describes itself in OpenAPI.
package deskapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/seal"
)

// Config is what an API is made of. Desk and Tokens must be set.
type Config struct {
	Desk   *desk.Service
	Tokens *seal.Box // seals the next tokens of pages; the same on all nodes

	RequestsPerSecond int              // of one token, on each node by itself; 0: no limit
	Now               func() time.Time // by which the limit counts and answers are dated; nil means time.Now
	Version           string           // of the program, for the description; empty: unknown
}

// API is the handler of everything under /desk/v1.
type API struct {
	desk   *desk.Service
	tokens *seal.Box
	limits *limiter
	places *places // where large bodies may be in memory
	now    func() time.Time

	mux     *http.ServeMux
	openAPI document // encoded once
}

var _ http.Handler = (*API)(nil)

// New returns the API. It fails where its description cannot be encoded.
func New(c Config) (*API, error) {
	if c.Desk == nil || c.Tokens == nil {
		return nil, errors.New("deskapi: Desk and Tokens must be set")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	a := &API{
		desk: c.Desk, tokens: c.Tokens, limits: newLimiter(c.RequestsPerSecond, c.Now),
		places: newPlaces(), now: c.Now, mux: http.NewServeMux(),
	}
	routes := a.routes()
	var err error
	if a.openAPI, err = describe(routes, c.Version); err != nil {
		return nil, err
	}
	for _, route := range routes {
		a.mux.HandleFunc(route.method+" "+route.path, a.handler(route))
	}
	a.mux.HandleFunc("/", a.unknown)
	return a, nil
}

// route is a line in the table of what the API answers.
type route struct {
	method, path string
	need         desk.Permission
	name         string
	operation
	summary string
}

// What a route may ask for instead of a permission.
const (
	public     desk.Permission = "public" // no token
	everyAgent desk.Permission = "agent"  // any token; the rules of the desk say the rest
)

// routes is the table of what the API answers.
func (a *API) routes() []route {
	const v1 = "/desk/v1"
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	teams, macros, calendars, promises := a.teams(), a.macros(), a.calendars(), a.promises()
	return []route{
		{get, v1 + "/openapi.json", public, "DescribeAPI", op(a.describeAPI), "This description."},
		{get, v1 + "/me", everyAgent, "GetMe", op(a.me), "Who the token lets in, and what they may do."},

		{get, v1 + "/views", desk.Read, "ListViews", op(a.views), "How many cases are in each view."},
		{get, v1 + "/cases", desk.Read, "ListCases", op(a.listCases), "A page of a view or of a search, the most urgent case first."},
		{post, v1 + "/cases", desk.Work, "OpenCase", op(a.openCase), "Opens a case on behalf of an account."},
		{get, v1 + "/cases/{case}", desk.Read, "GetCase", op(a.getCase), "All that an agent sees of a case at first sight."},
		{get, v1 + "/cases/{case}/timeline", desk.Read, "GetTimeline", op(a.timeline), "A page of everything that ever happened to a case, oldest first."},
		{get, v1 + "/cases/{case}/communications", desk.Read, "ListCommunications", op(a.communications), "A page of what was said in a case, newest first."},
		{get, v1 + "/cases/{case}/clocks", desk.Read, "GetClocks", op(a.clocks), "The clocks of a case, with an account of their time."},
		{get, v1 + "/cases/{case}/attachments/{attachment}", desk.Read, "GetAttachment", op(a.attachment), "A file that a communication of the case carries."},
		{post, v1 + "/cases/{case}/claim", desk.Work, "ClaimCase", op(a.claim), "Gives the case to the caller."},
		{post, v1 + "/cases/{case}/assign", desk.Work, "AssignCase", op(a.assign), "Gives the case to an agent, a team, whose turn it is, or nobody."},
		{post, v1 + "/cases/{case}/reply", desk.Work, "ReplyToCase", op(a.reply), "Adds a communication that the customer sees as the provider's."},
		{post, v1 + "/cases/{case}/customer-reply", desk.Work, "ReplyForCustomer", op(a.replyForCustomer), "Adds a communication on behalf of the customer."},
		{post, v1 + "/cases/{case}/status", desk.Work, "SetStatus", op(a.setStatus), "Moves the case to a status."},
		{post, v1 + "/cases/{case}/notes", desk.Work, "AddNote", op(a.addNote), "Adds a note that customers never see."},
		{post, v1 + "/cases/{case}/tags", desk.Work, "TagCase", op(a.tag), "Adds and removes tags."},
		{post, v1 + "/cases/{case}/severity", desk.Work, "SetSeverity", op(a.setSeverity), "Changes the severity and keeps the reason."},
		{post, v1 + "/cases/{case}/links", desk.Work, "LinkCase", op(a.link), "Notes that two cases of an account have to do with each other."},
		{del, v1 + "/cases/{case}/links/{other}", desk.Work, "UnlinkCase", op(a.unlink), "Takes a link back."},
		{post, v1 + "/cases/{case}/merge", desk.Work, "MergeCase", op(a.merge), "Resolves the case in favour of another one of the account."},
		{post, v1 + "/cases/{case}/unmerge", desk.Work, "UnmergeCase", op(a.unmerge), "Takes a merge back: the case is open again as it was."},
		{post, v1 + "/cases/{case}/macro", desk.Work, "ApplyMacro", op(a.applyMacro), "Does what a macro says."},
		{put, v1 + "/cases/{case}/presence", desk.Work, "SetPresence", op(a.setPresence), "Notes for a minute that the caller has the case before the eyes, and tells who else does."},
		{del, v1 + "/cases/{case}/presence", desk.Work, "Leave", op(a.leave), "Takes the caller's presence back."},

		{get, v1 + "/agents", desk.Read, "ListAgents", op(a.listAgents), "All agents."},
		{post, v1 + "/agents", desk.Configure, "CreateAgent", op(a.createAgent), "Adds an agent."},
		{get, v1 + "/agents/{agent}", desk.Read, "GetAgent", op(a.getAgent), "An agent, by id or e-mail address."},
		{put, v1 + "/agents/{agent}", desk.Configure, "PutAgent", op(a.putAgent), "Replaces an agent; one who is not active is refused."},
		{get, v1 + "/agents/{agent}/tokens", everyAgent, "ListTokens", op(a.listTokens), "The tokens of an agent: the caller's own, and with configure anybody's."},
		{post, v1 + "/agents/{agent}/tokens", everyAgent, "CreateToken", op(a.createToken), "Makes a token and shows it once: the caller's own, and with configure anybody's."},
		{del, v1 + "/agents/{agent}/tokens/{token}", everyAgent, "RevokeToken", op(a.revokeToken), "Ends a token: the caller's own, and with configure anybody's."},

		{get, v1 + "/teams", desk.Read, "ListTeams", op(teams.all), "All teams."},
		{get, v1 + "/teams/{id}", desk.Read, "GetTeam", op(teams.one), "A team."},
		{put, v1 + "/teams/{id}", desk.Manage, "PutTeam", op(teams.replace), "Creates or replaces a team."},
		{del, v1 + "/teams/{id}", desk.Manage, "DeleteTeam", op(teams.remove), "Removes a team that has no agents and no open cases."},
		{get, v1 + "/macros", desk.Read, "ListMacros", op(macros.all), "All macros."},
		{get, v1 + "/macros/{id}", desk.Read, "GetMacro", op(macros.one), "A macro."},
		{put, v1 + "/macros/{id}", desk.Manage, "PutMacro", op(macros.replace), "Creates or replaces a macro."},
		{del, v1 + "/macros/{id}", desk.Manage, "DeleteMacro", op(macros.remove), "Removes a macro."},
		{get, v1 + "/calendars", desk.Read, "ListCalendars", op(calendars.all), "All calendars."},
		{get, v1 + "/calendars/{id}", desk.Read, "GetCalendar", op(calendars.one), "A calendar."},
		{put, v1 + "/calendars/{id}", desk.Configure, "PutCalendar", op(calendars.replace), "Creates or replaces a calendar."},
		{del, v1 + "/calendars/{id}", desk.Configure, "DeleteCalendar", op(calendars.remove), "Removes a calendar that no promise names."},
		{get, v1 + "/promises", desk.Read, "ListPromises", op(promises.all), "The promises that are set; others are those of the plans."},
		{get, v1 + "/promises/{id}", desk.Read, "GetPromise", op(promises.one), "A promise that is set."},
		{put, v1 + "/promises/{id}", desk.Configure, "PutPromise", op(promises.replace), "Creates or replaces a promise."},
		{del, v1 + "/promises/{id}", desk.Configure, "DeletePromise", op(promises.remove), "Goes back to the promise of the plan."},
		{get, v1 + "/settings", desk.Read, "GetSettings", op(a.getSettings), "The settings in force."},
		{put, v1 + "/settings", desk.Configure, "PutSettings", op(a.putSettings), "Replaces the settings."},

		{get, v1 + "/audit", desk.Audit, "ListEntries", op(a.listEntries), "A page of the audit log, newest first."},
	}
}

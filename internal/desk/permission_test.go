package desk_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

// needs is what each method that a caller calls asks for at least, whatever else
// is the matter with the call.
func needs() map[string]desk.Permission {
	all := map[string]desk.Permission{}
	for permission, methods := range map[desk.Permission][]string{
		desk.Read: {
			"Agent", "Agents", "Calendars", "Case", "Communications", "Explain", "File", "Find", "Macros", "Promises", "Settings", "Teams", "Timeline", "TimelinePage", "Views",
		},
		desk.Work: {
			"ApplyMacro", "Assign", "Claim", "Leave", "Link", "Merge", "Note", "OpenFor", "Reply", "ReplyFor", "SetPresence", "SetSeverity",
			"SetStatus", "Tag", "Unlink", "Unmerge",
		},
		desk.Manage: {"DeleteMacro", "DeleteTeam", "PutMacro", "PutTeam"},
		desk.Configure: {
			"CreateAgent", "DeleteCalendar", "DeletePromise", "PutCalendar", "PutPromise", "PutSettings", "UpdateAgent",
			"CreateToken", "RevokeToken", "Tokens", // of others: see TestTokenThatMayAnythingElseKeepsItsAgentsTokens
		},
		desk.Audit: {"Entries"},
	} {
		for _, m := range methods {
			all[m] = permission
		}
	}
	return all
}

// withoutCaller are the methods that the program itself calls.
var withoutCaller = []string{"Authenticate", "FirstAgent", "Forget", "Kinds", "NextWake", "Purge", "Route", "Wake", "Watch"}

func TestEveryMethodAsksForItsPermission(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	id := f.open(t, retail, cases.NewCase{})
	all := []desk.Permission{desk.Read, desk.Work, desk.Manage, desk.Configure, desk.Audit}
	callers := []desk.Caller{{}} // one who may nothing
	for _, role := range []desk.Role{desk.RoleAgent, desk.RoleLead, desk.RoleAdministrator, desk.RoleAuditor} {
		callers = append(callers, desk.Caller{Allowed: role.Permissions()})
	}
	for _, p := range all {
		but := slices.DeleteFunc(slices.Clone(all), func(other desk.Permission) bool { return other == p })
		callers = append(callers, desk.Caller{Allowed: []desk.Permission{p}}, desk.Caller{Allowed: but})
	}
	rows, internal := needs(), []string(nil)
	service := reflect.ValueOf(f.Service)
	for i := range service.NumMethod() {
		name, method := service.Type().Method(i).Name, service.Method(i)
		if method.Type().NumIn() < 2 || method.Type().In(1) != reflect.TypeFor[desk.Caller]() {
			internal = append(internal, name)
			continue
		}
		need, ok := rows[name]
		if !ok {
			t.Errorf("%s has no row: say which permission it needs", name)
			continue
		}
		delete(rows, name)
		for _, who := range callers {
			who.Agent.ID = "somebody"
			err := callWith(t, method, who, id)
			if denied := errors.Is(err, desk.ErrDenied); denied == who.May(need) {
				t.Errorf("%s by who may %v = %v, want denied %t", name, who.Allowed, err, !denied)
			}
		}
	}
	if len(rows) > 0 {
		t.Errorf("rows without a method: %v", rows)
	}
	if diff := cmp.Diff(withoutCaller, internal); diff != "" {
		t.Errorf("methods without a caller (-want +got):\n%s", diff)
	}
}

// callWith calls a method with a case's id for each text and nothing else, and
// returns its error.
func callWith(t *testing.T, method reflect.Value, who desk.Caller, id string) error {
	t.Helper()
	args := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(who)}
	for i := 2; i < method.Type().NumIn(); i++ {
		arg := reflect.New(method.Type().In(i)).Elem()
		if arg.Kind() == reflect.String {
			arg.SetString(id)
		}
		args = append(args, arg)
	}
	results := method.Call(args)
	err, _ := results[len(results)-1].Interface().(error)
	return err
}

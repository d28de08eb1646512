package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestAgentsAreAdministeredBesideTheServer(t *testing.T) {
	t.Parallel()
	env := []string{"SUPPORTD_DATA=" + filepath.Join(t.TempDir(), "data")}
	at := `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`
	var token string
	for _, step := range []struct {
		args string
		want string // what people see
	}{
		{"team list", `ID  NAME  SERVICES  LANGUAGES  ACCOUNTS  ROUTING\n`},
		{"team put --id billing --name Billing --service billing --language en --routing", `ID .*\nbilling  Billing  billing +en +any +true\n`},
		{"agent create --name Jane --email jane@example.com --team billing --capacity 5", `ID .*\nagent-[0-9a-f]{16} +Jane +jane@example.com  agent  active  billing +any +any +5 +` + at + `\n`},
		{"agent create --name Ada --email ada@example.com --role administrator", `ID .*\nagent-\w+ +Ada +ada@example.com  administrator  active +none +any +any +0 .*\n`},
		{"agent update --agent jane@example.com --role lead --language ja --language en", `ID .*\n.* +Jane +jane@example.com  lead +active  billing +any +en,ja +5 .*\n`},
		{"agent token create --agent jane@example.com --name laptop --permission read --duration 24h", `sdt_[0-9a-f]{16}_[\w-]{43}\n`},
		{"agent token list --agent jane@example.com", `ID +NAME .*\n[0-9a-f]{16}  laptop  read +` + at + `  ` + at + ` *\n`},
		{"agent token revoke --agent jane@example.com --id TOKEN", `token [0-9a-f]{16} is revoked\n`},
		{"agent token list --agent jane@example.com", `ID .*\n[0-9a-f]{16}  laptop  read +` + at + `  ` + at + `  ` + at + `\n`},
		{"agent deactivate --agent jane@example.com", `ID .*\n.* +Jane +jane@example.com  lead +inactive .*\n`},
		{"agent activate --agent jane@example.com", `ID .*\n.* +Jane +jane@example.com  lead +active .*\n`},
		{"agent update --agent jane@example.com --team=", `ID .*\n.*  Jane .* active +none .*\n`},
		{"agent list", `ID .*\nagent-.*\nagent-.*\n`},
		{"team delete --id billing", `team billing is deleted\n`},
	} {
		args := strings.Fields(strings.ReplaceAll(step.args, "TOKEN", token))
		got := mustRun(t, env, args...)
		if !regexp.MustCompile(`^` + step.want + `$`).MatchString(got) {
			t.Errorf("supportd %s printed\n%swant a match of\n%s", step.args, got, step.want)
		}
		if parts := strings.Split(got, "_"); parts[0] == "sdt" {
			token = parts[1]
		}
	}
	for _, refused := range []struct{ args, want string }{
		{"agent create --name Ada --email ADA@example.com", "already"},
		{"agent create --name Ada --email ada", "e-mail"},
		{"agent deactivate --agent ada@example.com", "last active administrator"},
		{"agent deactivate --agent nobody@example.com", "no agent"},
		{"team delete --id billing", "no team"},
	} {
		args := strings.Fields(refused.args)
		checkRefusal(t, command(t, env, "", args...), 1, refused.want, args...)
	}
}

func TestAgentsAsJSON(t *testing.T) {
	t.Parallel()
	env := []string{"SUPPORTD_DATA=" + filepath.Join(t.TempDir(), "data")}
	const (
		agent = `{id name email role active teams services languages capacity createdAt version}`
		token = `{id agent name permissions createdAt expiresAt version}`
		team  = `{id name services languages accounts routing version}`
	)
	for _, step := range []struct{ args, want string }{
		{"agent list", `[]`},
		{"agent create --name Jane --email jane@example.com", agent},
		{"agent update --agent jane@example.com --name Jo", agent},
		{"agent list", `[` + agent + `]`},
		{"agent token list --agent jane@example.com", `[]`},
		{"agent token create --agent jane@example.com --name x", token[:len(token)-1] + ` token}`},
		{"agent token list --agent jane@example.com", `[` + token + `]`},
		{"team put --id billing --name Billing", team},
		{"team list", `[` + team + `]`},
		{"team delete --id billing", `{done}`},
	} {
		args := append(strings.Fields(step.args), "--json")
		got := mustRun(t, env, args...)
		if shape := shapeOf(t, got); shape != step.want {
			t.Errorf("supportd %v printed %s of shape %s, want %s", args, got, shape, step.want)
		}
		if strings.Contains(got, "null") || strings.Contains(got, "hash") {
			t.Errorf("supportd %v printed %s, want lists for null, and no hash", args, got)
		}
	}
}

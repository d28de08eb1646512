package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// result is what a command did.
type result struct {
	stdout, stderr string
	err            error
}

// command runs one command as a process would, in an environment that has only
// what env says.
func command(t *testing.T, env []string, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // it may serve by mistake
	defer cancel()
	var stdout, stderr bytes.Buffer
	err := run(ctx, args, env, strings.NewReader(stdin), &stdout, &stderr)
	return result{stdout.String(), withoutNotice(stderr.String()), err}
}

// withoutNotice takes away the line that a command prints in a new folder.
func withoutNotice(stderr string) string {
	if first, rest, _ := strings.Cut(stderr, "\n"); strings.HasSuffix(first, noticeOfNew) {
		return rest
	}
	return stderr
}

const noticeOfNew = " is a new installation"

func TestAdministrationSaysWhenItMakesANewInstallation(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "mistyped")
	for i, want := range []string{"supportd: " + data + noticeOfNew + "\n", ""} {
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), []string{"account", "list", "--data", data}, nil, strings.NewReader(""), &stdout, &stderr)
		if err != nil || stderr.String() != want {
			t.Errorf("run %d printed %q and ended with %v, want %q", i+1, stderr.String(), err, want)
		}
	}
}

// mustRun runs a command that must succeed and print nothing on standard error.
func mustRun(t *testing.T, env []string, args ...string) string {
	t.Helper()
	got := command(t, env, "", args...)
	if got.err != nil || got.stderr != "" {
		t.Fatalf("supportd %v = %v, stderr %q, want success", args, got.err, got.stderr)
	}
	return got.stdout
}

// checkRefusal wants an error of one line, with nothing printed.
func checkRefusal(t *testing.T, got result, code int, want string, args ...string) {
	t.Helper()
	if got.err == nil || exitCode(got.err) != code || !strings.Contains(got.err.Error(), want) || strings.Contains(got.err.Error(), "\n") {
		t.Errorf("supportd %v = %v, want exit code %d and one line with %q", args, got.err, code, want)
	}
	if got.stdout != "" || got.stderr != "" {
		t.Errorf("supportd %v printed %q and %q, want the error alone", args, got.stdout, got.stderr)
	}
}

func TestAdministrationForPeopleAndPrograms(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := []string{"SUPPORTD_DATA=" + filepath.Join(folder, "data")}
	policy := filepath.Join(folder, "policy.json")
	if err := os.WriteFile(policy, []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"support:Describe*","Resource":"*"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	const a, b = "111122223333", "444455556666"
	key := regexp.QuoteMeta("export AWS_ACCESS_KEY_ID=") + `AKIA[A-Z2-7]{16}\nexport AWS_SECRET_ACCESS_KEY=[A-Za-z0-9+/]{40}\n`
	at := `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`
	for _, step := range []struct {
		args string
		want string // what people see
	}{
		{"account list", `ID  NAME  EMAIL  PLAN  STATE  CREATED\n`},
		{"account create --id " + a + " --name Retail --email ops@example.com --plan enterprise", `ID .*\n` + a + `  Retail  ops@example.com  enterprise  active  ` + at + `\n`},
		{"account create --id " + b + " --name Other --email other@example.com", `ID .*\n` + b + `  Other  other@example.com  business  active  ` + at + `\n`},
		{"account list", `ID .*\n` + a + ` .*\n` + b + ` .*\n`},
		{"account show --id " + a, `ID .*\n` + a + `  Retail .*\n`},
		{"account update --id " + b + " --name Renamed --plan basic", `ID .*\n` + b + `  Renamed  other@example.com  basic  active .*\n`},
		{"account close --id " + b, `ID .*\n` + b + `  Renamed .* closed .*\n`},
		{"policy put --account " + a + " --name ReadOnly --document " + policy, `policy ReadOnly of account ` + a + ` is in force\n`},
		{"policy list --account " + a, `NAME +KIND +CHANGED\n(.*  managed  *\n)+ReadOnly +account +` + at + `\n`},
		{"user create --account " + a + " --name alice --policy AWSSupportAccess --policy ReadOnly", `NAME .*\nalice  AIDA\w+  arn:aws:iam::` + a + `:user/alice  AWSSupportAccess,ReadOnly  ` + at + `\n`},
		{"user create --account " + a + " --name bob", `NAME .*\nbob +AIDA\w+  arn:aws:iam::` + a + `:user/bob +` + at + `\n`},
		{"user list --account " + a, `NAME .*\nalice .*\nbob .*\n`},
		{"policy attach --account " + a + " --user bob --policy ReadOnly", `attached policy ReadOnly: user bob\n`},
		{"policy simulate --account " + a + " --user bob --action support:DescribeCases --action support:CreateCase", `PRINCIPAL .*\n.*user/bob  support:DescribeCases  Allow\n.*user/bob  support:CreateCase +ImplicitDeny\n`},
		{"policy detach --account " + a + " --user bob --policy ReadOnly", `detached policy ReadOnly: user bob\n`},
		{"role create --account " + a + " --name Ops --policy AWSSupportAccess", `NAME .*\nOps +AROA\w+  arn:aws:iam::` + a + `:role/Ops  AWSSupportAccess .*\n`},
		{"role list --account " + a, `NAME .*\nOps .*\n`},
		{"role session --account " + a + " --role Ops --name jane --duration 15m", `export AWS_ACCESS_KEY_ID=ASIA\w{16}\nexport AWS_SECRET_ACCESS_KEY=\S{40}\nexport AWS_SESSION_TOKEN=\S{100,}\n`},
		{"key create --account " + a + " --user alice", key},
		{"key create --account " + a + " --root", key},
		{"key list --account " + a, `ACCESS KEY .*\nASIA\w+  role  Ops    jane     active .*\nAKIA\w+  user  alice  +active .*\nAKIA\w+  root  +active .*\n`},
		{"user delete --account " + a + " --name bob", `user bob of account ` + a + ` is deleted\n`},
		{"role delete --account " + a + " --name Ops", `role Ops of account ` + a + ` is deleted\n`},
		{"user delete --account " + a + " --name alice", `user alice .* is deleted\n`},
		{"policy delete --account " + a + " --name ReadOnly", `policy ReadOnly of account ` + a + ` is deleted\n`},
		{"key list --account " + a, `ACCESS KEY .*\nAKIA\w+  root .*\n`},
		{"version", `supportd \S+\n`},
	} {
		args := strings.Fields(step.args)
		if got := mustRun(t, env, args...); !regexp.MustCompile(`^` + step.want + `$`).MatchString(got) {
			t.Errorf("supportd %s printed\n%swant a match of\n%s", step.args, got, step.want)
		}
	}
}

func TestJSONIsOneDocument(t *testing.T) {
	t.Parallel()
	env := []string{"SUPPORTD_DATA=" + filepath.Join(t.TempDir(), "data")}
	const a = "111122223333"
	var keyID string
	for _, step := range []struct {
		args string
		want string // the document's members, or an element's, in order; empty list: []
	}{
		{"account list", `[]`},
		{"account create --id " + a + " --name Retail --email ops@example.com", `{id name email plan state createdAt}`},
		{"account show --id " + a, `{id name email plan state createdAt}`},
		{"account list", `[{id name email plan state createdAt}]`},
		{"user list --account " + a, `[]`},
		{"user create --account " + a + " --name alice --policy AWSSupportAccess", `{account name id arn policies createdAt}`},
		{"role create --account " + a + " --name Ops", `{account name id arn policies createdAt}`},
		{"policy list --account " + a, `[{name kind document}]`},
		{"policy simulate --account " + a + " --user alice --action support:CreateCase", `[{principal action decision}]`},
		{"role session --account " + a + " --role Ops --name jane", `{accessKeyId account kind name session active createdAt expiresAt secretAccessKey sessionToken}`},
		{"key create --account " + a + " --user alice", `{accessKeyId account kind name active createdAt secretAccessKey}`},
		{"key list --account " + a, `[{accessKeyId account kind name session active createdAt expiresAt}]`},
		{"key deactivate --account " + a + " --id KEY", `{done}`},
		{"key activate --account " + a + " --id KEY", `{done}`},
		{"key delete --account " + a + " --id KEY", `{done}`},
		{"backup " + filepath.Join(t.TempDir(), "b.tar"), `{done}`},
		{"version", `{version}`},
	} {
		args := append(strings.Fields(strings.ReplaceAll(step.args, "KEY", keyID)), "--json")
		got := mustRun(t, env, args...)
		if shape := shapeOf(t, got); shape != step.want {
			t.Errorf("supportd %v printed %s of shape %s, want %s", args, got, shape, step.want)
		}
		var made struct{ AccessKeyID string }
		if json.Unmarshal([]byte(got), &made) == nil && made.AccessKeyID != "" {
			keyID = made.AccessKeyID
		}
	}
}

// shapeOf returns the member names of a document, or of a list's first element.
func shapeOf(t *testing.T, text string) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	var raw json.RawMessage
	if err := decoder.Decode(&raw); err != nil {
		t.Fatalf("%q is not JSON: %v", text, err)
	}
	if rest, err := decoder.Token(); err != io.EOF {
		t.Errorf("after the document comes %v, %v, want nothing", rest, err)
	}
	if string(raw) == "null" {
		return "null"
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		if len(list) == 0 {
			return "[]"
		}
		return "[" + shapeOf(t, string(list[0])) + "]"
	}
	members := json.NewDecoder(bytes.NewReader(raw))
	var found []string
	for depth := 0; ; {
		token, err := members.Token()
		if err != nil {
			return "{" + strings.Join(found, " ") + "}"
		}
		switch v := token.(type) {
		case json.Delim:
			if depth++; v == '}' || v == ']' {
				depth -= 2
			}
		case string:
			if depth == 1 {
				found = append(found, v)
				var value json.RawMessage
				if err := members.Decode(&value); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestMistakesInTheCommandLineExitWith2(t *testing.T) {
	t.Parallel()
	env := []string{"SUPPORTD_DATA=" + filepath.Join(t.TempDir(), "data")}
	for _, test := range []struct{ args, want string }{
		{"bogus", `unknown command or argument "bogus" for "supportd"`},
		{"serve extra", `unknown command or argument "extra" for "supportd serve"`},
		{"account bogus", `unknown command "bogus" for "supportd account"`},
		{"account list extra", `unknown command or argument "extra" for "supportd account list"`},
		{"--bogus", "unknown flag: --bogus (see supportd --help)"},
		{"account list --bogus", "unknown flag: --bogus (see supportd account list --help)"},
		{"account list --limits off", "unknown flag: --limits"},
		{"account create", `required flag(s) "email", "id", "name" not set (see supportd account create --help)`},
		{"account create --id", "flag needs an argument: --id"},
		{"account show", `required flag(s) "id" not set`},
		{"account update --id 111122223333", "give at least one of --name, --email and --plan"},
		{"key create --root", `required flag(s) "account" not set`},
		{"key create --account 111122223333", "give either --user NAME or --root"},
		{"key create --account 111122223333 --root --user alice", "give either --user NAME or --root"},
		{"policy attach --account 111122223333 --policy P", "give either --user NAME or --role NAME"},
		{"policy simulate --account 111122223333 --user a --role b --action x", "give either --user NAME or --role NAME"},
		{"agent update --agent jane@example.com", "give at least one thing to change"},
		{"agent token revoke --agent jane@example.com", `required flag(s) "id" not set`},
		{"role session --account 111122223333 --role Ops --name jane --duration long", `invalid argument "long" for "--duration"`},
		{"serve --limits some", `limits "some": want aws or off`},
		{"serve --retention-months many", `invalid argument "many" for "--retention-months"`},
		{"backup", "supportd backup needs one FILE"},
		{"backup a b", "supportd backup needs one FILE"},
		{"restore", "supportd restore needs one FILE"},
		{"version extra", `unknown command or argument "extra"`},
	} {
		args := strings.Fields(test.args)
		checkRefusal(t, command(t, env, "", args...), 2, test.want, args...)
	}
}

func TestRefusalsAreOneClearLine(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	data := filepath.Join(folder, "data")
	env := []string{"SUPPORTD_DATA=" + data}
	mustRun(t, env, "account", "create", "--id", "111122223333", "--name", "Retail", "--email", "ops@example.com")
	existing := filepath.Join(folder, "existing")
	if err := os.WriteFile(existing, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	account := " --account 111122223333"
	for _, test := range []struct{ args, want string }{
		{"account show --id 999999999999", `no account "999999999999"`},
		{"account create --id 12 --name x --email x@example.com", `account id "12" must be 12 digits`},
		{"account create --id 111122223333 --name x --email x@example.com", "account 111122223333 exists already"},
		{"account create --id 222222222222 --name x --email nonsense", `account e-mail "nonsense" is not an address`},
		{"account create --id 222222222222 --name x --email x@example.com --plan gold", "gold"},
		{"account update --id 999999999999 --name x", `no account "999999999999"`},
		{"key create --account 999999999999 --root", `no account "999999999999"`},
		{"key list --account 999999999999", `no account "999999999999"`},
		{"key create --user nobody" + account, `account 111122223333 has no user "nobody"`},
		{"key delete --id AKIANONE" + account, `account 111122223333 has no access key "AKIANONE"`},
		{"user create --name a/b" + account, `user name "a/b" may only hold`},
		{"user create --name a --policy Nope" + account, "Nope"},
		{"user delete --name nobody" + account, `account 111122223333 has no user "nobody"`},
		{"role session --role None --name jane" + account, `account 111122223333 has no role "None"`},
		{"role session --role None --name jane --duration 5m" + account, "a session lasts from 15m0s to 12h0m0s, not 5m0s"},
		{"policy put --name P --document " + existing + account, ""},
		{"policy put --name P --document " + existing + ".none" + account, "no such file"},
		{"policy delete --name None" + account, `account 111122223333 has no policy "None"`},
		{"backup " + existing, existing + ": file exists"},
		{"restore " + existing, data + " is not empty: restore fills a new data folder"},
		{"restore --data " + folder + "/new " + existing, existing + ": not a backup, or damaged"},
		{"restore --data " + folder + "/new " + existing + ".none", "no such file"},
		{"restore --data " + folder + "/new --database sqlite://" + folder + "/x.db " + existing, "leave --database and --blobs unset"},
		{"account list --data " + existing, "not a directory"},
		{"serve --listen nonsense", `listen "nonsense": want HOST:PORT`},
		{"serve --log-level loud", `log-level "loud": want debug, info, warn or error`},
		{"serve --log-format xml", `log-format "xml": want text or json`},
		{"serve --retention-months 0", "retention-months is 0, want 1 or more"},
		{"serve --master-key " + existing + ".none", "no such file"},
	} {
		args := strings.Fields(test.args)
		checkRefusal(t, command(t, env, "", args...), 1, test.want, args...)
	}
	if _, err := os.Stat(filepath.Join(folder, "new")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("refused restores left a folder: %v", err)
	}
}

func TestPolicyComesFromStandardInput(t *testing.T) {
	t.Parallel()
	env := []string{"SUPPORTD_DATA=" + filepath.Join(t.TempDir(), "data")}
	mustRun(t, env, "account", "create", "--id", "111122223333", "--name", "Retail", "--email", "ops@example.com")
	text := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`
	got := command(t, env, text, "policy", "put", "--account", "111122223333", "--name", "None", "--document", "-")
	if got.err != nil {
		t.Fatalf("policy put from standard input = %v, want nil", got.err)
	}
	if list := mustRun(t, env, "policy", "list", "--account", "111122223333", "--json"); !strings.Contains(list, `\"Deny\"`) {
		t.Errorf("policy list = %s, want the document", list)
	}
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file, restored := filepath.Join(folder, "backup.tar"), filepath.Join(folder, "restored")
	from, to := []string{"SUPPORTD_DATA=" + filepath.Join(folder, "data")}, []string{"SUPPORTD_DATA=" + restored}
	mustRun(t, from, "account", "create", "--id", "111122223333", "--name", "Retail", "--email", "ops@example.com")
	mustRun(t, from, "key", "create", "--account", "111122223333", "--root")
	want := "backup is in " + file + "; it holds secrets, guard it as you guard the data folder\n"
	if got := mustRun(t, from, "backup", file); got != want {
		t.Errorf("backup printed %q, want %q", got, want)
	}
	if got, want := mustRun(t, to, "restore", file, "--json"), restored+" is restored from "+file; !strings.Contains(got, want) || shapeOf(t, got) != "{done}" {
		t.Errorf("restore --json printed %q, want a document with %q", got, want)
	}
	for _, args := range [][]string{{"account", "list"}, {"key", "list", "--account", "111122223333"}} {
		if before, after := mustRun(t, from, args...), mustRun(t, to, args...); before != after {
			t.Errorf("supportd %v after the restore printed\n%swant\n%s", args, after, before)
		}
	}
}

func TestEveryCommandHasReadableHelp(t *testing.T) {
	t.Parallel()
	p := &program{}
	names := map[string]bool{}
	for _, c := range append(p.rootCommand().Commands(), p.rootCommand()) {
		for _, c := range append(c.Commands(), c) {
			names[strings.TrimSpace(strings.TrimPrefix(c.CommandPath(), "supportd"))] = true
		}
	}
	if len(names) < 25 {
		t.Fatalf("%d commands found, want all", len(names))
	}
	for name := range names {
		got := command(t, nil, "", append(strings.Fields(name), "--help")...)
		where, notHere := "--data DIR", "--url URL "
		if name == "desk" || strings.HasPrefix(name, "desk ") { // which has nothing to do with an installation
			where, notHere = "--url URL ", "--data DIR"
		}
		if got.err != nil || got.stderr != "" || !strings.Contains(got.stdout, "Usage:\n  supportd") || !strings.Contains(got.stdout, where) || strings.Contains(got.stdout, notHere) {
			t.Errorf("supportd %s --help = %v, %q, %q, want the help with usage and flags", name, got.err, got.stdout, got.stderr)
		}
		for line := range strings.Lines(got.stdout) {
			if words := strings.Fields(line); len(words) > 0 && strings.HasPrefix(words[0], "--") && len(words) < 3 {
				t.Errorf("supportd %s --help says nothing about %s", name, words[0])
			}
		}
	}
	if got := command(t, nil, "", "completion", "bash"); got.err != nil || !strings.Contains(got.stdout, "supportd") {
		t.Errorf("supportd completion bash = %v, %.100q, want a script", got.err, got.stdout)
	}
}

// The exit code of the process is the one thing that run does not show.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want int
	}{
		{errors.New("anything"), 1},
		{context.Canceled, 1},
		{usageError{errors.New("mistake")}, 2},
		{errors.Join(usageError{errors.New("mistake")}, nil), 2},
	} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("exitCode(%v) = %d, want %d", test.err, got, test.want)
		}
	}
}

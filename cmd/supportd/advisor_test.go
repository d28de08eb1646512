package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"github.com/supportd/supportd/checks"
	"github.com/supportd/supportd/internal/collect"
	"github.com/supportd/supportd/internal/inventory"
)

// snapshots is the slug of the built-in check that these tests run.
const snapshots = "amazon-ebs-snapshots"

// advise runs a command like command does, with a built-in pack of that one
// check: reading all of them takes longer than the rest of these tests.
func advise(t *testing.T, env []string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := &program{env: env, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, checks: onlyFolder(t, "fault_tolerance/"+snapshots)}
	err := p.run(t.Context(), args)
	return result{stdout.String(), stderr.String(), err}
}

func mustAdvise(t *testing.T, env []string, args ...string) string {
	t.Helper()
	got := advise(t, env, args...)
	if got.err != nil || got.stderr != "" {
		t.Fatalf("supportd %v = %v, stderr %q, want success", args, got.err, got.stderr)
	}
	return got.stdout
}

func onlyFolder(t *testing.T, name string) fs.FS {
	t.Helper()
	folder := fstest.MapFS{}
	for _, file := range []string{name + "/check.yaml", name + "/cases.yaml"} {
		text, err := fs.ReadFile(checks.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		folder[file] = &fstest.MapFile{Data: text}
	}
	return folder
}

// mustInventory writes an inventory with volumes of some states and returns
// its name.
func mustInventory(t *testing.T, volumes ...string) string {
	t.Helper()
	lines := []string{`{"supportdInventory":1,"account":"111122223333","collectedAt":"2026-01-15T12:00:00Z","regions":["us-east-1"],"needs":{"ec2.volume":[],"ec2.snapshot":[]}}`}
	add := func(line string, args ...any) { lines = append(lines, fmt.Sprintf(line, args...)) }
	for i, state := range volumes {
		add(`{"kind":"ec2.volume","id":"vol-%d","region":"us-east-1","attributes":{"VolumeId":"vol-%[1]d","State":"in-use"}}`, i)
		if at := map[string]string{"warning": "2026-01-05T12:00:00Z", "ok": "2026-01-14T12:00:00Z"}[state]; at != "" {
			add(`{"kind":"ec2.snapshot","id":"snap-%d","region":"us-east-1","attributes":{"SnapshotId":"snap-%[1]d","VolumeId":"vol-%[1]d","State":"completed","StartTime":%q}}`, i, at)
		}
	}
	resources := len(lines) - 1
	add(`{"end":{"resources":%d}}`, resources)
	name := filepath.Join(t.TempDir(), "inventory.jsonl")
	mustPut(t, name, strings.Join(lines, "\n")+"\n")
	return name
}

func mustPut(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestAdvisorRunExitsWithTheWorstFinding(t *testing.T) {
	t.Parallel()
	red, yellow, green := mustInventory(t, "ok", "error", "warning"), mustInventory(t, "ok", "warning"), mustInventory(t, "ok")
	broken := mustInventory(t)
	mustPut(t, broken, `{"supportdInventory":1,"needs":{"ec2.volume":[],"ec2.snapshot":[]}}`+"\n")
	without := filepath.Join(t.TempDir(), "without.jsonl")
	mustPut(t, without, `{"supportdInventory":1,"account":"111122223333"}`+"\n"+`{"end":{"resources":0}}`+"\n")
	badPack := t.TempDir()
	mustPut(t, filepath.Join(badPack, "security", "bad", "check.yaml"), "id: bad\nname: Bad\ncategory: security\nabout: Bad.\nresource: ec2.volume\nerror: resource.Nothing == 1\n")
	check := " --check " + snapshots
	for _, test := range []struct {
		args string
		want int
		text string // of the error
	}{
		{"--file " + red + check, 2, "found: 1 error, 0 warning"},
		{"--file " + red + check + " --fail-on warning", 2, "found: 1 error"},
		{"--file " + red + check + " --fail-on error", 2, "found: 1 error"},
		{"--file " + red + check + " --fail-on none", 0, ""},
		{"--file " + yellow + check, 1, "found: 1 warning"},
		{"--file " + yellow + check + " --fail-on error", 0, ""},
		{"--file " + yellow + check + " --fail-on none", 0, ""},
		{"--file " + green + check, 0, ""},
		{"--file " + green + " --account 111122223333" + check, 0, ""},
		{"--file " + green + " --account 444455556666" + check, 3, "is an inventory of account 111122223333, not of 444455556666"},
		{"--file " + broken + check, 3, "the inventory is cut off"},
		{"--file " + without + check, 3, "no check could be computed"},
		{"--file " + without + check + " --fail-on none", 3, "no check could be computed"},
		{"--file /nowhere", 3, "no such file"},
		{"--file " + green + " --regions eu-west-1", 3, "give either --file or an account to read"},
		{"--file " + green + " --check nosuch", 3, `no check "nosuch": see supportd advisor checks`},
		{"--file " + green + " --check [", 3, `check "[": syntax error in pattern`},
		{"--file " + green + " --category nosuch", 3, `no category "nosuch": want one of cost_optimizing`},
		{"--file " + green + " --category performance" + check, 3, "no check is in these categories"},
		{"--file " + green + " --checks /nowhere", 3, "no such file"},
		{"--file " + green + " --checks " + badPack, 3, "security/bad/check.yaml:6:"},
		{"--file " + green + " --output xml", 3, `output "xml": want one of table, json, csv, html, ocsf`},
		{"--file " + green + " --output csv --json", 3, "--json and --output csv: give one of them"},
		{"--file " + green + " --fail-on everything", 3, `fail-on "everything": want error, warning or none`},
		{"--file " + green + " --out /nowhere/report" + check, 3, "no such file"},
		{"--bogus", 3, "unknown flag: --bogus (see supportd advisor run --help)"},
		{"extra", 3, `unknown command or argument "extra"`},
		{"--access-key AKIA --endpoint http://127.0.0.1:1", 3, "an access key needs both --access-key and --secret-key"},
		{"--access-key AKIA --secret-key S --endpoint http://127.0.0.1:1 --regions us-east-1", 3, "STS GetCallerIdentity"},
	} {
		got := advise(t, nil, append([]string{"advisor", "run"}, strings.Fields(test.args)...)...)
		code, text := 0, ""
		if got.err != nil {
			code, text = exitCode(got.err), got.err.Error()
		}
		if code != test.want || !strings.Contains(text, test.text) || test.text == "" && text != "" {
			t.Errorf("supportd advisor run %s ended with %d %q, want %d and %q", test.args, code, text, test.want, test.text)
		}
		if printed := got.stdout != ""; printed != (code < 3 || strings.Contains(text, "no check could")) || got.stderr != "" {
			t.Errorf("supportd advisor run %s printed %q and %q, want a report unless it did not run", test.args, got.stdout, got.stderr)
		}
	}
}

func TestAdvisorRunReportsToPeopleAndPrograms(t *testing.T) {
	t.Parallel()
	args := []string{"advisor", "run", "--file", mustInventory(t, "ok", "error", "warning"), "--check", "fault_tolerance/amazon-ebs-snap*"}
	for format, want := range map[string]string{
		"table": `(?s)^Account 111122223333, us-east-1, collected 2026-01-15T12:00:00Z\n\nFault tolerance\n.*` +
			`  error          2 of 3             Amazon EBS Snapshots\n    error    us-east-1  vol-1  No snapshot\n    warning  us-east-1  vol-2  .*\n\n1 error, 0 warning, 0 ok, 0 not available\n$`,
		"json": `(?s)^\{\n  "supportdReport": 1,\n.*"Reason": "No snapshot"`,
		"csv":  `(?s)^account,category,check_id,.*\n(111122223333,fault_tolerance,H7IgTzjTYb,[^\n]*\n){2}$`,
		"html": `(?s)^<!doctype html>.*<td>No snapshot</td>.*</html>\n$`,
		"ocsf": `^(\{"activity_id":1,.*\}\n){2}$`,
	} {
		got := advise(t, nil, append(args, "--output", format)...)
		if !regexp.MustCompile(want).MatchString(got.stdout) {
			t.Errorf("advisor run --output %s printed\n%s\nwant a match of %s", format, got.stdout, want)
		}
		out := filepath.Join(t.TempDir(), "report")
		if again := advise(t, nil, append(args, "--output", format, "--out", out)...); exitCode(again.err) != 2 || again.stdout != "" {
			t.Errorf("advisor run --out ended with %v and printed %q, want a file and 2", again.err, again.stdout)
		}
		if text, err := os.ReadFile(out); err != nil || string(text) != got.stdout {
			t.Errorf("advisor run --out wrote %q, %v, want what is printed without", text, err)
		}
	}
	if got := advise(t, nil, append(args, "--json")...); shapeOf(t, got.stdout) != "{supportdReport account regions collectedAt counts checks}" {
		t.Errorf("advisor run --json printed a document of shape %s", shapeOf(t, got.stdout))
	}
	short, verbose := advise(t, nil, args...), advise(t, nil, append(args, "--verbose")...)
	if strings.Contains(short.stdout, "Snapshot Age") || !strings.Contains(verbose.stdout, "Snapshot Age") {
		t.Errorf("the columns of a check are in %q, want them in the verbose table only: %q", short.stdout, verbose.stdout)
	}
}

func TestColoursAreForTerminalsOnly(t *testing.T) {
	t.Parallel()
	terminal, err := os.OpenFile("/dev/null", os.O_WRONLY, 0) // a character device, like a terminal
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	for _, test := range []struct {
		p    program
		want bool
	}{
		{program{stdout: terminal}, true},
		{program{stdout: terminal, env: []string{"NO_COLOR=1"}}, false},
		{program{stdout: terminal, env: []string{"NO_COLOR="}}, true},
		{program{stdout: terminal, env: []string{"TERM=dumb"}}, false},
		{program{stdout: &bytes.Buffer{}}, false},
	} {
		if got := test.p.colors(); got != test.want {
			t.Errorf("colors() with %v to %T = %v, want %v", test.p.env, test.p.stdout, got, test.want)
		}
	}
}

func TestTheTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 77}); err != nil {
		t.Fatal(err)
	}
	if got := terminalWidth(terminal); got != 77 {
		t.Errorf("terminalWidth = %d, want 77", got)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "report"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	for _, w := range []io.Writer{file, &bytes.Buffer{}} {
		if got := terminalWidth(w); got != 0 {
			t.Errorf("terminalWidth of a %T = %d, want 0", w, got)
		}
	}
}

// endpoint answers what the check of snapshots asks, and denies a region.
func endpoint(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // a form that is none has no Action
		answer := map[string]string{
			"GetCallerIdentity": `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/a</Arn><UserId>A</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
			"DescribeVolumes":   `<DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><volumeSet><item><volumeId>vol-1</volumeId><status>in-use</status></item><item><volumeId>vol-2</volumeId><status>in-use</status></item></volumeSet></DescribeVolumesResponse>`,
			"DescribeSnapshots": `<DescribeSnapshotsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><snapshotSet><item><snapshotId>snap-1</snapshotId><volumeId>vol-1</volumeId><status>completed</status><startTime>2020-01-01T00:00:00.000Z</startTime></item></snapshotSet></DescribeSnapshotsResponse>`,
		}[r.PostForm.Get("Action")]
		if answer == "" || strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/") {
			w.WriteHeader(http.StatusForbidden)
			answer = `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>denied here</Message></Error></Errors></Response>`
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte(answer)) // the client is gone
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAdvisorRunOnACollectedFileIsThatOnTheAccount(t *testing.T) {
	t.Parallel()
	env := []string{"SUPPORTD_ENDPOINT=" + endpoint(t), "SUPPORTD_REGIONS=us-east-1", "SUPPORTD_ACCESS_KEY=AKIATEST", "SUPPORTD_SECRET_KEY=secret"}
	file := filepath.Join(t.TempDir(), "inventory.jsonl")
	collected := mustAdvise(t, env, "inventory", "collect", "--check", snapshots, "--out", file)
	if want := file + " is an inventory of account 111122223333: 3 resources of 2 kinds\n"; collected != want {
		t.Errorf("inventory collect printed %q, want %q", collected, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the inventory's mode is %v, %v, want 0600", info.Mode(), err)
	}
	at := regexp.MustCompile(`(?m)"collectedAt": .*$|"time":\d+|20\d\d-\d\d-\d\dT[\d:]+Z`)
	for _, format := range []string{"table", "json", "csv", "ocsf"} {
		live := advise(t, env, "advisor", "run", "--check", snapshots, "--output", format)
		fromFile := advise(t, env, "advisor", "run", "--check", snapshots, "--output", format, "--file", file)
		if exitCode(live.err) != 2 || exitCode(fromFile.err) != 2 || live.stderr+fromFile.stderr != "" {
			t.Fatalf("advisor run = %v %q, from a file %v %q, want 2 of both", live.err, live.stderr, fromFile.err, fromFile.stderr)
		}
		if got, want := at.ReplaceAllString(fromFile.stdout, "TIME"), at.ReplaceAllString(live.stdout, "TIME"); got != want || !strings.Contains(got, "volume/vol-2") {
			t.Errorf("advisor run from a file printed\n%s\nwant\n%s", got, want)
		}
	}
}

func TestCollectedInventoriesOfARunGoAway(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	url := endpoint(t)
	for _, args := range []string{"--regions us-east-1", "--regions us-east-1 --output xml", "--endpoint http://127.0.0.1:1"} {
		advise(t, nil, append(strings.Fields("advisor run --check "+snapshots+" --access-key A --secret-key S --endpoint "+url), strings.Fields(args)...)...)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("after runs there are %v, %v, want nothing", left, err)
	}
}

func TestCollectTellsWhatFailedAndChecksSaySo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "inventory.jsonl")
	source := []string{"--endpoint", endpoint(t), "--regions", "us-east-1,eu-west-1", "--access-key", "AKIATEST", "--secret-key", "secret", "--account", "111122223333"}
	got := advise(t, nil, append([]string{"inventory", "collect", "--check", snapshots, "--out", file}, source...)...)
	want := "supportd: not read: ec2.snapshot in eu-west-1: EC2 DescribeSnapshots: UnauthorizedOperation: denied here\nsupportd: not read: ec2.volume in eu-west-1: EC2 DescribeVolumes: UnauthorizedOperation: denied here\n"
	if got.err != nil || got.stderr != want {
		t.Errorf("inventory collect = %v, standard error %q, want %q", got.err, got.stderr, want)
	}
	document := advise(t, nil, append([]string{"inventory", "collect", "--json", "--check", snapshots, "--out", file}, source...)...)
	if shapeOf(t, document.stdout) != "{file account resources kinds failures}" {
		t.Errorf("inventory collect --json printed %s", document.stdout)
	}
	run := advise(t, nil, "advisor", "run", "--check", snapshots, "--file", file)
	if exitCode(run.err) != exitNotRun || !strings.Contains(run.stdout, "Not available\n  eu-west-1: EC2 Describe") {
		t.Errorf("advisor run over what was not read = %v, printed %s, want the cause", run.err, run.stdout)
	}
}

func TestCollectReplacesTheFileOnlyByACompleteOne(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "inventory.jsonl")
	mustPut(t, file, "before")
	got := advise(t, nil, "inventory", "collect", "--out", file, "--endpoint", "http://127.0.0.1:1", "--regions", "us-east-1", "--access-key", "A", "--secret-key", "S")
	if got.err == nil || !strings.Contains(got.err.Error(), "STS GetCallerIdentity") {
		t.Errorf("inventory collect from nowhere = %v, want an error", got.err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "before" {
		t.Errorf("the file has %q, %v, want what it had", text, err)
	}
	if names, _ := os.ReadDir(folder); len(names) != 1 {
		t.Errorf("the folder has %v, want the file alone", names)
	}
	device := filepath.Join(folder, "pipe")
	if err := os.Symlink("/dev/null", device); err != nil {
		t.Fatal(err)
	}
	advise(t, nil, "advisor", "run", "--file", mustInventory(t, "ok"), "--check", snapshots, "--out", device)
	if info, err := os.Lstat(device); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("--out replaced a device: %v, %v", info.Mode(), err)
	}
}

func TestCollectAllAsksForEverything(t *testing.T) {
	t.Parallel()
	needs := everything()
	for name, kind := range collect.Kinds() {
		for _, f := range kind.Type.Fields() {
			if !needs.Has(name, "") || f.Part != "" && !needs.Has(name, f.Name) {
				t.Errorf("everything() has no %s %s", name, f.Name)
			}
		}
	}
	got := advise(t, nil, "inventory", "collect", "--out", "x", "--all", "--check", snapshots)
	checkRefusal(t, got, 2, "give either --all or --check and --category", "inventory", "collect")
	checkRefusal(t, advise(t, nil, "inventory", "collect"), 2, `required flag(s) "out" not set`, "inventory", "collect")
}

func TestManyFailuresAreCutShort(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	p := program{stderr: &stderr}
	var failures []inventory.Failure
	for i := range shownFailures + 5 {
		for _, region := range []string{"eu-west-1", "us-east-1"} {
			failures = append(failures, inventory.Failure{Kind: fmt.Sprint(i), Region: region, Cause: "no"})
		}
	}
	p.tellFailures(failures)
	if lines := strings.Split(stderr.String(), "\n"); len(lines) != shownFailures+2 || lines[0] != "supportd: not read: 0 in eu-west-1, us-east-1: no" || lines[shownFailures] != "supportd: and 5 more" {
		t.Errorf("failures are told as %q", lines)
	}
}

func TestAdvisorChecksListsThem(t *testing.T) {
	t.Parallel()
	pack := t.TempDir()
	mustPut(t, filepath.Join(pack, "security", "never", "check.yaml"), "id: never\nname: Never\ncategory: security\nabout: Nothing.\nrefresh: automatic\nunavailable: nobody can tell\n")
	got := mustAdvise(t, []string{"SUPPORTD_CHECKS=" + pack}, "advisor", "checks")
	for _, want := range []string{`(?m)^ID +CATEGORY/SLUG +NAME +REFRESH +RESULT$`, `(?m)^H7IgTzjTYb +fault_tolerance/amazon-ebs-snapshots +Amazon EBS Snapshots +\w+ +computed$`, `(?m)^never +security/never +Never +automatic +not available: nobody can tell$`} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("advisor checks printed\n%swant a match of %s", got, want)
		}
	}
	one := mustAdvise(t, nil, "advisor", "checks", "--check", "H7Ig*", "--json")
	if shapeOf(t, one) != "[{id name category path refresh available}]" || strings.Count(one, `"id"`) != 1 {
		t.Errorf("advisor checks --check printed %s, want one", one)
	}
}

func TestTheProgramHasTheBuiltInPack(t *testing.T) {
	t.Parallel()
	if got := mustRun(t, nil, "advisor", "checks", "--check", "fault_tolerance/"+snapshots, "--json"); !strings.Contains(got, `"H7IgTzjTYb"`) {
		t.Errorf("advisor checks printed %s, want the built-in check", got)
	}
}

func TestLintSaysWhereWhatIsWrong(t *testing.T) {
	t.Parallel()
	pack := t.TempDir()
	head := func(id string) string {
		return "id: " + id + "\nname: N\ncategory: security\nabout: A.\nresource: ec2.volume\n"
	}
	for name, text := range map[string]string{
		"broken":  "id: broken\nbogus: 1\n",
		"untyped": head("untyped") + "action: Do.\ncriteria: {red: [It is.]}\nerror: resource.Sizes > 1\n",
		"lonely":  head("lonely") + "error: resource.Size > params.size\nwarning: 'false'\nparameters: {size: 1, other: 2}\nlet:\n  none: '1'\n",
	} {
		mustPut(t, filepath.Join(pack, "security", name, "check.yaml"), text)
		if name != "lonely" {
			mustPut(t, filepath.Join(pack, "security", name, "cases.yaml"), "[]\n")
		}
	}
	got := advise(t, nil, "advisor", "lint", pack)
	lonely := regexp.QuoteMeta(filepath.Join(pack, "security/lonely/check.yaml"))
	want := `^` + regexp.QuoteMeta(filepath.Join(pack, "security/broken/check.yaml")) + `:2:1: unknown field "bogus"\n` +
		lonely + `:1:1: warning: action is missing.*\n` + lonely + `:1:1: warning: criteria.red is missing.*\n` + lonely + `:1:1: warning: criteria.yellow is missing.*\n` +
		lonely + `:1:1: warning: there is no cases.yaml.*\n` + lonely + `:8:\d+: warning: parameters.other is not used\n` + lonely + `:10:\d+: warning: let.none is not used\n` +
		regexp.QuoteMeta(filepath.Join(pack, "security/untyped/check.yaml")) + `:8:16: error: undefined field 'Sizes'\n$`
	if exitCode(got.err) != 1 || !strings.Contains(fmt.Sprint(got.err), "2 errors in the checks") || !regexp.MustCompile(want).MatchString(got.stdout) {
		t.Errorf("advisor lint = %v, printed\n%swant a match of\n%s", got.err, got.stdout, want)
	}
	document := advise(t, nil, "advisor", "lint", "--json", pack)
	if shapeOf(t, document.stdout) != "[{file line column level message}]" {
		t.Errorf("advisor lint --json printed %s", document.stdout)
	}
	empty := t.TempDir()
	if got := advise(t, nil, "advisor", "lint", empty); got.err == nil || got.stdout != empty+":1:1: no check found: want category/slug/check.yaml\n" {
		t.Errorf("advisor lint of an empty folder = %v, %q", got.err, got.stdout)
	}
	if err := os.MkdirAll(filepath.Join(empty, "security", "linked"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(pack, "security", "lonely", "check.yaml"), filepath.Join(empty, "security", "linked", "check.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"advisor lint " + empty, "advisor test " + empty, "advisor checks --checks " + empty} {
		if got := advise(t, nil, strings.Fields(command)...); got.err == nil || !strings.Contains(got.stdout+got.err.Error(), "security/linked/check.yaml") {
			t.Errorf("%s of a link out of the pack = %v, %q, want an error", command, got.err, got.stdout)
		}
	}
	checkRefusal(t, advise(t, nil, "advisor", "lint", "/nowhere"), 1, "no such file", "advisor", "lint")
}

func TestAdvisorTestRunsTheExamples(t *testing.T) {
	t.Parallel()
	pack := mustPack(t)
	good := filepath.Join(pack, "cost_optimizing/unattached-volumes")
	if got, want := mustAdvise(t, nil, "advisor", "test", pack), "ok      "+good+"\n"; got != want {
		t.Errorf("advisor test printed %q, want %q", got, want)
	}
	cases, err := os.ReadFile(filepath.Join(good, "cases.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, filepath.Join(good, "cases.yaml"), strings.Replace(string(cases), "savings: 8\n", "savings: 9\n", 1))
	got := advise(t, nil, "advisor", "test", pack)
	if want := "failed  " + good + "\n        a volume that nothing uses is yellow and could save its price: savings is 8, want 9\n"; exitCode(got.err) != 1 || !strings.HasPrefix(got.stdout, want) {
		t.Errorf("advisor test of a wrong example = %v, printed %q, want %q", got.err, got.stdout, want)
	}
	document := advise(t, nil, "advisor", "test", "--json", pack)
	if shapeOf(t, document.stdout) != "[{id path result errors}]" {
		t.Errorf("advisor test --json printed %s", document.stdout)
	}
	one := mustAdvise(t, nil, "advisor", "test", "--check", snapshots)
	if one != "ok      checks/fault_tolerance/amazon-ebs-snapshots\n" {
		t.Errorf("advisor test --check printed %q", one)
	}
	checkRefusal(t, advise(t, nil, "advisor", "test", "--check", "nosuch"), 2, `no check "nosuch"`, "advisor", "test")
}

func TestSourcesAreAdministeredWithoutShowingSecrets(t *testing.T) {
	t.Parallel()
	const account = "111122223333"
	env := []string{"SUPPORTD_DATA=" + filepath.Join(t.TempDir(), "data"), "SUPPORTD_SECRET_KEY=verysecret", "SUPPORTD_SESSION_TOKEN=tokenofsecrets"}
	mustRun(t, env[:1], "account", "create", "--id", account, "--name", "Retail", "--email", "ops@example.com")
	set := []string{"advisor", "source", "set", "--account", account}
	shown := mustRun(t, env, append(set, "--endpoint", "http://127.0.0.1:4566", "--regions", "us-east-1,eu-west-1", "--access-key", "AKIATEST", "--role", "arn:aws:iam::111122223333:role/Advisor", "--external-id", "x")...)
	if !strings.Contains(shown, account+"  endpoint http://127.0.0.1:4566  us-east-1,eu-west-1  arn:aws:iam::111122223333:role/Advisor  20") {
		t.Errorf("advisor source set printed %q, want the source", shown)
	}
	document := mustRun(t, env, "advisor", "source", "show", "--account", account, "--json")
	if shapeOf(t, document) != "{account endpoint regions role externalId accessKeyId setAt}" || strings.Contains(shown+document, "secret") {
		t.Errorf("advisor source show --json printed %s, want the source without secrets", document)
	}
	for want, flags := range map[string]string{"all that are enabled": "", "that of the AWS configuration": "--endpoint http://127.0.0.1:4566"} {
		shown := mustRun(t, env[:1], append(set, strings.Fields(flags)...)...)
		if !strings.Contains(shown, "  "+want+"  ") {
			t.Errorf("advisor source set without --regions printed %q, want %q in it", shown, want)
		}
	}
	file := mustInventory(t, "ok")
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(folder, file)
	if err != nil {
		t.Fatal(err)
	}
	var kept struct{ File string }
	if text := mustRun(t, env, append(set, "--file", relative, "--json")...); json.Unmarshal([]byte(text), &kept) != nil || kept.File != file {
		t.Errorf("advisor source set --file %s printed %s, want the absolute name %s", relative, text, file)
	}
	mustPut(t, file+".broken", "nothing")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, file+".foreign", strings.Replace(string(text), account, "444455556666", 1))
	for _, test := range []struct{ args, want string }{
		{"--file " + file + ".broken", "not an inventory"},
		{"--file /nowhere", "no such file"},
		{"--file " + file + ".foreign", "is an inventory of account 444455556666, not of " + account},
		{"--role nonsense", "role"},
	} {
		args := append(set, strings.Fields(test.args)...)
		checkRefusal(t, command(t, env[:1], "", args...), 1, test.want, args...)
	}
	if got := mustRun(t, env, "advisor", "source", "clear", "--account", account); got != "account "+account+" has no source of resources any more\n" {
		t.Errorf("advisor source clear printed %q", got)
	}
	checkRefusal(t, command(t, env, "", "advisor", "source", "show", "--account", account), 1, "the account has no source of resources", "advisor", "source", "show")
	checkRefusal(t, command(t, env, "", "advisor", "source", "set"), 2, `required flag(s) "account" not set`, "advisor", "source", "set")
}

func TestServeRefusesABadPack(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	mustPut(t, filepath.Join(folder, "checks", "security", "bad", "check.yaml"), "id: bad\nname: Bad\ncategory: security\nabout: Bad.\nresource: ec2.volume\nerror: resource.Nothing == 1\n")
	for _, args := range [][]string{{"serve", "--checks", filepath.Join(folder, "checks")}, {"serve"}} {
		env := []string{"SUPPORTD_DATA=" + filepath.Join(folder, "data"), "SUPPORTD_CHECKS=" + filepath.Join(folder, "checks"), "SUPPORTD_LISTEN=127.0.0.1:0"}
		checkRefusal(t, command(t, env, "", args...), 1, "security/bad/check.yaml:6:", args...)
	}
}

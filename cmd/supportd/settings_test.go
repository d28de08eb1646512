package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/server"
)

// configure returns what serve would run with.
func configure(t *testing.T, env []string, args ...string) (settings, server.Config, error) {
	t.Helper()
	p := &program{}
	serve, rest, err := p.rootCommand().Find(append([]string{"serve"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.ParseFlags(rest); err != nil {
		t.Fatalf("flags %v: %v", rest, err)
	}
	config, err := p.settings.config(serve.Flags(), env)
	return p.settings, config, err
}

func mustWrite(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "supportd.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFlagWinsOverEnvironmentOverFileOverDefault(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, env                string
		initial                  string
		inFile, inEnv, inCommand string
		value                    func(settings, server.Config) any
	}{
		{"data", "SUPPORTD_DATA", "/home/x/.local/share/supportd", "/file", "/env", "/flag", func(_ settings, c server.Config) any { return c.Data }},
		{"database", "SUPPORTD_DATABASE", "", "sqlite://f", "sqlite://e", "sqlite://c", func(_ settings, c server.Config) any { return c.Database }},
		{"blobs", "SUPPORTD_BLOBS", "", "file:///f", "file:///e", "file:///c", func(_ settings, c server.Config) any { return c.Blobs }},
		{"master-key", "SUPPORTD_MASTER_KEY_FILE", "", "/f", "/e", "/c", func(_ settings, c server.Config) any { return c.MasterKeyFile }},
		{"listen", "SUPPORTD_LISTEN", "127.0.0.1:4580", ":1", ":2", ":3", func(_ settings, c server.Config) any { return c.Listen }},
		{"limits", "SUPPORTD_LIMITS", fmt.Sprint(server.AWSLimits()), "off", "aws", "off", func(_ settings, c server.Config) any { return c.Limits }},
		{"retention-months", "SUPPORTD_RETENTION_MONTHS", "12", "1", "2", "3", func(_ settings, c server.Config) any { return c.RetentionMonths }},
		{"log-level", "SUPPORTD_LOG_LEVEL", "info", "debug", "warn", "error", func(s settings, _ server.Config) any { return s.LogLevel }},
		{"log-format", "SUPPORTD_LOG_FORMAT", "text", "json", "text", "json", func(s settings, _ server.Config) any { return s.LogFormat }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			shown := func(set string) string { // limits are shown one by one
				switch {
				case test.name == "limits" && set == "off":
					return fmt.Sprint(server.Limits{})
				case test.name == "limits" && set == "aws":
					return fmt.Sprint(server.AWSLimits())
				}
				return set
			}
			home := []string{"HOME=/home/x"}
			file := "--config=" + mustWrite(t, test.name+": "+test.inFile+"\n")
			env := append(home, test.env+"="+test.inEnv)
			flag := "--" + test.name + "=" + test.inCommand
			for _, step := range []struct {
				env  []string
				args []string
				want string
			}{
				{home, nil, test.initial},
				{home, []string{file}, shown(test.inFile)},
				{env, []string{file}, shown(test.inEnv)},
				{env, []string{file, flag}, shown(test.inCommand)},
				{home, []string{file, flag}, shown(test.inCommand)},
				{env, nil, shown(test.inEnv)},
				{append(home, test.env+"="), []string{file}, shown(test.inFile)}, // empty is not set
			} {
				s, config, err := configure(t, step.env, step.args...)
				if got := fmt.Sprint(test.value(s, config)); err != nil || got != step.want {
					t.Errorf("with %v and %v: %s = %q, %v, want %q", step.env, step.args, test.name, got, err, step.want)
				}
			}
		})
	}
}

func TestConfigurationFileComesFromTheEnvironmentToo(t *testing.T) {
	t.Parallel()
	one, two := mustWrite(t, "listen: :1\n"), mustWrite(t, "listen: :2\n")
	env := []string{"HOME=/h", "SUPPORTD_CONFIG=" + one}
	for _, test := range []struct {
		args []string
		want string
	}{{nil, ":1"}, {[]string{"--config", two}, ":2"}} {
		if _, config, err := configure(t, env, test.args...); err != nil || config.Listen != test.want {
			t.Errorf("with SUPPORTD_CONFIG and %v: listen = %q, %v, want %q", test.args, config.Listen, err, test.want)
		}
	}
	if _, _, err := configure(t, []string{"HOME=/h", "SUPPORTD_CONFIG=/no/such/file"}); err == nil || !strings.Contains(err.Error(), "/no/such/file") {
		t.Errorf("missing configuration file = %v, want its name", err)
	}
}

func TestAdministrationReadsTheServersFile(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	file := mustWrite(t, "data: "+data+"\nlisten: 127.0.0.1:1\nlimits:\n  cases-per-hour: 3\nlog-level: debug\n")
	mustRun(t, nil, "account", "list", "--config", file)
	if _, err := os.Stat(data); err != nil {
		t.Errorf("account list --config did not use its data folder: %v", err)
	}
}

func TestLimitsByNameOrOneByOne(t *testing.T) {
	t.Parallel()
	aws, some := server.AWSLimits(), server.AWSLimits()
	some.CasesPerHour, some.RequestsPerSecond = 3, 0
	for _, test := range []struct {
		yaml string
		want server.Limits
	}{
		{"", aws},
		{"# nothing", aws},
		{"listen: :1", aws},
		{"limits:", aws},
		{"limits: {}", aws},
		{"limits: aws", aws},
		{"limits: off", server.Limits{}},
		{`limits: "off"`, server.Limits{}},
		{"limits:\n  cases-per-hour: 3\n  requests-per-second: 0", some},
		{"limits: {cases-per-hour: 3, requests-per-second: 0}", some},
		{
			"limits:\n  cases-per-hour: 1\n  attachment-sets-per-10m: 2\n  describe-attachments-per-10m: 3\n  requests-per-second: 4\n  advisor-requests-per-second: 5\n  desk-requests-per-second: 6",
			server.Limits{CasesPerHour: 1, AttachmentSetsPer10m: 2, DescribeAttachmentsPer10m: 3, RequestsPerSecond: 4, AdvisorRequestsPerSecond: 5, DeskRequestsPerSecond: 6},
		},
	} {
		_, config, err := configure(t, []string{"HOME=/h"}, "--config", mustWrite(t, test.yaml+"\n"))
		if err != nil || config.Limits != test.want {
			t.Errorf("%q = %+v, %v, want %+v", test.yaml, config.Limits, err, test.want)
		}
	}
}

func TestBadConfigurationFileNamesFileAndLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ yaml, want string }{
		{"listen: :1\nlissen: :2\n", `[2:1] unknown field "lissen"`},
		{"listen: :1\nlimits:\n  cases-per-hour: 3\n  foo: 2\n", `[4:3] unknown field "foo"`},
		{"data: [\n", "[1:7]"},
		{"\nretention-months: many\n", "[2:19] cannot unmarshal"},
		{"limits:\n  cases-per-hour: many\n", "[2:19] cannot unmarshal"},
		{"retention-months: 1.9\n", "retention-months is not a whole number"},
		{"limits:\n  cases-per-hour: 1.9\n", "limits: cases-per-hour is not a whole number"},
		{"listen: :1\n---\nlissen: :2\n", "more than one document"},
		{"limits: some\n", `limits "some": want aws or off`},
		{"limits: 5\n", `limits "5": want aws or off`},
		{"listen: :1\nlisten: :2\n", "[2:1]"},
		{"- a\n- b\n", "[1:1]"},
		{"master_key: x\n", `[1:1] unknown field "master_key"`},
	} {
		file := mustWrite(t, test.yaml)
		_, _, err := configure(t, []string{"HOME=/h"}, "--config", file)
		if err == nil || !strings.HasPrefix(err.Error(), file+": ") || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line with the file and %s", test.yaml, err, test.want)
		}
	}
}

func TestBadEnvironmentNamesTheVariable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, value, want string }{
		{"SUPPORTD_RETENTION_MONTHS", "many", "SUPPORTD_RETENTION_MONTHS: "},
		{"SUPPORTD_LIMITS", "some", `SUPPORTD_LIMITS: limits "some": want aws or off`},
		{"SUPPORTD_RETENTION_MONTHS", "0", "retention-months is 0"},
	} {
		_, _, err := configure(t, []string{"HOME=/h", test.name + "=" + test.value})
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s=%s: %v, want one line that begins with %s", test.name, test.value, err, test.want)
		}
	}
}

func TestMasterKeyComesFromTheEnvironment(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	env := []string{"SUPPORTD_DATA=" + data, "SUPPORTD_MASTER_KEY=" + key}
	mustRun(t, env, "account", "list")
	if _, err := os.Stat(filepath.Join(data, server.MasterKeyFile)); err == nil {
		t.Errorf("with SUPPORTD_MASTER_KEY a master key file was made")
	}
	other := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("o", 32)))
	for _, test := range []struct {
		env  []string
		want string
	}{
		{env[:1], "the master key of this database is missing"},
		{[]string{env[0], "SUPPORTD_MASTER_KEY=" + other}, "the master key is not the one that this database was made with"},
		{[]string{env[0], "SUPPORTD_MASTER_KEY=secret"}, "SUPPORTD_MASTER_KEY: a master key is 32 bytes in base64"},
		{[]string{env[0], env[1], "SUPPORTD_MASTER_KEY_FILE=/x"}, "both SUPPORTD_MASTER_KEY and a master key file are set: set one"},
	} {
		checkRefusal(t, command(t, test.env, "", "account", "list"), 1, test.want, "account", "list")
	}
}

func TestDefaultDataFolderIsTheUsersOwn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		env  []string
		want string
	}{
		{[]string{"HOME=/home/x"}, "/home/x/.local/share/supportd"},
		{[]string{"HOME=/home/x", "XDG_DATA_HOME=/xdg"}, "/xdg/supportd"},
		{[]string{"HOME=/home/x", "XDG_DATA_HOME=relative"}, "/home/x/.local/share/supportd"}, // the specification: ignore it
		{[]string{"XDG_DATA_HOME=/xdg"}, "/xdg/supportd"},
		{nil, ""},
		{[]string{"HOME="}, ""},
		{[]string{"HOME=here"}, ""},
	} {
		_, config, err := configure(t, test.env)
		if config.Data != test.want || (err == nil) != (test.want != "") {
			t.Errorf("with %v: data = %q, %v, want %q", test.env, config.Data, err, test.want)
		}
		if err != nil && err.Error() != "no data folder: set --data, SUPPORTD_DATA or HOME" {
			t.Errorf("with %v: %v, want what to set", test.env, err)
		}
	}
}

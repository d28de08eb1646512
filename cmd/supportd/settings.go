package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"

	"github.com/supportd/supportd/internal/server"
)

// settings are the flags that configure an installation. Each can be set by its
// flag, by its environment name (SUPPORTD_ and the flag's name in capitals) or
// in the configuration file under the flag's name; the first one set wins.
type settings struct {
	Data            string        `yaml:"data"`
	Database        string        `yaml:"database"`
	Blobs           string        `yaml:"blobs"`
	MasterKeyFile   string        `yaml:"master-key"`
	Listen          string        `yaml:"listen"`
	Limits          limitsSetting `yaml:"limits"`
	RetentionMonths int           `yaml:"retention-months"`
	LogLevel        string        `yaml:"log-level"`
	LogFormat       string        `yaml:"log-format"`
	Checks          string        `yaml:"checks"`

	Test          bool   `yaml:"test"`
	TestListen    string `yaml:"test-listen"`
	TestSeed      uint64 `yaml:"test-seed"`
	TestSeedFile  string `yaml:"test-seed-file"`
	TestAutopilot string `yaml:"test-autopilot"`
	TestTime      string `yaml:"test-time"`
	TestFrozen    bool   `yaml:"test-frozen"`

	file      string
	ownFolder bool   // no data folder is set: it is the user's own
	forTests  string // the first of the settings for tests that is given, whatever its value
}

// bind declares the flags that every command has.
func (s *settings) bind(flags *pflag.FlagSet) {
	flags.StringVar(&s.file, "config", "", "configuration `FILE` in YAML")
	flags.StringVar(&s.Data, "data", "", "`DIR` of the installation (default: $XDG_DATA_HOME/supportd or ~/.local/share/supportd)")
	flags.StringVar(&s.Database, "database", "", "`URL` of the database, sqlite://FILE or postgres://… (default: in --data)")
	flags.StringVar(&s.Blobs, "blobs", "", "`URL` of the attachments, file:///DIR or s3://BUCKET?endpoint=URL&region=REGION (default: in --data)")
	flags.StringVar(&s.MasterKeyFile, "master-key", "", "`FILE` with the master key, 32 bytes in base64 (default: SUPPORTD_MASTER_KEY, or a file in --data)")
}

// bindServe declares the flags of a server.
func (s *settings) bindServe(flags *pflag.FlagSet) {
	flags.StringVar(&s.Listen, "listen", server.DefaultListen, "`HOST:PORT` to listen on; port 0 is any free one")
	s.Limits = limitsSetting{Limits: server.AWSLimits(), name: "aws", unset: true}
	flags.Var(&s.Limits, "limits", "limits of the API: aws (the real service's) or off; a configuration file may set each")
	flags.IntVar(&s.RetentionMonths, "retention-months", 12, "`MONTHS` for which cases are available")
	flags.StringVar(&s.LogLevel, "log-level", "info", "`LEVEL` of the log: debug, info, warn or error")
	flags.StringVar(&s.LogFormat, "log-format", "text", "`FORMAT` of the log: text or json")
	flags.StringVar(&s.Checks, "checks", "", "`DIR` of a pack of Trusted Advisor checks of your own (default: the built-in ones only)")
	s.bindTest(flags)
}

// bindTest declares the flags of a server for tests. All but the first one are
// refused without it.
func (s *settings) bindTest(flags *pflag.FlagSet) {
	flags.BoolVar(&s.Test, "test", false, "test mode: a server for tests, with a management API and the credentials test/test")
	flags.StringVar(&s.TestListen, "test-listen", "", "test mode: `HOST:PORT` of the management API (default: "+server.DefaultTestListen+")")
	flags.Uint64Var(&s.TestSeed, "test-seed", 0, "test mode: `NUMBER` from which ids are made, to come out the same again; 0 is random ids")
	flags.StringVar(&s.TestSeedFile, "test-seed-file", "", "test mode: YAML `FILE` with accounts and cases to begin with")
	flags.StringVar(&s.TestAutopilot, "test-autopilot", "", "test mode: YAML `FILE` with the script that plays the agent, or the word default")
	flags.StringVar(&s.TestTime, "test-time", "", "test mode: `TIME` at which the clock begins, such as 2026-03-01T09:00:00Z (default: now)")
	flags.BoolVar(&s.TestFrozen, "test-frozen", false, "test mode: the clock stands still")
}

// config returns the configuration of a command whose flags were parsed:
// defaults, then the configuration file, then the environment, then the flags.
func (s *settings) config(parsed *pflag.FlagSet, env []string) (server.Config, error) {
	var merged settings
	flags := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	merged.bind(flags)
	merged.bindServe(flags)
	file := s.file
	if file == "" {
		file = lookup(env, environmentName("config"))
	}
	if file != "" {
		if err := merged.read(file); err != nil {
			return server.Config{}, err
		}
	}
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		if merged.forTests == "" && strings.HasPrefix(f.Name, "test-") && isGiven(parsed.Lookup(f.Name), env) {
			merged.forTests = f.Name
		}
		err := override(f, parsed.Lookup(f.Name), lookup(env, environmentName(f.Name)))
		if err != nil && failed == nil {
			failed = err
		}
	})
	if failed != nil {
		return server.Config{}, failed
	}
	c, err := merged.serverConfig(env)
	*s = merged
	return c, err
}

// isGiven reports whether a flag is given, or its environment name is there.
func isGiven(parsed *pflag.Flag, env []string) bool {
	if parsed == nil {
		return false
	}
	name := environmentName(parsed.Name) + "="
	return parsed.Changed || slices.ContainsFunc(env, func(entry string) bool { return strings.HasPrefix(entry, name) })
}

// override sets a flag from the one that was parsed or else from the
// environment.
func override(f, parsed *pflag.Flag, fromEnv string) error {
	if parsed != nil && parsed.Changed {
		return f.Value.Set(parsed.Value.String())
	}
	if fromEnv == "" {
		return nil
	}
	if err := f.Value.Set(fromEnv); err != nil {
		return fmt.Errorf("%s: %w", environmentName(f.Name), err)
	}
	return nil
}

func (s *settings) serverConfig(env []string) (server.Config, error) {
	if s.Data == "" {
		s.Data, s.ownFolder = defaultData(env), true
	}
	if s.Data == "" && !s.Test {
		return server.Config{}, errors.New("no data folder: set --data, SUPPORTD_DATA or HOME")
	}
	c := server.Config{
		Data: s.Data, Listen: s.Listen, Database: s.Database, Blobs: s.Blobs,
		BlobsKeyID: lookup(env, "SUPPORTD_BLOBS_ACCESS_KEY_ID"), BlobsSecret: lookup(env, "SUPPORTD_BLOBS_SECRET_ACCESS_KEY"),
		MasterKey: lookup(env, "SUPPORTD_MASTER_KEY"), MasterKeyFile: s.MasterKeyFile,
		Limits: s.Limits.Limits, RetentionMonths: s.RetentionMonths, Checks: s.Checks,
	}
	if c.MasterKey != "" && c.MasterKeyFile != "" {
		return c, errors.New("both SUPPORTD_MASTER_KEY and a master key file are set: set one")
	}
	if c.RetentionMonths < 1 {
		return c, fmt.Errorf("retention-months is %d, want 1 or more", c.RetentionMonths)
	}
	return c, nil
}

// read merges the configuration file in. Unknown keys are refused with their
// line, and a path in it is relative to where the program runs.
func (s *settings) read(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	defaults := *s
	if defaults.forTests, err = checkFile(text); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	err = yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField()).Decode(s)
	if *s == (settings{}) { // a file of comments is null, which clears everything
		*s = defaults
	}
	s.forTests = defaults.forTests
	if err != nil && !errors.Is(err, io.EOF) { // an empty file sets nothing
		return fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, false))
	}
	return nil
}

// checkFile refuses what the decoder would pass over: fractions, which it cuts,
// and a second document. It returns the first of the settings for tests.
func checkFile(text []byte) (forTests string, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var found map[string]any
	if err := decoder.Decode(&found); err != nil {
		return "", nil // told with its position when the settings are decoded
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if forTests == "" && strings.HasPrefix(name, "test-") {
			forTests = name
		}
	}
	if name, ok := fraction(found); ok {
		return "", fmt.Errorf("%s is not a whole number", name)
	}
	if err := decoder.Decode(&found); !errors.Is(err, io.EOF) {
		return "", errors.New("more than one document")
	}
	return forTests, nil
}

// fraction returns the name of a member that is a number with a fraction.
func fraction(in map[string]any) (name string, ok bool) {
	for key, value := range in {
		switch v := value.(type) {
		case float64:
			return key, true
		case map[string]any:
			if inner, ok := fraction(v); ok {
				return key + ": " + inner, true
			}
		}
	}
	return "", false
}

// environmentName returns SUPPORTD_LOG_LEVEL for log-level. The master key's
// own name holds the key itself, so the name for its file is a longer one.
func environmentName(flag string) string {
	if flag == "master-key" {
		flag = "master-key-file"
	}
	return "SUPPORTD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func lookup(env []string, name string) string {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// defaultData is the user's own folder by the XDG base directory specification,
// empty for a process that has no home.
func defaultData(env []string) string {
	if base := lookup(env, "XDG_DATA_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "supportd")
	}
	home := lookup(env, "HOME")
	if !filepath.IsAbs(home) {
		return ""
	}
	return filepath.Join(home, ".local", "share", "supportd")
}

// logger returns the log that the settings ask for.
func (s *settings) logger(w io.Writer) (*slog.Logger, error) {
	level, ok := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[s.LogLevel]
	if !ok {
		return nil, fmt.Errorf("log-level %q: want debug, info, warn or error", s.LogLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch s.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, fmt.Errorf("log-format %q: want text or json", s.LogFormat)
}

// limitsSetting is "aws", "off" or, in a configuration file, each limit by its
// name; those that are not named are AWS's.
type limitsSetting struct {
	server.Limits
	name  string
	unset bool // it is the default
}

// String returns the name of the limits, for the help.
func (l *limitsSetting) String() string { return l.name }

// Type names the value's kind, for the help.
func (l *limitsSetting) Type() string { return "LIMITS" }

// Set takes limits by name.
func (l *limitsSetting) Set(name string) error {
	switch name {
	case "aws":
		*l = limitsSetting{Limits: server.AWSLimits(), name: name}
	case "off":
		*l = limitsSetting{name: name}
	default:
		return fmt.Errorf("limits %q: want aws or off", name)
	}
	return nil
}

// UnmarshalYAML takes limits by name or one by one.
func (l *limitsSetting) UnmarshalYAML(decode func(any) error) error {
	var name string
	if err := decode(&name); err == nil {
		return l.Set(name)
	}
	*l = limitsSetting{Limits: server.AWSLimits(), name: "custom"}
	return decode(&l.Limits)
}

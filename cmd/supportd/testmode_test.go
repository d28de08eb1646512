package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/server"
)

func TestServeForTestsPrintsWhatTestsNeed(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	want := []string{
		`export AWS_ENDPOINT_URL_SUPPORT=http://127\.0\.0\.1:\d+`, `export AWS_REGION=us-east-1`, `export AWS_DEFAULT_REGION=us-east-1`,
		`export AWS_ACCESS_KEY_ID=test`, `export AWS_SECRET_ACCESS_KEY=test`, `export SUPPORTD_TEST_URL=http://127\.0\.0\.1:\d+`,
		`export SUPPORTD_DESK_TOKEN=sdt_[\w-]+`,
	}
	var tokens []string
	for i := range 2 {
		s := mustServe(t, len(want), "serve", "--test", "--data", data, "--listen", "127.0.0.1:0", "--test-listen", "127.0.0.1:0", "--test-time", "2026-03-01T09:00:00Z", "--test-frozen", "--log-level", "error")
		for n, line := range s.stdout {
			if !regexp.MustCompile(`^` + want[n] + `$`).MatchString(line) {
				t.Errorf("start %d, line %d on standard output is %q, want %s", i+1, n+1, line, want[n])
			}
		}
		manage := strings.TrimPrefix(s.stdout[5], "export SUPPORTD_TEST_URL=")
		if got := mustGet(t, manage+"/clock"); got != `{"now":"2026-03-01T09:00:00Z","frozen":true}`+"\n" {
			t.Errorf("GET /clock = %s, want where the flags say", got)
		}
		tokens = append(tokens, s.stdout[6])
		rest, stderr, err := s.stop()
		if rest != "" || err != nil {
			t.Errorf("start %d: later standard output %q and end %v, want nothing", i+1, rest, err)
		}
		if !containsAll(stderr, []string{"IN TEST MODE", "no limits", data, manage, "stands still at 2026-03-01T09:00:00Z"}) || strings.Contains(stderr, "is removed") {
			t.Errorf("start %d: standard error %q, want what is possible", i+1, stderr)
		}
		if again := strings.Contains(stderr, "It goes on with what earlier starts have left; curl -X POST "+manage+"/reset"); again != (i > 0) {
			t.Errorf("start %d: standard error %q says what it goes on with: %t", i+1, stderr, again)
		}
	}
	if tokens[0] != tokens[1] {
		t.Errorf("the second start prints %s, want that of the first one, %s", tokens[1], tokens[0])
	}
}

func mustGet(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestServeForTestsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := mustServe(t, 7, "--test", "--listen", "127.0.0.1:0", "--test-listen", "127.0.0.1:0", "--log-level", "error")
	_, stderr, err := s.stop()
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^(/.*) is removed at the end\.$`).FindStringSubmatch(stderr)
	if found == nil {
		t.Fatalf("standard error is %q, want the folder", stderr)
	}
	if _, err := os.Stat(found[1]); !os.IsNotExist(err) {
		t.Errorf("after the end %s is there: %v", found[1], err)
	}
}

// Nobody shall believe to test what customers use.
func TestTestSettingsAreRefusedOutsideOfTestMode(t *testing.T) {
	t.Parallel()
	for _, set := range []struct{ name, value string }{
		{"test-listen", "127.0.0.1:0"},
		{"test-seed", "7"},
		{"test-seed-file", "/seed.yaml"},
		{"test-autopilot", "/script.yaml"},
		{"test-time", "2026-03-01T09:00:00Z"},
		{"test-frozen", "true"},
		// What they are anyway is refused, too.
		{"test-listen", ""},
		{"test-seed", "0"},
		{"test-seed-file", ""},
		{"test-autopilot", ""},
		{"test-time", ""},
		{"test-frozen", "false"},
	} {
		name, value := set.name, set.value
		data := "--data=" + filepath.Join(t.TempDir(), "data")
		want := name + " is set (--" + name + " or " + environmentName(name) + "), but this server is not in test mode (--test)"
		for _, how := range []struct {
			env, args []string
		}{
			{nil, []string{"serve", data, "--" + name + "=" + value}},
			{nil, []string{data, "--" + name + "=" + value}},
			{[]string{environmentName(name) + "=" + value}, []string{"serve", data}},
			{nil, []string{"serve", data, "--config", mustWrite(t, name+": "+value+"\n")}},
			{nil, []string{"serve", data, "--test=false", "--" + name + "=" + value}},
		} {
			checkRefusal(t, command(t, how.env, "", how.args...), 1, want, how.args...)
		}
		if _, err := os.Stat(strings.TrimPrefix(data, "--data=")); err == nil {
			t.Errorf("%s: the refused server has made its folder", name)
		}
		// Administration has nothing to do with it.
		mustRun(t, []string{environmentName(name) + "=" + value}, "account", "list", data)
	}
}

func TestTestModeHasNoLimitsUnlessTheyAreSet(t *testing.T) {
	t.Parallel()
	for want, args := range map[server.Limits][]string{
		{}:                 {"--test", "--data=/x"},
		server.AWSLimits(): {"--test", "--data=/x", "--limits=aws"},
	} {
		s, config, err := configure(t, nil, args...)
		if err == nil {
			_, err = s.test(&config)
		}
		if err != nil || config.Limits != want || config.Test == nil || config.Test.Listen != server.DefaultTestListen {
			t.Errorf("%v: limits %+v, test %+v, %v, want %+v and the default listener", args, config.Limits, config.Test, err, want)
		}
	}
	s, config, err := configure(t, nil, "--data=/x")
	if err == nil {
		_, err = s.test(&config)
	}
	if err != nil || config.Test != nil || config.Limits != server.AWSLimits() {
		t.Errorf("without --test: limits %+v, test %+v, %v, want AWS's and none", config.Limits, config.Test, err)
	}
}

func TestTestSettingsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		`test-time "soon": want a time such as`: {"serve", "--test", "--test-time=soon"},
		`test-listen "here": want HOST:PORT`:    {"serve", "--test", "--test-listen=here"},
		"no such file":                          {"serve", "--test", "--test-seed-file=/no/such/file"},
		"from the year 1970 to 9000":            {"serve", "--test", "--test-time=0001-01-01T00:00:00Z"},
	} {
		checkRefusal(t, command(t, nil, "", args...), 1, want, args...)
	}
}

package main

import (
	"cmp"
	"fmt"
	"os"
	"time"

	"github.com/supportd/supportd/internal/iam"
	"github.com/supportd/supportd/internal/server"
)

// test makes a server's configuration one for tests if the settings say so, and
// refuses the settings of tests otherwise: nobody shall believe to test what
// customers use. Unless a data folder is set there is one that cleanUp removes.
func (s *settings) test(c *server.Config) (cleanUp func() error, err error) {
	cleanUp = func() error { return nil }
	if !s.Test {
		return cleanUp, s.refuseTestSettings()
	}
	c.Test = &server.Test{
		Listen: cmp.Or(s.TestListen, server.DefaultTestListen),
		Seed:   s.TestSeed, SeedFile: s.TestSeedFile, AutopilotFile: s.TestAutopilot, Frozen: s.TestFrozen,
	}
	if s.TestTime != "" {
		if c.Test.Time, err = time.Parse(time.RFC3339, s.TestTime); err != nil {
			return cleanUp, fmt.Errorf("test-time %q: want a time such as 2026-03-01T09:00:00Z", s.TestTime)
		}
		if c.Test.Time.IsZero() { // which would mean now
			return cleanUp, fmt.Errorf("test-time %q: the clock goes from the year 1970 to 9000", s.TestTime)
		}
	}
	if s.Limits.unset {
		c.Limits = server.Limits{}
	}
	if !s.ownFolder {
		return cleanUp, nil
	}
	if c.Data, err = os.MkdirTemp("", "supportd-test-*"); err != nil {
		return cleanUp, err
	}
	return func() error { return os.RemoveAll(c.Data) }, nil
}

// refuseTestSettings refuses them also with the value that they have anyway.
func (s *settings) refuseTestSettings() error {
	if s.forTests == "" {
		return nil
	}
	return fmt.Errorf("%s is set (--%s or %s), but this server is not in test mode (--test)", s.forTests, s.forTests, environmentName(s.forTests))
}

// printTestEnvironment prints what programs under test and their tests need.
func (p *program) printTestEnvironment(s *server.Server) {
	fmt.Fprintf(p.stdout, "export AWS_ACCESS_KEY_ID=%s\n", iam.TestKey)
	fmt.Fprintf(p.stdout, "export AWS_SECRET_ACCESS_KEY=%s\n", iam.TestKey)
	fmt.Fprintf(p.stdout, "export SUPPORTD_TEST_URL=%s\n", publicURL(s.TestAddr()))
}

func (p *program) greetTester(config server.Config, s *server.Server, url string, first server.First) {
	limits := "no limits"
	if config.Limits != (server.Limits{}) {
		limits = "limits"
	}
	clock := "runs"
	if config.Test.Frozen {
		clock = "stands still"
	}
	fmt.Fprintf(p.stderr, `supportd %s serves the AWS Support API on %s IN TEST MODE, with %s, from %s
Access key test and secret test are the root of account %s (enterprise plan); every account's number is an access key, too.
The clock %s at %s. On %s tests move it, reset, seed, make faults, read what was asked: curl %[8]s/
`, server.Version(), url, limits, config.Place(), server.FirstAccountID, clock, s.Test.Now().UTC().Format(time.RFC3339), publicURL(s.TestAddr()))
	if first.Resumed {
		fmt.Fprintf(p.stderr, "It goes on with what earlier starts have left; curl -X POST %s/reset makes it new.\n", publicURL(s.TestAddr()))
	}
	if p.settings.ownFolder {
		fmt.Fprintf(p.stderr, "%s is removed at the end.\n", config.Data)
	}
}

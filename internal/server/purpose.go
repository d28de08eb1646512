package server

import (
	"cmp"
	"context"
	"fmt"
)

// purpose is the name of a setting that says what an installation was made for.
// Installations of releases that knew no test mode have none.
const purpose = "purpose"

// The purposes of an installation.
const (
	forUse   = "use"
	forTests = "tests"
)

// claimPurpose makes a new installation one for tests in test mode and otherwise
// one for use, and keeps tests away from what they would destroy: a reset leaves
// nothing.
func (s *Server) claimPurpose(ctx context.Context) error {
	want := forUse
	if s.config.Test != nil {
		want = forTests
		if older, err := s.isOlder(ctx); err != nil || older {
			return cmp.Or(err, s.errNotForTests())
		}
	}
	kept, _, err := s.store.AddSetting(ctx, purpose, []byte(want))
	if err != nil {
		return err
	}
	s.purpose = string(kept)
	if want == forTests && s.purpose != forTests {
		return s.errNotForTests()
	}
	return nil
}

// isOlder reports whether a release that knew no test mode made the installation.
func (s *Server) isOlder(ctx context.Context) (bool, error) {
	kept, err := s.store.Setting(ctx, purpose)
	if err != nil || kept != nil {
		return false, err
	}
	proof, err := s.store.Setting(ctx, masterKeyProof)
	return proof != nil, err
}

func (s *Server) errNotForTests() error {
	return fmt.Errorf("the installation in %s was not made by test mode, which may remove all that it holds: give test mode a place of its own", s.config.Place())
}

// checkPurpose keeps customers away from what test mode made: the data was made
// up, and its keys are known to everybody who read the tests. Administration
// beside a test server is fine.
func (s *Server) checkPurpose() error {
	if s.config.Test == nil && s.purpose == forTests {
		return fmt.Errorf("the installation in %s was made by test mode: serve it with --test", s.config.Place())
	}
	return nil
}

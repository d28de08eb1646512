package supporttest

import (
	"context"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

// File is a file that an agent attaches.
type File struct {
	Name string
	Data []byte
}

// Reply answers a case as an agent does. The customer sees a communication of
// Amazon Web Services, and the case waits for the customer then, with the status
// pending-customer-action. caseID may be the display id.
func (s *Server) Reply(caseID, body string, files ...File) {
	s.t.Helper()
	in := desk.NewReply{Body: body}
	for _, f := range files {
		in.Files = append(in.Files, cases.File{Name: f.Name, Data: f.Data})
	}
	_, err := s.server.Desk.Reply(context.Background(), desk.Operator(), caseID, in)
	s.must("reply to "+caseID, err)
}

// SetStatus moves a case to a status of the API as an agent does, such as
// work-in-progress. It fails the test where an agent cannot do that.
func (s *Server) SetStatus(caseID, status string) {
	s.t.Helper()
	_, err := s.server.Desk.SetStatus(context.Background(), desk.Operator(), caseID, status, "")
	s.must("set the status of "+caseID, err)
}

// Resolve resolves a case as an agent does.
func (s *Server) Resolve(caseID string) {
	s.t.Helper()
	s.SetStatus(caseID, string(cases.Resolved))
}

// Seeded is what came of a seed file.
type Seeded struct {
	Cases  map[string]string      // case ids by ref
	Users  []SeededUser           // in the order of the file
	Agents map[string]SeededAgent // by e-mail address
}

// SeededUser is a user of an account that a seed made, with an access key for
// [Server.ConfigWith].
type SeededUser struct {
	Account         string
	Name            string
	AccessKeyID     string
	SecretAccessKey string
}

// SeededAgent is an agent that a seed made, with a token for the API for agents.
type SeededAgent struct {
	ID    string
	Token string
}

// Seed adds what a seed file (YAML) names: accounts and users, agents and teams,
// cases with all that was said and done, and results. Cases have lived through
// their story at the times that the file gives them. The form of the file is in
// https://github.com/supportd/supportd/blob/main/docs/testing.md#seeds.
func (s *Server) Seed(text string) Seeded {
	s.t.Helper()
	made, err := s.mode.Seed(context.Background(), []byte(text))
	s.must("seed", err)
	seeded := Seeded{Cases: made.Cases, Agents: map[string]SeededAgent{}}
	for _, u := range made.Users {
		seeded.Users = append(seeded.Users, SeededUser{u.Account, u.Name, u.Key.ID, u.Key.Secret})
	}
	for email, a := range made.Agents {
		seeded.Agents[email] = SeededAgent(a)
	}
	return seeded
}

// Autopilot has a script (YAML) play the agent for the cases that are opened from
// now on. Its steps are done when [Server.Advance] passes their times, or when a
// clock that runs reaches them. The word "default" is the script of the program,
// and an empty one ends the autopilot. The form of the script is in
// https://github.com/supportd/supportd/blob/main/docs/testing.md#autopilot.
func (s *Server) Autopilot(text string) {
	s.t.Helper()
	s.must("autopilot", s.mode.SetAutopilot([]byte(text)))
}

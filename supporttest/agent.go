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

// Seed adds what a seed file (YAML) names: accounts, cases with communications
// and attachments, results. It returns the ids of the cases that have a ref. See
// docs/testing.md.
func (s *Server) Seed(text string) (caseIDs map[string]string) {
	s.t.Helper()
	seeded, err := s.mode.Seed(context.Background(), []byte(text))
	s.must("seed", err)
	return seeded.Cases
}

// Autopilot has a script (YAML) play the agent for the cases that are opened from
// now on; the word "default" is the script of the program, and an empty one ends
// that. See docs/testing.md.
func (s *Server) Autopilot(text string) {
	s.t.Helper()
	s.must("autopilot", s.mode.SetAutopilot(context.Background(), []byte(text)))
}

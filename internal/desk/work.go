package desk

import (
	"context"

	"github.com/supportd/supportd/internal/cases"
)

// NewReply is what an agent answers.
type NewReply struct {
	Body   string
	Status string // of the case afterwards: a status of the API, or "keep"; empty: that of the settings
	Files  []cases.File
}

// Replied is what came of a reply.
type Replied struct {
	Item
	Number int64 // of the communication
	// Others have the case before the eyes as well, or have said something that
	// the caller had not seen (see Caller.IfVersion).
	Others []Presence
}

// Assignment says who gets a case. Empty fields leave what is.
type Assignment struct {
	Agent   string // an agent's id; "" with Release: nobody
	Team    string
	Release bool
	Next    bool // the agent whose turn it is among those who fit and have room
}

// Claim gives a case to the caller. One that another agent has is ErrConflict.
func (s *Service) Claim(ctx context.Context, who Caller, ref string) (Item, error) {
	panic("not built")
}

// Assign gives a case to an agent, a team or nobody.
func (s *Service) Assign(ctx context.Context, who Caller, ref string, to Assignment) (Item, error) {
	panic("not built")
}

// Reply adds a communication that the customer sees as the provider's.
func (s *Service) Reply(ctx context.Context, who Caller, ref string, in NewReply) (Replied, error) {
	panic("not built")
}

// SetStatus moves a case to a status of the API.
func (s *Service) SetStatus(ctx context.Context, who Caller, ref, status, reason string) (Item, error) {
	panic("not built")
}

// Note adds an internal note.
func (s *Service) Note(ctx context.Context, who Caller, ref, body string) (Item, error) {
	panic("not built")
}

// Tag adds and removes tags.
func (s *Service) Tag(ctx context.Context, who Caller, ref string, add, remove []string) (Item, error) {
	panic("not built")
}

// SetSeverity changes the severity of a case and keeps the reason.
func (s *Service) SetSeverity(ctx context.Context, who Caller, ref, severity, reason string) (Item, error) {
	panic("not built")
}

// Link notes that two cases of an account have to do with each other.
func (s *Service) Link(ctx context.Context, who Caller, ref, other string) (Item, error) {
	panic("not built")
}

// Unlink takes that back.
func (s *Service) Unlink(ctx context.Context, who Caller, ref, other string) (Item, error) {
	panic("not built")
}

// Merge resolves a case in favour of another one of the account.
func (s *Service) Merge(ctx context.Context, who Caller, ref, into string) (Item, error) {
	panic("not built")
}

// Unmerge takes that back: the case is open again as it was.
func (s *Service) Unmerge(ctx context.Context, who Caller, ref string) (Item, error) {
	panic("not built")
}

// ApplyMacro does what a macro says.
func (s *Service) ApplyMacro(ctx context.Context, who Caller, ref, macro string, variables map[string]string) (Replied, error) {
	panic("not built")
}

// OpenFor opens a case on behalf of an account.
func (s *Service) OpenFor(ctx context.Context, who Caller, account string, in cases.NewCase, files []cases.File) (Item, error) {
	panic("not built")
}

// ReplyFor adds a communication on behalf of the customer.
func (s *Service) ReplyFor(ctx context.Context, who Caller, ref, body string, files []cases.File) (Item, error) {
	panic("not built")
}

// SetPresence notes that the caller has a case before the eyes for the next
// minute, and returns who else does.
func (s *Service) SetPresence(ctx context.Context, who Caller, ref string, replying bool) ([]Presence, error) {
	panic("not built")
}

// Leave takes the caller's presence back.
func (s *Service) Leave(ctx context.Context, who Caller, ref string) error { panic("not built") }

// Package fault says what can go wrong in words that every entry room can
// translate into its own protocol. A room declares its faults as package
// variables and callers compare with [errors.Is]; an error that is not a fault
// is internal and no caller sees its text.
//
// It knows nothing of HTTP, of AWS error names or of any store.
package fault

import "fmt"

// Kind groups faults by what the caller can do about them.
type Kind int

const (
	// Invalid means that the request itself is wrong: another one may succeed.
	Invalid Kind = iota + 1
	// NotFound means that the thing asked for does not exist for this caller.
	NotFound
	// Expired means that the thing existed and its time is over.
	Expired
	// Conflict means that the present state does not allow the change.
	Conflict
	// Denied means that the caller may not do this.
	Denied
	// Limited means that the caller did this too often or asked for too much.
	Limited
)

// Error is one thing that can go wrong. Code is stable and identifies the
// fault; Text is for the caller and holds no secret.
type Error struct {
	Kind Kind
	Code string
	Text string
}

// New declares a fault.
func New(kind Kind, code, text string) *Error {
	return &Error{Kind: kind, Code: code, Text: text}
}

// With returns the same fault with a text that fits the occasion.
func (e *Error) With(format string, args ...any) *Error {
	return &Error{Kind: e.Kind, Code: e.Code, Text: fmt.Sprintf(format, args...)}
}

// Error returns the text for the caller.
func (e *Error) Error() string { return e.Text }

// Is reports whether target is the same fault, whatever its text.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

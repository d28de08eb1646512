package desk

import "time"

// Kind is the kind of a [Document].
type Kind string

// The kinds of documents.
const (
	KindAgent    Kind = "agent"    // Agent
	KindToken    Kind = "token"    // Token
	KindTeam     Kind = "team"     // Team
	KindMacro    Kind = "macro"    // Macro
	KindCalendar Kind = "calendar" // Calendar
	KindPromise  Kind = "promise"  // Promise
	KindSettings Kind = "settings" // Settings, with the id "settings"
)

// Document is something that administrators set up: there are few of them, they
// change seldom, and the desk reads them by id or all of a kind.
type Document struct {
	Kind      Kind
	ID        string
	Version   int64  // counts changes, from 1
	Content   []byte // JSON
	ChangedAt time.Time
}

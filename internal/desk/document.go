package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Kind is the kind of a [Document].
type Kind string

// The kinds of documents.
const (
	KindAgent    Kind = "agent"    // Agent
	KindToken    Kind = "token"    // Token, with its hash
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

// documented is a pointer to what the documents of a kind hold.
type documented[T any] interface {
	*T
	// document returns what the document is called and where its version is.
	document() (kind Kind, id string, version *int64)
}

func (a *Agent) document() (Kind, string, *int64)       { return KindAgent, a.ID, &a.Version }
func (t *tokenRecord) document() (Kind, string, *int64) { return KindToken, t.ID, &t.Version }
func (t *Team) document() (Kind, string, *int64)        { return KindTeam, t.ID, &t.Version }
func (m *Macro) document() (Kind, string, *int64)       { return KindMacro, m.ID, &m.Version }
func (c *Calendar) document() (Kind, string, *int64)    { return KindCalendar, c.ID, &c.Version }
func (p *Promise) document() (Kind, string, *int64)     { return KindPromise, p.ID, &p.Version }
func (s *Settings) document() (Kind, string, *int64)    { return KindSettings, settingsID, &s.Version }

// readDocument returns the T with the id. ErrNotFound.
func readDocument[T any, P documented[T]](ctx context.Context, tx Tx, id string) (T, error) {
	var none T
	kind, _, _ := P(&none).document()
	d, err := tx.Document(ctx, kind, id)
	if errors.Is(err, ErrNotFound) {
		return none, ErrNotFound.With("There is no %s %q.", kind, id)
	}
	if err != nil {
		return none, err
	}
	return decodeDocument[T, P](d)
}

// readDocuments returns every T by id.
func readDocuments[T any, P documented[T]](ctx context.Context, tx Tx) ([]T, error) {
	kind, _, _ := P(new(T)).document()
	documents, err := tx.Documents(ctx, kind)
	if err != nil {
		return nil, err
	}
	all := make([]T, 0, len(documents))
	for _, d := range documents {
		v, err := decodeDocument[T, P](d)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func decodeDocument[T any, P documented[T]](d Document) (v T, err error) {
	if err := json.Unmarshal(d.Content, &v); err != nil {
		return v, fmt.Errorf("%s %s: %w", d.Kind, d.ID, err)
	}
	_, _, version := P(&v).document()
	*version = d.Version
	return v, nil
}

// insertDocument writes v, which must be new: what has its id already stays as it
// is. ErrConflict.
func insertDocument[T any, P documented[T]](ctx context.Context, tx Tx, now time.Time, v T) (T, error) {
	kind, id, version := P(&v).document()
	exists, err := hasDocument(ctx, tx, kind, id)
	if err != nil {
		return v, err
	}
	if exists {
		return v, ErrConflict.With("There is a %s %q already.", kind, id)
	}
	*version = 0
	return writeDocument[T, P](ctx, tx, now, v)
}

func hasDocument(ctx context.Context, tx Tx, kind Kind, id string) (bool, error) {
	_, err := tx.Document(ctx, kind, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// unusedID returns an id that no document of the kind has. Chance hardly ever
// makes the same one twice, but tests may begin it anew.
func (s *Service) unusedID(ctx context.Context, tx Tx, kind Kind, prefix string) (string, error) {
	const tries = 100
	for range tries {
		id := s.newID(prefix)
		if exists, err := hasDocument(ctx, tx, kind, id); err != nil || !exists {
			return id, err
		}
	}
	return "", fmt.Errorf("%d ids for a new %s were all in use", tries, kind)
}

// name gives an id to a document that a caller wants to create without one. The
// caller says so of it from then on.
func (s *Service) name(ctx context.Context, who *Caller, kind Kind, id *string) error {
	if *id != "" {
		return nil
	}
	who.IfVersion = NoVersion
	return s.Store.View(ctx, func(tx Tx) (err error) {
		*id, err = s.unusedID(ctx, tx, kind, string(kind)+"-")
		return err
	})
}

// writeDocument writes v as the version after its own, and returns it so.
func writeDocument[T any, P documented[T]](ctx context.Context, tx Tx, now time.Time, v T) (T, error) {
	kind, id, version := P(&v).document()
	*version++
	content, err := json.Marshal(v)
	if err != nil {
		return v, fmt.Errorf("%s %s: %w", kind, id, err)
	}
	return v, tx.PutDocument(ctx, Document{Kind: kind, ID: id, Version: *version, Content: content, ChangedAt: now})
}

// viewDocuments returns every T by id to a caller who may read.
func viewDocuments[T any, P documented[T]](ctx context.Context, s *Service, who Caller) (all []T, err error) {
	if err := who.need(Read); err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		all, err = readDocuments[T, P](ctx, tx)
		return err
	})
	return all, err
}

// putDocument creates or replaces a T, unless check refuses.
func putDocument[T any, P documented[T]](ctx context.Context, s *Service, who Caller, need Permission, in T, check func(Tx) error) (T, error) {
	return change(ctx, s, who, need, Scope, func(tx Tx, done *audited) (T, error) {
		v := in
		kind, id, version := P(&v).document()
		before, err := readDocument[T, P](ctx, tx, id)
		switch {
		case errors.Is(err, ErrNotFound):
			*version = 0
			done.Action = string(kind) + ".create"
		case err != nil:
			return v, err
		default:
			_, _, now := P(&before).document()
			*version = *now
			done.before, done.Action = before, string(kind)+".update"
		}
		if err := who.checkVersion(*version); err != nil {
			return v, err
		}
		if err := check(tx); err != nil {
			return v, err
		}
		v, err = writeDocument[T, P](ctx, tx, s.now(), v)
		done.Subject, done.after = id, v
		return v, err
	})
}

// deleteDocument removes a T, unless check refuses.
func deleteDocument[T any, P documented[T]](ctx context.Context, s *Service, who Caller, need Permission, id string, check func(Tx) error) error {
	_, err := change(ctx, s, who, need, Scope, func(tx Tx, done *audited) (none struct{}, err error) {
		before, err := readDocument[T, P](ctx, tx, id)
		if err != nil {
			return none, err
		}
		kind, _, version := P(&before).document()
		if err := who.checkVersion(*version); err != nil {
			return none, err
		}
		if err := check(tx); err != nil {
			return none, err
		}
		done.Action, done.Subject, done.before = string(kind)+".delete", id, before
		return none, tx.DeleteDocument(ctx, kind, id)
	})
	return err
}

// settingsID is the id of the one document of its kind.
const settingsID = "settings"

// nothing stands in the way of a change.
func nothing(Tx) error { return nil }

package desk

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/supportd/supportd/internal/cases"
)

// Detail is all that an agent sees of a case at first sight.
type Detail struct {
	Item
	Case           cases.Case
	Communications []Said // oldest first, the last hundred
	Clocks         []Clock
	Links          []Link
	Present        []Presence // of other agents
}

// Said is a communication, with the agent who wrote it, on the customer's
// behalf, too; empty for the customer.
type Said struct {
	cases.Communication
	Agent string
}

const detailCommunications = 100

// Case returns a case by its id or display id. A display id that cases of
// several accounts have is ErrConflict, which names them.
func (s *Service) Case(ctx context.Context, who Caller, ref string) (d Detail, err error) {
	if err := who.need(Read); err != nil {
		return Detail{}, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		key, err := findKey(ctx, tx, ref)
		if err != nil {
			return err
		}
		d, err = s.detail(ctx, tx, who, key)
		return err
	})
	return d, err
}

func (s *Service) detail(ctx context.Context, tx Tx, who Caller, key Key) (d Detail, err error) {
	if d.Item, err = findItem(ctx, tx, key); err != nil {
		return Detail{}, err
	}
	if d.Case, err = tx.Case(ctx, key.Account, key.CaseID); err != nil {
		return Detail{}, err
	}
	if d.Communications, err = s.thread(ctx, tx, d.Case, 0, detailCommunications); err != nil {
		return Detail{}, err
	}
	slices.Reverse(d.Communications)
	if d.Links, err = existingLinks(ctx, tx, key); err != nil {
		return Detail{}, err
	}
	if d.Clocks, err = s.clocks(ctx, tx, d.Item); err != nil {
		return Detail{}, err
	}
	d.Present, err = s.others(ctx, tx, who, key)
	return d, err
}

// thread returns up to limit communications before the one with the number,
// newest first; 0: the last ones. The record says which agent wrote which.
func (s *Service) thread(ctx context.Context, tx Tx, c cases.Case, before int64, limit int) ([]Said, error) {
	found, err := s.Cases.Thread(ctx, tx, c, before, limit)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	newest, oldest := found[0].Number, found[len(found)-1].Number
	records, err := tx.CommunicationRecords(ctx, c.Account, c.ID, oldest, newest)
	if err != nil {
		return nil, err
	}
	authors := map[int64]string{}
	for _, r := range records {
		authors[r.Communication] = r.Agent
	}
	all := make([]Said, 0, len(found))
	for _, one := range found {
		all = append(all, Said{Communication: one, Agent: authors[one.Number]})
	}
	return all, nil
}

// Communications returns up to limit communications of a case before the one with
// the number, newest first; 0: the last ones.
func (s *Service) Communications(ctx context.Context, who Caller, ref string, before int64, limit int) (all []Said, err error) {
	err = s.viewCase(ctx, who, ref, func(tx Tx, c cases.Case) error {
		all, err = s.thread(ctx, tx, c, before, limit)
		return err
	})
	return all, err
}

// viewCase shows a case that the desk knows to a caller with the permission to
// Read.
func (s *Service) viewCase(ctx context.Context, who Caller, ref string, f func(Tx, cases.Case) error) error {
	if err := who.need(Read); err != nil {
		return err
	}
	return s.Store.View(ctx, func(tx Tx) error {
		key, err := findKey(ctx, tx, ref)
		if err != nil {
			return err
		}
		if _, err := findItem(ctx, tx, key); err != nil {
			return err
		}
		c, err := tx.Case(ctx, key.Account, key.CaseID)
		if err != nil {
			return err
		}
		return f(tx, c)
	})
}

// File returns a file that a communication of the case carries.
func (s *Service) File(ctx context.Context, who Caller, ref, attachmentID string) (cases.File, error) {
	key, err := s.key(ctx, who, Read, ref)
	if err != nil {
		return cases.File{}, err
	}
	return s.Cases.FileOf(ctx, key.Account, key.CaseID, attachmentID)
}

// key returns which case a caller with the permission means.
func (s *Service) key(ctx context.Context, who Caller, need Permission, ref string) (key Key, err error) {
	if err := who.need(need); err != nil {
		return Key{}, err
	}
	if key, ok := keyOfID(ref); ok {
		return key, nil
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		key, err = findKey(ctx, tx, ref)
		return err
	})
	return key, err
}

// findKey returns which case is meant by an id, which need not exist, or by a
// display id.
func findKey(ctx context.Context, tx Tx, ref string) (Key, error) {
	if key, ok := keyOfID(ref); ok {
		return key, nil
	}
	keys, err := tx.CasesByDisplayID(ctx, ref)
	switch {
	case err != nil:
		return Key{}, err
	case len(keys) == 0:
		return Key{}, caseNotFound(ref)
	case len(keys) > 1:
		return Key{}, ErrConflict.With("Several cases have the display id %s: %s. Use the case id.", ref, strings.Join(caseIDs(keys), ", "))
	}
	return keys[0], nil
}

// findKeyIn returns which case of the account is meant.
func findKeyIn(ctx context.Context, tx Tx, account, ref string) (Key, error) {
	key, ok := keyOfID(ref)
	if !ok {
		keys, err := tx.CasesByDisplayID(ctx, ref)
		if err != nil {
			return Key{}, err
		}
		if len(keys) == 0 {
			return Key{}, caseNotFound(ref)
		}
		key = keys[max(0, slices.IndexFunc(keys, func(k Key) bool { return k.Account == account }))]
	}
	if key.Account != account {
		return Key{}, ErrInvalid.With("The case %s belongs to another account.", ref)
	}
	return key, nil
}

// keyOfID reads the account in a case's id, such as
// case-111122223333-muen-2026-0123456789abcdef.
func keyOfID(id string) (Key, bool) {
	rest, ok := strings.CutPrefix(id, "case-")
	account, _, more := strings.Cut(rest, "-")
	if !ok || !more || !isDigits(account, 12) {
		return Key{}, false
	}
	return Key{Account: account, CaseID: id}, true
}

func findItem(ctx context.Context, tx Tx, key Key) (Item, error) {
	i, err := tx.Item(ctx, key.Account, key.CaseID)
	if errors.Is(err, ErrNotFound) {
		return Item{}, caseNotFound(key.CaseID)
	}
	return i, err
}

func caseNotFound(ref string) error { return ErrNotFound.With("There is no case %q.", ref) }

func caseIDs(keys []Key) (ids []string) {
	for _, k := range keys {
		ids = append(ids, k.CaseID)
	}
	return ids
}

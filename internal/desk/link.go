package desk

import (
	"cmp"
	"context"
	"maps"
	"slices"
)

// Link is another case that has to do with this one.
type Link struct {
	Key
	Relation string // "related", "merged-into" or "merged-from"
}

// The relations of cases.
const (
	related    = "related"
	mergedInto = "merged-into"
	mergedFrom = "merged-from"
)

// Link notes that two cases of an account have to do with each other.
func (s *Service) Link(ctx context.Context, who Caller, ref, other string) (Item, error) {
	return s.workOn(ctx, who, ref, "case.link", func(t *task) error {
		with, isLinked, err := t.linkTo(ctx, other)
		if err != nil || isLinked {
			return err
		}
		if err := cmp.Or(t.checkRecords(), with.checkRecords()); err != nil {
			return err
		}
		return t.didBoth(ctx, with, eventLinked, eventLinked)
	})
}

// Unlink takes that back.
func (s *Service) Unlink(ctx context.Context, who Caller, ref, other string) (Item, error) {
	return s.workOn(ctx, who, ref, "case.unlink", func(t *task) error {
		with, isLinked, err := t.linkTo(ctx, other)
		if err != nil {
			return err
		}
		if !isLinked {
			return ErrNotFound.With("The cases %s and %s are not linked.", t.item.CaseID, with.item.CaseID)
		}
		return t.didBoth(ctx, with, eventUnlinked, eventUnlinked)
	})
}

// linkTo returns another case of the account and whether it is linked.
func (t *task) linkTo(ctx context.Context, ref string) (with *task, isLinked bool, err error) {
	with, err = t.beginOther(ctx, ref)
	if err != nil {
		return nil, false, err
	}
	all, err := links(ctx, t.tx, t.item.Key)
	return with, slices.Contains(all, Link{Key: with.item.Key, Relation: related}), err
}

// beginOther begins the part of the work that another case of the account has.
func (t *task) beginOther(ctx context.Context, ref string) (*task, error) {
	key, err := findKeyIn(ctx, t.tx, t.item.Account, ref)
	if err != nil {
		return nil, err
	}
	if key == t.item.Key {
		return nil, ErrInvalid.With("The case %s is the case itself.", ref)
	}
	return t.beginWith(ctx, key)
}

// beginWith begins the part of the work that a case has beside the first one. The
// audit log tells of it, too.
func (t *task) beginWith(ctx context.Context, key Key) (*task, error) {
	with, err := t.begin(ctx, t.tx, t.who, key)
	if err == nil {
		t.with = append(t.with, with)
	}
	return with, err
}

// didBoth records on both cases what happened between them.
func (t *task) didBoth(ctx context.Context, with *task, here, there string) error {
	if err := t.did(ctx, here, linked{Case: with.item.CaseID}); err != nil {
		return err
	}
	return t.didThere(ctx, with, there)
}

func (t *task) didThere(ctx context.Context, with *task, event string) error {
	if err := with.did(ctx, event, linked{Case: t.item.CaseID}); err != nil {
		return err
	}
	return with.write(ctx)
}

// links returns the links that the record of a case leaves, the oldest first.
func links(ctx context.Context, tx Tx, key Key) ([]Link, error) {
	records, err := tx.CaseRecords(ctx, key.Account, key.CaseID)
	since := map[Link]int64{} // the number of the line that added it
	for _, r := range records {
		relation, added := linkEvent(r.Event)
		link := Link{Key: Key{Account: key.Account, CaseID: r.OtherCase}, Relation: relation}
		delete(since, link)
		if added {
			since[link] = r.Number
		}
	}
	return slices.SortedFunc(maps.Keys(since), func(a, b Link) int { return cmp.Compare(since[a], since[b]) }), err
}

// linkEvent returns which relation an event adds or takes back.
func linkEvent(event string) (relation string, added bool) {
	switch event {
	case eventLinked, eventUnlinked:
		return related, event == eventLinked
	case eventMerged, eventUnmerged, eventMergeDissolved:
		return mergedInto, event == eventMerged
	case eventMergedFrom, eventUnmergedFrom:
		return mergedFrom, event == eventMergedFrom
	}
	return "", false
}

// linkBatch bounds how many cases are asked for at a time.
const linkBatch = 1000

// existingLinks leaves out those to cases that were purged.
func existingLinks(ctx context.Context, tx Tx, key Key) ([]Link, error) {
	all, err := links(ctx, tx, key)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	exists := map[string]bool{}
	for some := range slices.Chunk(all, linkBatch) {
		var ids []string
		for _, l := range some {
			ids = append(ids, l.CaseID)
		}
		found, err := tx.CasesByID(ctx, key.Account, ids)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			exists[c.ID] = true
		}
	}
	return slices.DeleteFunc(all, func(l Link) bool { return !exists[l.CaseID] }), nil
}

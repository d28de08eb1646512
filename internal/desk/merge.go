package desk

import (
	"context"
	"errors"

	"github.com/supportd/supportd/internal/cases"
)

// Merge resolves a case in favour of another one of the account. The customer
// sees that it is resolved; what the agent has to say about it is a reply.
func (s *Service) Merge(ctx context.Context, who Caller, ref, into string) (Item, error) {
	return s.workOn(ctx, who, ref, "case.merge", func(t *task) error {
		target, err := t.beginOther(ctx, into)
		if err != nil {
			return err
		}
		if err := checkMerge(t.item, target.item); err != nil {
			return err
		}
		return t.mergeInto(ctx, target)
	})
}

// checkMerge refuses what would make a case disappear in itself.
func checkMerge(from, into Item) error {
	switch {
	case from.Account != into.Account:
		return ErrInvalid.With("The cases belong to two accounts.")
	case from.Key == into.Key:
		return ErrInvalid.With("A case cannot be merged into itself.")
	case from.MergedInto != "":
		return ErrConflict.With("The case is merged into %s already.", from.MergedInto)
	case into.MergedInto != "":
		return ErrConflict.With("The case %s is itself merged into %s.", into.CaseID, into.MergedInto)
	}
	return nil
}

func (t *task) mergeInto(ctx context.Context, target *task) error {
	before := merged{Case: target.item.CaseID, Status: t.item.Status}
	if before.Status != cases.Resolved {
		if err := t.move(ctx, cases.Resolve); err != nil {
			return err
		}
		c, err := t.tx.Case(ctx, t.item.Account, t.item.CaseID)
		if err != nil {
			return err
		}
		before.Move = c.Moves
	}
	t.item.MergedInto = target.item.CaseID
	if err := t.did(ctx, eventMerged, before); err != nil {
		return err
	}
	return t.didThere(ctx, target, eventMergedFrom)
}

// Unmerge takes a merge back: the case has the status that it had before. One
// that was reopened since keeps what it has.
func (s *Service) Unmerge(ctx context.Context, who Caller, ref string) (Item, error) {
	return s.workOn(ctx, who, ref, "case.unmerge", func(t *task) error {
		if t.item.MergedInto == "" {
			return ErrConflict.With("The case is not merged into another one.")
		}
		before, err := t.lastMerge(ctx)
		if err != nil {
			return err
		}
		if err := t.restore(ctx, before); err != nil {
			return err
		}
		return t.leaveTarget(ctx)
	})
}

// lastMerge returns how the case was when it was merged.
func (t *task) lastMerge(ctx context.Context) (before merged, err error) {
	records, err := t.tx.CaseRecords(ctx, t.item.Account, t.item.CaseID)
	if err != nil {
		return merged{}, err
	}
	for _, r := range records {
		if r.Event != eventMerged {
			continue
		}
		if before, err = detailOf[merged](r); err != nil {
			return merged{}, err
		}
	}
	return before, nil
}

// restore undoes the resolution of a merge, unless the case was moved since.
func (t *task) restore(ctx context.Context, before merged) error {
	c, err := t.tx.Case(ctx, t.item.Account, t.item.CaseID)
	if err != nil || before.Move == 0 || c.Moves != before.Move {
		return err
	}
	err = t.watched(ctx, func() error {
		_, err := t.Cases.TakeBack(ctx, t.tx, t.item.Account, t.item.CaseID, t.who.actor())
		return err
	})
	if err != nil || t.item.Assignee == "" || t.item.Status != cases.Unassigned {
		return err
	}
	return t.move(ctx, cases.Open) // somebody was given the case meanwhile
}

func (t *task) leaveTarget(ctx context.Context) error {
	into := t.item.MergedInto
	target, err := t.beginWith(ctx, Key{Account: t.item.Account, CaseID: into})
	t.item.MergedInto = ""
	if errors.Is(err, ErrNotFound) { // it was purged
		return t.did(ctx, eventUnmerged, linked{Case: into})
	}
	if err != nil {
		return err
	}
	return t.didBoth(ctx, target, eventUnmerged, eventUnmergedFrom)
}

package desk

import (
	"context"
	"slices"
	"time"
)

// presenceLife is how long an agent has a case before the eyes without saying
// so again.
const presenceLife = time.Minute

// SetPresence notes that the caller has a case before the eyes for the next
// minute, and returns who else does. It is no change of the case.
func (s *Service) SetPresence(ctx context.Context, who Caller, ref string, replying bool) ([]Presence, error) {
	key, err := s.key(ctx, who, Work, ref)
	if err != nil {
		return nil, err
	}
	return change(ctx, s, who, Work, key.Account, func(tx Tx, _ *audited) ([]Presence, error) {
		if _, err := findItem(ctx, tx, key); err != nil {
			return nil, err
		}
		p := Presence{Key: key, Agent: who.Agent.ID, Replying: replying, ExpiresAt: s.now().Add(presenceLife)}
		if err := tx.PutPresence(ctx, p); err != nil {
			return nil, err
		}
		return s.others(ctx, tx, who, key)
	})
}

// Leave takes the caller's presence back.
func (s *Service) Leave(ctx context.Context, who Caller, ref string) error {
	key, err := s.key(ctx, who, Work, ref)
	if err != nil {
		return err
	}
	_, err = change(ctx, s, who, Work, key.Account, func(tx Tx, _ *audited) (none struct{}, err error) {
		if _, err := findItem(ctx, tx, key); err != nil {
			return none, err
		}
		return none, tx.DeletePresence(ctx, key.Account, key.CaseID, who.Agent.ID)
	})
	return err
}

// others returns which other agents have a case before the eyes. One that lasts
// longer than any does is from before the clock was moved back.
func (s *Service) others(ctx context.Context, tx Tx, who Caller, key Key) ([]Presence, error) {
	now := s.now()
	all, err := tx.Presences(ctx, key.Account, key.CaseID, now)
	latest := now.Add(presenceLife)
	return slices.DeleteFunc(all, func(p Presence) bool { return p.Agent == who.Agent.ID || p.ExpiresAt.After(latest) }), err
}

// endReplying notes that the caller no longer writes.
func (t *task) endReplying(ctx context.Context) error {
	all, err := t.tx.Presences(ctx, t.item.Account, t.item.CaseID, t.now())
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.Agent == t.who.Agent.ID && p.Replying {
			p.Replying = false
			return t.tx.PutPresence(ctx, p)
		}
	}
	return nil
}

package desk

import (
	"context"
	"errors"
	"time"
)

// answersKept is how long the first answer to a request can be had again.
const answersKept = 24 * time.Hour

// housekeepingBatch bounds one transaction, so that nobody waits long behind the
// housekeeping.
const housekeepingBatch = 50

// Purge removes what has outlived its time: presences, kept answers of changes
// of documents, and tokens that ended long ago. It may be repeated. Answers about
// a case are those of its account, which the cases' own purge removes.
func (s *Service) Purge(ctx context.Context) error {
	return errors.Join(s.purgePresences(ctx), s.purgeAnswers(ctx), s.purgeTokens(ctx))
}

func (s *Service) purgePresences(ctx context.Context) error {
	return s.Store.Update(ctx, Scope, func(tx Tx) error {
		return tx.DeletePresencesBefore(ctx, s.now())
	})
}

func (s *Service) purgeAnswers(ctx context.Context) error {
	before := s.now().Add(-answersKept)
	for {
		removed := 0
		err := s.Store.Update(ctx, Scope, func(tx Tx) (err error) {
			removed, err = tx.DeleteAnswers(ctx, Scope, before, housekeepingBatch)
			return err
		})
		if removed < housekeepingBatch || err != nil {
			return err
		}
	}
}

// purgeTokens removes tokens that have let nobody in for a long time.
func (s *Service) purgeTokens(ctx context.Context) error {
	var dead []Token
	find := func(tx Tx) (err error) {
		dead, err = s.deadTokens(ctx, tx)
		return err
	}
	if err := s.Store.View(ctx, find); err != nil || len(dead) == 0 {
		return err
	}
	return s.Store.Update(ctx, Scope, func(tx Tx) error {
		if err := find(tx); err != nil {
			return err
		}
		for _, t := range dead {
			if err := tx.DeleteDocument(ctx, KindToken, t.ID); err != nil {
				return err
			}
			done := audited{Entry: Entry{Action: "token.delete", Subject: t.ID}, before: t}
			if err := s.record(ctx, tx, itself(), done); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) deadTokens(ctx context.Context, tx Tx) (dead []Token, err error) {
	past := s.now().Add(-tokensKept)
	all, err := readDocuments[tokenRecord](ctx, tx)
	for _, t := range all {
		revoked := !t.RevokedAt.IsZero() && !past.Before(t.RevokedAt)
		if revoked || s.expired(t.Token, past) {
			dead = append(dead, t.Token)
		}
	}
	return dead, err
}

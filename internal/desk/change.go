package desk

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/supportd/supportd/internal/cases"
)

// audited is an entry of the audit log in the making.
type audited struct {
	Entry
	before, after any       // what becomes Before and After; nil: there was, or is, nothing
	with          []audited // what was changed by the same act
}

// change runs f in a transaction of the scope for a caller with the permission.
// What f did is written into the audit log, and its answer is kept for a request
// that comes again, in the same transaction. An audited without an Action says
// that nothing was changed.
func change[T any](ctx context.Context, s *Service, who Caller, need Permission, scope string, f func(Tx, *audited) (T, error)) (answer T, err error) {
	if err := who.need(need); err != nil {
		return answer, err
	}
	err = s.Store.Update(ctx, scope, func(tx Tx) error {
		var zero T
		answer = zero // of a transaction that is tried again; what is kept is read into it
		answered, err := who.firstAnswer(ctx, tx, scope, &answer)
		if answered || err != nil {
			return err
		}
		var done audited
		if answer, err = f(tx, &done); err != nil {
			return err
		}
		if err := s.record(ctx, tx, who, done); err != nil {
			return err
		}
		return who.keepAnswer(ctx, tx, scope, answer, s)
	})
	return answer, err
}

// record writes what was done into the audit log.
func (s *Service) record(ctx context.Context, tx Tx, who Caller, done audited) (err error) {
	if done.Action == "" {
		return nil
	}
	e := done.Entry
	e.At, e.ID = s.now(), s.newID(fmt.Sprintf("%08x-", s.entries.Add(1))) // in order, even while a clock stands still
	e.Agent, e.TokenID, e.RequestID = who.Agent.ID, who.TokenID, who.RequestID
	if e.Before, err = auditText(done.before); err != nil {
		return err
	}
	if e.After, err = auditText(done.after); err != nil {
		return err
	}
	if err := tx.InsertEntry(ctx, e); err != nil {
		return err
	}
	for _, with := range done.with {
		if err := s.record(ctx, tx, who, with); err != nil {
			return err
		}
	}
	return nil
}

func auditText(v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v)
}

// keptAnswer is the first answer to a request with an idempotency key.
type keptAnswer struct {
	Hash   []byte          `json:"hash"`
	Answer json.RawMessage `json:"answer"`
}

// requestKey tells the requests of an agent apart. A key that comes with another
// request finds the first one's answer, whose hash is another.
func (who Caller) requestKey() cases.RequestKey {
	return sha256.Sum256(fmt.Appendf(nil, "desk\n%s\n%s", who.Agent.ID, who.Once.Key))
}

func (who Caller) firstAnswer(ctx context.Context, tx Tx, scope string, answer any) (bool, error) {
	if who.Once.Key == "" {
		return false, nil
	}
	text, err := tx.Answer(ctx, scope, who.requestKey())
	if text == nil || err != nil {
		return false, err
	}
	var kept keptAnswer
	if err := json.Unmarshal(text, &kept); err != nil {
		return false, fmt.Errorf("kept answer: %w", err)
	}
	if !slices.Equal(kept.Hash, who.Once.Hash[:]) {
		return false, ErrKeyReused
	}
	return true, json.Unmarshal(kept.Answer, answer)
}

func (who Caller) keepAnswer(ctx context.Context, tx Tx, scope string, answer any, s *Service) error {
	if who.Once.Key == "" {
		return nil
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	kept, err := json.Marshal(keptAnswer{Hash: who.Once.Hash[:], Answer: text})
	if err != nil {
		return err
	}
	return tx.InsertAnswer(ctx, scope, who.requestKey(), kept, s.now())
}

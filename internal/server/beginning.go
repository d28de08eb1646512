package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/iam"
)

// beginning is what the first run of an installation for tests has made, and what
// a reset goes back to, also one after a later start: the accounts, their roots'
// keys and the agent. Whoever holds one of the keys, or the token, goes on after a
// reset.
type beginning struct {
	Accounts  []iam.Account
	Keys      []iam.Key
	Documents []desk.Document
	DeskToken string // each start prints it; the data that it opens was made up
}

// recall returns the token of the first run of an installation for tests, and
// whether there was such a run before.
func (s *Server) recall(ctx context.Context) (deskToken string, resumed bool, err error) {
	if s.testing == nil {
		return "", false, nil
	}
	text, err := s.store.Setting(ctx, beginOfTests)
	if text == nil || err != nil {
		return "", false, err
	}
	if err := json.Unmarshal(text, &s.testing.begun); err != nil {
		return "", false, fmt.Errorf("setting %s: %w", beginOfTests, err)
	}
	s.testing.resumed = true
	return s.testing.begun.DeskToken, true, nil
}

// remember keeps what the first run of an installation for tests has made.
func (s *Server) remember(ctx context.Context, deskToken string) error {
	if s.testing == nil {
		return nil
	}
	b, err := s.present(ctx)
	if err != nil {
		return err
	}
	b.DeskToken = deskToken
	s.testing.begun = b
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	_, _, err = s.store.AddSetting(ctx, beginOfTests, text)
	return err
}

// present returns what is there now.
func (s *Server) present(ctx context.Context) (b beginning, err error) {
	err = s.IAM.Store.View(ctx, func(tx iam.Tx) error {
		b = beginning{}
		if b.Accounts, err = tx.Accounts(ctx); err != nil {
			return err
		}
		for _, a := range b.Accounts {
			keys, err := tx.Keys(ctx, a.ID)
			if err != nil {
				return err
			}
			b.Keys = append(b.Keys, slices.DeleteFunc(keys, func(k iam.Key) bool { return k.Kind != iam.Root })...)
		}
		return nil
	})
	if err != nil {
		return b, err
	}
	return b, s.Desk.Store.View(ctx, func(tx desk.Tx) error {
		b.Documents = nil
		for _, kind := range []desk.Kind{desk.KindAgent, desk.KindToken} {
			some, err := tx.Documents(ctx, kind)
			if err != nil {
				return err
			}
			b.Documents = append(b.Documents, some...)
		}
		return nil
	})
}

// clear goes back to the beginning.
func (s *Server) clear(ctx context.Context) error {
	if err := s.store.Reset(ctx); err != nil {
		return err
	}
	if err := s.clearBlobs(ctx); err != nil {
		return err
	}
	if err := s.testing.begun.restore(ctx, s.IAM.Store, s.Desk.Store); err != nil {
		return err
	}
	s.testing.api.ForgetLimits()
	s.Desk.Forget()
	return nil
}

// clearBlobs removes all attachments, but not the mark of whose they are.
func (s *Server) clearBlobs(ctx context.Context) error {
	for info, err := range s.blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		if info.Key == installation {
			continue
		}
		if err := s.blobs.Delete(ctx, info.Key); err != nil && !errors.Is(err, blob.ErrNotFound) {
			return err
		}
	}
	return nil
}

func (b beginning) restore(ctx context.Context, accounts iam.Store, documents desk.Store) error {
	err := accounts.Update(ctx, func(tx iam.Tx) error {
		for _, a := range b.Accounts {
			if err := tx.InsertAccount(ctx, a); err != nil {
				return err
			}
		}
		for _, k := range b.Keys {
			if err := tx.InsertKey(ctx, k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(b.Documents) == 0 {
		return err
	}
	return documents.Update(ctx, desk.Scope, func(tx desk.Tx) error {
		for _, d := range b.Documents {
			if err := tx.PutDocument(ctx, d); err != nil {
				return err
			}
		}
		return nil
	})
}

package iam

import (
	"context"
	"errors"
)

// TestKey is the access key of [Service.TestAccount], and the secret of it and of
// the keys that are an account's number: what people configure for local
// endpoints.
const TestKey = "test"

// AccountOfKey returns the account that an access key id names. There may be no
// such account, and no such key.
func (s *Service) AccountOfKey(id string) (string, bool) {
	if !s.isTestKey(id) {
		return accountOfKey(id)
	}
	if id == TestKey {
		return s.TestAccount, true
	}
	return id, true
}

func (s *Service) isTestKey(id string) bool {
	return s.TestAccount != "" && (id == TestKey || isAccountID(id))
}

// testCredential is that of the root of an account.
func testCredential(ctx context.Context, tx Tx, account, keyID string) (*Credential, error) {
	a, err := tx.Account(ctx, account)
	if errors.Is(err, ErrAccountNotFound) || err == nil && a.State != AccountActive {
		return nil, ErrUnknownKey
	}
	if err != nil {
		return nil, err
	}
	who, err := identity(ctx, tx, a, Key{Account: account, ID: keyID, Kind: Root})
	if err != nil {
		return nil, err
	}
	return &Credential{Identity: who, Secret: TestKey}, nil
}

// Package iam knows who calls and what they may do: accounts with a support
// plan, their users and roles, access keys and sessions, and the policies that
// allow or deny an operation.
//
// It verifies no signatures (that is sigv4's work) and keeps nothing itself:
// the store does, behind [Store].
package iam

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"time"

	"github.com/supportd/supportd/internal/clock"
	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/seal"
)

// Service answers who a caller is and administers accounts. Store and Box must
// be set; Now defaults to [time.Now].
type Service struct {
	Store Store
	Box   *seal.Box // seals the secrets of access keys
	Now   func() time.Time
	// TestAccount is the account whose root is let in with the access key "test"
	// and the secret "test", and every account's with its number and that
	// secret. Empty, as outside of tests, means that nobody is.
	TestAccount string

	known credentialCache
}

// Store keeps accounts and everything that belongs to them.
type Store interface {
	// View runs f on one consistent state; f writes nothing.
	View(ctx context.Context, f func(Tx) error) error
	// Update runs f in a serializable transaction: as if no other one ran at
	// the same time. It is durable when Update returns nil. f may run more than
	// once and has no effects but those on its Tx.
	Update(ctx context.Context, f func(Tx) error) error
	// IAMVersion returns a number that grows with every committed change of
	// anything in this package, whichever process made it. The removal of
	// expired keys need not count: nobody is let in by them.
	IAMVersion(ctx context.Context) (int64, error)
}

// Tx is the state of accounts inside one transaction. Reads of a thing that
// does not exist return the fault named; lists are ordered by name or, where
// there is none, by time of creation.
type Tx interface {
	Account(ctx context.Context, id string) (Account, error) // ErrAccountNotFound
	Accounts(ctx context.Context) ([]Account, error)
	InsertAccount(ctx context.Context, a Account) error // ErrAccountExists
	UpdateAccount(ctx context.Context, a Account) error

	Principal(ctx context.Context, account string, kind PrincipalKind, name string) (Principal, error) // ErrPrincipalNotFound
	Principals(ctx context.Context, account string, kind PrincipalKind) ([]Principal, error)
	InsertPrincipal(ctx context.Context, p Principal) error // ErrPrincipalExists
	DeletePrincipal(ctx context.Context, p Principal) error // with its keys and attachments

	Key(ctx context.Context, account, id string) (Key, error) // ErrKeyNotFound
	Keys(ctx context.Context, account string) ([]Key, error)
	InsertKey(ctx context.Context, k Key) error
	SetKeyActive(ctx context.Context, account, id string, active bool) error
	DeleteKey(ctx context.Context, account, id string) error
	DeleteExpiredKeys(ctx context.Context, before time.Time) error

	Policy(ctx context.Context, account, name string) (PolicyDocument, error) // ErrPolicyNotFound
	Policies(ctx context.Context, account string) ([]PolicyDocument, error)
	PutPolicy(ctx context.Context, p PolicyDocument) error
	DeletePolicy(ctx context.Context, account, name string) error
	AttachPolicy(ctx context.Context, p Principal, policy string) error
	DetachPolicy(ctx context.Context, p Principal, policy string) error
	PolicyAttached(ctx context.Context, account, policy string) (bool, error)
}

var errInvalidName = fault.New(fault.Invalid, "invalid_name", "invalid name")

func (s *Service) now() time.Time { return clock.Now(s.Now) }

// CheckUserName returns why a user would not be made with a name.
func CheckUserName(name string) error { return checkName(string(User), name, maxPrincipalName) }

// CheckPolicyName returns why a policy would not be kept under a name.
func CheckPolicyName(name string) error { return checkName("policy", name, 128) }

const maxPrincipalName = 64

// checkName refuses what IAM refuses in names of users, roles, sessions and
// policies ("IAM and AWS STS quotas", name requirements).
func checkName(what, name string, most int) error {
	if name == "" || len(name) > most {
		return errInvalidName.With("%s name %q must have 1 to %d characters", what, name, most)
	}
	for _, r := range name {
		if !isNameRune(r) {
			return errInvalidName.With("%s name %q may only hold letters, digits and _+=,.@-", what, name)
		}
	}
	return nil
}

func isNameRune(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	}
	switch r {
	case '_', '+', '=', ',', '.', '@', '-':
		return true
	}
	return false
}

// randomID returns prefix and 16 random characters, the shape of AWS's unique
// identifiers (AIDA…, AROA…).
func randomID(prefix string) string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return prefix + base32.StdEncoding.EncodeToString(b[:])
}

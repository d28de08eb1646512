package iam

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/fault"
)

// Key is an access key as it is kept: long-term (AKIA…) of a user or of the
// account's root, or temporary (ASIA…) of a role session.
type Key struct {
	Account      string
	ID           string
	Kind         PrincipalKind
	Name         string // of the user or role; empty for root
	SealedSecret []byte
	Active       bool
	CreatedAt    time.Time

	// Of temporary keys only.
	SessionName string
	TokenHash   []byte    // SHA-256 of the session token
	ExpiresAt   time.Time // zero for long-term keys
}

// Temporary reports whether the key belongs to a session.
func (k Key) Temporary() bool { return !k.ExpiresAt.IsZero() }

// NewKey is a key with what is shown only once.
type NewKey struct {
	Key
	Secret       string
	SessionToken string // of temporary keys only
}

// Faults of access keys.
var (
	ErrKeyNotFound    = fault.New(fault.NotFound, "key_not_found", "no such access key")
	errInvalidSession = fault.New(fault.Invalid, "invalid_session", "invalid session")
)

// The bounds of a session's life are those of the AssumeRole call of AWS STS.
const (
	minSession = 15 * time.Minute
	maxSession = 12 * time.Hour
)

// CreateKey makes a long-term access key of a user or, with an empty user name,
// of the account's root. The secret is in the answer and nowhere else.
func (s *Service) CreateKey(ctx context.Context, account, user string) (NewKey, error) {
	k := NewKey{Key: Key{Account: account, Kind: User, Name: user}}
	if user == "" {
		k.Kind = Root
	}
	return s.insertKey(ctx, "AKIA", k)
}

// CreateSession takes on a role under a session name and returns temporary
// credentials that end after life.
func (s *Service) CreateSession(ctx context.Context, account, role, name string, life time.Duration) (NewKey, error) {
	if err := checkName("session", name, 64); err != nil {
		return NewKey{}, err
	}
	if life < minSession || life > maxSession {
		return NewKey{}, errInvalidSession.With("a session lasts from %v to %v, not %v", minSession, maxSession, life)
	}
	k := NewKey{
		Key:          Key{Account: account, Kind: Role, Name: role, SessionName: name, ExpiresAt: s.now().Add(life)},
		SessionToken: randomText(120),
	}
	hash := sha256.Sum256([]byte(k.SessionToken))
	k.TokenHash = hash[:]
	return s.insertKey(ctx, "ASIA", k)
}

func (s *Service) insertKey(ctx context.Context, prefix string, k NewKey) (NewKey, error) {
	if !isAccountID(k.Account) {
		return NewKey{}, ErrAccountNotFound.With("no account %q", k.Account)
	}
	k = s.newKey(prefix, k)
	err := s.Store.Update(ctx, func(tx Tx) error {
		if _, err := openAccount(ctx, tx, k.Account); err != nil {
			return err
		}
		if k.Kind != Root {
			if _, err := tx.Principal(ctx, k.Account, k.Kind, k.Name); err != nil {
				return err
			}
		}
		return tx.InsertKey(ctx, k.Key)
	})
	return k, err
}

// newKey fills in what every new key has.
func (s *Service) newKey(prefix string, k NewKey) NewKey {
	k.ID, k.Active, k.CreatedAt = newKeyID(prefix, k.Account), true, s.now()
	k.Secret = randomText(30) // 40 characters, as AWS's
	k.SealedSecret = s.Box.Seal([]byte(k.Secret), k.sealContext())
	return k
}

// sealContext binds a sealed secret to its key, so that a row copied to another
// account or key does not open.
func (k Key) sealContext() string { return k.Account + "/" + k.ID }

// Keys returns the access keys of an account, sessions included.
func (s *Service) Keys(ctx context.Context, account string) (all []Key, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := tx.Account(ctx, account); err != nil {
			return err
		}
		all, err = tx.Keys(ctx, account)
		return err
	})
	return all, err
}

// SetKeyActive turns a key on or off.
func (s *Service) SetKeyActive(ctx context.Context, account, id string, active bool) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Key(ctx, account, id); err != nil {
			return err
		}
		return tx.SetKeyActive(ctx, account, id, active)
	})
}

// DeleteKey removes a key for good.
func (s *Service) DeleteKey(ctx context.Context, account, id string) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Key(ctx, account, id); err != nil {
			return err
		}
		return tx.DeleteKey(ctx, account, id)
	})
}

// PurgeSessions removes temporary keys that expired a day ago; until then their
// callers hear that they expired.
func (s *Service) PurgeSessions(ctx context.Context) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		return tx.DeleteExpiredKeys(ctx, s.now().Add(-24*time.Hour))
	})
}

// newKeyID makes an access key id that carries its account, as AWS's do: 40
// bits of account number and 40 random bits in base32. So a key is found by
// account and id, and no index spans accounts.
func newKeyID(prefix, account string) string {
	var b [10]byte
	number, _ := strconv.ParseUint(account, 10, 64) // callers checked the digits
	binary.BigEndian.PutUint64(b[:8], number<<24)
	_, _ = rand.Read(b[5:]) // never fails: crypto/rand ends the process instead
	return prefix + base32.StdEncoding.EncodeToString(b[:])
}

// accountOfKey returns the account that an access key id carries.
func accountOfKey(id string) (string, bool) {
	if !strings.HasPrefix(id, "AKIA") && !strings.HasPrefix(id, "ASIA") {
		return "", false
	}
	b, err := base32.StdEncoding.DecodeString(id[4:])
	if err != nil || len(b) != 10 {
		return "", false
	}
	account := fmt.Sprintf("%012d", binary.BigEndian.Uint64(b[:8])>>24)
	return account, len(account) == 12
}

// randomText returns n random bytes in base64.
func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return base64.StdEncoding.EncodeToString(b)
}

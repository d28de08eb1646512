package iam

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/supportd/supportd/internal/fault"
)

// Credential is what it takes to verify a caller, and who that is then.
type Credential struct {
	Identity Identity
	Secret   string

	tokenHash []byte
	expiresAt time.Time
}

// Faults of credentials, in the words of AWS.
var (
	ErrUnknownKey   = fault.New(fault.Denied, "unknown_key", "The security token included in the request is invalid.")
	ErrTokenExpired = fault.New(fault.Expired, "token_expired", "The security token included in the request is expired")
)

// Credential returns the credential of an active access key, with the session
// token that came with it (empty for long-term keys). A key that is unknown,
// inactive or of a closed account and a token that does not fit are all
// ErrUnknownKey; ErrTokenExpired needs the right token.
func (s *Service) Credential(ctx context.Context, keyID, token string) (*Credential, error) {
	version, err := s.Store.IAMVersion(ctx)
	if err != nil {
		return nil, err
	}
	c, ok := s.known.get(keyID, version)
	if !ok {
		if c, err = s.loadCredential(ctx, keyID); err != nil {
			return nil, err
		}
		s.known.put(keyID, version, c)
	}
	return c, c.checkToken(token, s.now())
}

func (c *Credential) checkToken(token string, now time.Time) error {
	if c.tokenHash == nil {
		if token != "" {
			return ErrUnknownKey
		}
		return nil
	}
	hash := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(hash[:], c.tokenHash) != 1 {
		return ErrUnknownKey
	}
	if !now.Before(c.expiresAt) {
		return ErrTokenExpired
	}
	return nil
}

func (s *Service) loadCredential(ctx context.Context, keyID string) (c *Credential, err error) {
	account, ok := s.AccountOfKey(keyID)
	if !ok {
		return nil, ErrUnknownKey
	}
	load := s.credential
	if s.isTestKey(keyID) {
		load = testCredential
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		c, err = load(ctx, tx, account, keyID)
		return err
	})
	if errors.Is(err, ErrKeyNotFound) {
		return nil, ErrUnknownKey
	}
	if _, told := errors.AsType[*fault.Error](err); told && !errors.Is(err, ErrUnknownKey) {
		// A plan or policy that cannot be read is our fault; callers hear nothing of it.
		return nil, fmt.Errorf("access key %s: %v", keyID, err)
	}
	return c, err
}

func (s *Service) credential(ctx context.Context, tx Tx, account, keyID string) (*Credential, error) {
	k, err := tx.Key(ctx, account, keyID)
	if err != nil {
		return nil, err
	}
	a, err := tx.Account(ctx, account)
	if err != nil {
		return nil, err
	}
	if !k.Active || a.State != AccountActive {
		return nil, ErrUnknownKey
	}
	secret, err := s.Box.Open(k.SealedSecret, k.sealContext())
	if err != nil {
		return nil, fmt.Errorf("secret of access key %s: %w", k.ID, err)
	}
	who, err := identity(ctx, tx, a, k)
	if err != nil {
		return nil, err
	}
	return &Credential{Identity: who, Secret: string(secret), tokenHash: k.TokenHash, expiresAt: k.ExpiresAt}, nil
}

func identity(ctx context.Context, tx Tx, a Account, k Key) (Identity, error) {
	plan, err := PlanByID(a.Plan)
	if err != nil {
		return Identity{}, err
	}
	who := Identity{Account: a.ID, Email: a.Email, Plan: plan, Kind: k.Kind, Name: k.Name, Session: k.SessionName, ID: a.ID, KeyID: k.ID}
	if k.Kind == Root {
		return who, nil
	}
	p, err := tx.Principal(ctx, a.ID, k.Kind, k.Name)
	if err != nil {
		return Identity{}, err
	}
	who.ID = p.ID
	if k.Temporary() {
		who.ID, who.issuedAt = p.ID+":"+k.SessionName, k.CreatedAt
	}
	who.policies, err = parseAttached(ctx, tx, p)
	return who, err
}

// credentialCache holds credentials as of one version of the store: a change by
// any process empties it, so a revoked key is refused from the next request on.
type credentialCache struct {
	mu      sync.RWMutex
	version int64
	byKey   map[string]*Credential
}

// cachedCredentials bounds the cache; a provider with more active keys pays a
// few reads a request.
const cachedCredentials = 10_000

func (c *credentialCache) get(keyID string, version int64) (*Credential, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.version != version {
		return nil, false
	}
	known, ok := c.byKey[keyID]
	return known, ok
}

// put keeps a credential that was loaded after version was read: it is at least
// that fresh, and a later change has a higher version.
func (c *credentialCache) put(keyID string, version int64, known *Credential) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version < c.version {
		return
	}
	if version > c.version || len(c.byKey) >= cachedCredentials || c.byKey == nil {
		c.version, c.byKey = version, map[string]*Credential{}
	}
	c.byKey[keyID] = known
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/supportd/supportd/internal/iam"
)

// iamScope is that of all updates of identities: there are few, and each counts
// up the same version.
const iamScope = "iam"

// iamStore implements iam.Store.
type iamStore struct{ part[iam.Tx] }

// Update runs f in a transaction that is durable when it returns nil. All
// updates run as if one after the other.
func (s iamStore) Update(ctx context.Context, f func(iam.Tx) error) error {
	return s.part.Update(ctx, iamScope, f)
}

// IAMVersion reads one row by key.
func (s iamStore) IAMVersion(ctx context.Context) (version int64, err error) {
	err = s.store.engine.read(ctx, func(t *tx) error {
		return t.row(ctx, `SELECT version FROM iam_version WHERE id = 1`).Scan(&version)
	})
	return version, err
}

// iamTx implements iam.Tx. Every change goes through change, which counts up
// the version once a transaction.
type iamTx struct {
	*tx
	counted bool
}

func (t *iamTx) change(ctx context.Context, text string, args ...any) error {
	if !t.counted {
		if err := t.exec(ctx, `UPDATE iam_version SET version = version + 1 WHERE id = 1`); err != nil {
			return err
		}
		t.counted = true
	}
	return t.exec(ctx, text, args...)
}

func (t *iamTx) Account(ctx context.Context, id string) (iam.Account, error) {
	a, err := scanAccount(t.row(ctx, `SELECT id, name, email, plan, state, created_at FROM accounts WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return a, iam.ErrAccountNotFound.With("no account %q", id)
	}
	return a, err
}

func scanAccount(r scanner) (a iam.Account, err error) {
	var createdAt int64
	err = r.Scan(&a.ID, &a.Name, &a.Email, &a.Plan, &a.State, &createdAt)
	a.CreatedAt = fromMicros(createdAt)
	return a, err
}

func (t *iamTx) Accounts(ctx context.Context) ([]iam.Account, error) {
	return all(ctx, t.tx, scanAccount, `SELECT id, name, email, plan, state, created_at FROM accounts ORDER BY id`)
}

func (t *iamTx) InsertAccount(ctx context.Context, a iam.Account) error {
	err := t.change(ctx, `INSERT INTO accounts (id, name, email, plan, state, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		a.ID, a.Name, a.Email, a.Plan, a.State, micros(a.CreatedAt))
	if t.dialect.uniqueViolation(err) {
		return iam.ErrAccountExists.With("account %s exists already", a.ID)
	}
	return err
}

func (t *iamTx) UpdateAccount(ctx context.Context, a iam.Account) error {
	return t.change(ctx, `UPDATE accounts SET name = $2, email = $3, plan = $4, state = $5 WHERE id = $1`,
		a.ID, a.Name, a.Email, a.Plan, a.State)
}

func (t *iamTx) Principal(ctx context.Context, account string, kind iam.PrincipalKind, name string) (iam.Principal, error) {
	p, err := scanPrincipal(t.row(ctx, `SELECT account, kind, name, id, created_at FROM principals
		WHERE account = $1 AND kind = $2 AND name = $3`, account, kind, name))
	if errors.Is(err, sql.ErrNoRows) {
		return p, iam.ErrPrincipalNotFound.With("account %s has no %s %q", account, kind, name)
	}
	if err != nil {
		return p, err
	}
	p.Policies, err = t.attached(ctx, p)
	return p, err
}

func scanPrincipal(r scanner) (p iam.Principal, err error) {
	var createdAt int64
	err = r.Scan(&p.Account, &p.Kind, &p.Name, &p.ID, &createdAt)
	p.CreatedAt = fromMicros(createdAt)
	return p, err
}

func (t *iamTx) attached(ctx context.Context, p iam.Principal) ([]string, error) {
	return all(ctx, t.tx, scanText, `SELECT policy FROM policy_attachments
		WHERE account = $1 AND kind = $2 AND name = $3 ORDER BY policy`, p.Account, p.Kind, p.Name)
}

func (t *iamTx) Principals(ctx context.Context, account string, kind iam.PrincipalKind) ([]iam.Principal, error) {
	found, err := all(ctx, t.tx, scanPrincipal, `SELECT account, kind, name, id, created_at FROM principals
		WHERE account = $1 AND kind = $2 ORDER BY name`, account, kind)
	if err != nil {
		return nil, err
	}
	for i := range found {
		if found[i].Policies, err = t.attached(ctx, found[i]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (t *iamTx) InsertPrincipal(ctx context.Context, p iam.Principal) error {
	err := t.change(ctx, `INSERT INTO principals (account, kind, name, id, created_at) VALUES ($1, $2, $3, $4, $5)`,
		p.Account, p.Kind, p.Name, p.ID, micros(p.CreatedAt))
	if t.dialect.uniqueViolation(err) {
		return iam.ErrPrincipalExists.With("account %s has a %s %q already", p.Account, p.Kind, p.Name)
	}
	return err
}

func (t *iamTx) DeletePrincipal(ctx context.Context, p iam.Principal) error {
	for _, text := range []string{
		`DELETE FROM policy_attachments WHERE account = $1 AND kind = $2 AND name = $3`,
		`DELETE FROM access_keys WHERE account = $1 AND kind = $2 AND name = $3`,
		`DELETE FROM principals WHERE account = $1 AND kind = $2 AND name = $3`,
	} {
		if err := t.change(ctx, text, p.Account, p.Kind, p.Name); err != nil {
			return err
		}
	}
	return nil
}

const keyColumns = `account, id, kind, name, sealed_secret, active, created_at, session_name, token_hash, expires_at`

func scanKey(r scanner) (k iam.Key, err error) {
	var createdAt, expiresAt int64
	err = r.Scan(&k.Account, &k.ID, &k.Kind, &k.Name, &k.SealedSecret, &k.Active, &createdAt, &k.SessionName, &k.TokenHash, &expiresAt)
	k.CreatedAt, k.ExpiresAt = fromMicros(createdAt), fromMicros(expiresAt)
	return k, err
}

func (t *iamTx) Key(ctx context.Context, account, id string) (iam.Key, error) {
	k, err := scanKey(t.row(ctx, `SELECT `+keyColumns+` FROM access_keys WHERE account = $1 AND id = $2`, account, id))
	if errors.Is(err, sql.ErrNoRows) {
		return k, iam.ErrKeyNotFound.With("account %s has no access key %q", account, id)
	}
	return k, err
}

func (t *iamTx) Keys(ctx context.Context, account string) ([]iam.Key, error) {
	return all(ctx, t.tx, scanKey, `SELECT `+keyColumns+` FROM access_keys WHERE account = $1 ORDER BY created_at, id`, account)
}

func (t *iamTx) InsertKey(ctx context.Context, k iam.Key) error {
	return t.change(ctx, `INSERT INTO access_keys (`+keyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		k.Account, k.ID, k.Kind, k.Name, k.SealedSecret, k.Active, micros(k.CreatedAt), k.SessionName, k.TokenHash, micros(k.ExpiresAt))
}

func (t *iamTx) SetKeyActive(ctx context.Context, account, id string, active bool) error {
	return t.change(ctx, `UPDATE access_keys SET active = $3 WHERE account = $1 AND id = $2`, account, id, active)
}

func (t *iamTx) DeleteKey(ctx context.Context, account, id string) error {
	return t.change(ctx, `DELETE FROM access_keys WHERE account = $1 AND id = $2`, account, id)
}

// DeleteExpiredKeys changes nothing that a caller could notice, so the version
// stands still.
func (t *iamTx) DeleteExpiredKeys(ctx context.Context, before time.Time) error {
	return t.exec(ctx, `DELETE FROM access_keys WHERE expires_at > 0 AND expires_at < $1`, micros(before))
}

func (t *iamTx) Policy(ctx context.Context, account, name string) (iam.PolicyDocument, error) {
	p, err := scanPolicy(t.row(ctx, `SELECT account, name, document, changed_at FROM policies WHERE account = $1 AND name = $2`, account, name))
	if errors.Is(err, sql.ErrNoRows) {
		return p, iam.ErrPolicyNotFound.With("account %s has no policy %q", account, name)
	}
	return p, err
}

func scanPolicy(r scanner) (p iam.PolicyDocument, err error) {
	var changedAt int64
	err = r.Scan(&p.Account, &p.Name, &p.Document, &changedAt)
	p.ChangedAt = fromMicros(changedAt)
	return p, err
}

func (t *iamTx) Policies(ctx context.Context, account string) ([]iam.PolicyDocument, error) {
	return all(ctx, t.tx, scanPolicy, `SELECT account, name, document, changed_at FROM policies WHERE account = $1 ORDER BY name`, account)
}

func (t *iamTx) PutPolicy(ctx context.Context, p iam.PolicyDocument) error {
	return t.change(ctx, `INSERT INTO policies (account, name, document, changed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, name) DO UPDATE SET document = excluded.document, changed_at = excluded.changed_at`,
		p.Account, p.Name, p.Document, micros(p.ChangedAt))
}

func (t *iamTx) DeletePolicy(ctx context.Context, account, name string) error {
	return t.change(ctx, `DELETE FROM policies WHERE account = $1 AND name = $2`, account, name)
}

func (t *iamTx) AttachPolicy(ctx context.Context, p iam.Principal, policy string) error {
	return t.change(ctx, `INSERT INTO policy_attachments (account, kind, name, policy) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, kind, name, policy) DO NOTHING`, p.Account, p.Kind, p.Name, policy)
}

func (t *iamTx) DetachPolicy(ctx context.Context, p iam.Principal, policy string) error {
	return t.change(ctx, `DELETE FROM policy_attachments WHERE account = $1 AND kind = $2 AND name = $3 AND policy = $4`,
		p.Account, p.Kind, p.Name, policy)
}

func (t *iamTx) PolicyAttached(ctx context.Context, account, policy string) (attached bool, err error) {
	err = t.row(ctx, `SELECT EXISTS (SELECT 1 FROM policy_attachments WHERE account = $1 AND policy = $2)`, account, policy).Scan(&attached)
	return attached, err
}

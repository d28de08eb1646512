package iam

import (
	"context"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/supportd/supportd/internal/fault"
)

// AccountState says whether an account may be used.
type AccountState string

// The states of an account. A closed account keeps its data and its keys are
// no longer accepted.
const (
	AccountActive AccountState = "active"
	AccountClosed AccountState = "closed"
)

// Account is a customer: twelve digits, and the e-mail address under which its
// cases are submitted.
type Account struct {
	ID        string
	Name      string
	Email     string
	Plan      string
	State     AccountState
	CreatedAt time.Time
}

// Faults of accounts.
var (
	ErrAccountNotFound = fault.New(fault.NotFound, "account_not_found", "no such account")
	ErrAccountExists   = fault.New(fault.Conflict, "account_exists", "the account exists already")
	ErrAccountClosed   = fault.New(fault.Conflict, "account_closed", "the account is closed")
	errInvalidAccount  = fault.New(fault.Invalid, "invalid_account", "invalid account")
)

// Check returns what is wrong with an account, nil when nothing is.
func (a Account) Check() error {
	if !isAccountID(a.ID) {
		return errInvalidAccount.With("account id %q must be 12 digits", a.ID)
	}
	if strings.TrimSpace(a.Name) == "" || utf8.RuneCountInString(a.Name) > 128 || strings.ContainsFunc(a.Name, unicode.IsControl) || !utf8.ValidString(a.Name) {
		return errInvalidAccount.With("account name must have 1 to 128 characters in UTF-8, and no control characters")
	}
	if !utf8.ValidString(a.Email) {
		return errInvalidAccount.With("account e-mail must be in UTF-8")
	}
	if parsed, err := mail.ParseAddress(a.Email); err != nil || parsed.Address != a.Email {
		return errInvalidAccount.With("account e-mail %q is not an address", a.Email)
	}
	_, err := PlanByID(a.Plan)
	return err
}

func isAccountID(id string) bool {
	if len(id) != 12 {
		return false
	}
	return strings.Trim(id, "0123456789") == ""
}

// CreateAccount opens an account. State and CreatedAt are filled in.
func (s *Service) CreateAccount(ctx context.Context, a Account) (Account, error) {
	a.State, a.CreatedAt = AccountActive, s.now()
	if err := a.Check(); err != nil {
		return Account{}, err
	}
	return a, s.Store.Update(ctx, func(tx Tx) error { return tx.InsertAccount(ctx, a) })
}

// Account returns the account with the id, or ErrAccountNotFound.
func (s *Service) Account(ctx context.Context, id string) (a Account, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		a, err = tx.Account(ctx, id)
		return err
	})
	return a, err
}

// Accounts returns every account.
func (s *Service) Accounts(ctx context.Context) (all []Account, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		all, err = tx.Accounts(ctx)
		return err
	})
	return all, err
}

// AccountChange names what to change of an account; nil leaves a field as it is.
type AccountChange struct {
	Name, Email, Plan *string
}

// UpdateAccount changes an account and returns it as it is then.
func (s *Service) UpdateAccount(ctx context.Context, id string, change AccountChange) (Account, error) {
	return s.changeAccount(ctx, id, func(a *Account) {
		assign(&a.Name, change.Name)
		assign(&a.Email, change.Email)
		assign(&a.Plan, change.Plan)
	})
}

// CloseAccount stops an account: its keys are refused from now on.
func (s *Service) CloseAccount(ctx context.Context, id string) (Account, error) {
	return s.changeAccount(ctx, id, func(a *Account) { a.State = AccountClosed })
}

func (s *Service) changeAccount(ctx context.Context, id string, change func(*Account)) (a Account, err error) {
	err = s.Store.Update(ctx, func(tx Tx) error {
		if a, err = openAccount(ctx, tx, id); err != nil {
			return err
		}
		change(&a)
		if err := a.Check(); err != nil {
			return err
		}
		return tx.UpdateAccount(ctx, a)
	})
	return a, err
}

// openAccount returns an account that may still be changed.
func openAccount(ctx context.Context, tx Tx, id string) (Account, error) {
	a, err := tx.Account(ctx, id)
	if err != nil {
		return Account{}, err
	}
	if a.State == AccountClosed {
		return Account{}, ErrAccountClosed.With("account %s is closed", id)
	}
	return a, nil
}

func assign(field, value *string) {
	if value != nil {
		*field = *value
	}
}

// CreateFirstAccount opens an account with a root access key in a store that
// has no account yet; elsewhere it does nothing and returns nil.
func (s *Service) CreateFirstAccount(ctx context.Context, a Account) (*NewKey, error) {
	a.State, a.CreatedAt = AccountActive, s.now()
	if err := a.Check(); err != nil {
		return nil, err
	}
	key := s.newKey("AKIA", NewKey{Key: Key{Account: a.ID, Kind: Root}})
	created := false
	err := s.Store.Update(ctx, func(tx Tx) error {
		all, err := tx.Accounts(ctx)
		if created = len(all) == 0; !created || err != nil {
			return err
		}
		if err := tx.InsertAccount(ctx, a); err != nil {
			return err
		}
		return tx.InsertKey(ctx, key.Key)
	})
	if !created || err != nil {
		return nil, err
	}
	return &key, nil
}

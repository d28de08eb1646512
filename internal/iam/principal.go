package iam

import (
	"context"
	"time"

	"github.com/supportd/supportd/internal/fault"
)

// PrincipalKind is the kind of someone who can call.
type PrincipalKind string

// The kinds of principals. Root is the account itself and needs no record.
const (
	Root PrincipalKind = "root"
	User PrincipalKind = "user"
	Role PrincipalKind = "role"
)

// Principal is a user or a role of an account with the names of the policies
// attached to it.
type Principal struct {
	Account   string
	Kind      PrincipalKind
	Name      string
	ID        string // AIDA… or AROA…
	Policies  []string
	CreatedAt time.Time
}

// ARN returns the Amazon Resource Name of the user or role.
func (p Principal) ARN() string {
	return "arn:aws:iam::" + p.Account + ":" + string(p.Kind) + "/" + p.Name
}

// Faults of users and roles.
var (
	ErrPrincipalNotFound = fault.New(fault.NotFound, "principal_not_found", "no such user or role")
	ErrPrincipalExists   = fault.New(fault.Conflict, "principal_exists", "the user or role exists already")
)

// CreateUser adds a user with policies (managed or the account's own) attached.
func (s *Service) CreateUser(ctx context.Context, account, name string, policies []string) (Principal, error) {
	return s.createPrincipal(ctx, account, User, name, policies)
}

// CreateRole adds a role with policies attached. Who may take it on is decided
// by who may run the administration commands: there is no AssumeRole call here.
func (s *Service) CreateRole(ctx context.Context, account, name string, policies []string) (Principal, error) {
	return s.createPrincipal(ctx, account, Role, name, policies)
}

func (s *Service) createPrincipal(ctx context.Context, account string, kind PrincipalKind, name string, policies []string) (Principal, error) {
	if err := checkName(string(kind), name, maxPrincipalName); err != nil {
		return Principal{}, err
	}
	prefix := map[PrincipalKind]string{User: "AIDA", Role: "AROA"}[kind]
	p := Principal{Account: account, Kind: kind, Name: name, ID: randomID(prefix), CreatedAt: s.now()}
	var created Principal
	err := s.Store.Update(ctx, func(tx Tx) (err error) {
		if _, err := openAccount(ctx, tx, account); err != nil {
			return err
		}
		if err := tx.InsertPrincipal(ctx, p); err != nil {
			return err
		}
		if err := attachAll(ctx, tx, p, policies); err != nil {
			return err
		}
		created, err = tx.Principal(ctx, account, kind, name)
		return err
	})
	return created, err
}

func attachAll(ctx context.Context, tx Tx, p Principal, policies []string) error {
	for _, policy := range policies {
		name, err := resolvePolicyName(ctx, tx, p.Account, policy)
		if err != nil {
			return err
		}
		if err := tx.AttachPolicy(ctx, p, name); err != nil {
			return err
		}
	}
	return nil
}

// Principals returns the users or the roles of an account.
func (s *Service) Principals(ctx context.Context, account string, kind PrincipalKind) (all []Principal, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := tx.Account(ctx, account); err != nil {
			return err
		}
		all, err = tx.Principals(ctx, account, kind)
		return err
	})
	return all, err
}

// DeletePrincipal removes a user or role; its keys and sessions end with it.
func (s *Service) DeletePrincipal(ctx context.Context, account string, kind PrincipalKind, name string) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		p, err := tx.Principal(ctx, account, kind, name)
		if err != nil {
			return err
		}
		return tx.DeletePrincipal(ctx, p)
	})
}

package iam

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/supportd/supportd/internal/fault"
)

// PolicyDocument is a policy of an account as it was put.
type PolicyDocument struct {
	Account   string
	Name      string
	Document  string
	ChangedAt time.Time
}

// Faults of policies.
var (
	ErrPolicyNotFound = fault.New(fault.NotFound, "policy_not_found", "no such policy")
	ErrPolicyAttached = fault.New(fault.Conflict, "policy_attached", "the policy is attached")
)

// PutPolicy creates or replaces a policy of the account. The names of the
// managed policies are taken.
func (s *Service) PutPolicy(ctx context.Context, account, name, document string) error {
	if err := CheckPolicyName(name); err != nil {
		return err
	}
	if _, _, managed := ManagedPolicy(name); managed {
		return errInvalidName.With("policy name %q belongs to a managed policy", name)
	}
	if _, err := ParsePolicy([]byte(document)); err != nil {
		return err
	}
	p := PolicyDocument{Account: account, Name: name, Document: document, ChangedAt: s.now()}
	return s.Store.Update(ctx, func(tx Tx) error {
		if _, err := openAccount(ctx, tx, account); err != nil {
			return err
		}
		return tx.PutPolicy(ctx, p)
	})
}

// Policies returns the account's own policies.
func (s *Service) Policies(ctx context.Context, account string) (all []PolicyDocument, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		if _, err := tx.Account(ctx, account); err != nil {
			return err
		}
		all, err = tx.Policies(ctx, account)
		return err
	})
	return all, err
}

// DeletePolicy removes a policy that is attached to nobody.
func (s *Service) DeletePolicy(ctx context.Context, account, name string) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Policy(ctx, account, name); err != nil {
			return err
		}
		attached, err := tx.PolicyAttached(ctx, account, name)
		if err != nil {
			return err
		}
		if attached {
			return ErrPolicyAttached.With("policy %s is attached: detach it first", name)
		}
		return tx.DeletePolicy(ctx, account, name)
	})
}

// AttachPolicy gives a user or role a policy; attaching it twice is no error.
func (s *Service) AttachPolicy(ctx context.Context, account string, kind PrincipalKind, name, policy string) error {
	return s.changeAttachment(ctx, account, kind, name, policy, Tx.AttachPolicy)
}

// DetachPolicy takes a policy away from a user or role.
func (s *Service) DetachPolicy(ctx context.Context, account string, kind PrincipalKind, name, policy string) error {
	return s.changeAttachment(ctx, account, kind, name, policy, Tx.DetachPolicy)
}

func (s *Service) changeAttachment(ctx context.Context, account string, kind PrincipalKind, name, policy string,
	change func(Tx, context.Context, Principal, string) error,
) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		p, err := tx.Principal(ctx, account, kind, name)
		if err != nil {
			return err
		}
		resolved, err := resolvePolicyName(ctx, tx, account, policy)
		if err != nil {
			return err
		}
		return change(tx, ctx, p, resolved)
	})
}

// resolvePolicyName returns the short name under which a policy is attached:
// managed policies may be given by ARN.
func resolvePolicyName(ctx context.Context, tx Tx, account, policy string) (string, error) {
	if name, _, ok := ManagedPolicy(policy); ok {
		return name, nil
	}
	p, err := tx.Policy(ctx, account, policy)
	return p.Name, err
}

// parseAttached returns the compiled policies of a principal.
func parseAttached(ctx context.Context, tx Tx, p Principal) ([]*Policy, error) {
	var parsed []*Policy
	for _, name := range p.Policies {
		document, err := policyDocument(ctx, tx, p.Account, name)
		if err != nil {
			return nil, err
		}
		policy, err := ParsePolicy([]byte(document))
		if err != nil {
			return nil, fmt.Errorf("policy %s of account %s: %w", name, p.Account, err)
		}
		parsed = append(parsed, policy)
	}
	return parsed, nil
}

func policyDocument(ctx context.Context, tx Tx, account, name string) (string, error) {
	if _, document, ok := ManagedPolicy(name); ok {
		return document, nil
	}
	p, err := tx.Policy(ctx, account, name)
	if errors.Is(err, ErrPolicyNotFound) {
		return "", fmt.Errorf("attached policy %s of account %s is missing", name, account)
	}
	return p.Document, err
}

package desk

import (
	"cmp"
	"context"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
)

// SetStatus moves a case to a status of the API. The reason is for the record
// and may be empty.
func (s *Service) SetStatus(ctx context.Context, who Caller, ref, status, reason string) (Item, error) {
	if err := cmp.Or(who.need(Work), checkOptionalText("reason", reason, maxReason)); err != nil {
		return Item{}, err
	}
	return s.workOn(ctx, who, ref, "case.status", func(t *task) error {
		before := t.item.Status
		if err := t.moveTo(ctx, cases.Status(status)); err != nil || reason == "" || before == t.item.Status {
			return err
		}
		return t.did(ctx, eventStatus, moved{From: string(before), To: status, Reason: reason})
	})
}

// moveTo moves the case to a status. A resolved case is reopened on the way.
func (t *task) moveTo(ctx context.Context, status cases.Status) error {
	event, err := eventTo(status)
	if err != nil || t.item.Status == status {
		return err
	}
	if t.item.Status == cases.Resolved && event != cases.Reopen {
		if err := t.move(ctx, cases.Reopen); err != nil {
			return err
		}
	}
	return t.move(ctx, event)
}

func (t *task) move(ctx context.Context, event cases.Event) error {
	return t.watched(ctx, func() error {
		_, err := t.Cases.Move(ctx, t.tx, t.item.Account, t.item.CaseID, event, t.who.actor())
		return err
	})
}

// eventTo returns which event of the agents' leads to a status.
func eventTo(status cases.Status) (cases.Event, error) {
	switch status {
	case cases.Opened:
		return cases.Open, nil
	case cases.WorkInProgress:
		return cases.StartWork, nil
	case cases.PendingCustomerAction:
		return cases.AwaitCustomer, nil
	case cases.Reopened:
		return cases.Reopen, nil
	case cases.Resolved:
		return cases.Resolve, nil
	}
	return "", ErrInvalid.With("Agents cannot move a case to %q; they can to opened, work-in-progress, pending-customer-action, reopened and resolved.", status)
}

// SetSeverity changes the severity of a case and keeps the reason.
func (s *Service) SetSeverity(ctx context.Context, who Caller, ref, severity, reason string) (Item, error) {
	key, err := s.key(ctx, who, Work, ref)
	if err != nil {
		return Item{}, err
	}
	if err := checkText("reason", reason, maxReason); err != nil {
		return Item{}, err
	}
	customer, err := s.customer(ctx, key.Account)
	if err != nil {
		return Item{}, err
	}
	return s.workOnKey(ctx, who, key, "case.severity", func(t *task) error {
		return t.setSeverity(ctx, customer.Plan, severity, reason)
	})
}

func (t *task) setSeverity(ctx context.Context, plan iam.Plan, severity, reason string) error {
	before := t.item.Severity
	err := t.watched(ctx, func() error {
		_, err := t.Cases.SetSeverity(ctx, t.tx, t.item.Account, t.item.CaseID, plan, severity, t.who.actor())
		return err
	})
	if err != nil || before == severity {
		return err
	}
	return t.did(ctx, eventSeverity, moved{From: before, To: severity, Reason: reason})
}

// customer returns an account's root, as whom agents act on its behalf.
func (s *Service) customer(ctx context.Context, account string) (iam.Identity, error) {
	a, err := s.IAM.Account(ctx, account)
	if err != nil {
		return iam.Identity{}, err
	}
	return newCustomer(a)
}

func newCustomer(a iam.Account) (iam.Identity, error) {
	plan, err := iam.PlanByID(a.Plan)
	return iam.Identity{Account: a.ID, Email: a.Email, Plan: plan, Kind: iam.Root, ID: a.ID}, err
}

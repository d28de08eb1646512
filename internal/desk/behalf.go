package desk

import (
	"context"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
)

// OpenFor opens a case on behalf of an account, as its root. Only the case's
// record tells which agent it was.
func (s *Service) OpenFor(ctx context.Context, who Caller, account string, in cases.NewCase, files []cases.File) (Item, error) {
	if err := who.need(Work); err != nil {
		return Item{}, err
	}
	customer, err := s.openCustomer(ctx, account)
	if err != nil {
		return Item{}, err
	}
	if in.AttachmentSetID, err = s.stage(ctx, account, files); err != nil {
		return Item{}, err
	}
	return change(ctx, s, who, Work, account, func(tx Tx, done *audited) (Item, error) {
		c, err := s.Cases.CreateFor(ctx, tx, customer, in)
		if err != nil {
			return Item{}, err
		}
		t, err := s.begin(ctx, tx, who, Key{Account: account, CaseID: c.ID})
		if err != nil {
			return Item{}, err
		}
		if err := t.did(ctx, eventOpenedFor, communicated{Number: 1}); err != nil {
			return Item{}, err
		}
		err = t.write(ctx)
		*done = t.audited("case.open-for")
		done.before = nil
		return t.item, err
	})
}

// ReplyFor adds a communication on behalf of the customer, as the account's
// root.
func (s *Service) ReplyFor(ctx context.Context, who Caller, ref, body string, files []cases.File) (Item, error) {
	key, err := s.key(ctx, who, Work, ref)
	if err != nil {
		return Item{}, err
	}
	customer, err := s.openCustomer(ctx, key.Account)
	if err != nil {
		return Item{}, err
	}
	setID, err := s.stageFor(ctx, key, files)
	if err != nil {
		return Item{}, err
	}
	return s.workOnKey(ctx, who, key, "case.reply-for", func(t *task) error {
		return t.replyFor(ctx, customer, cases.NewCommunication{CaseID: key.CaseID, Body: body, AttachmentSetID: setID})
	})
}

func (t *task) replyFor(ctx context.Context, customer iam.Identity, in cases.NewCommunication) error {
	var number int64
	err := t.watched(ctx, func() error {
		added, err := t.Cases.CommunicateFor(ctx, t.tx, customer, in)
		number = added.Number
		return err
	})
	if err != nil {
		return err
	}
	return t.did(ctx, eventRepliedFor, communicated{Number: number})
}

// openCustomer returns the root of an account that is not closed.
func (s *Service) openCustomer(ctx context.Context, account string) (iam.Identity, error) {
	a, err := s.IAM.Account(ctx, account)
	if err != nil {
		return iam.Identity{}, err
	}
	if a.State == iam.AccountClosed {
		return iam.Identity{}, iam.ErrAccountClosed.With("The account %s is closed.", account)
	}
	return newCustomer(a)
}

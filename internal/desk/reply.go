package desk

import (
	"cmp"
	"context"

	"github.com/supportd/supportd/internal/cases"
)

// NewReply is what an agent answers.
type NewReply struct {
	Body   string
	Status string // of the case afterwards: a status of the API, or "keep"; empty: that of the settings
	Files  []cases.File
}

// keepStatus leaves the status of a case as it is.
const keepStatus = "keep"

// Replied is what came of a reply.
type Replied struct {
	Item
	Number int64      // of the communication; 0: none was added
	Others []Presence // of agents who have the case before the eyes as well
}

// Reply adds a communication that the customer sees as the provider's. A case
// that the caller could claim is the caller's from then on, and one that is
// resolved is reopened first unless it shall stay so. A caller who did not see what somebody
// else said meanwhile gets ErrChanged (see Caller.IfVersion).
func (s *Service) Reply(ctx context.Context, who Caller, ref string, in NewReply) (Replied, error) {
	key, err := s.key(ctx, who, Work, ref)
	if err != nil {
		return Replied{}, err
	}
	setID, err := s.stageFor(ctx, key, in.Files)
	if err != nil {
		return Replied{}, err
	}
	return work(ctx, s, who, key, "case.reply", func(t *task) (Replied, error) {
		number, err := t.reply(ctx, in, setID)
		if err != nil {
			return Replied{}, err
		}
		return t.replied(ctx, number)
	})
}

// stage keeps files for a communication. A request that comes again stages them
// again; the sweep of attachment sets takes them.
func (s *Service) stage(ctx context.Context, account string, files []cases.File) (setID string, err error) {
	if len(files) == 0 {
		return "", nil
	}
	return s.Cases.StageFiles(ctx, account, files)
}

// stageFor keeps files for a communication of a case that exists: of an account
// that does not, nobody would sweep them.
func (s *Service) stageFor(ctx context.Context, key Key, files []cases.File) (setID string, err error) {
	if len(files) == 0 {
		return "", nil
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		_, err := findItem(ctx, tx, key)
		return err
	})
	if err != nil {
		return "", err
	}
	return s.stage(ctx, key.Account, files)
}

func (t *task) reply(ctx context.Context, in NewReply, setID string) (int64, error) {
	settings, err := readSettings(ctx, t.tx) // what the customer sees is not put right later
	if err != nil {
		return 0, err
	}
	status := cmp.Or(in.Status, settings.DefaultReplyStatus, keepStatus)
	if err := t.reopenFor(ctx, status); err != nil {
		return 0, err
	}
	if err := t.takeIfFree(ctx); err != nil {
		return 0, err
	}
	number, err := t.say(ctx, in.Body, settings.ProviderName, setID)
	if err != nil {
		return 0, err
	}
	if status != keepStatus {
		if err := t.moveTo(ctx, cases.Status(status)); err != nil {
			return 0, err
		}
	}
	return number, t.did(ctx, EventReplied, communicated{Number: number})
}

func (t *task) takeIfFree(ctx context.Context) error {
	free, err := t.isFree(ctx)
	if !free || err != nil {
		return err
	}
	return t.assign(ctx, t.who.Agent.ID, t.item.Team)
}

// reopenFor reopens a resolved case that a reply shall leave open.
func (t *task) reopenFor(ctx context.Context, status string) error {
	if t.item.Status != cases.Resolved || status == keepStatus || status == string(cases.Resolved) {
		return nil
	}
	return t.move(ctx, cases.Reopen)
}

// say adds a communication as the provider's and returns its number.
func (t *task) say(ctx context.Context, body, provider, setID string) (number int64, err error) {
	err = t.watched(ctx, func() error {
		_, said, err := t.Cases.Reply(ctx, t.tx, cases.NewReply{
			Account: t.item.Account, CaseID: t.item.CaseID, Body: body, By: provider,
			AttachmentSetID: setID, Actor: t.who.actor(),
		})
		number = said.Number
		return err
	})
	return number, err
}

// replied ends a reply: its author no longer writes.
func (t *task) replied(ctx context.Context, number int64) (Replied, error) {
	if err := t.write(ctx); err != nil {
		return Replied{}, err
	}
	if err := t.endReplying(ctx); err != nil {
		return Replied{}, err
	}
	others, err := t.others(ctx, t.tx, t.who, t.item.Key)
	return Replied{Item: t.item, Number: number, Others: others}, err
}

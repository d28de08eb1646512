package cases_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
)

const agent = "agent:ann"

func (o *office) move(t testing.TB, id string, event cases.Event) error {
	t.Helper()
	return o.store.Cases().Update(t.Context(), account, func(tx cases.Tx) error {
		_, err := o.Move(t.Context(), tx, account, id, event, agent)
		return err
	})
}

func TestEveryStatusMeetsEveryEventOfAgents(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	all := []cases.Status{
		cases.Unassigned, cases.Opened, cases.WorkInProgress, cases.PendingCustomerAction,
		cases.CustomerActionCompleted, cases.Reopened, cases.Resolved,
	}
	leads := map[cases.Event]struct {
		to   cases.Status
		from []cases.Status // others are refused
	}{
		cases.Open:          {cases.Opened, []cases.Status{cases.Unassigned, cases.Opened}},
		cases.StartWork:     {cases.WorkInProgress, all[:6]},
		cases.AwaitCustomer: {cases.PendingCustomerAction, all[:6]},
		cases.Reopen:        {cases.Reopened, []cases.Status{cases.Reopened, cases.Resolved}},
		cases.Resolve:       {cases.Resolved, all},
	}
	for event, want := range leads {
		for _, from := range all {
			id := o.mustCreate(t, question())
			o.mustSetStatus(t, id, from)
			err, to, entries := o.move(t, id, event), from, 0
			if errors.Is(err, cases.ErrStatusNotAllowed) == slices.Contains(want.from, from) {
				t.Errorf("Move(%s) of a case that is %s = %v", event, from, err)
			}
			if err == nil && from != want.to {
				to, entries = want.to, 1
			}
			if got := o.mustFindOne(t, id).Status; got != to {
				t.Errorf("a case that was %s is %s after %s, want %s", from, got, event, to)
			}
			if moves := o.mustMoves(t, id); len(moves) != entries {
				t.Errorf("a case that was %s has the timeline %v after %s, want %d entries", from, moves, event, entries)
			}
		}
	}
}

func TestResolutionThatIsTakenBackLeavesTheStatusOfBefore(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	var heard []cases.Change
	o.Watch = func(_ context.Context, _ cases.Tx, c cases.Change) error {
		heard = append(heard, c)
		return nil
	}
	takeBack := func(id string) error {
		return o.store.Cases().Update(t.Context(), account, func(tx cases.Tx) error {
			_, err := o.TakeBack(t.Context(), tx, account, id, agent)
			return err
		})
	}
	for _, status := range []cases.Status{cases.Unassigned, cases.PendingCustomerAction, cases.CustomerActionCompleted} {
		id := o.mustCreate(t, question())
		o.mustSetStatus(t, id, status)
		wantError(t, "TakeBack(open case)", takeBack(id), cases.ErrStatusNotAllowed)
		if err := o.move(t, id, cases.Resolve); err != nil {
			t.Fatalf("Move(resolve) = %v", err)
		}
		if err := takeBack(id); err != nil {
			t.Fatalf("TakeBack() = %v", err)
		}
		if got := o.mustFindOne(t, id).Status; got != status {
			t.Errorf("the case is %s, want %s as before", got, status)
		}
		moves := o.mustMoves(t, id)
		want := cases.Move{Account: account, CaseID: id, Number: 2, Event: cases.TakeBack, From: cases.Resolved, To: status, Actor: agent, At: o.now()}
		if diff := cmp.Diff(want, moves[len(moves)-1]); diff != "" {
			t.Errorf("the timeline's last entry (-want +got):\n%s", diff)
		}
		last := heard[len(heard)-1]
		if last.Event != cases.TakeBack || last.From != cases.Resolved || last.Case.Status != status {
			t.Errorf("Watch heard %+v, want that the resolution was taken back", last)
		}
	}
}

func TestFilesOfAgentsCountAgainstNoLimit(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	o.Limits = cases.Limits{AttachmentSetsPer10m: 1}
	file := []cases.File{{Name: "a.txt", Data: []byte("a")}}
	for range 3 {
		if _, err := o.StageFiles(t.Context(), account, file); err != nil {
			t.Fatalf("StageFiles() = %v", err)
		}
	}
	o.mustAdd(t, "", file)
	_, err := o.add(t, alice(), "", file)
	wantError(t, "AddAttachments(second)", err, cases.ErrAttachmentLimit)
}

func TestCaseOnBehalfOfACustomerCountsAndIsNotRefused(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	o.Limits = cases.Limits{CasesPerHour: 2}
	root := alice()
	root.Kind, root.Name = iam.Root, ""
	open := func() string {
		var id string
		o.mustUpdate(t, func(ctx context.Context, tx cases.Tx) error {
			c, err := o.CreateFor(ctx, tx, root, question())
			id = c.ID
			return err
		})
		return id
	}
	open()
	o.mustCreate(t, question())
	_, err := o.Create(t.Context(), alice(), unrepeated(), question())
	wantError(t, "Create(third of the hour)", err, cases.ErrCaseCreationLimit)
	if got := o.mustFindOne(t, open()); got.Recent[0].SubmittedBy != "ops@example.com" || got.Status != cases.Unassigned {
		t.Errorf("CreateFor() made %+v", got)
	}
}

func TestAgentsReadFilesOfTheCaseOnly(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	set := o.mustAdd(t, "", []cases.File{{Name: "a.txt", Data: []byte("a")}})
	in := question()
	in.AttachmentSetID = set.ID
	id, other := o.mustCreate(t, in), o.mustCreate(t, question())
	a := o.mustFindOne(t, id).Recent[0].Attachments[0].ID
	got, err := o.FileOf(t.Context(), account, id, a)
	if err != nil || string(got.Data) != "a" || got.Name != "a.txt" {
		t.Errorf("FileOf() = %v, %v, want the file", got, err)
	}
	for _, from := range [][2]string{{account, other}, {foreign, id}} {
		_, err := o.FileOf(t.Context(), from[0], from[1], a)
		wantError(t, "FileOf(another case)", err, cases.ErrAttachmentNotFound)
	}
}

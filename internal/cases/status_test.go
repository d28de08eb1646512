package cases_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
)

func TestEveryStatusMeetsEveryEvent(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	after := map[cases.Event]map[cases.Status]cases.Status{
		cases.CustomerReply: {
			cases.Unassigned: cases.Unassigned, cases.Opened: cases.Opened, cases.WorkInProgress: cases.WorkInProgress,
			cases.PendingCustomerAction: cases.CustomerActionCompleted, cases.CustomerActionCompleted: cases.CustomerActionCompleted,
			cases.Reopened: cases.Reopened, cases.Resolved: cases.Reopened,
		},
		cases.Resolve: {
			cases.Unassigned: cases.Resolved, cases.Opened: cases.Resolved, cases.WorkInProgress: cases.Resolved,
			cases.PendingCustomerAction: cases.Resolved, cases.CustomerActionCompleted: cases.Resolved,
			cases.Reopened: cases.Resolved, cases.Resolved: cases.Resolved,
		},
	}
	for event, table := range after {
		for from, to := range table {
			id := o.mustCreate(t, question())
			o.mustSetStatus(t, id, from)
			if event == cases.Resolve {
				if diff := cmp.Diff(cases.Resolution{Initial: from, Final: to}, o.mustResolve(t, id)); diff != "" {
					t.Errorf("Resolve(%s case) (-want +got):\n%s", from, diff)
				}
			} else {
				o.mustReply(t, id, "more")
			}
			if got := o.mustFindOne(t, id).Status; got != to {
				t.Errorf("status of a case that was %s after %s = %s, want %s", from, event, got, to)
			}
			wantMoves := 1
			if from == to {
				wantMoves = 0
			}
			if moves := o.mustMoves(t, id); len(moves) != wantMoves {
				t.Errorf("timeline of a case that was %s after %s = %v, want %d entries", from, event, moves, wantMoves)
			}
		}
	}
}

func (o *office) mustMoves(t testing.TB, id string) (moves []cases.Move) {
	t.Helper()
	o.mustUpdate(t, func(ctx context.Context, tx cases.Tx) (err error) {
		moves, err = tx.Moves(ctx, account, id, 0, 100)
		return err
	})
	return moves
}

func TestTheTimelineTellsWhoMovedTheCaseAndWhen(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	start := o.now()
	id := o.mustCreate(t, question())
	o.pass(time.Minute)
	o.mustResolve(t, id)
	o.pass(time.Minute)
	o.mustResolve(t, id) // changes nothing
	o.mustReply(t, id, "It is still broken.")
	o.pass(time.Minute)
	o.mustResolve(t, id)
	arn := "arn:aws:iam::111122223333:user/alice"
	move := func(number int64, event cases.Event, from, to cases.Status, minutes int) cases.Move {
		at := start.Add(time.Duration(minutes) * time.Minute)
		return cases.Move{Account: account, CaseID: id, Number: number, Event: event, From: from, To: to, Actor: arn, At: at}
	}
	want := []cases.Move{
		move(1, cases.Resolve, cases.Unassigned, cases.Resolved, 1),
		move(2, cases.CustomerReply, cases.Resolved, cases.Reopened, 2),
		move(3, cases.Resolve, cases.Reopened, cases.Resolved, 3),
	}
	if diff := cmp.Diff(want, o.mustMoves(t, id)); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	if got := o.mustFindOne(t, id).ResolvedAt; !got.Equal(start.Add(3 * time.Minute)) {
		t.Errorf("ResolvedAt = %v, want that of the last resolution", got)
	}
}

func TestReplyReopensUntilFourteenDaysAfterResolution(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	const window = 14 * 24 * time.Hour
	inTime, late := o.mustCreate(t, question()), o.mustCreate(t, question())
	o.pass(24 * time.Hour) // the window begins with the resolution, not with the case
	o.mustResolve(t, inTime)
	o.mustResolve(t, late)
	o.pass(window)
	o.mustReply(t, inTime, "exactly in time")
	if got := o.mustFindOne(t, inTime).Status; got != cases.Reopened {
		t.Errorf("status after a reply in time = %s, want %s", got, cases.Reopened)
	}
	o.pass(time.Microsecond)
	wantError(t, "Communicate(late)", o.reply(t, late, "late"), cases.ErrReopenWindowOver)
	got := o.mustFindOne(t, late)
	if got.Status != cases.Resolved || got.Communications != 1 || len(got.Recent) != 1 || len(o.mustMoves(t, late)) != 1 {
		t.Errorf("case after a refused reply = %+v, want it as it was", got)
	}
	// A case that was reopened and resolved again has a new window.
	o.mustResolve(t, inTime)
	o.pass(window)
	o.mustReply(t, inTime, "again in time")
}

func TestAReplyToAnUnresolvedCaseIsAlwaysInTime(t *testing.T) {
	t.Parallel()
	o := mustOpenOffice(t)
	id := o.mustCreate(t, question())
	o.pass(300 * 24 * time.Hour)
	o.mustReply(t, id, "any news?")
}

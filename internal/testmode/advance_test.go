package testmode_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/desk"
	"github.com/supportd/supportd/internal/server"
)

// events returns what the desk itself noted in the timeline of a case, with how
// long after the start.
func (w *world) events(id string, start time.Time) (events []string) {
	w.Helper()
	lines, err := w.server.Desk.Timeline(w.Context(), desk.Operator(), id)
	if err != nil {
		w.Fatalf("Timeline(%s) = %v, want nil", id, err)
	}
	for _, line := range lines {
		if line.Actor == "desk" {
			events = append(events, line.At.Sub(start).String()+" "+line.Event)
		}
	}
	return events
}

// A critical case of an enterprise plan is answered within 15 minutes.
func TestClocksWarnAndBreachAtTheirOwnTimes(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		spans []time.Duration
	}{
		{"in one leap", []time.Duration{24 * time.Hour}},
		{"in steps", []time.Duration{5 * time.Minute, 7 * time.Minute, 3 * time.Minute, time.Hour}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, server.Test{Time: start, Frozen: true})
			out, err := w.client(1).CreateCase(t.Context(), &support.CreateCaseInput{
				Subject: aws.String("down"), CommunicationBody: aws.String("all of it"), SeverityCode: aws.String("critical"),
			})
			if err != nil {
				t.Fatal(err)
			}
			var all time.Duration
			for _, d := range test.spans {
				if err := w.Advance(t.Context(), d); err != nil {
					t.Fatalf("Advance(%v) = %v, want nil", d, err)
				}
				if all += d; !w.Now().Equal(start.Add(all)) {
					t.Errorf("after Advance it is %v, want %v", w.Now(), start.Add(all))
				}
			}
			got := w.events(*out.CaseId, start)
			want := []string{"11m15s", "15m0s"}
			if len(got) != 2 || !strings.HasPrefix(got[0], want[0]) || !strings.HasPrefix(got[1], want[1]) {
				t.Errorf("the desk noted (-want +got):\n%s", cmp.Diff(want, got))
			}
		})
	}
}

// A clock that runs goes on after an advance as if it had not been stopped for
// it.
func TestARunningClockRunsOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	before := time.Now()
	if err := w.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if ahead := w.Now().Sub(before); ahead < time.Hour || ahead > time.Hour+10*time.Minute || w.server.Test.Now().Equal(w.Now()) {
		t.Errorf("an hour later the clock is %v ahead, want it to run", ahead)
	}
}

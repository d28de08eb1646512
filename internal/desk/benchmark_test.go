package desk_test

import (
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

// BenchmarkCreateCase tells what the desk costs a customer who opens a case:
// without it, with it, and with a team that has new cases routed.
func BenchmarkCreateCase(b *testing.B) {
	for _, mode := range []string{"unwatched", "watched", "routed"} {
		b.Run(mode, func(b *testing.B) {
			f := openFloor(b)
			f.Cases.Limits = cases.Limits{}
			switch mode {
			case "unwatched":
				f.Cases.Watch = nil
			case "routed":
				f.team(b, desk.Team{ID: "all", Routing: true})
			}
			body := "The volume vol-0123456789abcdef0 in us-east-1 fails with EIO since the reboot of this morning. "
			b.ReportAllocs()
			n, before := 0, processorTime(b)
			for b.Loop() {
				n++
				in := cases.NewCase{Subject: fmt.Sprintf("Disk %d is full", n), Body: body + body + body}
				if _, err := f.Cases.Create(b.Context(), customer(retail), cases.RequestKey{}, in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(n), "cpu-µs/op")
		})
	}
}

// BenchmarkRouting gives 200 new cases to 1,000 agents of a team, and one more to
// the next of them, per case.
func BenchmarkRouting(b *testing.B) {
	const agents, newCases = 1000, 200
	f := openFloor(b)
	f.Cases.Limits = cases.Limits{}
	f.team(b, desk.Team{ID: "all", Routing: true})
	f.hireMany(b, agents, desk.Agent{Role: desk.RoleAgent, Active: true, Teams: []string{"all"}, Capacity: 1 << 20})
	open := func() string {
		answer, err := f.Cases.Create(b.Context(), customer(retail), cases.RequestKey{}, cases.NewCase{Subject: "A disk is full", Body: "Help"})
		if err != nil {
			b.Fatal(err)
		}
		return answer
	}
	measure := func(b *testing.B, each int, prepare, run func()) {
		b.Helper()
		var used time.Duration
		n := 0
		for b.Loop() {
			b.StopTimer()
			prepare()
			b.StartTimer()
			before := processorTime(b)
			run()
			used += processorTime(b) - before
			n += each
		}
		b.ReportMetric(float64(used.Microseconds())/float64(n), "cpu-µs/case")
	}
	b.Run("route", func(b *testing.B) {
		measure(b, newCases, func() {
			for range newCases {
				open()
			}
		}, func() {
			if err := f.Route(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("next", func(b *testing.B) {
		var id string
		measure(b, 1, func() { id = open() }, func() {
			if _, err := f.Assign(b.Context(), desk.Operator(), id, desk.Assignment{Next: true, Team: "all"}); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// hireMany writes agents like a, as they would be after as many calls.
func (f *floor) hireMany(b *testing.B, n int, a desk.Agent) {
	b.Helper()
	err := f.Store.Update(b.Context(), desk.Scope, func(tx desk.Tx) error {
		for i := range n {
			a.ID = fmt.Sprintf("agent-%016x", i)
			a.Name, a.Email = a.ID, a.ID+"@example.com"
			content, err := json.Marshal(a)
			if err != nil {
				return err
			}
			d := desk.Document{Kind: desk.KindAgent, ID: a.ID, Version: 1, Content: content, ChangedAt: f.clock.Now()}
			if err := tx.PutDocument(b.Context(), d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// processorTime is that of this process: a durable commit waits for the disk,
// whose time says nothing about the desk.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

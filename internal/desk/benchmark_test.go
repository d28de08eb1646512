package desk_test

import (
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

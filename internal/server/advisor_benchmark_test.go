package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/uuid"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/server"
)

// BenchmarkCreateCaseBesideARefresh measures how long one caller of CreateCase
// waits while the same account's checks are refreshed, with 100,000 flagged rows:
// at first all of them are new and have an event each, then nothing has changed.
func BenchmarkCreateCaseBesideARefresh(b *testing.B) {
	const rows = 100_000
	for _, checks := range []int{100, 1} {
		b.Run(fmt.Sprintf("checks=%d", checks), func(b *testing.B) {
			var first, again []time.Duration
			for b.Loop() {
				b.StopTimer()
				s, service := startRefreshBench(b, checks, rows/checks)
				b.StartTimer()
				first = append(first, s.waitsUntilRefreshed(b, service)...)
				if err := service.Advisor.RefreshAll(b.Context(), server.FirstAccountID); err != nil {
					b.Fatal(err)
				}
				again = append(again, s.waitsUntilRefreshed(b, service)...)
			}
			report := func(name string, waits []time.Duration) {
				slices.Sort(waits)
				ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
				b.ReportMetric(ms(waits[len(waits)-1]), name+"-longest-ms")
				b.ReportMetric(ms(waits[len(waits)*999/1000]), name+"-p99.9-ms")
				b.ReportMetric(ms(waits[len(waits)/2]), name+"-median-ms")
			}
			report("first", first)
			report("again", again)
		})
	}
}

func startRefreshBench(b *testing.B, checks, volumes int) (*bench, *server.Server) {
	b.Helper()
	folder := b.TempDir()
	for i := range checks {
		file := filepath.Join(folder, "checks", "security", fmt.Sprint("volumes-", i), "check.yaml")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(volumeCheck, "vol-check", fmt.Sprint("vol-check-", i), 1)), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	service, err := server.Open(b.Context(), server.Config{Data: filepath.Join(folder, "data"), Listen: "127.0.0.1:0", Checks: filepath.Join(folder, "checks")})
	if err != nil {
		b.Fatal(err)
	}
	first, err := service.FirstRun(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	s := serveBench(b, service)
	s.keys = aws.Credentials{AccessKeyID: first.Key.ID, SecretAccessKey: first.Key.Secret}
	if err := service.Advisor.SetSource(b.Context(), server.FirstAccountID, advisor.Source{File: mustFlaggedInventory(b, volumes)}); err != nil {
		b.Fatal(err)
	}
	return s, service
}

// mustFlaggedInventory writes an inventory with volumes that are all flagged.
func mustFlaggedInventory(b *testing.B, volumes int) string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "inventory.jsonl")
	f, err := os.Create(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w, err := inventory.NewWriter(f, inventory.Header{Account: server.FirstAccountID, CollectedAt: time.Now(), Needs: inventory.Needs{"ec2.volume": nil}})
	if err != nil {
		b.Fatal(err)
	}
	for i := range volumes {
		id := fmt.Sprintf("arn:aws:ec2:eu-west-1:%s:volume/vol-%017x", server.FirstAccountID, i)
		if err := w.Add(inventory.Resource{Kind: "ec2.volume", ID: id, Region: "eu-west-1", Attributes: map[string]any{"Encrypted": false}}); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(nil, nil); err != nil {
		b.Fatal(err)
	}
	return file
}

// waitsUntilRefreshed creates cases, one after the other, until no refresh is
// left, and returns how long each took.
func (s *bench) waitsUntilRefreshed(b *testing.B, service *server.Server) (waits []time.Duration) {
	b.Helper()
	over := make(chan error, 1)
	go func() {
		for {
			all, err := service.Advisor.Refreshes(b.Context(), server.FirstAccountID)
			if err != nil || !slices.ContainsFunc(all, func(r advisor.Refresh) bool { return r.State == advisor.Enqueued || r.State == advisor.Processing }) {
				over <- err
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	for {
		begun := time.Now()
		if _, err := s.do(s.url, "CreateCase", benchCase(), uuid.NewString()); err != nil {
			b.Fatal(err)
		}
		waits = append(waits, time.Since(begun))
		select {
		case err := <-over:
			if err != nil {
				b.Fatal(err)
			}
			return waits
		case <-time.After(time.Millisecond):
		}
	}
}

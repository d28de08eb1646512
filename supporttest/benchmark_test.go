package supporttest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/support"

	"github.com/supportd/supportd/supporttest"
)

// BenchmarkNewServer measures the time from nothing to the first answer. That of
// the end of the server is not measured.
func BenchmarkNewServer(b *testing.B) {
	for b.Loop() {
		over := newExampleT()
		srv := supporttest.NewServer(over)
		mustDescribeSeverities(b, support.NewFromConfig(srv.Config()))
		b.StopTimer()
		over.end()
		b.StartTimer()
	}
}

// BenchmarkReset measures a reset of a server with twenty cases.
func BenchmarkReset(b *testing.B) {
	srv := supporttest.NewServer(b)
	client := support.NewFromConfig(srv.Config())
	for b.Loop() {
		b.StopTimer()
		for range 20 {
			mustCreate(b, client, "subject")
		}
		b.StartTimer()
		srv.Reset()
	}
}

func mustDescribeSeverities(tb testing.TB, client *support.Client) {
	tb.Helper()
	if _, err := client.DescribeSeverityLevels(tb.Context(), &support.DescribeSeverityLevelsInput{}); err != nil {
		tb.Fatal(err)
	}
}

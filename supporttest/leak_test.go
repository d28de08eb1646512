package supporttest_test

import (
	"flag"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/support"

	"github.com/supportd/supportd/supporttest"
)

var servers = flag.Int("servers", 50, "how many servers TestManyServersLeaveNothingBehind starts")

// A suite may also have one server, and reset it before each test.
func TestManyResetsLeaveNothingBehind(t *testing.T) {
	srv := supporttest.NewServer(t)
	client := support.NewFromConfig(srv.Config())
	use := func() {
		srv.Autopilot("rules: [{steps: [{after: 1h, reply: Why?}]}]")
		srv.Seed("cases: [{subject: planted, body: words, attachments: [{name: a, text: a}]}]")
		mustCreate(t, client, "short life")
		srv.Fail(supporttest.Fault{Kind: supporttest.LostAnswer, Operation: "ResolveCase"})
		srv.Advance(2 * time.Hour)
		srv.Reset()
	}
	for range 5 {
		use() // what the process keeps for good is there then
	}
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range 2 * *servers {
		use()
	}
	const some = 10 // connections come and go; what leaks does so with every reset
	checkNothingIsLeft(t, goroutines+some, files+some)
	if left := mustAttachments(t, srv); len(left) > 0 {
		t.Errorf("after the last reset there are files %v, want none", left)
	}
}

// A suite starts a server in each of its tests, and some at a time.
func TestManyServersLeaveNothingBehind(t *testing.T) {
	use := func() {
		over := newExampleT()
		defer over.end()
		srv := supporttest.NewServer(over)
		client := support.NewFromConfig(srv.Config(), func(o *support.Options) { o.RetryMaxAttempts = 1 })
		id := mustCreate(t, client, "short life")
		srv.Fail(supporttest.Fault{Kind: supporttest.LostAnswer, Operation: "ResolveCase"})
		if _, err := client.ResolveCase(t.Context(), &support.ResolveCaseInput{CaseId: &id}); err == nil {
			t.Errorf("ResolveCase() = nil, want its answer to be lost")
		}
		srv.Advance(time.Hour)
	}
	use() // what the process keeps for good is there then
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	const atATime = 4
	for range *servers / (2 * atATime) {
		var parallel sync.WaitGroup
		for range atATime {
			parallel.Go(use)
		}
		parallel.Wait()
		for range atATime {
			use()
		}
	}
	checkNothingIsLeft(t, goroutines, files)
}

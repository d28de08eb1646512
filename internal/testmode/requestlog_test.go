package testmode_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"

	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/testmode"
)

func TestTheLogTellsWhatWasAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Frozen: true})
	id := w.mustCreate("hello")
	_, err := w.client(1).ResolveCase(t.Context(), &support.ResolveCaseInput{CaseId: aws.String("case-" + first + "-muen-2026-0123456789abcdef")})
	if errorCode(err) != "CaseIdNotFound" {
		t.Fatalf("ResolveCase(unknown) = %v, want CaseIdNotFound", err)
	}
	if _, err := w.clientOf("999999999999", 1).ResolveCase(t.Context(), &support.ResolveCaseInput{CaseId: &id}); errorCode(err) != "UnrecognizedClientException" {
		t.Fatalf("ResolveCase(unknown key) = %v, want UnrecognizedClientException", err)
	}
	all := w.requests(testmode.RequestQuery{})
	if len(all) != 3 {
		t.Fatalf("the log has %+v, want three requests", all)
	}
	for i, want := range []testmode.Request{
		{Number: 1, Operation: "CreateCase", Account: first, Principal: "arn:aws:iam::" + first + ":root", Status: 200},
		{Number: 2, Operation: "ResolveCase", Account: first, Principal: "arn:aws:iam::" + first + ":root", Status: 400, ErrorCode: "CaseIdNotFound"},
		{Number: 3, Operation: "ResolveCase", Status: 400, ErrorCode: "UnrecognizedClientException"},
	} {
		got := all[i]
		if got.ID == "" || got.Duration <= 0 || !got.At.Equal(w.Now()) || !json.Valid(got.Input) || string(got.Input) == "null" {
			t.Errorf("request %d: %+v, want id, duration, time and input", i+1, got)
		}
		got.ID, got.Duration, got.At, got.Input = "", 0, time.Time{}, nil
		if got.Number != want.Number || got.Operation != want.Operation || got.Account != want.Account || got.Principal != want.Principal || got.Status != want.Status || got.ErrorCode != want.ErrorCode {
			t.Errorf("request %d: %+v, want %+v", i+1, got, want)
		}
	}
	for _, test := range []struct {
		query testmode.RequestQuery
		want  int
	}{
		{testmode.RequestQuery{Operation: "ResolveCase"}, 2},
		{testmode.RequestQuery{Operation: "ResolveCase", Account: first}, 1},
		{testmode.RequestQuery{ErrorCode: "CaseIdNotFound"}, 1},
		{testmode.RequestQuery{After: 2}, 1},
		{testmode.RequestQuery{Limit: 2}, 2},
		{testmode.RequestQuery{AtLeast: 3, Limit: 1}, 1},
	} {
		got := w.requests(test.query)
		if len(got) != test.want || got[len(got)-1].Number != 3 && test.query.Account == "" && test.query.ErrorCode == "" {
			t.Errorf("Requests(%+v) = %+v, want the last %d", test.query, got, test.want)
		}
	}
}

func TestLongInputsAreLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	for size, want := range map[int]bool{1000: true, 100_000: false} {
		if err := w.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := w.create(w.client(1), strings.Repeat("x", size)) // a subject that long is refused
		if got := w.requests(testmode.RequestQuery{}); len(got) != 1 || (string(got[0].Input) != "null") != want {
			t.Errorf("input of %d bytes (%v): %.100s, want it logged: %t", size, err, got[0].Input, want)
		}
	}
}

func TestWaitingForRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	w.mustCreate("one")
	if got, err := w.Requests(ctx, testmode.RequestQuery{AtLeast: 2}); !errors.Is(err, context.DeadlineExceeded) || len(got) != 1 {
		t.Errorf("Requests(at least 2) = %d, %v, want one and a deadline", len(got), err)
	}
	w.mustCreate("two")
	if got, err := w.Requests(ctx, testmode.RequestQuery{AtLeast: 3, Limit: 1}); !errors.Is(err, context.DeadlineExceeded) || len(got) != 2 {
		t.Errorf("Requests(at least 3) = %d, %v, want both that came and a deadline", len(got), err)
	}
	found := make(chan int)
	go func() {
		got, _ := w.Requests(t.Context(), testmode.RequestQuery{AtLeast: 4})
		found <- len(got)
	}()
	w.mustCreate("three")
	select {
	case n := <-found:
		t.Errorf("Requests(at least 4) returned %d after 3", n)
	default:
	}
	w.mustCreate("four")
	if n := <-found; n != 4 {
		t.Errorf("Requests(at least 4) = %d", n)
	}
}

package s3blob

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

var errNoAnswer = errors.New("the server does not answer")

// brokenBodyError means that a body came incomplete or damaged.
type brokenBodyError struct{ err error }

func (e *brokenBodyError) Error() string { return "broken answer: " + e.err.Error() }
func (e *brokenBodyError) Unwrap() error { return e.err }

// request repeats send, and gives each attempt its time.
func (s *Store) request(ctx context.Context, send func(context.Context) error) error {
	return s.repeat(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeoutCause(ctx, s.attempt, errNoAnswer)
		defer cancel()
		return causeOf(ctx, send(ctx))
	})
}

// repeat calls attempt until it succeeds, fails for good, or the patience of
// the store or ctx ends.
func (s *Store) repeat(ctx context.Context, attempt func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	until := time.Now().Add(s.patience)
	for n := 0; ; n++ {
		err := attempt(ctx)
		if err == nil {
			return nil
		}
		pause := pauseAfter(n)
		if ctx.Err() == nil && (!passing(err) || time.Now().Add(pause).After(until)) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(pause):
		}
	}
}

// pauseAfter doubles with each attempt. Half of it is chance, so that many who
// were refused together do not come back together.
func pauseAfter(attempt int) time.Duration {
	pause := min(firstPause<<min(attempt, 10), longestPause)
	return pause/2 + rand.N(pause/2)
}

// passing reports whether the same request may succeed later.
func passing(err error) bool {
	var broken *brokenBodyError
	// S3 answers 409 when something else is just happening to the object;
	// versitygw also when a folder that was empty is removed under a Put.
	if errors.Is(err, errNoAnswer) || errors.As(err, &broken) || statusOf(err) == http.StatusConflict {
		return true
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

// causeOf returns errNoAnswer for an error that comes of the end of an attempt.
func causeOf(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		return errNoAnswer
	}
	return err
}

// codeOf returns the code of an error that the server gave, or nothing.
func codeOf(err error) string {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return ""
	}
	return answer.ErrorCode()
}

// statusOf returns the HTTP status of an answer that is an error, or 0.
func statusOf(err error) int {
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) {
		return 0
	}
	return answer.HTTPStatusCode()
}

// explain puts before an error what an operator looks for first.
func explain(err error) error {
	status := statusOf(err)
	var network net.Error
	switch {
	case strings.Contains(err.Error(), "get credentials"): // of the SDK, which has no name for it
		return fmt.Errorf("no credentials for it were found: %w", err)
	case codeOf(err) == "NoSuchBucket":
		return fmt.Errorf("no such bucket: %w", err)
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		return fmt.Errorf("access denied: %w", err)
	case status == 0 && errors.As(err, &network):
		return fmt.Errorf("no connection: %w", network)
	}
	return err
}

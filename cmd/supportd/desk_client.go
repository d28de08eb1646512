package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// deskClient calls the desk API of a server (docs/desk-api.md).
type deskClient struct {
	url   string // without the path
	token string
	http  http.Client
	now   time.Time // by the server's clock, at its last answer
}

// deskTimeout is how long a call may take, with the files that it carries.
const deskTimeout = 2 * time.Minute

// maxDeskAnswer is more than any answer of the API has.
const maxDeskAnswer = 64 << 20

func newDeskClient(base, token string) (*deskClient, error) {
	parsed, err := url.Parse(base)
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return nil, usageError{fmt.Errorf("--url %q: want http://HOST:PORT or https://HOST", base)}
	}
	return &deskClient{
		url: strings.TrimSuffix(base, "/"), token: token, now: time.Now(),
		// An answer that sends elsewhere is no desk's: the token stays here.
		http: http.Client{Timeout: deskTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// call asks for something under /desk/v1 and decodes the answer into out.
func (c *deskClient) call(ctx context.Context, method, path string, body, out any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	answer, err := c.answer(ctx, method, path, text)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s: the answer is not that of a desk: %w", c.url, err)
	}
	return nil
}

// answer returns what the desk answers. A call whose answer was lost is repeated
// once: its key makes it the same call.
func (c *deskClient) answer(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	key := uuid.NewString()
	answer, err := c.inTime(ctx, method, path, key, body)
	if lost, ok := errors.AsType[*lostError](err); ok && !lost.timeout() && ctx.Err() == nil {
		answer, err = c.inTime(ctx, method, path, key, body)
	}
	if lost, ok := errors.AsType[*lostError](err); ok {
		return nil, fmt.Errorf("no answer from %s: %w (see --url)", c.url, lost.cause())
	}
	return answer, err
}

// How often a call that came too early is made, and how long a pause may be: one
// that is longer has another reason than the pace of a long list.
const mostCalls, longestPause = 20, 5 * time.Second

// inTime calls again, after the pause that the server names, when it is called
// too often.
func (c *deskClient) inTime(ctx context.Context, method, path, key string, body []byte) (answer []byte, err error) {
	for range mostCalls {
		answer, err = c.try(ctx, method, path, key, body)
		early, ok := errors.AsType[*earlyError](err)
		if !ok || early.pause > longestPause {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(early.pause):
		}
	}
	return answer, err
}

// earlyError is what the server says against a call that came too early.
type earlyError struct {
	error
	pause time.Duration
}

// lostError means that a request or its answer was lost on the way.
type lostError struct{ error }

func (e *lostError) Unwrap() error { return e.error }

// cause is without the method and the address, which say nothing to people.
func (e *lostError) cause() error {
	if in, ok := errors.AsType[*url.Error](e.error); ok {
		return in.Err
	}
	return e.error
}

func (e *lostError) timeout() bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](e.error)
	return ok && t.Timeout()
}

func (c *deskClient) try(ctx context.Context, method, path, key string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url+"/desk/v1"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if method != http.MethodGet {
		request.Header.Set("Idempotency-Key", key)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, &lostError{err}
	}
	defer func() { _ = response.Body.Close() }() // it was read, or it is lost
	if at, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		c.now = at
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxDeskAnswer))
	if err != nil {
		return nil, &lostError{err}
	}
	if response.StatusCode < 300 {
		return answer, nil
	}
	refused := c.refusal(response, answer)
	if pause, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && response.StatusCode == http.StatusTooManyRequests {
		return nil, &earlyError{refused, time.Duration(pause) * time.Second}
	}
	return nil, refused
}

// refusal is what the server says against a request.
func (c *deskClient) refusal(response *http.Response, answer []byte) error {
	var problem struct{ Detail, Code, RequestID string }
	if err := json.Unmarshal(answer, &problem); err != nil || problem.Code == "" {
		return fmt.Errorf("%s answers %s, not as a desk", c.url, response.Status)
	}
	switch problem.Code {
	case "unknown_token":
		return fmt.Errorf("%s (see --token; supportd agent token create makes another)", plain(problem.Detail))
	case "internal":
		return fmt.Errorf("%s (the server's log has more of request %s)", plain(problem.Detail), plain(problem.RequestID))
	}
	return errors.New(plain(problem.Detail))
}

// plain takes from a text of others what would steer a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && r < '\x7f' || r > '\u009f' && !isBidiControl(r) {
			return r
		}
		return '\uFFFD'
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}

// isBidiControl reports whether a character turns the direction of others, so
// that a text looks like another one.
func isBidiControl(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

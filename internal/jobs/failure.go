package jobs

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Permanent returns err as the result of a handler that says: this will never
// succeed. The job is dead then.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanentError{err}
}

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// After returns err as the result of a handler that says when to try again:
// after d instead of the back-off of its kind. The attempt counts all the same.
func After(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return afterError{err, d}
}

type afterError struct {
	error
	delay time.Duration
}

func (e afterError) Unwrap() error { return e.error }

// panicError is the panic of a handler. The stack is for the log only.
type panicError struct {
	value any
	stack []byte
}

func (e panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// backoff is the pause after an attempt: a random part of what doubles each
// time, so that jobs that failed together do not come back together (AWS
// Architecture Blog, "Exponential Backoff And Jitter", full jitter).
func (k Kind) backoff(attempt int) time.Duration {
	ceiling := k.Backoff
	for range attempt - 1 {
		if ceiling >= k.MaxBackoff/2 {
			ceiling = k.MaxBackoff
			break
		}
		ceiling *= 2
	}
	return rand.N(min(ceiling, k.MaxBackoff) + 1)
}

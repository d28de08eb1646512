package cases

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/supportd/supportd/internal/iam"
)

// RequestKey identifies a request that a client may repeat because it did not
// see the answer. The zero key means that the request cannot be told apart from
// another one like it.
type RequestKey [sha256.Size]byte

// NewRequestKey returns the key of a request: the same caller, the same
// operation, the same invocation id and the same body make the same key. An
// empty invocation makes the zero key.
func NewRequestKey(who iam.Identity, operation, invocation string, body [sha256.Size]byte) RequestKey {
	if invocation == "" {
		return RequestKey{}
	}
	h := sha256.New()
	for _, part := range []string{who.ARN(), operation, invocation} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	h.Write(body[:])
	return RequestKey(h.Sum(nil))
}

// answersKept is how long a first answer can be had again. SDKs give up
// repeating after minutes; a day covers every back-off.
const answersKept = 24 * time.Hour

// doOnce runs f in a transaction and keeps its answer under the key in the same
// transaction; when the key has an answer already, that one is returned and f
// does not run. Failures are not kept: they changed nothing. Answers are kept as
// JSON with names of their own: the next release reads those of this one.
func doOnce[T any](ctx context.Context, s *Service, who iam.Identity, key RequestKey, f func(Tx) (T, error)) (answer T, err error) {
	err = s.Store.Update(ctx, who.Account, func(tx Tx) error {
		answered, err := firstAnswer(ctx, tx, who, key, &answer)
		if answered || err != nil {
			return err
		}
		if answer, err = f(tx); err != nil {
			return err
		}
		return keepAnswer(ctx, tx, who, key, answer, s.now())
	})
	return answer, err
}

func firstAnswer(ctx context.Context, tx Tx, who iam.Identity, key RequestKey, answer any) (bool, error) {
	if key == (RequestKey{}) {
		return false, nil
	}
	text, err := tx.Answer(ctx, who.Account, key)
	if text == nil || err != nil {
		return false, err
	}
	return true, json.Unmarshal(text, answer)
}

func keepAnswer(ctx context.Context, tx Tx, who iam.Identity, key RequestKey, answer any, now time.Time) error {
	if key == (RequestKey{}) {
		return nil
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return tx.InsertAnswer(ctx, who.Account, key, text, now)
}

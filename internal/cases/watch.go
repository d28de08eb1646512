package cases

import (
	"context"

	"github.com/supportd/supportd/internal/iam"
)

// Change is something that happened to a case.
type Change struct {
	Event         Event
	Case          Case           // as it is now
	From          Status         // of the case before; empty when it is new
	Communication *Communication // that was added; nil when none was
	Plan          iam.Plan       // of a customer who made the change; the zero plan when an agent did
	Actor         string         // as in [Move]
}

// watched tells whoever watches.
func (s *Service) watched(ctx context.Context, tx Tx, change Change) error {
	if s.Watch == nil {
		return nil
	}
	return s.Watch(ctx, tx, change)
}

package desk

import (
	"context"
	"time"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/jobs"
)

// Kinds returns the jobs of the desk.
func (s *Service) Kinds() []jobs.Kind { panic("not built") }

// Watch follows a change of a case in its transaction: it makes and moves the
// case's item, keeps its history and makes its texts findable.
func (s *Service) Watch(ctx context.Context, tx Tx, change cases.Change) error { panic("not built") }

// Wake looks at the clocks that are due: it tells of warnings and breaches.
func (s *Service) Wake(ctx context.Context) error { panic("not built") }

// NextWake returns when Wake has something to do next, zero when never.
func (s *Service) NextWake(ctx context.Context) (time.Time, error) { panic("not built") }

// Route gives the new cases of teams with routing to their agents.
func (s *Service) Route(ctx context.Context) error { panic("not built") }

// Purge removes what has outlived its time: presences, kept answers of
// documents, and tokens that expired or were revoked long ago.
func (s *Service) Purge(ctx context.Context) error { panic("not built") }

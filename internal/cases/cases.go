// Package cases is the life of a support case: creating, answering, resolving
// and finding cases, their communications and their attachments, with the
// limits that protect them.
//
// It speaks no protocol and no SQL: an entry room translates calls into it, and
// the store keeps what it decides behind [Store].
package cases

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math/big"
	"strconv"
	"time"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/catalog"
	"github.com/supportd/supportd/internal/clock"
	"github.com/supportd/supportd/internal/random"
)

// Service decides what may happen to cases. Store, Blobs and Catalog must be
// set.
type Service struct {
	Store   Store
	Blobs   blob.Store
	Catalog *catalog.Catalog
	Limits  Limits
	Now     func() time.Time // nil means time.Now
	Random  io.Reader        // of which ids are made; nil means crypto/rand

	// Watch is told of every change of a case in the transaction that makes it;
	// its error undoes the change. It may be told again of a change whose
	// transaction is tried again. Nil means that nobody watches.
	Watch func(ctx context.Context, tx Tx, change Change) error

	// RetentionMonths is how long a case is available after its creation; zero
	// means 12, as the API documents.
	RetentionMonths int
}

// Limits protect the data of an account. Zero means no limit.
type Limits struct {
	CasesPerHour         int // new cases in any hour, exact on any number of nodes
	AttachmentSetsPer10m int // new attachment sets in any ten minutes
}

// AWSLimits returns the limits of the real service. It documents ten cases an
// hour; the number of attachment sets "in a short period of time" is not
// published and is our choice.
func AWSLimits() Limits {
	return Limits{CasesPerHour: 10, AttachmentSetsPer10m: 50}
}

// Store keeps cases.
type Store interface {
	// View runs f on one consistent state; f writes nothing.
	View(ctx context.Context, f func(Tx) error) error
	// Update runs f in a transaction on one account, as if no other update of
	// the account ran at the same time, on this node or on another one. It is
	// durable when Update returns nil. f may run more than once and has no
	// effects but those on its Tx.
	Update(ctx context.Context, account string, f func(Tx) error) error
}

func (s *Service) now() time.Time { return clock.Now(s.Now) }

// Keeps reports whether a case that was created then is still available.
func (s *Service) Keeps(created time.Time) bool { return created.After(s.horizon(s.now())) }

// horizon is the time before which cases are no longer available: the API says
// "Case data is available for 12 months after creation" (DescribeCases).
func (s *Service) horizon(now time.Time) time.Time {
	months := s.RetentionMonths
	if months == 0 {
		months = 12
	}
	past := now.AddDate(0, -months, 0)
	if past.Day() != now.Day() {
		// AddDate turned the 30th of February into the 2nd of March and would
		// take what is not that old: the end of February is meant, as on the
		// 28th and later all of the 28th is gone.
		past = time.Date(past.Year(), past.Month(), 1, 0, 0, 0, 0, past.Location()).Add(-time.Microsecond)
	}
	return past
}

// newCaseID has the form that the real service has used since 2012.
func (s *Service) newCaseID(account string, now time.Time) string {
	return "case-" + account + "-muen-" + strconv.Itoa(now.Year()) + "-" + s.randomHex(8)
}

// newDisplayID returns 15 random digits, not beginning with zero.
func (s *Service) newDisplayID() string {
	span := big.NewInt(9e14)
	n := new(big.Int).SetBytes(random.Bytes(s.Random, 16)) // so many bytes that the remainder favours no number
	return n.Mod(n, span).Add(n, big.NewInt(1e14)).String()
}

func (s *Service) randomHex(n int) string { return hex.EncodeToString(random.Bytes(s.Random, n)) }

func (s *Service) randomURLText(n int) string {
	return base64.RawURLEncoding.EncodeToString(random.Bytes(s.Random, n))
}

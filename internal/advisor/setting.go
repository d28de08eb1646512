package advisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"regexp"
	"time"

	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

// Faults of sources.
var (
	ErrNoSource      = fault.New(fault.NotFound, "no_source", "the account has no source of resources")
	ErrInvalidSource = fault.New(fault.Invalid, "invalid_source", "invalid source")
	ErrOtherAccount  = fault.New(fault.Invalid, "other_account", "the source is another account's")
)

// SealedSource is a source as it is kept.
type SealedSource struct {
	Account string
	Sealed  []byte // all of the Source, as JSON
	SetAt   time.Time
}

// String says where the resources come from, without secrets.
func (s Source) String() string {
	switch {
	case s.File != "":
		return "file " + s.File
	case s.Endpoint != "":
		return "endpoint " + s.Endpoint
	case s.Role != "":
		return "role " + s.Role
	case s.Profile != "":
		return "profile " + s.Profile
	case s.AccessKeyID != "":
		return "access key " + s.AccessKeyID
	}
	return "AWS"
}

// GoString is String, so that no verb prints secrets.
func (s Source) GoString() string { return s.String() }

// LogValue is String, whatever the form of the log.
func (s Source) LogValue() slog.Value { return slog.StringValue(s.String()) }

// WithoutSecrets returns the source without the secret key and session token.
func (s Source) WithoutSecrets() Source {
	s.SecretAccessKey, s.SessionToken = "", ""
	return s
}

var (
	regionName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	roleARN    = regexp.MustCompile(`^arn:[a-z-]+:iam::\d{12}:role/\S+$`)
)

// check refuses what cannot work.
func (s Source) check() error {
	if s.File != "" {
		return s.checkFile()
	}
	if s.Endpoint != "" {
		u, err := url.Parse(s.Endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return ErrInvalidSource.With("endpoint: want http://HOST or https://HOST")
		}
	}
	for _, region := range s.Regions {
		if !regionName.MatchString(region) {
			return ErrInvalidSource.With("region %q: want a name such as eu-west-1", region)
		}
	}
	switch {
	case s.Role != "" && !roleARN.MatchString(s.Role):
		return ErrInvalidSource.With("role %q: want an ARN such as arn:aws:iam::111122223333:role/Advisor", s.Role)
	case s.ExternalID != "" && s.Role == "":
		return ErrInvalidSource.With("an external id is for a role, and none is given")
	case (s.AccessKeyID == "") != (s.SecretAccessKey == ""):
		return ErrInvalidSource.With("an access key needs both its id and its secret")
	case s.SessionToken != "" && s.AccessKeyID == "":
		return ErrInvalidSource.With("a session token needs an access key")
	case s.Profile != "" && s.AccessKeyID != "":
		return ErrInvalidSource.With("a profile and an access key: want one of them")
	}
	return nil
}

func (s Source) checkFile() error {
	if !filepath.IsAbs(s.File) {
		return ErrInvalidSource.With("file %q: want an absolute path, as the server reads it", s.File)
	}
	only := Source{File: s.File}
	if !s.equal(only) {
		return ErrInvalidSource.With("a file has all resources: nothing else can be given")
	}
	return nil
}

func (s Source) equal(other Source) bool {
	a, _ := json.Marshal(s) // strings only
	b, _ := json.Marshal(other)
	return string(a) == string(b)
}

// SetSource says where the account's resources come from, and has all checks of
// its plan refreshed from there, whatever was refreshed when: one collection
// serves one check or all. Results of another source are forgotten, also those of
// checks that only another process knows; with the same one, such as after new
// secrets, they stay until there are others.
// ErrInvalidSource; ErrOtherAccount for a file of another account.
func (s *Service) SetSource(ctx context.Context, account string, source Source) error {
	if err := source.check(); err != nil {
		return err
	}
	if source.File != "" { // one that cannot be read yet may come later
		if _, err := openFile(source.File, account); errors.Is(err, ErrOtherAccount) {
			return err
		}
	}
	owner, err := s.owner(ctx, account)
	if err != nil {
		return err
	}
	due, err := s.included(owner)
	if err != nil {
		return err
	}
	text, err := json.Marshal(source)
	if err != nil {
		return err
	}
	now := s.now()
	return s.Store.Update(ctx, account, func(tx Tx) error {
		if err := s.forgetOther(ctx, tx, account, source); err != nil {
			return err
		}
		sealed := SealedSource{Account: account, Sealed: s.Box.Seal(text, sealContext(account)), SetAt: now}
		if err := tx.PutSource(ctx, sealed); err != nil {
			return err
		}
		return enqueue(ctx, tx, account, due, now)
	})
}

// forgetOther forgets refreshes and results unless the account has the source
// already.
func (s *Service) forgetOther(ctx context.Context, tx Tx, account string, source Source) error {
	sealed, err := tx.Source(ctx, account)
	if errors.Is(err, ErrNoSource) {
		return nil
	}
	if err != nil {
		return err
	}
	if old, err := s.unseal(sealed); err == nil && old.WithoutSecrets().equal(source.WithoutSecrets()) {
		return nil
	}
	return errors.Join(tx.DeleteRefreshes(ctx, account), tx.DeleteResults(ctx, account))
}

// sealContext binds a source to its account, so that a row copied to another
// one does not open.
func sealContext(account string) string { return "source of " + account }

// owner returns the plan of an open account.
func (s *Service) owner(ctx context.Context, account string) (iam.Plan, error) {
	a, err := s.IAM.Account(ctx, account)
	if err != nil {
		return iam.Plan{}, err
	}
	if a.State == iam.AccountClosed {
		return iam.Plan{}, iam.ErrAccountClosed
	}
	return iam.PlanByID(a.Plan)
}

// Source returns where the account's resources come from, without secrets, and
// since when. ErrNoSource.
func (s *Service) Source(ctx context.Context, account string) (source Source, since time.Time, err error) {
	var sealed SealedSource
	err = s.Store.View(ctx, func(tx Tx) error {
		sealed, err = tx.Source(ctx, account)
		return err
	})
	if err != nil {
		return Source{}, time.Time{}, err
	}
	source, err = s.unseal(sealed)
	return source.WithoutSecrets(), sealed.SetAt, err
}

func (s *Service) unseal(sealed SealedSource) (source Source, err error) {
	text, err := s.Box.Open(sealed.Sealed, sealContext(sealed.Account))
	if err != nil {
		return Source{}, fmt.Errorf("source of account %s: %w", sealed.Account, err)
	}
	err = json.Unmarshal(text, &source)
	return source, err
}

// ClearSource forgets the source and the results that came from it; history and
// exclusions stay. ErrNoSource.
func (s *Service) ClearSource(ctx context.Context, account string) error {
	return s.Store.Update(ctx, account, func(tx Tx) error {
		if _, err := tx.Source(ctx, account); err != nil {
			return err
		}
		return errors.Join(tx.DeleteSource(ctx, account), tx.DeleteRefreshes(ctx, account), tx.DeleteResults(ctx, account))
	})
}

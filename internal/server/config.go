package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/blob"
	"github.com/supportd/supportd/internal/blob/s3blob"
	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/store"
	"github.com/supportd/supportd/internal/supportapi"
)

// Config is everything that can be set. Data must be; the zero values of the
// rest are the defaults.
type Config struct {
	// Data is the folder of this installation: the embedded database, the
	// attachments and the master key, unless they are set to be elsewhere. When
	// all of them are, nothing is written there.
	Data string
	// Listen is HOST:PORT; port 0 means any free one. Empty means DefaultListen.
	Listen string
	// Database is sqlite://FILE, or postgres://… for several nodes. Empty means
	// supportd.db in Data.
	Database string
	// Blobs is file:///DIR or s3://BUCKET?endpoint=URL&region=REGION. Empty means
	// the folder attachments in Data.
	Blobs string
	// BlobsKeyID and BlobsSecret sign requests to the bucket. Without them the
	// AWS SDK looks for credentials in its own places.
	BlobsKeyID  string
	BlobsSecret string
	// MasterKey is 32 bytes in base64. It wins over MasterKeyFile; without
	// either, the first run makes a key in Data.
	MasterKey     string
	MasterKeyFile string
	// Limits protect accounts and server. The zero value sets none.
	Limits Limits
	// RetentionMonths is how long cases are kept; zero means 12.
	RetentionMonths int
	// Checks is a folder with Trusted Advisor checks of the operator,
	// <category>/<slug>/check.yaml, which join or replace those of the program.
	// Empty means none.
	Checks string
	// Log takes the records of requests and of jobs; nil drops them.
	Log *slog.Logger
	// Existing refuses to make a new installation.
	Existing bool
	// Now is the clock of all rules; nil means time.Now. Signatures are judged
	// by time.Now in any case: the callers who date them have no other clock.
	Now func() time.Time
	// Test makes the server one for tests, with a clock of its own; nil means
	// that it is not, and has nothing of test mode.
	Test *Test
}

// maxRetentionMonths is a hundred years: times so far back that they cannot be
// told would make every case too old.
const maxRetentionMonths = 1200

// DefaultListen is where a server listens when nothing else is said.
const DefaultListen = "127.0.0.1:4580"

// Limits are how much and how often an account may ask. Zero means no limit.
type Limits struct {
	CasesPerHour              int `yaml:"cases-per-hour"`
	AttachmentSetsPer10m      int `yaml:"attachment-sets-per-10m"`
	DescribeAttachmentsPer10m int `yaml:"describe-attachments-per-10m"`
	RequestsPerSecond         int `yaml:"requests-per-second"`         // of one operation that is none of Trusted Advisor's
	AdvisorRequestsPerSecond  int `yaml:"advisor-requests-per-second"` // of one of Trusted Advisor's
	DeskRequestsPerSecond     int `yaml:"desk-requests-per-second"`    // of one token of the desk API
}

// AWSLimits returns the limits of the real service. It has no desk: that number
// is ours, far above what people at work ask for.
func AWSLimits() Limits {
	c, a := cases.AWSLimits(), supportapi.AWSLimits()
	return Limits{
		CasesPerHour:              c.CasesPerHour,
		AttachmentSetsPer10m:      c.AttachmentSetsPer10m,
		DescribeAttachmentsPer10m: a.DescribeAttachmentsPer10m,
		RequestsPerSecond:         a.RequestsPerSecond,
		AdvisorRequestsPerSecond:  a.AdvisorRequestsPerSecond,
		DeskRequestsPerSecond:     50,
	}
}

func (l Limits) cases() cases.Limits {
	return cases.Limits{CasesPerHour: l.CasesPerHour, AttachmentSetsPer10m: l.AttachmentSetsPer10m}
}

func (l Limits) api() supportapi.Limits {
	return supportapi.Limits{
		RequestsPerSecond:         l.RequestsPerSecond,
		AdvisorRequestsPerSecond:  l.AdvisorRequestsPerSecond,
		DescribeAttachmentsPer10m: l.DescribeAttachmentsPer10m,
	}
}

func (l Limits) check() error {
	for name, n := range map[string]int{
		"cases-per-hour": l.CasesPerHour, "attachment-sets-per-10m": l.AttachmentSetsPer10m,
		"describe-attachments-per-10m": l.DescribeAttachmentsPer10m, "requests-per-second": l.RequestsPerSecond,
		"advisor-requests-per-second": l.AdvisorRequestsPerSecond, "desk-requests-per-second": l.DeskRequestsPerSecond,
	} {
		if n < 0 {
			return fmt.Errorf("limits: %s is %d, want 0 or more", name, n)
		}
	}
	return nil
}

func (c *Config) check() error {
	if c.Data == "" {
		return errors.New("no data folder is set")
	}
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen %q: want HOST:PORT", c.Listen)
	}
	if c.RetentionMonths < 0 || c.RetentionMonths > maxRetentionMonths {
		return fmt.Errorf("retention-months is %d, want 1 to %d", c.RetentionMonths, maxRetentionMonths)
	}
	if store.IsShared(c.Database) && c.Blobs == "" {
		return errors.New("a shared database needs --blobs that every node reaches: s3://BUCKET or file:///DIR")
	}
	if (c.BlobsKeyID != "" || c.BlobsSecret != "") && !strings.HasPrefix(c.Blobs, bucketScheme) {
		return errors.New("credentials for a bucket are set, but --blobs is no s3://BUCKET")
	}
	if c.Test != nil && c.Now != nil {
		return errors.New("a server for tests has a clock of its own")
	}
	if c.Test != nil {
		if err := c.Test.check(); err != nil {
			return err
		}
	}
	return c.Limits.check()
}

const bucketScheme = "s3:"

func (c *Config) databaseURL() string {
	if c.Database != "" {
		return c.Database
	}
	return "sqlite://" + filepath.Join(c.Data, "supportd.db")
}

func (c *Config) blobsURL() string {
	if c.Blobs != "" {
		return c.Blobs
	}
	folder, err := filepath.Abs(filepath.Join(c.Data, "attachments"))
	if err != nil {
		return ""
	}
	return "file://" + (&url.URL{Path: folder}).EscapedPath()
}

// Place says where an installation is, without secrets.
func (c *Config) Place() string {
	if store.IsShared(c.databaseURL()) {
		return "a shared database"
	}
	return cmp.Or(c.Database, c.Data)
}

// blobStore keeps attachments until it is closed.
type blobStore interface {
	blob.Store
	io.Closer
}

func (c *Config) openBlobs(ctx context.Context) (blobStore, error) {
	where := c.blobsURL()
	if strings.HasPrefix(where, bucketScheme) {
		return c.openBucket(ctx, where)
	}
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "file" || u.Host != "" || !strings.HasPrefix(u.Path, "/") {
		return nil, errors.New("blobs: want file:///DIR or s3://BUCKET?endpoint=URL&region=REGION")
	}
	open := blob.OpenDir
	if c.Test != nil {
		open = blob.OpenScratchDir
	}
	folder, err := open(u.Path)
	if err != nil {
		return nil, err
	}
	return folder, nil
}

func (c *Config) openBucket(ctx context.Context, where string) (blobStore, error) {
	bucket, err := s3blob.Parse(where)
	if err != nil {
		return nil, err
	}
	bucket.AccessKeyID, bucket.SecretAccessKey = c.BlobsKeyID, c.BlobsSecret
	opened, err := s3blob.New(ctx, bucket)
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// makeData makes the data folder if anything will be in it.
func (c *Config) makeData() error {
	if c.Existing && !store.Exists(c.databaseURL()) {
		return fmt.Errorf("there is no installation in %s", c.Place())
	}
	if c.Database != "" && c.Blobs != "" && (c.MasterKey != "" || c.MasterKeyFile != "") {
		return nil
	}
	return os.MkdirAll(c.Data, 0o700)
}

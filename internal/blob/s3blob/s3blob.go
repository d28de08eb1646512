// Package s3blob keeps blobs in a bucket of a server that speaks the S3
// protocol: Amazon's, or one that an operator runs.
//
// Below the prefix of a [Store] the blob a/b is the object objects+/a/b+. The
// marks are in no key, so that stores with different prefixes, also if one
// begins with the other, do not see each other; and a blob a may stand beside
// a/b on servers that keep objects as files. A mark sorts before everything in
// a key, so that objects are listed in the order of keys.
//
// It does not create buckets, and neither lists nor removes what others keep in
// one. A process that dies during a Put of more than 8 MiB leaves an unfinished
// multipart upload behind: a lifecycle rule of the bucket removes such.
//
// # What differs from a folder
//
// Putting an existing key uploads the bytes again, since that renews the time
// of an object on every server and copying it onto itself does not. If the bytes
// differ, which a key made from the content rules out, the last ones win, whole.
//
// When ctx ends while the last request of a Put is on its way, all may be
// visible, as after other errors; never a part.
//
// A blob of up to 1 MiB is read and verified before Open returns. A longer one
// is read while the server sends it, and the ctx of Open ends the reading, too.
// Deleted meanwhile, it is sent to its end by servers that are atomic as S3 is;
// if one breaks off, the reader returns an error, never a short blob.
package s3blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/supportd/supportd/internal/blob"
)

const (
	mark    = "+"              // in no key
	objects = "objects" + mark // the folder of the blobs
	probe   = "check" + mark   // what Check writes, beside that folder

	// openingPatience is short: whoever starts a server waits for the answer.
	openingPatience = 10 * time.Second
	// checkPatience is for an answer that one in a hundred servers refuses.
	checkPatience = time.Second
)

// Store is a [blob.Store] in a bucket. It is safe for concurrent use.
type Store struct {
	client *s3.Client
	http   *http.Client
	bucket string
	folder string // what names of objects begin with: empty, or ending with a slash

	attempt  time.Duration // for one request and its answer
	patience time.Duration // for all attempts at one request
	page     int32         // keys in one answer to List; 0 is the server's choice
}

var _ blob.Store = (*Store)(nil)

// Open returns the store that c describes, and asks for it with Reach.
func Open(ctx context.Context, c Config) (*Store, error) {
	s, err := New(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := s.Reach(ctx); err != nil {
		_ = s.Close() // never fails
		return nil, err
	}
	return s, nil
}

// New returns the store that c describes without asking for it.
func New(ctx context.Context, c Config) (*Store, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	sdk, err := c.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("S3 bucket %s: %w", c.Bucket, err)
	}
	return newStore(c, sdk), nil
}

// ErrAway means that the server of the bucket does not answer now, which says
// nothing about the bucket.
var ErrAway = errors.New("the server of the bucket is away")

// Reach asks the bucket for a first key, so that a wrong name, endpoint or
// credential is told. It returns ErrAway when that cannot be known now.
func (s *Store) Reach(ctx context.Context) error {
	err := s.hurried(openingPatience).request(ctx, func(ctx context.Context) error {
		_, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
			Bucket:  &s.bucket,
			Prefix:  aws.String(s.folder + objects + "/"),
			MaxKeys: aws.Int32(1),
		})
		return err
	})
	if err == nil {
		return nil
	}
	if passing(err) {
		return fmt.Errorf("S3 bucket %s: %w: %w", s.bucket, ErrAway, explain(err))
	}
	return fmt.Errorf("S3 bucket %s: %w", s.bucket, explain(err))
}

// hurried is the store without more patience than this.
func (s *Store) hurried(patience time.Duration) *Store {
	hurried := *s
	hurried.patience = min(s.patience, patience)
	return &hurried
}

// load returns the settings of the SDK: its own files and environment, and what
// c sets over them.
func (c Config) load(ctx context.Context) (aws.Config, error) {
	var options []func(*config.LoadOptions) error
	if c.Region != "" {
		options = append(options, config.WithRegion(c.Region))
	}
	if c.AccessKeyID != "" {
		keys := credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, "")
		options = append(options, config.WithCredentialsProvider(keys))
	}
	sdk, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return sdk, err
	}
	if sdk.Region == "" && c.Endpoint == "" {
		return sdk, errors.New("the region is missing: add ?region=REGION to the URL or set AWS_REGION")
	}
	if sdk.Region == "" {
		sdk.Region = "us-east-1" // what servers other than Amazon's expect unless told otherwise
	}
	return sdk, nil
}

func newStore(c Config, sdk aws.Config) *Store {
	s := &Store{bucket: c.Bucket, attempt: c.AttemptTimeout, patience: c.RequestTimeout}
	if c.Prefix != "" {
		s.folder = c.Prefix + "/"
	}
	if s.attempt == 0 {
		s.attempt = defaultAttemptTimeout
	}
	if s.patience == 0 {
		s.patience = defaultRequestTimeout
	}
	s.http = httpClient(sdk)
	s.client = s3.NewFromConfig(sdk, func(o *s3.Options) {
		o.HTTPClient = s.http
		o.Retryer = aws.NopRetryer{} // the store repeats, together with the reading of bodies
		o.UsePathStyle = c.PathStyle
		if c.Endpoint != "" {
			o.BaseEndpoint = aws.String(c.Endpoint)
		}
		// Left to itself the SDK sends a checksum after the body, in a coding
		// that servers older than 2025 refuse. The hash that is part of the
		// signature is older than all of them: they verify the body with it.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenSupported
		o.DisableLogOutputChecksumValidationSkipped = true
		o.Logger = logging.Nop{} // errors say what went wrong
	})
	return s
}

// httpClient returns a client with the transport of the SDK, which trusts the
// certificates of AWS_CA_BUNDLE. The SDK's own client cannot be closed.
func httpClient(sdk aws.Config) *http.Client {
	built, ok := sdk.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		built = awshttp.NewBuildableClient()
	}
	return &http.Client{
		Transport: built.GetTransport(),
		// A request that is sent elsewhere has the wrong signature there.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// signBody makes the hash of the body part of the signature also where TLS
// protects it on the way, which is not the whole way if something ends TLS
// before the server.
func signBody(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		sign := &v4.ComputePayloadSHA256{}
		_, err := stack.Finalize.Swap(sign.ID(), sign)
		return err
	})
}

// Close releases the connections that are not in use. Readers from Open go on
// to work.
func (s *Store) Close() error {
	s.http.CloseIdleConnections()
	return nil
}

func (s *Store) name(key string) string { return s.folder + objects + "/" + key + mark }

// key returns the key of the blob that an object is, if it is one.
func (s *Store) key(name string) (string, bool) {
	key, below := strings.CutPrefix(name, s.folder+objects+"/")
	key, marked := strings.CutSuffix(key, mark)
	return key, below && marked && blob.CheckKey(key) == nil
}

// Delete implements [blob.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	if err := s.remove(ctx, s.name(key)); err != nil {
		return fmt.Errorf("delete blob %s: %w", key, err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, name string) error {
	err := s.request(ctx, func(ctx context.Context) error {
		_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &name})
		return err
	})
	if codeOf(err) == "NoSuchKey" {
		return nil // S3 does not answer so; some others do
	}
	return err
}

// Check implements [blob.Store]: it writes an object beside those of the blobs
// and removes it. Whoever asks wants to know what is now: it does not wait for
// a server that is away.
func (s *Store) Check(ctx context.Context) error {
	now := s.hurried(checkPatience)
	err := now.putObject(ctx, s.folder+probe, []byte("check"))
	if err == nil {
		err = now.remove(ctx, s.folder+probe)
	}
	if err != nil {
		return fmt.Errorf("S3 bucket %s: %w", s.bucket, explain(err))
	}
	return nil
}

// Open implements [blob.Store].
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := blob.CheckKey(key); err != nil {
		return nil, err
	}
	var r io.ReadCloser
	err := s.repeat(ctx, func(ctx context.Context) (err error) {
		r, err = s.download(ctx, s.name(key))
		return err
	})
	if codeOf(err) == "NoSuchKey" {
		return nil, fmt.Errorf("%w: %s", blob.ErrNotFound, key)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", key, err)
	}
	return r, nil
}

// download returns a short blob whole, so that what goes wrong on the way is
// repeated, and a long one as it comes.
func (s *Store) download(ctx context.Context, name string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	b := &body{
		patience: s.attempt,
		timer:    time.AfterFunc(s.attempt, func() { cancel(errNoAnswer) }),
		cause:    func(err error) error { return causeOf(ctx, err) },
		cancel:   func() { cancel(nil) },
	}
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &name})
	if err != nil {
		err = b.cause(err)
		b.release()
		return nil, err
	}
	b.r = out.Body
	if out.ContentLength == nil || *out.ContentLength > wholeUpTo {
		b.timer.Stop() // until the first Read
		return b, nil
	}
	defer b.Close()
	content := bytes.NewBuffer(make([]byte, 0, *out.ContentLength+bytes.MinRead))
	if _, err := content.ReadFrom(out.Body); err != nil {
		return nil, &brokenBodyError{b.cause(err)}
	}
	return io.NopCloser(content), nil
}

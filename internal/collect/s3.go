package collect

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func s3Kinds() []kind {
	return []kind{
		kindOf("s3.bucket", global, "s3:ListAllMyBuckets,s3:GetBucketLocation", readBuckets),
		kindOf("s3.bucket-policy-statement", global, "s3:ListAllMyBuckets,s3:GetBucketLocation,s3:GetBucketPolicy", readBucketPolicyStatements),
		kindOf("s3.account-public-access-block", global, "s3:GetAccountPublicAccessBlock", readAccountPublicAccessBlock),
	}
}

// s3 returns a client for a region. Endpoints other than AWS's seldom have a
// name of its own for every bucket, so that the bucket is in the path there.
func (r *reader) s3(region string) *s3.Client {
	return s3.NewFromConfig(r.config, func(o *s3.Options) {
		o.Region = region
		o.UsePathStyle = o.BaseEndpoint != nil
	})
}

// Bucket is a bucket of the account, whatever its region.
type Bucket struct {
	types.Bucket
	Region            string                                       `doc:"Such as eu-west-1."`
	Unread            []string                                     `part:"s3:ListAllMyBuckets" doc:"The names of the parts that the bucket denies the account, though others tell theirs. A check that uses this judges the other buckets all the same; one that does not has no result then."`
	Acl               *s3.GetBucketAclOutput                       `part:"s3:GetBucketAcl"`
	PolicyStatus      *types.PolicyStatus                          `part:"s3:GetBucketPolicyStatus" doc:"Whether S3 takes the bucket policy for public."`
	PublicAccessBlock *types.PublicAccessBlockConfiguration        `part:"s3:GetBucketPublicAccessBlock"`
	Versioning        *s3.GetBucketVersioningOutput                `part:"s3:GetBucketVersioning"`
	Logging           *types.LoggingEnabled                        `part:"s3:GetBucketLogging" doc:"Server access logging; nothing when it is off."`
	LogTargetExists   bool                                         `part:"s3:GetBucketLogging,s3:ListBucket" doc:"Whether the bucket that the access logs go to exists, whosever it is."`
	LifecycleRules    []types.LifecycleRule                        `part:"s3:GetLifecycleConfiguration"`
	Encryption        *types.ServerSideEncryptionConfiguration     `part:"s3:GetEncryptionConfiguration"`
	Notification      *s3.GetBucketNotificationConfigurationOutput `part:"s3:GetBucketNotification"`
	Ownership         *types.OwnershipControls                     `part:"s3:GetBucketOwnershipControls"`
	Replication       *types.ReplicationConfiguration              `part:"s3:GetReplicationConfiguration"`
}

// region makes results name the bucket's region, as AWS's do.
func (b Bucket) region() string { return b.Region }

func readBuckets(ctx context.Context, r *reader, emit emit[Bucket]) error {
	buckets, err := r.buckets(ctx)
	if err != nil {
		return err
	}
	var denied denials
	defer denied.fail(r)
	return forEach(ctx, buckets, func(ctx context.Context, b Bucket) error {
		read := bucketReader{parts: parts{reader: r, codes: []string{noSuchBucket}}, client: r.s3(b.Region), bucket: &b, denied: &denied}
		if read.all(ctx); read.gone {
			return nil
		}
		return emit(r.bucketARN(b), b)
	})
}

func (r *reader) bucketARN(b Bucket) string {
	return "arn:" + r.partition() + ":s3:::" + aws.ToString(b.Name)
}

// buckets lists the buckets with their regions.
func (r *reader) buckets(ctx context.Context) ([]Bucket, error) {
	return once(r, "s3:ListBuckets", func() ([]Bucket, error) {
		// With a number of buckets asked for, S3 tells their regions too.
		listed, err := gather(ctx, r.s3(r.config.Region).ListBuckets, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1000)},
			func(page *s3.ListBucketsOutput) []types.Bucket { return page.Buckets })
		if err != nil {
			return nil, err
		}
		return r.withRegions(ctx, listed)
	})
}

func (r *reader) withRegions(ctx context.Context, listed []types.Bucket) (buckets []Bucket, err error) {
	var mu sync.Mutex
	err = forEach(ctx, listed, func(ctx context.Context, b types.Bucket) (err error) {
		region := aws.ToString(b.BucketRegion)
		if region == "" {
			region, err = r.bucketRegion(ctx, b.Name)
		}
		if err != nil {
			return ignored(err, noSuchBucket)
		}
		mu.Lock()
		defer mu.Unlock()
		buckets = append(buckets, Bucket{Bucket: b, Region: region})
		return nil
	})
	return buckets, err
}

// ignored returns an error unless it has one of the codes.
func ignored(err error, codes ...string) error {
	if hasCode(err, codes...) {
		return nil
	}
	return err
}

const noSuchBucket = "NoSuchBucket"

func (r *reader) bucketRegion(ctx context.Context, bucket *string) (string, error) {
	out, err := r.s3(r.config.Region).GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: bucket})
	if err != nil {
		return "", err
	}
	switch out.LocationConstraint {
	case "":
		return r.homeRegion(), nil
	case types.BucketLocationConstraintEu:
		return "eu-west-1", nil
	}
	return string(out.LocationConstraint), nil
}

// bucketReader reads the parts of one bucket.
type bucketReader struct {
	parts
	client *s3.Client
	bucket *Bucket
	denied *denials
}

// read is [parts.read], and notes what the bucket denies.
func (r *bucketReader) read(name string, f func() error, absent ...string) {
	r.parts.read(name, func() error {
		err := f()
		if hasCode(err, "AccessDenied") {
			r.bucket.Unread = append(r.bucket.Unread, name)
			r.denied.add(name, err)
			return nil
		}
		if err == nil || hasCode(err, absent...) {
			r.denied.answered(name)
		}
		return err
	}, absent...)
}

// denials are the parts that resources deny: a bucket policy may deny what the
// account is allowed for all others.
type denials struct {
	mu   sync.Mutex
	errs map[string][]error // by part
	told map[string]bool    // parts that some resource told
}

func (d *denials) add(part string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.errs == nil {
		d.errs = map[string][]error{}
	}
	d.errs[part] = append(d.errs[part], err)
}

func (d *denials) answered(part string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.told == nil {
		d.told = map[string]bool{}
	}
	d.told[part] = true
}

// fail makes failures of them. Where no resource told a part, it is the account
// that may not ask, and nothing is known of any.
func (d *denials) fail(r *reader) {
	for part, errs := range d.errs {
		where := r.task.failure(part)
		if d.told[part] {
			where.Told = "Unread"
		}
		for _, err := range errs {
			r.failed(where, err)
		}
	}
}

func (r *bucketReader) all(ctx context.Context) {
	r.access(ctx)
	r.logging(ctx)
	r.content(ctx)
}

// access reads who may do what.
func (r *bucketReader) access(ctx context.Context) {
	b, name := r.bucket, r.bucket.Name
	r.read("Acl", func() (err error) {
		b.Acl, err = r.client.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: name})
		return err
	})
	r.read("PolicyStatus", func() error {
		out, err := r.client.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: name})
		if err != nil {
			return err
		}
		b.PolicyStatus = out.PolicyStatus
		return nil
	}, "NoSuchBucketPolicy")
	r.read("PublicAccessBlock", func() error {
		out, err := r.client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name})
		if err != nil {
			return err
		}
		b.PublicAccessBlock = out.PublicAccessBlockConfiguration
		return nil
	}, noPublicAccessBlock)
	r.read("Ownership", func() error {
		out, err := r.client.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name})
		if err != nil {
			return err
		}
		b.Ownership = out.OwnershipControls
		return nil
	}, "OwnershipControlsNotFoundError")
}

func (r *bucketReader) logging(ctx context.Context) {
	if !r.wants("Logging") && !r.wants("LogTargetExists") {
		return
	}
	out, err := r.client.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: r.bucket.Name})
	r.read("Logging", func() error {
		if err == nil {
			r.bucket.Logging = out.LoggingEnabled
		}
		return err
	})
	r.read("LogTargetExists", func() error {
		if err != nil || out.LoggingEnabled == nil {
			return err
		}
		exists, err := bucketExists(ctx, r.client, aws.ToString(out.LoggingEnabled.TargetBucket))
		r.bucket.LogTargetExists = exists
		return err
	})
}

// content reads what becomes of the objects.
func (r *bucketReader) content(ctx context.Context) {
	b, name := r.bucket, r.bucket.Name
	r.read("Versioning", func() (err error) {
		b.Versioning, err = r.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name})
		return err
	})
	r.read("LifecycleRules", func() error {
		out, err := r.client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
		if err != nil {
			return err
		}
		b.LifecycleRules = out.Rules
		return nil
	}, "NoSuchLifecycleConfiguration")
	r.read("Encryption", func() error {
		out, err := r.client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: name})
		if err != nil {
			return err
		}
		b.Encryption = out.ServerSideEncryptionConfiguration
		return nil
	}, "ServerSideEncryptionConfigurationNotFoundError")
	r.read("Notification", func() (err error) {
		b.Notification, err = r.client.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: name})
		return err
	})
	r.read("Replication", func() error {
		out, err := r.client.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: name})
		if err != nil {
			return err
		}
		b.Replication = out.ReplicationConfiguration
		return nil
	}, "ReplicationConfigurationNotFoundError")
}

// BucketPolicyStatement is a statement of a bucket policy.
type BucketPolicyStatement struct {
	PolicyStatement
	Bucket  string `doc:"The name of the bucket."`
	Public  bool   `doc:"Whether it is about everybody: its principal is *, or everybody but some."`
	Foreign bool   `doc:"Whether it is about principals of other accounts, or everybody."`
}

func readBucketPolicyStatements(ctx context.Context, r *reader, emit emit[BucketPolicyStatement]) error {
	buckets, err := r.buckets(ctx)
	if err != nil {
		return err
	}
	return forEach(ctx, buckets, func(ctx context.Context, b Bucket) error {
		out, err := r.s3(b.Region).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b.Name})
		if err != nil {
			return ignored(err, noSuchBucket, "NoSuchBucketPolicy")
		}
		statements, err := parsePolicy(aws.ToString(out.Policy))
		if err != nil {
			return fmt.Errorf("%s: %w", aws.ToString(b.Name), err)
		}
		for i, s := range statements {
			statement := BucketPolicyStatement{PolicyStatement: s, Bucket: aws.ToString(b.Name), Public: s.public(), Foreign: s.foreign(r.owner)}
			if err := emit(fmt.Sprintf("%s/policy/%d", r.bucketARN(b), i), statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// bucketExists reports whether there is a bucket of the name, in whatever
// account and region: S3 answers 404 for those that are not there only.
func bucketExists(ctx context.Context, client *s3.Client, bucket string) (bool, error) {
	_, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
	if err == nil {
		return true, nil
	}
	switch status(err) {
	case http.StatusNotFound:
		return false, nil
	case http.StatusForbidden, http.StatusMovedPermanently, http.StatusBadRequest:
		return true, nil
	}
	return false, err
}

// AccountPublicAccessBlock is what S3 blocks for all buckets of the account.
// There is one in every account; one that was never set blocks nothing.
type AccountPublicAccessBlock struct {
	AccountID             string `doc:"The account."`
	BlockPublicAcls       bool
	BlockPublicPolicy     bool
	IgnorePublicAcls      bool
	RestrictPublicBuckets bool
}

const noPublicAccessBlock = "NoSuchPublicAccessBlockConfiguration"

func readAccountPublicAccessBlock(ctx context.Context, r *reader, emit emit[AccountPublicAccessBlock]) error {
	client := s3control.NewFromConfig(r.config, func(o *s3control.Options) {
		if o.BaseEndpoint != nil {
			o.EndpointResolverV2 = plainEndpoint(*o.BaseEndpoint)
			o.APIOptions = append(o.APIOptions, withoutHostPrefix)
		}
	})
	block := AccountPublicAccessBlock{AccountID: r.owner}
	out, err := client.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: &r.owner})
	if err != nil && !hasCode(err, noPublicAccessBlock) {
		return err
	}
	if err == nil && out.PublicAccessBlockConfiguration != nil {
		c := out.PublicAccessBlockConfiguration
		block.BlockPublicAcls, block.BlockPublicPolicy = aws.ToBool(c.BlockPublicAcls), aws.ToBool(c.BlockPublicPolicy)
		block.IgnorePublicAcls, block.RestrictPublicBuckets = aws.ToBool(c.IgnorePublicAcls), aws.ToBool(c.RestrictPublicBuckets)
	}
	return emit(r.owner, block)
}

// plainEndpoint is an endpoint for all accounts: AWS has one for each, with the
// account in the host's name, where others have the address that they have.
type plainEndpoint string

func (e plainEndpoint) ResolveEndpoint(context.Context, s3control.EndpointParameters) (smithyendpoints.Endpoint, error) {
	address, err := url.Parse(string(e))
	if err != nil {
		return smithyendpoints.Endpoint{}, err
	}
	return smithyendpoints.Endpoint{URI: *address}, nil
}

// withoutHostPrefix keeps the account out of the host's name.
func withoutHostPrefix(stack *middleware.Stack) error {
	f := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
	}
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("withoutHostPrefix", f), middleware.After)
}

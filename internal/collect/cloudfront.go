package collect

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
)

func cloudfrontKinds() []kind {
	return []kind{
		kindOf("cloudfront.distribution", global, "cloudfront:ListDistributions", readDistributions),
		kindOf("cloudfront.cache-policy", global, "cloudfront:ListCachePolicies", readCachePolicies),
	}
}

func (r *reader) cloudfront() *cloudfront.Client { return cloudfront.NewFromConfig(r.config) }

// Distribution is a distribution.
type Distribution struct {
	types.DistributionSummary
	Behaviors      []Behavior                `doc:"The default cache behavior, and then the others."`
	Config         *types.DistributionConfig `part:"cloudfront:GetDistributionConfig" doc:"The default root object, logging and all that the list of distributions does not tell."`
	MissingBuckets []string                  `part:"s3:ListBucket" doc:"The buckets of S3 origins that do not exist."`
}

// Behavior is a cache behavior of a distribution.
type Behavior struct {
	PathPattern          string `doc:"Default (*) for the default cache behavior."`
	TargetOriginId       string
	ViewerProtocolPolicy types.ViewerProtocolPolicy
	CachePolicyId        string   `doc:"Empty for a behavior with settings of its own."`
	ForwardedHeaders     []string `doc:"The headers that the behavior itself forwards; * is all of them. Those of its cache policy are not among them."`
}

func readDistributions(ctx context.Context, r *reader, emit emit[Distribution]) error {
	client := r.cloudfront()
	return pages(ctx, client.ListDistributions, &cloudfront.ListDistributionsInput{}, func(page *cloudfront.ListDistributionsOutput) error {
		if page.DistributionList == nil {
			return nil
		}
		return forEach(ctx, page.DistributionList.Items, func(ctx context.Context, summary types.DistributionSummary) error {
			config := sync.OnceValues(func() (*types.DistributionConfig, error) {
				out, err := client.GetDistributionConfig(ctx, &cloudfront.GetDistributionConfigInput{Id: summary.Id})
				if err != nil {
					return nil, err
				}
				return out.DistributionConfig, nil
			})
			if err := complete(&summary, config); err != nil {
				return ignored(err, noSuchDistribution)
			}
			hideHeaders(summary.Origins)
			d := Distribution{DistributionSummary: summary, Behaviors: behaviors(summary)}
			parts := parts{reader: r, codes: []string{noSuchDistribution}}
			parts.read("Config", func() (err error) {
				if d.Config, err = config(); err == nil {
					hideHeaders(d.Config.Origins)
				}
				return err
			})
			parts.read("MissingBuckets", func() (err error) {
				d.MissingBuckets, err = r.missingBuckets(ctx, summary.Origins)
				return err
			})
			if parts.gone {
				return nil
			}
			return emit(aws.ToString(d.ARN), d)
		})
	})
}

// hideHeaders removes the values of headers for origins: they are often what
// the origin knows CloudFront by.
func hideHeaders(origins *types.Origins) {
	if origins == nil {
		return
	}
	for _, o := range origins.Items {
		if o.CustomHeaders == nil {
			continue
		}
		for i := range o.CustomHeaders.Items {
			o.CustomHeaders.Items[i].HeaderValue = nil
		}
	}
}

const noSuchDistribution = "NoSuchDistribution"

// complete adds to a summary what AWS always has in it, and others may have in
// the configuration only.
func complete(d *types.DistributionSummary, config func() (*types.DistributionConfig, error)) error {
	if d.Origins != nil && d.DefaultCacheBehavior != nil && d.ViewerCertificate != nil {
		return nil
	}
	c, err := config()
	if err != nil {
		return err
	}
	d.Aliases, d.Origins, d.OriginGroups = c.Aliases, c.Origins, c.OriginGroups
	d.DefaultCacheBehavior, d.CacheBehaviors = c.DefaultCacheBehavior, c.CacheBehaviors
	d.ViewerCertificate, d.WebACLId = c.ViewerCertificate, c.WebACLId
	return nil
}

func behaviors(d types.DistributionSummary) (all []Behavior) {
	if b := d.DefaultCacheBehavior; b != nil {
		//lint:ignore SA1019 behaviors without a cache policy still have their headers there
		forwarded := b.ForwardedValues
		all = append(all, Behavior{
			PathPattern: "Default (*)", TargetOriginId: aws.ToString(b.TargetOriginId), ViewerProtocolPolicy: b.ViewerProtocolPolicy,
			CachePolicyId: aws.ToString(b.CachePolicyId), ForwardedHeaders: forwardedHeaders(forwarded),
		})
	}
	if d.CacheBehaviors == nil {
		return all
	}
	for _, b := range d.CacheBehaviors.Items {
		//lint:ignore SA1019 as above
		forwarded := b.ForwardedValues
		all = append(all, Behavior{
			PathPattern: aws.ToString(b.PathPattern), TargetOriginId: aws.ToString(b.TargetOriginId), ViewerProtocolPolicy: b.ViewerProtocolPolicy,
			CachePolicyId: aws.ToString(b.CachePolicyId), ForwardedHeaders: forwardedHeaders(forwarded),
		})
	}
	return all
}

func forwardedHeaders(v *types.ForwardedValues) []string {
	if v == nil || v.Headers == nil {
		return nil
	}
	return v.Headers.Items
}

func (r *reader) missingBuckets(ctx context.Context, origins *types.Origins) (missing []string, err error) {
	if origins == nil {
		return nil, nil
	}
	for _, o := range origins.Items {
		bucket := originBucket(aws.ToString(o.DomainName))
		if bucket == "" || slices.Contains(missing, bucket) {
			continue
		}
		exists, err := bucketExists(ctx, r.s3(r.config.Region), bucket)
		if err != nil {
			return nil, err
		}
		if !exists {
			missing = append(missing, bucket)
		}
	}
	return missing, nil
}

// originBucket returns the bucket that a domain name is of, such as
// example.s3.eu-west-1.amazonaws.com; nothing for other names and for websites
// on S3.
func originBucket(domain string) string {
	domain, ok := strings.CutSuffix(strings.TrimSuffix(domain, ".cn"), ".amazonaws.com")
	if !ok {
		return ""
	}
	i := max(strings.LastIndex(domain, ".s3."), strings.LastIndex(domain, ".s3-"))
	switch {
	case strings.HasSuffix(domain, ".s3"):
		return strings.TrimSuffix(domain, ".s3")
	case i < 0, strings.HasPrefix(domain[i:], ".s3-website"):
		return ""
	}
	return domain[:i]
}

func readCachePolicies(ctx context.Context, r *reader, emit emit[types.CachePolicy]) error {
	input := &cloudfront.ListCachePoliciesInput{}
	return pages(ctx, r.cloudfront().ListCachePolicies, input, func(page *cloudfront.ListCachePoliciesOutput) error {
		if page.CachePolicyList == nil {
			return nil
		}
		for _, p := range page.CachePolicyList.Items {
			if err := emit(r.arn("cloudfront", "cache-policy/"+aws.ToString(p.CachePolicy.Id)), *p.CachePolicy); err != nil {
				return err
			}
		}
		return nil
	})
}

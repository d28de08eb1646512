package collect

import (
	"cmp"
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/supportd/supportd/internal/advisor"
)

// attempts is how often a call is made before it has failed.
const attempts = 6

// load returns the configuration of all clients of a source.
func load(ctx context.Context, s advisor.Source, calls int) (aws.Config, error) {
	first := ""
	if len(s.Regions) > 0 {
		first = s.Regions[0]
	}
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(&limited{client: awshttp.NewBuildableClient(), free: make(chan struct{}, calls)}),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
				o.StandardOptions = append(o.StandardOptions, func(o *retry.StandardOptions) { o.MaxAttempts = attempts })
			})
		}),
		config.WithAppID("supportd"),
	}
	if first != "" {
		options = append(options, config.WithRegion(first))
	}
	if s.Endpoint != "" {
		options = append(options, config.WithBaseEndpoint(s.Endpoint))
	}
	if s.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(s.Profile))
	}
	if s.AccessKeyID != "" {
		options = append(options, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretAccessKey, s.SessionToken)))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return c, err
	}
	c.Region = cmp.Or(c.Region, defaultRegion)
	if s.Role != "" {
		c.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c), s.Role, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "supportd"
			if s.ExternalID != "" {
				o.ExternalID = &s.ExternalID
			}
		}))
	}
	return c, nil
}

// limited is an HTTP client with a bound on the requests that run at once.
type limited struct {
	client aws.HTTPClient
	free   chan struct{}
}

func (l *limited) Do(r *http.Request) (*http.Response, error) {
	select {
	case l.free <- struct{}{}:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	defer func() { <-l.free }()
	return l.client.Do(r)
}

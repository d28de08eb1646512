package collect

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/supportd/supportd/internal/advisor"
)

// attempts is how often a call is made before it has failed.
const attempts = 6

// load returns the configuration of all clients of a source.
func load(ctx context.Context, s advisor.Source, calls int, answer time.Duration) (aws.Config, error) {
	first := ""
	if len(s.Regions) > 0 {
		first = s.Regions[0]
	}
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client(calls, answer)), // to which the environment may add certificates
		config.WithRetryer(retryer),
		config.WithAppID("supportd"),
	}
	if s.Endpoint != "" {
		// Who names an endpoint is not on a machine of AWS that has a role, and
		// would wait for its service to not answer.
		options = append(options, config.WithBaseEndpoint(s.Endpoint), config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	if first != "" {
		options = append(options, config.WithRegion(first))
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
	c.HTTPClient = &limited{client: c.HTTPClient, free: make(chan struct{}, calls)}
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

// client returns a client that waits for no connection or answer very long.
func client(calls int, answer time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(2 * answer).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = min(answer, 5*time.Second) }).
		WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = answer
			t.MaxIdleConnsPerHost = max(calls, t.MaxIdleConnsPerHost)
		})
}

// retryer repeats what is throttled or broke down on the way, slower and slower.
func retryer() aws.Retryer {
	return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
		o.StandardOptions = append(o.StandardOptions, func(o *retry.StandardOptions) {
			o.MaxAttempts = attempts
			o.MaxBackoff = 5 * time.Second
			o.Backoff = retry.NewExponentialJitterBackoff(o.MaxBackoff)
			o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(hopeless)}, o.Retryables...)
		})
	})
}

// hopeless is false for what would fail in the same way again: nobody listens,
// there is no such host (as for a service that a region does not have), or
// nothing was answered for as long as an answer may take.
func hopeless(err error) aws.Ternary {
	var host *net.DNSError
	var slow net.Error
	var api smithy.APIError
	if status(err) == http.StatusInternalServerError && (!errors.As(err, &api) || api.ErrorCode() == "" || api.ErrorCode() == "UnknownError") {
		return aws.FalseTernary // an endpoint that breaks over what it does not have: AWS names a code
	}
	if errors.Is(err, errAnswer) || errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &host) && host.IsNotFound || errors.As(err, &slow) && slow.Timeout() {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
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
	answer, err := l.client.Do(r)
	if err == nil && answer.StatusCode < 300 && r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		err = checkForm(answer)
	}
	return answer, err
}

var errAnswer = errors.New("the answer is none of the API: it does not begin with a response in XML")

// checkForm refuses answers that are not what calls with a form have: XML whose
// outermost element is called …Response. The SDK takes anything else, such as
// the page of a web server, for an answer that says nothing, and nothing would
// be what the account has.
func checkForm(answer *http.Response) error {
	begin := bufio.NewReader(answer.Body)
	answer.Body = struct {
		io.Reader
		io.Closer
	}{begin, answer.Body}
	head, _ := begin.Peek(2048) // what ends earlier ends with an error, and is as long as it is
	decoder := xml.NewDecoder(bytes.NewReader(head))
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		token, err := decoder.RawToken()
		if err != nil {
			return errAnswer
		}
		if root, ok := token.(xml.StartElement); ok {
			if !strings.HasSuffix(root.Name.Local, "Response") {
				return errAnswer
			}
			return nil
		}
	}
}

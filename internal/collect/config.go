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
	if errors.Is(err, errAnswer) || errors.Is(err, errObjects) || errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &host) && host.IsNotFound || errors.As(err, &slow) && slow.Timeout() {
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
	if err == nil && answer.StatusCode < 300 {
		err = checkAnswer(r, answer)
	}
	return answer, err
}

var (
	errAnswer  = errors.New("the answer is none of the API: it is empty, or in another format")
	errObjects = errors.New("the answer is none of the call: it is a list of objects")
)

// checkAnswer refuses answers of which the SDK makes one that says nothing, so
// that nothing would be what the account has: an empty one, or the page of a
// web server. Calls with a form are answered with XML whose outermost element is
// called …Response; some services speak XML otherwise, and all others JSON. And
// who plays S3 but does not know what is asked of a bucket answers with its
// objects, which no collector asks for.
func checkAnswer(r *http.Request, answer *http.Response) error {
	if r.Method == http.MethodHead || answer.StatusCode == http.StatusNoContent {
		return nil
	}
	root, first := beginning(answer)
	switch {
	case r.Header.Get("Content-Type") == "application/x-www-form-urlencoded":
		if !strings.HasSuffix(root, "Response") {
			return errAnswer
		}
	case speaksXML(r):
		if root == "ListBucketResult" {
			return errObjects
		}
		if root == "" || strings.EqualFold(root, "html") {
			return errAnswer
		}
	case first != '{' && first != '[':
		return errAnswer
	}
	return nil
}

// speaksXML reports whether a request without a form is of a service that
// answers in XML. Bucket policies are JSON all the same.
func speaksXML(r *http.Request) bool {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(scope, "/")
	if len(parts) < 4 {
		return false
	}
	switch parts[3] {
	case "route53", "cloudfront":
		return true
	case "s3":
		return !r.URL.Query().Has("policy")
	}
	return false
}

// beginning returns the name of the outermost element of an answer, if it is
// XML, and its first character that is no blank. The body can be read as before.
func beginning(answer *http.Response) (root string, first byte) {
	begin := bufio.NewReader(answer.Body)
	answer.Body = struct {
		io.Reader
		io.Closer
	}{begin, answer.Body}
	head, _ := begin.Peek(2048) // what ends earlier ends with an error, and is as long as it is
	if text := bytes.TrimLeft(head, " \t\r\n"); len(text) > 0 {
		first = text[0]
	}
	decoder := xml.NewDecoder(bytes.NewReader(head))
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		token, err := decoder.RawToken()
		if err != nil {
			return "", first
		}
		if element, ok := token.(xml.StartElement); ok {
			return element.Name.Local, first
		}
	}
}

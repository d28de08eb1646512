package s3blob

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/blob"
)

const (
	defaultAttemptTimeout = 30 * time.Second
	defaultRequestTimeout = time.Minute
)

var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$`)

// Config says where a bucket is and who asks for it. Bucket must be set; the
// zero values of the rest are the defaults. Printed, it is its URL, which has
// no secrets.
type Config struct {
	Bucket string
	// Prefix keeps this store apart from others in the bucket. It is of the form
	// of a key with at most 200 bytes.
	Prefix string
	// Endpoint is the http or https URL of a server other than Amazon's. It wins
	// over AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_S3.
	Endpoint string
	// Region is by default that of the SDK's environment, and us-east-1 for a
	// server other than Amazon's.
	Region string
	// PathStyle puts the bucket's name into the path of requests instead of the
	// host's name. Parse sets it when the URL has an endpoint.
	PathStyle bool

	// AccessKeyID and SecretAccessKey sign requests. Without them the SDK looks
	// for credentials: environment, profile, role of the machine.
	AccessKeyID     string
	SecretAccessKey string `json:"-"`

	// AttemptTimeout is how long one request and its answer may take, or, for a
	// body of more than 1 MiB, how long the server may be silent; 30 seconds.
	AttemptTimeout time.Duration
	// RequestTimeout is how long a request that does not succeed is repeated, the
	// last attempt not counted; one minute.
	RequestTimeout time.Duration
}

// Parse reads a URL s3://BUCKET/PREFIX?endpoint=URL&region=REGION&path-style=true.
// All but the bucket may be missing.
func Parse(text string) (Config, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "s3" || u.Opaque != "" || u.Fragment != "":
		return Config{}, errors.New("S3 URL: want s3://BUCKET/PREFIX?endpoint=URL&region=REGION") // the text may hold a secret
	case u.User != nil:
		return Config{}, errors.New("S3 URL: want no credentials in it")
	}
	c := Config{Bucket: u.Host}
	if len(u.Path) > 1 {
		c.Prefix = u.Path[1:]
	}
	if err := c.parseQuery(u.RawQuery); err != nil {
		return Config{}, fmt.Errorf("S3 URL: %w", err)
	}
	return c, c.check()
}

func (c *Config) parseQuery(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return err
	}
	for name, value := range values {
		if len(value) > 1 || value[0] == "" {
			return fmt.Errorf("want one value of %s", name)
		}
	}
	for name := range values {
		switch name {
		case "endpoint", "region", "path-style":
		default:
			return fmt.Errorf("unknown parameter %q, want endpoint, region or path-style", name)
		}
	}
	c.Endpoint, c.Region, c.PathStyle = values.Get("endpoint"), values.Get("region"), values.Has("endpoint")
	if !values.Has("path-style") {
		return nil
	}
	switch style := values.Get("path-style"); style {
	case "true", "false":
		c.PathStyle = style == "true"
	default:
		return fmt.Errorf("path-style is %q, want true or false", style)
	}
	return nil
}

func (c Config) check() error {
	if !bucketName.MatchString(c.Bucket) {
		return fmt.Errorf("S3 bucket %q: want a name of 3 to 63 letters, digits, dots and hyphens; the server goes into ?endpoint=", c.Bucket)
	}
	if c.Prefix != "" && (blob.CheckKey(c.Prefix) != nil || len(c.Prefix) > 200) {
		return fmt.Errorf("S3 prefix %q: want up to four segments of letters, digits, dots, underscores and hyphens, 200 bytes in all", c.Prefix)
	}
	if c.Endpoint != "" && !validEndpoint(c.Endpoint) {
		return errors.New("S3 endpoint: want http://HOST:PORT or https://HOST:PORT") // the text may hold a secret
	}
	if (c.AccessKeyID == "") != (c.SecretAccessKey == "") {
		return errors.New("S3 credentials: want both an access key id and a secret access key, or neither")
	}
	if c.AttemptTimeout < 0 || c.RequestTimeout < 0 {
		return errors.New("S3 timeouts: want none below zero")
	}
	return nil
}

func validEndpoint(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return false
	}
	return u.User == nil && (u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.Fragment == ""
}

// String returns the URL from which Parse reads c, without the credentials.
func (c Config) String() string {
	var query []string
	if c.Endpoint != "" {
		query = append(query, "endpoint="+c.Endpoint) // nothing in it needs escaping
	}
	if c.Region != "" {
		query = append(query, "region="+url.QueryEscape(c.Region))
	}
	if c.PathStyle != (c.Endpoint != "") {
		query = append(query, "path-style="+strconv.FormatBool(c.PathStyle))
	}
	u := url.URL{Scheme: "s3", Host: c.Bucket, Path: c.Prefix, RawQuery: strings.Join(query, "&")}
	return u.String()
}

// GoString returns what String does.
func (c Config) GoString() string { return c.String() }

// LogValue implements [slog.LogValuer].
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

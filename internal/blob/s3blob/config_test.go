package s3blob_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/blob/s3blob"
)

func TestParse(t *testing.T) {
	tests := []struct {
		url  string
		want s3blob.Config
	}{
		{"s3://bucket", s3blob.Config{Bucket: "bucket"}},
		{"s3://bucket/", s3blob.Config{Bucket: "bucket"}},
		{"s3://bucket/a/b?region=eu-central-1", s3blob.Config{Bucket: "bucket", Prefix: "a/b", Region: "eu-central-1"}},
		{"s3://my.bucket-1?endpoint=http://[::1]:9000", s3blob.Config{Bucket: "my.bucket-1", Endpoint: "http://[::1]:9000", PathStyle: true}},
		{
			"s3://bucket/a?endpoint=https%3A%2F%2Fs3.example.com&region=local&path-style=false",
			s3blob.Config{Bucket: "bucket", Prefix: "a", Endpoint: "https://s3.example.com", Region: "local"},
		},
		{"s3://bucket?path-style=true", s3blob.Config{Bucket: "bucket", PathStyle: true}},
	}
	for _, test := range tests {
		got, err := s3blob.Parse(test.url)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("Parse(%q) = %v (-want +got):\n%s", test.url, err, diff)
		}
		if again, err := s3blob.Parse(got.String()); again != got || err != nil {
			t.Errorf("Parse(%q) = %v, %v; want what was printed", got, again, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := map[string]string{
		"":                                       "want s3://BUCKET",
		"bucket":                                 "want s3://BUCKET",
		"https://s3.example.com/bucket":          "want s3://BUCKET",
		"s3:bucket":                              "want s3://BUCKET",
		"s3://bucket#secret":                     "want s3://BUCKET",
		"s3://bucket\nsecret":                    "want s3://BUCKET",
		"s3://key:secret@bucket":                 "no credentials",
		"s3://":                                  "want a name",
		"s3:///prefix":                           "want a name",
		"s3://ab":                                "want a name",
		"s3://s3.example.com:9000/b":             "endpoint=",
		"s3://buck_et-/":                         "want a name",
		"s3://bucket//a":                         "S3 prefix",
		"s3://bucket/a/":                         "S3 prefix",
		"s3://bucket/../a":                       "S3 prefix",
		"s3://bucket/a%2Bb":                      "S3 prefix",
		"s3://bucket/a b":                        "S3 prefix",
		"s3://bucket/a/b/c/d/e":                  "S3 prefix",
		"s3://bucket?regoin=x":                   `unknown parameter "regoin"`,
		"s3://bucket?secret=x":                   `unknown parameter "secret"`,
		"s3://bucket?region=":                    "want one value of region",
		"s3://bucket?region=a&region=b":          "want one value of region",
		"s3://bucket?region=%zz":                 "invalid URL escape",
		"s3://bucket?path-style=yes":             `path-style is "yes"`,
		"s3://bucket?endpoint=localhost":         "S3 endpoint",
		"s3://bucket?endpoint=ftp://h":           "S3 endpoint",
		"s3://bucket?endpoint=http://":           "S3 endpoint",
		"s3://bucket?endpoint=http://k:secret@h": "S3 endpoint",
		"s3://bucket?endpoint=http://h/path":     "S3 endpoint",
		"s3://bucket?endpoint=http://h:port":     "S3 endpoint",
		"s3://bucket?endpoint=http://h%3Fa%3Db":  "S3 endpoint",
	}
	for url, want := range tests {
		c, err := s3blob.Parse(url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Parse(%q) = %v, %v; want one line with %q", url, c, err, want)
		}
		if err != nil && strings.Contains(strings.ReplaceAll(err.Error(), `"secret"`, ""), "secret") {
			t.Errorf("Parse(%q) = %v, want no secret in it", url, err)
		}
	}
}

func TestOpenRefusesBadConfig(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	tests := map[string]s3blob.Config{
		"want a name":           {},
		"both an access key id": {Bucket: "bucket", SecretAccessKey: "secret"},
		"want none below zero":  {Bucket: "bucket", RequestTimeout: -1},
		"region is missing":     {Bucket: "bucket", AccessKeyID: "key", SecretAccessKey: "secret"},
	}
	for want, c := range tests {
		if _, err := s3blob.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%v) = %v, want %q", c, err, want)
		}
	}
}

func TestConfigPrintsNoSecret(t *testing.T) {
	c := s3blob.Config{Bucket: "bucket", AccessKeyID: "key", SecretAccessKey: "hidden"}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("open", "blobs", c)
	slog.New(slog.NewTextHandler(&log, nil)).Info("open", "blobs", &c)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	printed := log.String() + string(text)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		printed += fmt.Sprintf(format, c) + fmt.Sprintf(format, &c) + fmt.Sprintf(format, struct{ C s3blob.Config }{c})
	}
	if strings.Contains(printed, "hidden") {
		t.Errorf("printed: %s; want no secret", printed)
	}
}

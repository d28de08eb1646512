package collect

import "testing"

func TestOriginBucketIsThatOfTheDomainName(t *testing.T) {
	for domain, want := range map[string]string{
		"data.s3.amazonaws.com":                      "data",
		"data.s3.eu-west-1.amazonaws.com":            "data",
		"data.s3-eu-west-1.amazonaws.com":            "data",
		"www.example.com.s3.eu-west-1.amazonaws.com": "www.example.com",
		"a.s3.b.s3.eu-west-1.amazonaws.com":          "a.s3.b",
		"data.s3.cn-north-1.amazonaws.com.cn":        "data",
		"data.s3-website-us-east-1.amazonaws.com":    "",
		"data.s3-website.eu-central-1.amazonaws.com": "",
		"web-1.us-east-1.elb.amazonaws.com":          "",
		"www.example.com":                            "",
		"static.s3.example.com":                      "",
		"abc.execute-api.us-east-1.amazonaws.com":    "",
		"data.s3.dualstack.eu-west-1.amazonaws.com":  "data",
	} {
		if got := originBucket(domain); got != want {
			t.Errorf("originBucket(%q) = %q, want %q", domain, got, want)
		}
	}
}

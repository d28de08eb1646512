package iam_test

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/iam"
)

// mustPolicy parses statements, separated by commas, in the current version of
// the language.
func mustPolicy(t testing.TB, statements string) *iam.Policy {
	t.Helper()
	return mustDocument(t, `{"Version":"2012-10-17","Statement":[`+statements+`]}`)
}

func mustDocument(t testing.TB, document string) *iam.Policy {
	t.Helper()
	p, err := iam.ParsePolicy([]byte(document))
	if err != nil {
		t.Fatalf("ParsePolicy(%s): %v", document, err)
	}
	return p
}

func evaluate(action string, ctx iam.Context, policies ...*iam.Policy) iam.Decision {
	return iam.Evaluate(policies, iam.Request{Action: action, Resource: "*", Context: ctx})
}

const (
	allowAll    = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	allowRead   = `{"Effect":"Allow","Action":"support:Describe*","Resource":"*"}`
	denyResolve = `{"Effect":"Deny","Action":"support:ResolveCase","Resource":"*"}`
)

func TestPrecedence(t *testing.T) {
	tests := []struct {
		name     string
		policies []string
		action   string
		want     iam.Decision
	}{
		{"no policy denies", nil, "support:CreateCase", iam.ImplicitDeny},
		{"no match denies", []string{allowRead}, "support:CreateCase", iam.ImplicitDeny},
		{"a match allows", []string{allowRead}, "support:DescribeCases", iam.Allow},
		{"deny wins after allow", []string{allowAll + "," + denyResolve}, "support:ResolveCase", iam.ExplicitDeny},
		{"deny wins before allow", []string{denyResolve + "," + allowAll}, "support:ResolveCase", iam.ExplicitDeny},
		{"deny wins from another policy", []string{denyResolve, allowAll}, "support:ResolveCase", iam.ExplicitDeny},
		{"deny without any allow is explicit", []string{denyResolve}, "support:ResolveCase", iam.ExplicitDeny},
		{"deny of something else does nothing", []string{allowAll, denyResolve}, "support:CreateCase", iam.Allow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var policies []*iam.Policy
			for _, statements := range tt.policies {
				policies = append(policies, mustPolicy(t, statements))
			}
			if got := evaluate(tt.action, nil, policies...); got != tt.want {
				t.Errorf("Evaluate(%s) = %v, want %v", tt.action, got, tt.want)
			}
		})
	}
}

func TestActions(t *testing.T) {
	tests := []struct {
		element, action string
		want            iam.Decision
	}{
		{`"Action":"support:CreateCase"`, "support:CreateCase", iam.Allow},
		{`"Action":"SUPPORT:createcase"`, "support:CreateCase", iam.Allow},
		{`"Action":"support:CreateCase"`, "support:CreateCases", iam.ImplicitDeny},
		{`"Action":["support:ResolveCase","support:CreateCase"]`, "support:CreateCase", iam.Allow},
		{`"Action":"*"`, "support:CreateCase", iam.Allow},
		{`"Action":"support:*Case"`, "support:CreateCase", iam.Allow},
		{`"Action":"support:?reateCase"`, "support:CreateCase", iam.Allow},
		{`"Action":"s3:*"`, "support:CreateCase", iam.ImplicitDeny},
		{`"NotAction":"support:CreateCase"`, "support:CreateCase", iam.ImplicitDeny},
		{`"NotAction":"support:createCASE"`, "support:CreateCase", iam.ImplicitDeny},
		{`"NotAction":["s3:*","iam:*"]`, "support:CreateCase", iam.Allow},
	}
	for _, tt := range tests {
		p := mustPolicy(t, `{"Effect":"Allow",`+tt.element+`,"Resource":"*"}`)
		if got := evaluate(tt.action, nil, p); got != tt.want {
			t.Errorf("%s: Evaluate(%s) = %v, want %v", tt.element, tt.action, got, tt.want)
		}
	}
}

func TestResources(t *testing.T) {
	tests := []struct {
		element, resource string
		want              iam.Decision
	}{
		{`"Resource":"*"`, "*", iam.Allow},
		{`"Resource":["arn:aws:s3:::a","*"]`, "*", iam.Allow},
		// The Support API knows no resources: naming one grants nothing.
		{`"Resource":"arn:aws:support:us-east-1:123456789012:*"`, "*", iam.ImplicitDeny},
		{`"Resource":"arn:aws:s3:::bucket/*"`, "arn:aws:s3:::bucket/a/b", iam.Allow},
		{`"Resource":"arn:aws:s3:::bucket/?"`, "arn:aws:s3:::bucket/ab", iam.ImplicitDeny},
		{`"Resource":"arn:aws:s3:::Bucket"`, "arn:aws:s3:::bucket", iam.ImplicitDeny},
		{`"NotResource":"*"`, "*", iam.ImplicitDeny},
		{`"NotResource":"arn:aws:s3:::bucket"`, "*", iam.Allow},
		{`"NotResource":"arn:aws:s3:::*"`, "arn:aws:s3:::bucket", iam.ImplicitDeny},
	}
	for _, tt := range tests {
		p := mustPolicy(t, `{"Effect":"Allow","Action":"*",`+tt.element+`}`)
		got := iam.Evaluate([]*iam.Policy{p}, iam.Request{Action: "support:CreateCase", Resource: tt.resource})
		if got != tt.want {
			t.Errorf("%s: Evaluate(%s) = %v, want %v", tt.element, tt.resource, got, tt.want)
		}
	}
}

// statements draws statements of which many apply to the requests of this test.
func statements(effects ...string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf(`{"Effect":%q,%q:%q,%q:%q,"Condition":{%q:{%q:%q}}}`,
			rapid.SampledFrom(effects).Draw(t, "effect"),
			rapid.SampledFrom([]string{"Action", "NotAction"}).Draw(t, "action element"),
			rapid.SampledFrom([]string{"*", "support:*", "support:CreateCase", "s3:*"}).Draw(t, "action"),
			rapid.SampledFrom([]string{"Resource", "Resource", "NotResource"}).Draw(t, "resource element"),
			rapid.SampledFrom([]string{"*", "*", "arn:aws:s3:::${aws:username}"}).Draw(t, "resource"),
			rapid.SampledFrom([]string{
				"StringEquals", "StringNotLike", "StringLikeIfExists", "ForAllValues:StringLike",
				"ForAnyValue:StringNotEquals",
			}).Draw(t, "operator"),
			rapid.SampledFrom([]string{"aws:username", "AWS:UserName", "aws:PrincipalTag/team"}).Draw(t, "key"),
			rapid.SampledFrom([]string{"alice", "a*", "bob", "${aws:username}"}).Draw(t, "value"))
	})
}

func requests() *rapid.Generator[iam.Request] {
	return rapid.Custom(func(t *rapid.T) iam.Request {
		return iam.Request{
			Action:   rapid.SampledFrom([]string{"support:CreateCase", "support:ResolveCase"}).Draw(t, "action"),
			Resource: "*",
			Context: rapid.SampledFrom([]iam.Context{
				nil, {iam.ContextUserName: {"alice"}}, {iam.ContextUserName: {"carol"}, "aws:PrincipalTag/team": {"bob"}},
			}).Draw(t, "context"),
		}
	})
}

func parseEach(t *rapid.T, all []string) (policies []*iam.Policy) {
	for _, s := range all {
		p, err := iam.ParsePolicy([]byte(`{"Version":"2012-10-17","Statement":` + s + `}`))
		if err != nil {
			t.Fatalf("ParsePolicy(%s): %v", s, err)
		}
		policies = append(policies, p)
	}
	return policies
}

func TestAddingADenyStatementNeverAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policies := parseEach(t, rapid.SliceOfN(statements("Allow", "Deny"), 0, 5).Draw(t, "statements"))
		more := parseEach(t, []string{statements("Deny").Draw(t, "deny")})
		req := requests().Draw(t, "request")
		before, after := iam.Evaluate(policies, req), iam.Evaluate(append(more, policies...), req)
		if after != before && after != iam.ExplicitDeny {
			t.Fatalf("a Deny statement turned %v into %v", before, after)
		}
	})
}

func TestTheOrderOfStatementsIsOfNoImportance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfN(statements("Allow", "Deny"), 0, 6).Draw(t, "statements")
		shuffled := rapid.Permutation(drawn).Draw(t, "shuffled")
		req := requests().Draw(t, "request")
		want, got := iam.Evaluate(parseEach(t, drawn), req), iam.Evaluate(parseEach(t, shuffled), req)
		if got != want {
			t.Fatalf("shuffled: %v, before: %v", got, want)
		}
		if len(shuffled) == 0 {
			return
		}
		joined := parseEach(t, []string{"[" + strings.Join(shuffled, ",") + "]"})
		if got := iam.Evaluate(joined, req); got != want {
			t.Fatalf("in one policy: %v, in several: %v", got, want)
		}
	})
}

// Strangers choose their user agent. What comes after 2,048 bytes is not looked
// at, so that a decision takes bounded time whatever the pattern.
func TestLongValuesAreCut(t *testing.T) {
	p := mustPolicy(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:UserAgent":"*`+
		strings.Repeat("a", 2000)+`b"}}}`)
	tests := []struct {
		agent string
		want  iam.Decision
	}{
		{strings.Repeat("a", 2047) + "b", iam.Allow},
		{strings.Repeat("a", 2048) + "b", iam.ImplicitDeny},
		{strings.Repeat("a", 1_000_000) + "b", iam.ImplicitDeny},
	}
	for _, tt := range tests {
		got := evaluate("support:CreateCase", iam.Context{iam.ContextUserAgent: {tt.agent}}, p)
		if got != tt.want {
			t.Errorf("Evaluate with a user agent of %d bytes = %v, want %v", len(tt.agent), got, tt.want)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	typical := mustPolicy(b, `{"Effect":"Allow","Action":"support:*","Resource":"*"},
		{"Effect":"Deny","Action":"support:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","198.51.100.0/24"]}}}`)
	variables := mustPolicy(b, `{"Effect":"Allow","Action":"support:Describe*","Resource":"*"},
		{"Effect":"Allow","Action":"support:*","Resource":"*","Condition":{
			"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/${aws:username}"},"Bool":{"aws:SecureTransport":true},
			"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}`)
	ctx := iam.Context{
		iam.ContextPrincipalARN:     {"arn:aws:iam::123456789012:user/alice"},
		iam.ContextPrincipalAccount: {"123456789012"},
		iam.ContextPrincipalType:    {"User"},
		iam.ContextUserID:           {"AIDAEXAMPLE"},
		iam.ContextUserName:         {"alice"},
		iam.ContextSourceIP:         {"198.51.100.7"},
		iam.ContextUserAgent:        {"aws-cli/2.31"},
		iam.ContextSecureTransport:  {"true"},
		iam.ContextRequestedRegion:  {"us-east-1"},
		iam.ContextCurrentTime:      {"2026-01-31T12:00:00Z"},
		iam.ContextEpochTime:        {"1769860800"},
	}
	for name, p := range map[string]*iam.Policy{"typical": typical, "variables": variables} {
		b.Run(name, func(b *testing.B) {
			policies := []*iam.Policy{p}
			req := iam.Request{Action: "support:CreateCase", Resource: "*", Context: ctx}
			b.ReportAllocs()
			for b.Loop() {
				if got := iam.Evaluate(policies, req); got != iam.Allow {
					b.Fatalf("Evaluate = %v, want Allow", got)
				}
			}
		})
	}
}

func BenchmarkParsePolicy(b *testing.B) {
	document := []byte(`{"Version":"2012-10-17","Statement":[` + allowAll + `,` + denyResolve + `]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := iam.ParsePolicy(document); err != nil {
			b.Fatal(err)
		}
	}
}

func TestPoliciesMayBeEvaluatedAtTheSameTime(t *testing.T) {
	p := mustPolicy(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:username":"${aws:username}"}}}`)
	done := make(chan iam.Decision)
	for range 8 {
		go func() {
			name := fmt.Sprint("user", rand.Int())
			done <- evaluate("support:CreateCase", iam.Context{iam.ContextUserName: {name}}, p)
		}()
	}
	for range 8 {
		if got := <-done; got != iam.Allow {
			t.Errorf("Evaluate = %v, want Allow", got)
		}
	}
}

package iam_test

import (
	"testing"

	"github.com/supportd/supportd/internal/iam"
)

func TestVariablesInConditions(t *testing.T) {
	alice := iam.Context{"aws:username": {"alice"}, "k": {"home/alice"}}
	star := iam.Context{"aws:username": {"*"}, "k": {"home/alice"}}
	role := iam.Context{"k": {"home/alice"}}
	tests := []struct {
		name, condition string
		ctx             iam.Context
		want            bool
	}{
		{"equals", `"StringEquals":{"k":"home/${aws:username}"}`, alice, true},
		{"names ignore case", `"StringEquals":{"k":"home/${AWS:UserName}"}`, alice, true},
		{"like", `"StringLike":{"k":"*/${aws:username}"}`, alice, true},
		{"ignore case", `"StringEqualsIgnoreCase":{"k":"HOME/${aws:username}"}`, alice, true},
		{"another value", `"StringEquals":{"k":"home/${aws:username}"}`, iam.Context{"aws:username": {"bob"}, "k": {"home/alice"}}, false},
		{"a wildcard in a value is a character", `"StringLike":{"k":"home/${aws:username}"}`, star, false},
		{
			"bytes that are no text are no wildcards", `"StringLike":{"k":"home/${aws:username}"}`,
			iam.Context{"aws:username": {"\xff"}, "k": {"home/alice"}},
			false,
		},
		{"default is not used", `"StringEquals":{"k":"home/${aws:username, 'nobody'}"}`, alice, true},
		{"default is used", `"StringEquals":{"k":"home/${aws:userid, 'alice'}"}`, alice, true},
		{"default may hold braces", `"StringEquals":{"k":"home/${aws:userid, '}'}"}`, iam.Context{"k": {"home/}"}}, true},
		{"an empty default", `"StringEquals":{"k":"home/alice${aws:userid, ''}"}`, alice, true},
		{"several values are no value", `"StringEquals":{"k":"home/${tags, 'alice'}"}`, iam.Context{"tags": {"x", "y"}, "k": {"home/alice"}}, true},

		{"no value matches nothing", `"StringLike":{"k":"home/${aws:username}*"}`, role, false},
		{"another operand still can", `"StringLike":{"k":["home/${aws:username}","home/*"]}`, role, true},
		{"no value behind a negation allows nothing", `"StringNotEquals":{"k":"home/${aws:username}"}`, role, false},
		{"nor with like", `"StringNotLike":{"k":"home/${aws:username}"}`, role, false},
		{"nor in a set", `"ForAnyValue:StringNotEquals":{"k":"home/${aws:username}"}`, role, false},
		{"nor in an ARN", `"ArnNotLike":{"k":"arn:aws:iam::1:user/${aws:username}"}`, role, false},

		{"asterisk", `"StringLike":{"k":"a${*}"}`, iam.Context{"k": {"a*"}}, true},
		{"asterisk is no wildcard", `"StringLike":{"k":"a${*}"}`, iam.Context{"k": {"ab"}}, false},
		{"question mark", `"StringLike":{"k":"a${?}"}`, iam.Context{"k": {"a?"}}, true},
		{"question mark is no wildcard", `"StringLike":{"k":"a${?}"}`, iam.Context{"k": {"ab"}}, false},
		{"dollar", `"StringEquals":{"k":"${$}{aws:username}"}`, iam.Context{"k": {"${aws:username}"}}, true},
		{"special characters in equals", `"StringEquals":{"k":"${*}"}`, iam.Context{"k": {"*"}}, true},

		{
			"ARN", `"ArnEquals":{"k":"arn:aws:iam::*:user/${aws:username}"}`,
			iam.Context{"aws:username": {"alice"}, "k": {"arn:aws:iam::123456789012:user/alice"}},
			true,
		},
		{
			"a colon in a value stays in its component", `"ArnEquals":{"k":"arn:aws:iam::${aws:userid}:user/a"}`,
			iam.Context{"aws:userid": {"1:2"}, "k": {"arn:aws:iam::1:2:user/a"}},
			false,
		},
		{
			"as does one in a default", `"ArnEquals":{"k":"arn:aws:iam::${aws:userid, '1:2'}:user/a"}`,
			iam.Context{"k": {"arn:aws:iam::1:2:user/a"}},
			false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := holds(t, "2012-10-17", tt.condition, tt.ctx); got != tt.want {
				t.Errorf("%s with %v holds: %v, want %v", tt.condition, tt.ctx, got, tt.want)
			}
		})
	}
}

func TestVariablesAreLiteralTextBefore2012(t *testing.T) {
	ctx := iam.Context{"aws:username": {"alice"}, "k": {"${aws:username}"}}
	condition := `"StringEquals":{"k":"${aws:username}"}`
	for _, version := range []string{"2008-10-17", ""} {
		if !holds(t, version, condition, ctx) {
			t.Errorf("version %q: ${aws:username} is no literal text", version)
		}
	}
	if holds(t, "2012-10-17", condition, ctx) {
		t.Error("version 2012-10-17: ${aws:username} is literal text")
	}
	if !holds(t, "2008-10-17", `"StringEquals":{"k":"${"}`, iam.Context{"k": {"${"}}) {
		t.Error("version 2008-10-17: an open variable is no literal text")
	}
}

func TestVariablesInResources(t *testing.T) {
	bucket := "arn:aws:s3:::home/alice/file"
	alice := iam.Context{iam.ContextUserName: {"alice"}}
	tests := []struct {
		name, effect, element string
		ctx                   iam.Context
		want                  iam.Decision
	}{
		{"a value", "Allow", `"Resource":"arn:aws:s3:::home/${aws:username}/*"`, alice, iam.Allow},
		{"a wildcard in a value", "Allow", `"Resource":"arn:aws:s3:::home/${aws:username}/*"`, iam.Context{iam.ContextUserName: {"*"}}, iam.ImplicitDeny},
		{"no value", "Allow", `"Resource":"arn:aws:s3:::home/${aws:username}/*"`, nil, iam.ImplicitDeny},
		{"no value in a Deny", "Deny", `"Resource":"arn:aws:s3:::home/${aws:username}/*"`, nil, iam.ImplicitDeny},
		{"no value behind Not", "Allow", `"NotResource":"arn:aws:s3:::home/${aws:username}"`, nil, iam.ImplicitDeny},
		{"no value behind Not in a Deny", "Deny", `"NotResource":"arn:aws:s3:::home/${aws:username}"`, nil, iam.ExplicitDeny},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustPolicy(t, `{"Effect":"`+tt.effect+`","Action":"*",`+tt.element+`}`)
			got := iam.Evaluate([]*iam.Policy{p}, iam.Request{Action: "s3:GetObject", Resource: bucket, Context: tt.ctx})
			if got != tt.want {
				t.Errorf("%s %s: Evaluate = %v, want %v", tt.effect, tt.element, got, tt.want)
			}
		})
	}
}

// What is unknown never grants, and never takes the teeth out of a Deny.
func TestADenyWithANegatedUnknownDenies(t *testing.T) {
	for _, condition := range []string{
		`"StringNotEquals":{"k":"${aws:username}"}`,
		`"ArnNotLike":{"k":"arn:aws:iam::1:user/${aws:username}"}`,
		`"NumericNotEquals":{"k":10}`,
		`"DateNotEquals":{"k":"2026-01-31"}`,
		`"NotIpAddress":{"k":"203.0.113.0/24"}`,
	} {
		p := mustPolicy(t, `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{`+condition+`}}`)
		if got := evaluate("support:CreateCase", iam.Context{"k": {"v"}}, p); got != iam.ExplicitDeny {
			t.Errorf("Deny if %s: Evaluate = %v, want ExplicitDeny", condition, got)
		}
	}
}

package iam_test

import (
	"testing"

	"github.com/supportd/supportd/internal/iam"
)

// holds reports whether an Allow statement with the condition applies.
func holds(t testing.TB, version, condition string, ctx iam.Context) bool {
	t.Helper()
	if version != "" {
		version = `"Version":"` + version + `",`
	}
	p := mustDocument(t, `{`+version+`"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{`+condition+`}}}`)
	return evaluate("support:CreateCase", ctx, p) == iam.Allow
}

// Each line: operator, its value in the policy, the value in the request.
func TestOperators(t *testing.T) {
	tests := []struct {
		operator, policy, request string
		want                      bool
	}{
		{"StringEquals", `"a"`, "a", true},
		{"StringEquals", `"a"`, "A", false},
		{"StringEquals", `"a*"`, "ab", false},
		{"StringEquals", `""`, "", true},
		{"StringEquals", `["b","a"]`, "a", true},
		{"StringNotEquals", `"a"`, "a", false},
		{"StringNotEquals", `"a"`, "A", true},
		{"StringNotEquals", `["b","a"]`, "a", false},
		{"StringNotEquals", `["b","c"]`, "a", true},
		{"StringEqualsIgnoreCase", `"Alice"`, "aLICE", true},
		{"StringEqualsIgnoreCase", `"Alice"`, "bob", false},
		{"StringNotEqualsIgnoreCase", `"Alice"`, "aLICE", false},
		{"StringNotEqualsIgnoreCase", `"Alice"`, "bob", true},
		{"StringLike", `"a*c?"`, "abbbcd", true},
		{"StringLike", `"a*"`, "Ab", false},
		{"StringLike", `["x","a*"]`, "ab", true},
		{"StringNotLike", `"a*"`, "ab", false},
		{"StringNotLike", `"a*"`, "b", true},

		{"NumericEquals", `"10"`, "10.0", true},
		{"NumericEquals", `10`, "10", true},
		{"NumericEquals", `10`, "11", false},
		{"NumericNotEquals", `10`, "11", true},
		{"NumericNotEquals", `10`, "10", false},
		{"NumericLessThan", `10`, "9.99", true},
		{"NumericLessThan", `10`, "10", false},
		{"NumericLessThanEquals", `10`, "10", true},
		{"NumericLessThanEquals", `10`, "11", false},
		{"NumericGreaterThan", `-1`, "0", true},
		{"NumericGreaterThan", `-1`, "-1", false},
		{"NumericGreaterThanEquals", `1e3`, "1000", true},
		{"NumericGreaterThanEquals", `1e3`, "999", false},
		{"NumericLessThan", `10`, "nine", false},
		{"NumericNotEquals", `10`, "ten", false}, // what is unknown never grants

		{"DateEquals", `"2026-01-31T12:00:00Z"`, "2026-01-31T13:00:00+01:00", true},
		{"DateEquals", `"2026-01-31T12:00:00Z"`, "1769860800", true},
		{"DateEquals", `1769860800`, "2026-01-31T12:00:00Z", true},
		{"DateEquals", `"2026-01-31"`, "2026-01-31T00:00:00Z", true},
		{"DateEquals", `"2026-01"`, "2026-01-01T00:00:00Z", true},
		{"DateEquals", `"2026"`, "2026-01-01T00:00:00Z", true},
		{"DateEquals", `"2026-01-31T12:00Z"`, "2026-01-31T12:00:00.000Z", true},
		{"DateEquals", `"2026-01-31"`, "2026-02-01", false},
		{"DateNotEquals", `"2026-01-31"`, "2026-02-01", true},
		{"DateNotEquals", `"2026-01-31"`, "2026-01-31", false},
		{"DateLessThan", `"2026-01-31"`, "2026-01-30T23:59:59Z", true},
		{"DateLessThan", `"2026-01-31"`, "2026-01-31", false},
		{"DateLessThanEquals", `"2026-01-31"`, "2026-01-31", true},
		{"DateLessThanEquals", `"2026-01-31"`, "2026-02-01", false},
		{"DateGreaterThan", `"2026-01-31"`, "2026-01-31T00:00:01Z", true},
		{"DateGreaterThan", `"2026-01-31"`, "2026-01-31", false},
		{"DateGreaterThanEquals", `"2026-01-31"`, "2026-01-31", true},
		{"DateGreaterThanEquals", `"2026-01-31"`, "2026-01-30", false},
		{"DateLessThan", `"2026-01-31"`, "yesterday", false},
		{"DateNotEquals", `"2026-01-31"`, "yesterday", false},

		{"Bool", `"true"`, "true", true},
		{"Bool", `true`, "true", true},
		{"Bool", `"True"`, "true", true},
		{"Bool", `false`, "true", false},
		{"Bool", `["true","false"]`, "false", true},
		{"BinaryEquals", `"QWxpY2U="`, "Alice", true},
		{"BinaryEquals", `"QWxpY2U="`, "alice", false},

		{"IpAddress", `"203.0.113.0/24"`, "203.0.113.77", true},
		{"IpAddress", `"203.0.113.0/24"`, "203.0.114.1", false},
		{"IpAddress", `"203.0.113.9/24"`, "203.0.113.77", true},
		{"IpAddress", `"203.0.113.7"`, "203.0.113.7", true},
		{"IpAddress", `"203.0.113.7"`, "203.0.113.8", false},
		{"IpAddress", `["192.0.2.0/24","2001:DB8:1234:5678::/64"]`, "2001:db8:1234:5678::1", true},
		{"IpAddress", `"2001:db8::/32"`, "2001:db9::1", false},
		{"IpAddress", `"2001:db8::1"`, "2001:db8::1", true},
		{"IpAddress", `"0.0.0.0/0"`, "2001:db8::1", false},
		{"IpAddress", `"203.0.113.0/24"`, "::ffff:203.0.113.7", true},
		{"IpAddress", `"::ffff:203.0.113.0/120"`, "203.0.113.7", true},
		{"IpAddress", `"fe80::/10"`, "fe80::1%eth0", true},
		{"IpAddress", `"203.0.113.0/24"`, "unknown", false},
		{"NotIpAddress", `"203.0.113.0/24"`, "203.0.113.77", false},
		{"NotIpAddress", `"203.0.113.0/24"`, "198.51.100.1", true},
		{"NotIpAddress", `"203.0.113.0/24"`, "unknown", false},
		{"NotIpAddress", `["203.0.113.0/24","198.51.100.0/24"]`, "198.51.100.1", false},

		{"ArnEquals", `"arn:aws:iam::123456789012:user/alice"`, "arn:aws:iam::123456789012:user/alice", true},
		{"ArnEquals", `"arn:aws:iam::*:user/a?ice"`, "arn:aws:iam::123456789012:user/alice", true},
		{"ArnEquals", `"arn:aws:iam::123456789012:user/Alice"`, "arn:aws:iam::123456789012:user/alice", false},
		{"ArnLike", `"arn:aws:sns:*:1:topic"`, "arn:aws:sns:us-east-1:1:topic", true},
		{"ArnLike", `"arn:*:sns:*:1:*"`, "arn:aws-cn:sns:cn-north-1:1:a:b", true},
		{"ArnLike", `"arn:aws:s:*:111122223333:finance/*"`, "arn:aws:s:us-east-2:999999999999:store/abc:111122223333:finance/d", false},
		{"ArnLike", `"arn:aws:s:*:*:*"`, "arn:aws:s", false},
		{"ArnNotEquals", `"arn:aws:iam::*:user/alice"`, "arn:aws:iam::1:user/alice", false},
		{"ArnNotEquals", `"arn:aws:iam::*:user/alice"`, "arn:aws:iam::1:user/bob", true},
		{"ArnNotLike", `"arn:aws:iam::*:user/*"`, "arn:aws:iam::1:user/bob", false},
		{"ArnNotLike", `"arn:aws:iam::*:user/*"`, "arn:aws:iam::1:role/bob", true},

		{"Null", `"false"`, "x", true},
		{"Null", `true`, "x", false},
		{"stringequals", `"a"`, "a", true},
		{"STRINGLIKEIFEXISTS", `"a*"`, "ab", true},
	}
	for _, tt := range tests {
		condition := `"` + tt.operator + `":{"k":` + tt.policy + `}`
		if got := holds(t, "2012-10-17", condition, iam.Context{"K": {tt.request}}); got != tt.want {
			t.Errorf("%s with %q holds: %v, want %v", condition, tt.request, got, tt.want)
		}
	}
}

// Plain operators need the key, negated ones do not; with IfExists and under
// ForAllValues every operator holds, under ForAnyValue none without IfExists.
func TestOperatorsWithoutTheKey(t *testing.T) {
	plain := map[string]string{
		"StringEquals": "a", "StringEqualsIgnoreCase": "a", "StringLike": "*", "BinaryEquals": "", "Bool": "false",
		"NumericEquals": "0", "NumericLessThan": "0", "NumericLessThanEquals": "0", "NumericGreaterThan": "0", "NumericGreaterThanEquals": "0",
		"DateEquals": "0", "DateLessThan": "0", "DateLessThanEquals": "0", "DateGreaterThan": "0", "DateGreaterThanEquals": "0",
		"IpAddress": "0.0.0.0/0", "ArnEquals": "arn:*:*:*:*:*", "ArnLike": "arn:*:*:*:*:*",
	}
	negated := map[string]string{
		"StringNotEquals": "a", "StringNotEqualsIgnoreCase": "a", "StringNotLike": "*", "NumericNotEquals": "0",
		"DateNotEquals": "0", "NotIpAddress": "0.0.0.0/0", "ArnNotEquals": "arn:*:*:*:*:*", "ArnNotLike": "arn:*:*:*:*:*",
	}
	check := func(operator, value string, want bool) {
		condition := `"` + operator + `":{"k":"` + value + `"}`
		for _, ctx := range []iam.Context{nil, {"other": {"x"}}, {"k": {}}} {
			if got := holds(t, "2012-10-17", condition, ctx); got != want {
				t.Errorf("%s with %v holds: %v, want %v", condition, ctx, got, want)
			}
		}
	}
	for want, operators := range map[bool]map[string]string{false: plain, true: negated} {
		for operator, value := range operators {
			check(operator, value, want)
			check(operator+"IfExists", value, true)
			check("ForAllValues:"+operator, value, true)
			check("ForAnyValue:"+operator, value, false)
			check("ForAllValues:"+operator+"IfExists", value, true)
			check("ForAnyValue:"+operator+"IfExists", value, true)
		}
	}
	check("Null", "true", true)
	check("Null", "false", false)
}

func TestIfExistsComparesAKeyThatIsThere(t *testing.T) {
	ctx := iam.Context{"k": {"b"}}
	for condition, want := range map[string]bool{
		`"StringEqualsIfExists":{"k":"a"}`:                false,
		`"StringEqualsIfExists":{"k":"b"}`:                true,
		`"StringNotEqualsIfExists":{"k":"b"}`:             false,
		`"ForAnyValue:StringEqualsIfExists":{"k":"a"}`:    false,
		`"ForAllValues:StringNotLikeIfExists":{"k":"b*"}`: false,
	} {
		if got := holds(t, "2012-10-17", condition, ctx); got != want {
			t.Errorf("%s with %v holds: %v, want %v", condition, ctx, got, want)
		}
	}
}

func TestSetOperators(t *testing.T) {
	tests := []struct {
		operator, policy string
		request          []string
		want             bool
	}{
		{"ForAllValues:StringEquals", `["a","b"]`, []string{"a"}, true},
		{"ForAllValues:StringEquals", `["a","b"]`, []string{"a", "b"}, true},
		{"ForAllValues:StringEquals", `["a","b"]`, []string{"a", "c"}, false},
		{"ForAllValues:StringEquals", `["a","b"]`, []string{"c"}, false},
		{"ForAllValues:StringEquals", `["a"]`, []string{""}, true},
		{"ForAllValues:StringNotEquals", `["a","b"]`, []string{"c", "d"}, true},
		{"ForAllValues:StringNotEquals", `["a","b"]`, []string{"c", "a"}, false},
		{"ForAllValues:StringLike", `["x*"]`, []string{"x1", "x2"}, true},
		{"ForAllValues:NumericLessThan", `10`, []string{"9", "10"}, false},

		{"ForAnyValue:StringEquals", `["a","b"]`, []string{"c", "b"}, true},
		{"ForAnyValue:StringEquals", `["a","b"]`, []string{"c", "d"}, false},
		{"ForAnyValue:StringLike", `"*"`, []string{""}, false},
		{"ForAnyValue:StringNotEquals", `["a","b"]`, []string{"a", "c"}, true},
		{"ForAnyValue:StringNotEquals", `["a","b"]`, []string{"a", "b"}, false},
		{"ForAnyValue:IpAddress", `"203.0.113.0/24"`, []string{"192.0.2.1", "203.0.113.1"}, true},
		{"foranyvalue:stringequals", `"a"`, []string{"a"}, true},

		// Without a prefix: our choice, AWS demands one for such keys.
		{"StringEquals", `"a"`, []string{"a", "b"}, true},
		{"StringNotEquals", `"a"`, []string{"a", "b"}, false},
		{"StringNotEquals", `"a"`, []string{"b", "c"}, true},
	}
	for _, tt := range tests {
		condition := `"` + tt.operator + `":{"k":` + tt.policy + `}`
		if got := holds(t, "2012-10-17", condition, iam.Context{"k": tt.request}); got != tt.want {
			t.Errorf("%s with %q holds: %v, want %v", condition, tt.request, got, tt.want)
		}
	}
}

func TestConditionsAreJoinedByAnd(t *testing.T) {
	ctx := iam.Context{"a": {"1"}, "b": {"2"}}
	for condition, want := range map[string]bool{
		`"StringEquals":{"a":"1","b":"2"}`:                       true,
		`"StringEquals":{"a":"1","b":"3"}`:                       false,
		`"StringEquals":{"a":"1"},"StringLike":{"b":"?"}`:        true,
		`"StringEquals":{"a":"1"},"StringLike":{"b":"??"}`:       false,
		`"StringEquals":{"a":"1"},"Null":{"b":"true"}`:           false,
		`"StringEquals":{"a":"1"},"StringNotEquals":{"c":"2"}`:   true,
		`"NumericGreaterThan":{"a":0},"NumericLessThan":{"b":9}`: true,
		``: true,
	} {
		if got := holds(t, "2012-10-17", condition, ctx); got != want {
			t.Errorf("%s with %v holds: %v, want %v", condition, ctx, got, want)
		}
	}
}

func TestKeysIgnoreCase(t *testing.T) {
	ctx := iam.Context{iam.ContextSourceIP: {"203.0.113.7"}}
	for _, key := range []string{"aws:SourceIp", "AWS:sourceIP", "aws:sourceip"} {
		if !holds(t, "2012-10-17", `"IpAddress":{"`+key+`":"203.0.113.0/24"}`, ctx) {
			t.Errorf("%s is not found", key)
		}
	}
}

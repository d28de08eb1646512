package collect

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPolicyIsReadInEverySpelling(t *testing.T) {
	got, err := parsePolicy(`{"Version": "2012-10-17", "Statement": {
		"Sid": "one", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "NotResource": ["a", "b"],
		"Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}, "Bool": {"aws:SecureTransport": [false, "true"]}}
	}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []PolicyStatement{{
		Sid: "one", Effect: "Deny", Principals: []PolicyPrincipal{{Type: "AWS", ID: "*"}}, Actions: []string{"s3:*"}, NotResources: []string{"a", "b"},
		Conditions: []PolicyCondition{
			{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"false", "true"}},
			{Operator: "NumericLessThan", Key: "s3:TlsVersion", Values: []string{"1.2"}},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the statements of a policy (-want +got):\n%s", diff)
	}

	got, err = parsePolicy(`{"Statement": [{"Principal": {"Service": "logging.s3.amazonaws.com", "AWS": ["1", "2"]}}, {"NotPrincipal": {"AWS": "3"}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want = []PolicyStatement{
		{Principals: []PolicyPrincipal{{Type: "AWS", ID: "1"}, {Type: "AWS", ID: "2"}, {Type: "Service", ID: "logging.s3.amazonaws.com"}}},
		{NotPrincipals: []PolicyPrincipal{{Type: "AWS", ID: "3"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the principals of a policy (-want +got):\n%s", diff)
	}
}

func TestPolicyThatIsNoneIsAnError(t *testing.T) {
	for _, text := range []string{"", "[]", `{"Statement": "Allow"}`, `{"Statement": {"Principal": 1}}`, `{"Statement": {"Action": {"a": "b"}}}`} {
		if got, err := parsePolicy(text); err == nil {
			t.Errorf("parsePolicy(%q) = %v, want an error", text, got)
		}
	}
}

func TestStatementKnowsWhoItIsAbout(t *testing.T) {
	for _, test := range []struct {
		principal       PolicyPrincipal
		public, foreign bool
	}{
		{PolicyPrincipal{"AWS", "*"}, true, true},
		{PolicyPrincipal{"AWS", "123456789012"}, false, false},
		{PolicyPrincipal{"AWS", "arn:aws:iam::123456789012:role/app"}, false, false},
		{PolicyPrincipal{"AWS", "210987654321"}, false, true},
		{PolicyPrincipal{"AWS", "arn:aws:iam::210987654321:root"}, false, true},
		{PolicyPrincipal{"AWS", "AIDAEXAMPLE"}, false, false},
		{PolicyPrincipal{"Service", "s3.amazonaws.com"}, false, false},
	} {
		s := PolicyStatement{Principals: []PolicyPrincipal{test.principal}}
		if s.public() != test.public || s.foreign("123456789012") != test.foreign {
			t.Errorf("a statement about %v is public %t and foreign %t, want %t and %t",
				test.principal, s.public(), s.foreign("123456789012"), test.public, test.foreign)
		}
	}
	if s := (PolicyStatement{NotPrincipals: []PolicyPrincipal{{"AWS", "123456789012"}}}); !s.public() {
		t.Error("a statement about all but one principal is not public")
	}
}

func TestAStatementIsLimitedByWhomItIsFor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		operator, key, value string
		want                 bool
	}{
		{"StringEquals", "aws:SourceAccount", "111122223333", true},
		{"StringEquals", "AWS:SourceOwner", "111122223333", true},
		{"StringEquals", "aws:PrincipalOrgID", "o-1", true},
		{"ForAnyValue:StringLike", "aws:PrincipalArn", "arn:aws:iam::111122223333:*", true},
		{"ArnLike", "AWS:SourceArn", "arn:aws:sns:*:111122223333:*", true},
		{"ArnLike", "aws:SourceArn", "arn:aws:s3:::bucket", true},
		{"ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:*", false},
		{"StringLike", "aws:PrincipalArn", "*", false},
		{"StringEqualsIfExists", "aws:PrincipalOrgID", "o-1", false},
		{"ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-1", false},
		{"StringNotEquals", "aws:PrincipalAccount", "111122223333", false},
		{"StringEquals", "lambda:FunctionUrlAuthType", "NONE", false},
		{"Bool", "aws:SecureTransport", "true", false},
	} {
		s := PolicyStatement{Conditions: []PolicyCondition{{Operator: test.operator, Key: test.key, Values: []string{test.value}}}}
		if got := s.limited(); got != test.want {
			t.Errorf("limited of %s %s %s = %t, want %t", test.operator, test.key, test.value, got, test.want)
		}
	}
}

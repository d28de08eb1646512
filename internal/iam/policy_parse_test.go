package iam_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

// mustRefuse parses a document and compares the text of the fault.
func mustRefuse(t *testing.T, document, want string) {
	t.Helper()
	_, err := iam.ParsePolicy([]byte(document))
	if !errors.Is(err, iam.ErrMalformedPolicy) {
		t.Errorf("ParsePolicy(%.200s) = %v, want a malformed policy", document, err)
		return
	}
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Invalid || f.Code != "malformed_policy" {
		t.Errorf("ParsePolicy(%.200s) = %#v, want the fault malformed_policy", document, err)
	}
	if err.Error() != want {
		t.Errorf("ParsePolicy(%.200s)\n got %s\nwant %s", document, err, want)
	}
}

func TestMalformedDocuments(t *testing.T) {
	tests := []struct{ document, want string }{
		{``, `document: is not JSON: at byte 0: unexpected EOF`},
		{`{"Statement":[`, `document: is not JSON: at byte 14: unexpected EOF`},
		{`{"Statement":` + allowAll + `} x`, `document: is not JSON: at byte 61: invalid character 'x' after top-level value`},
		{"{\"Id\":\"\xff\"}", `document: is not JSON: at byte 7: invalid UTF-8`},
		{`[]`, `document: must be a JSON object`},
		{`"*"`, `document: must be a JSON object`},
		{`{}`, `document: Statement is missing`},
		{`{"Version":"2012-10-17"}`, `document: Statement is missing`},
		{`{"Statement":[]}`, `document: Statement: is an empty list`},
		{`{"Statement":"x"}`, `statement 1: must be an object, not a string`},
		{`{"Statement":[` + allowAll + `,null]}`, `statement 2: must be an object, not null`},
		{`{"Version":"2012-10-18","Statement":` + allowAll + `}`, `document: Version: "2012-10-18" is neither 2012-10-17 nor 2008-10-17`},
		{`{"Version":2012,"Statement":` + allowAll + `}`, `document: Version: must be a string, not a number`},
		{`{"Version":"","Id":[],"Statement":` + allowAll + `}`, `document: Id: must be a string, not a list`},
		{`{"statement":` + allowAll + `}`, `document: unknown element "statement" (the name is "Statement", in this case)`},
		{`{"Rules":[],"Statement":` + allowAll + `}`, `document: unknown element "Rules"`},
		{`{"Statement":` + allowAll + `,"Statement":` + allowAll + `}`, `document: /Statement is there twice`},
		{`{"Statement":[{"Effect":"Allow","Effect":"Deny"}]}`, `document: /Statement/0/Effect is there twice`},
	}
	for _, tt := range tests {
		mustRefuse(t, tt.document, tt.want)
	}
}

func TestMalformedStatements(t *testing.T) {
	tests := []struct{ statement, want string }{
		{`{"Action":"*","Resource":"*"}`, `statement 1: Effect is missing`},
		{`{"Effect":"allow","Action":"*","Resource":"*"}`, `statement 1: Effect: "allow" is neither Allow nor Deny`},
		{`{"Effect":true,"Action":"*","Resource":"*"}`, `statement 1: Effect: must be a string, not a truth value`},
		{`{"Effect":"Allow","Resource":"*"}`, `statement 1: Action or NotAction is missing`},
		{`{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}`, `statement 1: Action and NotAction exclude each other`},
		{`{"Effect":"Allow","Action":"*"}`, `statement 1: Resource or NotResource is missing`},
		{`{"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"}`, `statement 1: Resource and NotResource exclude each other`},
		{
			`{"Sid":"Mine","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`,
			`statement 1 (Mine): Principal: does not belong in a policy of a user or role, which is itself the principal`,
		},
		{
			`{"Effect":"Allow","NotPrincipal":{"AWS":"*"},"Action":"*","Resource":"*"}`,
			`statement 1: NotPrincipal: does not belong in a policy of a user or role, which is itself the principal`,
		},
		{`{"Effect":"Allow","action":"*","Resource":"*"}`, `statement 1: unknown element "action" (the name is "Action", in this case)`},
		{`{"Effect":"Allow","Actions":"*","Resource":"*","Sid":"Late"}`, `statement 1 (Late): unknown element "Actions"`},
		{`{"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"}`, `statement 1: Sid: "a b" has other characters than A-Z, a-z and 0-9`},
		{`{"Sid":1,"Effect":"Allow","Action":"*","Resource":"*"}`, `statement 1: Sid: must be a string, not a number`},
		{`{"Effect":"Allow","Action":[],"Resource":"*"}`, `statement 1: Action: is an empty list`},
		{`{"Effect":"Allow","Action":["*",1],"Resource":"*"}`, `statement 1: Action: must be a string, not a number`},
		{`{"Effect":"Allow","Action":[["*"]],"Resource":"*"}`, `statement 1: Action: must be a string, not a list`},
		{`{"Effect":"Allow","Action":"CreateCase","Resource":"*"}`, `statement 1: Action: "CreateCase" is not of the form "service:Operation"`},
		{`{"Effect":"Allow","NotAction":"support:","Resource":"*"}`, `statement 1: NotAction: "support:" is not of the form "service:Operation"`},
		{`{"Effect":"Allow","Action":"support:Create Case","Resource":"*"}`, `statement 1: Action: "support:Create Case" is not of the form "service:Operation"`},
		{
			`{"Effect":"Allow","Action":"support:${aws:username}","Resource":"*"}`,
			`statement 1: Action: "support:${aws:username}" is not of the form "service:Operation"`,
		},
		{`{"Effect":"Allow","Action":"","Resource":"*"}`, `statement 1: Action: "" is not of the form "service:Operation"`},
		{`{"Effect":"Allow","Action":"*","Resource":"bucket"}`, `statement 1: Resource: "bucket" is neither an ARN nor "*"`},
		{`{"Effect":"Allow","Action":"*","NotResource":{"a":1}}`, `statement 1: NotResource: must be a string, not an object`},
		{
			`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username"}`,
			`statement 1: Resource: "arn:aws:s3:::${aws:username": a variable begins with ${ and has no closing brace`,
		},
		{`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${}"}`, `statement 1: Resource: "arn:aws:s3:::${}": a variable has no name`},
		{
			`{"Effect":"Allow","Action":"*","Resource":"arn:${a 'b'}"}`,
			`statement 1: Resource: "arn:${a 'b'}": a variable with a default is written ${key, 'default'}`,
		},
		{
			`{"Effect":"Allow","Action":"*","Resource":"arn:${a, 'b}"}`,
			`statement 1: Resource: "arn:${a, 'b}": a variable with a default is written ${key, 'default'}`,
		},
		{
			`{"Effect":"Allow","Action":"*","Resource":"arn:${, 'b'}"}`,
			`statement 1: Resource: "arn:${, 'b'}": a variable with a default is written ${key, 'default'}`,
		},
		{allowAll + `,{"Sid":"X","Effect":"Allow"}`, `statement 2 (X): Action or NotAction is missing`},
		{
			`{"Sid":"X","Effect":"Allow","Action":"*","Resource":"*"},` + allowAll + `,{"Sid":"X","Effect":"Deny","Action":"*","Resource":"*"}`,
			`statement 3 (X): Sid: statement 1 has the same`,
		},
	}
	for _, tt := range tests {
		mustRefuse(t, `{"Version":"2012-10-17","Statement":[`+tt.statement+`]}`, tt.want)
	}
}

func TestMalformedConditions(t *testing.T) {
	tests := []struct{ condition, want string }{
		{`[]`, `must be an object, not a list`},
		{`{"StringEqual":{"k":"v"}}`, `unknown operator "StringEqual"`},
		{`{"":{"k":"v"}}`, `unknown operator ""`},
		{`{"IfExists":{"k":"v"}}`, `unknown operator "IfExists"`},
		{`{"ForSomeValues:StringEquals":{"k":"v"}}`, `unknown operator "ForSomeValues:StringEquals"`},
		{`{"BinaryNotEquals":{"k":"dg=="}}`, `unknown operator "BinaryNotEquals"`},
		{`{"NullIfExists":{"k":"true"}}`, `NullIfExists: Null takes neither IfExists nor ForAllValues nor ForAnyValue`},
		{`{"ForAnyValue:Null":{"k":"true"}}`, `ForAnyValue:Null: Null takes neither IfExists nor ForAllValues nor ForAnyValue`},
		{`{"StringEquals":"v"}`, `StringEquals: must be an object, not a string`},
		{`{"StringEquals":{"k":[]}}`, `StringEquals: k: is an empty list`},
		{`{"StringEquals":{"k":null}}`, `StringEquals: k: must be a string, not null`},
		{`{"StringEquals":{"k":["v",{}]}}`, `StringEquals: k: must be a string, not an object`},
		{`{"StringEquals":{"k":"${"}}`, `StringEquals: k: "${": a variable begins with ${ and has no closing brace`},
		{`{"StringLike":{"k":"${}"}}`, `StringLike: k: "${}": a variable has no name`},
		{`{"ArnLike":{"k":"arn:${"}}`, `ArnLike: k: "arn:${": a variable begins with ${ and has no closing brace`},
		{`{"NumericEquals":{"k":"ten"}}`, `NumericEquals: k: "ten": not a number`},
		{`{"NumericEquals":{"k":"inf"}}`, `NumericEquals: k: "inf": not a number`},
		{`{"NumericEquals":{"k":"0x10"}}`, `NumericEquals: k: "0x10": not a number`},
		{`{"NumericEquals":{"k":"1e999"}}`, `NumericEquals: k: "1e999": not a number`},
		{`{"NumericEquals":{"k":"${aws:EpochTime}"}}`, `NumericEquals: k: "${aws:EpochTime}": not a number`},
		{`{"DateLessThan":{"k":"31.1.2026"}}`, `DateLessThan: k: "31.1.2026": not a date: 2006-01-02, 2006-01-02T15:04:05Z or seconds since 1970`},
		{`{"DateLessThan":{"k":"2026-02-30"}}`, `DateLessThan: k: "2026-02-30": not a date: 2006-01-02, 2006-01-02T15:04:05Z or seconds since 1970`},
		{`{"Bool":{"k":"yes"}}`, `Bool: k: "yes": neither true nor false`},
		{`{"Null":{"k":"maybe"}}`, `Null: k: "maybe": neither true nor false`},
		{`{"BinaryEquals":{"k":"%"}}`, `BinaryEquals: k: "%": not base64`},
		{
			`{"IpAddress":{"k":["203.0.113.0/24","203.0.113.0/33"]}}`,
			`IpAddress: k: "203.0.113.0/33": neither an IP address nor a network such as 203.0.113.0/24`,
		},
		{`{"NotIpAddress":{"k":"203.0.113.*"}}`, `NotIpAddress: k: "203.0.113.*": neither an IP address nor a network such as 203.0.113.0/24`},
		{`{"IpAddress":{"k":"fe80::1%eth0"}}`, `IpAddress: k: "fe80::1%eth0": neither an IP address nor a network such as 203.0.113.0/24`},
		{`{"ArnLike":{"k":"*"}}`, `ArnLike: k: "*": not an ARN of six components, arn:partition:service:region:account:resource`},
		{`{"ArnEquals":{"k":"arn:aws:iam::1"}}`, `ArnEquals: k: "arn:aws:iam::1": not an ARN of six components, arn:partition:service:region:account:resource`},
	}
	for _, tt := range tests {
		document := `{"Version":"2012-10-17","Statement":{"Sid":"S","Effect":"Deny","Action":"*","Resource":"*","Condition":` + tt.condition + `}}`
		mustRefuse(t, document, `statement 1 (S): Condition: `+tt.want)
	}
}

func TestSizeCountsCharactersBesidesWhiteSpace(t *testing.T) {
	document := func(characters int, space string) string {
		head, tail := `{"Id":"`, `",`+space+`"Statement":`+allowAll+`}`
		rest := characters - len(head) - len(strings.ReplaceAll(tail, " ", ""))
		return head + strings.Repeat("é", rest) + tail
	}
	if _, err := iam.ParsePolicy([]byte(document(6144, strings.Repeat(" ", 9000)))); err != nil {
		t.Errorf("ParsePolicy with 6144 characters: %v", err)
	}
	mustRefuse(t, document(6145, ""), `document: has 6145 characters besides white space, and 6144 are allowed`)
	mustRefuse(t, document(200, strings.Repeat(" ", 131_072)), `document: has more than 131072 bytes`)
}

func TestWellFormedDocuments(t *testing.T) {
	for _, document := range []string{
		`{"Statement":` + allowAll + `}`,
		`{"Statement":[` + allowAll + `],"Id":"any text","Version":"2008-10-17"}`,
		`{"Statement":[{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"","Effect":"Deny","Action":"a:B","Resource":"*"}]}`,
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}}`,
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{}}}}`,
		`{"Statement":{"Effect":"Allow","Action":["s3:*","support-plans:Get?"],"Resource":"*"}}`,
		fmt.Sprintf(`{"Statement":[%s,%s]}`, allowRead, denyResolve),
	} {
		mustDocument(t, document)
	}
}

package awsjson

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeReadsEveryForm(t *testing.T) {
	t.Parallel()
	var got caseInput
	typeErr, syntax := NewCodec[caseInput]().Decode([]byte(` {
		"attachmentSetId": "as-\u00fc\ud83d\ude00\n",
		"attachments": [{"fileName": "a.txt", "data": "aGVsbG8="}, {}],
		"caseIdList": [],
		"ccEmailAddresses": ["a@example.com", ""],
		"communicationBody": "",
		"includeResolvedCases": false,
		"logo": "\u0050\/\/\/",
		"maxResults": 25,
		"range": {"start": "2026-01-31", "end": null},
		"unknown": {"nested": [1, {"maxResults": "x"}]},
		"MaxResults": "members are told apart by case",
		"serviceCode": null
	} `), &got)
	want := caseInput{
		AttachmentSetID:      new("as-ü😀\n"),
		Attachments:          []attachment{{FileName: new("a.txt"), Data: []byte("hello")}, {}},
		CaseIDList:           []string{},
		CCEmailAddresses:     []string{"a@example.com", ""},
		CommunicationBody:    new(""),
		IncludeResolvedCases: new(false),
		Logo:                 []byte{0x3f, 0xff, 0xff},
		MaxResults:           new(int32(25)),
		Range:                &dateRange{Start: new("2026-01-31")},
	}
	if typeErr != nil || syntax != nil {
		t.Fatalf("Decode = %v, %v, want no error", typeErr, syntax)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Decode (-want +got):\n%s", diff)
	}
}

// The texts are those of wire-fidelity.md, section 1.
func TestDecodeSaysWhatAWSSaysOfWrongTypes(t *testing.T) {
	t.Parallel()
	const (
		start  = "Start of structure or map found where not expected."
		bullet = "Start of list found where not expected"
	)
	for _, test := range []struct{ body, want string }{
		{`{"maxResults":"10"}`, "STRING_VALUE can not be converted to an Integer"},
		{`{"maxResults":true}`, "TRUE_VALUE can not be converted to an Integer"},
		{`{"maxResults":false}`, "FALSE_VALUE can not be converted to an Integer"},
		{`{"maxResults":[]}`, bullet},
		{`{"maxResults":{}}`, start},
		{`{"serviceCode":1.5}`, "NUMBER_VALUE can not be converted to a String"},
		{`{"serviceCode":true}`, "TRUE_VALUE can not be converted to a String"},
		{`{"serviceCode":false}`, "FALSE_VALUE can not be converted to a String"},
		{`{"serviceCode":["x"]}`, bullet},
		{`{"serviceCode":{"a":1}}`, start},
		{`{"includeResolvedCases":"true"}`, "STRING_VALUE can not be converted to a Boolean"},
		{`{"includeResolvedCases":0}`, "NUMBER_VALUE can not be converted to a Boolean"},
		{`{"includeResolvedCases":[]}`, bullet},
		{`{"logo":12}`, "NUMBER_VALUE can not be converted to a Blob"},
		{`{"logo":[1,2]}`, bullet},
		{`{"logo":{}}`, start},
		{`{"caseIdList":"case-1"}`, "Expected list or null"},
		{`{"caseIdList":1}`, "Expected list or null"},
		{`{"caseIdList":true}`, "Expected list or null"},
		{`{"caseIdList":{}}`, start},
		{`{"caseIdList":["a",1]}`, "NUMBER_VALUE can not be converted to a String"},
		{`{"caseIdList":[["a"]]}`, bullet},
		{`{"attachments":["a.txt"]}`, "Expected null"},
		{`{"attachments":[false]}`, "Expected null"},
		{`{"attachments":[[]]}`, bullet},
		{`{"attachments":[{"fileName":7}]}`, "NUMBER_VALUE can not be converted to a String"},
		{`{"range":"x"}`, "Expected null"},
		{`{"range":[]}`, bullet},
		{`{"maxResults":2147483648}`, "Numeric value (2147483648) out of range of int (-2147483648 - 2147483647)"},
		{`{"maxResults":-1e400}`, "Numeric value (-1e400) out of range of int (-2147483648 - 2147483647)"},
		{`{"maxResults":1` + strings.Repeat("0", 300) + `}`, "Numeric value (1" + strings.Repeat("0", 255) + "…) out of range of int (-2147483648 - 2147483647)"},
		{`{"logo":"abc"}`, "'abc' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 3"},
		{`{"logo":"ab-_"}`, "'ab-_' can not be converted to a Blob: Invalid Base64 character: '-'"},
		{`{"logo":"a==="}`, "'a===' can not be converted to a Blob: Invalid Base64 character: '='"},
		{`{"logo":"===="}`, "'====' can not be converted to a Blob: Invalid Base64 character: '='"},
		{`{"logo":"ab=c"}`, "'ab=c' can not be converted to a Blob: Invalid Base64 character: '='"},
		{`{"logo":"YQ==YQ=="}`, "'YQ==YQ==' can not be converted to a Blob: Invalid Base64 character: '='"},
		{`{"logo":"YWJj\n\r\n\n"}`, "'YWJj\n\r\n\n' can not be converted to a Blob: Invalid Base64 character: '\n'"},
		{`{"logo":"aü="}`, "'aü=' can not be converted to a Blob: Invalid Base64 character: 'ü'"},
		{`{"logo":"\n===YQ=="}`, "'\n===YQ==' can not be converted to a Blob: Invalid Base64 character: '\n'"},
		{
			`{"logo":"` + strings.Repeat("ü", 300) + `"}`,
			"'" + strings.Repeat("ü", 256) + "…' can not be converted to a Blob: Invalid Base64 character: 'ü'",
		},
		{`{"serviceCode":1,"maxResults":"x"}`, "NUMBER_VALUE can not be converted to a String"},
		{`{"maxResults":"x","serviceCode":1}`, "STRING_VALUE can not be converted to an Integer"},
		{`{"maxResults":"x","maxResults":1}`, "STRING_VALUE can not be converted to an Integer"},
	} {
		typeErr, syntax := NewCodec[caseInput]().Decode([]byte(test.body), new(caseInput))
		if got := message(typeErr); got != test.want || syntax != nil {
			t.Errorf("Decode(%s) = %q, %v, want %q, nil", test.body, got, syntax, test.want)
		}
		if typeErr != nil && typeErr.Kind != Serialization {
			t.Errorf("Decode(%s): kind %v, want Serialization", test.body, typeErr.Kind)
		}
	}
}

func message(err *Error) string {
	if err == nil {
		return ""
	}
	return err.Message
}

func TestDecodeRefusesNullInLists(t *testing.T) {
	t.Parallel()
	for body, path := range map[string]string{
		`{"caseIdList":["a",null]}`:                    "caseIdList.2.member",
		`{"attachments":[null]}`:                       "attachments.1.member",
		`{"caseIdList":[],"caseIdList":[null,null,1]}`: "caseIdList.1.member",
	} {
		want := &Error{Validation, "1 validation error detected: Value null at '" + path + "' failed to satisfy constraint: Member must not be null"}
		typeErr, syntax := NewCodec[caseInput]().Decode([]byte(body), new(caseInput))
		if diff := cmp.Diff(want, typeErr); diff != "" || syntax != nil {
			t.Errorf("Decode(%s): %v (-want +got):\n%s", body, syntax, diff)
		}
	}
}

func TestDecodeRefusesBrokenBodies(t *testing.T) {
	t.Parallel()
	const list = "Start of list found where not expected"
	for _, test := range []struct{ name, body, want string }{
		{"empty", "", ""},
		{"blank", " \n", ""},
		{"null", "null", ""},
		{"string", `"x"`, ""},
		{"number", "12", ""},
		{"true", "true", ""},
		{"list", "[]", list},
		{"list with content", ` [{"a":null},[1]] `, list},
		{"broken list", "[", ""},
		{"list and more", "[] x", ""},
		{"open", `{"maxResults":1`, ""},
		{"open string", `{"serviceCode":"x`, ""},
		{"open blob", `{"logo":"aGVs`, ""},
		{"bracket", `{"caseIdList":["a"}`, ""},
		{"open list", `{"caseIdList":["a",`, ""},
		{"comma", `{"maxResults":1,}`, ""},
		{"no colon", `{"maxResults" 1}`, ""},
		{"number as name", `{1:2}`, ""},
		{"zero in front", `{"maxResults":01}`, ""},
		{"word", `{"maxResults":NaN}`, ""},
		{"single quotes", `{'maxResults':1}`, ""},
		{"two documents", `{}{}`, ""},
		{"more", `{} x`, ""},
		{"byte order mark", "\ufeff{}", ""},
		{"invalid UTF-8", "{\"serviceCode\":\"\xff\"}", ""},
		{"invalid UTF-8 in an unknown member", "{\"x\":\"\xc3\"}", ""},
		{"half a surrogate pair", `{"serviceCode":"\ud83d"}`, ""},
		{"surrogates in the wrong order", `{"serviceCode":"\ude00\ud83d"}`, ""},
		{"control character", "{\"serviceCode\":\"\n\"}", ""},
		{"too deep", `{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, ""},
		{"fault of type before", `{"maxResults":"x","serviceCode":}`, ""},
		{"fault of type, then more", `{"maxResults":"x"}}`, ""},
		{"null in a list, then broken", `{"caseIdList":[null,}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			typeErr, syntax := NewCodec[caseInput]().Decode([]byte(test.body), new(caseInput))
			want := &Error{Serialization, test.want}
			if diff := cmp.Diff(want, syntax); diff != "" || typeErr != nil {
				t.Errorf("Decode: %v (-want +got):\n%s", typeErr, diff)
			}
			if diff := cmp.Diff(want, CheckSyntax([]byte(test.body))); diff != "" {
				t.Errorf("CheckSyntax (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckSyntaxLooksAtNoMember(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"maxResults":"x","a":[null,{"b":1}]}`, `{"a":1,"a":2}`} {
		if err := CheckSyntax([]byte(body)); err != nil {
			t.Errorf("CheckSyntax(%s) = %v, want nil", body, err)
		}
	}
}

func TestDecodeCutsNumbers(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]int32{
		"1.5": 1, "-1.9": -1, "-0.5": 0, "-0": 0, "1e2": 100, "2147483647.9": 2147483647, "-2147483648": -2147483648, "1e-400": 0,
	} {
		in := mustDecode(t, `{"maxResults":`+number+`}`)
		if *in.MaxResults != want {
			t.Errorf("Decode(%s) = %d, want %d", number, *in.MaxResults, want)
		}
	}
}

func mustDecode(t *testing.T, body string) caseInput {
	t.Helper()
	var in caseInput
	if typeErr, syntax := NewCodec[caseInput]().Decode([]byte(body), &in); typeErr != nil || syntax != nil {
		t.Fatalf("Decode(%s) = %v, %v, want no error", body, typeErr, syntax)
	}
	return in
}

func TestDecodeTakesTheLastOfEqualMembers(t *testing.T) {
	t.Parallel()
	got := mustDecode(t, `{"maxResults":1,"caseIdList":["a","b"],"range":{"start":"x","end":"y"},"serviceCode":"x",
		"logo":"AAAA","maxResults":2,"caseIdList":["c"],"range":{"start":"z"},"serviceCode":null,"logo":null}`)
	want := caseInput{MaxResults: new(int32(2)), CaseIDList: []string{"c"}, Range: &dateRange{Start: new("z")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Decode (-want +got):\n%s", diff)
	}
}

func TestDecodeReadsAnEscapedMemberName(t *testing.T) {
	t.Parallel()
	if got := mustDecode(t, `{"max\u0052esults":7}`); *got.MaxResults != 7 {
		t.Errorf("MaxResults = %d, want 7", *got.MaxResults)
	}
}

func TestDecodeForgivesUnusedBitsOfBase64(t *testing.T) {
	t.Parallel()
	if got := mustDecode(t, `{"logo":"ab=="}`); !bytes.Equal(got.Logo, []byte{0x69}) {
		t.Errorf("Logo = %x, want 69", got.Logo)
	}
}

func TestDecodeReadsAHundredItems(t *testing.T) {
	t.Parallel()
	var want []string
	for i := range 100 {
		want = append(want, "case-"+strconv.Itoa(i))
	}
	list, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got := mustDecode(t, `{"caseIdList":`+string(list)+`}`)
	if diff := cmp.Diff(want, got.CaseIDList); diff != "" {
		t.Errorf("Decode (-want +got):\n%s", diff)
	}
	if err := NewCodec[caseInput]().Validate(&got); err != nil {
		t.Errorf("Validate = %v, want nil", err)
	}
}

func TestDecodeLeavesTheBodyAlone(t *testing.T) {
	t.Parallel()
	body := []byte(`{"logo":"AAAA\/+==","serviceCode":"a\n","ccEmailAddresses":["x"]}`)
	before := bytes.Clone(body)
	var in caseInput
	if typeErr, syntax := NewCodec[caseInput]().Decode(body, &in); typeErr != nil || syntax != nil {
		t.Fatalf("Decode = %v, %v, want no error", typeErr, syntax)
	}
	if !bytes.Equal(before, body) {
		t.Errorf("body = %s, want %s", body, before)
	}
	clear(body)
	if got := in.CCEmailAddresses[0]; got != "x" {
		t.Errorf("address = %q after the body is gone, want x", got)
	}
}

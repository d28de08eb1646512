package awsjson

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// signature is what follows the members in each URL; nothing in it is a member.
const signature = "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Fus-east-1%2Fsupport%2Faws4_request" +
	"&X-Amz-Date=20261121T065218Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-target" +
	"&X-Amz-Signature=1ad739c227d008b2609356f00d50d51b6ca7128343c2da4a73b10bd259e78c23"

// The queries were made by generate_presigned_url of botocore 1.43.
func TestDecodeQueryReadsPresignedURLs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, query string
		want        caseInput
	}{
		{
			"nothing", "", caseInput{}, // serviceCodeList=[]
		},
		{
			// maxResults=25, includeResolvedCases=True, serviceCode='1234567890', language='en'
			"scalars", "serviceCode=1234567890&includeResolvedCases=True&maxResults=25&language=en",
			caseInput{ServiceCode: new("1234567890"), IncludeResolvedCases: new(true), MaxResults: new(int32(25)), Language: new("en")},
		},
		{"False", "includeResolvedCases=False", caseInput{IncludeResolvedCases: new(false)}},
		{
			// caseIdList=['case-1', 'case 2&=+%', 'case-ü']
			"list", "caseIdList=case-1&caseIdList=case%202%26%3D%2B%25&caseIdList=case-%C3%BC",
			caseInput{CaseIDList: []string{"case-1", "case 2&=+%", "case-ü"}},
		},
		{"list of one", "serviceCodeList=amazon-s3&language=en", caseInput{ServiceCodeList: []string{"amazon-s3"}, Language: new("en")}},
		{
			// communicationBody='1 < 2 & "x" – ü 😀', ccEmailAddresses=['a@example.com', 'b+c@example.com']
			"create", "subject=Help%0Ame&communicationBody=1%20%3C%202%20%26%20%22x%22%20%E2%80%93%20%C3%BC%20%F0%9F%98%80&ccEmailAddresses=a%40example.com&ccEmailAddresses=b%2Bc%40example.com&serviceCode=general-info",
			caseInput{
				CommunicationBody: new(`1 < 2 & "x" – ü 😀`), CCEmailAddresses: []string{"a@example.com", "b+c@example.com"}, ServiceCode: new("general-info"),
			},
		},
		{
			// [dict(fileName='a.txt', data=b'hello'), dict(fileName="it's \"q\" \\ \n\t\r.txt", data=b''), dict(fileName="it's.txt", data=b'\x00\xff')]
			"structures", "attachments=%7B%27fileName%27%3A%20%27a.txt%27%2C%20%27data%27%3A%20%27aGVsbG8%3D%27%7D&attachments=%7B%27fileName%27%3A%20%27it%5C%27s%20%22q%22%20%5C%5C%20%5Cn%5Ct%5Cr.txt%27%2C%20%27data%27%3A%20%27%27%7D&attachments=%7B%27fileName%27%3A%20%22it%27s.txt%22%2C%20%27data%27%3A%20%27AP8%3D%27%7D",
			caseInput{Attachments: []attachment{
				{FileName: new("a.txt"), Data: []byte("hello")},
				{FileName: new("it's \"q\" \\ \n\t\r.txt"), Data: []byte{}},
				{FileName: new("it's.txt"), Data: []byte{0, 0xff}},
			}},
		},
		{
			// fileName='grün-\x00\x7f\x80\xa0\u2028\u200b\U000e0001-😀.txt', data=bytes(range(20))
			"escapes", "attachments=%7B%27fileName%27%3A%20%27gr%C3%BCn-%5Cx00%5Cx7f%5Cx80%5Cxa0%5Cu2028%5Cu200b%5CU000e0001-%F0%9F%98%80.txt%27%2C%20%27data%27%3A%20%27AAECAwQFBgcICQoLDA0ODxAREhM%3D%27%7D",
			caseInput{Attachments: []attachment{{
				FileName: new("grün-\x00\x7f\u0080\u00a0\u2028\u200b\U000e0001-😀.txt"),
				Data:     []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19},
			}}},
		},
	} {
		q, err := url.ParseQuery(test.query + signature)
		if err != nil {
			t.Fatal(err)
		}
		var got caseInput
		if err := NewCodec[caseInput]().DecodeQuery(q, &got); err != nil {
			t.Errorf("%s: DecodeQuery = %v, want nil", test.name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: DecodeQuery (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestDecodeQueryReadsOtherForms(t *testing.T) {
	t.Parallel()
	q := url.Values{
		"Action":               {"DescribeCases"},
		"Version":              {"2013-04-15"},
		"attachments":          {`{"fileName":"a\/b","data":"aGVsbG8="}`, `{}`, `{ 'fileName' : None , 'x' : -12, 'y': True, 'z': False }`},
		"includeResolvedCases": {"true"},
		"logo":                 {"aGVsbG8="},
		"maxResults":           {"-1.5"},
		"range":                {"{'start': 'x'}"},
	}
	want := caseInput{
		Attachments:          []attachment{{FileName: new("a/b"), Data: []byte("hello")}, {}, {}},
		IncludeResolvedCases: new(true),
		Logo:                 []byte("hello"),
		MaxResults:           new(int32(-1)),
		Range:                &dateRange{Start: new("x")},
	}
	var got caseInput
	if err := NewCodec[caseInput]().DecodeQuery(q, &got); err != nil {
		t.Fatalf("DecodeQuery = %v, want nil", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("DecodeQuery (-want +got):\n%s", diff)
	}
	q = url.Values{"includeResolvedCases": {"false"}, "communicationBody": {""}, "caseIdList": {""}}
	want = caseInput{IncludeResolvedCases: new(false), CommunicationBody: new(""), CaseIDList: []string{""}}
	got = caseInput{}
	if err := NewCodec[caseInput]().DecodeQuery(q, &got); err != nil || !cmp.Equal(want, got) {
		t.Errorf("DecodeQuery = %v, %v, want %v", got, err, want)
	}
}

func TestDecodeQuerySaysWhatAWSSaysOfABody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ key, values, want string }{
		{"maxResults", "ten", "STRING_VALUE can not be converted to an Integer"},
		{"maxResults", "", "STRING_VALUE can not be converted to an Integer"},
		{"maxResults", "0x10", "STRING_VALUE can not be converted to an Integer"},
		{"maxResults", "+1", "STRING_VALUE can not be converted to an Integer"},
		{"maxResults", "1_0", "STRING_VALUE can not be converted to an Integer"},
		{"maxResults", " 1", "STRING_VALUE can not be converted to an Integer"},
		{"maxResults", "1 ", "STRING_VALUE can not be converted to an Integer"},
		{"maxResults", "Inf", "STRING_VALUE can not be converted to an Integer"},
		{"maxResults", "-", "STRING_VALUE can not be converted to an Integer"},
		{"maxResults", "4294967296", "Numeric value (4294967296) out of range of int (-2147483648 - 2147483647)"},
		{"maxResults", "1|1", "Start of list found where not expected"},
		{"serviceCode", "a|b", "Start of list found where not expected"},
		{"serviceCode", "\xff", ""},
		{"caseIdList", "a|\xff", ""},
		{"includeResolvedCases", "yes", "STRING_VALUE can not be converted to a Boolean"},
		{"includeResolvedCases", "TRUE", "STRING_VALUE can not be converted to a Boolean"},
		{"logo", "abc", "'abc' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 3"},
		{"attachments", "a.txt", "Expected null"},
		{"attachments", "", "Expected null"},
		{"attachments", "{}|{'fileName': 1}", "NUMBER_VALUE can not be converted to a String"},
		{"attachments", "{'fileName': True}", "TRUE_VALUE can not be converted to a String"},
		{"attachments", `{"fileName": ["a"]}`, "Start of list found where not expected"},
		{"attachments", `{'data': 'ab-_'}`, "'ab-_' can not be converted to a Blob: Invalid Base64 character: '-'"},
		{"attachments", `{'fileName': 'a'`, ""},
		{"attachments", `{"fileName": "a"`, ""},
		{"attachments", `{'fileName': 007}`, ""},
		{"attachments", `{'fileName': '\ud83d'}`, ""},
		{"range", "{}|{}", "Start of list found where not expected"},
	} {
		q := url.Values{test.key: strings.Split(test.values, "|")}
		got := NewCodec[caseInput]().DecodeQuery(q, new(caseInput))
		if want := (&Error{Serialization, test.want}); !cmp.Equal(want, got) {
			t.Errorf("DecodeQuery(%v) = %v, want %v", q, got, want)
		}
	}
}

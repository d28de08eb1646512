package supportapi

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/supportd/supportd/internal/iam"
)

// refused sends a call that must be refused with status 400, and checks that it
// was and left everything as it was before. An empty message is not compared.
func (f *fixture) refused(t *testing.T, before dump, key iam.NewKey, operation, body, name, message string) {
	t.Helper()
	got := f.call(t, key, operation, body)
	if got.Status != http.StatusBadRequest || got.Name != name || message != "" && got.Message != message {
		t.Errorf("%s(%.200s) = %.300s, want 400 %s: %s", operation, body, got.refusal(), name, message)
	}
	f.mustStayAs(t, before, operation)
}

func TestEveryOperationAcceptsItsValidInput(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	for name := range f.api.operations {
		if got := f.call(t, f.first, name, f.valid(name).text(t)); got.Status != http.StatusOK {
			t.Errorf("%s = %s, want 200", name, got.refusal())
		}
	}
}

func TestBrokenBodiesAreSerializationExceptions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	for name := range f.api.operations {
		valid := f.valid(name).text(t)
		for _, tt := range []struct{ body, want string }{
			{"", ""},
			{" ", ""},
			{"{", ""},
			{valid[:len(valid)-1], ""},
			{valid + "}", ""},
			{valid + " {}", ""},
			{`{"subject":}`, ""},
			{`{"subject":"\x"}`, ""},
			{`{"subject":"` + "\n" + `"}`, ""},
			{`{'subject':'s'}`, ""},
			{"\ufeff" + valid, ""},
			{`{"subject":"` + "\xff" + `"}`, ""},
			{`{"` + "\xc3\x28" + `":1}`, ""},
			{`{"unknown":"` + "\xed\xa0\x80" + `"}`, ""},
			{`{"subject":"\ud800"}`, ""},
			{`{"subject":"\udc00 \ud800"}`, ""},
			{"null", ""},
			{`"text"`, ""},
			{"1", ""},
			{"true", ""},
			{"[]", "Start of list found where not expected"},
			{"\x00", ""},
			{valid + "\x00", ""},
			{strings.Repeat("[", 100_000), ""},
			{`{"subject":` + strings.Repeat(`{"a":`, 100_000), ""},
		} {
			got := f.call(t, f.first, name, tt.body)
			if want := "400 SerializationException: " + tt.want; got.refusal() != want {
				t.Errorf("%s(%.80q) = %s, want %s", name, tt.body, got.refusal(), want)
			}
			if tt.want == "" && got.body != `{"__type":"SerializationException"}` {
				t.Errorf("%s(%.80q): body %s, want the bare SerializationException", name, tt.body, got.body)
			}
		}
	}
}

func TestBrokenBodiesChangeNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	for name := range f.api.operations {
		valid := f.valid(name).text(t)
		for _, body := range []string{"", valid[:len(valid)-1], valid + valid, "[" + valid + "]", strings.Replace(valid, "{", `{"x":"`+"\xff"+`",`, 1)} {
			f.call(t, f.first, name, body)
		}
		f.mustStayAs(t, before, "broken bodies of "+name)
	}
}

// wrongValues returns JSON values that a member of a form does not take, and
// what is said about each.
func wrongValues(form string) map[string]string {
	const (
		listFound = "Start of list found where not expected"
		mapFound  = "Start of structure or map found where not expected."
	)
	scalars := map[string]string{`"text"`: "STRING_VALUE", `7`: "NUMBER_VALUE", `true`: "TRUE_VALUE", `false`: "FALSE_VALUE"}
	wrong := map[string]string{}
	for value, kind := range scalars {
		switch form {
		case "list":
			wrong[value] = "Expected list or null"
		case "structure":
			wrong[value] = "Expected null"
		default:
			names := map[string]string{"text": "a String", "blob": "a Blob", "integer": "an Integer", "boolean": "a Boolean"}
			wrong[value] = kind + " can not be converted to " + names[form]
		}
	}
	for _, right := range map[string][]string{"text": {`"text"`}, "blob": {`"text"`}, "integer": {`7`}, "boolean": {`true`, `false`}}[form] {
		delete(wrong, right)
	}
	if form != "list" {
		wrong[`[]`] = listFound
		wrong[`["text"]`] = listFound
	}
	if form != "structure" {
		wrong[`{}`] = mapFound
		wrong[`{"a":1}`] = mapFound
	}
	return wrong
}

func TestWrongTypesOfEveryMemberAreSerializationExceptions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	for name, operation := range f.mustModel(t) {
		for _, m := range operation.in {
			for value, want := range wrongValues(m.form) {
				body := f.valid(name).with(m.path, json.RawMessage(value)).text(t)
				got := f.call(t, f.first, name, body)
				if want = "400 SerializationException: " + want; got.refusal() != want {
					t.Errorf("%s(%s) = %s, want %s", name, body, got.refusal(), want)
				}
			}
		}
		f.mustStayAs(t, before, "wrong types in "+name)
	}
}

func TestInvalidUTF8InEveryTextMember(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	for name, operation := range f.mustModel(t) {
		for _, m := range operation.in {
			if m.form != "text" && m.form != "blob" {
				continue
			}
			body := strings.Replace(f.valid(name).with(m.path, "a bad one").text(t), "a bad one", "a\xc3\x28", 1)
			if got, want := f.call(t, f.first, name, body), "400 SerializationException: "; got.refusal() != want {
				t.Errorf("%s.%s with other bytes = %s, want %s", name, m.path, got.refusal(), want)
			}
		}
		f.mustStayAs(t, before, "other bytes in "+name)
	}
}

func TestBrokenConstraintsChangeNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	for name, operation := range f.mustModel(t) {
		for _, m := range operation.in {
			bodies := []string{}
			if m.required {
				bodies = append(bodies, f.valid(name).without(m.path).text(t))
			}
			for _, p := range probesOf(m) {
				if p.want != "" {
					bodies = append(bodies, f.valid(name).with(m.path, sized(name+"."+m.path, m, p.size)).text(t))
				}
			}
			for _, body := range bodies {
				if got := f.call(t, f.first, name, body); got.Status != http.StatusBadRequest || got.Name != "ValidationException" {
					t.Errorf("%s(%.100s) = %.200s, want a ValidationException", name, body, got.refusal())
				}
			}
		}
		f.mustStayAs(t, before, "broken constraints of "+name)
	}
}

func TestUnknownMembersAreIgnored(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	for name := range f.api.operations {
		body := f.valid(name).with("unknown", members{"a": []any{1, nil}}).with("Subject", 7).with("__type", "x").text(t)
		if got := f.call(t, f.first, name, body); got.Status != http.StatusOK {
			t.Errorf("%s(%s) = %s, want 200", name, body, got.refusal())
		}
	}
}

func TestNullMembersCountAsAbsent(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	for name, operation := range f.mustModel(t) {
		for _, m := range operation.in {
			if strings.ContainsAny(m.path, "[.") {
				continue
			}
			null := f.call(t, f.first, name, f.valid(name).with(m.path, nil).text(t))
			absent := f.call(t, f.first, name, f.valid(name).without(m.path).text(t))
			if null.refusal() != absent.refusal() {
				t.Errorf("%s with %s null = %s, and without it %s, want the same", name, m.path, null.refusal(), absent.refusal())
			}
		}
	}
}

// What a NUL does in each text member. Those that only ask for something find
// nothing; no member keeps one.
func TestNULCharactersInEveryTextMember(t *testing.T) {
	t.Parallel()
	const (
		pattern = "ValidationException"
		invalid = "InvalidParameterValueException"
	)
	want := map[string]string{
		"AddAttachmentsToSet.attachmentSetId":     "AttachmentSetIdNotFound",
		"AddAttachmentsToSet.attachments[].data":  "SerializationException",
		"AddCommunicationToCase.attachmentSetId":  "AttachmentSetIdNotFound",
		"AddCommunicationToCase.caseId":           "CaseIdNotFound",
		"CreateCase.attachmentSetId":              "AttachmentSetIdNotFound",
		"CreateCase.serviceCode":                  pattern,
		"DescribeAttachment.attachmentId":         "AttachmentIdNotFound",
		"DescribeCases.caseIdList[]":              "CaseIdNotFound",
		"DescribeCases.displayId":                 "", // an empty list
		"DescribeCommunications.caseId":           "CaseIdNotFound",
		"DescribeCreateCaseOptions.serviceCode":   pattern,
		"DescribeServices.serviceCodeList[]":      pattern,
		"DescribeSupportedLanguages.serviceCode":  pattern,
		"DescribeSupportedLanguages.issueType":    invalid,
		"DescribeSupportedLanguages.categoryCode": invalid,
		"ResolveCase.caseId":                      "CaseIdNotFound",
	}
	f := newFixture(t, limits{})
	before := f.dump(t)
	for name, operation := range f.mustModel(t) {
		for _, m := range operation.in {
			place := name + "." + m.path
			expected, listed := want[place]
			if !listed {
				expected = invalid
			}
			if m.form != "text" && m.form != "blob" {
				continue
			}
			got := f.call(t, f.first, name, f.valid(name).with(m.path, "technical\x00").text(t))
			if got.Name != expected || got.Status != http.StatusBadRequest && expected != "" {
				t.Errorf("%s with NUL in it = %s, want %q", place, got.refusal(), expected)
			}
		}
		f.mustStayAs(t, before, "NUL in "+name)
	}
}

func TestBadBase64(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	for _, tt := range []struct{ data, want string }{
		{"a", "'a' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 1"},
		{"YQ", "'YQ' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 2"},
		{"YQ=*", "'YQ=*' can not be converted to a Blob: Invalid Base64 character: '='"},
		{"Y*==", "'Y*==' can not be converted to a Blob: Invalid Base64 character: '*'"},
		{"_-8=", "'_-8=' can not be converted to a Blob: Invalid Base64 character: '_'"},
		{"====", "'====' can not be converted to a Blob: Invalid Base64 character: '='"},
		{"YWJj\n\n\n\n", "'YWJj\n\n\n\n' can not be converted to a Blob: Invalid Base64 character: '\n'"},
	} {
		f.refused(t, before, f.first, "AddAttachmentsToSet", f.valid("AddAttachmentsToSet").with("attachments[].data", tt.data).text(t), "SerializationException", tt.want)
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	add := func(name any) string {
		return f.valid("AddAttachmentsToSet").with("attachments[].fileName", name).text(t)
	}
	for _, name := range []any{
		nil, "", " ", ".", "..", "a/b", `a\b`, "/etc/passwd", "..\\x", "a\x00.txt", "a\n.txt", "a\r", "a\tb", "\x7f",
		"a\u202etxt.exe", "a\u200b", "a\u2028b", "\ufeffa", strings.Repeat("n", 256), strings.Repeat("語", 256),
	} {
		f.refused(t, before, f.first, "AddAttachmentsToSet", add(name), "InvalidParameterValueException", "")
	}
	for _, name := range []string{"a", ".profile", "...", "報告 1.txt", "👩‍💻.png", "a b+c=d%20.txt", "CON", strings.Repeat("語", 255)} {
		if got := f.call(t, f.first, "AddAttachmentsToSet", add(name)); got.Status != http.StatusOK {
			t.Errorf("AddAttachmentsToSet(fileName %q) = %s, want 200", name, got.refusal())
		}
	}
}

func TestTooManyAndTooLarge(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	file := members{"data": "aGVsbG8=", "fileName": "a.txt"}
	files := func(n int) members {
		all := make([]any, n)
		for i := range all {
			all[i] = file
		}
		return members{"attachments": all}
	}
	large := func(bytes int) members {
		return members{"attachments": []any{members{"data": make([]byte, bytes), "fileName": "large.bin"}}}
	}
	f.refused(t, before, f.first, "AddAttachmentsToSet", files(0).text(t), "InvalidParameterValueException", "At least one attachment is required.")
	f.refused(t, before, f.first, "AddAttachmentsToSet", files(4).text(t), "AttachmentSetSizeLimitExceeded", "An attachment set holds at most 3 attachments.")
	f.refused(t, before, f.first, "AddAttachmentsToSet", large(5<<20+1).text(t), "AttachmentSetSizeLimitExceeded", `The attachment "large.bin" is larger than 5 MB.`)
	for _, in := range []members{files(3), large(5 << 20)} {
		if got := f.call(t, f.first, "AddAttachmentsToSet", in.text(t)); got.Status != http.StatusOK {
			t.Errorf("AddAttachmentsToSet at the limit = %s, want 200", got.refusal())
		}
	}
}

// An absent file is not an empty one.
func TestAttachmentsNeedData(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	for _, file := range []members{{"fileName": "a.txt"}, {"fileName": "a.txt", "data": nil}} {
		f.refused(t, before, f.first, "AddAttachmentsToSet", members{"attachments": []any{file}}.text(t),
			"InvalidParameterValueException", `The attachment "a.txt" has no data.`)
	}
	if got := f.call(t, f.first, "AddAttachmentsToSet", f.valid("AddAttachmentsToSet").with("attachments[].data", "").text(t)); got.Status != http.StatusOK {
		t.Errorf("AddAttachmentsToSet with an empty file = %s, want 200", got.refusal())
	}
}

func TestBodiesAboveTheLimitAreNotRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	for operation, limit := range map[string]int{"CreateCase": maxBody, "AddAttachmentsToSet": maxAttachmentsBody} {
		valid := f.valid(operation).text(t)
		longest := valid + strings.Repeat(" ", limit-len(valid))
		for _, announced := range []bool{true, false} {
			r := newRequest(operation, longest+" ")
			if !announced {
				r.ContentLength = -1
			}
			sign(t, r, f.first, longest+" ")
			if announced {
				r.Body = io.NopCloser(iotest.ErrReader(errors.New("the body was read although its length was announced")))
			}
			got := f.send(t, r)
			if want := "413 RequestEntityTooLargeException: Request body exceeds the size limit."; got.refusal() != want {
				t.Errorf("%s with %d bytes (announced %t) = %.200s, want %s", operation, len(longest)+1, announced, got.refusal(), want)
			}
			f.mustStayAs(t, before, operation)
		}
		if got := f.call(t, f.first, operation, longest); got.Status != http.StatusOK {
			t.Errorf("%s with %d bytes = %.200s, want 200", operation, len(longest), got.refusal())
		}
		before = f.dump(t)
	}
}

func TestUnknownCodesAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	const (
		invalid = "InvalidParameterValueException"
		badTime = `%s "yesterday" is not a time in ISO 8601 form, such as 2026-01-31T12:00:00Z.`
	)
	for _, tt := range []struct {
		operation, path string
		value           any
		name, want      string
	}{
		{"CreateCase", "serviceCode", "no-such-service", invalid, "No service exists for combination of serviceCode: no-such-service, categoryCode: , issueType: technical"},
		{"CreateCase", "categoryCode", "no-such-category", invalid, "Invalid category code: no-such-category. Service general-info has no such category"},
		{"CreateCase", "issueType", "no-such-type", invalid, "Invalid issue type: no-such-type. It must be technical, customer-service or service-limit-increase"},
		{"CreateCase", "severityCode", "fatal", invalid, `Severity code "fatal" is not available on the account's support plan.`},
		{"CreateCase", "severityCode", "Low", invalid, `Severity code "Low" is not available on the account's support plan.`},
		{"CreateCase", "language", "tlh", invalid, "Invalid language: tlh. It must be en, ja, zh or ko"},
		{"CreateCase", "ccEmailAddresses[]", "nobody", invalid, `"nobody" is not a valid e-mail address.`},
		{"CreateCase", "ccEmailAddresses[]", "A <a@example.com>", invalid, `"A <a@example.com>" is not a valid e-mail address.`},
		{"CreateCase", "subject", "two\nlines", invalid, "The subject may not contain control characters."},
		{"AddCommunicationToCase", "ccEmailAddresses[]", "a@example.com\nb@example.com", invalid, `"a@example.com\nb@example.com" is not a valid e-mail address.`},
		{"DescribeCases", "language", "tlh", invalid, "Invalid language: tlh. It must be en, ja, zh or ko"},
		{"DescribeCases", "afterTime", "yesterday", invalid, strings.Replace(badTime, "%s", "afterTime", 1)},
		{"DescribeCases", "beforeTime", "yesterday", invalid, strings.Replace(badTime, "%s", "beforeTime", 1)},
		{"DescribeCommunications", "afterTime", "yesterday", invalid, strings.Replace(badTime, "%s", "afterTime", 1)},
		{"DescribeCommunications", "beforeTime", "yesterday", invalid, strings.Replace(badTime, "%s", "beforeTime", 1)},
		{"DescribeServices", "language", "tlh", invalid, "Invalid language: tlh. It must be en, ja, zh or ko"},
		{"DescribeSeverityLevels", "language", "tlh", invalid, "Invalid language: tlh. It must be en, ja, zh or ko"},
		{"DescribeCreateCaseOptions", "language", "tlh", invalid, "Invalid language: tlh. It must be en, ja, zh or ko"},
		{"DescribeCreateCaseOptions", "serviceCode", "none", invalid, "No service exists for combination of serviceCode: none, categoryCode: using-aws, issueType: technical"},
		{"DescribeSupportedLanguages", "categoryCode", "none", invalid, "Invalid category code: none. Service general-info has no such category"},
		{"DescribeSupportedLanguages", "issueType", "technicals", invalid, "Invalid issue type: technicals. It must be technical, customer-service or service-limit-increase"},
	} {
		f.refused(t, before, f.first, tt.operation, f.valid(tt.operation).with(tt.path, tt.value).text(t), tt.name, tt.want)
	}
	// Severities of higher plans are unknown to the second account.
	f.refused(t, before, f.second, "CreateCase", f.valid("CreateCase").with("severityCode", "critical").text(t), invalid,
		`Severity code "critical" is not available on the account's support plan.`)
}

// Things of another account are not told apart from things that never were.
func TestForeignIDsAreUnknown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	set := f.mustSet(t, f.first)
	before := f.dump(t)
	own := strings.Replace(f.caseID, firstAccount, secondAccount, 1)
	for _, tt := range []struct{ operation, path, id, name string }{
		{"AddAttachmentsToSet", "attachmentSetId", set, "AttachmentSetIdNotFound"},
		{"CreateCase", "attachmentSetId", set, "AttachmentSetIdNotFound"},
		{"AddCommunicationToCase", "caseId", f.caseID, "CaseIdNotFound"},
		{"AddCommunicationToCase", "caseId", own, "CaseIdNotFound"},
		{"DescribeAttachment", "attachmentId", f.attachmentID, "AttachmentIdNotFound"},
		{"DescribeCases", "caseIdList[]", f.caseID, "CaseIdNotFound"},
		{"DescribeCommunications", "caseId", f.caseID, "CaseIdNotFound"},
		{"ResolveCase", "caseId", f.caseID, "CaseIdNotFound"},
		{"ResolveCase", "caseId", own, "CaseIdNotFound"},
		{"ResolveCase", "caseId", "", "CaseIdNotFound"},
	} {
		f.refused(t, before, f.second, tt.operation, f.valid(tt.operation).with(tt.path, tt.id).text(t), tt.name, "")
		foreign := f.call(t, f.second, tt.operation, f.valid(tt.operation).with(tt.path, tt.id).text(t))
		never := f.call(t, f.second, tt.operation, f.valid(tt.operation).with(tt.path, "never-was").text(t))
		if got := strings.ReplaceAll(foreign.refusal(), tt.id, "never-was"); tt.id != "" && got != never.refusal() {
			t.Errorf("%s of another's %s = %s, want the words for one that never was: %s", tt.operation, tt.path, got, never.refusal())
		}
	}
}

func (f *fixture) mustSet(t testing.TB, key iam.NewKey) string {
	t.Helper()
	got := f.call(t, key, "AddAttachmentsToSet", f.valid("AddAttachmentsToSet").text(t))
	var out struct {
		AttachmentSetID string `json:"attachmentSetId"`
	}
	mustNot(t, json.Unmarshal([]byte(got.body), &out))
	if out.AttachmentSetID == "" {
		t.Fatalf("AddAttachmentsToSet = %s, want an attachment set", got.body)
	}
	return out.AttachmentSetID
}

func TestTargetsMethodsAndContentTypes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	body := f.valid("CreateCase").text(t)
	const unknown = "400 UnknownOperationException: "
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		want   string
	}{
		{"no target", func(r *http.Request) { r.Header.Del("X-Amz-Target") }, unknown},
		{"an empty target", func(r *http.Request) { r.Header.Set("X-Amz-Target", "") }, unknown},
		{"two targets", func(r *http.Request) { r.Header.Add("X-Amz-Target", targetPrefix+"CreateCase") }, unknown},
		{"a target without prefix", func(r *http.Request) { r.Header.Set("X-Amz-Target", "CreateCase") }, unknown},
		{"another version", func(r *http.Request) { r.Header.Set("X-Amz-Target", "AWSSupport_20260101.CreateCase") }, unknown},
		{"another case", func(r *http.Request) { r.Header.Set("X-Amz-Target", targetPrefix+"createCase") }, unknown},
		{"an unknown operation", func(r *http.Request) { r.Header.Set("X-Amz-Target", targetPrefix+"DeleteCase") }, unknown},
		{"a target with more behind it", func(r *http.Request) { r.Header.Set("X-Amz-Target", targetPrefix+"CreateCase.x") }, unknown},
		{"no version for an action", func(r *http.Request) {
			r.Header.Del("X-Amz-Target")
			r.URL.RawQuery = "Action=CreateCase"
		}, unknown},
		{"GET", func(r *http.Request) { r.Method = http.MethodGet }, "405 UnknownOperationException: "},
		{"PUT", func(r *http.Request) { r.Method = http.MethodPut }, "405 UnknownOperationException: "},
		{"OPTIONS", func(r *http.Request) { r.Method = http.MethodOptions }, "405 UnknownOperationException: "},
		{"no content type", func(r *http.Request) { r.Header.Del("Content-Type") }, "404 UnknownOperationException: "},
		{"text", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, "404 UnknownOperationException: "},
		{"a form", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, "404 UnknownOperationException: "},
		{"a broken content type", func(r *http.Request) { r.Header.Set("Content-Type", "application/json; =") }, "404 UnknownOperationException: "},
	} {
		r := newRequest("CreateCase", body)
		tt.change(r)
		sign(t, r, f.first, body)
		if got := f.send(t, r); got.refusal() != tt.want || got.body != `{"__type":"UnknownOperationException"}` {
			t.Errorf("CreateCase with %s = %s (%s), want %s", tt.name, got.refusal(), got.body, tt.want)
		} else if allow := got.header.Get("Allow"); (allow == http.MethodPost) != (got.Status == http.StatusMethodNotAllowed) {
			t.Errorf("CreateCase with %s = %d with Allow %q, want POST with 405 only", tt.name, got.Status, allow)
		}
		f.mustStayAs(t, before, tt.name)
	}
}

func TestAcceptedContentTypesAndActions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	for _, media := range []string{contentType, "application/json", "application/x-amz-json-1.0", "Application/JSON", contentType + "; charset=utf-8"} {
		r := newRequest("DescribeCases", "{}")
		r.Header.Set("Content-Type", media)
		sign(t, r, f.first, "{}")
		if got := f.send(t, r); got.Status != http.StatusOK || got.header.Get("Content-Type") != contentType {
			t.Errorf("DescribeCases as %q = %s as %q, want 200 as %q", media, got.refusal(), got.header.Get("Content-Type"), contentType)
		}
	}
	r := newRequest("", "{}")
	r.Header.Del("X-Amz-Target")
	r.URL.RawQuery = "Action=DescribeCases&Version=2013-04-15"
	sign(t, r, f.first, "{}")
	if got := f.send(t, r); got.Status != http.StatusOK {
		t.Errorf("DescribeCases named by Action and Version = %s, want 200", got.refusal())
	}
}

// A header may hold bytes that are no text, and the answer repeats some headers.
func TestHeadersThatAreNoTextAreTheCallersFault(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	for _, header := range []string{"Authorization", "X-Amz-Date"} {
		r := newRequest("DescribeCases", "{}")
		sign(t, r, f.first, "{}")
		r.Header.Set(header, "AWS4-HMAC-SHA256 \xff")
		got := f.send(t, r)
		if got.Status != http.StatusBadRequest || got.Name != "IncompleteSignatureException" || !strings.Contains(got.Message, "\uFFFD") {
			t.Errorf("DescribeCases with %s of other bytes = %s, want 400 IncompleteSignatureException", header, got.refusal())
		}
	}
}

// mustModel returns the model of the operations that are ours.
func (f *fixture) mustModel(t testing.TB) map[string]*modelOperation {
	t.Helper()
	all := mustModel(t)
	maps.DeleteFunc(all, func(name string, _ *modelOperation) bool {
		_, ours := f.api.operations[name]
		return !ours
	})
	return all
}

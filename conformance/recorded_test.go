package conformance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The tests of this file hold our answers against what was recorded from the
// real service between 2017 and 2023: which members there are and in which
// order, the forms of ids and times, the order of lists.

// recording is a server and the caller of an account on it.
type recording struct {
	t   *testing.T
	url string
	who credentials
}

// newRecording calls as a user who is named like the one in the recordings.
func newRecording(t *testing.T) recording {
	t.Helper()
	server := inProcess(t, setting{})
	mustAdmin(t, server.data, "user", "create", "--account", firstAccount, "--name", "alice@example.com", "--policy", "AWSSupportAccess")
	who := parseExports(mustAdmin(t, server.data, "key", "create", "--account", firstAccount, "--user", "alice@example.com"))
	return recording{t, server.url, who}
}

func (r recording) call(operation, body string) answer {
	r.t.Helper()
	return mustCall(r.t, r.url, r.who, operation, body)
}

// create returns the id of a new case.
func (r recording) create(body string) string {
	r.t.Helper()
	return read[struct{ CaseID string }](r.t, r.call("CreateCase", body)).CaseID
}

// read takes an answer apart.
func read[T any](t *testing.T, a answer) (v T) {
	t.Helper()
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("answer %s: %v", a.body, err)
	}
	return v
}

type recordedCases struct {
	Cases []struct {
		CaseID, DisplayID, TimeCreated, SubmittedBy string
		RecentCommunications                        recordedCommunications
	}
	NextToken *string
}

type recordedCommunications struct {
	Communications []struct{ CaseID, Body, SubmittedBy, TimeCreated string }
	NextToken      string
}

// Every recorded answer has these four headers and, some of them, a trace.
func TestRecordedHeaders(t *testing.T) {
	t.Parallel()
	r := newRecording(t)
	for _, call := range []struct{ operation, body string }{{"DescribeCases", "{}"}, {"DescribeServices", "{}"}} {
		got := r.call(call.operation, call.body)
		var names []string
		for name := range got.header {
			names = append(names, name)
		}
		slices.Sort(names)
		if diff := cmp.Diff([]string{"Content-Length", "Content-Type", "Date", "X-Amzn-Requestid"}, names); diff != "" {
			t.Errorf("%s(%s): headers (-want +got):\n%s", call.operation, call.body, diff)
		}
		if length := got.header.Get("Content-Length"); length != fmt.Sprint(len(got.body)) {
			t.Errorf("%s(%s): Content-Length = %s, want %d", call.operation, call.body, length, len(got.body))
		}
	}
}

// The recorded answers of CreateCase have 57 bytes.
func TestRecordedCreateCase(t *testing.T) {
	t.Parallel()
	r := newRecording(t)
	got := r.call("CreateCase", `{"subject":"Programmatic test","communicationBody":"Please raise the limit.","serviceCode":"amazon-elastic-block-store","categoryCode":"general-guidance","severityCode":"normal","issueType":"customer-service","language":"en","ccEmailAddresses":["bar@example.com"]}`)
	if len(got.body) != 57 || !matches(`\{"caseId":"case-123456789012-muen-20\d\d-[0-9a-f]{16}"\}`, string(got.body)) {
		t.Errorf("CreateCase() = %s, want 57 bytes with a case id", got.body)
	}
}

// Services and categories that recorded cases have.
func TestRecordedServices(t *testing.T) {
	t.Parallel()
	r := newRecording(t)
	for _, pair := range []string{
		"amazon-elastic-block-store general-guidance",
		"amazon-virtual-private-cloud general-guidance",
		"amazon-relational-database-service-aurora general-guidance",
		"aws-identity-and-access-management apis",
		"aws-cloudformation general-guidance",
		"general-info using-aws",
	} {
		service, category, _ := strings.Cut(pair, " ")
		r.create(fmt.Sprintf(`{"subject":"S","communicationBody":"B","serviceCode":%q,"categoryCode":%q}`, service, category))
	}
	got := read[struct {
		Services []struct {
			Code, Name string
			Categories []struct{ Code string }
		}
	}](t, r.call("DescribeServices", `{"serviceCodeList":["general-info"]}`))
	var codes []string
	for _, c := range got.Services[0].Categories {
		codes = append(codes, c.Code)
	}
	want := []string{
		"charges", "gdpr-queries", "reserved-instances", "resource",
		"using-aws", "free-tier", "security-and-compliance", "account-structure",
	}
	if diff := cmp.Diff(want, codes); diff != "" || got.Services[0].Name != "General Info and Getting Started" {
		t.Errorf("DescribeServices(general-info) = %s (-want +got):\n%s", got.Services[0].Name, diff)
	}
}

// The members of a case with a communication, in the order of the wire, and the
// type that the recorder dropped: 23 bytes for each case.
func TestRecordedMembers(t *testing.T) {
	t.Parallel()
	r := newRecording(t)
	set := mustAddSet(t, &target{url: r.url}, r.who)
	id := r.create(`{"subject":"S","communicationBody":"B","attachmentSetId":"` + set + `"}`)
	for _, test := range []struct{ operation, body, want string }{
		{"DescribeCases", `{}`, `cases __type caseId categoryCode ccEmailAddresses displayId language recentCommunications ` +
			`communications attachmentSet attachmentId fileName body caseId submittedBy timeCreated ` +
			`serviceCode severityCode status subject submittedBy timeCreated`},
		{"DescribeCases", `{"includeCommunications":false}`, `cases __type caseId categoryCode ccEmailAddresses displayId language ` +
			`serviceCode severityCode status subject submittedBy timeCreated`},
		{"DescribeCommunications", `{"caseId":"` + id + `"}`, `communications attachmentSet attachmentId fileName body caseId submittedBy timeCreated`},
		{"DescribeServices", `{"serviceCodeList":["account-management"]}`, `services __type categories code name code name`},
		{"DescribeSeverityLevels", `{}`, `severityLevels` + strings.Repeat(` code name`, 5)},
		{"AddAttachmentsToSet", `{"attachments":[{"fileName":"a","data":"YQ=="}]}`, `attachmentSetId expiryTime`},
		{"AddCommunicationToCase", `{"caseId":"` + id + `","communicationBody":"B"}`, `result`},
		{"ResolveCase", `{"caseId":"` + id + `"}`, `finalCaseStatus initialCaseStatus`},
	} {
		got := r.call(test.operation, test.body)
		if members := strings.Join(memberNames(string(got.body)), " "); members != test.want {
			t.Errorf("%s(%s) has the members\n%s\nwant\n%s", test.operation, test.body, members, test.want)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, got.body); err != nil || compact.Len() != len(got.body) {
			t.Errorf("%s(%s) = %s, %v, want it without blanks between members", test.operation, test.body, got.body, err)
		}
	}
	if typed := `"__type":"CaseDetails",`; len(typed) != 23 || strings.Count(string(r.call("DescribeCases", `{"includeResolvedCases":true}`).body), typed) != 1 {
		t.Errorf("DescribeCases() has not once %s", typed)
	}
}

// memberNames returns the names of all members in the order of the text.
func memberNames(text string) []string {
	var names []string
	for i, piece := range strings.Split(text, `":`) {
		if cut := strings.LastIndexByte(piece, '"'); cut >= 0 && i < strings.Count(text, `":`) {
			names = append(names, piece[cut+1:])
		}
	}
	return names
}

// Cases come in ascending order of their times, communications in descending
// order, five of them with a token for the rest.
func TestRecordedOrder(t *testing.T) {
	t.Parallel()
	r := newRecording(t)
	var ids []string
	for i := range 5 {
		ids = append(ids, r.create(fmt.Sprintf(`{"subject":"Case %d","communicationBody":"B"}`, i)))
	}
	for i := range 6 {
		r.call("AddCommunicationToCase", fmt.Sprintf(`{"caseId":%q,"communicationBody":"Reply %d"}`, ids[0], i))
	}
	got := read[recordedCases](t, r.call("DescribeCases", "{}"))
	var found []string
	for _, c := range got.Cases {
		found = append(found, c.CaseID)
	}
	if diff := cmp.Diff(ids, found); diff != "" || got.NextToken != nil {
		t.Errorf("DescribeCases() with token %v (-want +got):\n%s", got.NextToken, diff)
	}
	var texts []string
	for _, c := range got.Cases[0].RecentCommunications.Communications {
		texts = append(texts, c.Body)
	}
	if diff := cmp.Diff([]string{"Reply 5", "Reply 4", "Reply 3", "Reply 2", "Reply 1"}, texts); diff != "" {
		t.Errorf("recent communications (-want +got):\n%s", diff)
	}
	if token := got.Cases[0].RecentCommunications.NextToken; !matches(`[A-Za-z0-9+/]+={0,2}`, token) {
		t.Errorf("token of the older communications = %q, want base64", token)
	}
	if token := got.Cases[1].RecentCommunications.NextToken; token != "" {
		t.Errorf("token of a case with one communication = %q, want none", token)
	}
}

// Times, ids and names as they were recorded.
func TestRecordedForms(t *testing.T) {
	t.Parallel()
	r := newRecording(t)
	id := r.create(`{"subject":"S","communicationBody":"B"}`)
	c := read[recordedCases](t, r.call("DescribeCases", "{}")).Cases[0]
	first := c.RecentCommunications.Communications[0]
	set := read[struct{ AttachmentSetID, ExpiryTime string }](t, r.call("AddAttachmentsToSet", `{"attachments":[{"fileName":"a","data":"YQ=="}]}`))
	for _, test := range []struct{ what, got, form string }{
		{"caseId", c.CaseID, id},
		{"displayId", c.DisplayID, `[1-9][0-9]{14}`},
		{"timeCreated of a case", c.TimeCreated, `20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`},
		{"submittedBy of a case", c.SubmittedBy, `first@example\.com`},
		{"caseId of a communication", first.CaseID, id},
		// To the second the first communication is as old as its case.
		{"timeCreated of a communication", first.TimeCreated, c.TimeCreated[:len("2017-04-14T13:46:50")] + `\.000Z`},
		{"submittedBy of a communication", first.SubmittedBy, `alice@example\.com \(IAM\) <first@example\.com>`},
		{"attachmentSetId", set.AttachmentSetID, `as-[0-9a-f]{17}-mu-[A-Za-z0-9_-]{44}`},
		{"expiryTime", set.ExpiryTime, `20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000`},
	} {
		if !matches(test.form, test.got) {
			t.Errorf("%s = %q, want a match of %s", test.what, test.got, test.form)
		}
	}
}

// A case that nobody worked on was resolved from unassigned.
func TestRecordedResolveCase(t *testing.T) {
	t.Parallel()
	r := newRecording(t)
	id := r.create(`{"subject":"S","communicationBody":"B"}`)
	got := read[struct{ InitialCaseStatus, FinalCaseStatus string }](t, r.call("ResolveCase", `{"caseId":"`+id+`"}`))
	if got.InitialCaseStatus != "unassigned" || got.FinalCaseStatus != "resolved" {
		t.Errorf("ResolveCase(%s) = %+v, want unassigned and resolved", id, got)
	}
}

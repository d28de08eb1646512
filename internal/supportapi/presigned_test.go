package supportapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
)

// Members of a URL that boto3 presigned are in the query; here only the form of
// the answers is looked at, the codec has tests of its own.
func TestPresignedCalls(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	for _, tt := range []struct {
		operation, query string
		want             string
	}{
		{"DescribeCases", "caseIdList=" + f.caseID + "&includeCommunications=False&maxResults=10", ""},
		{"CreateCase", "subject=From+a+URL&communicationBody=Body&ccEmailAddresses=a%40example.com&ccEmailAddresses=b%40example.com", ""},
		{"AddAttachmentsToSet", "attachments=" + url.QueryEscape(`{'fileName': 'a.txt', 'data': 'aGVsbG8='}`), ""},
		{"CreateCase", "subject=s", "400 ValidationException: 1 validation error detected: Value null at 'communicationBody' failed to satisfy constraint: Member must not be null"},
		{"DescribeCases", "maxResults=ten", "400 SerializationException: STRING_VALUE can not be converted to an Integer"},
		{"DescribeCases", "nextToken=%FF", "400 SerializationException: "},
		{"NoSuchOperation", "subject=s", "400 UnknownOperationException: "},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			got := f.send(t, presign(t, method, tt.operation, tt.query, f.first))
			if tt.want == "" && got.Status != http.StatusOK || tt.want != "" && got.refusal() != tt.want {
				t.Errorf("%s ?%s of %s = %s, want %q", method, tt.query, tt.operation, got.refusal(), tt.want)
			}
		}
	}
}

// The body of every presigned call is the same, so what tells two of them apart
// must be the query.
func TestPresignedCallsWithTheSameInvocationAreToldApartByTheirMembers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	create := func(r *http.Request) string {
		r.Header.Set("Amz-Sdk-Invocation-Id", "7c6a8b1e-0000-4000-8000-000000000000")
		got := f.send(t, r)
		var out struct {
			CaseID string `json:"caseId"`
		}
		mustNot(t, json.Unmarshal([]byte(got.body), &out))
		return out.CaseID
	}
	one := presign(t, http.MethodPost, "CreateCase", "subject=one&communicationBody=b", f.first)
	two := presign(t, http.MethodPost, "CreateCase", "subject=two&communicationBody=b", f.first)
	first, second := create(one), create(two)
	if first == "" || second == "" || first == second {
		t.Errorf("CreateCase of two URLs with one invocation id = %q and %q, want two cases", first, second)
	}
	anew := presign(t, http.MethodPost, "CreateCase", "communicationBody=b&subject=one&X-Amz-Note=anew", f.first)
	for name, r := range map[string]*http.Request{"the first URL": one, "the first URL signed anew": anew} {
		if again := create(r); again != first {
			t.Errorf("CreateCase of %s = %q, want the first answer %q", name, again, first)
		}
	}
}

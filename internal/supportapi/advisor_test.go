package supportapi

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/check"
	"github.com/supportd/supportd/internal/inventory"
	"github.com/supportd/supportd/internal/seal"
)

// newAdvisor is the service on the fixture's store, with a check for each of the
// recordings.
func newAdvisor(t testing.TB, f *fixture, box *seal.Box) *advisor.Service {
	t.Helper()
	folder := fstest.MapFS{
		"security/s3/check.yaml": {Data: []byte(`
id: Pfx0RwqBli
name: Amazon S3 Bucket Permissions
names: {ja: バケットの権限}
category: security
about: Don't "open" buckets & <objects>.
criteria:
  red: [Everybody may read., Everybody may write.]
  yellow: [Everybody may list.]
  green: [Nobody may.]
action: Close them.
links: ["https://example.com/?a=1&b=2"]
resource: t.thing
error: resource.Bad
columns: {Region: region, Bucket Name: id}
`)},
		"security/root/check.yaml": {Data: []byte(`
id: 7DAFEmoDos
name: MFA on Root Account
category: security
about: Looks at the root.
refresh: automatic
resource: t.thing
error: resource.Bad
`)},
	}
	for _, id := range append(recordedIDs(t), "zXCkfM1nI3", "N425c450f2", "aAAAA0a0A0") {
		folder["fault_tolerance/"+id+"/check.yaml"] = &fstest.MapFile{Data: []byte("id: " + id + `
name: Check ` + id + `
category: fault_tolerance
about: It is in a recording.
resource: t.thing
error: resource.Bad
`)}
	}
	bad := inventory.Field{Name: "Bad", Type: &inventory.Type{Form: inventory.Bool}}
	kinds := inventory.Kinds{"t.thing": {Name: "t.thing", Type: inventory.StructOf("t.Thing", bad)}}
	pack, err := check.Load(kinds, folder)
	mustNot(t, err)
	return &advisor.Service{
		Store: f.store.Advisor(), IAM: f.iam, Box: box, Now: f.clock.Now,
		Pack: func() (*check.Pack, error) { return pack, nil },
	}
}

// recorded is an answer of the real service, with sorted keys as on the wire.
type recorded struct {
	text   string
	result recordedResult
}

type recordedResult struct {
	CheckID          string
	Status           string
	Timestamp        time.Time
	ResourcesSummary struct {
		ResourcesProcessed, ResourcesFlagged, ResourcesIgnored, ResourcesSuppressed int
	}
	CategorySpecificSummary struct {
		CostOptimizing struct{ EstimatedMonthlySavings float64 }
	}
	FlaggedResources []struct {
		Status, ResourceID, Region string
		IsSuppressed               bool
		Metadata                   []*string
	}
}

func mustRecorded(t testing.TB) (all []recorded) {
	t.Helper()
	text, err := os.ReadFile("testdata/results.jsonl")
	mustNot(t, err)
	for line := range strings.Lines(string(text)) {
		var body struct{ Result recordedResult }
		mustNot(t, json.Unmarshal([]byte(line), &body))
		all = append(all, recorded{strings.TrimSuffix(line, "\n"), body.Result})
	}
	return all
}

func recordedIDs(t testing.TB) (ids []string) {
	for _, r := range mustRecorded(t) {
		ids = append(ids, r.result.CheckID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// keep puts a result where a refresh would.
func (f *fixture) keep(t testing.TB, account string, s advisor.Summary, rows []check.Row) {
	t.Helper()
	s.Account = account
	packed, err := advisor.PackRows(rows)
	mustNot(t, err)
	mustNot(t, f.store.Advisor().Update(t.Context(), account, func(tx advisor.Tx) error {
		if err := tx.PutSummary(t.Context(), s); err != nil {
			return err
		}
		return tx.PutRows(t.Context(), account, s.CheckID, packed)
	}))
}

func (f *fixture) wantBody(t *testing.T, operation, in, want string) {
	t.Helper()
	if got := f.call(t, f.first, operation, in); got.body != want {
		t.Errorf("%s(%s):\n%s\nwant:\n%s", operation, in, got.body, want)
	}
}

func TestResultsAreTheBytesThatWereRecorded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	for _, r := range mustRecorded(t) {
		n := r.result.ResourcesSummary
		s := advisor.Summary{
			CheckID: r.result.CheckID, Status: check.Status(r.result.Status), At: r.result.Timestamp, Listed: len(r.result.FlaggedResources),
			Processed: n.ResourcesProcessed, Flagged: n.ResourcesFlagged, Ignored: n.ResourcesIgnored, Suppressed: n.ResourcesSuppressed,
			Savings: r.result.CategorySpecificSummary.CostOptimizing.EstimatedMonthlySavings,
		}
		var rows []check.Row
		for _, d := range r.result.FlaggedResources {
			rows = append(rows, check.Row{Status: check.Status(d.Status), ResourceID: d.ResourceID, Region: d.Region, Suppressed: d.IsSuppressed, Metadata: d.Metadata})
		}
		f.keep(t, firstAccount, s, rows)
		f.wantBody(t, "DescribeTrustedAdvisorCheckResult", `{"checkId":"`+s.CheckID+`"}`, r.text)
		if got := f.call(t, f.second, "DescribeTrustedAdvisorCheckResult", `{"checkId":"`+s.CheckID+`"}`); strings.Contains(got.body, "timestamp") {
			t.Errorf("result of another account: %s, want not_available", got.body)
		}
	}
}

func TestANeverComputedResultIsTheBytesThatWereRecorded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	const want = `{"result":{"checkId":"aAAAA0a0A0","status":"not_available"}}`
	f.wantBody(t, "DescribeTrustedAdvisorCheckResult", `{"checkId":"aAAAA0a0A0"}`, want)
	f.keep(t, firstAccount, advisor.Summary{CheckID: "aAAAA0a0A0", Status: check.NotAvailable, Cause: "secret", At: time.Now()}, nil)
	f.wantBody(t, "DescribeTrustedAdvisorCheckResult", `{"checkId":"aAAAA0a0A0","language":"ja"}`, want)
	f.wantBody(t, "DescribeTrustedAdvisorCheckSummaries", `{"checkIds":["aAAAA0a0A0"]}`, `{"summaries":[{"categorySpecificSummary":{},"checkId":"aAAAA0a0A0",`+
		`"hasFlaggedResources":false,"resourcesSummary":{"resourcesFlagged":0,"resourcesIgnored":0,"resourcesProcessed":0,"resourcesSuppressed":0},"status":"not_available"}]}`)
}

func TestSummariesAreTheBytesThatWereRecorded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	at := time.Date(2015, 10, 14, 10, 40, 19, 0, time.UTC)
	f.keep(t, firstAccount, advisor.Summary{CheckID: "zXCkfM1nI3", Status: check.OK, At: at, Processed: 1, Listed: 1}, nil)
	f.keep(t, firstAccount, advisor.Summary{CheckID: "N425c450f2", Status: check.OK, At: at.Add(time.Second)}, nil)
	f.wantBody(t, "DescribeTrustedAdvisorCheckSummaries", `{"checkIds":["zXCkfM1nI3","N425c450f2"]}`,
		`{"summaries":[{"categorySpecificSummary":{"costOptimizing":{"estimatedMonthlySavings":0.0,"estimatedPercentMonthlySavings":0.0}},"checkId":"zXCkfM1nI3","hasFlaggedResources":true,"resourcesSummary":{"resourcesFlagged":0,"resourcesIgnored":0,"resourcesProcessed":1,"resourcesSuppressed":0},"status":"ok","timestamp":"2015-10-14T10:40:19Z"},{"categorySpecificSummary":{},"checkId":"N425c450f2","hasFlaggedResources":false,"resourcesSummary":{"resourcesFlagged":0,"resourcesIgnored":0,"resourcesProcessed":0,"resourcesSuppressed":0},"status":"ok","timestamp":"2015-10-14T10:40:20Z"}]}`)
	f.wantBody(t, "DescribeTrustedAdvisorCheckSummaries", `{"checkIds":[]}`, `{"summaries":[]}`)
}

func TestARefreshIsToldAsRecorded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	const in = `{"checkIds":["zXCkfM1nI3","N425c450f2"]}`
	none := func(id string) string {
		return `{"checkId":"` + id + `","millisUntilNextRefreshable":0,"status":"none"}`
	}
	f.wantBody(t, "DescribeTrustedAdvisorCheckRefreshStatuses", in, `{"statuses":[`+none("zXCkfM1nI3")+`,`+none("N425c450f2")+`]}`)
	enqueued := `{"checkId":"zXCkfM1nI3","millisUntilNextRefreshable":3600000,"status":"enqueued"}`
	f.wantBody(t, "RefreshTrustedAdvisorCheck", `{"checkId":"zXCkfM1nI3"}`, `{"status":`+enqueued+`}`)
	if got := len(`{"status":` + enqueued + `}`); got != 92 {
		t.Errorf("the answer has %d bytes, want the 92 of the recordings", got)
	}
	f.clock.Advance(8 * time.Millisecond)
	f.wantBody(t, "DescribeTrustedAdvisorCheckRefreshStatuses", in,
		`{"statuses":[`+strings.Replace(enqueued, "3600000", "3599992", 1)+`,`+none("N425c450f2")+`]}`)
	f.wantBody(t, "DescribeTrustedAdvisorCheckRefreshStatuses", `{"checkIds":[]}`, `{"statuses":[]}`)
}

func TestChecksThatAreNoneOrRefreshThemselves(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	before := f.dump(t)
	const unknown = "[UNKNOWN_CHECK_ID_ERROR] Unknown ID"
	const unrefreshable = "[UNREFRESHABLE_CHECK_ID_ERROR] Check 7DAFEmoDos is not refreshable."
	for _, tt := range []struct{ operation, in, want string }{
		{"RefreshTrustedAdvisorCheck", `{"checkId":"x"}`, unknown},
		{"RefreshTrustedAdvisorCheck", `{"checkId":""}`, unknown},
		{"RefreshTrustedAdvisorCheck", `{"checkId":"7DAFEmoDos"}`, unrefreshable},
		{"DescribeTrustedAdvisorCheckRefreshStatuses", `{"checkIds":["Pfx0RwqBli","x"]}`, unknown},
		{"DescribeTrustedAdvisorCheckRefreshStatuses", `{"checkIds":["Pfx0RwqBli","7DAFEmoDos"]}`, unrefreshable},
		{"DescribeTrustedAdvisorCheckSummaries", `{"checkIds":["Pfx0RwqBli","x"]}`, unknown},
		{"DescribeTrustedAdvisorCheckResult", `{"checkId":"\u0000"}`, unknown},
		{"DescribeTrustedAdvisorCheckResult", `{"checkId":"Pfx0RwqBli","language":"xx"}`, `Language "xx" is not supported; supported languages are [zh zh_TW en fr de id it ja ko pt_BR es].`},
		{"DescribeTrustedAdvisorChecks", `{"language":""}`, `Language "" is not supported; supported languages are [zh zh_TW en fr de id it ja ko pt_BR es].`},
	} {
		f.refused(t, before, f.first, tt.operation, tt.in, "InvalidParameterValueException", tt.want)
	}
}

func TestChecksAreDescribed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	description := func(language string) checkDescription {
		got := f.call(t, f.first, "DescribeTrustedAdvisorChecks", `{"language":"`+language+`"}`)
		var out describeTrustedAdvisorChecksOutput
		decoder := json.NewDecoder(bytes.NewReader([]byte(got.body)))
		decoder.DisallowUnknownFields()
		mustNot(t, decoder.Decode(&out))
		for _, c := range out.Checks {
			if c.ID == "Pfx0RwqBli" {
				return c
			}
		}
		t.Fatalf("DescribeTrustedAdvisorChecks(%s) lacks a check: %.300s", language, got.body)
		return checkDescription{}
	}
	want := checkDescription{
		Category: "security", ID: "Pfx0RwqBli", Name: "Amazon S3 Bucket Permissions", Metadata: []string{"Region", "Bucket Name"},
		Description: `Don't &quot;open&quot; buckets &amp; &lt;objects&gt;.<br><br><b>Alert Criteria</b><br>Red: Everybody may read.<br>Red: Everybody may write.` +
			`<br>Yellow: Everybody may list.<br>Green: Nobody may.<br><br><b>Recommended Action</b><br>Close them.<br><br><b>Additional Resources</b>` +
			`<br><a href="https://example.com/?a=1&amp;b=2" target="_blank">https://example.com/?a=1&amp;b=2</a>`,
	}
	if diff := cmp.Diff(want, description("en")); diff != "" {
		t.Errorf("check in English (-want +got):\n%s", diff)
	}
	want.Name = "バケットの権限"
	if diff := cmp.Diff(want, description("ja")); diff != "" {
		t.Errorf("check in Japanese (-want +got):\n%s", diff)
	}
	for _, language := range advisor.Languages() {
		description(language)
	}
	if got := f.call(t, f.first, "DescribeTrustedAdvisorChecks", `{"language":"en"}`).body; !strings.HasPrefix(got, `{"checks":[{"category":"fault_tolerance","description":"It is in a recording.","id":`) || !strings.Contains(got, `"metadata":[]`) {
		t.Errorf("DescribeTrustedAdvisorChecks begins %.200s", got)
	}
}

func TestTrustedAdvisorNeedsThePlanAndThePermission(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	reader, nobody := f.mustUser(t, firstAccount, "reader", "ReadOnlyAccess"), f.mustUser(t, firstAccount, "nobody")
	for name := range f.api.operations {
		if !strings.Contains(name, "TrustedAdvisor") {
			continue
		}
		in := f.valid(name).text(t)
		if got := f.call(t, f.basic, name, in); got.Name != "SubscriptionRequiredException" {
			t.Errorf("%s of a basic account = %s, want SubscriptionRequiredException", name, got.refusal())
		}
		if got := f.call(t, nobody, name, in); got.Name != "AccessDeniedException" || !strings.Contains(got.Message, "support:"+name) {
			t.Errorf("%s without a policy = %s, want AccessDeniedException", name, got.refusal())
		}
		want := ""
		if strings.HasPrefix(name, "Refresh") {
			want = "AccessDeniedException"
		}
		if got := f.call(t, reader, name, in); got.Name != want {
			t.Errorf("%s of a reader = %s, want %q", name, got.refusal(), want)
		}
	}
}

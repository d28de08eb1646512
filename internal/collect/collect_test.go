package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/inventory"
)

// fake is an endpoint that speaks a little of STS and EC2. What it answers is
// changed by answer, which may return false to leave a request to the fake.
type fake struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request, call string) bool

	mu    sync.Mutex
	calls map[string]int // by call and region: ec2:DescribeVolumes us-east-1
}

func newFake(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, call string) bool) *fake {
	t.Helper()
	f := &fake{answer: answer, calls: map[string]int{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	call, region := calledBy(r)
	f.mu.Lock()
	f.calls[call+" "+region]++
	f.mu.Unlock()
	if f.answer != nil && f.answer(w, r, call) {
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	switch call {
	case "sts:GetCallerIdentity":
		fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	case "sts:AssumeRole":
		fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
			time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	case "ec2:DescribeVolumes":
		volumes(w, "", "vol-"+region)
	case "ec2:DescribeSnapshots":
		snapshots(w, "snap-1", "snap-2", "snap-3")
	case "ec2:DescribeSnapshotAttribute":
		fmt.Fprint(w, `<DescribeSnapshotAttributeResponse><createVolumePermission><item><group>all</group></item></createVolumePermission></DescribeSnapshotAttributeResponse>`)
	default:
		http.NotFound(w, r)
	}
}

// calledBy returns the service and action of a request, and its region.
func calledBy(r *http.Request) (call, region string) {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(scope, "/")
	if len(parts) < 4 {
		return r.Form.Get("Action"), ""
	}
	return parts[3] + ":" + r.Form.Get("Action"), parts[2]
}

func (f *fake) called(call string) (sum int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, n := range f.calls {
		if strings.HasPrefix(key, call+" ") {
			sum += n
		}
	}
	return sum
}

func volumes(w io.Writer, next string, ids ...string) {
	fmt.Fprint(w, `<DescribeVolumesResponse><volumeSet>`)
	for _, id := range ids {
		fmt.Fprintf(w, `<item><volumeId>%s</volumeId><size>8</size><encrypted>false</encrypted></item>`, id)
	}
	fmt.Fprint(w, `</volumeSet>`)
	if next != "" {
		fmt.Fprintf(w, `<nextToken>%s</nextToken>`, next)
	}
	fmt.Fprint(w, `</DescribeVolumesResponse>`)
}

func snapshots(w io.Writer, ids ...string) {
	fmt.Fprint(w, `<DescribeSnapshotsResponse><snapshotSet>`)
	for _, id := range ids {
		fmt.Fprintf(w, `<item><snapshotId>%s</snapshotId></item>`, id)
	}
	fmt.Fprint(w, `</snapshotSet></DescribeSnapshotsResponse>`)
}

func refuse(w http.ResponseWriter, status int, code, message string) bool {
	w.WriteHeader(status)
	fmt.Fprintf(w, `<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>%d</RequestID></Response>`, code, message, time.Now().UnixNano())
	return true
}

// source is the fake with a static key.
func (f *fake) source(regions ...string) advisor.Source {
	return advisor.Source{Endpoint: f.URL, Regions: regions, AccessKeyID: "AKIATEST", SecretAccessKey: "secret"}
}

func at() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

// everything is an inventory as a test compares it.
type everything struct {
	Header    inventory.Header
	Resources []inventory.Resource
	Summary   inventory.Summary
}

func (e everything) ids() (ids []string) {
	for _, r := range e.Resources {
		ids = append(ids, r.Region+" "+r.ID)
	}
	slices.Sort(ids)
	return ids
}

func (e everything) failures() (all []string) {
	for _, f := range e.Summary.Failures {
		all = append(all, strings.Join([]string{f.Kind, f.Part, f.Region, f.Cause}, "|"))
	}
	return all
}

func mustCollect(t *testing.T, c *Collector, source advisor.Source, needs inventory.Needs) everything {
	t.Helper()
	var out bytes.Buffer
	if err := c.Collect(t.Context(), source, "", at(), needs, &out); err != nil {
		t.Fatalf("Collect: %v", err)
	}
	return mustRead(t, out.Bytes())
}

func mustRead(t *testing.T, text []byte) everything {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inventory")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := inventory.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e := everything{Header: file.Header()}
	e.Summary, err = file.Read(t.Context(), func(r inventory.Resource) error {
		e.Resources = append(e.Resources, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(e.Resources, func(a, b inventory.Resource) int {
		return strings.Compare(a.Kind+"\x00"+a.Region+"\x00"+a.ID, b.Kind+"\x00"+b.Region+"\x00"+b.ID)
	})
	return e
}

func TestCollectReadsEveryPageOfEveryRegion(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, call string) bool {
		if call != "ec2:DescribeVolumes" {
			return false
		}
		switch r.Form.Get("NextToken") {
		case "":
			volumes(w, "b", "vol-1")
		case "b":
			volumes(w, "c", "vol-2")
		default:
			volumes(w, "", "vol-3")
		}
		return true
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1", "eu-west-1", "us-east-1"), inventory.Needs{"ec2.volume": nil})
	want := []string{
		"eu-west-1 arn:aws:ec2:eu-west-1:111122223333:volume/vol-1", "eu-west-1 arn:aws:ec2:eu-west-1:111122223333:volume/vol-2",
		"eu-west-1 arn:aws:ec2:eu-west-1:111122223333:volume/vol-3", "us-east-1 arn:aws:ec2:us-east-1:111122223333:volume/vol-1",
		"us-east-1 arn:aws:ec2:us-east-1:111122223333:volume/vol-2", "us-east-1 arn:aws:ec2:us-east-1:111122223333:volume/vol-3",
	}
	if diff := cmp.Diff(want, got.ids()); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	header := inventory.Header{Account: "111122223333", CollectedAt: at(), Regions: []string{"us-east-1", "eu-west-1"}, Needs: inventory.Needs{"ec2.volume": nil}}
	if diff := cmp.Diff(header, got.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if got := f.called("ec2:DescribeVolumes"); got != 6 {
		t.Errorf("DescribeVolumes was called %d times, want 6", got)
	}
	if diff := cmp.Diff(map[string]any{"VolumeId": "vol-1", "Size": 8.0, "Encrypted": false}, got.Resources[0].Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestThrottledCallsAreRepeated(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call string) bool {
		return call == "ec2:DescribeVolumes" && tries.Add(1) <= 2 && refuse(w, 503, "RequestLimitExceeded", "slow down")
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"ec2.volume": nil})
	if len(got.Resources) != 1 || len(got.Summary.Failures) != 0 || tries.Load() != 3 {
		t.Errorf("%d resources, failures %v, %d tries; want 1, none, 3", len(got.Resources), got.Summary.Failures, tries.Load())
	}
}

func TestACallThatIsDeniedFailsItsKindOnly(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, call string) bool {
		_, region := calledBy(r)
		return call == "ec2:DescribeVolumes" && region == "eu-west-1" && refuse(w, 403, "UnauthorizedOperation", "You are not authorized.")
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1", "eu-west-1"), inventory.Needs{"ec2.volume": nil, "ec2.snapshot": nil, "account": nil, "region": nil})
	want := []string{"ec2.volume||eu-west-1|EC2 DescribeVolumes: UnauthorizedOperation: You are not authorized."}
	if diff := cmp.Diff(want, got.failures()); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if want := 1 + 6 + 1 + 2; len(got.Resources) != want {
		t.Errorf("%d resources, want %d", len(got.Resources), want)
	}
}

func TestAPartThatIsDeniedFailsAlone(t *testing.T) {
	t.Parallel()
	type disk struct {
		Name  string
		Owner string `part:"x:GetOwner"`
		Label string `part:"x:GetLabel"`
	}
	denied := func(code string) error {
		return &smithy.OperationError{ServiceID: "X", OperationName: "GetOwner", Err: &smithy.GenericAPIError{Code: code, Message: "no"}}
	}
	k := kindOf("x.disk", regional, "x:List", func(_ context.Context, r *reader, emit emit[disk]) error {
		for _, name := range []string{"a", "b", "c"} {
			d := disk{Name: name}
			r.part("Owner", func() error {
				if name == "b" {
					return denied("AccessDenied")
				}
				if name == "c" {
					return denied("NoSuchOwner")
				}
				d.Owner = "me"
				return nil
			}, "NoSuchOwner")
			r.part("Label", func() error {
				t.Error("a part that nobody needs was read")
				return nil
			})
			if err := emit(name, d); err != nil {
				return err
			}
		}
		return nil
	})
	var out bytes.Buffer
	r, err := reads(t, t.Context(), &out, k)
	if err == nil {
		err = r.out.Close(r.sortedFailures(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	got := mustRead(t, out.Bytes())
	if diff := cmp.Diff([]string{"x.disk|Owner|us-east-1|X GetOwner: AccessDenied: no"}, got.failures()); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	want := []inventory.Resource{
		{Kind: "x.disk", ID: "a", Region: "us-east-1", Attributes: map[string]any{"Name": "a", "Owner": "me"}},
		{Kind: "x.disk", ID: "b", Region: "us-east-1", Attributes: map[string]any{"Name": "b"}},
		{Kind: "x.disk", ID: "c", Region: "us-east-1", Attributes: map[string]any{"Name": "c"}},
	}
	if diff := cmp.Diff(want, got.Resources); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
}

func TestACallThatTheEndpointDoesNotKnowFails(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter){
		"a page":      func(w http.ResponseWriter) { http.Error(w, "<html>\n404 page</html>", 404) },
		"a breakdown": func(w http.ResponseWriter) { http.Error(w, "<!doctype html><title>500</title>", 500) },
		"nothing":     func(w http.ResponseWriter) { w.WriteHeader(501) },
		"JSON":        func(w http.ResponseWriter) { w.WriteHeader(404); fmt.Fprint(w, `{"message":"no route"}`) },
		"empty XML":   func(w http.ResponseWriter) { w.WriteHeader(400); fmt.Fprint(w, `<a/>`) },
		"a code":      func(w http.ResponseWriter) { refuse(w, 400, "InvalidAction", "unknown") },
		"a web page":  func(w http.ResponseWriter) { fmt.Fprint(w, "<!DOCTYPE html>\n<html><body>Welcome</body></html>") },
		"no body":     func(w http.ResponseWriter) { w.WriteHeader(200) },
		"not its XML": func(w http.ResponseWriter) { fmt.Fprint(w, `{"all":"well"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call string) bool {
				if call == "ec2:DescribeVolumes" {
					answer(w)
				}
				return call == "ec2:DescribeVolumes"
			})
			got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"ec2.volume": nil, "ec2.snapshot": nil})
			if n := f.called("ec2:DescribeVolumes"); n != 1 {
				t.Errorf("it was called %d times, want once: it would fail again", n)
			}
			if len(got.Resources) != 3 || len(got.Summary.Failures) != 1 {
				t.Fatalf("%d resources, failures %v; want 3 and one", len(got.Resources), got.failures())
			}
			cause := got.Summary.Failures[0].Cause
			if !strings.HasPrefix(cause, "EC2 DescribeVolumes: ") || strings.ContainsAny(cause, "\n") || strings.Contains(cause, "RequestID") {
				t.Errorf("cause %q, want one line that begins with the call and has no request's id", cause)
			}
		})
	}
}

func TestCallsAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	f := newFake(t, func(http.ResponseWriter, *http.Request, string) bool {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond) // an endpoint that takes its time
		return false
	})
	regions := []string{"a-a-1", "a-a-2", "a-a-3", "a-a-4", "a-a-5", "a-a-6", "a-a-7", "a-a-8"}
	mustCollect(t, &Collector{Calls: 3}, f.source(regions...), inventory.Needs{"ec2.volume": nil, "ec2.snapshot": nil})
	if got := most.Load(); got != 3 {
		t.Errorf("%d calls at once, want 3", got)
	}
}

func TestCancellingTheCallerEndsTheCollection(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	f := newFake(t, func(_ http.ResponseWriter, r *http.Request, call string) bool {
		if call == "ec2:DescribeVolumes" {
			cancel()
			<-r.Context().Done()
		}
		return false
	})
	var out bytes.Buffer
	err := (&Collector{}).Collect(ctx, f.source("us-east-1"), "", at(), inventory.Needs{"ec2.volume": nil}, &out)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Collect = %v, want context.Canceled", err)
	}
	if strings.Contains(out.String(), `"end"`) {
		t.Errorf("the inventory was ended: %s", out.String())
	}
}

func TestTheCallersDeadlineIsNotAFailureInTheInventory(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	f := newFake(t, hanging("ec2:DescribeVolumes"))
	err := (&Collector{}).Collect(ctx, f.source("us-east-1"), "", at(), inventory.Needs{"ec2.volume": nil}, io.Discard)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Collect = %v, want context.DeadlineExceeded", err)
	}
}

func TestWhatIsNotReadInTimeHasFailed(t *testing.T) {
	t.Parallel()
	f := newFake(t, hanging("ec2:DescribeVolumes"))
	got := mustCollect(t, &Collector{Timeout: time.Second}, f.source("us-east-1", "eu-west-1"), inventory.Needs{"ec2.volume": nil, "ec2.snapshot": nil})
	want := []string{"ec2.volume||eu-west-1|EC2 DescribeVolumes: no answer in time", "ec2.volume||us-east-1|EC2 DescribeVolumes: no answer in time"}
	if diff := cmp.Diff(want, got.failures()); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if len(got.Resources) != 6 {
		t.Errorf("%d resources, want the 6 of the other kind", len(got.Resources))
	}
}

func TestACallThatHangsFailsOnceItsTimeIsOver(t *testing.T) {
	t.Parallel()
	f := newFake(t, hanging("ec2:DescribeVolumes"))
	begun := time.Now()
	got := mustCollect(t, &Collector{CallTimeout: 300 * time.Millisecond}, f.source("us-east-1"), inventory.Needs{"ec2.volume": nil})
	if took := time.Since(begun); took > 5*time.Second || len(got.Summary.Failures) != 1 {
		t.Errorf("it took %v, failures %v; want less than 5 s and one failure", took, got.failures())
	}
}

// hanging answers a call never.
func hanging(what string) func(http.ResponseWriter, *http.Request, string) bool {
	return func(_ http.ResponseWriter, r *http.Request, call string) bool {
		if call == what {
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
		}
		return call == what
	}
}

func TestADeadEndpointIsToldInSeconds(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + listener.Addr().String()
	listener.Close()
	begun := time.Now()
	err = (&Collector{}).Collect(t.Context(), advisor.Source{Endpoint: dead, AccessKeyID: "a", SecretAccessKey: "b"}, "111122223333", at(), inventory.Needs{"ec2.volume": nil}, io.Discard)
	if took := time.Since(begun); !errors.Is(err, ErrUnreachable) || took > 3*time.Second {
		t.Errorf("Collect = %v after %v, want ErrUnreachable within three seconds", err, took)
	}
}

func TestAnEndpointThatDiesFailsWhatIsLeft(t *testing.T) {
	t.Parallel()
	var f *fake
	var once sync.Once
	f = newFake(t, func(_ http.ResponseWriter, _ *http.Request, call string) bool {
		if call != "sts:GetCallerIdentity" {
			once.Do(func() {
				f.Listener.Close()
				go f.CloseClientConnections()
			})
			panic(http.ErrAbortHandler)
		}
		return false
	})
	begun := time.Now()
	regions := make([]string, 40)
	for i := range regions {
		regions[i] = fmt.Sprintf("region-%d", i)
	}
	got := mustCollect(t, &Collector{}, f.source(regions...), inventory.Needs{"ec2.volume": nil})
	if took := time.Since(begun); len(got.Summary.Failures) != 40 || took > 20*time.Second {
		t.Errorf("%d failures after %v, want 40 within seconds", len(got.Summary.Failures), took)
	}
}

func TestRoleIsAssumedAtTheEndpoint(t *testing.T) {
	t.Parallel()
	var seen sync.Map
	f := newFake(t, func(_ http.ResponseWriter, r *http.Request, call string) bool {
		_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		key, _, _ = strings.Cut(key, "/")
		seen.Store(call, key+" "+r.Form.Get("RoleArn")+" "+r.Form.Get("ExternalId")+" "+r.Header.Get("X-Amz-Security-Token"))
		return false
	})
	source := f.source("us-east-1")
	source.Role, source.ExternalID = "arn:aws:iam::111122223333:role/Reader", "abc"
	mustCollect(t, &Collector{}, source, inventory.Needs{"ec2.volume": nil})
	got := maps.Collect(func(yield func(any, any) bool) { seen.Range(yield) })
	want := map[any]any{
		"sts:AssumeRole":        "AKIATEST arn:aws:iam::111122223333:role/Reader abc ",
		"sts:GetCallerIdentity": "ASIAROLE   t",
		"ec2:DescribeVolumes":   "ASIAROLE   t",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if n := f.called("sts:AssumeRole"); n != 1 {
		t.Errorf("AssumeRole was called %d times, want once", n)
	}
}

func TestARoleThatCannotBeAssumedLeavesNoInventory(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call string) bool {
		if call == "sts:AssumeRole" {
			w.WriteHeader(403)
			fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>`)
		}
		return call == "sts:AssumeRole"
	})
	source := f.source("us-east-1")
	source.Role = "arn:aws:iam::111122223333:role/Reader"
	var out bytes.Buffer
	err := (&Collector{}).Collect(t.Context(), source, "111122223333", at(), inventory.Needs{"ec2.volume": nil}, &out)
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(fmt.Sprint(err), "AccessDenied: not you") || out.Len() > 0 {
		t.Errorf("Collect = %v with %d bytes, want ErrUnreachable with the cause and nothing", err, out.Len())
	}
}

func TestAnEndpointWithoutSTSIsTakenToBeOfTheAccount(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call string) bool {
		if call == "sts:GetCallerIdentity" {
			w.WriteHeader(404)
		}
		return call == "sts:GetCallerIdentity"
	})
	var out bytes.Buffer
	if err := (&Collector{}).Collect(t.Context(), f.source("us-east-1"), "444455556666", at(), inventory.Needs{"account": nil}, &out); err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, out.Bytes()); got.Header.Account != "444455556666" || got.Resources[0].ID != "444455556666" {
		t.Errorf("account %q, resource %q, want 444455556666", got.Header.Account, got.Resources[0].ID)
	}
	if err := (&Collector{}).Collect(t.Context(), f.source("us-east-1"), "", at(), inventory.Needs{"account": nil}, io.Discard); err == nil {
		t.Error("Collect without an account = nil, want an error")
	}
}

func TestKeysComeFromTheEnvironmentOrAProfile(t *testing.T) {
	folder := t.TempDir()
	profiles := filepath.Join(folder, "credentials")
	if err := os.WriteFile(profiles, []byte("[retail]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SHARED_CREDENTIALS_FILE": profiles,
		"AWS_CONFIG_FILE": filepath.Join(folder, "none"), "AWS_REGION": "ap-south-1",
	} {
		t.Setenv(name, value)
	}
	var key, region string
	f := newFake(t, func(_ http.ResponseWriter, r *http.Request, call string) bool {
		if call == "ec2:DescribeVolumes" {
			_, region = calledBy(r)
			_, key, _ = strings.Cut(r.Header.Get("Authorization"), "Credential=")
			key, _, _ = strings.Cut(key, "/")
		}
		return false
	})
	mustCollect(t, &Collector{}, advisor.Source{Endpoint: f.URL}, inventory.Needs{"ec2.volume": nil})
	if key != "AKIAENVIRONMENT" || region != "ap-south-1" {
		t.Errorf("key %q, region %q; want those of the environment", key, region)
	}
	mustCollect(t, &Collector{}, advisor.Source{Endpoint: f.URL, Profile: "retail"}, inventory.Needs{"ec2.volume": nil})
	if key != "AKIAPROFILE" {
		t.Errorf("key %q, want the profile's", key)
	}
	err := (&Collector{}).Collect(t.Context(), advisor.Source{Endpoint: f.URL, Profile: "missing"}, "", at(), inventory.Needs{"account": nil}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("Collect with a profile that is not there = %v, want an error with its name", err)
	}
}

func TestNoCredentialsAreToldAtOnce(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	f := newFake(t, nil)
	begun := time.Now()
	err := (&Collector{}).Collect(t.Context(), advisor.Source{Endpoint: f.URL}, "111122223333", at(), inventory.Needs{"account": nil}, io.Discard)
	if took := time.Since(begun); !errors.Is(err, ErrUnreachable) || took > 2*time.Second {
		t.Errorf("Collect = %v after %v, want ErrUnreachable at once", err, took)
	}
}

func TestProgressCountsKindsAndRegions(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	var told []string
	last := 0
	c := &Collector{Progress: func(done, total int, kind, region string) {
		if done != last+1 || total != 5 {
			t.Errorf("progress %d of %d after %d, want one more of 5", done, total, last)
		}
		last = done
		told = append(told, kind+" "+region)
	}}
	mustCollect(t, c, f.source("us-east-1", "eu-west-1"), inventory.Needs{"ec2.volume": nil, "region": nil, "account": nil})
	slices.Sort(told)
	want := []string{"account ", "ec2.volume eu-west-1", "ec2.volume us-east-1", "region eu-west-1", "region us-east-1"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

// asAWS has the clients of a source without an endpoint call the fake.
func (f *fake) asAWS(t *testing.T) advisor.Source {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_STS": f.URL, "AWS_ENDPOINT_URL_EC2": f.URL, "AWS_REGION": "eu-west-1", "AWS_PROFILE": "",
		"AWS_SHARED_CREDENTIALS_FILE": none, "AWS_CONFIG_FILE": none,
	} {
		t.Setenv(name, value)
	}
	return advisor.Source{AccessKeyID: "AKIATEST", SecretAccessKey: "secret"}
}

func TestWithoutRegionsAllThatAreEnabledAreRead(t *testing.T) {
	enabled := []string{"us-east-1", "eu-west-1", "ap-south-1"}
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, call string) bool {
		if call != "ec2:DescribeRegions" {
			return false
		}
		if r.Form.Get("AllRegions") == "true" || enabled == nil {
			return refuse(w, 403, "UnauthorizedOperation", "not you")
		}
		fmt.Fprint(w, `<DescribeRegionsResponse><regionInfo>`)
		for _, name := range enabled {
			fmt.Fprintf(w, `<item><regionName>%s</regionName></item>`, name)
		}
		fmt.Fprint(w, `</regionInfo></DescribeRegionsResponse>`)
		return true
	})
	source, needs := f.asAWS(t), inventory.Needs{"ec2.volume": nil}
	got := mustCollect(t, &Collector{}, source, needs)
	want := []string{
		"ap-south-1 arn:aws:ec2:ap-south-1:111122223333:volume/vol-ap-south-1", "eu-west-1 arn:aws:ec2:eu-west-1:111122223333:volume/vol-eu-west-1",
		"us-east-1 arn:aws:ec2:us-east-1:111122223333:volume/vol-us-east-1",
	}
	if diff := cmp.Diff(want, got.ids()); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ap-south-1", "eu-west-1", "us-east-1"}, got.Header.Regions); diff != "" {
		t.Errorf("regions of the header (-want +got):\n%s", diff)
	}
	for _, enabled = range [][]string{nil, {}} {
		var out bytes.Buffer
		err := (&Collector{}).Collect(t.Context(), source, "", at(), needs, &out)
		if err == nil || !strings.Contains(err.Error(), "name them: EC2 DescribeRegions") || out.Len() > 0 {
			t.Errorf("Collect where the regions are not told (%v) = %v with %d bytes, want an error and nothing", enabled, err, out.Len())
		}
	}
	source.Regions = []string{"eu-west-1"}
	if got := mustCollect(t, &Collector{}, source, needs); len(got.Header.Regions) != 1 {
		t.Errorf("regions %v, want the one that is named", got.Header.Regions)
	}
	mustCollect(t, &Collector{}, advisor.Source{Endpoint: f.URL, AccessKeyID: "A", SecretAccessKey: "S"}, needs)
	t.Setenv("AWS_ENDPOINT_URL", f.URL)
	if got := mustCollect(t, &Collector{}, f.source(), needs); len(got.Header.Regions) != 1 {
		t.Errorf("regions %v, want the one of the configuration: the endpoint is not AWS's", got.Header.Regions)
	}
	if n := f.called("ec2:DescribeRegions"); n != 3 {
		t.Errorf("DescribeRegions was called %d times, want 3: not where regions or an endpoint are named", n)
	}
}

func TestCredentialsOfAnotherAccountAreRefused(t *testing.T) {
	f := newFake(t, nil)
	source, needs := f.asAWS(t), inventory.Needs{"ec2.volume": nil}
	source.Regions = []string{"us-east-1"}
	var out bytes.Buffer
	err := (&Collector{}).Collect(t.Context(), source, "444455556666", at(), needs, &out)
	if want := "the credentials are those of account 111122223333, not of 444455556666"; !errors.Is(err, advisor.ErrOtherAccount) || err.Error() != want || out.Len() > 0 {
		t.Errorf("Collect with the keys of another account = %v with %d bytes, want %s and nothing", err, out.Len(), want)
	}
	for _, s := range []struct {
		source  advisor.Source
		account string
	}{{source, "111122223333"}, {source, ""}, {f.source("us-east-1"), "444455556666"}} {
		if err := (&Collector{}).Collect(t.Context(), s.source, s.account, at(), needs, io.Discard); err != nil {
			t.Errorf("Collect(%v, account %q) = %v, want nil", s.source, s.account, err)
		}
	}
}

func TestUnknownKindIsRefusedBeforeAnythingIsRead(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	err := (&Collector{}).Collect(t.Context(), f.source("us-east-1"), "", at(), inventory.Needs{"ec2.cloud": nil}, io.Discard)
	if !errors.Is(err, ErrUnknownKind) || len(f.calls) > 0 {
		t.Errorf("Collect = %v after calls %v, want ErrUnknownKind and none", err, f.calls)
	}
}

// reads is a run of kinds that a test makes, without any endpoint.
func reads(t *testing.T, ctx context.Context, w io.Writer, kinds ...kind) (*run, error) {
	t.Helper()
	r := &run{Collector: &Collector{}, owner: "111122223333", prices: map[string]float64{}}
	r.Log = discard()
	var err error
	if r.out, err = inventory.NewWriter(w, inventory.Header{}); err != nil {
		t.Fatal(err)
	}
	var tasks []task
	for _, k := range kinds {
		tasks = append(tasks, task{kind: k, region: "us-east-1", parts: []string{"Owner"}})
	}
	return r, r.readAll(ctx, ctx, tasks)
}

type thing struct{ Name string }

func TestAnswerThatSeveralKindsNeedIsAskedForOnce(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	read := func(_ context.Context, r *reader, emit emit[thing]) error {
		names, err := once(r, "x:List", func() ([]string, error) {
			calls.Add(1)
			return []string{"a", "b"}, nil
		})
		for _, name := range names {
			if err := emit(name, thing{Name: name}); err != nil {
				return err
			}
		}
		return err
	}
	var all []kind
	for i := range 20 {
		all = append(all, kindOf(fmt.Sprintf("x.kind%d", i), regional, "x:List", read))
	}
	var out bytes.Buffer
	if _, err := reads(t, t.Context(), &out, all...); err != nil || calls.Load() != 1 {
		t.Errorf("readAll = %v with %d calls, want one", err, calls.Load())
	}
}

func TestAnItemThatFailsLeavesTheCallsOfOthersAlone(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	shared := func(ctx context.Context, r *reader) error {
		_, err := once(r, "x:Shared", func() (int, error) {
			close(begun)
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(100 * time.Millisecond):
				return 1, nil
			}
		})
		return err
	}
	broken := kindOf("x.broken", regional, "x:Shared", func(ctx context.Context, r *reader, _ emit[thing]) error {
		return forEach(ctx, []int{0, 1}, func(ctx context.Context, i int) error {
			if i == 0 {
				return shared(ctx, r)
			}
			<-begun
			return errors.New("this item fails")
		})
	})
	other := kindOf("x.other", regional, "x:Shared", func(ctx context.Context, r *reader, _ emit[thing]) error {
		<-begun
		return shared(ctx, r)
	})
	r, err := reads(t, t.Context(), io.Discard, broken, other)
	if err != nil {
		t.Fatal(err)
	}
	want := []inventory.Failure{{Kind: "x.broken", Region: "us-east-1", Cause: "this item fails"}}
	if diff := cmp.Diff(want, r.sortedFailures()); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

func TestAPanicOfAReaderFailsItsKind(t *testing.T) {
	t.Parallel()
	panics := func(context.Context, *reader, emit[thing]) error {
		var none *thing
		return errors.New(none.Name)
	}
	inside := func(ctx context.Context, r *reader, _ emit[thing]) error {
		return forEach(ctx, []int{1, 2}, func(context.Context, int) error { return panics(ctx, r, nil) })
	}
	once := func(_ context.Context, r *reader, _ emit[thing]) error {
		_, err := once(r, "x", func() (int, error) { return 0, panics(t.Context(), r, nil) })
		return err
	}
	r, err := reads(t, t.Context(), io.Discard, kindOf("x.a", regional, "", panics), kindOf("x.b", regional, "", inside), kindOf("x.c", regional, "", once), kindOf("x.d", regional, "", once))
	if err != nil {
		t.Fatal(err)
	}
	var failed []string
	for _, f := range r.sortedFailures() {
		failed = append(failed, f.Kind)
		if !strings.Contains(f.Cause, "collect_test.go:") || strings.Contains(f.Cause, "goroutine") {
			t.Errorf("cause %q, want the line of the reader and no stack", f.Cause)
		}
	}
	if diff := cmp.Diff([]string{"x.a", "x.b", "x.c", "x.d"}, slices.Compact(failed)); diff != "" {
		t.Errorf("failed kinds (-want +got):\n%s", diff)
	}
}

func TestManyCausesOfOnePartDoNotHideAnotherFailure(t *testing.T) {
	t.Parallel()
	noisy := kindOf("x.noisy", regional, "", func(_ context.Context, r *reader, _ emit[thing]) error {
		for i := range 20_000 {
			r.fail(r.task, "Part", fmt.Errorf("bucket %d is denied", i))
		}
		return nil
	})
	quiet := kindOf("x.quiet", regional, "", func(context.Context, *reader, emit[thing]) error { return errors.New("denied") })
	r, err := reads(t, t.Context(), io.Discard, noisy, quiet)
	if err != nil {
		t.Fatal(err)
	}
	all := r.sortedFailures()
	if len(all) != maxCauses+1 || all[len(all)-1].Kind != "x.quiet" {
		t.Errorf("%d failures, the last %v; want %d and that of x.quiet", len(all), all[len(all)-1], maxCauses+1)
	}
}

func TestAResourceThatIsTooLargeFailsItsKind(t *testing.T) {
	t.Parallel()
	huge := kindOf("x.huge", regional, "", func(_ context.Context, _ *reader, emit emit[thing]) error {
		return emit("huge", thing{Name: strings.Repeat("x", 17<<20)})
	})
	small := kindOf("x.small", regional, "", func(_ context.Context, _ *reader, emit emit[thing]) error { return emit("small", thing{Name: "x"}) })
	var out bytes.Buffer
	r, err := reads(t, t.Context(), &out, huge, small)
	if err != nil || len(r.sortedFailures()) != 1 {
		t.Fatalf("readAll = %v, failures %v; want one failure", err, r.sortedFailures())
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAnInventoryThatCannotBeWrittenEndsTheCollection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		writes := kindOf("x.writes", regional, "", func(_ context.Context, _ *reader, emit emit[thing]) error {
			for i := range 2000 {
				if err := emit(fmt.Sprint(i), thing{Name: strings.Repeat("x", 100)}); err != nil {
					return err
				}
			}
			return nil
		})
		waits := kindOf("x.waits", regional, "", func(ctx context.Context, _ *reader, _ emit[thing]) error {
			<-ctx.Done()
			return ctx.Err()
		})
		begun := time.Now()
		if _, err := reads(t, t.Context(), full{}, waits, writes, waits); !errors.Is(err, errFull) || time.Since(begun) > 0 {
			t.Errorf("readAll = %v after %v, want the error of writing at once", err, time.Since(begun))
		}
	})
}

func TestKindsHaveNamesActionsAndStructsOfTheirOwn(t *testing.T) {
	t.Parallel()
	structs := map[string]*inventory.Type{}
	var walk func(kind string, t *inventory.Type)
	walk = func(kind string, at *inventory.Type) {
		if at.Elem != nil {
			walk(kind, at.Elem)
			return
		}
		if at.Form != inventory.Struct || structs[at.Name] == at {
			return
		}
		if structs[at.Name] != nil {
			t.Errorf("%s: two structs are called %s", kind, at.Name)
		}
		structs[at.Name] = at
		for _, f := range at.Fields() {
			walk(kind, f.Type)
		}
	}
	seen := map[string]bool{}
	for _, k := range kinds() {
		if seen[k.Name] {
			t.Errorf("two kinds are called %s", k.Name)
		}
		seen[k.Name] = true
		if k.Type.Form != inventory.Struct || len(k.Actions) == 0 {
			t.Errorf("%s has type %s and actions %v", k.Name, k.Type, k.Actions)
		}
		for _, action := range k.Actions {
			if service, call, ok := strings.Cut(action, ":"); !ok || service == "" || call == "" || strings.TrimSpace(action) != action {
				t.Errorf("%s: action %q, want service:Call", k.Name, action)
			}
		}
		walk(k.Name, k.Type)
	}
}

func TestCauseIsOneShortLine(t *testing.T) {
	t.Parallel()
	text := cause(errors.New(strings.Repeat("ä\n", 1000)))
	if len(text) > maxCause+10 || strings.ContainsAny(text, "\n\ufffd") {
		t.Errorf("cause = %q", text)
	}
	if _, err := json.Marshal(text); err != nil {
		t.Error(err)
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

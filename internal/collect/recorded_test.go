package collect

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/inventory"
)

// Recorded traffic. For every service there is what its collectors ask and are
// answered in testdata/recorded/<service>.txt, recorded from moto_server, which
// plays AWS; in <service>.hand.txt the same of calls that moto does not know,
// written from the API references; and in <service>.golden the inventory.
//
// -record starts moto_server, makes a few resources, and writes all anew.

var (
	record = flag.Bool("record", false, "record the traffic of the collectors with moto_server again")
	update = flag.Bool("update", false, "write the golden files again")
)

// recordedRegion is where the recorded collections look.
const recordedRegion = "eu-west-1"

// seedSecret is the value of all secrets that resources are made with.
const seedSecret = "secret-of-the-seed"

func TestCollectorsReadRecordedTraffic(t *testing.T) {
	t.Parallel()
	var moto string
	if *record {
		moto = startMoto(t)
	}
	all := needsByService()
	for _, service := range slices.Sorted(maps.Keys(all)) {
		t.Run(service, func(t *testing.T) {
			if *record {
				mustRecord(t, moto, service, all[service])
			} else {
				t.Parallel()
			}
			got := mustReplay(t, service, all[service])
			compareGolden(t, recordedFile(service+".golden"), got)
			for _, kind := range all[service].Kinds() {
				if !slices.ContainsFunc(got.Resources, func(r inventory.Resource) bool { return r.Kind == kind }) {
					t.Errorf("there is no %s in the recorded traffic", kind)
				}
			}
			if failures := got.failures(); len(failures) > 0 {
				t.Errorf("calls failed:\n%s", strings.Join(failures, "\n"))
			}
		})
	}
}

// needsByService returns all kinds with all their parts by service.
func needsByService() map[string]inventory.Needs {
	all := map[string]inventory.Needs{}
	for _, k := range kinds() {
		service, _, ok := strings.Cut(k.Name, ".")
		if !ok {
			service = "sts"
		}
		if all[service] == nil {
			all[service] = inventory.Needs{}
		}
		var parts []string
		for _, f := range k.Type.Fields() {
			if f.Part != "" {
				parts = append(parts, f.Name)
			}
		}
		all[service].Add(k.Name, parts...)
	}
	return all
}

func recordedFile(name string) string { return filepath.Join("testdata", "recorded", name) }

func recordedSource(endpoint string) advisor.Source {
	return advisor.Source{Endpoint: endpoint, Regions: []string{recordedRegion}, AccessKeyID: "AKIATEST", SecretAccessKey: "secret"}
}

// exchange is a request of a collector and its answer.
type exchange struct {
	call    string // ec2:DescribeVolumes; of APIs without names of actions lambda:GET
	request string // what tells it from other requests
	answer  string // the status and headers, an empty line, the body
}

func (e exchange) key() string { return "-- request " + e.call + " --\n" + e.request }

// newExchange is of a request without its answer.
func newExchange(r *http.Request) (exchange, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return exchange{}, err
	}
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	fields := append(strings.Split(scope, "/"), "", "", "", "")
	region, service, action := fields[2], fields[3], r.Method
	var parameters string
	switch kind := r.Header.Get("Content-Type"); {
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return exchange{}, err
		}
		action = form.Get("Action")
		delete(form, "Action")
		delete(form, "Version")
		parameters = sortedLines("", form)
	default:
		if target := r.Header.Get("X-Amz-Target"); target != "" {
			action = target[strings.LastIndex(target, ".")+1:]
		}
		parameters = tidy(string(body))
	}
	query := r.URL.Query()
	delete(query, "x-id")
	request := fmt.Sprintf("%s %s in %s\n", r.Method, r.URL.EscapedPath(), region) + sortedLines("? ", query) + parameters
	return exchange{call: service + ":" + action, request: request}, nil
}

// sortedLines returns a line for each value.
func sortedLines(prefix string, values url.Values) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, v := range values[name] {
			if strings.Contains(v, "\n") {
				v = strconv.Quote(v)
			}
			fmt.Fprintf(&b, "%s%s=%s\n", prefix, name, v)
		}
	}
	return b.String()
}

// tidy returns a body as it is recorded: JSON indented, and its keys in order.
func tidy(body string) string {
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	var v any
	switch {
	case strings.HasPrefix(body, "<"):
		return indentXML(body)
	case decoder.Decode(&v) == nil && !decoder.More():
		var b strings.Builder
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		_ = encoder.Encode(v) // it was JSON
		return b.String()
	case body == "" || strings.HasSuffix(body, "\n"):
		return body
	}
	return body + "\n"
}

// parseExchanges reads a file of recorded exchanges, and nothing of one that is
// not there.
func parseExchanges(t *testing.T, file string) (all []exchange) {
	t.Helper()
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(text).Files {
		call, ok := strings.CutPrefix(f.Name, "request ")
		switch {
		case ok:
			all = append(all, exchange{call: call, request: string(f.Data)})
		case f.Name == "answer" && len(all) > 0:
			all[len(all)-1].answer = string(f.Data)
		default:
			t.Fatalf("%s: section %q, want a request and its answer", file, f.Name)
		}
	}
	return all
}

func formatExchanges(header string, all []exchange) []byte {
	a := txtar.Archive{Comment: []byte(header)}
	for _, e := range all {
		a.Files = append(a.Files, txtar.File{Name: "request " + e.call, Data: []byte(e.request)}, txtar.File{Name: "answer", Data: []byte(e.answer)})
	}
	return txtar.Format(&a)
}

// replay is an endpoint that answers requests as recorded, in whatever order.
type replay struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]string // by key
	unused  map[string]bool
	unknown []string
}

func newReplay(t *testing.T, exchanges []exchange) *replay {
	t.Helper()
	p := &replay{answers: map[string]string{}, unused: map[string]bool{}}
	for _, e := range exchanges {
		if p.unused[e.key()] {
			t.Errorf("recorded twice:\n%s", e.key())
		}
		p.answers[e.key()], p.unused[e.key()] = e.answer, true
	}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e, err := newExchange(r)
	if err != nil {
		panic(err)
	}
	p.mu.Lock()
	answer, ok := p.answers[e.key()]
	delete(p.unused, e.key())
	if !ok {
		p.unknown = append(p.unknown, e.key())
	}
	p.mu.Unlock()
	if !ok {
		answer = "400\n\n<ErrorResponse><Error><Code>NotRecorded</Code></Error></ErrorResponse>"
	}
	writeAnswer(w, answer)
}

// writeAnswer writes what is recorded: the status, headers, the body.
func writeAnswer(w http.ResponseWriter, answer string) {
	head, body, _ := strings.Cut(answer, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		w.Header().Set(name, value)
	}
	status, err := strconv.Atoi(lines[0])
	if err != nil {
		panic(fmt.Sprintf("an answer that does not begin with its status: %s", head))
	}
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 10)) // DynamoDB's clients look at it
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a HEAD has none
}

func mustReplay(t *testing.T, service string, needs inventory.Needs) everything {
	t.Helper()
	exchanges := append(parseExchanges(t, recordedFile(service+".txt")), parseExchanges(t, recordedFile(service+".hand.txt"))...)
	if len(exchanges) == 0 {
		t.Fatalf("there is no recorded traffic of %s; go test -record writes it", service)
	}
	p := newReplay(t, exchanges)
	got := mustCollect(t, &Collector{}, recordedSource(p.URL), needs)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, request := range p.unknown {
		t.Errorf("a request that is not recorded:\n%s", request)
	}
	for _, request := range slices.Sorted(maps.Keys(p.unused)) {
		t.Errorf("a recorded request that was not made:\n%s", request)
	}
	return got
}

// compareGolden compares an inventory with that of a file, in which every
// resource is a line.
func compareGolden(t *testing.T, file string, got everything) {
	t.Helper()
	text := jsonLines(t, got)
	if bytes.Contains(text, []byte(seedSecret)) {
		t.Errorf("a secret was collected")
	}
	if *update || *record {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(indented(string(want)), indented(string(text))); diff != "" {
		t.Errorf("inventory (-want +got); -update writes %s again:\n%s", file, diff)
	}
}

func jsonLines(t *testing.T, e everything) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	e.Header.Needs = nil // always all kinds and parts
	lines := []any{e.Header}
	for _, r := range e.Resources {
		lines = append(lines, r)
	}
	for _, line := range append(lines, e.Summary) {
		if err := encoder.Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// indented makes lines of JSON readable where they differ.
func indented(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString(tidy(line))
	}
	return b.String()
}

func TestARequestThatIsNotRecordedIsTold(t *testing.T) {
	t.Parallel()
	p := newReplay(t, []exchange{
		{call: "sts:GetCallerIdentity", request: "POST / in eu-west-1\n", answer: "200\nContent-Type: text/xml\n\n<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"},
		{call: "ec2:DescribeVolumes", request: "POST / in eu-west-1\nMaxResults=500\nNextToken=b\n", answer: "200\n\n<DescribeVolumesResponse/>"},
	})
	got := mustCollect(t, &Collector{}, recordedSource(p.URL), inventory.Needs{"ec2.volume": nil})
	if diff := cmp.Diff([]string{"-- request ec2:DescribeVolumes --\nPOST / in eu-west-1\nMaxResults=500\n"}, p.unknown); diff != "" {
		t.Errorf("unknown requests (-want +got):\n%s", diff)
	}
	want := map[string]bool{"-- request ec2:DescribeVolumes --\nPOST / in eu-west-1\nMaxResults=500\nNextToken=b\n": true}
	if diff := cmp.Diff(want, p.unused); diff != "" {
		t.Errorf("unused recordings (-want +got):\n%s", diff)
	}
	if len(got.Summary.Failures) != 1 || got.Header.Account != "111122223333" {
		t.Errorf("account %q, failures %v; want that of the recording and one", got.Header.Account, got.failures())
	}
}

func TestWhatTheSDKWarnsOfGoesToTheLog(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call string) bool {
		if strings.HasPrefix(call, "dynamodb:") { // and no checksum of the answer
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			_, _ = io.WriteString(w, `{"AccountMaxReadCapacityUnits": 80000}`)
		}
		return strings.HasPrefix(call, "dynamodb:")
	})
	var log bytes.Buffer
	c := &Collector{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	got := mustCollect(t, c, f.source("us-east-1"), inventory.Needs{"dynamodb.limits": nil})
	if len(got.Resources) != 1 || !strings.Contains(log.String(), "checksum") {
		t.Errorf("%d resources and in the log %q, want one and what is said of the checksum", len(got.Resources), log.String())
	}
}

func TestAListOfObjectsIsNoAnswerToWhatIsAskedOfABucket(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Method != http.MethodGet {
			return false
		}
		w.Header().Set("Content-Type", "application/xml")
		answer := `<?xml version="1.0"?><ListBucketResult><Name>a</Name><Contents><Key>b</Key></Contents></ListBucketResult>`
		if r.URL.Path == "/" {
			answer = `<ListAllMyBucketsResult><Buckets><Bucket><Name>a</Name><BucketRegion>us-east-1</BucketRegion></Bucket></Buckets></ListAllMyBucketsResult>`
		}
		_, _ = io.WriteString(w, answer)
		return true
	})
	got := mustCollect(t, &Collector{}, f.source("us-east-1"), inventory.Needs{"s3.bucket": {"PolicyStatus", "Versioning"}})
	want := []string{
		"s3.bucket|PolicyStatus||S3 GetBucketPolicyStatus: the answer is none of the call: it is a list of objects",
		"s3.bucket|Versioning||S3 GetBucketVersioning: the answer is none of the call: it is a list of objects",
	}
	if diff := cmp.Diff(want, got.failures()); diff != "" || len(got.Resources) != 1 {
		t.Errorf("%d resources, want 1; failures (-want +got):\n%s", len(got.Resources), diff)
	}
}

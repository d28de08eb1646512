package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/uuid"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/store"
)

// The benchmarks measure whole calls over loopback with signed requests. Each
// has a bare twin: a net/http handler that reads the same body and writes the
// same bytes, called by the same client in the same run. docs/performance.md
// has the ratios.

// bench is a served server and a client that signs.
type bench struct {
	url    string
	keys   aws.Credentials
	client *http.Client
	data   string
}

func startBench(b *testing.B) *bench {
	b.Helper()
	data := filepath.Join(b.TempDir(), "data")
	s, err := server.Open(b.Context(), server.Config{Data: data, Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	first, err := s.FirstRun(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	served := serveBench(b, s)
	served.data, served.keys = data, aws.Credentials{AccessKeyID: first.Key.ID, SecretAccessKey: first.Key.Secret}
	return served
}

// serveBench serves until the end of the benchmark, and closes the server.
func serveBench(b *testing.B, s *server.Server) *bench {
	b.Helper()
	listener, err := s.Listen()
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return &bench{url: "http://" + listener.Addr().String() + "/", client: newBenchClient()}
}

func newBenchClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
}

// do sends one signed call and returns the answer's body.
func (s *bench) do(url, operation string, body []byte, invocation string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSSupport_20130415."+operation)
	r.Header.Set("Amz-Sdk-Invocation-Id", invocation)
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(context.Background(), s.keys, r, hex.EncodeToString(sum[:]), "support", "us-east-1", time.Now()); err != nil {
		return nil, err
	}
	return s.send(r, operation)
}

// send sends a request and returns the answer's body; what names it in errors.
func (s *bench) send(r *http.Request, what string) ([]byte, error) {
	response, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", what, response.StatusCode, answer)
	}
	return answer, err
}

// startBare serves a handler that reads every body and writes answer.
func startBare(b *testing.B, answer []byte) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	bare := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer)
	})}
	go func() { _ = bare.Serve(listener) }()
	b.Cleanup(func() { _ = bare.Close() })
	return "http://" + listener.Addr().String() + "/"
}

// compare runs a call against the server and against the bare handler that
// gives the same answer, with so many clients at a time.
func (s *bench) compare(b *testing.B, operation string, body []byte, clients int) {
	b.Helper()
	answer, err := s.do(s.url, operation, body, "warm-up")
	if err != nil {
		b.Fatal(err)
	}
	bare := startBare(b, answer)
	for _, twin := range []struct{ name, url string }{{"supportd", s.url}, {"bare", bare}} {
		b.Run(twin.name, func(b *testing.B) { s.run(b, twin.url, operation, body, clients) })
	}
}

func (s *bench) run(b *testing.B, url, operation string, body []byte, clients int) {
	b.Helper()
	runClients(b, clients, func() error {
		_, err := s.do(url, operation, body, uuid.NewString())
		return err
	})
}

// runClients makes b.N calls with so many clients at a time.
func runClients(b *testing.B, clients int, call func() error) {
	b.Helper()
	b.ReportAllocs()
	var left atomic.Int64
	left.Store(int64(b.N))
	failed := make(chan error, clients)
	b.ResetTimer()
	before := processorTime(b)
	defer func() {
		used := processorTime(b) - before
		b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "cpu-ns/op")
	}()
	for range clients {
		go func() {
			for left.Add(-1) >= 0 {
				if err := call(); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range clients {
		if err := <-failed; err != nil {
			b.Fatal(err)
		}
	}
}

// processorTime is what this process used so far; unlike the time of the clock
// it does not depend on what else the machine does.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// benchCase is what CreateCase is called with.
func benchCase() []byte {
	return []byte(`{"subject":"The instance does not start","communicationBody":"` + strings.Repeat("It was stopped yesterday. ", 20) +
		`","serviceCode":"amazon-elastic-compute-cloud-linux","categoryCode":"instance-issue","severityCode":"high","language":"en"}`)
}

func BenchmarkCreateCase(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			startBench(b).compare(b, "CreateCase", benchCase(), clients)
		})
	}
}

func BenchmarkDescribeServices(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			startBench(b).compare(b, "DescribeServices", []byte(`{}`), clients)
		})
	}
}

// BenchmarkDescribeTrustedAdvisorChecks answers with all checks, whose texts are
// made once.
func BenchmarkDescribeTrustedAdvisorChecks(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			startBench(b).compare(b, "DescribeTrustedAdvisorChecks", []byte(`{"language":"en"}`), clients)
		})
	}
}

func BenchmarkAttachment(b *testing.B) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
	body, err := json.Marshal(map[string]any{"attachments": []map[string]any{{"fileName": "log.txt", "data": content}}})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("add", func(b *testing.B) { startBench(b).compare(b, "AddAttachmentsToSet", body, 1) })
	b.Run("describe", func(b *testing.B) {
		s := startBench(b)
		s.compare(b, "DescribeAttachment", s.attach(b, body), 1)
	})
}

// attach puts the files of an AddAttachmentsToSet call into a case and returns
// the body of a DescribeAttachment call for the first one.
func (s *bench) attach(b *testing.B, files []byte) []byte {
	b.Helper()
	var set struct{ AttachmentSetID string }
	s.mustAnswer(b, "AddAttachmentsToSet", files, &set)
	create := fmt.Sprintf(`{"subject":"s","communicationBody":"b","attachmentSetId":%q}`, set.AttachmentSetID)
	s.mustAnswer(b, "CreateCase", []byte(create), &struct{}{})
	var found struct {
		Cases []struct {
			RecentCommunications struct {
				Communications []struct {
					AttachmentSet []struct{ AttachmentID string }
				}
			}
		}
	}
	s.mustAnswer(b, "DescribeCases", []byte(`{}`), &found)
	id := found.Cases[0].RecentCommunications.Communications[0].AttachmentSet[0].AttachmentID
	return fmt.Appendf(nil, `{"attachmentId":%q}`, id)
}

func (s *bench) mustAnswer(b *testing.B, operation string, body []byte, answer any) {
	b.Helper()
	text, err := s.do(s.url, operation, body, "set-up "+operation)
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkDescribeCases reads a page from the middle of an account's cases: its
// cost may not depend on how many there are.
func BenchmarkDescribeCases(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("cases=%d", n), func(b *testing.B) {
			if testing.Short() && n > 1_000 {
				b.Skip("short: a million cases take a minute to make")
			}
			s := startBench(b)
			middle := s.seed(b, n)
			for _, page := range []int{10, 100} {
				body := fmt.Appendf(nil, `{"maxResults":%d,"includeResolvedCases":true,"afterTime":%q}`, page, middle.Format(time.RFC3339))
				b.Run(fmt.Sprintf("page=%d", page), func(b *testing.B) { s.compare(b, "DescribeCases", body, 1) })
			}
		})
	}
}

// seed puts n cases with two communications each beside the server, half of
// them resolved, one a minute, and returns the time of the middle one.
func (s *bench) seed(b *testing.B, n int) time.Time {
	b.Helper()
	db, err := store.Open(b.Context(), "sqlite://"+filepath.Join(s.data, "supportd.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	return seedStore(b, db, server.FirstAccountID, n)
}

func seedStore(b *testing.B, db *store.Store, account string, n int) time.Time {
	b.Helper()
	// A case every few seconds keeps a million of them within the retention.
	first := time.Now().UTC().Truncate(time.Second).Add(-time.Duration(n) * 20 * time.Second)
	const batch = 1000
	for done := 0; done < n; done += batch {
		err := db.Cases().Update(b.Context(), account, func(tx cases.Tx) error {
			for i := done; i < done+batch; i++ {
				if err := seedCase(b.Context(), tx, account, i, first.Add(time.Duration(i)*20*time.Second)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return first.Add(time.Duration(n/2) * 20 * time.Second)
}

func seedCase(ctx context.Context, tx cases.Tx, account string, i int, at time.Time) error {
	// The digits are scattered, as those of real ids are.
	scattered := uint64(i) * 0x9E3779B97F4A7C15
	c := cases.Case{
		Account: account, ID: fmt.Sprintf("case-%s-muen-%d-%016x", account, at.Year(), scattered),
		DisplayID: fmt.Sprintf("%015d", scattered%1e15), Subject: "The instance does not start", Status: cases.Unassigned,
		ServiceCode: "amazon-elastic-compute-cloud-linux", CategoryCode: "instance-issue", SeverityCode: "high",
		IssueType: "technical", Language: "en", SubmittedBy: "owner@example.com", CreatedAt: at, Communications: 2,
	}
	if i%2 == 0 {
		c.Status, c.ResolvedAt = cases.Resolved, at.Add(time.Hour)
	}
	if err := tx.InsertCase(ctx, c); err != nil {
		return err
	}
	for number := range int64(2) {
		err := tx.InsertCommunication(ctx, cases.Communication{
			Account: c.Account, CaseID: c.ID, Number: number + 1, SubmittedBy: "owner@example.com", CreatedAt: at,
			Body: strings.Repeat("It was stopped yesterday. ", 10),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

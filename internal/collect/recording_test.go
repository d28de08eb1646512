package collect

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/supportd/supportd/internal/inventory"
)

// startMoto starts a server that plays AWS, and returns its address.
func startMoto(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	log, err := os.Create(filepath.Join(t.ArtifactDir(), "moto.log")) // -artifacts keeps it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	command := exec.Command("moto_server", "-H", "127.0.0.1", "-p", port)
	command.Stdout, command.Stderr = log, log
	command.Env = append(os.Environ(), "MOTO_EC2_LOAD_DEFAULT_AMIS=false")
	if err := command.Start(); err != nil {
		t.Fatalf("-record needs moto_server (pip install 'moto[server]'): %v", err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // it may be gone
		_ = command.Wait()
	})
	address := "http://127.0.0.1:" + port
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get(address + "/moto-api/")
		if err == nil {
			answer.Body.Close()
			return address
		}
		if time.Since(begun) > 2*time.Minute {
			t.Fatalf("moto_server does not answer: %v", err)
		}
	}
}

// seeder makes resources at moto.
type seeder struct {
	*testing.T
	config aws.Config
}

// made returns what a call returns, which is not to fail.
func made[Out any](out Out, err error) Out {
	if err != nil {
		panic(fmt.Errorf("making resources: %w", err))
	}
	return out
}

// mustRecord makes a service's resources, collects them, and writes down what
// was asked and answered.
func mustRecord(t *testing.T, moto, service string, needs inventory.Needs) {
	t.Helper()
	seed := seeds()[service]
	if seed == nil {
		t.Fatalf("there is no seed for %s", service)
	}
	for _, path := range []string{"/moto-api/reset", "/moto-api/seed?a=42"} { // moto's ids are then the same every time
		answer, err := http.Post(moto+path, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	made := &seeder{t, aws.Config{
		Region: recordedRegion, BaseEndpoint: &moto, Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}}
	if err := recovered(func() error { seed(made); return nil }); err != nil {
		t.Fatal(err)
	}
	r := newRecorder(t, moto, parseExchanges(t, recordedFile(service+".hand.txt")))
	mustCollect(t, &Collector{}, recordedSource(r.URL), needs)
	header := "Recorded by go test -record from moto_server, and scrubbed.\n\n"
	if err := os.WriteFile(recordedFile(service+".txt"), formatExchanges(header, r.sorted()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// recorder hands requests on to moto and keeps what was answered. What is
// written by hand it answers itself.
type recorder struct {
	*httptest.Server
	moto string
	hand map[string]string

	mu   sync.Mutex
	seen map[string]exchange // by key
}

func newRecorder(t *testing.T, moto string, hand []exchange) *recorder {
	t.Helper()
	r := &recorder{moto: moto, hand: map[string]string{}, seen: map[string]exchange{}}
	for _, e := range hand {
		r.hand[e.key()] = e.answer
	}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var body bytes.Buffer
	request.Body = io.NopCloser(io.TeeReader(request.Body, &body))
	e, err := newExchange(request)
	if err != nil {
		panic(err)
	}
	if answer, ok := r.hand[e.key()]; ok {
		writeAnswer(w, answer)
		return
	}
	answer, text, err := r.ask(request, body.String())
	if err != nil {
		panic(err)
	}
	whole := recordedAnswer(e.call, answer, text)
	writeAnswer(w, whole)
	e.request, e.answer = r.scrub(e.request), r.scrub(whole)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[e.key()] = e // the last answer: who asks again waits for another one
}

func (r *recorder) ask(request *http.Request, body string) (*http.Response, string, error) {
	onward, err := http.NewRequestWithContext(request.Context(), request.Method, r.moto+request.URL.RequestURI(), strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	onward.Header = request.Header.Clone()
	onward.Header.Del("Accept-Encoding")
	answer, err := http.DefaultClient.Do(onward)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer, string(text), err
}

// answerHeaders are those that the SDK reads. Others have dates and ids.
func answerHeaders() []string {
	return []string{"Content-Type", "X-Amzn-Errortype", "X-Amzn-Query-Error", "X-Amz-Bucket-Region"}
}

// mostItems is how much is kept of lists that are the same in every account,
// by call and element.
func mostItems() map[string]string {
	return map[string]string{"ec2:DescribeInstanceTypes": "instanceTypeSet"}
}

func recordedAnswer(call string, answer *http.Response, text string) string {
	var b strings.Builder
	fmt.Fprintln(&b, answer.StatusCode)
	for _, name := range answerHeaders() {
		if value := answer.Header.Get(name); value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	body := tidy(text)
	if list := mostItems()[call]; list != "" {
		body = firstItems(body, list, 3)
	}
	return b.String() + "\n" + body
}

// firstItems leaves out what is in a list of tidy XML after a number of items.
func firstItems(text, list string, most int) string {
	var b strings.Builder
	items, within := 0, ""
	for line := range strings.Lines(text) {
		indent, element := line[:len(line)-len(strings.TrimLeft(line, " "))], strings.TrimSpace(line)
		switch {
		case element == "<"+list+">":
			within = indent
		case element == "</"+list+">" && indent == within:
			items = 0
		case indent == within+" " && element == "<item>":
			items++
		}
		if items <= most {
			b.WriteString(line)
		}
	}
	return b.String()
}

// scrub removes what is secret or differs from one recording to the next. The
// ids of accounts, 123456789012, and the credentials are moto's own.
func (r *recorder) scrub(text string) string {
	text = strings.ReplaceAll(text, strings.TrimPrefix(r.moto, "http://"), "endpoint.test")
	text = strings.ReplaceAll(text, r.Listener.Addr().String(), "endpoint.test")
	for pattern, with := range map[string]string{
		`(?i)(<requestid>|"requestid": "|<hostid>)[^<"]+`: "scrubbed",
		`(?i)(<presharedkey>|pre_shared_key&gt;)[^<&]+`:   seedSecret,
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, "${1}"+with)
	}
	return text
}

func (r *recorder) sorted() (all []exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.seen {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b exchange) int {
		return cmp.Or(strings.Compare(a.call, b.call), strings.Compare(a.request, b.request))
	})
	return all
}

// indentXML returns XML with an element in each line. Text stays as it is, and
// what is no XML too.
func indentXML(text string) string {
	decoder := xml.NewDecoder(strings.NewReader(text))
	var b strings.Builder
	depth, open := 0, false // whether an element was begun and has no others yet
	for {
		begin := decoder.InputOffset()
		token, err := decoder.RawToken()
		if err == io.EOF {
			return b.String() + "\n"
		}
		if err != nil {
			return text
		}
		raw := text[begin:decoder.InputOffset()]
		switch token.(type) {
		case xml.StartElement:
			newLine(&b, depth)
			b.WriteString(raw)
			depth, open = depth+1, true
		case xml.EndElement:
			depth--
			if !open {
				newLine(&b, depth)
			}
			b.WriteString(raw)
			open = false
		default:
			if strings.TrimSpace(raw) == "" {
				continue
			}
			if !open {
				newLine(&b, depth)
			}
			b.WriteString(raw)
		}
	}
}

func newLine(b *strings.Builder, depth int) {
	if b.Len() > 0 {
		b.WriteString("\n" + strings.Repeat(" ", depth))
	}
}

func TestXMLIsIndentedAndCut(t *testing.T) {
	t.Parallel()
	const text = "<?xml version=\"1.0\"?><a x='1'>\n\n <b>\n<item><c> d &lt;</c></item><item><c/></item><item/></b><e></e></a>"
	const want = "<?xml version=\"1.0\"?>\n<a x='1'>\n <b>\n  <item>\n   <c> d &lt;</c>\n  </item>\n </b>\n <e></e>\n</a>\n"
	if got := firstItems(indentXML(text), "b", 1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

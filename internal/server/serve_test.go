package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/supportd/supportd/internal/server"
)

func TestShutdownFinishesTheRunningRequestAndRefusesNewOnes(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	body := `{"subject":"last","communicationBody":"words"}`
	conn, answers := s.mustBegin(t, "CreateCase", body)
	ended := make(chan error, 1)
	go func() { ended <- s.stop() }()
	if err := eventually(func() bool {
		probe, err := net.Dial("tcp", s.addr)
		if err == nil {
			probe.Close()
		}
		return err != nil
	}); err != nil {
		t.Fatalf("new connections are still taken: %v", err)
	}
	select {
	case err := <-ended:
		t.Fatalf("the server ended with %v while a request was running", err)
	default:
	}
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(answers, nil)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the running request got %v, %v, want 200", response, err)
	}
	response.Body.Close()
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v, want nil", err)
	}
	again := mustServe(t, server.Config{Data: s.data})
	if _, ok := again.mustCases(t)["last"]; !ok {
		t.Errorf("the case of the running request is not there")
	}
}

// mustBegin sends a call without its body and returns when the server asks for
// it, so that the request is running.
func (s *service) mustBegin(t *testing.T, operation, body string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	s.mustSendHeader(t, conn, operation, body, "Expect: 100-continue\r\n")
	answers := bufio.NewReader(conn)
	for range 2 { // the line and the empty one after it
		line, err := answers.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") && line != "\r\n" {
			t.Fatalf("got %q, %v, want to be asked for the body", line, err)
		}
	}
	return conn, answers
}

func (s *service) mustSendHeader(t *testing.T, conn io.Writer, operation, body, extra string) {
	t.Helper()
	r, err := s.request(t.Context(), operation, body)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n%s", r.Host, len(body), extra)
	if err := r.Header.Write(&text); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text.String()+"\r\n"); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until a condition holds.
func eventually(condition func() bool) error {
	for range 5000 {
		if condition() {
			return nil
		}
		<-time.After(time.Millisecond)
	}
	return errors.New("it did not happen")
}

func TestPanicIsAnInternalErrorOfThatRequestAlone(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	s := mustOpen(t, server.Config{Now: func() time.Time {
		if broken.Load() {
			panic("the clock is broken")
		}
		return time.Now()
	}})
	listener := httptest.NewServer(s.Handler())
	defer listener.Close()
	s.addr = listener.Listener.Addr().String()
	s.mustCreateCase(t, "before")
	broken.Store(true)
	got := s.mustCall(t, "DescribeServices", "{}")
	if got.status != http.StatusInternalServerError || strings.Contains(got.body, "clock") || len(got.header["X-Amzn-Requestid"]) != 1 {
		t.Errorf("call that panics = %v %v, want 500 with a request id and no reason", got, got.header)
	}
	broken.Store(false)
	s.mustCreateCase(t, "after")
	if log := s.log.String(); !strings.Contains(log, "panic: the clock is broken") || !strings.Contains(log, "server_test.go") && !strings.Contains(log, "serve_test.go") {
		t.Errorf("the log has no panic with its stack: %s", log)
	}
}

func TestSlowClientsAreCutOff(t *testing.T) {
	body := `{"subject":"slow","communicationBody":"words"}`
	for _, test := range []struct {
		name string
		send func(t *testing.T, s *service, conn net.Conn)
		most time.Duration
	}{
		{"says nothing", func(*testing.T, *service, net.Conn) {}, 10 * time.Second},
		{"hangs in the header", func(_ *testing.T, _ *service, conn net.Conn) {
			_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\n") // the reader will tell
		}, 10 * time.Second},
		{"trickles the header", func(_ *testing.T, _ *service, conn net.Conn) {
			trickle(conn, "POST / HTTP/1.1\r\nX-Padding: "+strings.Repeat("x", 1000), time.Second)
		}, 11 * time.Second},
		{"hangs in the body", func(t *testing.T, s *service, conn net.Conn) {
			s.mustSendHeader(t, conn, "CreateCase", body, "")
		}, time.Minute},
		{"trickles the body", func(t *testing.T, s *service, conn net.Conn) {
			s.mustSendHeader(t, conn, "CreateCase", body, "")
			trickle(conn, body, 5*time.Second)
		}, 66 * time.Second},
		{"stays after its answer", func(_ *testing.T, _ *service, conn net.Conn) {
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") // the reader will tell
		}, 2 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := mustOpen(t, server.Config{})
				listener := newPipeListener()
				s.serve(t, listener)
				conn := listener.dial()
				defer conn.Close()
				start := time.Now()
				ended := make(chan time.Duration)
				go func() {
					_, _ = io.Copy(io.Discard, conn) // ends when the server hangs up
					ended <- time.Since(start)
				}()
				test.send(t, s, conn)
				if took := <-ended; took > test.most {
					t.Errorf("the connection lasted %v, want at most %v", took, test.most)
				}
				if err := s.stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestClientThatNeverReadsIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustOpen(t, server.Config{})
		listener := newPipeListener()
		s.serve(t, listener)
		conn := listener.dial()
		defer conn.Close()
		s.mustSendHeader(t, conn, "DescribeServices", "{}", "")
		if _, err := io.WriteString(conn, "{}"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(121 * time.Second) // of the bubble's clock: no time passes
		if text, err := io.ReadAll(conn); err != nil || len(text) > 0 {
			t.Errorf("after two minutes the client read %d bytes, %v, want to be cut off", len(text), err)
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
}

// trickle sends a text byte by byte until the other side hangs up.
func trickle(conn io.Writer, text string, every time.Duration) {
	for i := range text {
		if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
			return
		}
		time.Sleep(every) // of the bubble's clock: no time passes
	}
}

// pipeListener listens inside this process, so that the clock of a test may be
// that of a synctest bubble.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipeListener() *pipeListener {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	return l
}

func (l *pipeListener) dial() net.Conn {
	client, served := net.Pipe()
	l.conns <- served
	return client
}

// Accept returns the next connection.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the listener.
func (l *pipeListener) Close() error { l.close(); return nil }

// Addr returns a name instead of an address.
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func TestGarbageOnThePortHarmsNobody(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	for _, garbage := range []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS to a plain port",
		"\x00\x00\x00\x00\r\n\r\n", "GET\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n", strings.Repeat("A", 1<<16),
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 2<<20) + "\r\n\r\n",
		"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
	} {
		status, text := s.exchange(t, garbage)
		if status != "" && !strings.HasPrefix(status, "HTTP/1.1 4") && !strings.HasPrefix(status, "HTTP/1.1 505") {
			t.Errorf("garbage %.40q = %.200q, want a refusal", garbage, text)
		}
	}
	s.mustCreateCase(t, "unharmed")
	if log := s.log.String(); strings.Contains(log, "panic") {
		t.Errorf("garbage made the server panic: %s", log)
	}
}

// exchange sends raw bytes on a connection of its own and returns the first
// line of what comes back, and all of it. Requests say Connection: close; after
// anything else the client's half of the connection ends.
func (s *service) exchange(t *testing.T, raw string) (first, all string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.WriteString(conn, raw) // the server may hang up before the end
		if !strings.Contains(raw, "Connection: close") {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}()
	text, err := io.ReadAll(conn)
	if err != nil && errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%.40q: the server keeps the connection: %v", raw, err)
	}
	first, _, _ = strings.Cut(string(text), "\r\n")
	return first, string(text)
}

func TestBodyLimits(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	case1 := `{"subject":"padded","communicationBody":"x"}`
	file := strings.Repeat("QUJD", (5<<20)/3+1) // a little more than 5 MB decoded
	largest := strings.Repeat("QUJD", (5<<20)/3) + "QUI="
	set := func(files ...string) string {
		var parts []string
		for i, f := range files {
			parts = append(parts, fmt.Sprintf(`{"fileName":"f%d","data":"%s"}`, i, f))
		}
		return `{"attachments":[` + strings.Join(parts, ",") + `]}`
	}
	for _, test := range []struct {
		name, operation, body string
		status                int
		want                  string
	}{
		{"CreateCase of 1 MiB", "CreateCase", case1 + strings.Repeat(" ", 1<<20-len(case1)), 200, "caseId"},
		{"CreateCase of 1 MiB and a byte", "CreateCase", case1 + strings.Repeat(" ", 1<<20-len(case1)+1), 413, "RequestEntityTooLargeException"},
		{"unknown operation of 2 MiB", "AddAttachmentsToSetX", strings.Repeat(" ", 2<<20), 413, "RequestEntityTooLargeException"},
		{"three files of 5 MB", "AddAttachmentsToSet", set(largest, largest, largest), 200, "attachmentSetId"},
		{"a file larger than 5 MB", "AddAttachmentsToSet", set(file), 400, "AttachmentSetSizeLimitExceeded"},
		{"four files of 5 MB", "AddAttachmentsToSet", set(largest, largest, largest, largest), 400, "AttachmentSetSizeLimitExceeded"},
		{"files of 33 MiB", "AddAttachmentsToSet", set(strings.Repeat("QUJD", 33<<18)), 413, "RequestEntityTooLargeException"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, form := range []string{"Content-Length", "chunked"} {
				status, all := s.exchange(t, s.mustRaw(t, test.operation, test.body, form == "chunked"))
				if !strings.HasPrefix(status, fmt.Sprintf("HTTP/1.1 %d ", test.status)) || !strings.Contains(all, test.want) {
					t.Errorf("%s, %s = %.600q, want %d %s", test.name, form, all, test.status, test.want)
				}
			}
		})
	}
}

// mustRaw returns a signed call as it goes over the wire.
func (s *service) mustRaw(t *testing.T, operation, body string, chunked bool) string {
	t.Helper()
	r, err := s.request(t.Context(), operation, body)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "POST / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", r.Host)
	if chunked {
		// The signature covers Content-Length, so sign without one.
		r.ContentLength = 0
		r = s.mustSignAgain(t, r, body)
		body = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
		text.WriteString("Transfer-Encoding: chunked\r\n")
	} else {
		fmt.Fprintf(&text, "Content-Length: %d\r\n", len(body))
	}
	if err := r.Header.Write(&text); err != nil {
		t.Fatal(err)
	}
	return text.String() + "\r\n" + body
}

func TestFewLargeBodiesAreInMemoryAtATime(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	const places = 4 // of one account
	body := strings.Repeat(" ", 30<<20)
	for range places {
		s.mustBegin(t, "AddAttachmentsToSet", body)
	}
	waiting, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	s.mustSendHeader(t, waiting, "AddAttachmentsToSet", body, "Expect: 100-continue\r\n")
	s.mustCreateCase(t, "not behind large bodies")
	if err := waiting.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := waiting.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("body %d is read beside %d others, want it to wait", places+1, places)
	}
	runtime.GC() // what the clients of this test have let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if most := uint64(places*32<<20 + 256<<20); m.HeapAlloc > most {
		t.Errorf("%d bytes in use, want at most %d", m.HeapAlloc, most)
	}
}

func TestRequestIDIsOnEveryAnswerAsTheServiceSpellsIt(t *testing.T) {
	t.Parallel()
	s := mustServe(t, server.Config{})
	header := regexp.MustCompile(`(?im)^x-amzn-requestid:.*$`)
	want := regexp.MustCompile(`^x-amzn-RequestId: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\r$`)
	seen := map[string]bool{}
	plain := func(line string) string { return line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" }
	for _, test := range []struct{ raw, status string }{
		{plain("GET /healthz"), "200"},
		{plain("HEAD /healthz"), "200"},
		{plain("GET /readyz"), "200"},
		{plain("GET /metrics"), "200"},
		{plain("POST /healthz"), "405"},
		{plain("DELETE /metrics"), "405"},
		{plain("GET /nowhere"), "404"},
		{plain("POST /nowhere"), "404"},
		{plain("GET /x/../nowhere"), "3"},
		{plain("GET /"), "400"},
		{plain("OPTIONS /"), "400"},
		{plain("POST /"), "400"},
		{plain("OPTIONS *"), "4"},
		{s.mustRaw(t, "DescribeSeverityLevels", "{}", false), "200"},
		{s.mustRaw(t, "DescribeServices", "{}", false), "200"},
		{s.mustRaw(t, "DescribeCases", "[", false), "400"},
		{s.mustRaw(t, "Nothing", "{}", false), "400"},
		{strings.Replace(s.mustRaw(t, "DescribeCases", "{}", false), "x-amz-json-1.1", "x-amz-json-9", 1), "4"},
	} {
		status, all := s.exchange(t, test.raw)
		line, _, _ := strings.Cut(test.raw, "\r\n")
		if !strings.HasPrefix(status, "HTTP/1.1 "+test.status) {
			t.Errorf("%s = %q, want %s", line, status, test.status)
		}
		head, _, _ := strings.Cut(all, "\r\n\r\n")
		found := header.FindAllString(head+"\r\n", -1)
		if len(found) != 1 || !want.MatchString(found[0]) {
			t.Errorf("%s = %q, want one header that matches %v", line, all[:min(len(all), 500)], want)
			continue
		}
		if seen[found[0]] {
			t.Errorf("%s: %s was used before", line, found[0])
		}
		seen[found[0]] = true
	}
}

func TestServersLeaveNothingBehind(t *testing.T) {
	http.DefaultClient.CloseIdleConnections()
	before, files := runtime.NumGoroutine(), openFiles(t)
	for range 3 {
		s := mustServe(t, server.Config{})
		s.mustCreateCase(t, "short life", `"attachmentSetId":"`+s.mustAttach(t, "a", []byte("a"))+`"`)
		s.mustGet(t, "/readyz")
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if err := eventually(func() bool { return runtime.NumGoroutine() <= before && openFiles(t) <= files }); err != nil {
		stacks := make([]byte, 1<<16)
		t.Errorf("%d goroutines and %d files, want %d and %d as before\n%s", runtime.NumGoroutine(), openFiles(t), before, files,
			stacks[:runtime.Stack(stacks, true)])
	}
}

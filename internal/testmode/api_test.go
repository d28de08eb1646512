package testmode_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/server"
	"github.com/supportd/supportd/internal/testmode"
)

func TestTheWholeManagementAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Frozen: true})
	c := w.anyCheck(true)
	created := regexp.MustCompile(`"(id|at|durationMs)":("[^"]+"|[0-9.]+)`)
	for _, step := range []struct {
		method, path, body string
		status             int
		want               string // in the answer
	}{
		{"GET", "/", "", 200, "POST   /reset"},
		{"GET", "/clock", "", 200, `{"now":"2026-03-01T09:00:00Z","frozen":true}`},
		{"POST", "/clock", `{"advance":"2h30m"}`, 200, `{"now":"2026-03-01T11:30:00Z","frozen":true}`},
		{"POST", "/clock", `{"set":"2026-01-01T00:00:00Z"}`, 200, `{"now":"2026-01-01T00:00:00Z","frozen":true}`},
		{"POST", "/clock", `{"run":true}`, 200, `"frozen":false}`},
		{"POST", "/clock", `{"set":"5000-01-01T00:00:00Z"}`, 200, `{"now":"5000-01-01T00:0`},
		{"POST", "/clock", `{"freeze":true,"set":"9999-12-31T00:00:00Z"}`, 400, "from the year 1970 to 9000"},
		{"POST", "/clock", `{"freeze":true,"advance":"-1h"}`, 400, "forward only"},
		{"GET", "/clock", "", 200, `"frozen":false}`},
		{"POST", "/clock", `{"freeze":true,"set":"2026-03-01T09:00:00+01:00"}`, 200, `{"now":"2026-03-01T08:00:00Z","frozen":true}`},
		{"POST", "/clock", `{}`, 400, "Say what to do"},
		{"POST", "/clock", `{"advance":"-1h"}`, 400, "forward only"},
		{"POST", "/clock", `{"advance":"1h","set":"2026-01-01T00:00:00Z"}`, 400, "not both at once"},
		{"POST", "/clock", `{"freeze":true,"run":true}`, 400, "not both"},
		{"POST", "/clock", `{"advance":"2500000h"}`, 200, `{"now":"2311-`},
		{"POST", "/clock", `{"set":"9000-12-31T23:00:00Z"}`, 200, `{"now":"9000-12-31T23:00:00Z","frozen":true}`},
		{"POST", "/clock", `{"advance":"2h"}`, 400, "from the year 1970 to 9000"},
		{"POST", "/clock", `{"set":"9999-12-31T00:00:00Z"}`, 400, "from the year 1970 to 9000"},
		{"POST", "/clock", `{"set":"2026-03-01T09:00:00Z"}`, 200, `"now":"2026-03-01T09:00:00Z"`},
		{"POST", "/clock", `{"advance":"15d"}`, 200, `"now":"2026-03-16T09:00:00Z"`},
		{"POST", "/clock", `{"advance":"1d12h"}`, 200, `"now":"2026-03-17T21:00:00Z"`},
		{"POST", "/clock", `{"advance":"-1d"}`, 400, "forward only"},
		{"POST", "/clock", `{"advance":"1d-1h"}`, 400, "no time span"},
		{"POST", "/clock", `{"advance":"60000d2000000h"}`, 400, "no time span"},
		{"POST", "/clock", `{"set":"1969-12-31T23:59:59Z"}`, 400, "from the year 1970 to 9000"},
		{"POST", "/clock", `{"set":"soon"}`, 400, "not the JSON that is wanted"},
		{"POST", "/clock", `{"advance":"soon"}`, 400, `\"soon\" is no time span such as 10m, 2h30m or 3d`},
		{"POST", "/clock", `{"advanse":"1h"}`, 400, `unknown field \"advanse\"`},
		{"POST", "/clock", `{"freeze":true}{}`, 400, "something follows the document"},
		{"POST", "/clock", `{"freeze":true}}`, 400, "something follows the document"},
		{"GET", "/faults", "", 200, `{"faults":[]}`},
		{"POST", "/faults", `{"kind":"throttling","operation":"CreateCase","account":"123456789012","probability":0.5,"count":3}`, 201, `{"id":"fault-1","kind":"throttling","operation":"CreateCase","account":"123456789012","probability":0.5,"count":3,"happened":0}`},
		{"POST", "/faults", `{"kind":"latency","delay":"1.5s"}`, 201, `"delay":"1.5s"`},
		{"POST", "/faults", `{"kind":"typo"}`, 400, "no kind of fault"},
		{"POST", "/faults", `{"kind":"throttling","operation":"createCase"}`, 400, "no operation"},
		{"POST", "/faults", `{"kind":"throttling","count":-1}`, 400, "cannot happen -1 times"},
		{"POST", "/faults", `{"kind":"throttling","count":1.5}`, 400, "not the JSON that is wanted"},
		{"POST", "/faults", `{"kind":"throttling","probability":NaN}`, 400, "not the JSON that is wanted"},
		{"POST", "/faults", `{"kind":"throttling","probability":1e999}`, 400, "not the JSON that is wanted"},
		{"POST", "/faults", `{"kind":"latency","delay":"61s"}`, 400, "at most 1m0s"},
		{"POST", "/faults", `{"kind":"latency","delay":"3d12h"}`, 400, "at most 1m0s, not 84h0m0s"},
		{"POST", "/faults", `{"kind":"latency","delay":"-1s"}`, 400, "at most 1m0s"},
		{"POST", "/faults", `{"kind":"throttling"}}`, 400, "something follows the document"},
		{"POST", "/faults", `{"kind":"throttling"} ]`, 400, "something follows the document"},
		{"POST", "/faults", `{"kind":"latency"}`, 400, "at most 1m0s"},
		{"POST", "/faults", `{"kind":"throttling","probability":0}`, 400, "never happens"},
		{"GET", "/faults", "", 200, `"id":"fault-2"`},
		{"DELETE", "/faults/fault-2", "", 204, ""},
		{"DELETE", "/faults/fault-2", "", 404, `no fault \"fault-2\"`},
		{"DELETE", "/faults", "", 204, ""},
		{"GET", "/faults", "", 200, `{"faults":[]}`},
		{"GET", "/requests", "", 200, `{"requests":[]}`},
		{"GET", "/requests?atLeast=1&wait=1ms", "", 408, "Of 1 requests 0 came within 1ms"},
		{"GET", "/requests?after=x", "", 400, "after=x"},
		{"GET", "/requests?operations=x", "", 400, "no such parameter"},
		{"GET", "/requests?wait=2h", "", 400, "at most 1m0s"},
		{"GET", "/requests?limit=-1", "", 400, "from 0 on"},
		{"GET", "/requests?atLeast=100000", "", 400, "only 10000 requests are kept"},
		{"PUT", "/results", fmt.Sprintf(`{"account":%q,"check":%q,"resources":[{"status":"error","metadata":{%q:"x"}}]}`, first, c.ID, c.Columns[0]), 204, ""},
		{"PUT", "/results", `{"account":"123456789012","check":"typo"}`, 400, `no check \"typo\"`},
		{"PUT", "/results", `{"account":"123456789012","check":"typo"}}`, 400, "something follows the document"},
		{"GET", "/requests?wait=0d", "", 200, `{"requests":[]}`},
		{"PUT", "/results", `{"account":"1"}`, 404, "no account"},
		{"GET", "/accounts", "", 200, `{"id":"123456789012","name":"First account","email":"owner@example.com","plan":"enterprise","keys":[{"accessKeyId":"test","secretAccessKey":"test"},{"accessKeyId":"123456789012","secretAccessKey":"test"}]}`},
		{"POST", "/seed", strings.Repeat("[", 100_000), 400, "seed:1:65: more than 64 values"},
		{"PUT", "/autopilot", strings.Repeat("[", 100_000), 400, "autopilot:1:65: more than 64 values"},
		{"GET", "/autopilot", "", 200, ""},
		{"DELETE", "/autopilot", "", 204, ""},
		{"POST", "/reset", "", 204, ""},
		{"GET", "/clock", "", 200, `{"now":"2026-03-01T09:00:00Z","frozen":true}`},
		{"GET", "/typo", "", 404, "There is no GET /typo here; GET / lists what there is."},
		{"GET", "/reset", "", 404, "There is no GET /reset here"},
	} {
		var text string
		if status := w.do(step.method, step.path, step.body, &text); status != step.status || !strings.Contains(text, step.want) {
			t.Errorf("%s %s %.300s = %d %s, want %d with %s", step.method, step.path, step.body, status, text, step.status, step.want)
		}
	}
	w.mustCreate("logged")
	var text string
	w.do("GET", "/requests?operation=CreateCase&account=123456789012&after=0&limit=5&atLeast=1&wait=5s", "", &text)
	want := `{"requests":[{"number":1,"":0,"":0,"operation":"CreateCase","account":"123456789012","principal":"arn:aws:iam::123456789012:root","input":{"communicationBody":"body","subject":"logged"},"status":200,"":0}]}`
	got := created.ReplaceAllString(strings.TrimSpace(text), `"":0`)
	if at := strings.Index(got, `"":0,"":0`); at < 0 || got != want {
		t.Errorf("GET /requests = %s, want %s", got, want)
	}
}

// Errors say all in a form that programs know.
func TestProblemsAreProblemJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.manage+"/clock", strings.NewReader("{"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	if got := answer.Header.Get("Content-Type"); got != "application/problem+json" || !strings.HasPrefix(body.String(), `{"title":"Bad Request","status":400,"detail":"`) {
		t.Errorf("POST /clock { = %s %s, want a problem", got, &body)
	}
}

// A web page that a developer looks at can send requests to the developer's
// machine, and lead a name of its own there.
func TestBrowsersAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	for _, test := range []struct {
		host, origin string
		want         int
	}{
		{"", "", 200},
		{"localhost", "", 200},
		{"localhost:9000", "", 200}, // a container publishes it so
		{"supportd.localhost:4581", "", 200},
		{"LOCALHOST", "", 200},
		{"127.0.0.1", "", 200},
		{"127.0.0.2:1", "", 200},
		{"[::1]:4581", "", 200},
		{"evil.example", "", 403},
		{"evil.example:4581", "", 403},
		{"localhost.evil.example", "", 403},
		{"127.0.0.1.evil.example", "", 403},
		{"192.0.2.1", "", 403},
		{"supportd", "", 403}, // it is on the loopback interface
		{"", "http://evil.example", 403},
		{"", "null", 403},
		{"localhost", "http://localhost", 403},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.manage+"/clock", nil)
		if err != nil {
			t.Fatal(err)
		}
		if test.host != "" {
			r.Host = test.host
		}
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		if got := w.send(r, nil); got != test.want {
			t.Errorf("GET /clock with host %q and origin %q = %d, want %d", test.host, test.origin, got, test.want)
		}
	}
	if got := len(w.requests(testmode.RequestQuery{})); got != 0 {
		t.Errorf("the log of the API has %d requests, want none", got)
	}
}

// In a network of containers a server has names that only that network knows.
func TestOutsideOfLoopbackAlsoPrivateNamesAreServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, server.Test{})
	for host, want := range map[string]int{
		"192.0.2.7:4581": 200, "supportd:4581": 200, "host.docker.internal:4581": 200, "nas.local": 200, "localhost:4581": 200,
		"evil.example:4581": 403, "internal.evil.example": 403, "": 403,
	} {
		r := httptest.NewRequest(http.MethodGet, "/clock", nil)
		r.Host = host
		at := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4581}
		answer := httptest.NewRecorder()
		w.Handler().ServeHTTP(answer, r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, at)))
		if answer.Code != want {
			t.Errorf("GET /clock with host %q = %d, want %d", host, answer.Code, want)
		}
	}
}

package testmode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/supportd/supportd/internal/fault"
	"github.com/supportd/supportd/internal/iam"
)

// help is what GET / answers.
const help = `The test mode of supportd.

POST   /reset         make the server as it was when it started
POST   /seed          add what a seed file (YAML) names; answers ids by ref, agents and users with their keys
GET    /clock         {"now": "2026-03-01T09:00:00Z", "frozen": false}
POST   /clock         {"advance": "2h"}, {"set": "2026-03-01T09:00:00Z"}, {"freeze": true} or {"run": true}
GET    /faults        the faults that are set, with how often each happened
POST   /faults        {"kind": "throttling", "operation": "CreateCase", "account": "123456789012",
                      "probability": 0.5, "count": 3}; all but the kind may be left out; the kinds are
                      throttling, internal-error, unavailable, lost-answer, cut-connection,
                      latency (with "delay": "2s"), wrong-content and truncated-body
DELETE /faults        all of them; or /faults/{id}
GET    /requests      what the API was asked: ?operation= &account= &errorCode= &after=NUMBER &limit=
                      &atLeast=2 &wait=5s waits for so many, and answers 408 when they do not come
GET    /autopilot     the script (YAML) that plays the agent; PUT and DELETE;
                      the word default stands for that of the program
PUT    /results       the result of a Trusted Advisor check: {"account": "123456789012", "check": "ID",
                      "resources": [{"status": "error", "region": "us-east-1", "metadata": {"COLUMN": "VALUE"}}]}
GET    /accounts      the accounts, with access keys for each
`

// Handler is the management API. It answers no browser: a page that a developer
// looks at must not reach what listens on the developer's machine.
func (m *Mode) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]route{
		"GET /{$}":            m.getHelp,
		"POST /reset":         m.postReset,
		"POST /seed":          m.postSeed,
		"GET /clock":          m.getClock,
		"POST /clock":         m.postClock,
		"GET /faults":         m.getFaults,
		"POST /faults":        m.postFault,
		"DELETE /faults":      m.deleteFaults,
		"DELETE /faults/{id}": m.deleteFault,
		"GET /requests":       m.getRequests,
		"GET /autopilot":      m.getAutopilot,
		"PUT /autopilot":      m.putAutopilot,
		"DELETE /autopilot":   m.deleteAutopilot,
		"PUT /results":        m.putResult,
		"GET /accounts":       m.getAccounts,
		"/":                   noRoute,
	} {
		mux.Handle(pattern, handle)
	}
	return noBrowsers(mux)
}

// route answers a request, or returns why it cannot.
type route func(w http.ResponseWriter, r *http.Request) error

// largestBody is that of a seed file with attachments.
const largestBody = 64 << 20

// ServeHTTP answers errors as application/problem+json (RFC 9457).
func (f route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, largestBody)
	if err := f(w, r); err != nil {
		writeProblem(w, err)
	}
}

// Faults of the management API.
var (
	errNoRoute  = fault.New(fault.NotFound, "no_route", "no such route")
	errNoFault  = fault.New(fault.NotFound, "no_fault", "no such fault")
	errTooFew   = fault.New(fault.Expired, "too_few", "too few requests came")
	errTooLarge = fault.New(fault.Limited, "too_large", "the body is too large")
)

type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// writeProblem tells all: whoever runs tests may know what went wrong.
func writeProblem(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if f, ok := errors.AsType[*fault.Error](err); ok {
		status = problemStatus(f.Kind)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem{Title: http.StatusText(status), Status: status, Detail: err.Error()}) // a client that went away has no use for an error
}

func problemStatus(kind fault.Kind) int {
	switch kind {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Expired:
		return http.StatusRequestTimeout
	case fault.Conflict:
		return http.StatusConflict
	case fault.Denied:
		return http.StatusForbidden
	case fault.Limited:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusInternalServerError
}

func writeJSON(w http.ResponseWriter, status int, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a client that went away has no use for an error
	return nil
}

func done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func readBody(r *http.Request) ([]byte, error) {
	text, err := io.ReadAll(r.Body)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, ErrInvalid.With("The body cannot be read: %v", err)
	}
	return text, nil
}

// readJSON reads one document without unknown members.
func readJSON(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, next := decoder.Token(); !errors.Is(next, io.EOF) {
			err = errors.New("something follows the document")
		}
	}
	if err != nil {
		return ErrInvalid.With("The body is not the JSON that is wanted here: %v", err)
	}
	return nil
}

// duration is written as 1h30m.
type duration time.Duration

// MarshalText writes the duration.
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a time span, with days as in seeds. One before which a minus
// stands is read, too, for those who say what they want instead.
func (d *duration) UnmarshalText(text []byte) error {
	rest, negative := strings.CutPrefix(string(text), "-")
	read, err := parseAnySpan(rest)
	if *d = duration(read); negative {
		*d = -*d
	}
	return err
}

func noRoute(_ http.ResponseWriter, r *http.Request) error {
	return errNoRoute.With("There is no %s %s here; GET / lists what there is.", r.Method, r.URL.Path)
}

func (m *Mode) getHelp(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, help) // a client that went away has no use for an error
	return nil
}

func (m *Mode) postReset(w http.ResponseWriter, r *http.Request) error {
	return done(w, m.Reset(r.Context()))
}

func (m *Mode) postSeed(w http.ResponseWriter, r *http.Request) error {
	text, err := readBody(r)
	if err != nil {
		return err
	}
	seeded, err := m.Seed(r.Context(), text)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, seeded)
}

type clockDocument struct {
	Now    time.Time `json:"now"`
	Frozen bool      `json:"frozen"`
}

func (m *Mode) getClock(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, clockDocument{Now: m.Now().UTC(), Frozen: m.config.Clock.Frozen()})
}

type clockChange struct {
	Advance *duration  `json:"advance"`
	Set     *time.Time `json:"set"`
	Freeze  bool       `json:"freeze"`
	Run     bool       `json:"run"`
}

func (m *Mode) postClock(w http.ResponseWriter, r *http.Request) error {
	var change clockChange
	if err := readJSON(r, &change); err != nil {
		return err
	}
	if err := m.changeClock(r.Context(), change); err != nil {
		return err
	}
	return m.getClock(w, r)
}

// changeClock freezes first and runs last, so that one request can set a clock
// and stop it there. A change that is refused does nothing.
func (m *Mode) changeClock(ctx context.Context, c clockChange) error {
	switch {
	case c == (clockChange{}):
		return ErrInvalid.With(`Say what to do: {"advance": "2h"}, {"set": "2026-03-01T09:00:00Z"}, {"freeze": true} or {"run": true}.`)
	case c.Advance != nil && c.Set != nil:
		return ErrInvalid.With("A clock is advanced or set, not both at once.")
	case c.Freeze && c.Run:
		return ErrInvalid.With("A clock stands still or runs, not both.")
	}
	m.moving.Lock()
	defer m.moving.Unlock()
	if err := m.checkMove(c); err != nil {
		return err
	}
	if c.Freeze {
		m.config.Clock.Freeze()
	}
	if err := m.move(ctx, c); err != nil {
		return err
	}
	if c.Run {
		m.config.Clock.Run()
	}
	m.autopilot.wake()
	return nil
}

func (m *Mode) checkMove(c clockChange) error {
	switch {
	case c.Set != nil:
		return CheckTime(*c.Set)
	case c.Advance != nil:
		return m.checkAdvance(time.Duration(*c.Advance))
	}
	return nil
}

func (m *Mode) move(ctx context.Context, c clockChange) error {
	switch {
	case c.Set != nil:
		m.config.Clock.Set(*c.Set)
	case c.Advance != nil:
		return m.advance(ctx, time.Duration(*c.Advance))
	}
	return nil
}

type faultDocument struct {
	ID          string    `json:"id"`
	Kind        FaultKind `json:"kind"`
	Operation   string    `json:"operation,omitempty"`
	Account     string    `json:"account,omitempty"`
	Probability float64   `json:"probability,omitempty"`
	Count       int       `json:"count,omitempty"`
	Delay       duration  `json:"delay,omitzero"`
	Happened    int       `json:"happened"`
}

func newFaultDocument(f Fault) faultDocument {
	return faultDocument{f.ID, f.Kind, f.Operation, f.Account, f.Probability, f.Count, duration(f.Delay), f.Happened}
}

func (m *Mode) getFaults(w http.ResponseWriter, _ *http.Request) error {
	all := []faultDocument{}
	for _, f := range m.Faults() {
		all = append(all, newFaultDocument(f))
	}
	return writeJSON(w, http.StatusOK, map[string]any{"faults": all})
}

func (m *Mode) postFault(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Kind        FaultKind `json:"kind"`
		Operation   string    `json:"operation"`
		Account     string    `json:"account"`
		Probability *float64  `json:"probability"`
		Count       int       `json:"count"`
		Delay       duration  `json:"delay"`
	}
	if err := readJSON(r, &in); err != nil {
		return err
	}
	f := Fault{Kind: in.Kind, Operation: in.Operation, Account: in.Account, Count: in.Count, Delay: time.Duration(in.Delay)}
	if in.Probability != nil {
		if f.Probability = *in.Probability; f.Probability == 0 { // here it is not the default
			return ErrInvalid.With("A fault of probability 0 never happens.")
		}
	}
	id, err := m.Fail(f)
	if err != nil {
		return err
	}
	f.ID = id
	return writeJSON(w, http.StatusCreated, newFaultDocument(f))
}

func (m *Mode) deleteFaults(w http.ResponseWriter, _ *http.Request) error {
	m.Clear("")
	return done(w, nil)
}

func (m *Mode) deleteFault(w http.ResponseWriter, r *http.Request) error {
	if id := r.PathValue("id"); !m.Clear(id) {
		return errNoFault.With("There is no fault %q.", id)
	}
	return done(w, nil)
}

type requestDocument struct {
	Number     int64           `json:"number"`
	At         time.Time       `json:"at"`
	ID         string          `json:"id"`
	Operation  string          `json:"operation"`
	Account    string          `json:"account,omitempty"`
	Principal  string          `json:"principal,omitempty"`
	Input      json.RawMessage `json:"input"`
	Status     int             `json:"status"`
	ErrorCode  string          `json:"errorCode,omitempty"`
	Fault      FaultKind       `json:"fault,omitempty"`
	DurationMS float64         `json:"durationMs"`
}

func newRequestDocument(r Request) requestDocument {
	return requestDocument{
		r.Number, r.At.UTC(), r.ID, r.Operation, r.Account, r.Principal, r.Input, r.Status, r.ErrorCode, r.Fault,
		float64(r.Duration.Microseconds()) / 1000,
	}
}

// longestWait is shorter than clients and proxies wait for an answer.
const longestWait = time.Minute

func (m *Mode) getRequests(w http.ResponseWriter, r *http.Request) error {
	q, wait, err := requestQuery(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	found, err := m.Requests(ctx, q)
	if err != nil {
		return errTooFew.With("Of %d requests %d came within %v.", q.AtLeast, len(found), wait)
	}
	documents := []requestDocument{}
	for _, one := range found {
		documents = append(documents, newRequestDocument(one))
	}
	return writeJSON(w, http.StatusOK, map[string]any{"requests": documents})
}

// requestQuery reads what is asked for. Who wants some requests and does not say
// for how long waits five seconds.
func requestQuery(r *http.Request) (q RequestQuery, wait time.Duration, err error) {
	wait = 5 * time.Second
	for name, values := range r.URL.Query() {
		value := values[0]
		switch name {
		case "operation":
			q.Operation = value
		case "account":
			q.Account = value
		case "errorCode":
			q.ErrorCode = value
		case "after":
			q.After, err = strconv.ParseInt(value, 10, 64)
		case "atLeast":
			q.AtLeast, err = strconv.Atoi(value)
		case "limit":
			q.Limit, err = strconv.Atoi(value)
		case "wait":
			err = (*duration)(&wait).UnmarshalText([]byte(value))
		default:
			err = errors.New("there is no such parameter")
		}
		if err != nil {
			return q, 0, ErrInvalid.With("%s=%s: %v", name, value, err)
		}
	}
	if q.After < 0 || q.AtLeast < 0 || q.Limit < 0 {
		return q, 0, ErrInvalid.With("after, atLeast and limit are numbers from 0 on.")
	}
	if q.AtLeast > keptRequests {
		return q, 0, ErrInvalid.With("atLeast=%d: only %d requests are kept", q.AtLeast, keptRequests)
	}
	if wait < 0 || wait > longestWait {
		return q, 0, ErrInvalid.With("wait=%v: want at most %v", wait, longestWait)
	}
	return q, wait, nil
}

func (m *Mode) getAutopilot(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(m.Autopilot()) // a client that went away has no use for an error
	return nil
}

func (m *Mode) putAutopilot(w http.ResponseWriter, r *http.Request) error {
	text, err := readBody(r)
	if err != nil {
		return err
	}
	return done(w, m.SetAutopilot(text))
}

func (m *Mode) deleteAutopilot(w http.ResponseWriter, _ *http.Request) error {
	return done(w, m.SetAutopilot(nil))
}

func (m *Mode) putResult(w http.ResponseWriter, r *http.Request) error {
	var result Result
	if err := readJSON(r, &result); err != nil {
		return err
	}
	return done(w, m.SetResult(r.Context(), result))
}

// Account is an account of the server with keys that let its root in.
type Account struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Plan  string `json:"plan"`
	Keys  []Key  `json:"keys"` // none when the account is closed
}

// Key is an access key.
type Key struct {
	ID     string `json:"accessKeyId"`
	Secret string `json:"secretAccessKey"`
}

// Accounts returns all accounts.
func (m *Mode) Accounts(ctx context.Context) ([]Account, error) {
	kept, err := m.config.IAM.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	all := []Account{}
	for _, a := range kept {
		one := Account{ID: a.ID, Name: a.Name, Email: a.Email, Plan: a.Plan, Keys: []Key{}}
		if a.State == iam.AccountActive && a.ID == m.config.IAM.TestAccount {
			one.Keys = append(one.Keys, Key{ID: iam.TestKey, Secret: iam.TestKey})
		}
		if a.State == iam.AccountActive {
			one.Keys = append(one.Keys, Key{ID: a.ID, Secret: iam.TestKey})
		}
		all = append(all, one)
	}
	return all, nil
}

func (m *Mode) getAccounts(w http.ResponseWriter, r *http.Request) error {
	all, err := m.Accounts(r.Context())
	if err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	return writeJSON(w, http.StatusOK, map[string]any{"accounts": all})
}

package conformance_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// The size of the crash test. SUPPORTD_CRASH_SEED repeats a run's choices,
// though not the moments at which the machine came to them.
const (
	crashKills    = 55
	crashClients  = 8
	crashMaxUp    = 220 * time.Millisecond // life of a process before its kill
	crashMaxSteps = 2000                   // of one client
	crashBound    = 3 * time.Minute        // of the whole test; it takes a fraction of it
)

// TestAcknowledgedWritesSurviveKills kills the program again and again while
// clients write as SDKs do, and then looks at everything through the API: what
// was acknowledged is there exactly once and whole, what was not is there at
// most once and whole.
func TestAcknowledgedWritesSurviveKills(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("SUPPORTD_CRASH_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("SUPPORTD_CRASH_SEED: %v", err)
		}
	}
	t.Logf("seed: SUPPORTD_CRASH_SEED=%d", seed)
	ctx, cancel := context.WithTimeout(t.Context(), crashBound)
	defer cancel()

	h := newCrashHost(t)
	h.mustStart(t)
	h.who = mustRootKey(t, h.data, firstAccount)
	clients := make([]*crashClient, crashClients)
	var running sync.WaitGroup
	for i := range clients {
		clients[i] = newCrashClient(h, i, seed)
		running.Go(func() { clients[i].run(ctx) })
	}
	h.killAndRestart(t, rand.New(rand.NewPCG(seed, 0)))
	running.Wait()

	l := &crashLedger{created: map[string]*crashCase{}}
	steps, repeats := 0, 0
	for _, c := range clients {
		if c.err != nil {
			t.Errorf("client %d: %v", c.number, c.err)
		}
		steps, repeats = steps+c.steps, repeats+c.repeats
		l.add(c.cases)
	}
	t.Logf("%d kills, %d steps, %d repeated requests, %d cases asked for", crashKills, steps, repeats, len(l.created))
	l.check(ctx, t, h)
	if t.Failed() {
		t.Logf("the end of the log: %.4000s", h.log.String()[max(0, len(h.log.String())-4000):])
	}
	if err := h.process.stop(); err != nil {
		t.Errorf("the last process ended with %v, want nil", err)
	}
}

// crashHost runs the program on one data folder and one port, one process
// after the other.
type crashHost struct {
	data, url, listen string
	who               credentials
	program           string
	process           *process
	log               *lockedBuffer

	mu         sync.Mutex
	generation int           // of the running process
	replaced   chan struct{} // closed when the next generation answers
	ended      chan struct{} // closed when no further kill comes
}

func newCrashHost(t *testing.T) *crashHost {
	t.Helper()
	return &crashHost{
		data: filepath.Join(t.TempDir(), "data"), listen: "127.0.0.1:0", program: mustProgram(t),
		log: &lockedBuffer{}, replaced: make(chan struct{}), ended: make(chan struct{}),
	}
}

// mustStart starts the next process and waits until it answers. The port may
// be held for a moment by a client's connection, so it tries a few times.
func (h *crashHost) mustStart(t *testing.T) {
	t.Helper()
	var err error
	for range 20 {
		if err = h.start(t); err == nil {
			return
		}
		h.process.kill()
	}
	t.Fatalf("the program did not start again: %v\n%s", err, h.log.String())
}

func (h *crashHost) start(t *testing.T) error {
	stdout, err := h.launch(t)
	if err != nil {
		return err
	}
	first, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("first line %q: %w", first, err)
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }() // ends with the process
	address, ok := strings.CutPrefix(strings.TrimSpace(first), "export AWS_ENDPOINT_URL_SUPPORT=")
	if !ok {
		return fmt.Errorf("first line %q is not the address", first)
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.url == "" {
		h.url, h.listen = address, u.Host
	}
	h.generation++
	close(h.replaced)
	h.replaced = make(chan struct{})
	return nil
}

func (h *crashHost) launch(t *testing.T) (io.Reader, error) {
	command := exec.Command(h.program, "serve", "--data", h.data, "--listen", h.listen, "--limits", "off", "--log-level", "warn")
	command.Stderr = h.log
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	command.Stdout = w
	err = errors.Join(command.Start(), w.Close())
	h.process = &process{command: command, log: h.log}
	t.Cleanup(func() { h.process.kill(); r.Close() })
	return r, err
}

// killAndRestart kills the process at random moments, now and then also while
// it starts, and leaves the last one running.
func (h *crashHost) killAndRestart(t *testing.T, random *rand.Rand) {
	t.Helper()
	defer close(h.ended)
	for i := range crashKills {
		<-time.After(time.Duration(random.Int64N(int64(crashMaxUp)))) // the moment is what the test is about
		h.process.kill()
		if i%8 == 7 {
			if _, err := h.launch(t); err != nil {
				t.Fatalf("launch: %v", err)
			}
			<-time.After(time.Duration(random.Int64N(int64(60 * time.Millisecond))))
			h.process.kill()
		}
		h.mustStart(t)
	}
}

// running returns the generation that answers, and what closes when the next
// one does.
func (h *crashHost) running() (generation int, replaced <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.generation, h.replaced
}

// next waits until a later generation than the one given answers.
func (h *crashHost) next(ctx context.Context, than int) error {
	generation, replaced := h.running()
	if generation > than {
		return nil
	}
	select {
	case <-replaced:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no process came after number %d: %w", than, ctx.Err())
	}
}

// What is known of a request when its client is done with it.
type crashOutcome int

const (
	acknowledged crashOutcome = iota
	inDoubt                   // given up: it happened once or not at all
)

// crashFile is a file that was attached.
type crashFile struct {
	name string
	data []byte
}

// crashCase is a case that a client asked for, with what it asked for later.
type crashCase struct {
	id             string // empty while in doubt
	communications []crashCommunication
	statuses       []string // which it may have now
}

// crashCommunication is a communication by its body, which is unique. The
// first one of a case is also the case's subject.
type crashCommunication struct {
	body    string
	outcome crashOutcome
	files   []crashFile
}

// crashClient does one step after the other, like a program with an AWS SDK:
// each request is repeated with the same invocation id and body until its
// answer arrives.
type crashClient struct {
	host    *crashHost
	number  int
	random  *rand.Rand
	cases   []*crashCase
	steps   int
	repeats int
	err     error
}

func newCrashClient(h *crashHost, number int, seed uint64) *crashClient {
	return &crashClient{host: h, number: number, random: rand.New(rand.NewPCG(seed, uint64(number)+1))}
}

func (c *crashClient) run(ctx context.Context) {
	for c.steps < crashMaxSteps && c.err == nil {
		select {
		case <-c.host.ended:
			return
		case <-ctx.Done():
			c.err = ctx.Err()
			return
		default:
		}
		c.steps++
		c.err = c.step(ctx)
	}
}

func (c *crashClient) step(ctx context.Context) error {
	known := slices.DeleteFunc(slices.Clone(c.cases), func(k *crashCase) bool { return k.id == "" })
	choice := c.random.IntN(10)
	if len(known) == 0 || choice < 2 {
		return c.create(ctx, choice == 0)
	}
	k := known[c.random.IntN(len(known))]
	if choice < 4 {
		return c.resolve(ctx, k)
	}
	return c.communicate(ctx, k, choice < 7)
}

func (c *crashClient) create(ctx context.Context, attach bool) error {
	first, set, err := c.communication(ctx, attach)
	if err != nil {
		return err
	}
	k := &crashCase{statuses: []string{"unassigned"}}
	var out struct {
		CaseID string `json:"caseId"`
	}
	first.outcome, err = c.ask(ctx, "CreateCase", map[string]any{
		"subject": first.body, "communicationBody": first.body, "attachmentSetId": set,
	}, &out)
	if first.outcome == acknowledged {
		k.id = out.CaseID
	}
	k.communications = append(k.communications, first)
	c.cases = append(c.cases, k)
	return err
}

func (c *crashClient) communicate(ctx context.Context, k *crashCase, attach bool) error {
	added, set, err := c.communication(ctx, attach)
	if err != nil {
		return err
	}
	var out struct {
		Result bool `json:"result"`
	}
	added.outcome, err = c.ask(ctx, "AddCommunicationToCase", map[string]any{
		"caseId": k.id, "communicationBody": added.body, "attachmentSetId": set,
	}, &out)
	k.communications = append(k.communications, added)
	k.move(added.outcome, func(status string) string {
		if status == "resolved" {
			return "reopened"
		}
		return status
	})
	return err
}

func (c *crashClient) resolve(ctx context.Context, k *crashCase) error {
	var out struct {
		Initial string `json:"initialCaseStatus"`
		Final   string `json:"finalCaseStatus"`
	}
	outcome, err := c.ask(ctx, "ResolveCase", map[string]any{"caseId": k.id}, &out)
	if err != nil {
		return err
	}
	if outcome == acknowledged && (out.Final != "resolved" || !slices.Contains(k.statuses, out.Initial)) {
		return fmt.Errorf("ResolveCase(%s) = %+v, want from %q to resolved", k.id, out, k.statuses)
	}
	k.move(outcome, func(string) string { return "resolved" })
	return nil
}

// move notes which statuses the case may have after an event.
func (k *crashCase) move(outcome crashOutcome, to func(string) string) {
	var moved []string
	for _, status := range k.statuses {
		moved = append(moved, to(status))
	}
	if outcome == inDoubt {
		moved = append(moved, k.statuses...)
	}
	slices.Sort(moved)
	k.statuses = slices.Compact(moved)
}

// communication makes a unique body and, if told to, a set of files for it.
func (c *crashClient) communication(ctx context.Context, attach bool) (made crashCommunication, set string, err error) {
	made.body = fmt.Sprintf("client %d step %d", c.number, c.steps)
	if !attach {
		return made, "", nil
	}
	for range 1 + c.random.IntN(2) { // the second call extends the set
		files := []crashFile{c.file(len(made.files) + 1)}
		if c.random.IntN(2) == 0 && len(made.files) == 0 {
			files = append(files, c.file(2))
		}
		outcome, added, err := c.addFiles(ctx, set, files)
		if err != nil || outcome == inDoubt {
			made.files = nil // a set in doubt is left alone
			return made, "", err
		}
		set, made.files = added, append(made.files, files...)
	}
	return made, set, nil
}

func (c *crashClient) file(number int) crashFile {
	data := make([]byte, 1+c.random.IntN(24<<10))
	for i := range data {
		data[i] = byte(c.random.Uint32())
	}
	return crashFile{name: fmt.Sprintf("c%d-s%d-%d.bin", c.number, c.steps, number), data: data}
}

func (c *crashClient) addFiles(ctx context.Context, set string, files []crashFile) (crashOutcome, string, error) {
	var attachments []map[string]any
	for _, f := range files {
		attachments = append(attachments, map[string]any{"fileName": f.name, "data": f.data})
	}
	var out struct {
		ID string `json:"attachmentSetId"`
	}
	outcome, err := c.ask(ctx, "AddAttachmentsToSet", map[string]any{"attachmentSetId": set, "attachments": attachments}, &out)
	if err == nil && outcome == acknowledged && (out.ID == "" || set != "" && out.ID != set) {
		err = fmt.Errorf("AddAttachmentsToSet(%q) = set %q", set, out.ID)
	}
	return outcome, out.ID, err
}

// ask repeats a request until its answer arrives, across restarts. Now and then
// it loses an answer, so the request is repeated although it succeeded; now and
// then it repeats one whose answer it has, and both must be the same; and now
// and then it gives up.
func (c *crashClient) ask(ctx context.Context, operation string, in map[string]any, out any) (crashOutcome, error) {
	if in["attachmentSetId"] == "" {
		delete(in, "attachmentSetId")
	}
	body, err := json.Marshal(in)
	if err != nil {
		return inDoubt, err
	}
	invocation := uuid.NewString()
	var first []byte
	for attempt := range 200 {
		generation, _ := c.host.running()
		got, err := c.try(ctx, operation, invocation, body)
		switch {
		case err != nil && first == nil && attempt > 0 && c.random.IntN(4) == 0:
			return inDoubt, nil
		case err != nil:
			c.repeats++
			if err := c.host.next(ctx, generation); err != nil {
				return inDoubt, fmt.Errorf("%s: %w", operation, err)
			}
			continue
		case got.status != 200:
			return inDoubt, fmt.Errorf("%s attempt %d = %d %s, want 200", operation, attempt, got.status, got.body)
		case first != nil && !bytes.Equal(first, got.body):
			return inDoubt, fmt.Errorf("%s again = %s, want the first answer %s", operation, got.body, first)
		}
		if first != nil || c.random.IntN(6) > 0 {
			return acknowledged, json.Unmarshal(got.body, out)
		}
		c.repeats++
		if c.random.IntN(2) == 0 {
			first = got.body
		} // or else the answer was lost on the way
	}
	return inDoubt, fmt.Errorf("%s: no answer", operation)
}

func (c *crashClient) try(ctx context.Context, operation, invocation string, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return call(ctx, c.host.url, c.host.who, operation, invocation, body)
}

// crashLedger is what all clients asked for, by subject.
type crashLedger struct {
	created map[string]*crashCase
}

func (l *crashLedger) add(cases []*crashCase) {
	for _, k := range cases {
		l.created[k.communications[0].body] = k
	}
}

// The API's answers, as far as the test looks at them.
type (
	crashSeenCase struct {
		CaseID, Status, Subject string
		RecentCommunications    struct {
			Communications []crashSeenCommunication
			NextToken      string
		}
	}
	crashSeenCommunication struct {
		CaseID, Body  string
		AttachmentSet []struct{ AttachmentID, FileName string }
	}
)

// check compares everything that the API shows with what was asked for.
func (l *crashLedger) check(ctx context.Context, t *testing.T, h *crashHost) {
	t.Helper()
	seen := map[string]bool{}
	cases := 0
	for found := range crashPages[crashSeenCase](ctx, t, h, "DescribeCases", "cases", map[string]any{"includeResolvedCases": true, "maxResults": 40}) {
		cases++
		k, ok := l.created[found.Subject]
		switch {
		case !ok:
			t.Errorf("case %s has subject %q, which nobody sent", found.CaseID, found.Subject)
			continue
		case seen[found.Subject]:
			t.Errorf("case %q is there twice", found.Subject)
			continue
		case k.id != "" && k.id != found.CaseID:
			t.Errorf("case %q has id %s, want the acknowledged %s", found.Subject, found.CaseID, k.id)
		}
		seen[found.Subject] = true
		k.check(ctx, t, h, found)
	}
	for subject, k := range l.created {
		if k.communications[0].outcome == acknowledged && !seen[subject] {
			t.Errorf("case %q was acknowledged as %s and is not there", subject, k.id)
		}
	}
	t.Logf("%d cases found", cases)
}

func (k *crashCase) check(ctx context.Context, t *testing.T, h *crashHost, found crashSeenCase) {
	t.Helper()
	if !slices.Contains(k.statuses, found.Status) {
		t.Errorf("case %s is %s, want one of %q", found.CaseID, found.Status, k.statuses)
	}
	var all []crashSeenCommunication
	for one := range crashPages[crashSeenCommunication](ctx, t, h, "DescribeCommunications", "communications", map[string]any{"caseId": found.CaseID, "maxResults": 10}) {
		all = append(all, one)
	}
	k.checkRecent(t, found, all)
	slices.Reverse(all) // oldest first, as they were asked for
	for _, asked := range k.communications {
		if len(all) > 0 && all[0].Body == asked.body {
			asked.check(ctx, t, h, all[0])
			all = all[1:]
			continue
		}
		if asked.outcome == acknowledged {
			t.Errorf("case %s: communication %q was acknowledged; it is not in its place before %+v", found.CaseID, asked.body, all)
		}
	}
	if len(all) > 0 {
		t.Errorf("case %s has communications that nobody sent, twice or out of order: %+v", found.CaseID, all)
	}
}

// checkRecent compares the communications that come with a case with the list
// of all: the newest five, and a token when and only when there are more. The
// token depends on their numbers, so a gap in the numbers shows here.
func (k *crashCase) checkRecent(t *testing.T, found crashSeenCase, all []crashSeenCommunication) {
	t.Helper()
	recent := found.RecentCommunications
	want := all[:min(5, len(all))]
	if len(recent.Communications) != len(want) {
		t.Errorf("case %s comes with %d communications of %d, want %d", found.CaseID, len(recent.Communications), len(all), len(want))
		return
	}
	for i, one := range recent.Communications {
		if one.Body != want[i].Body || len(one.AttachmentSet) != len(want[i].AttachmentSet) {
			t.Errorf("case %s: recent communication %d is %+v, want %+v", found.CaseID, i, one, want[i])
		}
	}
	if more := len(all) > 5; more != (recent.NextToken != "") {
		t.Errorf("case %s has %d communications and a token for more: %v", found.CaseID, len(all), !more)
	}
}

func (asked crashCommunication) check(ctx context.Context, t *testing.T, h *crashHost, found crashSeenCommunication) {
	t.Helper()
	if len(found.AttachmentSet) != len(asked.files) {
		t.Errorf("communication %q has %d attachments, want %d", asked.body, len(found.AttachmentSet), len(asked.files))
		return
	}
	for i, want := range asked.files {
		var out struct {
			Attachment struct {
				FileName string
				Data     []byte
			}
		}
		mustAskCrash(ctx, t, h, "DescribeAttachment", map[string]any{"attachmentId": found.AttachmentSet[i].AttachmentID}, &out)
		got := out.Attachment
		if got.FileName != want.name || found.AttachmentSet[i].FileName != want.name || !bytes.Equal(got.Data, want.data) {
			t.Errorf("communication %q: attachment %d is %q with %d bytes, want %q with the %d bytes that were sent",
				asked.body, i, got.FileName, len(got.Data), want.name, len(want.data))
		}
	}
}

// crashPages yields the elements of all pages of a list.
func crashPages[T any](ctx context.Context, t *testing.T, h *crashHost, operation, list string, in map[string]any) func(func(T) bool) {
	t.Helper()
	return func(yield func(T) bool) {
		for range 10_000 {
			var page map[string]json.RawMessage
			mustAskCrash(ctx, t, h, operation, in, &page)
			var found []T
			if err := json.Unmarshal(page[list], &found); err != nil {
				t.Fatalf("%s: %s: %v", operation, list, err)
			}
			for _, one := range found {
				if !yield(one) {
					return
				}
			}
			if page["nextToken"] == nil {
				return
			}
			in["nextToken"] = page["nextToken"]
		}
		t.Fatalf("%s: the pages have no end", operation)
	}
}

func mustAskCrash(ctx context.Context, t *testing.T, h *crashHost, operation string, in map[string]any, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := call(ctx, h.url, h.who, operation, "", body)
	if err != nil || got.status != 200 {
		t.Fatalf("%s(%s) = %d %s, %v, want 200", operation, body, got.status, got.body, err)
	}
	if err := json.Unmarshal(got.body, out); err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
}

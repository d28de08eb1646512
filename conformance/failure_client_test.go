package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"
)

const (
	// operationBound is how long a client tries one operation.
	operationBound = time.Minute
	// attemptBound is how long the server may take for one request: what
	// supportapi gives the store and one transaction that has begun then, and
	// some more for a loaded machine.
	attemptBound = 30*time.Second + 15*time.Second + 10*time.Second
)

// record is what all clients and watchers of a run found.
type record struct {
	mu       sync.Mutex
	failures []string
	answered []time.Duration // attempts that the server ended
	cut      int             // attempts that the client or the balancer gave up
	lost     int             // answers that did not arrive
	repeated int             // requests that were sent again although they were answered
	refused  map[int]int     // attempts by status other than 200
}

const maxFailures = 20

func (r *record) fail(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.failures) < maxFailures {
		r.failures = append(r.failures, fmt.Sprintf(format, args...))
	}
}

func (r *record) failed() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.failures)
}

func (r *record) count(n *int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}

func (r *record) note(took time.Duration, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered = append(r.answered, took)
	if status == http.StatusOK {
		return
	}
	if r.refused == nil {
		r.refused = map[int]int{}
	}
	r.refused[status]++ // 0 is a connection that broke
}

// balancer is between an SDK's client and the nodes: it sends each attempt to
// one of them, mostly one that says that it is ready, and it loses answers,
// repeats requests and hangs up, as networks and load balancers do. It is for
// one operation at a time.
type balancer struct {
	nodes   []*node
	record  *record
	random  *rand.Rand
	patient bool // waits for every answer, to find out how long it takes
	direct  *http.Client

	asked exchange // the attempt that was last answered
}

// exchange is a request with the answer that its client has seen.
type exchange struct {
	operation, invocation string
	body, answer          []byte
}

var (
	errLost    = errors.New("the answer was lost")
	errNoNode  = errors.New("no node is there")
	errTooLong = errors.New("the balancer waits no longer")
)

// Do makes one attempt.
func (b *balancer) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	got, err := b.attempt(r, body)
	if err != nil {
		return nil, err
	}
	if got.status == http.StatusOK {
		switch b.random.IntN(20) {
		case 0:
			b.record.count(&b.record.lost)
			return nil, errLost
		case 1:
			b.repeat(r, body, got)
		}
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	b.asked = exchange{operation, r.Header.Get("Amz-Sdk-Invocation-Id"), body, got.body}
	return &http.Response{
		StatusCode: got.status, Header: got.header, Request: r,
		Body: io.NopCloser(bytes.NewReader(got.body)), ContentLength: int64(len(got.body)),
	}, nil
}

// repeat sends a request again, likely to another node: its answer is the first
// one, if it is one that changes something.
func (b *balancer) repeat(r *http.Request, body []byte, first answer) {
	b.record.count(&b.record.repeated)
	again, err := b.attempt(r, body)
	switch target := r.Header.Get("X-Amz-Target"); {
	case err != nil || again.status >= 500:
	case again.status != http.StatusOK:
		b.record.fail("%s again = %d %s, want the first answer %s", target, again.status, again.body, first.body)
	case !strings.Contains(target, ".Describe") && !bytes.Equal(first.body, again.body):
		b.record.fail("%s again = %s, want the first answer %s", target, again.body, first.body)
	}
}

func (b *balancer) attempt(r *http.Request, body []byte) (answer, error) {
	n := b.choose()
	if n == nil {
		return answer{}, errNoNode
	}
	to, err := url.Parse(n.url)
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), b.patience())
	defer cancel()
	sent := r.Clone(ctx)
	sent.URL.Host, sent.Body = to.Host, io.NopCloser(bytes.NewReader(body))
	sent.Host = r.URL.Host // which is signed
	began := time.Now()
	got, err := sendWith(b.direct, sent)
	took := time.Since(began)
	if took > attemptBound {
		b.record.fail("%s took %s and ended with %d, %v, want an end in %s", r.Header.Get("X-Amz-Target"), took, got.status, err, attemptBound)
	}
	if err != nil && ctx.Err() != nil {
		b.record.count(&b.record.cut)
		return answer{}, errTooLong // the SDK looks for its own end by itself
	}
	b.record.note(took, got.status)
	return got, err
}

// choose returns a process: of those that say that they are ready or, now and
// then, of all.
func (b *balancer) choose() *life {
	var all, ready []*life
	for _, n := range b.nodes {
		l := n.running()
		if l == nil {
			continue
		}
		all = append(all, l)
		if n.isReady() {
			ready = append(ready, l)
		}
	}
	if len(ready) > 0 && b.random.IntN(20) > 0 {
		all = ready
	}
	if len(all) == 0 {
		return nil
	}
	return all[b.random.IntN(len(all))]
}

// patience is how long the balancer waits for an answer.
func (b *balancer) patience() time.Duration {
	switch {
	case b.random.IntN(25) == 0: // hangs up in the middle
		return time.Duration(b.random.Int64N(int64(40 * time.Millisecond)))
	case b.patient:
		return operationBound
	}
	return 3*time.Second + time.Duration(b.random.Int64N(int64(9*time.Second)))
}

// customer does one operation after the other on cases of its own, with the
// AWS SDK and its retries.
type customer struct {
	name    string
	who     accountKey
	api     *support.Client
	net     *balancer
	record  *record
	random  *rand.Rand
	calls   int
	cases   []*askedCase
	kept    []exchange // some of its acknowledged writes
	refused int        // for the limit of new cases
	doubts  int        // calls that were given up
	late    int        // of these, after operationBound
}

// accountKey is an account with a key of it.
type accountKey struct {
	account string
	credentials
}

func newCustomer(name string, who accountKey, nodes []*node, r *record, seed uint64, number int) *customer {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	b := &balancer{nodes: nodes, record: r, random: random, patient: number%4 == 0, direct: &http.Client{Transport: newTransport()}}
	return &customer{name: name, who: who, api: newClient(who, "http://support.test", b, untilTheEnd), net: b, record: r, random: random}
}

// untilTheEnd is how often a client tries that ends with its context.
const untilTheEnd = 1_000_000

func newTransport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: 10 * time.Second}
}

// newClient returns a client of the SDK that makes so many attempts at what may
// be repeated.
func newClient(who accountKey, endpoint string, through support.HTTPClient, attempts int) *support.Client {
	return support.New(support.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: through,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: who.id, SecretAccessKey: who.secret}, nil
		}),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = attempts
			o.MaxBackoff = 150 * time.Millisecond
			o.RateLimiter = ratelimit.None
		}),
	})
}

// run works until done is closed or something is wrong.
func (c *customer) run(ctx context.Context, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			c.record.fail("%s: %v", c.name, ctx.Err())
			return
		default:
		}
		if err := c.step(ctx); err != nil {
			c.record.fail("%s, call %d: %v", c.name, c.calls, err)
			return
		}
	}
}

func (c *customer) step(ctx context.Context) error {
	known := slices.DeleteFunc(slices.Clone(c.cases), func(k *askedCase) bool { return k.id == "" || k.left })
	choice := c.random.IntN(20)
	if len(known) == 0 || choice < 4 {
		return c.create(ctx, choice == 0)
	}
	k := known[c.random.IntN(len(known))]
	switch {
	case choice < 7:
		return c.resolve(ctx, k)
	case choice < 11:
		return c.read(ctx, k)
	}
	return c.communicate(ctx, k, choice < 13)
}

// ask makes one call and returns what is known of it afterwards. Now and then
// the client gives up early. What the SDK does not repeat is an error.
func (c *customer) ask(ctx context.Context, call func(context.Context) error) (outcome, error) {
	c.calls++
	bound := operationBound
	if c.random.IntN(40) == 0 {
		bound = time.Duration(c.random.Int64N(int64(200 * time.Millisecond)))
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	err := call(ctx)
	switch {
	case err == nil:
		if c.random.IntN(8) == 0 && !strings.HasPrefix(c.net.asked.operation, "Describe") {
			c.kept = append(c.kept, c.net.asked)
		}
		return acknowledged, nil
	case ctx.Err() != nil:
		c.doubts++
		if bound == operationBound {
			c.late++
		}
		return inDoubt, nil
	}
	if _, limited := errors.AsType[*types.CaseCreationLimitExceeded](err); limited {
		c.refused++
		return refused, nil
	}
	return inDoubt, err
}

func (c *customer) create(ctx context.Context, attach bool) error {
	first, set, err := c.communication(ctx, attach)
	if err != nil {
		return err
	}
	k := &askedCase{statuses: []string{"unassigned"}}
	first.outcome, err = c.ask(ctx, func(ctx context.Context) error {
		out, err := c.api.CreateCase(ctx, &support.CreateCaseInput{Subject: &first.body, CommunicationBody: &first.body, AttachmentSetId: set})
		if err == nil {
			k.id = *out.CaseId
		}
		return err
	})
	if first.outcome != acknowledged {
		k.id = ""
	}
	k.communications = append(k.communications, first)
	c.cases = append(c.cases, k)
	return err
}

func (c *customer) communicate(ctx context.Context, k *askedCase, attach bool) error {
	added, set, err := c.communication(ctx, attach)
	if err != nil {
		return err
	}
	added.outcome, err = c.ask(ctx, func(ctx context.Context) error {
		_, err := c.api.AddCommunicationToCase(ctx, &support.AddCommunicationToCaseInput{CaseId: &k.id, CommunicationBody: &added.body, AttachmentSetId: set})
		return err
	})
	k.communications = append(k.communications, added)
	k.move(added.outcome, func(status string) string {
		if status == "resolved" {
			return "reopened"
		}
		return status
	})
	return err
}

func (c *customer) resolve(ctx context.Context, k *askedCase) error {
	var out *support.ResolveCaseOutput
	got, err := c.ask(ctx, func(ctx context.Context) (err error) {
		out, err = c.api.ResolveCase(ctx, &support.ResolveCaseInput{CaseId: &k.id})
		return err
	})
	if err != nil {
		return err
	}
	if got == acknowledged && (*out.FinalCaseStatus != "resolved" || !slices.Contains(k.statuses, *out.InitialCaseStatus)) {
		return fmt.Errorf("ResolveCase(%s) = from %s to %s, want from %q to resolved", k.id, *out.InitialCaseStatus, *out.FinalCaseStatus, k.statuses)
	}
	k.move(got, func(string) string { return "resolved" })
	return nil
}

// read looks at a case through any node: what this client was told is there.
func (c *customer) read(ctx context.Context, k *askedCase) error {
	var seen seenCase
	got, err := c.ask(ctx, func(ctx context.Context) (err error) {
		seen, err = see(ctx, c.api, k.id)
		return err
	})
	if got != acknowledged || err != nil {
		return err
	}
	if err := errors.Join(k.compare(seen)...); err != nil {
		return err
	}
	one := seen.all[c.random.IntN(len(seen.all))]
	if len(one.AttachmentSet) == 0 {
		return nil
	}
	got, err = c.ask(ctx, func(ctx context.Context) error {
		_, err := c.api.DescribeAttachment(ctx, &support.DescribeAttachmentInput{AttachmentId: one.AttachmentSet[0].AttachmentId})
		return err
	})
	_ = got // a read in doubt is nothing
	return err
}

// communication makes a unique body and, if told to, a set of files for it.
func (c *customer) communication(ctx context.Context, attach bool) (made askedCommunication, set *string, err error) {
	made.body = fmt.Sprintf("%s, call %d", c.name, c.calls)
	if !attach {
		return made, nil, nil
	}
	for range 1 + c.random.IntN(2) { // the second call extends the set
		files := []sentFile{c.file(len(made.files) + 1)}
		if c.random.IntN(2) == 0 && len(made.files) == 0 {
			files = append(files, c.file(2))
		}
		got, added, err := c.addFiles(ctx, set, files)
		if got != acknowledged || err != nil {
			made.files = nil // a set in doubt is left alone
			return made, nil, err
		}
		set, made.files = added, append(made.files, files...)
	}
	return made, set, nil
}

func (c *customer) file(number int) sentFile {
	data := make([]byte, 1+c.random.IntN(24<<10))
	for i := range data {
		data[i] = byte(c.random.Uint32())
	}
	return sentFile{name: fmt.Sprintf("%s-%d-%d.bin", c.name, c.calls, number), data: data}
}

func (c *customer) addFiles(ctx context.Context, set *string, files []sentFile) (outcome, *string, error) {
	in := &support.AddAttachmentsToSetInput{AttachmentSetId: set}
	for _, f := range files {
		in.Attachments = append(in.Attachments, types.Attachment{FileName: aws.String(f.name), Data: f.data})
	}
	var added *string
	got, err := c.ask(ctx, func(ctx context.Context) error {
		out, err := c.api.AddAttachmentsToSet(ctx, in)
		if err == nil {
			added = out.AttachmentSetId
		}
		return err
	})
	if got == acknowledged && set != nil && *added != *set {
		err = fmt.Errorf("AddAttachmentsToSet(%s) = set %s", *set, *added)
	}
	return got, added, err
}

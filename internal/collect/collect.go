// Package collect reads AWS accounts, and other endpoints that speak the APIs
// of AWS, into inventories. There is one file per service; it declares the
// kinds of resources that the service has and how each is read.
//
// Attributes have the names that the AWS SDK for Go gives them, which are those
// of the API with a capital first letter. A call that is denied or unknown to
// the endpoint becomes a failure in the inventory and stops no other.
package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/supportd/supportd/internal/advisor"
	"github.com/supportd/supportd/internal/inventory"
)

// Collector implements [advisor.Collector]. The zero value works.
type Collector struct {
	// Timeout bounds a whole collection; what is not read by then has failed.
	// 0 means ten minutes.
	Timeout time.Duration
	// Calls is how many calls run at once. 0 means 16.
	Calls int
	// CallTimeout bounds the wait for one answer. 0 means 30 seconds.
	CallTimeout time.Duration
	// Progress, if set, is told when a kind was read in a region: how many of
	// how many are. Calls do not overlap.
	Progress func(done, total int, kind, region string)
	Log      *slog.Logger // nil: nothing
}

var _ advisor.Collector = (*Collector)(nil)

const (
	defaultTimeout     = 10 * time.Minute
	defaultCalls       = 16
	defaultCallTimeout = 30 * time.Second
	defaultRegion      = "us-east-1"
)

// ErrUnknownKind says that there is no collector for what is needed.
var ErrUnknownKind = errors.New("there is no such kind of resource")

// ErrUnreachable says that there is no inventory because nothing can be read:
// the endpoint does not answer or there are no credentials.
var ErrUnreachable = errors.New("nothing can be read")

// Collect implements [advisor.Collector].
func (c *Collector) Collect(caller context.Context, source advisor.Source, account string, now time.Time, needs inventory.Needs, w io.Writer) error {
	ctx, cancel := context.WithTimeout(caller, cmp.Or(c.Timeout, defaultTimeout))
	defer cancel()
	config, err := load(ctx, source, cmp.Or(c.Calls, defaultCalls), cmp.Or(c.CallTimeout, defaultCallTimeout))
	if err != nil {
		return err
	}
	r := &run{Collector: c, config: config, endpoint: source.Endpoint, now: now, owner: account, prices: map[string]float64{}}
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	regions := distinct(source.Regions)
	if len(regions) == 0 {
		regions = []string{cmp.Or(config.Region, defaultRegion)}
	}
	tasks, err := r.tasks(needs, regions)
	if err != nil {
		return err
	}
	if err := r.identify(ctx); err != nil {
		return cmp.Or(caller.Err(), err)
	}
	r.out, err = inventory.NewWriter(w, inventory.Header{
		Account: cmp.Or(account, r.owner), CollectedAt: now.UTC(), Regions: regions, Needs: needs,
	})
	if err != nil {
		return err
	}
	if err := r.readAll(ctx, caller, tasks); err != nil {
		return err
	}
	return r.out.Close(r.sortedFailures(), r.prices)
}

// distinct returns the values once each, in their order.
func distinct(values []string) (all []string) {
	for _, v := range values {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// run is one collection.
type run struct {
	*Collector
	config   aws.Config
	endpoint string
	now      time.Time
	owner    string // the account of the credentials
	out      *inventory.Writer
	shared   sync.Map // *region by name: what readers of several kinds have in common

	mu       sync.Mutex
	failures map[inventory.Failure][]string // causes by what failed
	prices   map[string]float64
	done     int
}

// identify asks whose credentials they are, and finds out early when nothing
// can be read at all. Endpoints that answer but cannot tell are taken to be of
// the account itself.
func (r *run) identify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	if r.config.Credentials == nil {
		return fmt.Errorf("%w: there are no credentials", ErrUnreachable)
	}
	if _, err := r.config.Credentials.Retrieve(ctx); err != nil {
		return fmt.Errorf("%w: there are no credentials: %s", ErrUnreachable, cause(err))
	}
	out, err := sts.NewFromConfig(r.config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	switch {
	case err == nil:
		r.owner = cmp.Or(aws.ToString(out.Account), r.owner)
	case status(err) == 0:
		return fmt.Errorf("%w: %s", ErrUnreachable, cause(err))
	}
	if r.owner == "" {
		return fmt.Errorf("whose account it is: %s", cause(err))
	}
	return nil
}

// identifyTimeout is how long it may take to get credentials and try them.
const identifyTimeout = time.Minute

// task is a kind that is read in a region.
type task struct {
	kind   kind
	parts  []string
	region string // empty for global kinds
}

func (r *run) tasks(needs inventory.Needs, regions []string) (tasks []task, err error) {
	known := byName()
	for _, name := range needs.Kinds() {
		k, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("%w: %s", ErrUnknownKind, name)
		}
		if k.Global {
			tasks = append(tasks, task{kind: k, parts: needs[name]})
			continue
		}
		for _, region := range regions {
			tasks = append(tasks, task{kind: k, parts: needs[name], region: region})
		}
	}
	return tasks, nil
}

// kindsAtOnce is how many kinds are read at once, in whatever regions. The
// calls that they make are bounded for all of them together.
const kindsAtOnce = 32

// readAll reads all tasks. It fails where the inventory cannot be written, or
// the caller's context ends; what the collection's own time does not suffice for
// has failed.
func (r *run) readAll(ctx, caller context.Context, tasks []task) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	err := atOnce(ctx, kindsAtOnce, tasks, func(ctx context.Context, t task) error {
		err := recovered(func() error { return r.read(ctx, t) })
		if errors.Is(err, errWriting) {
			stop()
			return err
		}
		if err != nil {
			r.fail(t, "", err)
		}
		r.progress(len(tasks), t)
		return nil
	})
	return cmp.Or(caller.Err(), err)
}

func (r *run) read(ctx context.Context, t task) error {
	shared, _ := r.shared.LoadOrStore(t.region, &region{})
	config := r.config.Copy()
	config.Region = cmp.Or(t.region, defaultRegion)
	return t.kind.read(ctx, &reader{run: r, task: t, shared: shared.(*region), config: config})
}

func (r *run) progress(total int, t task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if r.Progress != nil {
		r.Progress(r.done, total, t.kind.Name, t.region)
	}
}

func (r *run) fail(t task, part string, err error) {
	where := inventory.Failure{Kind: t.kind.Name, Part: part, Region: t.region}
	text := cause(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failures == nil {
		r.failures = map[inventory.Failure][]string{}
	}
	if known := r.failures[where]; len(known) < maxCauses && !slices.Contains(known, text) {
		r.failures[where] = append(known, text)
	}
	r.Log.Debug("call failed", "kind", t.kind.Name, "part", part, "region", t.region, "error", err)
}

// maxCauses is how many causes are told of a part of a kind in a region: the
// calls of ten thousand buckets may fail, each with a text of its own.
const maxCauses = 5

func (r *run) sortedFailures() []inventory.Failure {
	var all []inventory.Failure
	for f, causes := range r.failures {
		for _, f.Cause = range causes {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b inventory.Failure) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Part, b.Part),
			strings.Compare(a.Region, b.Region), strings.Compare(a.Cause, b.Cause))
	})
	return all
}

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
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

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
	r := &run{Collector: c, config: config, endpoint: endpointOf(source, config), now: now, owner: account, prices: map[string]float64{}}
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	r.config.Logger = logging.LoggerFunc(func(_ logging.Classification, format string, args ...any) {
		r.Log.Debug("the SDK says", "text", oneLine(fmt.Sprintf(format, args...))) // it writes to standard error by itself
	})
	if err := checkKinds(needs); err != nil {
		return err
	}
	if err := r.identify(ctx); err != nil {
		return cmp.Or(caller.Err(), err)
	}
	regions, err := r.regions(ctx, source.Regions)
	if err != nil {
		return cmp.Or(caller.Err(), err)
	}
	r.out, err = inventory.NewWriter(w, inventory.Header{
		Account: cmp.Or(account, r.owner), CollectedAt: now.UTC(), Regions: regions, Needs: needs,
	})
	if err != nil {
		return err
	}
	if err := r.readAll(ctx, caller, r.tasks(needs, regions)); err != nil {
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
	endpoint string // empty: AWS itself
	now      time.Time
	owner    string // the account of the credentials
	realm    string // the partition that it is in; empty: aws
	out      *inventory.Writer
	shared   sync.Map // *region by name: what readers of several kinds have in common

	mu       sync.Mutex
	failures map[inventory.Failure][]string // causes by what failed
	prices   map[string]float64
	done     int
}

// endpointOf returns the endpoint that the source or the environment names.
func endpointOf(source advisor.Source, config aws.Config) string {
	return cmp.Or(source.Endpoint, aws.ToString(config.BaseEndpoint))
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
		told := cmp.Or(aws.ToString(out.Account), r.owner)
		if r.endpoint == "" && r.owner != "" && told != r.owner {
			return advisor.ErrOtherAccount.With("the credentials are those of account %s, not of %s", told, r.owner)
		}
		r.owner, r.realm = told, partitionOf(aws.ToString(out.Arn))
	case status(err) == 0:
		return fmt.Errorf("%w: %s", ErrUnreachable, cause(err))
	}
	if r.owner == "" {
		return fmt.Errorf("whose account it is: %s", cause(err))
	}
	return nil
}

// identifyTimeout is how long it may take to get credentials and try them, and
// to find out which regions there are.
const identifyTimeout = time.Minute

// regions returns those to read: the ones named, else all that the account has
// enabled. An endpoint of its own names many that nobody uses, and has the one of
// the configuration. There is no falling back where AWS does not tell: an
// account of which one region was read would look as if nothing was wrong with it.
func (r *run) regions(ctx context.Context, named []string) ([]string, error) {
	if len(named) > 0 {
		return distinct(named), nil
	}
	if r.endpoint != "" {
		return []string{cmp.Or(r.config.Region, defaultRegion)}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	out, err := ec2.NewFromConfig(r.config).DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
	if err != nil {
		return nil, fmt.Errorf("which regions the account has is not told, name them: %s", cause(err))
	}
	var enabled []string
	for _, region := range out.Regions {
		enabled = append(enabled, aws.ToString(region.RegionName))
	}
	if len(enabled) == 0 {
		return nil, errors.New("which regions the account has is not told, name them: EC2 DescribeRegions names none")
	}
	slices.Sort(enabled)
	return enabled, nil
}

// task is a kind that is read in a region.
type task struct {
	kind   kind
	parts  []string
	region string // empty for global kinds
}

func checkKinds(needs inventory.Needs) error {
	known := byName()
	for _, name := range needs.Kinds() {
		if _, ok := known[name]; !ok {
			return fmt.Errorf("%w: %s", ErrUnknownKind, name)
		}
	}
	return nil
}

func (r *run) tasks(needs inventory.Needs, regions []string) (tasks []task) {
	known := byName()
	for _, name := range needs.Kinds() {
		k := known[name]
		if k.Global {
			tasks = append(tasks, task{kind: k, parts: needs[name]})
			continue
		}
		for _, region := range regions {
			tasks = append(tasks, task{kind: k, parts: needs[name], region: region})
		}
	}
	return tasks
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
	config.Region = cmp.Or(t.region, r.homeRegion())
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
	r.failed(t.failure(part), err)
}

// failure is one of a part of the task's kind, without its cause.
func (t task) failure(part string) inventory.Failure {
	return inventory.Failure{Kind: t.kind.Name, Part: part, Region: t.region}
}

func (r *run) failed(where inventory.Failure, err error) {
	text := cause(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failures == nil {
		r.failures = map[inventory.Failure][]string{}
	}
	if known := r.failures[where]; len(known) < maxCauses && !slices.Contains(known, text) {
		r.failures[where] = append(known, text)
	}
	r.Log.Debug("call failed", "kind", where.Kind, "part", where.Part, "region", where.Region, "error", err)
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

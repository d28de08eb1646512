package collect

import (
	"context"
	"errors"
	"fmt"
	"path"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/supportd/supportd/internal/inventory"
)

// kind is a kind of resource and how it is read.
type kind struct {
	inventory.Kind
	read func(context.Context, *reader) error
}

// scope says whether resources of a kind belong to regions.
type scope bool

const (
	regional scope = false
	global   scope = true
)

// kindOf declares a kind whose resources are Ts: structs of the SDK, or of ours
// where a resource is made of several answers. Actions are those that read
// needs in any case, separated by commas. Read calls emit with every resource
// and its id; emit may be called at once.
func kindOf[T any](name string, where scope, actions string, read func(ctx context.Context, r *reader, emit emit[T]) error) kind {
	return kind{
		Kind: inventory.Kind{
			Name: name, Global: bool(where), Actions: strings.Split(actions, ","),
			Type: inventory.TypeOf(reflect.TypeFor[T]()),
		},
		read: func(ctx context.Context, r *reader) error {
			return read(ctx, r, func(id string, v T) error {
				return r.emit(id, v)
			})
		},
	}
}

// emit adds a resource to the inventory.
type emit[T any] func(id string, v T) error

// kinds returns all kinds, service by service.
func kinds() []kind {
	return slices.Concat(
		baseKinds(),
		acmKinds(), apigatewayKinds(), autoscalingKinds(), cloudformationKinds(), cloudfrontKinds(), cloudtrailKinds(),
		cloudwatchKinds(),
		codebuildKinds(), directconnectKinds(), dynamodbKinds(), ec2Kinds(), ecrKinds(), ecsKinds(), efsKinds(), eksKinds(),
		elasticacheKinds(), elasticbeanstalkKinds(), elasticsearchKinds(), elbKinds(), elbv2Kinds(), iamKinds(), kinesisKinds(),
		kmsKinds(), lambdaKinds(), opensearchKinds(), rdsKinds(), redshiftKinds(), route53Kinds(), s3Kinds(), secretsmanagerKinds(),
		servicequotasKinds(), sesKinds(), snsKinds(), sqsKinds(),
	)
}

func byName() map[string]kind {
	all := map[string]kind{}
	for _, k := range kinds() {
		all[k.Name] = k
	}
	return all
}

// Kinds returns what there is to know about all kinds.
func Kinds() inventory.Kinds {
	all := inventory.Kinds{}
	for _, k := range kinds() {
		all[k.Name] = k.Kind
	}
	return all
}

// Account is the resource of the kind account: the account itself, for checks
// of what it has as a whole.
type Account struct {
	AccountID string `doc:"The account whose resources are read."`
}

// Region is a resource of the kind region: one of those that are looked at, for
// checks of what it has as a whole.
type Region struct {
	Name string `doc:"Such as eu-west-1."`
}

func baseKinds() []kind {
	return []kind{
		kindOf("account", global, "sts:GetCallerIdentity", func(_ context.Context, r *reader, emit emit[Account]) error {
			return emit(r.owner, Account{AccountID: r.owner})
		}),
		kindOf("region", regional, "sts:GetCallerIdentity", func(_ context.Context, r *reader, emit emit[Region]) error {
			return emit(r.task.region, Region{Name: r.task.region})
		}),
	}
}

var errWriting = errors.New("writing the inventory")

// atOnce calls f for all items, some at once, and returns the errors of those
// that failed. After the first error it begins no more, and waits for those that
// run: they may make calls whose answers others wait for. A panic is an error:
// an endpoint may leave out what AWS never does.
func atOnce[T any](ctx context.Context, most int, items []T, f func(context.Context, T) error) error {
	var group sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	free := make(chan struct{}, most)
	for _, item := range items {
		free <- struct{}{}
		mu.Lock()
		failed := len(errs) > 0
		mu.Unlock()
		if failed {
			break
		}
		group.Go(func() {
			defer func() { <-free }()
			if err := recovered(func() error { return f(ctx, item) }); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

var errPanic = errors.New("the answer has a form that was not expected")

// recovered calls f and makes an error of its panic.
func recovered(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v: %s", errPanic, p, panicked(debug.Stack()))
		}
	}()
	return f()
}

// panicked returns the line of this package that a stack's panic comes from.
func panicked(stack []byte) string {
	_, after, _ := strings.Cut(string(stack), "panic(")
	for line := range strings.Lines(after) {
		if file, _, ok := strings.Cut(strings.TrimSpace(line), " +0x"); ok && strings.Contains(file, "/collect/") {
			return path.Base(file)
		}
	}
	return "in the SDK"
}

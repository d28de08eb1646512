package collect

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/supportd/supportd/internal/inventory"
)

// reader reads a kind in a region.
type reader struct {
	*run
	task   task
	shared *region
	config aws.Config // of the region; for global kinds of the home region
}

// region is what readers of one region have in common.
type region struct {
	answers sync.Map // func() (any, error) by key
}

// located is a resource of a global kind that lies in a region all the same.
type located interface{ region() string }

// emit adds a resource.
func (r *reader) emit(id string, v any) error {
	resource := inventory.Resource{Kind: r.task.kind.Name, ID: id, Region: r.task.region, Attributes: inventory.Plain(v)}
	if l, ok := v.(located); ok {
		resource.Region = l.region()
	}
	err := r.out.Add(resource)
	if err != nil && !errors.Is(err, inventory.ErrTooLarge) {
		return fmt.Errorf("%w: %w", errWriting, err)
	}
	return err
}

// arn returns the ARN of a resource of the account: r.arn("ec2", "volume/vol-1").
func (r *reader) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", r.partition(), service, r.task.region, r.owner, resource)
}

// wants reports whether a part of the kind is needed.
func (r *reader) wants(part string) bool { return slices.Contains(r.task.parts, part) }

// part calls f, which learns a part of one resource, if the part is needed. An
// error of f is a failure of the part and leaves the rest of the kind alone;
// one with a code of absent says that the resource has no such thing.
func (r *reader) part(name string, f func() error, absent ...string) {
	if !r.wants(name) {
		return
	}
	if err := f(); err != nil && !hasCode(err, absent...) {
		r.fail(r.task, name, err)
	}
}

// hasCode reports whether an error of the API has one of the codes.
func hasCode(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}

// once returns what f returns, and calls it once in a collection and region
// however many kinds need its answer. The key names the call: ec2:DescribeVolumes.
func once[T any](r *reader, key string, f func() (T, error)) (T, error) {
	made, _ := r.shared.answers.LoadOrStore(key, sync.OnceValues(func() (v any, err error) {
		err = recovered(func() (err error) {
			v, err = f()
			return err
		})
		return v, err
	}))
	v, err := made.(func() (any, error))()
	answer, _ := v.(T)
	return answer, err
}

// forEach calls f for all items, eight at once.
func forEach[T any](ctx context.Context, items []T, f func(context.Context, T) error) error {
	return atOnce(ctx, 8, items, f)
}

// maxCause bounds the text of a failure.
const maxCause = 500

// cause returns an error as an operator reads it: the call and what the
// endpoint said. What differs from one try to the next is left out, so that the
// same cause is told once.
func cause(err error) string {
	var operation *smithy.OperationError
	var api smithy.APIError
	if !errors.As(err, &operation) {
		return oneLine(err.Error())
	}
	call := operation.Service() + " " + operation.Operation()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return call + ": no answer in time"
	case errors.As(err, &api) && api.ErrorCode() != "" && api.ErrorCode() != "UnknownError":
		return oneLine(call + ": " + strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": "))
	case status(err) >= 300:
		return fmt.Sprintf("%s: HTTP status %d: the endpoint does not seem to know the call", call, status(err))
	}
	return oneLine(call + ": " + perTry.ReplaceAllString(operation.Unwrap().Error(), ""))
}

// perTry is what the SDK tells of the tries of a call.
var perTry = regexp.MustCompile(`(exceeded maximum number of attempts, \d+|https? response error StatusCode: \d+|RequestID: [^,]*|HostID: [^,]*|request send failed), `)

// status returns the HTTP status of the answer that an error comes from, and 0
// of one without an answer.
func status(err error) int {
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.Response == nil || answer.Response.Response == nil {
		return 0
	}
	return answer.HTTPStatusCode()
}

// oneLine makes a text short and printable: endpoints may answer with what moves
// the cursor of a terminal.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, strings.ToValidUTF8(text, "�"))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + "…"
	}
	return text
}

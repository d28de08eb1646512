package collect

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// maxPages bounds a list whose endpoint never ends it.
const maxPages = 100_000

var (
	errNoToken   = errors.New("a list of which is not known how it goes on")
	errSameToken = errors.New("a page names itself as the next: the list would not end")
	errPages     = fmt.Errorf("a list with more than %d pages", maxPages)
)

// pages calls f with every page of a list:
//
//	pages(ctx, client.DescribeVolumes, &ec2.DescribeVolumesInput{}, f)
//
// It does what the paginators of the SDK do. They make an interface of the
// client, and html/template looks methods up by name: the linker then keeps
// every exported method of a type that is an interface somewhere, which for a
// client is all operations of its service.
func pages[In, Out, Options any](ctx context.Context, call func(context.Context, *In, ...func(*Options)) (*Out, error), in *In, f func(*Out) error) error {
	tokens, err := tokensOf[In, Out]()
	if err != nil {
		return err
	}
	input := *in // the caller's stays as it is
	for range maxPages {
		out, err := call(ctx, &input)
		if err != nil {
			return err
		}
		sent, next := tokens.sent(&input), tokens.next(out)
		if err := f(out); err != nil {
			return err
		}
		if next == "" {
			return nil
		}
		if next == sent {
			return fmt.Errorf("%s: %w", operation[In](), errSameToken)
		}
		tokens.send(&input, next)
	}
	return fmt.Errorf("%s: %w", operation[In](), errPages)
}

// gather returns the items of all pages.
func gather[In, Out, Options, T any](ctx context.Context, call func(context.Context, *In, ...func(*Options)) (*Out, error), in *In, items func(*Out) []T) (all []T, err error) {
	err = pages(ctx, call, in, func(page *Out) error {
		all = append(all, items(page)...)
		return nil
	})
	return all, err
}

// eachItem calls f with every item of all pages.
func eachItem[In, Out, Options, T any](ctx context.Context, call func(context.Context, *In, ...func(*Options)) (*Out, error), in *In, items func(*Out) []T, f func(T) error) error {
	return pages(ctx, call, in, func(page *Out) error {
		for _, item := range items(page) {
			if err := f(item); err != nil {
				return err
			}
		}
		return nil
	})
}

// tokens are the two fields by which a list goes on: the one of an answer that
// says where the next page begins, and the one of a call that asks for it. Their
// names are looked up, never methods.
type tokens struct {
	answer string // or two names, with a dot between them
	call   string
}

// allTokens are those of all lists. The first that a list has are its own: an
// answer with NextMarker or NextContinuationToken may repeat what was asked in
// the field with the shorter name.
func allTokens() []tokens {
	return []tokens{
		{"NextToken", "NextToken"},
		{"NextMarker", "Marker"},
		{"Marker", "Marker"},
		{"DistributionList.NextMarker", "Marker"},
		{"CachePolicyList.NextMarker", "Marker"},
		{"Position", "Position"},
		{"NextContinuationToken", "ContinuationToken"},
		{"ContinuationToken", "ContinuationToken"},
		{"LastEvaluatedTableName", "ExclusiveStartTableName"},
	}
}

func tokensOf[In, Out any]() (tokens, error) {
	in, out := reflect.TypeFor[In](), reflect.TypeFor[Out]()
	all := allTokens()
	i := slices.IndexFunc(all, func(t tokens) bool {
		list, name, nested := strings.Cut(t.answer, ".")
		if !nested {
			return isText(out, t.answer) && isText(in, t.call)
		}
		field, ok := out.FieldByName(list)
		return ok && field.Type.Kind() == reflect.Pointer && isText(field.Type.Elem(), name) && isText(in, t.call)
	})
	if i < 0 {
		return tokens{}, fmt.Errorf("%s: %w", operation[In](), errNoToken)
	}
	return all[i], nil
}

// operation returns the name of an operation by the type of its input: ec2.DescribeVolumes.
func operation[In any]() string { return strings.TrimSuffix(reflect.TypeFor[In]().String(), "Input") }

// isText reports whether a struct has a field of the name that is a text or nil.
func isText(s reflect.Type, name string) bool {
	field, ok := s.FieldByName(name)
	return ok && field.Type == reflect.TypeFor[*string]()
}

// next returns where the page after an answer begins; nothing after the last.
func (t tokens) next(out any) string {
	answer := reflect.ValueOf(out).Elem()
	list, name, nested := strings.Cut(t.answer, ".")
	if !nested {
		return text(answer.FieldByName(t.answer))
	}
	field := answer.FieldByName(list)
	if field.IsNil() {
		return ""
	}
	return text(field.Elem().FieldByName(name))
}

func (t tokens) sent(in any) string { return text(reflect.ValueOf(in).Elem().FieldByName(t.call)) }

func (t tokens) send(in any, token string) {
	reflect.ValueOf(in).Elem().FieldByName(t.call).Set(reflect.ValueOf(&token))
}

func text(field reflect.Value) string {
	if field.IsNil() {
		return ""
	}
	return field.Elem().String()
}

package deskapi

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/supportd/supportd/internal/desk"
)

// fill gives every field of a value, at any depth, something that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == timeType {
			v.Set(reflect.ValueOf(time.Unix(1e9, 0)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(time.Hour))
	case reflect.Uint8:
		v.SetUint('1')
	}
}

func filled[T any]() (v T) {
	fill(reflect.ValueOf(&v).Elem())
	return v
}

// zeros returns where a value has fields that are zero.
func zeros(v reflect.Value, at string) (all []string) {
	switch {
	case v.Kind() == reflect.Struct && v.Type() != timeType:
		for i := range v.NumField() {
			all = append(all, zeros(v.Field(i), at+"."+v.Type().Field(i).Name)...)
		}
		return all
	case v.Kind() == reflect.Slice && v.Len() > 0:
		return zeros(v.Index(0), at+"[0]")
	case v.IsZero():
		return []string{at}
	}
	return nil
}

func TestShapesForgetNothing(t *testing.T) {
	t.Parallel()
	apart := filled[desk.Span]()
	apart.To = apart.From.Add(time.Hour)
	for _, shape := range []any{
		newCaseDetail(filled[desk.Detail]()),
		newExplainedClock(filled[desk.Explanation]()).clock,
		newSpan(apart),
		newToken(filled[desk.Token]()),
		newEntry(filled[desk.Entry]()),
	} {
		if missing := zeros(reflect.ValueOf(shape), reflect.TypeOf(shape).Name()); len(missing) > 0 {
			t.Errorf("%s are zero, want what the desk says", strings.Join(missing, ", "))
		}
	}
}

// A next token that opened for another query would leave cases out unseen.
func TestNextTokensAreBoundToEveryFilter(t *testing.T) {
	t.Parallel()
	who := desk.Caller{Agent: desk.Agent{ID: "agent-1"}}
	checkBound(t, func(in listCasesInput) string { return in.scope(who) })
	checkBound(t, func(in listEntriesInput) string { return in.scope(who) })
	if (&listCasesInput{Tag: `a" "b`}).scope(who) == (&listCasesInput{Tag: "a", Status: "b"}).scope(who) {
		t.Error("two queries have one scope")
	}
}

func checkBound[In any](t *testing.T, scope func(In) string) {
	t.Helper()
	var none In
	for _, m := range membersOf(reflect.TypeFor[In]()) {
		if m.name == "limit" || m.name == "next" {
			continue
		}
		in := none
		fill(reflect.ValueOf(&in).Elem().FieldByIndex(m.index))
		if scope(in) == scope(none) {
			t.Errorf("%T: the scope is the same whatever %s is", in, m.name)
		}
	}
}

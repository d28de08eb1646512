package check

import (
	"fmt"
	"math"
	"strconv"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// value evaluates an expression.
func (f *frame) value(x *compiled) (ref.Val, error) {
	var v ref.Val
	var err error
	if x.loops {
		v, _, err = x.program.ContextEval(f.run.ctx, f)
	} else { // it ends by itself
		v, _, err = x.program.Eval(f)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.what, err)
	}
	return v, nil
}

// eval evaluates an expression for another one, which fails when this one does.
func (f *frame) eval(x *compiled) ref.Val {
	v, err := f.value(x)
	if err != nil {
		return wrong(err)
	}
	return v
}

func wrong(err error) ref.Val { return types.WrapErr(err) }

func optional(v *float64) ref.Val {
	if v == nil {
		return types.OptionalNone
	}
	return types.OptionalOf(types.Double(*v))
}

// bool evaluates a condition; one that the check does not have is otherwise.
func (f *frame) bool(x *compiled, otherwise bool) (bool, error) {
	if x == nil {
		return otherwise, nil
	}
	v, err := f.value(x)
	if err != nil {
		return false, err
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, fmt.Errorf("%s: it is a %s, want a bool", x.what, v.Type())
	}
	return bool(b), nil
}

func (f *frame) text(x *compiled) (string, error) {
	v, err := f.value(x)
	if err != nil {
		return "", err
	}
	s, ok := v.(types.String)
	if !ok {
		return "", fmt.Errorf("%s: it is a %s, want a string", x.what, v.Type())
	}
	return string(s), nil
}

// known evaluates an expression whose value may be unknown: then it is nil.
func (f *frame) known(x *compiled) (ref.Val, error) {
	v, err := f.value(x)
	if err != nil {
		return nil, err
	}
	if o, ok := v.(*types.Optional); ok {
		if !o.HasValue() {
			return nil, nil
		}
		return o.GetValue(), nil
	}
	return v, nil
}

// maxAmount is more than anybody saves, and so little that sums stay finite.
const maxAmount = 1e18

// number evaluates an amount that may be unknown.
func (f *frame) number(x *compiled) (*float64, error) {
	if x == nil {
		return nil, nil
	}
	v, err := f.known(x)
	if v == nil || err != nil {
		return nil, err
	}
	d, ok := v.(types.Double)
	if !ok {
		return nil, fmt.Errorf("%s: it is a %s, want a double", x.what, v.Type())
	}
	n := float64(d)
	if math.Abs(n) > maxAmount || math.IsNaN(n) {
		return nil, fmt.Errorf("%s: it is %v, want an amount", x.what, n)
	}
	return &n, nil
}

// timeFormat is how AWS writes times in metadata: Last Updated Time is recorded
// as 2024-07-01T09:31:51.267Z.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// cell evaluates a column. What is not known is nil, and so is an empty text:
// the API has null for both.
func (f *frame) cell(x *compiled) (*string, error) {
	v, err := f.known(x)
	if v == nil || err != nil {
		return nil, err
	}
	var text string
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.String:
		text = string(v)
	case types.Int:
		text = strconv.FormatInt(int64(v), 10)
	case types.Double:
		text = strconv.FormatFloat(float64(v), 'f', -1, 64)
	case types.Timestamp:
		text = v.UTC().Format(timeFormat)
	default:
		return nil, fmt.Errorf("%s: it is a %s, want a text or a number", x.what, v.Type())
	}
	if text == "" {
		return nil, nil
	}
	return &text, nil
}

package check

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/supportd/supportd/internal/inventory"
)

// provider tells CEL the types of attributes, so that a misspelt one is found
// when a check is loaded. Values stay the maps that they are in the inventory;
// what a map does not have reads as the zero value of its type.
type provider struct {
	*types.Registry
	structs sync.Map // *inventory.Type by name; checks are compiled while others are evaluated
}

func newProvider() (*provider, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	return &provider{Registry: registry}, nil
}

// celType returns the CEL type of a type, and makes known the structs in it.
func (p *provider) celType(t *inventory.Type) *cel.Type {
	switch t.Form {
	case inventory.String:
		return cel.StringType
	case inventory.Int:
		return cel.IntType
	case inventory.Double:
		return cel.DoubleType
	case inventory.Bool:
		return cel.BoolType
	case inventory.Timestamp:
		return cel.TimestampType
	case inventory.List:
		return cel.ListType(p.celType(t.Elem))
	case inventory.Map:
		return cel.MapType(cel.StringType, p.celType(t.Elem))
	case inventory.Struct:
		p.structs.Store(t.Name, t)
		return cel.ObjectType(t.Name)
	}
	return cel.DynType
}

func (p *provider) structOf(name string) (*inventory.Type, bool) {
	t, ok := p.structs.Load(name)
	if !ok {
		return nil, false
	}
	return t.(*inventory.Type), true
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.structOf(name); ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Registry.FindStructType(name)
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	t, ok := p.structOf(name)
	if !ok {
		return p.Registry.FindStructFieldNames(name)
	}
	var names []string
	for _, f := range t.Fields() {
		names = append(names, f.Name)
	}
	return names, true
}

func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	t, ok := p.structOf(name)
	if !ok {
		return p.Registry.FindStructFieldType(name, field)
	}
	f, ok := t.Field(field)
	if !ok {
		return nil, false
	}
	return &types.FieldType{
		Type: p.celType(f.Type),
		IsSet: func(object any) bool {
			m, ok := object.(map[string]any)
			return ok && m[field] != nil
		},
		GetFrom: func(object any) (any, error) {
			m, ok := object.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("%s of %s: it has no attributes", field, plainForm(object))
			}
			v, err := typed(f.Type, m[field])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", field, err)
			}
			return v, nil
		},
	}, true
}

func (p *provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ok := p.structOf(name); ok {
		return types.NewErr("%s cannot be made in an expression", name)
	}
	return p.Registry.NewValue(name, fields)
}

var errForm = errors.New("the attribute does not have the type of the API")

// typed returns plain data as CEL expects a value of the type.
func typed(t *inventory.Type, v any) (any, error) {
	if v == nil {
		return zero(t), nil
	}
	if done, ok := v.(ref.Val); ok { // plain data has none of these
		return done, nil
	}
	switch t.Form {
	case inventory.String:
		if s, ok := v.(string); ok {
			return s, nil
		}
	case inventory.Int:
		return whole(v)
	case inventory.Double:
		switch n := v.(type) {
		case float64:
			return n, nil
		case int64:
			return float64(n), nil
		}
	case inventory.Bool:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case inventory.Timestamp:
		return timestamp(v)
	case inventory.List:
		if list, ok := v.([]any); ok {
			return typedList(t.Elem, list)
		}
	case inventory.Map:
		if m, ok := v.(map[string]any); ok {
			return typedMap(t.Elem, m)
		}
	case inventory.Struct:
		if m, ok := v.(map[string]any); ok {
			return m, nil
		}
	default:
		return v, nil
	}
	return nil, fmt.Errorf("%w: %s, want %s", errForm, plainForm(v), t)
}

// plainForm names the form that plain data has.
func plainForm(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case float64, int64:
		return "a number"
	case bool:
		return "a bool"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "nothing"
}

// ready returns plain data of the type so that typed need not look at it again.
// What has another form stays as it is: it is an error where it is used.
func (p *provider) ready(t *inventory.Type, v any) any {
	switch t.Form {
	case inventory.List, inventory.Map, inventory.Timestamp:
		if value, err := typed(t, v); err == nil {
			return p.NativeToValue(value)
		}
	}
	return v
}

func zero(t *inventory.Type) any {
	switch t.Form {
	case inventory.String:
		return ""
	case inventory.Int:
		return int64(0)
	case inventory.Double:
		return 0.0
	case inventory.Bool:
		return false
	case inventory.Timestamp:
		return time.Unix(0, 0).UTC()
	case inventory.List:
		return []any{}
	case inventory.Map, inventory.Struct:
		return map[string]any{}
	}
	return types.NullValue
}

func whole(v any) (any, error) {
	switch n := v.(type) {
	case int64:
		return n, nil
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n), nil
		}
	}
	return nil, fmt.Errorf("%w: %v, want a whole number", errForm, v)
}

func timestamp(v any) (any, error) {
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, fmt.Errorf("%w: %v, want a time as 2026-01-31T12:00:00Z", errForm, v)
	}
	return at.UTC(), nil
}

// asIs reports whether plain data of the type is what CEL expects already, or
// is looked at when a field of it is.
func asIs(t *inventory.Type) bool {
	switch t.Form {
	case inventory.String, inventory.Bool, inventory.Struct, inventory.Any:
		return true
	}
	return false
}

// typedList converts elements that need it, and finds the ones of another form.
func typedList(elem *inventory.Type, list []any) (any, error) {
	if asIs(elem) && wellFormed(elem, slices.Values(list)) {
		return list, nil
	}
	out := make([]any, len(list))
	for i, v := range list {
		value, err := typed(elem, v)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		out[i] = value
	}
	return out, nil
}

func wellFormed(elem *inventory.Type, values iter.Seq[any]) bool {
	for v := range values {
		ok := true
		switch elem.Form {
		case inventory.String:
			_, ok = v.(string)
		case inventory.Bool:
			_, ok = v.(bool)
		case inventory.Struct:
			_, ok = v.(map[string]any)
		}
		if !ok {
			return false
		}
	}
	return true
}

func typedMap(elem *inventory.Type, m map[string]any) (any, error) {
	if asIs(elem) && wellFormed(elem, maps.Values(m)) {
		return m, nil
	}
	out := make(map[string]any, len(m))
	for key, v := range m {
		value, err := typed(elem, v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		out[key] = value
	}
	return out, nil
}

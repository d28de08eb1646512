package inventory

import (
	"encoding/base64"
	"math"
	"reflect"
	"time"
)

// Plain turns a Go value into plain data as [TypeOf] describes it: maps, lists,
// strings, float64, int64 and bool, times as RFC 3339, bytes as base64. What is nil or a zero
// value that nothing points to is left out: services that tell nothing of an
// attribute and those that tell its zero look the same in most SDK types.
func Plain(v any) map[string]any {
	m, _ := plain(reflect.ValueOf(v)).(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	return m
}

// plain returns nil for what is left out.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return told(v.Elem())
	case reflect.Struct:
		if v.IsZero() {
			return nil
		}
		return told(v)
	case reflect.Slice, reflect.Map:
		if v.Len() == 0 {
			return nil
		}
		return told(v)
	case reflect.Interface:
		return nil // a union or a document: nothing of it is known
	case reflect.Invalid:
		return nil
	}
	if v.IsZero() {
		return nil
	}
	return told(v)
}

// told returns the data of a value that is there, even if it is zero.
func told(v reflect.Value) any {
	if v.Type() == reflect.TypeFor[time.Time]() {
		return v.Interface().(time.Time).UTC().Format(time.RFC3339Nano)
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Float32, reflect.Float64:
		if n := v.Float(); !math.IsNaN(n) && !math.IsInf(n, 0) {
			return n
		}
		return nil // JSON has no such number
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return base64.StdEncoding.EncodeToString(v.Bytes())
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = told(v.Index(i))
		}
		return list
	case reflect.Map:
		m := make(map[string]any, v.Len())
		for key, value := range v.Seq2() {
			m[key.String()] = told(value)
		}
		return m
	case reflect.Struct:
		m := map[string]any{}
		addFields(m, v)
		return m
	case reflect.Pointer:
		if !v.IsNil() {
			return told(v.Elem())
		}
	}
	return nil
}

func addFields(m map[string]any, v reflect.Value) {
	for _, f := range visibleFields(v.Type()) {
		if value := plain(v.FieldByIndex(f.Index)); value != nil {
			m[f.Name] = value
		}
	}
}

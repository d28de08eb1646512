package awsjson

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Encode returns out, a struct or a pointer to one, as a compact JSON object.
// Members come in the order of the fields, which AWS has in alphabetical order;
// each field has a json tag with its member's name.
//
// A nil pointer or nil []byte (a blob) is left out, a nil slice is [], and a
// zero value of any type is left out when the tag says omitzero. A nil pointer
// inside a list is null. Floats have a dot, as in 0.0. Characters are escaped
// only where JSON demands it. A string that is not UTF-8, a float that is no
// number and a type that is none of these are errors.
func Encode(out any) ([]byte, error) {
	v := reflect.Indirect(reflect.ValueOf(out))
	if v.Kind() != reflect.Struct {
		return nil, fmt.Errorf("awsjson: encode %T: not a struct", out)
	}
	w := writer{fields: map[reflect.Type][]field{}}
	if err := w.value(v); err != nil {
		return nil, fmt.Errorf("awsjson: encode %T: %w", out, err)
	}
	return w.buf, nil
}

// writer appends to buf. It keeps the fields of the types it met, since an
// answer has many values of few types.
type writer struct {
	buf    []byte
	fields map[reflect.Type][]field
}

type field struct {
	index    int
	key      string // as it stands in the document, colon included
	nullable bool
	omitZero bool
}

func (w *writer) value(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Struct:
		return w.structure(v)
	case reflect.Slice:
		return w.slice(v)
	case reflect.Pointer:
		return w.pointer(v)
	case reflect.String:
		return w.text(v.String())
	case reflect.Bool:
		w.buf = strconv.AppendBool(w.buf, v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		w.buf = strconv.AppendInt(w.buf, v.Int(), 10)
	case reflect.Float64:
		return w.float(v.Float())
	default:
		return fmt.Errorf("no JSON for type %s", v.Type())
	}
	return nil
}

func (w *writer) pointer(v reflect.Value) error {
	if v.IsNil() {
		w.buf = append(w.buf, "null"...)
		return nil
	}
	return w.value(v.Elem())
}

func (w *writer) structure(v reflect.Value) error {
	fields, err := w.plan(v.Type())
	if err != nil {
		return err
	}
	w.buf = append(w.buf, '{')
	start := len(w.buf)
	for _, f := range fields {
		if err := w.member(f, v.Field(f.index), start); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, '}')
	return nil
}

func (w *writer) member(f field, v reflect.Value, start int) error {
	if f.nullable && v.IsNil() || f.omitZero && v.IsZero() {
		return nil
	}
	if len(w.buf) > start {
		w.buf = append(w.buf, ',')
	}
	w.buf = append(w.buf, f.key...)
	return w.value(v)
}

// plan returns the fields of t that are members.
func (w *writer) plan(t reflect.Type) ([]field, error) {
	fields, known := w.fields[t]
	if known {
		return fields, nil
	}
	for sf := range t.Fields() {
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if !sf.IsExported() || name == "" {
			return nil, fmt.Errorf("field %s.%s has no json name", t, sf.Name)
		}
		key, err := jsontext.AppendQuote(nil, name)
		if err != nil {
			return nil, err
		}
		fields = append(fields, field{
			index:    sf.Index[0],
			key:      string(key) + ":",
			nullable: sf.Type.Kind() == reflect.Pointer || sf.Type == reflect.TypeFor[[]byte](),
			omitZero: options == "omitzero",
		})
	}
	w.fields[t] = fields
	return fields, nil
}

func (w *writer) slice(v reflect.Value) error {
	if v.Type() == reflect.TypeFor[[]byte]() {
		w.blob(v.Bytes())
		return nil
	}
	w.buf = append(w.buf, '[')
	for i := range v.Len() {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		if err := w.value(v.Index(i)); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, ']')
	return nil
}

func (w *writer) text(s string) error {
	var err error
	w.buf, err = jsontext.AppendQuote(w.buf, s)
	return err
}

func (w *writer) blob(data []byte) {
	w.buf = append(w.buf, '"')
	w.buf = base64.StdEncoding.AppendEncode(w.buf, data)
	w.buf = append(w.buf, '"')
}

// float writes 0.0 where Go writes 0, as every recorded answer has it.
func (w *writer) float(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("no JSON for %v", f)
	}
	start := len(w.buf)
	w.buf = strconv.AppendFloat(w.buf, f, 'f', -1, 64)
	if !strings.Contains(string(w.buf[start:]), ".") {
		w.buf = append(w.buf, ".0"...)
	}
	return nil
}

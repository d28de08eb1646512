package awsjson

import (
	"bytes"
	"io"
	"reflect"

	"github.com/go-json-experiment/json/jsontext"
)

// reader reads one document. Its methods return an error only for the text; a
// fault of the types is kept in fault and the rest is merely skipped, since the
// text may still turn out broken. The depth of the text is bounded by jsontext.
type reader struct {
	*jsontext.Decoder
	fault *Error // the first one
}

// decode reads body into v. A buffer of bytes is what jsontext reads in place.
func decode(body []byte, s *shape, v reflect.Value) (typeErr, syntax *Error) {
	r := reader{Decoder: jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true))}
	top := r.PeekKind()
	if err := r.value(s, v); err != nil {
		return nil, serialization("")
	}
	if _, err := r.ReadToken(); err != io.EOF {
		return nil, serialization("")
	}
	switch top {
	case jsontext.KindBeginObject:
		return r.fault, nil
	case jsontext.KindBeginArray:
		return nil, r.fault
	}
	return nil, serialization("")
}

// value reads the next value, which the model says is of the shape s, into v.
func (r *reader) value(s *shape, v reflect.Value) error {
	found := r.PeekKind()
	if r.fault != nil || found == jsontext.KindInvalid {
		return r.SkipValue()
	}
	if found == jsontext.KindNull {
		return r.null(v)
	}
	if !s.accepts(found) {
		r.fault = s.mismatch(found)
		return r.SkipValue()
	}
	switch s.form {
	case list:
		return r.list(s, v)
	case structure:
		return r.structure(s, v)
	case blob:
		return r.blob(v)
	}
	return r.scalar(s, settle(v))
}

// null makes a member absent, also when it came before.
func (r *reader) null(v reflect.Value) error {
	if v.IsValid() {
		v.SetZero()
	}
	return r.SkipValue()
}

// settle returns the place that v is or, for a pointer, a new one, so that the
// last of two equal members is not mixed with the first.
func settle(v reflect.Value) reflect.Value {
	if v.Kind() != reflect.Pointer {
		return v // An element, fresh, or the invalid value of CheckSyntax.
	}
	v.Set(reflect.New(v.Type().Elem()))
	return v.Elem()
}

func (r *reader) structure(s *shape, v reflect.Value) error {
	v = settle(v)
	if _, err := r.ReadToken(); err != nil {
		return err
	}
	for r.PeekKind() != jsontext.KindEndObject {
		if err := r.member(s, v); err != nil {
			return err
		}
	}
	_, err := r.ReadToken()
	return err
}

func (r *reader) member(s *shape, v reflect.Value) error {
	raw, err := r.ReadValue()
	if err != nil {
		return err
	}
	name, err := unquote(raw)
	if err != nil {
		return err
	}
	m := s.member(name)
	if m == nil {
		return r.SkipValue()
	}
	return r.value(m.shape, v.Field(m.index))
}

func (r *reader) list(s *shape, v reflect.Value) error {
	if _, err := r.ReadToken(); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for r.PeekKind() != jsontext.KindEndArray {
		if err := r.element(s, v); err != nil {
			return err
		}
	}
	_, err := r.ReadToken()
	return err
}

// maxElements is how many elements of a list are kept: ten times what any list
// of the model may have, so that a longer one is still found too long, and its
// millions of elements take no memory.
const maxElements = 1000

// element reads the next element of a list to the end of v. Dropping a null
// would change what is asked for ("these cases" into "all cases"), and no type
// of ours can hold it.
func (r *reader) element(s *shape, v reflect.Value) error {
	if r.fault != nil {
		return r.SkipValue()
	}
	if r.PeekKind() == jsontext.KindNull {
		err := r.SkipValue()
		r.fault = nullElement(r.StackPointer())
		return err
	}
	n := v.Len()
	if n == maxElements {
		return r.SkipValue()
	}
	v.Grow(1)
	v.SetLen(n + 1)
	return r.value(s.item, v.Index(n))
}

func (r *reader) scalar(s *shape, v reflect.Value) error {
	token, err := r.ReadToken()
	if err != nil {
		return err
	}
	switch s.form {
	case text:
		v.SetString(token.String())
	case boolean:
		v.SetBool(token.Bool())
	case integer:
		r.fault = setInteger(v, token.String())
	}
	return nil
}

func (r *reader) blob(v reflect.Value) error {
	raw, err := r.ReadValue()
	if err != nil {
		return err
	}
	content, err := unquote(raw)
	if err != nil {
		return err
	}
	r.fault = setBlob(v, content)
	return nil
}

// unquote returns what a JSON string says, without a copy when nothing in it is
// escaped: a file of five megabytes is one string.
func unquote(raw jsontext.Value) ([]byte, error) {
	if bytes.IndexByte(raw, '\\') < 0 && len(raw) >= 2 {
		return raw[1 : len(raw)-1], nil
	}
	return jsontext.AppendUnquote(nil, raw)
}

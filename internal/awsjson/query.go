package awsjson

import (
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// decodeQuery reads what botocore's generate_presigned_url makes of an input
// (auth.py, SigV4QueryAuth): it moves the members of the JSON body into the
// query and prints each value with Python's str. That is documented nowhere and
// was observed with botocore 1.43.
func decodeQuery(q url.Values, s *shape, v reflect.Value) *Error {
	for _, m := range s.members {
		values, given := q[m.name]
		if !given {
			continue
		}
		if err := m.shape.fromQuery(values, v.Field(m.index)); err != nil {
			return err
		}
	}
	return nil
}

// fromQuery reads the values of one key. A repeated key is how a list is written.
func (s *shape) fromQuery(values []string, v reflect.Value) *Error {
	if s.form == list {
		return s.listFromQuery(values, v)
	}
	if len(values) != 1 {
		return s.mismatch(jsontext.KindBeginArray)
	}
	return s.fromText(values[0], v)
}

func (s *shape) listFromQuery(values []string, v reflect.Value) *Error {
	v.Set(reflect.MakeSlice(v.Type(), len(values), len(values)))
	for i, value := range values {
		if err := s.item.fromText(value, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// fromText reads one value that is not a list into v.
func (s *shape) fromText(value string, v reflect.Value) *Error {
	switch {
	case !utf8.ValidString(value):
		return serialization("") // As in a body.
	case s.form == structure:
		return s.fromLiteral(value, v)
	case s.form == blob:
		return setBlob(v, []byte(value))
	}
	v = settle(v)
	switch {
	case s.form == text:
		v.SetString(value)
	case s.form == integer && isNumber(value):
		return setInteger(v, value)
	case s.form == boolean && (value == "True" || value == "true"):
		v.SetBool(true)
	case s.form == boolean && (value == "False" || value == "false"):
		v.SetBool(false)
	default:
		return s.mismatch(jsontext.KindString)
	}
	return nil
}

// isNumber reports whether value is a JSON number with nothing around it, which
// is less than Go's own functions accept.
func isNumber(value string) bool {
	const digits = "0123456789"
	return value != "" && strings.IndexByte(digits+"-", value[0]) >= 0 &&
		strings.IndexByte(digits, value[len(value)-1]) >= 0 && jsontext.Value(value).IsValid()
}

// fromLiteral reads a structure: a JSON object or else a Python dictionary. The
// two never differ in what they mean, because Python prints a member's name in
// single quotes.
func (s *shape) fromLiteral(value string, v reflect.Value) *Error {
	if value == "" || value[0] != '{' {
		return s.mismatch(jsontext.KindString)
	}
	typeErr, syntax := decode([]byte(value), s, v)
	if syntax == nil {
		return typeErr
	}
	object, ok := dictionary(value)
	if !ok {
		return syntax
	}
	if typeErr, syntax = decode(object, s, v); syntax != nil {
		return syntax
	}
	return typeErr
}

package iam

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// member is one name with its value in the order of the document.
type member struct {
	name  string
	value jsontext.Value
}

// members expects an object that was read before: it cannot fail any more.
func members(object jsontext.Value) (all []member) {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	_, _ = d.ReadToken() // the opening brace
	for d.PeekKind() == '"' {
		name, _ := d.ReadToken()
		m := member{name: name.String()}
		value, _ := d.ReadValue()
		m.value = value.Clone()
		all = append(all, m)
	}
	return all
}

// list returns the elements of an array, or one that is not in an array.
func list(where string, value jsontext.Value) ([]jsontext.Value, error) {
	if value.Kind() != '[' {
		return []jsontext.Value{value}, nil
	}
	var all []jsontext.Value
	if err := json.Unmarshal(value, &all); err != nil || len(all) == 0 {
		return nil, malformed(where, "is an empty list")
	}
	return all, nil
}

func texts(where string, value jsontext.Value) ([]string, error) {
	values, err := list(where, value)
	if err != nil {
		return nil, err
	}
	all := make([]string, len(values))
	for i, v := range values {
		if all[i], err = text(where, v); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func text(where string, value jsontext.Value) (s string, err error) {
	if value.Kind() != '"' {
		return "", malformed(where, "must be a string, not %s", kindName(value))
	}
	err = json.Unmarshal(value, &s)
	return s, err
}

func kindName(value jsontext.Value) string {
	switch value.Kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '0':
		return "a number"
	case 'n':
		return "null"
	case '"':
		return "a string"
	}
	return "a truth value"
}

func jsonProblem(err error) string {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok:
		return "is not JSON"
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Sprintf("%s is there twice", syntax.JSONPointer)
	}
	return fmt.Sprintf("is not JSON: at byte %d: %v", syntax.ByteOffset, syntax.Err)
}

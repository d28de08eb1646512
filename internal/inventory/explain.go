package inventory

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// explained returns an error of reading a line in words of the file: which
// member has which form, and nothing of the types of this program.
func explained(err error) error {
	if wrong, ok := errors.AsType[*jsonv2.SemanticError](err); ok {
		at := strings.ReplaceAll(strings.TrimPrefix(string(wrong.JSONPointer), "/"), "/", ".")
		if at == "" {
			at = "the line"
		}
		return fmt.Errorf("%s: want %s, not %s", at, formOf(wrong.GoType), found(wrong))
	}
	if errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("the line is longer than the %d bytes that are read", maxLine)
	}
	wrong, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok:
		return err
	case !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("not JSON: %s", strings.TrimPrefix(wrong.Error(), "jsontext: "))
	case wrong.ByteOffset == 0:
		return errors.New("the line is empty")
	}
	return errors.New("the line is cut off")
}

// formOf returns what a member has to be.
func formOf(t reflect.Type) string {
	if t == reflect.TypeFor[time.Time]() {
		return "a time such as 2026-01-15T12:00:00Z"
	}
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// found returns what a member is.
func found(wrong *jsonv2.SemanticError) string {
	if at, ok := errors.AsType[*time.ParseError](wrong.Err); ok {
		return strconv.Quote(at.Value)
	}
	if len(wrong.JSONValue) > 0 && len(wrong.JSONValue) < 100 {
		return string(wrong.JSONValue)
	}
	switch wrong.JSONKind {
	case '"':
		return "a text"
	case '0':
		return "a number"
	case '[':
		return "a list"
	case '{':
		return "an object"
	}
	return wrong.JSONKind.String() // true, false, null
}

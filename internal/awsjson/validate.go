package awsjson

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// mostFailures is how many failures AWS lists in one answer.
const mostFailures = 10

// longestEcho is how many characters of a refused value an answer repeats. AWS
// repeats all; this keeps a large request from making a larger answer and lets
// a body slightly too long come back whole.
const longestEcho = 10_000

// failure is one constraint that does not hold. Its path grows from the inside
// out, so that nothing is built for a value that is fine.
type failure struct {
	path, value, text string
}

func (f failure) String() string {
	return fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", f.value, f.path, f.text)
}

// summary returns the failures as AWS prints them, or nil when there are none.
func summary(failures []failure) *Error {
	if len(failures) == 0 {
		return nil
	}
	texts := make([]string, len(failures))
	for i, f := range failures {
		texts[i] = f.String()
	}
	noun := "errors"
	if len(texts) == 1 {
		noun = "error"
	}
	return &Error{
		Kind:    Validation,
		Message: fmt.Sprintf("%d validation %s detected: %s", len(texts), noun, strings.Join(texts, "; ")),
	}
}

// check returns the failures of v and of all it holds.
func (s *shape) check(v reflect.Value) []failure {
	if nullable(v.Type()) && v.IsNil() {
		return s.checkAbsent()
	}
	v = reflect.Indirect(v)
	var found []failure
	for _, r := range s.rules {
		if !r.holds(v) {
			found = append(found, failure{value: "'" + echo(v) + "'", text: r.text})
		}
	}
	switch s.form {
	case list:
		found = s.checkItems(v, found)
	case structure:
		found = s.checkMembers(v, found)
	}
	return found
}

func (s *shape) checkAbsent() []failure {
	if !s.required {
		return nil
	}
	return []failure{{value: "null", text: "Member must not be null"}}
}

func (s *shape) checkItems(v reflect.Value, found []failure) []failure {
	for i := 0; i < v.Len() && len(found) < mostFailures; i++ {
		if more := s.item.check(v.Index(i)); len(more) > 0 {
			found = gather(found, itemPath(i), more)
		}
	}
	return found
}

func (s *shape) checkMembers(v reflect.Value, found []failure) []failure {
	for _, m := range s.members {
		found = gather(found, m.name, m.shape.check(v.Field(m.index)))
	}
	return found
}

// itemPath names the element i of a list as AWS does: counted from one.
func itemPath(i int) string { return strconv.Itoa(i+1) + ".member" }

// gather adds more, which lies at path, to found and keeps the first ten.
func gather(found []failure, path string, more []failure) []failure {
	for _, f := range more {
		if f.path != "" {
			f.path = "." + f.path
		}
		f.path = path + f.path
		found = append(found, f)
	}
	return found[:min(len(found), mostFailures)]
}

// echo prints a refused value as AWS does, up to a limit.
func echo(v reflect.Value) string {
	var b strings.Builder
	write(&b, v)
	return cut(b.String(), longestEcho)
}

// write prints v into b and stops between two elements when there is enough.
func write(b *strings.Builder, v reflect.Value) {
	switch v = reflect.Indirect(v); v.Kind() {
	case reflect.Slice:
		writeList(b, v)
	case reflect.Struct:
		b.WriteString("{…}") // AWS prints Java's name of the object here.
	case reflect.Invalid:
		b.WriteString("null")
	default:
		fmt.Fprint(b, v)
	}
}

func writeList(b *strings.Builder, v reflect.Value) {
	if v.Type() == reflect.TypeFor[[]byte]() {
		fmt.Fprintf(b, "<%d bytes>", v.Len())
		return
	}
	b.WriteByte('[')
	for i := 0; i < v.Len() && b.Len() <= longestEcho*4; i++ {
		if i > 0 {
			b.WriteString(", ")
		}
		write(b, v.Index(i))
	}
	b.WriteByte(']')
}

// cut returns the first n characters of s, with an ellipsis when there are more.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i] + "…"
		}
		n--
	}
	return s
}

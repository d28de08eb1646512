package awsjson

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// rule is one constraint of the model; text is what AWS says when it does not
// hold.
type rule struct {
	text  string
	holds func(v reflect.Value) bool
}

// constrain adds the constraints of a tag to s; see [Codec] for its grammar.
func (s *shape) constrain(tag, place string) {
	for tag != "" {
		var key string
		if strings.HasPrefix(tag, "pattern=") {
			key, tag = tag, ""
		} else {
			key, tag, _ = strings.Cut(tag, ",")
		}
		if err := s.add(key); err != nil {
			panic(fmt.Sprintf("awsjson: %s: constraint %q: %v", place, key, err))
		}
	}
}

func (s *shape) add(key string) error {
	name, value, _ := strings.Cut(key, "=")
	var r rule
	var err error
	switch {
	case key == "required":
		s.required = true
		return nil
	case name == "min" && s.measured():
		r, err = limit(s.form, "greater", value, func(size, n int) bool { return size >= n })
	case name == "max" && s.measured():
		r, err = limit(s.form, "less", value, func(size, n int) bool { return size <= n })
	case name == "enum" && s.form == text:
		r = oneOf(strings.Split(value, "|"))
	case name == "pattern" && s.form == text:
		r, err = match(value)
	default:
		return fmt.Errorf("unknown, or not for %v", s.form)
	}
	s.rules = append(s.rules, r)
	return err
}

func (s *shape) measured() bool {
	return s.form != boolean && s.form != structure
}

func limit(f form, direction, value string, within func(size, n int) bool) (rule, error) {
	n, err := strconv.Atoi(value)
	if err != nil {
		return rule{}, err
	}
	what := "length"
	if f == integer {
		what = "value"
	}
	return rule{
		text:  fmt.Sprintf("Member must have %s %s than or equal to %d", what, direction, n),
		holds: func(v reflect.Value) bool { return within(size(v), n) },
	}, nil
}

// size counts characters, not bytes: Smithy's length trait is about Unicode
// scalar values.
func size(v reflect.Value) int {
	switch v.Kind() {
	case reflect.String:
		return utf8.RuneCountInString(v.String())
	case reflect.Slice:
		return v.Len()
	}
	return int(v.Int())
}

func oneOf(values []string) rule {
	return rule{
		text:  "Member must satisfy enum value set: [" + strings.Join(values, ", ") + "]",
		holds: func(v reflect.Value) bool { return slices.Contains(values, v.String()) },
	}
}

func match(pattern string) (rule, error) {
	// The group keeps an alternative from escaping the anchors; compiling the
	// bare pattern keeps a stray parenthesis from escaping the group.
	if _, err := regexp.Compile(pattern); err != nil {
		return rule{}, err
	}
	whole, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return rule{}, err
	}
	return rule{
		text:  "Member must satisfy regular expression pattern: " + pattern,
		holds: func(v reflect.Value) bool { return whole.MatchString(v.String()) },
	}, nil
}

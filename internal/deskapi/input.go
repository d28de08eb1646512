package deskapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// reader reads the input of an operation from a request.
type reader struct {
	parameters []member
	bodyType   reflect.Type // what the body is decoded into
	body       []int        // the field that it is; nil: the input itself
	files      bool         // the body may carry files
}

// newReader panics when a type cannot be read from a request, which is a mistake
// of this package.
func newReader(t reflect.Type) reader {
	r := reader{bodyType: t}
	for _, field := range reflect.VisibleFields(t) {
		if _, ok := field.Tag.Lookup("body"); ok {
			r.body, r.bodyType = field.Index, field.Type
		}
	}
	for _, m := range membersOf(t) {
		if m.place == "body" {
			continue
		}
		if m.typ != timeType && m.typ.Kind() != reflect.String && m.typ.Kind() != reflect.Int {
			panic(fmt.Sprintf("%s of %s: a parameter cannot be a %s", m.name, t, m.typ))
		}
		r.parameters = append(r.parameters, m)
	}
	for _, m := range membersOf(r.bodyType) {
		r.files = r.files || m.typ == filesType
	}
	return r
}

// hasBody reports whether requests have anything to say in a body.
func (in reader) hasBody() bool {
	return slices.ContainsFunc(membersOf(in.bodyType), func(m member) bool { return m.place == "body" })
}

func (in reader) read(r *http.Request, body []byte, to reflect.Value) error {
	if err := in.readParameters(r, to); err != nil {
		return err
	}
	if len(body) == 0 {
		body = []byte("{}")
	} else if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return errMediaType
	}
	target := to
	if in.body != nil {
		target = to.FieldByIndex(in.body)
	}
	if jsontext.Value(body).Kind() != '{' {
		return errBody.With("The body must be a JSON object.")
	}
	if err := checkValues(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, target.Addr().Interface()); err != nil {
		return malformed(err)
	}
	return checkMembers(body, in.bodyType, "")
}

// maxValues is how many values and names a body has at most that is large for the
// sake of files.
const maxValues = 10_000

// checkValues refuses a large body of many small values: a list of seven million
// empty objects would take fifty times the memory that its text does.
func checkValues(body []byte) error {
	if len(body) <= maxBody {
		return nil
	}
	tokens := jsontext.NewDecoder(bytes.NewBuffer(body))
	for range maxValues {
		if _, err := tokens.ReadToken(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return malformed(err)
		}
	}
	return errBody.With("The body has more than %d values.", maxValues)
}

func (in reader) readParameters(r *http.Request, to reflect.Value) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return errParameter.With("The query cannot be read: %v.", err)
	}
	for _, p := range in.parameters {
		text := r.PathValue(p.name)
		if p.place == "query" {
			values := query[p.name]
			delete(query, p.name)
			if len(values) == 0 {
				continue
			}
			if text = values[0]; len(values) > 1 {
				return errParameter.With("The parameter %s comes more than once.", p.name)
			}
		}
		if err := p.set(to.FieldByIndex(p.index), text); err != nil {
			return err
		}
	}
	for name := range query {
		return errParameter.With("There is no parameter %.100q here.", name)
	}
	return nil
}

func (m member) set(to reflect.Value, text string) error {
	switch {
	case text == "" && m.place == "query":
		return nil
	case !utf8.ValidString(text): // which PostgreSQL does not take
		return errParameter.With("The parameter %s is not in UTF-8.", m.name)
	case m.typ == timeType:
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return errParameter.With("The parameter %s is no time such as 2026-01-31T12:00:00Z: %.100q.", m.name, text)
		}
		to.Set(reflect.ValueOf(at.UTC()))
		return nil
	case m.typ.Kind() == reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return errParameter.With("The parameter %s is no number: %.100q.", m.name, text)
		}
		to.SetInt(int64(n))
		return nil
	}
	if !m.allows(text) {
		return errParameter.With("The parameter %s must be one of %s, not %.100q.", m.name, strings.Join(m.enum, ", "), text)
	}
	to.SetString(text)
	return nil
}

func (m member) allows(text string) bool { return len(m.enum) == 0 || slices.Contains(m.enum, text) }

// malformed says what json found wrong.
func malformed(err error) error {
	if wrong, ok := errors.AsType[*json.SemanticError](err); ok {
		where := pathOf(wrong.JSONPointer)
		if wrong.GoType == timeType {
			return errBody.With("%s must be a time such as 2026-01-31T12:00:00Z.", where)
		}
		if wrong.GoType == nil || wrong.JSONKind == 0 {
			return errBody.With("%s does not fit.", where)
		}
		return errBody.With("%s must be %s, not %s.", where, typeText(wrong.GoType), kindText(wrong.JSONKind))
	}
	if wrong, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return errBody.With("%s comes more than once.", pathOf(wrong.JSONPointer))
		}
		return errBody.With("The body is not JSON: at byte %d, %v.", wrong.ByteOffset, wrong.Err)
	}
	return errBody.With("The body is not JSON.")
}

// pathOf writes a JSON pointer as messages name members: attachments[0].data.
func pathOf(p jsontext.Pointer) string {
	var path strings.Builder
	for token := range p.Tokens() {
		_, err := strconv.Atoi(token)
		switch {
		case err == nil:
			path.WriteString("[" + token + "]")
		case path.Len() > 0:
			path.WriteString("." + token)
		default:
			path.WriteString(token)
		}
	}
	return path.String()
}

func typeText(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return "base64"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		return "an object"
	}
	return "a whole number"
}

func kindText(k jsontext.Kind) string {
	switch k {
	case '"':
		return "this string"
	case '0':
		return "this number"
	case '[':
		return "a list"
	case '{':
		return "an object"
	}
	return k.String()
}

// checkMembers refuses unknown members, missing ones and values that are none of
// those allowed. The text was decoded before: it has the right types.
func checkMembers(value jsontext.Value, t reflect.Type, at string) error {
	switch {
	case value.Kind() == 'n':
		return nil
	case t.Kind() == reflect.Slice && isStruct(t.Elem()):
		var all []jsontext.Value
		if err := json.Unmarshal(value, &all); err != nil {
			return malformed(err)
		}
		for i, one := range all {
			if err := checkMembers(one, t.Elem(), fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		return nil
	case !isStruct(t):
		return nil
	}
	given := map[string]jsontext.Value{}
	if err := json.Unmarshal(value, &given); err != nil {
		return malformed(err)
	}
	if at != "" {
		at += "."
	}
	for _, m := range membersOf(t) {
		if m.place != "body" {
			continue
		}
		if err := m.check(given, at+m.name); err != nil {
			return err
		}
		delete(given, m.name)
	}
	for name := range given {
		return errBody.With("There is no member %.100s here.", at+name)
	}
	return nil
}

func (m member) check(given map[string]jsontext.Value, at string) error {
	value, ok := given[m.name]
	if !ok || value.Kind() == 'n' {
		if m.required {
			return errBody.With("The member %s is missing.", at)
		}
		return nil
	}
	if m.readOnly {
		return nil
	}
	if m.required && string(value) == `""` {
		return errBody.With("The member %s is empty.", at)
	}
	if len(m.enum) > 0 {
		return m.checkEnum(value, at)
	}
	return checkMembers(value, m.typ, at)
}

func (m member) checkEnum(value jsontext.Value, at string) error {
	texts := []string{""}
	var err error
	if m.typ.Kind() == reflect.Slice {
		err = json.Unmarshal(value, &texts)
	} else {
		err = json.Unmarshal(value, &texts[0])
	}
	if err != nil {
		return malformed(err)
	}
	for _, text := range texts {
		if text != "" && !m.allows(text) {
			return errBody.With("The member %s must be one of %s, not %.100q.", at, strings.Join(m.enum, ", "), text)
		}
	}
	return nil
}

package deskapi

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// member is a member of a shape, or a parameter, as its tags describe it:
//
//	json, path, query   its name, and where it stands
//	doc                 a sentence about it
//	enum                what it may be, separated by spaces
//	in                  "required", or "read-only" for what requests may repeat
//	                    from an answer and what is not looked at
//	body                on a field that is the body as a whole
type member struct {
	name     string
	place    string // "body", "path" or "query"
	doc      string
	enum     []string
	required bool // in requests
	readOnly bool
	optional bool // may be missing from answers
	typ      reflect.Type
	index    []int
}

// membersOf returns the members of a struct, with those of embedded ones.
func membersOf(t reflect.Type) []member {
	var all []member
	for _, field := range reflect.VisibleFields(t) {
		if m, ok := newMember(field); ok {
			all = append(all, m)
		}
	}
	return all
}

func newMember(field reflect.StructField) (member, bool) {
	m := member{
		doc: field.Tag.Get("doc"), enum: strings.Fields(field.Tag.Get("enum")),
		required: field.Tag.Get("in") == "required", readOnly: field.Tag.Get("in") == "read-only",
		typ: field.Type, index: field.Index,
	}
	for _, place := range []string{"path", "query"} {
		if name, ok := field.Tag.Lookup(place); ok {
			m.name, m.place = name, place
			m.required = m.required || place == "path"
			return m, true
		}
	}
	name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	if field.Anonymous || name == "" || name == "-" {
		return m, false
	}
	m.name, m.place = name, "body"
	m.optional = slices.Contains(strings.Split(options, ","), "omitzero")
	return m, true
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	valueType = reflect.TypeFor[jsontext.Value]()
	filesType = reflect.TypeFor[[]file]()
)

// isStruct reports whether a type has members of its own.
func isStruct(t reflect.Type) bool { return t.Kind() == reflect.Struct && t != timeType }

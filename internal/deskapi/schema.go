package deskapi

import (
	"fmt"
	"reflect"
	"strings"
)

// schemas are the schemas of types, by name (JSON Schema 2020-12).
type schemas map[string]object

// answer returns the schema of a type in answers, which have every member that
// is not left out when it is zero.
func (s schemas) answer(t reflect.Type) object { return s.of(t, false) }

// request returns the schema of a type in requests, which need the members that
// say so.
func (s schemas) request(t reflect.Type) object { return s.of(t, true) }

func (s schemas) of(t reflect.Type, request bool) object {
	switch {
	case t.Kind() == reflect.Pointer: // what may be missing
		return s.of(t.Elem(), request)
	case t == valueType || t.Kind() == reflect.Interface:
		return object{}
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		return object{"type": "array", "items": s.of(t.Elem(), request)}
	case t.Kind() == reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem(), request)}
	case !isStruct(t):
		return basic(t)
	}
	name := nameOf(t, request)
	if name == "" {
		return s.structure(t, request)
	}
	if _, known := s[name]; !known {
		s[name] = nil // types may hold themselves
		s[name] = s.structure(t, request)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// nameOf is empty for types that have no name of their own, such as lists of one
// thing or another.
func nameOf(t reflect.Type, request bool) string {
	name := t.Name()
	if strings.Contains(name, "[") {
		return ""
	}
	name = strings.ToUpper(name[:1]) + name[1:]
	if request {
		return strings.TrimSuffix(name, "Input") + "Input"
	}
	return name
}

func (s schemas) structure(t reflect.Type, request bool) object {
	properties := object{}
	required := []string{}
	for _, m := range membersOf(t) {
		if m.place != "body" {
			continue
		}
		properties[m.name] = s.member(m, request)
		if request && m.required || !request && !m.optional {
			required = append(required, m.name)
		}
	}
	o := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		o["required"] = required
	}
	if request {
		o["additionalProperties"] = false // answers may get more members in later releases
	}
	return o
}

func (s schemas) member(m member, request bool) object {
	o := withEnum(s.of(m.typ, request), m.enum)
	o["description"] = m.doc
	if m.readOnly && request {
		o["readOnly"] = true
	}
	if request && m.required && m.typ.Kind() == reflect.String && len(m.enum) == 0 {
		o["minLength"] = 1
	}
	return o
}

// withEnum adds what a string, or those in a list, may be.
func withEnum(o object, enum []string) object {
	if len(enum) == 0 {
		return o
	}
	if items, ok := o["items"].(object); ok {
		items["enum"] = enum
	} else {
		o["enum"] = enum
	}
	return o
}

// basic is the schema of a type without parts. It panics for one that has no
// place in JSON, which is a mistake of this package.
func basic(t reflect.Type) object {
	switch {
	case t == timeType:
		return object{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Slice: // of bytes
		return object{"type": "string", "contentEncoding": "base64"}
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int:
		return object{"type": "integer"}
	case reflect.Int64:
		return object{"type": "integer", "format": "int64"}
	}
	panic(fmt.Sprintf("deskapi: no schema of %s", t))
}

func hasRequired(t reflect.Type) bool {
	for _, m := range membersOf(t) {
		if m.place == "body" && m.required {
			return true
		}
	}
	return false
}

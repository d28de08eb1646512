package awsjson

import (
	"fmt"
	"reflect"
	"strings"
)

// form is one of the shapes of the model that inputs of AWS Support are made of.
type form int

const (
	text form = iota + 1
	integer
	boolean
	blob
	list
	structure
)

// String returns the form as the end of "can not be converted to".
func (f form) String() string {
	return [...]string{text: "a String", integer: "an Integer", boolean: "a Boolean", blob: "a Blob", list: "a List", structure: "a Structure"}[f]
}

// shape is the compiled plan of one Go type and the tags of its place.
type shape struct {
	form     form
	required bool
	rules    []rule
	item     *shape   // of a list
	members  []member // of a structure, in the order of its fields
}

type member struct {
	name  string
	index int
	shape *shape
}

// deepest bounds the structures inside structures, so that a type that holds
// itself fails at the start. The inputs of AWS Support use two levels.
const deepest = 8

// member returns the member with the name, or nil. Inputs have up to eleven
// members, too few for a map to win.
func (s *shape) member(name []byte) *member {
	for i := range s.members {
		if s.members[i].name == string(name) {
			return &s.members[i]
		}
	}
	return nil
}

// compile returns the shape of t. Place names it in panics.
func compile(t reflect.Type, place string, depth int) *shape {
	if depth > deepest {
		panic("awsjson: " + place + ": structures are nested too deep")
	}
	s := &shape{form: formOf(t)}
	switch s.form {
	case 0:
		panic(fmt.Sprintf("awsjson: %s: no shape for type %s", place, t))
	case list:
		s.item = compile(t.Elem(), place+".member", depth+1)
	case structure:
		s.members = compileMembers(deref(t), place, depth)
	}
	return s
}

func compileMembers(t reflect.Type, place string, depth int) []member {
	var members []member
	seen := map[string]bool{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		here := place + "." + f.Name
		if !f.IsExported() || name == "" || name == "-" || seen[name] {
			panic("awsjson: " + here + ": a member is exported and has a json name of its own")
		}
		if !nullable(f.Type) {
			panic("awsjson: " + here + ": a member is a pointer or a slice")
		}
		seen[name] = true
		s := compile(f.Type, here, depth+1)
		s.constrain(f.Tag.Get("constraint"), here)
		constrainItem(s, f.Tag.Get("item"), here)
		members = append(members, member{name: name, index: f.Index[0], shape: s})
	}
	return members
}

func constrainItem(s *shape, tag, place string) {
	if tag == "" {
		return
	}
	if s.form != list {
		panic("awsjson: " + place + ": the item tag is for lists")
	}
	s.item.constrain(tag, place+".member")
	if s.item.required {
		panic("awsjson: " + place + ": a list never holds null")
	}
}

func formOf(t reflect.Type) form {
	switch t = deref(t); {
	case t.Kind() == reflect.String:
		return text
	case t.Kind() == reflect.Int32:
		return integer
	case t.Kind() == reflect.Bool:
		return boolean
	case t == reflect.TypeFor[[]byte]():
		return blob
	case t.Kind() == reflect.Slice:
		return list
	case t.Kind() == reflect.Struct:
		return structure
	}
	return 0
}

// deref returns what a pointer points to. Pointers to slices have no use: they
// keep their type and get no form.
func deref(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer && t.Elem().Kind() != reflect.Slice {
		return t.Elem()
	}
	return t
}

func nullable(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice
}

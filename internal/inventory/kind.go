package inventory

import (
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind describes the resources of one kind.
type Kind struct {
	Name    string   // the service and the resource, such as ec2.volume
	Global  bool     // its resources belong to no region
	Actions []string // what is called for every resource, as in IAM policies: ec2:DescribeVolumes
	Type    *Type    // the attributes; a Struct
}

// Kinds are kinds by name.
type Kinds map[string]Kind

// Form is what kind of value a [Type] describes.
type Form int

// The forms. Any is a value of which nothing is known.
const (
	Any Form = iota
	String
	Int
	Double
	Bool
	Timestamp
	List
	Map // from strings to Elem
	Struct
)

// Type is the type of an attribute.
type Type struct {
	Form Form
	Name string // of a Struct, such as ec2.Volume
	Elem *Type  // of a List and a Map

	of     reflect.Type
	once   sync.Once
	fields []Field
}

// Field is an attribute of a Struct.
type Field struct {
	Name string
	Type *Type
	// Part names the actions that a call of its own, for every resource, needs
	// to learn the attribute; empty for what comes with the resource. It is
	// known of the attributes of a kind, not of those inside them.
	Part string
	// Doc explains an attribute that the API does not have.
	Doc string
}

// TypeOf returns the type that values of a Go type have as plain data: structs
// by the names of their exported fields, those of embedded structs among them.
// A field's tag part:"s3:GetBucketAcl" makes it a part, doc:"…" explains it.
func TypeOf(t reflect.Type) *Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if known, ok := types.Load(t); ok {
		return known.(*Type)
	}
	made, _ := types.LoadOrStore(t, newType(t))
	return made.(*Type)
}

// StructOf returns a struct with a name and fields.
func StructOf(name string, fields ...Field) *Type {
	t := &Type{Form: Struct, Name: name, fields: fields}
	t.sort()
	return t
}

// types has the Type of every Go type that was asked for, so that a type that
// contains itself has an end.
var types sync.Map

func newType(t reflect.Type) *Type {
	switch t {
	case reflect.TypeFor[time.Time]():
		return &Type{Form: Timestamp}
	case reflect.TypeFor[[]byte]():
		return &Type{Form: String} // base64
	}
	switch t.Kind() {
	case reflect.String:
		return &Type{Form: String}
	case reflect.Bool:
		return &Type{Form: Bool}
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		return &Type{Form: Int}
	case reflect.Float32, reflect.Float64:
		return &Type{Form: Double}
	case reflect.Slice:
		return &Type{Form: List, Elem: TypeOf(t.Elem())}
	case reflect.Map:
		return &Type{Form: Map, Elem: TypeOf(t.Elem())}
	case reflect.Struct:
		return &Type{Form: Struct, Name: structName(t), of: t}
	}
	return &Type{Form: Any}
}

// structName is the service and the type's name: types of the AWS SDK for
// volumes are in …/service/ec2/types, and are called ec2.Volume here.
func structName(t reflect.Type) string {
	return path.Base(strings.TrimSuffix(t.PkgPath(), "/types")) + "." + t.Name()
}

// Fields returns the fields of a Struct, sorted by name.
func (t *Type) Fields() []Field {
	t.once.Do(func() {
		if t.of != nil {
			t.fields = fieldsOf(t.of)
			t.sort()
		}
	})
	return t.fields
}

func (t *Type) sort() {
	slices.SortFunc(t.fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
}

func fieldsOf(t reflect.Type) (fields []Field) {
	for _, f := range visibleFields(t) {
		fields = append(fields, Field{Name: f.Name, Type: TypeOf(f.Type), Part: f.Tag.Get("part"), Doc: f.Tag.Get("doc")})
	}
	return fields
}

// visible has the fields of every struct type that was asked for.
var visible sync.Map

// visibleFields returns the exported fields of a struct and of structs embedded
// in it, except those that an outer field of the same name hides. Embedded
// pointers count as fields.
func visibleFields(t reflect.Type) []reflect.StructField {
	if known, ok := visible.Load(t); ok {
		return known.([]reflect.StructField)
	}
	fields := []reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Name == "ResultMetadata" || f.Anonymous && f.Type.Kind() == reflect.Struct || throughPointer(t, f.Index) {
			continue
		}
		fields = append(fields, f)
	}
	visible.Store(t, fields)
	return fields
}

// throughPointer reports whether a field is one of a struct that is embedded by
// a pointer, or whose embedding type is not exported.
func throughPointer(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		f := t.Field(i)
		if f.Type.Kind() == reflect.Pointer || !f.IsExported() {
			return true
		}
		t = f.Type
	}
	return false
}

// Field returns the field of a Struct with a name.
func (t *Type) Field(name string) (Field, bool) {
	fields := t.Fields()
	i, found := slices.BinarySearchFunc(fields, name, func(f Field, name string) int { return strings.Compare(f.Name, name) })
	if !found {
		return Field{}, false
	}
	return fields[i], true
}

// String returns the type as check authors read it: list(ec2.Tag), int.
func (t *Type) String() string {
	switch t.Form {
	case String:
		return "string"
	case Int:
		return "int"
	case Double:
		return "double"
	case Bool:
		return "bool"
	case Timestamp:
		return "timestamp"
	case List:
		return "list(" + t.Elem.String() + ")"
	case Map:
		return "map(string, " + t.Elem.String() + ")"
	case Struct:
		return t.Name
	}
	return "dyn"
}

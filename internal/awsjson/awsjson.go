// Package awsjson is the AWS JSON 1.1 protocol as a codec: it reads the input
// of an operation from a request body or from the query of a presigned URL,
// checks the constraints of the model, and writes outputs, in AWS's words and
// byte for byte in AWS's form where these are known.
//
// It does not know HTTP, operations or signatures, and it does not decide what
// an error looks like on the wire: the caller puts kind and message into a body.
package awsjson

import (
	"net/url"
	"reflect"
)

// Kind says which exception of the protocol an error is.
type Kind int

const (
	// Serialization means that the input could not be read.
	Serialization Kind = iota + 1
	// Validation means that the input was read and breaks the model's constraints.
	Validation
)

// String returns the name of the exception on the wire.
func (k Kind) String() string {
	if k == Validation {
		return "ValidationException"
	}
	return "SerializationException"
}

// Error is why an input is refused. An empty Message means that the answer
// carries none, not that it carries an empty one.
type Error struct {
	Kind    Kind
	Message string
}

// Error returns the name of the exception and the message for the caller.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Kind.String()
	}
	return e.Kind.String() + ": " + e.Message
}

func serialization(message string) *Error {
	return &Error{Kind: Serialization, Message: message}
}

// Codec reads and checks inputs of type T, a struct. It is made once for each
// operation and is safe for concurrent use.
//
// Every field has a json tag with the member's name and one of the types
// *string, *int32, *bool, []byte (a blob), []S or *S where S is string or again
// such a struct. A nil field is an absent member; JSON null counts as absent.
//
// Constraints are declared in two tags: constraint for the member and item for
// the elements of a list. Both hold a list of keys separated by commas:
//
//	required          Member must not be null (not in item)
//	min=N, max=N      characters of a string, elements of a list, bytes of a
//	                  blob, value of an integer
//	enum=A|B|C        the values a string may have
//	pattern=REGEXP    what a whole string matches; last, as it may hold commas
//
// For example:
//
//	ServiceCodeList []string `json:"serviceCodeList" constraint:"max=100" item:"pattern=[0-9a-z\\-_]+"`
type Codec[T any] struct {
	shape *shape
}

// NewCodec compiles the tags of T. It panics when one is wrong, which is a
// mistake of the program and shows at its start.
func NewCodec[T any]() *Codec[T] {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		panic("awsjson: " + t.String() + " is not a struct")
	}
	return &Codec[T]{shape: compile(t, t.String(), 0)}
}

// Decode reads the JSON object that body holds into in, which is zero before.
//
// A fault of the text itself (broken JSON, invalid UTF-8 or half a surrogate
// pair, something after the document, anything but an object) is returned as
// syntax and alone. A member of the wrong type is returned as typeErr, the first
// in the order of the document. They are two because AWS looks at authorization
// between them. After either the content of in has no meaning.
//
// Unknown members are ignored; of a repeated member the last one counts. A null
// in a list has no place in Go's types and is returned as typeErr of the kind
// Validation. Body is not changed and not kept.
func (c *Codec[T]) Decode(body []byte, in *T) (typeErr, syntax *Error) {
	return decode(body, c.shape, reflect.ValueOf(in).Elem())
}

// DecodeQuery reads the members of a presigned URL into in, which is zero
// before: scalars as text, lists as repeated keys, structures as a Python
// dictionary or a JSON object. Parameters that are no members are ignored. The
// first fault in the order of the fields of T is returned.
func (c *Codec[T]) DecodeQuery(q url.Values, in *T) *Error {
	return decodeQuery(q, c.shape, reflect.ValueOf(in).Elem())
}

// Validate checks the constraints of T and returns up to ten failures, in the
// order of the fields, as one error, or nil.
func (c *Codec[T]) Validate(in *T) *Error {
	return summary(c.shape.check(reflect.ValueOf(in).Elem()))
}

// CheckSyntax returns the error that Decode returns as syntax, for a body whose
// operation is unknown.
func CheckSyntax(body []byte) *Error {
	_, syntax := decode(body, &shape{form: structure}, reflect.Value{})
	return syntax
}

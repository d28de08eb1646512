package awsjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// FuzzDecode checks that whatever is read can be written and read again, and
// that CheckSyntax and another JSON decoder agree about the text.
func FuzzDecode(f *testing.F) {
	codec := NewCodec[caseInput]()
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		var in caseInput
		typeErr, syntax := codec.Decode(body, &in)
		if !bytes.Equal(before, body) {
			t.Fatalf("Decode changed the body to %q", body)
		}
		if again := CheckSyntax(body); !cmp.Equal(syntax, again) {
			t.Fatalf("CheckSyntax = %v, Decode = %v", again, syntax)
		}
		if syntax == nil && !json.Valid(body) {
			t.Fatal("Decode reads what encoding/json refuses")
		}
		if typeErr != nil && syntax != nil {
			t.Fatalf("Decode = %v, %v, want one error", typeErr, syntax)
		}
		if typeErr == nil && syntax == nil {
			roundTrip(t, codec, &in)
		}
	})
}

// roundTrip writes in, reads it back and compares. The lists of caseInput say
// omitzero, so that even absent and empty stay apart.
func roundTrip(t *testing.T, codec *Codec[caseInput], in *caseInput) {
	t.Helper()
	body, err := Encode(in)
	if err != nil {
		t.Fatalf("Encode = %v", err)
	}
	var again caseInput
	if typeErr, syntax := codec.Decode(body, &again); typeErr != nil || syntax != nil {
		t.Fatalf("Decode(%s) = %v, %v", body, typeErr, syntax)
	}
	if diff := cmp.Diff(in, &again); diff != "" {
		t.Fatalf("Decode(%s) (-want +got):\n%s", body, diff)
	}
	first, second := codec.Validate(in), codec.Validate(&again)
	if !cmp.Equal(first, second) {
		t.Fatalf("Validate = %v, then %v", first, second)
	}
}

// FuzzDecodeQuery checks that whatever is read from a query can be written as
// JSON and read again.
func FuzzDecodeQuery(f *testing.F) {
	codec := NewCodec[caseInput]()
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		var in caseInput
		if codec.DecodeQuery(q, &in) == nil {
			roundTrip(t, codec, &in)
		}
	})
}

// FuzzPythonLiteral checks that a dictionary that is read, printed as Python
// prints it and read again is the same.
func FuzzPythonLiteral(f *testing.F) {
	f.Fuzz(func(t *testing.T, literal string) {
		object, ok := dictionary(literal)
		if !ok {
			return
		}
		if !utf8.Valid(object) {
			t.Fatalf("dictionary = %q, which is not UTF-8", object)
		}
		if !jsontext.Value(object).IsValid(jsontext.AllowDuplicateNames(true)) {
			return // A number such as 007; the JSON decoder says so.
		}
		printed := repr(t, object)
		again, ok := dictionary(printed)
		if !ok || !bytes.Equal(object, again) {
			t.Fatalf("dictionary(%s) = %q, %v, want %q", printed, again, ok, object)
		}
	})
}

// repr prints a flat JSON object as Python's repr prints the dictionary.
func repr(t *testing.T, object []byte) string {
	t.Helper()
	var b strings.Builder
	dec := jsontext.NewDecoder(bytes.NewReader(object), jsontext.AllowDuplicateNames(true))
	for i := 0; dec.PeekKind() != 0; i++ {
		token, err := dec.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		switch token.Kind() {
		case '{':
			b.WriteString("{")
			i = -1
		case '}':
			b.WriteString("}")
		default:
			b.WriteString(separator(i) + reprToken(token))
		}
	}
	return b.String()
}

func separator(i int) string {
	switch {
	case i == 0:
		return ""
	case i%2 == 0:
		return ", "
	}
	return ": "
}

func reprToken(token jsontext.Token) string {
	switch token.Kind() {
	case 'n':
		return "None"
	case 't':
		return "True"
	case 'f':
		return "False"
	case '0':
		return token.String()
	}
	return reprText(token.String())
}

func reprText(s string) string {
	quote := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = `"`
	}
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '\\' || string(c) == quote:
			b.WriteString(`\` + string(c))
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c == 0x2028:
			b.WriteString(`\u2028`)
		case c > 0xffff && c&1 == 0:
			fmt.Fprintf(&b, `\U%08x`, c)
		default:
			b.WriteRune(c)
		}
	}
	return quote + b.String() + quote
}

package awsjson

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// longestBlobEcho is how many characters of a refused blob an answer repeats.
// AWS repeats all of it, which here would be megabytes.
const longestBlobEcho = 256

// alphabet is the standard one of RFC 4648, section 4.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// accepts reports whether a value of the kind found can be of the shape s.
func (s *shape) accepts(found jsontext.Kind) bool {
	switch s.form {
	case text, blob:
		return found == jsontext.KindString
	case integer:
		return found == jsontext.KindNumber
	case boolean:
		return found == jsontext.KindTrue || found == jsontext.KindFalse
	case list:
		return found == jsontext.KindBeginArray
	}
	return found == jsontext.KindBeginObject
}

// mismatch returns AWS's text for a value of the wrong kind. That one of the two
// sentences about a start has a full stop is AWS's way.
func (s *shape) mismatch(found jsontext.Kind) *Error {
	switch {
	case found == jsontext.KindBeginArray:
		return serialization("Start of list found where not expected")
	case found == jsontext.KindBeginObject:
		return serialization("Start of structure or map found where not expected.")
	case s.form == list:
		return serialization("Expected list or null")
	case s.form == structure:
		return serialization("Expected null")
	}
	return serialization(fmt.Sprintf("%s can not be converted to %v", valueName(found), s.form))
}

func valueName(found jsontext.Kind) string {
	switch found {
	case jsontext.KindString:
		return "STRING_VALUE"
	case jsontext.KindNumber:
		return "NUMBER_VALUE"
	case jsontext.KindTrue:
		return "TRUE_VALUE"
	}
	return "FALSE_VALUE"
}

// nullElement is the error for a null in a list, which at is the place of.
func nullElement(at jsontext.Pointer) *Error {
	var steps []string
	for step := range at.Tokens() {
		// No member of the model has digits for a name.
		if i, err := strconv.Atoi(step); err == nil {
			step = itemPath(i)
		}
		steps = append(steps, step)
	}
	return summary([]failure{{path: strings.Join(steps, "."), value: "null", text: "Member must not be null"}})
}

// setInteger sets v to a JSON number, cut to its whole part as AWS does. AWS's
// text for a number out of range is not known; this one is Jackson's, the parser
// whose token names AWS's other texts show.
func setInteger(v reflect.Value, number string) *Error {
	n, err := strconv.ParseInt(number, 10, 32)
	if err == nil {
		v.SetInt(n)
		return nil
	}
	f, _ := strconv.ParseFloat(number, 64) // Beyond a float it is infinite.
	if f = math.Trunc(f); f < math.MinInt32 || f > math.MaxInt32 {
		return serialization(fmt.Sprintf("Numeric value (%s) out of range of int (%d - %d)",
			cut(number, longestBlobEcho), math.MinInt32, math.MaxInt32))
	}
	v.SetInt(int64(f))
	return nil
}

// setBlob sets v to what the standard alphabet with padding encodes in content.
// Bits of the last character that encode nothing may be set, as most decoders
// allow.
func setBlob(v reflect.Value, content []byte) *Error {
	if len(content)%4 != 0 {
		return badBlob(content, fmt.Sprintf("Base64 encoded length is expected a multiple of 4 bytes but found: %d", len(content)))
	}
	data := make([]byte, base64.StdEncoding.DecodedLen(len(content)))
	n, err := base64.StdEncoding.Decode(data, content)
	padding := len(content) - len(bytes.TrimRight(content, "="))
	// Go skips line ends and AWS does not; then less comes out than went in.
	if err != nil || n != len(data)-padding {
		return badBlob(content, fmt.Sprintf("Invalid Base64 character: '%c'", stray(content)))
	}
	v.SetBytes(data[:n])
	return nil
}

// stray returns the first character that makes content no base64: one outside
// the alphabet, or padding that is not the end.
func stray(content []byte) rune {
	body := bytes.TrimRight(content, "=")
	body = content[:max(len(body), len(content)-2)]
	i := bytes.IndexFunc(body, func(c rune) bool { return !strings.ContainsRune(alphabet, c) })
	c, _ := utf8.DecodeRune(content[max(i, 0):])
	return c
}

func badBlob(content []byte, reason string) *Error {
	value := content[:min(len(content), utf8.UTFMax*(longestBlobEcho+1))]
	return serialization("'" + cut(string(value), longestBlobEcho) + "' can not be converted to a Blob: " + reason)
}

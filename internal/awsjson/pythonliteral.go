package awsjson

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// dictionary translates a Python dictionary as Python's repr prints it into a
// JSON object: strings as keys; strings, whole numbers, True, False and None as
// values, and so nothing inside anything. The JSON decoder then judges the rest,
// such as the form of a number.
//
// The language is Python's, "Lexical analysis", sections "String and Bytes
// literals" and "Escape sequences", cut down to what repr makes of a str: no
// prefixes, no octal and named escapes, no comments, no comma at the end.
func dictionary(s string) (object []byte, ok bool) {
	p := python{rest: s}
	if !p.take('{') {
		return nil, false
	}
	p.object = append(make([]byte, 0, len(s)+2), '{')
	if !p.take('}') && !p.items() {
		return nil, false
	}
	return append(p.object, '}'), p.rest == ""
}

// python reads from rest and writes to object.
type python struct {
	rest   string
	object []byte
}

// take consumes c and the blanks before it, when it comes next.
func (p *python) take(c byte) bool {
	rest := strings.TrimLeft(p.rest, " ")
	if rest == "" || rest[0] != c {
		return false
	}
	p.rest = rest[1:]
	return true
}

// items reads everything after the opening brace, the closing one included.
func (p *python) items() bool {
	for {
		if !p.text() || !p.take(':') {
			return false
		}
		p.object = append(p.object, ':')
		if !p.value() {
			return false
		}
		if p.take('}') {
			return true
		}
		if !p.take(',') {
			return false
		}
		p.object = append(p.object, ',')
	}
}

func (p *python) value() bool {
	p.rest = strings.TrimLeft(p.rest, " ")
	if strings.HasPrefix(p.rest, "'") || strings.HasPrefix(p.rest, `"`) {
		return p.text()
	}
	end := strings.IndexAny(p.rest, ",}")
	if end < 0 {
		return false
	}
	word := strings.Trim(p.rest[:end], " ")
	p.rest = p.rest[end:]
	return p.word(word)
}

func (p *python) word(word string) bool {
	switch word {
	case "True":
		word = "true"
	case "False":
		word = "false"
	case "None":
		word = "null"
	default:
		digits := strings.TrimPrefix(word, "-")
		if digits == "" || strings.Trim(digits, "0123456789") != "" {
			return false
		}
	}
	p.object = append(p.object, word...)
	return true
}

// text reads a string in either kind of quotes.
func (p *python) text() bool {
	var quote byte
	switch {
	case p.take('\''):
		quote = '\''
	case p.take('"'):
		quote = '"'
	default:
		return false
	}
	content, ok := p.unescape(quote)
	if !ok {
		return false
	}
	var err error
	p.object, err = jsontext.AppendQuote(p.object, content)
	return err == nil
}

// unescape reads up to and over the quote.
func (p *python) unescape(quote byte) (content []byte, ok bool) {
	stops := string(quote) + "\\\n\r\x00" // Raw line ends and NUL are not in a literal.
	for {
		i := strings.IndexAny(p.rest, stops)
		if i < 0 {
			return nil, false
		}
		content = append(content, p.rest[:i]...)
		stop := p.rest[i]
		p.rest = p.rest[i+1:]
		if stop == quote {
			return content, true
		}
		c, ok := p.escaped(stop)
		if !ok {
			return nil, false
		}
		content = utf8.AppendRune(content, c)
	}
}

// escaped reads what follows a backslash.
func (p *python) escaped(stop byte) (c rune, ok bool) {
	if stop != '\\' || p.rest == "" {
		return 0, false
	}
	letter := p.rest[0]
	p.rest = p.rest[1:]
	switch letter {
	case '\\', '\'', '"':
		return rune(letter), true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'x':
		return p.hex(2)
	case 'u':
		return p.hex(4)
	case 'U':
		return p.hex(8)
	}
	return 0, false
}

// hex reads a character of so many digits. Half a surrogate pair, which a Python
// string may hold and UTF-8 may not, is refused.
func (p *python) hex(digits int) (c rune, ok bool) {
	if len(p.rest) < digits {
		return 0, false
	}
	n, err := strconv.ParseUint(p.rest[:digits], 16, 31)
	p.rest = p.rest[digits:]
	return rune(n), err == nil && utf8.ValidRune(rune(n))
}

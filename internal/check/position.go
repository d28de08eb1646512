package check

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile is how long a file of a check may be.
const maxFile = 1 << 20

// decode reads a file of one YAML document. Its errors have file, line and
// column.
func decode(file string, text []byte, v any) error {
	if len(text) > maxFile {
		return fmt.Errorf("%s: the file has %d bytes, and at most %d are read", file, len(text), maxFile)
	}
	if bytes.HasPrefix(text, []byte("\ufeff")) {
		return fmt.Errorf("%s:1:1: the file begins with a byte order mark: save it as UTF-8 without one", file)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField())
	err := decoder.Decode(v)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s:1:1: the file is empty", file)
	}
	var wrong yaml.Error
	if errors.As(err, &wrong) && wrong.GetToken() != nil {
		at := wrong.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", file, at.Line, at.Column, explained(wrong))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: more than one document: the second would not be read", file)
	}
	return nil
}

// explained returns what is wrong in words of the file, and nothing of the types
// of this program.
func explained(err yaml.Error) string {
	var want, got string
	switch err := err.(type) {
	case *yaml.TypeError:
		want, got = formOf(err.DstType), formOf(err.SrcType)
	case *yaml.OverflowError:
		want, got = formOf(err.DstType), err.SrcNum
	case *yaml.UnexpectedNodeTypeError:
		want, got = nodeForm(err.Expected), nodeForm(err.Actual)
	default:
		return err.GetMessage()
	}
	text := fmt.Sprintf("want %s, not %s", want, got)
	if colon := err.GetToken().Prev; colon != nil && colon.Type == token.MappingValueType && colon.Prev != nil {
		text = colon.Prev.Value + ": " + text
	}
	return text
}

func formOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "a mapping"
}

func nodeForm(t ast.NodeType) string {
	switch t {
	case ast.MappingType, ast.MappingValueType:
		return "a mapping"
	case ast.SequenceType:
		return "a list"
	case ast.StringType, ast.LiteralType:
		return "a text"
	case ast.IntegerType, ast.FloatType, ast.InfinityType, ast.NanType:
		return "a number"
	case ast.BoolType:
		return "true or false"
	}
	return "what is here"
}

// readFile reads a file of a check. What is no file, such as a pipe, would never
// end.
func readFile(folder fs.FS, file string) ([]byte, error) {
	info, err := fs.Stat(folder, file)
	if err != nil {
		return nil, fileError(file, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: it is not a file", file)
	}
	return fs.ReadFile(folder, file)
}

// fileError returns an error of the system with its file in front, as others
// have it.
func fileError(file string, err error) error {
	if wrong, ok := errors.AsType[*fs.PathError](err); ok {
		err = wrong.Err
	}
	return fmt.Errorf("%s: %w", file, err)
}

// refuseAliases refuses YAML's aliases in what a server reads: a few of them
// make gigabytes of a kilobyte.
func refuseAliases(file string, text []byte) error {
	if !bytes.ContainsRune(text, '&') || !bytes.ContainsRune(text, '*') {
		return nil
	}
	for _, t := range lexer.Tokenize(string(text)) {
		if t.Type == token.AliasType || t.Type == token.AnchorType {
			return fmt.Errorf("%s:%d:%d: anchors and aliases are not read", file, t.Position.Line, t.Position.Column)
		}
	}
	return nil
}

// place returns file, line and column of a field at the top of a YAML file, and
// the file's beginning where it does not have the field.
func place(file string, text []byte, field string) string {
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil || len(parsed.Docs) == 0 {
		return file + ":1:1"
	}
	mapping, ok := parsed.Docs[0].Body.(ast.MapNode)
	if !ok {
		return file + ":1:1"
	}
	for i := mapping.MapRange(); i.Next(); {
		if i.Key().GetToken().Value == field {
			at := i.Value().GetToken().Position
			return fmt.Sprintf("%s:%d:%d", file, at.Line, at.Column)
		}
	}
	return file + ":1:1"
}

// source is a file with expressions.
type source struct {
	folder fs.FS
	file   string
}

// place returns file, line and column of the character at an offset of an
// expression. The file is read again: places are told of what is wrong only.
func (s source) place(x expression, offset int) string {
	line, column := x.Line, x.Column
	if text, err := fs.ReadFile(s.folder, s.file); err == nil {
		line, column = x.find(strings.Split(string(text), "\n"), offset)
	}
	return fmt.Sprintf("%s:%d:%d", s.file, line, column)
}

// issues turns CEL's positions in an expression into positions in the file.
func (s source) issues(what string, x expression, issues *cel.Issues) error {
	lines := strings.SplitAfter(x.Text, "\n")
	var errs []error
	for _, e := range issues.Errors() {
		offset := e.Location.Column()
		for _, line := range lines[:min(max(e.Location.Line()-1, 0), len(lines))] {
			offset += len([]rune(line))
		}
		errs = append(errs, fmt.Errorf("%s: %s: %s", s.place(x, offset), what, e.Message))
	}
	return errors.Join(errs...)
}

// find looks for the character at an offset of the expression in the lines of
// its file. YAML folds lines and takes indentation away, but leaves the order
// of what is not white space; so that is counted, here and there.
func (x expression) find(lines []string, offset int) (line, column int) {
	text := []rune(x.Text)
	offset = min(max(offset, 0), len(text))
	before := 0
	for _, r := range text[:offset] {
		if !unicode.IsSpace(r) {
			before++
		}
	}
	past := strings.TrimSpace(string(text[offset:])) == ""
	s := scalar{lines: lines, line: x.Line - 1, column: x.Column - 1, style: x.style}
	if x.style == '|' || x.style == '>' {
		s.line, s.column = s.line+1, 0
	} else if x.style != 0 {
		s.column++
	}
	line, column = x.Line, x.Column
	for range before {
		if !s.next() {
			return line, column
		}
		line, column = s.line+1, s.column+1 // behind the character
	}
	if !past && s.next() {
		return s.atLine + 1, s.atColumn + 1
	}
	return line, column
}

// scalar walks over the characters of a YAML scalar that are not white space.
type scalar struct {
	lines            []string
	line, column     int // what comes next, from 0
	style            rune
	atLine, atColumn int // what next found
}

func (s *scalar) next() bool {
	for s.line < len(s.lines) {
		line := []rune(s.lines[s.line])
		if s.column >= len(line) {
			s.line, s.column = s.line+1, 0
			continue
		}
		width, blank := s.width(line[s.column:])
		s.atLine, s.atColumn = s.line, s.column
		s.column += width
		if !blank {
			return true
		}
	}
	return false
}

// width returns how many characters of the file make the next one of the
// scalar, and whether that is white space.
func (s *scalar) width(rest []rune) (width int, blank bool) {
	switch {
	case s.style == '\'' && rest[0] == '\'' && len(rest) > 1 && rest[1] == '\'':
		return 2, false
	case s.style == '"' && rest[0] == '\\' && len(rest) > 1:
		switch rest[1] {
		case 'x':
			return 4, false
		case 'u':
			return 6, false
		case 'U':
			return 10, false
		}
		return 2, strings.ContainsRune("ntrvf \t_NLP", rest[1])
	case s.style == '"' && rest[0] == '\\':
		return 1, true // the line goes on in the next one
	}
	return 1, unicode.IsSpace(rest[0])
}

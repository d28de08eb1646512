package testmode

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile is how long a seed or a script may be: attachments are in it.
const maxFile = 64 << 20

// document is a YAML file with the places of its values, and what is wrong with
// them.
type document struct {
	name   string // what the file is, in errors
	root   ast.Node
	wrongs []wrong
}

// wrong is something to mend in a file.
type wrong struct {
	line, column int
	text         string
}

// byteOrderMark is what some editors write before a text in UTF-8.
const byteOrderMark = "\ufeff"

// readDocument reads a file of one YAML document into v. An empty one leaves v
// as it is. Errors begin with name, line and column; one has all names and values
// that v has no room for.
func readDocument(name string, text []byte, v any) (*document, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: the file has %d bytes, and at most %d are read", name, len(text), maxFile)
	}
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	if err := refuseMonsters(name, text); err != nil {
		return nil, err
	}
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, placed(name, err)
	}
	d := &document{name: name}
	for _, one := range parsed.Docs {
		if one.Body == nil || one.Body.Type() == ast.DirectiveType {
			continue
		}
		if d.root != nil {
			return nil, fmt.Errorf("%s: more than one document: the second would not be read", name)
		}
		d.root = one.Body
	}
	if d.root == nil {
		return d, nil
	}
	d.top().fit(reflect.TypeOf(v).Elem())
	if err := d.err(); err != nil {
		return nil, err
	}
	if err := yaml.NodeToValue(d.root, v); err != nil {
		return nil, placed(name, err)
	}
	return d, nil
}

// maxNesting is how deep the values of a file may stand in each other. The parser's
// time grows with the square of it. Policies have the deepest ones that there are.
const maxNesting = 64

// refuseMonsters refuses what makes hours or gigabytes of a kilobyte: YAML's
// aliases, and values that stand in each other without end.
func refuseMonsters(name string, text []byte) error {
	var n nesting
	for _, t := range lexer.Tokenize(string(text)) {
		if t.Type == token.AliasType || t.Type == token.AnchorType {
			return fmt.Errorf("%s:%d:%d: anchors and aliases are not read", name, t.Position.Line, t.Position.Column)
		}
		if n.follow(t) > maxNesting {
			return fmt.Errorf("%s:%d:%d: more than %d values stand in each other here", name, t.Position.Line, t.Position.Column, maxNesting)
		}
	}
	return nil
}

// nesting is how deep a file is at a token.
type nesting struct {
	brackets int
	columns  []int // where the lists and names begin that go on
}

// follow goes on to a token, and returns how deep it is there.
func (n *nesting) follow(t *token.Token) int {
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType:
		n.brackets++
	case token.SequenceEndType, token.MappingEndType:
		n.brackets = max(n.brackets-1, 0)
	case token.SequenceEntryType, token.MappingKeyType:
		n.begin(t.Position.Column)
	case token.MappingValueType:
		if t.Prev != nil && t.Prev.Position.Line == t.Position.Line {
			n.begin(t.Prev.Position.Column)
		}
	}
	return n.brackets + len(n.columns)
}

// begin notes what begins in a column, unless that is between brackets, which end
// by themselves. It ends what began there or more to the right.
func (n *nesting) begin(column int) {
	if n.brackets > 0 {
		return
	}
	for len(n.columns) > 0 && n.columns[len(n.columns)-1] >= column {
		n.columns = n.columns[:len(n.columns)-1]
	}
	n.columns = append(n.columns, column)
}

// placed puts line and column before an error of the YAML package.
func placed(name string, err error) error {
	var found yaml.Error
	if !errors.As(err, &found) || found.GetToken() == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	at := found.GetToken().Position
	return fmt.Errorf("%s:%d:%d: %s", name, at.Line, at.Column, found.GetMessage())
}

// err returns everything that is wrong, in the order of the file.
func (d *document) err() error {
	slices.SortStableFunc(d.wrongs, func(a, b wrong) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return a.column - b.column
	})
	var lines []string
	for _, w := range d.wrongs {
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", d.name, w.line, w.column, w.text))
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// top returns the place of the whole file.
func (d *document) top() place { return place{doc: d, node: d.root} }

// place is a value of a document. The place of what the file leaves out is that
// of what it is missing in.
type place struct {
	doc  *document
	node ast.Node
}

// in returns the place of a field.
func (p place) in(field string) place {
	mapping, ok := p.node.(ast.MapNode)
	if !ok {
		return p
	}
	for i := mapping.MapRange(); i.Next(); {
		if i.Key().GetToken().Value == field {
			return place{p.doc, i.Value()}
		}
	}
	return p
}

// item returns the place of an element of a list.
func (p place) item(i int) place {
	list, ok := p.node.(*ast.SequenceNode)
	if !ok || i >= len(list.Values) {
		return p
	}
	return place{p.doc, list.Values[i]}
}

// fit notes what a type has no room for: members that it does not have, and values
// that are something else.
func (p place) fit(t reflect.Type) {
	node := untagged(p.node)
	list, isList := node.(*ast.SequenceNode)
	switch {
	case t.Kind() == reflect.Interface || node.Type() == ast.NullType:
	case t == reflect.TypeFor[words]() && !isList:
		p.fit(t.Elem())
	case t.Kind() == reflect.Pointer:
		p.fit(t.Elem())
	case t.Kind() == reflect.Slice && isList:
		for _, value := range list.Values {
			place{p.doc, value}.fit(t.Elem())
		}
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		p.fitMembers(t, node)
	default:
		p.fitValue(t)
	}
}

// untagged returns what stands behind a tag such as !!str.
func untagged(node ast.Node) ast.Node {
	if tag, ok := node.(*ast.TagNode); ok {
		return tag.Value
	}
	return node
}

func (p place) fitMembers(t reflect.Type, node ast.Node) {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		p.wrong("want %s", typeName(t))
		return
	}
	for i := mapping.MapRange(); i.Next(); {
		member := memberType(t, i.Key().GetToken().Value)
		if member == nil {
			place{p.doc, i.Key()}.wrong("unknown field %q", i.Key().GetToken().Value)
			continue
		}
		place{p.doc, i.Value()}.fit(member)
	}
}

// memberType returns the type of a member, nil when there is none of the name.
func memberType(t reflect.Type, name string) reflect.Type {
	if t.Kind() == reflect.Map {
		return t.Elem()
	}
	for field := range t.Fields() {
		if field.Tag.Get("yaml") == name {
			return field.Type
		}
	}
	return nil
}

// fitValue says in words of the file what the YAML package says in words of Go,
// and refuses the fractions that the package cuts off.
func (p place) fitValue(t reflect.Type) {
	fraction := t.Kind() == reflect.Int && p.node.Type() == ast.FloatType
	if err := yaml.NodeToValue(p.node, reflect.New(t).Interface()); err != nil || fraction {
		p.wrong("want %s", typeName(t))
	}
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "names with values"
}

// wrong notes what is to be mended here.
func (p place) wrong(format string, args ...any) {
	w := wrong{line: 1, column: 1, text: fmt.Sprintf(format, args...)}
	if at := start(p.node); at != nil {
		w.line, w.column = at.Line, at.Column
	}
	p.doc.wrongs = append(p.doc.wrongs, w)
}

// check notes an error here, if it is one.
func (p place) check(err error) {
	if err != nil {
		p.wrong("%s", err)
	}
}

// start returns where a value begins: the token of a mapping is its first colon.
func start(node ast.Node) *token.Position {
	switch n := node.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return start(n.Values[0])
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken().Position
	}
	return node.GetToken().Position
}

// words is a text or a list of texts.
type words []string

// UnmarshalYAML reads one or many.
func (w *words) UnmarshalYAML(node ast.Node) error {
	if _, ok := untagged(node).(*ast.SequenceNode); ok {
		var many []string
		if err := yaml.NodeToValue(node, &many); err != nil {
			return err
		}
		*w = many
		return nil
	}
	var one string
	if err := yaml.NodeToValue(node, &one); err != nil {
		return err
	}
	*w = words{one}
	return nil
}

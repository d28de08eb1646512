package iam

import (
	"errors"
	"strings"
)

// template is a text of a policy that may hold policy variables ("IAM policy
// elements: Variables and tags").
type template struct {
	parts []part
}

// part is literal text or, with a key, a variable.
type part struct {
	text       string // literal text, or the default of the variable
	key        string
	hasDefault bool
}

// syntax says what has a meaning in a text besides itself.
type syntax struct {
	variables bool // since version 2012-10-17
	wildcards bool // then the template resolves to a glob
}

// parseTemplate compiles a text. ${*}, ${?} and ${$} become plain characters.
func parseTemplate(text string, has syntax) (template, error) {
	var t template
	for {
		literal, rest, found := text, "", false
		if has.variables {
			literal, rest, found = strings.Cut(text, "${")
		}
		if has.wildcards {
			literal = string(newGlob(literal))
		}
		t.addText(literal)
		if !found {
			return t, nil
		}
		variable, after, err := cutVariable(rest)
		if err != nil {
			return template{}, err
		}
		t.add(variable)
		text = after
	}
}

func (t *template) add(p part) {
	if p.key == "" {
		t.addText(p.text)
		return
	}
	t.parts = append(t.parts, p)
}

func (t *template) addText(text string) {
	if n := len(t.parts); n > 0 && t.parts[n-1].key == "" {
		t.parts[n-1].text += text
		return
	}
	if text != "" {
		t.parts = append(t.parts, part{text: text})
	}
}

// resolve returns the text for one request. It reports false when a variable
// has no value and no default; a key with several values has none ("Single-valued
// vs. multivalued context keys"). Wildcards in a value are plain characters.
func (t template) resolve(ctx Context) (string, bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].key == "":
		return t.parts[0].text, true
	}
	var text strings.Builder
	for _, p := range t.parts {
		value, known := p.value(ctx)
		if !known {
			return "", false
		}
		text.WriteString(value)
	}
	return text.String(), true
}

// known reports whether resolve will find every variable.
func (t template) known(ctx Context) bool {
	for _, p := range t.parts {
		if _, known := p.value(ctx); !known {
			return false
		}
	}
	return true
}

func (p part) value(ctx Context) (string, bool) {
	if p.key == "" {
		return p.text, true
	}
	if values := ctx.values(p.key); len(values) == 1 {
		// A header may hold any bytes, also those that are wildcards of a glob.
		return strings.ToValidUTF8(bounded(values[0]), "\uFFFD"), true
	}
	return p.text, p.hasDefault
}

// split cuts the literal text at sep into at most n templates. Variables are
// never cut, whatever their names or values contain.
func (t template) split(sep string, n int) []template {
	fields := make([]template, 1, n)
	for _, p := range t.parts {
		for p.key == "" && len(fields) < n {
			before, after, found := strings.Cut(p.text, sep)
			if !found {
				break
			}
			fields[len(fields)-1].addText(before)
			fields = append(fields, template{})
			p.text = after
		}
		fields[len(fields)-1].add(p)
	}
	return fields
}

// cutVariable reads a variable of which "${" is gone: "key}" or
// "key, 'default'}".
func cutVariable(text string) (p part, after string, err error) {
	name, after, closed := strings.Cut(text, "}")
	if key, rest, quoted := strings.Cut(name, "'"); quoted {
		return cutDefault(key, text[len(name)-len(rest):])
	}
	switch {
	case !closed:
		return part{}, "", errors.New("a variable begins with ${ and has no closing brace")
	case name == "*" || name == "?" || name == "$":
		return part{text: name}, after, nil
	case strings.TrimSpace(name) == "":
		return part{}, "", errors.New("a variable has no name")
	}
	return part{key: strings.TrimSpace(name)}, after, nil
}

// cutDefault reads "default'}"; the default may contain closing braces.
func cutDefault(key, text string) (p part, after string, err error) {
	key, comma := strings.CutSuffix(strings.TrimSpace(key), ",")
	value, rest, quoted := strings.Cut(text, "'")
	after, closed := strings.CutPrefix(strings.TrimLeft(rest, " "), "}")
	if !comma || !quoted || !closed || strings.TrimSpace(key) == "" {
		return part{}, "", errors.New("a variable with a default is written ${key, 'default'}")
	}
	return part{key: strings.TrimSpace(key), text: value, hasDefault: true}, after, nil
}

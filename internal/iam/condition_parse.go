package iam

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// parseConditions reads a Condition element. unknownMatches is the statement's
// rule for variables without a value.
func (p statementParser) parseConditions(value jsontext.Value, unknownMatches func(bool) bool) (all []condition, err error) {
	where := p.where + ": Condition"
	if value.Kind() != '{' {
		return nil, malformed(where, "must be an object, not %s", kindName(value))
	}
	for _, m := range members(value) {
		compile, form, err := parseOperator(where, m.name)
		if err != nil {
			return nil, err
		}
		s := scope{variables: p.variables, unknownMatches: unknownMatches(form.negated)}
		under := where + ": " + m.name
		if m.value.Kind() != '{' {
			return nil, malformed(under, "must be an object, not %s", kindName(m.value))
		}
		for _, key := range members(m.value) {
			c := condition{key: key.name, form: form}
			if c.operands, err = parseOperands(under+": "+key.name, key.value, compile, s); err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// parseOperator takes a name apart: ForAllValues:StringLikeIfExists.
func parseOperator(where, name string) (compiler, form, error) {
	var f form
	base := strings.ToLower(name)
	if rest, found := strings.CutPrefix(base, "forallvalues:"); found {
		base, f.set = rest, forAllValues
	} else if rest, found := strings.CutPrefix(base, "foranyvalue:"); found {
		base, f.set = rest, forAnyValue
	}
	base, f.ifExists = strings.CutSuffix(base, "ifexists")
	if base == "null" {
		if f.ifExists || f.set != noSet {
			return nil, f, malformed(where, "%s: Null takes neither IfExists nor ForAllValues nor ForAnyValue", name)
		}
		f.null = true
		return compileBool, f, nil
	}
	compile, negated := operatorNamed(base)
	if compile == nil {
		return nil, f, malformed(where, "unknown operator %q", name)
	}
	f.negated = negated
	return compile, f, nil
}

func parseOperands(where string, value jsontext.Value, compile compiler, s scope) ([]operand, error) {
	values, err := list(where, value)
	if err != nil {
		return nil, err
	}
	operands := make([]operand, len(values))
	for i, v := range values {
		text, err := scalar(where, v)
		if err != nil {
			return nil, err
		}
		if operands[i], err = compile(text, s); err != nil {
			return nil, malformed(where, "%q: %v", text, err)
		}
	}
	return operands, nil
}

// scalar accepts numbers and truth values without quotation marks, as the
// grammar does.
func scalar(where string, value jsontext.Value) (string, error) {
	switch value.Kind() {
	case '0', 't', 'f':
		return string(value), nil
	}
	return text(where, value)
}

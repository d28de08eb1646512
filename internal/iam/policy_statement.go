package iam

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// parseStatement reads statement n, counted from one as people do.
func parseStatement(n int, raw jsontext.Value, variables bool) (statement, string, error) {
	if raw.Kind() != '{' {
		return statement{}, "", malformed(place(n, ""), "must be an object, not %s", kindName(raw))
	}
	all := members(raw)
	sid, err := parseSid(n, all)
	if err != nil {
		return statement{}, "", err
	}
	p := statementParser{where: place(n, sid), variables: variables, seen: map[string]bool{}}
	s, err := p.parse(all)
	return s, sid, err
}

// place names a statement in texts.
func place(n int, sid string) string {
	if sid == "" {
		return fmt.Sprintf("statement %d", n)
	}
	return fmt.Sprintf("statement %d (%s)", n, sid)
}

// parseSid looks for the Sid first, so that every other text can name it. An
// empty one is as good as none: generators write it.
func parseSid(n int, all []member) (string, error) {
	for _, m := range all {
		if m.name != "Sid" {
			continue
		}
		sid, err := text(place(n, "")+": Sid", m.value)
		if err == nil && strings.ContainsFunc(sid, notAlphanumeric) {
			err = malformed(place(n, ""), "Sid: %q has other characters than A-Z, a-z and 0-9", sid)
		}
		return sid, err
	}
	return "", nil
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

type statementParser struct {
	where     string
	variables bool
	seen      map[string]bool
}

func (p statementParser) parse(all []member) (s statement, err error) {
	for _, m := range all {
		if err := p.element(&s, m); err != nil {
			return statement{}, err
		}
		p.seen[m.name] = true
	}
	if err := p.checkElements(); err != nil {
		return statement{}, err
	}
	// Conditions come last because they must know the effect.
	for _, m := range all {
		if m.name == "Condition" {
			s.conditions, err = p.parseConditions(m.value, s.unknownMatches)
		}
	}
	return s, err
}

func (p statementParser) element(s *statement, m member) (err error) {
	where := p.where + ": " + m.name
	switch m.name {
	case "Sid", "Condition":
	case "Effect":
		s.deny, err = parseEffect(where, m.value)
	case "Action", "NotAction":
		s.notAction = m.name == "NotAction"
		s.actions, err = parseActions(where, m.value)
	case "Resource", "NotResource":
		s.notResource = m.name == "NotResource"
		s.resources, err = p.parseResources(where, m.value)
	case "Principal", "NotPrincipal":
		err = malformed(where, "does not belong in a policy of a user or role, which is itself the principal")
	default:
		err = unknownElement(p.where, m.name, "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
	}
	return err
}

func (p statementParser) checkElements() error {
	switch seen := p.seen; {
	case !seen["Effect"]:
		return malformed(p.where, "Effect is missing")
	case seen["Action"] && seen["NotAction"]:
		return malformed(p.where, "Action and NotAction exclude each other")
	case !seen["Action"] && !seen["NotAction"]:
		return malformed(p.where, "Action or NotAction is missing")
	case seen["Resource"] && seen["NotResource"]:
		return malformed(p.where, "Resource and NotResource exclude each other")
	case !seen["Resource"] && !seen["NotResource"]:
		return malformed(p.where, "Resource or NotResource is missing")
	}
	return nil
}

// parseEffect is case-sensitive, as "IAM JSON policy elements: Effect" says.
func parseEffect(where string, value jsontext.Value) (deny bool, err error) {
	effect, err := text(where, value)
	if err == nil && effect != "Allow" && effect != "Deny" {
		err = malformed(where, "%q is neither Allow nor Deny", effect)
	}
	return effect == "Deny", err
}

// parseActions accepts any service: policies brought from AWS allow more than
// support.
func parseActions(where string, value jsontext.Value) ([]glob, error) {
	names, err := texts(where, value)
	if err != nil {
		return nil, err
	}
	actions := make([]glob, len(names))
	for i, name := range names {
		service, operation, found := strings.Cut(name, ":")
		if name != "*" && (!found || !isActionPart(service) || !isActionPart(operation)) {
			return nil, malformed(where, `%q is not of the form "service:Operation"`, name)
		}
		actions[i] = newGlob(strings.ToLower(name))
	}
	return actions, nil
}

func isActionPart(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return notAlphanumeric(r) && !strings.ContainsRune("-_*?", r)
	})
}

func (p statementParser) parseResources(where string, value jsontext.Value) ([]template, error) {
	names, err := texts(where, value)
	if err != nil {
		return nil, err
	}
	resources := make([]template, len(names))
	for i, name := range names {
		if name != "*" && !strings.HasPrefix(name, "arn:") {
			return nil, malformed(where, `%q is neither an ARN nor "*"`, name)
		}
		resources[i], err = parseTemplate(name, syntax{variables: p.variables, wildcards: true})
		if err != nil {
			return nil, malformed(where, "%q: %v", name, err)
		}
	}
	return resources, nil
}

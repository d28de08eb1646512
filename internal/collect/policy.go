package collect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// PolicyStatement is a statement of a policy. What the language of policies
// allows to be a text or a list is a list here.
type PolicyStatement struct {
	Sid           string
	Effect        string
	Principals    []PolicyPrincipal `doc:"Principal * is that of type AWS."`
	NotPrincipals []PolicyPrincipal
	Actions       []string
	NotActions    []string
	Resources     []string
	NotResources  []string
	Conditions    []PolicyCondition
}

// PolicyPrincipal is one principal of a statement.
type PolicyPrincipal struct {
	Type string `doc:"AWS, Service, Federated or CanonicalUser."`
	ID   string `doc:"An ARN, an account, a service, or * for everybody."`
}

// PolicyCondition is one key of a statement's condition.
type PolicyCondition struct {
	Operator string   `doc:"Such as StringEquals."`
	Key      string   `doc:"Such as aws:SecureTransport."`
	Values   []string `doc:"Numbers and true and false are texts too."`
}

// parsePolicy reads the statements of a policy in JSON.
func parsePolicy(text string) (statements []PolicyStatement, err error) {
	var document struct{ Statement oneOrMore[rawStatement] }
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("a policy that is not one: %w", err)
	}
	for _, s := range document.Statement {
		statements = append(statements, s.plain())
	}
	return statements, nil
}

type rawStatement struct {
	Sid, Effect             string
	Principal, NotPrincipal principals
	Action, NotAction       texts
	Resource, NotResource   texts
	Condition               map[string]map[string]texts
}

func (s rawStatement) plain() PolicyStatement {
	out := PolicyStatement{
		Sid: s.Sid, Effect: s.Effect, Principals: s.Principal, NotPrincipals: s.NotPrincipal,
		Actions: s.Action, NotActions: s.NotAction, Resources: s.Resource, NotResources: s.NotResource,
	}
	for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(s.Condition[operator])) {
			out.Conditions = append(out.Conditions, PolicyCondition{Operator: operator, Key: key, Values: s.Condition[operator][key]})
		}
	}
	return out
}

// public reports whether the statement is about everybody.
func (s PolicyStatement) public() bool {
	return len(s.NotPrincipals) > 0 || slices.ContainsFunc(s.Principals, func(p PolicyPrincipal) bool { return p.Type == "AWS" && p.ID == "*" })
}

// limited reports whether a condition names for whom or what the statement is.
// Everybody may fulfil others, such as that of a function URL without
// authentication: lambda:FunctionUrlAuthType is NONE.
func (s PolicyStatement) limited() bool {
	return slices.ContainsFunc(s.Conditions, func(c PolicyCondition) bool {
		operator := strings.TrimPrefix(strings.ToLower(c.Operator), "foranyvalue:")
		// With IfExists and ForAllValues, requests without the key fulfil it too.
		return slices.Contains([]string{"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"}, operator) &&
			slices.Contains(limitingKeys(), strings.ToLower(c.Key)) && len(c.Values) > 0 && !slices.ContainsFunc(c.Values, anything.MatchString)
	})
}

func limitingKeys() []string {
	return []string{"aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:principalorgid", "aws:principalaccount", "aws:principalarn"}
}

// anything is a value of wildcards only, be it in the form of an ARN.
var anything = regexp.MustCompile(`^(arn:[^:]*:[^:]*:)?[*?:]*$`)

// foreign reports whether the statement is about principals of other accounts
// than one.
func (s PolicyStatement) foreign(account string) bool {
	return s.public() || slices.ContainsFunc(s.Principals, func(p PolicyPrincipal) bool {
		owner := p.ID
		if fields := strings.Split(p.ID, ":"); len(fields) > 4 && fields[0] == "arn" {
			owner = fields[4]
		} else if !isAccount(p.ID) {
			return false // the id that is left of a principal that was deleted
		}
		return p.Type == "AWS" && owner != account
	})
}

func isAccount(id string) bool { return len(id) == 12 && strings.Trim(id, "0123456789") == "" }

// oneOrMore is a list that may be written as its only item.
type oneOrMore[T any] []T

func (l *oneOrMore[T]) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("[")) {
		return json.Unmarshal(text, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	*l = []T{one}
	return nil
}

// texts are texts, numbers and booleans.
type texts []string

func (t *texts) UnmarshalJSON(text []byte) error {
	var values oneOrMore[json.RawMessage]
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	*t = nil
	for _, v := range values {
		s := string(v)
		switch s[0] {
		case '"':
			if err := json.Unmarshal(v, &s); err != nil {
				return err
			}
		case '{', '[':
			return fmt.Errorf("%s: want a text, a number, true or false", s)
		}
		*t = append(*t, s)
	}
	return nil
}

// principals are "*" or ids by type.
type principals []PolicyPrincipal

func (p *principals) UnmarshalJSON(text []byte) error {
	var everybody string
	if json.Unmarshal(text, &everybody) == nil {
		*p = principals{{Type: "AWS", ID: everybody}}
		return nil
	}
	var byType map[string]texts
	if err := json.Unmarshal(text, &byType); err != nil {
		return err
	}
	*p = nil
	for _, kind := range slices.Sorted(maps.Keys(byType)) {
		for _, id := range byType[kind] {
			*p = append(*p, PolicyPrincipal{Type: kind, ID: id})
		}
	}
	return nil
}

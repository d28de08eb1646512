package iam

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/supportd/supportd/internal/fault"
)

// ErrMalformedPolicy is the fault of every document that [ParsePolicy] refuses.
// The text names the statement and the element.
var ErrMalformedPolicy = fault.New(fault.Invalid, "malformed_policy", "malformed policy document")

const (
	// "IAM and AWS STS quotas": a managed policy has at most 6,144 characters,
	// and white space is not counted.
	maxPolicyCharacters = 6144
	// The length of PolicyDocument in the IAM API Reference, white space included.
	maxPolicyBytes = 131_072
)

// ParsePolicy reads a policy document for an identity, as described in "Grammar
// of the IAM JSON policy language". Names of elements are case-sensitive, those
// of condition operators and keys are not. Everything is compiled and checked
// here, so that evaluating cannot fail; what is refused is an
// [ErrMalformedPolicy].
func ParsePolicy(document []byte) (*Policy, error) {
	if err := checkSize(document); err != nil {
		return nil, err
	}
	var root jsontext.Value
	if err := json.Unmarshal(document, &root); err != nil {
		return nil, malformed("document", "%s", jsonProblem(err))
	}
	if root.Kind() != '{' {
		return nil, malformed("document", "must be a JSON object")
	}
	elements, err := policyElements(members(root))
	if err != nil {
		return nil, err
	}
	return elements.parse()
}

func checkSize(document []byte) error {
	if len(document) > maxPolicyBytes {
		return malformed("document", "has more than %d bytes", maxPolicyBytes)
	}
	n := 0
	for _, r := range string(document) {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	if n > maxPolicyCharacters {
		return malformed("document", "has %d characters besides white space, and %d are allowed", n, maxPolicyCharacters)
	}
	return nil
}

// documentElements are the elements of a document that mean something to us; Id
// is only checked. The grammar forbids Id in identity policies, AWS takes it.
type documentElements struct {
	version    string
	statements []jsontext.Value
}

func policyElements(all []member) (d documentElements, err error) {
	for _, m := range all {
		switch m.name {
		case "Version":
			d.version, err = text("document: Version", m.value)
		case "Id":
			_, err = text("document: Id", m.value)
		case "Statement":
			d.statements, err = list("document: Statement", m.value)
		default:
			err = unknownElement("document", m.name, "Version", "Id", "Statement")
		}
		if err != nil {
			return documentElements{}, err
		}
	}
	if len(d.statements) == 0 {
		return documentElements{}, malformed("document", "Statement is missing")
	}
	return d, nil
}

func (d documentElements) parse() (*Policy, error) {
	variables := d.version == "2012-10-17"
	// Without Version the language is that of 2008 ("IAM JSON policy elements: Version").
	if !variables && d.version != "" && d.version != "2008-10-17" {
		return nil, malformed("document", "Version: %q is neither 2012-10-17 nor 2008-10-17", d.version)
	}
	p := &Policy{}
	sids := map[string]int{}
	for i, raw := range d.statements {
		parsed, sid, err := parseStatement(i+1, raw, variables)
		if err != nil {
			return nil, err
		}
		if first := sids[sid]; sid != "" && first != 0 {
			return nil, malformed(place(i+1, sid), "Sid: statement %d has the same", first)
		}
		sids[sid] = i + 1
		p.statements = append(p.statements, parsed)
	}
	return p, nil
}

// unknownElement helps those who wrote an element in another case.
func unknownElement(where, name string, known ...string) error {
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return malformed(where, "unknown element %q (the name is %q, in this case)", name, k)
		}
	}
	return malformed(where, "unknown element %q", name)
}

func malformed(where, format string, args ...any) error {
	return ErrMalformedPolicy.With("%s: %s", where, fmt.Sprintf(format, args...))
}

package iam

import "strings"

// Policy is a parsed identity policy. It is never changed after [ParsePolicy],
// so any number of goroutines may evaluate it.
type Policy struct {
	statements []statement
}

// Request is what a decision is made about.
type Request struct {
	Action   string // "support:CreateCase"
	Resource string // "*", for the Support API has no resource-level permissions
	Context  Context
}

// Decision is the outcome of an evaluation; only Allow lets the caller in.
type Decision int

const (
	// ImplicitDeny means that no statement allows the request.
	ImplicitDeny Decision = iota
	// Allow means that a statement allows the request and none denies it.
	Allow
	// ExplicitDeny means that a Deny statement applies, whatever others allow.
	ExplicitDeny
)

// String returns the name of the decision, for logs and tests.
func (d Decision) String() string {
	switch d {
	case Allow:
		return "Allow"
	case ExplicitDeny:
		return "ExplicitDeny"
	}
	return "ImplicitDeny"
}

// Evaluate decides about a request with all policies of the caller: an explicit
// deny wins over any allow, and without either the answer is an implicit deny
// ("Policy evaluation logic"). The order of policies and statements is of no
// importance.
func Evaluate(policies []*Policy, req Request) Decision {
	req.Action = strings.ToLower(req.Action)
	decision := ImplicitDeny
	for _, p := range policies {
		for i := range p.statements {
			s := &p.statements[i]
			if !s.applies(&req) {
				continue
			}
			if s.deny {
				return ExplicitDeny
			}
			decision = Allow
		}
	}
	return decision
}

type statement struct {
	deny        bool
	notAction   bool
	notResource bool
	actions     []glob // in lower case
	resources   []template
	conditions  []condition
}

// applies expects the action in lower case.
func (s *statement) applies(req *Request) bool {
	return s.coversAction(req.Action) &&
		s.coversResource(req.Resource, req.Context) &&
		s.conditionsHold(req.Context)
}

func (s *statement) coversAction(action string) bool {
	for _, g := range s.actions {
		if g.match(action) {
			return !s.notAction
		}
	}
	return s.notAction
}

func (s *statement) coversResource(resource string, ctx Context) bool {
	for _, t := range s.resources {
		text, known := t.resolve(ctx)
		if !known && s.unknownMatches(s.notResource) || known && glob(text).match(resource) {
			return !s.notResource
		}
	}
	return s.notResource
}

func (s *statement) conditionsHold(ctx Context) bool {
	for i := range s.conditions {
		if !s.conditions[i].holds(ctx) {
			return false
		}
	}
	return true
}

// unknownMatches says what becomes of a pattern whose variable has no value in
// the request, or of a value that is no number, date or address. "IAM policy
// elements: Variables and tags" says that any attempt to match it fails. Behind
// a negation a failed match would make the statement apply; an Allow must not
// grant anything because something is unknown, so there, and only there, it
// counts as matched.
func (s *statement) unknownMatches(negated bool) bool {
	return negated && !s.deny
}

package iam

import (
	"slices"
	"strconv"
	"strings"
)

// The keys that the server supplies with a request ("AWS global condition
// context keys"). aws:MultiFactorAuthPresent is always missing. A key without a
// value is left out of the context, not set to an empty text.
const (
	ContextPrincipalARN     = "aws:PrincipalArn" // for a session the ARN of its role
	ContextPrincipalAccount = "aws:PrincipalAccount"
	ContextPrincipalType    = "aws:PrincipalType" // Account, User or AssumedRole
	ContextUserID           = "aws:userid"        // for a session role id:session name
	ContextUserName         = "aws:username"      // of users only
	ContextSourceIP         = "aws:SourceIp"
	ContextUserAgent        = "aws:UserAgent"
	ContextSecureTransport  = "aws:SecureTransport" // true or false
	ContextRequestedRegion  = "aws:RequestedRegion"
	ContextCurrentTime      = "aws:CurrentTime"    // 2026-01-31T12:00:00Z
	ContextEpochTime        = "aws:EpochTime"      // seconds since 1970
	ContextTokenIssueTime   = "aws:TokenIssueTime" // of sessions only, as CurrentTime
)

// Context holds the values of the condition keys of one request. Names are
// compared without regard to case; a key is there under one spelling only.
type Context map[string][]string

func (c Context) values(key string) []string {
	if values, ok := c[key]; ok {
		return values
	}
	for name, values := range c {
		if len(name) == len(key) && strings.EqualFold(name, key) {
			return values
		}
	}
	return nil
}

// maxContextValue bounds what strangers send, such as their user agent, and
// with it the time that matching takes.
const maxContextValue = 2048

func bounded(value string) string {
	return value[:min(len(value), maxContextValue)]
}

// condition is one key under one operator. All conditions of a statement must
// hold; of the operands one is enough, and behind a negated operator none may
// match ("Conditions with multiple context keys or values").
type condition struct {
	key      string
	operands []operand
	form
}

// operand reports whether a value of the request matches one value of the policy.
type operand func(value string, ctx Context) bool

// form is what the name of an operator says besides how to compare.
type form struct {
	negated  bool
	ifExists bool
	null     bool
	set      quantifier
}

// quantifier is the prefix ForAllValues or ForAnyValue.
type quantifier int

const (
	noSet quantifier = iota
	forAllValues
	forAnyValue
)

func (c *condition) holds(ctx Context) bool {
	values := ctx.values(c.key)
	if c.null {
		return c.matches(strconv.FormatBool(len(values) == 0), ctx)
	}
	if len(values) == 0 {
		return c.holdsWithoutKey()
	}
	accepts := func(value string) bool { return c.matches(value, ctx) != c.negated }
	switch c.set {
	case forAllValues:
		return isNullSet(values) || !slices.ContainsFunc(values, func(v string) bool { return !accepts(v) })
	case forAnyValue:
		return !isNullSet(values) && slices.ContainsFunc(values, accepts)
	}
	// Without a prefix keys have one value. Should one have more, a negated
	// operator is the exact opposite of its plain one.
	return slices.ContainsFunc(values, func(v string) bool { return c.matches(v, ctx) }) != c.negated
}

// holdsWithoutKey follows the note "Important" at the top of "IAM JSON policy
// elements: Condition operators", its section "...IfExists", and "Single-valued
// vs. multivalued context keys".
func (c *condition) holdsWithoutKey() bool {
	switch {
	case c.ifExists:
		return true
	case c.set == forAllValues:
		return true
	case c.set == forAnyValue:
		return false
	}
	return c.negated
}

func (c *condition) matches(value string, ctx Context) bool {
	value = bounded(value)
	for _, matches := range c.operands {
		if matches(value, ctx) {
			return true
		}
	}
	return false
}

// isNullSet recognizes what "Single-valued vs. multivalued context keys" calls a
// null data set, such as an empty string.
func isNullSet(values []string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return v != "" })
}

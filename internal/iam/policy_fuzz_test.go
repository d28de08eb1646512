package iam_test

import (
	"errors"
	"testing"

	"github.com/supportd/supportd/internal/iam"
)

// FuzzParsePolicy asserts that no document makes the parser panic, that every
// refusal is the declared fault, and that what parses can be evaluated.
// The seed corpus is in testdata/fuzz/FuzzParsePolicy.
func FuzzParsePolicy(f *testing.F) {
	for _, name := range iam.ManagedPolicies() {
		_, document, _ := iam.ManagedPolicy(name)
		f.Add([]byte(document))
	}
	contexts := []iam.Context{nil, {
		iam.ContextUserName:    {"alice"},
		iam.ContextUserAgent:   {"\xff*\xfe?"},
		iam.ContextSourceIP:    {"203.0.113.7"},
		iam.ContextCurrentTime: {"2026-01-31T12:00:00Z"},
		"aws:TagKeys":          {"a", "", "b"},
		"k":                    {"v"},
	}}
	f.Fuzz(func(t *testing.T, document []byte) {
		p, err := iam.ParsePolicy(document)
		if err != nil {
			if !errors.Is(err, iam.ErrMalformedPolicy) || p != nil {
				t.Errorf("ParsePolicy(%q) = %v, %v; want nil and a malformed policy", document, p, err)
			}
			return
		}
		for _, ctx := range contexts {
			first := evaluate("support:CreateCase", ctx, p)
			if second := evaluate("support:CreateCase", ctx, p); second != first {
				t.Errorf("Evaluate(%q) = %v, then %v", document, first, second)
			}
		}
	})
}

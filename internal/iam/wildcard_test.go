package iam

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything: at all", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "ab", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"support:*", "support:createcase", true},
		{"support:*", "support:", true},
		{"support:*", "supportplans:create", false},
		{"*case", "support:createcase", true},
		{"*case", "support:createcases", false},
		{"support:*case*", "support:describecases", true},
		{"*a*b*", "xaxbx", true},
		{"*a*b*", "xbxax", false},
		{"a*a", "a", false},
		{"**", "", true},
		{"*?", "", false},
		{"*?*", "a", true},
		{"?", "é", true},
		{"??", "é", false},
		{"*??", "€", false},
		{"*??ab", "€ab", false},
		{"*?", "€€", true},
		{"a.c", "abc", false},
		{"[a-z]", "b", false},
		{"Case", "case", false},
	}
	for _, tt := range tests {
		if got := newGlob(tt.pattern).match(tt.text); got != tt.want {
			t.Errorf("newGlob(%q).match(%q) = %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
	}
}

func TestGlobAgreesWithRegularExpressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.SampledFrom([]rune("ab€*?")), 0, 8, -1).Draw(t, "pattern")
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab€")), 0, 12, -1).Draw(t, "text")
		expression := strings.NewReplacer("*", ".*", "?", ".").Replace(pattern)
		want := regexp.MustCompile("^(?:" + expression + ")$").MatchString(text)
		if got := newGlob(pattern).match(text); got != want {
			t.Fatalf("newGlob(%q).match(%q) = %v, want %v", pattern, text, got, want)
		}
	})
}

// A matcher that tries every way to share the text among the wildcards would
// not come to an end here.
func TestGlobWithManyWildcardsIsNotExponential(t *testing.T) {
	text := strings.Repeat("a", maxContextValue)
	for _, pattern := range []string{
		strings.Repeat("a*", 3000) + "b",
		strings.Repeat("*a", 3000) + "b",
		strings.Repeat("*?", 3000) + "b",
		"*" + strings.Repeat("a", 1000) + "b",
	} {
		start := time.Now()
		if newGlob(pattern).match(text) {
			t.Errorf("newGlob(%.10q…).match(aaa…) = true, want false", pattern)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("newGlob(%.10q…).match(aaa…) took %v", pattern, took)
		}
	}
}

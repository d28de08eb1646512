package iam

import "unicode/utf8"

// glob is a compiled pattern: UTF-8 text in which two bytes that UTF-8 never
// contains stand for the wildcards. A literal asterisk, written ${*} in a
// policy, therefore needs no escaping.
type glob string

const (
	anyRun = '\xff' // *: any number of characters, also none
	anyOne = '\xfe' // ?: exactly one character
)

// newGlob compiles a text in which every * and ? is a wildcard.
func newGlob(text string) glob {
	compiled := []byte(text)
	for i, b := range compiled {
		switch b {
		case '*':
			compiled[i] = anyRun
		case '?':
			compiled[i] = anyOne
		}
	}
	return glob(compiled)
}

// match reports whether the glob covers the whole text. Only the last run of *
// is ever reconsidered, which is enough because an earlier one could only give
// away more of the text; the work is at most len(g) times len(text).
func (g glob) match(text string) bool {
	var at, i int
	retry, retryAt := -1, 0
	for i < len(text) {
		switch {
		case at < len(g) && g[at] == anyRun:
			at++
			retry, retryAt = i, at
		case at < len(g) && g[at] == anyOne:
			at++
			i = nextRune(text, i)
		case at < len(g) && g[at] == text[i]:
			at++
			i++
		case retry >= 0:
			// A whole character, lest a ? meets half of one.
			retry = nextRune(text, retry)
			i, at = retry, retryAt
		default:
			return false
		}
	}
	for at < len(g) && g[at] == anyRun {
		at++
	}
	return at == len(g)
}

func nextRune(text string, i int) int {
	_, size := utf8.DecodeRuneInString(text[i:])
	return i + size
}

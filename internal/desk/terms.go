package desk

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The bounds of [Terms]. A communication has at most 8,000 characters, so that
// the first bound cuts off only texts of thousands of different words; what has
// more than the second is no word that somebody types.
const (
	maxTerms      = 2000
	maxTermLength = 64 // bytes
)

// Terms returns the words of a text as they are searched for: lower case,
// without accents, each once, in the order of the text. Words are letters and
// digits; those that a single -, _, ., :, / or @ joins come in pairs as well, so
// that "us-east-1" is found whole, by "us-east" and by "east". Scripts that put
// no spaces between words give pairs of characters, or the character that stands
// alone.
//
// There are at most 2,000 terms of at most 64 bytes: a longer word is cut, of a
// longer pair only the words are left. The terms of terms are the same.
func Terms(text string) []string {
	text = fold(text)
	var found terms
	for {
		start := strings.IndexFunc(text, isCompound)
		if start < 0 {
			return found.list
		}
		text = text[start:]
		end := strings.IndexFunc(text, isGap)
		if end < 0 {
			end = len(text)
		}
		found.addCompound(text[:end])
		text = text[end:]
	}
}

// terms gathers terms.
type terms struct {
	list []string
	seen map[string]bool // nil while the list is short
}

// shortList is how many terms are compared in less time than a map takes.
const shortList = 32

func (t *terms) add(term string) {
	if len(term) > maxTermLength || len(t.list) == maxTerms || t.has(term) {
		return
	}
	if len(t.list) == shortList {
		t.seen = make(map[string]bool, 4*shortList)
		for _, known := range t.list {
			t.seen[known] = true
		}
	}
	if t.seen != nil {
		t.seen[term] = true
	}
	t.list = append(t.list, term)
}

func (t *terms) has(term string) bool {
	if t.seen != nil {
		return t.seen[term]
	}
	return slices.Contains(t.list, term)
}

// addCompound adds the words of what has no gap, and each two that a single
// joiner connects.
func (t *terms) addCompound(compound string) {
	last, joiner := "", ""
	for compound != "" {
		end := strings.IndexFunc(compound, isJoiner)
		if end < 0 {
			end = len(compound)
		}
		word := compound[:end]
		t.addWord(word)
		if last != "" && word != "" {
			t.add(last + joiner + word)
		}
		last, joiner = word, ""
		if end < len(compound) {
			joiner, compound = compound[end:end+1], compound[end+1:]
			continue
		}
		return
	}
}

// addWord adds a word in parts where it changes between scripts with and
// without spaces.
func (t *terms) addWord(word string) {
	for word != "" {
		first, _ := utf8.DecodeRuneInString(word)
		end := strings.IndexFunc(word, func(r rune) bool { return isUnspaced(r) != isUnspaced(first) })
		if end < 0 {
			end = len(word)
		}
		if isUnspaced(first) {
			t.addPairs([]rune(word[:end]))
		} else {
			t.add(cut(word[:end]))
		}
		word = word[end:]
	}
}

func (t *terms) addPairs(run []rune) {
	if len(run) == 1 {
		t.add(string(run))
	}
	for i := range len(run) - 1 {
		t.add(string(run[i : i+2]))
	}
}

// cut shortens a word to what a term may have, between characters.
func cut(word string) string {
	if len(word) <= maxTermLength {
		return word
	}
	end := maxTermLength
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}

// fold makes texts equal that people take for the same: it takes compatible
// characters apart, drops the accents, and puts the rest together again, which
// Hangul and Kana need.
func fold(text string) string {
	if isASCII(text) {
		return strings.ToLower(text)
	}
	text = strings.Map(foldRune, norm.NFKD.String(strings.ToValidUTF8(text, " ")))
	return norm.NFC.String(strings.ReplaceAll(text, "ß", "ss"))
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func foldRune(r rune) rune {
	const finalSigma, voiced, semiVoiced = 'ς', '\u3099', '\u309a'
	switch {
	case r == voiced || r == semiVoiced: // they make other letters, not accents
		return r
	case unicode.Is(unicode.Mn, r) && unicode.Is(unicode.Inherited, r):
		return -1
	}
	if r = unicode.ToLower(r); r == finalSigma {
		return 'σ'
	}
	return r
}

// isGap finds what stands between compounds.
func isGap(r rune) bool { return !isCompound(r) }

func isCompound(r rune) bool { return isWordRune(r) || isJoiner(r) }

func isJoiner(r rune) bool {
	switch r {
	case '-', '_', '.', ':', '/', '@':
		return true
	}
	return false
}

// isWordRune accepts marks, too: the vowels of many scripts are marks.
func isWordRune(r rune) bool {
	if r < utf8.RuneSelf { // of most texts, and not worth a look at tables
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z'
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.M)
}

// isUnspaced finds the scripts that put no spaces between words, and Hangul,
// whose words end in particles that a search leaves out.
func isUnspaced(r rune) bool {
	return r >= utf8.RuneSelf && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan) && !unicode.IsDigit(r)
}

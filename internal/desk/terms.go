package desk

import (
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
	found := terms{seen: map[string]bool{}}
	for _, compound := range strings.FieldsFunc(fold(text), isGap) {
		found.addCompound(compound)
	}
	return found.list
}

// terms gathers terms.
type terms struct {
	list []string
	seen map[string]bool
}

func (t *terms) add(term string) {
	if len(term) > maxTermLength || t.seen[term] || len(t.list) == maxTerms {
		return
	}
	t.seen[term] = true
	t.list = append(t.list, term)
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
	text = strings.Map(foldRune, norm.NFKD.String(strings.ToValidUTF8(text, " ")))
	return norm.NFC.String(strings.ReplaceAll(text, "ß", "ss"))
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
func isGap(r rune) bool { return !isJoiner(r) && !isWordRune(r) }

func isJoiner(r rune) bool { return strings.ContainsRune("-_.:/@", r) }

// isWordRune accepts marks, too: the vowels of many scripts are marks.
func isWordRune(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.M) }

// isUnspaced finds the scripts that put no spaces between words, and Hangul,
// whose words end in particles that a search leaves out.
func isUnspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan) && !unicode.IsDigit(r)
}

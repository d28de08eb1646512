package desk

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The bounds of [Terms]. A character adds at most two terms, itself and the pair
// with the one before, or a word and the pair that the word ends; so the first
// bound is beyond what 8,000 characters and a subject can have. What has more
// than the second is no word that somebody types.
const (
	maxTerms      = 20_000
	maxTermLength = 64 // bytes
)

// Terms returns the words of a text as they are searched for: lower case,
// without accents, each once, in the order of the text. Words are letters and
// digits; those that a single -, _, ., :, / or @ joins come in pairs as well, so
// that "us-east-1" is found whole, by "us-east" and by "east". Scripts that put
// no spaces between words give pairs of characters, and the character that stands
// alone. A Han character or a Hangul syllable is often a word, and a term within
// a run, too.
//
// Terms have at most 64 bytes: a longer word is cut, of a longer pair only the
// words are left. The terms of terms are the same.
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
// joiner connects: only their nearest parts, as "i-0abc123が" has "i-0abc123".
func (t *terms) addCompound(compound string) {
	last, joiner := "", ""
	for compound != "" {
		end := strings.IndexFunc(compound, isJoiner)
		if end < 0 {
			end = len(compound)
		}
		word := compound[:end]
		first, final := t.addWord(word)
		if last != "" && first != "" {
			t.add(last + joiner + first)
		}
		last, joiner = final, ""
		if end < len(compound) {
			joiner, compound = compound[end:end+1], compound[end+1:]
			continue
		}
		return
	}
}

// addWord adds a word in parts where it changes between scripts with and
// without spaces, and returns the first and the last part.
func (t *terms) addWord(word string) (first, last string) {
	for word != "" {
		unspaced := isUnspaced(firstRune(word))
		end := strings.IndexFunc(word, func(r rune) bool { return isUnspaced(r) != unspaced })
		if end < 0 {
			end = len(word)
		}
		last, word = word[:end], word[end:]
		if first == "" {
			first = last
		}
		if unspaced {
			t.addPairs([]rune(last))
		} else {
			t.add(cut(last))
		}
	}
	return first, last
}

func firstRune(text string) rune {
	r, _ := utf8.DecodeRuneInString(text)
	return r
}

// addPairs adds the characters of a pair before it, so that a list which ends
// early has them.
func (t *terms) addPairs(run []rune) {
	for i, r := range run {
		if len(run) == 1 || isSyllable(r) {
			t.add(string(r))
		}
		if i > 0 {
			t.add(string(run[i-1 : i+1]))
		}
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

// The marks that make other letters of kana, and are no accents.
const voiced, semiVoiced = '\u3099', '\u309a'

func foldRune(r rune) rune {
	const finalSigma = 'ς'
	switch {
	case r == voiced || r == semiVoiced:
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
	return r >= utf8.RuneSelf && !unicode.IsDigit(r) && (isShared(r) || isSyllable(r) || unicode.In(r, unicode.Hiragana, unicode.Katakana,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan))
}

// isSyllable finds the characters that are often words by themselves.
func isSyllable(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hangul) }

// isShared finds what Hiragana, Katakana and Han share, so that it is in none of
// their tables: the letters and marks with several of them in Unicode's
// ScriptExtensions.txt, as far as they are left of [fold].
func isShared(r rune) bool {
	switch r {
	case 'ー', '〆', '〼', '〱', '〲', '〳', '〴', '〵', voiced, semiVoiced:
		return true
	}
	return false
}

// wanted returns the terms that a search for a text asks for, up to maxQueryTerms:
// characters that a pair has as well would only take the place of more words.
func wanted(text string) []string {
	terms := Terms(text)
	terms = terms[:min(len(terms), 2*maxQueryTerms)] // every other one may go
	asked := slices.DeleteFunc(slices.Clone(terms), func(term string) bool {
		r, size := utf8.DecodeRuneInString(term)
		return size == len(term) && isSyllable(r) &&
			slices.ContainsFunc(terms, func(other string) bool { return other != term && strings.ContainsRune(other, r) })
	})
	return asked[:min(len(asked), maxQueryTerms)]
}

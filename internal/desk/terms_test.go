package desk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

func TestTermsAreWordsWithoutCaseAndAccents(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{" -- ?! ", nil},
		{"The disk is full. The DISK!", []string{"the", "disk", "is", "full"}},
		{"Größe, naïve Façade", []string{"grosse", "naive", "facade"}},
		{"ΟΔΟΣ οδός", []string{"οδοσ"}},
		{"ﬁle Ⅷ ＡＢＣ", []string{"file", "viii", "abc"}},
		{"i-0abc123", []string{"i", "0abc123", "i-0abc123"}},
		{"us-east-1", []string{"us", "east", "us-east", "1", "east-1"}},
		{"arn:aws:s3:::my_bucket", []string{"arn", "aws", "arn:aws", "s3", "aws:s3", "my", "bucket", "my_bucket"}},
		{"alice@example.com.", []string{"alice", "example", "alice@example", "com", "example.com"}},
		{"i-0abc123が", []string{"i", "0abc123", "が", "i-0abc123"}},
		{"東京-A駅/1", []string{"東", "京", "東京", "a", "駅", "東京-a", "1", "駅/1"}},
		{"接続", []string{"接", "続", "接続"}},
		{"東京都 駅", []string{"東", "京", "東京", "都", "京都", "駅"}},
		{"EC2が動かない", []string{"ec2", "動", "が動", "動か", "かな", "ない"}},
		{"サーバー", []string{"サー", "ーバ", "バー"}},
		{"ｻｰﾊﾞｰ", []string{"サー", "ーバ", "バー"}},
		{"締〆 いろ〱 あ゙", []string{"締", "締〆", "いろ", "ろ〱", "あ゙"}},
		{"ラーメン々 いすゞ", []string{"ラー", "ーメ", "メン", "々", "ン々", "いす", "すゞ"}},
		{"データ・ベース、ハート～", []string{"デー", "ータ", "ベー", "ース", "ハー", "ート"}},
		{"한국어", []string{"한", "국", "한국", "어", "국어"}},
		{"ไทย", []string{"ไท", "ทย"}},
		{"हिन्दी भाषा", []string{"हिन्दी", "भाषा"}},
		{"bad\xffbyte", []string{"bad", "byte"}},
	} {
		if diff := cmp.Diff(test.want, desk.Terms(test.text)); diff != "" {
			t.Errorf("Terms(%q) (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestPartOfAnIDIsFoundWhereverItStands(t *testing.T) {
	t.Parallel()
	text := desk.Terms("See arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc123 (10.0.0.17).")
	for _, query := range []string{
		"i-0abc123", "0ABC123", "instance/i-0abc123", "eu-west-1", "eu-west", "111122223333", "10.0.0.17", "10.0",
	} {
		for _, term := range desk.Terms(query) {
			if !slices.Contains(text, term) {
				t.Errorf("Terms() of the text lacks %q, which a search for %q asks for", term, query)
			}
		}
	}
}

func TestTermsAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	if diff := cmp.Diff([]string{long[:64], "y"}, desk.Terms(long+"-y")); diff != "" {
		t.Errorf("Terms(a long word) (-want +got):\n%s", diff)
	}
	many := strings.Repeat(everyIdeograph(), 2)
	if got := len(desk.Terms(many)); got != 20_000 {
		t.Errorf("Terms(%d characters) has %d terms, want 20000", utf8.RuneCountInString(many), got)
	}
}

// everyIdeograph is the unified ideographs of Unicode 1.1.
func everyIdeograph() string {
	var text strings.Builder
	for r := '一'; r <= '龥'; r++ {
		text.WriteRune(r)
	}
	return text.String()
}

func TestWholeCommunicationIsFound(t *testing.T) {
	t.Parallel()
	const longest = 8000
	var addresses, letters strings.Builder
	for i := 0; addresses.Len() < longest-30; i++ {
		fmt.Fprintf(&addresses, "10.%d.%d.%d:%d\n", i%7, i%253, i*7%251, 1024+i*13)
	}
	for i := range rune(longest / 2) {
		letters.WriteString(string('ꀀ'+i%1100) + "-_./"[i/1100:i/1100+1])
	}
	for name, text := range map[string]string{
		"addresses":  addresses.String(),
		"ideographs": everyIdeograph()[:3*(longest-10)],
		"letters":    letters.String()[:len(letters.String())/8*7],
	} {
		text += " the-end終了"
		terms := desk.Terms(strings.Repeat("题", 255) + "\n" + text)
		for _, term := range []string{"the", "the-end", "終", "終了"} {
			if !slices.Contains(terms, term) {
				t.Errorf("the %d terms of %d characters of %s lack the last %q", len(terms), utf8.RuneCountInString(text), name, term)
			}
		}
	}
}

func TestTermsOfEveryCharacterAreStable(t *testing.T) {
	t.Parallel()
	var some strings.Builder
	for r := range unicode.MaxRune {
		if unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.So) {
			some.WriteString("a" + string(r) + " " + string(r) + " ")
		}
		if r%256 == 255 {
			checkTerms(t, some.String())
			some.Reset()
		}
	}
}

func FuzzTermsOfTermsAreTheSame(f *testing.F) {
	for _, text := range []string{"i-0abc123", "東京都", "サーバー〱", "a--b_c", "x\u0301\u3099", strings.Repeat("ab-", 60), "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkTerms(t, text) })
}

func checkTerms(t *testing.T, text string) {
	t.Helper()
	terms := desk.Terms(text)
	if again := desk.Terms(strings.Join(terms, " ")); !slices.Equal(again, terms) {
		t.Errorf("Terms(%q) = %q, but Terms of these = %q", text, terms, again)
	}
	seen := map[string]bool{}
	for _, term := range terms {
		if seen[term] || term == "" || len(term) > 64 || !utf8.ValidString(term) {
			t.Errorf("Terms(%q) has %q, which is empty, long, broken or there twice", text, term)
		}
		seen[term] = true
	}
}

func TestSearchFindsWordsWithinRunsOfCharacters(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	for text, queries := range map[string][]string{
		"東京のサーバー":                     {"サーバー", "東京", "京", "サーバ", "ｻｰﾊﾞｰ", "東京のサーバー"},
		"データベースが遅い":                   {"データ", "データベース", "ベース", "遅"},
		"i-0abc123が動かない":              {"i-0abc123", "動"},
		"서버에서 키를":                     {"서버", "키"},
		everyIdeograph()[:3*24] + "東": {everyIdeograph()[:3*24] + "東"},
		everyIdeograph()[:3*24] + "西": {everyIdeograph()[:3*24] + "西"},
	} {
		f.open(t, retail, cases.NewCase{Subject: text})
		for _, query := range queries {
			if diff := cmp.Diff([]string{text}, f.findSorted(t, desk.Operator(), desk.Query{View: desk.ViewAll, Text: query})); diff != "" {
				t.Errorf("Find(%q) (-want +got):\n%s", query, diff)
			}
		}
	}
}

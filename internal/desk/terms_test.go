package desk_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

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
		{"接続", []string{"接続"}},
		{"東京都 駅", []string{"東京", "京都", "駅"}},
		{"EC2が動かない", []string{"ec2", "が動", "動か", "かな", "ない"}},
		{"한국어", []string{"한국", "국어"}},
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
	var many strings.Builder
	for r := range rune(5000) {
		many.WriteRune('一' + r)
	}
	if got := len(desk.Terms(many.String())); got != 2000 {
		t.Errorf("Terms(5,000 characters) has %d terms, want 2000", got)
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
	for _, text := range []string{"i-0abc123", "東京都", "a--b_c", "x\u0301\u3099", strings.Repeat("ab-", 60), "\xff"} {
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

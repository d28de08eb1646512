package supportapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/iam"
)

const invalidToken = "400 InvalidParameterValueException: The nextToken is not valid for this request."

// tokens returns a token of DescribeCases without filters and one of
// DescribeCommunications of the fixture's case.
func (f *fixture) tokens(t testing.TB) (ofCases, ofCommunications string) {
	t.Helper()
	for range 11 {
		f.must(t, "CreateCase", f.valid("CreateCase"))
		f.must(t, "AddCommunicationToCase", f.valid("AddCommunicationToCase"))
	}
	ofCases = f.must(t, "DescribeCases", members{"maxResults": 10})["nextToken"].(string)
	ofCommunications = f.must(t, "DescribeCommunications", members{"caseId": f.caseID, "maxResults": 10})["nextToken"].(string)
	return ofCases, ofCommunications
}

// must calls an operation as the first account and returns what it answers.
func (f *fixture) must(t testing.TB, operation string, in members) map[string]any {
	t.Helper()
	got := f.call(t, f.first, operation, in.text(t))
	if got.Status != http.StatusOK {
		t.Fatalf("%s(%s) = %s, want 200", operation, in.text(t), got.refusal())
	}
	var out map[string]any
	mustNot(t, json.Unmarshal([]byte(got.body), &out))
	return out
}

func TestTokensOpenOnlyAsTheyWereGiven(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	ofCases, ofCommunications := f.tokens(t)
	for _, tt := range []struct {
		operation string
		in        members
	}{
		{"DescribeCases", members{"nextToken": ofCases}},
		{"DescribeCommunications", members{"caseId": f.caseID, "nextToken": ofCommunications}},
	} {
		f.must(t, tt.operation, tt.in)
		token := tt.in["nextToken"].(string)
		for _, changed := range changedTokens(token) {
			got := f.call(t, f.first, tt.operation, tt.in.with("nextToken", changed).text(t))
			if got.refusal() != invalidToken {
				t.Errorf("%s(nextToken %q instead of %q) = %s, want %s", tt.operation, changed, token, got.refusal(), invalidToken)
			}
		}
	}
}

// changedTokens returns a token with each of its characters changed, cut short
// everywhere, and longer.
func changedTokens(token string) []string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	changed := []string{token + "A", token + "AAAA", token + "\n", "\n" + token, token + "=", token + token, strings.TrimRight(token, "=") + "A"}
	for i := range token {
		changed = append(changed, token[:i], token[:i]+"\n"+token[i:])
		at := strings.IndexByte(alphabet, token[i])
		for _, step := range []int{1, 2, 4, 8, 16, 32} { // every bit of the character
			if at >= 0 {
				changed = append(changed, token[:i]+string(alphabet[at^step])+token[i+1:])
			}
		}
		changed = append(changed, token[:i]+"="+token[i+1:], token[:i]+"-"+token[i+1:])
	}
	kept := changed[:0]
	for _, c := range changed {
		if c != token {
			kept = append(kept, c)
		}
	}
	return kept
}

func TestTokensAreBoundToAccountOperationAndFilters(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	ofCases, ofCommunications := f.tokens(t)
	other, _ := f.mustCase(t)
	byID := members{"caseIdList": []any{f.caseID}}
	for _, tt := range []struct {
		operation string
		key       iam.NewKey
		in        members
		token     string
	}{
		{"DescribeCases", f.second, members{}, ofCases},
		{"DescribeCases", f.first, members{}, ofCommunications},
		{"DescribeCommunications", f.first, members{"caseId": f.caseID}, ofCases},
		{"DescribeCommunications", f.first, members{"caseId": other}, ofCommunications},
		{"DescribeCommunications", f.second, members{"caseId": f.caseID}, ofCommunications},
		{"DescribeCommunications", f.first, members{"caseId": f.caseID, "afterTime": "2020-01-01"}, ofCommunications},
		{"DescribeCommunications", f.first, members{"caseId": f.caseID, "beforeTime": "2099-01-01"}, ofCommunications},
		{"DescribeCases", f.first, members{"includeResolvedCases": true}, ofCases},
		{"DescribeCases", f.first, members{"afterTime": "2020-01-01"}, ofCases},
		{"DescribeCases", f.first, members{"beforeTime": "2099-01-01"}, ofCases},
		{"DescribeCases", f.first, members{"language": "en"}, ofCases},
		{"DescribeCases", f.first, members{"displayId": "1"}, ofCases},
		{"DescribeCases", f.first, byID, ofCases},
		{"DescribeCases", f.first, members{}, ""},
		{"DescribeCases", f.first, members{}, "bmV4dA=="},
	} {
		got := f.call(t, tt.key, tt.operation, tt.in.with("nextToken", tt.token).text(t))
		if got.refusal() != invalidToken {
			t.Errorf("%s(%s) of %s with a token of another call = %s, want %s", tt.operation, tt.in.text(t), tt.key.Account, got.refusal(), invalidToken)
		}
	}
	// The size of a page and whether cases carry communications may change on the way.
	f.must(t, "DescribeCases", members{"nextToken": ofCases, "maxResults": 50, "includeCommunications": false, "includeResolvedCases": false})
	f.must(t, "DescribeCommunications", members{"caseId": f.caseID, "nextToken": ofCommunications, "maxResults": 50, "afterTime": ""})
}

// Two scopes are the same only where account, operation and every filter are.
func TestTokenScopesNeverMeet(t *testing.T) {
	t.Parallel()
	type scope struct {
		account, operation string
		filters            []string
	}
	who := func(s scope) string {
		return tokenScope(caller{Identity: iam.Identity{Account: s.account}}, s.operation, s.filters...)
	}
	// Texts that a careless separator would mix up.
	part := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"|", "%7C", "%", "%25", "7C", "a"}), 0, 2), func(parts []string) string {
		return strings.Join(parts, "")
	})
	scopes := rapid.Custom(func(t *rapid.T) scope {
		return scope{part.Draw(t, "account"), part.Draw(t, "operation"), rapid.SliceOfN(part, 1, 2).Draw(t, "filters")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a := scopes.Draw(t, "scope")
		b := a
		b.filters = append([]string{}, a.filters...)
		switch rapid.IntRange(0, 4).Draw(t, "change") {
		case 0:
			b.account = part.Draw(t, "account")
		case 1:
			b.operation = part.Draw(t, "operation")
		case 2:
			b.filters[0] = part.Draw(t, "filter")
		case 3:
			b.filters[0] = strings.ReplaceAll(a.filters[0], "|", "%7C")
		case 4:
			b = scopes.Draw(t, "other scope")
		}
		if got, want := who(a) == who(b), reflect.DeepEqual(a, b); got != want {
			t.Fatalf("tokenScope(%q) == tokenScope(%q) is %t, want %t", a, b, got, want)
		}
	})
}

// What a token holds is not to be seen, not even that two hold the same.
func TestTokensAreSealed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	who := caller{Identity: iam.Identity{Account: firstAccount}, once: cases.RequestKey{}}
	place := casePlace{Micros: 1_700_000_000_000_000, ID: "case-" + firstAccount + "-muen-2026-0123456789abcdef"}
	first, err := f.api.sealToken(place, tokenScope(who, "DescribeCases"))
	mustNot(t, err)
	second, err := f.api.sealToken(place, tokenScope(who, "DescribeCases"))
	mustNot(t, err)
	var got casePlace
	if err := f.api.openToken(*first, tokenScope(who, "DescribeCases"), &got); err != nil || got != place {
		t.Errorf("openToken(sealToken(%v)) = %v, %v, want the place", place, got, err)
	}
	if *first == *second {
		t.Errorf("sealToken(%v) = %q twice, want two that differ", place, *first)
	}
}

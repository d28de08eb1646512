package supportapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/iam"
)

// FuzzJSONInput sends any body to each operation. Whatever it is, the answer is
// JSON with 200 or a refusal, never an internal error. Bodies are small: what is
// long costs time and finds nothing new.
func FuzzJSONInput(f *testing.F) {
	api := newFixture(f, limits{})
	names := sortedKeys(api.api.operations)
	f.Fuzz(func(t *testing.T, operation uint8, body []byte) {
		if len(body) > 1<<14 {
			t.Skip()
		}
		name := names[int(operation)%len(names)]
		checkAnswer(t, name, api.call(t, api.first, name, string(body)))
	})
}

func checkAnswer(t *testing.T, name string, got answer) {
	t.Helper()
	if !json.Valid([]byte(got.body)) {
		t.Errorf("%s: the answer %q is no JSON", name, got.body)
	}
	if got.Status != http.StatusOK && (got.Status != http.StatusBadRequest || got.Name == "") {
		t.Errorf("%s = %s, want 200 or a refusal with a name", name, got.refusal())
	}
}

// FuzzQueryInput gives any query to each operation as the members of a presigned
// URL.
func FuzzQueryInput(f *testing.F) {
	api := newFixture(f, limits{})
	names := sortedKeys(api.api.operations)
	f.Fuzz(func(t *testing.T, operation uint8, query string) {
		values, err := url.ParseQuery(query)
		if err != nil || len(query) > 1<<12 || hasSignature(values) {
			t.Skip()
		}
		name := names[int(operation)%len(names)]
		checkAnswer(t, name, api.send(t, presign(t, http.MethodGet, name, values.Encode(), api.first)))
	})
}

// hasSignature tells whether a query has parameters that are not members.
func hasSignature(values url.Values) bool {
	for name := range values {
		if strings.HasPrefix(name, "X-Amz-") {
			return true
		}
	}
	return false
}

// FuzzToken opens any text as a token. Only what was sealed for a scope opens,
// and only there.
func FuzzToken(f *testing.F) {
	api := newFixture(f, limits{}).api
	who := caller{Identity: iam.Identity{Account: firstAccount}}
	place := casePlace{Micros: 1_700_000_000_000_000, ID: "case-1"}
	scope := tokenScope(who, "DescribeCases", "en")
	f.Fuzz(func(t *testing.T, token, otherScope string, at uint16, flip uint8) {
		var got casePlace
		if err := api.openToken(token, scope, &got); !errors.Is(err, errInvalidToken) {
			t.Errorf("openToken(%q) = %v, want %v: nobody sealed it", token, err, errInvalidToken)
		}
		sealed, err := api.sealToken(place, scope)
		mustNot(t, err)
		if err := api.openToken(*sealed, scope, &got); err != nil || got != place {
			t.Errorf("openToken of a sealed place = %v, %v, want %v", got, err, place)
		}
		if err := api.openToken(*sealed, otherScope, &got); (err == nil) != (otherScope == scope) {
			t.Errorf("openToken in scope %q = %v, sealed in %q", otherScope, err, scope)
		}
		changed := []byte(*sealed)
		changed[int(at)%len(changed)] ^= flip
		if err := api.openToken(string(changed), scope, &got); (err == nil) != (string(changed) == *sealed) {
			t.Errorf("openToken(%q) = %v, sealed was %q", changed, err, *sealed)
		}
	})
}

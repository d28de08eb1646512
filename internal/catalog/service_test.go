package catalog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServicesAreReadInOrder(t *testing.T) {
	text := `{"code":"z","name":"Z & Co","categories":[["other","Other"]]}` + "\n" +
		`{"code":"a-1_b","name":"A","categories":[["b","B"],["a","A"]]}` + "\n"
	got, err := parseServices("services.jsonl", []byte(text))
	want := []Service{
		{"z", "Z & Co", []Category{{"other", "Other"}}},
		{"a-1_b", "A", []Category{{"b", "B"}, {"a", "A"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("parseServices() = %v (-want +got):\n%s", err, diff)
	}
}

func TestBadServicesAreRefusedWithTheirLine(t *testing.T) {
	const good = `{"code":"a","name":"A","categories":[["b","B"]]}`
	tests := []struct{ name, line, want string }{
		{"unknown member", `{"code":"x","name":"X","categories":[["b","B"]],"verified":true}`, `unknown field "verified"`},
		{"same code again", good, "service a is here twice"},
		{"no code", `{"name":"X","categories":[["b","B"]]}`, `code "" does not match`},
		{"capital letter in a code", `{"code":"X","name":"X","categories":[["b","B"]]}`, `code "X" does not match`},
		{"no name", `{"code":"x","categories":[["b","B"]]}`, `code x has the name ""`},
		{"no categories", `{"code":"x","name":"X"}`, "service x has no categories"},
		{"empty categories", `{"code":"x","name":"X","categories":[]}`, "service x has no categories"},
		{"category twice", `{"code":"x","name":"X","categories":[["b","B"],["b","C"]]}`, "category b of x is here twice"},
		{"category without a name", `{"code":"x","name":"X","categories":[["b"]]}`, "is not a pair"},
		{"category of three", `{"code":"x","name":"X","categories":[["b","B","C"]]}`, "is not a pair"},
		{"category with an empty name", `{"code":"x","name":"X","categories":[["b",""]]}`, "category of x: code b has the name"},
		{"category with a bad code", `{"code":"x","name":"X","categories":[["B","B"]]}`, `category of x: code "B" does not match`},
		{"two on a line", `{"code":"x","name":"X","categories":[["b","B"]]}{}`, "more than one value"},
		{"not JSON", `code: x`, "invalid character"},
		{"empty line", ``, "EOF"},
	}
	for _, test := range tests {
		_, err := parseServices("services.jsonl", []byte(good+"\n"+test.line+"\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "services.jsonl:2: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: parseServices() = %v, want services.jsonl:2: …%s", test.name, err, test.want)
		}
	}
	if _, err := parseServices("services.jsonl", nil); err == nil {
		t.Error("parseServices(nothing) = nil, want an error")
	}
}

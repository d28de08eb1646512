package inventory

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type (
	word  string
	count int32
)

type base struct {
	Name   *string
	Hidden string
}

type Embedded struct {
	Inside *string
	Hidden *string
	Deep   string `part:"x:GetDeep" doc:"From a call of its own."`
}

type Linked struct{ Next *Linked }

type everyForm struct {
	Embedded
	*Linked
	base
	Hidden         int32 // hides that of Embedded
	Text           string
	Word           word
	TextAt         *string
	Count          count
	CountAt        *int32
	Long           *int64
	Half           *float32
	Number         float64
	On             *bool
	Off            bool
	At             *time.Time
	When           time.Time
	Bytes          []byte
	Texts          []string
	TextsAt        []*string
	Structs        []Linked
	ByName         map[string]Linked
	Lists          map[string][]int32
	Union          any
	Byte           uint8
	ResultMetadata string
	private        string
}

func at[T any](v T) *T { return &v }

func TestTypesOfStructs(t *testing.T) {
	var got []string
	for _, f := range TypeOf(reflect.TypeFor[everyForm]()).Fields() {
		got = append(got, strings.Join([]string{f.Name, f.Type.String(), f.Part, f.Doc}, " "))
	}
	want := []string{
		"At timestamp  ", "ByName map(string, inventory.Linked)  ", "Byte dyn  ", "Bytes string  ", "Count int  ", "CountAt int  ",
		"Deep string x:GetDeep From a call of its own.", "Half double  ", "Hidden int  ", "Inside string  ", "Linked inventory.Linked  ",
		"Lists map(string, list(int))  ", "Long int  ", "Number double  ", "Off bool  ", "On bool  ", "Structs list(inventory.Linked)  ",
		"Text string  ", "TextAt string  ", "Texts list(string)  ", "TextsAt list(string)  ", "Union dyn  ", "When timestamp  ", "Word string  ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	linked := TypeOf(reflect.TypeFor[Linked]())
	if next, ok := linked.Field("Next"); !ok || next.Type != linked {
		t.Errorf("the type of a pointer to Linked is not that of Linked")
	}
	if _, ok := linked.Field("Nex"); ok {
		t.Error("a field was found by half its name")
	}
	made := StructOf("x.y", Field{Name: "b", Type: linked}, Field{Name: "a", Type: linked})
	if f, ok := made.Field("a"); !ok || f.Name != "a" || made.String() != "x.y" {
		t.Errorf("Field(a) of %s = %v, %t", made, f, ok)
	}
}

func TestPlainTellsZeroOnlyWhereItWasTold(t *testing.T) {
	if got := Plain(everyForm{private: "x"}); len(got) != 0 {
		t.Errorf("Plain of nothing = %v, want nothing", got)
	}
	for _, v := range []any{nil, 7, (*everyForm)(nil), []string{"a"}} {
		if got := Plain(v); got == nil || len(got) != 0 {
			t.Errorf("Plain(%v) = %v, want an empty map", v, got)
		}
	}
	day := time.Date(2026, 1, 15, 13, 0, 0, 5e8, time.FixedZone("", 3600))
	v := everyForm{
		Embedded: Embedded{Inside: at("in"), Hidden: at("no"), Deep: "deep"}, Linked: &Linked{Next: &Linked{}}, base: base{Name: at("no")},
		Text: "a", Word: "w", TextAt: at(""), Count: 3, CountAt: at(int32(0)), Long: at(int64(1 << 40)), Half: at(float32(0.5)), Number: 2.5,
		On: at(false), Off: true, At: &day, When: day, Bytes: []byte("hi"), Texts: []string{"", "b"}, TextsAt: []*string{nil, at("c")},
		Structs: []Linked{{}}, ByName: map[string]Linked{"k": {}}, Lists: map[string][]int32{"n": {0, 1}}, Union: "u", Byte: 1, ResultMetadata: "x",
	}
	want := map[string]any{
		"Inside": "in", "Deep": "deep", "Linked": map[string]any{"Next": map[string]any{}}, "Text": "a", "Word": "w", "TextAt": "", "Count": int64(3),
		"CountAt": int64(0), "Long": int64(1 << 40), "Half": 0.5, "Number": 2.5, "On": false, "Off": true, "At": "2026-01-15T12:00:00.5Z", "When": "2026-01-15T12:00:00.5Z",
		"Bytes": "aGk=", "Texts": []any{"", "b"}, "TextsAt": []any{nil, "c"}, "Structs": []any{map[string]any{}}, "ByName": map[string]any{"k": map[string]any{}},
		"Lists": map[string]any{"n": []any{int64(0), int64(1)}},
	}
	got := Plain(&v)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Plain (-want +got):\n%s", diff)
	}
	known := TypeOf(reflect.TypeFor[everyForm]())
	for name := range got {
		if _, ok := known.Field(name); !ok {
			t.Errorf("Plain has %s, and the type does not", name)
		}
	}
}

func TestPlainIsAlwaysJSON(t *testing.T) {
	v := everyForm{Number: math.NaN(), Half: at(float32(math.Inf(1))), Text: "\xff"}
	got := Plain(v)
	if _, err := json.Marshal(got); err != nil || len(got) != 1 {
		t.Errorf("Plain = %v, error %v; want only Text", got, err)
	}
}

func TestNeeds(t *testing.T) {
	n := Needs{}
	n.Add("x.b", "P", "O")
	n.Add("x.a")
	n.AddAll(Needs{"x.b": {"N", "P"}, "x.c": nil})
	if diff := cmp.Diff(Needs{"x.a": nil, "x.b": {"N", "O", "P"}, "x.c": nil}, n); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"x.a", "x.b", "x.c"}, n.Kinds()); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	for _, test := range []struct {
		kind, part string
		want       bool
	}{{"x.a", "", true}, {"x.a", "P", false}, {"x.b", "P", true}, {"x.d", "", false}} {
		if got := n.Has(test.kind, test.part); got != test.want {
			t.Errorf("Has(%q, %q) = %t, want %t", test.kind, test.part, got, test.want)
		}
	}
}

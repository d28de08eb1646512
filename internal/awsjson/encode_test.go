package awsjson

import (
	"math"
	"testing"
)

type checkOutput struct {
	Type     string      `json:"__type"`
	Checks   []checkItem `json:"checks"`
	Data     []byte      `json:"data"`
	Empty    []string    `json:"empty,omitzero"`
	Hidden   string      `json:"hidden,omitzero"`
	Name     *string     `json:"name"`
	Names    []string    `json:"names"`
	Savings  float64     `json:"savings"`
	Summary  *checkItem  `json:"summary"`
	Whatever any         `json:"whatever,omitzero"`
}

type checkItem struct {
	Count    int64     `json:"count"`
	Flag     bool      `json:"flag"`
	Left     *int32    `json:"left"`
	Metadata []*string `json:"metadata"`
}

func TestEncodeWritesAWSsForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		out  any
		want string
	}{
		{"no members", struct{}{}, `{}`},
		{"zero", checkOutput{}, `{"__type":"","checks":[],"names":[],"savings":0.0}`},
		{"a pointer", &checkItem{}, `{"count":0,"flag":false,"metadata":[]}`},
		{"everything", checkOutput{
			Type:   "Check",
			Checks: []checkItem{{Count: -1, Flag: true, Left: new(int32(0)), Metadata: []*string{nil, new("")}}, {Count: math.MaxInt64}},
			Data:   []byte{0xff, 0xff}, Empty: []string{}, Hidden: "x", Name: new(""), Names: []string{}, Savings: 12.5, Summary: &checkItem{},
		}, `{"__type":"Check","checks":[{"count":-1,"flag":true,"left":0,"metadata":[null,""]},{"count":9223372036854775807,"flag":false,"metadata":[]}],` +
			`"data":"//8=","empty":[],"hidden":"x","name":"","names":[],"savings":12.5,"summary":{"count":0,"flag":false,"metadata":[]}}`},
		{"an empty blob", checkOutput{Data: []byte{}}, `{"__type":"","checks":[],"data":"","names":[],"savings":0.0}`},
		{
			"characters",
			checkItem{Metadata: []*string{new("<b>&'/ü😀\u2028\u007f"), new("\"\\\n\x00\x1f")}},
			`{"count":0,"flag":false,"metadata":["<b>&'/ü😀` + "\u2028\u007f" + `","\"\\\n\u0000\u001f"]}`,
		},
		{"a large float", checkOutput{Savings: 1e21}, `{"__type":"","checks":[],"names":[],"savings":1000000000000000000000.0}`},
		{"a small float", checkOutput{Savings: -0.1}, `{"__type":"","checks":[],"names":[],"savings":-0.1}`},
	} {
		got, err := Encode(test.out)
		if string(got) != test.want || err != nil {
			t.Errorf("%s: Encode = %s, %v, want %s", test.name, got, err, test.want)
		}
		if syntax := CheckSyntax(got); syntax != nil {
			t.Errorf("%s: CheckSyntax = %v", test.name, syntax)
		}
	}
}

func TestEncodeRefusesWhatHasNoForm(t *testing.T) {
	t.Parallel()
	for name, out := range map[string]any{
		"nothing":       nil,
		"nil pointer":   (*checkItem)(nil),
		"no struct":     "x",
		"invalid UTF-8": checkOutput{Name: new("\xff")},
		"no number":     checkOutput{Savings: math.NaN()},
		"infinite":      checkOutput{Savings: math.Inf(1)},
		"interface":     checkOutput{Whatever: 1},
		"no name":       struct{ A string }{},
		"inside a list": struct {
			A []map[string]string `json:"a"`
		}{A: make([]map[string]string, 1)},
		"inside a struct": struct {
			A struct{ B string } `json:"a"`
		}{},
	} {
		if got, err := Encode(out); err == nil || got != nil {
			t.Errorf("%s: Encode = %s, %v, want an error", name, got, err)
		}
	}
}

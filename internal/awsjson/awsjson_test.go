package awsjson

import (
	"reflect"
	"strings"
	"testing"
)

// caseInput has a member of every form, with the constraints of the model.
type caseInput struct {
	AttachmentSetID      *string      `json:"attachmentSetId"`
	Attachments          []attachment `json:"attachments,omitzero"`
	CaseIDList           []string     `json:"caseIdList,omitzero" constraint:"max=100"`
	CCEmailAddresses     []string     `json:"ccEmailAddresses,omitzero" constraint:"max=10" item:"max=20"`
	CommunicationBody    *string      `json:"communicationBody" constraint:"min=1,max=8000"`
	IncludeResolvedCases *bool        `json:"includeResolvedCases"`
	Language             *string      `json:"language" constraint:"enum=en|ja"`
	Logo                 []byte       `json:"logo,omitzero"`
	MaxResults           *int32       `json:"maxResults" constraint:"min=10,max=100"`
	Range                *dateRange   `json:"range"`
	ServiceCode          *string      `json:"serviceCode" constraint:"pattern=[0-9a-z\\-_]+"`
	ServiceCodeList      []string     `json:"serviceCodeList,omitzero" constraint:"max=100" item:"pattern=[0-9a-z\\-_]+"`
}

type attachment struct {
	Data     []byte  `json:"data,omitzero" constraint:"max=8"`
	FileName *string `json:"fileName" constraint:"min=1"`
}

type dateRange struct {
	End   *string `json:"end"`
	Start *string `json:"start" constraint:"required"`
}

func TestErrorNamesTheException(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"SerializationException":                &Error{Kind: Serialization},
		"SerializationException: Expected null": &Error{Kind: Serialization, Message: "Expected null"},
		"ValidationException: no":               &Error{Kind: Validation, Message: "no"},
	} {
		if got := err.Error(); got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
	}
}

func TestBadTagsStopTheProgram(t *testing.T) {
	t.Parallel()
	for want, bad := range map[string]reflect.Type{
		"json name": reflect.TypeFor[struct{ A *string }](),
		"json name of": reflect.TypeFor[struct {
			A *string `json:"-"`
		}](),
		"name of its own": reflect.StructOf([]reflect.StructField{named("A"), named("B")}),
		"is exported":     reflect.StructOf([]reflect.StructField{named("a")}),
		"pointer or a slic": reflect.TypeFor[struct {
			A string `json:"a"`
		}](),
		"no shape for type": reflect.TypeFor[struct {
			A *int64 `json:"a"`
		}](),
		"type *[]string": reflect.TypeFor[struct {
			A *[]string `json:"a"`
		}](),
		`"mim=1"`: reflect.TypeFor[struct {
			A *string `json:"a" constraint:"required,mim=1"`
		}](),
		`"min=x"`: reflect.TypeFor[struct {
			A *string `json:"a" constraint:"min=x"`
		}](),
		"not for a Boolean": reflect.TypeFor[struct {
			A *bool `json:"a" constraint:"min=1"`
		}](),
		"not for an Intege": reflect.TypeFor[struct {
			A *int32 `json:"a" constraint:"enum=1|2"`
		}](),
		"not for a List": reflect.TypeFor[struct {
			A []string `json:"a" constraint:"pattern=x"`
		}](),
		"missing closing ]": reflect.TypeFor[struct {
			A *string `json:"a" constraint:"pattern=[a,b"`
		}](),
		"unexpected )": reflect.TypeFor[struct {
			A *string `json:"a" constraint:"pattern=a)|(b"`
		}](),
		"for lists": reflect.TypeFor[struct {
			A *string `json:"a" item:"min=1"`
		}](),
		"never holds null": reflect.TypeFor[struct {
			A []string `json:"a" item:"required"`
		}](),
		"nested too deep": reflect.TypeFor[loop](),
	} {
		if got := panicOf(func() { compile(bad, "input", 0) }); !strings.Contains(got, want) {
			t.Errorf("compile(%v) panics with %q, want %q in it", bad, got, want)
		}
	}
	if got := panicOf(func() { NewCodec[string]() }); got != "awsjson: string is not a struct" {
		t.Errorf("NewCodec[string] panics with %q", got)
	}
}

// loop holds itself.
type loop struct {
	Loop []loop `json:"loop"`
}

func named(name string) reflect.StructField {
	f := reflect.StructField{Name: name, Type: reflect.TypeFor[*string](), Tag: `json:"a"`}
	if name == "a" {
		f.PkgPath = "awsjson"
	}
	return f
}

func panicOf(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}

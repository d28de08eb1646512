package awsjson

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type attachmentsInput struct {
	AttachmentSetID *string `json:"attachmentSetId"`
	Attachments     []file  `json:"attachments" constraint:"required"`
}

type file struct {
	Data     []byte  `json:"data"`
	FileName *string `json:"fileName"`
}

// largest is a request with one file of the largest size, 5 MB.
func largest() []byte {
	data := make([]byte, 5<<20)
	chance := rand.NewChaCha8([32]byte{})
	_, _ = chance.Read(data) // It never fails.
	return []byte(`{"attachments":[{"fileName":"a.bin","data":"` + base64.StdEncoding.EncodeToString(data) + `"}]}`)
}

const createCase = `{"subject":"Help","serviceCode":"amazon-s3","severityCode":"low","categoryCode":"using-aws",` +
	`"communicationBody":"Our bucket is \"gone\".\nPlease help.","ccEmailAddresses":["a@example.com","b@example.com"],` +
	`"language":"en","issueType":"technical","attachmentSetId":null}`

func BenchmarkDecode(b *testing.B) {
	b.Run("case", func(b *testing.B) { benchmarkDecode[caseInput](b, []byte(createCase)) })
	b.Run("5MB", func(b *testing.B) { benchmarkDecode[attachmentsInput](b, largest()) })
	b.Run("5MB escaped", func(b *testing.B) {
		benchmarkDecode[attachmentsInput](b, []byte(strings.ReplaceAll(string(largest()), "/", `\/`)))
	})
}

func benchmarkDecode[T any](b *testing.B, body []byte) {
	codec := NewCodec[T]()
	compare(b, body, map[string]func([]byte) error{
		"awsjson": func(body []byte) error {
			typeErr, syntax := codec.Decode(body, new(T))
			if typeErr != nil || syntax != nil {
				b.Fatal(typeErr, syntax)
			}
			return nil
		},
		"v1": func(body []byte) error { return json.Unmarshal(body, new(T)) },
		"v2": func(body []byte) error {
			return jsonv2.Unmarshal(body, new(T), jsontext.AllowDuplicateNames(true))
		},
	})
}

func compare(b *testing.B, body []byte, decoders map[string]func([]byte) error) {
	for _, name := range []string{"awsjson", "v1", "v2"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if err := decoders[name](body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheckSyntax5MB(b *testing.B) {
	body := largest()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := CheckSyntax(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	codec := NewCodec[caseInput]()
	var in caseInput
	if typeErr, syntax := codec.Decode([]byte(createCase), &in); typeErr != nil || syntax != nil {
		b.Fatal(typeErr, syntax)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := codec.Validate(&in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	list := struct {
		Cases []caseInput `json:"cases"`
	}{Cases: make([]caseInput, 100)}
	for i := range list.Cases {
		if _, syntax := NewCodec[caseInput]().Decode([]byte(createCase), &list.Cases[i]); syntax != nil {
			b.Fatal(syntax)
		}
	}
	var large attachmentsInput
	if _, syntax := NewCodec[attachmentsInput]().Decode(largest(), &large); syntax != nil {
		b.Fatal(syntax)
	}
	b.Run("100 cases", func(b *testing.B) { benchmarkEncode(b, list) })
	b.Run("5MB", func(b *testing.B) { benchmarkEncode(b, large) })
}

func benchmarkEncode(b *testing.B, out any) {
	for name, encode := range map[string]func(any) ([]byte, error){"awsjson": Encode, "v1": json.Marshal} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := encode(out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

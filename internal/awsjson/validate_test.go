package awsjson

import (
	"slices"
	"strings"
	"testing"
)

// The texts are those of wire-fidelity.md, sections 1 and 3.
func TestValidateSaysWhatAWSSays(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 8001)
	for _, test := range []struct {
		name string
		in   caseInput
		want []string
	}{
		{"nothing is required", caseInput{}, nil},
		{"minimum of a value", caseInput{MaxResults: new(int32(9))}, []string{
			"Value '9' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 10",
		}},
		{"maximum of a value", caseInput{MaxResults: new(int32(101))}, []string{
			"Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100",
		}},
		{"the limits themselves", caseInput{MaxResults: new(int32(10)), CommunicationBody: new("x")}, nil},
		{"empty", caseInput{CommunicationBody: new("")}, []string{
			"Value '' at 'communicationBody' failed to satisfy constraint: Member must have length greater than or equal to 1",
		}},
		{"characters, not bytes", caseInput{CommunicationBody: new(strings.Repeat("😀", 8000))}, nil},
		{"a character too many", caseInput{CommunicationBody: &long}, []string{
			"Value '" + long + "' at 'communicationBody' failed to satisfy constraint: Member must have length less than or equal to 8000",
		}},
		{"a value too long to repeat", caseInput{CommunicationBody: new(strings.Repeat("ü", 10_001))}, []string{
			"Value '" + strings.Repeat("ü", 10_000) + "…' at 'communicationBody' failed to satisfy constraint: Member must have length less than or equal to 8000",
		}},
		{"pattern", caseInput{ServiceCode: new("INVALID-CODE")}, []string{
			`Value 'INVALID-CODE' at 'serviceCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9a-z\-_]+`,
		}},
		{"pattern of the whole value", caseInput{ServiceCode: new("amazon-s3\n")}, []string{
			"Value 'amazon-s3\n' at 'serviceCode' failed to satisfy constraint: " + `Member must satisfy regular expression pattern: [0-9a-z\-_]+`,
		}},
		{"pattern holds", caseInput{ServiceCode: new("amazon-s3_2")}, nil},
		{"enum", caseInput{Language: new("de")}, []string{
			"Value 'de' at 'language' failed to satisfy constraint: Member must satisfy enum value set: [en, ja]",
		}},
		{"enum holds", caseInput{Language: new("ja")}, nil},
		{"list", caseInput{CCEmailAddresses: strings.Split("abcdefghijk", "")}, []string{
			"Value '[a, b, c, d, e, f, g, h, i, j, k]' at 'ccEmailAddresses' failed to satisfy constraint: Member must have length less than or equal to 10",
		}},
		{"item", caseInput{CCEmailAddresses: []string{"a", strings.Repeat("b", 21)}}, []string{
			"Value 'bbbbbbbbbbbbbbbbbbbbb' at 'ccEmailAddresses.2.member' failed to satisfy constraint: Member must have length less than or equal to 20",
		}},
		{"pattern of items", caseInput{ServiceCodeList: []string{"EC2"}}, []string{
			`Value 'EC2' at 'serviceCodeList.1.member' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9a-z\-_]+`,
		}},
		{"member of an item", caseInput{Attachments: []attachment{{}, {Data: make([]byte, 9), FileName: new("")}}}, []string{
			"Value '<9 bytes>' at 'attachments.2.member.data' failed to satisfy constraint: Member must have length less than or equal to 8",
			"Value '' at 'attachments.2.member.fileName' failed to satisfy constraint: Member must have length greater than or equal to 1",
		}},
		{"required inside", caseInput{Range: &dateRange{}}, []string{
			"Value null at 'range.start' failed to satisfy constraint: Member must not be null",
		}},
		{"several, in the order of the fields", caseInput{
			ServiceCode: new(""), MaxResults: new(int32(0)), CCEmailAddresses: slices.Repeat([]string{strings.Repeat("c", 21)}, 1),
		}, []string{
			"Value 'ccccccccccccccccccccc' at 'ccEmailAddresses.1.member' failed to satisfy constraint: Member must have length less than or equal to 20",
			"Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 10",
			`Value '' at 'serviceCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9a-z\-_]+`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := NewCodec[caseInput]().Validate(&test.in)
			if want := detected(test.want...); message(got) != want {
				t.Errorf("Validate = %q, want %q", message(got), want)
			}
			if got != nil && got.Kind != Validation {
				t.Errorf("Validate: kind %v, want Validation", got.Kind)
			}
		})
	}
}

// detected writes the frame around failures by hand.
func detected(failures ...string) string {
	switch len(failures) {
	case 0:
		return ""
	case 1:
		return "1 validation error detected: " + failures[0]
	}
	return string(rune('0'+len(failures))) + " validation errors detected: " + strings.Join(failures, "; ")
}

func TestValidateReportsOneFailureForAMissingMember(t *testing.T) {
	t.Parallel()
	type input struct {
		Attachments []attachment `json:"attachments" constraint:"required,min=1"`
		Body        *string      `json:"communicationBody" constraint:"required,min=1,max=8000"`
	}
	want := "2 validation errors detected: Value null at 'attachments' failed to satisfy constraint: Member must not be null; " +
		"Value null at 'communicationBody' failed to satisfy constraint: Member must not be null"
	if got := message(NewCodec[input]().Validate(&input{})); got != want {
		t.Errorf("Validate = %q, want %q", got, want)
	}
	in := input{Attachments: []attachment{}, Body: new("x")}
	want = "1 validation error detected: Value '[]' at 'attachments' failed to satisfy constraint: Member must have length greater than or equal to 1"
	if got := message(NewCodec[input]().Validate(&in)); got != want {
		t.Errorf("Validate of an empty list = %q, want %q", got, want)
	}
}

func TestValidateStopsAtTenFailures(t *testing.T) {
	t.Parallel()
	in := caseInput{ServiceCodeList: slices.Repeat([]string{"X"}, 50), ServiceCode: new("X"), MaxResults: new(int32(1))}
	got := message(NewCodec[caseInput]().Validate(&in))
	if !strings.HasPrefix(got, "10 validation errors detected: Value '1' at 'maxResults'") {
		t.Errorf("Validate begins %.80q, want ten errors with maxResults first", got)
	}
	if n := strings.Count(got, "failed to satisfy"); n != 10 {
		t.Errorf("Validate lists %d failures, want 10", n)
	}
	if !strings.Contains(got, "'serviceCodeList.8.member'") || strings.Contains(got, "'serviceCodeList.9.member'") {
		t.Errorf("Validate = %q, want eight items", got)
	}
}

func TestValidateBoundsWhatItRepeats(t *testing.T) {
	t.Parallel()
	in := caseInput{CaseIDList: slices.Repeat([]string{"case-123456789012-muen-2026-0123456789abcdef"}, 100_000)}
	got := message(NewCodec[caseInput]().Validate(&in))
	if len(got) > 10_200 || !strings.Contains(got, "…' at 'caseIdList'") {
		t.Errorf("Validate has %d bytes and ends %q, want about 10,000", len(got), got[len(got)-100:])
	}
}

func TestConstraintPatternMayHoldCommas(t *testing.T) {
	t.Parallel()
	type input struct {
		A *string `json:"a" constraint:"max=9,pattern=x{1,2}|y"`
	}
	for value, ok := range map[string]bool{"x": true, "xx": true, "y": true, "xxx": false, "xy": false, "yz": false} {
		if err := NewCodec[input]().Validate(&input{A: &value}); (err == nil) != ok {
			t.Errorf("Validate(%q) = %v, want success %v", value, err, ok)
		}
	}
}

func TestValidatePrintsStructures(t *testing.T) {
	t.Parallel()
	type input struct {
		A []*attachment `json:"a" constraint:"max=1"`
	}
	want := "1 validation error detected: Value '[{…}, null]' at 'a' failed to satisfy constraint: Member must have length less than or equal to 1"
	if got := message(NewCodec[input]().Validate(&input{A: []*attachment{{}, nil}})); got != want {
		t.Errorf("Validate = %q, want %q", got, want)
	}
}

package supportapi

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/support"
)

// operationShapes are the types of an operation: ours and the SDK's.
type operationShapes struct {
	in, out, sdkIn, sdkOut reflect.Type
}

func shapesOf[In, Out, SDKIn, SDKOut any]() operationShapes {
	return operationShapes{reflect.TypeFor[In](), reflect.TypeFor[Out](), reflect.TypeFor[SDKIn](), reflect.TypeFor[SDKOut]()}
}

// allShapes returns the shapes of every operation by its name.
func allShapes() map[string]operationShapes {
	return map[string]operationShapes{
		"AddAttachmentsToSet":        shapesOf[addAttachmentsToSetInput, addAttachmentsToSetOutput, support.AddAttachmentsToSetInput, support.AddAttachmentsToSetOutput](),
		"AddCommunicationToCase":     shapesOf[addCommunicationToCaseInput, addCommunicationToCaseOutput, support.AddCommunicationToCaseInput, support.AddCommunicationToCaseOutput](),
		"CreateCase":                 shapesOf[createCaseInput, createCaseOutput, support.CreateCaseInput, support.CreateCaseOutput](),
		"DescribeAttachment":         shapesOf[describeAttachmentInput, describeAttachmentOutput, support.DescribeAttachmentInput, support.DescribeAttachmentOutput](),
		"DescribeCases":              shapesOf[describeCasesInput, describeCasesOutput, support.DescribeCasesInput, support.DescribeCasesOutput](),
		"DescribeCommunications":     shapesOf[describeCommunicationsInput, describeCommunicationsOutput, support.DescribeCommunicationsInput, support.DescribeCommunicationsOutput](),
		"DescribeCreateCaseOptions":  shapesOf[describeCreateCaseOptionsInput, describeCreateCaseOptionsOutput, support.DescribeCreateCaseOptionsInput, support.DescribeCreateCaseOptionsOutput](),
		"DescribeServices":           shapesOf[describeServicesInput, describeServicesOutput, support.DescribeServicesInput, support.DescribeServicesOutput](),
		"DescribeSeverityLevels":     shapesOf[describeSeverityLevelsInput, describeSeverityLevelsOutput, support.DescribeSeverityLevelsInput, support.DescribeSeverityLevelsOutput](),
		"DescribeSupportedLanguages": shapesOf[describeSupportedLanguagesInput, describeSupportedLanguagesOutput, support.DescribeSupportedLanguagesInput, support.DescribeSupportedLanguagesOutput](),
		"ResolveCase":                shapesOf[resolveCaseInput, resolveCaseOutput, support.ResolveCaseInput, support.ResolveCaseOutput](),

		"DescribeTrustedAdvisorCheckRefreshStatuses": shapesOf[describeTrustedAdvisorCheckRefreshStatusesInput, describeTrustedAdvisorCheckRefreshStatusesOutput, support.DescribeTrustedAdvisorCheckRefreshStatusesInput, support.DescribeTrustedAdvisorCheckRefreshStatusesOutput](),
		"DescribeTrustedAdvisorCheckResult":          shapesOf[describeTrustedAdvisorCheckResultInput, describeTrustedAdvisorCheckResultOutput, support.DescribeTrustedAdvisorCheckResultInput, support.DescribeTrustedAdvisorCheckResultOutput](),
		"DescribeTrustedAdvisorCheckSummaries":       shapesOf[describeTrustedAdvisorCheckSummariesInput, describeTrustedAdvisorCheckSummariesOutput, support.DescribeTrustedAdvisorCheckSummariesInput, support.DescribeTrustedAdvisorCheckSummariesOutput](),
		"DescribeTrustedAdvisorChecks":               shapesOf[describeTrustedAdvisorChecksInput, describeTrustedAdvisorChecksOutput, support.DescribeTrustedAdvisorChecksInput, support.DescribeTrustedAdvisorChecksOutput](),
		"RefreshTrustedAdvisorCheck":                 shapesOf[refreshTrustedAdvisorCheckInput, refreshTrustedAdvisorCheckOutput, support.RefreshTrustedAdvisorCheckInput, support.RefreshTrustedAdvisorCheckOutput](),
	}
}

func TestShapesCorrespondToTheSDK(t *testing.T) {
	t.Parallel()
	for name, shapes := range allShapes() {
		compareStructs(t, name+" input", shapes.in, shapes.sdkIn)
		compareStructs(t, name+" output", shapes.out, shapes.sdkOut)
	}
}

// compareStructs holds every field of ours against the SDK's field of the same
// member, in both directions.
func compareStructs(t *testing.T, place string, ours, sdk reflect.Type) {
	t.Helper()
	want := map[string]reflect.Type{}
	for field := range sdk.Fields() {
		if field.IsExported() && field.Name != "ResultMetadata" {
			want[lowerFirst(field.Name)] = field.Type
		}
	}
	for field := range ours.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "__type" {
			continue
		}
		of, ok := want[name]
		if !ok {
			t.Errorf("%s: member %q of field %s is not in the SDK's %v", place, name, field.Name, sdk)
			continue
		}
		delete(want, name)
		compareTypes(t, place+"."+name, field.Type, of)
	}
	for name := range want {
		t.Errorf("%s: the SDK's member %q is missing in %v", place, name, ours)
	}
}

// compareTypes compares what a value is, not whether it may be absent: the SDK
// has pointers where we always answer something, and scalars where we must tell
// absent from false.
func compareTypes(t *testing.T, place string, ours, sdk reflect.Type) {
	t.Helper()
	ours, sdk = pointedTo(ours), pointedTo(sdk)
	if ours.Kind() != sdk.Kind() {
		t.Errorf("%s is %v, want the SDK's %v", place, ours, sdk)
		return
	}
	switch ours.Kind() {
	case reflect.Slice:
		compareTypes(t, place+"[]", ours.Elem(), sdk.Elem())
	case reflect.Struct:
		compareStructs(t, place, ours, sdk)
	}
}

func pointedTo(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func lowerFirst(name string) string {
	return string(unicode.ToLower(rune(name[0]))) + name[1:]
}

// Members are written in the order of the fields, and the service writes them in
// alphabetical order.
func TestOutputMembersAreInAlphabeticalOrder(t *testing.T) {
	t.Parallel()
	for name, shapes := range allShapes() {
		for place, structure := range structures(name, shapes.out) {
			var names []string
			for field := range structure.Fields() {
				member, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				names = append(names, member)
			}
			if !slices.IsSorted(names) {
				t.Errorf("members of %s are %v, want them in alphabetical order", place, names)
			}
		}
	}
}

// The recordings have a type member in two structures and in no other.
func TestOnlyCasesAndServicesCarryATypeMember(t *testing.T) {
	t.Parallel()
	var typed []string
	for name, shapes := range allShapes() {
		for place, structure := range structures(name, shapes.out) {
			if field, ok := structure.FieldByName("Type"); ok && field.Tag.Get("json") == "__type" {
				typed = append(typed, place)
			}
		}
	}
	slices.Sort(typed)
	if want := []string{"DescribeCases.cases", "DescribeServices.services"}; !slices.Equal(typed, want) {
		t.Errorf("structures with __type are %v, want %v", typed, want)
	}
}

// structures returns a structure and all those in it by their places.
func structures(place string, t reflect.Type) map[string]reflect.Type {
	found := map[string]reflect.Type{}
	for t = pointedTo(t); t.Kind() == reflect.Slice; {
		t = pointedTo(t.Elem())
	}
	if t.Kind() != reflect.Struct {
		return found
	}
	found[place] = t
	for field := range t.Fields() {
		member, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		for inner, structure := range structures(place+"."+member, field.Type) {
			found[inner] = structure
		}
	}
	return found
}

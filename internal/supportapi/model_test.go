package supportapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/support"
	"github.com/aws/aws-sdk-go-v2/service/support/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// modelOperation is what testdata/model.txt says about an operation.
type modelOperation struct {
	in, out []modelMember
	errors  []string
}

type modelMember struct {
	path, form string
	required   bool
	min, max   *int
}

func mustModel(t testing.TB) map[string]*modelOperation {
	t.Helper()
	text, err := os.ReadFile("testdata/model.txt")
	mustNot(t, err)
	model := map[string]*modelOperation{}
	var current *modelOperation
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "#":
		case len(fields) == 1 && line[0] != '\t':
			current = &modelOperation{}
			model[fields[0]] = current
		case fields[0] == "in":
			current.in = append(current.in, mustMember(t, fields[1:]))
		case fields[0] == "out":
			current.out = append(current.out, mustMember(t, fields[1:]))
		case fields[0] == "error":
			current.errors = append(current.errors, fields[1])
		}
	}
	return model
}

func mustMember(t testing.TB, fields []string) modelMember {
	t.Helper()
	m := modelMember{path: fields[0], form: fields[1]}
	for _, constraint := range fields[2:] {
		name, value, _ := strings.Cut(constraint, "=")
		n, err := strconv.Atoi(value)
		switch {
		case name == "required":
			m.required = true
		case name == "min" && err == nil:
			m.min = &n
		case name == "max" && err == nil:
			m.max = &n
		default:
			t.Fatalf("testdata/model.txt: constraint %q of %s is unknown", constraint, m.path)
		}
	}
	return m
}

func TestOperationsAreThoseOfTheModel(t *testing.T) {
	t.Parallel()
	model := mustModel(t)
	if got := len(model); got != 16 {
		t.Fatalf("testdata/model.txt has %d operations, want 16", got)
	}
	var got []string
	for name := range newFixture(t, limits{}).api.operations {
		got = append(got, name)
	}
	slices.Sort(got)
	if diff := cmp.Diff(sortedKeys(model), got); diff != "" {
		t.Errorf("operations (-model +ours):\n%s", diff)
	}
	if diff := cmp.Diff(got, sortedKeys(allShapes())); diff != "" {
		t.Errorf("operations in allShapes (-ours +allShapes):\n%s", diff)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func TestMembersAreThoseOfTheModel(t *testing.T) {
	t.Parallel()
	model := mustModel(t)
	for name, shapes := range allShapes() {
		if diff := cmp.Diff(memberForms(model[name].in), formsOf("", shapes.in)); diff != "" {
			t.Errorf("input members of %s (-model +ours):\n%s", name, diff)
		}
		if diff := cmp.Diff(memberForms(model[name].out), formsOf("", shapes.out)); diff != "" {
			t.Errorf("output members of %s (-model +ours):\n%s", name, diff)
		}
	}
}

func memberForms(all []modelMember) map[string]string {
	forms := map[string]string{}
	for _, m := range all {
		forms[m.path] = m.form
	}
	return forms
}

// formsOf returns the form of every member of a structure by its place.
func formsOf(place string, structure reflect.Type) map[string]string {
	forms := map[string]string{}
	for field := range structure.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "__type" {
			addForms(forms, place+name, field.Type)
		}
	}
	return forms
}

func addForms(forms map[string]string, place string, t reflect.Type) {
	switch t = pointedTo(t); {
	case t == reflect.TypeFor[[]byte]():
		forms[place] = "blob"
	case t.Kind() == reflect.Slice:
		forms[place] = "list"
		addForms(forms, place+"[]", t.Elem())
	case t.Kind() == reflect.Struct:
		forms[place] = "structure"
		for path, form := range formsOf(place+".", t) {
			forms[path] = form
		}
	default:
		forms[place] = map[reflect.Kind]string{
			reflect.String: "text", reflect.Bool: "boolean", reflect.Int32: "integer", reflect.Int64: "long", reflect.Float64: "double",
		}[t.Kind()]
	}
}

var missingMember = regexp.MustCompile(`Value null at '([^']*)' failed to satisfy constraint: Member must not be null`)

func TestRequiredMembersAreThoseOfTheModel(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	model := mustModel(t)
	for _, name := range sortedKeys(model) {
		var want []string
		for _, m := range model[name].in {
			if m.required {
				want = append(want, m.path)
			}
		}
		answer := f.call(t, f.first, name, `{}`)
		var got []string
		for _, found := range missingMember.FindAllStringSubmatch(answer.Message, -1) {
			got = append(got, found[1])
		}
		if !slices.Equal(got, want) || len(want) > 0 && answer.Name != "ValidationException" {
			t.Errorf("%s({}) = %s; missing %v, want %v", name, answer.refusal(), got, want)
		}
		for _, member := range want {
			answer := f.call(t, f.first, name, f.valid(name).without(member).text(t))
			want := "400 ValidationException: 1 validation error detected: Value null at '" + member + "' failed to satisfy constraint: Member must not be null"
			if answer.refusal() != want {
				t.Errorf("%s without %s = %s, want %s", name, member, answer.refusal(), want)
			}
		}
	}
}

// ours are the constraints that the model does not have: the length of a
// subject, and the pattern that was recorded for service codes.
func ours() map[string][]string {
	const pattern = "Member must satisfy regular expression pattern: [0-9a-z\\-_]+"
	return map[string][]string{
		"CreateCase.subject": {
			"Member must have length greater than or equal to 1",
			"Member must have length less than or equal to 255",
		},
		"CreateCase.serviceCode":                 {pattern},
		"DescribeCreateCaseOptions.serviceCode":  {pattern},
		"DescribeServices.serviceCodeList[]":     {pattern},
		"DescribeSupportedLanguages.serviceCode": {pattern},
	}
}

// probe is a value of some size for a member, and what is said about it.
type probe struct {
	size int
	want string // empty: nothing
}

func probesOf(m modelMember) []probe {
	what := "length"
	if m.form == "integer" {
		what = "value"
	}
	var probes []probe
	if m.min != nil && *m.min > 0 {
		probes = append(
			probes, probe{*m.min, ""},
			probe{*m.min - 1, fmt.Sprintf("Member must have %s greater than or equal to %d", what, *m.min)},
		)
	}
	if m.max != nil {
		probes = append(
			probes, probe{*m.max, ""},
			probe{*m.max + 1, fmt.Sprintf("Member must have %s less than or equal to %d", what, *m.max)},
		)
	}
	if m.min == nil && m.form == "text" {
		probes = append(probes, probe{0, ""})
	}
	if m.max == nil && (m.form == "text" || m.form == "integer") {
		probes = append(probes, probe{9000, ""})
	}
	return probes
}

// sized returns a value of a member with the size: characters, elements or the
// number itself. Characters are of three bytes where any are allowed.
func sized(place string, m modelMember, size int) any {
	switch m.form {
	case "integer":
		return size
	case "list":
		elements := make([]any, size)
		for i := range elements {
			elements[i] = "x" + strconv.Itoa(i)
		}
		return elements
	}
	if slices.Contains(sortedKeys(ours()), place) {
		return strings.Repeat("a", size)
	}
	return strings.Repeat("語", size)
}

func TestConstraintsAreThoseOfTheModel(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	model := mustModel(t)
	for _, name := range sortedKeys(model) {
		for _, m := range model[name].in {
			for _, p := range probesOf(m) {
				place := name + "." + m.path
				answer := f.call(t, f.first, name, f.valid(name).with(m.path, sized(place, m, p.size)).text(t))
				got := constraintAt(answer, m.path)
				if got != p.want && !slices.Contains(ours()[place], got) {
					t.Errorf("%s of size %d: %.300s says %q about it, want %q", place, p.size, answer.refusal(), got, p.want)
				}
			}
		}
	}
}

// constraintAt returns what a ValidationException says about a member.
func constraintAt(a answer, path string) string {
	_, after, found := strings.Cut(a.Message, "at '"+strings.ReplaceAll(path, "[]", ".1.member")+"' failed to satisfy constraint: ")
	if a.Name != "ValidationException" || !found {
		return ""
	}
	constraint, _, _ := strings.Cut(after, ";")
	return constraint
}

// What the model does not say is written down here, so that a change shows.
func TestOurOwnConstraints(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	for _, tt := range []struct{ place, value, want string }{
		{"CreateCase.subject", "", "Member must have length greater than or equal to 1"},
		{"CreateCase.subject", strings.Repeat("語", 255), ""},
		{"CreateCase.subject", strings.Repeat("語", 256), "Member must have length less than or equal to 255"},
		{"CreateCase.serviceCode", "INVALID-CODE", `Member must satisfy regular expression pattern: [0-9a-z\-_]+`},
		{"DescribeCreateCaseOptions.serviceCode", "INVALID-CODE", `Member must satisfy regular expression pattern: [0-9a-z\-_]+`},
		{"DescribeServices.serviceCodeList[]", "INVALID-CODE", `Member must satisfy regular expression pattern: [0-9a-z\-_]+`},
		{"DescribeSupportedLanguages.serviceCode", "INVALID-CODE", `Member must satisfy regular expression pattern: [0-9a-z\-_]+`},
	} {
		name, path, _ := strings.Cut(tt.place, ".")
		answer := f.call(t, f.first, name, f.valid(name).with(path, tt.value).text(t))
		if got := constraintAt(answer, path); got != tt.want {
			t.Errorf("%s = %.20q: %.300s says %q, want %q", tt.place, tt.value, answer.refusal(), got, tt.want)
		}
	}
}

// asTyped tells whether err is the SDK's type for an error of the model.
func asTyped(err error, name string) bool {
	switch name {
	case "AttachmentIdNotFound":
		return is[*types.AttachmentIdNotFound](err)
	case "AttachmentLimitExceeded":
		return is[*types.AttachmentLimitExceeded](err)
	case "AttachmentSetExpired":
		return is[*types.AttachmentSetExpired](err)
	case "AttachmentSetIdNotFound":
		return is[*types.AttachmentSetIdNotFound](err)
	case "AttachmentSetSizeLimitExceeded":
		return is[*types.AttachmentSetSizeLimitExceeded](err)
	case "CaseCreationLimitExceeded":
		return is[*types.CaseCreationLimitExceeded](err)
	case "CaseIdNotFound":
		return is[*types.CaseIdNotFound](err)
	case "DescribeAttachmentLimitExceeded":
		return is[*types.DescribeAttachmentLimitExceeded](err)
	case "InternalServerError":
		return is[*types.InternalServerError](err)
	case "ThrottlingException":
		return is[*types.ThrottlingException](err)
	}
	return false
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// Every error that an operation declares has a line in our table, the status of
// the protocol, and arrives in a client as the SDK's own type.
func TestDeclaredErrorsAreToldAsTheSDKKnowsThem(t *testing.T) {
	t.Parallel()
	f := newFixture(t, limits{})
	model := mustModel(t)
	for _, operation := range sortedKeys(model) {
		for _, name := range model[operation].errors {
			err := f.faultNamed(name)
			if err == nil {
				t.Errorf("%s declares %s, and no fault of ours is told so", operation, name)
				continue
			}
			status, body := f.api.refusal(newRequest(operation, ""), err)
			if want := statusOf(name); status != want {
				t.Errorf("%s of %s: status %d, want %d", name, operation, status, want)
			}
			got := callSDK(t, operation, model[operation].in, cannedAnswer{status, body})
			apiErr, ok := errors.AsType[smithy.APIError](got)
			if !ok || !asTyped(got, name) || apiErr.ErrorCode() != name || apiErr.ErrorMessage() == "" {
				t.Errorf("%s answered %s: the SDK says %T %v, want a typed %s with a message", operation, body, got, got, name)
			}
		}
	}
}

// faultNamed returns an error that our table tells under the name.
func (f *fixture) faultNamed(name string) error {
	if name == "InternalServerError" {
		return errors.New("a reason of our own")
	}
	for _, known := range wireErrors() {
		if known.name == name {
			return known.fault
		}
	}
	return nil
}

func statusOf(name string) int {
	if name == "InternalServerError" {
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// cannedAnswer is an HTTP client that gives one answer to everything.
type cannedAnswer struct {
	status int
	body   []byte
}

// Do returns the answer.
func (c cannedAnswer) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: c.status, Request: r, Header: http.Header{"Content-Type": {contentType}},
		Body: io.NopCloser(strings.NewReader(string(c.body))),
	}, nil
}

// callSDK calls an operation by its name, with something in every required
// member, and returns the error.
func callSDK(t *testing.T, operation string, in []modelMember, answer cannedAnswer) error {
	t.Helper()
	client := support.New(support.Options{
		Region: "us-east-1", HTTPClient: answer, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
		}),
	})
	method := reflect.ValueOf(client).MethodByName(operation)
	input := reflect.New(method.Type().In(1).Elem())
	for _, m := range in {
		if !m.required {
			continue
		}
		field := input.Elem().FieldByName(strings.ToUpper(m.path[:1]) + m.path[1:])
		if m.form == "list" {
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
			continue
		}
		field.Set(reflect.ValueOf(aws.String("x")))
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), input})
	err, _ := results[1].Interface().(error)
	return err
}

func TestErrorsOfOursHaveOneLineEach(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, known := range wireErrors() {
		if seen[known.fault.Code] {
			t.Errorf("wireErrors has fault %s twice", known.fault.Code)
		}
		seen[known.fault.Code] = true
		if known.status < 400 || known.status > 499 {
			t.Errorf("wireErrors: status of %s is %d, want 4xx: only internal errors are 5xx", known.fault.Code, known.status)
		}
	}
}

package deskapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// description is the OpenAPI document as clients read it. What of JSON Schema it
// uses is few words, which check knows; it fails on others.
type description struct {
	Paths      map[string]map[string]described `json:"paths"`
	Components struct {
		Schemas   map[string]schema   `json:"schemas"`
		Responses map[string]response `json:"responses"`
		Headers   map[string]any      `json:"headers"`
	} `json:"components"`
}

type described struct {
	OperationID string              `json:"operationId"`
	Summary     string              `json:"summary"`
	Permission  string              `json:"x-permission"`
	Security    *[]any              `json:"security"`
	Parameters  []parameter         `json:"parameters"`
	RequestBody *response           `json:"requestBody"`
	Responses   map[string]response `json:"responses"`
}

type parameter struct {
	Name, In    string
	Required    bool
	Description string
	Schema      schema
}

type response struct {
	Ref     string `json:"$ref"`
	Headers map[string]schema
	Content map[string]struct{ Schema schema }
}

type schema map[string]any

func mustParse(t testing.TB, text []byte) *description {
	t.Helper()
	d := new(description)
	mustNot(t, json.Unmarshal(text, d))
	return d
}

// checkAnswer returns what is wrong with an answer.
func (d *description) checkAnswer(method, path string, got answered) []string {
	path, _, _ = strings.Cut(path, "?")
	var expected response
	if one, ok := d.operation(method, path); ok {
		expected, ok = one.Responses[strconv.Itoa(got.status)]
		if !ok {
			expected, ok = one.Responses["default"]
		}
		if !ok || got.status < 400 && expected.Ref != "" {
			return []string{"the description does not have this status"}
		}
	} else {
		expected = response{Ref: "#/components/responses/Problem"}
	}
	if name, ok := strings.CutPrefix(expected.Ref, "#/components/responses/"); ok {
		expected = d.Components.Responses[name]
	}
	for _, name := range []string{"ETag", "Location"} {
		if _, ok := expected.Headers[name]; ok != (got.header.Get(name) != "") && got.status != http.StatusNotModified {
			return []string{fmt.Sprintf("%s is %q, described: %t", name, got.header.Get(name), ok)}
		}
	}
	if expected.Content == nil || method == http.MethodHead {
		if got.body != "" {
			return []string{"there is a body where none is described"}
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	content, ok := expected.Content[media]
	if err != nil || !ok {
		return []string{fmt.Sprintf("the content type %q is not described", got.header.Get("Content-Type"))}
	}
	if !strings.HasSuffix(media, "json") {
		return nil
	}
	var value any
	if err := json.Unmarshal([]byte(got.body), &value); err != nil {
		return []string{err.Error()}
	}
	return d.check(value, content.Schema, "")
}

func (d *description) operation(method, path string) (described, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for pattern, item := range d.Paths {
		if one, ok := item[strings.ToLower(method)]; ok && matches(pattern, path) {
			return one, true
		}
	}
	return described{}, false
}

// matches reports whether a path fits a pattern. No path fits two of them.
func matches(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i, part := range want {
		if part != got[i] && !strings.HasPrefix(part, "{") {
			return false
		}
	}
	return true
}

// check returns where a value differs from its schema. Unlike the schema it
// allows no member that is not described: such a member was forgotten.
func (d *description) check(value any, s schema, at string) (wrong []string) {
	if ref, ok := s["$ref"].(string); ok {
		s = d.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
	}
	fail := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, value) {
		fail("%v is none of %v", value, enum)
	}
	switch s["type"] {
	case nil:
	case "string":
		text, ok := value.(string)
		if !ok {
			fail("%v is no string", value)
		}
		if s["format"] == "date-time" {
			if _, err := time.Parse(time.RFC3339, text); err != nil || !strings.HasSuffix(text, "Z") {
				fail("%q is no time in UTC", text)
			}
		}
		if s["contentEncoding"] == "base64" {
			if _, err := base64.StdEncoding.DecodeString(text); err != nil {
				fail("%q is not base64", text)
			}
		}
	case "integer":
		if n, ok := value.(float64); !ok || n != float64(int64(n)) {
			fail("%v is no integer", value)
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			fail("%v is no boolean", value)
		}
	case "array":
		all, ok := value.([]any)
		if !ok {
			fail("%v is no array", value)
		}
		for i, one := range all {
			wrong = append(wrong, d.check(one, subschema(s["items"]), fmt.Sprintf("%s[%d]", at, i))...)
		}
	case "object":
		wrong = append(wrong, d.checkObject(value, s, at)...)
	default:
		fail("unknown type %v", s["type"])
	}
	return wrong
}

func (d *description) checkObject(value any, s schema, at string) (wrong []string) {
	o, ok := value.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s: %v is no object", at, value)}
	}
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := o[name.(string)]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s.%s is missing", at, name))
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for name, member := range o {
		described, ok := properties[name]
		if !ok {
			described, ok = s["additionalProperties"].(map[string]any)
		}
		if !ok && (len(properties) > 0 || s["additionalProperties"] != nil) {
			wrong = append(wrong, fmt.Sprintf("%s.%s is not described", at, name))
			continue
		}
		wrong = append(wrong, d.check(member, subschema(described), at+"."+name)...)
	}
	return wrong
}

func subschema(v any) schema {
	o, _ := v.(map[string]any)
	return o
}

func TestDescriptionHasEveryRouteAndNoOther(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	d := mustParse(t, []byte(f.must(t, http.StatusOK, request{method: "GET", path: "/desk/v1/openapi.json"}).body))
	var routes, described []string
	for _, route := range f.api.routes() {
		need := string(route.need)
		if route.need == everyAgent || route.need == public {
			need = ""
		}
		routes = append(routes, strings.Join([]string{strings.ToLower(route.method), route.path, route.name, need}, " "))
	}
	for path, item := range d.Paths {
		for method, one := range item {
			described = append(described, strings.Join([]string{method, path, one.OperationID, one.Permission}, " "))
			if open := one.Security != nil; open != (one.OperationID == "DescribeAPI") {
				t.Errorf("%s without a token: %t", one.OperationID, open)
			}
		}
	}
	slices.Sort(routes)
	slices.Sort(described)
	if diff := cmp.Diff(routes, described); diff != "" {
		t.Errorf("the description has other operations than the routes (-routes +described):\n%s", diff)
	}
	if names := slices.Compact(slices.Sorted(operationIDs(d))); len(names) != len(routes) {
		t.Errorf("%d operations have %d names", len(routes), len(names))
	}
}

func operationIDs(d *description) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, item := range d.Paths {
			for _, one := range item {
				if !yield(one.OperationID) {
					return
				}
			}
		}
	}
}

func TestDescriptionExplainsEverything(t *testing.T) {
	t.Parallel()
	d := newFixture(t).spec
	for name, s := range d.Components.Schemas {
		properties, _ := s["properties"].(map[string]any)
		if len(properties) == 0 {
			t.Errorf("schema %s has no properties", name)
		}
		for member, described := range properties {
			if text, _ := subschema(described)["description"].(string); !strings.HasSuffix(text, ".") {
				t.Errorf("%s.%s is described as %q, want a sentence", name, member, text)
			}
		}
	}
	for path, item := range d.Paths {
		for method, one := range item {
			if !strings.HasSuffix(one.Summary, ".") {
				t.Errorf("%s %s is described as %q, want a sentence", method, path, one.Summary)
			}
			checkPathParameters(t, path, one)
		}
	}
	text, err := json.Marshal(d.Paths)
	mustNot(t, err)
	for rest := string(text); strings.Contains(rest, "#/components/schemas/"); {
		_, rest, _ = strings.Cut(rest, "#/components/schemas/")
		name, _, _ := strings.Cut(rest, `"`)
		if _, ok := d.Components.Schemas[name]; !ok {
			t.Errorf("there is no schema %s", name)
		}
	}
}

func checkPathParameters(t *testing.T, path string, one described) {
	t.Helper()
	want := map[string]bool{}
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			want[strings.Trim(part, "{}")] = true
		}
	}
	got := map[string]bool{}
	for _, p := range one.Parameters {
		if !strings.HasSuffix(p.Description, ".") || p.Schema["type"] == nil {
			t.Errorf("%s: parameter %s is described as %q of type %v", one.OperationID, p.Name, p.Description, p.Schema["type"])
		}
		if p.In == "path" {
			got[p.Name] = p.Required
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s: path parameters %v, want %v", one.OperationID, got, want)
	}
}

// Nobody can say in If-Match what no answer tells.
func TestWhatTakesIfMatchHasAnETag(t *testing.T) {
	t.Parallel()
	d := newFixture(t).spec
	takes := 0
	for path, item := range d.Paths {
		for method, one := range item {
			if !slices.ContainsFunc(one.Parameters, func(p parameter) bool { return p.Name == "If-Match" }) {
				continue
			}
			takes++
			if one.Responses["200"].Headers["ETag"] == nil && item["get"].Responses["200"].Headers["ETag"] == nil {
				t.Errorf("%s %s takes If-Match, and nothing tells the ETag", method, path)
			}
		}
	}
	if takes == 0 {
		t.Error("no operation takes If-Match")
	}
}

// A check that finds nothing would make all other tests blind.
func TestAnswersThatDoNotFitTheDescriptionAreFound(t *testing.T) {
	t.Parallel()
	d := newFixture(t).spec
	entity := http.Header{"Content-Type": {"application/json"}, "Etag": {`"v1"`}}
	right := `{"id":"t","name":"T","services":[],"languages":[],"accounts":[],"routing":false,"version":1}`
	for _, test := range []struct {
		name, method, path string
		status             int
		header             http.Header
		body               string
		fits               bool
	}{
		{"as described", "GET", "/desk/v1/teams/t", 200, entity, right, true},
		{"a member more", "GET", "/desk/v1/teams/t", 200, entity, strings.Replace(right, `{`, `{"hash":"x",`, 1), false},
		{"a member less", "GET", "/desk/v1/teams/t", 200, entity, strings.Replace(right, `"routing":false,`, ``, 1), false},
		{"another type", "GET", "/desk/v1/teams/t", 200, entity, strings.Replace(right, `false`, `"no"`, 1), false},
		{"another type in a list", "GET", "/desk/v1/teams/t", 200, entity, strings.Replace(right, `[]`, `[1]`, 1), false},
		{"null for a list", "GET", "/desk/v1/teams/t", 200, entity, strings.Replace(right, `[]`, `null`, 1), false},
		{"no ETag", "GET", "/desk/v1/teams/t", 200, http.Header{"Content-Type": {"application/json"}}, right, false},
		{"another status", "GET", "/desk/v1/teams/t", 202, entity, right, false},
		{"another content type", "GET", "/desk/v1/teams/t", 200, http.Header{"Content-Type": {"text/html"}, "Etag": {`"v1"`}}, right, false},
		{"a body without content", "DELETE", "/desk/v1/teams/t", 204, http.Header{}, right, false},
		{"an unknown value", "GET", "/desk/v1/views", 200, http.Header{"Content-Type": {"application/json"}}, `{"items":[{"view":"odd","count":1,"more":false}]}`, false},
		{"a bare error", "GET", "/desk/v1/nothing", 404, http.Header{"Content-Type": {"text/plain"}}, `404`, false},
	} {
		wrong := d.checkAnswer(test.method, test.path, answered{status: test.status, header: test.header, body: test.body})
		if fits := len(wrong) == 0; fits != test.fits {
			t.Errorf("%s: the check found %q, want that it fits: %t", test.name, wrong, test.fits)
		}
	}
}

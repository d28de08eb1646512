package deskapi

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/supportd/supportd/internal/desk"
)

// document is the description of the API in OpenAPI 3.1, as it is sent.
type document []byte

func (d *document) serve(w http.ResponseWriter) {
	send(w, http.StatusOK, "application/openapi+json;version=3.1", *d)
}

func (a *API) describeAPI(context.Context, desk.Caller, *none) (*document, error) {
	return &a.openAPI, nil
}

// object is a JSON object of the description.
type object = map[string]any

// describe makes the description of the routes, with the schemas of the types
// that go in and out.
func describe(routes []route, version string) (document, error) {
	if version == "" {
		version = "unknown"
	}
	s := schemas{}
	paths := object{}
	for _, route := range routes {
		item, _ := paths[route.path].(object)
		if item == nil {
			item = object{}
			paths[route.path] = item
		}
		item[strings.ToLower(route.method)] = describeRoute(route, s)
	}
	problem := s.answer(reflect.TypeFor[problem]())
	return json.Marshal(object{
		"openapi": "3.1.1",
		"info": object{
			"title": "supportd desk", "version": version,
			"description": "The agents' side of supportd. Times are RFC 3339 in UTC, durations are in the unit that their name ends with.",
			"license":     object{"name": "Apache 2.0", "identifier": "Apache-2.0"},
		},
		"servers":  []object{{"url": "/"}},
		"security": []object{{"token": []string{}}},
		"paths":    paths,
		"components": object{
			"schemas": s,
			"securitySchemes": object{"token": object{
				"type": "http", "scheme": "bearer",
				"description": "A token of an agent, which begins with sdt_.",
			}},
			"headers": object{
				"ETag":     object{"description": "The version of what is answered.", "schema": object{"type": "string"}},
				"Location": object{"description": "The path of what is new.", "schema": object{"type": "string"}},
			},
			"responses": object{"Problem": object{
				"description": "The request was refused; the code says why.",
				"content":     object{problemType: object{"schema": problem}},
			}},
		},
	}, json.Deterministic(true))
}

func describeRoute(route route, s schemas) object {
	o := object{
		"operationId": route.name,
		"tags":        []string{tagOf(route.path)},
		"summary":     route.summary,
		"responses":   describeAnswers(route, s),
	}
	if all := describeParameters(route); len(all) > 0 {
		o["parameters"] = all
	}
	switch route.need {
	case public:
		o["security"] = []object{}
	case everyAgent:
		o["description"] = "Every agent may call this; what they may not see is refused."
	default:
		o["description"] = "Needs the permission " + string(route.need) + "."
		o["x-permission"] = route.need
	}
	if route.method != http.MethodGet && route.in.hasBody() {
		o["requestBody"] = object{
			"required": hasRequired(route.in.bodyType),
			"content":  object{"application/json": object{"schema": s.request(route.in.bodyType)}},
		}
	}
	return o
}

// tagOf is the first part of a path behind the version.
func tagOf(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/desk/v1/"), "/")
	return name
}

func describeParameters(route route) []object {
	var all []object
	for _, p := range route.in.parameters {
		all = append(all, object{
			"name": p.name, "in": p.place, "required": p.required,
			"description": p.doc, "schema": withEnum(basic(p.typ), p.enum),
		})
	}
	header := func(name, doc string) {
		all = append(all, object{"name": name, "in": "header", "required": false, "description": doc, "schema": object{"type": "string"}})
	}
	if route.method != http.MethodGet {
		header("Idempotency-Key", "1 to 255 visible ASCII characters. A request that comes again with its key gets the first answer.")
		if takesIfMatch(route) {
			header("If-Match", "The ETag of what is changed, as the caller saw it: refused with 412 when it is another by now.")
		}
	} else if isVersioned(route.out) {
		header("If-None-Match", "ETags that the caller has: answered with 304 when it is one of these.")
	}
	return all
}

func isVersioned(t reflect.Type) bool { return t.Implements(reflect.TypeFor[versioned]()) }

func isLocated(t reflect.Type) bool { return t.Implements(reflect.TypeFor[located]()) }

// takesIfMatch reports whether a route changes something whose ETag callers know:
// a case, or the document that it replaces or removes.
func takesIfMatch(route route) bool {
	if route.out == reflect.TypeFor[none]() {
		return strings.HasSuffix(route.path, "/{id}") // presences and tokens have none
	}
	return route.method != http.MethodGet && isVersioned(route.out) && !isLocated(route.out)
}

// describeAnswers lists the statuses of success and, for all that is refused, one
// form with the statuses that clients meet.
func describeAnswers(route route, s schemas) object {
	answers := object{"default": object{"$ref": "#/components/responses/Problem"}}
	refused := func(statuses ...int) {
		for _, status := range statuses {
			answers[strconv.Itoa(status)] = object{"$ref": "#/components/responses/Problem"}
		}
	}
	status, success := describeSuccess(route, s)
	answers[strconv.Itoa(status)] = success
	if route.need == public {
		return answers
	}
	refused(http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests)
	if strings.Contains(route.path, "{") {
		refused(http.StatusNotFound)
	}
	if route.method == http.MethodGet {
		if isVersioned(route.out) {
			answers["304"] = object{"description": "The caller has this version already."}
		}
		return answers
	}
	refused(http.StatusConflict, http.StatusUnprocessableEntity)
	if takesIfMatch(route) {
		refused(http.StatusPreconditionFailed)
	}
	if route.in.hasBody() {
		refused(http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if route.method == http.MethodPut && isVersioned(route.out) {
		refused(http.StatusPreconditionRequired)
	}
	return answers
}

func describeSuccess(route route, s schemas) (status int, described object) {
	headers := object{}
	if isVersioned(route.out) {
		headers["ETag"] = object{"$ref": "#/components/headers/ETag"}
	}
	if isLocated(route.out) {
		headers["Location"] = object{"$ref": "#/components/headers/Location"}
	}
	described = object{"description": route.summary, "headers": headers}
	content := func(media string, schema any) {
		described["content"] = object{media: object{"schema": schema}}
	}
	switch {
	case route.out == reflect.TypeFor[none]():
		return http.StatusNoContent, object{"description": "It is done."}
	case route.out == reflect.TypeFor[download]():
		content("application/octet-stream", object{})
		return http.StatusOK, described
	case route.out == reflect.TypeFor[document]():
		content("application/openapi+json", object{"type": "object"})
		return http.StatusOK, described
	}
	content("application/json", s.answer(route.out))
	if isLocated(route.out) {
		return http.StatusCreated, described
	}
	return http.StatusOK, described
}

// Package deskapi is the desk over HTTP: JSON for agents and for programs that
// work with them, under /desk/v1.
//
// Rules are those of package desk; this one authenticates, translates and
// describes itself in OpenAPI.
package deskapi

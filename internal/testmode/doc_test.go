package testmode

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// The examples of the document are its reference: they have every field.
func TestDocumentHasEveryFieldOfSeedsAndScripts(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, form := range []any{seedForm{}, scriptForm{}} {
		fields = append(fields, fieldsOf(reflect.TypeOf(form))...)
	}
	if len(fields) < 50 {
		t.Fatalf("seeds and scripts have only the fields %v", fields)
	}
	for _, field := range fields {
		if !regexp.MustCompile("(?m)(^|[ {`])" + field + "[:`]").Match(text) {
			t.Errorf("docs/testing.md says nothing of %s", field)
		}
	}
}

// fieldsOf returns the names of all fields under a form.
func fieldsOf(form reflect.Type) (names []string) {
	for form.Kind() == reflect.Slice || form.Kind() == reflect.Pointer {
		form = form.Elem()
	}
	if form.Kind() != reflect.Struct {
		return nil
	}
	for i := range form.NumField() {
		name, _, _ := strings.Cut(form.Field(i).Tag.Get("yaml"), ",")
		names = append(append(names, name), fieldsOf(form.Field(i).Type)...)
	}
	return names
}

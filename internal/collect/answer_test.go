package collect

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/supportd/supportd/internal/inventory"
)

func TestAnswersThatAreNoneOfTheAPISayNothing(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":    "",
		"a blank":    "\n",
		"a web page": "<!DOCTYPE html>\n<html><body>Welcome</body></html>",
		"a text":     "ok",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request, call string) bool {
				if strings.HasPrefix(call, "sts:") {
					return false
				}
				fmt.Fprint(w, body)
				return true
			})
			needs := inventory.Needs{}
			for _, k := range kinds() {
				needs.Add(k.Name)
				for _, field := range k.Type.Fields() {
					if field.Part != "" {
						needs.Add(k.Name, field.Name)
					}
				}
			}
			got := mustCollect(t, &Collector{}, f.source("us-east-1"), needs)
			failed := map[string]bool{}
			for _, f := range got.Summary.Failures {
				failed[f.Kind] = true
			}
			for _, kind := range needs.Kinds() {
				if !failed[kind] && !slices.Contains([]string{"account", "region"}, kind) {
					t.Errorf("%s was read, want a failure", kind)
				}
			}
			for _, r := range got.Resources {
				if r.Kind != "account" && r.Kind != "region" && r.Kind != "ec2.settings" { // which has nothing but parts
					t.Errorf("a resource %s %s, want none", r.Kind, r.ID)
				}
			}
		})
	}
}

func TestCausesDoNotMoveTheCursor(t *testing.T) {
	if got, want := oneLine("a\x1b[31m\x07 b\n\u009bc \u202ed"), "a�[31m� b �c �d"; got != want {
		t.Errorf("oneLine() = %q, want %q", got, want)
	}
}

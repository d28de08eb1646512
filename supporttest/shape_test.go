package supporttest_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/supportd/supportd/supporttest"
)

// Whoever uses the package sees nothing of what is internal.
func TestThePackageShowsOnlyItsOwnAndPublicTypes(t *testing.T) {
	t.Parallel()
	seen := map[reflect.Type]bool{}
	var check func(where string, of reflect.Type)
	check = func(where string, of reflect.Type) {
		if seen[of] {
			return
		}
		seen[of] = true
		if strings.Contains(of.PkgPath(), "/internal/") {
			t.Errorf("%s shows %v of %s", where, of, of.PkgPath())
			return
		}
		own := strings.HasSuffix(of.PkgPath(), "/supporttest")
		if of.PkgPath() != "" && !own {
			return // of the standard library or the SDK
		}
		where += " " + of.String()
		for method := range of.Methods() {
			check(where, method.Type)
		}
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan:
			check(where, of.Elem())
		case reflect.Map:
			check(where, of.Key())
			check(where, of.Elem())
		case reflect.Func:
			for in := range of.Ins() {
				check(where, in)
			}
			for out := range of.Outs() {
				check(where, out)
			}
		case reflect.Struct:
			for field := range of.Fields() {
				if field.IsExported() {
					check(where, field.Type)
				}
			}
		}
	}
	for _, shown := range []any{
		supporttest.NewServer, supporttest.WithAWSLimits, supporttest.WithFrozenClock, supporttest.WithLog, supporttest.WithSeed, supporttest.WithTime,
	} {
		check("the package", reflect.TypeOf(shown))
	}
	for _, want := range []reflect.Type{reflect.TypeFor[supporttest.Fault](), reflect.TypeFor[supporttest.SetFault](), reflect.TypeFor[supporttest.Request](), reflect.TypeFor[supporttest.Resource](), reflect.TypeFor[supporttest.SeededUser]()} {
		if !seen[want] {
			t.Errorf("%v was not looked at", want)
		}
	}
}

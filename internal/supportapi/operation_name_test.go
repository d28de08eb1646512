package supportapi

import (
	"net/http/httptest"
	"testing"

	"github.com/supportd/supportd/internal/sigv4"
)

func TestAnUnsignedTargetCannotStandAgainstTheQuery(t *testing.T) {
	t.Parallel()
	const resolve = targetPrefix + "ResolveCase"
	for _, test := range []struct {
		name, query string
		targets     []string
		signed      []string
		want        string
	}{
		{"signed target", "", []string{resolve}, []string{"host", "x-amz-target"}, "ResolveCase"},
		{"unsigned target alone", "", []string{resolve}, []string{"host"}, "ResolveCase"},
		{"action alone", "?Action=DescribeCases&Version=2013-04-15", nil, []string{"host"}, "DescribeCases"},
		{"action of another version", "?Action=DescribeCases&Version=2012-01-01", nil, []string{"host"}, ""},
		{"action against an unsigned target", "?Action=DescribeCases&Version=2013-04-15", []string{resolve}, []string{"host"}, "DescribeCases"},
		{"action against a signed target", "?Action=DescribeCases&Version=2013-04-15", []string{resolve}, []string{"host", "x-amz-target"}, ""},
		{"action beside the same target", "?Action=ResolveCase&Version=2013-04-15", []string{resolve}, []string{"host", "x-amz-target"}, "ResolveCase"},
		{"two targets", "", []string{resolve, resolve}, []string{"host", "x-amz-target"}, ""},
		{"foreign prefix", "", []string{"AWSSupport_20990101.ResolveCase"}, []string{"host", "x-amz-target"}, ""},
	} {
		r := httptest.NewRequest("POST", "/"+test.query, nil)
		for _, target := range test.targets {
			r.Header.Add("X-Amz-Target", target)
		}
		if got := operationName(r, &sigv4.Signature{SignedHeaders: test.signed}); got != test.want {
			t.Errorf("%s: operationName = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestErrorsRepeatLittleOfWhatTheCallerSent(t *testing.T) {
	t.Parallel()
	status, told := tell(errNoData.With("The attachment %q has no data.", string(make([]byte, 1<<20))))
	if status != 400 || len(told.Message) > maxText+len("…") {
		t.Errorf("a megabyte in a fault = %d with %d bytes, want 400 with %d", status, len(told.Message), maxText)
	}
}
